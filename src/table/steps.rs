//! The steps of a move: runs of units, handed out by a counter. When the counter has run out, whoever comes
//! looks for a step that is not finished (its mover may be asleep) and moves it again. So a sleeping
//! mover delays nobody, and the move completes without it.

use crate::error::TryReserveError;
use crate::pad::Padded;
use crate::sync::{AtomicU64, AtomicUsize, Ordering, layout, never_split};
use crate::sync::{note_objects, note_read, note_write};
use core::alloc::Layout;
use core::ops::Range;

/// What a call of a step leaves to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// There are more steps.
    More,
    /// Every unit is born; the words that lead to the old table are to be exchanged.
    Complete,
}

/// So many bits, all clear.
pub(super) fn no_bits(count: usize) -> Result<Box<[AtomicU64]>, TryReserveError> {
    let words = count.div_ceil(64);
    let mut bits = Vec::new();
    if bits.try_reserve_exact(words).is_err() {
        let layout = Layout::array::<AtomicU64>(words).unwrap_or(Layout::new::<AtomicU64>());
        return Err(TryReserveError::AllocError { layout });
    }
    bits.extend((0..words).map(|_| AtomicU64::new(0)));
    Ok(bits.into_boxed_slice())
}

/// The steps of one move.
pub(super) struct Steps {
    units: usize,
    /// Units in a step, as a power of two: nothing is divided for a step.
    shift: usize,
    /// Steps handed out.
    handed: Padded<AtomicUsize>,
    /// Steps that are finished.
    complete: AtomicUsize,
    /// One bit for each step in `complete`.
    bits: Box<[AtomicU64]>,
}
never_split!(Steps: handed, complete);
layout!(Steps: units, shift, handed, complete, bits);

impl Steps {
    /// Steps of `each` units, a power of two.
    pub(super) fn allocate(units: usize, each: usize) -> Result<Self, TryReserveError> {
        debug_assert!(each.is_power_of_two(), "{each} units");
        let bits = no_bits(units.div_ceil(each))?;
        bits.iter().for_each(|word| note_write(word));
        Ok(Self {
            units,
            shift: each.trailing_zeros() as usize,
            handed: Padded::new(AtomicUsize::new(0)),
            complete: AtomicUsize::new(0),
            bits,
        })
    }

    /// Tells the tracer of steps that have found their place.
    pub(super) fn note(&self) {
        note_objects(&raw const *self, 1);
        note_write(&raw const *self.handed);
        note_write(&raw const self.bits);
    }

    fn steps(&self) -> usize {
        note_read(&raw const self.units);
        let each = 1 << self.shift;
        (self.units + each - 1) >> self.shift
    }

    /// A step to move, if not all are finished.
    pub(super) fn next(&self) -> Option<usize> {
        let steps = self.steps();
        // ORD: Relaxed — hands out work; a step moved twice or by a late mover is harmless (I5).
        let step = self.handed.fetch_add(1, Ordering::Relaxed);
        if step < steps {
            return Some(step);
        }
        (0..steps).find(|&step| {
            note_read(&raw const self.bits);
            // ORD: Acquire — pairs with the AcqRel in mark [T5]; publishes the births of the step.
            self.bits[step / 64].load(Ordering::Acquire) >> (step % 64) & 1 == 0
        })
    }

    /// The units of a step; none behind the last.
    pub(super) fn units(&self, step: usize) -> Range<u64> {
        let unit = |step: usize| (step << self.shift).min(self.units) as u64;
        unit(step)..unit(step + 1)
    }

    /// Says that the units of a step are born; whether the caller is the first.
    pub(super) fn mark(&self, step: usize) -> bool {
        let bit = 1 << (step % 64);
        note_read(&raw const self.bits);
        // ORD: AcqRel — pairs with the Acquire in next [T5]; publishes the births of the step.
        self.bits[step / 64].fetch_or(bit, Ordering::AcqRel) & bit == 0
    }

    /// Counts a step, by the first who has marked it.
    pub(super) fn count(&self) -> Step {
        // ORD: AcqRel — pairs with the AcqRel in count [T5]; sees every birth that was counted.
        if self.complete.fetch_add(1, Ordering::AcqRel) + 1 == self.steps() {
            Step::Complete
        } else {
            Step::More
        }
    }
}
