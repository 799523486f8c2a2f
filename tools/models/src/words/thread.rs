//! An operation of a thread: a walk through a bucket, an exchange, and claims.

use super::copying::Copying;
use super::doubling::Doubling;
use super::filters::{Quick, Slots};
use super::memory::{Kind, Memory, Place, Threads, Word, signatures};
use super::model::{Bug, Run};
use super::moving::Help;
use super::signing::Then;
use crate::config::Op;
use crate::history::Answer;

/// A walk through the bucket of a key in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Walk {
    table: u8,
    at: Place,
    /// What an insert would go on with: the first claim on the key, or the first vacant slot if there is none.
    met: Option<(Place, Word)>,
}

/// A claim that is being decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Deciding {
    claim: Place,
    word: Word,
    walk: Walk,
}

/// How an operation goes about a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// By filters of its first line, in any order.
    Filters,
    /// Slot by slot.
    Order,
}

/// What comes next for a thread in an operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Find the shard's table.
    Begin(By),
    /// Is the table being left?
    AskLeft(u8, By),
    /// The usual case.
    Quick(Quick),
    /// Read a slot.
    Scan(Walk),
    /// (A mistake.) Choose the first empty slot in a second pass.
    Choose(Walk),
    /// Exchange what was found in a table for what is to be; the answer if that is done.
    Exchange(Place, Word, Kind, Answer),
    /// A look-up has read a frozen word: has the bucket moved?
    AskMoved(Walk, Word),
    /// Read whether the key is signed in the link of its bucket in this table.
    AskSigned(u8, Then),
    /// Sign it there, where this was read.
    Sign(u8, Word, Then),
    /// Put a claim into a vacant slot.
    Claim(u8, Place),
    /// Make the last slot of a full bucket a link, with a claim behind it.
    Lengthen(u8, Place, Word),
    /// Look at a slot for what stands in the way of a claim.
    Decide(Deciding),
    /// Take a claim out, then look through the bucket again, or decide another one.
    Withdraw(Deciding, Option<(Place, Word)>),
    /// See that the own claim is there before a later one is shut.
    AskOwn(Deciding, Word),
    /// Shut a later claim, then go on.
    Shut(Deciding, Word),
    /// Make a claim the member.
    Settle(Deciding),
    /// Move what the bucket is in, then go on in the next table.
    Help(u8, Help, By),
    /// Copy the table, then find the shard's table.
    Copy(Copying, By),
    /// A doubling.
    Double(Doubling),
}

/// What a step comes to.
#[derive(Debug)]
pub enum Next {
    /// Go on with this.
    Go(Step),
    /// The operation ends.
    End(Answer),
}

use Next::{End, Go};

impl Walk {
    fn new(run: &Run<'_>, table: u8, key: u8) -> Self {
        let line = Memory::home(table, run.keys[usize::from(key)]);
        Self {
            table,
            at: Place {
                depth: 0,
                slot: 0,
                line,
            },
            met: None,
        }
    }

    /// The slot after this one, if the bucket goes on; `word` is what is here.
    fn next(mut self, run: &Run<'_>, word: Word) -> Option<Self> {
        if self.at.slot < run.memory.slots - 1 {
            self.at.slot += 1;
            return Some(self);
        }
        let Kind::Link(line, _) = word.kind else {
            return None;
        };
        self.at = Place {
            depth: self.at.depth + 1,
            slot: 0,
            line,
        };
        Some(self)
    }
}

