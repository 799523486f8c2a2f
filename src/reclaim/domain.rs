//! A domain: the memory of one structure's objects, from allocation to the end of their last
//! reader.
//!
//! ```text
//! domain --> heaps                 one for each thread that wrote, found by its record's index
//!        --> rows --> heaps        the same, of records beyond the first few
//!        --> depot --> batch --> batch     free objects between the heaps
//! ```
//!
//! # Invariants
//! - I1. A row and a heap, once made, stay until the domain ends. A heap is used by the thread
//!   that holds the record of its index, and by nobody else.
//! - I2. No user's code runs while a heap is borrowed.
//! - I3. What is retired was unlinked before, once, by a guard of the domain that is alive.
//! - I4. The guards of a domain borrow it, so none is alive when it ends.
//!
//! # Orderings
//! R3 the depot; R4 rows and heaps.
//!
//! # Progress
//! Lock-free, apart from the global allocator, the kernel and the destructors.

use super::heap::{Bag, Heap, ONE_BY_ONE, Other, free_one};
use super::registry::{self, Record};
use super::{Guard, LocalGuard, OwnedGuard};
use crate::sync::{AtomicIsize, AtomicPtr, MODEL, Ordering, unsync_load};
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::panic::AssertUnwindSafe;
use core::ptr::{NonNull, null_mut};
use std::panic::catch_unwind;

/// Records whose heap the domain itself leads to.
const NEAR: usize = 4;
/// Row `r` has the heaps of 4^r further records: five million threads at once.
const ROWS: usize = 12;

type Row<T> = Box<[AtomicPtr<OwnHeap<T>>]>;
type Rows<T> = [AtomicPtr<AtomicPtr<OwnHeap<T>>>; ROWS];

/// A heap, and a count that its thread keeps.
struct OwnHeap<T> {
    heap: UnsafeCell<Heap<T>>,
    count: AtomicIsize,
}

/// Free objects on their way from one heap to another.
struct Batch<T> {
    objects: Vec<NonNull<T>>,
    next: *mut Self,
}

/// The memory of a structure's objects of type `T`, and of whatever else it retires.
pub(crate) struct Domain<T> {
    near: [AtomicPtr<OwnHeap<T>>; NEAR],
    /// Made when a record needs it.
    rows: AtomicPtr<Rows<T>>,
    depot: AtomicPtr<Batch<T>>,
    _owns: PhantomData<T>,
}

// SAFETY: I1: the heaps are each used by one thread at a time, and the rest is atomic. Who shares
// the structure that owns the domain answers for T.
unsafe impl<T> Sync for Domain<T> {}
// SAFETY: I1, as above.
unsafe impl<T> Send for Domain<T> {}

impl<T> core::fmt::Debug for Domain<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Domain").finish_non_exhaustive()
    }
}

impl<T> Domain<T> {
    /// A domain without a heap. Allocates nothing.
    pub(crate) fn new() -> Self {
        Self {
            near: core::array::from_fn(|_| AtomicPtr::new(null_mut())),
            rows: AtomicPtr::new(null_mut()),
            depot: AtomicPtr::new(null_mut()),
            _owns: PhantomData,
        }
    }

