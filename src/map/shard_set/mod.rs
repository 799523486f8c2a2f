//! `ShardSet`: a [`ShardMap`] whose values are nothing.
mod builder;
mod iter;
mod pinned;
#[cfg(feature = "rayon")]
mod rayon;
#[cfg(feature = "serde")]
mod serde;
mod traits;

pub use builder::ShardSetBuilder;
pub use iter::{IntoIter, Iter};
pub use pinned::ShardSetRef;
#[cfg(feature = "rayon")]
pub use rayon::ParIter;

use crate::error::TryReserveError;
use crate::map::{ResizeMode, ShardMap};
use crate::reclaim::{Guard, LocalGuard, OwnedGuard};
use core::hash::{BuildHasher, Hash};
use equivalent::Equivalent;
use std::hash::RandomState;

/// A lock-free sharded hash set: a [`ShardMap`] whose values are nothing.
///
/// Layout, consistency, progress, cost and behaviour on panics are those of the map.
///
/// ```
/// let set = atomshard::ShardSet::new();
/// let set = set.pin();
/// assert!(set.insert("a"));
/// assert!(!set.insert("a"));
/// assert!(set.contains("a"));
/// ```
pub struct ShardSet<K, S = RandomState> {
    map: ShardMap<K, (), S>,
}

impl<K> ShardSet<K> {
    /// Makes an empty set. It allocates nothing before the first insertion.
    #[must_use]
    pub fn new() -> Self {
        Self {
            map: ShardMap::new(),
        }
    }

    /// Makes an empty set with room for `capacity` keys. See [`ShardMap::with_capacity`].
    ///
    /// # Panics
    /// If the room exceeds the address space.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            map: ShardMap::with_capacity(capacity),
        }
    }

    /// Starts a set with settings: room, hasher, resize mode.
    pub fn builder() -> ShardSetBuilder<K> {
        ShardSetBuilder::new()
    }
}

impl<K, S> ShardSet<K, S> {
    /// Makes an empty set that hashes with `hash_builder`. See [`ShardMap::with_hasher`].
    #[must_use]
    pub fn with_hasher(hash_builder: S) -> Self {
        Self {
            map: ShardMap::with_hasher(hash_builder),
        }
    }

    /// Makes an empty set with room for `capacity` keys that hashes with `hash_builder`.
    ///
    /// # Panics
    /// If the room exceeds the address space.
    #[must_use]
    pub fn with_capacity_and_hasher(capacity: usize, hash_builder: S) -> Self {
        Self {
            map: ShardMap::with_capacity_and_hasher(capacity, hash_builder),
        }
    }

    /// Pins the set with a guard of the calling thread. See [`ShardMap::pin`].
    #[inline]
    pub fn pin(&self) -> ShardSetRef<'_, K, S, LocalGuard<'_>> {
        ShardSetRef::new(self, self.map.pin())
    }

    /// Pins the set with a guard that is `Send` and `Sync`. See [`ShardMap::pin_owned`].
    #[inline]
    pub fn pin_owned(&self) -> ShardSetRef<'_, K, S, OwnedGuard<'_>> {
        ShardSetRef::new(self, self.map.pin_owned())
    }

