//! Tests of the counter: against a plain integer, under threads, in the model, under the tracer.

use super::ShardCounter;
use crate::shard::Place;

/// A place that is always the same.
struct Fixed {
    index: usize,
    places: usize,
}

impl Place for Fixed {
    fn index(&self) -> usize {
        self.index
    }
    fn places(&self) -> usize {
        self.places
    }
}

/// A counter that already has its stripes.
#[cfg(not(loom))]
fn striped(index: usize, places: usize) -> ShardCounter<Fixed> {
    let counter = ShardCounter::with_place(Fixed { index, places });
    counter.add_to_stripe(0);
    counter
}

#[cfg(not(loom))]
mod sequential {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn miri_a_counter_alone_stays_inline() {
        let counter = ShardCounter::new();
        for _ in 0..100 {
            counter.increment();
        }
        counter.sub(30);
        counter.decrement();
        assert_eq!(counter.sum(), 69);
        assert!(!counter.is_striped());
        assert_eq!(format!("{counter:?}"), "ShardCounter(69)");
        assert_eq!(ShardCounter::<crate::shard::ByThread>::default().sum(), 0);
    }

    #[test]
    fn miri_stripes_keep_what_the_cell_had() {
        let counter = ShardCounter::with_place(Fixed {
            index: 5,
            places: 4,
        });
        counter.add(10);
        counter.add_to_stripe(7);
        assert!(counter.is_striped());
        counter.add(100);
        assert_eq!(counter.sum(), 117);
        assert_eq!(counter.take(), 117);
        assert_eq!(counter.sum(), 0);
    }

    #[test]
    fn miri_one_place_needs_no_stripes() {
        for places in [0, 1] {
            let counter = striped(9, places);
            counter.add_to_stripe(3);
            assert_eq!(counter.sum(), 3);
            assert!(!counter.is_striped());
        }
    }

    #[test]
    fn miri_the_ends_wrap_around() {
        for counter in [
            striped(0, 2),
            ShardCounter::with_place(Fixed {
                index: 0,
                places: 2,
            }),
        ] {
            counter.add(i64::MAX);
            counter.increment();
            assert_eq!(counter.sum(), i64::MIN);
            counter.sub(i64::MIN);
            assert_eq!(counter.sum(), 0);
        }
    }

    #[test]
    fn the_idle_counter_lies_in_one_line() {
        assert_eq!(align_of::<ShardCounter>(), 16);
        assert_eq!(size_of::<ShardCounter>(), 16);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Add(i64),
        Sub(i64),
        Increment,
        Decrement,
        /// Adds by the contended path, which makes the stripes.
        Contend(i64),
        Sum,
        Take,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            any::<i64>().prop_map(Step::Add),
            any::<i64>().prop_map(Step::Sub),
            Just(Step::Increment),
            Just(Step::Decrement),
            any::<i64>().prop_map(Step::Contend),
            Just(Step::Sum),
            Just(Step::Take),
        ]
    }

    proptest! {
        #[test]
        #[cfg_attr(miri, ignore = "proptest reads the environment and is slow under Miri")]
        fn a_counter_is_a_wrapping_i64(
            steps in prop::collection::vec(step(), 0..60),
            index: usize,
            places in 0_usize..200,
        ) {
            let counter = ShardCounter::with_place(Fixed { index, places });
            let mut expected = 0_i64;
            for step in steps {
                match step {
                    Step::Add(delta) => {
                        counter.add(delta);
                        expected = expected.wrapping_add(delta);
                    }
                    Step::Sub(delta) => {
                        counter.sub(delta);
                        expected = expected.wrapping_sub(delta);
                    }
                    Step::Increment => {
                        counter.increment();
                        expected = expected.wrapping_add(1);
                    }
                    Step::Decrement => {
                        counter.decrement();
                        expected = expected.wrapping_sub(1);
                    }
                    Step::Contend(delta) => {
                        counter.add_to_stripe(delta);
                        expected = expected.wrapping_add(delta);
                    }
                    Step::Sum => prop_assert_eq!(counter.sum(), expected),
                    Step::Take => {
                        prop_assert_eq!(counter.take(), expected);
                        expected = 0;
                    }
                }
            }
            prop_assert_eq!(counter.sum(), expected);
        }
    }
}

#[cfg(not(loom))]
mod threads {
    use super::*;
    use crate::sync::{AtomicBool, Ordering};
    use core::cell::Cell;
    use std::thread;

