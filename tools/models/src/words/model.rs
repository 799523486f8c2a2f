//! The model that stateright explores: threads take turns, one access each; what must hold in every state.

use super::memory::{Kind, MOVES, Memory, Place, Threads, Word};
use super::thread::{By, Next, Step};
use crate::config::Op;
use crate::history::{History, Running};
use crate::model::EVERYBODY_ENDS;
use stateright::{Model, Property};

/// A mistake put into the protocol, to see that the model finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bug {
    /// The first empty slot is chosen in a pass after the one that looked for the key.
    TwoPasses,
    /// A removal leaves its slot empty.
    EmptyAgain,
    /// A vacant slot is claimed although the line has an empty one.
    VacantFirst,
    /// A claim settles without a look at the other slots.
    SettleBlind,
    /// A claim does not see other claims.
    ClaimsMissed,
    /// All claims have one stamp.
    NoStamps,
    /// A link does not take along what was in its slot.
    LinkForgets,
    /// A link takes the place of whatever is there now.
    LinkBlind,
    /// Who shuts a claim takes it for shut, though it may have become a member or gone behind a link.
    ShutBlind,
    /// A decider whose claim is gone goes on to shut later ones.
    ShutsOn,
    /// A claim is taken along as a member.
    ClaimsTaken,
    /// A link has the new member behind it, not a claim.
    LinkSettles,
    /// The links of a bucket are frozen after its other slots.
    LinksLast,
    /// Empty slots are not frozen.
    EmptyStays,
    /// The last slot of a new line is born first.
    BornEarly,
    /// Births are stores.
    BornByStore,
    /// A mover writes a member to whatever slot of the new line is zero now.
    BornAnywhere,
    /// A look for a key ends with the first empty slot, though the last one is born with a member first.
    EndsAtEmpty,
    /// A mover stores zero in the slots that got no member.
    EmptyStored,
    /// The rest of a line behind a link is zero: empty.
    EmptyBehind,
    /// A look-up answers from a frozen line that has moved.
    AnswerFrozen,
    /// A write to a shard that moves looks again, until somebody has moved the bucket.
    WaitForMover,
    /// Slots become final by stores before those have ended who may write to them.
    StoredEarly,
    /// A writer who comes when the table is being left writes to it, where it is not frozen.
    OldLine,
    /// A copy gets into the shard's word whatever table it has by then.
    CopiedOver,
    /// A line is copied before it is frozen.
    CopiedUnfrozen,
    /// A look-up answers from a frozen line though the shard has a copy. This is none: see [`unasked`](super::cases::unasked).
    AnswerCopied,
    /// A write to a table that is left at once looks again, until somebody has made a copy.
    WaitForCopier,
    /// The filter for the key is before that for empty slots.
    KeyFirst,
    /// A slot that has got frozen is skipped where a filter has met the key.
    FrozenSkipped,
    /// A claim settles without a look at the end of the line.
    EndUnseen,
    /// A claim settles without a look at the line behind the link.
    BehindUnseen,
    /// A link does not enter what was in its slot.
    LinkUnsigned,
    /// A claim behind a link is entered there after it was made.
    EnteredLate,
    /// What is written to the link is what was read there, and the key, whatever is there by then.
    EntersBlind,
    /// A key is entered in whatever link there is, though the slot for its claim was found behind another.
    EntersAny,
    /// A key is signed and not counted.
    SignedOnly,
    /// A key is counted and not signed.
    CountedOnly,
    /// A claim that was not made, or was taken back, stays counted.
    StaysCounted,
    /// Who shuts a claim counts it off though another has decided it.
    CountedTwice,
    /// A link goes when nobody is behind it, whoever is counted.
    GoesUncounted,
    /// The link of a line that is born has entered nobody.
    ChainUnsigned,
    /// In a copy who comes behind a link that is there is not entered.
    CopyUnsigned,
}

/// A run: keys, programs, and the mistake.
#[derive(Clone, Debug)]
pub struct Words {
    /// For people.
    pub name: &'static str,
    /// Slots in a line.
    pub slots: u8,
    /// The two upper bits of each key's hash.
    pub keys: Vec<u8>,
    /// Keys that are there at first, in this order.
    pub present: Vec<u8>,
    /// What each thread does.
    pub programs: Vec<Vec<Op>>,
    /// Doublings that are over in the end.
    pub moves: u8,
    /// Which tables are copied; the others move by steps.
    pub at_once: [bool; MOVES],
    /// Operations begin by filters.
    pub filters: bool,
    /// The mistake.
    pub bug: Option<Bug>,
}

/// One access of a thread; where any of several slots may be read, of this one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Action {
    thread: usize,
    slot: u8,
}

