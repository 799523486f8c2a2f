//! `ShardMapRef`: a map together with a guard, so that no call has to name one.
use super::{Iter, Keys, ShardMap, Values};
use crate::error::{OccupiedError, TryReserveError};
use crate::map::{Compute, Operation, ResizeMode};
use crate::reclaim::Guard;
use core::fmt;
use core::hash::{BuildHasher, Hash};
use equivalent::Equivalent;

/// A pinned map: made by [`ShardMap::pin`] and [`ShardMap::pin_owned`].
///
/// What its methods return lives as long as this value is borrowed. The guard inside was made
/// by the map, so it is not checked again; otherwise each method is the map's method of the same
/// name, where its guarantees and costs are stated.
///
/// A reference out of the map cannot outlive the pin:
///
/// ```compile_fail,E0597
/// let map = atomshard::ShardMap::from([(1, "a".to_owned())]);
/// let value = {
///     let pinned = map.pin();
///     pinned.get(&1)
/// };
/// assert!(value.is_some());
/// ```
///
/// but may be used as long as it lives:
///
/// ```
/// let map = atomshard::ShardMap::from([(1, "a".to_owned())]);
/// let length = {
///     let pinned = map.pin();
///     pinned.get(&1).map(String::len)
/// };
/// assert_eq!(length, Some(1));
/// ```
///
/// The reference that `pin` makes stays in its thread:
///
/// ```compile_fail,E0277
/// let map = atomshard::ShardMap::from([(1, 2)]);
/// let pinned = map.pin();
/// std::thread::scope(|s| {
///     s.spawn(move || pinned.len());
/// });
/// ```
///
/// the one that `pin_owned` makes may leave it:
///
/// ```
/// let map = atomshard::ShardMap::from([(1, 2)]);
/// let pinned = map.pin_owned();
/// std::thread::scope(|s| {
///     s.spawn(move || pinned.len());
/// });
/// ```
pub struct ShardMapRef<'map, K, V, S, G> {
    guard: G,
    map: &'map ShardMap<K, V, S>,
}

impl<'map, K, V, S, G> ShardMapRef<'map, K, V, S, G> {
    /// The caller made `guard` from `map`.
    #[inline]
    pub(super) fn new(map: &'map ShardMap<K, V, S>, guard: G) -> Self {
        Self { guard, map }
    }

    /// The map itself.
    #[inline]
    #[must_use]
    pub fn map(&self) -> &'map ShardMap<K, V, S> {
        self.map
    }

    /// The number of entries. See [`ShardMap::len`].
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there is no entry. See [`ShardMap::is_empty`].
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Bytes of entries that wait to be freed. See [`ShardMap::retired_bytes`].
    #[must_use]
    pub fn retired_bytes(&self) -> usize {
        self.map.retired_bytes()
    }

    /// The hasher in use. See [`ShardMap::hasher`].
    #[inline]
    #[must_use]
    pub fn hasher(&self) -> &'map S {
        self.map.hasher()
    }

    /// How much of a running resize one write takes on. See [`ShardMap::resize_mode`].
    #[inline]
    #[must_use]
    pub fn resize_mode(&self) -> ResizeMode {
        self.map.resize_mode()
    }
}

impl<K, V, S, G: Guard> ShardMapRef<'_, K, V, S, G> {
    /// How many entries the present tables take. See [`ShardMap::capacity`].
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.map.raw.capacity(&self.guard)
    }

    /// Visits all entries. See [`ShardMap::iter`].
    #[inline]
    pub fn iter(&self) -> Iter<'_, K, V, G> {
        Iter::new(self.map.raw.iter(&self.guard))
    }

    /// Visits all keys. See [`ShardMap::keys`].
    #[inline]
    pub fn keys(&self) -> Keys<'_, K, V, G> {
        Keys::new(self.iter())
    }

    /// Visits all values. See [`ShardMap::values`].
    #[inline]
    pub fn values(&self) -> Values<'_, K, V, G> {
        Values::new(self.iter())
    }

    /// Removes the entries that are present throughout. See [`ShardMap::clear`].
    pub fn clear(&self) {
        self.map.raw.clear(&self.guard);
    }

    /// The map and the guard, for the parallel iterators.
    #[cfg(feature = "rayon")]
    pub(super) fn parts(&self) -> (&ShardMap<K, V, S>, &G) {
        (self.map, &self.guard)
    }
}

