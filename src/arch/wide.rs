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
        Asking.load(self, ordering)
    }

    /// Replaces the value.
    ///
    /// *Cost*: a store where [`load`](Self::load) is a load, and a fence after it for `SeqCst`.
    /// Elsewhere a loop of compare-exchanges.
    #[inline]
    #[track_caller]
    pub fn store(&self, value: u128, ordering: Ordering) {
        Asking.store(self, value, ordering);
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
        Asking.compare_exchange(self, [current, new], success, failure)
    }
}

/// How a 16-byte word is accessed: each access of [`AtomicU128`], and the instruction that does it.
pub trait Access: Copy {
    /// As [`AtomicU128::load`].
    #[inline]
    #[track_caller]
    fn load(self, word: &AtomicU128, ordering: Ordering) -> u128 {
        note_wide(&word.words, Touch::Load, ordering);
        if MODEL {
            generic::load(word, ordering)
        } else {
            self.read(word, ordering)
        }
    }

    /// As [`AtomicU128::store`].
    #[inline]
    #[track_caller]
    fn store(self, word: &AtomicU128, value: u128, ordering: Ordering) {
        note_wide(&word.words, Touch::Store, ordering);
        if MODEL {
            generic::store(word, value, ordering);
        } else {
            self.write(word, value, ordering);
        }
    }

    /// As [`AtomicU128::compare_exchange`], of the first of the two for the second.
    ///
    /// # Errors
    ///
    /// The value, where it is not the first.
    #[inline]
    #[track_caller]
    fn compare_exchange(
        self,
        word: &AtomicU128,
        [current, new]: [u128; 2],
        success: Ordering,
        failure: Ordering,
    ) -> Result<u128, u128> {
        note_wide(&word.words, Touch::Rmw, success);
        let result = if MODEL {
            generic::compare_exchange(word, current, new, success, failure)
        } else {
            self.exchange(word, [current, new], success, failure)
        };
        if result.is_err() {
            note_wide(&word.words, Touch::RmwFailed, failure);
        }
        result
    }

    /// Reads the word.
    fn read(self, word: &AtomicU128, ordering: Ordering) -> u128;

    /// Writes the word.
    fn write(self, word: &AtomicU128, value: u128, ordering: Ordering);

    /// Writes the second of the two if the word is the first.
    ///
    /// # Errors
    ///
    /// What it is instead.
    fn exchange(
        self,
        word: &AtomicU128,
        values: [u128; 2],
        success: Ordering,
        failure: Ordering,
    ) -> Result<u128, u128>;
}

/// What the processor can do is asked at each access.
#[derive(Clone, Copy, Debug)]
pub struct Asking;

impl Access for Asking {
    #[inline]
    fn read(self, word: &AtomicU128, ordering: Ordering) -> u128 {
        machine::load(word, ordering)
    }

    #[inline]
    fn write(self, word: &AtomicU128, value: u128, ordering: Ordering) {
        machine::store(word, value, ordering);
    }

    #[inline]
    fn exchange(
        self,
        word: &AtomicU128,
        [current, new]: [u128; 2],
        success: Ordering,
        failure: Ordering,
    ) -> Result<u128, u128> {
        machine::compare_exchange(word, current, new, success, failure)
    }
}

/// The answer that a load and a store are one move each here, and an exchange one instruction: who holds it has asked once for many
/// accesses, and none of them is a call.
#[derive(Clone, Copy, Debug)]
pub struct Whole(());

/// That answer, if it is known: nobody has asked before the first access of a process.
///
/// *Cost*: a relaxed load, a test and a branch where it is not decided when compiling.
#[inline]
#[must_use]
pub fn whole() -> Option<Whole> {
    (MODEL || machine::is_whole()).then_some(Whole(()))
}

impl Access for Whole {
    #[inline]
    fn read(self, word: &AtomicU128, ordering: Ordering) -> u128 {
        machine::load_whole(word, ordering)
    }

    #[inline]
    fn write(self, word: &AtomicU128, value: u128, ordering: Ordering) {
        machine::store_whole(word, value, ordering);
    }

    #[inline]
    fn exchange(
        self,
        word: &AtomicU128,
        [current, new]: [u128; 2],
        success: Ordering,
        failure: Ordering,
    ) -> Result<u128, u128> {
        machine::compare_exchange_whole(word, current, new, success, failure)
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