    /// Pins the current thread.
    #[inline]
    pub(crate) fn pin(&self) -> LocalGuard<'_> {
        LocalGuard::new(self)
    }

    /// Pins with a guard that may move between threads.
    pub(crate) fn pin_owned(&self) -> OwnedGuard<'_> {
        OwnedGuard::new(self)
    }

    /// Panics unless `guard` belongs to this domain.
    #[inline]
    pub(crate) fn verify(&self, guard: &impl Guard) {
        if guard.domain() != core::ptr::from_ref(self).addr() {
            foreign_guard();
        }
    }

    /// Memory for one object. Aborts as std's collections do if there is none.
    #[inline]
    pub(crate) fn alloc(&self, guard: &impl Guard) -> NonNull<T> {
        guard.with_record(|record| {
            let heap = self.heap(record);
            // SAFETY: I1: the record is this thread's; I2: `take` calls nobody.
            match unsafe { heap.borrow() }.take() {
                Some(object) => object,
                None => self.alloc_slow(heap),
            }
        })
    }

    #[cold]
    fn alloc_slow(&self, heap: &OwnHeap<T>) -> NonNull<T> {
        let batch = self.take_batch();
        // SAFETY: I1: the caller's heap; I2: nothing below calls a user's code.
        let heap = unsafe { heap.borrow() };
        if let Some(objects) = batch {
            heap.add(objects);
        }
        loop {
            if let Some(object) = heap.take() {
                return object;
            }
            if !heap.grow() {
                std::alloc::handle_alloc_error(Heap::<T>::slot());
            }
        }
    }

    /// Counts `change` objects more in the structure, without a locked instruction: each thread
    /// has a count of its own.
    #[inline]
    pub(crate) fn count(&self, change: isize, guard: &impl Guard) {
        guard.with_record(|record| {
            let count = &self.heap(record).count;
            // ORD: Relaxed — only this thread writes its count (I1).
            let counted = count.load(Ordering::Relaxed);
            // ORD: Relaxed — a count publishes nothing; coherence makes a quiet sum exact.
            count.store(counted.wrapping_add(change), Ordering::Relaxed);
        });
    }

    /// The sum of all counts: exact while nobody counts, and otherwise somewhere near.
    pub(crate) fn counted(&self) -> isize {
        self.heaps().fold(0, |sum, heap| {
            // ORD: Relaxed — a count publishes nothing.
            sum.wrapping_add(heap.count.load(Ordering::Relaxed))
        })
    }

    /// Every heap that has been made.
    fn heaps(&self) -> impl Iterator<Item = &OwnHeap<T>> {
        // ORD: Acquire — pairs with the AcqRel in publish [R4]; sees the rows' words.
        let rows = self.rows.load(Ordering::Acquire);
        // SAFETY: I1: the rows stay until the domain ends.
        let rows = unsafe { rows.as_ref() };
        let words = rows
            .into_iter()
            .flatten()
            .enumerate()
            .flat_map(|(row, first)| {
                // ORD: Acquire — pairs with the AcqRel in publish [R4]; sees the row's words.
                let words = first.load(Ordering::Acquire);
                let count = if words.is_null() { 0 } else { 1 << (2 * row) };
                (0..count).map(move |place| {
                    // SAFETY: I1: the row has `count` words, and stays until the domain ends.
                    unsafe { &*words.add(place) }
                })
            });
        self.near.iter().chain(words).filter_map(Self::heap_in)
    }

    /// Takes back the memory of an object that nobody else has seen.
    pub(crate) fn give_back(&self, object: NonNull<T>, guard: &impl Guard) {
        guard.with_record(|record| self.put(self.heap(record), object));
    }

    #[inline]
    fn put(&self, heap: &OwnHeap<T>, object: NonNull<T>) {
        // SAFETY: I1: the caller's heap; I2: `put` calls nobody.
        if let Some(batch) = unsafe { heap.borrow() }.put(object) {
            self.push_batch(batch);
        }
    }

    /// Drops the object and reuses its memory once every guard that is alive now is gone.
    ///
    /// # Safety
    /// The object came from [`alloc`](Self::alloc), is complete, unlinked, retired once, and may be
    /// dropped on any thread that uses the structure.
    #[inline]
    pub(crate) unsafe fn retire(&self, object: NonNull<T>, guard: &impl Guard) {
        if MODEL {
            return;
        }
        // SAFETY: I1: the record is this thread's; I2: `retire` calls nobody.
        let retire = |record: &Record| unsafe { self.heap(record).borrow() }.retire(object);
        if guard.with_record(retire) {
            guard.collect_soon();
        }
    }

    /// As [`retire`](Self::retire), of an object that `end` ends, for it is not complete.
    ///
    /// # Safety
    /// As for `retire`, and `end` may be called with the object.
    pub(crate) unsafe fn retire_with(
        &self,
        object: NonNull<T>,
        end: unsafe fn(*mut u8),
        guard: &impl Guard,
    ) {
        self.retire_other(object.as_ptr().cast(), end, true, guard);
    }

    /// Calls `end` with `at` once every guard that is alive now is gone.
    ///
    /// # Safety
    /// `at` is unlinked, is retired once, and `end` may be called with it on any thread that uses
    /// the structure.
    pub(crate) unsafe fn defer(&self, at: *mut u8, end: unsafe fn(*mut u8), guard: &impl Guard) {
        self.retire_other(at, end, false, guard);
    }

    fn retire_other(
        &self,
        at: *mut u8,
        end: unsafe fn(*mut u8),
        is_slot: bool,
        guard: &impl Guard,
    ) {
        if MODEL {
            return;
        }
        let other = Other { at, end, is_slot };
        // SAFETY: I1: the record is this thread's; I2: `retire_other` calls nobody.
        let retire = |record: &Record| unsafe { self.heap(record).borrow() }.retire_other(other);
        if guard.with_record(retire) {
            guard.collect_soon();
        }
    }

    /// Seals this thread's bag and frees what may be freed.
    fn seal_and_free(&self, record: &Record) {
        let heap = self.heap(record);
        {
            // SAFETY: I1: the record is this thread's; I2: nothing here calls a user's code.
            let heap = unsafe { heap.borrow() };
            heap.lease = record.lease_number();
            heap.seal(|| registry::grace().ok());
        }
        self.free_ripe(heap);
    }

    fn free_ripe(&self, heap: &OwnHeap<T>) {
        // SAFETY: I1: the caller's heap; I2: nothing in the statement calls a user's code.
        if core::mem::replace(&mut unsafe { heap.borrow() }.is_freeing, true) {
            // A destructor has come back here: whoever called it goes on with the next bag.
            return;
        }
        // SAFETY: I1: the caller's heap; I2: `ripe` calls nobody.
        while let Some(mut bag) = unsafe { heap.borrow() }.ripe() {
            for object in bag.objects.drain(..) {
                drop_object(object);
                self.put(heap, object);
            }
            for other in bag.others.drain(..) {
                self.end_other(heap, &other);
            }
            // SAFETY: I1: the caller's heap; I2: `reuse` drops an empty bag at most.
            unsafe { heap.borrow() }.reuse(bag);
        }
        // SAFETY: I1: the caller's heap.
        unsafe { heap.borrow() }.is_freeing = false;
    }

    fn end_other(&self, heap: &OwnHeap<T>, other: &Other) {
        // SAFETY: I3: retired once, and its grace period is over.
        unsafe { (other.end)(other.at) };
        if other.is_slot
            && let Some(object) = NonNull::new(other.at)
        {
            self.put(heap, object.cast());
        }
    }

    /// The heap of `record`, which the caller holds.
    #[inline]
    fn heap(&self, record: &Record) -> &OwnHeap<T> {
        let word = self.word(record);
        match Self::heap_in(word) {
            Some(heap) => heap,
            None => Self::make_heap(word),
        }
    }

    /// The word that leads to the heap of `record`.
    #[inline]
    fn word(&self, record: &Record) -> &AtomicPtr<OwnHeap<T>> {
        match self.near.get(record.index()) {
            Some(word) => word,
            None => self.word_in_rows(record.index() - NEAR),
        }
    }

    #[inline]
    fn heap_in(word: &AtomicPtr<OwnHeap<T>>) -> Option<&OwnHeap<T>> {
        // ORD: Acquire — pairs with the AcqRel in publish [R4]; sees the heap made. (What the
        // holder before did with it is seen by R1.)
        let heap = word.load(Ordering::Acquire);
        // SAFETY: I1: a heap stays until the domain ends.
        unsafe { heap.as_ref() }
    }

    #[cold]
    fn make_heap(word: &AtomicPtr<OwnHeap<T>>) -> &OwnHeap<T> {
        let heap = Box::into_raw(Box::new(OwnHeap {
            heap: UnsafeCell::new(Heap::new()),
            count: AtomicIsize::new(0),
        }));
        let heap = publish(word, heap, |mine| {
            // SAFETY: I1: the heap came out of a box above and was not published.
            drop(unsafe { Box::from_raw(mine) });
        });
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

    fn push_batch(&self, objects: Vec<NonNull<T>>) {
        let next = null_mut();
        let batch = Box::into_raw(Box::new(Batch { objects, next }));
        self.push_chain(batch, batch);
    }

    /// Puts the batches from `first` to `last`, which are the caller's, into the depot.
    fn push_chain(&self, first: *mut Batch<T>, last: *mut Batch<T>) {
        // ORD: Relaxed — a hint; the exchange below decides.
        let mut head = self.depot.load(Ordering::Relaxed);
        loop {
            // SAFETY: the caller's batches; nobody else has them.
            unsafe { (*last).next = head };
            // ORD: Release — pairs with the Acquire in take_batch [R3]; publishes the batches, and
            // that the objects' last users are done.
            match self
                .depot
                .compare_exchange(head, first, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(found) => head = found,
            }
        }
    }

    /// Takes one batch out of the depot. All are taken at once and the others put back, so that no
    /// batch is taken on the strength of an old link.
    fn take_batch(&self) -> Option<Vec<NonNull<T>>> {
        // ORD: Relaxed — a hint; the exchange below decides.
        if self.depot.load(Ordering::Relaxed).is_null() {
            return None;
        }
        // ORD: Acquire — pairs with the Release in push_chain [R3]; sees the batches.
        let first = self.depot.swap(null_mut(), Ordering::Acquire);
        if first.is_null() {
            return None;
        }
        // SAFETY: the exchange made the chain the caller's; batches come out of boxes.
        let batch = unsafe { Box::from_raw(first) };
        let mut last = batch.next;
        if !last.is_null() {
            // SAFETY: the chain is the caller's.
            while let Some(next) = NonNull::new(unsafe { (*last).next }) {
                last = next.as_ptr();
            }
            self.push_chain(batch.next, last);
        }
        Some(batch.objects)
    }

    /// Gives back the chunks whose objects are all free, of this thread's heap and of heaps whose
    /// threads have gone.
    pub(crate) fn trim(&self, guard: &impl Guard) {
        if MODEL {
            return;
        }
        guard.with_record(|record| {
            self.adopt(record, Heap::adopt_memory);
            let depot: Vec<_> = core::iter::from_fn(|| self.take_batch()).collect();
            // SAFETY: I1: the record is this thread's; I2: nothing below calls a user's code.
            let heap = unsafe { self.heap(record).borrow() };
            depot.into_iter().for_each(|batch| heap.add(batch));
            heap.trim();
            while let Some(surplus) = heap.surplus() {
                self.push_batch(surplus);
            }
        });
    }

    /// Lets this thread's heap take over from the heaps of threads that have gone.
    ///
    /// Whoever calls this uses the structure on this thread, by a guard of this thread: then
    /// either its objects may be dropped here, or no other thread has ever used it.
    fn adopt(&self, record: &Record, take: fn(&mut Heap<T>, &mut Heap<T>)) {
        let heap = self.heap(record);
        registry::for_each_idle(|idle| {
            if let Some(other) = Self::heap_in(self.word(idle)) {
                // SAFETY: I1: the record is this thread's; I2: `take` calls no user's code.
                let heap = unsafe { heap.borrow() };
                // SAFETY: I1: the idle record is leased to us for the call.
                take(heap, unsafe { other.borrow() });
            }
        });
    }

    /// Gives back the memory of an object of a structure that ends.
    pub(crate) fn discard(&mut self, object: NonNull<T>) {
        // Otherwise it goes with its chunk.
        if ONE_BY_ONE {
            // SAFETY: the caller has exclusive access and uses the object no more.
            unsafe { free_one(object) };
        }
    }
}

