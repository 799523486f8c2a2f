//! Look-ups, insert and remove.
use super::ShardMap;
use crate::reclaim::Guard;
use core::hash::{BuildHasher, Hash};
use equivalent::Equivalent;

impl<K, V, S> ShardMap<K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    /// Whether the key is present.
    ///
    /// As [`get`](Self::get) in all respects.
    ///
    /// # Panics
    /// If `guard` is of another map.
    #[inline]
    pub fn contains_key<Q>(&self, key: &Q, guard: &impl Guard) -> bool
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.get_key_value(key, guard).is_some()
    }

    /// The value of the key.
    ///
    /// The key may be anything that is [`Equivalent`] to `K` and hashes alike, `&str` for
    /// `String` for instance.
    ///
    /// *Consistency*: linearizes at the load of the bucket's pointer word; what the writer of
    /// the entry did before is visible. A key that is present throughout is found, also while it
    /// is overwritten or moved by a resize. *Progress*: lock-free; it never waits, and looks
    /// again only where a writer has just got on. *Cost*: 2 cold lines if present, 1 if absent;
    /// one more per seven entries beyond seven in the bucket. No store, no locked instruction.
    ///
    /// It may be called in a signal handler, on the terms of the [crate](crate#when-something-fails).
    ///
    /// # Panics
    /// If `guard` is of another map.
    ///
    /// ```
    /// let map = atomshard::ShardMap::<String, u32>::new();
    /// let guard = map.guard();
    /// map.insert("a".to_owned(), 1, &guard);
    /// assert_eq!(map.get("a", &guard), Some(&1));
    /// assert_eq!(map.get("b", &guard), None);
    /// ```
    #[inline]
    pub fn get<'g, Q>(&self, key: &Q, guard: &'g impl Guard) -> Option<&'g V>
    where
        K: 'g,
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.raw
            .get(self.hash(key), key, self.verified(guard))
            .map(|entry| &entry.value)
    }

    /// The stored key and its value.
    ///
    /// As [`get`](Self::get) in all respects.
    ///
    /// # Panics
    /// If `guard` is of another map.
    #[inline]
    pub fn get_key_value<'g, Q>(&self, key: &Q, guard: &'g impl Guard) -> Option<(&'g K, &'g V)>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        let entry = self.raw.get(self.hash(key), key, self.verified(guard))?;
        Some((&entry.key, &entry.value))
    }

    /// Puts the entry in and returns the value that it replaced, if any.
    ///
    /// A present entry is replaced as a whole: the map then holds the new key object too, which
    /// differs from std's map if equal keys can be told apart.
    ///
    /// *Consistency*: linearizes at the compare-exchange of the bucket's pointer word, which
    /// publishes the entry. *Progress*: lock-free. *Cost*: for a new key 2
    /// read-modify-writes on the bucket's line, for a present one 1; an allocation only when a
    /// chunk of entries is used up. If a resize of the shard runs, its bounded step comes on top.
    ///
    /// # Panics
    /// If `guard` is of another map. Aborts as all of std's collections do if the allocator
    /// fails; [`try_reserve`](Self::try_reserve) is the form that reports it.
    ///
    /// ```
    /// let map = atomshard::ShardMap::new();
    /// let guard = map.guard();
    /// assert_eq!(map.insert(37, "a", &guard), None);
    /// assert_eq!(map.insert(37, "b", &guard), Some(&"a"));
    /// assert_eq!(map.get(&37, &guard), Some(&"b"));
    /// ```
    #[inline]
    pub fn insert<'g>(&self, key: K, value: V, guard: &'g impl Guard) -> Option<&'g V>
    where
        K: 'g,
    {
        self.insert_in(key, value, self.verified(guard))
    }

    /// Removes the key and returns its value.
    ///
    /// The value stays readable under the guard and is dropped once no guard that could see it
    /// is left.
    ///
    /// *Consistency*: linearizes at the compare-exchange that empties the bucket's pointer word,
    /// or, if absent, at the load that showed it. *Progress*: lock-free. *Cost*: 2 cold lines, 1
    /// read-modify-write on the bucket's line.
    ///
    /// # Panics
    /// If `guard` is of another map.
    ///
    /// ```
    /// let map = atomshard::ShardMap::from([(1, "a")]);
    /// let guard = map.guard();
    /// assert_eq!(map.remove(&1, &guard), Some(&"a"));
    /// assert_eq!(map.remove(&1, &guard), None);
    /// ```
    #[inline]
    pub fn remove<'g, Q>(&self, key: &Q, guard: &'g impl Guard) -> Option<&'g V>
    where
        K: 'g,
        Q: Equivalent<K> + Hash + ?Sized,
    {
        Some(&self.remove_in(key, self.verified(guard))?.value)
    }

    /// Removes the key and returns the stored key and value.
    ///
    /// As [`remove`](Self::remove) in all respects.
    ///
    /// # Panics
    /// If `guard` is of another map.
    #[inline]
    pub fn remove_entry<'g, Q>(&self, key: &Q, guard: &'g impl Guard) -> Option<(&'g K, &'g V)>
    where
        K: 'g,
        Q: Equivalent<K> + Hash + ?Sized,
    {
        let entry = self.remove_in(key, self.verified(guard))?;
        Some((&entry.key, &entry.value))
    }

    /// Removes the key if the closure agrees.
    ///
    /// `Ok(Some(..))` is the entry removed, `Ok(None)` says that the key was absent, and
    /// `Err(..)` is the entry that the closure wanted kept. The closure may be called again if
    /// the entry is replaced meanwhile; the entry removed is the one that it saw last.
    ///
    /// *Consistency, progress, cost*: as [`remove`](Self::remove); lock-free provided that the
    /// closure returns.
    ///
    /// # Errors
    /// The entry, if it is present and the closure returned `false`.
    ///
    /// # Panics
    /// If `guard` is of another map, or if the closure panics (nothing is removed then).
    ///
    /// ```
    /// let map = atomshard::ShardMap::from([("job", 3)]);
    /// let guard = map.guard();
    /// assert_eq!(map.remove_if("job", |_, left| *left == 0, &guard), Err((&"job", &3)));
    /// assert_eq!(map.remove_if("job", |_, left| *left == 3, &guard), Ok(Some((&"job", &3))));
    /// assert_eq!(map.remove_if("job", |_, _| true, &guard), Ok(None));
    /// ```
    #[inline]
    pub fn remove_if<'g, Q, F>(
        &self,
        key: &Q,
        should_remove: F,
        guard: &'g impl Guard,
    ) -> Result<Option<(&'g K, &'g V)>, (&'g K, &'g V)>
    where
        Q: Equivalent<K> + Hash + ?Sized,
        F: FnMut(&K, &V) -> bool,
    {
        self.remove_if_in(key, should_remove, self.verified(guard))
    }
}
