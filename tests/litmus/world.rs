//! The worlds: what atomics and threads are, and how a row is run.

use super::cells::{Cells, Row, Seen, Shared, Thread};
use crate::Expect;

#[cfg(not(loom))]
pub(crate) use core::{
    cell::UnsafeCell,
    sync::atomic::{AtomicUsize, Ordering, fence},
};
#[cfg(not(loom))]
pub(crate) use std::{
    sync::{Arc, Mutex, mpsc},
    thread,
};

#[cfg(loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::atomic::{AtomicUsize, Ordering, fence},
    sync::{Arc, Mutex, mpsc},
    thread,
};

/// How often a row was run, and how often its weak outcome was seen.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) runs: usize,
    pub(crate) weak: usize,
    /// Runs before which no thread gave up its turn to wait for another.
    met: usize,
}

impl Tally {
    /// Whether the threads ran beside each other so often that what the machine can show is seen.
    ///
    /// One of 300 to 1,000 rounds of two threads shows store buffering on the machine where this was written.
    pub(crate) fn may_overlap(self) -> bool {
        const ENOUGH: usize = 100_000;
        cfg!(any(loom, miri)) || self.met >= ENOUGH
    }
}

/// Every execution that loom tries.
#[cfg(loom)]
pub(crate) fn explore(row: &Row, _expect: Expect) -> Tally {
    use std::sync::Mutex as Plain;
    let tally = std::sync::Arc::new(Plain::new(Tally::default()));
    let sum = std::sync::Arc::clone(&tally);
    let Row {
        threads,
        setup,
        weak,
        ..
    } = *row;
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = row.preemptions;
    builder.check(move || {
        let cells = Arc::new(Cells::new(Arc::new(Shared::new()), 0));
        setup(&cells);
        let start = |run: &Thread| {
            let (cells, run) = (Arc::clone(&cells), *run);
            thread::spawn(move || run(&cells))
        };
        let started: Vec<_> = threads.iter().map(start).collect();
        let join = |thread: thread::JoinHandle<Seen>| thread.join().expect("no thread panics");
        let seen: Vec<Seen> = started.into_iter().map(join).collect();
        let mut sum = sum.lock().expect("no thread panics");
        sum.runs += 1;
        sum.weak += usize::from(weak(&seen));
    });
    let tally = *tally.lock().expect("no thread panics");
    tally
}

/// Rounds on threads that meet before each: for a time, or under Miri a number of them. If the outcome must
/// be seen, until it is, as long as that can take.
#[cfg(not(loom))]
pub(crate) fn explore(row: &Row, expect: Expect) -> Tally {
    use core::time::Duration;
    use std::time::Instant;
    let must_see = expect == Expect::Seen;
    if cfg!(miri) {
        let batches = if must_see { 50 } else { 1 };
        let mut tally = Tally::default();
        for number in 0..batches {
            tally.add(run_batch(row, 8, number));
            if must_see && tally.weak > 0 {
                break;
            }
        }
        return tally;
    }
    let seconds = std::env::var("ATOMSHARD_LITMUS_SECONDS");
    let seconds = seconds.ok().and_then(|seconds| seconds.parse().ok());
    let usual = Duration::from_secs_f64(seconds.unwrap_or(0.1));
    let has_cores = thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
    let patience = Duration::from_secs(if has_cores { 20 } else { 0 });
    let begun = Instant::now();
    let mut tally = Tally::default();
    for number in 0.. {
        tally.add(run_batch(row, 250, number));
        let may_go_on = must_see && tally.weak == 0 && !tally.may_overlap();
        if begun.elapsed()
            > if may_go_on {
                usual.max(patience)
            } else {
                usual
            }
        {
            break;
        }
    }
    tally
}

#[cfg(not(loom))]
impl Tally {
    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.weak += other.weak;
        self.met += other.met;
    }
}

#[cfg(not(loom))]
fn run_batch(row: &Row, rounds: usize, number: usize) -> Tally {
    let shared = Arc::new(Shared::new());
    let cells: Vec<Arc<Cells>> = (0..rounds)
        .map(|round| Arc::new(Cells::new(Arc::clone(&shared), round as u64)))
        .collect();
    cells.iter().for_each(|cells| (row.setup)(cells));
    let arrived = AtomicUsize::new(0);
    let (cells, arrived) = (&cells, &arrived);
    // Of each thread: how often it gave up its turn, and what it saw in each round.
    let seen: Vec<(usize, Vec<Seen>)> = thread::scope(|scope| {
        let start = |(me, run): (usize, &Thread)| {
            let run = *run;
            scope.spawn(move || {
                let mut apart = 0;
                let mut seen = Vec::with_capacity(cells.len());
                for (round, cells) in cells.iter().enumerate() {
                    apart += usize::from(!meet(arrived, row.threads.len() * (round + 1)));
                    if !cfg!(miri) {
                        // One is ahead of the other by a little, each time by another little.
                        let ahead = (round * 7 + number * 3) % 24;
                        for _ in 0..if me == 0 { ahead } else { 12 } {
                            core::hint::spin_loop();
                        }
                    }
                    seen.push(run(cells));
                }
                (apart, seen)
            })
        };
        let started: Vec<_> = row.threads.iter().enumerate().map(start).collect();
        let seen = started.into_iter().map(thread::ScopedJoinHandle::join);
        seen.map(|seen| seen.expect("no thread panics")).collect()
    });
    let apart: usize = seen.iter().map(|(apart, _)| apart).sum();
    let mut tally = Tally {
        runs: rounds,
        met: rounds.saturating_sub(apart),
        ..Tally::default()
    };
    let mut of_round = vec![[0; 2]; seen.len()];
    for round in 0..rounds {
        for (saw, (_, of_thread)) in of_round.iter_mut().zip(&seen) {
            *saw = of_thread[round];
        }
        tally.weak += usize::from((row.weak)(&of_round));
    }
    tally
}

/// Waits until `all` have come; whether they came before this thread gave up its turn.
#[cfg(not(loom))]
fn meet(arrived: &AtomicUsize, all: usize) -> bool {
    // Relaxed: the meeting orders nothing between the rounds, which have cells of their own.
    arrived.fetch_add(1, Ordering::Relaxed);
    let mut turns = 0_u32;
    let mut has_met = true;
    while arrived.load(Ordering::Relaxed) < all {
        turns += 1;
        if cfg!(miri) || turns.is_multiple_of(1 << 12) {
            has_met = false;
            thread::yield_now();
        } else {
            core::hint::spin_loop();
        }
    }
    has_met
}
