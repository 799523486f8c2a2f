//! Rates that must not collapse. Only in release builds; as ratios, in interleaved rounds.
//!
//! Elsewhere: a map in which hot keys are removed and inserted again fell to a fraction of its
//! rate on uniform keys, because of tombstones and repeated resizes.
#![cfg(not(debug_assertions))]

use atomshard::ShardMap;
use core::hint::black_box;
use core::time::Duration;
use foldhash::fast::RandomState;
use std::thread;
use std::time::Instant;

const KEYS: usize = 100_000;
const ROUNDS: usize = 7;

/// 70 % get, 20 % insert, 10 % remove, over `keys` in order, by two threads; the time it takes.
fn run(map: &ShardMap<u64, u64, RandomState>, keys: &[Vec<u64>; 2]) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        for mine in keys {
            scope.spawn(move || {
                for (i, key) in mine.iter().enumerate() {
                    let map = map.pin();
                    match i % 10 {
                        0..7 => drop(black_box(map.get(key))),
                        7 | 8 => drop(black_box(map.insert(*key, *key))),
                        _ => drop(black_box(map.remove(key))),
                    }
                }
            });
        }
    });
    start.elapsed()
}

/// Keys by Zipf's law with exponent 0.99, drawn from its cumulative distribution.
fn zipf(rng: &mut fastrand::Rng, count: usize) -> Vec<u64> {
    let mut sum = 0.0;
    let cumulative: Vec<f64> = (1..=KEYS)
        .map(|rank| {
            #[expect(clippy::cast_precision_loss, reason = "ranks are small")]
            let rank = rank as f64;
            sum += rank.powf(-0.99);
            sum
        })
        .collect();
    (0..count)
        .map(|_| {
            let at = rng.f64() * sum;
            let rank = cumulative.partition_point(|c| *c < at);
            // Hot keys are not neighbours.
            (rank as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        })
        .collect()
}

fn uniform(rng: &mut fastrand::Rng, count: usize) -> Vec<u64> {
    (0..count)
        .map(|_| rng.u64(0..KEYS as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .collect()
}

fn filled() -> ShardMap<u64, u64, RandomState> {
    (0..KEYS as u64)
        .map(|k| (k.wrapping_mul(0x9E37_79B9_7F4A_7C15), k))
        .collect()
}

#[test]
fn zipf_keeps_a_third_of_the_uniform_rate() {
    let mut rng = fastrand::Rng::with_seed(1);
    let count = 400_000;
    let even = [uniform(&mut rng, count), uniform(&mut rng, count)];
    let skewed = [zipf(&mut rng, count), zipf(&mut rng, count)];
    let (even_map, skewed_map) = (filled(), filled());
    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let even = run(&even_map, &even).as_secs_f64();
            even / run(&skewed_map, &skewed).as_secs_f64()
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ROUNDS / 2];
    assert!(
        median >= 1.0 / 3.0,
        "Zipf runs at {median:.2} of the uniform rate: {ratios:.2?}"
    );
}

/// One key removed and inserted all the time costs no more in the thousandth round than in the
/// first: nothing piles up behind it.
#[test]
fn a_hot_key_does_not_slow_down() {
    let map = filled();
    let rounds = 50_000;
    let mut times: Vec<f64> = (0..21)
        .map(|_| {
            let start = Instant::now();
            for i in 0..rounds {
                map.pin().remove(&7);
                map.pin().insert(7, i);
            }
            start.elapsed().as_secs_f64()
        })
        .collect();
    let mut late = times.split_off(11);
    times.remove(0);
    times.sort_by(f64::total_cmp);
    late.sort_by(f64::total_cmp);
    let (early, late) = (times[5], late[5]);
    assert!(
        late < 3.0 * early,
        "{late:.4} s for what took {early:.4} s before"
    );
}
