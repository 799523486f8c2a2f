//! The move of a table's buckets to new memory: who moves what, and when it is complete.
//!
//! A step is a run of [`STEP_UNITS`] units; [`steps`](super::steps) says who moves which.
//!
//! Invariants: I1, I2, I4, I5 and I6 of the [parent module](super).

use super::directory::{SHARDS, allocate_tables, free_tables};
use super::hash::{self, grown_bits, top_bits};
use super::line::{Line, SLOTS};
use super::steps::{Step, Steps};
use super::store::{Kind, Table};
use super::word::{Slot, Word};
use super::{HashOf, try_box};
use crate::error::TryReserveError;
use crate::sync::{AtomicBool, AtomicPtr, MODEL, Ordering, never_split};
use crate::sync::{layout, note_objects, note_read, note_write};

/// Units in a step. Few under Miri, where a move of tens of entries is to take several steps.
pub(crate) const STEP_UNITS: usize = match (MODEL, cfg!(miri)) {
    (true, _) => 1,
    (false, true) => 2,
    (false, false) => 8,
};

/// Most lines, of both tables, that a step moves: a table doubles, or halves, or it is a root of at
/// most `SHARDS` lines that fans out into two lines for each shard.
const STEP_LINES: usize = 3 * SHARDS;

/// Lines of the old table that hold nothing any more, freed with it.
struct Spent {
    lines: Vec<*mut u8>,
    next: *mut Self,
}

/// The new memory.
enum Into {
    /// One table, of a root or of a shard.
    One(*mut u8),
    /// A table for each shard, of a root that fans out.
    Each(Box<[*mut u8; SHARDS]>),
}

/// A move in progress (or complete, until its old table is freed).
pub(crate) struct Migration {
    into: Into,
    from_bits: u32,
    into_bits: u32,
    steps: Steps,
    spent: AtomicPtr<Spent>,
    /// Somebody retires the old table.
    retired: AtomicBool,
}
never_split!(Migration: steps, spent, retired);
layout!(Migration: into, from_bits, into_bits, steps, spent, retired);

impl Migration {
    /// Allocates the memory to move `old` to `2^into_bits` lines (in each table of `kind`).
    pub(crate) fn allocate(
        old: Table<'_>,
        kind: Kind,
        into_bits: u32,
    ) -> Result<Box<Self>, TryReserveError> {
        let from_bits = old.line_bits();
        debug_assert!(
            step_lines(from_bits, into_bits, old.kind() != kind) <= STEP_LINES,
            "a step from {from_bits} to {into_bits} line bits is too large"
        );
        let record = try_box()?;
        let steps = Steps::allocate(1 << from_bits.min(into_bits), STEP_UNITS)?;
        let into = if old.kind() == kind {
            Into::One(Table::allocate(kind, into_bits)?.word())
        } else {
            let each = try_box()?;
            Into::Each(Box::write(
                each,
                allocate_tables([kind; SHARDS], into_bits)?,
            ))
        };
        let migration = Self {
            into,
            from_bits,
            into_bits,
            steps,
            spent: AtomicPtr::new(core::ptr::null_mut()),
            retired: AtomicBool::new(false),
        };
        let migration = Box::write(record, migration);
        note_objects(&raw const *migration, 1);
        migration.steps.note();
        note_write(&raw const migration.into);
        Ok(migration)
    }

    /// Frees the memory of a move that was never begun.
    pub(crate) fn discard(self) {
        let words = match &self.into {
            Into::One(word) => core::slice::from_ref(word),
            Into::Each(words) => &words[..],
        };
        // SAFETY: I6: nobody else has seen the new tables, and they hold no entry.
        unsafe { free_tables(words) };
    }

