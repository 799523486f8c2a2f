//! Every key and every value is dropped exactly once, whatever happens to the map.
//!
//! A ledger has one cell for each key and value made, and counts its drops. Counts are taken after
//! the map is gone: until then, what was removed may wait for readers.

use atomshard::{Compute, Operation, ShardMap};
use core::hash::BuildHasher;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use evidence::drops::{Ledger, Token, TokenKey};
use evidence::hashers::OneHash;
use evidence::seed::{rng, seeds, stress};
use evidence::watchdog::{Watchdog, step};
use foldhash::fast::RandomState;
use std::sync::{Arc, Weak, mpsc};
use std::thread;

type Map<S = RandomState> = ShardMap<TokenKey, Token, S>;

fn limit(name: &'static str) -> Watchdog {
    Watchdog::new(name, Duration::from_secs(60 * stress()))
}

/// A random operation; every way in which the map takes and lets go of keys and values.
fn operate<S: BuildHasher>(map: &Map<S>, ledger: &Arc<Ledger>, rng: &mut fastrand::Rng, keys: u64) {
    let id = rng.u64(0..keys);
    let key = || TokenKey::new(id, ledger);
    let value = || Token::new(ledger);
    let map = map.pin();
    match rng.u32(0..22) {
        0..4 => drop(map.insert(key(), value())),
        4..6 => drop(map.remove(&id)),
        6 => drop(map.remove_entry(&id)),
        7 => drop(map.remove_if(&id, |k, _| k.id % 2 == 0)),
        8 => drop(map.try_insert(key(), value())),
        9 => drop(map.get_or_insert(key(), value())),
        10 => drop(map.get_or_insert_with(key(), value)),
        11 => drop(map.update(key(), Token::clone)),
        12 => drop(map.update_or_insert(key(), Token::clone, value())),
        13 => drop(map.update_or_insert_with(key(), Token::clone, value)),
        14 => drop(map.compute(key(), |entry| match entry {
            Some(_) => Operation::<Token, ()>::Remove,
            None => Operation::Insert(value()),
        })),
        15 => drop(map.compute(key(), |_| Operation::Abort(value()))),
        16 => drop(map.compute(key(), |entry| match entry {
            Some((_, old)) => Operation::<Token, ()>::Insert(old.clone()),
            None => Operation::Insert(value()),
        })),
        17 => drop(map.try_insert_with(key(), value)),
        18 => drop(
            map.iter()
                .take(5)
                .map(|(_, v)| v.clone())
                .collect::<Vec<_>>(),
        ),
        19 => match rng.u32(0..8) {
            0 => map.clear(),
            1 => map.retain(|key, _| key.id % 3 != 0),
            2 => map.shrink_to_fit(),
            3 => map.reserve(500),
            _ => {}
        },
        20 => drop(map.get(&id).cloned()),
        _ => drop(map.get_key_value(&id).map(|(k, v)| (k.clone(), v.clone()))),
    }
}

/// The ways in which a map comes to its end.
fn end<S: BuildHasher>(map: Map<S>, how: u64) {
    match how % 4 {
        0 => drop(map),
        1 => drop(map.into_iter()),
        2 => {
            let mut entries = map.into_iter();
            for _ in 0..3 {
                drop(entries.next());
            }
        }
        _ => assert!(map.into_iter().all(|(key, _)| key.id < u64::MAX)),
    }
}

fn one_thread<S: BuildHasher + Default>(keys: u64, steps: usize) {
    for seed in seeds(4) {
        for how in 0..4 {
            let ledger = Ledger::new(steps * 12);
            let map: Map<S> = ShardMap::with_capacity_and_hasher(0, S::default());
            let mut rng = rng(seed, 0);
            for _ in 0..steps {
                operate(&map, &ledger, &mut rng, keys);
            }
            end(map, how);
            ledger.assert_live(0);
            assert!(ledger.made() > steps);
        }
    }
}

#[test]
fn one_thread_drops_everything_once() {
    one_thread::<RandomState>(300, 4000);
    one_thread::<RandomState>(3, 1000);
    one_thread::<OneHash>(40, 1500);
}

#[test]
fn many_threads_drop_everything_once() {
    let _watchdog = limit("many_threads_drop_everything_once");
    for seed in seeds(6 * stress()) {
        for keys in [4, 2000] {
            let ledger = Ledger::new(3 * 4000 * 12);
            let map: Map = ShardMap::default();
            thread::scope(|scope| {
                for t in 0..3 {
                    let (map, ledger) = (&map, &ledger);
                    scope.spawn(move || {
                        let mut rng = rng(seed, t);
                        for _ in 0..4000 {
                            step();
                            operate(map, ledger, &mut rng, keys);
                        }
                    });
                }
            });
            let present = map.len();
            assert_eq!(map.pin().iter().count(), present);
            assert!(
                ledger.live() >= 2 * present,
                "an entry in the map was dropped"
            );
            end(map, seed);
            ledger.assert_live(0);
        }
    }
}

