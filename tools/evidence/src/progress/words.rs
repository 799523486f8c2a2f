//! The rows of `WordMap`: all keys in one shard, where they decide by themselves which line they lie in.

use super::{Account, Part, Row, Wanted, account, answered};
use crate::freeze::{Act, Attack, Doing, Subject};
use crate::words::{Lie, Unmixed};
use atomshard::WordMap;

type Map = WordMap<u64, u64, Unmixed>;

/// The key that everybody is after.
const HOT: u64 = 1;

/// Keys that lie in the same line.
const fn beside(n: u64) -> u64 {
    HOT | n << 8
}

/// Keys that lie in all lines.
fn spread(n: u64) -> u64 {
    Lie::OneShard.place(n)
}

/// The part of the table.
pub(super) const PART: Part = Part {
    name: "WordMap",
    accounts,
};

fn accounts(wanted: Wanted<'_>) -> Vec<Account> {
    let subject = |(name, keys, others): (&'static str, u64, u64)| {
        let subject = Subject {
            make: Box::new(move || filled(keys, others)),
            warm: |map: &Map| {
                map.insert(HOT, 0);
            },
            program,
            attacks: ATTACKS,
        };
        (name, subject)
    };
    let subjects: Vec<_> = phases().into_iter().map(subject).collect();
    account(&subjects, rows(), wanted)
}

/// States: a name, how many keys in all lines, how many beside the hot one.
fn phases() -> Vec<(&'static str, u64, u64)> {
    let sizes = capacities();
    // The last key before the table of this capacity; the large one's move takes several steps.
    let before = |at: usize| sizes[at] - 1;
    vec![
        ("empty", 0, 0),
        ("settled", 3, 0),
        ("full line", 0, 3),
        ("line with a link", 3, 6),
        ("about to move", before(2), 0),
        ("about to move in steps", before(sizes.len() - 1), 0),
        ("moves in steps", sizes[sizes.len() - 1], 0),
    ]
}

/// The numbers of keys with which a map has more room than with one less.
fn capacities() -> Vec<u64> {
    let map = filled(0, 0);
    let mut sizes = Vec::new();
    let mut capacity = 0;
    for key in 1..=400 {
        map.insert(spread(key), key);
        // A move that takes several steps ends with the next writes.
        for _ in 0..32 {
            map.insert(HOT, 0);
        }
        if map.capacity() != capacity {
            capacity = map.capacity();
            sizes.push(key);
        }
    }
    sizes
}

fn filled(keys: u64, others: u64) -> Map {
    let map = Map::with_hasher(Unmixed);
    if keys + others > 0 {
        map.insert(HOT, 0);
    }
    for key in (1..=keys).map(spread).chain((1..=others).map(beside)) {
        map.insert(key, key);
    }
    map
}

fn rows() -> Vec<Row<Map>> {
    let call = Row::call;
    vec![
        call("get", |map| answered(map.get(HOT))),
        call("get, absent", |map| answered(map.get(beside(99)))),
        call("insert, new", |map| answered(map.insert(beside(50), 0))),
        call("insert, replace", |map| answered(map.insert(HOT, 0))),
        call("insert_if_absent", |map| {
            answered(map.insert_if_absent(beside(50), 0))
        }),
        call("remove", |map| answered(map.remove(HOT))),
        call("fetch_add", |map| answered(map.fetch_add(HOT, 1))),
        call("compare_exchange", |map| {
            answered(map.compare_exchange(HOT, 0, 1))
        }),
        call("get_many", |map| {
            map.get_many(&[HOT, beside(2), beside(99)], &mut [None; 3]);
        }),
        call("insert_many", |map| {
            map.insert_many(&[(HOT, 1), (beside(50), 1)], &mut [None; 2]);
        }),
        call("iter", |map| assert!(map.iter().count() < 10_000)),
        call("retain", |map| map.retain(|key, _| key % 2 == 0)),
        call("clear", |map| map.clear()),
        call("reserve", |map| map.reserve(600)),
        call("shrink_to_fit", |map| map.shrink_to_fit()),
        Row::wait_free("len", |map| assert!(map.len() < 10_000)),
        Row::new(
            "a thread's first insert",
            Act::First(|map| answered(map.insert(beside(50), 0))),
        ),
    ]
}

/// What the others do while the victim is stopped: everything, on its key, beside it, and enough new keys to
/// move the table on.
fn program(map: &Map, me: usize, operation: &mut Doing<'_>) {
    let me = me as u64;
    let fresh = 1000 * (me + 1);
    let own = beside(60 + me);
    operation("get", &|| answered(map.get(HOT)));
    operation("fetch_add", &|| answered(map.fetch_add(HOT, 1)));
    operation("insert", &|| answered(map.insert(own, me)));
    operation("remove", &|| answered(map.remove(HOT)));
    operation("insert_if_absent", &|| {
        answered(map.insert_if_absent(HOT, me))
    });
    for key in fresh..fresh + 12 {
        operation("insert", &|| answered(map.insert(spread(key), key)));
    }
    operation("update_or_insert", &|| {
        answered(map.update_or_insert(HOT, |value| value + 1, 1))
    });
    if me == 0 {
        operation("iter", &|| assert!(map.iter().count() < 10_000));
    }
    operation("len", &|| assert!(map.len() < 10_000));
    for key in fresh..fresh + 12 {
        operation("remove", &|| {
            assert_eq!(map.get(spread(key)), map.remove(spread(key)));
        });
    }
    if me > 0 {
        operation("retain", &|| map.retain(|key, _| key != own));
        operation("reserve", &|| map.reserve(600));
        operation("shrink_to_fit", &|| map.shrink_to_fit());
    }
    operation("get_or_insert_with", &|| {
        answered(map.get_or_insert_with(HOT, || me))
    });
}

const ATTACKS: &[Attack<Map>] = &[
    ("overwriting", |map, round| answered(map.insert(HOT, round))),
    ("removing and inserting", |map, round| {
        if map.remove(HOT).is_none() {
            map.insert(HOT, round);
        }
    }),
    ("neighbours that come and go", |map, round| {
        let key = beside(100 + round / 2 % 9);
        if round % 2 == 0 {
            map.insert(key, round);
        } else {
            map.remove(key);
        }
    }),
    ("growing and shrinking", |map, round| match round % 40 {
        38 => map.retain(|key, _| key < 10_000),
        39 => map.shrink_to_fit(),
        _ => answered(map.insert(spread(10_000 + round), round)),
    }),
];
