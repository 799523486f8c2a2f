//! Signing a key in the link of its bucket, before a claim goes behind it.

use super::memory::{Kind, Memory, Place, Word, signature};
use super::model::{Bug, Run};
use super::thread::{By, Next, Step};

use Next::Go;

/// What comes after a key is signed in its bucket's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Then {
    /// A claim of this slot.
    Claim(Place),
    /// A line behind this slot, which holds this.
    Lengthen(Place, Word),
    /// (A mistake.) A look for what stands in the way of this claim.
    Decide(Place, Word),
}

impl Then {
    /// The claim that the thread knows of.
    pub(super) const fn claim_mut(&mut self) -> Option<&mut Word> {
        match self {
            Self::Claim(_) => None,
            Self::Lengthen(_, word) | Self::Decide(_, word) => Some(word),
        }
    }
}

impl Step {
    /// Begins to claim a vacant slot.
    #[must_use]
    pub fn claim_in(run: &Run<'_>, table: u8, place: Place) -> Self {
        if place.depth == 0 || run.bug == Some(Bug::SignedLate) {
            return Self::Claim(table, place);
        }
        Self::AskSigned(table, Then::Claim(place))
    }

    /// The link of the key's bucket.
    fn link(run: &Run<'_>, table: u8) -> Place {
        Place {
            depth: 0,
            slot: run.memory.slots - 1,
            line: Memory::home(table, run.keys[usize::from(run.key())]),
        }
    }

    pub(super) fn ask_signed(run: &Run<'_>, table: u8, then: Then) -> Next {
        let Place { slot, line, .. } = Self::link(run, table);
        let link = run.memory.load(line, slot);
        match link.kind {
            _ if link.frozen => Go(Self::Begin(By::Order)),
            Kind::Link(_, signed) if signed & signature(run.key()) != 0 => {
                Go(Self::signed(run, table, then))
            }
            _ => Go(Self::Sign(table, link, then)),
        }
    }

    pub(super) fn sign(run: &mut Run<'_>, table: u8, link: Word, then: Then) -> Next {
        let place = Self::link(run, table);
        let Kind::Link(next, signed) = link.kind else {
            return Go(Self::Begin(By::Order));
        };
        let with = Word::new(Kind::Link(next, signed | signature(run.key())));
        let is_blind = run.bug == Some(Bug::SignedBlind);
        if is_blind {
            run.memory.write(place.line, place.slot, with.kind);
        }
        if is_blind || run.exchange(place, link, with) {
            return Go(Self::signed(run, table, then));
        }
        Go(Self::Begin(By::Order))
    }

    fn signed(run: &Run<'_>, table: u8, then: Then) -> Self {
        match then {
            Then::Claim(place) => Self::Claim(table, place),
            Then::Lengthen(last, word) => Self::Lengthen(table, last, word),
            Then::Decide(place, claim) => Self::decide_anew(run, table, (place, claim)),
        }
    }
}
