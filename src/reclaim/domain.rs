//! A domain: the memory of one structure's objects, from allocation to the end of their last
//! reader.
//!
//! ```text
//! domain --> heaps     one for each thread that wrote, found by its record's index
//!        --> depot     free objects between the heaps
//! ```
//!
//! # Invariants
//! - I1. A heap is used by the thread that holds the record of its index, and by nobody else.
//! - I2. No user's code runs while a heap is borrowed.
//! - I3. What is retired was unlinked before, once, by a guard of the domain that is alive.
//! - I4. The guards of a domain borrow it, so none is alive when it ends; who holds an object keeps the
//!   domain too.
//!
//! # Progress
//! Lock-free, apart from the global allocator, the kernel and the destructors.

use super::bag::{Bag, Other, Ripe};
use super::depot::Depot;
use super::heap::{Heap, ONE_BY_ONE, free_one, slot};
use super::heaps::{Heaps, OwnHeap};
use super::hold::WereHeld;
use super::object::{Hook, Object, end_object};
use super::pile::Pile;
use super::registry::{self, Record};
use super::trim::Trimmed;
use super::{Guard, LocalGuard, OwnedGuard, foreign_guard};
use crate::error::TryReserveError;
use crate::sync::{MODEL, note_read};
use core::marker::PhantomData;
use core::ptr::NonNull;

/// Bits of a ticket that count those of one thread.
const TICKET_BITS: u32 = 40;

/// The memory of a structure's objects of type `T`, and of whatever else it retires.
#[repr(C)] // What each operation reads, first.
pub(crate) struct Domain<T: Object> {
    heaps: Heaps<T>,
    depot: Depot<T>,
    hook: Option<Hook<T>>,
    were_held: WereHeld,
    _owns: PhantomData<T>,
}

// SAFETY: I1: the heaps are each used by one thread at a time, and the rest is atomic. Who shares
// the structure that owns the domain answers for T.
unsafe impl<T: Object> Sync for Domain<T> {}
// SAFETY: I1, as above.
unsafe impl<T: Object> Send for Domain<T> {}

impl<T: Object> core::fmt::Debug for Domain<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Domain").finish_non_exhaustive()
    }
}

impl<T: Object> Domain<T> {
    /// A domain without a heap, which ends objects by `hook` or else drops them. Allocates nothing.
    pub(crate) fn new(hook: Option<Hook<T>>) -> Self {
        Self {
            heaps: Heaps::new(),
            depot: Depot::new(),
            were_held: WereHeld::new(),
            hook,
            _owns: PhantomData,
        }
    }

    /// How objects are ended, if not by their destructors.
    pub(crate) fn hook(&self) -> Option<&Hook<T>> {
        note_read(&raw const self.hook);
        self.hook.as_ref()
    }

    /// Whether some object was held.
    pub(super) fn were_held(&self) -> &WereHeld {
        &self.were_held
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
        let pile = self.depot.take();
        // SAFETY: I1: the caller's heap; I2: nothing below calls a user's code.
        let heap = unsafe { heap.borrow() };
        if let Some(pile) = pile {
            heap.add(pile);
        }
        loop {
            if let Some(object) = heap.take() {
                return object;
            }
            if !heap.grow() {
                std::alloc::handle_alloc_error(slot::<T>());
            }
        }
    }

    /// Counts `change` objects more in the structure, without a locked instruction: each thread has a count of its own.
    #[inline]
    pub(crate) fn count(&self, change: isize, guard: &impl Guard) {
        guard.with_record(|record| self.heap(record).count(change));
    }

    /// The sum of all counts: exact while nobody counts, and otherwise somewhere near.
    pub(crate) fn counted(&self) -> isize {
        self.heaps.counted(OwnHeap::objects)
    }

    /// A number that no other call for this structure returns: the thread's, and how many it has had.
    pub(crate) fn ticket(&self, guard: &impl Guard) -> u64 {
        guard.with_record(|record| {
            // SAFETY: I1: the record is this thread's; I2: nothing is called.
            let number = unsafe { self.heap(record).borrow() }.next_ticket();
            let fits = number >> TICKET_BITS | record.index() as u64 >> (64 - TICKET_BITS);
            assert!(fits == 0, "2^40 tickets of a thread, or 2^24 threads");
            (record.index() as u64) << TICKET_BITS | number
        })
    }

    /// Bytes of the objects that were retired and are not freed yet: exact while nobody retires or frees, and otherwise
    /// somewhere near. What else was retired is not counted.
    pub(crate) fn retired_bytes(&self) -> usize {
        let slots = usize::try_from(self.heaps.counted(OwnHeap::retired)).unwrap_or(0);
        slots * slot::<T>().size()
    }

    /// Takes back the memory of an object that nobody else has seen.
    pub(crate) fn give_back(&self, object: NonNull<T>, guard: &impl Guard) {
        guard.with_record(|record| self.put(self.heap(record), object));
    }

