//! The standard traits: making, filling, comparing, copying and printing sets.
use super::ShardSet;
use crate::shard::{Span, Spans};
use core::fmt;
use core::hash::{BuildHasher, Hash};
use std::hash::RandomState;

impl<K, S: Default> Default for ShardSet<K, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<K: fmt::Debug, S> fmt::Debug for ShardSet<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.pin(), f)
    }
}

impl<K, S> Clone for ShardSet<K, S>
where
    K: Clone + Hash + Eq,
    S: Clone + BuildHasher,
{
    /// Copies the keys into a new set. *Consistency*: weak, as that of an iteration.
    fn clone(&self) -> Self {
        Self {
            map: self.map.clone(),
        }
    }
}

impl<K, S> PartialEq for ShardSet<K, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    /// Whether both hold equal keys. *Consistency*: weak, as that of an iteration.
    fn eq(&self, other: &Self) -> bool {
        self.map == other.map
    }
}

impl<K, S> Eq for ShardSet<K, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
}

impl<K, S> Extend<K> for &ShardSet<K, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    /// Inserts all keys under one pin; reserves as the map does.
    fn extend<T: IntoIterator<Item = K>>(&mut self, keys: T) {
        let mut map = &self.map;
        map.extend(keys.into_iter().map(|key| (key, ())));
    }
}

impl<'a, K, S> Extend<&'a K> for &ShardSet<K, S>
where
    K: Copy + Hash + Eq + 'a,
    S: BuildHasher,
{
    fn extend<T: IntoIterator<Item = &'a K>>(&mut self, keys: T) {
        self.extend(keys.into_iter().copied());
    }
}

impl<K, S> Extend<K> for ShardSet<K, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    fn extend<T: IntoIterator<Item = K>>(&mut self, keys: T) {
        let mut set = &*self;
        set.extend(keys);
    }
}

impl<'a, K, S> Extend<&'a K> for ShardSet<K, S>
where
    K: Copy + Hash + Eq + 'a,
    S: BuildHasher,
{
    fn extend<T: IntoIterator<Item = &'a K>>(&mut self, keys: T) {
        let mut set = &*self;
        set.extend(keys);
    }
}

impl<K, S> FromIterator<K> for ShardSet<K, S>
where
    K: Hash + Eq,
    S: BuildHasher + Default,
{
    /// Collects the keys; of equal keys the last one stays.
    fn from_iter<T: IntoIterator<Item = K>>(keys: T) -> Self {
        Self {
            map: keys.into_iter().map(|key| (key, ())).collect(),
        }
    }
}

impl<K, const N: usize> From<[K; N]> for ShardSet<K, RandomState>
where
    K: Hash + Eq,
{
    fn from(keys: [K; N]) -> Self {
        Self::from_iter(keys)
    }
}

impl<K, S> Spans for ShardSet<K, S> {
    /// As those of the map.
    fn each_span(&self, f: &mut dyn FnMut(&Span)) {
        self.map.each_span(f);
    }
}
