//! Seeds: random by default, printed, and replayed by `ATOMSHARD_SEED`.

use core::hash::BuildHasher as _;
use std::hash::RandomState;

/// `count` seeds, or the one of the environment. A failed run prints its seeds.
///
/// # Panics
/// If the environment's is not a number.
#[expect(
    clippy::print_stdout,
    reason = "the test harness shows it if the test fails"
)]
#[must_use]
pub fn seeds(count: u64) -> Vec<u64> {
    let seeds = match std::env::var("ATOMSHARD_SEED") {
        Ok(text) => {
            let seed = text.parse();
            vec![seed.unwrap_or_else(|_| panic!("ATOMSHARD_SEED={text}: expected a number"))]
        }
        Err(_) => (0..count).map(|i| RandomState::new().hash_one(i)).collect(),
    };
    println!("ATOMSHARD_SEED, one of: {seeds:?}");
    seeds
}

/// The generator of one thread of one run.
#[must_use]
pub fn rng(seed: u64, thread: usize) -> fastrand::Rng {
    let thread = u64::try_from(thread).unwrap_or(u64::MAX);
    fastrand::Rng::with_seed(seed ^ thread.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// How many times the default work the long run does: `--cfg atomshard_stress`.
#[must_use]
pub const fn stress() -> u64 {
    if cfg!(atomshard_stress) { 50 } else { 1 }
}

/// Threads to oversubscribe this machine with: eight per core, at most 64.
pub fn many_threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    (8 * cores).min(64)
}