/// What a guard asks of its domain, whatever the type of the objects.
pub(super) trait Collect {
    /// Frees what the thread of `record` has retired, as far as it can be.
    fn flush(&self, record: &Record);
    /// As `flush`, on behalf of a guard that may have come from another thread.
    fn flush_own_lease(&self, record: &Record);
    /// Seals the full bag of the thread of `record` and frees what may be freed.
    fn collect(&self, record: &Record);
}

impl<T> Collect for Domain<T> {
    fn flush(&self, record: &Record) {
        self.adopt(record, Heap::adopt_garbage);
        self.seal_and_free(record);
    }

    fn flush_own_lease(&self, record: &Record) {
        let heap = self.heap(record);
        // A travelling guard says nothing about the thread that it has come to. If objects must
        // not be dropped here, then nobody here has retired one in this lease.
        // SAFETY: I1: the record is this thread's.
        if unsafe { heap.borrow() }.lease == record.lease_number() {
            self.seal_and_free(record);
        }
    }

    fn collect(&self, record: &Record) {
        self.seal_and_free(record);
    }
}

impl<T> OwnHeap<T> {
    /// # Safety
    /// The caller holds the record of the heap's index, and no other borrow of it.
    #[expect(
        clippy::mut_from_ref,
        reason = "the cell is its thread's, and borrows are short"
    )]
    #[inline]
    unsafe fn borrow(&self) -> &mut Heap<T> {
        // SAFETY: the caller's contract.
        unsafe { &mut *self.heap.get() }
    }
}

