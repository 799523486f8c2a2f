//! Stripes made on demand: an array of padded cells that exists once somebody needs it.
//!
//! # Word layout
//!
//! | bits of `word` | meaning |
//! |---|---|
//! | all 0 | no stripes yet |
//! | 0..3 | binary logarithm of the number of stripes, 0 to 6 |
//! | the rest | address of the first stripe |
//!
//! The length travels in the pointer, so that finding a stripe touches no line besides the stripe.
//!
//! # Protocol
//!
//! ```text
//! get, at:  word = load Acquire                     null -> none
//! install:  make the array; CAS null -> array       lost -> free mine, use theirs
//! drop:     take the word, free the array
//! ```
//!
//! # Invariants
//!
//! - **I1.** `word` is null or was packed from a `Box<[Stripe]>` of 2^k stripes, k <= 6.
//! - **I2.** `word` goes from null to an array once and stays until `drop`.
//! - **I3.** The array behind `word` belongs to this value alone; a box that lost the race to be
//!   installed was never visible to another thread.
//!
//! # Orderings
//!
//! - **C1** `install` publishes the zeroed stripes to `get`, to `at` and to the loser of the race.
//!
//! # Progress
//!
//! `get` and `at` are wait-free. `install` is wait-free apart from the allocator: one try, and either outcome
//! leaves an array.
#![expect(unsafe_code, reason = "an array behind a tagged atomic pointer")]

use crate::pad::Padded;
use crate::sync::{
    AtomicI64, AtomicPtr, Ordering, const_except_in_model, layout, never_split, note_objects,
    unsync_load,
};
use core::ptr::{null_mut, slice_from_raw_parts_mut};

/// One cell of a counter in lines of its own.
pub(super) type Stripe = Padded<AtomicI64>;

layout!(Stripe:);

/// Most stripes of one counter. Beyond this, adding up costs more than sharing a stripe.
pub(super) const MAX_STRIPES: usize = 64;

/// The bits of an address that hold the logarithm of the length.
const LOG_MASK: usize = 0b111;

const _: () = assert!(MAX_STRIPES.ilog2() as usize <= LOG_MASK);
const _: () = assert!(align_of::<Stripe>() > LOG_MASK);

/// An array of stripes, or none yet.
#[derive(Debug)]
pub(super) struct LazyStripes {
    word: AtomicPtr<Stripe>,
}
never_split!(LazyStripes: word);

impl LazyStripes {
    const_except_in_model! {
        /// No stripes.
        pub(super) fn new() -> Self {
            Self { word: AtomicPtr::new(null_mut()) }
        }
    }

    /// Whether there are none yet. For choosing a path; says nothing about their contents.
    #[inline]
    pub(super) fn is_absent(&self) -> bool {
        // ORD: Relaxed — the answer only picks a path; `get` loads again before it follows.
        self.word.load(Ordering::Relaxed).is_null()
    }

    /// The stripes, if there are any. Their number is a power of two.
    #[inline]
    pub(super) fn get(&self) -> Option<&[Stripe]> {
        // ORD: Acquire — pairs with the Release in install [C1]; sees the stripes zeroed.
        let word = self.word.load(Ordering::Acquire);
        if word.is_null() {
            return None;
        }
        // SAFETY: I1, I2: a word that is not null was packed from a box that lives until `drop`,
        // and `&self` keeps `drop` away.
        Some(unsafe { &*unpack(word) })
    }

    /// The stripe that `index` falls on when it is reduced to their number, if there are any.
    #[inline]
    pub(super) fn at(&self, index: usize) -> Option<&Stripe> {
        // ORD: Acquire — pairs with the Release in install [C1]; sees the stripe zeroed.
        let word = self.word.load(Ordering::Acquire);
        if word.is_null() {
            return None;
        }
        let stripes = unpack(word);
        let first = stripes.cast::<Stripe>();
        // SAFETY: I1: the length is a power of two, so the masked index is below it.
        let stripe = unsafe { first.add(index & (stripes.len() - 1)) };
        // SAFETY: I1, I2: the box behind the word lives until `drop`, which `&self` keeps away.
        Some(unsafe { &*stripe })
    }

    /// Makes `count` stripes, rounded up to a power of two and at most [`MAX_STRIPES`], unless
    /// another thread was first. `None` if there is no memory for them.
    #[cold]
    pub(super) fn install(&self, count: usize) -> Option<&[Stripe]> {
        let count = count.clamp(1, MAX_STRIPES).next_power_of_two();
        let mut stripes = Vec::new();
        stripes.try_reserve_exact(count).ok()?;
        stripes.extend((0..count).map(|_| Stripe::new(AtomicI64::new(0))));
        note_objects(stripes.as_ptr(), count);
        let mine = pack(stripes.into_boxed_slice());
        // ORD: Release — pairs with the Acquire in get [C1], the Acquire in at [C1] and the failing Acquire in install [C1];
        // publishes the zeroed stripes.
        // ORD: Acquire (failure) — pairs with the Release in install [C1]; sees the winner's
        // stripes zeroed.
        let outcome =
            self.word
                .compare_exchange(null_mut(), mine, Ordering::Release, Ordering::Acquire);
        let installed = match outcome {
            Ok(_) => mine,
            Err(theirs) => {
                // SAFETY: I3: `mine` was packed just above and no other thread has seen it.
                drop(unsafe { Box::from_raw(unpack(mine)) });
                theirs
            }
        };
        // SAFETY: I1, I2: the word holds `installed` from now on until `drop`.
        Some(unsafe { &*unpack(installed) })
    }
}

