//! One bucket line: slots and a link word in 64 bytes.
//!
//! Invariants: I1, I4 of the [parent module](super).

use super::word::{Slot, Word};
use crate::sync::{MODEL, Ordering, fence};

/// Slots in a line; two under the model checker, so that full lines are reached.
pub(crate) const SLOTS: usize = if MODEL { 2 } else { 7 };

/// A bucket, or a further line of one.
#[repr(C, align(64))]
pub(crate) struct Line {
    slots: [Slot; SLOTS],
    link: Slot,
}

const _: () = assert!(MODEL || size_of::<Line>() == 64, "a bucket is one 64-byte line");

impl Line {
    /// All words zero.
    pub(crate) fn zero() -> Self {
        Self { slots: core::array::from_fn(|_| Slot::zero()), link: Slot::zero() }
    }

    /// An overflow line: `first` in its first slot, then `rest`, the others vacant.
    pub(crate) fn overflow(words: &[Word]) -> Box<Self> {
        debug_assert!(words.len() <= SLOTS, "an overflow line has SLOTS slots");
        let word = |i: usize| words.get(i).copied().unwrap_or(Word::vacant());
        Box::new(Self {
            slots: core::array::from_fn(|i| Slot::new(word(i))),
            link: Slot::new(Word::vacant()),
        })
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

    /// Which slots held a member with this upper half-word a moment ago, one bit each.
    #[inline]
    pub(crate) fn filter(&self, member_high: u16) -> u32 {
        let mut mask = 0;
        let mut i = 0;
        while i < SLOTS {
            mask |= u32::from(self.slots[i].peek().high() == member_high) << i;
            i += 1;
        }
        mask
    }

    /// The link word, read after everything that the caller read from the slots.
    #[inline]
    pub(crate) fn link_after_slots(&self) -> Word {
        // ORD: Acquire — pairs with the SeqCst exchange in cas [T4]; link words are frozen before
        // slots, so a link word that is not frozen proves that no slot read before it was frozen.
        fence(Ordering::Acquire);
        self.link.load()
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
