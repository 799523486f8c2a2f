//! Entries that are kept without a guard, entries that leave the map as a whole, and the hook of drops.
//!
//! Pins are those of the process, and what is freed when depends on them: one test runs at a time.

use atomshard::{Detached, EntryRef, Guard as _, ResizeMode, ShardMap};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use evidence::drops::{Ledger, Token, TokenKey};
use foldhash::fast::FixedState;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

type Map<K, V> = ShardMap<K, V, FixedState>;

fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Rounds of a test with threads.
fn rounds(most: usize) -> usize {
    if cfg!(miri) { 12 } else { most }
}

/// Two threads do this, each with choices of its own.
fn by_two_threads(work: impl Fn(fastrand::Rng) + Sync) {
    thread::scope(|scope| {
        for seed in 0..2 {
            let work = &work;
            scope.spawn(move || work(fastrand::Rng::with_seed(seed)));
        }
    });
}

#[test]
fn miri_a_held_entry_stays_and_nothing_else_does() {
    let _alone = alone();
    let ledger = Ledger::new(10);
    let map: Map<u64, Token> = ShardMap::default();
    for key in 0..10 {
        map.pin().insert(key, Token::new(&ledger));
    }
    let held = map.hold(&3).expect("it is there");
    let again = held.clone();
    map.pin().clear();
    map.guard().flush();
    map.guard().flush();
    ledger.assert_live(1);
    assert!(held.is_alive() && EntryRef::key(&again) == &3);
    drop(held);
    map.guard().flush();
    ledger.assert_live(1);
    drop(again);
    map.guard().flush();
    ledger.assert_live(0);
}

/// Values so large that a batch is 15 of them.
type Large<T> = (T, [u64; 128]);

/// Three batches of such, and some more.
const BATCHES: usize = 3 * 15 + 5;

#[test]
fn miri_what_is_held_is_freed_by_later_writes() {
    let _alone = alone();
    let ledger = Ledger::new(4 * BATCHES + 1);
    let map: Map<u64, Large<Token>> = ShardMap::default();
    let write = || {
        map.pin()
            .insert(0, (Token::new(&ledger), [0; 128]))
            .is_some()
    };
    assert!(!write());
    let held = map.hold(&0).expect("it is there");
    for _ in 0..2 * BATCHES {
        assert!(write());
    }
    assert!(held.0.is_alive());
    assert!(ledger.live() < BATCHES, "{} others wait", ledger.live());
    drop(held);
    for _ in 0..2 * BATCHES {
        assert!(write());
    }
    assert!(ledger.live() < BATCHES, "{} wait", ledger.live());
    drop(map);
    ledger.assert_live(0);
}

/// Numbers are freed by whole lists, without a look at them, until one was held.
#[test]
fn miri_a_held_number_is_not_used_again() {
    let _alone = alone();
    let map: Map<u64, Large<u64>> = ShardMap::default();
    let churn = || {
        for value in 0..2 * BATCHES as u64 {
            map.pin().insert(1, (value, [value; 128]));
        }
    };
    churn();
    map.pin().insert(1, (7, [7; 128]));
    let held = map.hold(&1).expect("it is there");
    churn();
    assert_eq!((*held, EntryRef::key(&held)), ((7, [7; 128]), &1));
    drop(held);
    churn();
    assert!(map.retired_bytes() < BATCHES * size_of::<(u64, Large<u64>, u64)>());
}

#[test]
fn miri_a_removed_entry_that_is_held_outlives_the_name_of_its_map() {
    let _alone = alone();
    let ledger = Ledger::new(10);
    let map: Arc<Map<TokenKey, Token>> = Arc::default();
    let (key, value) = (TokenKey::new(1, &ledger), Token::new(&ledger));
    map.pin().insert(key, value);
    let held = map.hold_arc(&1).expect("it is there");
    assert!(map.pin().remove(&1).is_some());
    drop(map);
    let thread = thread::spawn(move || assert!(held.is_alive()));
    thread.join().expect("no panic");
    ledger.assert_live(0);
}

