//! Panics of the user's code, in every place where the map runs it: everything is dropped exactly
//! once all the same, and the map stays whole.

use atomshard::{Guard as _, Operation, ShardMap};
use core::hash::{Hash, Hasher};
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use evidence::drops::{Ledger, Token, TokenKey};
use evidence::hashers::OneHash;
use evidence::key::{Key, at_point};
use std::panic::catch_unwind;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

type Map = ShardMap<TokenKey, Token>;

/// A panic on its way through a pinned thread unpins it.
#[test]
fn a_panicking_thread_unpins() {
    let ledger = Ledger::new(100_000);
    let map: Arc<Map> = Arc::default();
    for _ in 0..4 {
        let (map, ledger) = (Arc::clone(&map), Arc::clone(&ledger));
        let ended = thread::spawn(move || {
            let pinned = map.pin();
            pinned.insert(TokenKey::new(1, &ledger), Token::new(&ledger));
            pinned.update(TokenKey::new(1, &ledger), |_| panic!("as asked"));
        })
        .join();
        assert!(ended.is_err());
    }
    for id in 0..5000 {
        map.pin()
            .insert(TokenKey::new(id, &ledger), Token::new(&ledger));
        map.pin().remove(&id);
    }
    // Were a panicked thread still pinned, all 10,000 would wait for it, for good. The other tests of
    // this process are pinned for a while at most: as long as a panic's backtrace takes, which is
    // much on a busy machine or in an emulator.
    let begun = Instant::now();
    while ledger.live() >= 5000 && begun.elapsed() < Duration::from_secs(20) {
        map.guard().flush();
        thread::yield_now();
    }
    assert!(
        ledger.live() < 5000,
        "{} wait: a panicked thread stays pinned",
        ledger.live()
    );
    drop(Arc::into_inner(map).expect("the threads are gone"));
    ledger.assert_live(0);
}

/// A value whose drop panics now and then.
struct Fused {
    _token: Token,
    burns: bool,
}

static BURN: AtomicBool = AtomicBool::new(false);
/// Drops that have panicked.
static BURNT: AtomicU64 = AtomicU64::new(0);

impl Drop for Fused {
    fn drop(&mut self) {
        if self.burns && BURN.load(Ordering::Relaxed) && !thread::panicking() {
            BURNT.fetch_add(1, Ordering::Relaxed);
            panic!("a drop panics as asked");
        }
    }
}

/// A panic in a value's drop, wherever the map runs it: nothing is dropped twice, nothing is left.
/// One in the middle of reclamation is reported and ends there, so the panics are counted where
/// they begin.
#[test]
fn a_drop_that_panics_leaves_nothing_behind() {
    let ledger = Ledger::new(100_000);
    let map: ShardMap<TokenKey, Fused> = ShardMap::new();
    BURN.store(true, Ordering::Relaxed);
    for i in 0..2000 {
        let id = i % 40;
        let _ended = catch_unwind(AssertUnwindSafe(|| {
            let value = Fused {
                _token: Token::new(&ledger),
                burns: i % 97 == 0,
            };
            let pinned = map.pin();
            pinned.insert(TokenKey::new(id, &ledger), value);
            if i % 3 == 0 {
                pinned.remove(&id);
            }
        }));
    }
    let _ended = catch_unwind(AssertUnwindSafe(move || drop(map)));
    BURN.store(false, Ordering::Relaxed);
    assert!(
        BURNT.load(Ordering::Relaxed) > 0,
        "no drop has panicked: the run shows nothing"
    );
    ledger.assert_live(0);
}

/// The same for what is in the map when the map goes, and when it is taken apart: after the one
/// that panics, the others are dropped too, as those of a `Vec` are.
#[test]
fn a_drop_that_panics_in_a_dropped_map_leaves_nothing_behind() {
    struct Bomb {
        _token: Token,
        burns: bool,
    }
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!self.burns || thread::panicking(), "a drop panics as asked");
        }
    }
    for entries in [3, 100, 1000] {
        for consumed in [false, true] {
            let ledger = Ledger::new(2 * 1000);
            let map: ShardMap<TokenKey, Bomb> = ShardMap::new();
            for id in 0..entries {
                let burns = id == entries / 2;
                let value = Bomb {
                    _token: Token::new(&ledger),
                    burns,
                };
                map.pin().insert(TokenKey::new(id, &ledger), value);
            }
            let ended = catch_unwind(AssertUnwindSafe(move || {
                if consumed {
                    drop(map.into_iter())
                } else {
                    drop(map)
                }
            }));
            assert!(
                ended.is_err(),
                "no drop has panicked: the run shows nothing"
            );
            ledger.assert_live(0);
        }
    }
}

