//! The table against std's map, alone and with many threads; every state that a bucket can be in.

use super::write::Unchanged;
use super::{Change, Mixer, RawWords};
use crate::arch::Asking;
use crate::table::pairs::{Finality, Leaving, SHARDS, rest, shard};
use std::collections::HashMap;
use std::sync::Barrier;
use std::thread;

fn map() -> RawWords {
    RawWords::new(0, Mixer::new([1, 2, 3]))
}

fn put(map: &RawWords, key: u64, value: u64) -> Option<u64> {
    map.change(key, |_| Change::Put(value), &map.pin())
}

fn put_new(map: &RawWords, key: u64, value: u64) -> bool {
    let put = |old: Option<u64>| old.map_or(Change::Put(value), |_| Change::Keep);
    map.change(key, put, &map.pin()).is_none()
}

fn remove(map: &RawWords, key: u64) -> Option<u64> {
    map.change(key, |_| Change::Remove, &map.pin())
}

struct Rng(u64);

impl Rng {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }
}

/// Grows, churns and shrinks; every answer is std's.
#[test]
fn miri_words_answers_are_those_of_std() {
    let (keys, rounds, looks) = if cfg!(miri) {
        (60, 240, 2)
    } else {
        (40_000, 600_000, 8)
    };
    let map = map();
    let mut model = HashMap::new();
    let mut rng = Rng(88_172_645_463_325_252);
    for round in 0..rounds {
        // Mostly inserts, then as many of both, then mostly removals.
        let inserts = [6, 3, 1][round * 3 / rounds];
        let key = rng.next(keys);
        match rng.next(10) {
            0..2 => assert_eq!(map.get(key), model.get(&key).copied(), "get {key}"),
            n if n - 2 < inserts => {
                let value = rng.next(u64::MAX);
                assert_eq!(put(&map, key, value), model.insert(key, value), "put {key}");
            }
            _ => assert_eq!(remove(&map, key), model.remove(&key), "remove {key}"),
        }
        if round % (rounds / looks) == 0 {
            check(&map, &model);
        }
    }
    check(&map, &model);
    map.shrink_to_fit();
    check(&map, &model);
    assert_eq!(map.try_reserve(2 * model.len() + 100), Ok(()));
    assert!(map.capacity() >= 3 * model.len());
    check(&map, &model);
    let left: Vec<u64> = model.keys().copied().collect();
    for key in left {
        assert_eq!(remove(&map, key), model.remove(&key));
    }
    check(&map, &model);
}

fn check(map: &RawWords, model: &HashMap<u64, u64>) {
    assert_eq!(map.len(), model.len());
    let mut seen: Vec<_> = map.iter().collect();
    seen.sort_unstable();
    let mut expected: Vec<_> = model.iter().map(|(&key, &value)| (key, value)).collect();
    expected.sort_unstable();
    assert!(seen == expected, "{} of {}", seen.len(), expected.len());
    let keys: Vec<u64> = model.keys().copied().collect();
    map.get_many(
        keys.len(),
        |i| keys[i],
        |i, value| assert_eq!(value, model.get(&keys[i]).copied()),
    );
}

/// Threads insert the same keys, remove and look; each key is inserted once more often than it is removed, or
/// as often, and no value is seen that was not put.
#[test]
fn miri_words_of_inserts_of_a_key_one_succeeds() {
    let (threads, keys, rounds) = if cfg!(miri) {
        (3, 12, 2)
    } else {
        (4, 3_000, 30)
    };
    for round in 0..rounds {
        let map = map();
        let barrier = Barrier::new(threads);
        let counts: Vec<Vec<(u64, u64)>> = thread::scope(|scope| {
            let work = |thread: usize| {
                let (map, barrier) = (&map, &barrier);
                move || {
                    let mut rng = Rng(0x9e37_79b9 + 77 * round + thread as u64 + 1);
                    let mut counts = vec![(0, 0); keys];
                    barrier.wait();
                    for _ in 0..6 * keys {
                        let key = rng.next(keys as u64);
                        let count = &mut counts[usize::try_from(key).expect("small")];
                        match rng.next(5) {
                            0..2 => {
                                count.0 += u64::from(put_new(map, key, key << 8 | thread as u64))
                            }
                            2 => count.1 += u64::from(remove(map, key).is_some()),
                            _ => assert!(map.get(key).is_none_or(|value| value >> 8 == key)),
                        }
                    }
                    counts
                }
            };
            let handles: Vec<_> = (0..threads).map(|i| scope.spawn(work(i))).collect();
            let join = |handle: thread::ScopedJoinHandle<'_, _>| handle.join().expect("no panic");
            handles.into_iter().map(join).collect()
        });
        let mut left = 0;
        for key in 0..keys {
            let inserted: u64 = counts.iter().map(|counts| counts[key].0).sum();
            let removed: u64 = counts.iter().map(|counts| counts[key].1).sum();
            let present = u64::from(map.get(key as u64).is_some());
            assert_eq!(inserted, removed + present, "key {key} in round {round}");
            left += present;
        }
        assert_eq!(map.len() as u64, left);
        assert_eq!(map.iter().count() as u64, left);
    }
}

