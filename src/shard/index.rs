//! Dense thread numbers.
//!
//! ```text
//! thread 0   thread 1   thread 2            REGISTRY  one bit per number, set = leased
//!  NUMBER=0   NUMBER=1   NUMBER=2            word 0: ...00000111
//!  LEASE=0    LEASE=1    LEASE=2             word 1: ...00000000
//! ```
//!
//! A thread's first call leases the lowest free number. `NUMBER` keeps it for every later call,
//! `LEASE` gives it back when the thread's locals are destroyed. `NUMBER` has no destructor and
//! survives that, so a call from another local's destructor still gets the old number. It may then
//! be leased to a new thread as well, which the contract allows.
//!
//! # Invariants
//!
//! - **I1.** A set bit stands for exactly one lease: the `fetch_or` that turned it from 0 to 1.
//! - **I2.** A number is below [`NUMBERS`].
//!
//! # Orderings
//!
//! All `Relaxed`: a number hands nothing over from its old thread to its new one.
//!
//! # Progress
//!
//! After the first call: wait-free, one thread-local read. Leasing: lock-free, a failed try means
//! that another thread got the bit. Giving back: wait-free.

use crate::sync::{Ordering, StaticU64, StaticUsize, model_thread, never_split, note_read};
use core::cell::Cell;

/// Numbers that can be leased at once. 16 words of bitmap; more threads than this share numbers,
/// which costs them nothing as long as there are fewer shards.
const NUMBERS: usize = 1_024;
const WORDS: usize = NUMBERS / BITS;
const BITS: usize = 64;

/// Who holds which number.
struct Registry {
    leased: [StaticU64; WORDS],
}
never_split!(Registry: leased);

impl Registry {
    const fn new() -> Self {
        Self {
            leased: [const { StaticU64::new(0) }; WORDS],
        }
    }

    /// Leases the lowest free number.
    fn lease(&self) -> Option<usize> {
        for (index, word) in self.leased.iter().enumerate() {
            // ORD: Relaxed — a stale word costs a failed try; the RMW below decides.
            let mut seen = word.load(Ordering::Relaxed);
            while seen != u64::MAX {
                let bit = seen.trailing_ones();
                // ORD: Relaxed — the bit's atomicity makes the lease unique; nothing is published.
                let before = word.fetch_or(1 << bit, Ordering::Relaxed);
                if before & (1 << bit) == 0 {
                    return Some(index * BITS + bit as usize);
                }
                seen = before;
            }
        }
        None
    }

    /// Ends a lease.
    fn give_back(&self, number: usize) {
        if let Some(word) = self.leased.get(number / BITS) {
            // ORD: Relaxed — the next holder reads nothing that this one wrote.
            word.fetch_and(!(1 << (number % BITS)), Ordering::Relaxed);
        }
    }
}

static REGISTRY: Registry = Registry::new();
/// Turns among the threads that found every number leased.
static SHARED: StaticUsize = StaticUsize::new(0);

/// Marks a thread without a number.
const NONE: usize = usize::MAX;

thread_local! {
    static NUMBER: Cell<usize> = const { Cell::new(NONE) };
    static LEASE: Lease = const { Lease(Cell::new(NONE)) };
}

/// Gives its number back when the thread's locals are destroyed.
struct Lease(Cell<usize>);

impl Drop for Lease {
    fn drop(&mut self) {
        if self.0.get() != NONE {
            REGISTRY.give_back(self.0.get());
        }
    }
}

/// The number of the calling thread, below [`NUMBERS`]. In a model it is the model's own number, so
/// that each run numbers alike.
#[inline]
pub(super) fn thread_index() -> usize {
    if let Some(number) = model_thread() {
        return number;
    }
    NUMBER.with(|number| note_read(number));
    let number = NUMBER.get();
    if number != NONE {
        number
    } else {
        number_this_thread()
    }
}

/// Runs once per thread.
#[cold]
fn number_this_thread() -> usize {
    let number = match REGISTRY.lease() {
        Some(number) => {
            if LEASE.try_with(|lease| lease.0.set(number)).is_err() {
                // The locals are already destroyed: nobody would give the number back later.
                REGISTRY.give_back(number);
            }
            number
        }
        None => share(),
    };
    NUMBER.set(number);
    number
}

