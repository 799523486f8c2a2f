//! The move of a shard's lines to a table of twice or half the lines.
//!
//! A unit is the line of the smaller table, with its two of the larger one. To move it, its old buckets are frozen,
//! last slots first, so that chains stay as they are. Then the members go to the new lines, each pair by
//! an exchange from zero, the last slot last, which is then no longer zero: the line is born. Every
//! mover finds the same members in the same order, and nobody takes an empty slot of a line that is not born: so
//! a late mover's exchange fails, and slots that get no member are left zero.
//!
//! Invariants: I1 to I6 of the [parent module](super).

use super::home::{Home, POPULATED_LINES};
use super::line::{Line, SLOTS};
use super::pair::{Behind, Pair, Slot};
use super::store::Table;
use crate::arch::{self, Access, Asking};
use crate::error::TryReserveError;
use crate::reclaim::{Domain, Grace, Guard};
use crate::sync::{
    AtomicBool, AtomicU64, Ordering, layout, never_split, note_objects, note_read, note_write,
};
use crate::table::steps::{Step, Steps, no_bits};
use crate::table::try_box;
use core::ops::Range;
use core::ptr::NonNull;
use std::sync::OnceLock;

/// Units in a step.
const STEP_UNITS: usize = 1;

/// A move in progress, or complete until its old table goes out of use.
pub(crate) struct Move {
    /// The new table's word.
    into: *mut u8,
    from: Side,
    to: Side,
    steps: Steps,
    /// Of the guards that were alive when the move had begun: their holders may write to the old table.
    grace: OnceLock<Grace>,
    /// It is over: then nobody reads the states of other threads any more.
    is_over: AtomicBool,
    /// One bit for each run of new lines whose pages were asked for.
    populated: Box<[AtomicU64]>,
}
never_split!(Move: is_over);
layout!(Move: into, from, to, steps, grace, is_over, populated);

/// One of the two tables, as units see it.
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
        let side = |size: i32| Side {
            lines: old.scale().lines(size),
            shift: size.abs_diff(from_size.min(into_size)),
        };
        let (from, to) = (side(from_size), side(into_size));
        let units = usize::try_from(from.lines.min(to.lines)).unwrap_or(usize::MAX);
        let steps = Steps::allocate(units, STEP_UNITS)?;
        let runs = usize::try_from(to.lines.div_ceil(POPULATED_LINES)).unwrap_or(usize::MAX);
        let populated = no_bits(runs)?;
        let into = Table::allocate(old.shard(), into_size, home, old.node())?.word();
        let new = Self {
            into,
            from,
            to,
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
        note_read(&raw const self.to);
        let last = self.to.of(unit).next_back();
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
        let (from, to) = (self.from.of(unit), self.to.of(unit));
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
            for number in self.from.of(unit) {
                retire_behind(old.line(number), domain, guard);
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
            let lines = next.flat_map(|unit| self.from.of(unit));
            lines.for_each(|number| old.line(number).prefetch_link(by));
        }
    }

    /// Has pages come for the new lines of this unit and some more, unless somebody has.
    #[inline]
    fn populate(&self, new: Table<'_>, unit: u64) {
        let number = self.to.of(unit).start;
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
        old.number_at(old.scale().position(rest)) >> self.from.shift
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
        match arch::whole() {
            Some(by) => self.move_unborn((old, new), unit, finality, domain, guard, by),
            None => self.move_unborn((old, new), unit, finality, domain, guard, Asking),
        }
    }

    fn move_unborn(
        &self,
        (old, new): (Table<'_>, Table<'_>),
        unit: u64,
        finality: Finality,
        domain: &Domain<Line>,
        guard: &impl Guard,
        by: impl Access,
    ) {
        note_read(&raw const self.from);
        let first = self.to.of(unit).start;
        let mut members = Members::new(first);
        for number in self.from.of(unit) {
            freeze(old.line(number), finality, by, |pair| {
                members.add(new.number_at(new.scale().position(pair.rest())), pair);
            });
        }
        for number in self.to.of(unit) {
            if !is_born(new.line(number)) {
                members.fill(new, number, domain, guard, by);
            }
        }
    }
}

/// New lines of a unit.
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
        domain: &Domain<Line>,
        guard: &impl Guard,
        by: impl Access,
    ) {
        let (line, here) = (table.line(number), self.line(number));
        let near = &self.near[here][..self.counts[here]];
        for (slot, &pair) in line.slots()[..SLOTS - 1].iter().zip(near) {
            birth(slot, pair, by);
        }
        let far = self.far.iter().filter(|(line, _)| *line == here);
        let far = far.map(|&(_, pair)| pair);
        let last = match near.get(SLOTS - 1) {
            None => Pair::BORN,
            Some(&last) if far.clone().next().is_none() => last,
            Some(&last) => {
                let behind: Vec<Pair> = core::iter::once(last).chain(far).collect();
                note_write(behind.as_ptr());
                let chain = chain(&behind, domain, guard);
                let link = Pair::link(chain.as_ptr().cast(), Behind::of(&behind));
                if birth(line.last(), link, by) {
                    table.spill(behind.len().min(SLOTS - 1).cast_signed());
                } else {
                    each_of_chain(link, |line| domain.give_back(line, guard));
                }
                return;
            }
        };
        birth(line.last(), last, by);
    }
}

