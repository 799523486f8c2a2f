//! `ShardMap`: the general lock-free map, any key, any value, references under a guard.
//!
//! This folder is the face: names, bounds, documentation and delegation. The algorithm is in
//! `raw/`; nothing here touches an atomic or a raw pointer.
//!
//! | file | what |
//! |---|---|
//! | `mod.rs` | the type, constructors, guards, sizes |
//! | `access.rs` | look-ups, insert, remove |
//! | `atomic.rs` | conditional and read-modify-write operations |
//! | `bulk.rs` | iteration, retain, clear, room |
//! | `ops.rs` | what the operations do once the guard is known to fit |
//! | `pinned.rs` | `ShardMapRef`: the same operations under a guard it holds |
//! | `entry_ref.rs` | `EntryRef`: entries kept without a guard |
//! | `detached.rs` | `Detached`: entries taken out as a whole |
//! | `builder.rs`, `iter.rs`, `traits.rs`, `serde.rs`, `rayon.rs` | what their names say |
mod access;
mod atomic;
mod builder;
mod bulk;
mod detached;
mod entry_ref;
mod iter;
mod ops;
mod pinned;
pub(crate) mod raw;
#[cfg(feature = "rayon")]
mod rayon;
#[cfg(feature = "serde")]
mod serde;
mod traits;

pub use builder::ShardMapBuilder;
pub use detached::Detached;
pub use entry_ref::{EntryRef, MapHandle};
pub use iter::{IntoIter, Iter, Keys, Values};
pub use pinned::ShardMapRef;
#[cfg(feature = "rayon")]
pub use rayon::ParIter;

use crate::map::ResizeMode;
use crate::reclaim::{Guard, Hook, LocalGuard, OwnedGuard};
use crate::shard::Node;
use core::hash::{BuildHasher, Hash};
use core::marker::PhantomData;
use raw::{Entry, RawMap};
use std::hash::RandomState;

/// A lock-free sharded hash map: any key, any value, references under a guard.
///
/// All operations take `&self`. Those that look at entries also take a [`Guard`], and what they
/// return lives as long as the guard is borrowed: an entry that somebody removes or replaces in
/// the meantime stays readable until then. [`pin`](Self::pin) makes a guard and hands out a
/// [`ShardMapRef`] that passes it to each call.
///
/// ```
/// use atomshard::ShardMap;
///
/// let map = ShardMap::new();
/// std::thread::scope(|s| {
///     s.spawn(|| map.pin().insert("left", 1).copied());
///     s.spawn(|| map.pin().insert("right", 2).copied());
/// });
/// let map = map.pin();
/// assert_eq!(map.get("left"), Some(&1));
/// assert_eq!(map.len(), 2);
/// ```
///
/// # Layout
/// The hash picks a shard, then a bucket in the shard's table. A bucket is one line of 64 bytes:
/// seven pointers that carry a part of the hash as a tag, and a link to the next line for the
/// rare bucket with more than seven entries. Each entry is a block of the map's memory that holds
/// the hash, the key and the value, and never changes: to update is to replace. A block whose
/// entry was freed serves the next one; the memory goes back with the map, or by
/// [`shrink_to_fit`](Self::shrink_to_fit).
///
/// # Consistency
/// Every operation on one key is linearizable: it takes effect at one instant between its call
/// and its return, and whoever sees the effect also sees what the writing thread did before.
/// Who finds nothing sees nothing of who removed, and may look before its own write of another
/// key has reached the others: of two threads that each insert one key and then look for
/// the other's, both may miss. A `fence(SeqCst)` between the two calls rules that out; x86-64
/// needs none.
/// Operations that span keys ([`iter`](Self::iter), [`retain`](Self::retain),
/// [`clear`](Self::clear), [`len`](Self::len), `clone`, `==`) are weakly consistent: an entry
/// present throughout is seen exactly once, one that comes or goes meanwhile may or may not be
/// seen; so a key that is removed and inserted again meanwhile may be seen twice.
///
/// # Progress
/// Lock-free, all of it: whatever a thread does, even if it stops for ever in the middle, the
/// others get on. Readers never wait and never help. A writer that meets a running resize moves
/// at most the buckets that [`ResizeMode`] allows. Some things are not the map's and have
/// their progress, not ours: the global allocator and the kernel, which an insertion calls when no
/// freed entry is at hand, and the destructors of removed entries, which run in guards as they are
/// dropped. A guard that is held keeps removed entries, of all maps, from being freed; it stops
/// nobody.
///
/// A removed value is dropped by the thread that removed it, in its later writes: once every guard of
/// that moment is gone, within two batches of what it removes and replaces (see
/// [`retired_bytes`](Self::retired_bytes)). That bounds writes and not time: a thread that rests keeps
/// what it has until it writes again or calls [`flush`](Guard::flush), or, if it has ended, until another thread takes its record or calls `flush`.
///
/// # Cost
/// Cold lines are those that no cache near the core holds; the words that lead to a shard are a
/// few lines shared by all operations and stay hot.
///
/// | operation | cold lines | locked read-modify-writes | allocations |
/// |---|---|---|---|
/// | look-up, present | 2: bucket, entry | 0 | 0 |
/// | look-up, absent | 1: bucket | 0 | 0 |
/// | insert a new key | 1 + the new entry | 2 on the bucket | 0, or a chunk for many |
/// | replace | 2 + the new entry | 1 on the bucket | 0, or a chunk for many |
/// | remove | 2 | 1 on the bucket | 0 |
///
/// A bucket with more than seven entries costs one more line per seven. Two tags agree by
/// chance now and then; each such case costs one more entry line.
///
/// # Panics
/// A `Hash`, an `Eq` or a closure that panics leaves the map usable: the operation has either
/// happened or not, and every key and value is dropped exactly once. A method that is given a
/// guard of another map panics before it touches anything.
///
/// # Threads and lifetimes
/// The map is `Send` if `K`, `V` and `S` are. It is `Sync` if `K` and `V` are `Send + Sync` and
/// `S` is `Sync`: keys and values are read by all threads, and dropped by any.
///
/// ```
/// fn shared<T: Sync>() {}
/// shared::<atomshard::ShardMap<std::sync::Arc<u8>, u8>>();
/// ```
/// ```compile_fail,E0277
/// fn shared<T: Sync>() {}
/// shared::<atomshard::ShardMap<std::rc::Rc<u8>, u8>>();
/// ```
///
/// Keys and values may borrow from whatever outlives the map. Since `&map` is enough to insert,
/// a map of long-lived references is not one of short-lived references:
///
/// ```
/// fn same<'a>(map: &'a atomshard::ShardMap<u8, &'a str>) -> &'a atomshard::ShardMap<u8, &'a str> {
///     map
/// }
/// ```
/// ```compile_fail
/// fn shorter<'a>(
///     map: &'a atomshard::ShardMap<u8, &'static str>,
/// ) -> &'a atomshard::ShardMap<u8, &'a str> {
///     map
/// }
/// ```
///
/// # Hashing
/// The default is std's randomly seeded [`RandomState`], which withstands keys chosen to
/// collide. A faster hasher is a type parameter away. Keys that do share their hash cost time,
/// never memory: the table does not grow because of them.
pub struct ShardMap<K, V, S = RandomState> {
    raw: RawMap<K, V>,
    hasher: S,
    /// Keys and values go in and come out through `&self`, so the map is invariant in both.
    both_ways: PhantomData<BothWays<K, V>>,
}

