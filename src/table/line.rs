//! One bucket line: slots and a link word in 64 bytes.
//!
//! Invariants: I1, I4 of the [parent module](super).

use super::word::{CLAIM_BIT, Slot, Word};
use crate::arch::{self, LineWords, mask_bit};
use crate::sync::{MODEL, OPAQUE_READS, layout, note_objects, note_write};

/// Slots in a line; two under the model checker, so that full lines are reached.
pub(crate) const SLOTS: usize = if MODEL { 2 } else { 7 };

/// The link word's number among the words of a line.
const LINK_WORD: u32 = 7;

/// A bucket, or a further line of one.
#[repr(C, align(64))]
pub(crate) struct Line {
    slots: [Slot; SLOTS],
    link: Slot,
}

const _: () = assert!(
    MODEL || size_of::<Line>() == 64 && align_of::<Line>() == 64,
    "a bucket is one 64-byte line"
);

layout!(Line: slots, link);

impl Line {
    /// All words zero.
    pub(crate) fn zero() -> Self {
        Self {
            slots: core::array::from_fn(|_| Slot::zero()),
            link: Slot::zero(),
        }
    }

    /// An overflow line: `first` in its first slot, then `rest`, the others vacant.
    pub(crate) fn overflow(words: &[Word]) -> Box<Self> {
        debug_assert!(words.len() <= SLOTS, "an overflow line has SLOTS slots");
        let word = |i: usize| words.get(i).copied().unwrap_or(Word::vacant());
        let line = Box::new(Self {
            slots: core::array::from_fn(|i| Slot::new(word(i))),
            link: Slot::new(Word::vacant()),
        });
        note_objects(&raw const *line, 1);
        note_write(&raw const *line);
        line
    }

    /// The slots.
    #[inline]
    pub(crate) fn slots(&self) -> &[Slot; SLOTS] {
        &self.slots
    }

    /// The link word: vacant, or the next line of the bucket.
    #[inline]
    pub(crate) fn link(&self) -> &Slot {
        &self.link
    }

