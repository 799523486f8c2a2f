//! Bags: what a thread has retired, and how much of it makes a batch.

use core::ptr::NonNull;

/// Retired objects that a thread gathers before it begins a grace period, where they are memory
/// only. Each period costs a barrier on all threads of the process.
const MEMORY_BATCH: usize = 512;
/// As above, where objects have destructors that users wait for.
const DROP_BATCH: usize = 128;
/// Bytes of objects that make a batch though they are fewer. A thread has up to three batches, in
/// its bag, sealed and ripe: 48 KiB, of objects up to 2 KiB. Those up to 32 bytes reach the number first.
const BATCH_BYTES: usize = 16 << 10;
/// So many bytes of what is no object do not wait until a bag is full.
pub(super) const MOST_BESIDE: usize = 128 << 10;
/// Fewer objects are no batch, whatever their size: a barrier for each of a few would cost more than
/// they do.
const SMALLEST_BATCH: usize = 8;
/// Objects with destructors that are dropped together, whenever as many have been retired: a batch
/// at once would be more blocks than an allocator keeps at hand for its thread (glibc: 7 of a size),
/// and a pause.
pub(super) const DROP_STEP: usize = 4;
const _: () = assert!(DROP_STEP <= SMALLEST_BATCH, "a batch goes before the next");
/// With more sealed bags than this, or more than two batches in these and the ripe one (what a guard has
/// retired that stayed long is one bag), everything ripe is dropped at once.
pub(super) const BACKLOG: usize = 1;

/// Retired objects of `slot_bytes` each that make a batch.
pub(super) const fn batch(slot_bytes: usize, has_destructor: bool) -> usize {
    let most = if has_destructor {
        DROP_BATCH
    } else {
        MEMORY_BATCH
    };
    let fitting = BATCH_BYTES / slot_bytes;
    if fitting < SMALLEST_BATCH {
        SMALLEST_BATCH
    } else if fitting < most {
        fitting
    } else {
        most
    }
}

/// Something retired that is no whole object: how to end it, and whether its memory is a slot.
pub(super) struct Other {
    pub(super) at: *mut u8,
    pub(super) end: unsafe fn(*mut u8),
    pub(super) is_slot: bool,
}

/// Something retired whose grace period is over.
pub(super) enum Ripe<T> {
    Object(NonNull<T>),
    Other(Other),
}

/// Retired things.
pub(super) struct Bag<T> {
    pub(super) objects: Vec<NonNull<T>>,
    pub(super) others: Vec<Other>,
}

impl<T> Bag<T> {
    pub(super) fn new() -> Self {
        Self {
            objects: Vec::new(),
            others: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.objects.len() + self.others.len()
    }

    /// How many slots there are among the things.
    pub(super) fn slots(&self) -> usize {
        self.objects.len() + self.others.iter().filter(|other| other.is_slot).count()
    }

    /// Whether the empty bag is worth keeping where a batch has so many things: it is neither very
    /// small nor very large.
    pub(super) fn is_spare(&self, batch: usize) -> bool {
        let (least, most) = (batch.min(DROP_BATCH), 2 * MEMORY_BATCH);
        (least..=most).contains(&self.objects.capacity())
    }
}
