//! `WordMap`: keys and values of at most 8 bytes, in the cache line itself; values by copy, no guards.
//!
//! This folder is the face: names, bounds, documentation and delegation. The algorithm is in `raw/`.
//!
//! # Invariants
//! - I1. Keys and values go in and come out by copy; nobody has a reference into the map.
//!
//! | file | what |
//! |---|---|
//! | `mod.rs` | the type, constructors, sizes |
//! | `word.rs` | `Word`: what can be a key or a value |
//! | `access.rs` | look-ups, insert, remove |
//! | `atomic.rs` | conditional and read-modify-write operations |
//! | `many.rs` | the same for many keys at once |
//! | `bulk.rs` | iteration, retain, clear, room |
//! | `builder.rs`, `iter.rs`, `traits.rs`, `serde.rs`, `rayon.rs` | what their names say |
mod access;
mod atomic;
mod builder;
mod bulk;
mod iter;
mod many;
pub(crate) mod raw;
#[cfg(feature = "rayon")]
mod rayon;
#[cfg(feature = "serde")]
mod serde;
mod traits;
mod word;

pub use builder::WordMapBuilder;
pub use iter::{Iter, Keys, Values};
#[cfg(feature = "rayon")]
pub use rayon::ParIter;
pub use word::{Integer, Primitive, Word};

use crate::shard::Node;
use core::hash::BuildHasher;
use core::marker::PhantomData;
use raw::{Mixer, RawWords};
use std::hash::RandomState;

/// A lock-free sharded map of words: keys and values of at most 8 bytes.
///
/// All operations take `&self`, keys by value and give values by copy, so there are no guards. Integers,
/// floating-point numbers, `bool`, `char`, non-zero integers, pointers, and types of one's own that are made of
/// these can be keys and values ([`Word`]).
///
/// ```
/// use atomshard::WordMap;
///
/// let map = WordMap::new();
/// std::thread::scope(|s| {
///     s.spawn(|| map.insert(1_u64, 10_u64));
///     s.spawn(|| map.insert(2, 20));
/// });
/// assert_eq!(map.get(1), Some(10));
/// assert_eq!(map.fetch_add(2, 5), Some(20));
/// assert_eq!(map.len(), 2);
/// ```
///
/// # Layout
/// A key is mixed, one to one, by a bijection that the hasher has keyed. The upper bits choose one of 32 shards,
/// the next ones a line of 64 bytes in the shard's table, with four slots of 16 bytes: a word that
/// has the rest of the key and says what the slot is, and the value. A line with more than four keys goes
/// on behind a link.
///
/// # Consistency
/// Every operation on one key is linearizable: it takes effect at one instant between its call and its return,
/// and whoever sees the effect also sees what the writing thread did before. Old values are exact: of two
/// operations that change a key, one is given what the other has put.
/// Who finds nothing sees nothing of who removed, and may look before its own write of another
/// key has reached the others: of two threads that each insert one key and then look for the other's,
/// both may miss. A `fence(SeqCst)` between the two calls rules that out; x86-64 needs none.
/// Operations that span keys ([`iter`](Self::iter), [`retain`](Self::retain), [`clear`](Self::clear),
/// [`len`](Self::len), `clone`, `==`) are weakly consistent: a key present throughout is seen exactly once, one that comes or
/// goes meanwhile may or may not be seen. Operations on many keys ([`get_many`](Self::get_many) and its
/// like) are as many operations, in order.
///
/// # Progress
/// Lock-free, all of it: whatever a thread does, even if it stops for ever in the middle, the others get on.
/// Look-ups never wait. A write that meets a running resize moves a bucket, and two at most; a look-up that finds its line
/// moved moves one. A small table, of less than 32 KiB, is copied at once, by each write that meets it.
/// The allocator and the kernel, which a resize calls, have their own progress.
///
/// # Cost
/// Cold lines are those that no cache near the core holds; the words that lead to a shard stay hot.
///
/// | operation | cold lines | locked read-modify-writes | allocations |
/// |---|---|---|---|
/// | look-up | 1 | 0 | 0 |
/// | insert a new key | 1 | 1; 2 in a line that was full, 3 behind a link | 0, or a line for many, or a small table |
/// | replace, remove | 1 | 1 | 0 |
///
/// A key behind a link costs one more line, and one more read-modify-write if it is removed; for an absent key a link says nearly always that nobody has to look
/// there. Where a processor cannot load 16 bytes in one piece (x86-64
/// without AVX, AArch64 before LSE2) a look-up has a read-modify-write on its line; elsewhere than on these two, look-ups
/// and writes take a lock.
///
/// # Hashing
/// The hasher makes the key of the bijection when the map is made; it hashes no keys. With the default, std's
/// randomly seeded [`RandomState`], nobody knows beforehand which keys share a line. It is not a cryptographic
/// secret: who can time many operations may learn it.
///
/// # Memory
/// 16 bytes an entry, in lines that have two to three in four slots; maps that caches hold have fewer. A table that was outgrown
/// gives its pages back (on Linux) and keeps its addresses as long as the map lives; tables below 32 KiB, of which a shard
/// has at most as much as its present one, and those that several threads have copied at once, keep both.
///
/// # Threads
/// The map is `Send` and `Sync` if `K` and `V` are `Send`, and `S` is so: keys and values are copied from
/// thread to thread.
///
/// ```
/// fn shared<T: Sync>() {}
/// shared::<atomshard::WordMap<u64, std::num::NonZero<u8>>>();
/// ```
/// ```compile_fail,E0277
/// fn shared<T: Sync>() {}
/// shared::<atomshard::WordMap<u64, *mut u8>>();
/// ```
///
/// Since `&map` is enough to insert, a map of words with a long lifetime is not one of words with a short one:
///
/// ```
/// use atomshard::WordMap;
///
/// fn same<'a>(map: &'a WordMap<u8, *const &'a u8>) -> &'a WordMap<u8, *const &'a u8> {
///     map
/// }
/// ```
/// ```compile_fail
/// use atomshard::WordMap;
///
/// fn shorter<'a>(map: &'a WordMap<u8, *const &'static u8>) -> &'a WordMap<u8, *const &'a u8> {
///     map
/// }
/// ```
pub struct WordMap<K, V, S = RandomState> {
    raw: RawWords,
    hasher: S,
    /// Keys and values go in and come out through `&self`, so the map is invariant in both.
    both_ways: PhantomData<BothWays<K, V>>,
}

