//! Seeds: random by default, printed, and replayed by `ATOMSHARD_SEED`.

use core::hash::BuildHasher as _;
use std::hash::RandomState;

/// `count` seeds, or the one of the environment. A failed run prints its seeds.
#[expect(
    clippy::print_stdout,
    reason = "the test harness shows it if the test fails"
)]
pub(crate) fn seeds(count: u64) -> Vec<u64> {
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
pub(crate) fn rng(seed: u64, thread: usize) -> fastrand::Rng {
    let thread = u64::try_from(thread).expect("a thread number fits");
    fastrand::Rng::with_seed(seed ^ thread.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// How many times the default work the long run does: `--cfg atomshard_stress`.
pub(crate) const fn stress() -> u64 {
    if cfg!(atomshard_stress) { 50 } else { 1 }
}

/// Threads to oversubscribe this machine with: eight per core, at most 64.
pub(crate) fn many_threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    (8 * cores).min(64)
}
