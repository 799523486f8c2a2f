//! The iterators of a set: over keys under a guard, and out of a set by value.
use super::ShardSet;
use crate::map::shard_map;
use crate::reclaim::Guard;
use core::fmt;
use core::iter::FusedIterator;

/// Iterator over the keys of a set; made by [`ShardSet::iter`].
pub struct Iter<'g, K, G> {
    keys: shard_map::Keys<'g, K, (), G>,
}

impl<'g, K, G> Iter<'g, K, G> {
    #[inline]
    pub(super) fn new(keys: shard_map::Keys<'g, K, (), G>) -> Self {
        Self { keys }
    }
}

impl<'g, K: 'g, G: Guard> Iterator for Iter<'g, K, G> {
    type Item = &'g K;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.keys.next()
    }
}

impl<K, G> fmt::Debug for Iter<'_, K, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}

/// Iterator that owns the keys of a consumed set; made by `ShardSet::into_iter`.
pub struct IntoIter<K> {
    entries: shard_map::IntoIter<K, ()>,
}

impl<K> Iterator for IntoIter<K> {
    type Item = K;

    #[inline]
    fn next(&mut self) -> Option<K> {
        self.entries.next().map(|(key, ())| key)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl<K> ExactSizeIterator for IntoIter<K> {}
impl<K> FusedIterator for IntoIter<K> {}

impl<K: fmt::Debug> fmt::Debug for IntoIter<K> {
    /// Lists what is left to visit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.entries.as_slice().iter().map(|(key, ())| key))
            .finish()
    }
}

impl<K, S> IntoIterator for ShardSet<K, S> {
    type Item = K;
    type IntoIter = IntoIter<K>;

    /// Takes the set apart into its keys, in no particular order. Costs as that of the map.
    fn into_iter(self) -> IntoIter<K> {
        IntoIter {
            entries: self.map.into_iter(),
        }
    }
}
