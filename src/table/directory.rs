//! The shard words: one table for each value of the upper hash bits. Every operation reads them and
//! only the end of a move writes them, so they are packed: eight share a line that stays clean.
//!
//! A young map has one table, the *root*, in all its shard words. When the root is full it fans out
//! into a table for each shard, once.
//!
//! Invariants: I3 and I6 of the [parent module](super).

use super::hash::{self, SHARD_BITS};
use super::migration::Migration;
use super::store::{Kind, Table};
use super::try_box;
use crate::error::TryReserveError;
use crate::sync::{AtomicPtr, Ordering, layout, never_split, note_objects, unsync_load};

/// Number of shards.
pub(crate) const SHARDS: usize = 1 << SHARD_BITS;

/// The shard words of a map.
pub(crate) struct Directory {
    words: [AtomicPtr<u8>; SHARDS],
}
never_split!(Directory: words);
layout!(Directory: words);

impl Directory {
    /// A directory of fresh tables of `2^line_bits` lines: one root, or one for each shard.
    pub(crate) fn allocate(
        kinds: [Kind; SHARDS],
        line_bits: u32,
    ) -> Result<Box<Self>, TryReserveError> {
        let record = try_box()?;
        let words = allocate_tables(kinds, line_bits)?.map(AtomicPtr::new);
        note_objects(record.as_ptr(), 1);
        Ok(Box::write(record, Self { words }))
    }

    /// The present table of `shard`.
    #[inline]
    pub(crate) fn table(&self, shard: usize) -> Table<'_> {
        // ORD: SeqCst — pairs with the SeqCst in exchange [T3]; publishes the table.
        let word = self.words[shard].load(Ordering::SeqCst);
        // SAFETY: I3: the table was loaded under a guard that the caller holds.
        unsafe { Table::from_word(word) }
    }

    /// The present table of the shard of `hash`.
    #[inline]
    pub(crate) fn table_of(&self, hash: u64) -> Table<'_> {
        self.table(hash::shard(hash))
    }

    /// Leads every shard that `old` served to its table in `migration`, which is complete; says
    /// whether this call is to retire `old`.
    pub(crate) fn exchange(&self, shard: usize, old: Table<'_>, migration: &Migration) -> bool {
        let shards = if old.kind() == Kind::Root {
            0..SHARDS
        } else {
            shard..shard + 1
        };
        for shard in shards {
            let new = migration.table(shard).word();
            // ORD: SeqCst — pairs with the SeqCst load in table [T3]; publishes the new table, and
            // unlinks the old one before it is retired. A failure means that it is done.
            let _done = self.words[shard].compare_exchange(
                old.word(),
                new,
                Ordering::SeqCst,
                Ordering::SeqCst,
            );
        }
        migration.claim_retirement()
    }

    /// Whether `table` is the present table of `shard` and may be moved: not while some shard word
    /// still leads to a root that moved into it, since others come to it from there.
    pub(crate) fn is_settled(&self, shard: usize, table: Table<'_>) -> bool {
        self.table(shard) == table
            && (0..SHARDS)
                .map(|shard| self.table(shard))
                .all(|other| match table.kind() {
                    Kind::Root => other == table,
                    Kind::Shard(_) => other.kind() != Kind::Root,
                })
    }

    /// The words, for one who has exclusive access. A root is in all of them, and no table is in two
    /// that are not neighbours.
    pub(crate) fn tables(&mut self) -> [*mut u8; SHARDS] {
        self.words.each_mut().map(unsync_load)
    }
}

/// A new table for each shard, or one for all of them.
pub(crate) fn allocate_tables(
    kinds: [Kind; SHARDS],
    line_bits: u32,
) -> Result<[*mut u8; SHARDS], TryReserveError> {
    if kinds[0] == Kind::Root {
        return Ok([Table::allocate(Kind::Root, line_bits)?.word(); SHARDS]);
    }
    let mut words = [core::ptr::null_mut(); SHARDS];
    for shard in 0..SHARDS {
        match Table::allocate(kinds[shard], line_bits) {
            Ok(table) => words[shard] = table.word(),
            Err(error) => {
                // SAFETY: I6: allocated above, and nobody else has seen them.
                unsafe { free_tables(&words[..shard]) };
                return Err(error);
            }
        }
    }
    Ok(words)
}

/// Frees tables, but no entry and no overflow line. A table in several words is freed once. Allocates
/// nothing, since it may follow a refusal of the allocator.
///
/// # Safety
/// Nobody else uses the tables any more, and nobody will.
pub(crate) unsafe fn free_tables(words: &[*mut u8]) {
    for same in words.chunk_by(|a, b| a == b) {
        // SAFETY: the caller's contract; the word was made by `Table::word`.
        let table = unsafe { Table::from_word(same[0]) };
        // SAFETY: the caller's contract.
        unsafe { table.free() };
    }
}
