//! What one thread holds of one domain: objects to hand out, and objects that wait to be freed.
//!
//! ```text
//! alloc:   free list, else the rest of the chunk, else the depot, else a new chunk
//! retire:  bag; a full bag is sealed with a grace period and waits behind the bags before it
//! ripe:    the first sealed bag, when its grace period is over; objects with destructors go a few at
//!          a time
//! lend:    an object that is ripe, but held: looked at again, with each bag as many as the bag has
//! ```
//!
//! Objects of one domain have one size, so they have no headers and a freed one fits the next.
//! Chunks grow with what the heap holds, an eighth of it each, up to one huge page; they go with the
//! domain, or when [`Heap::trim`] finds all their objects free. What a thread frees beyond [`KEPT`]
//! objects goes to the domain's depot, where the threads that allocate find it.
//!
//! # Invariants
//! - I1. An object on a free list, put aside, in the depot or beyond `next` is used by nobody.
//! - I2. A chunk is as I1 of [`chunk`](super::chunk) says: a head, and then objects.
//! - I3. With `SINGLES` (as a rule: [`ONE_BY_ONE`]) there are no chunks: each object is an allocation of its own.

use super::bag::{BACKLOG, Bag, DROP_STEP, MOST_BESIDE, Other, Ripe, batch};
use super::chunk::{Chunk, free_chunk, is_mapped};
use super::pile::Pile;
use super::registry::Grace;
use crate::arch;
use crate::error::TryReserveError;
use crate::sync::{MODEL, note_objects, note_read, note_write};
use crate::sys::pages;
use core::alloc::Layout;
use core::ptr::NonNull;
use std::collections::VecDeque;

/// Alignment of every object, so that three bits of its address are free for flags.
pub(crate) const SLOT_ALIGN: usize = 8;
/// Under Miri and the sanitizers (`--cfg atomshard_singles`), which then see each use after free and
/// each leak, and in models, whose atomics are larger.
pub(super) const ONE_BY_ONE: bool = MODEL || cfg!(any(miri, atomshard_singles));
/// Bytes of the smallest chunk.
const SMALLEST_CHUNK: usize = 256;
/// Free objects that a thread keeps to itself.
pub(super) const KEPT: usize = 1024;
/// Objects that go to the depot together.
pub(super) const PILE: usize = KEPT / 2;

/// See the module. What each write uses comes first.
#[repr(C)]
pub(super) struct Heap<T, const SINGLES: bool = ONE_BY_ONE> {
    bag: Bag<T>,
    pub(super) free: Vec<NonNull<T>>,
    /// The first object of the newest chunk that was never handed out, and how many there are.
    next: *mut T,
    left: usize,
    pub(super) chunks: *mut Chunk,
    /// Bytes in chunks, and how many of them there were when free objects were put aside.
    pub(super) held: usize,
    pub(super) held_aside: usize,
    sealed: VecDeque<(Grace, Bag<T>)>,
    /// What may be freed.
    ripe: Bag<T>,
    /// Ripe objects that somebody holds.
    lent: VecDeque<NonNull<T>>,
    /// How many of them to look at again.
    to_look_at: usize,
    /// An empty bag to fill again.
    spare: Option<Bag<T>>,
    /// Somebody further up the stack is freeing ripe bags.
    pub(super) is_freeing: bool,
    /// Everything ripe is to go at the next collection.
    pub(super) is_flushed: bool,
    /// Bytes of what is in the bag besides objects.
    bytes_beside: usize,
    /// Numbers handed out.
    tickets: u64,
    /// The lease in which a travelling guard last retired something here.
    pub(super) lease: u64,
    /// Free, but not handed out before the next [`trim`](Self::trim).
    pub(super) aside: Vec<Pile<T>>,
}

/// Layout of an object.
pub(super) const fn slot<T>() -> Layout {
    const { assert!(size_of::<T>() != 0, "an object has an address of its own") }
    match Layout::new::<T>().align_to(SLOT_ALIGN) {
        Ok(layout) => layout.pad_to_align(),
        Err(_) => panic!("8 is an alignment that fits every size of a type"),
    }
}

impl<T, const SINGLES: bool> Heap<T, SINGLES> {
    /// Retired things that fill a bag.
    pub(super) const BATCH: usize = batch(slot::<T>().size(), core::mem::needs_drop::<T>());

    pub(super) fn new() -> Self {
        Self {
            bag: Bag::new(),
            free: Vec::new(),
            next: core::ptr::null_mut(),
            left: 0,
            chunks: core::ptr::null_mut(),
            held: 0,
            held_aside: 0,
            sealed: VecDeque::new(),
            ripe: Bag::new(),
            lent: VecDeque::new(),
            to_look_at: 0,
            spare: None,
            is_freeing: false,
            is_flushed: false,
            tickets: 0,
            lease: 0,
            aside: Vec::new(),
            bytes_beside: 0,
        }
    }

