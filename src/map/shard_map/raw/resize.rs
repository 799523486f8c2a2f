//! Growing, shrinking and sharding: when a move begins, who helps, and how it ends.
//!
//! A map begins as one shard. When its table would outgrow `2^ROOT_LINE_BITS` lines it fans out
//! into a directory of shards, once; from then on each shard doubles and halves by itself.
//!
//! A table grows when more than [`SPILL_LIMIT`] entries per line sit in the first overflow line of
//! their bucket; a bucket counts at most one overflow line, so a thousand keys with one hash do not
//! grow the table. It shrinks when a sample of its lines, taken at some removals, is sparse.
//!
//! Invariants: I3 and I4 of the [parent module](super).

use super::{RawMap, hash_of};
use crate::error::TryReserveError;
use crate::map::ResizeMode;
use crate::reclaim::{Context, Guard};
use crate::sync::{MODEL, Ordering};
use crate::table::{Directory, Geometry, Migration, SLOTS, STEP_UNITS, Step, Table, Target};

/// Lines (as a power of two) at which the only shard of a young map becomes many.
const ROOT_LINE_BITS: u32 = if MODEL { 0 } else { 5 };
/// Shards (as a power of two) that a map fans out into, at least.
const SHARD_BITS: u32 = ROOT_LINE_BITS + 1;
/// Spilled entries per line, in 1/16, above which a table doubles: with random hashes this is a
/// load of 6.6 entries per line (docs/design/shard-map.md).
const SPILL_LIMIT: usize = 13;
/// Entries per line, times 2, that a presized table is made for.
const PRESIZED_LOAD_X2: usize = if MODEL { 2 } else { 11 };
/// An unlinked table of this size is not left to wait until its batch is full.
const FLUSHED_LINES: usize = 64;
/// Lines looked at before a shard shrinks.
const SAMPLE_LINES: u64 = 32;

