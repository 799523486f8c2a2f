//! The move of a shard's lines to a table of twice or half the lines.
//!
//! A unit is the line of the smaller table, with its two of the larger one. To move it, its old buckets are frozen,
//! last slots first, so that chains stay as they are. Then the members go to the new lines, each pair by
//! an exchange from zero, the last slot last, which is then no longer zero: the line is born. Every
//! mover finds the same members in the same order, and nobody takes an empty slot of a line that is not born: so
//! a late mover's exchange fails, and slots that get no member are left zero.
//!
//! Invariants: I1 to I6 of the [parent module](super).

use super::chain;
use super::freezing::Finality;
use super::home::{Home, POPULATED_LINES};
use super::line::Line;
use super::store::Table;
use super::unit::{Sides, is_born, transfer};
use crate::arch::{self, Asking};
use crate::error::TryReserveError;
use crate::reclaim::{Domain, Grace, Guard};
use crate::sync::{
    AtomicBool, AtomicU64, Ordering, layout, never_split, note_objects, note_read, note_write,
};
use crate::table::steps::{Step, Steps, no_bits};
use crate::table::try_box;
use std::sync::OnceLock;

/// Units in a step.
const STEP_UNITS: usize = 1;

/// A move in progress, or complete until its old table goes out of use.
pub(crate) struct Move {
    /// The new table's word.
    into: *mut u8,
    sides: Sides,
    steps: Steps,
    /// Of the guards that were alive when the move had begun: their holders may write to the old table.
    grace: OnceLock<Grace>,
    /// It is over: then nobody reads the states of other threads any more.
    is_over: AtomicBool,
    /// One bit for each run of new lines whose pages were asked for.
    populated: Box<[AtomicU64]>,
}
never_split!(Move: is_over);
layout!(Move: into, sides, steps, grace, is_over, populated);

impl Move {
    /// Takes the memory to move `old` to a table of the next or the previous size.
    pub(super) fn allocate(
        old: Table<'_>,
        into_size: i32,
        home: &Home,
    ) -> Result<Box<Self>, TryReserveError> {
        let from_size = old.size();
        debug_assert!(
            from_size.abs_diff(into_size) <= 1,
            "from {from_size} to {into_size}"
        );
        let record = try_box()?;
        let sides = Sides::new(old.scale(), from_size, into_size);
        let units = usize::try_from(sides.units()).unwrap_or(usize::MAX);
        let steps = Steps::allocate(units, STEP_UNITS)?;
        let runs =
            usize::try_from(sides.new_lines().div_ceil(POPULATED_LINES)).unwrap_or(usize::MAX);
        let populated = no_bits(runs)?;
        let into = Table::allocate(old.shard(), into_size, home, old.node())?.word();
        let new = Self {
            into,
            sides,
            steps,
            grace: OnceLock::new(),
            is_over: AtomicBool::new(false),
            populated,
        };
        let new = Box::write(record, new);
        note_objects(&raw const *new, 1);
        new.steps.note();
        note_write(&raw const new.into);
        Ok(new)
    }

    /// Given after the move has begun. Who pins later finds it, and does not write to the old table.
    pub(super) fn set_grace(&self, grace: Grace) {
        let _set_once = self.grace.set(grace);
    }

    /// How slots of the old table become final now.
    pub(crate) fn finality(&self) -> Finality {
        // ORD: Acquire — pairs with the Release in finality [R2]; sees that those who wrote to the old table are done.
        if self.is_over.load(Ordering::Acquire) {
            return Finality::Stored;
        }
        let finality = Finality::after(self.grace.get());
        if finality == Finality::Stored {
            // ORD: Release — pairs with the Acquire in finality [R2]; publishes that those who wrote to the old table are done.
            self.is_over.store(true, Ordering::Release);
        }
        finality
    }

    /// Gives back the memory of a move that was never begun.
    pub(super) fn discard(self, old: Table<'_>) {
        // SAFETY: I2: nobody else has seen the new table.
        unsafe { self.table(old).put_aside() };
    }

    /// Frees the new table of a move that is never to be complete.
    ///
    /// # Safety
    /// As for [`Table::free`].
    pub(super) unsafe fn end(&self, old: Table<'_>, home: &Home) {
        // SAFETY: the caller's contract.
        unsafe { self.table(old).free(home) };
    }

    /// The new table.
    #[inline]
    pub(crate) fn table<'g>(&'g self, old: Table<'g>) -> Table<'g> {
        note_read(&raw const self.into);
        // SAFETY: I2: tables stay allocated as long as the map; it is of the same shard.
        unsafe { Table::from_word(self.into, old.scale()) }
    }

