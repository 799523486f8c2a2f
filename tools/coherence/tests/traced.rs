//! Runs with the tracer: a seed gives one order, and what is seen is what was done.
#![cfg(atomshard_traced)]

use atomshard::trace::{AtomicU64, fence, note_objects, note_write};
use coherence::{Account, Case};
use core::sync::atomic::Ordering::{Relaxed, SeqCst};

#[derive(Default)]
struct Pair {
    left: AtomicU64,
    right: AtomicU64,
    plain: [u64; 16],
}
atomshard::layout!(Pair: left, right, plain);

fn run(case: Case) -> Account {
    let make = || {
        let pair = Box::new(Pair::default());
        note_objects(&raw const *pair, 1);
        pair
    };
    case.run(make, |pair, worker| {
        let own = if worker.index() % 2 == 0 {
            &pair.left
        } else {
            &pair.right
        };
        own.fetch_add(1, Relaxed);
        for _ in worker.rounds() {
            worker.operation(|| own.fetch_add(1, Relaxed));
        }
    })
}

#[test]
fn a_seed_gives_one_order() {
    let case = || Case::new().threads(4).operations(400);
    let (one, again) = (run(case().seed(7)), run(case().seed(7)));
    assert_eq!(one, again);
    assert_ne!(one, run(case().seed(8)));
    assert_eq!((one.operations, one.rmws, one.lines), (400, 400, 400));
    assert_eq!(one.invalidations, one.transfers, "each fetch is a write's");
}

#[test]
fn one_thread_meets_nobody() {
    let alone = run(Case::new());
    assert_eq!(
        alone.transfers + alone.invalidations + alone.false_shares(),
        0
    );
}

#[test]
fn each_kind_of_step_is_counted_once_and_only_within_operations() {
    let account = Case::new()
        .operations(10)
        .run(Pair::default, |pair, worker| {
            note_objects(pair, 1);
            fence(SeqCst);
            for _ in worker.rounds() {
                pair.left.fetch_add(1, Relaxed);
                worker.operation(|| {
                    assert!(pair.left.compare_exchange(0, 1, Relaxed, Relaxed).is_err());
                    fence(SeqCst);
                    note_write(&raw const pair.plain);
                });
            }
        });
    let counts = (
        account.operations,
        account.rmws,
        account.rmws_failed,
        account.fences,
    );
    assert_eq!(counts, (10, 10, 10, 10));
    // The numbers are 128 bytes of one object, behind 16 others: two lines or three.
    assert_eq!(account.objects, 10);
    assert_eq!(account.crossed, 10);
    assert!((20..=30).contains(&account.lines), "{account:?}");
}

#[test]
fn a_panic_of_a_thread_ends_the_run() {
    let caught = std::panic::catch_unwind(|| {
        Case::new().threads(2).run(Pair::default, |pair, worker| {
            for round in worker.rounds() {
                worker.operation(|| pair.left.fetch_add(1, Relaxed));
                assert!(worker.index() == 0 || round < 3, "as this test wants");
            }
        })
    });
    assert!(caught.is_err());
    assert_eq!(run(Case::new()).operations, 100, "and the next begins anew");
}
