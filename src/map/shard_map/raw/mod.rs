//! The algorithm (signatures first; the bodies follow).
#![expect(dead_code, unused_variables, clippy::todo, clippy::unused_self, reason = "under construction")]
use crate::error::TryReserveError;
use crate::map::{Compute, Operation, ResizeMode};
use crate::reclaim::{Domain, Guard};
use core::marker::PhantomData;
use equivalent::Equivalent;

/// One immutable key-value pair; lives until no guard can see it.
#[derive(Debug)]
pub(crate) struct Entry<K, V> {
    hash: u64,
    pub(crate) key: K,
    pub(crate) value: V,
}

/// What an insert did.
pub(crate) enum Inserted<'g, K, V> {
    /// The key was absent.
    New(&'g Entry<K, V>),
    /// The key was present and its entry was replaced (only with `replace`).
    Replaced { old: &'g Entry<K, V>, new: &'g Entry<K, V> },
    /// The key was present and stays (only without `replace`); key and value come back.
    Occupied { current: &'g Entry<K, V>, key: K, value: V },
}

/// The lock-free sharded table of entries. Callers verify guards and compute hashes.
pub(crate) struct RawMap<K, V> {
    domain: Domain<(K, V)>,
    _p: PhantomData<(K, V)>,
}

impl<K, V> RawMap<K, V> {
    pub(crate) fn new(capacity: usize, mode: ResizeMode) -> Self { todo!() }
    #[inline]
    pub(crate) fn domain(&self) -> &Domain<(K, V)> { &self.domain }
    pub(crate) fn mode(&self) -> ResizeMode { todo!() }
    /// Entries; exact when no write is running.
    pub(crate) fn len(&self) -> usize { todo!() }
    /// Entries the present tables hold before they grow.
    pub(crate) fn capacity(&self, guard: &impl Guard) -> usize { todo!() }
    #[inline]
    pub(crate) fn get<'g, Q>(&self, hash: u64, key: &Q, guard: &'g impl Guard) -> Option<&'g Entry<K, V>>
    where Q: Equivalent<K> + ?Sized { todo!() }
    pub(crate) fn insert<'g>(&self, hash: u64, key: K, value: V, replace: bool, guard: &'g impl Guard) -> Inserted<'g, K, V>
    where K: Eq { todo!() }
    /// `Ok(Some)` removed, `Ok(None)` absent, `Err` present but `f` said no.
    pub(crate) fn remove_if<'g, Q>(&self, hash: u64, key: &Q, f: impl FnMut(&'g K, &'g V) -> bool, guard: &'g impl Guard) -> Result<Option<&'g Entry<K, V>>, &'g Entry<K, V>>
    where Q: Equivalent<K> + ?Sized { todo!() }
    pub(crate) fn compute<'g, T>(&self, hash: u64, key: K, f: impl FnMut(Option<(&'g K, &'g V)>) -> Operation<V, T>, guard: &'g impl Guard) -> Compute<'g, K, V, T>
    where K: Eq { todo!() }
    /// Weakly consistent; an entry present throughout is yielded exactly once.
    pub(crate) fn iter<'g>(&'g self, guard: &'g impl Guard) -> RawIter<'g, K, V> { todo!() }
    /// Removes every entry for which `f` is false.
    pub(crate) fn retain(&self, f: impl FnMut(&K, &V) -> bool, guard: &impl Guard) where K: Eq { todo!() }
    pub(crate) fn clear(&self, guard: &impl Guard) { todo!() }
    pub(crate) fn try_reserve(&self, additional: usize, guard: &impl Guard) -> Result<(), TryReserveError> { todo!() }
    pub(crate) fn shrink_to_fit(&self, guard: &impl Guard) { todo!() }
    /// Takes every entry out (exclusive access; used by `IntoIterator` and `Drop`).
    pub(crate) fn drain_all(&mut self, f: impl FnMut(K, V)) { todo!() }
    /// Number of shards at this moment, for parallel iteration.
    pub(crate) fn shards(&self, guard: &impl Guard) -> usize { todo!() }
    /// As `iter`, of one shard only.
    pub(crate) fn iter_shard<'g>(&'g self, shard: usize, guard: &'g impl Guard) -> RawIter<'g, K, V> { todo!() }
}

/// Iterator over entries.
pub(crate) struct RawIter<'g, K, V>(PhantomData<&'g (K, V)>);
impl<'g, K, V> Iterator for RawIter<'g, K, V> {
    type Item = &'g Entry<K, V>;
    fn next(&mut self) -> Option<Self::Item> { todo!() }
}
