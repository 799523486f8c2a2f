//! Growing and shrinking: when a move begins, who helps, and how it ends.
//!
//! Each shard has a table from its first insert on, and doubles and halves by itself. Tables of different shards
//! have different sizes between two powers of two, so a few of them are doubling at any time and no two tables of
//! the whole map are ever needed.
//!
//! A table doubles when more than [`SPILL_LIMITS`] members per line sit in the first line behind a link. It halves when the map
//! and a sample of its lines, taken at some removals, are sparse. Small tables are copied at once ([`copy`](super::copy)); the others
//! move in steps: every write moves its own bucket first, if that is to be moved, and does one step of the first shard that moves, if
//! not. So hardly more than one table is there twice at a time, and a write moves one bucket; or two, if a move of its own shard begins
//! after the step.
//!
//! Invariants: I2 and I3 of the [parent module](super).
#![expect(unsafe_code, reason = "retires tables; argued by I2")]

use super::RawWords;
use crate::error::TryReserveError;
use crate::reclaim::{Guard as _, LocalGuard, Trimmed};
use crate::sync::{MODEL, WATCHED, note_read};
use crate::table::Step;
use crate::table::pairs::{
    COPY_SIZES, Directory, Leaving, Line, MAX_SIZE, MIN_SIZE, Move, SHARDS, Scale, Table,
    put_aside, rest, shard,
};

/// Members per line behind a first link, in 1/64, above which a table doubles. With random keys this is a load of 3.3
/// members per line; in maps that caches hold, where a key behind a link costs most and memory least, of 2.0.
const SPILL_LIMITS: [u64; 2] = [8, 41];
/// Members per line, times 4, below which a table halves, by whether caches hold the map then. Where keys come and go, a table doubles at fewer
/// members than when it only grows, if caches hold it far fewer; and what has doubled must not halve at once.
const SPARSE_X4: [u64; 2] = [2, 3];
/// The size up to which a shard's table is of a map that caches hold: of less than 32 KiB.
const CACHED_SIZE: i32 = 4;
/// Members per line, times 10, that a presized table is made for, and one that is larger than [`CACHED_SIZE`] and shrunk.
const PRESIZED_LOAD_X10: u64 = if MODEL { 10 } else { 25 };
const SHRUNK_LOAD_X10: u64 = 32;
/// So many free lines behind links are not worth that a map that is shrunk moves once more.
const FEW_FREE: usize = 1024;
/// A table of so many lines, of less than 32 KiB, is copied at once; larger ones move in steps.
const AT_ONCE_LINES: u64 = match (MODEL, WATCHED) {
    (true, _) => 0,
    (false, true) => 2,
    (false, false) => 496,
};
/// A table of so many lines grows to four times as many; more doubling would cost more than the lines.
const TINY_LINES: u64 = if MODEL { 0 } else { 4 };
/// Lines looked at before a shard shrinks.
const SAMPLE_LINES: u64 = 32;

impl Drop for RawWords {
    /// Gives the lines behind links back, where they do not go with their memory.
    fn drop(&mut self) {
        if self.domain.goes_whole() {
            return;
        }
        let guard = self.pin();
        for shard in 0..SHARDS {
            if let Some(directory) = self.directory() {
                // Refused, its lines are leaked.
                let _refused = self.settle(directory, shard, &guard);
            }
        }
        drop(guard);
        // Not by a unique reference: what was retired finds its way by headers, which lead to the directory.
        if let Some(directory) = self.root.directory() {
            directory.take_behind(|line| self.domain.discard(line));
        }
    }
}