    /// The next number of this heap.
    pub(super) fn next_ticket(&mut self) -> u64 {
        note_write(&raw const self.tickets);
        self.tickets += 1;
        self.tickets
    }

    /// Memory for an object, from what the heap has.
    #[inline]
    pub(super) fn take(&mut self) -> Option<NonNull<T>> {
        note_read(&raw const self.free);
        if let Some(object) = self.free.pop() {
            note_write(&raw const self.free);
            note_read(self.free.as_ptr().wrapping_add(self.free.len()));
            // Freed long ago, it has left the cache.
            if let Some(next) = self.free.last() {
                arch::prefetch_write(next.as_ptr());
            }
            return Some(object);
        }
        self.take_new()
    }

    /// An object of the newest chunk that was never handed out.
    #[inline]
    pub(super) fn take_new(&mut self) -> Option<NonNull<T>> {
        note_read(&raw const self.left);
        if self.left == 0 {
            return None;
        }
        note_write(&raw const self.left);
        note_write(&raw const self.next);
        self.left -= 1;
        let object = NonNull::new(self.next)?;
        // SAFETY: I1: `left` more objects follow in the chunk, or its end.
        self.next = unsafe { self.next.byte_add(slot::<T>().size()) };
        arch::prefetch_write(self.next);
        Some(object)
    }

    /// Makes room for one object at least; `false` if there is no memory.
    #[cold]
    pub(super) fn grow(&mut self) -> bool {
        if SINGLES {
            // SAFETY: I3: `slot` asserts that the size is not zero.
            let object = NonNull::new(unsafe { std::alloc::alloc(slot::<T>()) });
            self.free.extend(object.map(NonNull::cast));
            return object.is_some();
        }
        let new = self.held - self.held_aside;
        let wanted = (new / 8).clamp(SMALLEST_CHUNK, pages::HUGE_PAGE_BYTES);
        self.add_chunk(wanted) || self.add_chunk(SMALLEST_CHUNK) || self.add_chunk(0)
    }

    /// Where the objects of a chunk begin.
    pub(super) fn head_bytes() -> usize {
        size_of::<Chunk>().next_multiple_of(slot::<T>().align())
    }

    /// Adds a chunk of about this size, with one object at least.
    fn add_chunk(&mut self, wanted: usize) -> bool {
        let (slot, head) = (slot::<T>(), Self::head_bytes());
        let objects = (wanted.saturating_sub(head) / slot.size()).max(1);
        let Some(bytes) = slot.size().checked_mul(objects) else {
            return false;
        };
        let Ok(layout) = Layout::from_size_align(head.saturating_add(bytes), slot.align()) else {
            return false;
        };
        let memory = if !is_mapped(layout) {
            // SAFETY: I2: there is a head, so the size is not zero.
            NonNull::new(unsafe { std::alloc::alloc(layout) })
        } else if wanted == pages::HUGE_PAGE_BYTES {
            pages::alloc_zeroed_huge(layout.size()).map(|(memory, _advice)| memory)
        } else {
            pages::alloc_zeroed(layout.size())
        };
        let Some(memory) = memory else {
            return false;
        };
        let memory = memory.as_ptr();
        memory.expose_provenance();
        let next = self.chunks;
        self.chunks = memory.cast::<Chunk>();
        // SAFETY: I2: the allocation starts with room for the head.
        unsafe {
            self.chunks.write(Chunk {
                next,
                layout,
                objects,
            });
        }
        note_write(self.chunks);
        note_write(&raw const self.chunks);
        note_write(&raw const self.held);
        note_write(&raw const self.left);
        note_write(&raw const self.next);
        self.held += layout.size();
        // SAFETY: I2: the head is followed by the objects.
        self.next = unsafe { memory.add(head) }.cast();
        self.left = objects;
        note_objects(self.chunks, 1);
        true
    }

    /// Takes back an object that nobody uses. Hands out a pile for the depot if there are many.
    #[inline]
    pub(super) fn put(&mut self, object: NonNull<T>) -> Option<Pile<T>> {
        if SINGLES {
            // SAFETY: I1, I3.
            unsafe { free_one(object) };
            return None;
        }
        if self.free.try_reserve(1).is_err() {
            // Not reused: its memory goes with its chunk.
            return None;
        }
        self.free.push(object);
        note_write(&raw const self.free);
        note_write(self.free.as_ptr().wrapping_add(self.free.len() - 1));
        self.surplus()
    }

    /// Takes over a pile of the depot.
    pub(super) fn add(&mut self, mut pile: Pile<T>) {
        self.free.extend(core::iter::from_fn(|| pile.pop()));
    }

