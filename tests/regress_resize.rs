//! Resizing: bugs that other maps have had, each by name.
//!
//! Livelock of threads that grow the table at once; a stall of seconds in the operation that
//! grows it; `rehash(0)` on a full table after which `find` never ended (parallel-hashmap #302);
//! the wrong waiter woken when a resize is abandoned (papaya 48487f7), of which the counterpart
//! here is a mover that stops half way; an update lost when two resizes meet (xsync #109 to #113).

use atomshard::{ResizeMode, ShardMap};
use core::hash::BuildHasher;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use evidence::hashers::{HighBits, Identity, MiddleBits, OneHash, OneShard};
use evidence::seed::{many_threads, rng, seeds, stress};
use evidence::watchdog::{Watchdog, step};
use foldhash::fast::RandomState;
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Instant;

const MODES: [ResizeMode; 3] = [
    ResizeMode::Incremental(1),
    ResizeMode::Incremental(32),
    ResizeMode::Blocking,
];

fn limit(name: &'static str) -> Watchdog {
    Watchdog::new(name, Duration::from_secs(60 * stress()))
}

/// Threads of disjoint keys, all inserting at once from capacity 0. Each must come to an end.
fn grow_at_once<S: BuildHasher + Default + Sync>(threads: u64, each: u64, mode: ResizeMode) {
    let map = ShardMap::builder()
        .hasher(S::default())
        .resize_mode(mode)
        .build();
    let start = Barrier::new(usize::try_from(threads).expect("few"));
    thread::scope(|scope| {
        for t in 0..threads {
            let (map, start) = (&map, &start);
            scope.spawn(move || {
                start.wait();
                for key in t * each..(t + 1) * each {
                    step();
                    assert_eq!(
                        map.pin().insert(key, !key),
                        None,
                        "key {key} was there before"
                    );
                }
            });
        }
    });
    let pinned = map.pin();
    for key in 0..threads * each {
        assert_eq!(pinned.get(&key), Some(&!key), "key {key} is lost");
    }
    let all = usize::try_from(threads * each).expect("fits");
    assert_eq!((pinned.len(), pinned.iter().count()), (all, all));
}

#[test]
fn growth_by_all_threads_at_once_does_not_livelock() {
    let _watchdog = limit("growth_by_all_threads_at_once_does_not_livelock");
    let threads = many_threads() as u64;
    for mode in MODES {
        // Many young maps: the fan-out is met by all threads; and one that grows far.
        for _ in 0..20 * stress() {
            grow_at_once::<RandomState>(threads, 40, mode);
        }
        grow_at_once::<RandomState>(threads, 2000 * stress(), mode);
    }
}

#[test]
fn growth_with_bad_hashes_does_not_livelock() {
    let _watchdog = limit("growth_with_bad_hashes_does_not_livelock");
    for mode in MODES {
        grow_at_once::<Identity>(4, 3000, mode);
        grow_at_once::<HighBits>(4, 3000, mode);
        grow_at_once::<MiddleBits>(4, 3000, mode);
        grow_at_once::<OneHash>(4, 60, mode);
    }
}

/// Threads that grow, shrink and reserve the same map against each other, and stop.
#[test]
fn growth_against_shrinking_does_not_livelock() {
    let _watchdog = limit("growth_against_shrinking_does_not_livelock");
    for mode in MODES {
        let map: ShardMap<u64, u64> = ShardMap::builder().resize_mode(mode).build();
        thread::scope(|scope| {
            for t in 0..4_u64 {
                let map = &map;
                scope.spawn(move || {
                    for round in 0..30 * stress() {
                        step();
                        let mine = (t << 32)..(t << 32) + 300;
                        match (t + round) % 3 {
                            0 => map.pin().reserve(4000),
                            1 => map.pin().shrink_to_fit(),
                            _ => {}
                        }
                        for key in mine.clone() {
                            assert_eq!(map.pin().insert(key, round), None);
                        }
                        for key in mine {
                            assert_eq!(map.pin().remove(&key), Some(&round));
                        }
                    }
                });
            }
        });
        assert_eq!((map.len(), map.pin().iter().count()), (0, 0));
    }
}

