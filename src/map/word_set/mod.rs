//! `WordSet`: a [`WordMap`] whose values are nothing.
mod builder;
mod iter;
#[cfg(feature = "rayon")]
mod rayon;
#[cfg(feature = "serde")]
mod serde;
mod traits;

pub use builder::WordSetBuilder;
pub use iter::Iter;
#[cfg(feature = "rayon")]
pub use rayon::ParIter;

use crate::error::TryReserveError;
use crate::map::{Word, WordMap};
use core::hash::BuildHasher;
use std::hash::RandomState;

/// A lock-free sharded set of words: a [`WordMap`] whose values are nothing.
///
/// Layout, consistency, progress, cost, hashing, memory and what may be shared between threads are those of the map.
///
/// ```
/// let set = atomshard::WordSet::new();
/// assert!(set.insert(7_u32));
/// assert!(!set.insert(7));
/// assert!(set.contains(7));
/// ```
pub struct WordSet<K, S = RandomState> {
    map: WordMap<K, (), S>,
}

impl<K: Word> WordSet<K> {
    /// Makes an empty set. It allocates nothing before the first insertion.
    #[must_use]
    pub fn new() -> Self {
        Self {
            map: WordMap::new(),
        }
    }

    /// Makes an empty set with room for `capacity` keys. See [`WordMap::with_capacity`].
    ///
    /// # Panics
    /// If the room exceeds the address space.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            map: WordMap::with_capacity(capacity),
        }
    }

    /// Starts a set with settings.
    pub fn builder() -> WordSetBuilder<K> {
        WordSetBuilder::new()
    }
}

impl<K: Word, S: BuildHasher> WordSet<K, S> {
    /// Makes an empty set whose keys are mixed by numbers from `hash_builder`. See [`WordMap::with_hasher`].
    #[must_use]
    pub fn with_hasher(hash_builder: S) -> Self {
        Self {
            map: WordMap::with_hasher(hash_builder),
        }
    }

    /// Makes an empty set with room for `capacity` keys, mixed by numbers from `hash_builder`.
    ///
    /// # Panics
    /// If the room exceeds the address space.
    #[must_use]
    pub fn with_capacity_and_hasher(capacity: usize, hash_builder: S) -> Self {
        Self {
            map: WordMap::with_capacity_and_hasher(capacity, hash_builder),
        }
    }
}

impl<K, S> WordSet<K, S> {
    /// The number of keys; exact when no write is running. See [`WordMap::len`].
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there is no key; as [`len`](Self::len).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// The number of keys that the present tables are made for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.map.capacity()
    }

    /// What has keyed the bijection.
    pub fn hasher(&self) -> &S {
        self.map.hasher()
    }
}

impl<K: Word, S> WordSet<K, S> {
    /// Whether the key is present. See [`WordMap::get`] for guarantees and cost.
    #[inline]
    pub fn contains(&self, key: K) -> bool {
        self.map.contains(key)
    }

    /// Puts the key in; `true` if it was absent.
    ///
    /// *Consistency, progress, cost*: as [`WordMap::insert`] if the key is absent, as [`WordMap::get`] otherwise.
    ///
    /// # Panics
    /// Aborts as [`WordMap::insert`] does.
    #[inline]
    pub fn insert(&self, key: K) -> bool {
        self.map.insert_if_absent(key, ()).is_ok()
    }

    /// Removes the key; `true` if it was present. See [`WordMap::remove`].
    #[inline]
    pub fn remove(&self, key: K) -> bool {
        self.map.remove(key).is_some()
    }

    /// Asks for many keys; `present[i]` becomes whether `keys[i]` is present. See [`WordMap::contains_many`].
    ///
    /// # Panics
    /// If the slices differ in length; nothing was looked up then.
    pub fn contains_many(&self, keys: &[K], present: &mut [bool]) {
        self.map.contains_many(keys, present);
    }

    /// Inserts many keys; `new[i]` becomes whether `keys[i]` was absent.
    ///
    /// *Consistency*: each insert linearizes by itself, in order: of equal keys the first is new. *Progress, cost*: as
    /// [`WordMap::insert_many`].
    ///
    /// # Panics
    /// If the slices differ in length; nothing was inserted then. Aborts as [`WordMap::insert`] does.
    ///
    /// ```
    /// let set = atomshard::WordSet::from([1]);
    /// let mut new = [false; 4];
    /// set.insert_many(&[3, 1, 2, 3], &mut new);
    /// assert_eq!(new, [true, false, true, false]);
    /// ```
    pub fn insert_many(&self, keys: &[K], new: &mut [bool]) {
        self.map.insert_many_if_absent(keys, (), new);
    }

    /// Removes many keys; `removed[i]` becomes whether `keys[i]` was present.
    ///
    /// *Consistency, progress, cost*: as [`WordMap::remove_many`].
    ///
    /// # Panics
    /// If the slices differ in length; nothing was removed then.
    pub fn remove_many(&self, keys: &[K], removed: &mut [bool]) {
        self.map.remove_many_present(keys, removed);
    }

    /// Visits all keys in no particular order. See [`WordMap::iter`].
    pub fn iter(&self) -> Iter<'_, K, S> {
        Iter::new(self.map.keys())
    }

    /// Calls `f` with every key; as [`iter`](Self::iter).
    ///
    /// # Panics
    /// If `f` does.
    pub fn for_each(&self, f: impl FnMut(K)) {
        self.iter().for_each(f);
    }

    /// Removes every key for which the closure returns `false`. See [`WordMap::retain`].
    ///
    /// # Panics
    /// If the closure does; what it removed before stays removed.
    pub fn retain(&self, mut f: impl FnMut(K) -> bool) {
        self.map.retain(|key, ()| f(key));
    }

    /// Removes the keys that are present throughout. See [`WordMap::clear`].
    pub fn clear(&self) {
        self.map.clear();
    }

    /// Makes room for `additional` more keys. See [`WordMap::reserve`].
    ///
    /// # Panics
    /// If the room exceeds the address space.
    pub fn reserve(&self, additional: usize) {
        self.map.reserve(additional);
    }

    /// Makes room for `additional` more keys, or says why it cannot. See [`WordMap::try_reserve`].
    ///
    /// # Errors
    /// [`TryReserveError`] if the room exceeds the address space or the allocator refuses.
    pub fn try_reserve(&self, additional: usize) -> Result<(), TryReserveError> {
        self.map.try_reserve(additional)
    }

    /// Gives back the room that the keys do not need. See [`WordMap::shrink_to_fit`].
    pub fn shrink_to_fit(&self) {
        self.map.shrink_to_fit();
    }
}