/// Keys that stay are found by look-ups without a guard, while tables grow and shrink under them.
#[test]
fn miri_words_what_stays_is_found_while_tables_move() {
    let (stay, others, rounds) = if cfg!(miri) {
        (4, 30, 2)
    } else {
        (500, 20_000, 12)
    };
    let map = map();
    for key in 0..stay {
        put(&map, key, key + 7);
    }
    thread::scope(|scope| {
        let looker = || {
            let mut rounds = 0;
            while map.get(u64::MAX).is_none() || rounds == 0 {
                rounds += 1;
                for key in 0..stay {
                    assert_eq!(map.get(key), Some(key + 7), "key {key}");
                }
                assert_eq!(
                    map.iter().filter(|(key, _)| *key < stay).count() as u64,
                    stay
                );
            }
        };
        scope.spawn(looker);
        for _ in 0..rounds {
            for key in stay..others {
                put(&map, key, key);
            }
            for key in stay..others {
                assert_eq!(remove(&map, key), Some(key));
            }
            map.shrink_to_fit();
        }
        put(&map, u64::MAX, 0);
    });
    assert_eq!(map.len() as u64, stay + 1);
}

/// Nobody else begins a move here, so it is one bucket, and not the second that a write may have to move.
#[test]
fn a_write_moves_one_bucket() {
    let map = map();
    let mut keys = 0..;
    let mut put_next = || put(&map, keys.next().expect("there are more"), 0);
    let moving = loop {
        put_next();
        if let Some(first) = map.moving.first() {
            break first;
        }
    };
    let directory = map.directory().expect("it has entries");
    let old = directory.table(moving).expect("it moves");
    let Some(Leaving::Stepwise(running)) = old.leaving() else {
        panic!("it moves in steps");
    };
    // A key for each line.
    let mixed = (0..1 << 16).map(|key| map.mixer().mix(key));
    let of_shard = mixed.filter(|&mixed| shard(mixed) == moving);
    let line = |mixed| old.number_at(old.scale().position(rest(mixed)));
    let lines: HashMap<u64, u64> = of_shard.map(|mixed| (line(mixed), rest(mixed))).collect();
    let moved = || {
        let rests = lines.values();
        rests.filter(|&&rest| running.has_moved(old, rest)).count()
    };
    let _as_before = map.pin();
    let (mut before, mut writes) = (moved(), 0);
    while directory.table(moving) == Some(old) {
        put_next();
        let after = moved();
        assert!(after <= before + 1, "{before} lines, then {after}");
        (before, writes) = (after, writes + 1);
    }
    assert!(writes >= lines.len() / 2, "{writes} writes");
}

/// The mover has frozen the key's slot, and not yet the empty one behind it. Found by the histories in turns: an
/// insert took the key for absent and the empty slot for its own.
#[test]
fn a_key_that_is_frozen_is_not_inserted_beside_itself() {
    let map = map();
    put(&map, 7, 1);
    let guard = map.pin();
    let mixed = map.mixer().mix(7);
    let directory = map.directory().expect("made by the insert");
    let table = directory.table(shard(mixed)).expect("made by the insert");
    let begun = directory.begin_steps(table, table.size() + 1, || None);
    assert_eq!(begun, Ok(()));
    let line = table.line_of(rest(mixed));
    for slot in [line.last(), &line.slots()[0]] {
        let pair = slot.load();
        assert!(slot.cas(pair, pair.frozen()));
    }
    let pair = line.slots()[0].load();
    assert!(pair.is_member(), "the key is in the first slot");
    // As a writer that has come before the move: by the old table.
    let changed = map.change_in_line(table, mixed, &mut |_| Change::Put(2), &guard, Asking);
    assert_eq!(changed, Err(Unchanged));
    drop(guard);
    assert!(!put_new(&map, 7, 3));
    assert_eq!(map.iter().collect::<Vec<_>>(), [(7, 1)]);
}

/// A map of one key, the shard of the key, and what it is there.
fn map_of(key: u64) -> (RawWords, usize, u64) {
    let map = map();
    put(&map, key, 1);
    let mixed = map.mixer().mix(key);
    (map, shard(mixed), rest(mixed))
}

