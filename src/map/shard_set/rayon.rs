//! rayon for sets: parallel iteration shard by shard, parallel collection and extension.
use super::{ShardSet, ShardSetRef};
use crate::map::shard_map;
use crate::reclaim::Guard;
use core::fmt;
use core::hash::{BuildHasher, Hash};
use rayon::iter::plumbing::UnindexedConsumer;
use rayon::iter::{FromParallelIterator, IntoParallelIterator, ParallelExtend, ParallelIterator};

/// Parallel iterator over the keys of a set; made by [`ShardSet::par_iter`].
pub struct ParIter<'g, K, S, G> {
    entries: shard_map::ParIter<'g, K, (), S, G>,
}

impl<K, S> ShardSet<K, S> {
    /// Visits all keys in parallel, a shard at a time. See
    /// [`ShardMap::par_iter`](crate::ShardMap::par_iter).
    ///
    /// # Panics
    /// If `guard` is of another map or set.
    pub fn par_iter<'g, G: Guard>(&'g self, guard: &'g G) -> ParIter<'g, K, S, G> {
        ParIter {
            entries: self.map.par_iter(guard),
        }
    }
}

impl<'g, K, S, G> ParallelIterator for ParIter<'g, K, S, G>
where
    K: Send + Sync,
    S: Sync,
    G: Guard + Sync,
{
    type Item = &'g K;

    fn drive_unindexed<C: UnindexedConsumer<Self::Item>>(self, consumer: C) -> C::Result {
        self.entries.map(|(key, ())| key).drive_unindexed(consumer)
    }
}

impl<K, S, G> fmt::Debug for ParIter<'_, K, S, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.entries, f)
    }
}

impl<'a, K, S, G> IntoParallelIterator for &'a ShardSetRef<'_, K, S, G>
where
    K: Send + Sync,
    S: Sync,
    G: Guard + Sync,
{
    type Item = &'a K;
    type Iter = ParIter<'a, K, S, G>;

    fn into_par_iter(self) -> Self::Iter {
        ParIter {
            entries: self.pinned_map().into_par_iter(),
        }
    }
}

impl<K: Send, S> IntoParallelIterator for ShardSet<K, S> {
    type Item = K;
    type Iter = rayon::vec::IntoIter<K>;

    /// Takes the set apart on the calling thread; what follows is parallel.
    fn into_par_iter(self) -> Self::Iter {
        self.into_iter().collect::<Vec<_>>().into_par_iter()
    }
}

impl<K, S> ParallelExtend<K> for &ShardSet<K, S>
where
    K: Hash + Eq + Send + Sync,
    S: BuildHasher + Sync,
{
    /// Inserts from all threads at once. Of equal keys any one stays.
    fn par_extend<I: IntoParallelIterator<Item = K>>(&mut self, keys: I) {
        let mut map = &self.map;
        map.par_extend(keys.into_par_iter().map(|key| (key, ())));
    }
}

impl<K, S> ParallelExtend<K> for ShardSet<K, S>
where
    K: Hash + Eq + Send + Sync,
    S: BuildHasher + Sync,
{
    fn par_extend<I: IntoParallelIterator<Item = K>>(&mut self, keys: I) {
        let mut set = &*self;
        set.par_extend(keys);
    }
}

impl<K, S> FromParallelIterator<K> for ShardSet<K, S>
where
    K: Hash + Eq + Send + Sync,
    S: BuildHasher + Default + Sync,
{
    /// Collects from all threads at once. Of equal keys any one stays.
    fn from_par_iter<I: IntoParallelIterator<Item = K>>(keys: I) -> Self {
        Self {
            map: keys.into_par_iter().map(|key| (key, ())).collect(),
        }
    }
}