impl core::fmt::Debug for Action {
    /// The thread, and the slot if that is not the first: ways are long.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.slot {
            0 => write!(f, "{}", self.thread),
            slot => write!(f, "{}/{slot}", self.thread),
        }
    }
}

/// A thread between two accesses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Thread {
    call: u8,
    /// None before its call has begun.
    step: Option<Step>,
}

/// Everything between two accesses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    memory: Memory,
    threads: Vec<Thread>,
    histories: Vec<History>,
    unexplained: bool,
}

/// What a step may use.
#[derive(Debug)]
pub struct Run<'r> {
    /// What is shared.
    pub memory: &'r mut Memory,
    /// The upper bits of each key's hash.
    pub keys: &'r [u8],
    /// Which tables are copied.
    pub at_once: [bool; MOVES],
    /// Operations and looks begin by filters.
    pub filters: bool,
    /// The slot that is read, where any may be.
    pub choice: u8,
    /// Who else has a guard.
    pub others: Threads,
    /// The operation.
    pub op: Op,
    /// The value that it brings.
    pub own: u8,
    /// A stamp that no claim has.
    pub stamp: u8,
    /// The mistake.
    pub bug: Option<Bug>,
}

impl Run<'_> {
    /// The key of the operation.
    #[must_use]
    pub fn key(&self) -> u8 {
        let Some(key) = self.op.key() else {
            unreachable!("a doubling looks for no key")
        };
        key
    }

    /// What it inserts.
    #[must_use]
    pub fn own_member(&self) -> Kind {
        Kind::Live {
            key: self.key(),
            value: self.own,
        }
    }

    /// What is taken along of a word as a member.
    #[must_use]
    pub fn member(&self, kind: Kind) -> Kind {
        match kind {
            Kind::Claim { key, stamp } if self.bug == Some(Bug::ClaimsTaken) => {
                Kind::Live { key, value: stamp }
            }
            _ => kind,
        }
    }

    /// Whether a table is copied when it is left.
    #[must_use]
    pub fn is_at_once(&self, table: u8) -> bool {
        self.at_once[usize::from(table)]
    }

    /// Exchanges a slot, if it is `from`.
    pub fn exchange(&mut self, place: Place, from: Word, to: Word) -> bool {
        self.memory.exchange(place.line, place.slot, from, to)
    }
}

/// The stamp of a claim that is made now; then all get the names 0, 1..
const FRESH: u8 = u8::MAX;

impl State {
    /// A thread ends a call: nobody waits for it any more.
    fn end_call(&mut self, number: usize) {
        self.threads[number].call += 1;
        let steps = self
            .threads
            .iter_mut()
            .filter_map(|thread| thread.step.as_mut());
        let known = self.memory.graces.iter_mut().flatten();
        for grace in known.chain(steps.filter_map(Step::grace_mut)) {
            *grace &= !(1 << number);
        }
    }

    /// Gives stamps new names, in the order in which they come: states that differ only by these are one.
    fn name_stamps(&mut self) {
        let mut seen = Vec::new();
        let steps = self
            .threads
            .iter_mut()
            .filter_map(|thread| thread.step.as_mut());
        let words = self.memory.all_mut().iter_mut();
        for word in words.chain(steps.flat_map(Step::claims)) {
            if let Kind::Claim { stamp, .. } = &mut word.kind {
                let known = seen.iter().position(|known| known == stamp);
                let name = known.unwrap_or_else(|| {
                    seen.push(*stamp);
                    seen.len() - 1
                });
                *stamp = u8::try_from(name).unwrap_or(FRESH);
            }
        }
    }
}

/// Lines behind links, at most. Programs have an end, so only those who go round for ever need more.
const BEHIND: usize = 12;

impl Words {
    /// The value that a call brings.
    fn own(thread: usize, call: u8) -> u8 {
        u8::try_from(100 + 10 * thread).unwrap_or(u8::MAX) + call
    }

    /// Who else has a guard: those in an operation but look-ups. (Some of these have one too, and a grace period may be longer.)
    fn others(&self, state: &State, number: usize) -> Threads {
        let threads = state.threads.iter().zip(&self.programs).enumerate();
        let pinned = threads.filter(|(other, (thread, program))| {
            let call = usize::from(thread.call);
            *other != number && thread.step.is_some() && !matches!(program[call], Op::Get(_))
        });
        pinned.fold(0, |threads, (other, _)| threads | 1 << other)
    }

    fn running(&self, state: &State, key: u8) -> Vec<Running> {
        let threads = state.threads.iter().zip(&self.programs).enumerate();
        let running = threads.filter(|(_, (thread, _))| thread.step.is_some());
        running
            .map(|(number, (thread, program))| {
                let op = program[usize::from(thread.call)];
                (number, op, Self::own(number, thread.call))
            })
            .filter(|(_, op, _)| op.key() == Some(key))
            .collect()
    }

