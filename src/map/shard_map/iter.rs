//! The iterators: over entries, keys and values under a guard, and out of a map by value.
use super::ShardMap;
use super::raw::RawIter;
use crate::reclaim::Guard;
use core::fmt;
use core::iter::FusedIterator;
use core::marker::PhantomData;

/// Iterator over the entries of a map; made by [`ShardMap::iter`].
///
/// `Send` if the guard may be shared between threads, that is with an owned guard.
pub struct Iter<'g, K, V, G> {
    raw: RawIter<'g, K, V>,
    /// The guard is borrowed for as long as the iterator lives, and decides what threads it may
    /// be moved to.
    guard: PhantomData<&'g G>,
}

impl<'g, K, V, G> Iter<'g, K, V, G> {
    /// `raw` was made under a guard of type `G` that is borrowed for `'g`.
    #[inline]
    pub(super) fn new(raw: RawIter<'g, K, V>) -> Self {
        Self {
            raw,
            guard: PhantomData,
        }
    }
}

impl<'g, K: 'g, V: 'g, G: Guard> Iterator for Iter<'g, K, V, G> {
    type Item = (&'g K, &'g V);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.raw.next()?;
        Some((&entry.key, &entry.value))
    }
}

/// Iterator over the keys of a map; made by [`ShardMap::keys`].
pub struct Keys<'g, K, V, G> {
    iter: Iter<'g, K, V, G>,
}

impl<'g, K, V, G> Keys<'g, K, V, G> {
    #[inline]
    pub(super) fn new(iter: Iter<'g, K, V, G>) -> Self {
        Self { iter }
    }
}

impl<'g, K: 'g, V: 'g, G: Guard> Iterator for Keys<'g, K, V, G> {
    type Item = &'g K;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.iter.next().map(|(key, _)| key)
    }
}

/// Iterator over the values of a map; made by [`ShardMap::values`].
pub struct Values<'g, K, V, G> {
    iter: Iter<'g, K, V, G>,
}

impl<'g, K, V, G> Values<'g, K, V, G> {
    #[inline]
    pub(super) fn new(iter: Iter<'g, K, V, G>) -> Self {
        Self { iter }
    }
}

impl<'g, K: 'g, V: 'g, G: Guard> Iterator for Values<'g, K, V, G> {
    type Item = &'g V;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.iter.next().map(|(_, value)| value)
    }
}

/// Iterator that owns the entries of a consumed map; made by `ShardMap::into_iter`.
pub struct IntoIter<K, V> {
    entries: std::vec::IntoIter<(K, V)>,
}

impl<K, V> IntoIter<K, V> {
    /// What is left, in the order in which it will come.
    pub(crate) fn as_slice(&self) -> &[(K, V)] {
        self.entries.as_slice()
    }
}

impl<K, V> Iterator for IntoIter<K, V> {
    type Item = (K, V);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.entries.next()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl<K, V> ExactSizeIterator for IntoIter<K, V> {}
impl<K, V> FusedIterator for IntoIter<K, V> {}

impl<K, V, S> IntoIterator for ShardMap<K, V, S> {
    type Item = (K, V);
    type IntoIter = IntoIter<K, V>;

    /// Takes the map apart into its entries, in no particular order.
    ///
    /// *Cost*: moves all entries into one buffer before the first is yielded; their allocations
    /// and the tables are freed by then.
    fn into_iter(mut self) -> IntoIter<K, V> {
        let mut entries = Vec::with_capacity(self.len());
        self.raw
            .drain_all(|entry| entries.push((entry.key, entry.value)));
        IntoIter {
            entries: entries.into_iter(),
        }
    }
}

impl<K, V, G> fmt::Debug for Iter<'_, K, V, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}

impl<K, V, G> fmt::Debug for Keys<'_, K, V, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl<K, V, G> fmt::Debug for Values<'_, K, V, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").finish_non_exhaustive()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for IntoIter<K, V> {
    /// Lists what is left to visit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}
