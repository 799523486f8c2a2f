//! Settings of a map before it is made.
use super::ShardMap;
use super::raw::Entry;
use crate::map::ResizeMode;
use crate::reclaim::Hook;
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
}

impl<K, V> ShardMapBuilder<K, V> {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            capacity: 0,
            mode: ResizeMode::default(),
            hook: None,
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

    /// Makes the map.
    ///
    /// # Panics
    /// If the room asked for exceeds the address space.
    #[must_use]
    pub fn build(self) -> ShardMap<K, V, S> {
        ShardMap::from_parts(self.capacity, self.hasher, self.mode, self.hook)
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
