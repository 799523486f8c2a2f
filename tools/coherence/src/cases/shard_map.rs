//! The map: what each operation touches, alone and with others.
//!
//! Guards are held over the rounds, but for the case of the pin itself: a pin without `membarrier` has
//! a fence, and the accounts are to be the same on every machine.

use super::{PRESENT, SameHash, Spec, THREADS, absent, present};
use crate::{Case, Output, Worker};
use atomshard::{LocalGuard, Padded, ShardMap};

type Map = ShardMap<u64, u64, SameHash>;

/// Room for what all threads insert, so that nothing grows but where that is the case.
const ROOM: usize = 4000;

const STRUCTURE: &str = "shard_map";

pub(super) const SPECS: &[Spec] = &[
    Spec::new(STRUCTURE, "get, present", THREADS, get_present),
    Spec::new(STRUCTURE, "get, absent", THREADS, get_absent),
    Spec::new(STRUCTURE, "insert, new", THREADS, insert_new),
    Spec::new(STRUCTURE, "insert, present", THREADS, insert_present),
    Spec::new(STRUCTURE, "remove", THREADS, remove),
    Spec {
        threads: &[1, 2],
        operations: 10,
        ..Spec::new(
            STRUCTURE,
            "insert, its shard growing",
            THREADS,
            insert_growing,
        )
    },
];

fn empty(room: usize) -> Box<Padded<Map>> {
    Box::new(Padded::new(Map::with_capacity_and_hasher(
        room,
        SameHash::default(),
    )))
}

fn filled() -> Box<Padded<Map>> {
    let map = empty(ROOM);
    for key in 0..PRESENT {
        map.pin().insert(key, key);
    }
    map
}

fn get_present(case: Case) -> Output {
    case.observe(filled, |map, worker: &Worker| {
        let guard = map.guard();
        for key in 0..PRESENT {
            let value = map.get(&key, &guard);
            worker.read(value.expect("the key is present"));
        }
        for round in worker.rounds() {
            let key = present(worker.index(), round);
            worker.operation(|| {
                let value = map.get(&key, &guard);
                worker.read(value.expect("the key is present"));
            });
        }
    })
}

fn get_absent(case: Case) -> Output {
    case.observe(filled, |map, worker: &Worker| {
        let guard = map.guard();
        for round in 0..worker.round_count() {
            map.get(&absent(worker.index(), round), &guard);
        }
        for round in worker.rounds() {
            let key = absent(worker.index(), round);
            worker.operation(|| assert!(map.get(&key, &guard).is_none()));
        }
    })
}

fn insert_new(case: Case) -> Output {
    case.observe(filled, |map, worker: &Worker| {
        let guard = map.guard();
        map.insert(absent(worker.index(), worker.round_count()), 0, &guard);
        for round in worker.rounds() {
            let key = absent(worker.index(), round);
            worker.operation(|| assert!(map.insert(key, key, &guard).is_none()));
        }
    })
}

fn insert_present(case: Case) -> Output {
    case.observe(filled, |map, worker: &Worker| {
        let guard = map.guard();
        retire_some(map, worker, &guard);
        for round in worker.rounds() {
            let key = present(worker.index(), round);
            worker.operation(|| {
                let old = map.insert(key, key, &guard);
                worker.read(old.expect("the key is present"));
            });
        }
    })
}

fn remove(case: Case) -> Output {
    case.observe(filled, |map, worker: &Worker| {
        let guard = map.guard();
        retire_some(map, worker, &guard);
        for round in 0..worker.round_count() {
            map.insert(absent(worker.index(), round), 0, &guard);
        }
        for round in worker.rounds() {
            let key = absent(worker.index(), round);
            worker.operation(|| {
                let old = map.remove(&key, &guard);
                worker.read(old.expect("the key is present"));
            });
        }
    })
}

/// Makes the list of what the thread has removed as long as it will get, so that it does not grow
/// among the operations.
fn retire_some(map: &Map, worker: &Worker, guard: &LocalGuard<'_>) {
    let key = absent(worker.index(), 9_999);
    for _ in 0..=worker.round_count().next_power_of_two() {
        map.insert(key, key, guard);
        map.remove(&key, guard);
    }
}

/// Keys that fall on the first shard: the map multiplies a hash by an odd number, and the upper bits
/// choose.
fn of_first_shard() -> impl Iterator<Item = u64> {
    const FIBONACCI: u64 = 0x9e37_79b9_7f4a_7c15;
    (0_u64..).filter(|key| key.wrapping_mul(FIBONACCI) >> 59 == 0)
}

/// Each operation moves a step of the table besides: the last ten of a table's move.
fn insert_growing(case: Case) -> Output {
    // A table that is about to be exchanged is found with a map that is thrown away.
    let keys: Vec<u64> = of_first_shard().take(1000).collect();
    let trial = Map::with_capacity_and_hasher(2000, SameHash::default());
    let before = trial.capacity();
    let full = keys.iter().position(|key| {
        trial.pin().insert(*key, *key);
        trial.capacity() != before
    });
    let full = full.expect("a shard of 1,000 keys grows");
    drop(trial);
    let (old, new) = keys[..=full].split_at(full - 9);
    let make = || {
        let map = empty(2000);
        for key in old {
            map.pin().insert(*key, *key);
        }
        map
    };
    case.observe(make, |map, worker: &Worker| {
        let guard = map.guard();
        for round in worker.rounds() {
            let key = new[worker.index() * worker.round_count() + round];
            worker.operation(|| assert!(map.insert(key, key, &guard).is_none()));
        }
    })
}
