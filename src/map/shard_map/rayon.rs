//! rayon: parallel iteration shard by shard, parallel collection and extension.
use super::{Iter, ShardMap, ShardMapRef};
use crate::reclaim::Guard;
use core::fmt;
use core::hash::{BuildHasher, Hash};
use rayon::iter::plumbing::UnindexedConsumer;
use rayon::iter::{FromParallelIterator, IntoParallelIterator, ParallelExtend, ParallelIterator};

/// Parallel iterator over the entries of a map; made by [`ShardMap::par_iter`].
///
/// A shard is the unit of work. Within a shard it is as [`ShardMap::iter`].
pub struct ParIter<'g, K, V, S, G> {
    map: &'g ShardMap<K, V, S>,
    /// Of this map.
    guard: &'g G,
}

impl<K, V, S> ShardMap<K, V, S> {
    /// Visits all entries in parallel, a shard at a time. Needs an owned guard, since other
    /// threads read under it.
    ///
    /// *Consistency*: as [`iter`](Self::iter).
    ///
    /// # Panics
    /// If `guard` is of another map.
    ///
    /// ```
    /// use rayon::iter::ParallelIterator;
    ///
    /// let map = (0..100).map(|x| (x, 1)).collect::<atomshard::ShardMap<u64, u64>>();
    /// let guard = map.owned_guard();
    /// assert_eq!(map.par_iter(&guard).map(|(_, n)| n).sum::<u64>(), 100);
    /// ```
    pub fn par_iter<'g, G: Guard>(&'g self, guard: &'g G) -> ParIter<'g, K, V, S, G> {
        ParIter {
            map: self,
            guard: self.verified(guard),
        }
    }
}

impl<'g, K, V, S, G> ParallelIterator for ParIter<'g, K, V, S, G>
where
    K: Send + Sync,
    V: Send + Sync,
    S: Sync,
    G: Guard + Sync,
{
    type Item = (&'g K, &'g V);

    fn drive_unindexed<C: UnindexedConsumer<Self::Item>>(self, consumer: C) -> C::Result {
        let Self { map, guard } = self;
        let shards = map.raw.parts(guard).into_par_iter();
        shards
            .flat_map_iter(Iter::<K, V, G>::new)
            .drive_unindexed(consumer)
    }
}

impl<K, V, S, G> fmt::Debug for ParIter<'_, K, V, S, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParIter")
            .field("len", &self.map.len())
            .finish_non_exhaustive()
    }
}

impl<'a, K, V, S, G> IntoParallelIterator for &'a ShardMapRef<'_, K, V, S, G>
where
    K: Send + Sync,
    V: Send + Sync,
    S: Sync,
    G: Guard + Sync,
{
    type Item = (&'a K, &'a V);
    type Iter = ParIter<'a, K, V, S, G>;

    fn into_par_iter(self) -> Self::Iter {
        let (map, guard) = self.parts();
        ParIter { map, guard }
    }
}

impl<K: Send, V: Send, S> IntoParallelIterator for ShardMap<K, V, S> {
    type Item = (K, V);
    type Iter = rayon::vec::IntoIter<(K, V)>;

    /// Takes the map apart on the calling thread; what follows is parallel.
    fn into_par_iter(self) -> Self::Iter {
        self.into_iter().collect::<Vec<_>>().into_par_iter()
    }
}

impl<K, V, S> ParallelExtend<(K, V)> for &ShardMap<K, V, S>
where
    K: Hash + Eq + Send + Sync,
    V: Send + Sync,
    S: BuildHasher + Sync,
{
    /// Inserts from all threads at once, each under pins of its own. Of equal keys any one stays.
    fn par_extend<I: IntoParallelIterator<Item = (K, V)>>(&mut self, items: I) {
        let map = &**self;
        let items = items.into_par_iter();
        if let Some(exact) = items.opt_len() {
            map.pin().reserve(if map.is_empty() {
                exact
            } else {
                exact.div_ceil(2)
            });
        }
        items.for_each_init(
            || map.pin(),
            |pinned, (key, value)| {
                pinned.insert(key, value);
            },
        );
    }
}

impl<K, V, S> ParallelExtend<(K, V)> for ShardMap<K, V, S>
where
    K: Hash + Eq + Send + Sync,
    V: Send + Sync,
    S: BuildHasher + Sync,
{
    fn par_extend<I: IntoParallelIterator<Item = (K, V)>>(&mut self, items: I) {
        let mut map = &*self;
        map.par_extend(items);
    }
}

impl<K, V, S> FromParallelIterator<(K, V)> for ShardMap<K, V, S>
where
    K: Hash + Eq + Send + Sync,
    V: Send + Sync,
    S: BuildHasher + Default + Sync,
{
    /// Collects from all threads at once. Of equal keys any one stays.
    fn from_par_iter<I: IntoParallelIterator<Item = (K, V)>>(items: I) -> Self {
        let map = Self::default();
        (&map).par_extend(items);
        map
    }
}
