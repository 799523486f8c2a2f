//! The 16-byte word in the model: one atomic, with its own orderings.

use super::AtomicU128;
use crate::sync::{AtomicU64, Ordering, unsync_load, unsync_store};
use core::sync::atomic::{AtomicBool as PlainBool, Ordering as PlainOrdering};
use loom::thread;
use std::sync::Arc;

const WIDE: u128 = 5 << 64 | 7;

#[test]
fn loom_a_wide_word_holds_any_value() {
    loom::model(|| {
        let mut word = AtomicU128::new(WIDE);
        assert_eq!(word.load(Ordering::Relaxed), WIDE);
        word.store(0, Ordering::Relaxed);
        let exchange =
            |current, new| word.compare_exchange(current, new, Ordering::AcqRel, Ordering::Acquire);
        assert_eq!(exchange(WIDE, 1), Err(0));
        assert_eq!(exchange(0, WIDE), Ok(0));
        assert_eq!(unsync_load(&mut word), WIDE);
        unsync_store(&mut word, 1 << 127);
        assert_eq!(word.load(Ordering::Relaxed), 1 << 127);
    });
}

#[test]
fn loom_no_update_of_a_wide_word_is_lost() {
    loom::model(|| {
        let word = Arc::new(AtomicU128::new(WIDE));
        let add = |word: &AtomicU128| {
            let mut seen = word.load(Ordering::Relaxed);
            while let Err(other) =
                word.compare_exchange(seen, seen + 1, Ordering::Relaxed, Ordering::Relaxed)
            {
                seen = other;
            }
        };
        let other = {
            let word = Arc::clone(&word);
            thread::spawn(move || add(&word))
        };
        add(&word);
        other.join().expect("the other thread ends");
        assert_eq!(word.load(Ordering::Relaxed), WIDE + 2);
    });
}

/// Whether a reader can see the flag and not the data, with these orderings on the flag.
fn data_can_be_missed(store: Ordering, load: Ordering) -> bool {
    let missed = Arc::new(PlainBool::new(false));
    let found = Arc::clone(&missed);
    loom::model(move || {
        let data = Arc::new(AtomicU64::new(0));
        let flag = Arc::new(AtomicU128::new(0));
        let reader = {
            let (data, flag) = (Arc::clone(&data), Arc::clone(&flag));
            thread::spawn(move || (flag.load(load) == WIDE).then(|| data.load(Ordering::Relaxed)))
        };
        data.store(1, Ordering::Relaxed);
        flag.store(WIDE, store);
        if reader.join().expect("the reader ends") == Some(0) {
            found.store(true, PlainOrdering::Relaxed);
        }
    });
    missed.load(PlainOrdering::Relaxed)
}

/// The reason for the numbers instead of a lock: a weaker ordering shows.
#[test]
fn loom_a_wide_word_is_as_weak_as_it_is_asked_to_be() {
    assert!(!data_can_be_missed(Ordering::Release, Ordering::Acquire));
    assert!(data_can_be_missed(Ordering::Relaxed, Ordering::Acquire));
    assert!(data_can_be_missed(Ordering::Release, Ordering::Relaxed));
}
