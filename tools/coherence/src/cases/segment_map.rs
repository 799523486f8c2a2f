//! The map of segments with a lock each, whose heads lie one after another.

use super::{PRESENT, SameHash, Spec, THREADS, absent, present};
use crate::{Case, Output, Worker};
use atomshard::Padded;
use baselines::SegmentMap;

type Map = SegmentMap<u64, u64, SameHash>;

/// As many segments as a Java map of its seventh version has by itself.
const SEGMENTS: usize = 16;
/// Buckets, enough for short chains.
const BUCKETS: usize = 4096;

const STRUCTURE: &str = "segment_map";

pub(super) const SPECS: &[Spec] = &[
    Spec::new(STRUCTURE, "get, present", THREADS, get_present),
    Spec::new(STRUCTURE, "get, absent", THREADS, get_absent),
    Spec::new(STRUCTURE, "insert, new", THREADS, insert_new),
    Spec::new(STRUCTURE, "insert, present", THREADS, insert_present),
    Spec::new(STRUCTURE, "remove", THREADS, remove),
];

fn filled() -> Box<Padded<Map>> {
    let map = Map::new(SEGMENTS, BUCKETS, SameHash::default());
    let map = Box::new(Padded::new(map));
    for key in 0..PRESENT {
        map.insert(key, key);
    }
    map
}

fn get_present(case: Case) -> Output {
    case.observe(filled, |map, worker: &Worker| {
        (0..PRESENT).for_each(|key| assert!(map.get(&key).is_some()));
        for round in worker.rounds() {
            let key = present(worker.index(), round);
            worker.operation(|| assert!(map.get(&key).is_some()));
        }
    })
}

fn get_absent(case: Case) -> Output {
    case.observe(filled, |map, worker: &Worker| {
        for round in 0..worker.round_count() {
            map.get(&absent(worker.index(), round));
        }
        for round in worker.rounds() {
            let key = absent(worker.index(), round);
            worker.operation(|| assert!(map.get(&key).is_none()));
        }
    })
}

fn insert_new(case: Case) -> Output {
    case.observe(filled, |map, worker: &Worker| {
        for round in worker.rounds() {
            let key = absent(worker.index(), round);
            worker.operation(|| assert!(map.insert(key, key).is_none()));
        }
    })
}

fn insert_present(case: Case) -> Output {
    case.observe(filled, |map, worker: &Worker| {
        for round in worker.rounds() {
            let key = present(worker.index(), round);
            worker.operation(|| assert!(map.insert(key, key).is_some()));
        }
    })
}

fn remove(case: Case) -> Output {
    case.observe(filled, |map, worker: &Worker| {
        for round in 0..worker.round_count() {
            map.insert(absent(worker.index(), round), 0);
        }
        for round in worker.rounds() {
            let key = absent(worker.index(), round);
            worker.operation(|| assert!(map.remove(&key).is_some()));
        }
    })
}
