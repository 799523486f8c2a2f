//! A line: four slots in 64 bytes, the last of which may lead to the next line of the bucket.
//!
//! Invariants: I1 and I3 of the [parent module](super).

use super::pair::{Pair, REST_BITS, Slot};
use crate::arch::{self, LineWords};
use crate::reclaim::{Domain, Guard, Object};
use crate::sync::{MODEL, OPAQUE_READS, layout, note_objects, note_write};
use core::ptr::NonNull;

/// Slots in a line; two under the model checker, so that full lines are reached.
pub(crate) const SLOTS: usize = if MODEL { 2 } else { 4 };

/// A bucket, or a further line of one.
#[repr(C, align(64))]
pub(crate) struct Line {
    slots: [Slot; SLOTS],
}
layout!(Line: slots);

impl Object for Line {}

const _: () = assert!(
    MODEL || size_of::<Line>() == 64 && align_of::<Line>() == 64,
    "a bucket is one 64-byte line"
);
const _: () = assert!(
    REST_BITS >= 32,
    "the lower lane of a key word has no bits of the state, and the upper one all of them"
);

impl Line {
    /// A line whose slots are all zero.
    pub(super) fn zero() -> Self {
        Self {
            slots: core::array::from_fn(|_| Slot::new(Pair::ZERO)),
        }
    }

    /// A line for behind a link, which nobody else sees yet: `pairs` in front, the other slots vacant.
    pub(super) fn behind(
        pairs: &[Pair],
        domain: &Domain<Self>,
        guard: &impl Guard,
    ) -> NonNull<Self> {
        debug_assert!(pairs.len() <= SLOTS, "a line has SLOTS slots");
        let pair = |i: usize| pairs.get(i).copied().unwrap_or(Pair::VACANT);
        let line = domain.alloc(guard);
        let new = Self {
            slots: core::array::from_fn(|i| Slot::new(pair(i))),
        };
        // SAFETY: I3: memory for a line, which nobody else has.
        unsafe { line.write(new) };
        note_objects(line.as_ptr(), 1);
        note_write(line.as_ptr());
        line
    }

    /// The slots.
    #[inline]
    pub(crate) fn slots(&self) -> &[Slot; SLOTS] {
        &self.slots
    }

    /// The last slot.
    #[inline]
    pub(crate) fn last(&self) -> &Slot {
        &self.slots[SLOTS - 1]
    }

    /// The slots that may have had a pair with this rest of a key a moment ago, frozen or not.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the lower lane is meant")]
    pub(crate) fn matching(&self, rest: u64) -> Filter<'_> {
        let lane = rest as u32;
        self.filter(
            |line| arch::match_lane::<0>(line, lane),
            |pair| pair.rest() as u32 == lane,
        )
    }

    /// The first slot that was empty a moment ago, and what it holds if it still is.
    #[inline]
    pub(crate) fn first_empty(&self) -> Option<(&Slot, Pair)> {
        let slot = self
            .filter(|line| arch::match_lane::<1>(line, 0), Pair::is_empty)
            .first()?;
        let is_last = core::ptr::eq(slot, self.last());
        Some((slot, if is_last { Pair::BORN } else { Pair::ZERO }))
    }

    #[inline]
    fn filter(
        &self,
        by_lane: impl FnOnce(&LineWords) -> u32,
        meaning: impl Fn(Pair) -> bool,
    ) -> Filter<'_> {
        let mask = match self.words() {
            Some(words) if OPAQUE_READS => by_lane(words),
            _ => (0..).zip(&self.slots).fold(0, |mask, (i, slot)| {
                mask | u32::from(meaning(slot.peek())) << i
            }),
        };
        Filter { line: self, mask }
    }

    /// The line as integers, where that is what its bytes are.
    #[inline]
    fn words(&self) -> Option<&LineWords> {
        if size_of::<Self>() != size_of::<LineWords>() {
            return None;
        }
        // SAFETY: I1: a pair has two words of 64 bits; the reference is only filtered through (`arch`).
        Some(unsafe { &*core::ptr::from_ref(self).cast::<LineWords>() })
    }

    /// Says that the line will be read soon.
    #[inline]
    pub(crate) fn prefetch_read(&self) {
        arch::prefetch_read(core::ptr::from_ref(self));
    }

    /// Says that the line will be written soon.
    #[inline]
    pub(crate) fn prefetch_write(&self) {
        arch::prefetch_write(core::ptr::from_ref(self));
    }

    /// The line that the last slot of this one leads to, if `last` is what was read there.
    #[inline]
    pub(crate) fn follow(&self, last: Pair) -> Option<&Self> {
        let next = last.next()?.cast::<Self>();
        // SAFETY: I3: a link carries a line that lives as long as the guard under which it was read.
        Some(unsafe { &*next })
    }

    /// Makes the last slot, which holds `last`, a link to a new line that has it in front, and `claim` next. The claim's
    /// slot, if that was done.
    pub(crate) fn lengthen<'g>(
        &'g self,
        last: Pair,
        claim: Pair,
        domain: &Domain<Self>,
        guard: &'g impl Guard,
    ) -> Option<&'g Slot> {
        let behind = Self::behind(&[last, claim], domain, guard);
        let link = Pair::link(behind.as_ptr().cast());
        if self.last().cas(last, link) {
            return self.follow(link).map(|line| &line.slots()[1]);
        }
        domain.give_back(behind, guard);
        None
    }

    /// How many members the line had a moment ago.
    pub(crate) fn members(&self) -> usize {
        let pairs = self.slots.iter().map(Slot::load);
        pairs.filter(|pair| pair.is_member()).count()
    }
}

/// Slots to look at.
pub(crate) struct Filter<'l> {
    line: &'l Line,
    mask: u32,
}

impl<'l> Filter<'l> {
    /// The first slot that is left.
    #[inline]
    pub(crate) fn first(&self) -> Option<&'l Slot> {
        if self.mask == 0 {
            return None;
        }
        let number = self.mask.trailing_zeros() as usize;
        debug_assert!(number < SLOTS, "the mask has a bit for each slot");
        // SAFETY: I1: the mask has bits of slots of the line only.
        Some(unsafe { self.line.slots.get_unchecked(number) })
    }

    /// Leaves out the first slot that is left, if there is one.
    #[inline]
    pub(crate) fn skip_first(&mut self) {
        self.mask &= self.mask.wrapping_sub(1);
    }
}
