//! The heaps of a domain, found by the index of a record.
//!
//! ```text
//! heaps --> heap                 of the first few records
//!       --> rows --> row --> heap    of the others; row r leads to 4^r heaps
//! ```
//!
//! # Invariants
//! - I1. A row and a heap come out of boxes and, once a word leads to them, stay until the domain
//!   ends.
//! - I2. A heap is made and borrowed only by who holds the record of its index, one borrow at a
//!   time.
//!
//! # Orderings
//! R4 publishing rows, and heaps to who adds up their counts.
//!
//! # Progress
//! Lock-free, apart from the global allocator.

use super::heap::Heap;
use crate::sync::{
    AtomicIsize, AtomicPtr, Ordering, layout, never_split, note_objects, unsync_load, unsync_store,
};
use core::cell::UnsafeCell;
use core::ptr::null_mut;

/// Records whose heap is led to directly.
const NEAR: usize = 4;
/// Row `r` has the heaps of 4^r further records: five million threads at once.
const ROWS: usize = 12;

type Row<T> = Box<[AtomicPtr<OwnHeap<T>>]>;
type Rows<T> = [AtomicPtr<AtomicPtr<OwnHeap<T>>>; ROWS];

/// A heap that one thread uses at a time, and counts that this thread keeps and others read: on one
/// line with the bag that every replacement and removal writes.
#[repr(C, align(64))]
pub(crate) struct OwnHeap<T> {
    count: AtomicIsize,
    /// Slots that wait in the heap's bags.
    retired: AtomicIsize,
    heap: UnsafeCell<Heap<T>>,
}
never_split!(OwnHeap<u8>: count, retired);
layout!(OwnHeap<T>: count, retired, heap; T);

/// See the module. The owner ends them by `take_all`.
pub(crate) struct Heaps<T> {
    near: [AtomicPtr<OwnHeap<T>>; NEAR],
    /// Made when a record needs it.
    rows: AtomicPtr<Rows<T>>,
}
never_split!(Heaps<u8>: near, rows);

impl<T> Heaps<T> {
    /// No heap. Allocates nothing.
    pub(crate) fn new() -> Self {
        Self {
            near: core::array::from_fn(|_| AtomicPtr::new(null_mut())),
            rows: AtomicPtr::new(null_mut()),
        }
    }

    /// The heap number `index`, for who holds the record of that index.
    #[inline]
    pub(crate) fn heap(&self, index: usize) -> &OwnHeap<T> {
        let word = self.word(index);
        match Self::heap_in(word) {
            Some(heap) => heap,
            None => Self::make_heap(word),
        }
    }

    /// The heap number `index`, if it was made.
    pub(super) fn made(&self, index: usize) -> Option<&OwnHeap<T>> {
        Self::heap_in(self.word(index))
    }

    #[inline]
    fn word(&self, index: usize) -> &AtomicPtr<OwnHeap<T>> {
        match self.near.get(index) {
            Some(word) => word,
            None => self.word_in_rows(index - NEAR),
        }
    }

    #[inline]
    fn heap_in(word: &AtomicPtr<OwnHeap<T>>) -> Option<&OwnHeap<T>> {
        // ORD: Relaxed — its own heap is all that a holder asks for, and sees it made by [R1].
        let heap = word.load(Ordering::Relaxed);
        // SAFETY: I1: a heap stays until the domain ends.
        unsafe { heap.as_ref() }
    }

    #[cold]
    fn make_heap(word: &AtomicPtr<OwnHeap<T>>) -> &OwnHeap<T> {
        let heap = Box::into_raw(Box::new(OwnHeap {
            count: AtomicIsize::new(0),
            retired: AtomicIsize::new(0),
            heap: UnsafeCell::new(Heap::new()),
        }));
        note_objects(heap, 1);
        // ORD: Release — pairs with the Acquire in counted [R4]; publishes the counts.
        word.store(heap, Ordering::Release);
        // SAFETY: I1: a heap stays until the domain ends.
        unsafe { &*heap }
    }

    /// The word that leads to heap number `index` of the rows.
    #[cold]
    fn word_in_rows(&self, index: usize) -> &AtomicPtr<OwnHeap<T>> {
        // Row r starts after the rows before it, which have (4^r - 1) / 3 words.
        let row = (3 * index + 1).ilog2() as usize / 2;
        let place = index - ((1 << (2 * row)) - 1) / 3;
        // ORD: Acquire — pairs with the AcqRel in publish [R4]; sees the rows' words.
        let mut rows = self.rows.load(Ordering::Acquire);
        if rows.is_null() {
            let new: Box<Rows<T>> = Box::new(core::array::from_fn(|_| AtomicPtr::new(null_mut())));
            rows = publish(&self.rows, Box::into_raw(new), |mine| {
                // SAFETY: I1: the rows came out of a box above and were not published.
                drop(unsafe { Box::from_raw(mine) });
            });
        }
        // SAFETY: I1: the rows stay until the domain ends.
        let first = &unsafe { &*rows }[row];
        // ORD: Acquire — pairs with the AcqRel in publish [R4]; sees the row's words.
        let mut words = first.load(Ordering::Acquire);
        if words.is_null() {
            let new: Row<T> = (0..1_usize << (2 * row))
                .map(|_| AtomicPtr::new(null_mut()))
                .collect();
            words = publish(first, Box::into_raw(new).cast(), |mine| {
                let mine = core::ptr::slice_from_raw_parts_mut(mine, 1 << (2 * row));
                // SAFETY: I1: the row came out of a box above and was not published.
                drop(unsafe { Box::from_raw(mine) });
            });
        }
        // SAFETY: I1: the row has 4^row words, and `place` is below that.
        let word = unsafe { words.add(place) };
        // SAFETY: I1: a row stays until the domain ends.
        unsafe { &*word }
    }