    /// Whether all new lines of the unit are born.
    fn is_unit_born(&self, new: Table<'_>, unit: u64) -> bool {
        let last = self.sides.new_of(unit).next_back();
        last.is_none_or(|number| is_born(new.line(number)))
    }

    /// The new table, if the line of a position is born there. Lines are born one by one; what one holds that is born before
    /// its whole unit equals what was frozen.
    pub(super) fn successor<'g>(&'g self, old: Table<'g>, position: u64) -> Option<Table<'g>> {
        let new = self.table(old);
        is_born(new.line(new.number_at(position))).then_some(new)
    }

    /// Says that the lines of a key's unit will be written soon.
    pub(crate) fn prefetch_write(&self, old: Table<'_>, rest: u64) {
        self.prefetch_unit((old, self.table(old)), self.unit_of(old, rest));
    }

    fn prefetch_unit(&self, (old, new): (Table<'_>, Table<'_>), unit: u64) {
        let (from, to) = (self.sides.old_of(unit), self.sides.new_of(unit));
        from.for_each(|number| old.line(number).prefetch_write());
        to.for_each(|number| new.line(number).prefetch_write());
    }

    /// Whether the new line of a key is born.
    pub(crate) fn has_moved(&self, old: Table<'_>, rest: u64) -> bool {
        self.successor(old, old.scale().position(rest)).is_some()
    }

    /// Moves one step of `old`, the table that this move belongs to.
    pub(crate) fn step(&self, old: Table<'_>, domain: &Domain<Line>, guard: &impl Guard) -> Step {
        let Some(step) = self.steps.next() else {
            return Step::Complete;
        };
        let finality = self.finality();
        for unit in self.steps.units(step) {
            self.move_unit(old, unit, finality, domain, guard);
        }
        if !self.steps.mark(step) {
            return Step::More;
        }
        for unit in self.steps.units(step) {
            for number in self.sides.old_of(unit) {
                chain::retire_behind(old.line(number), domain, guard);
            }
        }
        self.fetch_ahead(old, step);
        self.steps.count()
    }

    /// Has the lines of the step after the next come in until they are moved, and what is behind links of the next one's.
    fn fetch_ahead(&self, old: Table<'_>, step: usize) {
        let new = self.table(old);
        for unit in self.steps.units(step + 2) {
            self.prefetch_unit((old, new), unit);
        }
        if let Some(by) = arch::whole() {
            let next = self.steps.units(step + 1);
            let lines = next.flat_map(|unit| self.sides.old_of(unit));
            lines.for_each(|number| old.line(number).prefetch_link(by));
        }
    }

    /// Has pages come for the new lines of this unit and some more, unless somebody has.
    #[inline]
    fn populate(&self, new: Table<'_>, unit: u64) {
        let number = self.sides.new_of(unit).start;
        let run = usize::try_from(number / POPULATED_LINES).unwrap_or(usize::MAX);
        let (word, bit) = (&self.populated[run / 64], 1 << (run % 64));
        note_read(&raw const self.populated);
        // ORD: Relaxed — two who do it are one too many, and nothing worse.
        if word.load(Ordering::Relaxed) & bit == 0 {
            // ORD: Relaxed — as above.
            word.fetch_or(bit, Ordering::Relaxed);
            new.populate(number);
        }
    }

    /// Moves what is in the line of a key; on return its new line is born.
    pub(crate) fn leave<'g>(
        &'g self,
        old: Table<'g>,
        rest: u64,
        domain: &Domain<Line>,
        guard: &impl Guard,
    ) -> Table<'g> {
        let unit = self.unit_of(old, rest);
        self.move_unit(old, unit, self.finality(), domain, guard);
        self.table(old)
    }

    /// The unit that a key is in.
    fn unit_of(&self, old: Table<'_>, rest: u64) -> u64 {
        self.sides
            .unit_of(old.number_at(old.scale().position(rest)))
    }

    /// Moves a unit: on return its new lines are born.
    fn move_unit(
        &self,
        old: Table<'_>,
        unit: u64,
        finality: Finality,
        domain: &Domain<Line>,
        guard: &impl Guard,
    ) {
        let new = self.table(old);
        self.populate(new, unit);
        if self.is_unit_born(new, unit) {
            return;
        }
        let (tables, of, memory) = ((old, new), (&self.sides, unit), (domain, guard));
        match arch::whole() {
            Some(by) => transfer(tables, of, finality, by, memory),
            None => transfer(tables, of, finality, Asking, memory),
        }
    }
}
