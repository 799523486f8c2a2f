//! Settings of a map before it is made.
use super::WordMap;
use super::word::Word;
use core::fmt;
use core::hash::BuildHasher;
use core::marker::PhantomData;
use std::hash::RandomState;

/// Settings of a [`WordMap`] before it is made.
///
/// ```
/// use atomshard::WordMap;
///
/// let map: WordMap<u64, u32, _> = WordMap::builder()
///     .capacity(2048)
///     .hasher(foldhash::fast::RandomState::default())
///     .build();
/// assert!(map.capacity() >= 2048);
/// ```
#[must_use = "a builder makes nothing before `build`"]
pub struct WordMapBuilder<K, V, S = RandomState> {
    hasher: S,
    capacity: usize,
    makes: PhantomData<fn() -> (K, V)>,
}

impl<K: Word, V: Word> WordMapBuilder<K, V> {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            capacity: 0,
            makes: PhantomData,
        }
    }

    /// Takes the numbers by which keys are mixed from `hasher`, instead of a randomly seeded [`RandomState`].
    pub fn hasher<S>(self, hasher: S) -> WordMapBuilder<K, V, S> {
        WordMapBuilder {
            hasher,
            capacity: self.capacity,
            makes: PhantomData,
        }
    }
}

impl<K: Word, V: Word, S: BuildHasher> WordMapBuilder<K, V, S> {
    /// Makes room for this many entries at once. Zero, the default, allocates nothing.
    pub fn capacity(self, capacity: usize) -> Self {
        Self { capacity, ..self }
    }

    /// Makes the map.
    ///
    /// # Panics
    /// If the room asked for exceeds the address space.
    #[must_use]
    pub fn build(self) -> WordMap<K, V, S> {
        WordMap::with_capacity_and_hasher(self.capacity, self.hasher)
    }
}

impl<K, V, S> fmt::Debug for WordMapBuilder<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WordMapBuilder")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
