//! Nanoseconds per entry of a walk over the whole map.
use super::{Bar, Effort};
use crate::engines::{Batch as _, Dash, PapayaPin, SccMap, ShardMapPin, Store, Words, Worker as _};
use core::hint::black_box;
use measure::stats::geometric_mean;
use std::time::Instant;

/// Of the bars, by our map.
pub(super) const NAMES: [&str; 2] = ["iteration, ShardMap", "iteration, WordMap"];
/// Walks over the rivals' maps, which are told and not judged; papaya takes seconds for one.
const RIVAL_ROUNDS: usize = 3;

/// Walks over all maps in rotated rounds; of ours, those that are chosen.
pub(super) fn measure(effort: Effort, chosen: &[&str]) -> Vec<Bar> {
    [1_000_000, 10_000_000]
        .into_iter()
        .flat_map(|entries| at(entries / effort.divisor, effort, chosen))
        .collect()
}

type Walk = Box<dyn FnMut() -> f64>;

/// A map in the rounds.
struct Lane {
    name: &'static str,
    /// The most that it may take, in ns an entry; of ours.
    most: Option<f64>,
    walk: Walk,
    found: Vec<f64>,
}

fn at(entries: u32, effort: Effort, chosen: &[&str]) -> Vec<Bar> {
    let lane = |name, most, walk: fn(u32) -> Walk| Lane {
        name,
        most,
        walk: walk(entries),
        found: Vec::new(),
    };
    let mut lanes = Vec::new();
    let [shard_map, word_map] = NAMES.map(|name| chosen.contains(&name));
    if shard_map {
        lanes.push(lane("ShardMap", Some(20.0), walk::<ShardMapPin<u64>>));
    }
    if word_map {
        lanes.push(lane("WordMap", Some(4.0), walk::<Words>));
    }
    lanes.extend([
        lane("papaya", None, walk::<PapayaPin<u64>>),
        lane("dashmap", None, walk::<Dash<u64>>),
        lane("scc::HashMap", None, walk::<SccMap<u64>>),
    ]);
    let count = lanes.len();
    for round in 0..effort.rounds {
        for place in 0..count {
            let lane = &mut lanes[(place + round) % count];
            if lane.most.is_some() || round < RIVAL_ROUNDS {
                lane.found.push((lane.walk)());
            }
        }
    }
    let mean = |found: &[f64]| geometric_mean(found).map_or(0.0, |mean| mean.estimate);
    let theirs = lanes.iter().filter(|lane| lane.most.is_none());
    let theirs: Vec<String> = theirs
        .map(|lane| format!("{} {:.1} ns", lane.name, mean(&lane.found)))
        .collect();
    let ours = lanes.iter().filter_map(|lane| {
        let most = lane.most?;
        let found = geometric_mean(&lane.found);
        Some(Bar {
            case: format!("iteration, {entries} entries"),
            asks: format!("{} <= {most} ns per entry", lane.name),
            ours: found.map_or_else(String::new, |found| format!("{:.1} ns", found.estimate)),
            theirs: theirs.join(", "),
            found,
            rests_on: "rounds",
            verdict: found.map(|found| found.at_most(most)),
            why_not: None,
        })
    });
    ours.collect()
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
        store.each(|key, value| sum = sum.wrapping_add(key ^ value));
        let took = start.elapsed();
        black_box(sum);
        took.as_secs_f64() * 1e9 / f64::from(entries.max(1))
    })
}
