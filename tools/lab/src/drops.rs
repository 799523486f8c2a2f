//! How long what was removed waits for its destructor, and how much waits at most: 70/20/10 on `ShardMap`.
//!
//! Each value that is removed or replaced is given the time of that; its destructor says how long ago it
//! was. What waits is what `retired_bytes` says, read by each thread every thousand operations.
use crate::cli::DropsArgs;
use crate::clock::Ticks;
use crate::contest::latencies;
use crate::error::LabError;
use atomshard::ShardMap;
use core::cell::RefCell;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use foldhash::fast::FixedState;
use hdrhistogram::Histogram;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use std::io::Write as _;
use std::sync::Barrier;
use std::time::Instant;

/// Keys of the mix.
const KEYS: u64 = 10_000;
/// Operations between two looks at the clock.
const BETWEEN_LOOKS: usize = 1000;

thread_local! {
    /// Ticks between the removals and the drops on this thread.
    static WAITS: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// A value that knows since when nobody can find it.
#[derive(Default)]
struct Value {
    /// In ticks; zero while the map has it.
    removed: AtomicU64,
}

impl Value {
    fn note_removal(&self) {
        // Relaxed: who drops it comes after all that its remover did under the guard.
        self.removed.store(Ticks::get().now(), Relaxed);
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        let removed = *self.removed.get_mut();
        if removed != 0 {
            let wait = Ticks::get().now().saturating_sub(removed);
            WAITS.with_borrow_mut(|waits| waits.push(wait));
        }
    }
}

type Map = ShardMap<u64, Value, FixedState>;

/// What one thread, or all of them, saw.
struct Seen {
    operations: usize,
    waits: Histogram<u64>,
    most_retired: usize,
}

/// Prints a line for each number of threads.
pub(crate) fn run(args: &DropsArgs) -> Result<(), LabError> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "70/20/10 on {KEYS} keys, uniform, a pin for each operation, values with a destructor, {} s each",
        args.seconds
    )?;
    for threads in &args.threads {
        let seen = measured(*threads, Duration::from_secs(args.seconds.into()));
        let at = |quantile| seen.waits.value_at_quantile(quantile) as f64 / 1000.0;
        writeln!(
            out,
            "threads {threads}: {} operations, {} drops; from removal to drop p50 {:.1} us, p99 {:.1} us, \
             p99.9 {:.1} us, at most {:.1} us; {:.1} KiB waited at most",
            seen.operations,
            seen.waits.len(),
            at(0.5),
            at(0.99),
            at(0.999),
            seen.waits.max() as f64 / 1000.0,
            seen.most_retired as f64 / 1024.0,
        )?;
        out.flush()?;
    }
    Ok(())
}

/// So many threads, for so long, on one map.
fn measured(threads: u16, long: Duration) -> Seen {
    // Made before the threads look at it.
    let _clock = Ticks::get();
    let map = Map::default();
    for key in 0..KEYS {
        map.pin().insert(key, Value::default());
    }
    let start = Barrier::new(threads.into());
    let parts: Vec<Seen> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|seed| {
                let (map, start) = (&map, &start);
                scope.spawn(move || {
                    start.wait();
                    worked(map, seed.into(), long)
                })
            })
            .collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined
            .map(|seen| seen.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let mut all = Seen {
        operations: 0,
        waits: latencies(),
        most_retired: 0,
    };
    for part in parts {
        all.operations += part.operations;
        all.waits += part.waits;
        all.most_retired = all.most_retired.max(part.most_retired);
    }
    all
}

/// One thread's part.
fn worked(map: &Map, seed: u64, long: Duration) -> Seen {
    let mut rng = SmallRng::seed_from_u64(seed);
    let begun = Instant::now();
    let (mut operations, mut most_retired) = (0, 0);
    while begun.elapsed() < long {
        for _ in 0..BETWEEN_LOOKS {
            operate(map, &mut rng);
        }
        operations += BETWEEN_LOOKS;
        most_retired = most_retired.max(map.retired_bytes());
    }
    let mut waits = latencies();
    for wait in WAITS.take() {
        waits.saturating_record(Ticks::get().ns(wait).max(1));
    }
    Seen {
        operations,
        waits,
        most_retired,
    }
}

fn operate(map: &Map, rng: &mut SmallRng) {
    let (map, key) = (map.pin(), rng.random_range(0..KEYS));
    let removed = match rng.random_range(0..10) {
        0..7 => {
            core::hint::black_box(map.get(&key).is_some());
            None
        }
        7..9 => map.insert(key, Value::default()),
        _ => map.remove(&key),
    };
    if let Some(value) = removed {
        value.note_removal();
    }
}

#[cfg(test)]
mod tests {
    use super::measured;
    use core::time::Duration;

    #[test]
    fn what_is_removed_is_dropped_and_its_wait_is_counted() {
        let seen = measured(2, Duration::from_millis(300));
        assert!(seen.operations > 1000);
        // Three of ten operations write, most of them on a key that is there; what still waits at the end is not
        // among the drops.
        let (drops, operations) = (seen.waits.len() as f64, seen.operations as f64);
        assert!(
            drops < 0.3 * operations && drops > 0.1 * operations,
            "{drops} of {operations}"
        );
        assert!(seen.waits.max() > 1 && seen.most_retired > 0);
    }
}
