//! Rounds in which each subject takes its turn, and ratios within rounds.

use crate::Layout;
use crate::header::{Apart, Headed, Together};
use crate::limits::Unshared;
use crate::quotient::Quotient;
use baselines::OneLine;
use core::hint::black_box;
use core::time::Duration;
use measure::stats::{paired_ratio, spread};
use std::time::Instant;

/// Rounds; a ratio is taken within each.
const ROUNDS: usize = 10;
/// How long a subject runs in a round.
const SLICE: Duration = Duration::from_millis(60);
/// Operations between two looks at the clock.
const CHUNK: u64 = 4096;
/// Look-ups that are on their way at once, when they are asked for in batches.
const AHEAD: usize = 16;

/// The key of a number.
#[inline]
const fn key(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number >> 7
}

/// What is done over and over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    Hit,
    Miss,
    Batch,
    Replace,
    Churn,
}

impl Work {
    const ALL: [(&'static str, Self); 5] = [
        ("get, hit", Self::Hit),
        ("get, miss", Self::Miss),
        ("get, 16 ahead", Self::Batch),
        ("replace", Self::Replace),
        ("remove, insert", Self::Churn),
    ];
}

/// Does it a chunk of times, with random keys of so many.
type Run = Box<dyn Fn(Work, &mut fastrand::Rng, u64)>;

/// Somebody who does it.
struct Subject {
    name: &'static str,
    run: Run,
}

/// Does `work` on `table` a chunk of times.
fn chunk<L: Layout>(table: &L, work: Work, random: &mut fastrand::Rng, keys: u64) {
    let mut sum = 0;
    match work {
        Work::Hit => {
            for _ in 0..CHUNK {
                sum += table.get(key(random.u64(..keys))).unwrap_or(0);
            }
        }
        Work::Miss => {
            for _ in 0..CHUNK {
                sum += table.get(key(random.u64(keys..2 * keys))).unwrap_or(1);
            }
        }
        Work::Batch => {
            let mut ring = [0; AHEAD];
            let mut next = || key(random.u64(..keys));
            for place in &mut ring {
                *place = next();
                table.prefetch(*place);
            }
            for _ in 0..CHUNK / AHEAD as u64 {
                for place in &mut ring {
                    sum += table.get(*place).unwrap_or(0);
                    *place = next();
                    table.prefetch(*place);
                }
            }
        }
        Work::Replace => {
            for turn in 0..CHUNK {
                sum += table.insert(key(random.u64(..keys)), turn).unwrap_or(0);
            }
        }
        Work::Churn => {
            for turn in 0..CHUNK / 2 {
                let key = key(random.u64(..keys));
                sum += table.remove(key).unwrap_or(0);
                sum += table.insert(key, turn).unwrap_or(0);
            }
        }
    }
    black_box(sum);
}

/// A table with `keys` entries, `load` to a line.
fn subject<L: Layout + 'static>(name: &'static str, keys: u64, load: f64) -> Subject {
    let table = L::new(lines(keys, load));
    let begun = Instant::now();
    for number in 0..keys {
        table.insert(key(number), number);
    }
    let ns = begun.elapsed().as_nanos() as f64 / keys as f64;
    println!("  {name}: filled by one thread in {ns:.0} ns an entry");
    let run = move |work, random: &mut fastrand::Rng, keys| chunk(&table, work, random, keys);
    Subject {
        name,
        run: Box::new(run),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of lines"
)]
fn lines(keys: u64, load: f64) -> usize {
    (keys as f64 / load) as usize
}

/// hashbrown in the place of a table.
fn unshared(keys: u64) -> Subject {
    let table = Unshared::default();
    table
        .hold()
        .extend((0..keys).map(|number| (key(number), number)));
    let run = move |work, random: &mut fastrand::Rng, keys| {
        let mut table = table.hold();
        let mut sum = 0;
        match work {
            Work::Hit | Work::Batch => {
                for _ in 0..CHUNK {
                    sum += table.get(&key(random.u64(..keys))).copied().unwrap_or(0);
                }
            }
            Work::Miss => {
                for _ in 0..CHUNK {
                    let number = random.u64(keys..2 * keys);
                    sum += table.get(&key(number)).copied().unwrap_or(1);
                }
            }
            Work::Replace => {
                for turn in 0..CHUNK {
                    sum += table.insert(key(random.u64(..keys)), turn).unwrap_or(0);
                }
            }
            Work::Churn => {
                for turn in 0..CHUNK / 2 {
                    let key = key(random.u64(..keys));
                    sum += table.remove(&key).unwrap_or(0);
                    sum += table.insert(key, turn).unwrap_or(0);
                }
            }
        }
        black_box(sum);
    };
    Subject {
        name: "hashbrown",
        run: Box::new(run),
    }
}

/// Operations a microsecond, for a slice.
fn rate(subject: &Subject, work: Work, random: &mut fastrand::Rng, keys: u64) -> f64 {
    let begun = Instant::now();
    let mut done = 0;
    loop {
        (subject.run)(work, random, keys);
        done += CHUNK;
        let taken = begun.elapsed();
        if taken >= SLICE {
            return done as f64 / taken.as_nanos() as f64 * 1e3;
        }
    }
}

/// All sizes and loads.
pub(crate) fn run() {
    for (keys, load) in [(10_000, 2.0), (10_000_000, 2.0), (10_000_000, 2.8)] {
        println!("{keys} entries, {load} to a line, one thread");
        let mut subjects = vec![
            subject::<Headed<Together>>("header", keys, load),
            subject::<Headed<Apart>>("apart", keys, load),
            subject::<Quotient<true>>("quotient, chain", keys, load),
            unshared(keys),
            subject::<OneLine>("one line", keys, load),
        ];
        // A claim there looks through the whole shard.
        if keys < 100_000 {
            subjects.push(subject::<Quotient<false>>("quotient, next", keys, load));
        }
        for (title, work) in Work::ALL {
            let mut random = fastrand::Rng::with_seed(1);
            let mut rates = vec![Vec::new(); subjects.len()];
            for round in 0..ROUNDS {
                for turn in 0..subjects.len() {
                    let which = (turn + round) % subjects.len();
                    rates[which].push(rate(&subjects[which], work, &mut random, keys));
                }
            }
            println!("  {title}: Mops/s, and times `quotient, chain` (95 % of {ROUNDS} rounds)");
            for (subject, own) in subjects.iter().zip(&rates) {
                let rate = spread(own).map_or(0.0, |spread| spread.median);
                let some = |rates: &[f64]| rates.iter().copied().map(Some).collect::<Vec<_>>();
                let ratio = paired_ratio(&some(own), &some(&rates[2]));
                let ratio = ratio.map_or(String::new(), |ratio| {
                    let [low, high] = [ratio.low, ratio.high];
                    format!("{:.2} ({low:.2}-{high:.2})", ratio.estimate)
                });
                println!("    {:<16} {rate:>7.1}  {ratio}", subject.name);
            }
        }
    }
}