type BothWays<K, V> = fn(K, V) -> (K, V);

impl<K, V> ShardMap<K, V> {
    /// Makes an empty map. It allocates nothing before the first insertion.
    ///
    /// ```
    /// let map: atomshard::ShardMap<&str, i32> = atomshard::ShardMap::new();
    /// assert!(map.is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity_and_hasher(0, RandomState::new())
    }

    /// Makes an empty map with room for `capacity` entries before it grows.
    ///
    /// An uneven spread over the shards may make one of them grow earlier. The map does not
    /// shrink below this room by itself.
    ///
    /// # Panics
    /// If the room exceeds the address space. Aborts if the allocator fails; to be told instead,
    /// make an empty map and use [`try_reserve`](Self::try_reserve).
    ///
    /// ```
    /// let map: atomshard::ShardMap<u64, u64> = atomshard::ShardMap::with_capacity(1000);
    /// assert!(map.capacity() >= 1000);
    /// ```
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity_and_hasher(capacity, RandomState::new())
    }

    /// Starts a map with settings: room, hasher, resize mode.
    pub fn builder() -> ShardMapBuilder<K, V> {
        ShardMapBuilder::new()
    }
}

impl<K, V, S> ShardMap<K, V, S> {
    /// Makes an empty map that hashes with `hash_builder`.
    ///
    /// A hasher without a random seed lets whoever chooses the keys make them collide.
    ///
    /// ```
    /// let map = atomshard::ShardMap::with_hasher(foldhash::fast::RandomState::default());
    /// map.pin().insert(1, 2);
    /// ```
    #[must_use]
    pub fn with_hasher(hash_builder: S) -> Self {
        Self::with_capacity_and_hasher(0, hash_builder)
    }

    /// Makes an empty map with room for `capacity` entries that hashes with `hash_builder`.
    ///
    /// See [`with_capacity`](ShardMap::with_capacity) and [`with_hasher`](Self::with_hasher).
    ///
    /// # Panics
    /// If the room exceeds the address space.
    #[must_use]
    pub fn with_capacity_and_hasher(capacity: usize, hash_builder: S) -> Self {
        Self::from_parts(capacity, hash_builder, ResizeMode::default(), None, &[])
    }

