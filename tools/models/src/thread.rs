//! A thread as a stack of calls. Each transition is one atomic access of the code, or what such an access
//! and what follows it up to the next amount to.

use crate::config::{Bug, Config, Key, Op};
use crate::find::{Get, GetMoving, Locate, Place, Scan};
use crate::history::Answer;
use crate::insert::{Attempt, Decide, Verdict};
use crate::memory::{Line, Memory, Object, Word};
use crate::migration::{MoveUnit, Step};
use crate::resize::{Begin, Grow, Help, Resize, Settle, Switch};
use crate::write::Write;

/// A call in progress, with its local variables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Frame {
    /// See [`crate::find`].
    Get(Get),
    /// See [`crate::find`].
    GetMoving(GetMoving),
    /// See [`crate::find`].
    Scan(Scan),
    /// See [`crate::find`].
    Locate(Locate),
    /// See [`crate::migration`].
    Step(Step),
    /// See [`crate::migration`].
    MoveUnit(MoveUnit),
    /// See [`crate::resize`].
    Help(Help),
    /// See [`crate::resize`].
    Switch(Switch),
    /// See [`crate::resize`].
    Begin(Begin),
    /// See [`crate::resize`].
    Settle(Settle),
    /// See [`crate::resize`].
    Resize(Resize),
    /// See [`crate::resize`].
    Grow(Grow),
    /// See [`crate::write`].
    Write(Write),
    /// See [`crate::insert`].
    Attempt(Attempt),
    /// See [`crate::insert`].
    Decide(Decide),
}

/// What a call hands to its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Unit,
    /// A table.
    Table(u8),
    /// What a scan has shown; nothing if the bucket is frozen.
    Scanned(Option<Place>),
    /// Where a key is or could be.
    Place(Place),
    /// Whether a step has left the move complete.
    Step(bool),
    /// How a claim was decided.
    Verdict(Verdict),
    /// Whether an attempt to insert succeeded.
    Inserted(bool),
    /// What the operation returns.
    Answer(Answer),
}

/// What a transition leaves to be done.
#[derive(Debug)]
pub enum Next {
    /// The call goes on with another access.
    Stay(Frame),
    /// The first call goes on when the second has returned.
    Call(Frame, Frame),
    /// The call is over.
    Return(Value),
}

/// What must not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Broken {
    /// A frozen word has changed.
    FrozenWritten,
    /// An object was used that is retired, and may be freed.
    UsedAfterRetired(Object),
    /// An object was retired a second time.
    RetiredTwice(Object),
    /// What a call on this key returned has no explanation.
    Unexplained(u8),
    /// A word was frozen in a table that does not move.
    FrozenAtRest,
}

/// A word of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The slot with this number in the line so far from the first.
    Slot(u8, u8),
    /// The link word of the line so far from the first.
    Link(u8),
}

/// One transition of a thread: what it may touch.
#[derive(Debug)]
pub struct Run<'m> {
    /// What is run.
    pub config: &'m Config,
    /// What is shared.
    pub memory: &'m mut Memory,
    /// The first thing that went wrong.
    pub broken: &'m mut Option<Broken>,
    /// How often loops of the operation began anew.
    pub retries: &'m mut u8,
    /// Whose transition it is.
    pub thread: usize,
    /// The number of the operation in the thread's program.
    pub call: usize,
    /// Which word is read, where the code leaves the order open.
    pub choice: u8,
}

