//! Growing, shrinking and sharding: when a move begins, who helps, and how it ends.
//!
//! A map begins as one shard. When its table would outgrow `2^ROOT_LINE_BITS` lines it fans out
//! into a table for each shard, once; from then on each shard doubles and halves by itself.
//!
//! A table grows when more than [`SPILL_LIMIT`] entries per line sit in the first overflow line of
//! their bucket; a bucket counts at most one overflow line, so a thousand keys with one hash do not
//! grow the table. It shrinks when a sample of its lines, taken at some removals, is sparse.
//!
//! Invariants: I3 and I4 of the [parent module](super).

use super::{RawMap, hash_of};
use crate::error::TryReserveError;
use crate::map::ResizeMode;
use crate::reclaim::Guard;
use crate::shard::Node;
use crate::sync::{MODEL, Ordering, note_objects, note_read};
use crate::table::hash::{self, MAX_LINE_BITS, SHARD_BITS};
use crate::table::{Directory, Kind, Migration, SHARDS, STEP_UNITS, Step, Table, free_tables};
use core::cmp::Ordering::{Greater, Less};

/// Lines (as a power of two) of the largest root; the next size is two lines for each shard.
const ROOT_LINE_BITS: u32 = SHARD_BITS;
/// Spilled entries per line, in 1/64, above which a table doubles: with random hashes this is a
/// load of 4.5 entries per line (docs/design/shard-map.md).
const SPILL_LIMIT: u64 = 10;
/// Entries per line, times 2, that a presized table is made for.
const PRESIZED_LOAD_X2: usize = if MODEL { 2 } else { 8 };
/// Lines looked at before a shard shrinks.
const SAMPLE_LINES: u64 = 32;