impl RawWords {
    /// The present table of the shard of a mixed key.
    #[cfg(all(test, loom))]
    pub(super) fn present(&self, mixed: u64) -> Option<Table<'_>> {
        self.directory()?.table(shard(mixed))
    }

    /// Makes the first table of the shard of a mixed key, unless another thread did.
    #[cold]
    pub(super) fn init(&self, mixed: u64) {
        let size = self.size_for(shard(mixed), self.floor);
        let made = self
            .root
            .init_if_none()
            .and_then(|directory| directory.init(shard(mixed), size, None));
        if let Err(error) = made {
            error.handle();
        }
    }

    /// The size of a shard's table in a map for so many entries; one too large, if there are too many.
    pub(super) fn size_for(&self, shard: usize, entries: usize) -> i32 {
        note_read(&raw const self.floor);
        Self::size_by(PRESIZED_LOAD_X10, shard, entries)
    }

    fn size_by(load_x10: u64, shard: usize, entries: usize) -> i32 {
        let each = (entries as u64).div_ceil(SHARDS as u64);
        Scale::of(shard).size_for(each.saturating_mul(10).div_ceil(load_x10))
    }

    /// The size of a shard's table in a map that is shrunk to so many entries.
    fn size_shrunk(&self, shard: usize, entries: usize) -> i32 {
        let size = Self::size_by(SHRUNK_LOAD_X10, shard, entries);
        if size > CACHED_SIZE && entries > self.floor {
            size
        } else {
            self.size_for(shard, entries)
        }
    }

    /// The table of the shard of a mixed key, if it is not being left and there is no step to do.
    #[inline]
    pub(super) fn table_if_stays(&self, mixed: u64) -> Option<Table<'_>> {
        let table = self.directory()?.table(shard(mixed))?;
        let stays = table.leaving().is_none() && self.moving.first().is_none();
        stays.then_some(table)
    }

    /// The table to which a write goes. Where the key's own bucket has not moved, that is what the caller moves; otherwise it does a step
    /// of a running move: of one shard after the other, so that few tables are there twice.
    pub(super) fn table_after_step<'g>(
        &'g self,
        mixed: u64,
        guard: &'g LocalGuard<'_>,
    ) -> Option<Table<'g>> {
        let directory = self.directory()?;
        if let Some(table) = directory.table(shard(mixed)) {
            // What is to be moved comes in all at once, what will be written during the step.
            if let Some(Leaving::Stepwise(running)) = table.leaving() {
                running.prefetch_write(table, rest(mixed));
                if !running.has_moved(table, rest(mixed)) {
                    return Some(running.leave(table, rest(mixed), &self.domain, guard));
                }
            } else {
                table.line_of(rest(mixed)).prefetch_write();
            }
        }
        let first = self.moving.first();
        let helped = first.unwrap_or(shard(mixed));
        let is_moving = directory
            .table(helped)
            .is_some_and(|table| self.help(directory, helped, table, guard));
        if first.is_some() && !is_moving {
            // Added after the move had ended.
            self.moving.remove(helped);
        }
        self.table_to_write(mixed, guard)
    }

    /// Does one step of a running move, and ends it if that was the last; whether one runs.
    pub(super) fn help(
        &self,
        directory: &Directory,
        shard: usize,
        table: Table<'_>,
        guard: &LocalGuard<'_>,
    ) -> bool {
        let Some(Leaving::Stepwise(running)) = table.leaving() else {
            return false;
        };
        if running.step(table, &self.domain, guard) == Step::Complete {
            // Refused, it is left to the next write.
            let _refused = self.switch(directory, shard, table, running, guard);
        }
        true
    }

    /// The table to which a write goes: the present one or, if that is being left, the next one, with the key's bucket.
    ///
    /// Who pins after a table has begun to be left does not write to it: so once the guards of that moment are gone,
    /// its slots can become final by stores.
    #[inline]
    pub(super) fn table_to_write<'g>(
        &'g self,
        mixed: u64,
        guard: &'g LocalGuard<'_>,
    ) -> Option<Table<'g>> {
        let directory = self.directory()?;
        loop {
            let table = directory.table(shard(mixed))?;
            match table.leaving() {
                None => return Some(table),
                Some(Leaving::Stepwise(running)) => {
                    return Some(running.leave(table, rest(mixed), &self.domain, guard));
                }
                Some(Leaving::AtOnce(size)) => {
                    if let Err(error) = self.copy(directory, shard(mixed), table, size, guard) {
                        error.handle();
                    }
                }
            }
        }
    }

    /// Leads a shard to the new table of a complete move, and retires the old one.
    fn switch(
        &self,
        directory: &Directory,
        shard: usize,
        table: Table<'_>,
        running: &Move,
        guard: &LocalGuard<'_>,
    ) -> Result<(), TryReserveError> {
        self.domain.reserve_defer(guard)?;
        if self.lead(directory, shard, table, running.table(table), guard) {
            self.moving.remove(shard);
        }
        Ok(())
    }

    /// Leads a shard from one table to another, and retires the old one, unless another call has; whether it did. Room for the
    /// retirement was reserved.
    pub(super) fn lead(
        &self,
        directory: &Directory,
        shard: usize,
        old: Table<'_>,
        new: Table<'_>,
        guard: &LocalGuard<'_>,
    ) -> bool {
        let is_first = directory.exchange(shard, old, new);
        if is_first {
            // SAFETY: I2: no word leads to the table any more, and the one call that exchanged the word retires it.
            unsafe {
                self.domain.defer(old.word(), put_aside, old.bytes(), guard);
            }
        }
        is_first
    }

    /// Begins to bring a shard's present table nearer to a size, unless it is being left: by a copy, or else by the first of many
    /// steps of a move to the next size.
    fn begin(
        &self,
        directory: &Directory,
        shard: usize,
        table: Table<'_>,
        size: i32,
        guard: &LocalGuard<'_>,
    ) -> Result<(), TryReserveError> {
        let is_present = directory.table(shard) == Some(table);
        if table.leaving().is_some() || !is_present {
            return Ok(());
        }
        let more = size - table.size();
        if table.lines() <= AT_ONCE_LINES {
            let next = table.size() + more.clamp(-COPY_SIZES, COPY_SIZES);
            return self.copy(directory, shard, table, next, guard);
        }
        let next = table.size() + more.signum();
        let grace = || self.domain.grace_of_others(guard).ok();
        directory.begin_steps(table, next, grace)?;
        self.moving.add(shard);
        Ok(())
    }

    /// Begins a resize that a write has found useful.
    fn start(&self, mixed: u64, table: Table<'_>, size: i32, guard: &LocalGuard<'_>) {
        if let Some(directory) = self.directory() {
            // An allocator that refuses leaves the map as it is, with longer buckets.
            let _refused = self.begin(directory, shard(mixed), table, size, guard);
        }
    }

    /// Doubles the shard of a key if so many members behind links are too many for its table.
    pub(super) fn grow_if_spilled(
        &self,
        mixed: u64,
        table: Table<'_>,
        spilled: isize,
        guard: &LocalGuard<'_>,
    ) {
        let spilled = spilled.max(0).cast_unsigned() as u64;
        let limit = SPILL_LIMITS[usize::from(table.size() > CACHED_SIZE)];
        if spilled * 64 > table.lines() * limit && table.size() < MAX_SIZE {
            let more = if table.lines() <= TINY_LINES {
                COPY_SIZES
            } else {
                1
            };
            self.start(mixed, table, table.size() + more, guard);
        }
    }

    /// Halves the shard of a key if a sample of its lines is sparse. Looks at one in 128 removals, of a small table in 32.
    #[inline]
    pub(super) fn shrink_if_sparse(&self, mixed: u64, table: Table<'_>, guard: &LocalGuard<'_>) {
        let every = if table.size() > 2 { 128 } else { 32 };
        // Bits that do not choose the line of any but the largest tables.
        if mixed & (every - 1) == 0 && table.size() > MIN_SIZE {
            self.shrink_if_sample_sparse(mixed, table, guard);
        }
    }

    #[cold]
    fn shrink_if_sample_sparse(&self, mixed: u64, table: Table<'_>, guard: &LocalGuard<'_>) {
        if table.size() <= self.size_for(shard(mixed), self.floor) {
            return;
        }
        // A sample alone is too small to tell a table that has doubled from one that is sparse.
        let share = self.len() / SHARDS;
        let sparse = SPARSE_X4[usize::from(table.size() - 1 > CACHED_SIZE)];
        if share as u64 * 4 > table.lines() * sparse {
            return;
        }
        let sample = SAMPLE_LINES.min(table.lines());
        let start = table.number_at(table.scale().position(rest(mixed)));
        let lines = (0..sample).map(|i| table.line((start + i) % table.lines()));
        let members: usize = lines.map(Line::members).sum();
        if members as u64 * 4 <= sample * sparse {
            self.start(mixed, table, table.size() - 1, guard);
        }
    }

    /// Completes the moves that a shard is in, if any; its present table.
    fn settle<'g>(
        &self,
        directory: &'g Directory,
        shard: usize,
        guard: &LocalGuard<'_>,
    ) -> Result<Option<Table<'g>>, TryReserveError> {
        loop {
            let Some(table) = directory.table(shard) else {
                return Ok(None);
            };
            match table.leaving() {
                None => return Ok(Some(table)),
                Some(Leaving::AtOnce(size)) => self.copy(directory, shard, table, size, guard)?,
                Some(Leaving::Stepwise(running)) => {
                    while running.step(table, &self.domain, guard) != Step::Complete {}
                    self.switch(directory, shard, table, running, guard)?;
                }
            }
        }
    }

    /// Completes every running move and brings every shard to at least (or, to shrink, at most) the lines
    /// that hold `entries` entries, by doublings (halvings), of small tables two at once. Pins anew for each, so that what is outgrown goes.
    ///
    /// To grow, rounds go on until one finds nothing to do: a round that was in vain met the move of another
    /// operation, and the next completes it. To shrink, they end after as many as there are sizes, since a call that
    /// grows and one that shrinks could undo each other's work for ever.
    fn resize_to(&self, entries: usize, shrink: bool) -> Result<(), TryReserveError> {
        let overflow = TryReserveError::CapacityOverflow { entries };
        let sizes: [i32; SHARDS] = core::array::from_fn(|shard| match shrink {
            false => self.size_for(shard, entries),
            true => self.size_shrunk(shard, entries),
        });
        if sizes.iter().any(|&size| size > MAX_SIZE) {
            return Err(overflow);
        }
        let directory = match self.directory() {
            Some(directory) => directory,
            None if shrink => return Ok(()),
            None => self.root.init_if_none()?,
        };
        for round in MIN_SIZE.. {
            let mut rests = true;
            for (shard, &wanted) in sizes.iter().enumerate() {
                let guard = &self.pin();
                let table = match self.settle(directory, shard, guard)? {
                    Some(table) => table,
                    None if shrink => continue,
                    None => directory.init(shard, wanted, None)?,
                };
                let is_off = match shrink {
                    false => table.size() < wanted,
                    true => table.size() > wanted,
                };
                if !is_off {
                    continue;
                }
                rests = false;
                self.begin(directory, shard, table, wanted, guard)?;
                self.settle(directory, shard, guard)?;
            }
            if rests || shrink && round == MAX_SIZE {
                break;
            }
        }
        Ok(())
    }

    /// Makes room for `additional` entries; moves whole shards.
    pub(crate) fn try_reserve(&self, additional: usize) -> Result<(), TryReserveError> {
        self.resize_to(self.len().saturating_add(additional), false)
    }

    /// Moves every shard to the smallest table that suits the present number of entries, and gives back what it can.
    pub(crate) fn shrink_to_fit(&self) {
        if self.directory().is_none() {
            return;
        }
        // An allocator that refuses leaves the shards that are left as they are.
        let _refused = self.resize_to(self.len().max(self.floor), true);
        let Trimmed { all, free } = self.give_back();
        if free > (all / 2).max(FEW_FREE) {
            // What is left lies scattered over the chunks of a larger map.
            let _refused = self.renew(&self.pin());
            self.give_back();
        }
    }

    /// Gives back what is free of what lines behind links lie in; what is left.
    pub(super) fn give_back(&self) -> Trimmed {
        // What a guard itself holds up goes when it ends.
        self.pin().flush();
        self.domain.trim(&self.pin())
    }

    /// Moves every shard to a table of the same size, and its lines behind links to new places.
    fn renew(&self, guard: &LocalGuard<'_>) -> Result<(), TryReserveError> {
        self.domain.set_aside(guard);
        let Some(directory) = self.directory() else {
            return Ok(());
        };
        for shard in 0..SHARDS {
            if let Some(table) = self.settle(directory, shard, guard)? {
                self.begin(directory, shard, table, table.size(), guard)?;
                self.settle(directory, shard, guard)?;
            }
        }
        Ok(())
    }

    /// Entries that the present tables are made for.
    pub(crate) fn capacity(&self) -> usize {
        let Some(directory) = self.directory() else {
            return 0;
        };
        let tables = (0..SHARDS).filter_map(|shard| directory.table(shard));
        let entries = tables.map(Table::lines).sum::<u64>() * PRESIZED_LOAD_X10 / 10;
        usize::try_from(entries).unwrap_or(usize::MAX)
    }
}
