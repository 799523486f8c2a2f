//! The move of a table's buckets to new memory: who moves what, and when it is complete.
//!
//! A step is a run of [`STEP_UNITS`] units. Steps are handed out by a counter; when the counter has
//! run out, whoever comes looks for a step whose bit is not set (its mover may be asleep) and moves
//! it again. So a sleeping mover delays nobody, and the move completes without it.
//!
//! Invariants: I1, I2, I4, I5 and I6 of the [parent module](super).

use super::directory::Directory;
use super::line::{Line, SLOTS};
use super::store::{Geometry, Table};
use super::word::{Slot, TAG_BITS, Word};
use super::{HashOf, top_bits};
use crate::error::TryReserveError;
use crate::pad::Padded;
use crate::sync::{AtomicPtr, AtomicU64, AtomicUsize, MODEL, Ordering};
use core::ops::Range;

/// Units in a step.
pub(crate) const STEP_UNITS: usize = if MODEL { 1 } else { 16 };

/// Where the buckets go.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'g> {
    /// One table, for the same shard.
    Table(Table<'g>),
    /// A directory of tables: a map of one shard becomes a map of many.
    Directory(Directory<'g>),
}

/// What a call of [`Migration::step`] leaves to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// There are more steps.
    More,
    /// Every unit is born; the word that leads to the old table is to be exchanged.
    Complete,
}

/// Lines of the old table that hold nothing any more, freed with it.
struct Spent {
    lines: Vec<*mut u8>,
    next: *mut Self,
}

/// A move in progress (or complete, until its old table is freed).
pub(crate) struct Migration {
    to: *mut u8,
    to_directory: bool,
    from: Geometry,
    /// Geometry of every table of the target.
    into: Geometry,
    /// Steps handed out.
    handed: Padded<AtomicUsize>,
    /// Steps whose units are all born.
    complete: AtomicUsize,
    /// One bit for each step in `complete`.
    bits: Box<[AtomicU64]>,
    spent: AtomicPtr<Spent>,
}

impl Migration {
    /// Allocates the memory to move a table of geometry `from` into: one table, or (from a single
    /// shard) a directory.
    pub(crate) fn allocate(from: Geometry, into: Geometry) -> Result<Box<Self>, TryReserveError> {
        debug_assert!(from.shard_bits == into.shard_bits || from.shard_bits == 0);
        let to_directory = from.shard_bits != into.shard_bits;
        let to = if to_directory {
            Directory::allocate(into.shard_bits, into.line_bits)?.word()
        } else {
            Table::allocate(into)?.word()
        };
        let mut migration = Box::new(Self {
            to,
            to_directory,
            from,
            into,
            handed: Padded::new(AtomicUsize::new(0)),
            complete: AtomicUsize::new(0),
            bits: Box::default(),
            spent: AtomicPtr::new(core::ptr::null_mut()),
        });
        let words = migration.steps().div_ceil(64);
        migration.bits = (0..words).map(|_| AtomicU64::new(0)).collect();
        Ok(migration)
    }

    /// Frees the memory of a move that was never begun.
    pub(crate) fn discard(self) {
        match self.to() {
            // SAFETY: I6: nobody else has seen the new memory, and it holds no entry.
            Target::Table(table) => unsafe { table.free() },
            // SAFETY: as above.
            Target::Directory(directory) => unsafe { directory.free_with_tables() },
        }
    }

