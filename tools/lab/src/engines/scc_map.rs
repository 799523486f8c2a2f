//! `scc::HashMap`: a lock a bucket, incremental growth.
use super::{Batch, Store, Worker, hasher};
use crate::keys::Key;
use foldhash::fast::FixedState;

/// The map.
pub(crate) struct SccMap<K>(scc::HashMap<K, u64, FixedState>);

impl<K: Key> Store<K> for SccMap<K> {
    type Worker<'a> = &'a Self;

    fn new(_: usize) -> Self {
        Self(scc::HashMap::with_hasher(hasher()))
    }

    fn worker(&self, _: usize) -> &Self {
        self
    }

    fn each(&mut self, mut visit: impl FnMut(&K, u64)) {
        self.0.iter_sync(|key, value| {
            visit(key, *value);
            true
        });
    }
}

impl<K: Key> Worker<K> for &SccMap<K> {
    type Batch<'b>
        = &'b SccMap<K>
    where
        Self: 'b;

    #[inline]
    fn batch(&mut self) -> &SccMap<K> {
        self
    }
}

impl<K: Key> Batch<K> for &SccMap<K> {
    #[inline]
    fn get(&mut self, key: &K::View) -> Option<u64> {
        self.0.read_sync(key, |_, value| *value)
    }

    #[inline]
    fn put(&mut self, key: &K::View, value: u64) -> bool {
        self.0.upsert_sync(key.to_owned(), value).is_none()
    }

    #[inline]
    fn del(&mut self, key: &K::View) -> bool {
        self.0.remove_sync(key).is_some()
    }

    #[inline]
    fn add(&mut self, key: &K::View) {
        if self.0.update_sync(key, |_, count| *count += 1).is_none() {
            *self.0.entry_sync(key.to_owned()).or_insert(0).get_mut() += 1;
        }
    }
}
