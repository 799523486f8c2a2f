//! A counter that many threads may change at once.
//!
//! ```text
//! idle:       [ cell | null ]                       16 bytes
//! contended:  [ cell | * ]--> [ stripe 0 ][ stripe 1 ] .. [ stripe n-1 ]    n <= 64, each padded
//! value  =  cell + all stripes, modulo 2^64
//! ```
//!
//! # Protocol
//!
//! ```text
//! add(d):   no stripes?  CAS cell: c -> c + d       won  -> done
//!           otherwise, or lost:
//!           stripes there or now installed          -> stripe[my place] += d, one RMW
//!           one place only, or no memory            -> cell += d, one RMW
//! sum:      cell + every stripe, one load each
//! take:     swap every cell for 0 and add up what was there
//! ```
//!
//! A failed compare-exchange is the sign of contention: another thread changed the cell between our
//! load and our CAS. A plain `fetch_add` would be shorter and could never tell.
//!
//! # Invariants
//!
//! - **I1.** Every `add` changes exactly one cell by exactly `d`, in one read-modify-write.
//! - **I2.** Cells are only ever changed by read-modify-writes, so none is lost.
//!
//! # Orderings
//!
//! A count publishes nothing, so every access to a cell is `Relaxed`. What makes a quiet counter
//! exact is coherence: if all adds happen before the sum, its loads must see the last change of
//! each cell, and the pointer to the stripes. The stripes themselves are published by C1
//! (`stripes`).
//!
//! # Progress
//!
//! `add` wait-free: one try at the cell, then one unconditional read-modify-write (plus, once in
//! the counter's life, an allocation). `sum` and `take` wait-free: at most 65 cells.
//!
//! # Source
//!
//! Doug Lea's `LongAdder` (JSR 166, `Striped64`). Departures: the stripes come all at once instead
//! of doubling, because their number is bounded by the cores; a thread does not search for another
//! stripe when its own is contended; the length of the array is kept in the pointer.

use super::stripes::LazyStripes;
use super::{ByThread, Place};
use crate::sync::{
    AtomicI64, MODEL, Ordering, const_except_in_model, layout, never_split, note_objects,
};
use core::fmt;

/// A counter that many threads may change at once: one cell while that is enough, then one padded
/// stripe for each thread that can run at once, at most 64.
///
/// It holds an `i64` and wraps around at the ends, as `i64::wrapping_add` does.
///
/// - *Consistency*: see [`sum`](Self::sum). Exact while no other thread changes it.
/// - *Progress*: every operation is wait-free, apart from the allocator when the stripes are made.
/// - *Cost*: 16 bytes while idle. With stripes, one padded cell each more, until it is dropped.
/// - *Source*: Doug Lea's `LongAdder`.
///
/// ```
/// use atomshard::ShardCounter;
///
/// static HITS: ShardCounter = ShardCounter::new();
///
/// std::thread::scope(|scope| {
///     for _ in 0..4 {
///         scope.spawn(|| (0..1_000).for_each(|_| HITS.increment()));
///     }
/// });
/// assert_eq!(HITS.sum(), 4_000);
/// ```
#[repr(C, align(16))] // The two words that `add` reads lie in one line.
#[doc(alias = "LongAdder")]
pub struct ShardCounter<P = ByThread> {
    cell: AtomicI64,
    stripes: LazyStripes,
    place: P,
}
never_split!(ShardCounter: cell);
layout!(ShardCounter<P>: cell, stripes; P);

// The model's atomics are larger than their value.
const _: () = assert!(MODEL || size_of::<ShardCounter>() == 16);

impl ShardCounter {
    const_except_in_model! {
        /// A counter at 0.
        #[must_use]
        pub fn new() -> Self {
            Self::with_place(ByThread)
        }
    }
}

impl<P> ShardCounter<P> {
    const_except_in_model! {
        /// A counter at 0 whose stripes are chosen by `place`.
        #[must_use]
        pub fn with_place(place: P) -> Self {
            Self { cell: AtomicI64::new(0), stripes: LazyStripes::new(), place }
        }
    }

    /// Adds up the counter.
    ///
    /// - *Consistency*: every change that happened before this call is counted in full, and none
    ///   that happens after it. A change that overlaps the call is counted or not. So the answer is
    ///   exact while nobody changes the counter; it lies between the values at the start and the
    ///   end of the call while changes go in one direction only; and otherwise it may be a value
    ///   that the counter never had, also a negative one.
    /// - *Progress*: wait-free.
    /// - *Cost*: one load for each cell: 1 while idle, at most 65 lines with stripes. No RMW.
    #[must_use]
    pub fn sum(&self) -> i64 {
        self.cells().fold(0, |sum, cell| {
            // ORD: Relaxed — a count publishes nothing; coherence makes a quiet counter exact.
            sum.wrapping_add(cell.load(Ordering::Relaxed))
        })
    }