/// A number for a thread that got no lease.
fn share() -> usize {
    // ORD: Relaxed — spreads threads; any value will do.
    SHARED.fetch_add(1, Ordering::Relaxed) % NUMBERS
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::{Barrier, mpsc};
    use std::thread;

    #[test]
    fn miri_a_thread_keeps_its_number() {
        assert_eq!(thread_index(), thread_index());
        assert!(thread_index() < NUMBERS);
    }

    #[test]
    fn miri_threads_without_a_lease_take_turns() {
        let (first, second) = (share(), share());
        assert_ne!(first, second);
        assert!(first < NUMBERS && second < NUMBERS);
    }

    #[test]
    fn miri_live_threads_have_different_numbers() {
        let threads = if cfg!(miri) { 3 } else { 32 };
        let all_numbered = Barrier::new(threads);
        let numbers: HashSet<usize> = thread::scope(|scope| {
            let number = || {
                let number = thread_index();
                all_numbered.wait();
                number
            };
            let handles: Vec<_> = (0..threads).map(|_| scope.spawn(number)).collect();
            handles
                .into_iter()
                .map(|handle| handle.join().expect("no panic"))
                .collect()
        });
        assert_eq!(numbers.len(), threads);
    }

    /// 500 threads one after another stay within the numbers of those alive beside them.
    #[test]
    fn miri_numbers_are_given_again() {
        let threads = if cfg!(miri) { 6 } else { 500 };
        let mut numbers = HashSet::new();
        for _ in 0..threads {
            numbers.insert(thread::spawn(thread_index).join().expect("no panic"));
        }
        assert!(
            numbers.len() < threads / 2,
            "{} numbers for {threads}",
            numbers.len()
        );
    }

    /// Asks for the number while the thread's locals are destroyed.
    struct AskLate(mpsc::Sender<(usize, usize)>, usize);

    impl Drop for AskLate {
        fn drop(&mut self) {
            self.0
                .send((self.1, thread_index()))
                .expect("the receiver outlives the thread");
        }
    }

    #[test]
    fn miri_a_destroyed_thread_local_still_gets_a_number() {
        thread_local!(static LATE: Cell<Option<AskLate>> = const { Cell::new(None) });
        let (sender, receiver) = mpsc::channel();
        // LATE is registered before LEASE here and after it there, so that on either order of
        // destruction one of them runs after LEASE is gone.
        for late_first in [true, false] {
            let sender = sender.clone();
            thread::spawn(move || {
                if late_first {
                    LATE.set(None);
                }
                LATE.set(Some(AskLate(sender, thread_index())));
            })
            .join()
            .expect("no panic");
        }
        // One more that asks for the first time in a destructor.
        let only_late = sender.clone();
        thread::spawn(move || LATE.set(Some(AskLate(only_late, NONE))))
            .join()
            .expect("no panic");
        drop(sender);
        let answers: Vec<_> = receiver.iter().collect();
        assert_eq!(answers.len(), 3);
        for (before, late) in answers {
            assert!(late < NUMBERS);
            assert!(before == NONE || before == late);
        }
    }

    #[test]
    fn miri_the_lowest_free_number_is_leased() {
        let registry = Registry::new();
        for expected in 0..130 {
            assert_eq!(registry.lease(), Some(expected));
        }
        registry.give_back(70);
        registry.give_back(3);
        assert_eq!(registry.lease(), Some(3));
        assert_eq!(registry.lease(), Some(70));
        assert_eq!(registry.lease(), Some(130));
    }

    /// Leases come and go on several threads; no number is ever held twice at once.
    #[test]
    fn miri_a_number_has_one_holder() {
        let rounds = if cfg!(miri) { 10 } else { 20_000 };
        let registry = Registry::new();
        let held: Vec<StaticUsize> = (0..NUMBERS).map(|_| StaticUsize::new(0)).collect();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..rounds {
                        let number = registry.lease().expect("1,024 for four threads");
                        assert!(number < 4, "{number} is not dense");
                        assert_eq!(held[number].fetch_add(1, Ordering::Relaxed), 0);
                        held[number].fetch_sub(1, Ordering::Relaxed);
                        registry.give_back(number);
                    }
                });
            }
        });
        assert_eq!(registry.lease(), Some(0));
    }

    #[test]
    fn when_all_are_leased_one_must_be_given_back_first() {
        let registry = Registry::new();
        for _ in 0..NUMBERS {
            assert!(registry.lease().is_some());
        }
        assert_eq!(registry.lease(), None);
        registry.give_back(500);
        assert_eq!(registry.lease(), Some(500));
    }
}
