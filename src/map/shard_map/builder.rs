//! Settings of a map before it is made.
use super::ShardMap;
use super::raw::Entry;
use crate::map::{ResizeMode, nodes_of};
use crate::reclaim::Hook;
use crate::shard::{Node, Place};
use crate::table::SHARDS;
use core::fmt;
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
    hook: Option<Hook<Entry<K, V>>>,
    nodes: Vec<Option<Node>>,
}

impl<K, V> ShardMapBuilder<K, V> {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            capacity: 0,
            mode: ResizeMode::default(),
            hook: None,
            nodes: Vec::new(),
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
            hook: self.hook,
            nodes: self.nodes,
        }
    }
}

impl<K, V, S> ShardMapBuilder<K, V, S> {
    /// Makes room for this many entries at once. Zero, the default, allocates nothing unless there is a
    /// [placement](Self::placement).
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

    /// Calls `f` with each key and value that were in the map, when nobody can see them any more, instead
    /// of dropping them: whether they were removed or replaced, or the map ends. What
    /// leaves the map owned, by [`detach`](ShardMap::detach) or `into_iter`, is not given to `f`.
    ///
    /// It runs where a destructor would: on any thread that uses the map, when a guard ends, for many entries
    /// after each other. It may use the map. If it panics, the panic hook reports it and it goes no further,
    /// except that what it was given is dropped.
    ///
    /// ```
    /// use atomshard::ShardMap;
    /// use std::sync::Mutex;
    /// use std::sync::mpsc::channel;
    ///
    /// let (send, receive) = channel();
    /// let send = Mutex::new(send);
    /// let map = ShardMap::builder()
    ///     .on_drop(move |key: u32, value: String| send.lock().unwrap().send((key, value)).unwrap())
    ///     .build();
    /// map.pin().insert(1, "a".to_owned());
    /// drop(map);
    /// assert_eq!(receive.recv(), Ok((1, "a".to_owned())));
    /// ```
    pub fn on_drop(self, f: impl Fn(K, V) + Send + Sync + 'static) -> Self {
        let hook = Hook::new(move |entry: Entry<K, V>| f(entry.key, entry.value));
        Self {
            hook: Some(hook),
            ..self
        }
    }

    /// Has the header and the table of each of the 32 shards on the memory node that `place` says, now and after each
    /// resize. Of a shard without a node nothing changes.
    ///
    /// Entries are not placed: they are cut from memory of the thread that inserts them, and so lie on the node
    /// where that thread runs. To have both near, run threads pinned, each with keys of its own. Nor are the directory
    /// of the shards, which every thread reads, and lines behind full ones. `Plan::verify_map` (feature `topology`) says where
    /// all of it is.
    ///
    /// - *Consistency*: a table is given its node before anything is written to it. What the kernel does then, and a
    ///   refusal, are not told here but by `Plan::verify_map`; the map works all the same.
    /// - *Progress*: a write that begins a resize makes one system call more.
    /// - *Cost*: none in operations. A shard's table takes whole pages: 32 of them, 128 KiB with pages of 4 KiB, as soon as the map is
    ///   built, and at most a page for each shard more than without. The capacity may be zero all the same.
    /// - *Errors*: none. A node that is absent is as a refusal.
    /// - *Source*: `mbind(2)`.
    ///
    /// `clone` makes a map without a placement.
    ///
    /// ```
    /// use atomshard::ShardMap;
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
    /// let map = ShardMap::builder().placement(&OnFirst).build();
    /// assert_eq!(map.pin().insert("key", 1), None);
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
    pub fn build(self) -> ShardMap<K, V, S> {
        ShardMap::from_parts(
            self.capacity,
            self.hasher,
            self.mode,
            self.hook,
            &self.nodes,
        )
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