/// Somebody who was there before may still write to a slot: then it becomes final by an exchange.
#[test]
#[cfg_attr(atomshard_seize, ignore = "waits for the caller's guard too")]
fn slots_become_final_by_stores_once_no_older_guard_is_left() {
    let (map, shard, _) = map_of(7);
    let older = map.domain.pin_owned();
    let guard = map.pin();
    let directory = map.directory().expect("made by the insert");
    let table = directory.table(shard).expect("made by the insert");
    let grace = || map.domain.grace_of_others(&guard).ok();
    assert_eq!(
        directory.begin_steps(table, table.size() + 1, grace),
        Ok(())
    );
    let Some(Leaving::Stepwise(running)) = table.leaving() else {
        panic!("it was begun");
    };
    assert_eq!(running.finality(), Finality::Exchanged);
    let _younger = map.domain.pin_owned();
    drop(older);
    // Guards of the tests beside this one go too.
    wait_until(|| running.finality() == Finality::Stored);
}

/// Of two guards of a thread, one encloses the other: the outer operation may be about to write.
#[test]
#[cfg_attr(atomshard_seize, ignore = "waits for the caller's guard too")]
fn a_guard_around_the_callers_own_is_waited_for() {
    let map = map();
    let (outer, inner) = (map.pin(), map.pin());
    let grace = map.domain.grace_of_others(&inner).expect("a barrier");
    drop(inner);
    assert!(!grace.is_over());
    drop(outer);
    wait_until(|| grace.is_over());
}

fn wait_until(is_so: impl Fn() -> bool) {
    let begin = std::time::Instant::now();
    while !is_so() {
        assert!(
            begin.elapsed().as_secs() < 60,
            "guards of this process last"
        );
        thread::yield_now();
    }
}

/// Who comes after a table has begun to be left, and whose bucket has not moved, moves it.
#[test]
fn a_table_that_is_left_is_not_written_to_by_who_comes_later() {
    for at_once in [false, true] {
        let (map, shard, rest) = map_of(7);
        let directory = map.directory().expect("made by the insert");
        let guard = map.pin();
        let table = directory.table(shard).expect("made by the insert");
        let size = table.size() + 1;
        if at_once {
            table.leave_at_once(size);
        } else {
            assert_eq!(directory.begin_steps(table, size, || None), Ok(()));
        }
        assert_eq!(put(&map, 7, 2), Some(1));
        let slots = table.line_of(rest).slots();
        assert!(slots.iter().all(|slot| slot.load().is_frozen()));
        assert!(slots.iter().all(|slot| slot.load().value() != 2));
        assert_eq!((map.get(7), map.len()), (Some(2), 1));
        drop(guard);
    }
}

/// What waits for a guard that ends just before the map does goes where it belongs.
#[test]
fn miri_words_tables_that_are_retired_end_with_their_map() {
    let map = map();
    let _guard = map.pin();
    (0..220).for_each(|key| assert_eq!(put(&map, key, key), None));
}

/// Many threads fill small maps, each with keys of its own and with keys of all: tables are copied by several at once.
#[test]
fn miri_words_copies_lose_nothing_and_bring_nothing_twice() {
    let (threads, keys, maps) = if cfg!(miri) {
        (2, 24, 1)
    } else {
        (4, 600, 120)
    };
    for _ in 0..maps {
        let (map, start) = (map(), Barrier::new(threads));
        let fill = |thread: u64| {
            start.wait();
            let mut inserted = 0;
            for key in 0..keys {
                inserted += usize::from(put_new(&map, key << 8, key));
                let own = key << 8 | (thread + 1);
                assert_eq!(put(&map, own, key), None);
                if key % 3 == 0 {
                    assert_eq!(remove(&map, own), Some(key));
                }
                assert_eq!(map.get(key << 8), Some(key));
            }
            inserted
        };
        let fill = &fill;
        let inserted: usize = thread::scope(|scope| {
            let threads = (0..threads as u64).map(|thread| scope.spawn(move || fill(thread)));
            let threads: Vec<_> = threads.collect();
            let join = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().expect("no panic");
            threads.into_iter().map(join).sum()
        });
        let own = threads * (0..keys).filter(|key| key % 3 != 0).count();
        assert_eq!(inserted as u64, keys, "each key of all was inserted once");
        assert_eq!(map.len(), inserted + own);
        assert_eq!(map.iter().count(), inserted + own);
    }
}

/// A map that is filled and then only read does not stay in the middle of its moves.
#[test]
fn look_ups_end_the_moves_that_they_meet() {
    let map = map();
    let moving = || {
        let directory = map.directory().expect("made by the first insert");
        let tables = (0..SHARDS).filter_map(|shard| directory.table(shard));
        tables.filter(|table| table.leaving().is_some()).count()
    };
    let keys = (0..).find(|&key| {
        put(&map, key, key);
        key > 20_000 && moving() != 0
    });
    let keys = keys.expect("a shard grows in steps");
    // Before the first step there is nothing to meet.
    put(&map, 0, 0);
    for _ in 0..200 {
        assert!((0..keys).all(|key| map.get(key) == Some(key)));
    }
    assert_eq!(moving(), 0, "of {keys} keys");
}

