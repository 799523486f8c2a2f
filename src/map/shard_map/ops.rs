//! What the operations do once the guard is known to be of this map: shared by `ShardMap`, which
//! checks it, and `ShardMapRef`, which made it.
use super::ShardMap;
use super::raw::{Entry, Inserted};
use crate::error::OccupiedError;
use crate::map::{Compute, Operation};
use crate::reclaim::Guard;
use core::hash::{BuildHasher, Hash};
use equivalent::Equivalent;

/// An entry as the public faces show it.
type Pair<'g, K, V> = (&'g K, &'g V);

impl<K, V, S> ShardMap<K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    #[inline]
    pub(super) fn insert_in<'g>(&self, key: K, value: V, guard: &'g impl Guard) -> Option<&'g V>
    where
        K: 'g,
    {
        match self.raw.insert(self.hash(&key), key, value, true, guard) {
            Inserted::New(_) => None,
            Inserted::Replaced { old, .. } => Some(&old.value),
            Inserted::Occupied { .. } => unreachable!("an insert that replaces is never refused"),
        }
    }

    /// Looks before it allocates, so that a present key costs no more than a `get`.
    #[inline]
    pub(super) fn try_insert_in<'g>(
        &self,
        key: K,
        value: V,
        guard: &'g impl Guard,
    ) -> Result<&'g V, OccupiedError<'g, V>>
    where
        K: 'g,
    {
        let hash = self.hash(&key);
        if let Some(entry) = self.raw.get(hash, &key, guard) {
            return Err(OccupiedError {
                current: &entry.value,
                not_inserted: value,
            });
        }
        match self.raw.insert(hash, key, value, false, guard) {
            Inserted::New(entry) => Ok(&entry.value),
            Inserted::Occupied { current, value, .. } => Err(OccupiedError {
                current: &current.value,
                not_inserted: value,
            }),
            Inserted::Replaced { .. } => unreachable!("this insert does not replace"),
        }
    }

    /// Looks before it calls `f`, so that a present key costs no more than a `get`.
    #[inline]
    pub(super) fn try_insert_with_in<'g>(
        &self,
        key: K,
        f: impl FnOnce() -> V,
        guard: &'g impl Guard,
    ) -> Result<&'g V, &'g V>
    where
        K: 'g,
    {
        let hash = self.hash(&key);
        if let Some(entry) = self.raw.get(hash, &key, guard) {
            return Err(&entry.value);
        }
        match self.raw.insert(hash, key, f(), false, guard) {
            Inserted::New(entry) => Ok(&entry.value),
            Inserted::Occupied { current, .. } => Err(&current.value),
            Inserted::Replaced { .. } => unreachable!("this insert does not replace"),
        }
    }

    #[inline]
    pub(super) fn compute_in<'g, T>(
        &self,
        key: K,
        compute: impl FnMut(Option<Pair<'g, K, V>>) -> Operation<V, T>,
        guard: &'g impl Guard,
    ) -> Compute<'g, K, V, T> {
        self.raw.compute(self.hash(&key), key, compute, guard)
    }

    #[inline]
    pub(super) fn update_in<'g>(
        &self,
        key: K,
        update: impl Fn(&V) -> V,
        guard: &'g impl Guard,
    ) -> Option<&'g V>
    where
        K: 'g,
    {
        let replace_present = |entry: Option<Pair<'g, K, V>>| match entry {
            Some((_, value)) => Operation::Insert(update(value)),
            None => Operation::Abort(()),
        };
        match self.compute_in(key, replace_present, guard) {
            Compute::Updated { new, .. } => Some(new.1),
            Compute::Aborted(()) => None,
            Compute::Inserted(..) | Compute::Removed(..) => {
                unreachable!("an absent key aborts and nothing is removed")
            }
        }
    }

    /// `f` runs at most once: `RawMap::compute` keeps a value made for an absent key and does
    /// not ask for another while it has one.
    #[inline]
    pub(super) fn update_or_insert_with_in<'g>(
        &self,
        key: K,
        update: impl Fn(&V) -> V,
        f: impl FnOnce() -> V,
        guard: &'g impl Guard,
    ) -> &'g V
    where
        K: 'g,
    {
        let mut f = Some(f);
        let replace_or_insert = |entry: Option<Pair<'g, K, V>>| match (entry, f.take()) {
            (Some((_, value)), unused) => {
                f = unused;
                Operation::Insert(update(value))
            }
            (None, Some(first)) => Operation::<V, ()>::Insert(first()),
            (None, None) => unreachable!("the value for an absent key is made once and kept"),
        };
        match self.compute_in(key, replace_or_insert, guard) {
            Compute::Updated { new, .. } => new.1,
            Compute::Inserted(_, value) => value,
            Compute::Aborted(()) | Compute::Removed(..) => {
                unreachable!("both cases insert")
            }
        }
    }

    #[inline]
    pub(super) fn remove_in<'g, Q>(&self, key: &Q, guard: &'g impl Guard) -> Option<&'g Entry<K, V>>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.raw
            .remove_if(self.hash(key), key, |_, _| true, guard)
            .unwrap_or(None)
    }

    #[inline]
    pub(super) fn remove_if_in<'g, Q>(
        &self,
        key: &Q,
        should_remove: impl FnMut(&K, &V) -> bool,
        guard: &'g impl Guard,
    ) -> Result<Option<Pair<'g, K, V>>, Pair<'g, K, V>>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        match self
            .raw
            .remove_if(self.hash(key), key, should_remove, guard)
        {
            Ok(removed) => Ok(removed.map(|entry| (&entry.key, &entry.value))),
            Err(kept) => Err((&kept.key, &kept.value)),
        }
    }
}

impl<K, V, S> ShardMap<K, V, S> {
    pub(super) fn reserve_in(&self, additional: usize, guard: &impl Guard) {
        if let Err(error) = self.raw.try_reserve(additional, guard) {
            error.handle();
        }
    }
}
