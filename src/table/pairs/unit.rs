//! A unit: a line of the smaller of two tables, with its lines of the larger one. What is in the old bucket goes to the new ones.
//!
//! The old lines are frozen, and the members go to the new ones in the order in which everyone finds them: the first to the first slot
//! and so on, but the last of them to the last slot, which is written last. Then that is not zero: the line is born. Slots that get no member are left zero.
//! (So a line takes as many writes as it has members. What does not fit goes behind a link, which then is what is written last.)
//!
//! Invariants: I3 and I5 of the [parent module](super).

use super::chain;
use super::freezing::{Finality, freeze};
use super::line::{Line, SLOTS};
use super::pair::{Behind, Pair, Slot};
use super::store::{Scale, Table};
use crate::arch::Access;
use crate::reclaim::{Domain, Guard};
use crate::sync::{note_read, note_write};
use core::ops::Range;

/// One of the two tables.
#[derive(Clone, Copy)]
struct Side {
    /// Lines of the table.
    lines: u64,
    /// Lines of a unit, as a power of two; fewer in the last one.
    shift: u32,
}

impl Side {
    /// The numbers of the lines of a unit.
    #[inline]
    fn of(self, unit: u64) -> Range<u64> {
        unit << self.shift..((unit + 1) << self.shift).min(self.lines)
    }
}

/// The two tables, as units see them.
#[derive(Clone, Copy)]
pub(super) struct Sides {
    from: Side,
    to: Side,
}

impl Sides {
    /// Those of a shard of this scale, by their sizes.
    pub(super) fn new(scale: Scale, from: i32, to: i32) -> Self {
        let side = |size: i32| Side {
            lines: scale.lines(size),
            shift: size.abs_diff(from.min(to)),
        };
        Self {
            from: side(from),
            to: side(to),
        }
    }

    /// How many units there are.
    pub(super) fn units(&self) -> u64 {
        self.from.lines.min(self.to.lines)
    }

    /// Lines of the new table.
    pub(super) fn new_lines(&self) -> u64 {
        self.to.lines
    }

    /// The unit of a line of the old table.
    pub(super) fn unit_of(&self, number: u64) -> u64 {
        number >> self.from.shift
    }

    /// The numbers of a unit's lines in the old table.
    #[inline]
    pub(super) fn old_of(&self, unit: u64) -> Range<u64> {
        self.from.of(unit)
    }

    /// The numbers of a unit's lines in the new table.
    #[inline]
    pub(super) fn new_of(&self, unit: u64) -> Range<u64> {
        note_read(&raw const self.to);
        self.to.of(unit)
    }
}

/// Makes a line of a new table, which nobody else sees yet, an empty one that is born.
pub(super) fn bear(line: &Line) {
    line.last().store_private(Pair::BORN);
}

/// The last slot of a line is born last.
pub(super) fn is_born(line: &Line) -> bool {
    line.last().load() != Pair::ZERO
}

/// Gives a slot its first content, unless another mover did; with the same content then.
#[inline]
fn birth(slot: &Slot, pair: Pair, by: impl Access) -> bool {
    slot.by(by).cas(Pair::ZERO, pair)
}

/// Freezes the old lines of a unit, and writes what they had to those of the new ones that are not born.
#[inline]
pub(super) fn transfer(
    (old, new): (Table<'_>, Table<'_>),
    (sides, unit): (&Sides, u64),
    finality: Finality,
    by: impl Access,
    memory: (&Domain<Line>, &impl Guard),
) {
    note_read(&raw const sides.from);
    let new_lines = sides.new_of(unit);
    let mut members = Members::new(new_lines.start);
    for number in sides.old_of(unit) {
        freeze(old.line(number), finality, by, |pair| {
            members.add(new.number_at(new.scale().position(pair.rest())), pair);
        });
    }
    for number in new_lines {
        if !is_born(new.line(number)) {
            members.fill(new, number, by, memory);
        }
    }
}

/// New lines of a unit of a move, at most.
const UNIT_LINES: usize = 2;

/// The members of a unit, in the order in which everyone finds them, by the new lines to which they go. Whether a slot is a member and
/// where it goes cannot be guessed: so each is put in its place, and the place counts or does not.
struct Members {
    /// The number of the first new line.
    first: u64,
    near: [[Pair; SLOTS + 1]; UNIT_LINES],
    counts: [usize; UNIT_LINES],
    /// Those for which there was no room, with their lines: of chains.
    far: Vec<(usize, Pair)>,
}

impl Members {
    #[inline]
    fn new(first: u64) -> Self {
        Self {
            first,
            near: [[Pair::ZERO; SLOTS + 1]; UNIT_LINES],
            counts: [0; UNIT_LINES],
            far: Vec::new(),
        }
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "one of two")]
    fn line(&self, number: u64) -> usize {
        number.wrapping_sub(self.first) as usize % UNIT_LINES
    }

    /// Takes a pair that goes to this line, if it is a member.
    #[inline]
    fn add(&mut self, number: u64, pair: Pair) {
        let line = self.line(number);
        let count = self.counts[line];
        if count < SLOTS {
            self.near[line][count] = pair.thawed();
            self.counts[line] = count + usize::from(pair.is_member());
        } else if pair.is_member() {
            self.far.push((line, pair.thawed()));
            note_write(self.far.as_ptr_range().end.wrapping_sub(1));
        }
    }

    /// Writes the members of a line of the new table to it.
    #[inline]
    fn fill(
        &self,
        table: Table<'_>,
        number: u64,
        by: impl Access,
        (domain, guard): (&Domain<Line>, &impl Guard),
    ) {
        let (line, here) = (table.line(number), self.line(number));
        let Some((&last, front)) = self.near[here][..self.counts[here]].split_last() else {
            birth(line.last(), Pair::BORN, by);
            return;
        };
        for (slot, &pair) in line.slots().iter().zip(front) {
            birth(slot, pair, by);
        }
        let far = self.far.iter().filter(|(line, _)| *line == here);
        if far.clone().next().is_none() {
            birth(line.last(), last, by);
            return;
        }
        let far = far.map(|&(_, pair)| pair);
        let behind: Vec<Pair> = core::iter::once(last).chain(far).collect();
        note_write(behind.as_ptr());
        let first = chain::build(&behind, domain, guard);
        let link = Pair::link(first.as_ptr().cast(), Behind::of(&behind));
        if birth(line.last(), link, by) {
            table.spill(behind.len().min(SLOTS - 1).cast_signed());
        } else {
            chain::each_behind(link, |line| domain.give_back(line, guard));
        }
    }
}