impl Step {
    /// One access.
    pub fn step(self, run: &mut Run<'_>) -> Next {
        match self {
            Self::Begin(by) => Self::begin(run, by),
            Self::Quick(quick) => quick.step(run),
            Self::Scan(walk) => Self::scan(run, walk),
            Self::Choose(walk) => Self::choose(run, walk),
            Self::AskLeft(table, by) => Self::ask_left(run, table, by),
            Self::Exchange(place, from, to, answer) => {
                if run.exchange(place, from, Word::new(to)) {
                    return End(answer);
                }
                Go(Self::Begin(By::Order))
            }
            Self::AskMoved(walk, word) => Self::ask_moved(run, walk, word),
            Self::AskSigned(table, then) => Self::ask_signed(run, table, then),
            Self::Sign(table, link, then) => Self::sign(run, table, link, then),
            Self::Claim(table, place) => Self::claim(run, table, place),
            Self::Lengthen(table, last, from) => Self::lengthen(run, table, last, from),
            Self::Decide(deciding) => Self::decide(run, deciding),
            Self::Withdraw(deciding, other) => {
                let Deciding { claim, word, walk } = deciding;
                run.exchange(claim, word, Word::new(Kind::Vacant));
                match other {
                    None => Go(Self::Begin(By::Order)),
                    Some(other) => Go(Self::decide_anew(run, walk.table, other)),
                }
            }
            Self::AskOwn(deciding, word) => {
                let own = run.memory.load(deciding.claim.line, deciding.claim.slot);
                if own == deciding.word || run.bug == Some(Bug::ShutsOn) {
                    return Go(Self::Shut(deciding, word));
                }
                Go(Self::Withdraw(deciding, None))
            }
            Self::Shut(deciding, word) => {
                run.exchange(deciding.walk.at, word, Word::new(Kind::Vacant));
                if run.bug == Some(Bug::ShutBlind) {
                    return Self::decide_next(run, deciding, Word::new(Kind::Vacant));
                }
                // Whatever is there now is looked at once more.
                Go(Self::Decide(deciding))
            }
            Self::Settle(deciding) => {
                let member = Word::new(run.own_member());
                if run.exchange(deciding.claim, deciding.word, member) {
                    return End(None);
                }
                Go(Self::Begin(By::Order))
            }
            Self::Help(table, help, by) => match help.step(run) {
                Some(help) => Go(Self::Help(table, help, by)),
                None => Go(Self::look(run, table + 1, by)),
            },
            Self::Copy(copying, by) => match copying.step(run) {
                Some(copying) => Go(Self::Copy(copying, by)),
                None => Go(Self::Begin(by)),
            },
            Self::Double(doubling) => match doubling.step(run) {
                Some(doubling) => Go(Self::Double(doubling)),
                None => End(None),
            },
        }
    }

    fn begin(run: &Run<'_>, by: By) -> Next {
        let table = run.memory.present;
        match run.op {
            Op::Get(_) => Go(Self::look(run, table, by)),
            op if op.key().is_some() => Go(Self::AskLeft(table, by)),
            _ => Doubling::new(table).map_or(End(None), |doubling| Go(Self::Double(doubling))),
        }
    }

    /// Looks for the key in a table.
    fn look(run: &Run<'_>, table: u8, by: By) -> Self {
        match by {
            By::Filters => Self::Quick(Quick::new(run, table)),
            By::Order => Self::Scan(Walk::new(run, table, run.key())),
        }
    }

    /// A write goes to the present table or, if that is being left, to the next one, with the key's bucket.
    fn ask_left(run: &Run<'_>, table: u8, by: By) -> Next {
        let bits = run.keys[usize::from(run.key())];
        let is_scanned = !run.memory.is_left(table) || run.bug == Some(Bug::OldLine);
        let old = Memory::home(table, bits);
        match run.bug {
            _ if is_scanned => Go(Self::look(run, table, by)),
            Some(Bug::WaitForCopier) if run.is_at_once(table) => Go(Self::Begin(by)),
            _ if run.is_at_once(table) => Go(Self::Copy(Copying::new(table), by)),
            Some(Bug::WaitForMover) if !run.memory.is_born(Memory::home(table + 1, bits)) => {
                Go(Self::Begin(by))
            }
            _ => Go(Self::Help(
                table,
                Help::new(table, old + 1 - (1 << table)),
                by,
            )),
        }
    }