impl Run<'_> {
    /// The operation.
    #[must_use]
    pub fn op(&self) -> Op {
        self.config.programs[self.thread][self.call]
    }

    /// The number of the operation's key.
    ///
    /// # Panics
    /// If the operation is about no key.
    #[must_use]
    pub fn key(&self) -> u8 {
        self.op()
            .key()
            .expect("only operations on a key look one up")
    }

    /// The hash of the operation's key.
    #[must_use]
    pub fn hash(&self) -> Key {
        self.config.keys[usize::from(self.key())]
    }

    /// The entry that the operation brings.
    #[must_use]
    pub fn own(&self) -> u8 {
        Config::entry(self.thread, self.call)
    }

    /// Whether the bug is in.
    #[must_use]
    pub fn has(&self, bug: Bug) -> bool {
        self.config.has(bug)
    }

    /// Remembers what went wrong first.
    pub fn breaks(&mut self, broken: Broken) {
        self.broken.get_or_insert(broken);
    }

    /// A loop begins anew.
    pub fn retry(&mut self) {
        *self.retries = self.retries.saturating_add(1);
    }

    /// The thread uses an object.
    pub fn uses(&mut self, object: Object) {
        if !self.memory.may_use(object, self.thread) {
            self.breaks(Broken::UsedAfterRetired(object));
        }
    }

    /// Retires an object.
    pub fn retire(&mut self, object: Object) {
        if self.memory.retire(object) {
            self.breaks(Broken::RetiredTwice(object));
        }
    }

    /// Whether `entry` is the operation's key; reads the entry.
    pub fn is_key(&mut self, entry: u8) -> bool {
        self.uses(Object::Entry(entry));
        self.config.key_of(entry) == self.key()
    }

    /// The entry of a member with the tag of `hash`, frozen or not.
    #[must_use]
    pub fn matching(&self, word: Word, hash: Key) -> Option<u8> {
        word.member()
            .filter(|&entry| self.config.hash_of(entry).tag == hash.tag)
    }

    /// The bucket of the operation's key.
    #[must_use]
    pub fn bucket(&self, table: u8) -> usize {
        self.memory.line_of(table, self.hash())
    }

    /// `Slot::load` (and `Slot::peek`), by the bucket's number.
    pub fn load_in(&mut self, table: u8, bucket: usize, cell: Cell) -> Word {
        self.uses(Object::Table(table));
        self.peek_in(table, bucket, cell)
    }

    /// What a word of the bucket of the operation's key holds; no access.
    #[must_use]
    pub fn peek(&self, table: u8, cell: Cell) -> Word {
        self.peek_in(table, self.bucket(table), cell)
    }

    /// What a word holds; no access.
    #[must_use]
    pub fn peek_in(&self, table: u8, bucket: usize, cell: Cell) -> Word {
        let lines = self.memory.bucket(table, bucket);
        match cell {
            Cell::Slot(depth, slot) => lines[usize::from(depth)].slots[usize::from(slot)],
            Cell::Link(depth) => lines[usize::from(depth)].link,
        }
    }

    /// `Slot::load` in the bucket of the operation's key.
    pub fn load(&mut self, table: u8, cell: Cell) -> Word {
        self.load_in(table, self.bucket(table), cell)
    }

    /// `Slot::cas`, by the bucket's number.
    pub(crate) fn cas_in(
        &mut self,
        table: u8,
        bucket: usize,
        cell: Cell,
        current: Word,
        new: Word,
    ) -> Result<(), Word> {
        let found = self.load_in(table, bucket, cell);
        if found != current {
            return Err(found);
        }
        self.store_in(table, bucket, cell, new);
        Ok(())
    }

    /// `Slot::cas` in the bucket of the operation's key.
    pub(crate) fn cas(
        &mut self,
        table: u8,
        cell: Cell,
        current: Word,
        new: Word,
    ) -> Result<(), Word> {
        self.cas_in(table, self.bucket(table), cell, current, new)
    }

    /// The effect of an exchange.
    pub fn store_in(&mut self, table: u8, bucket: usize, cell: Cell, new: Word) {
        let place = word(self.memory.bucket_mut(table, bucket), cell);
        let was_frozen = place.frozen;
        *place = new;
        if was_frozen {
            self.breaks(Broken::FrozenWritten);
        }
    }
}