impl Drop for LazyStripes {
    fn drop(&mut self) {
        let word = unsync_load(&mut self.word);
        if !word.is_null() {
            // SAFETY: I1, I3: the word was packed from a box that is ours; `&mut self` shows that
            // nobody borrows it.
            drop(unsafe { Box::from_raw(unpack(word)) });
        }
    }
}

/// Puts the length into the low bits of the address.
fn pack(stripes: Box<[Stripe]>) -> *mut Stripe {
    let log = stripes.len().ilog2() as usize;
    Box::into_raw(stripes)
        .cast::<Stripe>()
        .map_addr(|address| address | log)
}

/// The array behind a packed word.
#[inline]
fn unpack(word: *mut Stripe) -> *mut [Stripe] {
    let first = word.map_addr(|address| address & !LOG_MASK);
    slice_from_raw_parts_mut(first, 1 << (word.addr() & LOG_MASK))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn miri_the_count_is_rounded_and_capped() {
        for (asked, made) in [(0, 1), (1, 1), (2, 2), (3, 4), (48, 64), (64, 64), (65, 64)] {
            let stripes = LazyStripes::new();
            assert!(stripes.is_absent() && stripes.get().is_none());
            assert_eq!(stripes.install(asked).expect("memory is there").len(), made);
            assert_eq!(stripes.get().expect("installed").len(), made);
        }
        assert_eq!(
            LazyStripes::new()
                .install(usize::MAX)
                .expect("memory is there")
                .len(),
            64
        );
    }

    #[test]
    fn miri_every_index_falls_on_a_stripe() {
        let stripes = LazyStripes::new();
        assert!(stripes.at(0).is_none());
        let array = stripes.install(4).expect("memory is there");
        for (index, stripe) in [(0, 0), (3, 3), (4, 0), (6, 2), (usize::MAX, 3)] {
            let picked = stripes.at(index).expect("installed");
            assert!(core::ptr::eq(picked, &raw const array[stripe]));
        }
    }

    #[test]
    fn miri_the_first_array_stays() {
        let stripes = LazyStripes::new();
        stripes.install(2).expect("memory is there")[1].store(7, Ordering::Relaxed);
        let again = stripes.install(8).expect("memory is there");
        assert_eq!(again.len(), 2);
        assert_eq!(again[1].load(Ordering::Relaxed), 7);
    }
}

#[cfg(all(test, loom))]
mod c1 {
    use super::LazyStripes;
    use crate::sync::Ordering;
    use std::sync::Arc;

    /// Two installers and a reader. Fails with the Release, the Acquire of `get`, or the Acquire of
    /// the failed compare-exchange weakened to Relaxed: the model then sees a stripe used before
    /// it was made. `a_stripe_picked_by_index_is_seen_zeroed` does the same for `at`.
    #[test]
    fn installed_stripes_are_seen_zeroed() {
        loom::model(|| {
            let stripes = Arc::new(LazyStripes::new());
            let installers: Vec<_> = (0..2)
                .map(|index: usize| {
                    let stripes = Arc::clone(&stripes);
                    loom::thread::spawn(move || {
                        let array = stripes.install(2).expect("memory is there");
                        array[index].fetch_add(1, Ordering::Relaxed);
                    })
                })
                .collect();
            if let Some(array) = stripes.get() {
                let seen: i64 = array
                    .iter()
                    .map(|stripe| stripe.load(Ordering::Relaxed))
                    .sum();
                assert!((0..=2).contains(&seen));
            }
            for installer in installers {
                installer.join().expect("the installer ends");
            }
            let array = stripes.get().expect("two threads installed");
            let sum: i64 = array
                .iter()
                .map(|stripe| stripe.load(Ordering::Relaxed))
                .sum();
            assert_eq!(sum, 2);
        });
    }

    /// One installer, one that picks by index. Fails with the Acquire of `at` weakened to Relaxed.
    #[test]
    fn a_stripe_picked_by_index_is_seen_zeroed() {
        loom::model(|| {
            let stripes = Arc::new(LazyStripes::new());
            let installer = {
                let stripes = Arc::clone(&stripes);
                loom::thread::spawn(move || stripes.install(2).is_some())
            };
            if let Some(stripe) = stripes.at(1) {
                assert_eq!(stripe.fetch_add(1, Ordering::Relaxed), 0);
            }
            assert!(installer.join().expect("the installer ends"));
        });
    }
}