/// Makes `mine` what `word` leads to, unless something else is there; returns what is there.
fn publish<P>(word: &AtomicPtr<P>, mine: *mut P, discard: impl FnOnce(*mut P)) -> *mut P {
    // ORD: AcqRel — pairs with the Acquire in heap_in [R4] and the Acquire in word_in_rows [R4];
    // publishes the heap or row, or sees the one that is there.
    match word.compare_exchange(null_mut(), mine, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => mine,
        Err(theirs) => {
            discard(mine);
            theirs
        }
    }
}

/// Drops an object in place.
///
/// A destructor that panics here panics on a thread that happens to collect garbage, in the middle
/// of a batch. The panic is reported by the panic hook and ends here, so that the rest of the batch
/// is dropped too.
fn drop_object<T>(object: NonNull<T>) {
    if core::mem::needs_drop::<T>() {
        // SAFETY: I3: complete, retired once, and its grace period is over.
        let drop_it = || unsafe { object.as_ptr().drop_in_place() };
        // Unwind safe: nobody uses the object afterwards.
        let _reported = catch_unwind(AssertUnwindSafe(drop_it));
    }
}

#[cold]
#[inline(never)]
fn foreign_guard() -> ! {
    panic!("the guard was made by another map; use this map's `guard()`")
}

