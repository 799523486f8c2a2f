//! The words of a map: where its shards are, and which of them move.
//!
//! Invariants: I3 of the [parent module](super).
#![expect(unsafe_code, reason = "owns the directory; argued by I3")]

use crate::error::TryReserveError;
use crate::sync::{AtomicPtr, AtomicU64, MODEL, Ordering, never_split, unsync_load};
use crate::table::pairs::{Directory, SHARDS};
use core::ptr::null_mut;

/// The map word: the directory, null until the first insert, and then the same to the end.
pub(super) struct Root(AtomicPtr<Directory>);
never_split!(Root: 0);

impl Root {
    pub(super) fn new() -> Self {
        Self(AtomicPtr::new(null_mut()))
    }

    /// The directory, if there is one.
    #[inline]
    pub(super) fn directory(&self) -> Option<&Directory> {
        // ORD: Acquire — pairs with the AcqRel in init [T7]; publishes the directory.
        let directory = self.0.load(Ordering::Acquire);
        // SAFETY: I3: a directory lives as long as the map.
        unsafe { directory.as_ref() }
    }

    /// The directory, made if there was none.
    pub(super) fn init_if_none(&self) -> Result<&Directory, TryReserveError> {
        match self.directory() {
            Some(directory) => Ok(directory),
            None => self.init(),
        }
    }

    #[cold]
    fn init(&self) -> Result<&Directory, TryReserveError> {
        let new = Box::into_raw(Directory::allocate()?);
        // ORD: AcqRel — pairs with the Acquire in directory [T7]; publishes the directory.
        let swapped = self
            .0
            .compare_exchange(null_mut(), new, Ordering::AcqRel, Ordering::Acquire);
        let directory = match swapped {
            Ok(_) => new,
            Err(found) => {
                // SAFETY: I3: `new` came out of a box above and was not published.
                drop(unsafe { Box::from_raw(new) });
                found
            }
        };
        // SAFETY: I3: as in `directory`.
        Ok(unsafe { &*directory })
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let directory = unsync_load(&mut self.0);
        if !directory.is_null() {
            // SAFETY: I3: exclusive access; it came out of a box in `init`.
            drop(unsafe { Box::from_raw(directory) });
        }
    }
}

/// Which shards move in steps, one bit for each: where writes find a step to do. A hint: who writes to a shard asks its table. (Models have
/// one shard, and do without.)
pub(super) struct Moving(AtomicU64);
never_split!(Moving: 0);

const _: () = assert!(SHARDS <= 64, "a bit for each shard");

impl Moving {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The first shard that moves.
    #[inline]
    pub(super) fn first(&self) -> Option<usize> {
        if MODEL {
            return None;
        }
        // ORD: Relaxed — a hint.
        let bits = self.0.load(Ordering::Relaxed);
        (bits != 0).then(|| bits.trailing_zeros() as usize)
    }

    pub(super) fn add(&self, shard: usize) {
        if !MODEL {
            // ORD: Relaxed — a hint.
            self.0.fetch_or(1 << shard, Ordering::Relaxed);
        }
    }

    pub(super) fn remove(&self, shard: usize) {
        if !MODEL {
            // ORD: Relaxed — a hint.
            self.0.fetch_and(!(1 << shard), Ordering::Relaxed);
        }
    }
}