    /// The new memory.
    #[inline]
    pub(crate) fn to(&self) -> Target<'_> {
        if self.to_directory {
            // SAFETY: I3: the new memory outlives the old table, to which this record belongs.
            match unsafe { Directory::from_word(self.to) } {
                Some(directory) => Target::Directory(directory),
                None => unreachable!("a migration has a target"),
            }
        } else {
            // SAFETY: I3: as above.
            Target::Table(unsafe { Table::from_word(self.to) })
        }
    }

    /// The new table of `hash`, and the bits that chose its shard.
    #[inline]
    pub(crate) fn table_of(&self, hash: u64) -> (Table<'_>, u32) {
        match self.to() {
            Target::Table(table) => (table, self.into.shard_bits),
            Target::Directory(directory) => (
                directory.table(directory.shard_of(hash)),
                self.into.shard_bits,
            ),
        }
    }

    /// Bits of a hash, after those of the old shard, that choose a new line.
    fn target_bits(&self) -> u32 {
        self.into.shard_bits - self.from.shard_bits + self.into.line_bits
    }

    fn unit_bits(&self) -> u32 {
        self.from.line_bits.min(self.target_bits())
    }

    fn units(&self) -> usize {
        1 << self.unit_bits()
    }

    fn steps(&self) -> usize {
        self.units().div_ceil(STEP_UNITS)
    }

    /// The unit that `hash` is in.
    #[inline]
    pub(crate) fn unit_of(&self, hash: u64) -> u64 {
        top_bits(hash << self.from.shard_bits, self.unit_bits())
    }

    /// New line number `number` and its table, counted over the whole target.
    ///
    /// A late mover may find a younger table in a shard of a directory, and then some line of it:
    /// like all of that table's lines it is born, which is all that a late mover learns from it.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "below the number of shards"
    )]
    fn new_line(&self, number: u64) -> (Table<'_>, &Line) {
        let table = match self.to() {
            Target::Table(table) => table,
            Target::Directory(directory) => {
                directory.table((number >> self.into.line_bits) as usize)
            }
        };
        (table, table.line(number))
    }

    /// Numbers of the new lines of `unit`, in the order in which they are born.
    fn new_numbers(&self, unit: u64) -> Range<u64> {
        let shift = self.target_bits() - self.unit_bits();
        unit << shift..(unit + 1) << shift
    }

    fn old_lines<'t>(&self, old: Table<'t>, unit: u64) -> impl Iterator<Item = &'t Line> + use<'t> {
        let shift = self.from.line_bits - self.unit_bits();
        (unit << shift..(unit + 1) << shift).map(move |number| old.line(number))
    }

    /// Whether all new lines of `unit` are born.
    pub(crate) fn is_unit_born(&self, unit: u64) -> bool {
        let last = self.new_numbers(unit).end - 1;
        !self.new_line(last).1.link().load().is_zero()
    }

    /// Whether the new line of `hash` is born. Lines are born one by one; the content of a line
    /// that is born before its whole unit equals the frozen content.
    #[inline]
    pub(crate) fn is_born(&self, hash: u64) -> bool {
        let (table, shard_bits) = self.table_of(hash);
        !table
            .line_of(table.geometry(shard_bits), hash)
            .link()
            .load()
            .is_zero()
    }

    /// Moves one step of `old`, the table this move belongs to.
    pub(crate) fn step(&self, old: Table<'_>, hash_of: HashOf) -> Step {
        let steps = self.steps();
        // ORD: Relaxed — hands out work; a step moved twice or by a late mover is harmless (I5).
        let mut step = self.handed.fetch_add(1, Ordering::Relaxed);
        if step >= steps {
            match self.unfinished() {
                Some(found) => step = found,
                None => return Step::Complete,
            }
        }
        for unit in step * STEP_UNITS..((step + 1) * STEP_UNITS).min(self.units()) {
            self.move_unit(old, unit as u64, hash_of);
        }
        self.finish(old, step)
    }

    /// A step whose bit is not set.
    fn unfinished(&self) -> Option<usize> {
        (0..self.steps()).find(|&step| {
            // ORD: Acquire — pairs with the AcqRel in finish [T5]; publishes the births of the step.
            self.bits[step / 64].load(Ordering::Acquire) >> (step % 64) & 1 == 0
        })
    }

    fn finish(&self, old: Table<'_>, step: usize) -> Step {
        let bit = 1 << (step % 64);
        // ORD: AcqRel — pairs with the Acquire in unfinished [T5]; publishes the births of the step.
        if self.bits[step / 64].fetch_or(bit, Ordering::AcqRel) & bit != 0 {
            return Step::More;
        }
        self.collect(old, step);
        // ORD: AcqRel — pairs with the AcqRel in finish [T5]; the last to count sees every birth.
        if self.complete.fetch_add(1, Ordering::AcqRel) + 1 == self.steps() {
            Step::Complete
        } else {
            Step::More
        }
    }

    /// Remembers the overflow lines of a finished step, to be freed with the old table.
    fn collect(&self, old: Table<'_>, step: usize) {
        let mut lines = Vec::new();
        for unit in step * STEP_UNITS..((step + 1) * STEP_UNITS).min(self.units()) {
            for line in self.old_lines(old, unit as u64) {
                let mut at = line;
                while let Some(next) = at.follow(at.link().load()) {
                    lines.push(at.link().load().address());
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
        for number in self.new_numbers(unit) {
            self.fill(old, unit, number, hash_of);
        }
    }

    /// Writes the members of `unit` that belong there to new line `number`.
    fn fill(&self, old: Table<'_>, unit: u64, number: u64, hash_of: HashOf) {
        let (table, target) = self.new_line(number);
        if !target.link().load().is_zero() {
            return;
        }
        let mut slots = target.slots().iter();
        let mut rest = Vec::new();
        for line in self.old_lines(old, unit) {
            for member in frozen_members(line) {
                let Some(word) = self.place(member, unit, number, hash_of) else {
                    continue;
                };
                match slots.next() {
                    Some(slot) => birth(slot, word),
                    None => rest.push(word),
                }
            }
        }
        for slot in slots {
            birth(slot, Word::vacant());
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

    /// The word of `member` in new line `number`, if that is where it belongs.
    fn place(&self, member: Word, unit: u64, number: u64, hash_of: HashOf) -> Option<Word> {
        let (from, into) = (self.from, self.into);
        if from.shard_bits == into.shard_bits && from.window() == into.window() {
            let grown = into.line_bits.saturating_sub(from.line_bits);
            let seen = from.line_bits - from.window() + grown;
            let bits = u64::from(member.tag()) >> (TAG_BITS - seen) & ((1 << grown) - 1);
            // A shrinking move has one line for a unit, and no bits to add.
            return (unit << grown | bits == number).then_some(member);
        }
        // SAFETY: I1: a member carries an entry; I3: it is in the map or protected by the guard.
        let hash = unsafe { hash_of(member.address()) };
        let here = top_bits(hash << from.shard_bits, self.target_bits());
        (here == number).then(|| Word::member(member.address(), into.tag(hash)))
    }
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