    /// Puts a retired object into the bag; says whether something is to be collected.
    #[inline]
    pub(super) fn retire(&mut self, object: NonNull<T>) -> bool {
        self.bag.objects.push(object);
        let len = self.bag.objects.len();
        note_write(&raw const self.bag.objects);
        note_write(self.bag.objects.as_ptr().wrapping_add(len - 1));
        self.is_due()
    }

    /// As [`retire`](Self::retire), for what is no whole object.
    pub(super) fn retire_other(&mut self, other: Other) -> bool {
        self.bag.others.push(other);
        note_write(&raw const self.bag.others);
        note_write(
            self.bag
                .others
                .as_ptr()
                .wrapping_add(self.bag.others.len() - 1),
        );
        self.is_due()
    }

    /// Weighs what was retired last; whether what is in the bag is so much that it must not wait until the bag is full.
    pub(super) fn weigh(&mut self, bytes: usize) -> bool {
        note_write(&raw const self.bytes_beside);
        self.bytes_beside = self.bytes_beside.saturating_add(bytes);
        if self.bytes_beside >= MOST_BESIDE {
            note_write(&raw const self.is_flushed);
            self.is_flushed = true;
        }
        self.is_flushed
    }

    /// Makes room for one call of [`retire_other`](Self::retire_other).
    pub(super) fn reserve_other(&mut self) -> Result<(), TryReserveError> {
        let refused = |_| TryReserveError::AllocError {
            layout: Layout::new::<Other>(),
        };
        self.bag.others.try_reserve(1).map_err(refused)
    }

    #[inline]
    fn is_due(&self) -> bool {
        self.is_full()
            || core::mem::needs_drop::<T>()
                && self.bag.len().is_multiple_of(DROP_STEP)
                && (self.ripe.len() != 0 || !self.sealed.is_empty())
    }

    #[inline]
    fn is_full(&self) -> bool {
        note_read(&raw const self.bag.others);
        self.bag.len() >= Self::BATCH
    }

    /// Seals the bag, if it is full or flushed, with the grace period that `begin` begins.
    pub(super) fn seal(&mut self, begin: impl FnOnce() -> Option<Grace>) {
        if self.bag.len() == 0 || !(self.is_full() || self.is_flushed) {
            return;
        }
        // Without memory for it the bag stays, and the next collection tries again.
        if self.sealed.try_reserve(1).is_err() {
            return;
        }
        if let Some(grace) = begin() {
            let empty = self.spare.take().unwrap_or_else(Bag::new);
            let full = core::mem::replace(&mut self.bag, empty);
            self.bytes_beside = 0;
            self.sealed.push_back((grace, full));
        }
    }

    /// The next thing whose grace period is over. An object may be held.
    #[inline]
    pub(super) fn ripe(&mut self) -> Option<Ripe<T>> {
        loop {
            if let Some(object) = self.ripe.objects.pop() {
                return Some(Ripe::Object(object));
            }
            if let Some(other) = self.ripe.others.pop() {
                return Some(Ripe::Other(other));
            }
            if let Some(left) = self.to_look_at.checked_sub(1) {
                self.to_look_at = left;
                if let Some(object) = self.lent.pop_front() {
                    return Some(Ripe::Object(object));
                }
            }
            if !self.next_bag() {
                return None;
            }
        }
    }

    /// Keeps a ripe object until nobody holds it.
    pub(super) fn lend(&mut self, object: NonNull<T>) {
        self.lent.push_back(object);
    }

    /// Whether there are objects whose grace period is over, in the ripe bag or, if that is empty, in the next.
    pub(super) fn has_ripe_objects(&mut self) -> bool {
        !self.ripe.objects.is_empty()
            || self.ripe.len() == 0 && self.next_bag() && !self.ripe.objects.is_empty()
    }

    /// Moves the ripe objects to the free list, and says how many: for objects that nothing is done to end and
    /// nobody holds.
    pub(super) fn recycle(&mut self) -> usize {
        let count = self.ripe.objects.len();
        self.free.append(&mut self.ripe.objects);
        count
    }

    /// Takes the next bag whose grace period is over in the place of the ripe one, which is empty
    /// and will be filled again, unless it is very small or very large.
    #[cold]
    fn next_bag(&mut self) -> bool {
        let is_over = self.sealed.front().map(|(grace, _)| grace.is_over());
        if is_over != Some(true) {
            return false;
        }
        let Some((_, bag)) = self.sealed.pop_front() else {
            return false;
        };
        if self.sealed.is_empty() {
            self.sealed = VecDeque::new();
        }
        self.to_look_at = self.lent.len().min(bag.len());
        let empty = core::mem::replace(&mut self.ripe, bag);
        if empty.is_spare(Self::BATCH) {
            self.spare = Some(empty);
        }
        true
    }

