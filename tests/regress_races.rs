//! Two operations on one key: bugs that other maps have had, each by name.

use atomshard::{Compute, Operation, ShardMap};
use core::hash::BuildHasher;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;
use evidence::hashers::OneHash;
use evidence::key::{Key, disturb_this_thread};
use evidence::seed::{rng, seeds, stress};
use evidence::subject::{Checked, Payload as _};
use evidence::watchdog::{Watchdog, step};
use foldhash::fast::RandomState;
use std::collections::HashSet;
use std::sync::{Barrier, Mutex};
use std::thread;

fn limit(name: &'static str) -> Watchdog {
    Watchdog::new(name, Duration::from_secs(60 * stress()))
}

/// Runs `work` while another thread makes the map grow and shrink around it, by `wave` keys.
fn while_tables_move<S: BuildHasher + Sync>(
    map: &ShardMap<Key, Checked, S>,
    wave: u64,
    work: impl FnOnce(),
) {
    struct Stop<'a>(&'a AtomicBool);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for key in 10_000..10_000 + wave {
                    map.pin().insert(Key(key), Checked::of(key));
                }
                for key in 10_000..10_000 + wave {
                    map.pin().remove(&Key(key));
                }
                map.pin().shrink_to_fit();
                // Tables that move at every moment would leave the writers none to write in.
                thread::yield_now();
            }
        });
        let _stop = Stop(&stop);
        work();
    });
}

/// Every value put in comes out as an old value exactly once, or is still there at the end.
///
/// dlht-go issue 2: put by an exchange of the slot and delete by an exchange of the header both
/// succeeded, and the same value was handed out twice.
fn values_are_conserved<S: BuildHasher + Sync>(
    seed: u64,
    wave: u64,
    map: &ShardMap<Key, Checked, S>,
) {
    const THREADS: usize = 4;
    let each = 3000 * stress();
    let fits = |n: u64| usize::try_from(n).expect("fits");
    let out: Vec<AtomicU8> = (0..fits(each) * THREADS + 1)
        .map(|_| AtomicU8::new(0))
        .collect();
    let put = AtomicUsize::new(0);
    let take = |value: &Checked| {
        let times = out[fits(value.read())].fetch_add(1, Ordering::Relaxed);
        assert_eq!(
            times, 0,
            "ATOMSHARD_SEED={seed}: {value:?} is handed out twice"
        );
    };
    while_tables_move(map, wave, || {
        thread::scope(|scope| {
            for t in 0..THREADS {
                let (map, put, take) = (&map, &put, &take);
                let mut rng = rng(seed, t);
                scope.spawn(move || {
                    disturb_this_thread(rng.u64(..));
                    for i in 1..=each {
                        step();
                        let value = t as u64 * each + i;
                        let key = Key(rng.u64(0..3));
                        let map = map.pin();
                        match rng.u32(0..6) {
                            0 | 1 => {
                                put.fetch_add(1, Ordering::Relaxed);
                                map.insert(key, Checked::of(value)).map(take);
                            }
                            2 => {
                                map.remove(&key).map(take);
                            }
                            3 => {
                                if let Ok(Some((_, value))) =
                                    map.remove_if(&key, |_, v| v.read() % 2 == 0)
                                {
                                    take(value);
                                }
                            }
                            4 => {
                                if map.try_insert(key, Checked::of(value)).is_ok() {
                                    put.fetch_add(1, Ordering::Relaxed);
                                }
                            }
                            _ => match map.compute(key, |entry| match entry {
                                Some((_, v)) if v.read() % 3 == 0 => Operation::<_, ()>::Remove,
                                _ => Operation::Insert(Checked::of(value)),
                            }) {
                                Compute::Inserted(..) => {
                                    put.fetch_add(1, Ordering::Relaxed);
                                }
                                Compute::Updated { old: (_, old), .. } => {
                                    put.fetch_add(1, Ordering::Relaxed);
                                    take(old);
                                }
                                Compute::Removed(_, old) => take(old),
                                Compute::Aborted(()) => unreachable!("never asked for"),
                            },
                        }
                    }
                });
            }
        });
    });
    for key in 0..3 {
        map.pin().remove(&Key(key)).map(take);
    }
    let handed_out = out
        .iter()
        .filter(|n| n.load(Ordering::Relaxed) == 1)
        .count();
    assert_eq!(
        handed_out,
        put.into_inner(),
        "ATOMSHARD_SEED={seed}: values were lost"
    );
}

#[test]
fn put_against_delete_hands_out_each_value_once() {
    let _watchdog = limit("put_against_delete_hands_out_each_value_once");
    for seed in seeds(3) {
        values_are_conserved(seed, 600, &ShardMap::with_hasher(RandomState::default()));
        values_are_conserved(seed, 30, &ShardMap::with_hasher(OneHash(1)));
    }
}