    /// Asked after the word was read: while the bucket has not moved, what is frozen is the truth.
    fn ask_moved(run: &Run<'_>, walk: Walk, word: Word) -> Next {
        let (table, present) = (walk.table, run.memory.present);
        let new = Memory::home(table + 1, run.keys[usize::from(run.key())]);
        let moved = if run.is_at_once(table) {
            (present != table && run.bug != Some(Bug::AnswerCopied)).then_some(present)
        } else {
            (run.memory.is_born(new) && run.bug != Some(Bug::AnswerFrozen)).then_some(table + 1)
        };
        if let Some(table) = moved {
            return Go(Self::Scan(Walk::new(run, table, run.key())));
        }
        match word.kind {
            Kind::Live { key, value } if key == run.key() => End(Some(value)),
            _ => walk
                .next(run, word)
                .map_or(End(None), |walk| Go(Self::Scan(walk))),
        }
    }

    fn scan(run: &mut Run<'_>, mut walk: Walk) -> Next {
        let key = run.key();
        let word = run.memory.load(walk.at.line, walk.at.slot);
        let inserts = matches!(run.op, Op::Insert(_) | Op::TryInsert(_));
        if word.frozen && matches!(run.op, Op::Get(_)) {
            return Go(Self::AskMoved(walk, word));
        }
        if word.frozen {
            return Go(Self::Begin(By::Order));
        }
        match word.kind {
            Kind::Live { key: here, value } if here == key => {
                return Self::met(run, walk.at, word, value);
            }
            Kind::Zero | Kind::Empty if inserts && run.bug == Some(Bug::TwoPasses) => {
                return Go(Self::Choose(Walk::new(run, walk.table, key)));
            }
            // None after it has ever been used, and nothing is behind.
            Kind::Zero | Kind::Empty
                if inserts && !(run.bug == Some(Bug::VacantFirst) && walk.met.is_some()) =>
            {
                let member = run.own_member();
                return Go(Self::Exchange(walk.at, word, member, None));
            }
            // Nor is the key of a write.
            Kind::Zero | Kind::Empty if matches!(run.op, Op::Remove(_) | Op::Update(_)) => {
                return End(None);
            }
            Kind::Vacant if inserts && walk.met.is_none() => walk.met = Some((walk.at, word)),
            Kind::Claim { key: here, .. }
                if inserts
                    && here == key
                    && walk.met.is_none_or(|(_, met)| met.kind == Kind::Vacant) =>
            {
                walk.met = Some((walk.at, word));
            }
            _ => {}
        }
        if let Some(next) = walk.next(run, word) {
            return Go(Self::Scan(next));
        }
        match walk.met {
            _ if !inserts => End(None),
            None if walk.at.depth != 0 => {
                Go(Self::AskSigned(walk.table, Then::Lengthen(walk.at, word)))
            }
            None => Go(Self::Lengthen(walk.table, walk.at, word)),
            Some((place, met)) if met.kind == Kind::Vacant => {
                Go(Self::claim_in(run, walk.table, place))
            }
            Some(claim) => Go(Self::decide_anew(run, walk.table, claim)),
        }
    }

    /// The key is there, with this value.
    #[must_use]
    pub fn met(run: &Run<'_>, at: Place, word: Word, value: u8) -> Next {
        let old = Some(value);
        let to = match run.op {
            Op::Insert(_) | Op::Update(_) => run.own_member(),
            Op::Remove(_) if run.bug == Some(Bug::EmptyAgain) => Kind::Zero,
            Op::Remove(_) => Kind::Vacant,
            _ => return End(old),
        };
        Go(Self::Exchange(at, word, to, old))
    }

