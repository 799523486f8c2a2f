//! Settings of a map before it is made.
use super::ShardMap;
use crate::map::ResizeMode;
use core::fmt;
use core::marker::PhantomData;
use std::hash::RandomState;

/// Settings of a [`ShardMap`] before it is made.
///
/// ```
/// use atomshard::{ResizeMode, ShardMap};
///
/// let map: ShardMap<u64, String, _> = ShardMap::builder()
///     .capacity(2048)
///     .hasher(foldhash::fast::RandomState::default())
///     .resize_mode(ResizeMode::Blocking)
///     .build();
/// assert!(map.capacity() >= 2048);
/// ```
#[must_use = "a builder makes nothing before `build`"]
pub struct ShardMapBuilder<K, V, S = RandomState> {
    hasher: S,
    capacity: usize,
    mode: ResizeMode,
    makes: PhantomData<fn() -> (K, V)>,
}

impl<K, V> ShardMapBuilder<K, V> {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            capacity: 0,
            mode: ResizeMode::default(),
            makes: PhantomData,
        }
    }

    /// Hashes with `hasher` instead of a randomly seeded [`RandomState`].
    ///
    /// A hasher without a random seed lets whoever chooses the keys make them collide.
    pub fn hasher<S>(self, hasher: S) -> ShardMapBuilder<K, V, S> {
        ShardMapBuilder {
            hasher,
            capacity: self.capacity,
            mode: self.mode,
            makes: PhantomData,
        }
    }
}

impl<K, V, S> ShardMapBuilder<K, V, S> {
    /// Makes room for this many entries at once. Zero, the default, allocates nothing.
    pub fn capacity(self, capacity: usize) -> Self {
        Self { capacity, ..self }
    }

    /// How much of a running resize one write takes on; see [`ResizeMode`].
    pub fn resize_mode(self, resize_mode: ResizeMode) -> Self {
        Self {
            mode: resize_mode,
            ..self
        }
    }

    /// Makes the map.
    ///
    /// # Panics
    /// If the room asked for exceeds the address space.
    #[must_use]
    pub fn build(self) -> ShardMap<K, V, S> {
        ShardMap::from_parts(self.capacity, self.hasher, self.mode)
    }
}

impl<K, V, S> fmt::Debug for ShardMapBuilder<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardMapBuilder")
            .field("capacity", &self.capacity)
            .field("resize_mode", &self.mode)
            .finish_non_exhaustive()
    }
}
