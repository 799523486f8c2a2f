//! Iteration: shard by shard, position by position.
//!
//! A position belongs to one key, and a line of any table to a run of positions. So an iteration that asks for
//! the present table anew at each run of lines and goes on behind the last position of the run sees
//! each position once, whatever moves meanwhile; a key that was present throughout is seen exactly once.
//!
//! Lines are looked at twice. First which slots of a run have members, a bit for each: what a slot holds cannot be guessed, and so
//! no branch depends on it. Then the slots are read whose bits are set. A line that did not move at the first look may do so
//! before the second: what is frozen by then was the truth after the first, and what is behind its link is there as long as the
//! iteration's guard. A key whose slot has become a link meanwhile is behind it.
//!
//! Invariants: I1 and I2 of the [parent module](super).

use super::{Mixer, RawWords};
use crate::arch::{self, Access, Asking};
use crate::reclaim::LocalGuard;
use crate::table::pairs::{Directory, Line, Pair, REST_BITS, SHARDS, SLOTS, Table};
use core::ops::Range;

/// Lines of a run: as many as have a bit for each slot.
const RUN: usize = 64 / SLOTS.next_power_of_two();
/// How many lines before it is looked at a line is asked for.
const AHEAD: usize = 2 * RUN;

/// The pairs of a map, weakly consistent.
pub(crate) struct RawIter<'g> {
    map: &'g RawWords,
    _guard: LocalGuard<'g>,
    /// Those that are not done; the first is being visited.
    shards: Range<usize>,
    /// The first position that was not looked at.
    position: u64,
    /// What the keys have in front.
    upper: u64,
    run: Run<'g>,
    /// From behind links, and from buckets that move.
    others: Batch,
}

/// Lines side by side, and what is left of them.
#[derive(Clone, Copy, Default)]
struct Run<'g> {
    lines: &'g [Line],
    /// A bit for each slot that had a member and was not visited.
    members: u64,
    /// A bit for each last slot that is a link, behind which nobody was.
    links: u64,
}

impl<'g> Run<'g> {
    /// Looks at these lines, up to the first that moves.
    fn look(lines: &'g [Line], by: impl Access) -> Self {
        debug_assert!(lines.len() <= RUN, "{} lines", lines.len());
        let (mut members, mut links, mut whole) = (0_u64, 0_u64, 0);
        for (number, line) in lines.iter().enumerate() {
            // One by one: all of a run together wait for each other.
            arch::prefetch_read(core::ptr::from_ref(line).wrapping_add(AHEAD));
            let [here, link, frozen] = line.kinds();
            if frozen != 0 {
                break;
            }
            // In at the top, and down with each line: so no shift depends on the number.
            members = members >> SLOTS | u64::from(here) << (64 - SLOTS);
            links = links >> SLOTS | u64::from(link) << (64 - SLOTS);
            whole = number + 1;
        }
        let down = |bits: u64| match whole {
            0 => 0,
            _ => bits >> (64 - whole * SLOTS),
        };
        let lines = &lines[..whole];
        let run = Self {
            lines,
            members: down(members),
            links: down(links),
        };
        each_bit(run.links, |number| run.line(number).prefetch_link(by));
        run
    }

    #[inline]
    fn line(&self, number: usize) -> &'g Line {
        &self.lines[number / SLOTS]
    }

    /// The next member.
    #[inline]
    fn next(&mut self, by: impl Access) -> Option<Pair> {
        while self.members != 0 {
            let number = self.members.trailing_zeros() as usize;
            self.members &= self.members - 1;
            let pair = Line::slots_of(self.lines)[number].by(by).load();
            if pair.is_member() {
                return Some(pair);
            }
            self.links |= u64::from(pair.is_link()) << number;
        }
        None
    }

    /// Adds the members behind links.
    fn read_behind(&mut self, others: &mut Batch, by: impl Access) {
        let links = core::mem::take(&mut self.links);
        each_bit(links, |number| {
            let first = self.line(number);
            let mut next = first.follow(first.last().by(by).load());
            while let Some(line) = next {
                let pairs = line.slots().each_ref().map(|slot| slot.by(by).load());
                others.put(pairs, |_| true);
                // Not by another look at the last slot: a member that was seen there may be behind it by now.
                next = line.follow(pairs[SLOTS - 1]);
            }
        });
    }
}

