//! The standard traits: making, filling, comparing, copying and printing maps.
use super::ShardMap;
use crate::shard::{Span, Spans};
use core::fmt;
use core::hash::{BuildHasher, Hash};
use std::hash::RandomState;

impl<K, V, S: Default> Default for ShardMap<K, V, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<K, V, S> fmt::Debug for ShardMap<K, V, S>
where
    K: fmt::Debug,
    V: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.pin(), f)
    }
}

impl<K, V, S> Clone for ShardMap<K, V, S>
where
    K: Clone + Hash + Eq,
    V: Clone,
    S: Clone + BuildHasher,
{
    /// Copies the entries into a new map with the same hasher, resize mode and
    /// [hook](crate::ShardMapBuilder::on_drop).
    ///
    /// *Consistency*: weak, as that of an iteration.
    fn clone(&self) -> Self {
        let copy = Self::from_parts(
            self.len(),
            self.hasher.clone(),
            self.resize_mode(),
            self.raw.domain().hook().cloned(),
            &[],
        );
        (&copy).extend(
            self.pin()
                .iter()
                .map(|(key, value)| (key.clone(), value.clone())),
        );
        copy
    }
}

impl<K, V, S> PartialEq for ShardMap<K, V, S>
where
    K: Hash + Eq,
    V: PartialEq,
    S: BuildHasher,
{
    /// Whether both hold equal values under equal keys.
    ///
    /// *Consistency*: weak, as that of an iteration.
    fn eq(&self, other: &Self) -> bool {
        if self.len() != other.len() {
            return false;
        }
        let (this, other) = (self.pin(), other.pin());
        this.iter()
            .all(|(key, value)| other.get(key).is_some_and(|found| found == value))
    }
}

impl<K, V, S> Eq for ShardMap<K, V, S>
where
    K: Hash + Eq,
    V: Eq,
    S: BuildHasher,
{
}

impl<K, V, S> Extend<(K, V)> for &ShardMap<K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    /// Inserts all items under one pin. What the iterator promises at least is reserved if the
    /// map is empty, half of it otherwise, since some of the keys may be present.
    fn extend<T: IntoIterator<Item = (K, V)>>(&mut self, items: T) {
        let items = items.into_iter();
        let promised = items.size_hint().0;
        let map = self.pin();
        map.reserve(if map.is_empty() {
            promised
        } else {
            promised.div_ceil(2)
        });
        for (key, value) in items {
            map.insert(key, value);
        }
    }
}

impl<'a, K, V, S> Extend<(&'a K, &'a V)> for &ShardMap<K, V, S>
where
    K: Copy + Hash + Eq,
    V: Copy,
    S: BuildHasher,
{
    fn extend<T: IntoIterator<Item = (&'a K, &'a V)>>(&mut self, items: T) {
        self.extend(items.into_iter().map(|(&key, &value)| (key, value)));
    }
}

impl<K, V, S> Extend<(K, V)> for ShardMap<K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    fn extend<T: IntoIterator<Item = (K, V)>>(&mut self, items: T) {
        let mut map = &*self;
        map.extend(items);
    }
}

impl<'a, K, V, S> Extend<(&'a K, &'a V)> for ShardMap<K, V, S>
where
    K: Copy + Hash + Eq,
    V: Copy,
    S: BuildHasher,
{
    fn extend<T: IntoIterator<Item = (&'a K, &'a V)>>(&mut self, items: T) {
        let mut map = &*self;
        map.extend(items);
    }
}

impl<K, V, S> FromIterator<(K, V)> for ShardMap<K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher + Default,
{
    /// Collects the items; of equal keys the last one stays.
    fn from_iter<T: IntoIterator<Item = (K, V)>>(items: T) -> Self {
        let map = Self::default();
        (&map).extend(items);
        map
    }
}

impl<K, V, const N: usize> From<[(K, V); N]> for ShardMap<K, V, RandomState>
where
    K: Hash + Eq,
{
    fn from(entries: [(K, V); N]) -> Self {
        Self::from_iter(entries)
    }
}

impl<K, V, S> Spans for ShardMap<K, V, S> {
    /// Entries are given as they are in the map, without what their keys and values own.
    fn each_span(&self, f: &mut dyn FnMut(&Span)) {
        self.raw.each_span(&self.guard(), f);
    }
}