/// Garbage that waits for a guard: nothing of it is dropped while the guard can see it, all of it
/// when the map goes.
#[test]
fn a_map_goes_while_garbage_is_pending() {
    let ledger = Ledger::new(10_000);
    let map: Map = ShardMap::default();
    for id in 0..500 {
        map.pin()
            .insert(TokenKey::new(id, &ledger), Token::new(&ledger));
    }
    let pinned = map.pin();
    let seen: Vec<_> = pinned.iter().collect();
    for id in 0..500 {
        map.pin().remove(&id);
    }
    map.pin().shrink_to_fit();
    assert_eq!(
        ledger.live(),
        1000,
        "an entry that a guard can see was dropped"
    );
    assert_eq!(
        seen.iter().map(|(key, _)| key.id).sum::<u64>(),
        499 * 500 / 2
    );
    for id in 0..500 {
        map.pin()
            .insert(TokenKey::new(id, &ledger), Token::new(&ledger));
    }
    drop(seen);
    drop(pinned);
    drop(map);
    ledger.assert_live(0);
}

/// Owned guards that outlive the thread that made them, and threads that end while pinned.
#[test]
fn threads_end_while_pinned() {
    let ledger = Ledger::new(100_000);
    let map: Map = ShardMap::default();
    let (send, receive) = mpsc::channel();
    thread::scope(|scope| {
        for t in 0..8_u64 {
            let (map, ledger, send) = (&map, &ledger, send.clone());
            scope.spawn(move || {
                for id in 0..200 {
                    map.pin()
                        .insert(TokenKey::new(id, ledger), Token::new(ledger));
                }
                let guard = map.owned_guard();
                for id in 0..200 {
                    map.remove(&id, &guard);
                }
                if t % 2 == 0 {
                    // The guard goes on elsewhere, or it ends with the thread.
                    send.send(guard).expect("the test listens");
                }
            });
        }
    });
    drop(send);
    let guards: Vec<_> = receive.iter().collect();
    assert_eq!(guards.len(), 4);
    map.pin()
        .insert(TokenKey::new(1, &ledger), Token::new(&ledger));
    assert_eq!(map.get(&1, &guards[0]).map(|_| ()), Some(()));
    drop((guards, receive));
    drop(map);
    ledger.assert_live(0);
}

/// A value whose drop uses the map it was in.
struct Reentrant {
    map: Weak<ShardMap<u64, Self>>,
    id: u64,
    drops: Arc<AtomicU64>,
    /// How many more times its drop puts a new value in.
    more: u64,
}

impl Drop for Reentrant {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::AcqRel);
        // `None` when the map itself is being dropped.
        let Some(map) = self.map.upgrade() else {
            return;
        };
        let pinned = map.pin();
        pinned.get(&self.id);
        pinned.remove(&(self.id + 1));
        if self.more > 0 {
            let (map, drops) = (self.map.clone(), Arc::clone(&self.drops));
            pinned.insert(
                self.id,
                Self {
                    map,
                    id: self.id,
                    drops,
                    more: self.more - 1,
                },
            );
        }
    }
}

#[test]
fn a_drop_may_use_the_map() {
    let _watchdog = limit("a_drop_may_use_the_map");
    let map: Arc<ShardMap<u64, Reentrant>> = Arc::default();
    let drops = Arc::new(AtomicU64::new(0));
    let made = AtomicU64::new(0);
    thread::scope(|scope| {
        for t in 0..2_u64 {
            let (map, drops, made) = (&map, &drops, &made);
            scope.spawn(move || {
                // As long as it takes: guards of other tests may hold the garbage up meanwhile.
                let enough = || drops.load(Ordering::Acquire) > 1000;
                for i in (0_u64..).take_while(|i| *i < 3000 || !enough()) {
                    step();
                    let id = (i * 2 + t) % 50;
                    let value = Reentrant {
                        map: Arc::downgrade(map),
                        id,
                        drops: Arc::clone(drops),
                        more: 1,
                    };
                    made.fetch_add(1, Ordering::Relaxed);
                    map.pin().insert(id, value);
                }
            });
        }
    });
    let held = Arc::clone(&drops);
    drop(Arc::into_inner(map).expect("the threads are gone"));
    // Each value made by the threads and by drops has given back its share of the counter.
    drop(drops);
    assert_eq!(Arc::strong_count(&held), 1, "values were not dropped");
    assert!(held.load(Ordering::Acquire) >= made.into_inner());
}

/// Values that borrow: all are gone when the map is, and no thread drops one later.
#[test]
fn borrowed_values_are_dropped_before_what_they_borrow() {
    struct Borrows<'a>(&'a AtomicU64);
    impl Drop for Borrows<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::AcqRel);
        }
    }
    for _ in 0..20 {
        let drops = AtomicU64::new(0);
        let map: ShardMap<u64, Borrows<'_>> = ShardMap::new();
        thread::scope(|scope| {
            for t in 0..3_u64 {
                let (map, drops) = (&map, &drops);
                scope.spawn(move || {
                    for i in 0..200 {
                        map.pin().insert((i + t) % 60, Borrows(drops));
                    }
                });
            }
        });
        drop(map);
        assert_eq!(drops.load(Ordering::Acquire), 600);
    }
}

/// `compute` that is aborted, or loses, gives up the values it has made, once each.
#[test]
fn values_that_compute_makes_in_vain_are_dropped() {
    let ledger = Ledger::new(100_000);
    let map: Map = ShardMap::default();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    let map = map.pin();
                    let done = map.compute(TokenKey::new(0, &ledger), |entry| {
                        let value = Token::new(&ledger);
                        thread::yield_now();
                        match entry {
                            None => Operation::Insert(value),
                            Some(_) => Operation::<_, Token>::Remove,
                        }
                    });
                    assert!(matches!(done, Compute::Inserted(..) | Compute::Removed(..)));
                }
            });
        }
    });
    drop(map);
    ledger.assert_live(0);
}
