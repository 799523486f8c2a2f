//! Settings of a map before it is made.
use super::WordMap;
use super::word::Word;
use crate::map::nodes_of;
use crate::shard::{Node, Place};
use crate::table::pairs::SHARDS;
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
    nodes: Vec<Option<Node>>,
    makes: PhantomData<fn() -> (K, V)>,
}

impl<K: Word, V: Word> WordMapBuilder<K, V> {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            capacity: 0,
            nodes: Vec::new(),
            makes: PhantomData,
        }
    }

    /// Takes the numbers by which keys are mixed from `hasher`, instead of a randomly seeded [`RandomState`].
    pub fn hasher<S>(self, hasher: S) -> WordMapBuilder<K, V, S> {
        WordMapBuilder {
            hasher,
            capacity: self.capacity,
            nodes: self.nodes,
            makes: PhantomData,
        }
    }
}

impl<K: Word, V: Word, S: BuildHasher> WordMapBuilder<K, V, S> {
    /// Makes room for this many entries at once. Zero, the default, allocates nothing unless there is a
    /// [placement](Self::placement).
    pub fn capacity(self, capacity: usize) -> Self {
        Self { capacity, ..self }
    }

    /// Has the header and the table of each of the 32 shards, and so its keys and values, on the memory node that `place` says,
    /// now and after each resize. Of a shard without a node nothing changes.
    ///
    /// Lines behind links are not placed: they are cut from memory of the thread that makes them, and so lie on the node
    /// where that thread runs. Nor is the directory of the shards, which every thread reads. `Plan::verify_map` (feature
    /// `topology`) says where all of it is.
    ///
    /// - *Consistency*: a table is given its node before anything is written to it. What the kernel does then, and a
    ///   refusal, are not told here but by `Plan::verify_map`; the map works all the same.
    /// - *Progress*: a write that begins a resize asks the kernel for memory also where the table is small, and makes one system
    ///   call more.
    /// - *Cost*: none in operations. A shard's table takes whole pages: 32 of them, 128 KiB with pages of 4 KiB, as soon as the map is
    ///   built, and at most a page for each shard more than without. Tables that were outgrown keep addresses and no pages (on
    ///   Linux), also small ones.
    /// - *Errors*: none. A node that is absent is as a refusal.
    /// - *Source*: `mbind(2)`.
    ///
    /// `clone` makes a map without a placement.
    ///
    /// ```
    /// use atomshard::WordMap;
    /// use atomshard::shard::{Node, Place};
    ///
    /// struct OnFirst;
    ///
    /// impl Place for OnFirst {
    ///     fn node(&self, _shard: usize) -> Option<Node> {
    ///         Some(Node::Preferred(0))
    ///     }
    /// }
    ///
    /// let map = WordMap::builder().placement(&OnFirst).build();
    /// assert_eq!(map.insert(1_u64, 1_u64), None);
    /// ```
    pub fn placement(self, place: &impl Place) -> Self {
        Self {
            nodes: nodes_of(place, SHARDS),
            ..self
        }
    }

    /// Makes the map.
    ///
    /// # Panics
    /// If the room asked for exceeds the address space.
    #[must_use]
    pub fn build(self) -> WordMap<K, V, S> {
        WordMap::from_parts(self.capacity, self.hasher, &self.nodes)
    }
}

impl<K, V, S> fmt::Debug for WordMapBuilder<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WordMapBuilder")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
