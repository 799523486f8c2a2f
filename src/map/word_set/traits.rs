//! The standard traits: making, filling, comparing, copying and printing sets.
use super::{Iter, WordSet};
use crate::map::Word;
use crate::shard::{Span, Spans};
use core::fmt;
use core::hash::BuildHasher;
use std::hash::RandomState;

impl<K: Word, S: BuildHasher + Default> Default for WordSet<K, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<K: Word + fmt::Debug, S> fmt::Debug for WordSet<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

impl<K: Word, S: Clone + BuildHasher> Clone for WordSet<K, S> {
    /// Copies the keys into a new set with the same hasher.
    ///
    /// *Consistency*: weak, as that of an iteration.
    fn clone(&self) -> Self {
        Self {
            map: self.map.clone(),
        }
    }
}

impl<K: Word, S> PartialEq for WordSet<K, S> {
    /// Whether both hold the same keys.
    ///
    /// *Consistency*: weak, as that of an iteration.
    fn eq(&self, other: &Self) -> bool {
        self.map == other.map
    }
}

impl<K: Word, S> Eq for WordSet<K, S> {}

impl<K: Word, S> Extend<K> for &WordSet<K, S> {
    /// Inserts all keys; reserves as the map does.
    fn extend<T: IntoIterator<Item = K>>(&mut self, keys: T) {
        let mut map = &self.map;
        map.extend(keys.into_iter().map(|key| (key, ())));
    }
}

impl<K: Word, S> Extend<K> for WordSet<K, S> {
    fn extend<T: IntoIterator<Item = K>>(&mut self, keys: T) {
        let mut set = &*self;
        set.extend(keys);
    }
}

impl<K: Word, S: BuildHasher + Default> FromIterator<K> for WordSet<K, S> {
    fn from_iter<T: IntoIterator<Item = K>>(keys: T) -> Self {
        let set = Self::default();
        (&set).extend(keys);
        set
    }
}

impl<K: Word, const N: usize> From<[K; N]> for WordSet<K, RandomState> {
    fn from(keys: [K; N]) -> Self {
        Self::from_iter(keys)
    }
}

impl<'m, K: Word, S> IntoIterator for &'m WordSet<K, S> {
    type Item = K;
    type IntoIter = Iter<'m, K, S>;

    fn into_iter(self) -> Iter<'m, K, S> {
        self.iter()
    }
}

impl<K, S> Spans for WordSet<K, S> {
    /// As those of the map.
    fn each_span(&self, f: &mut dyn FnMut(&Span)) {
        self.map.each_span(f);
    }
}
