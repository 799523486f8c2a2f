//! Iteration: shard by shard, line by line of the table that the shard had when the iterator came
//! to it. A bucket that has moved on is followed into its new lines; an entry found there counts
//! only if its hash belongs to the line being visited, so an entry that is present throughout is
//! seen exactly once, whatever moves meanwhile.
//!
//! Invariants: I3 of the [parent module](super).

use super::{Entry, RawMap, hash_of};
use crate::arch;
use crate::reclaim::Guard;
use crate::table::hash::{self, SHARD_BITS};
use crate::table::{Directory, Kind, Line, SHARDS, Table, Word};
use core::marker::PhantomData;
use core::ops::Range;

/// Lines whose entries are collected in one go, so that their misses overlap.
const BATCH_LINES: usize = 8;

/// Weakly consistent iterator over entries. Needs no lock, helps no move, holds up no writer.
pub(crate) struct RawIter<'g, K, V> {
    directory: Option<&'g Directory>,
    /// Shards not begun yet. None if the map had a root: that is in hand from the beginning, since
    /// later it could be found in no shard word any more.
    shards: Range<usize>,
    /// The table in hand and its lines not visited yet.
    table: Option<(Table<'g>, Range<u64>)>,
    /// The shard that is visited; none in a root.
    shard: Option<usize>,
    /// Members whose entries may be dereferenced (I3).
    batch: Vec<Word>,
    _entries: PhantomData<&'g Entry<K, V>>,
}

/// The hashes of one shard (or all) whose further bits begin with these.
#[derive(Clone, Copy)]
struct Part {
    shard: Option<usize>,
    /// The bits, at the upper end; zero below.
    prefix: u64,
    bits: u32,
}

impl Part {
    fn of_line(shard: Option<usize>, number: u64, line_bits: u32) -> Self {
        Self {
            shard,
            prefix: number << (64 - line_bits),
            bits: line_bits,
        }
    }

    fn has(self, hash: u64) -> bool {
        self.shard.is_none_or(|shard| hash::shard(hash) == shard)
            && hash::top_bits(hash::rest(hash) ^ self.prefix, self.bits) == 0
    }

    /// The lines of a table that hold hashes of this part.
    fn lines(self, line_bits: u32) -> Range<u64> {
        let first = hash::top_bits(self.prefix, line_bits);
        first..first + (1 << line_bits.saturating_sub(self.bits))
    }
}

impl<K, V> RawMap<K, V> {
    /// Weakly consistent; an entry present throughout is yielded exactly once.
    pub(crate) fn iter<'g>(&self, guard: &'g impl Guard) -> RawIter<'g, K, V> {
        let directory = self.directory(guard);
        let first = directory.map(|directory| directory.table(0));
        match first.filter(|table| table.kind() == Kind::Root) {
            Some(root) => RawIter::new(directory, 0..0, Some((root, 0..root.lines()))),
            None => RawIter::new(directory, 0..first.map_or(0, |_| SHARDS), None),
        }
    }

    /// The parts that a parallel iteration is cut into.
    #[cfg(feature = "rayon")]
    pub(crate) fn parts<'g>(&self, guard: &'g impl Guard) -> Vec<RawIter<'g, K, V>> {
        let all = self.iter(guard);
        if all.table.is_some() {
            return vec![all];
        }
        let part = |shard| RawIter::new(all.directory, shard..shard + 1, None);
        all.shards.map(part).collect()
    }
}

impl<'g, K, V> RawIter<'g, K, V> {
    fn new(
        directory: Option<&'g Directory>,
        shards: Range<usize>,
        table: Option<(Table<'g>, Range<u64>)>,
    ) -> Self {
        Self {
            directory,
            shards,
            table,
            shard: None,
            batch: Vec::new(),
            _entries: PhantomData,
        }
    }

    /// Collects the entries of the next lines; `false` at the end.
    fn refill(&mut self) -> bool {
        let Some(directory) = self.directory else {
            return false;
        };
        loop {
            let (table, lines) = match &mut self.table {
                Some((table, lines)) if !lines.is_empty() => (*table, lines),
                _ => {
                    let Some(shard) = self.shards.next() else {
                        return false;
                    };
                    self.shard = Some(shard);
                    let table = directory.table(shard);
                    let (_, lines) = self.table.insert((table, 0..table.lines()));
                    (table, lines)
                }
            };
            for number in lines.take(BATCH_LINES) {
                let part = Part::of_line(self.shard, number, table.line_bits());
                collect::<K, V>(table, part, &mut self.batch);
            }
            if !self.batch.is_empty() {
                return true;
            }
        }
    }
}

impl<'g, K, V> Iterator for RawIter<'g, K, V> {
    type Item = &'g Entry<K, V>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(word) = self.batch.pop() {
                // SAFETY: I3: loaded from a slot under the guard of 'g; `collect` kept the rule.
                return Some(unsafe { &*word.address().cast::<Entry<K, V>>() });
            }
            if !self.refill() {
                return None;
            }
        }
    }
}

/// Adds the members of `part` that are in `table`, or in what its lines have moved to.
fn collect<K, V>(table: Table<'_>, part: Part, batch: &mut Vec<Word>) {
    let line_bits = table.line_bits();
    let mixed = table.kind() == Kind::Root && part.shard.is_some() || line_bits < part.bits;
    for number in part.lines(line_bits) {
        let before = batch.len();
        let frozen = collect_bucket(table.line(number), batch);
        let line = Part::of_line(part.shard, number, line_bits);
        // What was read is the truth, and frozen words may be followed (I3), as long as the unit
        // is not born.
        let moved = table.migration().filter(|migration| {
            frozen && migration.is_unit_born(migration.unit_of(line.prefix >> SHARD_BITS))
        });
        let Some(migration) = moved else {
            if mixed {
                retain_part::<K, V>(part, batch, before);
            }
            continue;
        };
        batch.truncate(before);
        let narrow = if line.bits > part.bits { line } else { part };
        match (narrow.shard, migration.fans_out()) {
            (None, true) => {
                for shard in 0..SHARDS {
                    let narrow = Part {
                        shard: Some(shard),
                        ..narrow
                    };
                    collect::<K, V>(migration.table(shard), narrow, batch);
                }
            }
            (shard, _) => collect::<K, V>(migration.table(shard.unwrap_or(0)), narrow, batch),
        }
    }
}

/// Adds the members of one bucket; says whether a word of it was frozen.
fn collect_bucket(first: &Line, batch: &mut Vec<Word>) -> bool {
    let mut frozen = false;
    let mut next = Some(first);
    while let Some(line) = next {
        for slot in line.slots() {
            let word = slot.load();
            frozen |= word.is_frozen();
            if word.is_member() {
                // The entries of a batch come in side by side, not one after the other.
                arch::prefetch_read(word.address());
                batch.push(word);
            }
        }
        let link = line.link().load();
        frozen |= link.is_frozen();
        next = line.follow(link);
    }
    frozen
}

/// Drops the members from `start` on that are not of `part`.
fn retain_part<K, V>(part: Part, batch: &mut Vec<Word>, start: usize) {
    for i in (start..batch.len()).rev() {
        // SAFETY: I3: loaded from a slot under the iterator's guard; `collect` keeps the rule.
        if !part.has(unsafe { hash_of::<K, V>(batch[i].address()) }) {
            batch.swap_remove(i);
        }
    }
}

// SAFETY: I3: what the iterator leads to is shared (`K` and `V` are `Sync`) and lives as long as the
// guard of 'g, on whatever thread it is read.
unsafe impl<K: Sync, V: Sync> Send for RawIter<'_, K, V> {}
