//! The worlds: what atomics and threads are, and how a row is run.

use super::programs::{Cells, Row, Seen, Shared};
use crate::Expect;

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicUsize, Ordering, fence};
#[cfg(not(loom))]
pub(crate) use std::sync::{Arc, Mutex, mpsc};
#[cfg(not(loom))]
pub(crate) use std::thread;

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicUsize, Ordering, fence};
#[cfg(loom)]
pub(crate) use loom::sync::{Arc, Mutex, mpsc};
#[cfg(loom)]
pub(crate) use loom::thread;

/// How often a row was run, and how often its weak outcome was seen.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) runs: usize,
    pub(crate) weak: usize,
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
    loom::model(move || {
        let cells = Arc::new(Cells::new(Arc::new(Shared::new()), 0));
        setup(&cells);
        let start = |run: &super::programs::Thread| {
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

/// Rounds on threads that meet before each, until time is up; if the outcome must be seen, until it
/// is.
#[cfg(not(loom))]
pub(crate) fn explore(row: &Row, expect: Expect) -> Tally {
    use core::time::Duration;
    use std::time::Instant;
    let (batch, most) = if cfg!(miri) {
        (8, 6)
    } else {
        (1_000, usize::MAX)
    };
    let seconds: f64 = std::env::var("ATOMSHARD_LITMUS_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(0.3);
    let patience = if expect == Expect::Seen { 60.0 } else { 0.0 };
    let begun = Instant::now();
    let mut tally = Tally::default();
    for number in 0..most {
        tally.add(run_batch(row, batch, number));
        let is_up = |seconds| begun.elapsed() > Duration::from_secs_f64(seconds);
        let may_end = tally.weak > 0 || patience == 0.0 || is_up(patience);
        // (Miri's clock is of its own making.)
        if !cfg!(miri) && is_up(seconds) && may_end {
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
    let seen: Vec<Vec<Seen>> = thread::scope(|scope| {
        let start = |(me, run): (usize, &super::programs::Thread)| {
            let run = *run;
            scope.spawn(move || {
                let one = |(round, cells): (usize, &Arc<Cells>)| {
                    meet(arrived, row.threads.len() * (round + 1));
                    // One is ahead of the other by a little, each time by another little.
                    let ahead = (round * 7 + number * 3) % 24;
                    for _ in 0..if me == 0 { ahead } else { 12 } {
                        core::hint::spin_loop();
                    }
                    run(cells)
                };
                cells.iter().enumerate().map(one).collect()
            })
        };
        let started: Vec<_> = row.threads.iter().enumerate().map(start).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Vec<Seen>>| thread.join();
        let seen = started.into_iter().map(join);
        seen.map(|seen| seen.expect("no thread panics")).collect()
    });
    let of_round = |round: usize| seen.iter().map(|of_thread| of_thread[round]).collect();
    let weak = (0..rounds).filter(|&round| {
        let seen: Vec<Seen> = of_round(round);
        (row.weak)(&seen)
    });
    Tally {
        runs: rounds,
        weak: weak.count(),
    }
}

/// Waits until `all` have come.
#[cfg(not(loom))]
fn meet(arrived: &AtomicUsize, all: usize) {
    // Relaxed: the meeting orders nothing between the rounds, which have cells of their own.
    arrived.fetch_add(1, Ordering::Relaxed);
    let mut turns = 0_u32;
    while arrived.load(Ordering::Relaxed) < all {
        turns += 1;
        if cfg!(miri) || turns.is_multiple_of(1 << 12) {
            thread::yield_now();
        } else {
            core::hint::spin_loop();
        }
    }
}