    /// The new table of `shard`.
    #[inline]
    pub(crate) fn table(&self, shard: usize) -> Table<'_> {
        note_read(&raw const self.into);
        let word = match &self.into {
            Into::One(word) => *word,
            Into::Each(words) => {
                note_read(&raw const words[shard]);
                words[shard]
            }
        };
        // SAFETY: I3: new tables are retired later than the old one, to which this record belongs:
        // they are not moved before every word leads to them (`Directory::is_settled`).
        unsafe { Table::from_word(word) }
    }

    /// The new table of `hash`.
    #[inline]
    pub(crate) fn table_of(&self, hash: u64) -> Table<'_> {
        self.table(hash::shard(hash))
    }

    /// Whether a root becomes a table for each shard.
    pub(crate) fn fans_out(&self) -> bool {
        matches!(self.into, Into::Each(_))
    }

    fn unit_bits(&self) -> u32 {
        note_read(&raw const self.from_bits);
        note_read(&raw const self.into_bits);
        self.from_bits.min(self.into_bits)
    }

    /// The unit that `hash` is in.
    #[inline]
    pub(crate) fn unit_of(&self, hash: u64) -> u64 {
        top_bits(hash::rest(hash), self.unit_bits())
    }

    /// The new lines of `unit`, in the order in which they are born: shard and number.
    fn new_lines(&self, unit: u64) -> impl Iterator<Item = (usize, u64)> + use<> {
        let shift = self.into_bits - self.unit_bits();
        let shards = if self.fans_out() { SHARDS } else { 1 };
        (0..shards).flat_map(move |shard| {
            (unit << shift..(unit + 1) << shift).map(move |number| (shard, number))
        })
    }

    fn old_lines<'t>(&self, old: Table<'t>, unit: u64) -> impl Iterator<Item = &'t Line> + use<'t> {
        let shift = self.from_bits - self.unit_bits();
        (unit << shift..(unit + 1) << shift).map(move |number| old.line(number))
    }

    /// Whether all new lines of `unit` are born.
    pub(crate) fn is_unit_born(&self, unit: u64) -> bool {
        let last_shard = if self.fans_out() { SHARDS - 1 } else { 0 };
        let last = ((unit + 1) << (self.into_bits - self.unit_bits())) - 1;
        is_born(self.table(last_shard).line(last))
    }

    /// Whether the new line of `hash` is born. Lines are born one by one; the content of a line
    /// that is born before its whole unit equals the frozen content.
    #[inline]
    pub(crate) fn is_born(&self, hash: u64) -> bool {
        is_born(self.table_of(hash).line_of(hash))
    }

    /// Whether the caller, the first to ask, is to retire the old table.
    pub(crate) fn claim_retirement(&self) -> bool {
        // ORD: Relaxed — picks one; the exchanges that unlinked the table are ordered themselves.
        !self.retired.swap(true, Ordering::Relaxed)
    }

    /// Moves one step of `old`, the table this move belongs to.
    pub(crate) fn step(&self, old: Table<'_>, hash_of: HashOf) -> Step {
        let Some(step) = self.steps.next() else {
            return Step::Complete;
        };
        for unit in self.steps.units(step) {
            self.move_unit(old, unit, hash_of);
        }
        if !self.steps.mark(step) {
            return Step::More;
        }
        self.collect(old, step);
        self.steps.count()
    }

    /// Remembers the overflow lines of a finished step, to be freed with the old table.
    fn collect(&self, old: Table<'_>, step: usize) {
        let mut lines = Vec::new();
        for unit in self.steps.units(step) {
            for line in self.old_lines(old, unit) {
                let mut at = line;
                while let Some(next) = at.follow(at.link().load()) {
                    lines.push(at.link().load().address());
                    note_write(lines.as_ptr_range().end.wrapping_sub(1));
                    at = next;
                }
            }
        }
        if lines.is_empty() {
            return;
        }
        let spent = Box::into_raw(Box::new(Spent {
            lines,
            next: core::ptr::null_mut(),
        }));
        note_write(spent);
        // ORD: Relaxed — a hint for the exchange below.
        let mut head = self.spent.load(Ordering::Relaxed);
        loop {
            // SAFETY: I6: `spent` came out of a box above and is not published yet.
            unsafe { (*spent).next = head };
            // ORD: AcqRel — pairs with the AcqRel in collect [T5]; publishes the list to whoever frees it.
            match self
                .spent
                .compare_exchange(head, spent, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return,
                Err(found) => head = found,
            }
        }
    }

    /// Moves the unit: on return its new lines are born.
    pub(crate) fn move_unit(&self, old: Table<'_>, unit: u64, hash_of: HashOf) {
        if self.is_unit_born(unit) {
            return;
        }
        for line in self.old_lines(old, unit) {
            freeze(line);
        }
        for (shard, number) in self.new_lines(unit) {
            self.fill(old, unit, shard, number, hash_of);
        }
    }

    /// Writes the members of `unit` that belong there to line `number` of the new table of `shard`.
    fn fill(&self, old: Table<'_>, unit: u64, shard: usize, number: u64, hash_of: HashOf) {
        let table = self.table(shard);
        let target = table.line(number);
        if is_born(target) {
            return;
        }
        let mut slots = target.slots().iter();
        let mut rest = Vec::new();
        for line in self.old_lines(old, unit) {
            for member in frozen_members(line) {
                if !self.belongs(member, shard, number, hash_of) {
                    continue;
                }
                match slots.next() {
                    Some(slot) => birth(slot, member),
                    None => {
                        rest.push(member);
                        note_write(rest.as_ptr_range().end.wrapping_sub(1));
                    }
                }
            }
        }
        if rest.is_empty() {
            birth(target.link(), Word::vacant());
            return;
        }
        let spilled = rest.len().min(SLOTS);
        let chain = chain(&rest);
        if target.link().cas(Word::ZERO, chain).is_ok() {
            table.spill(spilled.cast_signed());
        } else {
            // SAFETY: I4: the chain was made above and never linked.
            unsafe { free_chain(chain) };
        }
    }

    /// Whether `member`, of the unit of new line `number`, belongs to that line.
    #[inline]
    fn belongs(&self, member: Word, shard: usize, number: u64, hash_of: HashOf) -> bool {
        if !self.fans_out() {
            if self.into_bits <= self.from_bits {
                return true;
            }
            if let Some(bits) = grown_bits(member.tag(), self.from_bits, self.into_bits) {
                return number & ((1 << (self.into_bits - self.from_bits)) - 1) == bits;
            }
        }
        // SAFETY: I1: a member carries an entry; I3: `fill` saw this line unborn under the guard.
        let hash = unsafe { hash_of(member.address()) };
        let right_shard = !self.fans_out() || hash::shard(hash) == shard;
        right_shard && top_bits(hash::rest(hash), self.into_bits) == number
    }
}

