//! Iteration: shard by shard, line by line of the table that the shard had when the iterator came
//! to it. A bucket that has moved on is followed into its new lines; an entry found there counts
//! only if its hash belongs to the line being visited, so an entry that is present throughout is
//! seen exactly once, whatever moves meanwhile.
//!
//! Invariants: I3 of the [parent module](super).

use super::{Entry, RawMap};
use crate::reclaim::Guard;
use crate::table::{Directory, Line, Table};
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

/// The hashes that a line holds.
#[derive(Clone, Copy)]
struct Part {
    shift: u32,
    bits: u32,
    number: u64,
}

impl Part {
    fn has(self, hash: u64) -> bool {
        (hash >> self.shift) & ((1 << self.bits) - 1) == self.number
    }
}

impl<K, V> RawMap<K, V> {
    /// Weakly consistent; an entry present throughout is yielded exactly once.
    pub(crate) fn iter<'g>(&self, guard: &'g impl Guard) -> RawIter<'g, K, V> {
        let directory = self.directory(guard);
        let shards = 0..directory.map_or(0, Directory::shards);
        RawIter { directory, shards, table: None, shard: 0, batch: Vec::new() }
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
        let Some(directory) = self.directory else { return false };
        loop {
            let (table, lines) = match &mut self.table {
                Some((table, lines)) if !lines.is_empty() => (*table, lines),
                _ => {
                    let Some(shard) = self.shards.next() else { return false };
                    self.shard = shard;
                    let table = directory.table(shard);
                    let (_, lines) =
                        self.table.insert((table, 0..table.own_geometry().lines() as u64));
                    (table, lines)
                }
            };
            let geometry = table.geometry(directory.shard_bits());
            for number in lines.take(BATCH_LINES) {
                let (shift, bits) = (geometry.shard_bits, geometry.line_bits);
                let part = Part { shift, bits, number };
                let unit = number << shift | self.shard as u64;
                collect(table, number, unit, part, true, &mut self.batch);
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

/// Adds the entries of `part` that are in line `number` of `table`, or where that line has moved.
/// `hash` is any hash of the line's; `whole` says that the line holds nothing but `part`.
fn collect<'g, K, V>(
    table: Table<'g>,
    number: u64,
    hash: u64,
    part: Part,
    whole: bool,
    batch: &mut Vec<&'g Entry<K, V>>,
) {
    let before = batch.len();
    let mut frozen = false;
    let mut next = Some(table.line(number));
    while let Some(line) = next {
        frozen |= collect_line(line, part, whole, batch);
        let link = line.link_after_slots();
        frozen |= link.is_frozen();
        next = line.follow(link);
    }
    let Some(migration) = table.migration().filter(|_| frozen) else { return };
    // What was read above is the truth as long as the unit is not born (see `get`).
    let Some(lines) = migration.born_lines(hash) else { return };
    batch.truncate(before);
    for (table, number, hash) in lines {
        collect(table, number, hash, part, false, batch);
    }
}

fn collect_line<'g, K, V>(
    line: &'g Line,
    part: Part,
    whole: bool,
    batch: &mut Vec<&'g Entry<K, V>>,
) -> bool {
    let mut frozen = false;
    for slot in line.slots() {
        let word = slot.load();
        frozen |= word.is_frozen();
        if word.is_member() {
            // SAFETY: I3: loaded from a slot under the guard of 'g.
            let entry = unsafe { &*word.address().cast::<Entry<K, V>>() };
            if whole || part.has(entry.hash) {
                batch.push(entry);
            }
        }
    }
    frozen
}


// SAFETY: I3: what the iterator leads to is shared (`K` and `V` are `Sync`) and lives as long as the
// guard of 'g, on whatever thread it is read.
unsafe impl<K: Sync, V: Sync> Send for RawIter<'_, K, V> {}
