//! The move of a shard's lines to a table of twice or half the lines.
//!
//! A unit is the line of the smaller table, with its two of the larger one. To move it, its old buckets are frozen,
//! last slots first, so that chains stay as they are. Then the members go to the new lines, each pair by
//! an exchange from zero, the last slot last, which is then no longer zero: the line is born. Every
//! mover finds the same members in the same order, and nobody takes an empty slot of a line that is not born: so
//! a late mover's exchange fails, and slots that get no member are left zero.
//!
//! Invariants: P1 to P5 of the [parent module](super).

use super::line::{Line, SLOTS};
use super::pair::{Pair, Slot};
use super::store::{Spares, Table};
use crate::error::TryReserveError;
use crate::reclaim::{Domain, Guard};
use crate::sync::{layout, note_objects, note_read, note_write};
use crate::table::steps::{Step, Steps};
use crate::table::try_box;
use core::ptr::NonNull;

/// Units in a step.
pub(crate) const STEP_UNITS: usize = if cfg!(loom) { 1 } else { 2 };

/// A move in progress, or complete until its old table goes out of use.
pub(crate) struct Move {
    /// The new table's word.
    into: *mut u8,
    from_size: i32,
    into_size: i32,
    steps: Steps,
}
layout!(Move: into, from_size, into_size, steps);

impl Move {
    /// Takes the memory to move `old` to a table of the next or the previous size.
    pub(super) fn allocate(
        old: Table<'_>,
        into_size: i32,
        spares: &Spares,
    ) -> Result<Box<Self>, TryReserveError> {
        let from_size = old.size();
        debug_assert_eq!(
            from_size.abs_diff(into_size),
            1,
            "from {from_size} to {into_size}"
        );
        let record = try_box()?;
        let units = old.scale().lines(from_size.min(into_size));
        let steps = Steps::allocate(usize::try_from(units).unwrap_or(usize::MAX), STEP_UNITS)?;
        let into = Table::allocate(old.scale(), into_size, spares)?.word();
        let new = Self {
            into,
            from_size,
            into_size,
            steps,
        };
        let new = Box::write(record, new);
        note_objects(&raw const *new, 1);
        new.steps.note();
        note_write(&raw const new.into);
        Ok(new)
    }

    /// Gives back the memory of a move that was never begun.
    pub(super) fn discard(self, old: Table<'_>) {
        // SAFETY: P2: nobody else has seen the new table.
        unsafe { self.table(old).put_aside() };
    }

    /// Frees the new table of a move that is never to be complete.
    ///
    /// # Safety
    /// Nobody reads the table any more, and nobody will.
    pub(super) unsafe fn end(&self, old: Table<'_>) {
        // SAFETY: the caller's contract.
        unsafe { self.table(old).free() };
    }

    /// The new table.
    #[inline]
    pub(crate) fn table<'g>(&'g self, old: Table<'g>) -> Table<'g> {
        note_read(&raw const self.into);
        // SAFETY: P2: tables stay allocated as long as the map; it is of the same shard.
        unsafe { Table::from_word(self.into, old.scale()) }
    }

    /// The unit of a line of the old table.
    fn unit_of(&self, old_line: u64) -> u64 {
        note_read(&raw const self.into_size);
        old_line >> (self.from_size - self.into_size).max(0)
    }

