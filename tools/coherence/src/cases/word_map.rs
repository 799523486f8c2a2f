//! The map of words: what each operation touches, alone and with others.

use super::{PRESENT, SameHash, Spec, THREADS, absent, present};
use crate::{Case, Output, Worker};
use atomshard::{Padded, WordMap};

type Map = WordMap<u64, u64, SameHash>;

/// Room for what all threads insert, so that nothing grows but where that is the case.
const ROOM: usize = 20_000;

/// Entries of a crowded map.
const CROWD: u64 = 100_000;
/// Those of an aged one, and how often it has had others instead.
const AGED: (u64, u64) = (60_000, 4);

const STRUCTURE: &str = "word_map";

pub(super) const SPECS: &[Spec] = &[
    Spec::new(STRUCTURE, "get, present", THREADS, get_present),
    Spec::new(STRUCTURE, "get, absent", THREADS, get_absent),
    that_pins("insert, new", insert_new),
    that_pins("insert, present", insert_present),
    that_pins("remove", remove),
    Spec::new(STRUCTURE, "get_many, 10 present", THREADS, get_many),
    Spec {
        verified: false,
        ..Spec::new(STRUCTURE, "get, absent, crowded", &[1], get_absent_crowded)
    },
    Spec {
        verified: false,
        ..Spec::new(STRUCTURE, "get, absent, aged", &[1], get_absent_aged)
    },
];

const fn that_pins(operation: &'static str, run: fn(Case) -> Output) -> Spec {
    Spec {
        verified: false,
        ..Spec::new(STRUCTURE, operation, THREADS, run)
    }
}

fn empty(room: usize) -> Box<Padded<Map>> {
    Box::new(Padded::new(Map::with_capacity_and_hasher(
        room,
        SameHash::default(),
    )))
}

fn filled() -> Box<Padded<Map>> {
    let map = empty(ROOM);
    for key in 0..PRESENT {
        map.insert(key, key);
    }
    map
}

/// What a thread needs once: its record and its heap.
fn meet(map: &Map, worker: &Worker) {
    map.insert(absent(worker.index(), 9_999), 0);
    map.remove(absent(worker.index(), 9_999));
}

fn get_present(case: Case) -> Output {
    case.observe(filled, |map, worker: &Worker| {
        for key in 0..PRESENT {
            assert_eq!(map.get(key), Some(key));
        }
        for round in worker.rounds() {
            let key = present(worker.index(), round);
            worker.operation(|| assert_eq!(map.get(key), Some(key)));
        }
    })
}

fn get_absent(case: Case) -> Output {
    case.observe(filled, |map, worker: &Worker| {
        for round in 0..worker.round_count() {
            map.get(absent(worker.index(), round));
        }
        for round in worker.rounds() {
            let key = absent(worker.index(), round);
            worker.operation(|| assert!(map.get(key).is_none()));
        }
    })
}

/// In a map that has grown to where its tables double at a high load, so that many lines have links.
fn get_absent_crowded(case: Case) -> Output {
    get_absent_after((CROWD, 0), case)
}

/// In such a map whose keys have come and gone, so that most lines have had links.
fn get_absent_aged(case: Case) -> Output {
    get_absent_after(AGED, case)
}

/// In a map that was filled, and then had as many other keys so many times, the first in, first out.
fn get_absent_after((entries, lifetimes): (u64, u64), case: Case) -> Output {
    let end = (1 + lifetimes) * entries;
    let filled = || {
        let map = empty(0);
        for key in 0..end {
            map.insert(key, key);
            if let Some(oldest) = key.checked_sub(entries) {
                map.remove(oldest);
            }
        }
        map
    };
    case.observe(filled, |map, worker: &Worker| {
        for round in worker.rounds() {
            let key = end + absent(worker.index(), round);
            worker.operation(|| assert!(map.get(key).is_none()));
        }
    })
}

fn insert_new(case: Case) -> Output {
    case.observe(filled, |map, worker: &Worker| {
        meet(map, worker);
        for round in worker.rounds() {
            let key = absent(worker.index(), round);
            worker.operation(|| assert!(map.insert(key, key).is_none()));
        }
    })
}

fn insert_present(case: Case) -> Output {
    case.observe(filled, |map, worker: &Worker| {
        meet(map, worker);
        for round in worker.rounds() {
            let key = present(worker.index(), round);
            worker.operation(|| assert!(map.insert(key, key).is_some()));
        }
    })
}

fn remove(case: Case) -> Output {
    case.observe(filled, |map, worker: &Worker| {
        meet(map, worker);
        for round in 0..worker.round_count() {
            map.insert(absent(worker.index(), round), 0);
        }
        for round in worker.rounds() {
            let key = absent(worker.index(), round);
            worker.operation(|| assert!(map.remove(key).is_some()));
        }
    })
}

fn get_many(case: Case) -> Output {
    case.observe(filled, |map, worker: &Worker| {
        for key in 0..PRESENT {
            assert_eq!(map.get(key), Some(key));
        }
        for round in worker.rounds() {
            let keys: [u64; 10] = core::array::from_fn(|i| present(worker.index(), 10 * round + i));
            let mut values = [None; 10];
            worker.operation(|| map.get_many(&keys, &mut values));
            assert!(values.iter().all(Option::is_some));
        }
    })
}
