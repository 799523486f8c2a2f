//! What the layouts are limited by: a table that nobody shares, and one random line for each key.

use crate::{Layout, scaled};
use atomshard::arch;
use core::hash::BuildHasher as _;
use core::sync::atomic::{AtomicU64, Ordering};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One line of memory.
#[repr(C, align(64))]
#[derive(Default)]
struct Line([AtomicU64; 8]);

/// Hash, and one random line.
pub(crate) struct OneLine {
    lines: Box<[Line]>,
    hasher: FixedState,
}

impl OneLine {
    #[inline]
    fn line(&self, key: u64) -> &Line {
        &self.lines[scaled(self.hasher.hash_one(key), self.lines.len())]
    }
}

impl Layout for OneLine {
    fn new(lines: usize) -> Self {
        Self {
            lines: (0..lines).map(|_| Line::default()).collect(),
            hasher: FixedState::with_seed(0x5eed),
        }
    }

    #[inline]
    fn get(&self, key: u64) -> Option<u64> {
        // Relaxed: nothing is published.
        Some(self.line(key).0[0].load(Ordering::Relaxed))
    }

    fn insert(&self, key: u64, value: u64) -> Option<u64> {
        self.line(key).0[0].store(value, Ordering::Relaxed);
        None
    }

    fn remove(&self, _: u64) -> Option<u64> {
        None
    }

    #[inline]
    fn prefetch(&self, key: u64) {
        arch::prefetch_read(core::ptr::from_ref(self.line(key)));
    }
}

/// hashbrown, held for a whole run.
pub(crate) struct Unshared(Mutex<HashMap<u64, u64, FixedState>>);

impl Unshared {
    /// The table, for a run of one thread.
    pub(crate) fn hold(&self) -> MutexGuard<'_, HashMap<u64, u64, FixedState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Unshared {
    fn default() -> Self {
        Self(Mutex::new(HashMap::with_hasher(FixedState::with_seed(
            0x5eed,
        ))))
    }
}
