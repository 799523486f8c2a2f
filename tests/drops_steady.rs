//! Destructors run a few at a time, as fast as values are removed: no write pays for a whole batch.
//! (Alone in its process: a guard of another test would hold values up, and then many go at once.)

use atomshard::{Guard as _, ShardMap};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static DROPS: AtomicUsize = AtomicUsize::new(0);

struct Value;

impl Drop for Value {
    fn drop(&mut self) {
        // Relaxed: a count on one thread.
        DROPS.fetch_add(1, Relaxed);
    }
}

#[test]
#[cfg_attr(atomshard_seize, ignore = "`seize` drops a batch at once")]
fn a_write_drops_a_few_values_and_none_waits_long() {
    const MOST_AT_ONCE: usize = 4;
    const MOST_WAITING: usize = 3 * 128;
    let map = ShardMap::new();
    let (mut before, mut most) = (0, 0);
    for number in 0..10_000_usize {
        map.pin().insert(number % 16, Value);
        // Relaxed: as above.
        let drops = DROPS.load(Relaxed);
        most = most.max(drops - before);
        before = drops;
        let replaced = (number + 1).saturating_sub(16);
        assert!(
            replaced - drops <= MOST_WAITING,
            "{} wait",
            replaced - drops
        );
    }
    assert!(most >= 1, "something was dropped on the way");
    assert!(most <= MOST_AT_ONCE, "{most} at once");
    map.guard().flush();
    assert_eq!(DROPS.load(Relaxed), 10_000 - 16);
    drop(map);
    assert_eq!(DROPS.load(Relaxed), 10_000);

    // What a long guard has replaced is dropped when the guard ends: there may be no further write.
    let map = ShardMap::new();
    (0..1000).for_each(|number| assert!(map.pin().insert(number, Value).is_none()));
    let guard = map.guard();
    (0..1000).for_each(|number| assert!(map.insert(number, Value, &guard).is_some()));
    drop(guard);
    assert_eq!(DROPS.load(Relaxed), 11_000, "many go at once");
}
