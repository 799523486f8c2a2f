//! R4: a row of heaps is made once, whoever needs it first.

use crate::reclaim::heaps::Heaps;
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
