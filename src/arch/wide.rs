//! The 16-byte word: one type over the machines' instructions.

use super::{generic, machine};
use crate::sync::{
    AtomicU64, Exclusive, MODEL, Ordering, Touch, const_except_in_model, model_id, model_value,
    never_split, note_wide, unsync_load, unsync_store,
};

/// 16 bytes that change in one piece.
///
/// Zeroed memory is one with the value 0, except in the model.
///
/// - *Consistency*: each access is single-copy atomic, in the ordering that it names; an ordering
///   that the access cannot have (`Release` for a load) counts as its nearest weaker one.
/// - *Progress*: lock-free on `x86_64` with `cmpxchg16b` (all but the first processors) and on
///   `aarch64`; elsewhere accesses wait for each other.
/// - *Cost*: each access that is not decided when compiling tests a flag first (`detect`).
/// - *Not for* mixing with accesses to one half: no manual promises how the two are ordered.
#[repr(C, align(16))]
pub struct AtomicU128 {
    /// The lower half, then the upper.
    pub(super) words: [AtomicU64; 2],
}
never_split!(AtomicU128: words);

const _: () = assert!(
    MODEL || size_of::<AtomicU128>() == 16 && align_of::<AtomicU128>() == 16,
    "the instructions for 16 bytes want them at a multiple of 16"
);

impl AtomicU128 {
    const_except_in_model! {
        /// A word with this value.
        pub fn new(value: u128) -> Self {
            let (low, high) = halves(value);
            let low = match model_id(value) {
                Some(id) => id,
                None => low,
            };
            Self { words: [AtomicU64::new(low), AtomicU64::new(high)] }
        }
    }

    /// The value.
    ///
    /// *Cost*: a load where the processor promises that 16 bytes come in one piece (`x86_64` of
    /// Intel and AMD with AVX; `aarch64` with FEAT_LSE2), and a fence if `ordering` asks for more
    /// there. Elsewhere a compare-exchange: it takes the line from all other readers, and the memory
    /// must be writable.
    #[inline]
    #[track_caller]
    #[must_use]
    pub fn load(&self, ordering: Ordering) -> u128 {
        note_wide(&self.words, Touch::Load, ordering);
        if MODEL {
            generic::load(self, ordering)
        } else {
            machine::load(self, ordering)
        }
    }

    /// Replaces the value.
    ///
    /// *Cost*: a store where [`load`](Self::load) is a load, and a fence after it for `SeqCst`.
    /// Elsewhere a loop of compare-exchanges.
    #[inline]
    #[track_caller]
    pub fn store(&self, value: u128, ordering: Ordering) {
        note_wide(&self.words, Touch::Store, ordering);
        if MODEL {
            generic::store(self, value, ordering);
        } else {
            machine::store(self, value, ordering);
        }
    }

    /// Replaces the value by `new` if it is `current`.
    ///
    /// *Cost*: one locked instruction (`x86_64`; `aarch64` with FEAT_LSE), or a loop of exclusive
    /// loads and stores. The line is taken for writing also when the exchange fails.
    ///
    /// # Errors
    ///
    /// The value, where it is not `current`.
    #[inline]
    #[track_caller]
    pub fn compare_exchange(
        &self,
        current: u128,
        new: u128,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u128, u128> {
        note_wide(&self.words, Touch::Rmw, success);
        let result = if MODEL {
            generic::compare_exchange(self, current, new, success, failure)
        } else {
            machine::compare_exchange(self, current, new, success, failure)
        };
        if result.is_err() {
            note_wide(&self.words, Touch::RmwFailed, failure);
        }
        result
    }
}

impl Default for AtomicU128 {
    fn default() -> Self {
        Self::new(0)
    }
}

impl core::fmt::Debug for AtomicU128 {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // ORD: Relaxed — a number to look at.
        self.load(Ordering::Relaxed).fmt(f)
    }
}

impl Exclusive for AtomicU128 {
    type Value = u128;
    fn unsync_load(&mut self) -> u128 {
        let [low, high] = &mut self.words;
        let low = unsync_load(low);
        model_value(low).unwrap_or(u128::from(unsync_load(high)) << 64 | u128::from(low))
    }
    fn unsync_store(&mut self, value: u128) {
        let (low, high) = halves(value);
        unsync_store(&mut self.words[0], model_id(value).unwrap_or(low));
        unsync_store(&mut self.words[1], high);
    }
}

/// The lower and the upper half.
#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
pub(super) const fn halves(value: u128) -> (u64, u64) {
    (value as u64, (value >> 64) as u64)
}

/// Whether an access in this ordering stands in the one order of all such accesses.
#[inline]
pub(super) const fn is_seqcst(ordering: Ordering) -> bool {
    matches!(ordering, Ordering::SeqCst)
}
