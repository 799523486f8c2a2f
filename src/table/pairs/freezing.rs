//! Freezing a bucket that is being left: its last slots, so that the chain stays as it is, then the others.
//!
//! Invariants: I1 and I6 of the [parent module](super).

use super::line::{Line, SLOTS};
use super::pair::{Pair, Slot};
use crate::arch::Access;
use crate::reclaim::Grace;

/// Freezes a bucket: its last slots, so that the chain stays as it is, then the others. Calls `each` with what its slots hold, in the
/// order of the chain.
#[inline]
pub(crate) fn freeze(
    first: &Line,
    finality: Finality,
    by: impl Access,
    mut each: impl FnMut(Pair),
) {
    let first_last = freeze_slot(first.last(), finality, by);
    let mut last = first_last;
    while let Some(at) = first.follow(last) {
        last = freeze_slot(at.last(), finality, by);
    }
    let (mut line, mut last) = (first, first_last);
    loop {
        for slot in &line.slots()[..SLOTS - 1] {
            each(freeze_slot(slot, finality, by));
        }
        each(last);
        let Some(next) = line.follow(last) else {
            return;
        };
        line = next;
        last = next.last().load();
    }
}

/// How a slot of a table that is being left becomes final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finality {
    /// By an exchange, for somebody may write to it.
    Exchanged,
    /// By a store: nobody writes to it but movers, and they all write the same.
    Stored,
}

impl Finality {
    /// That of a table whose writers were those guards.
    #[inline]
    pub(super) fn after(grace: Option<&Grace>) -> Self {
        if grace.is_some_and(Grace::is_over) {
            Self::Stored
        } else {
            Self::Exchanged
        }
    }
}

/// Makes a slot final; what it holds then.
#[inline]
fn freeze_slot(slot: &Slot, finality: Finality, by: impl Access) -> Pair {
    let pair = slot.by(by).load();
    if pair.is_frozen() {
        pair
    } else if finality == Finality::Stored {
        slot.by(by).store_final(pair.frozen());
        pair.frozen()
    } else {
        exchange_final(slot, pair, by)
    }
}

/// Makes a slot final that held this, by an exchange; what it holds then.
fn exchange_final(slot: &Slot, mut pair: Pair, by: impl Access) -> Pair {
    while !pair.is_frozen() && !slot.by(by).cas(pair, pair.frozen()) {
        pair = slot.by(by).load();
    }
    pair.frozen()
}
