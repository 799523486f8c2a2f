//! Iteration: shard by shard, position by position.
//!
//! A position belongs to one key, and a line of any table to a run of positions. So an iteration that asks for
//! the present table anew at each line and goes on behind the last position of the line that it has read sees
//! each position once, whatever moves meanwhile; a key that was present throughout is seen exactly once.
//!
//! Invariants: I1 and I2 of the [parent module](super).

use super::RawWords;
use crate::reclaim::LocalGuard;
use crate::table::pairs::{Directory, Line, Pair, REST_BITS, SHARDS, Table};
use core::ops::Range;

/// Pairs that are read at once, or a few more.
const BATCH: usize = 32;

/// The pairs of a map, weakly consistent.
pub(crate) struct RawIter<'g> {
    map: &'g RawWords,
    _guard: LocalGuard<'g>,
    /// Those that are not done; the first is being visited.
    shards: Range<usize>,
    /// The first position that was not looked at.
    position: u64,
    /// Of the last lines.
    batch: Vec<(u64, u64)>,
}

impl core::fmt::Debug for RawIter<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RawIter")
            .field("shards", &self.shards)
            .finish_non_exhaustive()
    }
}

impl RawWords {
    /// An iterator over all pairs.
    pub(crate) fn iter(&self) -> RawIter<'_> {
        self.iter_of(0..SHARDS)
    }

    /// An iterator over the pairs of some shards.
    pub(crate) fn iter_of(&self, shards: Range<usize>) -> RawIter<'_> {
        RawIter {
            map: self,
            _guard: self.pin(),
            shards,
            position: 0,
            batch: Vec::new(),
        }
    }
}

impl Iterator for RawIter<'_> {
    type Item = (u64, u64);

    #[inline]
    fn next(&mut self) -> Option<(u64, u64)> {
        loop {
            if let Some(pair) = self.batch.pop() {
                return Some(pair);
            }
            if !self.fill() {
                return None;
            }
        }
    }
}

impl RawIter<'_> {
    /// Reads the next lines; whether there were any.
    fn fill(&mut self) -> bool {
        let Some(directory) = self.map.directory() else {
            return false;
        };
        while !self.shards.is_empty() && self.batch.len() < BATCH {
            let table = directory.table(self.shards.start);
            match table.filter(|table| self.position < table.scale().end()) {
                Some(table) => {
                    let read = self.batch.len();
                    let at = (directory, self.shards.start);
                    self.position = read_bucket(at, table, self.position, &mut self.batch, |_| ());
                    self.unmix_from(read);
                }
                None => {
                    self.shards.start += 1;
                    self.position = 0;
                }
            }
        }
        !self.batch.is_empty()
    }

    /// Turns what the pairs from `start` on have of their keys into keys.
    fn unmix_from(&mut self, start: usize) {
        let upper = (self.shards.start as u64) << REST_BITS;
        let mixer = self.map.mixer();
        for (key, _) in &mut self.batch[start..] {
            *key = mixer.unmix(upper | *key);
        }
    }
}

/// Adds the members of a bucket from a position on, and calls `behind` with the lines behind links; the first position
/// behind it. The table is read under a guard.
#[inline]
pub(super) fn read_bucket(
    (directory, shard): (&Directory, usize),
    present: Table<'_>,
    start: u64,
    batch: &mut Vec<(u64, u64)>,
    mut behind: impl FnMut(&Line),
) -> u64 {
    let before = batch.len();
    let mut table = present;
    'table: loop {
        let number = table.number_at(start);
        let mut next = Some(table.line(number));
        while let Some(line) = next {
            let mut pair = Pair::ZERO;
            for slot in line.slots() {
                pair = slot.load();
                // Asked after the slot was read: while there is none, what is frozen is the truth.
                if pair.is_frozen()
                    && let Some(new) = directory.successor(shard, table, start)
                {
                    table = new;
                    batch.truncate(before);
                    continue 'table;
                }
                if pair.is_member() && table.scale().position(pair.rest()) >= start {
                    batch.push((pair.rest(), pair.value()));
                }
            }
            next = line.follow(pair);
            if let Some(line) = next {
                behind(line);
            }
        }
        return table.line_end(number);
    }
}
