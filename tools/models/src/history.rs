//! Whether what calls returned can be explained: per key, the set of what may be the case.
//!
//! A call takes effect at one instant between its begin and its return. For each key the monitor keeps
//! every pair of a value and of the results of those running calls that have taken effect already. Running
//! calls take effect when a return asks for it and not earlier, which loses nothing (Lowe, "Testing for
//! linearizability", 2017), and what has returned is forgotten, so that states with one future are one
//! state. `tests/history.rs` compares it with stateright's `LinearizabilityTester`, which keeps everything.

use crate::config::Op;

/// Threads, at most.
pub const THREADS: usize = 3;

/// What a call on a key returns: the entry that was there, or was found.
pub type Answer = Option<u8>;

/// What a call does to a key that is bound to `value`: the new value, and the answer.
#[must_use]
pub const fn apply(op: Op, own: u8, value: Option<u8>) -> (Option<u8>, Answer) {
    match op {
        Op::Insert(_) => (Some(own), value),
        Op::TryInsert(_) if value.is_none() => (Some(own), value),
        Op::Update(_) if value.is_some() => (Some(own), value),
        Op::Remove(_) => (None, value),
        _ => (value, value),
    }
}

/// One of the things that may be the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Case {
    value: Option<u8>,
    /// What running calls will return that have taken effect.
    answers: [Option<Answer>; THREADS],
}

/// Everything that may be the case for one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct History {
    cases: Vec<Case>,
}

/// A running call: its thread, what it does, and the entry it brings.
pub type Running = (usize, Op, u8);

impl History {
    /// A key that is bound to `value`.
    #[must_use]
    pub fn new(value: Option<u8>) -> Self {
        let case = Case {
            value,
            answers: [None; THREADS],
        };
        Self { cases: vec![case] }
    }

    /// Everything that may be the case when any running calls take effect.
    fn closed(&self, running: &[Running]) -> Vec<Case> {
        let mut all = self.cases.clone();
        let mut open = self.cases.clone();
        while let Some(case) = open.pop() {
            for &(thread, op, own) in running {
                if case.answers[thread].is_some() {
                    continue;
                }
                let (value, answer) = apply(op, own, case.value);
                let mut answers = case.answers;
                answers[thread] = Some(answer);
                let next = Case { value, answers };
                if !all.contains(&next) {
                    all.push(next);
                    open.push(next);
                }
            }
        }
        all
    }

    /// The call of `thread`, one of `running`, returns `answer`; false if nothing explains that.
    #[must_use]
    pub fn returned(&mut self, thread: usize, answer: Answer, running: &[Running]) -> bool {
        let cases = self.closed(running).into_iter();
        self.cases = cases
            .filter(|case| case.answers[thread] == Some(answer))
            .map(|mut case| {
                case.answers[thread] = None;
                case
            })
            .collect();
        self.cases.sort_unstable();
        self.cases.dedup();
        !self.cases.is_empty()
    }

    /// Whether the key may be bound to `value` now.
    #[must_use]
    pub fn may_be(&self, value: Option<u8>, running: &[Running]) -> bool {
        self.closed(running).iter().any(|case| case.value == value)
    }
}