impl<K, V> RawMap<K, V> {
    /// The directory, under a guard.
    #[inline]
    pub(super) fn directory<'g>(&self, _guard: &'g impl Guard) -> Option<&'g Directory> {
        note_objects(self, 1);
        // ORD: Acquire — pairs with the AcqRel in try_init [T7]; publishes the directory.
        let directory = self.directory.load(Ordering::Acquire);
        // SAFETY: I4: a directory lives as long as the map, which the guard borrows.
        unsafe { directory.as_ref() }
    }

    /// Makes the first table, unless another thread did.
    #[cold]
    pub(super) fn init(&self) {
        let (kind, line_bits) = split(self.floor);
        if let Err(error) = self.try_init([kind; SHARDS], line_bits) {
            error.handle();
        }
    }

    /// Makes a table for each shard from its node, all of them for `capacity` entries; a root would be on none. For a map
    /// that nobody has used.
    pub(crate) fn place(
        &self,
        nodes: &[Option<Node>],
        capacity: usize,
    ) -> Result<(), TryReserveError> {
        let overflow = TryReserveError::CapacityOverflow { entries: capacity };
        let line_bits = total_bits(capacity).ok_or(overflow)?;
        let kind = |shard: usize| Kind::Shard(nodes.get(shard).copied().flatten());
        let line_bits = line_bits.saturating_sub(SHARD_BITS).max(1);
        self.try_init(core::array::from_fn(kind), line_bits)
    }

    /// The first directory.
    fn try_init(&self, kinds: [Kind; SHARDS], line_bits: u32) -> Result<(), TryReserveError> {
        let new = Box::into_raw(Directory::allocate(kinds, line_bits)?);
        let null = core::ptr::null_mut();
        // ORD: AcqRel — pairs with the Acquire in directory [T7]; publishes the directory.
        let swapped =
            self.directory
                .compare_exchange(null, new, Ordering::AcqRel, Ordering::Acquire);
        if swapped.is_err() {
            // SAFETY: I3: `new` came out of a box above and was not published.
            let mut unused = unsafe { Box::from_raw(new) };
            // SAFETY: I3: its tables hold no entry, and nobody else has seen them.
            unsafe { free_tables(&unused.tables()) };
        }
        Ok(())
    }

    /// The table in which a write on `hash` begins, after the caller's step of a running move.
    pub(super) fn table_for_write<'g>(
        &self,
        hash: u64,
        guard: &'g impl Guard,
    ) -> Option<Table<'g>> {
        let directory = self.directory(guard)?;
        let table = directory.table_of(hash);
        if let Some(migration) = table.migration() {
            self.help(directory, hash::shard(hash), table, migration, guard);
        }
        Some(table)
    }

    /// Moves on a running move as far as the mode asks of one write.
    #[cold]
    fn help<'g>(
        &self,
        directory: &'g Directory,
        shard: usize,
        table: Table<'g>,
        migration: &'g Migration,
        guard: &'g impl Guard,
    ) {
        let steps = match self.mode() {
            ResizeMode::Incremental(buckets) => buckets.div_ceil(STEP_UNITS).max(1),
            ResizeMode::Blocking => usize::MAX,
        };
        for _ in 0..steps {
            if migration.step(table, hash_of::<K, V>) == Step::Complete {
                // Refused, it is left to the next write.
                let _refused = self.switch(directory, shard, table, migration, guard);
                return;
            }
        }
    }

    /// Leads the shard (of a root: all) to the new memory of a complete move; retires the old. Does
    /// nothing if there is no memory to retire it.
    fn switch<'g>(
        &self,
        directory: &'g Directory,
        shard: usize,
        table: Table<'g>,
        migration: &'g Migration,
        guard: &'g impl Guard,
    ) -> Result<(), TryReserveError> {
        self.domain.reserve_defer(guard)?;
        if directory.exchange(shard, table, migration) {
            // SAFETY: I3: no word leads to the table any more, and one thread is told to retire it.
            unsafe {
                self.domain
                    .defer(table.word(), reclaim_table, usize::MAX, guard)
            };
        }
        Ok(())
    }

    /// Begins a move of `table` to tables of `2^line_bits` lines, if it is settled and rests.
    fn begin<'g>(
        directory: &'g Directory,
        shard: usize,
        table: Table<'g>,
        kind: Kind,
        line_bits: u32,
    ) -> Result<(), TryReserveError> {
        if table.migration().is_some() || !directory.is_settled(shard, table) {
            return Ok(());
        }
        if let Err(unused) = table.begin(Migration::allocate(table, kind, line_bits)?) {
            unused.discard();
        }
        Ok(())
    }

    /// Begins a move that a write has found useful, and helps as far as it must: a blocking write
    /// completes what it starts, and a small table is moved at once, since a young map should not
    /// hold two.
    fn start<'g>(
        &self,
        directory: &'g Directory,
        shard: usize,
        table: Table<'g>,
        (kind, line_bits): (Kind, u32),
        guard: &'g impl Guard,
    ) {
        // An allocator that refuses leaves the map as it is, with longer buckets.
        let _refused = Self::begin(directory, shard, table, kind, line_bits);
        let at_once = self.mode() == ResizeMode::Blocking || table.lines() <= STEP_UNITS as u64;
        if let Some(migration) = table.migration().filter(|_| at_once) {
            self.help(directory, shard, table, migration, guard);
        }
    }

    /// Doubles the shard of `hash` if `spilled` entries are too many for `table`.
    #[inline]
    pub(super) fn grow_if_spilled(
        &self,
        hash: u64,
        table: Table<'_>,
        spilled: isize,
        guard: &impl Guard,
    ) {
        if spilled.max(0).cast_unsigned() as u64 * 64 > table.lines() * SPILL_LIMIT {
            self.grow(hash, table, guard);
        }
    }

    #[cold]
    fn grow(&self, hash: u64, table: Table<'_>, guard: &impl Guard) {
        let Some(directory) = self.directory(guard) else {
            return;
        };
        self.start(directory, hash::shard(hash), table, doubled(table), guard);
    }

    /// Halves the shard of `hash` if a sample of its lines is sparse. Looks at one in 32 removals.
    #[inline]
    pub(super) fn shrink_if_sparse(&self, hash: u64, table: Table<'_>, guard: &impl Guard) {
        // A sample is a cold line for each four removals of a table out of cache.
        let every = if table.lines() > 4 * SAMPLE_LINES {
            128
        } else {
            32
        };
        if hash >> 32 & (every - 1) == 0 && table.line_bits() > 1 {
            self.shrink_if_sample_sparse(hash, table, guard);
        }
    }

    #[cold]
    fn shrink_if_sample_sparse(&self, hash: u64, table: Table<'_>, guard: &impl Guard) {
        let Some(directory) = self.directory(guard) else {
            return;
        };
        note_read(&raw const self.floor);
        let floor = match table.kind() {
            Kind::Root => self.floor.max(1),
            Kind::Shard(_) => self.floor.saturating_sub(SHARD_BITS).max(1),
        };
        if table.line_bits() <= floor {
            return;
        }
        let sample = SAMPLE_LINES.min(table.lines());
        let start = hash::top_bits(hash::rest(hash), table.line_bits());
        let members: usize = (0..sample)
            .map(|i| table.line(start.wrapping_add(i)).members())
            .sum();
        if members as u64 <= sample * 7 / 8 {
            let size = (table.kind(), table.line_bits() - 1);
            self.start(directory, hash::shard(hash), table, size, guard);
        }
    }

    /// Completes the moves that `shard` is in, if any; returns its present table.
    fn settle<'g>(
        &self,
        directory: &'g Directory,
        shard: usize,
        guard: &'g impl Guard,
    ) -> Result<Table<'g>, TryReserveError> {
        loop {
            let table = directory.table(shard);
            let Some(migration) = table.migration() else {
                return Ok(table);
            };
            while migration.step(table, hash_of::<K, V>) != Step::Complete {}
            self.switch(directory, shard, table, migration, guard)?;
        }
    }

    /// Completes every running move and brings every shard to at least (or, to shrink, at most) the
    /// lines that hold `entries` entries. By doublings (halvings) only, so that the steps that
    /// others take on meanwhile stay small.
    ///
    /// A round completes the moves of each shard and begins one where it is needed. To grow, rounds
    /// go on until one finds nothing to do: a round that was in vain met the move of another
    /// operation, and the next completes it. To shrink, they end after as many as there are sizes,
    /// since a call that grows and one that shrinks could undo each other's work for ever.
    fn resize_to(
        &self,
        entries: usize,
        shrink: bool,
        guard: &impl Guard,
    ) -> Result<(), TryReserveError> {
        let wanted = total_bits(entries).ok_or(TryReserveError::CapacityOverflow { entries })?;
        let Some(directory) = self.directory(guard) else {
            if shrink {
                return Ok(());
            }
            let (kind, line_bits) = split(wanted.max(self.floor));
            return self.try_init([kind; SHARDS], line_bits);
        };
        if !shrink && self.capacity(guard) < entries {
            // A table that cannot be had is refused before anything grows towards it.
            let (kind, line_bits) = split(wanted);
            let probe = Table::allocate(kind, line_bits)?;
            // SAFETY: I3: allocated above, and nobody else has seen it.
            unsafe { probe.free() };
        }
        for round in 0.. {
            let mut rests = true;
            for shard in 0..SHARDS {
                let table = self.settle(directory, shard, guard)?;
                let target = match table.kind() {
                    Kind::Root => wanted.max(1),
                    Kind::Shard(_) => wanted.saturating_sub(SHARD_BITS).max(1),
                };
                let (kind, line_bits) = match table.line_bits().cmp(&target) {
                    Less if !shrink => doubled(table),
                    Greater if shrink => (table.kind(), table.line_bits() - 1),
                    _ => continue,
                };
                rests = false;
                Self::begin(directory, shard, table, kind, line_bits)?;
                self.settle(directory, shard, guard)?;
            }
            if rests || shrink && round == MAX_LINE_BITS {
                break;
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
        self.resize_to(self.len().saturating_add(additional), false, guard)
    }

    /// Moves every shard to the smallest table that suits the present number of entries.
    pub(crate) fn shrink_to_fit(&self, guard: &impl Guard) {
        // An allocator that refuses leaves the shards that are left as they are.
        let _refused = self.resize_to(self.len(), true, guard);
        guard.flush();
        self.domain.trim(guard);
    }

    /// Entries that the present tables are made for.
    pub(crate) fn capacity(&self, guard: &impl Guard) -> usize {
        let Some(directory) = self.directory(guard) else {
            return 0;
        };
        let tables = || (0..SHARDS).map(|shard| directory.table(shard));
        let lines = match tables().find(|table| table.kind() == Kind::Root) {
            Some(root) => root.lines(),
            None => tables().map(Table::lines).sum(),
        };
        usize::try_from(lines).unwrap_or(usize::MAX) * PRESIZED_LOAD_X2 / 2
    }
}

/// The size after `table`'s.
fn doubled(table: Table<'_>) -> (Kind, u32) {
    match table.kind() {
        Kind::Root => split(table.line_bits() + 1),
        kind @ Kind::Shard(_) => (kind, (table.line_bits() + 1).min(MAX_LINE_BITS)),
    }
}

/// How `2^total_bits` lines are laid out in a new map.
fn split(total_bits: u32) -> (Kind, u32) {
    if total_bits <= ROOT_LINE_BITS {
        (Kind::Root, total_bits.max(1))
    } else {
        (Kind::Shard(None), total_bits - SHARD_BITS)
    }
}

/// Lines, as a power of two, for `entries` entries.
pub(super) fn total_bits(entries: usize) -> Option<u32> {
    let lines = entries.checked_mul(2)?.div_ceil(PRESIZED_LOAD_X2).max(1);
    let bits = lines.checked_next_power_of_two()?.trailing_zeros();
    (bits <= MAX_LINE_BITS).then_some(bits)
}

/// Frees an unlinked table. Its entries have moved.
///
/// # Safety
/// Nobody else uses the table any more, and nobody will.
unsafe fn reclaim_table(word: *mut u8) {
    // SAFETY: the caller's contract; the word was made by `Table::word`.
    let table = unsafe { Table::from_word(word) };
    // SAFETY: the caller's contract.
    unsafe { table.free() };
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::RawMap;
    use crate::map::ResizeMode;
    use crate::reclaim::Guard as _;
    use crate::table::SHARDS;
    use std::thread;

    /// A hash for each key, all in the first shard.
    fn hash(key: u64) -> u64 {
        super::super::spread(key) >> super::SHARD_BITS
    }

    fn insert(map: &RawMap<u64, u64>, key: u64) {
        map.insert(hash(key), key, key, true, &map.domain().pin());
    }

    fn is_moving(map: &RawMap<u64, u64>) -> bool {
        let guard = map.domain().pin();
        let directory = map.directory(&guard).expect("made by the first insert");
        (0..SHARDS).any(|shard| directory.table(shard).migration().is_some())
    }

    #[test]
    fn a_blocking_write_completes_what_it_starts() {
        let map = RawMap::new(0, ResizeMode::Blocking, None);
        for key in 0..2000 {
            insert(&map, key);
            assert!(!is_moving(&map), "after the insertion of {key}");
        }
        let grown = map.capacity(&map.domain().pin());
        for key in 0..2000 {
            let guard = map.domain().pin();
            let removed = map.remove_if(hash(key), &key, |_, _| true, &guard);
            assert!(removed.is_ok_and(|entry| entry.is_some()));
            assert!(!is_moving(&map), "after the removal of {key}");
        }
        let shrunk = map.capacity(&map.domain().pin());
        assert!(1000 < grown && shrunk < grown, "{grown}, then {shrunk}");
    }

    /// The bound itself is asserted where a move is made, for every move of every test.
    #[test]
    fn room_is_made_in_bounded_steps() {
        let map = RawMap::new(0, ResizeMode::default(), None);
        insert(&map, 1);
        let guard = map.domain().pin();
        assert_eq!(map.try_reserve(50_000, &guard), Ok(()));
        assert!(map.capacity(&guard) > 50_000);
        map.shrink_to_fit(&guard);
        assert!(map.capacity(&guard) < 1000);
        assert_eq!(
            map.get(hash(1), &1, &guard).map(|entry| entry.value),
            Some(1)
        );
    }

    /// T3: the memory that a move leaves is freed after the last look of those who may have it.
    #[test]
    fn miri_t3_a_table_stays_for_who_came_before_it_moved() {
        let rounds = if cfg!(miri) { 3 } else { 100 };
        for _ in 0..rounds {
            let map = RawMap::new(0, ResizeMode::default(), None);
            insert(&map, 1);
            thread::scope(|scope| {
                scope.spawn(|| {
                    for _ in 0..4 {
                        let guard = map.domain().pin();
                        let seen = map.get(hash(1), &1, &guard).map(|entry| entry.value);
                        assert_eq!(seen, Some(1), "present throughout");
                    }
                });
                for entries in [9, 20] {
                    let guard = map.domain().pin();
                    assert_eq!(map.try_reserve(entries, &guard), Ok(()));
                    drop(guard);
                    map.domain().pin().flush();
                }
            });
        }
    }
}