fn word(bucket: &mut [Line], cell: Cell) -> &mut Word {
    match cell {
        Cell::Slot(depth, slot) => &mut bucket[usize::from(depth)].slots[usize::from(slot)],
        Cell::Link(depth) => &mut bucket[usize::from(depth)].link,
    }
}

impl Frame {
    /// The first calls of an operation: the last one is on top.
    #[must_use]
    pub fn begin(op: Op) -> Vec<Self> {
        match op {
            Op::Get(_) => vec![Self::Get(Get::Table)],
            Op::Insert(_) | Op::TryInsert(_) | Op::Remove(_) | Op::Update(_) => {
                vec![Self::Write(Write::new()), Self::Locate(Locate::Table)]
            }
            Op::Grow(shard) => vec![Self::Grow(Grow::Table { shard })],
            Op::Reserve { .. } | Op::Shrink { .. } => {
                vec![
                    Self::Resize(Resize::new()),
                    Self::Settle(Settle::Table { shard: 0 }),
                ]
            }
        }
    }

    /// The words that may be read next, a bit each; one that means nothing elsewhere.
    #[must_use]
    pub fn choices(&self) -> u8 {
        match self {
            Self::Get(Get::Filter { unread, .. }) => *unread,
            Self::Scan(scan) => scan.unread(),
            _ => 1,
        }
    }

    /// Whether the next access is one that shows, and does, the same at any later moment: a word that is
    /// final, or an exchange that can only fail. Then it commutes with all that others do, and is no
    /// transition of its own.
    #[must_use]
    pub fn is_foregone(&self, run: &mut Run<'_>) -> bool {
        match self {
            Self::GetMoving(frame) => frame.is_foregone(run),
            Self::Locate(frame) => frame.is_foregone(run),
            Self::Step(frame) => frame.is_foregone(run),
            Self::MoveUnit(frame) => frame.is_foregone(run),
            Self::Switch(frame) => frame.is_foregone(run),
            Self::Begin(frame) => frame.is_foregone(run),
            Self::Settle(frame) => frame.is_foregone(run),
            Self::Grow(frame) => frame.is_foregone(run),
            Self::Scan(frame) => frame.is_foregone(run),
            Self::Write(frame) => frame.is_foregone(run),
            Self::Attempt(frame) => frame.is_foregone(run),
            Self::Decide(frame) => frame.is_foregone(run),
            _ => false,
        }
    }

    /// One access.
    #[must_use]
    pub fn step(self, run: &mut Run<'_>) -> Next {
        match self {
            Self::Get(frame) => frame.step(run),
            Self::GetMoving(frame) => frame.step(run),
            Self::Scan(frame) => frame.step(run),
            Self::Locate(frame) => frame.step(run),
            Self::Step(frame) => frame.step(run),
            Self::MoveUnit(frame) => frame.step(run),
            Self::Switch(frame) => frame.step(run),
            Self::Begin(frame) => frame.step(run),
            Self::Settle(frame) => frame.step(run),
            Self::Grow(frame) => frame.step(run),
            Self::Write(frame) => frame.step(run),
            Self::Attempt(frame) => frame.step(run),
            Self::Decide(frame) => frame.step(run),
            Self::Help(_) | Self::Resize(_) => unreachable!("has no access of its own"),
        }
    }

    /// Goes on after a call; accesses nothing.
    #[must_use]
    pub fn resume(self, value: Value, run: &mut Run<'_>) -> Next {
        match self {
            Self::Locate(frame) => frame.resume(value, run),
            Self::Step(frame) => frame.resume(),
            Self::Help(frame) => frame.resume(&value, run),
            Self::Settle(frame) => frame.resume(&value, run),
            Self::Resize(frame) => frame.resume(&value, run),
            Self::Grow(frame) => frame.resume(&value),
            Self::Write(frame) => frame.resume(value, run),
            Self::Attempt(frame) => frame.resume(&value, run),
            Self::Decide(frame) => frame.resume(&value, run),
            other => unreachable!("{other:?} calls nobody"),
        }
    }
}
