//! `ShardSetRef`: a set together with a guard, so that no call has to name one.
use super::{Iter, ShardSet};
use crate::error::TryReserveError;
use crate::map::{ResizeMode, ShardMapRef};
use crate::reclaim::Guard;
use core::fmt;
use core::hash::{BuildHasher, Hash};
use equivalent::Equivalent;

/// A pinned set: made by [`ShardSet::pin`] and [`ShardSet::pin_owned`].
///
/// What its methods return lives as long as this value is borrowed. Each method is the set's
/// method of the same name, where its guarantees and costs are stated.
pub struct ShardSetRef<'set, K, S, G> {
    set: &'set ShardSet<K, S>,
    map: ShardMapRef<'set, K, (), S, G>,
}

impl<'set, K, S, G> ShardSetRef<'set, K, S, G> {
    /// `map` is the map inside `set`, pinned.
    #[inline]
    pub(super) fn new(set: &'set ShardSet<K, S>, map: ShardMapRef<'set, K, (), S, G>) -> Self {
        Self { set, map }
    }

    /// The set itself.
    #[inline]
    #[must_use]
    pub fn set(&self) -> &'set ShardSet<K, S> {
        self.set
    }

    /// The number of keys. See [`ShardSet::len`].
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there is no key. See [`ShardSet::is_empty`].
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Bytes of keys that wait to be freed. See [`ShardSet::retired_bytes`].
    #[must_use]
    pub fn retired_bytes(&self) -> usize {
        self.map.retired_bytes()
    }

    /// The hasher in use. See [`ShardSet::hasher`].
    #[inline]
    #[must_use]
    pub fn hasher(&self) -> &'set S {
        self.map.hasher()
    }

    /// How much of a running resize one write takes on. See [`ShardSet::resize_mode`].
    #[inline]
    #[must_use]
    pub fn resize_mode(&self) -> ResizeMode {
        self.map.resize_mode()
    }
}

impl<K, S, G: Guard> ShardSetRef<'_, K, S, G> {
    /// How many keys the present tables take. See [`ShardSet::capacity`].
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.map.capacity()
    }

    /// Visits all keys. See [`ShardSet::iter`].
    #[inline]
    pub fn iter(&self) -> Iter<'_, K, G> {
        Iter::new(self.map.keys())
    }

    /// Removes the keys that are present throughout. See [`ShardSet::clear`].
    pub fn clear(&self) {
        self.map.clear();
    }

    /// The map inside, pinned, for the parallel iterators.
    #[cfg(feature = "rayon")]
    pub(super) fn pinned_map(&self) -> &ShardMapRef<'_, K, (), S, G> {
        &self.map
    }
}

impl<K, S, G> ShardSetRef<'_, K, S, G>
where
    K: Hash + Eq,
    S: BuildHasher,
    G: Guard,
{
    /// Whether the key is present. See [`ShardSet::contains`].
    #[inline]
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map.contains_key(key)
    }

    /// The stored key that is equal to this one. See [`ShardSet::get`].
    #[inline]
    pub fn get<Q>(&self, key: &Q) -> Option<&K>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map.get_key_value(key).map(|(key, ())| key)
    }

    /// Puts the key in; `true` if no equal key was there. See [`ShardSet::insert`].
    #[inline]
    pub fn insert(&self, key: K) -> bool {
        self.map.insert(key, ()).is_none()
    }

    /// Removes the key; `true` if it was there. See [`ShardSet::remove`].
    #[inline]
    pub fn remove<Q>(&self, key: &Q) -> bool
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map.remove(key).is_some()
    }

    /// Removes every key for which the closure returns `false`. See [`ShardSet::retain`].
    pub fn retain<F>(&self, mut f: F)
    where
        F: FnMut(&K) -> bool,
    {
        self.map.retain(|key, ()| f(key));
    }

    /// Makes room for `additional` more keys. See [`ShardSet::reserve`].
    ///
    /// # Panics
    /// If the room exceeds the address space.
    pub fn reserve(&self, additional: usize) {
        self.map.reserve(additional);
    }

    /// Makes room for `additional` more keys, or says why it cannot. See
    /// [`ShardSet::try_reserve`].
    ///
    /// # Errors
    /// [`TryReserveError`] if the room exceeds the address space or the allocator refuses.
    pub fn try_reserve(&self, additional: usize) -> Result<(), TryReserveError> {
        self.map.try_reserve(additional)
    }

    /// Gives back the room that the keys do not need. See [`ShardSet::shrink_to_fit`].
    pub fn shrink_to_fit(&self) {
        self.map.shrink_to_fit();
    }
}

impl<K: fmt::Debug, S, G: Guard> fmt::Debug for ShardSetRef<'_, K, S, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

impl<'a, K, S, G: Guard> IntoIterator for &'a ShardSetRef<'_, K, S, G> {
    type Item = &'a K;
    type IntoIter = Iter<'a, K, G>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
