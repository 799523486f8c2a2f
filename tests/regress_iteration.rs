//! Iterators while the table moves: what is present throughout comes exactly once.
//!
//! scc 3.0.3 to 3.4: an iterator read the old state of a bucket that had moved. papaya: iteration
//! has to finish a running resize first; here it must not need to.

use atomshard::{ResizeMode, ShardMap};
use core::hash::BuildHasher;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::time::Duration;
use evidence::hashers::{HighBits, Identity, MiddleBits, OneHash, OneShard};
use evidence::key::{Key, disturb_this_thread};
use evidence::seed::stress;
use evidence::subject::{Checked, Payload as _};
use evidence::watchdog::{Watchdog, step};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::thread;

fn limit(name: &'static str) -> Watchdog {
    Watchdog::new(name, Duration::from_secs(60 * stress()))
}

/// Keys below `overwritten` are overwritten all the time, the rest of the stable ones never.
struct Plan {
    stable: u64,
    overwritten: u64,
    passing: u64,
    rounds: u64,
}

/// Iterates while keys above the stable ones come and go, and the table with them.
fn iterate<S: BuildHasher + Sync>(map: &ShardMap<Key, Checked, S>, plan: &Plan) {
    for key in 0..plan.stable {
        map.pin().insert(Key(key), Checked::of(key));
    }
    let stop = AtomicBool::new(false);
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let passing = plan.stable..plan.stable + plan.passing;
                for key in passing.clone() {
                    step();
                    map.pin().insert(Key(key), Checked::of(key));
                }
                for key in passing {
                    map.pin().remove(&Key(key));
                }
                map.pin().shrink_to_fit();
            }
        });
        scope.spawn(|| {
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) && plan.overwritten > 0 {
                n += 1;
                for key in 0..plan.overwritten {
                    step();
                    map.pin().insert(Key(key), Checked::of(n << 32 | key));
                }
            }
        });
        let walkers: Vec<_> = (0..2)
            .map(|t| {
                let (map, done) = (&map, &done);
                scope.spawn(move || {
                    disturb_this_thread(t + 1);
                    for round in 0..plan.rounds {
                        let mut seen: HashMap<u64, u32> = HashMap::new();
                        let pinned = map.pin();
                        for (key, value) in &pinned {
                            assert_eq!(value.read() & 0xFFFF_FFFF, key.0, "another key's value");
                            *seen.entry(key.0).or_default() += 1;
                            if t == 1 && seen.len().is_multiple_of(16) {
                                thread::yield_now();
                            }
                        }
                        for key in 0..plan.stable {
                            let times = seen.get(&key).copied().unwrap_or(0);
                            let kind = if key < plan.overwritten {
                                "overwritten"
                            } else {
                                "quiet"
                            };
                            assert_eq!(times, 1, "round {round}: {kind} key {key}");
                        }
                        let twice: Vec<_> = seen.iter().filter(|(_, n)| **n > 1).collect();
                        // A passing key may go and come again behind and before the iterator.
                        assert!(twice.iter().all(|(key, _)| **key >= plan.stable));
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let ends: Vec<_> = walkers
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        stop.store(true, Ordering::Relaxed);
        for end in ends {
            if let Err(panic) = end {
                std::panic::resume_unwind(panic);
            }
        }
    });
    assert_eq!(done.into_inner() as u64, 2 * plan.rounds);
}

#[test]
fn a_key_present_throughout_is_iterated_exactly_once() {
    let _watchdog = limit("a_key_present_throughout_is_iterated_exactly_once");
    let rounds = 30 * stress();
    for mode in [
        ResizeMode::Incremental(1),
        ResizeMode::Incremental(32),
        ResizeMode::Blocking,
    ] {
        let map = ShardMap::builder()
            .hasher(RandomState::default())
            .resize_mode(mode)
            .build();
        iterate(
            &map,
            &Plan {
                stable: 150,
                overwritten: 0,
                passing: 900,
                rounds,
            },
        );
    }
}

#[test]
fn a_key_present_throughout_is_iterated_exactly_once_in_a_large_table() {
    let _watchdog = limit("a_key_present_throughout_is_iterated_exactly_once_in_a_large_table");
    let rounds = 20 * stress();
    let map = ShardMap::builder()
        .hasher(OneShard)
        .resize_mode(ResizeMode::Incremental(1))
        .build();
    iterate(
        &map,
        &Plan {
            stable: 150,
            overwritten: 0,
            passing: 2500,
            rounds,
        },
    );
    let map = ShardMap::builder()
        .hasher(OneShard)
        .resize_mode(ResizeMode::Incremental(1))
        .build();
    iterate(
        &map,
        &Plan {
            stable: 150,
            overwritten: 150,
            passing: 2500,
            rounds,
        },
    );
}

#[test]
fn an_overwritten_key_is_iterated_exactly_once() {
    let _watchdog = limit("an_overwritten_key_is_iterated_exactly_once");
    let rounds = 20 * stress();
    let map = ShardMap::with_hasher(RandomState::default());
    iterate(
        &map,
        &Plan {
            stable: 150,
            overwritten: 75,
            passing: 900,
            rounds,
        },
    );
    iterate(
        &map,
        &Plan {
            stable: 100,
            overwritten: 100,
            passing: 60,
            rounds,
        },
    );
}

#[test]
fn iteration_with_bad_hashes() {
    let _watchdog = limit("iteration_with_bad_hashes");
    let rounds = 15 * stress();
    let plan = Plan {
        stable: 100,
        overwritten: 50,
        passing: 500,
        rounds,
    };
    iterate(&ShardMap::with_hasher(Identity), &plan);
    iterate(&ShardMap::with_hasher(HighBits), &plan);
    iterate(&ShardMap::with_hasher(MiddleBits), &plan);
    let plan = Plan {
        stable: 30,
        overwritten: 10,
        passing: 30,
        rounds,
    };
    iterate(&ShardMap::with_hasher(OneHash(3)), &plan);
}

/// An iterator that is left half way, held while the map changes, and dropped, disturbs nobody
/// and keeps what it has handed out.
#[test]
fn an_iterator_that_is_left_holds_up_nobody() {
    let _watchdog = limit("an_iterator_that_is_left_holds_up_nobody");
    let map: ShardMap<u64, Checked> = ShardMap::new();
    for key in 0..300 {
        map.pin().insert(key, Checked::of(key));
    }
    let pinned = map.pin();
    let mut iterator = pinned.iter();
    let first: Vec<_> = iterator.by_ref().take(10).collect();
    thread::scope(|scope| {
        scope.spawn(|| {
            for key in 0..20_000 {
                map.pin().insert(key, Checked::of(key));
            }
            map.pin().clear();
            map.pin().shrink_to_fit();
        });
    });
    assert!(first.iter().all(|(key, value)| value.read() == **key));
    // The rest of the walk meets tables long gone, and entries that are kept for it.
    let rest = iterator
        .inspect(|(key, value)| assert_eq!(value.read(), **key))
        .count();
    assert!(rest <= 20_000);
    assert_eq!((map.len(), map.pin().iter().count()), (0, 0));
}

/// A walk of a map at rest yields what is in it, at each stage of a growing and of a shrinking
/// resize: iteration needs no resize to be complete, and sees both halves of one that is not.
#[test]
fn iteration_at_each_stage_of_a_resize() {
    // All in one shard, whose table then moves in up to 32 steps of one write each.
    let map = ShardMap::builder()
        .hasher(OneShard)
        .resize_mode(ResizeMode::Incremental(1))
        .build();
    let pinned = map.pin();
    let is_exactly = |present: core::ops::Range<u64>| {
        let mut keys: Vec<u64> = pinned.keys().copied().collect();
        keys.sort_unstable();
        assert!(keys.into_iter().eq(present.clone()), "with {present:?}");
    };
    let most = 3600;
    for n in 0..most {
        pinned.insert(n, n);
        if n < 260 || n % 11 == 0 {
            is_exactly(0..n + 1);
        }
    }
    let grown = pinned.capacity();
    for n in 0..most {
        pinned.remove(&n);
        if n % 11 == 0 {
            is_exactly(n + 1..most);
        }
    }
    assert!(pinned.capacity() < grown, "the map did not shrink");
}

/// An iterator is made while the map has one table, and begun when each shard has its own.
#[test]
fn an_iterator_made_before_the_fan_out_sees_everything() {
    let map: ShardMap<u64, u64> = ShardMap::new();
    let pinned = map.pin();
    for key in 0..50 {
        pinned.insert(key, key);
    }
    let iterator = pinned.iter();
    for key in 50..5000 {
        pinned.insert(key, key);
    }
    let mut old: Vec<u64> = iterator.map(|(key, _)| *key).filter(|k| *k < 50).collect();
    old.sort_unstable();
    assert!(old.into_iter().eq(0..50), "present throughout");
}

/// From 2,048 lines on a doubling takes the bit that tells the two new buckets apart from the tag in the
/// word, and no longer from the entry's hash. In neither way is an entry in both, or in the other.
#[test]
fn a_doubling_by_tags_leaves_each_entry_in_one_bucket() {
    const KEYS: u64 = 25_000;
    let map: ShardMap<u64, u64, OneShard> = ShardMap::with_hasher(OneShard);
    for key in 0..KEYS {
        assert_eq!(map.pin().insert(key, key), None);
    }
    // Four thousand lines of seven.
    assert!(map.capacity() > 7 * 4096, "{} is too small", map.capacity());
    let pinned = map.pin();
    let mut seen: Vec<u64> = pinned.keys().copied().collect();
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..KEYS));
    assert!((0..KEYS).all(|key| pinned.remove(&key) == Some(&key)));
    assert_eq!((map.len(), pinned.iter().count()), (0, 0));
}
