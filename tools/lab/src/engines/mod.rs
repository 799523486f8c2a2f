//! The maps under test, each behind the same three small traits.
//!
//! | trait | lives for | what |
//! |---|---|---|
//! | [`Store`] | a run | the map itself |
//! | [`Worker`] | a thread's part of a run | what a thread keeps while it works |
//! | [`Batch`] | 64 operations | what it keeps for a run of operations: a guard, or nothing |
//!
//! Everything is generic: the loop that is timed calls the map's own functions, inlined. All
//! maps hash with the same fixed foldhash and allocate from the same system allocator. All grow
//! from empty; none is told how much is coming.
mod dash;
mod limit;
mod limit_line;
pub(crate) mod many;
mod mutex64;
mod papaya;
mod scc_index;
mod scc_map;
mod shardmap;
mod wordmap;

pub(crate) use self::dash::Dash;
pub(crate) use self::limit::Limit;
pub(crate) use self::limit_line::line_racer;
pub(crate) use self::many::WordsMany;
pub(crate) use self::mutex64::Mutex64;
pub(crate) use self::papaya::{PapayaHeld, PapayaPin};
pub(crate) use self::scc_index::SccIndex;
pub(crate) use self::scc_map::SccMap;
pub(crate) use self::shardmap::{ShardMapHeld, ShardMapPin};
pub(crate) use self::wordmap::Words;

use crate::alloc::By;
use crate::keys::Key;
use crate::ops::Stream;
use crate::run::Tally;
use clap::ValueEnum;
use foldhash::fast::FixedState;
use serde::Serialize;

/// The hasher of every map: foldhash with a fixed seed.
#[must_use]
pub(crate) fn hasher() -> FixedState {
    FixedState::with_seed(0x5eed)
}

/// How many operations a [`Batch`] lives for.
pub(crate) const BATCH: usize = 64;

/// A map under test.
pub(crate) trait Store<K: Key>: Sync + Sized {
    /// What a thread keeps while it works.
    type Worker<'a>: Worker<K>
    where
        Self: 'a;

    /// How the bytes that it holds are counted.
    const COUNTED: By = By::Blocks;

    /// An empty map for so many threads.
    fn new(threads: usize) -> Self;

    /// Called by thread number `thread` before the clock starts.
    fn worker(&self, thread: usize) -> Self::Worker<'_>;

    /// Shows every entry once; nobody else works meanwhile.
    fn each(&mut self, visit: impl FnMut(&K, u64));
}

/// A thread's hold on the map.
pub(crate) trait Worker<K: Key> {
    /// What is kept for [`BATCH`] operations.
    type Batch<'b>: Batch<K>
    where
        Self: 'b;

    /// Starts a batch.
    fn batch(&mut self) -> Self::Batch<'_>;

    /// Does all of a stream, if this takes many keys in one call.
    #[inline]
    fn groups<S: Stream<Key = K>>(&mut self, _: &S) -> Option<Tally> {
        None
    }
}

/// The operations of the workloads.
pub(crate) trait Batch<K: Key> {
    /// The value, if the key is present.
    fn get(&mut self, key: &K::View) -> Option<u64>;

    /// Inserts or overwrites; whether the key was absent.
    fn put(&mut self, key: &K::View, value: u64) -> bool;

    /// Removes; whether the key was present.
    fn del(&mut self, key: &K::View) -> bool;

