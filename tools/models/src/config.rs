//! What a run of the model is made of: keys, tables, the program of each thread, and the bug put in.

use crate::memory::{Content, Kind, Line, Memory, Table, Word};
use std::sync::Arc;

/// A key: its hash, cut as `src/table/hash.rs` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The shard bits.
    pub shard: u8,
    /// The bits after them, which choose a line.
    pub rest: u8,
    /// What a member word keeps.
    pub tag: u8,
}

impl Key {
    /// A key with a tag of its own.
    #[must_use]
    pub const fn new(shard: u8, rest: u8, tag: u8) -> Self {
        Self { shard, rest, tag }
    }
}

/// A call. The number is that of a key; an insert's value is its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// `RawMap::get`.
    Get(u8),
    /// `RawMap::insert` with `replace`.
    Insert(u8),
    /// `RawMap::insert` without `replace`.
    TryInsert(u8),
    /// `RawMap::remove_if`.
    Remove(u8),
    /// `RawMap::compute` that replaces what is present and does nothing else.
    Update(u8),
    /// `RawMap::start`, as a write does it that finds its shard too full: begin a doubling, and help by a
    /// step.
    Grow(u8),
    /// `RawMap::resize_to`, as `reserve` does it: complete moves and begin new ones.
    Reserve {
        /// Lines of a shard's table (or of the root), as a power of two.
        line_bits: u8,
    },
    /// `RawMap::resize_to`, as `shrink_to_fit` does it.
    Shrink {
        /// Lines, as a power of two.
        line_bits: u8,
    },
}

impl Op {
    /// The key it is about.
    #[must_use]
    pub const fn key(self) -> Option<u8> {
        match self {
            Self::Get(key)
            | Self::Insert(key)
            | Self::TryInsert(key)
            | Self::Remove(key)
            | Self::Update(key) => Some(key),
            Self::Grow(_) | Self::Reserve { .. } | Self::Shrink { .. } => None,
        }
    }
}

/// A mistake put into the protocol, to see that the model finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bug {
    /// A writer that meets a frozen bucket goes to the newest table, past a generation.
    SkipGeneration,
    /// A move counts as complete one step early.
    CompleteEarly,
    /// A move counts as complete when all steps are handed out.
    CompleteWhenHanded,
    /// Nobody moves a step again: who finds all of them handed out waits.
    WaitForMover,
    /// A write takes a frozen word for the one it was.
    WriteFrozen,
    /// A look-up goes to the new table without a look whether the bucket is there.
    ReadUnborn,
    /// A look-up answers from a frozen bucket without a look at the new table.
    ReadFrozen,
    /// Births are stores, not exchanges from zero, and nobody looks whether the line is born.
    BirthByStore,
    /// A line is born before its slots are.
    BornFirst,
    /// A claim is left as it is when its bucket freezes.
    ClaimNotFrozen,
    /// Slots freeze before link words.
    SlotsBeforeLinks,
    /// A claim settles without a look for others.
    SettleBlind,
    /// The look for others meets members first, then claims.
    MembersBeforeClaims,
    /// Claims of an entry are all the same word.
    ClaimComesBack,
    /// The old table is retired when the first word leads to the new one.
    RetireEarly,
    /// Each thread that completes a move retires the old table.
    RetireTwice,
}

/// A run of the model.
#[derive(Clone, Debug)]
pub struct Config {
    /// What it is for.
    pub name: &'static str,
    /// Slots in a line.
    pub slots: usize,
    /// Shard words.
    pub shards: usize,
    /// The kind and the lines (as a power of two) of the first tables.
    pub first: (Kind, u8),
    /// The keys.
    pub keys: Vec<Key>,
    /// The keys that are present at first.
    pub present: Vec<u8>,
    /// What each thread does.
    pub programs: Vec<Vec<Op>>,
    /// Moves that are over when everybody has ended, in the run that has most.
    pub moves: usize,
    /// The words of a line are read in any order where the code lets them.
    pub any_order: bool,
    /// The mistake.
    pub bug: Option<Bug>,
}

/// The entry of the key that is present at first.
const FIRST_ENTRIES: u8 = 64;
/// Calls of a thread, at most.
const CALLS: usize = 8;

impl Config {
    /// The entry that a call of a thread brings.
    #[must_use]
    pub fn entry(thread: usize, call: usize) -> u8 {
        u8::try_from(thread * CALLS + call).unwrap_or(u8::MAX)
    }

    /// The number of the key of an entry.
    ///
    /// # Panics
    /// If there is no such entry.
    #[must_use]
    pub fn key_of(&self, entry: u8) -> u8 {
        if entry >= FIRST_ENTRIES {
            return entry - FIRST_ENTRIES;
        }
        let (thread, call) = (usize::from(entry) / CALLS, usize::from(entry) % CALLS);
        self.programs[thread][call]
            .key()
            .expect("a call with a key")
    }

    /// The hash of an entry.
    #[must_use]
    pub fn hash_of(&self, entry: u8) -> Key {
        self.keys[usize::from(self.key_of(entry))]
    }

    /// What a key is bound to at first.
    #[must_use]
    pub fn first_value(&self, key: u8) -> Option<u8> {
        self.present.contains(&key).then_some(FIRST_ENTRIES + key)
    }

    /// Whether the bug is in.
    #[must_use]
    pub fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// The memory before the first call.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let (kind, line_bits) = self.first;
        let tables = if kind == Kind::Root { 1 } else { self.shards };
        let table = Arc::new(Table::allocate(kind, line_bits, self.slots));
        let mut memory = Memory {
            words: (0..self.shards)
                .map(|shard| u8::from(kind == Kind::Shard && shard == 1))
                .collect(),
            tables: core::iter::repeat_n(table, tables).collect(),
            retired: Vec::new(),
            pinned: 0,
        };
        for &key in &self.present {
            let hash = self.keys[usize::from(key)];
            let table = memory.words[usize::from(hash.shard)];
            let bucket = memory.line_of(table, hash);
            let member = Word::of(Content::Member(FIRST_ENTRIES + key));
            let lines = memory.bucket_mut(table, bucket);
            let free = lines
                .iter_mut()
                .flat_map(|line| &mut line.slots)
                .find(|word| word.is_vacant());
            if let Some(word) = free {
                *word = member;
            } else {
                if let Some(last) = lines.last_mut() {
                    last.link = Word::of(Content::Link);
                }
                lines.push(Line::overflow(&[member], self.slots, Content::Vacant));
            }
        }
        memory
    }
}