impl<K, V> RawMap<K, V> {
    /// The directory, under a guard.
    #[inline]
    pub(super) fn directory<'g>(&self, _guard: &'g impl Guard) -> Option<Directory<'g>> {
        // ORD: SeqCst — pairs with the SeqCst exchange in init [T3]; publishes the directory.
        let word = self.directory.load(Ordering::SeqCst);
        // SAFETY: I3: loaded under the guard.
        unsafe { Directory::from_word(word) }
    }

    /// Makes the first table, unless another thread did.
    #[cold]
    pub(super) fn init(&self) {
        if let Err(error) = self.try_init(self.floor) {
            error.handle();
        }
    }

    /// The first directory for `2^total_bits` lines.
    fn try_init(&self, total_bits: u32) -> Result<(), TryReserveError> {
        let (shard_bits, line_bits) = split(total_bits);
        let new = Directory::allocate(shard_bits, line_bits)?;
        // ORD: SeqCst — pairs with the SeqCst load in directory [T3]; publishes the directory.
        let swapped = self.directory.compare_exchange(
            core::ptr::null_mut(),
            new.word(),
            Ordering::SeqCst,
            Ordering::SeqCst,
        );
        if swapped.is_err() {
            // SAFETY: I3: not published, and it holds no entry.
            unsafe { new.free_with_tables() };
        }
        Ok(())
    }

    /// The table in which a write on `hash` begins, after the caller's step of a running move.
    pub(super) fn table_for_write<'g>(
        &self,
        hash: u64,
        guard: &'g impl Guard,
    ) -> Option<(Table<'g>, u32)> {
        let directory = self.directory(guard)?;
        let shard = directory.shard_of(hash);
        let table = directory.table(shard);
        if let Some(migration) = table.migration() {
            self.help(directory, shard, table, migration, guard);
        }
        Some((table, directory.shard_bits()))
    }

    /// Moves on a running move as far as the mode asks of one write.
    #[cold]
    fn help<'g>(
        &self,
        directory: Directory<'g>,
        shard: usize,
        table: Table<'g>,
        migration: &'g Migration,
        guard: &'g impl Guard,
    ) {
        let steps = match self.mode {
            ResizeMode::Incremental(buckets) => buckets.div_ceil(STEP_UNITS).max(1),
            ResizeMode::Blocking => usize::MAX,
        };
        for _ in 0..steps {
            if migration.step(table, hash_of::<K, V>) == Step::Complete {
                self.switch(directory, shard, table, migration, guard);
                return;
            }
        }
    }

    /// Leads shard (or map) to the new memory of a complete move, and retires the old.
    fn switch<'g>(
        &self,
        directory: Directory<'g>,
        shard: usize,
        table: Table<'g>,
        migration: &'g Migration,
        guard: &'g impl Guard,
    ) {
        match migration.to() {
            Target::Table(new) => {
                if !directory.exchange(shard, table, new) {
                    return;
                }
            }
            Target::Directory(new) => {
                // ORD: SeqCst — pairs with the SeqCst load in directory [T3]; publishes the new
                // directory and unlinks the old one before it is retired.
                let swapped = self.directory.compare_exchange(
                    directory.word(),
                    new.word(),
                    Ordering::SeqCst,
                    Ordering::SeqCst,
                );
                if swapped.is_err() {
                    return;
                }
                // SAFETY: I3: unlinked just now, by this exchange alone.
                unsafe { guard.defer_retire(directory.word(), reclaim_directory) };
            }
        }
        let lines = table.own_geometry().lines();
        // SAFETY: I3: unlinked just now, by this exchange alone.
        unsafe { guard.defer_retire(table.word(), reclaim_table) };
        if lines >= FLUSHED_LINES {
            guard.flush();
        }
    }

    /// Begins a move of `table` to `into`, if it is the present table of its shard and rests.
    fn begin<'g>(
        &self,
        directory: Directory<'g>,
        shard: usize,
        table: Table<'g>,
        into: Geometry,
        guard: &'g impl Guard,
    ) -> Result<(), TryReserveError> {
        // A table that is still being filled is not to be left: only present ones are.
        let present = self.directory(guard) == Some(directory) && directory.table(shard) == table;
        if !present || table.migration().is_some() {
            return Ok(());
        }
        let from = table.geometry(directory.shard_bits());
        if let Err(unused) = table.begin(Migration::allocate(from, into)?) {
            unused.discard();
        }
        Ok(())
    }

    /// Doubles the shard of `hash` if `spilled` entries are too many for `table`.
    #[inline]
    pub(super) fn grow_if_spilled<'g>(
        &self,
        hash: u64,
        table: Table<'g>,
        spilled: isize,
        guard: &'g impl Guard,
    ) {
        let lines = table.own_geometry().lines();
        if spilled.max(0).cast_unsigned() * 16 > lines * SPILL_LIMIT {
            self.grow(hash, table, guard);
        }
    }

    #[cold]
    fn grow<'g>(&self, hash: u64, table: Table<'g>, guard: &'g impl Guard) {
        let Some(directory) = self.directory(guard) else {
            return;
        };
        let from = table.geometry(directory.shard_bits());
        let into = if directory.shard_bits() == 0 {
            let (shard_bits, line_bits) = split(from.line_bits + 1);
            Geometry {
                shard_bits,
                line_bits,
            }
        } else {
            Geometry {
                line_bits: from.line_bits + 1,
                ..from
            }
        };
        // An allocator that refuses leaves the map as it is, with longer buckets.
        let _refused = self.begin(directory, directory.shard_of(hash), table, into, guard);
    }

    /// Halves the shard of `hash` if a sample of its lines is sparse. Looks at one in 32 removals.
    #[inline]
    pub(super) fn shrink_if_sparse<'g>(&self, hash: u64, table: Table<'g>, guard: &'g impl Guard) {
        if hash & 31 == 0 && table.own_geometry().line_bits > 0 {
            self.shrink_if_sample_sparse(hash, table, guard);
        }
    }

    #[cold]
    fn shrink_if_sample_sparse<'g>(&self, hash: u64, table: Table<'g>, guard: &'g impl Guard) {
        let Some(directory) = self.directory(guard) else {
            return;
        };
        let from = table.geometry(directory.shard_bits());
        let floor = self.floor.saturating_sub(from.shard_bits);
        if from.line_bits <= floor {
            return;
        }
        let sample = SAMPLE_LINES.min(from.lines() as u64);
        let start = from.line_number(hash);
        let members: usize = (0..sample)
            .map(|i| table.line(start.wrapping_add(i)))
            .map(|line| {
                line.slots()
                    .iter()
                    .filter(|slot| slot.peek().is_member())
                    .count()
            })
            .sum();
        if members as u64 <= sample * 7 / 8 {
            let into = Geometry {
                line_bits: from.line_bits - 1,
                ..from
            };
            let _refused = self.begin(directory, directory.shard_of(hash), table, into, guard);
        }
    }

    /// Completes the move that `shard` is in, if any; returns its present table.
    fn settle<'g>(
        &self,
        directory: Directory<'g>,
        shard: usize,
        guard: &'g impl Guard,
    ) -> Table<'g> {
        loop {
            let table = directory.table(shard);
            let Some(migration) = table.migration() else {
                return table;
            };
            while migration.step(table, hash_of::<K, V>) != Step::Complete {}
            self.switch(directory, shard, table, migration, guard);
            if matches!(migration.to(), Target::Directory(_)) {
                return table;
            }
        }
    }

    /// Completes every running move and brings every shard to at least (or, to shrink, exactly)
    /// the lines that hold `entries` entries.
    fn resize_to(
        &self,
        entries: usize,
        shrink: bool,
        guard: &impl Guard,
    ) -> Result<(), TryReserveError> {
        let wanted = total_bits(entries).ok_or(TryReserveError::CapacityOverflow { entries })?;
        let Some(mut directory) = self.directory(guard) else {
            return if shrink {
                Ok(())
            } else {
                self.try_init(wanted.max(self.floor))
            };
        };
        // The first turn may fan the map out, the second then sees the directory of many.
        for _ in 0..2 {
            let (mut shard_bits, mut line_bits) = split(wanted);
            if directory.shard_bits() != 0 {
                shard_bits = directory.shard_bits();
                line_bits = wanted.saturating_sub(shard_bits);
            }
            for shard in 0..directory.shards() {
                let table = self.settle(directory, shard, guard);
                let from = table.geometry(directory.shard_bits());
                let into = Geometry {
                    shard_bits,
                    line_bits,
                };
                let total = from.shard_bits + from.line_bits;
                let grows = shard_bits + line_bits > total;
                if grows && !shrink || shrink && shard_bits + line_bits < total {
                    let into = if shrink {
                        Geometry {
                            shard_bits: from.shard_bits,
                            ..into
                        }
                    } else {
                        into
                    };
                    self.begin(directory, shard, table, into, guard)?;
                    self.settle(directory, shard, guard);
                }
            }
            match self.directory(guard) {
                Some(now) if now != directory => directory = now,
                _ => break,
            }
        }
        Ok(())
    }

    /// Makes room for `additional` entries; moves whole shards.
    pub(crate) fn try_reserve(
        &self,
        additional: usize,
        guard: &impl Guard,
    ) -> Result<(), TryReserveError> {
        let entries = self.len().saturating_add(additional);
        self.resize_to(entries, false, guard)
    }

    /// Moves every shard to the smallest table that suits the present number of entries.
    pub(crate) fn shrink_to_fit(&self, guard: &impl Guard) {
        // An allocator that refuses leaves the shards that are left as they are.
        let _refused = self.resize_to(self.len(), true, guard);
    }

    /// Entries that the present tables are made for.
    pub(crate) fn capacity(&self, guard: &impl Guard) -> usize {
        let Some(directory) = self.directory(guard) else {
            return 0;
        };
        let lines: usize = (0..directory.shards())
            .map(|shard| directory.table(shard).own_geometry().lines())
            .sum();
        lines * PRESIZED_LOAD_X2 / 2
    }
}

