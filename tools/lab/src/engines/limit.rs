//! Unsynchronised hashbrown: what is left when nothing is shared.
//!
//! Each thread has a map of its own and holds it for the whole run, so that no operation pays
//! for sharing. That is no map that threads share; it is the ceiling of the tables.
use super::{Batch, Store, Worker, hasher};
use crate::keys::Key;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

type Map<K> = HashMap<K, u64, FixedState>;

/// A map for each thread.
pub(crate) struct Limit<K>(Vec<Mutex<Map<K>>>);

impl<K: Key> Store<K> for Limit<K> {
    type Worker<'a> = MutexGuard<'a, Map<K>>;

    fn new(threads: usize) -> Self {
        Self(
            (0..threads)
                .map(|_| Mutex::new(HashMap::with_hasher(hasher())))
                .collect(),
        )
    }

    fn worker(&self, thread: usize) -> MutexGuard<'_, Map<K>> {
        self.0[thread]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn each(&mut self, mut visit: impl FnMut(&K, u64)) {
        for map in &mut self.0 {
            for (key, value) in map.get_mut().unwrap_or_else(PoisonError::into_inner).iter() {
                visit(key, *value);
            }
        }
    }
}

impl<K: Key> Worker<K> for MutexGuard<'_, Map<K>> {
    type Batch<'b>
        = &'b mut Map<K>
    where
        Self: 'b;

    #[inline]
    fn batch(&mut self) -> &mut Map<K> {
        self
    }
}

impl<K: Key> Batch<K> for &mut Map<K> {
    #[inline]
    fn get(&mut self, key: &K::View) -> Option<u64> {
        HashMap::get(self, key).copied()
    }

    #[inline]
    fn put(&mut self, key: &K::View, value: u64) -> bool {
        self.insert(key.to_owned(), value).is_none()
    }

    #[inline]
    fn del(&mut self, key: &K::View) -> bool {
        self.remove(key).is_some()
    }

    #[inline]
    fn add(&mut self, key: &K::View) {
        *self.entry_ref(key).or_insert(0) += 1;
    }
}
