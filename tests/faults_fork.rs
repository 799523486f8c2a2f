//! `fork` in a program whose threads are using maps: what the child may do with them.
//!
//! The child has one thread. Those of the parent are frozen for good wherever they were, perhaps
//! pinned, perhaps in the middle of an insertion or of a move; being lock-free, the map goes on without
//! them. What they held up stays held up.
#![expect(
    unsafe_code,
    reason = "fork, wait and the exit without handlers are the system's"
)]
#![cfg(all(unix, not(miri)))]

use atomshard::{Guard as _, Operation, ResizeMode, ShardMap};
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicBool, Ordering};
use evidence::drops::{Ledger, Token, TokenKey};
use evidence::hashers::OneShard;
use foldhash::fast::FixedState;
use std::panic::catch_unwind;
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// Pins are the process's, and each test counts what they hold up.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a child has at most, in seconds: one that waits for a thread of the parent never ends.
const LIMIT: u32 = 60;

/// Runs `f` in a child and awaits it.
///
/// # Panics
/// If `f` panics there, or does not end.
fn in_child(f: impl FnOnce()) {
    // SAFETY: the child calls `f`, which the test keeps to maps and to the allocator, whose locks the C
    // library takes over in a fork.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "no further process");
    if child == 0 {
        // SAFETY: a number.
        unsafe { libc::alarm(LIMIT) };
        let passed = catch_unwind(AssertUnwindSafe(f)).is_ok();
        // SAFETY: the child ends here: no handler and no destructor of the parent's runs.
        unsafe { libc::_exit(i32::from(!passed)) }
    }
    let mut status = 0;
    // SAFETY: the child is ours, and the status is where the answer goes.
    let found = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!(found, child);
    assert_eq!(
        status,
        0,
        "the child failed (1 << 8), or hung ({})",
        libc::SIGALRM
    );
}

/// A key that is present throughout.
const STAYS: u64 = 1 << 20;

type Numbers = ShardMap<u64, u64, OneShard>;

/// The child's part in `the_child_goes_on_wherever_the_threads_were`: every kind of operation, on keys
/// of its own and on those that the threads were writing.
fn go_on(map: &Numbers) {
    for key in 1 << 40..(1 << 40) + 300 {
        assert_eq!(map.pin().insert(key, key), None);
        assert_eq!(map.pin().get(&key), Some(&key));
    }
    for key in 0..100 {
        // The threads' own: there or not, but whole.
        let old = map.pin().insert(key, key).copied();
        assert!(old.is_none_or(|old| old % 100 == key % 100));
        assert_eq!(map.pin().remove(&key), Some(&key));
        assert_eq!(map.pin().get(&key), None);
    }
    let pinned = map.pin();
    assert_eq!(pinned.get(&STAYS), Some(&99));
    assert_eq!(
        pinned.iter().filter(|(key, _)| **key >= 1 << 40).count(),
        300
    );
    drop(pinned);
    map.pin().reserve(2000);
    map.pin().retain(|key, _| *key < 1 << 40);
    // A map of the child's own, from the first entry to its end.
    let own: ShardMap<u64, String, FixedState> = ShardMap::default();
    for key in 0..500 {
        own.pin().insert(key, key.to_string());
        own.pin().remove(&(key / 2));
    }
    drop(own);
}

/// Two threads write, grow and shrink while the process forks, so that they are left anywhere.
#[test]
fn the_child_goes_on_wherever_the_threads_were() {
    let _alone = alone();
    let map: Numbers = ShardMap::builder()
        .hasher(OneShard)
        .resize_mode(ResizeMode::Incremental(1))
        .build();
    // Whoever forks has pinned before.
    map.pin().insert(STAYS, 99);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut round = 0;
                while !stop.load(Ordering::Relaxed) {
                    for key in 0..100 {
                        map.pin().insert(key, round * 100 + key);
                        map.pin().insert(1000 + round % 7 * 100 + key, key);
                    }
                    map.pin().retain(|key, _| *key < 100 || *key == STAYS);
                    map.pin().shrink_to_fit();
                    round += 1;
                }
            });
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            for _ in 0..50 {
                in_child(|| go_on(&map));
            }
        }));
        stop.store(true, Ordering::Relaxed);
        outcome.expect("each child goes on");
    });
    assert_eq!(
        map.pin().get(&STAYS),
        Some(&99),
        "the parent's map is its own"
    );
}

/// One thread is left in the closure of a `compute`, pinned, on the very key that the child uses.
#[test]
fn the_child_uses_the_key_that_a_thread_was_computing() {
    let _alone = alone();
    let map: ShardMap<u64, u64, FixedState> = ShardMap::default();
    map.pin().insert(1, 1);
    let (inside, is_inside) = channel();
    let (done, is_done) = channel();
    thread::scope(|scope| {
        let map = &map;
        scope.spawn(move || {
            map.pin().compute(1, |entry| {
                inside.send(()).expect("awaited");
                is_done.recv().expect("ended");
                Operation::<u64, ()>::Insert(entry.map_or(0, |(_, value)| value + 1))
            });
        });
        is_inside.recv().expect("in the closure");
        in_child(|| {
            map.pin().update(1, |value| value + 10);
            assert_eq!(map.pin().remove(&1), Some(&11));
            assert_eq!(map.pin().insert(1, 5), None);
        });
        done.send(()).expect("it waits");
    });
    assert_eq!(
        map.pin().get(&1),
        Some(&2),
        "the child's writes are its own"
    );
}

/// Removals of a child.
const REMOVED: usize = 2000;

/// Writes and removes in a child; how many keys and values stay.
fn garbage(ledger: &std::sync::Arc<Ledger>) -> usize {
    let before = ledger.live();
    let map: ShardMap<TokenKey, Token, FixedState> = ShardMap::default();
    for id in 0..REMOVED as u64 {
        map.pin()
            .insert(TokenKey::new(id, ledger), Token::new(ledger));
        map.pin().remove(&id);
    }
    map.guard().flush();
    map.guard().flush();
    let held = ledger.live() - before;
    drop(map);
    assert_eq!(
        ledger.live(),
        before,
        "a map of the child's takes all with it"
    );
    held
}

/// Threads that were not pinned at the fork cost the child nothing. Each that was holds up, as a
/// forgotten guard does, all that the child removes, until the map goes.
#[test]
#[cfg_attr(atomshard_seize, ignore = "of the records of our own body")]
fn what_was_pinned_at_the_fork_holds_up_the_childs_garbage() {
    let _alone = alone();
    let map: ShardMap<u64, u64, FixedState> = ShardMap::default();
    let ledger = Ledger::new(4 * REMOVED);
    let (there, is_there) = channel();
    let (done, is_done) = channel();
    thread::scope(|scope| {
        let map = &map;
        scope.spawn(move || {
            map.pin().insert(1, 1);
            there.send(()).expect("awaited");
            is_done.recv().expect("once");
            let pinned = map.pin();
            there.send(()).expect("awaited");
            is_done.recv().expect("twice");
            drop(pinned);
        });
        drop(map.pin());
        is_there.recv().expect("has pinned once");
        in_child(|| assert_eq!(garbage(&ledger), 0));
        done.send(()).expect("it waits");
        is_there.recv().expect("is pinned");
        in_child(|| assert_eq!(garbage(&ledger), 2 * REMOVED));
        done.send(()).expect("it waits");
    });
}
