//! A line: four slots in 64 bytes, the last of which may lead to the next line of the bucket.
//!
//! Invariants: I1 and I3 of the [parent module](super).

use super::chain;
use super::pair::{Behind, Pair, REST_BITS, Slot};
use crate::arch::{self, Access, Kinds, LineWords};
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

    /// The slots of lines side by side.
    #[inline]
    pub(crate) fn slots_of(lines: &[Self]) -> &[Slot] {
        // SAFETY: I1: a line is its slots, and nothing lies between lines.
        unsafe { core::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * SLOTS) }
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

    /// The slots that were empty a moment ago.
    #[inline]
    pub(crate) fn empties(&self) -> Filter<'_> {
        self.filter(|line| arch::match_lane::<1>(line, 0), Pair::is_empty)
    }

    /// What a slot of the line holds if it is empty.
    #[inline]
    pub(crate) fn empty_in(&self, slot: &Slot) -> Pair {
        if core::ptr::eq(slot, self.last()) {
            Pair::BORN
        } else {
            Pair::ZERO
        }
    }

    /// The first slot that was vacant a moment ago.
    #[inline]
    pub(crate) fn first_vacant(&self) -> Option<&Slot> {
        let upper = Pair::VACANT.upper();
        self.filter(
            |line| arch::match_lane::<1>(line, upper),
            |pair| pair == Pair::VACANT,
        )
        .first()
    }

    /// Whether nothing of the key is in the bucket that starts here besides the claim in this slot; `false` also for a bucket of more than
    /// two lines, if the key may be behind the first. Reads after the
    /// exchange that made the claim (W2), under its guard. (Other slots may be frozen: who settles finds the claim frozen or not.)
    #[inline]
    pub(crate) fn is_alone(&self, claim: &Slot, rest: u64, by: impl Access) -> bool {
        if self.has_besides(claim, rest, by) {
            return false;
        }
        let last = self.last().by(by).load_after_claim();
        let behind = self.follow(last).filter(|_| !last.is_frozen());
        let is_behind_free = |line: &Self| {
            !line.has_besides(claim, rest, by)
                && line.last().by(by).load_after_claim().ends_bucket()
        };
        last.ends_bucket_of(rest) || behind.is_some_and(is_behind_free)
    }

    /// Whether another slot than that of a claim may have the key.
    #[inline]
    fn has_besides(&self, claim: &Slot, rest: u64, by: impl Access) -> bool {
        let is_other = |slot: &Slot| !core::ptr::eq(slot, claim);
        if arch::RMW_ORDERS_LOADS && OPAQUE_READS {
            let mut matching = self.matching(rest);
            while let Some(slot) = matching.first() {
                if is_other(slot) {
                    return true;
                }
                matching.skip_first();
            }
            return false;
        }
        let mut slots = self.slots.iter().filter(|slot| is_other(slot));
        slots.any(|slot| slot.by(by).load_after_claim().rest() == rest)
    }

    /// The slots that had members a moment ago, those that had links, and those that were frozen: a bit for each.
    #[inline]
    pub(crate) fn kinds(&self) -> [u32; 3] {
        const KINDS: &Kinds = &Pair::KINDS;
        match self.words() {
            Some(words) if OPAQUE_READS => arch::match_kinds::<1>(words, KINDS),
            _ => (0..).zip(&self.slots).fold([0; 3], |masks, (i, slot)| {
                let kinds = KINDS.of(slot.peek().upper());
                core::array::from_fn(|kind| masks[kind] | u32::from(kinds[kind]) << i)
            }),
        }
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

    /// Says that the line behind this one's link will be read soon, if it has one now.
    #[inline]
    pub(crate) fn prefetch_link(&self, by: impl Access) {
        if let Some(next) = self.last().by(by).load().next() {
            arch::prefetch_read(next.cast_const());
        }
    }

    /// As above, if a key may be there.
    #[inline]
    pub(crate) fn prefetch_behind(&self, rest: u64, by: impl Access) {
        let last = self.last().by(by).load();
        if !last.ends_bucket_of(rest)
            && let Some(next) = last.next()
        {
            arch::prefetch_read(next.cast_const());
        }
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

    /// Counts and signs a key in the link of this bucket, before it goes behind; whether that was done. `link` is what was read there: what is
    /// behind that one stays until the key is counted off.
    pub(crate) fn enter_behind(&self, link: Pair, rest: u64) -> bool {
        self.last().cas(link, link.with(rest))
    }

    /// Counts a key off that is not behind the link of this bucket any more; with the last one goes what is behind. When the bucket moves, the link
    /// stays as it is.
    pub(crate) fn leave_behind(&self, domain: &Domain<Self>, guard: &impl Guard) {
        loop {
            let link = self.last().load();
            if link.is_frozen() {
                return;
            }
            let left = link.with_one_less();
            if !self.last().cas(link, left) {
                continue;
            }
            if left == Pair::VACANT {
                chain::retire_chain(link, domain, guard);
            }
            return;
        }
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
        let pairs = [last, claim];
        let behind = Self::behind(&pairs, domain, guard);
        let link = Pair::link(behind.as_ptr().cast(), Behind::of(&pairs));
        if self.last().cas(last, link) {
            return self.follow(link).map(|line| &line.slots()[1]);
        }
        domain.give_back(behind, guard);
        None
    }

    /// Adds a member to a bucket that nobody else sees and whose line is full; how many more are in the first line behind its link.
    pub(super) fn append_behind(
        &self,
        member: Pair,
        domain: &Domain<Self>,
        guard: &impl Guard,
    ) -> isize {
        let link = self.last().load();
        if link.is_link() {
            self.last().store_private(link.with(member.rest()));
        }
        let (mut line, mut is_first) = (self, true);
        loop {
            let last = line.last().load();
            let Some(next) = line.follow(last) else {
                let pairs = [last, member];
                let behind = Self::behind(&pairs, domain, guard);
                let link = Pair::link(behind.as_ptr().cast(), Behind::of(&pairs));
                line.last().store_private(link);
                return if is_first { 2 } else { 0 };
            };
            let mut slots = next.slots().iter();
            if let Some(slot) = slots.find(|slot| slot.load() == Pair::VACANT) {
                slot.store_private(member);
                return isize::from(is_first);
            }
            (line, is_first) = (next, false);
        }
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
