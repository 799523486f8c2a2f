//! The usual case of an operation, by filters: the slots of the home line are read in any order for what is sought, then
//! those loaded in which it was; then the same in the line behind its link, if it has one. Who does not come to an end so
//! goes through the bucket slot by slot.

use super::memory::{Kind, Line, Memory, Place, Word};
use super::model::{Bug, Run};
use super::thread::{By, Next, Step};
use crate::config::Op;

use Next::{End, Go};

/// Slots of a line, a bit for each.
pub type Slots = u8;

/// What a filter lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sought {
    /// Empty slots.
    Empty,
    /// Members and claims with the key, frozen or not.
    Key,
    /// Vacant slots.
    Vacant,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// Read any slot of those that are left; where it was met.
    Filter(Sought, Slots, Slots),
    /// Load the slots that had the key, from the first on.
    Load(Slots),
    /// The key is not in the line: does the bucket end with it, for this key?
    Last,
}

/// An operation in its home line, or in that behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quick {
    table: u8,
    /// The link, and the line behind it, once it was met.
    behind: Option<(Word, Line)>,
    /// Of the line at which it is: 1 behind the link.
    depth: u8,
    /// The first slot that was empty.
    empty: Option<u8>,
    /// The own claim.
    claim: Option<(Place, Word)>,
    at: At,
}

const fn bit(slot: u8) -> Slots {
    1 << slot
}

impl Quick {
    /// An operation that begins.
    #[must_use]
    pub fn new(run: &Run<'_>, table: u8) -> Self {
        let first = match run.op {
            Op::Insert(_) | Op::TryInsert(_) if run.bug != Some(Bug::KeyFirst) => Sought::Empty,
            _ => Sought::Key,
        };
        let quick = Self {
            table,
            behind: None,
            depth: 0,
            empty: None,
            claim: None,
            at: At::Last,
        };
        quick.filter(run, first)
    }

    const fn filter(self, run: &Run<'_>, sought: Sought) -> Self {
        let all = bit(run.memory.slots) - 1;
        let at = At::Filter(sought, all, 0);
        Self { at, ..self }
    }

    /// Filters the home line.
    const fn filter_home(self, run: &Run<'_>, sought: Sought) -> Next {
        Go(Step::Quick(Self { depth: 0, ..self }.filter(run, sought)))
    }

    /// Filters the line behind the link.
    const fn filter_behind(self, run: &Run<'_>, sought: Sought) -> Next {
        Go(Step::Quick(Self { depth: 1, ..self }.filter(run, sought)))
    }

    /// Looks, by filters, for what stands in the way of a claim.
    #[must_use]
    pub const fn look(run: &Run<'_>, table: u8, claim: (Place, Word)) -> Self {
        let quick = Self {
            table,
            behind: None,
            depth: 0,
            empty: None,
            claim: Some(claim),
            at: At::Last,
        };
        quick.filter(run, Sought::Key)
    }

    /// The slots of which any is read next; none if there is no choice.
    #[must_use]
    pub const fn choices(&self) -> Option<Slots> {
        match self.at {
            At::Filter(_, left, _) => Some(left),
            _ => None,
        }
    }

    fn place(&self, run: &Run<'_>, slot: u8) -> Place {
        let home = Memory::home(self.table, run.keys[usize::from(run.key())]);
        let depth = self.depth;
        let behind = self.behind.filter(|_| depth != 0);
        let line = behind.map_or(home, |(_, line)| line);
        Place { depth, slot, line }
    }

    fn load(&self, run: &Run<'_>, slot: u8) -> Word {
        run.memory.load(self.place(run, slot).line, slot)
    }

    /// One access.
    pub fn step(self, run: &mut Run<'_>) -> Next {
        match self.at {
            At::Filter(sought, left, met) => {
                let word = self.load(run, run.choice);
                let is_met = match (sought, word.kind) {
                    (Sought::Empty, Kind::Zero | Kind::Empty) | (Sought::Vacant, Kind::Vacant) => {
                        !word.frozen
                    }
                    (Sought::Key, Kind::Live { key, .. } | Kind::Claim { key, .. }) => {
                        key == run.key()
                    }
                    _ => false,
                };
                let met = met | if is_met { bit(run.choice) } else { 0 };
                match left & !bit(run.choice) {
                    0 => self.filtered(run, sought, met),
                    left => {
                        let at = At::Filter(sought, left, met);
                        Go(Step::Quick(Self { at, ..self }))
                    }
                }
            }
            At::Load(met) => self.meet(run, met),
            At::Last => self.end(run),
        }
    }

