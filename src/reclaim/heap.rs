//! What one thread holds of one domain: objects to hand out, and objects that wait to be freed.
//!
//! ```text
//! alloc:   free list, else the rest of the chunk, else the depot, else a new chunk
//! retire:  bag; a full bag is sealed with a grace period and waits behind the bags before it
//! ripe:    the first sealed bag, when its grace period is over
//! ```
//!
//! Objects of one domain have one size, so a chunk is cut without headers and a freed object fits
//! the next one. Chunks grow with what the heap holds, an eighth of it each, up to one huge page;
//! they are freed with the domain. What a thread frees beyond [`KEPT`] objects goes to the domain's
//! depot, where the threads that allocate find it.
//!
//! # Invariants
//! - I1. An object on a free list, in the depot or beyond `next` is used by nobody.
//! - I2. A chunk is an allocation of `bytes` by `pages` if `bytes` is [`MAPPED_BYTES`] at least, and
//!   else by the global allocator.
//! - I3. With [`ONE_BY_ONE`] there are no chunks: each object is an allocation of its own.

use super::registry::Grace;
use crate::sync::MODEL;
use crate::sys::pages;
use core::alloc::Layout;
use core::ptr::NonNull;
use std::collections::VecDeque;

/// Alignment of every object, so that three bits of its address are free for flags.
pub(crate) const SLOT_ALIGN: usize = 8;
/// Under Miri, which then sees each use after free, and in models, whose atomics are larger.
pub(super) const ONE_BY_ONE: bool = MODEL || cfg!(miri);
/// Bytes of the smallest chunk.
const SMALLEST_CHUNK: usize = 256;
/// Chunks of this size and more are mapped.
const MAPPED_BYTES: usize = 128 << 10;
/// Free objects that a thread keeps to itself.
pub(super) const KEPT: usize = 1024;
/// Retired objects that a thread gathers before it begins a grace period, where they are memory
/// only. Each period costs a barrier on all threads of the process.
const MEMORY_BATCH: usize = 512;
/// As above, where objects have destructors that users wait for.
const DROP_BATCH: usize = 128;

/// Something retired that is no whole object: how to end it, and whether its memory is a slot.
pub(super) struct Other {
    pub(super) at: *mut u8,
    pub(super) end: unsafe fn(*mut u8),
    pub(super) is_slot: bool,
}

/// Retired things.
pub(super) struct Bag<T> {
    pub(super) objects: Vec<NonNull<T>>,
    pub(super) others: Vec<Other>,
}

impl<T> Bag<T> {
    fn new() -> Self {
        Self {
            objects: Vec::new(),
            others: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.objects.len() + self.others.len()
    }
}

struct Chunk {
    memory: NonNull<u8>,
    layout: Layout,
}

/// See the module.
pub(super) struct Heap<T> {
    free: Vec<NonNull<T>>,
    /// The first object of the newest chunk that was never handed out, and how many there are.
    next: *mut T,
    left: usize,
    chunks: Vec<Chunk>,
    /// Bytes in chunks.
    held: usize,
    bag: Bag<T>,
    sealed: VecDeque<(Grace, Bag<T>)>,
    /// An empty bag to fill again.
    spare: Option<Bag<T>>,
    /// Somebody further up the stack is freeing ripe bags.
    pub(super) is_freeing: bool,
    /// The lease in which the bag was last filled.
    pub(super) lease: u64,
}

impl<T> Heap<T> {
    pub(super) fn new() -> Self {
        Self {
            free: Vec::new(),
            next: core::ptr::null_mut(),
            left: 0,
            chunks: Vec::new(),
            held: 0,
            bag: Bag::new(),
            sealed: VecDeque::new(),
            spare: None,
            is_freeing: false,
            lease: 0,
        }
    }

    /// Layout of an object.
    pub(super) fn slot() -> Layout {
        match Layout::new::<T>().align_to(SLOT_ALIGN) {
            Ok(layout) => layout.pad_to_align(),
            Err(_) => unreachable!("8 is an alignment that fits every size of a type"),
        }
    }

    /// Memory for an object, from what the heap has.
    #[inline]
    pub(super) fn take(&mut self) -> Option<NonNull<T>> {
        if let Some(object) = self.free.pop() {
            return Some(object);
        }
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let object = NonNull::new(self.next)?;
        // SAFETY: I1: `left` more objects follow in the chunk, or its end.
        self.next = unsafe { self.next.byte_add(Self::slot().size()) };
        Some(object)
    }

    /// Makes room for one object at least; `false` if there is no memory.
    #[cold]
    pub(super) fn grow(&mut self) -> bool {
        let slot = Self::slot();
        let wanted = (self.held / 8).clamp(SMALLEST_CHUNK, pages::HUGE_PAGE_BYTES);
        let wanted = if ONE_BY_ONE { slot.size() } else { wanted };
        self.add_chunk((wanted / slot.size()).max(1)) || self.add_chunk(1)
    }

