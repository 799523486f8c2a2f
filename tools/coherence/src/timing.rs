//! What padding is worth by the clock: the counters of the model's table, paired and interleaved.

use baselines::{Distance, Pad0, Pad64, Pad128, Striped};
use core::fmt::Write as _;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

/// Additions of each thread in a turn: tens of milliseconds, so that the threads run side by side.
const ADDITIONS: usize = 5_000_000;
/// Turns of each counter, one after another.
const TURNS: usize = 15;

/// Seconds that the slowest of `threads` threads takes for its additions.
fn turn<D: Distance + Send + Sync>(threads: usize) -> f64 {
    let counter = Striped::<D>::new(threads);
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|place| {
                let (counter, start) = (&counter, &start);
                scope.spawn(move || {
                    start.wait();
                    let began = Instant::now();
                    (0..ADDITIONS).for_each(|_| counter.add(place, 1));
                    began.elapsed().as_secs_f64()
                })
            })
            .collect();
        let seconds = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or(f64::NAN));
        seconds.fold(0.0, f64::max)
    })
}

/// The table: by threads, as far as the machine has cores, how many times as fast as packed cells.
#[must_use]
pub fn table() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut text = format!(
        "by time: how many times as fast as cells 8 bytes apart, median (least - most) of {TURNS} paired turns; \
         {cores} cores\nthreads  cells 64 bytes apart      cells 128 bytes apart\n"
    );
    for threads in [1, 2, 4, 8, 16, 32]
        .into_iter()
        .filter(|threads| *threads <= cores)
    {
        let (mut near, mut far) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            let packed = turn::<Pad0>(threads);
            near.push(packed / turn::<Pad64>(threads));
            far.push(packed / turn::<Pad128>(threads));
        }
        let spread = |ratios: &mut Vec<f64>| {
            ratios.sort_unstable_by(f64::total_cmp);
            let [least, median, most] = [0, TURNS / 2, TURNS - 1].map(|turn| ratios[turn]);
            format!("{median:.2} ({least:.2} - {most:.2})")
        };
        let (near, far) = (spread(&mut near), spread(&mut far));
        // Into a string: it does not fail.
        let _ = writeln!(text, "{threads:>7}  {near:<24}  {far}");
    }
    if cores < 32 {
        text += "more threads than cores run by turns and show nothing; for those see the model\n";
    }
    text
}