    /// All slots were read.
    fn filtered(mut self, run: &mut Run<'_>, sought: Sought, met: Slots) -> Next {
        let first = (met != 0).then(|| u8::try_from(met.trailing_zeros()).unwrap_or(u8::MAX));
        let is_key_first = run.bug == Some(Bug::KeyFirst);
        match (sought, self.claim, first) {
            (Sought::Empty, ..) => {
                self.empty = first;
                if is_key_first {
                    return self.absent(run);
                }
                Go(Step::Quick(self.filter(run, Sought::Key)))
            }
            (Sought::Vacant, _, None) if self.depth == 0 && self.behind.is_some() => {
                self.filter_behind(run, Sought::Vacant)
            }
            (Sought::Vacant, _, None) => Go(Step::Begin(By::Order)),
            (Sought::Vacant, _, Some(slot)) => {
                let place = self.place(run, slot);
                let link = self.behind.map(|(link, _)| link);
                Go(Step::claim_in(run, self.table, place, link))
            }
            (Sought::Key, None, Some(_)) => self.go(At::Load(met)),
            (Sought::Key, None, None) => self.not_met(run),
            (Sought::Key, Some(claim), _) => {
                let is_here = claim.0.depth == self.depth;
                if met != if is_here { bit(claim.0.slot) } else { 0 } {
                    return Go(Step::decide_in_order(run, self.table, claim));
                }
                if run.bug == Some(Bug::EndUnseen) {
                    return Go(Step::settle(run, self.table, claim));
                }
                self.go(At::Last)
            }
        }
    }

    const fn go(self, at: At) -> Next {
        Go(Step::Quick(Self { at, ..self }))
    }

    /// Loads a slot that had the key.
    fn meet(self, run: &mut Run<'_>, met: Slots) -> Next {
        let slot = u8::try_from(met.trailing_zeros()).unwrap_or(u8::MAX);
        let word = self.load(run, slot);
        let is_get = matches!(run.op, Op::Get(_));
        match word.kind {
            _ if word.frozen && !is_get && run.bug != Some(Bug::FrozenSkipped) => {
                Go(Step::Begin(By::Order))
            }
            Kind::Live { key, value } if key == run.key() && !word.frozen => {
                Step::met(run, self.table, self.place(run, slot), word, value)
            }
            _ => match met & !bit(slot) {
                0 => self.not_met(run),
                met => self.go(At::Load(met)),
            },
        }
    }

    /// The key was in no slot.
    fn not_met(self, run: &Run<'_>) -> Next {
        let inserts = matches!(run.op, Op::Insert(_) | Op::TryInsert(_));
        if inserts && run.bug == Some(Bug::KeyFirst) {
            return Go(Step::Quick(self.filter(run, Sought::Empty)));
        }
        self.absent(run)
    }

    fn absent(self, run: &Run<'_>) -> Next {
        let Some(slot) = self.empty else {
            return self.go(At::Last);
        };
        let kind = if slot + 1 == run.memory.slots {
            Kind::Empty
        } else {
            Kind::Zero
        };
        let (place, member) = (self.place(run, slot), run.own_member());
        let from = Word::new(kind);
        Go(Step::Exchange(self.table, place, from, member, None))
    }

    /// Loads the last slot: whether the bucket ends with the line, and has not moved.
    fn end(self, run: &Run<'_>) -> Next {
        let word = self.load(run, run.memory.slots - 1);
        let inserts = matches!(run.op, Op::Insert(_) | Op::TryInsert(_));
        match (word.kind, self.claim) {
            (Kind::Link(..), Some(claim)) if run.bug == Some(Bug::BehindUnseen) => {
                Go(Step::settle(run, self.table, claim))
            }
            (Kind::Link(line, entered), claim) if self.depth == 0 && !word.frozen => {
                let behind = Some((word, line));
                let quick = Self { behind, ..self };
                match claim {
                    _ if entered.may_have(run.key()) => quick.filter_behind(run, Sought::Key),
                    Some(claim) => Go(Step::settle(run, self.table, claim)),
                    None if inserts => quick.filter_home(run, Sought::Vacant),
                    None => End(None),
                }
            }
            (kind, claim) if word.frozen || matches!(kind, Kind::Link(..)) => match claim {
                Some(claim) => Go(Step::decide_in_order(run, self.table, claim)),
                None => Go(Step::Begin(By::Order)),
            },
            (Kind::Live { key, value }, _) if run.op == Op::Get(key) => End(Some(value)),
            (_, Some(claim)) => Go(Step::settle(run, self.table, claim)),
            _ if inserts => self.filter_home(run, Sought::Vacant),
            _ => End(None),
        }
    }

    /// The own claim.
    pub fn claim_mut(&mut self) -> Option<&mut Word> {
        self.claim.as_mut().map(|(_, word)| word)
    }
}
