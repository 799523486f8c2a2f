//! What threads share: directory, tables, lines and words, as in `src/table`, and what is retired.
//!
//! An address is a name here: entries are numbered, and an overflow line is named by its bucket and its
//! depth. A word's tag is that of its entry's key.

use crate::config::Key;
use core::hash::{Hash, Hasher};
use std::sync::Arc;

/// Slots in a line, at most.
const SLOTS: usize = 2;
/// What is in a slot that the run does not have.
const NO_SLOT: Word = Word::VACANT.frozen();
/// Bits of hash that choose a line, at most.
pub const REST_BITS: u8 = 2;

/// `src/table/word`: what a slot or a link word holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    /// Unborn in a table that is being filled; vacant everywhere else.
    Zero,
    /// No entry.
    Vacant,
    /// The entry is in the map.
    Member(u8),
    /// The entry asks to be inserted.
    Claim {
        /// The entry.
        entry: u8,
        /// For the how manieth time.
        version: u8,
        /// It has lost.
        shut: bool,
    },
    /// The next line of the bucket.
    Link,
}

/// A word: its content, and whether it is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word {
    /// What it says.
    pub content: Content,
    /// It never changes again.
    pub frozen: bool,
}

/// As one number: a state has some dozen words, and is hashed for each transition.
impl Hash for Word {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let content = match self.content {
            Content::Zero => [0, 0, 0],
            Content::Vacant => [1, 0, 0],
            Content::Member(entry) => [2, entry, 0],
            Content::Claim {
                entry,
                version,
                shut,
            } => [3 + u8::from(shut), entry, version],
            Content::Link => [5, 0, 0],
        };
        let [kind, entry, version] = content;
        u32::from_le_bytes([kind, entry, version, u8::from(self.frozen)]).hash(state);
    }
}

impl Word {
    /// Zero, not frozen.
    pub const ZERO: Self = Self::of(Content::Zero);
    /// Vacant, not frozen.
    pub const VACANT: Self = Self::of(Content::Vacant);

    /// A word that is not frozen.
    #[must_use]
    pub const fn of(content: Content) -> Self {
        Self {
            content,
            frozen: false,
        }
    }

    /// The word, final.
    #[must_use]
    pub const fn frozen(self) -> Self {
        Self {
            frozen: true,
            ..self
        }
    }

    /// The word as it was before it became final.
    #[must_use]
    pub const fn thawed(self) -> Self {
        Self::of(self.content)
    }

    /// The entry of a member, frozen or not.
    #[must_use]
    pub const fn member(self) -> Option<u8> {
        match self.content {
            Content::Member(entry) => Some(entry),
            _ => None,
        }
    }

    /// The entry of a claim, frozen or not, shut or not.
    #[must_use]
    pub const fn claim(self) -> Option<u8> {
        match self.content {
            Content::Claim { entry, .. } => Some(entry),
            _ => None,
        }
    }

    /// The entry of a claim that is undecided and not frozen.
    #[must_use]
    pub const fn open_claim(self) -> Option<u8> {
        match self {
            Self {
                content: Content::Claim { entry, shut, .. },
                frozen: false,
            } if !shut => Some(entry),
            _ => None,
        }
    }

    /// Zero or vacant, not frozen.
    #[must_use]
    pub const fn is_vacant(self) -> bool {
        !self.frozen && matches!(self.content, Content::Zero | Content::Vacant)
    }

    /// This claim, lost.
    #[must_use]
    pub const fn shut(self) -> Self {
        match self.content {
            Content::Claim { entry, version, .. } => Self {
                content: Content::Claim {
                    entry,
                    version,
                    shut: true,
                },
                ..self
            },
            _ => self,
        }
    }
}

/// A place in a bucket: how many lines from the first, and which slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// Lines from the bucket's first.
    pub depth: u8,
    /// The slot in that line.
    pub slot: u8,
}

/// `src/table/line.rs`: slots, and the word that leads on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Line {
    /// The slots; those that the run does not have are frozen.
    pub slots: [Word; SLOTS],
    /// The link word.
    pub link: Word,
}

impl Line {
    /// All words zero.
    #[must_use]
    pub fn zero(slots: usize) -> Self {
        Self {
            slots: core::array::from_fn(|slot| if slot < slots { Word::ZERO } else { NO_SLOT }),
            link: Word::ZERO,
        }
    }

    /// An overflow line with `words` first and the others vacant.
    #[must_use]
    pub fn overflow(words: &[Word], slots: usize, link: Content) -> Self {
        let word = |slot| match words.get(slot) {
            Some(word) => *word,
            None if slot < slots => Word::VACANT,
            None => NO_SLOT,
        };
        Self {
            slots: core::array::from_fn(word),
            link: Word::of(link),
        }
    }
}

/// `src/table/store.rs`: which hashes a table serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// All of them.
    Root,
    /// Those of one shard.
    Shard,
}

