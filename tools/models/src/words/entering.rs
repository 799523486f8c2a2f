//! Going behind a link and out again: a key is counted in the link of its bucket before its claim goes behind, and counted off after it is taken out;
//! with the last one the link is exchanged for vacant.

use super::claiming::Deciding;
use super::memory::{Kind, Memory, Place, Word};
use super::model::{Bug, Run};
use super::thread::{By, Next, Step};
use crate::history::Answer;

use Next::{End, Go};

/// What comes after a key is counted in its bucket's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entered {
    /// A claim of this slot.
    Claim(Place),
    /// A line behind this slot, which holds this.
    Lengthen(Place, Word),
    /// (A mistake.) A look for what stands in the way of this claim.
    Decide(Place, Word),
}

/// What comes after a key is counted off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Left {
    /// The operation ends.
    End(Answer),
    /// It begins again.
    Begin,
    /// Another claim is decided.
    Decide(Place, Word),
    /// The look for a claim goes on.
    Look(Deciding),
}

impl Entered {
    /// The claim that the thread knows of.
    pub(super) const fn claim_mut(&mut self) -> Option<&mut Word> {
        match self {
            Self::Claim(_) => None,
            Self::Lengthen(_, word) | Self::Decide(_, word) => Some(word),
        }
    }
}

impl Left {
    /// As above.
    pub(super) const fn claim_mut(&mut self) -> Option<&mut Word> {
        match self {
            Self::End(_) | Self::Begin => None,
            Self::Decide(_, word) => Some(word),
            Self::Look(deciding) => Some(&mut deciding.word),
        }
    }
}

impl Step {
    /// Begins to claim a vacant slot of a bucket whose link, if the slot is behind it, was this.
    #[must_use]
    pub fn claim_in(run: &Run<'_>, table: u8, place: Place, link: Option<Word>) -> Self {
        match link {
            Some(link) if place.depth != 0 && run.bug != Some(Bug::EnteredLate) => {
                Self::Enter(table, link, Entered::Claim(place))
            }
            _ => Self::Claim(table, place),
        }
    }

    /// The last slot of the key's home line.
    fn link(run: &Run<'_>, table: u8) -> Place {
        Place {
            depth: 0,
            slot: run.memory.slots - 1,
            line: Memory::home(table, run.keys[usize::from(run.key())]),
        }
    }

    pub(super) fn enter(run: &mut Run<'_>, table: u8, link: Word, then: Entered) -> Next {
        let place = Self::link(run, table);
        let is_any = matches!(run.bug, Some(Bug::EntersAny | Bug::EnteredLate));
        let now = run.memory.load(place.line, place.slot);
        let link = if is_any && !now.frozen { now } else { link };
        let Kind::Link(next, behind) = link.kind else {
            return Go(Self::Begin(By::Order));
        };
        let with = match run.bug {
            Some(Bug::SignedOnly) => behind.signed(run.key()),
            Some(Bug::CountedOnly) => behind.counted(),
            _ => behind.with(run.key()),
        };
        let with = Word::new(Kind::Link(next, with));
        let is_blind = run.bug == Some(Bug::EntersBlind);
        if is_blind {
            run.memory.write(place.line, place.slot, with.kind);
        }
        if !is_blind && !run.exchange(place, link, with) {
            return Go(Self::Begin(By::Order));
        }
        Go(match then {
            Entered::Claim(place) => Self::Claim(table, place),
            Entered::Lengthen(last, word) => Self::Lengthen(table, last, word),
            Entered::Decide(place, claim) => Self::decide_anew(run, table, (place, claim)),
        })
    }

    /// What comes after a key is taken out of a place: if that is behind a link, it is counted off first.
    #[must_use]
    pub fn leave(run: &Run<'_>, table: u8, place: Place, then: Left) -> Next {
        match place.depth {
            0 => Self::left(run, table, then),
            _ => Go(Self::AskBehind(table, then)),
        }
    }

    fn left(run: &Run<'_>, table: u8, then: Left) -> Next {
        match then {
            Left::End(answer) => End(answer),
            Left::Begin => Go(Self::Begin(By::Order)),
            Left::Decide(place, word) => Go(Self::decide_anew(run, table, (place, word))),
            Left::Look(deciding) => Go(Self::Decide(deciding)),
        }
    }

    pub(super) fn ask_behind(run: &Run<'_>, table: u8, then: Left) -> Next {
        let Place { line, slot, .. } = Self::link(run, table);
        let link = run.memory.load(line, slot);
        if link.frozen || !matches!(link.kind, Kind::Link(..)) {
            return Self::left(run, table, then);
        }
        Go(Self::Leave(table, link, then))
    }

    pub(super) fn count_off(run: &mut Run<'_>, table: u8, link: Word, then: Left) -> Next {
        let place = Self::link(run, table);
        let Kind::Link(next, behind) = link.kind else {
            return Self::left(run, table, then);
        };
        let looks_empty = run.memory.bucket(next).iter().all(|word| !word.has_key());
        let is_last = match run.bug {
            Some(Bug::GoesUncounted) => looks_empty,
            _ => behind.count <= 1,
        };
        let less = match is_last {
            true => Kind::Vacant,
            false => Kind::Link(next, behind.with_one_less()),
        };
        if run.exchange(place, link, Word::new(less)) {
            return Self::left(run, table, then);
        }
        Go(Self::AskBehind(table, then))
    }
}