    #[inline]
    fn put(&self, heap: &OwnHeap<T>, object: NonNull<T>) {
        // SAFETY: I1: the caller's heap; I2: `put` calls nobody.
        if let Some(pile) = unsafe { heap.borrow() }.put(object) {
            self.depot.push(pile);
        }
    }

    /// Drops the object and reuses its memory once every guard that is alive now is gone.
    ///
    /// # Safety
    /// The object came from [`alloc`](Self::alloc), is complete, unlinked, retired once, and may be dropped on any thread that uses the structure.
    #[inline]
    pub(crate) unsafe fn retire(&self, object: NonNull<T>, guard: &impl Guard) {
        if MODEL {
            return;
        }
        if self.with_heap(guard, 1, |heap| heap.retire(object)) {
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

    /// Calls `end` with `at` once every guard that is alive now is gone. What is of so many `bytes` waits until a bag is full, or much is in it.
    ///
    /// # Safety
    /// `at` is unlinked, is retired once, and `end` may be called with it on any thread that uses the structure.
    pub(crate) unsafe fn defer(
        &self,
        at: *mut u8,
        end: unsafe fn(*mut u8),
        bytes: usize,
        guard: &impl Guard,
    ) {
        let is_much = !MODEL && self.with_heap(guard, 0, |heap| heap.weigh(bytes));
        self.retire_other(at, end, false, guard);
        if is_much {
            guard.collect_soon();
        }
    }

    /// Makes room for one call of [`defer`](Self::defer) by this thread; the error if there is no memory.
    pub(crate) fn reserve_defer(&self, guard: &impl Guard) -> Result<(), TryReserveError> {
        if MODEL {
            return Ok(());
        }
        self.with_heap(guard, 0, Heap::reserve_other)
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
        if self.with_heap(guard, is_slot.into(), |heap| heap.retire_other(other)) {
            guard.collect_soon();
        }
    }

    /// Calls `f`, which retires `slots` slots, with the heap of this thread.
    #[inline]
    fn with_heap<G: Guard, R>(
        &self,
        guard: &G,
        slots: isize,
        f: impl FnOnce(&mut Heap<T>) -> R,
    ) -> R {
        guard.with_record(|record| {
            let own = self.heap(record);
            own.count_retired(slots);
            // SAFETY: I1: the record is this thread's; I2: retiring calls nobody.
            let heap = unsafe { own.borrow() };
            if G::TRAVELS {
                heap.lease = record.lease_number();
            }
            f(heap)
        })
    }

    /// The heap of `record`, which the caller holds.
    #[inline]
    fn heap(&self, record: &Record) -> &OwnHeap<T> {
        self.heaps.heap(record.index())
    }

    /// Seals this thread's bag if it is time, and frees what may be freed.
    fn seal_and_free(&self, record: &Record) {
        let heap = self.heap(record);
        // SAFETY: I1: the record is this thread's; I2: `seal` calls the kernel only.
        let own = unsafe { heap.borrow() };
        own.seal(|| registry::grace().ok());
        if own.is_freeing {
            // A destructor has come back here: whoever called it goes on with the next object.
            return;
        }
        own.is_freeing = true;
        let pace = own.pace();
        self.free_ripe(heap, pace);
        // SAFETY: I1: the caller's heap.
        unsafe { heap.borrow() }.is_freeing = false;
    }

    fn flush_heap(&self, record: &Record) {
        // SAFETY: I1: the record is this thread's.
        unsafe { self.heap(record).borrow() }.is_flushed = true;
        self.seal_and_free(record);
    }

    /// Frees things whose grace period is over: memory without limit, `most` with a destructor.
    fn free_ripe(&self, heap: &OwnHeap<T>, most: usize) {
        let mut left = most;
        while left != 0
            && let Some(ripe) = self.next_ripe(heap)
        {
            match ripe {
                // SAFETY: I3: retired once, and not freed yet.
                Ripe::Object(object) if self.were_held.is_held(unsafe { object.as_ref() }) => {
                    // SAFETY: I1: the caller's heap; I2: `lend` calls nobody.
                    unsafe { heap.borrow() }.lend(object);
                }
                Ripe::Object(object) => {
                    left -= 1;
                    self.end_object(object);
                    self.free(heap, object);
                }
                Ripe::Other(other) => {
                    left -= 1;
                    self.end_other(heap, &other);
                }
            }
        }
    }

    /// The next ripe thing that has to be ended one by one.
    fn next_ripe(&self, own: &OwnHeap<T>) -> Option<Ripe<T>> {
        // SAFETY: I1: the caller's heap; I2: nothing below calls a user's code.
        let heap = unsafe { own.borrow() };
        if !core::mem::needs_drop::<T>() && !ONE_BY_ONE && self.hook().is_none() {
            // In this order: that the grace period is over shows whether one of the objects was held.
            while heap.has_ripe_objects() && !self.were_held.get() {
                own.count_retired(-heap.recycle().cast_signed());
                while let Some(surplus) = heap.surplus() {
                    self.depot.push(surplus);
                }
            }
        }
        heap.ripe()
    }

    /// Frees a retired slot whose content has ended.
    fn free(&self, heap: &OwnHeap<T>, object: NonNull<T>) {
        self.put(heap, object);
        heap.count_retired(-1);
    }

    /// Ends an object that nobody can see any more.
    fn end_object(&self, object: NonNull<T>) {
        // SAFETY: I3: complete, retired once, and its grace period is over.
        unsafe { end_object(self.hook(), object) };
    }

    fn end_other(&self, heap: &OwnHeap<T>, other: &Other) {
        // SAFETY: I3: retired once, and its grace period is over.
        unsafe { (other.end)(other.at) };
        if other.is_slot
            && let Some(object) = NonNull::new(other.at)
        {
            self.free(heap, object.cast());
        }
    }

    /// Gives back the chunks whose objects are all free, of this thread's heap and of those whose threads have gone; what is left.
    pub(crate) fn trim(&self, guard: &impl Guard) -> Trimmed {
        if MODEL {
            return Trimmed::NOTHING;
        }
        guard.with_record(|record| {
            self.adopt(record, |heap, other| {
                heap.adopt_memory(other);
                0
            });
            self.with_depot(record, Heap::trim)
        })
    }

    /// What this thread makes until it next calls [`trim`](Self::trim) lies in new chunks.
    pub(crate) fn set_aside(&self, guard: &impl Guard) {
        if !MODEL {
            guard.with_record(|record| self.with_depot(record, Heap::set_aside));
        }
    }

    /// Calls `f` with the thread's heap and what is in the depot, which gets what is left.
    fn with_depot<R>(
        &self,
        record: &Record,
        f: impl FnOnce(&mut Heap<T>, &mut Vec<Pile<T>>) -> R,
    ) -> R {
        let mut depot = core::iter::from_fn(|| self.depot.take()).collect();
        // SAFETY: I1: the record is this thread's; I2: the callers' `f` call no user's code.
        let result = f(unsafe { self.heap(record).borrow() }, &mut depot);
        depot.into_iter().for_each(|pile| self.depot.push(pile));
        result
    }

    /// Lets this thread's heap take over from the heaps of threads that have gone; `take` says how many retired slots.
    ///
    /// Whoever calls this uses the structure on this thread, by a guard of this thread: then
    /// either its objects may be dropped here, or no other thread has ever used it.
    fn adopt(&self, record: &Record, take: fn(&mut Heap<T>, &mut Heap<T>) -> usize) {
        let own = self.heap(record);
        registry::for_each_idle(|idle| {
            if let Some(other) = self.heaps.made(idle.index()) {
                // SAFETY: I1: the record is this thread's; I2: `take` calls no user's code.
                let heap = unsafe { own.borrow() };
                // SAFETY: I1: the idle record is leased to us for the call.
                let slots = take(heap, unsafe { other.borrow() }).cast_signed();
                own.count_retired(slots);
                other.count_retired(-slots);
            }
        });
    }

    /// Whether objects that are left when the structure ends need not be found: nothing is done to end them.
    pub(crate) fn goes_whole(&self) -> bool {
        !ONE_BY_ONE && !core::mem::needs_drop::<T>() && self.hook().is_none()
    }

    /// Gives back the memory of an object of a structure that ends.
    pub(crate) fn discard(&mut self, object: NonNull<T>) {
        // Otherwise it goes with its chunk.
        if ONE_BY_ONE {
            // SAFETY: I4: exclusive access, and the caller uses the object no more.
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

impl<T: Object> Collect for Domain<T> {
    fn flush(&self, record: &Record) {
        if MODEL {
            return;
        }
        self.adopt(record, Heap::adopt_garbage);
        self.flush_heap(record);
        // The guard itself holds some of it up: what is left goes when the guard ends.
        // SAFETY: I1: the record is this thread's.
        unsafe { self.heap(record).borrow() }.is_flushed = true;
    }

    fn flush_own_lease(&self, record: &Record) {
        if MODEL {
            return;
        }
        let heap = self.heap(record);
        // A travelling guard says nothing about the thread that it has come to. If objects must
        // not be dropped here, then nobody here has retired one by such a guard in this lease.
        // SAFETY: I1: the record is this thread's.
        if unsafe { heap.borrow() }.lease == record.lease_number() {
            self.flush_heap(record);
        }
    }

    fn collect(&self, record: &Record) {
        if MODEL {
            return;
        }
        self.seal_and_free(record);
    }
}

impl<T: Object> Drop for Domain<T> {
    fn drop(&mut self) {
        let mut heaps = self.heaps.take_all();
        // Objects may lie in any heap's chunks: all of them end before the first heap is freed.
        for heap in &mut heaps {
            let bags = heap.get_mut().bags();
            bags.into_iter().for_each(|bag| self.end(bag));
        }
        while self.depot.take().is_some() {}
    }
}

impl<T: Object> Domain<T> {
    /// Ends everything in a bag: nobody is left to see it.
    fn end(&mut self, bag: Bag<T>) {
        for object in bag.objects {
            self.end_object(object);
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
