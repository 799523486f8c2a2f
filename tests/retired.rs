//! What was removed and is not freed yet is counted, and it is little unless a guard stays.
//!
//! The pins are those of the process, so one test runs at a time.

use atomshard::{Guard as _, ShardMap, ShardSet};
use core::time::Duration;
use evidence::watchdog::Watchdog;
use foldhash::fast::FixedState;
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

type Map<V> = ShardMap<u64, V, FixedState>;

fn alone(name: &'static str) -> (MutexGuard<'static, ()>, Watchdog) {
    static ONE: Mutex<()> = Mutex::new(());
    let watchdog = Watchdog::new(name, Duration::from_secs(120));
    (ONE.lock().unwrap_or_else(PoisonError::into_inner), watchdog)
}

/// The block of an entry: hash, key and value.
const fn block_bytes<V>() -> usize {
    16 + size_of::<V>()
}

fn holds_up<V: Clone + Send + Sync>(value: &V) {
    const COUNT: u64 = 700;
    let map = Map::<V>::default();
    for key in 0..COUNT {
        map.pin().insert(key, value.clone());
    }
    assert_eq!(map.retired_bytes(), 0, "nothing was removed");
    let pinned = map.pin();
    let mut waiting = 0;
    for key in 0..COUNT {
        match key % 3 {
            0 => drop(map.pin().remove(&key)),
            1 => drop(map.pin().insert(key, value.clone())),
            _ => drop(map.pin().update(key, V::clone)),
        }
        waiting += block_bytes::<V>();
        assert_eq!(pinned.retired_bytes(), waiting, "after key {key}");
    }
    map.guard().flush();
    assert_eq!(map.retired_bytes(), waiting, "freed under a guard");
    drop(pinned);
    map.guard().flush();
    assert_eq!(map.retired_bytes(), 0);
}

#[test]
fn a_guard_that_stays_makes_each_removal_count_and_its_end_makes_none() {
    let _alone = alone("a_guard_that_stays_makes_each_removal_count_and_its_end_makes_none");
    holds_up(&0_u64);
    holds_up(&[0_u8; 1024]);
    holds_up(&String::from("a value with a destructor"));
    let set = ShardSet::<u64, FixedState>::default();
    let pinned = set.pin();
    pinned.insert(1);
    pinned.remove(&1);
    assert_eq!((set.retired_bytes(), pinned.retired_bytes()), (16, 16));
}

/// What threads have left counts until somebody flushes for them.
#[test]
#[cfg_attr(
    atomshard_seize,
    ignore = "there a flush leaves alone what others have retired"
)]
fn what_two_threads_have_removed_counts_as_one_sum() {
    const EACH: usize = 1000;
    let _alone = alone("what_two_threads_have_removed_counts_as_one_sum");
    let map = Map::<u64>::default();
    map.pin().insert(0, 0);
    let pinned = map.pin();
    let (done, is_done) = channel();
    let (end, may_end) = channel::<()>();
    thread::scope(|scope| {
        let replace = || (0..EACH).for_each(|_| assert!(map.pin().insert(0, 1).is_some()));
        let stays = scope.spawn(move || {
            replace();
            done.send(()).expect("awaited");
            assert!(may_end.recv().is_err(), "nobody sends");
        });
        is_done.recv().expect("no panic");
        // Another record than the one that stays has.
        let goes = scope.spawn(replace);
        goes.join().expect("no panic");
        assert_eq!(map.retired_bytes(), 2 * EACH * block_bytes::<u64>());
        drop(pinned);
        // The other's garbage is not ours while it lives.
        map.guard().flush();
        assert_eq!(map.retired_bytes(), EACH * block_bytes::<u64>());
        drop(end);
        stays.join().expect("no panic");
    });
    map.guard().flush();
    assert_eq!(map.retired_bytes(), 0);
}

/// The most that waits under look-ups, replacements and removals by two threads, which take turns: none is
/// stopped by the system in a guard while the other goes on.
fn most_waiting<V: Clone + Send + Sync>(value: &V) -> usize {
    const KEYS: u64 = 512;
    let map = Map::<V>::default();
    let most = Mutex::new(0);
    thread::scope(|scope| {
        for thread in 0..2 {
            let (map, most) = (&map, &most);
            scope.spawn(move || {
                let mut rng = fastrand::Rng::with_seed(thread);
                for _ in 0..20_000 {
                    let mut most = most.lock().expect("no panic");
                    let key = rng.u64(0..KEYS);
                    match rng.u32(0..10) {
                        0..7 => drop(map.pin().get(&key)),
                        7..9 => drop(map.pin().insert(key, value.clone())),
                        _ => drop(map.pin().remove(&key)),
                    }
                    *most = map.retired_bytes().max(*most);
                }
            });
        }
    });
    most.into_inner().expect("no panic")
}

#[test]
fn without_a_guard_that_stays_each_thread_has_at_most_64_kib_waiting() {
    let _alone = alone("without_a_guard_that_stays_each_thread_has_at_most_64_kib_waiting");
    let most = [
        most_waiting(&0_u64),
        most_waiting(&[0_u8; 1024]),
        most_waiting(&String::from("a value with a destructor")),
        most_waiting(&(String::from("and a large one"), [0_u8; 1024])),
    ];
    println!("at most {most:?} bytes of two threads");
    for most in most {
        assert!((1..=2 * (64 << 10)).contains(&most), "{most} bytes");
    }
}
