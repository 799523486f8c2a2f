//! What is shared: lines of words, in tables of 1, 2 and 4 lines, and the lines behind links.

/// A line, by number: those of the tables come first.
pub type Line = u8;

/// Tables: of 1, 2 and 4 lines.
pub const TABLES: u8 = 3;
/// Doublings, at most.
pub const MOVES: usize = 2;
/// Lines of all tables.
const TABLE_LINES: u8 = (1 << TABLES) - 1;

/// Of the keys behind a link, a bit for each; two keys share one.
pub type Signatures = u8;

/// That of a key.
#[must_use]
pub const fn signature(key: u8) -> Signatures {
    1 << (key / 2)
}

/// What a link says of what is behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Behind {
    /// How many keys are there, or about to go there.
    pub count: u8,
    /// Of those that are, and have been.
    pub signatures: Signatures,
}

impl Behind {
    /// These, as far as they have keys.
    #[must_use]
    pub fn of(kinds: &[Kind]) -> Self {
        let keys = kinds.iter().filter_map(|kind| kind.key());
        keys.fold(Self::default(), Self::with)
    }

    /// With one key more.
    #[must_use]
    pub const fn with(self, key: u8) -> Self {
        self.counted().signed(key)
    }

    /// The same, not signed.
    #[must_use]
    pub const fn counted(self) -> Self {
        Self {
            count: self.count + 1,
            ..self
        }
    }

    /// The same, not counted.
    #[must_use]
    pub const fn signed(self, key: u8) -> Self {
        Self {
            signatures: self.signatures | signature(key),
            ..self
        }
    }

    /// With one key less.
    #[must_use]
    pub const fn with_one_less(self) -> Self {
        Self {
            count: self.count.saturating_sub(1),
            ..self
        }
    }

    /// Whether a key may be there.
    #[must_use]
    pub const fn may_have(self, key: u8) -> bool {
        self.signatures & signature(key) != 0
    }
}

/// Threads, a bit for each.
pub type Threads = u8;

/// What a slot says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Nothing has been written: in the last slot of a line, unborn; in another slot, empty once the line is born.
    Zero,
    /// Born, and never used; only in the last slot of a line of a table.
    Empty,
    /// A member.
    Live {
        /// The key.
        key: u8,
        /// The value.
        value: u8,
    },
    /// An insert that is not decided.
    Claim {
        /// The key.
        key: u8,
        /// No claim has it twice.
        stamp: u8,
    },
    /// Was used.
    Vacant,
    /// The next line, and who is behind; only in the last slot. Only the first link of a bucket is asked.
    Link(Line, Behind),
}

impl Kind {
    /// Whose it is.
    #[must_use]
    pub const fn key(self) -> Option<u8> {
        match self {
            Self::Live { key, .. } | Self::Claim { key, .. } => Some(key),
            _ => None,
        }
    }
}

/// A slot's 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word {
    /// What it says.
    pub kind: Kind,
    /// It is final.
    pub frozen: bool,
}

impl Word {
    /// A word that is not frozen.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            frozen: false,
        }
    }

    /// Whether it is a member or a claim.
    #[must_use]
    pub const fn has_key(self) -> bool {
        self.kind.key().is_some()
    }

    /// The same, final.
    #[must_use]
    pub const fn frozen(self) -> Self {
        Self {
            frozen: true,
            ..self
        }
    }
}

/// Where a slot is in a bucket: how many links behind, the line, and the number in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Links before it.
    pub depth: u8,
    /// Its number in the line.
    pub slot: u8,
    /// The line.
    pub line: Line,
}

/// What threads share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Memory {
    /// Slots in a line.
    pub slots: u8,
    /// By line and slot.
    words: Vec<Word>,
    /// The shard's table.
    pub present: u8,
    /// The tables before this one are being left, or have been, as their headers say.
    pub newest: u8,
    /// By table: who was running when its move had begun, and still is. None before that is known.
    pub graces: [Option<Threads>; MOVES],
}

impl Memory {
    /// One table of one line, empty.
    #[must_use]
    pub fn new(slots: u8) -> Self {
        let words = vec![Word::new(Kind::Zero); usize::from(slots * TABLE_LINES)];
        let mut memory = Self {
            slots,
            words,
            present: 0,
            newest: 0,
            graces: [None; MOVES],
        };
        memory.write(0, slots - 1, Kind::Empty);
        memory
    }

    /// The line of a key in a table; `bits` are the two upper ones of its hash.
    #[must_use]
    pub const fn home(table: u8, bits: u8) -> Line {
        (1 << table) - 1 + (bits >> (TABLES - 1 - table))
    }

    fn index(&self, line: Line, slot: u8) -> usize {
        usize::from(line) * usize::from(self.slots) + usize::from(slot)
    }