    /// How many ripe things go now.
    pub(super) fn pace(&mut self) -> usize {
        let is_flushed = core::mem::take(&mut self.is_flushed);
        if is_flushed {
            self.to_look_at = self.lent.len();
        }
        let is_backlog = || {
            let sealed: usize = self.sealed.iter().map(|(_, bag)| bag.len()).sum();
            self.sealed.len() > BACKLOG || sealed + self.ripe.len() > 2 * Self::BATCH
        };
        if is_flushed || !core::mem::needs_drop::<T>() || is_backlog() {
            usize::MAX
        } else {
            DROP_STEP
        }
    }

    /// Takes over what waits in the heap of a thread that has gone; says how many slots.
    pub(super) fn adopt_garbage(&mut self, other: &mut Self) -> usize {
        let sealed = other.sealed.iter().map(|(_, bag)| bag);
        let slots = sealed.chain([&other.bag, &other.ripe]).map(Bag::slots);
        let slots = slots.sum::<usize>() + other.lent.len();
        self.bag.objects.append(&mut other.bag.objects);
        self.bag.others.append(&mut other.bag.others);
        self.bytes_beside = self
            .bytes_beside
            .saturating_add(core::mem::take(&mut other.bytes_beside));
        self.sealed.append(&mut other.sealed);
        self.ripe.objects.append(&mut other.ripe.objects);
        self.ripe.others.append(&mut other.ripe.others);
        self.lent.append(&mut other.lent);
        slots
    }

    /// Takes over the memory of such a heap.
    pub(super) fn adopt_memory(&mut self, other: &mut Self) {
        other.cut_up();
        self.free.append(&mut core::mem::take(&mut other.free));
        self.aside.append(&mut core::mem::take(&mut other.aside));
        other.spare = None;
        self.held += core::mem::take(&mut other.held);
        other.held_aside = 0;
        let theirs = core::mem::replace(&mut other.chunks, core::ptr::null_mut());
        let mut chunk = theirs;
        while !chunk.is_null() {
            // SAFETY: I2: the list is made of heads.
            let next = unsafe { &mut (*chunk).next };
            chunk = *next;
            if chunk.is_null() {
                *next = core::mem::replace(&mut self.chunks, theirs);
            }
        }
    }

    /// Some of the free objects beyond what a thread keeps to itself.
    #[inline]
    pub(super) fn surplus(&mut self) -> Option<Pile<T>> {
        (self.free.len() > KEPT).then(|| self.take_pile())
    }

    /// A pile of the last free objects.
    #[cold]
    pub(super) fn take_pile(&mut self) -> Pile<T> {
        let mut pile = Pile::new();
        let rest = self.free.len().saturating_sub(PILE);
        for object in self.free.drain(rest..) {
            // SAFETY: I1.
            unsafe { pile.push(object) };
        }
        // What a guard has held up for long comes at once.
        if self.free.capacity() > 4 * KEPT && self.free.len() <= KEPT {
            self.free.shrink_to(2 * KEPT);
        }
        pile
    }

    /// Everything that waits, for one who has exclusive access.
    pub(super) fn bags(&mut self) -> Vec<Bag<T>> {
        let mut bags: Vec<Bag<T>> = self.sealed.drain(..).map(|(_, bag)| bag).collect();
        bags.push(core::mem::replace(&mut self.bag, Bag::new()));
        bags.push(core::mem::replace(&mut self.ripe, Bag::new()));
        bags.push(Bag {
            objects: core::mem::take(&mut self.lent).into(),
            others: Vec::new(),
        });
        bags
    }
}

/// Frees an object's memory where each is an allocation of its own.
///
/// # Safety
/// The object is used by nobody and was allocated by [`Heap::grow`] with `SINGLES`.
pub(super) unsafe fn free_one<T>(object: NonNull<T>) {
    // SAFETY: I3, and the caller's contract.
    unsafe { std::alloc::dealloc(object.as_ptr().cast(), slot::<T>()) };
}

/// Frees the chunks: with the heap goes every object of it, wherever it is.
impl<T, const SINGLES: bool> Drop for Heap<T, SINGLES> {
    fn drop(&mut self) {
        while !self.chunks.is_null() {
            // SAFETY: I2: the list is made of heads.
            let Chunk { next, layout, .. } = unsafe { self.chunks.read() };
            // SAFETY: I2; the domain ends, so nobody uses an object of the chunk.
            unsafe { free_chunk(self.chunks, layout) };
            self.chunks = next;
        }
        if SINGLES {
            for object in self.free.drain(..) {
                // SAFETY: I1, I3.
                unsafe { free_one(object) };
            }
        }
    }
}