impl<K, V, S, G> ShardMapRef<'_, K, V, S, G>
where
    K: Hash + Eq,
    S: BuildHasher,
    G: Guard,
{
    /// Whether the key is present. See [`ShardMap::contains_key`].
    #[inline]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.get(key).is_some()
    }

    /// The value of the key. See [`ShardMap::get`].
    #[inline]
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map
            .raw
            .get(self.map.hash(key), key, &self.guard)
            .map(|entry| &entry.value)
    }

    /// The stored key and its value. See [`ShardMap::get_key_value`].
    #[inline]
    pub fn get_key_value<Q>(&self, key: &Q) -> Option<(&K, &V)>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        let entry = self.map.raw.get(self.map.hash(key), key, &self.guard)?;
        Some((&entry.key, &entry.value))
    }

    /// Puts the entry in and returns the value that it replaced. See [`ShardMap::insert`].
    #[inline]
    pub fn insert(&self, key: K, value: V) -> Option<&V> {
        self.map.insert_in(key, value, &self.guard)
    }

    /// Puts the entry in if the key is absent. See [`ShardMap::try_insert`].
    ///
    /// # Errors
    /// [`OccupiedError`] with the present value and the one not inserted.
    #[inline]
    pub fn try_insert(&self, key: K, value: V) -> Result<&V, OccupiedError<'_, V>> {
        self.map.try_insert_in(key, value, &self.guard)
    }

    /// Puts in the entry that the closure makes if the key is absent. See
    /// [`ShardMap::try_insert_with`].
    ///
    /// # Errors
    /// The present value.
    #[inline]
    pub fn try_insert_with<F>(&self, key: K, f: F) -> Result<&V, &V>
    where
        F: FnOnce() -> V,
    {
        self.map.try_insert_with_in(key, f, &self.guard)
    }

    /// The value of the key, inserted first if absent. See [`ShardMap::get_or_insert`].
    #[inline]
    pub fn get_or_insert(&self, key: K, value: V) -> &V {
        match self.try_insert(key, value) {
            Ok(inserted) => inserted,
            Err(occupied) => occupied.current,
        }
    }

    /// The value of the key, made and inserted first if absent. See
    /// [`ShardMap::get_or_insert_with`].
    #[inline]
    pub fn get_or_insert_with<F>(&self, key: K, f: F) -> &V
    where
        F: FnOnce() -> V,
    {
        self.try_insert_with(key, f)
            .unwrap_or_else(|current| current)
    }

    /// Replaces the value of a present key. See [`ShardMap::update`].
    #[inline]
    pub fn update<F>(&self, key: K, update: F) -> Option<&V>
    where
        F: Fn(&V) -> V,
    {
        self.map.update_in(key, update, &self.guard)
    }

    /// Replaces the value of a present key or inserts one. See [`ShardMap::update_or_insert`].
    #[inline]
    pub fn update_or_insert<F>(&self, key: K, update: F, value: V) -> &V
    where
        F: Fn(&V) -> V,
    {
        self.update_or_insert_with(key, update, || value)
    }

    /// Replaces the value of a present key or makes and inserts one. See
    /// [`ShardMap::update_or_insert_with`].
    #[inline]
    pub fn update_or_insert_with<U, F>(&self, key: K, update: U, f: F) -> &V
    where
        F: FnOnce() -> V,
        U: Fn(&V) -> V,
    {
        self.map
            .update_or_insert_with_in(key, update, f, &self.guard)
    }

    /// Does to the entry what the closure decides. See [`ShardMap::compute`].
    ///
    /// # Panics
    /// If the closure asks to remove an absent entry.
    #[inline]
    pub fn compute<'g, F, T>(&'g self, key: K, compute: F) -> Compute<'g, K, V, T>
    where
        F: FnMut(Option<(&'g K, &'g V)>) -> Operation<V, T>,
    {
        self.map.compute_in(key, compute, &self.guard)
    }

    /// Removes the key and returns its value. See [`ShardMap::remove`].
    #[inline]
    pub fn remove<Q>(&self, key: &Q) -> Option<&V>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        Some(&self.map.remove_in(key, &self.guard)?.value)
    }

    /// Removes the key and returns the stored key and value. See [`ShardMap::remove_entry`].
    #[inline]
    pub fn remove_entry<Q>(&self, key: &Q) -> Option<(&K, &V)>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        let entry = self.map.remove_in(key, &self.guard)?;
        Some((&entry.key, &entry.value))
    }

    /// Removes the key if the closure agrees. See [`ShardMap::remove_if`].
    ///
    /// # Errors
    /// The entry, if it is present and the closure returned `false`.
    #[inline]
    pub fn remove_if<Q, F>(&self, key: &Q, should_remove: F) -> Result<Option<(&K, &V)>, (&K, &V)>
    where
        Q: Equivalent<K> + Hash + ?Sized,
        F: FnMut(&K, &V) -> bool,
    {
        self.map.remove_if_in(key, should_remove, &self.guard)
    }

    /// Removes every entry for which the closure returns `false`. See [`ShardMap::retain`].
    pub fn retain<F>(&self, f: F)
    where
        F: FnMut(&K, &V) -> bool,
    {
        self.map.raw.retain(f, &self.guard);
    }

    /// Makes room for `additional` more entries. See [`ShardMap::reserve`].
    ///
    /// # Panics
    /// If the room exceeds the address space.
    pub fn reserve(&self, additional: usize) {
        self.map.reserve_in(additional, &self.guard);
    }

    /// Makes room for `additional` more entries, or says why it cannot. See
    /// [`ShardMap::try_reserve`].
    ///
    /// # Errors
    /// [`TryReserveError`] if the room exceeds the address space or the allocator refuses.
    pub fn try_reserve(&self, additional: usize) -> Result<(), TryReserveError> {
        self.map.raw.try_reserve(additional, &self.guard)
    }

    /// Gives back the room that the entries do not need. See [`ShardMap::shrink_to_fit`].
    pub fn shrink_to_fit(&self) {
        self.map.raw.shrink_to_fit(&self.guard);
    }
}

impl<K, V, S, G> fmt::Debug for ShardMapRef<'_, K, V, S, G>
where
    K: fmt::Debug,
    V: fmt::Debug,
    G: Guard,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<'a, K, V, S, G: Guard> IntoIterator for &'a ShardMapRef<'_, K, V, S, G> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V, G>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
