//! Claims: made in a vacant slot, and decided after a look for what stands in their way.

use super::entering::{Entered, Left};
use super::filters::Quick;
use super::memory::{Kind, Place, Word};
use super::model::{Bug, Run};
use super::thread::{By, Next, Step, Walk};

use Next::Go;

/// A claim that is being decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Deciding {
    pub(super) claim: Place,
    pub(super) word: Word,
    pub(super) walk: Walk,
}

impl Step {
    /// A claim that nobody has had.
    #[must_use]
    pub fn new_claim(run: &Run<'_>) -> Word {
        let stamp = match run.bug {
            Some(Bug::NoStamps) => 0,
            _ => run.stamp,
        };
        Word::new(Kind::Claim {
            key: run.key(),
            stamp,
        })
    }

    pub(super) fn claim(run: &mut Run<'_>, table: u8, place: Place) -> Next {
        let own = Self::new_claim(run);
        if !run.exchange(place, Word::new(Kind::Vacant), own) {
            return Self::not_claimed(run, table, place);
        }
        if run.bug == Some(Bug::EnteredLate) && place.depth != 0 {
            return Go(Self::Enter(table, own, Entered::Decide(place, own)));
        }
        Go(Self::decide_anew(run, table, (place, own)))
    }

    /// A claim could not be made in a place, or behind it if that is the last one: who was counted is counted off.
    pub(super) fn not_claimed(run: &Run<'_>, table: u8, place: Place) -> Next {
        match run.bug {
            Some(Bug::StaysCounted) => Go(Self::Begin(By::Order)),
            _ => Self::leave(run, table, place, Left::Begin),
        }
    }

    /// Begins to decide a claim.
    #[must_use]
    pub fn decide_anew(run: &Run<'_>, table: u8, (claim, word): (Place, Word)) -> Self {
        match run.bug {
            Some(Bug::SettleBlind) => Self::settle(run, table, (claim, word)),
            _ if run.filters => Self::Quick(Quick::look(run, table, (claim, word))),
            _ => Self::decide_in_order(run, table, (claim, word)),
        }
    }

    /// Decides a claim that is not to be decided by filters.
    #[must_use]
    pub fn decide_in_order(run: &Run<'_>, table: u8, (claim, word): (Place, Word)) -> Self {
        let walk = Walk::new(run, table, run.key());
        Self::Decide(Deciding { claim, word, walk })
    }

    /// Makes a claim the member that nothing stands in the way of.
    #[must_use]
    pub fn settle(run: &Run<'_>, table: u8, (claim, word): (Place, Word)) -> Self {
        let walk = Walk::new(run, table, run.key());
        Self::Settle(Deciding { claim, word, walk })
    }

    pub(super) fn decide(run: &mut Run<'_>, deciding: Deciding) -> Next {
        let Deciding { claim, walk, .. } = deciding;
        let here = run.memory.load(walk.at.line, walk.at.slot);
        let key = run.key();
        let is_other = walk.at != claim;
        match here.kind {
            _ if here.frozen => return Go(Self::Withdraw(deciding, None)),
            _ if !is_other && here != deciding.word && run.bug != Some(Bug::ShutsOn) => {
                return Go(Self::Withdraw(deciding, None));
            }
            Kind::Live { key: other, .. } if is_other && other == key => {
                return Go(Self::Withdraw(deciding, None));
            }
            Kind::Claim { key: other, .. } if is_other && other == key => {
                return if walk.at < claim && run.bug != Some(Bug::ClaimsMissed) {
                    Go(Self::Withdraw(deciding, Some((walk.at, here))))
                } else if run.bug == Some(Bug::ClaimsMissed) {
                    Self::decide_next(run, deciding, here)
                } else {
                    Go(Self::AskOwn(deciding, here))
                };
            }
            _ => {}
        }
        Self::decide_next(run, deciding, here)
    }

    pub(super) fn decide_next(run: &Run<'_>, deciding: Deciding, here: Word) -> Next {
        match deciding.walk.next(run, here) {
            Some(walk) => Go(Self::Decide(Deciding { walk, ..deciding })),
            None => Go(Self::Settle(deciding)),
        }
    }

    /// Takes a claim out, unless it is decided.
    pub(super) fn withdraw(
        run: &mut Run<'_>,
        deciding: Deciding,
        other: Option<(Place, Word)>,
    ) -> Next {
        let Deciding { claim, word, walk } = deciding;
        let then = other.map_or(Left::Begin, |(place, word)| Left::Decide(place, word));
        let is_out = run.exchange(claim, word, Word::new(Kind::Vacant));
        let place = match run.bug {
            Some(Bug::StaysCounted) => Place { depth: 0, ..claim },
            _ if !is_out => Place { depth: 0, ..claim },
            _ => claim,
        };
        Self::leave(run, walk.table, place, then)
    }
}