    /// Reads a slot.
    #[must_use]
    pub fn load(&self, line: Line, slot: u8) -> Word {
        self.words[self.index(line, slot)]
    }

    /// Writes a slot that nobody else has yet.
    pub fn write(&mut self, line: Line, slot: u8, kind: Kind) {
        let index = self.index(line, slot);
        self.words[index] = Word::new(kind);
    }

    /// Exchanges a slot, if it is `from`.
    pub fn exchange(&mut self, line: Line, slot: u8, from: Word, to: Word) -> bool {
        let index = self.index(line, slot);
        let done = self.words[index] == from;
        if done {
            self.words[index] = to;
        }
        done
    }

    /// Makes a slot final, whatever is there.
    pub fn store_final(&mut self, line: Line, slot: u8, word: Word) {
        let index = self.index(line, slot);
        self.words[index] = word.frozen();
    }

    /// Whether a table is being left, or has been.
    #[must_use]
    pub const fn is_left(&self, table: u8) -> bool {
        table < self.newest
    }

    /// Whether the last word of a line is there: then the line is the truth.
    #[must_use]
    pub fn is_born(&self, line: Line) -> bool {
        self.load(line, self.slots - 1).kind != Kind::Zero
    }

    /// A new line for behind a link, with `first` in front. The rest is vacant, not zero: a claim in the bucket may have
    /// been decided without a look at this line.
    pub fn lengthen(&mut self, first: &[Kind]) -> Line {
        let line = u8::try_from(self.words.len() / usize::from(self.slots)).unwrap_or(u8::MAX);
        let kinds = first.iter().copied();
        let kinds = kinds.chain(core::iter::repeat(Kind::Vacant));
        self.words
            .extend(kinds.take(usize::from(self.slots)).map(Word::new));
        line
    }

    /// Adds a member to a bucket that nobody else sees; behind a link it is entered there as this says.
    pub fn append(&mut self, home: Line, member: Kind, entered: impl FnOnce(Behind) -> Behind) {
        let last = self.slots - 1;
        if let Kind::Link(next, behind) = self.load(home, last).kind {
            self.write(home, last, Kind::Link(next, entered(behind)));
        }
        let mut line = home;
        loop {
            let mut slots = 0..self.slots;
            let is_free = |slot: &u8| {
                let kind = self.load(line, *slot).kind;
                matches!(kind, Kind::Zero | Kind::Empty | Kind::Vacant)
            };
            if let Some(slot) = slots.find(is_free) {
                return self.write(line, slot, member);
            }
            match self.load(line, last).kind {
                Kind::Link(next, _) => line = next,
                kind => {
                    let behind = self.lengthen(&[kind, member]);
                    let link = Kind::Link(behind, Behind::of(&[kind, member]));
                    return self.write(line, last, link);
                }
            }
        }
    }

    /// Takes back the newest line, which was not linked.
    pub fn shorten(&mut self) {
        let left = self.words.len() - usize::from(self.slots);
        self.words.truncate(left);
    }

    /// The words of a bucket that starts with `home`, in order.
    #[must_use]
    pub fn bucket(&self, home: Line) -> Vec<Word> {
        let mut words = Vec::new();
        let mut line = home;
        loop {
            words.extend((0..self.slots).map(|slot| self.load(line, slot)));
            match self.load(line, self.slots - 1).kind {
                Kind::Link(next, _) => line = next,
                _ => return words,
            }
        }
    }

    /// Whether each link has the signatures of all keys behind it, and counts them: no more than these, if nobody is about to change that.
    #[must_use]
    pub fn is_entered(&self, rests: bool) -> bool {
        (0..TABLE_LINES).all(|line| {
            let link = self.load(line, self.slots - 1);
            let Kind::Link(next, behind) = link.kind else {
                return true;
            };
            let words = self.bucket(next);
            let keys: Vec<u8> = words.iter().filter_map(|word| word.kind.key()).collect();
            let are_signed = keys.iter().all(|&key| behind.may_have(key));
            let counted = usize::from(behind.count);
            // A frozen link does not change any more.
            let is_exact = counted == keys.len() || !rests || link.frozen;
            are_signed && counted >= keys.len() && is_exact
        })
    }

    /// Lines behind links.
    #[must_use]
    pub fn behind(&self) -> usize {
        self.words.len() / usize::from(self.slots) - usize::from(TABLE_LINES)
    }

    /// Every word, outside of buckets too.
    #[must_use]
    pub fn all(&self) -> &[Word] {
        &self.words
    }

    /// The same, to give stamps other names.
    pub fn all_mut(&mut self) -> &mut [Word] {
        &mut self.words
    }

    /// The line that is the truth about a key.
    #[must_use]
    pub fn truth(&self, bits: u8) -> Line {
        let mut table = self.present;
        while table < self.newest && self.is_born(Self::home(table + 1, bits)) {
            table += 1;
        }
        Self::home(table, bits)
    }
}
