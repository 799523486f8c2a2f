//! rayon for sets: parallel iteration shard by shard, parallel collection and extension.
use super::WordSet;
use crate::map::{Word, word_map};
use core::fmt;
use core::hash::BuildHasher;
use rayon::iter::plumbing::UnindexedConsumer;
use rayon::iter::{FromParallelIterator, IntoParallelIterator, ParallelExtend, ParallelIterator};

/// Parallel iterator over the keys of a set; as the map's, [`word_map::ParIter`].
pub struct ParIter<'m, K, S> {
    entries: word_map::ParIter<'m, K, (), S>,
}

impl<'m, K: Word + Send, S: Sync> IntoParallelIterator for &'m WordSet<K, S> {
    type Item = K;
    type Iter = ParIter<'m, K, S>;

    /// Visits all keys in parallel.
    ///
    /// *Consistency*: as [`iter`](WordSet::iter).
    fn into_par_iter(self) -> Self::Iter {
        ParIter {
            entries: (&self.map).into_par_iter(),
        }
    }
}

impl<K: Word + Send, S: Sync> ParallelIterator for ParIter<'_, K, S> {
    type Item = K;

    fn drive_unindexed<C: UnindexedConsumer<Self::Item>>(self, consumer: C) -> C::Result {
        self.entries.map(|(key, ())| key).drive_unindexed(consumer)
    }
}

impl<K, S> fmt::Debug for ParIter<'_, K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.entries, f)
    }
}

impl<K: Word + Send, S: Sync> ParallelExtend<K> for &WordSet<K, S> {
    /// Inserts from all threads at once.
    fn par_extend<I: IntoParallelIterator<Item = K>>(&mut self, keys: I) {
        let mut map = &self.map;
        map.par_extend(keys.into_par_iter().map(|key| (key, ())));
    }
}

impl<K: Word + Send, S: Sync> ParallelExtend<K> for WordSet<K, S> {
    fn par_extend<I: IntoParallelIterator<Item = K>>(&mut self, keys: I) {
        let mut set = &*self;
        set.par_extend(keys);
    }
}

impl<K: Word + Send, S: BuildHasher + Default + Sync> FromParallelIterator<K> for WordSet<K, S> {
    /// Collects from all threads at once.
    fn from_par_iter<I: IntoParallelIterator<Item = K>>(keys: I) -> Self {
        let set = Self::default();
        (&set).par_extend(keys);
        set
    }
}
