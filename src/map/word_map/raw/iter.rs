//! Iteration: shard by shard, position by position.
//!
//! A position belongs to one key, and a line of any table to a run of positions. So an iteration that asks for
//! the present table anew at each line and goes on behind the last position of the line that it has read sees
//! each position once, whatever moves meanwhile; a key that was present throughout is seen exactly once.
//!
//! Invariants: I1 and I2 of the [parent module](super).

use super::RawWords;
use crate::arch::{self, Access, Asking};
use crate::reclaim::LocalGuard;
use crate::table::pairs::{Directory, Line, Pair, REST_BITS, SHARDS, SLOTS, Table};
use core::ops::Range;

/// Pairs that are read at once, or a few more.
const BATCH: usize = 32;
/// How many lines before it is read a line is asked for, and one behind its link.
const AHEAD: u64 = 32;
const LINK_AHEAD: u64 = 8;

/// The pairs of a map, weakly consistent.
pub(crate) struct RawIter<'g> {
    map: &'g RawWords,
    _guard: LocalGuard<'g>,
    /// Those that are not done; the first is being visited.
    shards: Range<usize>,
    /// The first position that was not looked at.
    position: u64,
    /// What the keys of the batch have in front.
    upper: u64,
    batch: Batch,
}

/// Pairs of the last lines, of one shard. Whether a slot is a member cannot be guessed, so each is put in its place, and the place counts or
/// does not.
pub(super) struct Batch {
    /// Those from `count` on mean nothing.
    pairs: Vec<Pair>,
    count: usize,
}

impl Batch {
    /// None.
    pub(super) fn new() -> Self {
        Self {
            pairs: Vec::new(),
            count: 0,
        }
    }

    /// Makes room for the slots of a line.
    #[inline]
    fn make_room(&mut self) {
        let needed = self.count + SLOTS;
        if self.pairs.len() < needed {
            self.pairs.resize(needed.max(BATCH + SLOTS), Pair::ZERO);
        }
    }

    /// Adds those of a line's pairs that are members.
    #[inline]
    fn put(&mut self, pairs: [Pair; SLOTS], is_kept: impl Fn(Pair) -> bool) {
        self.make_room();
        let room = &mut self.pairs[self.count..];
        let Some(room) = room.first_chunk_mut::<SLOTS>() else {
            unreachable!("room was made")
        };
        let mut count = 0;
        for pair in pairs {
            room[count % SLOTS] = pair;
            count += usize::from(pair.is_member() & is_kept(pair));
        }
        self.count += count;
    }

    #[inline]
    fn pop(&mut self) -> Option<Pair> {
        self.count = self.count.checked_sub(1)?;
        Some(self.pairs[self.count])
    }
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
            upper: 0,
            batch: Batch::new(),
        }
    }
}

impl Iterator for RawIter<'_> {
    type Item = (u64, u64);

    #[inline]
    fn next(&mut self) -> Option<(u64, u64)> {
        loop {
            if let Some(pair) = self.batch.pop() {
                return Some(self.entry(pair));
            }
            if !self.fill() {
                return None;
            }
        }
    }

    /// As by `next`, without a question for each pair.
    #[inline]
    fn fold<B, F: FnMut(B, (u64, u64)) -> B>(mut self, init: B, mut f: F) -> B {
        let mut folded = init;
        loop {
            for &pair in self.batch.pairs[..self.batch.count].iter().rev() {
                folded = f(folded, self.entry(pair));
            }
            self.batch.count = 0;
            if !self.fill() {
                return folded;
            }
        }
    }
}

impl RawIter<'_> {
    /// The key and the value of a pair of the batch.
    #[inline]
    fn entry(&self, pair: Pair) -> (u64, u64) {
        let key = self.map.mixer().unmix(self.upper | pair.rest());
        (key, pair.value())
    }

    /// Reads the next lines; whether there were any.
    #[cold]
    fn fill(&mut self) -> bool {
        let Some(directory) = self.map.directory() else {
            return false;
        };
        while !self.shards.is_empty() && self.batch.count == 0 {
            let shard = self.shards.start;
            let table = directory.table(shard);
            if let Some(table) = table.filter(|table| self.position < table.scale().end()) {
                self.upper = (shard as u64) << REST_BITS;
                self.read_lines(directory, table);
            } else {
                self.shards.start += 1;
                self.position = 0;
            }
        }
        self.batch.count != 0
    }

    /// Reads lines until there are enough. While a line is not frozen it is the truth, whatever table is present.
    fn read_lines(&mut self, directory: &Directory, table: Table<'_>) {
        match arch::whole() {
            Some(by) => self.read_lines_by(directory, table, by),
            None => self.read_lines_by(directory, table, Asking),
        }
    }

    fn read_lines_by(&mut self, directory: &Directory, table: Table<'_>, by: impl Access) {
        let lines = table.lines();
        let mut number = table.number_at(self.position);
        let mut is_whole = table.line_start(number) == self.position;
        while is_whole && number < lines && self.batch.count < BATCH {
            if number + AHEAD < lines {
                table.line(number + AHEAD).prefetch_read();
                table.line(number + LINK_AHEAD).prefetch_link(by);
            }
            is_whole = read_settled(table.line(number), &mut self.batch, by);
            number += u64::from(is_whole);
        }
        self.position = self.position.max(table.line_start(number));
        if number == lines {
            self.position = table.scale().end();
        } else if !is_whole {
            let at = (directory, self.shards.start);
            self.position = read_bucket(at, table, self.position, &mut self.batch, |_| ());
        }
    }
}

/// Adds the members of a bucket that does not move; whether it does not. The bucket's table is read under a guard.
#[inline]
fn read_settled(first: &Line, batch: &mut Batch, by: impl Access) -> bool {
    let before = batch.count;
    let mut line = first;
    loop {
        let pairs = line.slots().each_ref().map(|slot| slot.by(by).load());
        if pairs.iter().any(|pair| pair.is_frozen()) {
            batch.count = before;
            return false;
        }
        batch.put(pairs, |_| true);
        match line.follow(pairs[SLOTS - 1]) {
            Some(next) => line = next,
            None => return true,
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
    batch: &mut Batch,
    mut behind: impl FnMut(&Line),
) -> u64 {
    let before = batch.count;
    let mut table = present;
    'table: loop {
        let number = table.number_at(start);
        let mut next = Some(table.line(number));
        while let Some(line) = next {
            let mut pairs = [Pair::ZERO; SLOTS];
            for (slot, place) in line.slots().iter().zip(&mut pairs) {
                let pair = slot.load();
                // Asked after the slot was read: while there is none, what is frozen is the truth.
                if pair.is_frozen()
                    && let Some(new) = directory.successor(shard, table, start)
                {
                    table = new;
                    batch.count = before;
                    continue 'table;
                }
                *place = pair;
            }
            batch.put(pairs, |pair| table.scale().position(pair.rest()) >= start);
            next = line.follow(pairs[SLOTS - 1]);
            if let Some(line) = next {
                behind(line);
            }
        }
        return table.line_end(number);
    }
}
