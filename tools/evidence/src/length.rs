//! What `len` may say: a number that the writes in flight explain, and with none in flight the number of
//! entries.

use crate::history::{Clock, Event, Fact, Op, Outcome, Recorder};
use crate::seed::rng;
use crate::subject::Subject;
use std::sync::{Mutex, PoisonError};

/// A call of `len`.
#[derive(Clone, Copy, Debug)]
struct Call {
    said: usize,
    start: u64,
    end: u64,
}

/// Threads that write, and threads that count.
const WRITERS: usize = 3;
const READERS: usize = 1;

/// Threads write a few keys in turns that `together` makes, another counts; checks what it says.
///
/// # Errors
/// If a call of `len` said what no writes explain.
pub fn check<M: Subject>(
    map: &M,
    seed: u64,
    together: impl FnOnce(usize, &(dyn Fn(usize) + Sync)),
) -> Result<Vec<Event>, String> {
    let clock = Clock::counter();
    let call = || {
        let start = clock.now();
        let said = map.len();
        Call {
            said,
            start,
            end: clock.now(),
        }
    };
    let both = Mutex::new((Vec::new(), Vec::new()));
    together(WRITERS + READERS, &|index| {
        let mut own = (Vec::new(), Vec::new());
        if index < WRITERS {
            own.0 = write(map, seed, index, &clock);
        } else {
            own.1.extend((0..12).map(|_| call()));
        }
        let mut both = both.lock().unwrap_or_else(PoisonError::into_inner);
        both.0.extend(own.0);
        both.1.extend(own.1);
    });
    let (events, mut calls) = both.into_inner().unwrap_or_else(PoisonError::into_inner);
    calls.push(call());
    match calls.iter().find(|call| !call.is_explained(&events)) {
        Some(call) => {
            let [low, high] = call.bounds(&events);
            Err(format!(
                "{call:?}, but the writes explain {low} to {high} only\n{events:#?}"
            ))
        }
        None => Ok(events),
    }
}

/// Writes whose results tell whether an entry came or went.
fn write<M: Subject>(map: &M, seed: u64, thread: usize, clock: &Clock) -> Vec<Event> {
    let mut rng = rng(seed, thread);
    let mut recorder = Recorder::new(clock, thread);
    for value in 0..30 {
        let op = match rng.u32(0..5) {
            0 | 1 => Op::Insert(value),
            2 => Op::TryInsert(value),
            3 => Op::ComputeToggle(value),
            _ => Op::Remove,
        };
        // Three keys in four are this thread's alone, so that entries stay.
        let key = rng.u64(0..8)
            | if rng.u32(0..4) == 0 {
                0
            } else {
                (thread as u64 + 1) << 8
            };
        let op = map.offered(op);
        recorder.record(key, op, || map.apply(key, op));
    }
    recorder.events
}

impl Call {
    fn is_explained(&self, events: &[Event]) -> bool {
        let [low, high] = self.bounds(events);
        i64::try_from(self.said).is_ok_and(|said| (low..=high).contains(&said))
    }

    /// The least and the most that it may say: what ended before has been counted, what ran meanwhile may
    /// have been.
    fn bounds(&self, events: &[Event]) -> [i64; 2] {
        let mut bounds = [0, 0];
        for event in events.iter().filter(|event| event.start <= self.end) {
            let change = change(event);
            if event.end < self.start {
                bounds = bounds.map(|bound| bound + change);
            } else {
                bounds[usize::from(change > 0)] += change;
            }
        }
        bounds
    }
}

/// The entries that came with an operation.
fn change(event: &Event) -> i64 {
    let Fact::Known(outcome) = event.fact else {
        unreachable!("each result is recorded")
    };
    match (event.op, outcome) {
        (Op::Insert(_), Outcome::Seen(None))
        | (Op::Add(_), Outcome::Found(true))
        | (_, Outcome::Added(_)) => 1,
        (Op::Remove, Outcome::Seen(Some(_)))
        | (Op::Delete, Outcome::Found(true))
        | (_, Outcome::Taken(_)) => -1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(op: Op, outcome: Outcome, start: u64, end: u64) -> Event {
        Event {
            key: 1,
            op,
            fact: Fact::Known(outcome),
            start,
            end,
            thread: 0,
        }
    }

    #[test]
    fn what_ran_meanwhile_may_have_been_counted_and_what_ended_before_has_been() {
        let events = [
            event(Op::Insert(1), Outcome::Seen(None), 0, 1),
            event(Op::Insert(2), Outcome::Seen(Some(1)), 2, 3),
            event(Op::TryInsert(3), Outcome::Added(3), 4, 12),
            event(Op::Remove, Outcome::Seen(Some(1)), 11, 30),
            event(Op::Insert(4), Outcome::Seen(None), 21, 22),
        ];
        let says = |said, start, end| Call { said, start, end }.is_explained(&events);
        let said = |start, end| {
            (0..6)
                .filter(|said| says(*said, start, end))
                .collect::<Vec<_>>()
        };
        assert_eq!(said(10, 20), [0, 1, 2]);
        assert_eq!(said(2, 3), [1]);
        assert_eq!(said(31, 32), [2]);
    }
}