/// A key whose hash and comparison panic at a set point.
#[derive(Clone)]
struct Brittle(TokenKey);

static BREAK_AT: AtomicU64 = AtomicU64::new(0);

fn brittle() {
    let now = BREAK_AT.load(Ordering::Relaxed);
    if now > 0 {
        BREAK_AT.store(now - 1, Ordering::Relaxed);
        assert!(now != 1, "a key panics as asked");
    }
}

fn break_at(n: u64) {
    BREAK_AT.store(n, Ordering::Relaxed);
}

impl PartialEq for Brittle {
    fn eq(&self, other: &Self) -> bool {
        brittle();
        self.0 == other.0
    }
}

impl Eq for Brittle {}

impl Hash for Brittle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        brittle();
        self.0.hash(state);
    }
}

/// `Hash`, `Eq` and closures that panic at every point there is, in every operation: the map stays
/// whole, and everything is dropped once.
#[test]
fn panics_in_keys_and_closures_drop_everything_once() {
    let ledger = Ledger::new(200_000);
    let map: ShardMap<Brittle, Token, OneHash> = ShardMap::with_hasher(OneHash(0));
    let key = |id| Brittle(TokenKey::new(id, &ledger));
    for id in 0..10 {
        map.pin().insert(key(id), Token::new(&ledger));
    }
    let mut panics = 0;
    for operation in 0..11 {
        for id in [0, 5, 9, 11] {
            for at in 1..14 {
                let before = map.len();
                let done = catch_unwind(AssertUnwindSafe(|| {
                    let (key, value) = (key(id), Token::new(&ledger));
                    let map = map.pin();
                    break_at(at);
                    match operation {
                        0 => drop(map.insert(key, value)),
                        1 => drop(map.remove(&key)),
                        2 => drop(map.try_insert(key, value)),
                        3 => drop(map.update(key, |_| {
                            brittle();
                            Token::new(&ledger)
                        })),
                        4 => drop(map.update_or_insert(
                            key,
                            |_| {
                                brittle();
                                Token::new(&ledger)
                            },
                            value,
                        )),
                        5 => drop(map.get_or_insert_with(key, || {
                            brittle();
                            Token::new(&ledger)
                        })),
                        6 => drop(map.remove_if(&key, |_, _| {
                            brittle();
                            true
                        })),
                        7 => drop(map.compute(key, |_| {
                            brittle();
                            Operation::<_, ()>::Insert(Token::new(&ledger))
                        })),
                        8 => map.retain(|_, _| {
                            brittle();
                            true
                        }),
                        9 => drop(map.get(&key)),
                        _ => map.clear(),
                    }
                }));
                break_at(0);
                if done.is_err() {
                    panics += 1;
                    assert_eq!(
                        map.len(),
                        before,
                        "operation {operation} panicked and took effect"
                    );
                }
                let count = map.pin().iter().count();
                assert_eq!(map.len(), count, "operation {operation} at {at} on {id}");
                for id in 0..10 {
                    map.pin().insert(key(id), Token::new(&ledger));
                }
                map.pin().remove(&key(11));
                assert_eq!((map.len(), map.pin().iter().count()), (10, 10));
            }
        }
    }
    assert!(panics > 100, "only {panics} panics");
    drop(map);
    ledger.assert_live(0);
}

/// A comparison panics in an insert that has claimed its slot, after another thread has settled the
/// claim: the insert took place, and the map counts it.
#[test]
fn an_insert_that_panics_when_it_is_settled_is_counted() {
    // In the first line of the bucket, and in an overflow line.
    for neighbours in [1, 9] {
        let map: Arc<ShardMap<Key, u64, OneHash>> = Arc::default();
        for key in 1..=neighbours {
            map.pin().insert(Key(key), key);
        }
        let other = Arc::clone(&map);
        let settle = move || {
            let refused = thread::spawn(move || other.pin().try_insert(Key(0), 2).is_err()).join();
            assert!(refused.expect("only the insert panics"), "it met the claim");
            panic!("a comparison panics as asked");
        };
        // The search compares with each neighbour, then the claim's owner does.
        at_point(u32::try_from(neighbours).expect("few") + 1, settle);
        let insert = catch_unwind(AssertUnwindSafe(|| map.pin().insert(Key(0), 1).is_some()));
        assert!(insert.is_err(), "no comparison has panicked");
        let map = map.pin();
        assert_eq!(map.get(&Key(0)), Some(&1));
        assert_eq!(map.len(), map.iter().count());
        assert_eq!(map.remove(&Key(0)), Some(&1));
        assert_eq!(map.len() as u64, neighbours);
    }
}