type BothWays<K, V> = Marker<fn(K, V) -> (K, V), (K, V)>;

/// Invariant by its first part, and sent between threads if the second may be.
struct Marker<Invariant, Sent>(PhantomData<Invariant>, PhantomData<Sent>);

#[expect(unsafe_code, reason = "keys and values are copied, never shared")]
// SAFETY: I1: nothing of the marker is there; who shares the map sends words to other threads, by copy.
unsafe impl<Invariant, Sent: Send> Sync for Marker<Invariant, Sent> {}

impl<K: Word, V: Word> WordMap<K, V> {
    /// Makes an empty map. It allocates nothing before the first insertion.
    ///
    /// ```
    /// let map = atomshard::WordMap::<u64, bool>::new();
    /// assert!(map.is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::with_hasher(RandomState::new())
    }

    /// Makes an empty map with room for `capacity` entries before it grows.
    ///
    /// An uneven spread over the shards may make one of them grow earlier. The map does not shrink below this
    /// room by itself.
    ///
    /// # Panics
    /// If the room exceeds the address space. Aborts if the allocator fails; to be told instead, make an empty
    /// map and use [`try_reserve`](Self::try_reserve).
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity_and_hasher(capacity, RandomState::new())
    }

    /// Starts a map with settings.
    pub fn builder() -> WordMapBuilder<K, V> {
        WordMapBuilder::new()
    }
}

impl<K: Word, V: Word, S: BuildHasher> WordMap<K, V, S> {
    /// Makes an empty map whose keys are mixed by numbers from `hash_builder`.
    ///
    /// ```
    /// let map = atomshard::WordMap::with_hasher(foldhash::fast::RandomState::default());
    /// map.insert(1_u32, 'a');
    /// ```
    #[must_use]
    pub fn with_hasher(hash_builder: S) -> Self {
        Self::with_capacity_and_hasher(0, hash_builder)
    }

    /// Makes an empty map with room for `capacity` entries and keys mixed by numbers from `hash_builder`.
    ///
    /// See [`with_capacity`](WordMap::with_capacity) and [`with_hasher`](Self::with_hasher).
    ///
    /// # Panics
    /// If the room exceeds the address space.
    #[must_use]
    pub fn with_capacity_and_hasher(capacity: usize, hash_builder: S) -> Self {
        Self::from_parts(capacity, hash_builder, &[])
    }

    /// # Panics
    /// If the room exceeds the address space.
    fn from_parts(capacity: usize, hash_builder: S, nodes: &[Option<Node>]) -> Self {
        let seeds = [0_u64, 1, 2].map(|number| hash_builder.hash_one(number));
        let map = Self {
            raw: RawWords::new(capacity, Mixer::new(seeds)),
            hasher: hash_builder,
            both_ways: PhantomData,
        };
        if let Err(error) = map.raw.place(nodes) {
            error.handle();
        }
        if capacity > 0 {
            map.reserve(capacity);
        }
        map
    }
}

impl<K, V, S> WordMap<K, V, S> {
    /// The number of entries; exact when no write is running.
    ///
    /// *Progress*: wait-free. *Cost*: one line for each thread that has written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Whether there is no entry; as [`len`](Self::len).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of entries that the present tables are made for.
    ///
    /// ```
    /// assert!(atomshard::WordMap::<u64, u64>::with_capacity(1000).capacity() >= 1000);
    /// ```
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.raw.capacity()
    }

    /// What has keyed the bijection.
    pub fn hasher(&self) -> &S {
        &self.hasher
    }
}