/// Whoever is refused, or reads, sees only values whose own insert succeeded.
///
/// dlht-go issue 3: put matched a slot that an insert of the same key, which was to fail, had
/// filled.
#[test]
fn no_phantom_of_an_insert_that_fails() {
    let _watchdog = limit("no_phantom_of_an_insert_that_fails");
    const THREADS: u64 = 4;
    let each = 4000 * stress();
    for seed in seeds(3) {
        let map: ShardMap<Key, Checked> = ShardMap::new();
        let succeeded: Mutex<HashSet<u64>> = Mutex::default();
        let seen: Mutex<HashSet<u64>> = Mutex::default();
        while_tables_move(&map, 600, || {
            thread::scope(|scope| {
                for t in 0..THREADS {
                    let (map, succeeded, seen) = (&map, &succeeded, &seen);
                    let mut rng = rng(seed, usize::try_from(t).expect("few"));
                    scope.spawn(move || {
                        disturb_this_thread(rng.u64(..));
                        let (mut mine, mut others) = (Vec::new(), Vec::new());
                        for i in 0..each {
                            step();
                            let (key, value) = (Key(rng.u64(0..2)), t * each + i);
                            let map = map.pin();
                            match rng.u32(0..4) {
                                0 => match map.try_insert(key, Checked::of(value)) {
                                    Ok(_) => mine.push(value),
                                    Err(refused) => others.push(refused.current.read()),
                                },
                                1 => {
                                    let got =
                                        map.get_or_insert_with(key, || Checked::of(value)).read();
                                    if got == value {
                                        mine.push(got)
                                    } else {
                                        others.push(got)
                                    }
                                }
                                2 => others.extend(map.get(&key).map(Checked::read)),
                                _ => others.extend(map.remove(&key).map(Checked::read)),
                            }
                        }
                        succeeded.lock().expect("fine").extend(mine);
                        seen.lock().expect("fine").extend(others);
                    });
                }
            });
        });
        let succeeded = succeeded.into_inner().expect("fine");
        let seen = seen.into_inner().expect("fine");
        let phantoms: Vec<_> = seen.difference(&succeeded).collect();
        assert!(
            phantoms.is_empty(),
            "ATOMSHARD_SEED={seed}: phantoms {phantoms:?}"
        );
        assert!(
            !seen.is_empty(),
            "no thread saw another's value: the run shows nothing"
        );
    }
}

/// Readers of keys that are present throughout, while writers overwrite just those keys and the
/// table grows and shrinks: `get`, `contains_key` and `compute` find them every time.
#[test]
fn a_reader_never_misses_a_key_that_is_overwritten() {
    let _watchdog = limit("a_reader_never_misses_a_key_that_is_overwritten");
    fn run<S: BuildHasher + Sync>(map: &ShardMap<Key, Checked, S>, keys: u64, wave: u64) {
        for key in 0..keys {
            map.pin().insert(Key(key), Checked::of(key << 32));
        }
        let stop = AtomicBool::new(false);
        let reads = 15_000 * stress();
        while_tables_move(map, wave, || {
            thread::scope(|scope| {
                for t in 0..2_u64 {
                    let (map, stop) = (&map, &stop);
                    scope.spawn(move || {
                        let mut n = 0;
                        while !stop.load(Ordering::Relaxed) {
                            for key in 0..keys {
                                n += 1;
                                step();
                                let value = Checked::of(key << 32 | n);
                                let map = map.pin();
                                let found = if t == 0 {
                                    map.insert(Key(key), value).is_some()
                                } else {
                                    map.update(Key(key), |old| Checked::of(old.read()))
                                        .is_some()
                                };
                                assert!(found, "a writer misses key {key}");
                            }
                        }
                    });
                }
                let readers: Vec<_> = (0..2_u64)
                    .map(|t| {
                        let map = &map;
                        scope.spawn(move || {
                            for i in 0..reads {
                                let key = Key((i * 7 + t) % keys);
                                let map = map.pin();
                                match i % 4 {
                                    0 => assert!(map.contains_key(&key), "{key:?} is not there"),
                                    1 => {
                                        let seen = map.compute(key, |e| {
                                            Operation::<Checked, _>::Abort(e.is_some())
                                        });
                                        assert!(matches!(seen, Compute::Aborted(true)), "{key:?}");
                                    }
                                    _ => {
                                        let value = map.get(&key).map(Checked::read);
                                        assert_eq!(value.map(|v| v >> 32), Some(key.0));
                                    }
                                }
                            }
                        })
                    })
                    .collect();
                let ends: Vec<_> = readers
                    .into_iter()
                    .map(thread::ScopedJoinHandle::join)
                    .collect();
                stop.store(true, Ordering::Relaxed);
                assert!(ends.iter().all(Result::is_ok), "a reader missed a key");
            });
        });
    }
    run(&ShardMap::with_hasher(RandomState::default()), 40, 600);
    run(&ShardMap::with_hasher(OneHash(0)), 20, 30);
}

