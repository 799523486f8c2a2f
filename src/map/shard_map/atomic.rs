//! Conditional and read-modify-write operations: each one atomic, none holds a lock.
use super::ShardMap;
use crate::error::OccupiedError;
use crate::map::{Compute, Operation};
use crate::reclaim::Guard;
use core::hash::{BuildHasher, Hash};

impl<K, V, S> ShardMap<K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    /// Puts the entry in if the key is absent, and returns the value now in the map.
    ///
    /// *Consistency*: linearizes at the publication of the entry, or, if present, at the load
    /// that showed it. *Progress*: lock-free. *Cost*: as [`insert`](Self::insert) of a new key;
    /// if present, as [`get`](Self::get).
    ///
    /// # Errors
    /// [`OccupiedError`] with the present value and the one not inserted.
    ///
    /// # Panics
    /// If `guard` is of another map.
    ///
    /// ```
    /// let map = atomshard::ShardMap::new();
    /// let guard = map.guard();
    /// assert_eq!(map.try_insert(37, "a", &guard), Ok(&"a"));
    /// let refused = map.try_insert(37, "b", &guard).unwrap_err();
    /// assert_eq!((*refused.current, refused.not_inserted), ("a", "b"));
    /// ```
    #[inline]
    pub fn try_insert<'g>(
        &self,
        key: K,
        value: V,
        guard: &'g impl Guard,
    ) -> Result<&'g V, OccupiedError<'g, V>>
    where
        K: 'g,
    {
        self.try_insert_in(key, value, self.verified(guard))
    }

    /// Puts in the entry that the closure makes if the key is absent.
    ///
    /// The closure runs at most once, and only if the key was seen absent. If another thread
    /// inserts the key while it runs, what it made is dropped.
    ///
    /// *Consistency, progress, cost*: as [`try_insert`](Self::try_insert); lock-free provided
    /// that the closure returns.
    ///
    /// # Errors
    /// The present value.
    ///
    /// # Panics
    /// If `guard` is of another map, or if the closure panics (nothing is inserted then).
    ///
    /// ```
    /// let map = atomshard::ShardMap::new();
    /// let guard = map.guard();
    /// assert_eq!(map.try_insert_with(37, || "a", &guard), Ok(&"a"));
    /// assert_eq!(map.try_insert_with(37, || unreachable!(), &guard), Err(&"a"));
    /// ```
    #[inline]
    pub fn try_insert_with<'g, F>(
        &self,
        key: K,
        f: F,
        guard: &'g impl Guard,
    ) -> Result<&'g V, &'g V>
    where
        F: FnOnce() -> V,
        K: 'g,
    {
        self.try_insert_with_in(key, f, self.verified(guard))
    }

    /// The value of the key; if it is absent, `value` is inserted first.
    ///
    /// *Consistency, progress, cost*: as [`try_insert`](Self::try_insert).
    ///
    /// # Panics
    /// If `guard` is of another map.
    ///
    /// ```
    /// let map = atomshard::ShardMap::new();
    /// let guard = map.guard();
    /// assert_eq!(map.get_or_insert("a", 3, &guard), &3);
    /// assert_eq!(map.get_or_insert("a", 6, &guard), &3);
    /// ```
    #[inline]
    pub fn get_or_insert<'g>(&self, key: K, value: V, guard: &'g impl Guard) -> &'g V
    where
        K: 'g,
    {
        match self.try_insert_in(key, value, self.verified(guard)) {
            Ok(inserted) => inserted,
            Err(occupied) => occupied.current,
        }
    }

    /// The value of the key; if it is absent, what the closure makes is inserted first.
    ///
    /// *Consistency, progress, cost*: as [`try_insert_with`](Self::try_insert_with).
    ///
    /// # Panics
    /// If `guard` is of another map, or if the closure panics (nothing is inserted then).
    #[inline]
    pub fn get_or_insert_with<'g, F>(&self, key: K, f: F, guard: &'g impl Guard) -> &'g V
    where
        F: FnOnce() -> V,
        K: 'g,
    {
        self.try_insert_with_in(key, f, self.verified(guard))
            .unwrap_or_else(|current| current)
    }

    /// Replaces the value of a present key by what the closure makes of it, and returns the new
    /// value.
    ///
    /// If the entry changes while the closure runs, it runs again on the newer value; what it
    /// made before is dropped. No update is lost.
    ///
    /// *Consistency*: linearizes at the compare-exchange of the bucket's pointer word, or, if
    /// absent, at the load that showed it. *Progress*: lock-free provided that the closure
    /// returns: a retry means that another write went through. *Cost*: 2 cold lines, 1
    /// read-modify-write, and the memory of an entry, also if the key is absent.
    ///
    /// # Panics
    /// If `guard` is of another map, or if the closure panics (nothing is changed then).
    ///
    /// ```
    /// let map = atomshard::ShardMap::from([("a", 1)]);
    /// let guard = map.guard();
    /// assert_eq!(map.update("a", |v| v + 1, &guard), Some(&2));
    /// assert_eq!(map.update("b", |v| v + 1, &guard), None);
    /// ```
    #[inline]
    pub fn update<'g, F>(&self, key: K, update: F, guard: &'g impl Guard) -> Option<&'g V>
    where
        F: Fn(&V) -> V,
        K: 'g,
    {
        self.update_in(key, update, self.verified(guard))
    }

    /// Replaces the value of a present key by what the closure makes of it, or inserts `value`;
    /// returns the value now in the map.
    ///
    /// *Consistency, progress, cost*: as [`update`](Self::update), or as
    /// [`insert`](Self::insert) of a new key.
    ///
    /// # Panics
    /// If `guard` is of another map, or if the closure panics (nothing is changed then).
    ///
    /// ```
    /// let map = atomshard::ShardMap::new();
    /// let guard = map.guard();
    /// for word in ["a", "b", "a"] {
    ///     map.update_or_insert(word, |count| count + 1, 1, &guard);
    /// }
    /// assert_eq!(map.get("a", &guard), Some(&2));
    /// ```
    #[inline]
    pub fn update_or_insert<'g, F>(
        &self,
        key: K,
        update: F,
        value: V,
        guard: &'g impl Guard,
    ) -> &'g V
    where
        F: Fn(&V) -> V,
        K: 'g,
    {
        self.update_or_insert_with_in(key, update, || value, self.verified(guard))
    }

    /// Replaces the value of a present key by what `update` makes of it, or inserts what `f`
    /// makes; returns the value now in the map.
    ///
    /// `update` may run several times, `f` at most once.
    ///
    /// *Consistency, progress, cost*: as [`update`](Self::update), or as
    /// [`insert`](Self::insert) of a new key.
    ///
    /// # Panics
    /// If `guard` is of another map, or if a closure panics (nothing is changed then).
    #[inline]
    pub fn update_or_insert_with<'g, U, F>(
        &self,
        key: K,
        update: U,
        f: F,
        guard: &'g impl Guard,
    ) -> &'g V
    where
        F: FnOnce() -> V,
        U: Fn(&V) -> V,
        K: 'g,
    {
        self.update_or_insert_with_in(key, update, f, self.verified(guard))
    }

    /// Looks at the entry, lets the closure decide, and does that atomically.
    ///
    /// The closure sees the entry or `None` and answers with an [`Operation`]: insert a value
    /// (which replaces a present one), remove the entry, or abort. If the entry changes
    /// meanwhile, the closure is asked again about what is there now. A value once made for an
    /// absent key is kept and used if the key is absent again, without asking again.
    ///
    /// *Consistency*: linearizes at the compare-exchange that does what the closure asked for;
    /// an abort at the load of what the closure saw. *Progress*: lock-free provided that the
    /// closure returns. *Cost*: the memory of an entry, whatever the answer; beyond that as
    /// [`get`](Self::get) for an abort, as [`update`](Self::update), [`insert`](Self::insert) or
    /// [`remove`](Self::remove) otherwise.
    ///
    /// # Panics
    /// If `guard` is of another map, if the closure panics (nothing is changed then), or if it
    /// asks to remove an entry that is not there: answer `None` with an insertion or an abort.
    ///
    /// ```
    /// use atomshard::{Compute, Operation, ShardMap};
    ///
    /// let map = ShardMap::from([("stock", 1)]);
    /// let guard = map.guard();
    /// let take = |entry: Option<(&&str, &u32)>| match entry {
    ///     Some((_, 1)) => Operation::Remove,
    ///     Some((_, n)) => Operation::Insert(n - 1),
    ///     None => Operation::Abort("sold out"),
    /// };
    /// assert_eq!(map.compute("stock", take, &guard), Compute::Removed(&"stock", &1));
    /// assert_eq!(map.compute("stock", take, &guard), Compute::Aborted("sold out"));
    /// ```
    #[inline]
    pub fn compute<'g, F, T>(
        &self,
        key: K,
        compute: F,
        guard: &'g impl Guard,
    ) -> Compute<'g, K, V, T>
    where
        F: FnMut(Option<(&'g K, &'g V)>) -> Operation<V, T>,
    {
        self.compute_in(key, compute, self.verified(guard))
    }
}