/// A map whose keys all fall into one shard grows that shard. The shard is born with long chains,
/// when the young map fans out, and must not be left with them.
#[test]
fn a_crowded_shard_grows() {
    let _watchdog = limit("a_crowded_shard_grows");
    let map = ShardMap::with_hasher(OneShard);
    for key in 0..5000_u64 {
        map.pin().insert(key, key);
    }
    // Without the other shards' room, which is little.
    assert!(
        map.capacity() > 4000,
        "room for {} where 5000 are",
        map.capacity()
    );
}

/// The longest operation while a map grows. Generous: the machine may be busy, and this is a
/// debug build; a stall in the map itself grows with its size.
#[test]
fn growth_has_no_stall_of_seconds() {
    let _watchdog = limit("growth_has_no_stall_of_seconds");
    let map: ShardMap<u64, u64> = ShardMap::new();
    let longest = AtomicU64::new(0);
    thread::scope(|scope| {
        for t in 0..3_u64 {
            let (map, longest) = (&map, &longest);
            scope.spawn(move || {
                let mut mine = Duration::ZERO;
                for key in 0..100_000 * stress() {
                    let start = Instant::now();
                    if t == 0 {
                        map.pin().get(&key);
                    } else {
                        map.pin().insert(key << 2 | t, key);
                    }
                    mine = mine.max(start.elapsed());
                }
                let nanos = u64::try_from(mine.as_nanos()).unwrap_or(u64::MAX);
                longest.fetch_max(nanos, Ordering::Relaxed);
            });
        }
    });
    let longest = Duration::from_nanos(longest.into_inner());
    assert!(
        longest < Duration::from_secs(1),
        "one operation took {longest:?}"
    );
}

/// `reserve(0)` and `shrink_to_fit` on tables filled to every level, then a look-up of an absent
/// key, which must end, and one insert more.
#[test]
fn reserve_zero_and_shrink_on_a_full_table() {
    let _watchdog = limit("reserve_zero_and_shrink_on_a_full_table");
    fn at_every_level<S: BuildHasher + Default>(most: u64) {
        let map = ShardMap::with_capacity_and_hasher(0, S::default());
        let map = map.pin();
        map.reserve(0);
        map.shrink_to_fit();
        assert_eq!(map.get(&0), None);
        for n in 0..most {
            assert_eq!(map.insert(n, n), None);
            if n % 3 == 0 {
                map.shrink_to_fit();
            }
            map.reserve(0);
            assert_eq!(map.get(&(n + 1)), None);
            assert_eq!(map.get(&n), Some(&n));
            assert_eq!(map.remove(&(n + 1)), None);
            if n % 64 == 0 {
                assert!((0..=n).all(|key| map.get(&key) == Some(&key)), "at {n}");
            }
        }
        for n in 0..most {
            map.shrink_to_fit();
            map.reserve(0);
            assert_eq!(map.remove(&n), Some(&n));
            assert_eq!(map.get(&n), None);
        }
        map.shrink_to_fit();
        assert_eq!((map.len(), map.iter().count()), (0, 0));
        assert_eq!(map.insert(1, 1), None);
    }
    at_every_level::<RandomState>(1200);
    at_every_level::<Identity>(400);
    at_every_level::<OneHash>(150);
}

/// Shrinking to nothing, over and over, from every size: never below what is there, never out of
/// range.
#[test]
fn shrinking_stays_in_range() {
    let map: ShardMap<u64, u64> = ShardMap::new();
    let map = map.pin();
    map.insert(0, 0);
    let least = map.capacity();
    for size in (0..1500).step_by(37) {
        for key in 0..size {
            map.insert(key, key);
        }
        for keep in [size, size / 2, 1, 0] {
            map.retain(|key, _| *key < keep);
            map.shrink_to_fit();
            map.shrink_to_fit();
            assert_eq!(map.iter().count() as u64, keep.min(size));
            assert!((0..keep.min(size)).all(|key| map.get(&key) == Some(&key)));
        }
        // A map that has fanned out stays so: a table of one line for each of at most 64 shards.
        assert!(
            map.capacity() <= 64 * least,
            "{} from {size} entries",
            map.capacity()
        );
    }
}

