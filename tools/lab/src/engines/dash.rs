//! `dashmap::DashMap`: reader-writer locks around hashbrown tables, 4 shards a core.
use super::{Batch, Store, Worker, hasher};
use crate::keys::Key;
use dashmap::DashMap;
use foldhash::fast::FixedState;

/// The map.
pub(crate) struct Dash<K>(DashMap<K, u64, FixedState>);

impl<K: Key> Store<K> for Dash<K> {
    type Worker<'a> = &'a Self;

    fn new(_: usize) -> Self {
        Self(DashMap::with_hasher(hasher()))
    }

    fn worker(&self, _: usize) -> &Self {
        self
    }

    fn each(&mut self, mut visit: impl FnMut(&K, u64)) {
        for entry in &self.0 {
            visit(entry.key(), *entry.value());
        }
    }
}

impl<K: Key> Worker<K> for &Dash<K> {
    type Batch<'b>
        = &'b Dash<K>
    where
        Self: 'b;

    #[inline]
    fn batch(&mut self) -> &Dash<K> {
        self
    }
}

impl<K: Key> Batch<K> for &Dash<K> {
    #[inline]
    fn get(&mut self, key: &K::View) -> Option<u64> {
        self.0.get(key).map(|value| *value)
    }

    #[inline]
    fn put(&mut self, key: &K::View, value: u64) -> bool {
        self.0.insert(key.to_owned(), value).is_none()
    }

    #[inline]
    fn del(&mut self, key: &K::View) -> bool {
        self.0.remove(key).is_some()
    }

    #[inline]
    fn add(&mut self, key: &K::View) {
        if let Some(mut count) = self.0.get_mut(key) {
            *count += 1;
            return;
        }
        *self.0.entry(key.to_owned()).or_insert(0) += 1;
    }
}