    fn add_chunk(&mut self, objects: usize) -> bool {
        let slot = Self::slot();
        let Some(bytes) = slot.size().checked_mul(objects) else {
            return false;
        };
        let Ok(layout) = Layout::from_size_align(bytes, slot.align()) else {
            return false;
        };
        let memory = if ONE_BY_ONE || bytes < MAPPED_BYTES {
            // SAFETY: I2: an object has a hash, so the size is not zero.
            NonNull::new(unsafe { std::alloc::alloc(layout) })
        } else if bytes > pages::HUGE_PAGE_BYTES - slot.size() {
            pages::alloc_zeroed_huge(bytes).map(|(memory, _advice)| memory)
        } else {
            pages::alloc_zeroed(bytes)
        };
        let Some(memory) = memory else {
            return false;
        };
        if ONE_BY_ONE {
            self.free.push(memory.cast());
            return true;
        }
        memory.as_ptr().expose_provenance();
        self.chunks.push(Chunk { memory, layout });
        self.held += bytes;
        self.next = memory.as_ptr().cast();
        self.left = objects;
        true
    }

    /// Takes back an object that nobody uses. Hands out a batch for the depot if there are many.
    #[inline]
    pub(super) fn put(&mut self, object: NonNull<T>) -> Option<Vec<NonNull<T>>> {
        if ONE_BY_ONE {
            // SAFETY: I1, I3.
            unsafe { free_one(object) };
            return None;
        }
        self.free.push(object);
        (self.free.len() > KEPT).then(|| self.free.split_off(KEPT / 2))
    }

    /// Takes over a batch of the depot.
    pub(super) fn refill(&mut self, objects: Vec<NonNull<T>>) {
        self.free = objects;
    }

    /// Puts a retired object into the bag; says whether the bag is full.
    #[inline]
    pub(super) fn retire(&mut self, object: NonNull<T>) -> bool {
        self.bag.objects.push(object);
        self.is_full()
    }

    /// As [`retire`](Self::retire), for what is no whole object.
    pub(super) fn retire_other(&mut self, other: Other) -> bool {
        self.bag.others.push(other);
        self.is_full()
    }

    #[inline]
    fn is_full(&self) -> bool {
        let batch = if core::mem::needs_drop::<T>() {
            DROP_BATCH
        } else {
            MEMORY_BATCH
        };
        let len = self.bag.len();
        // Where the barrier fails, the bag is tried again a batch later.
        len >= batch && len.is_multiple_of(batch)
    }

    /// Seals the bag, if there is something in it, with the grace period that `begin` begins.
    pub(super) fn seal(&mut self, begin: impl FnOnce() -> Option<Grace>) {
        if self.bag.len() == 0 {
            return;
        }
        if let Some(grace) = begin() {
            let empty = self.spare.take().unwrap_or_else(Bag::new);
            let full = core::mem::replace(&mut self.bag, empty);
            self.sealed.push_back((grace, full));
        }
    }

    /// The next bag whose grace period is over.
    pub(super) fn ripe(&mut self) -> Option<Bag<T>> {
        if !self.sealed.front_mut()?.0.is_over() {
            return None;
        }
        self.sealed.pop_front().map(|(_, bag)| bag)
    }

    /// Takes an emptied bag to fill it again.
    pub(super) fn reuse(&mut self, bag: Bag<T>) {
        self.spare = Some(bag);
    }

    /// Everything that waits, for one who has exclusive access.
    pub(super) fn bags(&mut self) -> Vec<Bag<T>> {
        let mut bags: Vec<Bag<T>> = self.sealed.drain(..).map(|(_, bag)| bag).collect();
        bags.push(core::mem::replace(&mut self.bag, Bag::new()));
        bags
    }
}

/// Frees an object's memory where each is an allocation of its own.
///
/// # Safety
/// The object is used by nobody and was allocated by [`Heap::grow`] with [`ONE_BY_ONE`].
pub(super) unsafe fn free_one<T>(object: NonNull<T>) {
    // SAFETY: I3, and the caller's contract.
    unsafe { std::alloc::dealloc(object.as_ptr().cast(), Heap::<T>::slot()) };
}

/// Frees the chunks: with the heap goes every object of it, wherever it is.
impl<T> Drop for Heap<T> {
    fn drop(&mut self) {
        for Chunk { memory, layout } in self.chunks.drain(..) {
            if layout.size() < MAPPED_BYTES {
                // SAFETY: I2; the domain ends, so nobody uses an object of the chunk.
                unsafe { std::alloc::dealloc(memory.as_ptr(), layout) };
            } else {
                // SAFETY: I2, as above.
                unsafe { pages::free(memory, layout.size()) };
            }
        }
        if ONE_BY_ONE {
            for object in self.free.drain(..) {
                // SAFETY: I1, I3.
                unsafe { free_one(object) };
            }
        }
    }
}
