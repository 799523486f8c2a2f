//! The copy of a shard's whole table into another, for tables so small that steps cost more than they spread.
//!
//! The table is frozen, whereupon it does not change any more, and copied to a new one that nobody else sees. Then the shard's
//! word is exchanged; who comes too late throws his copy away. So nothing is written by exchanges but the word and,
//! while others may still write to the old table, its slots.
//!
//! Invariants: I2 to I4 of the [parent module](super).

use super::chain;
use super::freezing::{Finality, freeze};
use super::line::{Line, SLOTS};
use super::pair::Pair;
use super::store::Table;
use super::unit::Sides;
use crate::arch::{self, Access, Asking};
use crate::reclaim::{Domain, Grace, Guard};
use core::ops::Range;

/// By so many sizes at most a copy differs.
pub(crate) const COPY_SIZES: i32 = 2;
/// New lines of a unit, at most.
const LINES: usize = 1 << COPY_SIZES;

/// Fills `new`, which nobody else sees yet, with the members of `old`, which is being left at once.
pub(crate) fn copy(
    old: Table<'_>,
    new: Table<'_>,
    grace: Option<&Grace>,
    domain: &Domain<Line>,
    guard: &impl Guard,
) {
    let finality = Finality::after(grace);
    match arch::whole() {
        Some(by) => copy_units((old, new), finality, by, (domain, guard)),
        None => copy_units((old, new), finality, Asking, (domain, guard)),
    }
}

fn copy_units(
    (old, new): (Table<'_>, Table<'_>),
    finality: Finality,
    by: impl Access,
    memory: (&Domain<Line>, &impl Guard),
) {
    let sides = Sides::new(old.scale(), old.size(), new.size());
    new.populate_all();
    for unit in 0..sides.units() {
        let mut copied = Copied::new(new, sides.new_of(unit));
        for number in sides.old_of(unit) {
            freeze(old.line(number), finality, by, |pair| {
                copied.add(pair, by, memory);
            });
        }
        copied.end(by);
    }
}

/// The new lines of a unit.
struct Copied<'g> {
    table: Table<'g>,
    /// The number of the first one.
    first: u64,
    lines: &'g [Line],
    /// Members in the slots of each.
    counts: [usize; LINES],
}

impl<'g> Copied<'g> {
    #[inline]
    fn new(table: Table<'g>, numbers: Range<u64>) -> Self {
        Self {
            table,
            first: numbers.start,
            lines: table.range(numbers),
            counts: [0; LINES],
        }
    }

    /// Takes a pair, if it is a member.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "one of a few")]
    fn add(&mut self, pair: Pair, by: impl Access, memory: (&Domain<Line>, &impl Guard)) {
        if !pair.is_member() {
            return;
        }
        let position = self.table.scale().position(pair.rest());
        let line = self.table.number_at(position).wrapping_sub(self.first) as usize % LINES;
        let count = self.counts[line];
        if let Some(slot) = self.lines[line].slots().get(count) {
            slot.by(by).store_private(pair.thawed());
            self.counts[line] = count + 1;
        } else {
            self.add_behind(line, pair.thawed(), memory);
        }
    }

    #[cold]
    fn add_behind(&self, line: usize, pair: Pair, (domain, guard): (&Domain<Line>, &impl Guard)) {
        let spilled = self.lines[line].append_behind(pair, domain, guard);
        self.table.spill(spilled);
    }

    /// Says of lines with room that they are born.
    #[inline]
    fn end(self, by: impl Access) {
        for (line, count) in self.lines.iter().zip(self.counts) {
            if count < SLOTS {
                line.last().by(by).store_private(Pair::BORN);
            }
        }
    }
}

/// Retires what is behind the lines of a table that no word leads to any more.
pub(crate) fn retire_lines(old: Table<'_>, domain: &Domain<Line>, guard: &impl Guard) {
    old.each_line(|line| chain::retire_behind(line, domain, guard));
}

/// Throws a copy away that nobody else has seen.
pub(crate) fn discard(new: Table<'_>, domain: &Domain<Line>, guard: &impl Guard) {
    new.each_line(|line| chain::take_behind(line, |line| domain.give_back(line, guard)));
    // SAFETY: I2: no word has led to it.
    unsafe { new.put_aside() };
}