/// Lines of both tables in a step.
fn step_lines(from_bits: u32, into_bits: u32, fans_out: bool) -> usize {
    let unit_bits = from_bits.min(into_bits);
    let tables = if fans_out { SHARDS } else { 1 };
    let unit_lines = (1 << (from_bits - unit_bits)) + (tables << (into_bits - unit_bits));
    STEP_UNITS.min(1 << unit_bits) * unit_lines
}

/// The link word of a line is born last.
#[inline]
fn is_born(line: &Line) -> bool {
    !line.link().load().is_zero()
}

impl Drop for Migration {
    fn drop(&mut self) {
        // ORD: Relaxed — dropped with exclusive access, after the grace period.
        let mut next = self.spent.load(Ordering::Relaxed);
        while !next.is_null() {
            // SAFETY: I6: the list is made of boxes, each freed once here.
            let spent = unsafe { Box::from_raw(next) };
            for &line in &spent.lines {
                // SAFETY: I4: the old table is gone, and each of its lines was collected once.
                drop(unsafe { Box::from_raw(line.cast::<Line>()) });
            }
            next = spent.next;
        }
    }
}

/// Gives a new word its content, unless another mover did.
fn birth(slot: &Slot, word: Word) {
    // A failure means that the word is born already, with the same content (I5).
    let _already = slot.cas(Word::ZERO, word);
}

fn freeze_slot(slot: &Slot) -> Word {
    let mut word = slot.load();
    while !word.is_frozen() {
        match slot.cas(word, word.frozen()) {
            Ok(()) => word = word.frozen(),
            Err(found) => word = found,
        }
    }
    word
}

/// Freezes a bucket: its link words, so that the chain stays as it is, then its slots.
fn freeze(line: &Line) {
    let mut at = line;
    while let Some(next) = at.follow(freeze_slot(at.link())) {
        at = next;
    }
    let mut next = Some(line);
    while let Some(at) = next {
        for slot in at.slots() {
            freeze_slot(slot);
        }
        next = at.follow(at.link().load());
    }
}

/// The members of a frozen bucket, thawed, in the order of the chain.
fn frozen_members(line: &Line) -> impl Iterator<Item = Word> {
    core::iter::successors(Some(line), |at| at.follow(at.link().load()))
        .flat_map(|at| at.slots().iter())
        .map(Slot::load)
        .filter(|word| word.is_member())
        .map(Word::thawed)
}

/// Builds overflow lines for `words`; returns the link word that leads to them.
fn chain(words: &[Word]) -> Word {
    let mut link = Word::vacant();
    for part in words.chunks(SLOTS).rev() {
        let line = Line::overflow(part);
        line.link().store_private(link);
        link = Word::link(Box::into_raw(line).cast::<u8>());
    }
    link
}

/// Frees the overflow lines that `link` leads to.
///
/// # Safety
/// Nobody else uses the lines any more, and nobody will.
pub(crate) unsafe fn free_chain(link: Word) {
    let mut link = link;
    while link.is_link() {
        // SAFETY: the caller's contract; I4: a link word carries a boxed line.
        let line = unsafe { Box::from_raw(link.address().cast::<Line>()) };
        link = line.link().load();
    }
}

#[cfg(all(test, loom))]
mod t1 {
    use super::{Line, Word, free_chain, freeze};
    use std::sync::Arc;

    /// Of two movers one fails to freeze a link, and follows what it finds: a line new to it.
    #[test]
    fn a_mover_that_fails_sees_the_line_that_it_finds() {
        loom::model(|| {
            let line = Arc::new(Line::zero());
            let mover = {
                let line = Arc::clone(&line);
                loom::thread::spawn(move || freeze(&line))
            };
            let chain = Word::link(Box::into_raw(Line::overflow(&[])).cast::<u8>());
            let linked = line.link().cas(Word::ZERO, chain).is_ok();
            freeze(&line);
            mover.join().expect("the mover does not panic");
            let last = if linked {
                line.follow(chain)
            } else {
                Some(&*line)
            };
            assert!(last.is_some_and(|line| line.link().load().is_frozen()));
            // SAFETY: both movers are done, and nobody else had the line.
            unsafe { free_chain(chain) };
        });
    }
}
