//! R4: a row of heaps is made once, whoever needs it first; who adds up the counts sees heaps made.

use crate::reclaim::heaps::{Heaps, OwnHeap};
use loom::sync::Arc;
use loom::thread;

/// The indices of two records whose heaps are in one row.
const IN_ONE_ROW: [usize; 2] = [5, 7];

#[test]
fn loom_r4_two_first_heaps_meet_in_one_row() {
    loom::model(|| {
        let heaps = Arc::new(Heaps::<u64>::new());
        let address = |heaps: &Heaps<u64>, which: usize| {
            core::ptr::from_ref(heaps.heap(IN_ONE_ROW[which])).addr()
        };
        let other = {
            let heaps = Arc::clone(&heaps);
            thread::spawn(move || address(&heaps, 1))
        };
        let mine = address(&heaps, 0);
        let theirs = other.join().expect("the other thread does not panic");
        assert_ne!(mine, theirs, "a heap each");
        assert_eq!(address(&heaps, 0), mine, "what was made stays");
        assert_eq!(address(&heaps, 1), theirs, "what was made stays");
    });
}

#[test]
fn loom_r4_a_count_is_seen_whole_or_not_at_all() {
    loom::model(|| {
        let heaps = Arc::new(Heaps::<u64>::new());
        let reader = {
            let heaps = Arc::clone(&heaps);
            thread::spawn(move || heaps.counted(OwnHeap::objects))
        };
        heaps.heap(0).count(1);
        heaps.heap(IN_ONE_ROW[0]).count(1);
        let seen = reader.join().expect("the reader does not panic");
        assert!((0..=2).contains(&seen), "{seen} of two");
        assert_eq!(heaps.counted(OwnHeap::objects), 2);
    });
}