    /// # Panics
    /// If the room exceeds the address space.
    fn from_parts(
        capacity: usize,
        hasher: S,
        mode: ResizeMode,
        hook: Option<Hook<Entry<K, V>>>,
        nodes: &[Option<Node>],
    ) -> Self {
        let raw = RawMap::new(capacity, mode, hook);
        if !nodes.is_empty()
            && let Err(error) = raw.place(nodes, capacity)
        {
            error.handle();
        }
        let map = Self {
            raw,
            hasher,
            both_ways: PhantomData,
        };
        if capacity > 0 {
            map.reserve_in(capacity, &map.guard());
        }
        map
    }

    /// Pins the map: a reference to it together with a guard of the calling thread.
    ///
    /// While it lives, nothing that anybody removes from the map is freed, so drop it soon; but
    /// reuse it for a run of operations, since to pin has a price of its own.
    ///
    /// *Progress*: wait-free, except the first time in a thread, which allocates.
    /// *Cost*: two stores to a line of the thread's own; no fence where the kernel offers
    /// `membarrier`.
    #[inline]
    pub fn pin(&self) -> ShardMapRef<'_, K, V, S, LocalGuard<'_>> {
        ShardMapRef::new(self, self.guard())
    }

    /// Pins the map with a guard that is `Send` and `Sync`.
    ///
    /// It may be held across an `.await` in a work-stealing executor, and it is what parallel
    /// iteration takes. Dearer to make than [`pin`](Self::pin): use it only for these.
    #[inline]
    pub fn pin_owned(&self) -> ShardMapRef<'_, K, V, S, OwnedGuard<'_>> {
        ShardMapRef::new(self, self.owned_guard())
    }

    /// Makes a guard of the calling thread, to be passed to the methods of this map.
    ///
    /// ```
    /// let map = atomshard::ShardMap::new();
    /// let guard = map.guard();
    /// map.insert("a", 1, &guard);
    /// assert_eq!(map.get("a", &guard), Some(&1));
    /// ```
    #[inline]
    #[must_use]
    pub fn guard(&self) -> LocalGuard<'_> {
        self.raw.domain().pin()
    }

    /// Makes a guard that is `Send` and `Sync`; see [`pin_owned`](Self::pin_owned).
    #[inline]
    #[must_use]
    pub fn owned_guard(&self) -> OwnedGuard<'_> {
        self.raw.domain().pin_owned()
    }

    /// The number of entries.
    ///
    /// *Consistency*: exact while no write is running; otherwise some number that the writes in
    /// flight can explain. *Progress*: wait-free. *Cost*: reads the counter's stripes.
    ///
    /// ```
    /// let map = atomshard::ShardMap::from([(1, "a"), (2, "b")]);
    /// assert_eq!(map.len(), 2);
    /// ```
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Whether there is no entry; as exact as [`len`](Self::len).
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of entries that were removed or replaced and are not freed yet: what guards and
    /// [`EntryRef`]s hold up, and what waits in batches.
    ///
    /// Each entry counts as the block that it lies in. Not counted is what keys and values own
    /// besides, tables that the map has outgrown, and what is freed and kept for the next entries.
    /// While no guard stays, each thread that writes has some tens of KiB here: up to three batches of
    /// 512 entries (128, if they have destructors), or of 16 KiB if that is less, but of 8 entries at
    /// least. A guard that stays adds everything that is removed meanwhile.
    /// [`flush`](Guard::flush) frees what it can.
    ///
    /// *Consistency*: exact while nobody writes and no guard ends; otherwise some number near, as of
    /// [`len`](Self::len). An entry counts until its destructor has run. *Progress*: wait-free.
    /// *Cost*: reads one word of each thread that has written to the map; to a write that removes or
    /// replaces, one store to a line of its thread.
    ///
    /// ```
    /// let map = atomshard::ShardMap::from([(1, [0_u8; 1024])]);
    /// let pinned = map.pin();
    /// let value = pinned.remove(&1);
    /// assert_eq!(value, Some(&[0; 1024])); // It is here, as long as `pinned`.
    /// assert!(map.retired_bytes() > 1024);
    /// ```
    #[must_use]
    pub fn retired_bytes(&self) -> usize {
        self.raw.retired_bytes()
    }

    /// How many entries the present tables take before one of them grows, if the keys spread
    /// evenly.
    ///
    /// *Consistency*: a number of some recent moment. *Cost*: pins, then reads each shard's
    /// directory word.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.raw.capacity(&self.guard())
    }

    /// The hasher in use.
    #[inline]
    #[must_use]
    pub fn hasher(&self) -> &S {
        &self.hasher
    }

    /// How much of a running resize one write takes on.
    #[inline]
    #[must_use]
    pub fn resize_mode(&self) -> ResizeMode {
        self.raw.mode()
    }

    /// Gives the guard back if it is of this map.
    #[inline]
    fn verified<'g, G: Guard>(&self, guard: &'g G) -> &'g G {
        self.raw.domain().verify(guard);
        guard
    }
}

impl<K, V, S: BuildHasher> ShardMap<K, V, S> {
    #[inline]
    fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        raw::spread(self.hasher.hash_one(key))
    }
}