/// Threads hold, clone and let go what others replace and remove, while tables grow and shrink.
#[test]
fn miri_no_entry_is_freed_while_it_is_held() {
    let _alone = alone();
    let ledger = Ledger::new(2 * rounds(20_000));
    let map: Map<u64, Token> = ShardMap::default();
    let keys = if cfg!(miri) { 4 } else { 64 };
    by_two_threads(|mut rng| {
        let mut kept: Vec<EntryRef<&Map<u64, Token>>> = Vec::new();
        for _ in 0..rounds(20_000) {
            let key = rng.u64(..keys);
            match rng.u8(..8) {
                0..3 => _ = map.pin().insert(key, Token::new(&ledger)),
                3 => _ = map.pin().remove(&key),
                4..6 => kept.extend(map.hold(&key)),
                6 => kept.extend(kept.last().cloned()),
                _ => kept.truncate(kept.len() / 2),
            }
            assert!(kept.iter().all(|held| held.is_alive()), "freed");
            kept.truncate(32);
        }
    });
    map.pin().clear();
    map.guard().flush();
    drop(map);
    ledger.assert_live(0);
}

#[test]
fn an_entry_ref_goes_where_its_map_may_go() {
    fn travels<T: Send + Sync + 'static>(value: T) -> T {
        value
    }
    let _alone = alone();
    let map: Arc<Map<u64, String>> = Arc::default();
    map.pin().insert(1, "a".to_owned());
    let held = travels(map.hold_arc(&1).expect("it is there"));
    assert_eq!(format!("{held:?}"), r#"EntryRef { key: 1, value: "a" }"#);
    static_assertions::assert_not_impl_any!(EntryRef<&'static Map<u64, std::rc::Rc<u8>>>: Send, Sync);
    static_assertions::assert_impl_all!(Detached<'static, u64, String>: Send, Sync);
    static_assertions::assert_not_impl_any!(Detached<'static, u64, core::cell::Cell<u8>>: Send, Sync);
}

#[test]
fn miri_a_detached_entry_is_owned_when_nobody_sees_it() {
    let _alone = alone();
    let ledger = Ledger::new(10);
    let map: Map<u64, Token> = ShardMap::default();
    map.pin().insert(1, Token::new(&ledger));
    let detached = map.detach(&1).expect("it is there");
    assert!(map.detach(&1).is_none() && map.is_empty());
    let (key, value) = detached.try_into_inner().expect("nobody else is here");
    assert_eq!(key, 1);
    drop(map);
    ledger.assert_live(1);
    drop(value);
    ledger.assert_live(0);
}

#[test]
fn miri_a_detached_entry_is_refused_while_somebody_may_read_it() {
    let _alone = alone();
    let ledger = Ledger::new(10);
    let map: Map<u64, Token> = ShardMap::default();
    for key in 0..3 {
        map.pin().insert(key, Token::new(&ledger));
    }
    let guard = map.guard();
    let detached = map.detach(&0).expect("it is there");
    let detached = detached.try_into_inner().expect_err("a guard is there");
    drop(guard);
    let later = map.guard();
    let taken = detached
        .try_into_inner()
        .expect("a later guard is not waited for");
    drop((later, taken));

    let held = map.hold(&1).expect("it is there");
    let detached = map.detach(&1).expect("it is there");
    let detached = detached.try_into_inner().expect_err("it is held");
    assert!(detached.value().is_alive() && held.is_alive());
    drop(held);
    assert_eq!(detached.try_into_inner().expect("nobody is left").0, 1);

    // One that is let go is as good as removed.
    drop(map.detach(&2));
    map.guard().flush();
    ledger.assert_live(0);
}

/// Each value that leaves as a whole leaves once, whoever else removes or reads the key.
#[test]
fn miri_values_are_handed_out_once() {
    let _alone = alone();
    let ledger = Ledger::new(2 * rounds(20_000));
    let map: Map<u64, Token> = ShardMap::default();
    let owned = AtomicUsize::new(0);
    by_two_threads(|mut rng| {
        for _ in 0..rounds(20_000) {
            let key = rng.u64(..4);
            match rng.u8(..4) {
                0 => _ = map.pin().insert(key, Token::new(&ledger)),
                1 => {
                    let pinned = map.pin();
                    assert!(pinned.get(&key).is_none_or(Token::is_alive));
                }
                2 => _ = map.pin().remove(&key),
                _ => {
                    let detached = map.detach(&key).map(Detached::try_into_inner);
                    if let Some(Ok((_, token))) = detached {
                        assert!(token.is_alive());
                        // Relaxed: a count.
                        owned.fetch_add(1, Relaxed);
                    }
                }
            }
        }
    });
    // Relaxed: the threads have been joined.
    assert!(cfg!(miri) || owned.load(Relaxed) > 0, "none was handed out");
    drop(map);
    ledger.assert_live(0);
}

#[test]
fn miri_the_hook_is_given_everything_once() {
    let _alone = alone();
    let (send, receive) = channel();
    let send = Mutex::new(send);
    let map = ShardMap::builder()
        .hasher(FixedState::default())
        .resize_mode(ResizeMode::Incremental(8))
        .on_drop(move |key: u64, value: u64| {
            let send = send.lock().expect("no panic under the lock");
            send.send((key, value)).expect("the receiver is there");
        })
        .build();
    let keys = if cfg!(miri) { 16 } else { 2000 };
    for key in 0..keys {
        map.pin().insert(key, 1);
    }
    for key in 0..keys / 2 {
        map.pin().insert(key, 2);
    }
    map.pin().retain(|key, _| key % 2 == 0);
    let (_, owned) = map
        .detach(&0)
        .expect("it is there")
        .try_into_inner()
        .expect("alone");
    assert_eq!(owned, 2);
    map.guard().flush();
    let removed: Vec<_> = receive.try_iter().collect();
    assert_eq!(
        removed.len() as u64,
        keys / 2 + keys / 2,
        "replaced, and odd"
    );
    let copy = map.clone();
    drop(map);
    let mut all = removed;
    all.extend(receive.try_iter());
    let mut expected: Vec<_> = (0..keys).map(|key| (key, 1)).collect();
    expected.extend((1..keys / 2).map(|key| (key, 2)));
    all.sort_unstable();
    expected.sort_unstable();
    assert_eq!(all, expected);
    drop(copy);
    assert_eq!(
        receive.try_iter().count() as u64,
        keys / 2 - 1,
        "the copy's too"
    );
}

#[test]
fn miri_the_hook_may_use_the_map_and_panic() {
    let _alone = alone();
    let ledger = Ledger::new(100);
    let map: Arc<std::sync::OnceLock<ShardMap<u64, Token>>> = Arc::default();
    let (inside, calls) = (Arc::downgrade(&map), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&calls);
    let made = ShardMap::builder()
        .on_drop(move |key: u64, value: Token| {
            // Relaxed: a count on one thread.
            counted.fetch_add(1, Relaxed);
            // Not while the map is dropped.
            if let Some(map) = inside.upgrade() {
                let map = map.get().expect("made before it was used");
                map.pin().insert(key + 100, value);
            }
            assert!(key < 100, "on purpose");
        })
        .build();
    let map_of = || map.get_or_init(|| unreachable!("it is set"));
    assert!(map.set(made).is_ok());
    for key in 0..10 {
        map_of().pin().insert(key, Token::new(&ledger));
    }
    map_of().pin().clear();
    map_of().guard().flush();
    // Relaxed: as above.
    assert_eq!(calls.load(Relaxed), 10);
    assert_eq!(map_of().len(), 10, "put in again");
    drop(map);
    // Relaxed: as above.
    assert_eq!(calls.load(Relaxed), 20);
    ledger.assert_live(0);
}
