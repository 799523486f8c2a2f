//! Threads that sleep or die while pinned: what the others may still do, and what garbage it costs. And
//! threads that come and go in great number.
//!
//! The pins are those of the process, so one test runs at a time.

use atomshard::{Guard as _, Operation, ShardMap};
use cap::Cap;
use core::time::Duration;
use evidence::drops::{Ledger, Token, TokenKey};
use evidence::watchdog::Watchdog;
use foldhash::fast::FixedState;
use std::alloc::System;
use std::panic::resume_unwind;
use std::sync::mpsc::channel;
use std::sync::{Barrier, Mutex, MutexGuard, PoisonError};
use std::thread;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

fn alone(name: &'static str) -> (MutexGuard<'static, ()>, Watchdog) {
    static ONE: Mutex<()> = Mutex::new(());
    let watchdog = Watchdog::new(name, Duration::from_secs(120));
    (ONE.lock().unwrap_or_else(PoisonError::into_inner), watchdog)
}

/// Replacements while somebody sleeps.
const ROUNDS: u64 = 2000;

/// While a pinned thread sleeps, each entry that others replace or remove stays: its 24 bytes of an
/// entry of two words, and 8 bytes of list, which grows by doubling. Nobody waits. When it has woken,
/// all of it is used again.
#[test]
#[cfg_attr(atomshard_seize, ignore = "the bytes are those of chunks and bags")]
fn a_pinned_thread_that_sleeps_holds_what_is_removed_meanwhile() {
    let _alone = alone("a_pinned_thread_that_sleeps_holds_what_is_removed_meanwhile");
    let map: ShardMap<u64, u64, FixedState> = ShardMap::default();
    map.pin().insert(0, 0);
    let replace = || {
        for round in 1..=ROUNDS {
            assert!(map.pin().insert(0, round).is_some());
        }
    };
    let (asleep, is_asleep) = channel();
    let (wake, is_woken) = channel();
    let (held, again) = thread::scope(|scope| {
        let sleeper = scope.spawn({
            let map = &map;
            move || {
                let pinned = map.pin();
                let first = pinned.get(&0);
                asleep.send(()).expect("awaited");
                is_woken.recv().expect("woken");
                // What it looked at is as it was.
                assert_eq!((first, pinned.get(&0)), (Some(&0), Some(&ROUNDS)));
            }
        });
        is_asleep.recv().expect("it sleeps");
        let before = ALLOCATOR.allocated();
        replace();
        let held = ALLOCATOR.allocated() - before;
        wake.send(()).expect("it waits");
        sleeper.join().expect("no panic");
        map.guard().flush();
        let before = ALLOCATOR.allocated();
        replace();
        (held, ALLOCATOR.allocated().saturating_sub(before))
    });
    let each = held as f64 / ROUNDS as f64;
    println!("{each:.1} bytes a removal while it sleeps; {again} bytes in all afterwards");
    assert!(
        (24.0..64.0).contains(&each),
        "{each} bytes for each removal"
    );
    assert!(
        again < 16 << 10,
        "{again} bytes more although nobody sleeps"
    );
}

/// A thread that a panic ends, in a closure of the map and in its own code, leaves no pin behind, and
/// the garbage that it held goes with the next flush of another thread.
#[test]
#[cfg_attr(
    atomshard_seize,
    ignore = "`seize` keeps what a thread left until the map ends"
)]
fn a_thread_that_panics_while_pinned_holds_nothing() {
    let _alone = alone("a_thread_that_panics_while_pinned_holds_nothing");
    let ledger = Ledger::new(4000);
    let map: ShardMap<TokenKey, Token, FixedState> = ShardMap::default();
    let insert = |id| {
        let (key, value) = (TokenKey::new(id, &ledger), Token::new(&ledger));
        map.pin().insert(key, value).is_some()
    };
    for in_closure in [true, false] {
        let died = thread::scope(|scope| {
            let dies = scope.spawn(|| {
                for id in 0..100 {
                    insert(id);
                }
                let pinned = map.pin();
                for id in 0..100 {
                    pinned.remove(&id);
                }
                if in_closure {
                    pinned.compute(TokenKey::new(7, &ledger), |_| -> Operation<Token, ()> {
                        resume_unwind(Box::new("in the closure"))
                    });
                }
                resume_unwind(Box::new("under the guard"))
            });
            dies.join().map(|()| 0).expect_err("it panics")
        });
        let wanted = if in_closure {
            "in the closure"
        } else {
            "under the guard"
        };
        assert_eq!(died.downcast_ref(), Some(&wanted));
        map.guard().flush();
        map.guard().flush();
        assert_eq!(ledger.live(), 0, "garbage stays");
        assert_eq!(ledger.dropped_twice(), 0);
    }
    for id in 0..100 {
        assert!(!insert(id));
    }
    assert_eq!(map.len(), 100);
    drop(map);
    ledger.assert_live(0);
}

/// Threads at once, and in all.
const AT_ONCE: u64 = 8;
const IN_ALL: u64 = 10_000;
/// Threads after which each heap has had as much garbage as it will have.
const WARM_UP: u64 = 500;

/// Threads that are born, write and die, again and again, cost what as many cost that live at once: no
/// record, no heap and no garbage is left of a thread that nobody takes over.
#[test]
fn ten_thousand_threads_that_write_and_die_take_no_more_than_eight() {
    let _alone = alone("ten_thousand_threads_that_write_and_die_take_no_more_than_eight");
    let map: ShardMap<u64, Box<u64>, FixedState> = ShardMap::default();
    // Of the key's own wave, so that each removal finds it.
    let lives = |number: u64| {
        for key in (number % AT_ONCE) * 32..(number % AT_ONCE + 1) * 32 {
            let replaced = map.pin().insert(key, Box::new(number)).is_some();
            assert_eq!(replaced, number >= AT_ONCE && key % 2 == 1);
        }
        for key in (number % AT_ONCE) * 16..(number % AT_ONCE + 1) * 16 {
            assert!(map.pin().remove(&(2 * key)).is_some());
        }
        map.guard().thread_id()
    };
    // So that eight are alive at once.
    let all = Barrier::new(AT_ONCE.try_into().expect("few"));
    let mut records = 0;
    let mut warm = 0;
    for wave in 0..IN_ALL / AT_ONCE {
        thread::scope(|scope| {
            let (lives, all) = (&lives, &all);
            let spawned: Vec<_> = (0..AT_ONCE)
                .map(|place| {
                    scope.spawn(move || {
                        let record = lives(wave * AT_ONCE + place);
                        all.wait();
                        record
                    })
                })
                .collect();
            for thread in spawned {
                // Joined, so that its locals are gone too.
                records = thread.join().expect("no panic").max(records);
            }
        });
        if wave == WARM_UP / AT_ONCE {
            warm = ALLOCATOR.allocated();
        }
    }
    let grown = ALLOCATOR.allocated().saturating_sub(warm);
    println!("{grown} bytes more, records up to {records}");
    // Some thread of another test may have a record for a moment.
    assert!(records < 12, "record {records}");
    // A word for each thread would be 76,000 bytes.
    assert!(grown < 64 << 10, "{grown} bytes more");
    assert!(map.retired_bytes() <= 8 * (64 << 10));
    assert_eq!(map.len() as u64, AT_ONCE * 16);
}