    /// Adds one to the key's count, starting from 0, the way a user of this map would write it.
    fn add(&mut self, key: &K::View);
}

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Entrant {
    /// `atomshard::ShardMap`, pinned for each operation.
    Shardmap,
    /// `atomshard::ShardMap`, a pin held for 64 operations.
    ShardmapHeld,
    /// `atomshard::WordMap`; number keys only.
    Wordmap,
    /// The same, operations of a kind that follow one another in one call. For `bars`.
    #[value(skip)]
    WordmapMany,
    /// `papaya::HashMap`, pinned for each operation.
    Papaya,
    /// `papaya::HashMap`, a pin held for 64 operations.
    PapayaHeld,
    /// `dashmap::DashMap`.
    Dashmap,
    /// `scc::HashMap`.
    SccMap,
    /// `scc::HashIndex`.
    SccIndex,
    /// 64 padded `std::sync::Mutex`es around hashbrown tables.
    Mutex64,
    /// Unsynchronised `hashbrown::HashMap`, one for each thread.
    Hashbrown,
    /// No map: a hash, and one random line. For `bars`.
    #[value(skip)]
    OneLine,
    /// The same with the lines of the next 16 keys on their way. For `bars`.
    #[value(skip)]
    OneLineMany,
}

impl Entrant {
    /// All that the main job runs, in the order of the tables.
    pub(crate) const ALL: [Self; 10] = [
        Self::Shardmap,
        Self::ShardmapHeld,
        Self::Wordmap,
        Self::Papaya,
        Self::PapayaHeld,
        Self::Dashmap,
        Self::SccMap,
        Self::SccIndex,
        Self::Mutex64,
        Self::Hashbrown,
    ];

    /// The name in tables.
    #[must_use]
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Shardmap => "ShardMap",
            Self::ShardmapHeld => "ShardMap, pin held",
            Self::Wordmap => "WordMap",
            Self::WordmapMany => "WordMap, many at once",
            Self::Papaya => "papaya",
            Self::PapayaHeld => "papaya, pin held",
            Self::Dashmap => "dashmap",
            Self::SccMap => "scc::HashMap",
            Self::SccIndex => "scc::HashIndex",
            Self::Mutex64 => "64 x Mutex",
            Self::Hashbrown => "hashbrown",
            Self::OneLine => "one line",
            Self::OneLineMany => "one line, 16 ahead",
        }
    }

    /// What a reader of the tables must know about it.
    #[must_use]
    pub(crate) fn note(self) -> Option<&'static str> {
        match self {
            Self::ShardmapHeld | Self::PapayaHeld => Some("a pin is held for 64 operations"),
            Self::SccIndex => Some(
                "no contender: its readers miss keys that are present throughout while they are \
                 overwritten",
            ),
            Self::WordmapMany => Some("operations of a kind that follow one another in one call"),
            Self::OneLine | Self::OneLineMany => {
                Some("the limit, no map: a hash, and one random line of 32 bytes a key")
            }
            Self::Wordmap => Some("keys and values of at most 8 bytes, by copy; no text keys"),
            Self::Mutex64 => {
                Some("64 padded std::sync::Mutex, each around a hashbrown::HashTable; hashes once")
            }
            Self::Hashbrown => Some(
                "the limit, no contender: unsynchronised, each thread has a map of its own with \
                 its own keys; traces, whose keys are shared, with 1 thread only",
            ),
            Self::Shardmap | Self::Papaya | Self::Dashmap | Self::SccMap => None,
        }
    }

    /// Whether it is a map of this crate.
    #[must_use]
    pub(crate) fn is_ours(self) -> bool {
        matches!(
            self,
            Self::Shardmap | Self::ShardmapHeld | Self::Wordmap | Self::WordmapMany
        )
    }

    /// Whether it takes numbers as keys only, of at most 8 bytes, as its values are.
    #[must_use]
    pub(crate) fn is_of_words(self) -> bool {
        matches!(
            self,
            Self::Wordmap | Self::WordmapMany | Self::OneLine | Self::OneLineMany
        )
    }

    /// Whether it may be chosen: shared between threads, and finds what is there.
    #[must_use]
    pub(crate) fn is_contender(self) -> bool {
        !matches!(self, Self::SccIndex) && !self.is_limit()
    }

    /// Whether it is there to show how far it is to what cannot be done better.
    #[must_use]
    pub(crate) fn is_limit(self) -> bool {
        matches!(self, Self::Hashbrown | Self::OneLine | Self::OneLineMany)
    }
}