impl<T> Drop for Domain<T> {
    fn drop(&mut self) {
        let mut heaps: Vec<_> = self.near.iter_mut().map(unsync_load).collect();
        let rows = unsync_load(&mut self.rows);
        // SAFETY: I4: exclusive access; the rows came out of a box in `word_in_rows`.
        let mut rows = (!rows.is_null()).then(|| unsafe { Box::from_raw(rows) });
        for (row, words) in rows.iter_mut().flat_map(|rows| rows.iter_mut().enumerate()) {
            let words = unsync_load(words);
            if words.is_null() {
                continue;
            }
            let words = core::ptr::slice_from_raw_parts_mut(words, 1 << (2 * row));
            // SAFETY: I4: exclusive access; the row came out of a box in `word_in_rows`.
            let mut words = unsafe { Box::from_raw(words) };
            heaps.extend(words.iter_mut().map(unsync_load));
        }
        heaps.retain(|heap| !heap.is_null());
        let mut heaps: Vec<Box<OwnHeap<T>>> = heaps
            .into_iter()
            // SAFETY: I4: exclusive access; the heap came out of a box in `make_heap`.
            .map(|heap| unsafe { Box::from_raw(heap) })
            .collect();
        // Objects may lie in any heap's chunks: all of them end before the first heap is freed.
        for heap in &mut heaps {
            let bags = heap.heap.get_mut().bags();
            bags.into_iter().for_each(|bag| self.end(bag));
        }
        while let Some(objects) = self.take_batch() {
            objects.into_iter().for_each(|object| self.discard(object));
        }
    }
}

impl<T> Domain<T> {
    /// Ends everything in a bag: nobody is left to see it.
    fn end(&mut self, bag: Bag<T>) {
        for object in bag.objects {
            drop_object(object);
            self.discard(object);
        }
        for other in bag.others {
            // SAFETY: I3, I4: retired once, and no guard is alive.
            unsafe { (other.end)(other.at) };
            if other.is_slot
                && let Some(object) = NonNull::new(other.at)
            {
                self.discard(object.cast());
            }
        }
    }
}
