//! Freezing a bucket: its last slots, so that the chain stays as it is, then the others. A slot is loaded and, if it is not
//! frozen, exchanged; or stored, if nobody but movers writes to it.

use super::memory::{Kind, Line, Threads, Word};
use super::model::{Bug, Run};

/// Whether slots are made final by stores, given who could write to them.
#[must_use]
pub fn stores(run: &Run<'_>, grace: Option<Threads>) -> bool {
    grace == Some(0) || run.bug == Some(Bug::StoredEarly)
}

/// Which slot is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum At {
    /// The last one of this line.
    Last(Line),
    /// Another one.
    Slot(Line, u8),
}

/// A bucket that is being frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Freezing {
    first: Line,
    stores: bool,
    at: At,
    /// What was read in the slot, which was not frozen.
    read: Option<Word>,
}

impl Freezing {
    /// Not begun.
    #[must_use]
    pub fn new(run: &Run<'_>, first: Line, stores: bool) -> Self {
        let at = match run.bug {
            Some(Bug::LinksLast) => At::Slot(first, 0),
            _ => At::Last(first),
        };
        Self {
            first,
            stores,
            at,
            read: None,
        }
    }

    /// One access; none if all is frozen. Calls `found` with what is final, in the order of the chain.
    #[must_use]
    pub fn step(mut self, run: &mut Run<'_>, found: impl FnMut(Kind)) -> Option<Self> {
        let last = run.memory.slots - 1;
        let (line, slot) = match self.at {
            At::Last(line) => (line, last),
            At::Slot(line, slot) => (line, slot),
        };
        let word = match self.read.take() {
            None => {
                let word = run.memory.load(line, slot);
                let is_left_out = word.kind == Kind::Zero && run.bug == Some(Bug::EmptyStays);
                if !word.frozen && !is_left_out {
                    let read = Some(word);
                    return Some(Self { read, ..self });
                }
                word
            }
            Some(word) if self.stores => {
                run.memory.store_final(line, slot, word);
                word
            }
            Some(word) if run.memory.exchange(line, slot, word, word.frozen()) => word,
            Some(_) => return Some(self),
        };
        let at = self.next(run, word.kind, found)?;
        Some(Self { at, ..self })
    }

    /// The slot after the one that says this.
    fn next(&self, run: &Run<'_>, kind: Kind, mut found: impl FnMut(Kind)) -> Option<At> {
        let is_wrong = run.bug == Some(Bug::LinksLast);
        let last = run.memory.slots - 1;
        match (self.at, kind) {
            (At::Last(_), Kind::Link(next, _)) => Some(At::Last(next)),
            (At::Last(_), _) if is_wrong => None,
            (At::Last(_), _) => Some(At::Slot(self.first, 0)),
            (At::Slot(line, slot), _) => {
                found(kind);
                if slot + 1 < last {
                    return Some(At::Slot(line, slot + 1));
                }
                // Final already.
                let kind = run.memory.load(line, last).kind;
                found(kind);
                match kind {
                    Kind::Link(next, _) => Some(At::Slot(next, 0)),
                    _ => is_wrong.then_some(At::Last(self.first)),
                }
            }
        }
    }

    /// How its slots become final.
    #[must_use]
    pub const fn stores(&self) -> bool {
        self.stores
    }

    /// What the mover knows of the slot.
    pub fn read_mut(&mut self) -> Option<&mut Word> {
        self.read.as_mut()
    }
}