    /// A place set by the test's thread itself.
    struct Chosen;
    thread_local!(static CHOSEN: Cell<usize> = const { Cell::new(0) });

    impl Place for Chosen {
        fn index(&self) -> usize {
            CHOSEN.get()
        }
        fn places(&self) -> usize {
            4
        }
    }

    /// Runs `threads` adders; every second one starts on the contended path, so that stripes are
    /// installed in the middle, also where the threads happen never to collide.
    fn hammer(threads: usize, adds: i64) -> ShardCounter<Chosen> {
        let counter = ShardCounter::with_place(Chosen);
        thread::scope(|scope| {
            for index in 0..threads {
                let counter = &counter;
                scope.spawn(move || {
                    CHOSEN.set(index);
                    for add in 0..adds {
                        if index % 2 == 1 && add == adds / 2 {
                            counter.add_to_stripe(1);
                        } else {
                            counter.add(1);
                        }
                    }
                });
            }
        });
        counter
    }

    #[test]
    fn miri_no_add_is_lost_while_stripes_are_installed() {
        let (threads, adds) = if cfg!(miri) { (3, 20) } else { (8, 50_000) };
        let counter = hammer(threads, adds);
        assert!(counter.is_striped());
        assert_eq!(counter.sum(), adds * i64::try_from(threads).expect("a few"));
    }

    #[test]
    fn miri_takers_share_out_every_add_exactly_once() {
        let adds = if cfg!(miri) { 30 } else { 100_000 };
        let counter = ShardCounter::new();
        let done = AtomicBool::new(false);
        let taken = thread::scope(|scope| {
            let taker = scope.spawn(|| {
                let mut taken = 0;
                while !done.load(Ordering::Relaxed) {
                    taken += counter.take();
                    thread::yield_now();
                }
                taken
            });
            let adders: Vec<_> = (0..2)
                .map(|_| scope.spawn(|| (0..adds).for_each(|_| counter.increment())))
                .collect();
            for adder in adders {
                adder.join().expect("the adder ends");
            }
            done.store(true, Ordering::Relaxed);
            taker.join().expect("the taker ends")
        });
        assert_eq!(taken + counter.take(), 2 * adds);
    }

    /// While changes go one way, a sum never falls.
    #[test]
    fn miri_sums_rise_while_all_add() {
        let adds = if cfg!(miri) { 30 } else { 100_000 };
        let counter = ShardCounter::new();
        thread::scope(|scope| {
            let adders: Vec<_> = (0..2)
                .map(|_| scope.spawn(|| (0..adds).for_each(|_| counter.increment())))
                .collect();
            let mut last = 0;
            while !adders.iter().all(|adder| adder.is_finished()) {
                let sum = counter.sum();
                assert!((last..=2 * adds).contains(&sum), "{sum} after {last}");
                last = sum;
                thread::yield_now();
            }
        });
        assert_eq!(counter.sum(), 2 * adds);
    }

    /// Many counters, each contended and dropped: under Miri and leak checkers this finds stripes
    /// that are freed twice or never.
    #[test]
    fn miri_stripes_are_freed_with_their_counter() {
        let rounds = if cfg!(miri) { 3 } else { 200 };
        for _ in 0..rounds {
            let counter = hammer(2, 4);
            assert_eq!(counter.sum(), 8);
            drop(counter);
        }
    }
}

#[cfg(loom)]
mod model {
    use super::*;
    use std::sync::Arc;

    /// Two adders and a summing thread, from idle, through whatever contention the model finds.
    #[test]
    fn two_adders_lose_nothing() {
        loom::model(|| {
            let counter = Arc::new(ShardCounter::new());
            let adder = {
                let counter = Arc::clone(&counter);
                loom::thread::spawn(move || counter.add(2))
            };
            counter.add(1);
            let seen = counter.sum();
            assert!(
                seen == 1 || seen == 3,
                "{seen} lacks a change that came before"
            );
            adder.join().expect("the adder ends");
            assert_eq!(counter.sum(), 3);
        });
    }