/// Whether a shard moves in steps.
fn is_moving(map: &RawWords, shard: usize) -> bool {
    let directory = map.directory().expect("made by the first insert");
    let table = directory.table(shard).expect("made by the first insert");
    table.leaving().is_some()
}

/// Writes to shards that do not move end the move of one that does; a hint at a shard that does not move is taken back.
#[test]
fn writes_do_the_steps_of_other_shards() {
    let map = map();
    let shard_of = |key: u64| shard(map.mixer().mix(key));
    let first = (0..1_000_000).find_map(|key| {
        put(&map, key, key);
        map.moving.first()
    });
    let first = first.expect("a shard grows in steps");
    assert!(is_moving(&map, first));
    let others: Vec<u64> = (0..1000).filter(|&key| shard_of(key) != first).collect();
    let mut writes = others.iter().cycle().take(100_000);
    assert!(writes.any(|&key| put(&map, key, key).is_some() && !is_moving(&map, first)));
    while let Some(other) = map.moving.first() {
        put(&map, others[0], 0);
        assert!(is_moving(&map, other) || map.moving.first() != Some(other));
    }
    map.moving.add(first);
    put(&map, others[0], 0);
    assert_eq!(map.moving.first(), None);
}

/// Changes a key with accesses that ask, if that is done in its line and the one behind it.
fn change_asking(map: &RawWords, mixed: u64, change: Change) -> Option<u64> {
    let (guard, mut decide) = (map.pin(), |_| change);
    let table = map.table_after_step(mixed, &guard);
    let asking = |table| map.change_in_line(table, mixed, &mut decide, &guard, Asking);
    let changed = table.map_or(Err(Unchanged), asking);
    changed.unwrap_or_else(|Unchanged| map.change_otherwise(mixed, |_| change, &guard))
}

/// The ways of machines that have no loads of 16 bytes in one piece, and of the first access of a process.
#[test]
fn accesses_that_ask_do_the_same() {
    let (map, mut meant) = (map(), HashMap::new());
    let mut random = 1_u64;
    for _ in 0..20_000 {
        random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        let (key, value) = (random >> 54, random);
        let mixed = map.mixer().mix(key);
        let (change, old) = match random >> 33 & 3 {
            0 => (Change::Keep, meant.get(&key).copied()),
            1 => (Change::Remove, meant.remove(&key)),
            _ => (Change::Put(value), meant.insert(key, value)),
        };
        assert_eq!(change_asking(&map, mixed, change), old);
        assert_eq!(map.get_asking(mixed), meant.get(&key).copied());
        assert_eq!(map.get(key), meant.get(&key).copied());
    }
    assert_eq!(map.len(), meant.len());
}

/// The lines behind links of a small map that was a large one do not keep the chunks of the large one.
#[test]
fn a_map_that_is_shrunk_has_its_lines_together() {
    let map = map();
    let (all, left) = (250_000, 1 << 13);
    assert!((0..all).all(|key| put_new(&map, key, key)));
    let before = map.give_back();
    assert!((left..all).all(|key| remove(&map, key) == Some(key)));
    // Guards of the tests beside this one hold lines up; they go.
    wait_until(|| {
        map.shrink_to_fit();
        map.give_back().all <= before.all / 8
    });
    assert!((0..left).all(|key| map.get(key) == Some(key)));
    let seen = map
        .iter()
        .filter(|&(key, value)| key == value && key < left);
    assert_eq!((seen.count() as u64, map.len() as u64), (left, left));
}

/// Lines are looked at, then read: between the two a slot may become a link, and a bucket may move.
#[test]
fn keys_that_stay_are_seen_once_whatever_comes_between_two_pairs() {
    for round in 0..60 {
        let (map, stay) = (map(), 30 + 17 * round);
        assert!((0..stay).all(|key| put_new(&map, key, key)));
        let (mut seen, mut others) = (vec![0; 30 + 17 * 60], (1 << 32)..(1 << 32) + 3 * stay);
        for (key, value) in map.iter() {
            if key < stay {
                assert_eq!(key, value);
                seen[usize::try_from(key).expect("small")] += 1;
            }
            for other in others.by_ref().take(5) {
                put(&map, other, 0);
                if other % 3 == 0 {
                    remove(&map, other - 2);
                }
            }
        }
        let often = seen.iter().filter(|&&times| times == 1).count();
        assert_eq!(often as u64, stay, "of {stay} keys, after {round} rounds");
        assert!(seen.iter().all(|&times| times < 2));
    }
}
