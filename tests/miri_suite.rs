//! A reduced suite for Miri: few threads, tens of operations, everything that moves memory.
//!
//! `cargo xtask evidence --only miri` runs it. Miri checks each access for undefined behaviour and
//! data races, runs another interleaving for each seed, and lets loads see old values as the memory
//! model allows. Under it the library has fewer shards and shorter steps, so that tens of entries
//! meet every kind of move; the tests are ordinary ones too, and run in every suite.

use atomshard::{Guard as _, Operation, ResizeMode, ShardMap};
use core::hash::BuildHasher;
use evidence::checker::check;
use evidence::drops::{Ledger, Token, TokenKey};
use evidence::hashers::{Identity, OneHash, OneShard};
use evidence::seed::seeds;
use evidence::subject::{Checked, Payload as _, Sharded};
use evidence::workload::{Plan, run};
use foldhash::fast::RandomState;
use std::sync::Arc;
use std::thread;

/// Entries that take a young map past its fan-out: the smallest that meets every kind of move.
const FAN_OUT: u64 = if cfg!(miri) { 36 } else { 230 };

/// The smallest capacity of a map that has fanned out: two lines for each shard.
const FANNED_OUT: usize = if cfg!(miri) { 32 } else { 256 };

const MIRI_PLAN: Plan = Plan {
    threads: 2,
    ops: 12,
    keys: 2,
    storms: 1,
    wave: 9,
    filled: 0,
    // Past the fan-out, and no further: Miri takes a second for hundreds of lines that move.
    room: if cfg!(miri) { 2 * FANNED_OUT } else { 512 },
    bulk: 6,
    disturb: true,
    time: false,
};

fn histories<S: BuildHasher + Sync>(plan: Plan, hasher: impl Fn() -> S) {
    for seed in seeds(1) {
        let map = Sharded::<Checked, S>::with_mode(hasher(), ResizeMode::Incremental(1));
        if let Err(violation) = check(&run(&map, plan, seed)) {
            panic!("ATOMSHARD_SEED={seed}: {violation}");
        }
        let map = Sharded::<u64, S>::new(hasher()).with_owned_guards();
        if let Err(violation) = check(&run(&map, plan, seed)) {
            panic!("ATOMSHARD_SEED={seed}: {violation}");
        }
    }
}

#[test]
fn miri_histories() {
    histories(MIRI_PLAN, RandomState::default);
}

#[test]
fn miri_histories_on_one_hash() {
    histories(MIRI_PLAN, || OneHash(7));
}

/// Two threads take the map through all its sizes, up and down, a third reads and iterates.
#[test]
fn miri_growing_and_shrinking() {
    let map: ShardMap<u64, Checked, RandomState> = ShardMap::builder()
        .hasher(RandomState::default())
        .resize_mode(ResizeMode::Incremental(1))
        .build();
    map.pin().insert(u64::MAX, Checked::of(0));
    thread::scope(|scope| {
        for t in 0..2 {
            let map = &map;
            scope.spawn(move || {
                for key in (t..FAN_OUT).step_by(2) {
                    assert!(map.pin().insert(key, Checked::of(key)).is_none());
                }
                for key in (t..FAN_OUT).step_by(2) {
                    assert_eq!(map.pin().remove(&key).map(Checked::read), Some(key));
                }
                map.pin().shrink_to_fit();
            });
        }
        scope.spawn(|| {
            for _ in 0..4 {
                assert_eq!(map.pin().get(&u64::MAX).map(Checked::read), Some(0));
                let pinned = map.pin();
                let stable = pinned.iter().filter(|(key, _)| **key == u64::MAX).count();
                assert_eq!(stable, 1);
                assert!(
                    pinned
                        .iter()
                        .all(|(key, value)| *key == u64::MAX || value.read() == *key)
                );
                thread::yield_now();
            }
        });
    });
    assert_eq!((map.len(), map.pin().iter().count()), (1, 1));
}

/// Overflow lines: more keys on one hash than a line holds, removed and inserted by two threads.
#[test]
fn miri_colliding_keys() {
    let map: ShardMap<u64, Checked, OneHash> = ShardMap::with_hasher(OneHash(0));
    thread::scope(|scope| {
        for t in 0..2 {
            let map = &map;
            scope.spawn(move || {
                for key in (t..16).step_by(2) {
                    map.pin().insert(key, Checked::of(key));
                    assert_eq!(map.pin().get(&key).map(Checked::read), Some(key));
                }
                for key in (t..8).step_by(2) {
                    assert_eq!(map.pin().remove(&key).map(Checked::read), Some(key));
                }
            });
        }
    });
    let mut left: Vec<u64> = map.pin().keys().copied().collect();
    left.sort_unstable();
    assert!(left.into_iter().eq(8..16));
}

/// Claims on one absent key: one wins, the others see its value.
#[test]
fn miri_claims_on_one_key() {
    for _ in 0..3 {
        let map: ShardMap<u64, u64> = ShardMap::new();
        let wins: usize = thread::scope(|scope| {
            let claims: Vec<_> = (0..3_u64)
                .map(|t| {
                    let map = &map;
                    scope.spawn(move || match map.pin().try_insert(1, t) {
                        Ok(_) => 1,
                        Err(refused) => {
                            assert_eq!(Some(refused.current), map.pin().get(&1));
                            0
                        }
                    })
                })
                .collect();
            claims
                .into_iter()
                .map(|c| c.join().expect("no panic"))
                .sum()
        });
        assert_eq!((wins, map.len()), (1, 1));
    }
}

