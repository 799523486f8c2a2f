//! The standard traits: making, filling, comparing, copying and printing maps.
use super::word::Word;
use super::{Iter, WordMap};
use crate::shard::{Span, Spans};
use core::fmt;
use core::hash::BuildHasher;
use std::hash::RandomState;

impl<K: Word, V: Word, S: BuildHasher + Default> Default for WordMap<K, V, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<K, V, S> fmt::Debug for WordMap<K, V, S>
where
    K: Word + fmt::Debug,
    V: Word + fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: Word, V: Word, S: Clone + BuildHasher> Clone for WordMap<K, V, S> {
    /// Copies the entries into a new map with the same hasher.
    ///
    /// *Consistency*: weak, as that of an iteration.
    fn clone(&self) -> Self {
        let copy = Self::with_capacity_and_hasher(self.len(), self.hasher.clone());
        (&copy).extend(self);
        copy
    }
}

impl<K: Word, V: Word + PartialEq, S> PartialEq for WordMap<K, V, S> {
    /// Whether both hold equal values under the same keys.
    ///
    /// *Consistency*: weak, as that of an iteration.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(key, value)| other.get(key).is_some_and(|found| found == value))
    }
}

impl<K: Word, V: Word + Eq, S> Eq for WordMap<K, V, S> {}

impl<K: Word, V: Word, S> Extend<(K, V)> for &WordMap<K, V, S> {
    /// Inserts all items. What the iterator promises at least is reserved if the map is empty, half of it
    /// otherwise, since some of the keys may be present.
    fn extend<T: IntoIterator<Item = (K, V)>>(&mut self, items: T) {
        let items = items.into_iter();
        self.reserve_for_some(items.size_hint().0);
        for (key, value) in items {
            self.insert(key, value);
        }
    }
}

impl<K: Word, V: Word, S> Extend<(K, V)> for WordMap<K, V, S> {
    fn extend<T: IntoIterator<Item = (K, V)>>(&mut self, items: T) {
        let mut map = &*self;
        map.extend(items);
    }
}

impl<K: Word, V: Word, S: BuildHasher + Default> FromIterator<(K, V)> for WordMap<K, V, S> {
    /// Collects the items; of equal keys the last one stays.
    fn from_iter<T: IntoIterator<Item = (K, V)>>(items: T) -> Self {
        let map = Self::default();
        (&map).extend(items);
        map
    }
}

impl<K: Word, V: Word, const N: usize> From<[(K, V); N]> for WordMap<K, V, RandomState> {
    fn from(entries: [(K, V); N]) -> Self {
        Self::from_iter(entries)
    }
}

impl<'m, K: Word, V: Word, S> IntoIterator for &'m WordMap<K, V, S> {
    type Item = (K, V);
    type IntoIter = Iter<'m, K, V, S>;

    fn into_iter(self) -> Iter<'m, K, V, S> {
        self.iter()
    }
}

impl<K, V, S> Spans for WordMap<K, V, S> {
    /// Keys and values are in tables; outside of them are lines behind links.
    fn each_span(&self, f: &mut dyn FnMut(&Span)) {
        self.raw.each_span(f);
    }
}
