//! Lock-free, sharded, cache-line-aware concurrent maps and counters.
//!
//! ```
//! use atomshard::ShardMap;
//!
//! let hits = ShardMap::new();
//! std::thread::scope(|s| {
//!     for _ in 0..4 {
//!         s.spawn(|| {
//!             let hits = hits.pin();
//!             for page in ["/", "/about", "/"] {
//!                 hits.update_or_insert(page, |n| n + 1, 1);
//!             }
//!         });
//!     }
//! });
//! assert_eq!(hits.pin().get("/"), Some(&8));
//! ```
//!
//! # Which one when
//! | you have | take |
//! |---|---|
//! | keys and values of any type, read and written by many threads | [`ShardMap`] |
//! | keys alone | [`ShardSet`] |
//! | keys and values of at most 8 bytes: numbers, `char`, `bool`, pointers, types made of them | [`WordMap`] |
//! | keys of at most 8 bytes alone | [`WordSet`] |
//! | a program written for the crate `papaya` | the same maps under its names: [`papaya`] |
//! | one number that many threads add to | [`ShardCounter`] |
//! | a value per thread or core, of any type | [`Sharded`] |
//! | one value that must not share a line with its neighbours | [`Padded`] |
//!
//! # What is promised, and what it costs
//! Each public operation states it where it is documented; in short, for the maps and their sets:
//!
//! | operation | consistency | progress | cold lines | locked RMWs | allocations |
//! |---|---|---|---|---|---|
//! | `get`, `contains_key`: present | linearizable | lock-free, never waits | 2 | 0 | 0 |
//! | `get`, `contains_key`: absent | linearizable | lock-free, never waits | 1 | 0 | 0 |
//! | `insert`: new key | linearizable | lock-free | 1 + the entry | 2 | 0, see below |
//! | `insert`, `update`: present key | linearizable | lock-free | 2 + the entry | 1 | 0, see below |
//! | `remove`, `remove_if`, `detach` | linearizable | lock-free | 2 | 1 | 0 |
//! | `hold` | linearizable | lock-free | 2 | 1 | 0 |
//! | `iter`, `keys`, `values` | weak | lock-free, blocks no writer | 1 a bucket, 1 an entry | 0 | 1 small buffer |
//! | `retain`, `clear` | each removal linearizable | lock-free | 1 a bucket, 1 an entry | 1 a removal | 1 small buffer |
//! | `len` | exact when no write runs | wait-free | 1 for each thread that has written | 0 | 0 |
//! | of `WordMap`: `get`, `contains` | linearizable | lock-free, never waits | 1 | 0 | 0 |
//! | `insert`: new key | linearizable | lock-free | 1 | 1; 2 in a line that was full | 0, or a line for many |
//! | `insert`, `fetch_add` and others: present key; `remove` | linearizable | lock-free | 1 | 1 | 0 |
//! | `iter`, `keys`, `values` | weak | lock-free, blocks no writer | 1 for 2 to 4 entries | 0 | 1 small buffer |
//! | `retain`, `clear` | each removal linearizable | lock-free | 1 for 2 to 4 entries | 1 a removal | 1 small buffer |
//!
//! A key of `WordMap` that is behind a link costs one more line.
//!
//! A write that meets a resize of its shard does a bounded part of it first: see [`ResizeMode`].
//! Entries are cut from chunks, an eighth of what the map holds each, and are used again: growth,
//! chunks, overflow lines and the lists of what was removed allocate once for many calls.
//! Three things have a progress of their own: the global allocator, the kernel, and the destructors
//! of keys and values, which run when a guard ends.
//!
//! # Pins
//! [`WordMap`] and [`WordSet`] hand out copies: who uses them needs no guards.
//!
//! What a [`ShardMap`] hands out is a reference to what is in the map, not a copy, so it needs to know when
//! nobody looks any more. A [`Guard`] says that somebody does. [`ShardMap::pin`] makes one and
//! keeps it beside the map; [`ShardMap::guard`] makes one to pass along. What was removed is freed
//! after all guards are gone that were there at the time, of this map and of every other: there is
//! one set of pins for the whole crate, so a guard that stays keeps the garbage of all maps.
//! Destructors run when a guard ends that has removed enough, unpinned unless its thread has other
//! guards. The memory of entries is used again by its map; it goes back with the map, or by
//! [`ShardMap::shrink_to_fit`]. When a map is dropped, so is everything that it ever held.
//!
//! A guard is for a moment. What is to be kept for long, or across an `.await`, is held by an
//! [`EntryRef`] ([`ShardMap::hold`]): it keeps one entry and pins nothing. What is to leave the map owned is
//! [detached](ShardMap::detach). Who wants each key and value back at its end gives the map a
//! [hook](ShardMapBuilder::on_drop).
//!
//! # When something fails
//! - **A thread that sleeps while it is pinned** delays nobody. Each entry that is removed or replaced
//!   meanwhile stays until it wakes: its own size, and 8 to 16 bytes of list. So 2,000 replacements in a
//!   map of numbers took 34 bytes each. There is no bound, since one costs a sixth of the rate of look-ups
//!   (measured: `docs/decisions/own-reclamation.md`); [`ShardMap::retired_bytes`] shows it.
//! - **A thread that a panic ends** holds nothing: its pins end, and [`Guard::flush`] of another thread
//!   frees what it had removed. One that ends with a guard forgotten pins for good: what is removed from
//!   then on stays until its map goes, and so does the thread's record, 128 bytes.
//! - **In a signal handler**, `pin`, `get`, `get_key_value` and `contains_key` of a [`ShardMap`] are safe whatever the
//!   thread was doing, also in the middle of another operation, if it has pinned before and its locals
//!   still live, and if the key's `Hash` and `Eq` and the hasher are safe there. They neither allocate nor
//!   free. No other operation is safe there, and none of a [`WordMap`]: a look-up that meets a line that has moved does a
//!   step of the move, which may allocate.
//! - **After a `fork`** the child may use every map, wherever the other threads were, if the process had
//!   used one before. Each thread that was pinned at that moment holds up what the child removes, as a
//!   forgotten guard does; what the others had waiting or free is not used again, and `len` may be wrong
//!   by one for each. The child must not drop or consume a map that other threads were writing, for their
//!   lists may be half written: it ends by `_exit` or `exec`, or forgets the map.
//! - **When the allocator refuses**, [`ShardMap::try_reserve`] reports it, and the map is as it was, or
//!   has grown part of the way. Look-ups ask for nothing, but those of a [`WordMap`] that do a step of a move. Insertion, removal, iteration and whatever frees
//!   memory abort if the small blocks are refused of which they need one for many calls; an insertion that
//!   is refused a larger table goes on without.
//!
//! Source: `tests/faults_*.rs`, each of them.
//!
//! # Features
//! `std` (default), `serde` (`Serialize`, `Deserialize`), `rayon` (parallel iterators), `topology` (the
//! machine, plans of placement, applied and read back: module `topology`), `perf` (hardware counters: module `perf`).
//!
//! `perf` counts what the CPU and the kernel see of each thread: cycles, misses, lines that another core
//! had modified, locked instructions, switches. A table says which event of which CPU counts a role.
//! What cannot be counted is a value with the reason and a remedy, never 0. It counts on
//! Linux of 64 bits; elsewhere every value says that.
//!
//! # Not for
//! Keeping several keys consistent with each other: each operation is atomic by itself, and there
//! is no lock to take. Values changed in place many times a second: numbers into a [`WordMap`], or an atomic or a lock
//! into the value. Ordered or range queries.
#[cfg(not(atomshard_probes))]
mod arch;
#[cfg(atomshard_probes)]
pub mod arch;
pub mod error;
pub mod map;
pub mod pad;
#[cfg(feature = "perf")]
pub mod perf;
mod reclaim;
pub mod shard;
mod sync;
pub mod sys;
mod table;
#[cfg(all(test, loom))]
mod tests;
#[cfg(feature = "topology")]
pub mod topology;
pub use equivalent::Equivalent;
#[cfg(feature = "perf")]
pub use error::EventTableError;
#[cfg(feature = "topology")]
pub use error::{CpuRefusal, PlanError, TopologyError};
pub use error::{OccupiedError, TryReserveError};
pub use map::papaya;
pub use map::{
    Compute, Detached, EntryRef, Integer, MapHandle, Operation, Primitive, ResizeMode, ShardMap,
    ShardMapBuilder, ShardMapRef, ShardSet, ShardSetBuilder, ShardSetRef, Word, WordMap,
    WordMapBuilder, WordSet, WordSetBuilder,
};
pub use pad::Padded;
pub use reclaim::{Guard, LocalGuard, OwnedGuard};
pub use shard::{ShardCounter, Sharded};
pub use sync::trace;

/// Compiles and runs the example of the front page.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod front_page {}