    /// Sets the counter to 0 and returns what was in it.
    ///
    /// - *Consistency*: every change is counted by exactly one `take`, or is left in the counter.
    ///   What overlaps the call may fall on either side.
    /// - *Progress*: wait-free.
    /// - *Cost*: one RMW for each cell: 1 while idle, at most 65 with stripes.
    ///
    /// ```
    /// let counter = atomshard::ShardCounter::new();
    /// counter.add(3);
    /// assert_eq!(counter.take(), 3);
    /// assert_eq!(counter.sum(), 0);
    /// ```
    #[doc(alias = "sumThenReset")]
    pub fn take(&self) -> i64 {
        self.cells().fold(0, |sum, cell| {
            // ORD: Relaxed — the swap's atomicity gives each change to one taker (I2).
            sum.wrapping_add(cell.swap(0, Ordering::Relaxed))
        })
    }

    /// The inline cell and all stripes.
    fn cells(&self) -> impl Iterator<Item = &AtomicI64> {
        let stripes = self.stripes.get().unwrap_or_default();
        core::iter::once(&self.cell).chain(stripes.iter().map(|stripe| &**stripe))
    }

    /// Whether the counter has grown stripes.
    #[cfg(test)]
    fn is_striped(&self) -> bool {
        !self.stripes.is_absent()
    }
}

impl<P: Place> ShardCounter<P> {
    /// Adds `delta`, which may be negative.
    ///
    /// - *Consistency*: linearizes on the change of one cell; [`sum`](Self::sum) says when it is
    ///   counted. It orders nothing else: publish data by other means.
    /// - *Progress*: wait-free.
    /// - *Cost*: idle: one line, two loads and one RMW, inlined. Striped: two more loads and one RMW
    ///   on the thread's own stripe, in a call. No fence of its own.
    #[inline]
    pub fn add(&self, delta: i64) {
        note_objects(self, 1);
        if self.stripes.is_absent() {
            // ORD: Relaxed — a stale value makes the compare-exchange fail, which counts as
            // contention and costs stripes, not correctness.
            let seen = self.cell.load(Ordering::Relaxed);
            let next = seen.wrapping_add(delta);
            // ORD: Relaxed — a count publishes nothing.
            let won = self
                .cell
                .compare_exchange(seen, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
            if won {
                return;
            }
        }
        self.add_to_stripe(delta);
    }

    /// Subtracts `delta`. As [`add`](Self::add) of its negative; `i64::MIN` wraps to itself.
    #[inline]
    pub fn sub(&self, delta: i64) {
        self.add(delta.wrapping_neg());
    }

    /// Adds 1. As [`add`](Self::add).
    #[inline]
    pub fn increment(&self) {
        self.add(1);
    }

    /// Subtracts 1. As [`add`](Self::add).
    #[inline]
    pub fn decrement(&self) {
        self.add(-1);
    }

    /// The path of a contended counter. Out of line, so that `add` stays small where it is inlined;
    /// not `cold`, because a counter that was contended once stays here.
    #[inline(never)]
    fn add_to_stripe(&self, delta: i64) {
        let Some(stripe) = self.stripes.at(self.place.index()) else {
            return self.add_first_contended(delta);
        };
        // ORD: Relaxed — a count publishes nothing.
        stripe.fetch_add(delta, Ordering::Relaxed);
    }

    /// The first contended add makes the stripes. One cell is as good if there is one place only,
    /// and all there is if there is no memory.
    #[cold]
    fn add_first_contended(&self, delta: i64) {
        let places = self.place.places();
        if places > 1 {
            self.stripes.install(places);
        }
        let stripe = self.stripes.at(self.place.index());
        let cell = stripe.map_or(&self.cell, |stripe| &**stripe);
        // ORD: Relaxed — a count publishes nothing.
        cell.fetch_add(delta, Ordering::Relaxed);
    }
}

impl<P: Default> Default for ShardCounter<P> {
    fn default() -> Self {
        Self::with_place(P::default())
    }
}

/// Shows the sum.
impl<P> fmt::Debug for ShardCounter<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ShardCounter").field(&self.sum()).finish()
    }
}

#[cfg(test)]
mod tests;
