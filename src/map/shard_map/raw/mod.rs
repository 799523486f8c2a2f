//! The algorithm of [`ShardMap`](crate::ShardMap): face above, memory of tables below.
//!
//! # Files, by phase
//! [`entry`] what a slot leads to · [`find`] lookup and the scan · [`insert`] claims · [`write`]
//! insert, remove, compute · [`keep`] entries that outlive their guards · [`resize`] when tables move · [`iter`] iteration ·
//! [`sweep`] retain and clear · [`spans`] where the memory is · [`drain`] the end.
//!
//! # Invariants
//! - I1. A member slot's entry is complete: hash, key and value were written before.
//! - I2. An entry is a member of one slot of one present table, or of its frozen copy.
//! - I3. Entries, lines and tables are freed through the domain after they were
//!   unlinked, so what was loaded under a guard lives as long as the guard. Except behind a frozen
//!   word: it stays, while writers of the new table retire its entry. That entry may be dereferenced
//!   only if its new line was seen unborn under this pin, after the slot was read: then nobody has
//!   written to any line of its unit, and the entry is retired later than the pin.
//! - I4. With exclusive access no guard is alive (guards borrow the map) and no write is running.
//!
//! # Orderings
//! Slots, shard words and the map word are loaded and exchanged `SeqCst` in [`crate::table`];
//! nothing here names an ordering but for the map word.
#![expect(
    unsafe_code,
    reason = "entries are shared by raw pointers; argued by I1 to I4"
)]

mod drain;
mod entry;
mod find;
mod insert;
mod iter;
mod keep;
mod resize;
mod spans;
mod sweep;
mod write;

pub(crate) use entry::Entry;
pub(crate) use iter::RawIter;
pub(crate) use keep::{Detached, Held, Keeper};

use crate::map::ResizeMode;
use crate::reclaim::{Domain, Hook};
use crate::sync::{AtomicPtr, layout, never_split, note_read};
use crate::table::Directory;
use entry::hash_of;

/// Spreads a hasher's output over the upper bits, which tables read first. A good hasher does not
/// need it; the identity on small integers does.
///
/// Source: Knuth, The Art of Computer Programming, volume 3, section 6.4 (Fibonacci hashing).
#[inline]
pub(crate) fn spread(hash: u64) -> u64 {
    hash.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// What an insert did.
pub(crate) enum Inserted<'g, K, V> {
    /// The key was absent.
    New(&'g Entry<K, V>),
    /// The key was present and its entry was replaced (only with `replace`).
    Replaced {
        /// The entry that was there.
        old: &'g Entry<K, V>,
    },
    /// The key was present and stays (only without `replace`); the value comes back.
    Occupied {
        /// The entry that is there.
        current: &'g Entry<K, V>,
        /// The value that was not inserted.
        value: V,
    },
}

/// The lock-free sharded table of entries. Callers verify guards, and compute hashes that they
/// [`spread`].
#[repr(C)] // What each operation reads first, side by side.
pub(crate) struct RawMap<K, V> {
    /// The map word: the directory, null until the first insert, and then the same to the end.
    directory: AtomicPtr<Directory>,
    domain: Domain<Entry<K, V>>,
    mode: ResizeMode,
    /// Lines, as a power of two, below which the map does not shrink.
    floor: u32,
}
never_split!(RawMap<u8, u8>: directory);
layout!(RawMap<K, V>: directory, domain, mode, floor; K, V);

// SAFETY: I4: a map that moves takes its entries along; K and V are dropped on the new thread.
// Retired entries may be dropped on any thread that uses the map, which needs Sync of the map.
unsafe impl<K: Send, V: Send> Send for RawMap<K, V> {}
// SAFETY: I1, I3: threads share `&K` and `&V` (hence Sync), and an entry inserted on one thread may
// be dropped or handed out on another (hence Send).
unsafe impl<K: Send + Sync, V: Send + Sync> Sync for RawMap<K, V> {}

impl<K, V> RawMap<K, V> {
    /// An empty map that will make its first table for `capacity` entries, and ends entries by `hook` or
    /// else drops them. Allocates nothing.
    pub(crate) fn new(capacity: usize, mode: ResizeMode, hook: Option<Hook<Entry<K, V>>>) -> Self {
        // More than fits in memory fails when the table is made, with its size in the message.
        let floor = if capacity == 0 {
            0
        } else {
            resize::total_bits(capacity).unwrap_or(40)
        };
        Self {
            directory: AtomicPtr::new(core::ptr::null_mut()),
            mode,
            floor,
            domain: Domain::new(hook),
        }
    }

    /// Where this map's guards come from.
    #[inline]
    pub(crate) fn domain(&self) -> &Domain<Entry<K, V>> {
        &self.domain
    }

    /// How writers help.
    pub(crate) fn mode(&self) -> ResizeMode {
        note_read(&raw const self.mode);
        self.mode
    }

    /// Entries; exact when no write is running.
    pub(crate) fn len(&self) -> usize {
        usize::try_from(self.domain.counted()).unwrap_or(0)
    }

    /// Bytes of retired entries that are not freed yet.
    pub(crate) fn retired_bytes(&self) -> usize {
        self.domain.retired_bytes()
    }
}