    /// Makes the last slot of a bucket, a member or a claim, a link to a line that has it in front, and a claim next.
    fn lengthen(run: &mut Run<'_>, table: u8, last: Place, from: Word) -> Next {
        let own = Self::new_claim(run);
        let first = match run.bug {
            Some(Bug::LinkForgets) => vec![Kind::Vacant, own.kind],
            Some(Bug::LinkSettles) => vec![from.kind, run.own_member()],
            Some(Bug::EmptyBehind) => vec![from.kind, own.kind, Kind::Zero],
            _ => vec![run.member(from.kind), own.kind],
        };
        let from = match run.bug {
            Some(Bug::LinkBlind) => run.memory.load(last.line, last.slot),
            _ => from,
        };
        let line = run.memory.lengthen(&first);
        let signed = match run.bug {
            Some(Bug::LinkUnsigned) => own.kind.signature(),
            _ => signatures(&first),
        };
        if !run.exchange(last, from, Word::new(Kind::Link(line, signed))) {
            run.memory.shorten();
            return Go(Self::Begin(By::Order));
        }
        if run.bug == Some(Bug::LinkSettles) {
            return End(None);
        }
        let place = Place {
            depth: last.depth + 1,
            slot: 1,
            line,
        };
        Go(Self::decide_anew(run, table, (place, own)))
    }

    fn choose(run: &mut Run<'_>, walk: Walk) -> Next {
        let word = run.memory.load(walk.at.line, walk.at.slot);
        if matches!(word.kind, Kind::Zero | Kind::Empty) && !word.frozen {
            let member = run.own_member();
            return Go(Self::Exchange(walk.at, word, member, None));
        }
        match walk.next(run, word) {
            Some(next) => Go(Self::Choose(next)),
            None => Go(Self::Begin(By::Order)),
        }
    }

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

    fn claim(run: &mut Run<'_>, table: u8, place: Place) -> Next {
        let own = Self::new_claim(run);
        if !run.exchange(place, Word::new(Kind::Vacant), own) {
            return Go(Self::Begin(By::Order));
        }
        if run.bug == Some(Bug::SignedLate) && place.depth != 0 {
            return Go(Self::AskSigned(table, Then::Decide(place, own)));
        }
        Go(Self::decide_anew(run, table, (place, own)))
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

    /// The slots of which any is read next; none if there is no choice.
    #[must_use]
    pub const fn choices(&self) -> Option<Slots> {
        match self {
            Self::Quick(quick) => quick.choices(),
            _ => None,
        }
    }

    fn decide(run: &mut Run<'_>, deciding: Deciding) -> Next {
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

    fn decide_next(run: &Run<'_>, deciding: Deciding, here: Word) -> Next {
        match deciding.walk.next(run, here) {
            Some(walk) => Go(Self::Decide(Deciding { walk, ..deciding })),
            None => Go(Self::Settle(deciding)),
        }
    }

    /// The claims that the thread knows of.
    pub fn claims(&mut self) -> impl Iterator<Item = &mut Word> {
        let (one, other) = match self {
            Self::Scan(Walk { met, .. }) | Self::Choose(Walk { met, .. }) => {
                (met.as_mut().map(|(_, word)| word), None)
            }
            Self::Lengthen(_, _, last) => (Some(last), None),
            Self::AskSigned(_, then) | Self::Sign(_, _, then) => (then.claim_mut(), None),
            Self::Withdraw(deciding, other) => (
                Some(&mut deciding.word),
                other.as_mut().map(|(_, word)| word),
            ),
            Self::AskOwn(deciding, other) | Self::Shut(deciding, other) => {
                (Some(&mut deciding.word), Some(other))
            }
            Self::Decide(deciding) | Self::Settle(deciding) => (Some(&mut deciding.word), None),
            Self::AskMoved(_, word) => (Some(word), None),
            Self::Quick(quick) => (quick.claim_mut(), None),
            Self::Help(_, help, _) => (help.read_mut(), None),
            Self::Copy(copying, _) => (copying.read_mut(), None),
            Self::Double(doubling) => (doubling.read_mut(), None),
            _ => (None, None),
        };
        one.into_iter().chain(other)
    }

    /// Who still runs of those that the thread has met.
    pub fn grace_mut(&mut self) -> Option<&mut Threads> {
        match self {
            Self::Copy(copying, _) => copying.grace_mut(),
            Self::Double(doubling) => doubling.grace_mut(),
            _ => None,
        }
    }
}
