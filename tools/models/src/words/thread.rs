//! An operation of a thread: a walk through a bucket, an exchange, and claims.

use super::claiming::Deciding;
use super::copying::Copying;
use super::doubling::Doubling;
use super::entering::{Entered, Left};
use super::filters::{Quick, Slots};
use super::memory::{Behind, Kind, Memory, Place, Threads, Word};
use super::model::{Bug, Run};
use super::moving::Help;
use crate::config::Op;
use crate::history::Answer;

/// A walk through the bucket of a key in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Walk {
    pub(super) table: u8,
    pub(super) at: Place,
    /// What an insert would go on with: the first claim on the key, or the first vacant slot if there is none.
    met: Option<(Place, Word)>,
    /// The first empty slot of the line.
    empty: Option<(Place, Word)>,
    /// The link of the first line, once it was met.
    link: Option<Word>,
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
    Exchange(u8, Place, Word, Kind, Answer),
    /// A look-up has read a frozen word: has the bucket moved?
    AskMoved(Walk, Word),
    /// Enter the key in the link of its bucket in this table, where this was read.
    Enter(u8, Word, Entered),
    /// Read that link, to count the key off.
    AskBehind(u8, Left),
    /// Count it off, where this was read.
    Leave(u8, Word, Left),
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
    pub(super) fn new(run: &Run<'_>, table: u8, key: u8) -> Self {
        let line = Memory::home(table, run.keys[usize::from(key)]);
        Self {
            table,
            at: Place {
                depth: 0,
                slot: 0,
                line,
            },
            met: None,
            empty: None,
            link: None,
        }
    }

    /// The slot after this one, if the bucket goes on; `word` is what is here.
    pub(super) fn next(mut self, run: &Run<'_>, word: Word) -> Option<Self> {
        if self.at.slot < run.memory.slots - 1 {
            self.at.slot += 1;
            return Some(self);
        }
        let Kind::Link(line, _) = word.kind else {
            return None;
        };
        if self.at.depth == 0 {
            self.link = Some(word);
        }
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
            Self::Exchange(table, place, from, to, answer) => {
                if !run.exchange(place, from, Word::new(to)) {
                    return Go(Self::Begin(By::Order));
                }
                match to {
                    Kind::Vacant => Self::leave(run, table, place, Left::End(answer)),
                    _ => End(answer),
                }
            }
            Self::AskMoved(walk, word) => Self::ask_moved(run, walk, word),
            Self::Enter(table, link, then) => Self::enter(run, table, link, then),
            Self::AskBehind(table, then) => Self::ask_behind(run, table, then),
            Self::Leave(table, link, then) => Self::count_off(run, table, link, then),
            Self::Claim(table, place) => Self::claim(run, table, place),
            Self::Lengthen(table, last, from) => Self::lengthen(run, table, last, from),
            Self::Decide(deciding) => Self::decide(run, deciding),
            Self::Withdraw(deciding, other) => Self::withdraw(run, deciding, other),
            Self::AskOwn(deciding, word) => {
                let own = run.memory.load(deciding.claim.line, deciding.claim.slot);
                if own == deciding.word || run.bug == Some(Bug::ShutsOn) {
                    return Go(Self::Shut(deciding, word));
                }
                Go(Self::Withdraw(deciding, None))
            }
            Self::Shut(deciding, word) => {
                let Walk { at, table, .. } = deciding.walk;
                let is_shut = run.exchange(at, word, Word::new(Kind::Vacant));
                if run.bug == Some(Bug::ShutBlind) {
                    return Self::decide_next(run, deciding, Word::new(Kind::Vacant));
                }
                // Whatever is there now is looked at once more.
                match is_shut || run.bug == Some(Bug::CountedTwice) {
                    true => Self::leave(run, table, at, Left::Look(deciding)),
                    false => Go(Self::Decide(deciding)),
                }
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
                return Self::met(run, walk.table, walk.at, word, value);
            }
            Kind::Zero | Kind::Empty if inserts && run.bug == Some(Bug::TwoPasses) => {
                return Go(Self::Choose(Walk::new(run, walk.table, key)));
            }
            // None after it has ever been used but the last one, and nothing is behind.
            Kind::Zero | Kind::Empty
                if !(run.bug == Some(Bug::VacantFirst) && walk.met.is_some()) =>
            {
                walk.empty = walk.empty.or(Some((walk.at, word)));
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
        let is_last = walk.at.slot + 1 == run.memory.slots || run.bug == Some(Bug::EndsAtEmpty);
        match walk
            .empty
            .filter(|_| is_last && !matches!(run.op, Op::Get(_)))
        {
            Some((place, word)) if inserts => {
                return Go(Self::Exchange(
                    walk.table,
                    place,
                    word,
                    run.own_member(),
                    None,
                ));
            }
            Some(_) => return End(None),
            None => {}
        }
        if let Some(next) = walk.next(run, word) {
            return Go(Self::Scan(next));
        }
        match walk.met {
            _ if !inserts => End(None),
            None => Go(match walk.link {
                Some(link) => Self::Enter(walk.table, link, Entered::Lengthen(walk.at, word)),
                None => Self::Lengthen(walk.table, walk.at, word),
            }),
            Some((place, met)) if met.kind == Kind::Vacant => {
                Go(Self::claim_in(run, walk.table, place, walk.link))
            }
            Some(claim) => Go(Self::decide_anew(run, walk.table, claim)),
        }
    }

    /// The key is there, with this value.
    #[must_use]
    pub fn met(run: &Run<'_>, table: u8, at: Place, word: Word, value: u8) -> Next {
        let old = Some(value);
        let to = match run.op {
            Op::Insert(_) | Op::Update(_) => run.own_member(),
            Op::Remove(_) if run.bug == Some(Bug::EmptyAgain) => Kind::Zero,
            Op::Remove(_) => Kind::Vacant,
            _ => return End(old),
        };
        Go(Self::Exchange(table, at, word, to, old))
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
        let behind = match run.bug {
            Some(Bug::LinkUnsigned) => Behind::of(&[own.kind]),
            _ => Behind::of(&first),
        };
        if !run.exchange(last, from, Word::new(Kind::Link(line, behind))) {
            run.memory.shorten();
            return Self::not_claimed(run, table, last);
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
            return Go(Self::Exchange(walk.table, walk.at, word, member, None));
        }
        match walk.next(run, word) {
            Some(next) => Go(Self::Choose(next)),
            None => Go(Self::Begin(By::Order)),
        }
    }

    /// The slots of which any is read next; none if there is no choice.
    #[must_use]
    pub const fn choices(&self) -> Option<Slots> {
        match self {
            Self::Quick(quick) => quick.choices(),
            _ => None,
        }
    }

    /// The claims that the thread knows of.
    pub fn claims(&mut self) -> impl Iterator<Item = &mut Word> {
        let (one, other) = match self {
            Self::Scan(Walk { met, .. }) | Self::Choose(Walk { met, .. }) => {
                (met.as_mut().map(|(_, word)| word), None)
            }
            Self::Lengthen(_, _, last) => (Some(last), None),
            Self::Enter(_, _, then) => (then.claim_mut(), None),
            Self::AskBehind(_, then) | Self::Leave(_, _, then) => (then.claim_mut(), None),
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
