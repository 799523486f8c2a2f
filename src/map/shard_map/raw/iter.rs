//! Iteration: shard by shard, line by line of the table that the shard had when the iterator came
//! to it. A bucket that has moved on is followed into its new lines; an entry found there counts
//! only if its hash belongs to the line being visited, so an entry that is present throughout is
//! seen exactly once, whatever moves meanwhile.
//!
//! Invariants: I3 of the [parent module](super).

use super::{Entry, RawMap};
use crate::reclaim::Guard;
use crate::table::{Directory, Geometry, Line, Table, Target, top_bits};
use core::ops::Range;

/// Lines whose entries are collected in one go, so that their misses overlap.
const BATCH_LINES: usize = 4;

/// Weakly consistent iterator over entries. Needs no lock, helps no move, holds up no writer.
pub(crate) struct RawIter<'g, K, V> {
    directory: Option<Directory<'g>>,
    /// Shards not begun yet.
    shards: Range<usize>,
    /// The table in hand and its lines not visited yet.
    table: Option<(Table<'g>, Range<u64>)>,
    shard: usize,
    batch: Vec<&'g Entry<K, V>>,
}

/// The hashes that begin with these bits.
#[derive(Clone, Copy)]
struct Part {
    /// The bits, at the upper end of a hash; zero below.
    prefix: u64,
    bits: u32,
}

impl Part {
    /// The hashes of line `number` of the table of `shard`.
    fn of_line(shard: u64, number: u64, geometry: Geometry) -> Self {
        let bits = geometry.shard_bits + geometry.line_bits;
        let value = shard << geometry.line_bits | number;
        Self {
            prefix: value.checked_shl(64 - bits).unwrap_or(0),
            bits,
        }
    }

    fn has(self, hash: u64) -> bool {
        top_bits(hash ^ self.prefix, self.bits) == 0
    }

    /// The lines of a table that hold hashes of this part.
    fn lines(self, geometry: Geometry) -> Range<u64> {
        let first = geometry.line_number(self.prefix);
        let chosen = self.bits.saturating_sub(geometry.shard_bits);
        first..first + (1 << geometry.line_bits.saturating_sub(chosen))
    }
}

impl<K, V> RawMap<K, V> {
    /// Weakly consistent; an entry present throughout is yielded exactly once.
    pub(crate) fn iter<'g>(&self, guard: &'g impl Guard) -> RawIter<'g, K, V> {
        let directory = self.directory(guard);
        let shards = 0..directory.map_or(0, Directory::shards);
        RawIter {
            directory,
            shards,
            table: None,
            shard: 0,
            batch: Vec::new(),
        }
    }

    /// Parts that a parallel iteration may be cut into: shards of the present directory.
    pub(crate) fn parts<'g>(&self, guard: &'g impl Guard) -> Vec<RawIter<'g, K, V>> {
        let all = self.iter(guard);
        let part = |shard| RawIter {
            directory: all.directory,
            shards: shard..shard + 1,
            table: None,
            shard,
            batch: Vec::new(),
        };
        all.shards.clone().map(part).collect()
    }
}

impl<K, V> RawIter<'_, K, V> {
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
                    self.shard = shard;
                    let table = directory.table(shard);
                    let (_, lines) = self
                        .table
                        .insert((table, 0..table.own_geometry().lines() as u64));
                    (table, lines)
                }
            };
            let geometry = table.geometry(directory.shard_bits());
            for number in lines.take(BATCH_LINES) {
                let part = Part::of_line(self.shard as u64, number, geometry);
                collect(table, geometry, part, &mut self.batch);
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
            if let Some(entry) = self.batch.pop() {
                return Some(entry);
            }
            if !self.refill() {
                return None;
            }
        }
    }
}

/// Adds the entries of `part` that are in `table`, or in what its lines have moved to.
fn collect<'g, K, V>(
    table: Table<'g>,
    geometry: Geometry,
    part: Part,
    batch: &mut Vec<&'g Entry<K, V>>,
) {
    for number in part.lines(geometry) {
        let before = batch.len();
        // A line with more bits than the part holds nothing but the part.
        let filter = (geometry.shard_bits + geometry.line_bits < part.bits).then_some(part);
        let frozen = collect_bucket(table.line(number), filter, batch);
        let Some(migration) = table.migration().filter(|_| frozen) else {
            continue;
        };
        // What was read above is the truth as long as the unit is not born (see `get`).
        let line = Part::of_line(top_bits(part.prefix, geometry.shard_bits), number, geometry);
        if !migration.is_unit_born(migration.unit_of(line.prefix)) {
            continue;
        }
        batch.truncate(before);
        let narrow = if line.bits > part.bits { line } else { part };
        match migration.to() {
            Target::Table(new) => collect(new, new.geometry(geometry.shard_bits), narrow, batch),
            Target::Directory(new) => {
                let bits = new.shard_bits();
                let first = top_bits(narrow.prefix, bits);
                for shard in first..first + (1 << bits.saturating_sub(narrow.bits)) {
                    let shard_part = Part {
                        prefix: narrow.prefix | shard.checked_shl(64 - bits).unwrap_or(0),
                        bits: narrow.bits.max(bits),
                    };
                    let table = new.table(new.shard_of(shard_part.prefix));
                    collect(table, table.geometry(bits), shard_part, batch);
                }
            }
        }
    }
}

/// Adds the entries of one bucket (of `part`, if given); says whether a word of it was frozen.
fn collect_bucket<'g, K, V>(
    first: &'g Line,
    part: Option<Part>,
    batch: &mut Vec<&'g Entry<K, V>>,
) -> bool {
    let mut frozen = false;
    let mut next = Some(first);
    while let Some(line) = next {
        for slot in line.slots() {
            let word = slot.load();
            frozen |= word.is_frozen();
            if word.is_member() {
                // SAFETY: I3: loaded from a slot under the guard of 'g.
                let entry = unsafe { &*word.address().cast::<Entry<K, V>>() };
                if part.is_none_or(|part| part.has(entry.hash)) {
                    batch.push(entry);
                }
            }
        }
        let link = line.link().load();
        frozen |= link.is_frozen();
        next = line.follow(link);
    }
    frozen
}

// SAFETY: I3: what the iterator leads to is shared (`K` and `V` are `Sync`) and lives as long as the
// guard of 'g, on whatever thread it is read.
unsafe impl<K: Sync, V: Sync> Send for RawIter<'_, K, V> {}