/// `compute` (this map's entry API) sees what `get` sees, for keys that come and go.
///
/// dashmap #139: `entry()` found what `get` no longer did.
#[test]
fn compute_sees_what_get_sees() {
    let map: ShardMap<u64, u64> = ShardMap::new();
    let map = map.pin();
    let mut rng = fastrand::Rng::with_seed(seeds(1)[0]);
    for i in 0..20_000 {
        let key = rng.u64(0..600);
        match rng.u32(0..4) {
            0 => drop(map.insert(key, i)),
            1 => drop(map.remove(&key)),
            2 => drop(map.compute(key, |e| match e {
                Some(_) => Operation::<u64, ()>::Remove,
                None => Operation::Insert(i),
            })),
            _ => {
                if i % 500 == 3 {
                    map.clear();
                    map.shrink_to_fit();
                }
            }
        }
        let got = map.get(&key).copied();
        let computed = map.compute(key, |e| Operation::<u64, _>::Abort(e.map(|(_, v)| *v)));
        assert_eq!(computed, Compute::Aborted(got));
        assert_eq!(map.contains_key(&key), got.is_some());
        assert_eq!(map.update(key, |v| *v).copied(), got);
    }
}

/// An entry that `retain`'s closure wants kept is kept, even if it has replaced, meanwhile, one
/// that the closure wanted gone; and `retain` finds its way through a table that moves.
///
/// papaya #63, #64: the mark of a copied entry was not taken off a pointer in `retain`.
#[test]
fn retain_against_updates_removes_only_what_it_was_asked_to() {
    let _watchdog = limit("retain_against_updates_removes_only_what_it_was_asked_to");
    const KEYS: u64 = 60;
    for _ in 0..20 * stress() {
        let map: ShardMap<Key, Checked> = ShardMap::new();
        for key in 0..KEYS {
            map.pin().insert(Key(key), Checked::of(1));
        }
        let done = AtomicBool::new(false);
        while_tables_move(&map, 600, || {
            thread::scope(|scope| {
                let retainer = scope.spawn(|| {
                    disturb_this_thread(1);
                    let mut rounds = 0_u64;
                    while !done.load(Ordering::Relaxed) || rounds == 0 {
                        // Odd values go.
                        map.pin()
                            .retain(|key, v| key.0 >= KEYS || v.read() % 2 == 0);
                        rounds += 1;
                        step();
                    }
                });
                // Each key goes from odd (to be removed) to even (to be kept), and stays.
                for key in 0..KEYS {
                    map.pin().insert(Key(key), Checked::of(3));
                    map.pin().insert(Key(key), Checked::of(key * 2));
                }
                done.store(true, Ordering::Relaxed);
                retainer.join().expect("no panic");
            });
        });
        for key in 0..KEYS {
            let value = map.pin().get(&Key(key)).map(Checked::read);
            assert_eq!(value, Some(key * 2), "retain took an entry it was to keep");
        }
    }
}

/// 16-bit counts: more than 65,536 of everything that one slot can see.
///
/// folly #2097: a 16-bit link count overflowed under contention.
#[test]
fn more_than_sixteen_bits_of_everything_on_one_slot() {
    let _watchdog = limit("more_than_sixteen_bits_of_everything_on_one_slot");
    const MANY: u64 = 70_000;
    let map: ShardMap<u64, u64> = ShardMap::new();
    let long = map.pin();
    assert_eq!(long.insert(1, 0), None);
    let first = long.get(&1).expect("just inserted");
    for i in 1..=MANY {
        // Replacements, refused claims, aborted computes, removals with re-insertion.
        assert_eq!(map.pin().insert(1, i), Some(&(i - 1)));
        assert!(map.pin().try_insert(1, 0).is_err());
        assert_eq!(
            map.pin().compute(1, |_| Operation::<u64, u8>::Abort(1)),
            Compute::Aborted(1)
        );
        assert_eq!(map.pin().remove(&2), None);
        assert_eq!(map.pin().insert(2, i), None);
        assert_eq!(map.pin().remove(&2), Some(&i));
    }
    // All of it happened under `long`, which keeps what it has seen.
    assert_eq!((*first, long.get(&1), long.len()), (0, Some(&MANY), 1));
}

/// Claims of several threads on one absent key, most of which fail, more than 2^16 of them.
#[test]
fn more_than_sixteen_bits_of_failing_claims() {
    let _watchdog = limit("more_than_sixteen_bits_of_failing_claims");
    let map: ShardMap<Key, Checked> = ShardMap::new();
    let claims = AtomicU64::new(0);
    let won = AtomicU64::new(0);
    let taken = AtomicU64::new(0);
    let start = Barrier::new(3);
    thread::scope(|scope| {
        for t in 0..3_u64 {
            let (map, claims, won, taken, start) = (&map, &claims, &won, &taken, &start);
            scope.spawn(move || {
                disturb_this_thread(t + 1);
                start.wait();
                while claims.fetch_add(1, Ordering::Relaxed) < 90_000 * stress() {
                    step();
                    if map.pin().try_insert(Key(0), Checked::of(t)).is_ok() {
                        won.fetch_add(1, Ordering::Relaxed);
                    }
                    if map.pin().remove(&Key(0)).is_some() {
                        taken.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let left = u64::from(map.pin().contains_key(&Key(0)));
    assert_eq!(won.into_inner(), taken.into_inner() + left);
    assert_eq!(
        (map.len() as u64, map.pin().iter().count() as u64),
        (left, left)
    );
}