    /// The sum over all heaps of what `count` says of each.
    pub(crate) fn counted(&self, count: fn(&OwnHeap<T>) -> isize) -> isize {
        // ORD: Acquire — pairs with the AcqRel in publish [R4]; sees the rows' words.
        let rows = self.rows.load(Ordering::Acquire);
        // SAFETY: I1: the rows stay until the domain ends.
        let rows = unsafe { rows.as_ref() };
        let far = rows
            .into_iter()
            .flatten()
            .enumerate()
            .flat_map(|(row, first)| {
                // ORD: Acquire — pairs with the AcqRel in publish [R4]; sees the row's words.
                let words = first.load(Ordering::Acquire);
                let count = if words.is_null() { 0 } else { 1 << (2 * row) };
                (0..count).map(move |place| {
                    // SAFETY: I1: the row has `count` words.
                    let word = unsafe { words.add(place) };
                    // SAFETY: I1: the row stays until the domain ends.
                    unsafe { &*word }
                })
            });
        self.near.iter().chain(far).fold(0, |sum, word| {
            // ORD: Acquire — pairs with the Release in make_heap [R4]; sees the heap made.
            let heap = word.load(Ordering::Acquire);
            // SAFETY: I1: a heap stays until the domain ends.
            let heap = unsafe { heap.as_ref() };
            sum.wrapping_add(heap.map_or(0, count))
        })
    }

    /// Takes all heaps away.
    pub(super) fn take_all(&mut self) -> Vec<OwnHeap<T>> {
        let mut heaps: Vec<_> = self.near.iter_mut().map(take).collect();
        let rows = take(&mut self.rows);
        // SAFETY: I1: the rows came out of a box in `word_in_rows`, and no word leads to them now.
        let mut rows = (!rows.is_null()).then(|| unsafe { Box::from_raw(rows) });
        for (row, words) in rows.iter_mut().flat_map(|rows| rows.iter_mut().enumerate()) {
            let words = unsync_load(words);
            if words.is_null() {
                continue;
            }
            let words = core::ptr::slice_from_raw_parts_mut(words, 1 << (2 * row));
            // SAFETY: I1: the row came out of a box in `word_in_rows`; the rows end here.
            let mut words = unsafe { Box::from_raw(words) };
            heaps.extend(words.iter_mut().map(take));
        }
        heaps.retain(|heap| !heap.is_null());
        heaps
            .into_iter()
            // SAFETY: I1: the heap came out of a box in `make_heap`, and no word leads to it now.
            .map(|heap| *unsafe { Box::from_raw(heap) })
            .collect()
    }
}

/// Takes what the word leads to.
fn take<P>(word: &mut AtomicPtr<P>) -> *mut P {
    let led_to = unsync_load(word);
    unsync_store(word, null_mut());
    led_to
}

impl<T> OwnHeap<T> {
    /// # Safety
    /// The caller holds the record of the heap's index, and no other borrow of it.
    #[expect(
        clippy::mut_from_ref,
        reason = "the cell is its thread's, and borrows are short"
    )]
    #[inline]
    pub(super) unsafe fn borrow(&self) -> &mut Heap<T> {
        // SAFETY: I2: the caller's contract.
        unsafe { &mut *self.heap.get() }
    }

    /// Counts `change` objects more in the structure, for who holds the record of the heap's index.
    #[inline]
    pub(crate) fn count(&self, change: isize) {
        add(&self.count, change);
    }

    /// Counts `change` slots more in the heap's bags, for the same.
    #[inline]
    pub(super) fn count_retired(&self, change: isize) {
        add(&self.retired, change);
    }

    /// Objects that were put into the structure by way of this heap, less those that were taken out.
    pub(crate) fn objects(&self) -> isize {
        // ORD: Relaxed — a count publishes nothing; coherence makes a quiet sum exact.
        self.count.load(Ordering::Relaxed)
    }

    /// Slots that wait in the heap's bags.
    pub(super) fn retired(&self) -> isize {
        // ORD: Relaxed — as above.
        self.retired.load(Ordering::Relaxed)
    }

    /// The heap, for who owns it alone.
    pub(super) fn get_mut(&mut self) -> &mut Heap<T> {
        self.heap.get_mut()
    }
}

/// Changes a count of the caller's heap.
#[inline]
fn add(counter: &AtomicIsize, change: isize) {
    // ORD: Relaxed — only this thread writes its counts (I2).
    let counted = counter.load(Ordering::Relaxed);
    // ORD: Relaxed — a count publishes nothing.
    counter.store(counted.wrapping_add(change), Ordering::Relaxed);
}

/// Makes `mine` what `word` leads to, unless something else is there; returns what is there.
fn publish<P>(word: &AtomicPtr<P>, mine: *mut P, discard: impl FnOnce(*mut P)) -> *mut P {
    // ORD: AcqRel — pairs with the Acquire in word_in_rows [R4]; publishes the row's
    // words, or sees those that are there.
    match word.compare_exchange(null_mut(), mine, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => mine,
        Err(theirs) => {
            discard(mine);
            theirs
        }
    }
}
