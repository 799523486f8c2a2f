//! Canary of the model body: the same litmus with and without the fence.
//!
//! Store buffering: two threads each store to one place and then load the other. With
//! `fence(SeqCst)` in between, one of them must see the other's store. Without it, both may read
//! the old value, and the model must show that, or it shows nothing at all.

use super::{AtomicUsize, Ordering, fence, fence_after_rmw};
use core::sync::atomic::{AtomicBool as PlainBool, Ordering as PlainOrdering};
use loom::thread;
use std::sync::Arc;

/// Runs both threads over all interleavings; says whether both ever read the old value.
fn both_read_old(write: fn(&AtomicUsize), between: fn()) -> bool {
    let seen = Arc::new(PlainBool::new(false));
    let found = Arc::clone(&seen);
    loom::model(move || {
        let x = Arc::new(AtomicUsize::new(0));
        let y = Arc::new(AtomicUsize::new(0));
        let other = {
            let (x, y) = (Arc::clone(&x), Arc::clone(&y));
            thread::spawn(move || {
                write(&x);
                between();
                y.load(Ordering::SeqCst)
            })
        };
        write(&y);
        between();
        let mine = x.load(Ordering::SeqCst);
        if other.join().expect("the model's thread ends") == 0 && mine == 0 {
            found.store(true, PlainOrdering::SeqCst);
        }
    });
    seen.load(PlainOrdering::SeqCst)
}

fn store(place: &AtomicUsize) {
    place.store(1, Ordering::Relaxed);
}

fn swap(place: &AtomicUsize) {
    place.swap(1, Ordering::SeqCst);
}

#[test]
fn a_seqcst_fence_forbids_store_buffering() {
    assert!(!both_read_old(store, || fence(Ordering::SeqCst)));
}

#[test]
fn a_weaker_fence_allows_store_buffering() {
    assert!(both_read_old(store, || fence(Ordering::AcqRel)));
}

#[test]
fn no_fence_allows_store_buffering() {
    assert!(both_read_old(store, || {}));
}

/// The documented gap: loom takes the SeqCst accesses as AcqRel. If this fails, loom has learnt
/// better and `fence_after_rmw` can become nothing in the model as well.
#[test]
fn seqcst_accesses_alone_do_not_forbid_it_in_the_model() {
    assert!(both_read_old(swap, || {}));
}

#[test]
fn fence_after_rmw_closes_the_gap() {
    assert!(!both_read_old(swap, fence_after_rmw));
}
