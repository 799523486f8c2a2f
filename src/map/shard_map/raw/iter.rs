//! Iteration: shard by shard, line by line of the table that the shard had when the iterator came
//! to it. A bucket that has moved on is followed into its new lines; an entry found there counts
//! only if its hash belongs to the line being visited, so an entry that is present throughout is
//! seen exactly once, whatever moves meanwhile.
//!
//! Invariants: I3 of the [parent module](super).

use super::{Entry, RawMap};
use crate::reclaim::Guard;
use crate::table::hash::{self, SHARD_BITS};
use crate::table::{Directory, Kind, Line, SHARDS, Table};
use core::ops::Range;

/// Lines whose entries are collected in one go, so that their misses overlap.
const BATCH_LINES: usize = 4;

/// Weakly consistent iterator over entries. Needs no lock, helps no move, holds up no writer.
pub(crate) struct RawIter<'g, K, V> {
    directory: Option<&'g Directory>,
    /// Parts not begun yet: shards, or the whole map as long as it has a root.
    parts: Range<usize>,
    whole: bool,
    /// The table in hand, what is visited of it, and its lines not visited yet.
    table: Option<(Table<'g>, Range<u64>)>,
    shard: Option<usize>,
    batch: Vec<&'g Entry<K, V>>,
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
        let whole = directory.is_some_and(|directory| directory.table(0).kind() == Kind::Root);
        let parts = match directory {
            None => 0..0,
            Some(_) if whole => 0..1,
            Some(_) => 0..SHARDS,
        };
        RawIter {
            directory,
            parts,
            whole,
            table: None,
            shard: None,
            batch: Vec::new(),
        }
    }

    /// The parts that a parallel iteration is cut into.
    #[cfg(feature = "rayon")]
    pub(crate) fn parts<'g>(&self, guard: &'g impl Guard) -> Vec<RawIter<'g, K, V>> {
        let all = self.iter(guard);
        let (directory, whole) = (all.directory, all.whole);
        all.parts
            .map(|part| RawIter {
                directory,
                parts: part..part + 1,
                whole,
                table: None,
                shard: None,
                batch: Vec::new(),
            })
            .collect()
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
                    let Some(part) = self.parts.next() else {
                        return false;
                    };
                    self.shard = (!self.whole).then_some(part);
                    let table = directory.table(part);
                    let (_, lines) = self.table.insert((table, 0..table.lines()));
                    (table, lines)
                }
            };
            for number in lines.take(BATCH_LINES) {
                let part = Part::of_line(self.shard, number, table.line_bits());
                collect(table, part, &mut self.batch);
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
fn collect<'g, K, V>(table: Table<'g>, part: Part, batch: &mut Vec<&'g Entry<K, V>>) {
    let line_bits = table.line_bits();
    let mixed = table.kind() == Kind::Root && part.shard.is_some() || line_bits < part.bits;
    for number in part.lines(line_bits) {
        let before = batch.len();
        let frozen = collect_bucket(table.line(number), mixed.then_some(part), batch);
        let Some(migration) = table.migration().filter(|_| frozen) else {
            continue;
        };
        // What was read above is the truth as long as the unit is not born (see `get`).
        let line = Part::of_line(part.shard, number, line_bits);
        if !migration.is_unit_born(migration.unit_of(line.prefix >> SHARD_BITS)) {
            continue;
        }
        batch.truncate(before);
        let narrow = if line.bits > part.bits { line } else { part };
        match (narrow.shard, migration.fans_out()) {
            (None, true) => {
                for shard in 0..SHARDS {
                    let narrow = Part {
                        shard: Some(shard),
                        ..narrow
                    };
                    collect(migration.table(shard), narrow, batch);
                }
            }
            (shard, _) => collect(migration.table(shard.unwrap_or(0)), narrow, batch),
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