/// The lines of a run, or as many as there are, from this number on.
fn run_at(table: Table<'_>, number: u64) -> &[Line] {
    let lines = table.all();
    let start = usize::try_from(number).map_or(lines.len(), |number| number.min(lines.len()));
    &lines[start..lines.len().min(start + RUN)]
}

/// Calls `f` with the number of each bit that is set.
#[inline]
fn each_bit(mut bits: u64, mut f: impl FnMut(usize)) {
    while bits != 0 {
        f(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

/// Pairs that are read at once. Each is put in its place, and the place counts or does not.
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
            self.pairs.resize(2 * needed, Pair::ZERO);
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
            run: Run::default(),
            others: Batch::new(),
        }
    }
}

impl Iterator for RawIter<'_> {
    type Item = (u64, u64);

    #[inline]
    fn next(&mut self) -> Option<(u64, u64)> {
        match arch::whole() {
            Some(by) => self.next_by(by),
            None => self.next_asking(),
        }
    }

    #[inline]
    fn fold<B, F: FnMut(B, (u64, u64)) -> B>(self, init: B, f: F) -> B {
        match arch::whole() {
            Some(by) => self.fold_by(init, f, by),
            None => self.fold_by(init, f, Asking),
        }
    }
}

impl<'g> RawIter<'g> {
    #[inline]
    fn next_by(&mut self, by: impl Access) -> Option<(u64, u64)> {
        loop {
            if let Some(pair) = self.run.next(by).or_else(|| self.others.pop()) {
                return Some(entry(self.map.mixer(), self.upper, pair));
            }
            if !self.fill(by) {
                return None;
            }
        }
    }

    #[cold]
    fn next_asking(&mut self) -> Option<(u64, u64)> {
        self.next_by(Asking)
    }

    #[inline]
    fn fold_by<B>(mut self, init: B, mut f: impl FnMut(B, (u64, u64)) -> B, by: impl Access) -> B {
        // Out of memory, which accesses could have changed.
        let mixer = *self.map.mixer();
        let mut folded = init;
        loop {
            let (mut run, upper) = (self.run, self.upper);
            while let Some(pair) = run.next(by) {
                folded = f(folded, entry(&mixer, upper, pair));
            }
            self.run = run;
            while let Some(pair) = self.others.pop() {
                folded = f(folded, entry(&mixer, upper, pair));
            }
            if !self.fill(by) {
                return folded;
            }
        }
    }

    /// Goes on to the next pairs, or lines without any; whether there were lines.
    #[inline(never)]
    fn fill(&mut self, by: impl Access) -> bool {
        if self.run.links != 0 {
            self.run.read_behind(&mut self.others, by);
            return true;
        }
        let Some(directory) = self.map.directory() else {
            return false;
        };
        while !self.shards.is_empty() {
            let shard = self.shards.start;
            let table = directory.table(shard);
            if let Some(table) = table.filter(|table| self.position < table.scale().end()) {
                self.upper = (shard as u64) << REST_BITS;
                self.read_lines(directory, table, by);
                return true;
            }
            self.shards.start += 1;
            self.position = 0;
        }
        false
    }

    /// Goes on to the next lines. While a line is not frozen it is the truth, whatever table is present.
    fn read_lines(&mut self, directory: &Directory, table: Table<'g>, by: impl Access) {
        let number = table.number_at(self.position);
        if table.line_start(number) == self.position {
            self.run = Run::look(run_at(table, number), by);
            let whole = self.run.lines.len() as u64;
            if whole != 0 {
                self.position = table.line_end(number + whole - 1);
                return;
            }
        }
        let at = (directory, self.shards.start);
        self.position = read_bucket(at, table, self.position, &mut self.others, |_| ());
    }
}

/// The key and the value of a pair.
#[inline]
fn entry(mixer: &Mixer, upper: u64, pair: Pair) -> (u64, u64) {
    (mixer.unmix(upper | pair.rest()), pair.value())
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