/// Makes a line of a new table, which nobody else sees yet, an empty one that is born.
pub(super) fn bear(line: &Line) {
    line.last().store_private(Pair::BORN);
}

/// The last slot of a line is born last.
fn is_born(line: &Line) -> bool {
    line.last().load() != Pair::ZERO
}

/// Gives a slot its first content, unless another mover did; with the same content then.
#[inline]
fn birth(slot: &Slot, pair: Pair, by: impl Access) -> bool {
    slot.by(by).cas(Pair::ZERO, pair)
}

/// Builds lines for behind a link; returns the first.
fn chain(pairs: &[Pair], domain: &Domain<Line>, guard: &impl Guard) -> NonNull<Line> {
    let mut parts = pairs.chunks(SLOTS - 1).rev();
    let first = parts.next().unwrap_or_default();
    parts.fold(Line::behind(first, domain, guard), |next, part| {
        let line = Line::behind(part, domain, guard);
        // SAFETY: I3: made above, and nobody else sees it yet.
        let last = unsafe { line.as_ref() }.last();
        let link = Pair::link(next.as_ptr().cast(), Behind::of(part));
        last.store_private(link);
        line
    })
}

/// Freezes a bucket: its last slots, so that the chain stays as it is, then the others. Calls `each` with what its slots hold, in the
/// order of the chain.
#[inline]
pub(crate) fn freeze(
    first: &Line,
    finality: Finality,
    by: impl Access,
    mut each: impl FnMut(Pair),
) {
    let first_last = freeze_slot(first.last(), finality, by);
    let mut last = first_last;
    while let Some(at) = first.follow(last) {
        last = freeze_slot(at.last(), finality, by);
    }
    let (mut line, mut last) = (first, first_last);
    loop {
        for slot in &line.slots()[..SLOTS - 1] {
            each(freeze_slot(slot, finality, by));
        }
        each(last);
        let Some(next) = line.follow(last) else {
            return;
        };
        line = next;
        last = next.last().load();
    }
}

/// How a slot of a table that is being left becomes final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finality {
    /// By an exchange, for somebody may write to it.
    Exchanged,
    /// By a store: nobody writes to it but movers, and they all write the same.
    Stored,
}

impl Finality {
    /// That of a table whose writers were those guards.
    #[inline]
    pub(super) fn after(grace: Option<&Grace>) -> Self {
        if grace.is_some_and(Grace::is_over) {
            Self::Stored
        } else {
            Self::Exchanged
        }
    }
}

/// Makes a slot final; what it holds then.
#[inline]
fn freeze_slot(slot: &Slot, finality: Finality, by: impl Access) -> Pair {
    let pair = slot.by(by).load();
    if pair.is_frozen() {
        pair
    } else if finality == Finality::Stored {
        slot.by(by).store_final(pair.frozen());
        pair.frozen()
    } else {
        exchange_final(slot, pair)
    }
}

/// Makes a slot final that held this, by an exchange; what it holds then.
fn exchange_final(slot: &Slot, mut pair: Pair) -> Pair {
    while !pair.is_frozen() && !slot.cas(pair, pair.frozen()) {
        pair = slot.load();
    }
    pair.frozen()
}

/// Calls `f` with each line behind this one, for who has the table alone; nobody follows the link afterwards.
pub(super) fn take_behind(line: &Line, f: impl FnMut(NonNull<Line>)) {
    each_of_chain(line.last().load(), f);
}

/// Retires the lines behind a frozen one, whose unit is born.
pub(super) fn retire_behind(line: &Line, domain: &Domain<Line>, guard: &impl Guard) {
    retire_chain(line.last().load(), domain, guard);
}

/// Retires the lines behind a link, for the one who does.
pub(super) fn retire_chain(link: Pair, domain: &Domain<Line>, guard: &impl Guard) {
    // SAFETY: I3: who comes later does not follow the link; one mover retires the lines of a step, and who has exchanged a link those behind it.
    each_of_chain(link, |line| unsafe { domain.retire(line, guard) });
}

/// Calls `f` with each line behind a link, which then is its own.
fn each_of_chain(link: Pair, mut f: impl FnMut(NonNull<Line>)) {
    let mut next = link.next();
    while let Some(line) = next.and_then(NonNull::new).map(NonNull::<u8>::cast) {
        // SAFETY: I3: it lives until `f` is called.
        next = unsafe { line.as_ref() as &Line }.last().load().next();
        f(line);
    }
}
