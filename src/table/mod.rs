//! L4: the raw memory of a table: words, lines, tables, directories and the move between tables.
//!
//! ```text
//! map word --> Directory                     64-byte line (bucket)
//!              | shard word | --> Table       +------+------+-- .. --+------+
//!              | shard word |     | header  | | slot | slot |        | link |--> line --> ..
//!              |    ..      |     | line 0  | +------+------+-- .. --+------+
//!                                 | line 1  |     |
//!                                 |   ..    |     +--> entry {key, value, hash}
//! ```
//!
//! [`hash`] says how a hash is read; a line doubles into two neighbours.
//!
//! # A move (doubling, halving, fan-out) in four steps
//! 1. A [`Migration`](migration::Migration) is hung on the old table's header: the new memory, all zero.
//! 2. Lines move in *units*: the lines of the old table that feed the same lines of the new one.
//!    To move a unit, freeze its link words, then its slots; nothing in it changes any more.
//! 3. Write the frozen members to the new lines, in an order that everyone computes alike, each word
//!    by an exchange from zero; the link word last. Zero never comes back, so a late helper's
//!    exchange fails. When the last link word of the unit is not zero, the unit is *born*: from then
//!    on the new lines are the truth, and not before.
//! 4. When every unit is born, the shard word (of a root: all of them) is exchanged and the old table
//!    retired.
//!
//! # Invariants
//! - I1. A word that carries an address was built from a live allocation aligned to 8 bytes; its
//!   flags and tag are cleared before the address is used.
//! - I2. A frozen word is final.
//! - I3. What a guard's thread loads from a map word, shard word, header or link word stays
//!   allocated until that guard ends: it is retired only after it was unlinked. An entry behind a
//!   frozen word is retired by writers of the new table, while the frozen word stays: it may be
//!   dereferenced only if a new line of its unit was seen unborn under this pin. (A reader looks
//!   after it has read the slot, so that what it read was the truth too.)
//! - I4. An overflow line lives as long as the table whose bucket it extends.
//! - I5. A line of a table that is being filled goes from zero to its content once, slots first and
//!   link word last.
//! - I6. Memory of a table or directory is allocated and freed with the layout that its header or
//!   its word states.
//!
//! # Orderings
//! T1 entries, lines and births are published by an exchange and seen by a load; T2 a claim and
//! its owner's rescan (store, then load); T3 unlinking and pins; T5 completion of a move; T7 the
//! directory.
//!
//! # Progress
//! Every step is lock-free: whoever needs a unit moves it himself, whoever finds a step done goes on.
//!
//! Source: split order by the next hash bit and helping per bucket follow Shalev and Shavit,
//! "Split-Ordered Lists" (JACM 2006) and Laborde et al.; born-by-exchange-from-zero is our own.
#![expect(
    unsafe_code,
    reason = "owns the raw memory of tables; every block argues by I1 to I6"
)]

use crate::error::TryReserveError;
use core::alloc::Layout;
use core::mem::MaybeUninit;

mod directory;
pub(crate) mod hash;
mod line;
mod memory;
mod migration;
pub(crate) mod pairs;
mod steps;
mod store;
mod word;

pub(crate) use directory::{Directory, SHARDS, free_tables};
pub(crate) use line::Line;
pub(crate) use migration::{Migration, STEP_UNITS, free_chain};
pub(crate) use steps::Step;
pub(crate) use store::{Kind, Table};
pub(crate) use word::{ALIGN, Slot, VERSIONS, Word};

/// Memory for a record, or the allocator's refusal. Taken before whatever the record will own, so
/// that nothing has to be given back.
fn try_box<T>() -> Result<Box<MaybeUninit<T>>, TryReserveError> {
    const { assert!(size_of::<T>() != 0, "a record takes memory") }
    let layout = Layout::new::<T>();
    // SAFETY: I6: the size is not zero.
    let memory = unsafe { std::alloc::alloc(layout) }.cast::<MaybeUninit<T>>();
    if memory.is_null() {
        return Err(TryReserveError::AllocError { layout });
    }
    // SAFETY: I6: allocated with the layout of T by the global allocator.
    Ok(unsafe { Box::from_raw(memory) })
}

/// Reads the hash of the entry that a member word leads to.
pub(crate) type HashOf = unsafe fn(*mut u8) -> u64;