    /// The slots that held a member with this upper half-word a moment ago.
    #[inline]
    pub(crate) fn filter(&self, member_high: u16) -> Filter<'_> {
        if OPAQUE_READS && let Some(words) = self.words() {
            return Filter {
                line: self,
                mask: arch::match_high(words, member_high),
            };
        }
        let mut mask = 0;
        for (i, slot) in (0_u32..).zip(&self.slots) {
            mask |= u32::from(slot.peek().high() == member_high) << mask_bit(i);
        }
        Filter { line: self, mask }
    }

    /// The slots that held no member a moment ago, in order.
    #[inline]
    pub(crate) fn others(&self) -> Filter<'_> {
        if OPAQUE_READS && let Some(words) = self.words() {
            return Filter {
                line: self,
                mask: arch::match_clear_sign(words) & !(1 << mask_bit(LINK_WORD)),
            };
        }
        let mut mask = 0;
        for (i, slot) in (0_u32..).zip(&self.slots) {
            mask |= u32::from(!slot.peek().is_member()) << mask_bit(i);
        }
        Filter { line: self, mask }
    }

    /// Whether some slot besides `own`, which may be of another line, holds a claim or a member with
    /// `member_high`. Reads after the exchange that made the claim in `own` (T2), without a branch
    /// for each slot.
    #[inline]
    pub(crate) fn may_stop_insert(&self, own: &Slot, member_high: u16) -> bool {
        let offset = core::ptr::from_ref(own)
            .addr()
            .wrapping_sub(core::ptr::from_ref(self).addr());
        let number = offset / size_of::<Slot>();
        if arch::RMW_ORDERS_LOADS
            && OPAQUE_READS
            && let Some(words) = self.words()
        {
            // Claims first: a claim becomes a member, and would be missed as both in the other order.
            // A member that is gone before the second match is in nobody's way, and a claim that was
            // not there at the first is later than the own one, so its owner meets that.
            let claims = arch::match_bit::<CLAIM_BIT>(words);
            let found = claims | arch::match_high(words, member_high);
            let own = match u32::try_from(number) {
                Ok(number @ 0..LINK_WORD) => 1 << mask_bit(number),
                _ => 0,
            };
            return found & !own != 0;
        }
        let is_match = |word: Word| word.high() == member_high;
        if MODEL {
            // As the two matches, so that the model tries what may happen between them.
            return self.any_but(number, Word::is_claim) || self.any_but(number, is_match);
        }
        self.any_but(number, |word| word.is_claim() | is_match(word))
    }

    /// Whether `stops` is true of some slot but number `own`.
    #[inline]
    fn any_but(&self, own: usize, stops: impl Fn(Word) -> bool) -> bool {
        let slots = (0..).zip(&self.slots);
        slots.fold(false, |any, (i, slot)| {
            any | (stops(slot.load()) & (i != own))
        })
    }

    /// How many slots held a member a moment ago.
    #[inline]
    pub(crate) fn members(&self) -> usize {
        self.slots.len() - self.others().mask.count_ones() as usize
    }

    /// The line as integers, where that is what its bytes are.
    #[inline]
    fn words(&self) -> Option<&LineWords> {
        if size_of::<Self>() != size_of::<LineWords>() {
            return None;
        }
        // SAFETY: I1: a word has 64 bits, and a line the alignment of one; the reference is only filtered through (`arch`).
        Some(unsafe { &*core::ptr::from_ref(self).cast::<LineWords>() })
    }

    /// Says that the line will be written soon.
    #[inline]
    pub(crate) fn prefetch_write(&self) {
        arch::prefetch_write(core::ptr::from_ref(self));
    }

    /// The line that a link word of this bucket leads to.
    #[inline]
    pub(crate) fn follow(&self, link: Word) -> Option<&Self> {
        if !link.is_link() {
            return None;
        }
        // SAFETY: I1: a link word carries a `Line` made by `Box`; I4: it lives as long as `self`.
        Some(unsafe { &*link.address().cast::<Self>() })
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
        let offset = self.mask.trailing_zeros() as usize * (size_of::<Slot>() / 2);
        let line = core::ptr::from_ref(self.line).cast::<Slot>();
        // SAFETY: I1: the mask has bits of words of the line only, so the offset (see `mask_bit`)
        // is that of a slot or of the link word.
        let slot = unsafe { line.byte_add(offset - size_of::<Slot>() / 2) };
        // SAFETY: I1: as above; the line is borrowed for 'l.
        Some(unsafe { &*slot })
    }

    /// Leaves out the first slot that is left, if there is one.
    #[inline]
    pub(crate) fn skip_first(&mut self) {
        self.mask &= self.mask.wrapping_sub(1);
    }
}

impl<'l> Iterator for Filter<'l> {
    type Item = &'l Slot;

    #[inline]
    fn next(&mut self) -> Option<&'l Slot> {
        let first = self.first();
        self.skip_first();
        first
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Line, Word, arch};
    use core::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    /// The look at a line is two matches. A rival that settles between them must be met by one: a
    /// claim that both miss is a key that is inserted twice.
    #[test]
    fn a_claim_that_settles_meanwhile_is_met() {
        const TAG: u16 = 5;
        // Without two matches each slot is looked at once, and an emulator's threads wait for each other.
        const ROUNDS: usize = match (cfg!(miri), arch::RMW_ORDERS_LOADS) {
            (true, _) => 20,
            (_, true) => 20_000,
            (_, false) => 1_000,
        };
        let claim = || Word::claim(core::ptr::without_provenance_mut(64), 0);
        let line = Line::zero();
        let (rival, own) = (&line.slots()[2], &line.slots()[4]);
        let (begun, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let missed: usize = thread::scope(|scope| {
            scope.spawn(|| {
                for round in 1..=ROUNDS {
                    while begun.load(Ordering::Acquire) != round {
                        thread::yield_now();
                    }
                    assert_eq!(rival.cas(claim(), claim().settled(TAG)), Ok(()));
                    done.store(round, Ordering::Release);
                }
            });
            let mut missed = 0;
            for round in 1..=ROUNDS {
                assert_eq!(rival.cas(rival.load(), claim()), Ok(()));
                begun.store(round, Ordering::Release);
                while done.load(Ordering::Acquire) != round {
                    missed += usize::from(!line.may_stop_insert(own, Word::member_high(TAG)));
                }
            }
            missed
        });
        assert_eq!(missed, 0, "looks that met neither the claim nor the member");
    }
}