    /// The lines of `table`, of size `size`, in a unit.
    fn lines<'t>(
        &self,
        table: Table<'t>,
        size: i32,
        unit: u64,
    ) -> impl DoubleEndedIterator<Item = (u64, &'t Line)> + use<'t> {
        let shift = size - self.from_size.min(self.into_size);
        let numbers = unit << shift..((unit + 1) << shift).min(table.lines());
        numbers.map(move |number| (number, table.line(number)))
    }

    /// Whether all new lines of the unit are born.
    fn is_unit_born(&self, new: Table<'_>, unit: u64) -> bool {
        let last = self.lines(new, self.into_size, unit).next_back();
        last.is_none_or(|(_, line)| is_born(line))
    }

    /// The new table, if the line of a key is born there. Lines are born one by one; what one holds that is born before
    /// its whole unit equals what was frozen.
    pub(crate) fn successor<'g>(&'g self, old: Table<'g>, rest: u64) -> Option<Table<'g>> {
        self.successor_at(old, old.scale().position(rest))
    }

    /// As above, of the line of a position.
    pub(crate) fn successor_at<'g>(&'g self, old: Table<'g>, position: u64) -> Option<Table<'g>> {
        let new = self.table(old);
        is_born(new.line(new.number_at(position))).then_some(new)
    }

    /// Moves one step of `old`, the table that this move belongs to.
    pub(crate) fn step(&self, old: Table<'_>, domain: &Domain<Line>, guard: &impl Guard) -> Step {
        let Some(step) = self.steps.next() else {
            return Step::Complete;
        };
        for unit in self.steps.units(step) {
            self.move_unit(old, unit, domain, guard);
        }
        if !self.steps.mark(step) {
            return Step::More;
        }
        for unit in self.steps.units(step) {
            self.lines(old, self.from_size, unit)
                .for_each(|(_, line)| retire_behind(line, domain, guard));
        }
        self.steps.count()
    }

    /// Moves what is in the line of a key; on return its new line is born.
    pub(crate) fn leave<'g>(
        &'g self,
        old: Table<'g>,
        rest: u64,
        domain: &Domain<Line>,
        guard: &impl Guard,
    ) -> Table<'g> {
        let line = old.number_at(old.scale().position(rest));
        self.move_unit(old, self.unit_of(line), domain, guard);
        self.table(old)
    }

    /// Moves a unit: on return its new lines are born.
    fn move_unit(&self, old: Table<'_>, unit: u64, domain: &Domain<Line>, guard: &impl Guard) {
        let new = self.table(old);
        if self.is_unit_born(new, unit) {
            return;
        }
        let old_lines = || self.lines(old, self.from_size, unit).map(|(_, line)| line);
        old_lines().for_each(freeze);
        for (number, line) in self.lines(new, self.into_size, unit) {
            if is_born(line) {
                continue;
            }
            let is_here = |pair: &Pair| new.number_at(new.scale().position(pair.rest())) == number;
            let members = old_lines().flat_map(frozen_members).filter(is_here);
            fill(new, line, members, domain, guard);
        }
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

/// Writes its members to a new line.
fn fill(
    table: Table<'_>,
    line: &Line,
    members: impl Iterator<Item = Pair>,
    domain: &Domain<Line>,
    guard: &impl Guard,
) {
    let mut here = [Pair::ZERO; SLOTS];
    here[SLOTS - 1] = Pair::BORN;
    let mut behind = Vec::new();
    for (number, pair) in members.enumerate() {
        match here.get_mut(number) {
            Some(place) => *place = pair,
            None => {
                behind.push(pair);
                note_write(behind.as_ptr_range().end.wrapping_sub(1));
            }
        }
    }
    let (slots, last) = (&line.slots()[..SLOTS - 1], line.last());
    for (slot, &pair) in slots.iter().zip(&here) {
        if pair != Pair::ZERO {
            birth(slot, pair);
        }
    }
    if behind.is_empty() {
        birth(last, here[SLOTS - 1]);
        return;
    }
    behind.insert(0, here[SLOTS - 1]);
    let chain = chain(&behind, domain, guard);
    if birth(last, Pair::link(chain.as_ptr().cast())) {
        table.spill(behind.len().min(SLOTS - 1).cast_signed());
    } else {
        each_of_chain(Some(chain), |line| domain.give_back(line, guard));
    }
}

/// Gives a slot its first content, unless another mover did; with the same content then.
fn birth(slot: &Slot, pair: Pair) -> bool {
    slot.cas(Pair::ZERO, pair)
}

/// Builds lines for behind a link; returns the first.
fn chain(pairs: &[Pair], domain: &Domain<Line>, guard: &impl Guard) -> NonNull<Line> {
    let mut parts = pairs.chunks(SLOTS - 1).rev();
    let first = parts.next().unwrap_or_default();
    parts.fold(Line::behind(first, domain, guard), |next, part| {
        let line = Line::behind(part, domain, guard);
        // SAFETY: P3: made above, and nobody else sees it yet.
        let last = unsafe { line.as_ref() }.last();
        last.store_private(Pair::link(next.as_ptr().cast()));
        line
    })
}

/// Freezes a bucket: its last slots, so that the chain stays as it is, then the others.
fn freeze(line: &Line) {
    let mut at = line;
    while let Some(next) = at.follow(freeze_slot(at.last())) {
        at = next;
    }
    let mut next = Some(line);
    while let Some(at) = next {
        for slot in &at.slots()[..SLOTS - 1] {
            freeze_slot(slot);
        }
        next = at.follow(at.last().load());
    }
}

fn freeze_slot(slot: &Slot) -> Pair {
    loop {
        let pair = slot.load();
        if pair.is_frozen() || slot.cas(pair, pair.frozen()) {
            return pair.frozen();
        }
    }
}

/// The members of a frozen bucket, thawed, in the order of the chain.
fn frozen_members(line: &Line) -> impl Iterator<Item = Pair> {
    core::iter::successors(Some(line), |at| at.follow(at.last().load()))
        .flat_map(|at| at.slots().iter())
        .map(Slot::load)
        .filter(|pair| pair.is_member())
        .map(Pair::thawed)
}

/// Retires the lines behind a frozen one, whose unit is born.
fn retire_behind(line: &Line, domain: &Domain<Line>, guard: &impl Guard) {
    let first = line.last().load().next().and_then(NonNull::new);
    // SAFETY: P3: who comes later does not follow the link, and one mover retires the lines of a step.
    each_of_chain(first.map(NonNull::cast), |line| unsafe {
        domain.retire(line, guard);
    });
}

/// Calls `f` with each line of a chain, which then is its own.
fn each_of_chain(first: Option<NonNull<Line>>, mut f: impl FnMut(NonNull<Line>)) {
    let mut next: Option<NonNull<Line>> = first;
    while let Some(line) = next {
        // SAFETY: P3: it lives until `f` is called.
        let last = unsafe { line.as_ref() }.last().load();
        next = last.next().and_then(NonNull::new).map(NonNull::cast);
        f(line);
    }
}