    /// The values of a key where it should be.
    fn values(&self, memory: &Memory, key: u8) -> Vec<u8> {
        let bucket = memory.bucket(memory.truth(self.keys[usize::from(key)]));
        let values = bucket.into_iter().filter_map(|word| match word.kind {
            Kind::Live { key: here, value } => (here == key).then_some(value),
            _ => None,
        });
        values.collect()
    }

    fn each_key(&self, holds: impl Fn(u8) -> bool) -> bool {
        (0..self.keys.len()).all(|key| u8::try_from(key).is_ok_and(&holds))
    }

    fn advance(&self, state: &mut State, action: Action) {
        let Action {
            thread: number,
            slot: choice,
        } = action;
        let others = self.others(state, number);
        let thread = &mut state.threads[number];
        let call = thread.call;
        let op = self.programs[number][usize::from(call)];
        let by = if self.filters { By::Filters } else { By::Order };
        let step = thread.step.take().unwrap_or(Step::Begin(by));
        let mut run = Run {
            memory: &mut state.memory,
            keys: &self.keys,
            at_once: self.at_once,
            filters: self.filters,
            choice,
            others,
            op,
            own: Self::own(number, call),
            stamp: FRESH,
            bug: self.bug,
        };
        match step.step(&mut run) {
            Next::Go(step) => thread.step = Some(step),
            Next::End(answer) => {
                if let Some(key) = op.key() {
                    let mut running = self.running(state, key);
                    running.push((number, op, Self::own(number, call)));
                    let history = &mut state.histories[usize::from(key)];
                    state.unexplained |= !history.returned(number, answer, &running);
                }
                state.end_call(number);
            }
        }
        if self.bug != Some(Bug::NoStamps) {
            state.name_stamps();
        }
    }
}

impl Model for Words {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut memory = Memory::new(self.slots);
        for &key in &self.present {
            let member = Kind::Live { key, value: key };
            memory.append(0, member, |behind| behind.with(key));
        }
        let first = |key| self.present.contains(&key).then_some(key);
        let keys = (0..self.keys.len()).map(|key| u8::try_from(key).unwrap_or(u8::MAX));
        let thread = Thread {
            call: 0,
            step: None,
        };
        vec![State {
            memory,
            threads: vec![thread; self.programs.len()],
            histories: keys.map(|key| History::new(first(key))).collect(),
            unexplained: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.memory.behind() > BEHIND || state.unexplained {
            return;
        }
        let threads = state.threads.iter().zip(&self.programs).enumerate();
        let open =
            threads.filter(|(_, (thread, program))| usize::from(thread.call) < program.len());
        for (thread, (open, _)) in open {
            let any = open.step.as_ref().and_then(Step::choices).unwrap_or(1);
            let slots = (0..self.slots).filter(|slot| any & 1 << slot != 0);
            actions.extend(slots.map(|slot| Action { thread, slot }));
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        self.advance(&mut next, action);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("every answer has an explanation", |_, state: &State| {
                !state.unexplained
            }),
            Property::always("no key is lost", |words: &Self, state: &State| {
                words.each_key(|key| {
                    let value = words.values(&state.memory, key).first().copied();
                    let running = words.running(state, key);
                    state.histories[usize::from(key)].may_be(value, &running)
                })
            }),
            Property::always("no key is there twice", |words: &Self, state: &State| {
                words.each_key(|key| words.values(&state.memory, key).len() < 2)
            }),
            Property::always(
                "a live word is true wherever it stands",
                |words: &Self, state: &State| {
                    let live = state.memory.all().iter().filter(|word| !word.frozen);
                    let mut live = live.filter_map(|word| match word.kind {
                        Kind::Live { key, value } => Some((key, value)),
                        _ => None,
                    });
                    live.all(|(key, value)| words.values(&state.memory, key).contains(&value))
                },
            ),
            Property::always("a link says who is behind it", |_, state: &State| {
                let rests = state.threads.iter().all(|thread| thread.step.is_none());
                state.memory.is_entered(rests)
            }),
            Property::always("a bucket comes to an end", |_, state: &State| {
                state.memory.behind() <= BEHIND
            }),
            Property::sometimes(EVERYBODY_ENDS, |words: &Self, state: &State| {
                let threads = state.threads.iter().zip(&words.programs);
                let mut done =
                    threads.map(|(thread, program)| usize::from(thread.call) == program.len());
                done.all(|done| done) && state.memory.present == words.moves
            }),
        ]
    }
}