/// Increments of counters while the map grows and shrinks around them: none is lost.
#[test]
fn no_update_is_lost_while_tables_move() {
    let _watchdog = limit("no_update_is_lost_while_tables_move");
    const KEYS: u64 = 8;
    let rounds = 6000 * stress();
    for seed in seeds(3) {
        let map: ShardMap<u64, u64> = ShardMap::builder()
            .resize_mode(ResizeMode::Incremental(1))
            .build();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    for key in 1000..2000 {
                        map.pin().insert(key, 0);
                    }
                    for key in 1000..2000 {
                        map.pin().remove(&key);
                    }
                    map.pin().shrink_to_fit();
                }
            });
            let workers: Vec<_> = (0..3)
                .map(|t| {
                    let map = &map;
                    let mut rng = rng(seed, t);
                    scope.spawn(move || {
                        for _ in 0..rounds {
                            step();
                            let key = rng.u64(0..KEYS);
                            let pinned = map.pin();
                            // Two of the ways to update, mixed on each counter.
                            match rng.u32(0..2) {
                                0 => {
                                    pinned.update_or_insert(key, |n| n + 1, 1);
                                }
                                _ => {
                                    pinned.compute(key, |entry| {
                                        atomshard::Operation::<u64, ()>::Insert(
                                            entry.map_or(1, |(_, n)| n + 1),
                                        )
                                    });
                                }
                            }
                        }
                    })
                })
                .collect();
            let ends: Vec<_> = workers
                .into_iter()
                .map(thread::ScopedJoinHandle::join)
                .collect();
            stop.store(true, Ordering::Relaxed);
            assert!(ends.iter().all(Result::is_ok));
        });
        let sum: u64 = (0..KEYS)
            .filter_map(|key| map.pin().get(&key).copied())
            .sum();
        assert_eq!(sum, 3 * rounds, "ATOMSHARD_SEED={seed}: updates were lost");
    }
}

/// A thread stops for good in the middle of its write, in a closure, while the table has to move.
/// The others move it without that thread, and nothing waits.
#[test]
fn a_writer_that_stops_half_way_holds_up_nobody() {
    let _watchdog = limit("a_writer_that_stops_half_way_holds_up_nobody");
    for mode in MODES {
        let map: ShardMap<u64, u64> = ShardMap::builder().resize_mode(mode).build();
        map.pin().insert(7, 0);
        let (stopped, is_stopped) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let map = &map;
            let sleeper = scope.spawn(move || {
                let asked = AtomicBool::new(false);
                let pinned = map.pin();
                let updated = pinned.update(7, |n| {
                    // It may be asked again; it stops only the first time.
                    if !asked.swap(true, Ordering::Relaxed) {
                        stopped.send(()).expect("the test listens");
                        may_go_on.recv().expect("the test sends");
                    }
                    n + 1
                });
                updated.copied()
            });
            is_stopped.recv().expect("the sleeper stops");
            for key in 100..5000 {
                assert_eq!(map.pin().insert(key, key), None);
            }
            assert_eq!(map.pin().update(7, |n| n + 10), Some(&10));
            for key in 100..5000 {
                assert_eq!(map.pin().remove(&key), Some(&key));
            }
            map.pin().shrink_to_fit();
            assert_eq!(map.pin().get(&7), Some(&10));
            go_on.send(()).expect("the sleeper listens");
            assert_eq!(sleeper.join().expect("no panic"), Some(11));
        });
        assert_eq!(map.pin().get(&7), Some(&11));
    }
}