/// `src/table/migration.rs`: a move in progress, or complete.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Migration {
    /// The new table of each shard: the same for all if the kind stays.
    pub into: Vec<u8>,
    /// Steps handed out, counted up to their number.
    pub handed: u8,
    /// Steps whose bit is set.
    pub bits: u8,
    /// Steps counted as complete.
    pub complete: u8,
    /// Somebody retires the old table.
    pub retired: bool,
}

/// `src/table/store.rs`: a table. A bucket is a chain of lines, the first of them in the table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    /// Which hashes it serves.
    pub kind: Kind,
    /// Lines, as a power of two.
    pub line_bits: u8,
    /// The move out of it.
    pub next: Option<Migration>,
    /// The buckets.
    pub buckets: Vec<Vec<Line>>,
}

impl Table {
    /// A table of zeros.
    #[must_use]
    pub fn allocate(kind: Kind, line_bits: u8, slots: usize) -> Self {
        Self {
            kind,
            line_bits,
            next: None,
            buckets: vec![vec![Line::zero(slots)]; 1 << line_bits],
        }
    }

    /// The number of the line of `key`.
    #[must_use]
    pub fn line_of(&self, key: Key) -> usize {
        usize::from(key.rest >> (REST_BITS - self.line_bits))
    }
}

/// What can be retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// An entry.
    Entry(u8),
    /// A table with its record of a move and its overflow lines.
    Table(u8),
}

/// Everything that threads share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Memory {
    /// The shard words of the directory.
    pub words: Vec<u8>,
    /// Every table that was ever linked.
    pub tables: Vec<Arc<Table>>,
    /// What is retired, and for which threads that were pinned then (a bit each) it has to stay.
    pub retired: Vec<(Object, u8)>,
    /// Threads that are in an operation, a bit each.
    pub pinned: u8,
}

impl Memory {
    /// The lines of `bucket`.
    #[must_use]
    pub fn bucket(&self, table: u8, bucket: usize) -> &[Line] {
        &self.tables[usize::from(table)].buckets[bucket]
    }

    /// A table, for a change.
    pub fn table_mut(&mut self, table: u8) -> &mut Table {
        Arc::make_mut(&mut self.tables[usize::from(table)])
    }

    /// The bucket of `key`, for a change.
    pub fn bucket_mut(&mut self, table: u8, bucket: usize) -> &mut Vec<Line> {
        &mut self.table_mut(table).buckets[bucket]
    }

    /// The number of the bucket of `key`.
    #[must_use]
    pub fn line_of(&self, table: u8, key: Key) -> usize {
        self.tables[usize::from(table)].line_of(key)
    }

    /// The move out of `table`.
    #[must_use]
    pub fn migration(&self, table: u8) -> Option<&Migration> {
        self.tables[usize::from(table)].next.as_ref()
    }

    /// `Migration::table_of`: the table that `key` moves to from `table`.
    #[must_use]
    pub fn table_of(&self, table: u8, key: Key) -> Option<u8> {
        self.migration(table)
            .map(|migration| migration.into[usize::from(key.shard)])
    }

    /// Whether the first line of `bucket` is born.
    #[must_use]
    pub fn is_born(&self, table: u8, bucket: usize) -> bool {
        self.bucket(table, bucket)[0].link != Word::ZERO
    }

    /// Retires an object: threads that are pinned now may use it, and others may not. Says whether it
    /// was retired before.
    pub fn retire(&mut self, object: Object) -> bool {
        match self
            .retired
            .binary_search_by_key(&object, |(object, _)| *object)
        {
            Ok(_) => true,
            Err(at) => {
                self.retired.insert(at, (object, self.pinned));
                false
            }
        }
    }

    /// Whether `thread` may use an object: it is not retired, or was when the thread was pinned already.
    #[must_use]
    pub fn may_use(&self, object: Object, thread: usize) -> bool {
        match self
            .retired
            .binary_search_by_key(&object, |(object, _)| *object)
        {
            Ok(at) => self.retired[at].1 >> thread & 1 != 0,
            Err(_) => true,
        }
    }

    /// The thread begins an operation.
    pub fn pin(&mut self, thread: usize) {
        self.pinned |= 1 << thread;
    }

    /// The thread has ended its operation.
    pub fn unpin(&mut self, thread: usize) {
        self.pinned &= !(1 << thread);
        for (_, threads) in &mut self.retired {
            *threads &= !(1 << thread);
        }
    }

    /// The table in which the bucket of `key` is at this moment: the directory's, or where it has
    /// been born since.
    #[must_use]
    pub fn present_table(&self, key: Key) -> u8 {
        let mut table = self.words[usize::from(key.shard)];
        while let Some(next) = self.table_of(table, key) {
            if !self.is_born(next, self.line_of(next, key)) {
                break;
            }
            table = next;
        }
        table
    }
}
