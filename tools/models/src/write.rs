//! `src/map/shard_map/raw/write.rs`: insert, remove and compute. Each loops: find the bucket, try one
//! exchange.

use crate::config::{Bug, Op};
use crate::find::{Found, Locate, Place};
use crate::insert::{Attempt, abandon};
use crate::memory::{At, Content, Object, Word};
use crate::thread::{Cell, Frame, Next, Run, Value};

/// `RawMap::insert`, `RawMap::remove_if` or `RawMap::compute`, by the thread's program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Write {
    /// The version of the next claim.
    version: u8,
    pc: Writes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Writes {
    /// `locate`.
    Locating,
    /// `attempt`.
    Attempting,
    /// The exchange of a member for the own entry, or for vacant.
    Exchange(u8, At, Word),
}

impl Write {
    pub(crate) fn new() -> Self {
        Self {
            version: 0,
            pc: Writes::Locating,
        }
    }

    pub(crate) fn is_foregone(self, run: &Run<'_>) -> bool {
        match self.pc {
            // A member that has left its slot does not come back.
            Writes::Exchange(table, at, word) => {
                run.peek(table, Cell::Slot(at.depth, at.slot)) != word && !run.has(Bug::WriteFrozen)
            }
            Writes::Locating | Writes::Attempting => false,
        }
    }

    fn again(mut self, run: &mut Run<'_>) -> Next {
        run.retry();
        self.pc = Writes::Locating;
        Next::Call(Frame::Write(self), Frame::Locate(Locate::Table))
    }

    pub(crate) fn step(self, run: &mut Run<'_>) -> Next {
        let Writes::Exchange(table, at, word) = self.pc else {
            unreachable!("waits for a call")
        };
        let new = match run.op() {
            Op::Remove(_) => Word::VACANT,
            _ => Word::of(Content::Member(run.own())),
        };
        let cell = Cell::Slot(at.depth, at.slot);
        let current = if run.has(Bug::WriteFrozen) {
            let found = run.load(table, cell);
            if found.thawed() == word.thawed() {
                found
            } else {
                word
            }
        } else {
            word
        };
        if run.cas(table, cell, current, new).is_err() {
            return self.again(run);
        }
        let old = word.member();
        if let Some(entry) = old {
            run.retire(Object::Entry(entry));
        }
        Next::Return(Value::Answer(old))
    }

    pub(crate) fn resume(self, value: Value, run: &mut Run<'_>) -> Next {
        match value {
            Value::Place(place) => self.found(place, run),
            Value::Inserted(true) => Next::Return(Value::Answer(None)),
            Value::Inserted(false) => self.again(run),
            other => unreachable!("{other:?}"),
        }
    }

    fn found(mut self, place: Place, run: &mut Run<'_>) -> Next {
        match (run.op(), place.found) {
            (Op::TryInsert(_), Found::Member(_, word)) => {
                if self.version > 0 {
                    abandon(run);
                }
                Next::Return(Value::Answer(word.member()))
            }
            (_, Found::Member(at, word)) => {
                self.pc = Writes::Exchange(place.table, at, word);
                Next::Stay(Frame::Write(self))
            }
            (Op::Insert(_) | Op::TryInsert(_), Found::Absent(..)) => {
                let attempt = Attempt::of(place, run.own(), self.version);
                if !run.has(Bug::ClaimComesBack) {
                    self.version += 1;
                }
                self.pc = Writes::Attempting;
                Next::Call(Frame::Write(self), attempt)
            }
            (_, Found::Absent(..)) => Next::Return(Value::Answer(None)),
        }
    }
}