/// Increments by two threads on a counter whose bucket moves under them.
#[test]
fn miri_updates_while_tables_move() {
    let map: ShardMap<u64, u64, Identity> = ShardMap::with_hasher(Identity);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..12 {
                    map.pin().update_or_insert(0, |n| n + 1, 1);
                    map.pin().compute(0, |entry| {
                        Operation::<u64, ()>::Insert(entry.map_or(1, |(_, n)| n + 1))
                    });
                }
            });
        }
        scope.spawn(|| {
            for key in 1..FAN_OUT {
                map.pin().insert(key, key);
            }
            map.pin().retain(|key, _| *key == 0);
            map.pin().shrink_to_fit();
        });
    });
    assert_eq!(map.pin().get(&0), Some(&48));
}

/// Every key and value is dropped once, by three threads, with garbage pending at the end.
#[test]
fn miri_drops() {
    let ledger = Ledger::new(1000);
    let map: ShardMap<TokenKey, Token> = ShardMap::new();
    thread::scope(|scope| {
        for t in 0..3_u64 {
            let (map, ledger) = (&map, &ledger);
            scope.spawn(move || {
                for i in 0..12 {
                    let id = (i + t) % 5;
                    let map = map.pin();
                    map.insert(TokenKey::new(id, ledger), Token::new(ledger));
                    match i % 4 {
                        0 => drop(map.remove(&id)),
                        1 => drop(map.update(TokenKey::new(id, ledger), Token::clone)),
                        2 => drop(map.compute(TokenKey::new(id, ledger), |entry| match entry {
                            Some(_) => Operation::<Token, ()>::Remove,
                            None => Operation::Insert(Token::new(ledger)),
                        })),
                        _ => drop(map.try_insert(TokenKey::new(id, ledger), Token::new(ledger))),
                    }
                }
            });
        }
    });
    map.pin().retain(|key, _| key.id != 2);
    map.pin().remove(&1);
    drop(map);
    ledger.assert_live(0);
}

/// A consumed map, walked in part; a cleared one; one that is dropped half way through a move.
#[test]
fn miri_ends_of_maps() {
    let filled = |n: u64, ledger: &Arc<Ledger>| {
        let map: ShardMap<TokenKey, Token> = ShardMap::new();
        for id in 0..n {
            map.pin()
                .insert(TokenKey::new(id, ledger), Token::new(ledger));
        }
        map
    };
    let ledger = Ledger::new(80);
    let mut part = filled(20, &ledger).into_iter();
    assert!(part.next().is_some());
    drop(part);
    let cleared = filled(20, &ledger);
    cleared.pin().clear();
    assert!(cleared.is_empty());
    drop(cleared);
    ledger.assert_live(0);
    for n in [FAN_OUT / 6, FAN_OUT / 2, FAN_OUT] {
        let ledger = Ledger::new(2 * 230);
        let map = filled(n, &ledger);
        assert!(n < FAN_OUT || map.capacity() >= FANNED_OUT, "no fan-out");
        drop(map);
        ledger.assert_live(0);
    }
}

/// Guards that move to other threads, and references that live as long as the guard.
#[test]
fn miri_guards() {
    let map: Arc<ShardMap<u64, Checked>> = Arc::default();
    map.pin().insert(1, Checked::of(1));
    let pinned = map.pin();
    let first = pinned.get(&1).expect("there");
    thread::scope(|scope| {
        let guard = map.owned_guard();
        let map = &map;
        scope.spawn(move || {
            assert_eq!(
                map.insert(1, Checked::of(2), &guard).map(Checked::read),
                Some(1)
            );
            let second = map.get(&1, &guard).expect("there");
            map.remove(&1, &guard);
            assert_eq!(second.read(), 2);
            guard.flush();
        });
    });
    assert_eq!((first.read(), pinned.get(&1).map(Checked::read)), (1, None));
}

/// An iterator that is left half way while the table it walks is replaced.
#[test]
fn miri_iteration_while_tables_move() {
    const STABLE: u64 = 12;
    let map: ShardMap<u64, Checked> = ShardMap::new();
    for key in 0..STABLE {
        map.pin().insert(key, Checked::of(key));
    }
    let pinned = map.pin();
    let mut iterator = pinned.iter();
    let mut seen: Vec<u64> = iterator.by_ref().take(5).map(|(_, v)| v.read()).collect();
    thread::scope(|scope| {
        scope.spawn(|| {
            for key in STABLE..FAN_OUT {
                map.pin().insert(key, Checked::of(key));
            }
            map.pin().retain(|key, _| *key < STABLE);
            map.pin().shrink_to_fit();
        });
        seen.extend(iterator.map(|(_, v)| v.read()));
    });
    seen.retain(|key| *key < STABLE);
    seen.sort_unstable();
    assert!(
        seen.into_iter().eq(0..STABLE),
        "present throughout, seen exactly once"
    );
}

/// The frozen slots of a table that is half moved still lead to entries that have been replaced in
/// the new table, and freed: who comes later must not look behind them.
#[test]
fn miri_frozen_slots_of_freed_entries() {
    let map: ShardMap<u64, String, OneShard> = ShardMap::builder()
        .hasher(OneShard)
        .resize_mode(ResizeMode::Incremental(1))
        .build();
    // The shard's table doubles in four steps: from 64 lines on at 303, or under Miri from 8.
    let watched = if cfg!(miri) { 20..48 } else { 300..312 };
    let mut before = 0;
    for n in 0..watched.end {
        map.pin().insert(n, String::new());
        if n < watched.start {
            before = map.capacity();
            continue;
        }
        map.pin().insert(0, n.to_string());
        map.guard().flush();
        let pinned = map.pin();
        assert_eq!(pinned.get(&0), Some(&n.to_string()));
        assert!(
            pinned
                .iter()
                .all(|(key, value)| value.is_empty() == (*key > 0))
        );
    }
    assert!(
        map.capacity() > before,
        "no table moved while it was watched"
    );
}
