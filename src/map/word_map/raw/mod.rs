//! The algorithm of [`WordMap`](crate::WordMap): face above, memory of tables below.
//!
//! # Files, by phase
//! [`mix`] keys to hashes and back · [`find`] look-ups, and the walk through a bucket · [`write`] reading, deciding
//! and one exchange · [`claim`] inserts into a line that was full · [`root`] the map's words · [`resize`] when tables move · [`copy`] small tables at
//! once · [`batch`] many keys at once · [`iter`] iteration · [`place`] where the memory is.
//!
//! # Invariants
//! - I1. A key is live in one slot of the truth: of its bucket in the present table or, if the unit is born, in
//!   the next one.
//! - I2. Writers have a guard from before they read the shard's word until their last exchange. So nothing they have
//!   read is used for anything else meanwhile, and a pair that they exchange from is the one that they read.
//! - I3. With exclusive access no guard is alive and no write is running.
//!
//! Nothing here names an ordering but for the map word; slots and shard words have theirs in [`crate::table::pairs`].

mod batch;
mod claim;
mod copy;
mod find;
mod iter;
mod mix;
mod place;
mod resize;
mod root;
mod write;

pub(crate) use iter::RawIter;
pub(crate) use mix::Mixer;
pub(crate) use write::Change;

use crate::reclaim::{Domain, LocalGuard};
use crate::sync::{layout, note_objects, note_read};
use crate::table::pairs::{Directory, Line};
use root::{Moving, Root};

/// The lock-free sharded table of pairs of words.
#[repr(C)]
pub(crate) struct RawWords {
    /// First, since what it has retired goes to the directory's spare tables.
    domain: Domain<Line>,
    root: Root,
    moving: Moving,
    mixer: Mixer,
    /// Entries for which the map does not shrink.
    floor: usize,
}
layout!(RawWords: domain, root, moving, mixer, floor);

impl RawWords {
    /// An empty map that will make its tables for `floor` entries. Allocates nothing.
    pub(crate) fn new(floor: usize, mixer: Mixer) -> Self {
        Self {
            domain: Domain::new(None),
            root: Root::new(),
            moving: Moving::new(),
            mixer,
            floor,
        }
    }

    /// How keys are mixed.
    #[inline]
    pub(crate) fn mixer(&self) -> &Mixer {
        note_read(&raw const self.mixer);
        &self.mixer
    }

    /// The directory, if anything was ever inserted.
    #[inline]
    fn directory(&self) -> Option<&Directory> {
        note_objects(self, 1);
        self.root.directory()
    }

    /// Pins the thread.
    #[inline]
    pub(crate) fn pin(&self) -> LocalGuard<'_> {
        self.domain.pin()
    }

    /// Entries; exact when no write is running.
    pub(crate) fn len(&self) -> usize {
        usize::try_from(self.domain.counted()).unwrap_or(0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