/// How `2^total_bits` lines are divided into shards and lines per shard in a new directory.
fn split(total_bits: u32) -> (u32, u32) {
    if total_bits <= ROOT_LINE_BITS {
        (0, total_bits)
    } else {
        (SHARD_BITS, total_bits - SHARD_BITS)
    }
}

/// Lines, as a power of two, for `entries` entries.
pub(super) fn total_bits(entries: usize) -> Option<u32> {
    let lines = entries.checked_mul(2)?.div_ceil(PRESIZED_LOAD_X2).max(1);
    // A member keeps 15 bits of hash above the bits that choose its line.
    Some(lines.checked_next_power_of_two()?.trailing_zeros()).filter(|&bits| bits <= 40)
}

/// Frees an unlinked table. Its entries have moved.
///
/// # Safety
/// Nobody else uses the table any more, and nobody will.
unsafe fn reclaim_table(word: *mut u8, _: &Context) {
    // SAFETY: the caller's contract; the word was made by `Table::word`.
    let table = unsafe { Table::from_word(word) };
    // SAFETY: the caller's contract.
    unsafe { table.free() };
}

/// Frees the array of an unlinked directory. Its tables are retired on their own.
///
/// # Safety
/// Nobody else uses the directory any more, and nobody will.
unsafe fn reclaim_directory(word: *mut u8, _: &Context) {
    // SAFETY: the caller's contract; the word was made by `Directory::word`.
    if let Some(directory) = unsafe { Directory::from_word(word) } {
        // SAFETY: the caller's contract.
        unsafe { directory.free() };
    }
}

const _: () = assert!(
    SLOTS >= 2 && SHARD_BITS >= 1,
    "a line has two slots at least"
);
