//! The model that stateright explores: threads take turns, one access each; what must hold in every state.

use crate::config::{Config, Op};
use crate::history::{History, Running};
use crate::memory::{Memory, Migration};
use crate::thread::{Broken, Frame, Next, Run, Value};
use stateright::{Model, Property};

/// A thread between two accesses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Thread {
    /// The number of the operation that runs, or comes next.
    pub call: u8,
    /// The calls of the operation, the outermost first; none if it has not begun.
    pub stack: Vec<Frame>,
    /// How often loops of the operation began anew.
    pub retries: u8,
}

/// Everything between two accesses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// What is shared.
    pub memory: Memory,
    /// The threads.
    pub threads: Vec<Thread>,
    /// What may be the case, per key.
    pub histories: Vec<History>,
    /// What went wrong.
    pub broken: Option<Broken>,
}

/// One access of a thread; where the code leaves the order open, of this word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    thread: usize,
    choice: u8,
}

impl Config {
    /// The operations on `key` that are running.
    fn running(&self, state: &State, key: u8) -> Vec<Running> {
        let threads = state.threads.iter().zip(&self.programs).enumerate();
        threads
            .filter(|(_, (thread, _))| !thread.stack.is_empty())
            .map(|(number, (thread, program))| {
                let call = usize::from(thread.call);
                (number, program[call], Self::entry(number, call))
            })
            .filter(|(_, op, _)| op.key() == Some(key))
            .collect()
    }

    /// The members with `key` in the bucket that is the truth about it.
    fn members(&self, state: &State, key: u8) -> Vec<u8> {
        let hash = self.keys[usize::from(key)];
        let table = state.memory.present_table(hash);
        let bucket = state.memory.line_of(table, hash);
        let lines = state.memory.bucket(table, bucket);
        let words = lines.iter().flat_map(|line| &line.slots);
        words
            .filter_map(|word| word.member())
            .filter(|&entry| self.key_of(entry) == key)
            .collect()
    }

    fn each_key(&self, holds: impl Fn(u8) -> bool) -> bool {
        (0..self.keys.len()).all(|key| u8::try_from(key).is_ok_and(&holds))
    }

    fn is_done(&self, state: &State) -> bool {
        let threads = state.threads.iter().zip(&self.programs);
        threads
            .into_iter()
            .all(|(thread, program)| usize::from(thread.call) == program.len())
    }

    /// The thread takes its next access.
    fn advance(&self, state: &mut State, action: Action) {
        let number = action.thread;
        let thread = &mut state.threads[number];
        let call = usize::from(thread.call);
        let op = self.programs[number][call];
        if thread.stack.is_empty() {
            thread.stack = Frame::begin(op);
            state.memory.pin(number);
        }
        let mut run = Run {
            config: self,
            memory: &mut state.memory,
            broken: &mut state.broken,
            retries: &mut thread.retries,
            thread: number,
            call,
            choice: action.choice,
        };
        let Some(top) = thread.stack.pop() else {
            unreachable!("an operation has begun")
        };
        let mut next = top.step(&mut run);
        let result = loop {
            next = match next {
                Next::Stay(frame) if frame.is_foregone(&mut run) => frame.step(&mut run),
                Next::Stay(frame) => {
                    thread.stack.push(frame);
                    return;
                }
                Next::Call(caller, Frame::Help(help)) => {
                    thread.stack.push(caller);
                    help.enter()
                }
                Next::Call(caller, callee) => {
                    thread.stack.push(caller);
                    Next::Stay(callee)
                }
                Next::Return(value) => match thread.stack.pop() {
                    Some(caller) => caller.resume(value, &mut run),
                    None => break value,
                },
            };
        };
        self.ended(state, number, op, &result);
    }

    fn ended(&self, state: &mut State, number: usize, op: Op, result: &Value) {
        if let (Some(key), Value::Answer(answer)) = (op.key(), result) {
            // (Its stack is empty, but it is running until here.)
            let mut running = self.running(state, key);
            let call = usize::from(state.threads[number].call);
            running.push((number, op, Self::entry(number, call)));
            let history = &mut state.histories[usize::from(key)];
            if !history.returned(number, *answer, &running) {
                state.broken.get_or_insert(Broken::Unexplained(key));
            }
        }
        state.memory.unpin(number);
        let thread = &mut state.threads[number];
        thread.call += 1;
        thread.retries = 0;
    }
}

/// How often the loops of one operation may begin anew. Each time somebody else must have got on, so that
/// finite programs have a bound, and a thread that spins passes any.
const RETRIES: u8 = 12;

/// The one property that some state must have: without it a run would show nothing.
pub const EVERYBODY_ENDS: &str = "everybody ends, and the moves are over";

impl Model for Config {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let thread = Thread {
            call: 0,
            stack: Vec::new(),
            retries: 0,
        };
        let keys = (0..self.keys.len()).map(|key| u8::try_from(key).unwrap_or(u8::MAX));
        vec![State {
            memory: self.memory(),
            threads: vec![thread; self.programs.len()],
            histories: keys
                .map(|key| History::new(self.first_value(key)))
                .collect(),
            broken: None,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let spins = state.threads.iter().any(|thread| thread.retries > RETRIES);
        if spins || state.broken.is_some() {
            return;
        }
        let threads = state.threads.iter().zip(&self.programs).enumerate();
        for (number, (thread, program)) in threads {
            if usize::from(thread.call) == program.len() {
                continue;
            }
            let choices = match thread.stack.last() {
                Some(frame) if self.any_order => frame.choices(),
                _ => 1,
            };
            let of_thread = (0..8).filter(|choice| choices >> choice & 1 != 0);
            actions.extend(of_thread.map(|choice| Action {
                thread: number,
                choice,
            }));
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
                !matches!(state.broken, Some(Broken::Unexplained(_)))
            }),
            Property::always("no key is lost", |config: &Self, state| {
                config.each_key(|key| {
                    let value = config.members(state, key).first().copied();
                    let running = config.running(state, key);
                    state.histories[usize::from(key)].may_be(value, &running)
                })
            }),
            Property::always("no key is there twice", |config: &Self, state| {
                config.each_key(|key| config.members(state, key).len() < 2)
            }),
            Property::always("a frozen word is final", |_, state: &State| {
                !matches!(
                    state.broken,
                    Some(Broken::FrozenWritten | Broken::FrozenAtRest)
                )
            }),
            Property::always("nothing is used after it is retired", |_, state: &State| {
                !matches!(
                    state.broken,
                    Some(Broken::UsedAfterRetired(_) | Broken::RetiredTwice(_))
                )
            }),
            Property::always("who takes steps comes to an end", |_, state: &State| {
                state.threads.iter().all(|thread| thread.retries <= RETRIES)
            }),
            Property::sometimes(EVERYBODY_ENDS, |config: &Self, state: &State| {
                let over = |migration: &Migration| migration.retired;
                let tables = state.memory.tables.iter();
                let moves = tables
                    .filter_map(|table| table.next.as_ref())
                    .filter(|next| over(next));
                config.is_done(state) && moves.count() == config.moves
            }),
        ]
    }
}