    /// Both threads take the contended path at once: one array wins, no add goes to the other.
    #[test]
    fn c1_installers_race_and_lose_nothing() {
        loom::model(|| {
            let counter = Arc::new(ShardCounter::new());
            let adders: Vec<_> = [2, 4]
                .into_iter()
                .map(|delta| {
                    let counter = Arc::clone(&counter);
                    loom::thread::spawn(move || counter.add_to_stripe(delta))
                })
                .collect();
            counter.add(1);
            for adder in adders {
                adder.join().expect("the adder ends");
            }
            assert!(counter.is_striped());
            assert_eq!(counter.sum(), 7);
        });
    }

    /// A take beside an add: the add is in exactly one of the two results.
    #[test]
    fn a_take_splits_the_adds() {
        loom::model(|| {
            let counter = Arc::new(ShardCounter::with_place(Fixed {
                index: 1,
                places: 2,
            }));
            counter.add(1);
            let adder = {
                let counter = Arc::clone(&counter);
                loom::thread::spawn(move || {
                    counter.add(2);
                    counter.add_to_stripe(4);
                })
            };
            let taken = counter.take();
            adder.join().expect("the adder ends");
            assert_eq!(taken + counter.sum(), 7);
        });
    }
}

#[cfg(all(atomshard_traced, not(loom)))]
mod traced {
    use super::*;
    use crate::sync::Ordering;
    use crate::sync::recorder::{SEEN, record, recorded, turn};
    use crate::trace::{Access, Kind, set_hook, set_thread_number, thread_number};

    /// What an access looks like, without its address and line.
    fn shape(access: &Access) -> (Kind, usize, Ordering) {
        (access.kind, access.size, access.ordering)
    }

    #[test]
    fn an_idle_add_is_two_loads_and_one_rmw_in_one_line() {
        set_thread_number(77);
        let counter = ShardCounter::new();
        let seen = recorded(|| counter.add(5));
        let pointer = size_of::<usize>();
        assert_eq!(
            seen.iter().map(shape).collect::<Vec<_>>(),
            [
                (Kind::Load, pointer, Ordering::Relaxed),
                (Kind::Load, 8, Ordering::Relaxed),
                (Kind::Rmw, 8, Ordering::Relaxed),
            ]
        );
        let start = core::ptr::from_ref(&counter).addr();
        let addresses: Vec<_> = seen.iter().map(|access| access.address - start).collect();
        assert_eq!(addresses, [8, 0, 0]);
        assert!(seen.iter().all(|access| access.thread == 77));
        assert_eq!(thread_number(), 77);
        let file = |access: &Access| access.location.file().replace('\\', "/");
        assert!(file(&seen[0]).ends_with("src/shard/stripes.rs"));
        assert!(file(&seen[1]).ends_with("src/shard/counter.rs"));
        assert!(seen[1].location.line() < seen[2].location.line());
    }

    #[test]
    fn a_striped_add_is_loads_and_one_rmw_on_its_stripe() {
        let counter = striped(3, 4);
        let seen = recorded(|| counter.add(5));
        let kinds: Vec<_> = seen.iter().map(|access| access.kind).collect();
        assert_eq!(kinds, [Kind::Load, Kind::Load, Kind::Rmw]);
        let stripes = counter.stripes.get().expect("installed above");
        assert_eq!(seen[2].address, core::ptr::from_ref(&stripes[3]).addr());
    }

    #[test]
    fn a_failed_compare_exchange_is_reported_twice() {
        let cell = crate::sync::AtomicU64::new(1);
        let seen = recorded(|| {
            let result = cell.compare_exchange(0, 2, Ordering::AcqRel, Ordering::Acquire);
            assert_eq!(result, Err(1));
        });
        assert_eq!(
            seen.iter().map(shape).collect::<Vec<_>>(),
            [
                (Kind::Rmw, 8, Ordering::AcqRel),
                (Kind::RmwFailed, 8, Ordering::Acquire)
            ]
        );
        assert_eq!(seen[0].location.line(), seen[1].location.line());
        assert!(seen[0].location.file().ends_with("tests.rs"));
    }

    #[test]
    fn a_hook_that_counts_with_the_crate_does_not_call_itself() {
        static CALLS: ShardCounter = ShardCounter::new();
        fn count(access: &Access) {
            record(access);
            CALLS.increment();
        }
        let _turn = turn();
        let counter = ShardCounter::new();
        set_hook(Some(count));
        SEEN.set(Some(Vec::new()));
        counter.increment();
        set_hook(None);
        let seen = SEEN.take().unwrap_or_default();
        assert_eq!(seen.len(), 3);
        assert!(CALLS.sum() >= 3);
    }
}