    /// Makes a guard of the calling thread. See [`ShardMap::guard`].
    #[inline]
    #[must_use]
    pub fn guard(&self) -> LocalGuard<'_> {
        self.map.guard()
    }

    /// Makes a guard that is `Send` and `Sync`. See [`ShardMap::owned_guard`].
    #[inline]
    #[must_use]
    pub fn owned_guard(&self) -> OwnedGuard<'_> {
        self.map.owned_guard()
    }

    /// The number of keys; exact while no write is running. See [`ShardMap::len`].
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there is no key; as exact as [`len`](Self::len).
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Bytes of keys that were removed or replaced and are not freed yet. See
    /// [`ShardMap::retired_bytes`].
    #[must_use]
    pub fn retired_bytes(&self) -> usize {
        self.map.retired_bytes()
    }

    /// How many keys the present tables take. See [`ShardMap::capacity`].
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.map.capacity()
    }

    /// The hasher in use.
    #[inline]
    #[must_use]
    pub fn hasher(&self) -> &S {
        self.map.hasher()
    }

    /// How much of a running resize one write takes on.
    #[inline]
    #[must_use]
    pub fn resize_mode(&self) -> ResizeMode {
        self.map.resize_mode()
    }

    /// Visits all keys in no particular order. See [`ShardMap::iter`].
    ///
    /// # Panics
    /// If `guard` is of another map or set.
    #[inline]
    pub fn iter<'g, G: Guard>(&self, guard: &'g G) -> Iter<'g, K, G> {
        Iter::new(self.map.keys(guard))
    }

    /// Removes the keys that are present throughout. See [`ShardMap::clear`].
    ///
    /// # Panics
    /// If `guard` is of another map or set.
    pub fn clear(&self, guard: &impl Guard) {
        self.map.clear(guard);
    }
}

impl<K, S> ShardSet<K, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    /// Whether the key is present. See [`ShardMap::get`] for guarantees and cost.
    ///
    /// # Panics
    /// If `guard` is of another map or set.
    #[inline]
    pub fn contains<Q>(&self, key: &Q, guard: &impl Guard) -> bool
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map.contains_key(key, guard)
    }

    /// The stored key that is equal to this one. See [`ShardMap::get`].
    ///
    /// # Panics
    /// If `guard` is of another map or set.
    #[inline]
    pub fn get<'g, Q>(&self, key: &Q, guard: &'g impl Guard) -> Option<&'g K>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map.get_key_value(key, guard).map(|(key, ())| key)
    }

    /// Puts the key in; `true` if no equal key was there.
    ///
    /// A present key is replaced by this one, which differs from std's set if equal keys can be
    /// told apart. See [`ShardMap::insert`] for guarantees and cost.
    ///
    /// # Panics
    /// If `guard` is of another map or set.
    #[inline]
    pub fn insert(&self, key: K, guard: &impl Guard) -> bool {
        self.map.insert(key, (), guard).is_none()
    }

    /// Removes the key; `true` if it was there. See [`ShardMap::remove`].
    ///
    /// # Panics
    /// If `guard` is of another map or set.
    #[inline]
    pub fn remove<Q>(&self, key: &Q, guard: &impl Guard) -> bool
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map.remove_entry(key, guard).is_some()
    }

    /// Removes every key for which the closure returns `false`. See [`ShardMap::retain`].
    ///
    /// # Panics
    /// If `guard` is of another map or set, or if the closure panics.
    pub fn retain<F>(&self, mut f: F, guard: &impl Guard)
    where
        F: FnMut(&K) -> bool,
    {
        self.map.retain(|key, ()| f(key), guard);
    }

    /// Makes room for `additional` more keys. See [`ShardMap::reserve`].
    ///
    /// # Panics
    /// If `guard` is of another map or set, or if the room exceeds the address space.
    pub fn reserve(&self, additional: usize, guard: &impl Guard) {
        self.map.reserve(additional, guard);
    }

    /// Makes room for `additional` more keys, or says why it cannot. See
    /// [`ShardMap::try_reserve`].
    ///
    /// # Errors
    /// [`TryReserveError`] if the room exceeds the address space or the allocator refuses.
    ///
    /// # Panics
    /// If `guard` is of another map or set.
    pub fn try_reserve(
        &self,
        additional: usize,
        guard: &impl Guard,
    ) -> Result<(), TryReserveError> {
        self.map.try_reserve(additional, guard)
    }

    /// Gives back the room that the keys do not need. See [`ShardMap::shrink_to_fit`].
    ///
    /// # Panics
    /// If `guard` is of another map or set.
    pub fn shrink_to_fit(&self, guard: &impl Guard) {
        self.map.shrink_to_fit(guard);
    }
}
