//! rayon: parallel iteration shard by shard, parallel collection and extension.
use super::{Iter, Word, WordMap};
use crate::table::pairs::SHARDS;
use core::fmt;
use core::hash::BuildHasher;
use rayon::iter::plumbing::UnindexedConsumer;
use rayon::iter::{FromParallelIterator, IntoParallelIterator, ParallelExtend, ParallelIterator};

/// Parallel iterator over the entries of a map; made by `(&map).into_par_iter()` or `map.par_iter()`.
///
/// A shard is the unit of work. Within a shard it is as [`WordMap::iter`]; a thread is pinned while it is at
/// work on one.
pub struct ParIter<'m, K, V, S> {
    map: &'m WordMap<K, V, S>,
}

impl<'m, K, V, S> IntoParallelIterator for &'m WordMap<K, V, S>
where
    K: Word + Send,
    V: Word + Send,
    S: Sync,
{
    type Item = (K, V);
    type Iter = ParIter<'m, K, V, S>;

    /// Visits all entries in parallel.
    ///
    /// *Consistency*: as [`iter`](WordMap::iter).
    ///
    /// ```
    /// use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
    ///
    /// let map = (0..100).map(|x| (x, 1)).collect::<atomshard::WordMap<u64, u64>>();
    /// assert_eq!(map.par_iter().map(|(_, n)| n).sum::<u64>(), 100);
    /// ```
    fn into_par_iter(self) -> Self::Iter {
        ParIter { map: self }
    }
}

impl<K, V, S> ParallelIterator for ParIter<'_, K, V, S>
where
    K: Word + Send,
    V: Word + Send,
    S: Sync,
{
    type Item = (K, V);

    fn drive_unindexed<C: UnindexedConsumer<Self::Item>>(self, consumer: C) -> C::Result {
        let map = self.map;
        (0..SHARDS)
            .into_par_iter()
            .flat_map_iter(|shard| Iter::<K, V, S>::new(map.raw.iter_of(shard..shard + 1)))
            .drive_unindexed(consumer)
    }
}

impl<K, V, S> fmt::Debug for ParIter<'_, K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParIter")
            .field("len", &self.map.len())
            .finish_non_exhaustive()
    }
}

impl<K, V, S> ParallelExtend<(K, V)> for &WordMap<K, V, S>
where
    K: Word + Send,
    V: Word + Send,
    S: Sync,
{
    /// Inserts from all threads at once. Of equal keys any one stays.
    fn par_extend<I: IntoParallelIterator<Item = (K, V)>>(&mut self, items: I) {
        let map = &**self;
        let items = items.into_par_iter();
        map.reserve_for_some(items.opt_len().unwrap_or(0));
        items.for_each(|(key, value)| {
            map.insert(key, value);
        });
    }
}

impl<K, V, S> ParallelExtend<(K, V)> for WordMap<K, V, S>
where
    K: Word + Send,
    V: Word + Send,
    S: Sync,
{
    fn par_extend<I: IntoParallelIterator<Item = (K, V)>>(&mut self, items: I) {
        let mut map = &*self;
        map.par_extend(items);
    }
}

impl<K, V, S> FromParallelIterator<(K, V)> for WordMap<K, V, S>
where
    K: Word + Send,
    V: Word + Send,
    S: BuildHasher + Default + Sync,
{
    /// Collects from all threads at once. Of equal keys any one stays.
    fn from_par_iter<I: IntoParallelIterator<Item = (K, V)>>(items: I) -> Self {
        let map = Self::default();
        (&map).par_extend(items);
        map
    }
}
