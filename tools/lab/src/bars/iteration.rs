//! Nanoseconds per entry of a walk over the whole map.
use super::{Bar, Effort};
use crate::engines::{Batch as _, Dash, PapayaPin, SccMap, ShardMapPin, Store, Worker as _};
use core::hint::black_box;
use measure::stats::geometric_mean;
use std::time::Instant;

/// Of the group.
pub(super) const NAME: &str = "iteration";
/// What it takes on 2 cores of a Zen 5, for the estimate.
pub(super) const SECONDS: f64 = 45.0;
/// Walks over the rivals' maps, which are told and not judged; papaya takes seconds for one.
const RIVAL_ROUNDS: usize = 3;

/// Walks over all maps in rotated rounds.
pub(super) fn measure(effort: Effort) -> Vec<Bar> {
    [1_000_000, 10_000_000]
        .map(|entries| at(entries / effort.divisor, effort))
        .into()
}

type Walk = Box<dyn FnMut() -> f64>;

fn at(entries: u32, effort: Effort) -> Bar {
    let mut walks: Vec<(&str, Walk, Vec<f64>)> = vec![
        ("ShardMap", walk::<ShardMapPin<u64>>(entries), Vec::new()),
        ("papaya", walk::<PapayaPin<u64>>(entries), Vec::new()),
        ("dashmap", walk::<Dash<u64>>(entries), Vec::new()),
        ("scc::HashMap", walk::<SccMap<u64>>(entries), Vec::new()),
    ];
    let count = walks.len();
    for round in 0..effort.rounds {
        for place in 0..count {
            let who = (place + round) % count;
            if who == 0 || round < RIVAL_ROUNDS {
                let (_, walk, found) = &mut walks[who];
                found.push(walk());
            }
        }
    }
    let mean = |found: &[f64]| geometric_mean(found).map_or(0.0, |mean| mean.estimate);
    let ours = geometric_mean(&walks[0].2);
    let theirs: Vec<String> = walks[1..]
        .iter()
        .map(|(name, _, found)| format!("{name} {:.1} ns", mean(found)))
        .collect();
    Bar {
        case: format!("{NAME}, {entries} entries"),
        asks: "<= 20 ns per entry".to_owned(),
        ours: ours.map_or_else(String::new, |ours| format!("{:.1} ns", ours.estimate)),
        theirs: theirs.join(", "),
        found: ours,
        rests_on: "rounds",
        verdict: ours.map(|ours| ours.at_most(20.0)),
        why_not: None,
    }
}

/// A map of so many entries and a walk over it, in ns per entry.
fn walk<E: Store<u64> + 'static>(entries: u32) -> Walk {
    let mut store = E::new(1);
    {
        let mut worker = store.worker(0);
        for key in 0..u64::from(entries) {
            worker.batch().put(&key, key);
        }
    }
    Box::new(move || {
        let mut sum = 0_u64;
        let start = Instant::now();
        store.each(&mut |key, value| sum = sum.wrapping_add(key ^ value));
        let took = start.elapsed();
        black_box(sum);
        took.as_secs_f64() * 1e9 / f64::from(entries.max(1))
    })
}
