//! The depot: batches of free objects between the threads that free and the threads that allocate.
//!
//! ```text
//! depot --> batch --> batch --> ..      push: exchange the head     take: swap all out, put back
//! ```
//!
//! # Invariants
//! - I1. A batch comes out of a box. In the list it is nobody's; whoever swaps the head out owns the
//!   whole list.
//!
//! # Orderings
//! R3 pushing a batch against taking it.
//!
//! # Progress
//! Lock-free. No batch is taken on the strength of an old link, since all are taken at once.

use crate::sync::{AtomicPtr, Ordering, never_split};
use core::ptr::{NonNull, null_mut};

/// Free objects on their way from one heap to another.
struct Batch<T> {
    objects: Vec<NonNull<T>>,
    next: *mut Self,
}

/// See the module. What is in a depot at its end is forgotten: the objects are its domain's.
pub(crate) struct Depot<T>(AtomicPtr<Batch<T>>);
never_split!(Depot<u8>: 0);

impl<T> Depot<T> {
    /// An empty depot.
    pub(crate) fn new() -> Self {
        Self(AtomicPtr::new(null_mut()))
    }

    /// Puts objects that nobody uses into the depot.
    pub(crate) fn push(&self, objects: Vec<NonNull<T>>) {
        let next = null_mut();
        let batch = Box::into_raw(Box::new(Batch { objects, next }));
        self.push_chain(batch, batch);
    }

    /// Puts the batches from `first` to `last`, which are the caller's, into the depot.
    fn push_chain(&self, first: *mut Batch<T>, last: *mut Batch<T>) {
        // ORD: Relaxed — a hint; the exchange below decides.
        let mut head = self.0.load(Ordering::Relaxed);
        loop {
            // SAFETY: I1: the caller's batches; nobody else has them.
            unsafe { (*last).next = head };
            // ORD: Release — pairs with the Acquire in take [R3]; publishes the batches, and
            // that the objects' last users are done.
            match self
                .0
                .compare_exchange(head, first, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(found) => head = found,
            }
        }
    }

    /// Takes one batch out of the depot: all at once, and the others are put back.
    pub(crate) fn take(&self) -> Option<Vec<NonNull<T>>> {
        // ORD: Relaxed — a hint; the exchange below decides.
        if self.0.load(Ordering::Relaxed).is_null() {
            return None;
        }
        // ORD: Acquire — pairs with the Release in push_chain [R3]; sees the batches.
        let first = self.0.swap(null_mut(), Ordering::Acquire);
        if first.is_null() {
            return None;
        }
        // SAFETY: I1: the exchange made the chain ours; batches come out of boxes.
        let batch = unsafe { Box::from_raw(first) };
        let mut last = batch.next;
        if !last.is_null() {
            // SAFETY: I1: the chain is ours.
            while let Some(next) = NonNull::new(unsafe { (*last).next }) {
                last = next.as_ptr();
            }
            self.push_chain(batch.next, last);
        }
        Some(batch.objects)
    }
}
