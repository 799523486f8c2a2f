//! The asymmetric barrier on the machine: store buffering between a side that comes often and one that comes
//! rarely. With both barriers never may both miss the other's store; with one of them left out they do, which
//! shows that the race is there to be lost.
//!
//! The models and the interpreter take `membarrier` for a fence. `tests/litmus.rs` has the same race in its table; here
//! it is run long enough for a barrier that is left out to be noticed (`cargo xtask orders --mutate`).

use atomshard::sys::{heavy_barrier, light_barrier};
use core::hint;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering, compiler_fence};
use core::time::Duration;
use crossbeam_utils::CachePadded;
use std::thread;
use std::time::Instant;

/// A round counter that both threads pass, and a word for each side, one line each.
#[derive(Default)]
struct Court {
    arrived: CachePadded<AtomicUsize>,
    light: CachePadded<AtomicU32>,
    heavy: CachePadded<AtomicU32>,
}

impl Court {
    /// Returns when both sides have called it so often; soon after each other, if both run.
    fn meet(&self, round: u32) {
        self.arrived.fetch_add(1, Ordering::AcqRel);
        let mut tries = 0_u32;
        while self.arrived.load(Ordering::Acquire) < 2 * round as usize {
            tries += 1;
            if tries.is_multiple_of(1 << 10) {
                // The other one may be waiting for this processor.
                thread::yield_now();
            }
            hint::spin_loop();
        }
    }
}

/// How many rounds were played, and in how many of them both sides missed the other's store.
#[derive(Debug, Default)]
struct Tally {
    rounds: u32,
    missed: u32,
}

/// Plays rounds until both sides have missed once, or time is up.
fn play(limit: Duration, light: fn(), heavy: fn()) -> Tally {
    /// Rounds between two looks at the clock.
    const SET: u32 = 1 << 10;
    let mut tally = Tally::default();
    let begun = Instant::now();
    while begun.elapsed() < limit && tally.missed == 0 {
        let court = Court::default();
        // A word holds the number of the last round in which its side has stored.
        let side = |own: &AtomicU32, other: &AtomicU32, barrier: fn(), seed: u64| {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut missed = Vec::new();
            for round in 1..=SET {
                court.meet(round);
                for _ in 0..rng.u32(0..16) {
                    hint::spin_loop();
                }
                own.store(round, Ordering::Relaxed);
                barrier();
                if other.load(Ordering::Relaxed) < round {
                    missed.push(round);
                }
            }
            missed
        };
        let (first, second) = thread::scope(|scope| {
            let seed = u64::from(tally.rounds);
            let court = &court;
            let other = scope.spawn(move || side(&court.light, &court.heavy, light, seed));
            let own = side(&court.heavy, &court.light, heavy, !seed);
            (other.join().expect("the light side ends"), own)
        });
        tally.rounds += SET;
        let both = first.iter().filter(|round| second.contains(round)).count();
        tally.missed += u32::try_from(both).expect("at most the rounds");
    }
    tally
}

fn nothing() {
    compiler_fence(Ordering::SeqCst);
}

fn heavy() {
    heavy_barrier().expect("nothing forbids the barrier");
}

#[test]
fn with_both_barriers_one_side_sees_the_other() {
    let tally = play(Duration::from_secs(2), light_barrier, heavy);
    assert_eq!(tally.missed, 0, "{tally:?}");
    println!("{tally:?}");
}

/// Only real processors have store buffers, and of an emulator's nothing is known.
#[cfg(target_arch = "x86_64")]
mod without {
    use super::*;

    /// Plays until both sides miss: milliseconds, if the threads run side by side. One processor has one store
    /// buffer, which it reads itself.
    fn missed_without(light: fn(), heavy: fn()) -> Result<Tally, &'static str> {
        if thread::available_parallelism().map_or(1, usize::from) < 2 {
            return Err("unavailable: needs two processors");
        }
        let tally = play(Duration::from_secs(60), light, heavy);
        assert!(tally.missed > 0, "not caught: {tally:?}");
        Ok(tally)
    }

    #[test]
    fn without_a_heavy_barrier_both_sides_miss() {
        println!("{:?}", missed_without(light_barrier, nothing));
    }

    #[test]
    fn without_barriers_both_sides_miss() {
        println!("{:?}", missed_without(nothing, nothing));
    }
}
