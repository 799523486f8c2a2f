//! `scc::HashIndex`: look-ups without a lock, writes under a lock a bucket.
//!
//! An overwrite puts a second entry in and marks the first as removed, and a reader that passes
//! between the two finds neither. It is shown, and not recommended.
use super::{Batch, Store, Worker, hasher};
use crate::keys::Key;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use foldhash::fast::FixedState;
use scc::hash_index::Entry;

/// The map. Its values may be changed in place only under the bucket's lock.
pub(crate) struct SccIndex<K: 'static>(scc::HashIndex<K, AtomicU64, FixedState>);

impl<K: Key> Store<K> for SccIndex<K> {
    type Worker<'a> = &'a Self;

    fn new(_: usize) -> Self {
        Self(scc::HashIndex::with_hasher(hasher()))
    }

    fn worker(&self, _: usize) -> &Self {
        self
    }

    fn each(&mut self, mut visit: impl FnMut(&K, u64)) {
        self.0.iter_sync(|key, value| {
            // Relaxed: nobody else works on the map here.
            visit(key, value.load(Relaxed));
            true
        });
    }
}

impl<K: Key> Worker<K> for &SccIndex<K> {
    type Batch<'b>
        = &'b SccIndex<K>
    where
        Self: 'b;

    #[inline]
    fn batch(&mut self) -> &SccIndex<K> {
        self
    }
}

impl<K: Key> Batch<K> for &SccIndex<K> {
    #[inline]
    fn get(&mut self, key: &K::View) -> Option<u64> {
        // Relaxed: the value stands alone; the map published the entry.
        self.0.peek_with(key, |_, value| value.load(Relaxed))
    }

    #[inline]
    fn put(&mut self, key: &K::View, value: u64) -> bool {
        match self.0.entry_sync(key.to_owned()) {
            Entry::Occupied(mut entry) => {
                entry.update(AtomicU64::new(value));
                false
            }
            Entry::Vacant(entry) => {
                entry.insert_entry(AtomicU64::new(value));
                true
            }
        }
    }

    #[inline]
    fn del(&mut self, key: &K::View) -> bool {
        self.0.remove_sync(key)
    }

    #[inline]
    fn add(&mut self, key: &K::View) {
        // Relaxed, both: the bucket's lock is held, and the sum is read after the join.
        if self
            .0
            .read_sync(key, |_, count| count.fetch_add(1, Relaxed))
            .is_none()
        {
            let entry = self
                .0
                .entry_sync(key.to_owned())
                .or_insert(AtomicU64::new(0));
            entry.get().fetch_add(1, Relaxed);
        }
    }
}
