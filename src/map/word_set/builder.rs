//! Settings of a set before it is made.
use super::WordSet;
use crate::map::{Word, WordMap, WordMapBuilder};
use crate::shard::Place;
use core::fmt;
use core::hash::BuildHasher;
use std::hash::RandomState;

/// Settings of a [`WordSet`] before it is made.
///
/// ```
/// use atomshard::WordSet;
///
/// let set: WordSet<u64, _> = WordSet::builder()
///     .capacity(2048)
///     .hasher(foldhash::fast::RandomState::default())
///     .build();
/// assert!(set.capacity() >= 2048);
/// ```
#[must_use = "a builder makes nothing before `build`"]
pub struct WordSetBuilder<K, S = RandomState> {
    map: WordMapBuilder<K, (), S>,
}

impl<K: Word> WordSetBuilder<K> {
    pub(super) fn new() -> Self {
        Self {
            map: WordMap::builder(),
        }
    }

    /// Takes the numbers by which keys are mixed from `hasher`, instead of a randomly seeded [`RandomState`].
    pub fn hasher<S>(self, hasher: S) -> WordSetBuilder<K, S> {
        WordSetBuilder {
            map: self.map.hasher(hasher),
        }
    }
}

impl<K: Word, S: BuildHasher> WordSetBuilder<K, S> {
    /// Makes room for this many keys at once. Zero, the default, allocates nothing unless there is a
    /// [placement](Self::placement).
    pub fn capacity(self, capacity: usize) -> Self {
        Self {
            map: self.map.capacity(capacity),
        }
    }

    /// Has the table of each shard on the memory node that `place` says: see
    /// [`WordMapBuilder::placement`](crate::WordMapBuilder::placement).
    pub fn placement(self, place: &impl Place) -> Self {
        Self {
            map: self.map.placement(place),
        }
    }

    /// Makes the set.
    ///
    /// # Panics
    /// If the room asked for exceeds the address space.
    #[must_use]
    pub fn build(self) -> WordSet<K, S> {
        WordSet {
            map: self.map.build(),
        }
    }
}

impl<K, S> fmt::Debug for WordSetBuilder<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WordSetBuilder")
            .field("map", &self.map)
            .finish()
    }
}
