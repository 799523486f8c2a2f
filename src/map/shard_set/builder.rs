//! Settings of a set before it is made.
use super::ShardSet;
use crate::map::{ResizeMode, ShardMap, ShardMapBuilder};
use crate::shard::Place;
use core::fmt;
use std::hash::RandomState;

/// Settings of a [`ShardSet`] before it is made.
///
/// ```
/// use atomshard::{ResizeMode, ShardSet};
///
/// let set: ShardSet<u64, _> = ShardSet::builder()
///     .capacity(2048)
///     .hasher(foldhash::fast::RandomState::default())
///     .resize_mode(ResizeMode::Incremental(64))
///     .build();
/// assert!(set.capacity() >= 2048);
/// ```
#[must_use = "a builder makes nothing before `build`"]
pub struct ShardSetBuilder<K, S = RandomState> {
    map: ShardMapBuilder<K, (), S>,
}

impl<K> ShardSetBuilder<K> {
    pub(super) fn new() -> Self {
        Self {
            map: ShardMap::builder(),
        }
    }

    /// Hashes with `hasher` instead of a randomly seeded [`RandomState`].
    ///
    /// A hasher without a random seed lets whoever chooses the keys make them collide.
    pub fn hasher<S>(self, hasher: S) -> ShardSetBuilder<K, S> {
        ShardSetBuilder {
            map: self.map.hasher(hasher),
        }
    }
}

impl<K, S> ShardSetBuilder<K, S> {
    /// Makes room for this many keys at once. Zero, the default, allocates nothing unless there is a
    /// [placement](Self::placement).
    pub fn capacity(self, capacity: usize) -> Self {
        Self {
            map: self.map.capacity(capacity),
        }
    }

    /// How much of a running resize one write takes on; see [`ResizeMode`].
    pub fn resize_mode(self, resize_mode: ResizeMode) -> Self {
        Self {
            map: self.map.resize_mode(resize_mode),
        }
    }

    /// Has the table of each shard on the memory node that `place` says: see
    /// [`ShardMapBuilder::placement`](crate::ShardMapBuilder::placement).
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
    pub fn build(self) -> ShardSet<K, S> {
        ShardSet {
            map: self.map.build(),
        }
    }
}

impl<K, S> fmt::Debug for ShardSetBuilder<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardSetBuilder")
            .field("map", &self.map)
            .finish()
    }
}
