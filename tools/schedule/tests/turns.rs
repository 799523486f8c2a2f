//! Threads in turns: one order for one seed, to the last destructor; freezing; meeting.
#![cfg(atomshard_traced)]

use atomshard::ShardMap;
use atomshard::trace::{Access, AtomicU64};
use core::cell::RefCell;
use core::sync::atomic::Ordering::Relaxed;
use foldhash::fast::FixedState;
use schedule::{Director, Order as _, Threads, Walk, direct, meet, run};

/// Notes who does what where.
struct Notes {
    order: Walk,
    seen: Vec<(usize, &'static str, u32)>,
    /// Freezes this thread at its access of this number.
    freeze: Option<(usize, usize)>,
    come: [usize; 4],
}

impl Notes {
    fn new(seed: u64) -> Self {
        Self {
            order: Walk::new(seed, 1),
            seen: Vec::new(),
            freeze: None,
            come: [0; 4],
        }
    }
}

impl Director for Notes {
    fn freezes(&mut self, thread: usize, _: &Access) -> bool {
        self.come[thread] += 1;
        self.freeze == Some((thread, self.come[thread]))
    }
    fn choose(&mut self, ready: Threads, _: Threads, last: usize) -> usize {
        self.order.next(ready, last)
    }
    fn observe(&mut self, thread: usize, access: &Access) {
        let place = access.location;
        self.seen.push((thread, place.file(), place.line()));
    }
}

#[test]
fn a_seed_gives_one_order_of_everything_a_map_does() {
    let seen = |seed| {
        let body = |map: &ShardMap<usize, usize, FixedState>, index| {
            for key in 0..40 {
                map.pin().insert(key, index);
                map.pin().remove(&(key / 2));
            }
        };
        let make = || ShardMap::with_hasher(FixedState::default());
        run(3, Notes::new(seed), make, body).0.seen
    };
    // The first run of a process sets up what is set up once.
    drop(seen(0));
    assert_eq!(seen(1), seen(1));
    assert_ne!(seen(1), seen(2));
}

#[test]
fn what_a_thread_does_when_it_ends_takes_turns_too() {
    static LEFT: AtomicU64 = AtomicU64::new(0);
    struct Leaves;
    impl Drop for Leaves {
        fn drop(&mut self) {
            LEFT.fetch_add(1, Relaxed);
        }
    }
    thread_local!(static LEAVES: RefCell<Option<Leaves>> = const { RefCell::new(None) });
    let body = |_: &(), index| {
        if index > 0 {
            LEAVES.set(Some(Leaves));
        }
    };
    let (notes, ()) = run(3, Notes::new(1), || (), body);
    assert_eq!(LEFT.load(Relaxed), 2);
    assert_eq!(notes.seen.len(), 2, "{:?}", notes.seen);
}

#[test]
fn a_frozen_thread_goes_on_when_nobody_else_can() {
    let mut notes = Notes::new(1);
    notes.freeze = Some((1, 3));
    let (notes, cell) = run(3, notes, AtomicU64::default, |cell, _| {
        for _ in 0..5 {
            cell.fetch_add(1, Relaxed);
        }
    });
    assert_eq!(cell.load(Relaxed), 15);
    let by: Vec<usize> = notes.seen.iter().map(|(thread, ..)| *thread).collect();
    assert_eq!(by[by.len() - 3..], [1; 3], "{by:?}");
    assert_eq!(by.iter().filter(|thread| **thread == 1).count(), 5);
}

#[test]
fn nobody_passes_a_meeting_before_all_are_there() {
    let (notes, cell) = run(4, Notes::new(1), AtomicU64::default, |cell, _| {
        cell.fetch_add(1, Relaxed);
        meet();
        assert_eq!(cell.load(Relaxed), 4);
    });
    assert_eq!((notes.seen.len(), cell.load(Relaxed)), (8, 4));
}

#[test]
fn a_thread_speaks_to_its_own_director_only() {
    let (_, answers) = run(
        2,
        Notes::new(1),
        || std::sync::Mutex::new(Vec::new()),
        |answers, _| {
            let own = direct(|notes: &mut Notes, me| (notes.come.len(), me));
            answers.lock().expect("no panic").push(own);
        },
    );
    let mut answers = answers.into_inner().expect("no panic");
    answers.sort_unstable();
    assert_eq!(answers, [Some((4, 0)), Some((4, 1))]);
    assert_eq!(direct(|_: &mut Notes, me| me), None, "there is no run");
}

#[test]
fn a_panic_of_a_thread_ends_the_run() {
    let caught = std::panic::catch_unwind(|| {
        run(2, Notes::new(1), AtomicU64::default, |cell, index| {
            cell.fetch_add(1, Relaxed);
            assert!(index == 0, "as this test wants");
        })
    });
    assert!(caught.is_err());
    let (notes, _) = run(1, Notes::new(1), || (), |(), _| ());
    assert!(notes.seen.is_empty(), "the next begins anew");
}
