//! The depot: piles of free objects between the threads that free and the threads that allocate.
//!
//! ```text
//! depot --> pile --> pile --> ..      take: swap all out, put all but one back     push: where there are some, the same, behind the new one
//! ```
//!
//! # Invariants
//! - I1. A batch comes out of a box. In the list it is nobody's; whoever swaps the head out owns the
//!   whole list.
//! - I2. The first batch of a list knows the last.
//!
//! # Orderings
//! R3 pushing a batch against taking it.
//!
//! # Progress
//! Lock-free. Nothing is done on the strength of a link or an address that was read before: the list is taken out whole, and put where there is none. Either
//! costs the same however many there are. Who comes in between finds none, and makes a new chunk.

use super::pile::Pile;
use crate::sync::{AtomicPtr, Ordering, never_split};
use core::ptr::null_mut;

/// Free objects on their way from one heap to another.
struct Batch<T> {
    pile: Pile<T>,
    next: *mut Self,
    /// In the first batch of a list: the last one.
    last: *mut Self,
}

/// See the module. What is in a depot at its end is forgotten: the objects are its domain's.
pub(crate) struct Depot<T>(AtomicPtr<Batch<T>>);
never_split!(Depot<u8>: 0);

impl<T> Depot<T> {
    /// An empty depot.
    pub(crate) fn new() -> Self {
        Self(AtomicPtr::new(null_mut()))
    }

    /// Puts a pile into the depot.
    pub(crate) fn push(&self, pile: Pile<T>) {
        let (next, last) = (null_mut(), null_mut());
        let batch = Box::leak(Box::new(Batch { pile, next, last }));
        batch.last = batch;
        self.put(batch);
    }

    /// Takes one pile out of the depot: all at once, and the others are put back.
    pub(crate) fn take(&self) -> Option<Pile<T>> {
        // ORD: Relaxed — a hint; the exchange below decides.
        if self.0.load(Ordering::Relaxed).is_null() {
            return None;
        }
        let first = self.take_all();
        if first.is_null() {
            return None;
        }
        // SAFETY: I1: the exchange made the list ours; batches come out of boxes.
        let batch = unsafe { Box::from_raw(first) };
        // SAFETY: I1: as above.
        if let Some(next) = unsafe { batch.next.as_mut() } {
            next.last = batch.last;
        }
        self.put(batch.next);
        Some(batch.pile)
    }

    /// Takes the whole list.
    fn take_all(&self) -> *mut Batch<T> {
        // ORD: Acquire — pairs with the Release in put [R3]; sees the batches.
        self.0.swap(null_mut(), Ordering::Acquire)
    }

    /// Puts a list that is the caller's into the depot, or nothing: before the one that is there, as one list.
    fn put(&self, list: *mut Batch<T>) {
        while !list.is_null() {
            // ORD: Release — pairs with the Acquire in take_all [R3]; publishes the batches, and
            // that the objects' last users are done.
            let put =
                self.0
                    .compare_exchange(null_mut(), list, Ordering::Release, Ordering::Relaxed);
            if put.is_ok() {
                return;
            }
            let other = self.take_all();
            if !other.is_null() {
                // SAFETY: I1, I2: both lists are ours, and not empty.
                unsafe { join(list, other) };
            }
        }
    }
}

/// Puts one list behind another.
///
/// # Safety
/// Both are the caller's, and not empty.
unsafe fn join<T>(list: *mut Batch<T>, other: *mut Batch<T>) {
    // SAFETY: the caller's contract.
    let last = unsafe { (*other).last };
    // SAFETY: the caller's contract.
    let end = unsafe { core::mem::replace(&mut (*list).last, last) };
    // SAFETY: I2: it is in the list.
    unsafe { (*end).next = other };
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Depot;
    use crate::reclaim::pile::Pile;
    use core::ptr::NonNull;
    use std::thread;

    /// R3: who takes a list meets its links complete, those too that somebody has made to put a list back behind what had been pushed. They are
    /// plain memory, which the interpreter watches.
    #[test]
    fn miri_r3_a_list_that_was_put_back_is_met_complete() {
        const THREADS: usize = 3;
        let rounds = if cfg!(miri) { 80 } else { 2000 };
        let depot = Depot::<u64>::new();
        let add = || {
            let object = NonNull::from(Box::leak(Box::new(0_u64)));
            let mut pile = Pile::new();
            // SAFETY: nobody else has the object.
            unsafe { pile.push(object) };
            depot.push(pile);
        };
        let take = || {
            let mut pile = depot.take()?;
            let object = pile.pop().expect("each pile has an object");
            // SAFETY: it came out of a box, and of the depot.
            drop(unsafe { Box::from_raw(object.as_ptr()) });
            assert!(pile.pop().is_none(), "no pile has two");
            Some(())
        };
        let taken: usize = thread::scope(|scope| {
            let work = || {
                add();
                (0..rounds)
                    .filter_map(|_| {
                        add();
                        take()
                    })
                    .count()
            };
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
            let joined = threads.into_iter().map(|thread| thread.join());
            joined.map(|taken| taken.expect("nobody panics")).sum()
        });
        let left = core::iter::from_fn(take).count();
        assert_eq!(taken + left, THREADS * (rounds + 1), "lost, or there twice");
    }
}
