//! What the layouts are limited by: a table that nobody shares, and one random line for each key.

use crate::Layout;
use atomshard::arch;
use baselines::OneLine;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

impl Layout for OneLine {
    fn new(lines: usize) -> Self {
        Self::new(lines)
    }

    #[inline]
    fn get(&self, key: u64) -> Option<u64> {
        Some(self.line(key).number())
    }

    fn insert(&self, key: u64, value: u64) -> Option<u64> {
        self.line(key).write(value);
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
