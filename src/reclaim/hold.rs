//! Holds: who keeps an object without a pin, counted in a word of the object.
//!
//! ```text
//! word   | bits of the object's own, 45 | holds, 19 bits |
//! ```
//!
//! # Protocol
//!
//! ```text
//! first hold:  under a guard: find the object   holds += 1        then unpin
//! another:     from a hold                      holds += 1
//! give back:   ... last read of the object ...  holds -= 1 (release)
//! free:        grace period over   holds (acquire) = 0 ? free : look again later
//! ```
//!
//! A first hold is counted under a guard that was alive when the object was unlinked, or the object
//! would not have been found; the grace period waits for that guard and so sees the count (R2).
//! Another hold is counted while one is there. So when the grace period is over, a count of
//! zero stays zero.
//!
//! # Invariants
//! - I1. A count at [`MOST`] never changes again: how many there are is not known any more.
//!
//! # Orderings
//! R5 the last read of a holder against the freeing.
//!
//! # Progress
//! Lock-free: an exchange fails only where another hold or its end has got on.

use super::object::Object;
use super::{Domain, Grace, Guard};
use crate::sync::{AtomicBool, AtomicU64, Ordering, never_split};

/// Bits of the word that count.
pub(crate) const HOLD_BITS: u32 = 19;
/// The largest count, which is for good.
const MOST: u64 = (1 << HOLD_BITS) - 1;

/// See the module.
#[derive(Debug)]
pub(crate) struct Holds(AtomicU64);
never_split!(Holds: 0);

impl Holds {
    /// Held by nobody, with the object's own upper bits of `own`.
    #[inline]
    pub(crate) fn new(own: u64) -> Self {
        Self(AtomicU64::new(own & !MOST))
    }

    /// A word whose upper bits are the object's own; the others mean nothing.
    #[inline]
    pub(crate) fn own(&self) -> u64 {
        // ORD: Relaxed — these bits never change.
        self.0.load(Ordering::Relaxed)
    }

    /// One hold more, by who has a guard that protects the object, or a hold.
    pub(crate) fn add(&self) {
        self.change(|word| word + 1);
    }

    /// One hold less, whose holder reads the object no more.
    pub(crate) fn give_back(&self) {
        self.change(|word| word - 1);
    }

    fn change(&self, change: impl Fn(u64) -> u64) {
        let mut word = self.own();
        // I1.
        while word & MOST != MOST {
            // ORD: Release — pairs with the Acquire in is_held [R5]; publishes that the reads of who
            // gives back are done, also behind the exchanges of others. (A hold more needs less: its
            // guard or the hold that it comes from publishes it.)
            match self.0.compare_exchange_weak(
                word,
                change(word),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(found) => word = found,
            }
        }
    }

    /// Whether somebody holds the object; `false` is for good once its grace period is over.
    pub(crate) fn is_held(&self) -> bool {
        // ORD: Acquire — pairs with the Release in change [R5]; sees that the holders' reads are
        // done.
        self.0.load(Ordering::Acquire) & MOST != 0
    }
}

/// Whether any object of a domain was ever held: until then none need be looked at.
#[derive(Debug)]
pub(super) struct WereHeld(AtomicBool);
never_split!(WereHeld: 0);

impl WereHeld {
    /// None so far.
    pub(super) fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// One will be, by who has a guard that protects it.
    pub(super) fn set(&self) {
        if !self.get() {
            // ORD: Relaxed — who frees the object comes after the guard's end [R2].
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// Whether one was, of objects whose grace period was over before this call.
    #[inline]
    pub(super) fn get(&self) -> bool {
        // ORD: Relaxed — who held such an object had a guard that the grace period waited for [R2].
        self.0.load(Ordering::Relaxed)
    }

    /// Whether somebody holds the object, whose grace period is over.
    #[inline]
    pub(super) fn is_held(&self, object: &impl Object) -> bool {
        self.get() && object.holds().is_some_and(Holds::is_held)
    }
}

impl<T: Object> Domain<T> {
    /// Holds the object, which is not freed before the hold ends.
    pub(crate) fn hold(&self, object: &T, _guard: &impl Guard) {
        self.were_held().set();
        Self::hold_again(object);
    }

    /// Holds an object once more that the caller holds.
    pub(crate) fn hold_again(object: &T) {
        if let Some(holds) = object.holds() {
            holds.add();
        }
    }

    /// Ends a hold of the caller's.
    pub(crate) fn end_hold(object: &T) {
        if let Some(holds) = object.holds() {
            holds.give_back();
        }
    }

    /// Whether nobody can see the object any more, which the caller has unlinked and not retired.
    pub(crate) fn is_alone(&self, object: &T, grace: &Grace) -> bool {
        grace.is_over() && !self.were_held().is_held(object)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Holds, MOST};

    #[test]
    fn holds_are_counted_beside_the_bits_of_the_object() {
        let holds = Holds::new(u64::MAX);
        assert!(!holds.is_held());
        holds.add();
        holds.add();
        holds.give_back();
        assert!(holds.is_held());
        holds.give_back();
        assert!(!holds.is_held());
        assert_eq!(holds.own(), !MOST);
    }

    #[test]
    fn a_full_count_stays_full() {
        let holds = Holds::new(0);
        (0..MOST).for_each(|_| holds.add());
        holds.add();
        assert_eq!(holds.own(), MOST, "no carry into the object's bits");
        (0..MOST + 1).for_each(|_| holds.give_back());
        assert!(holds.is_held());
    }
}
