//! Aging: keys come and go, and their number stays. A bucket that was once too full for its line must not keep what it had behind it.

use atomshard::WordMap;
use cap::Cap;
use foldhash::fast::FixedState;
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// So few that tables come from the allocator.
const ENTRIES: u64 = 4000;

/// Tables may double now and then, for chance makes a bucket long; so what is held is compared with what the tables have room for.
#[test]
fn words_that_come_and_go_leave_nothing_behind() {
    let before = ALLOCATOR.allocated();
    let map = WordMap::with_hasher(FixedState::with_seed(1));
    for key in 0..ENTRIES {
        assert_eq!(map.insert(key, key), None);
    }
    let mut key = ENTRIES;
    let [young, old] = [4, 100].map(|lifetimes| {
        while key < lifetimes * ENTRIES {
            assert_eq!(map.remove(key - ENTRIES), Some(key - ENTRIES));
            assert_eq!(map.insert(key, key), None);
            key += 1;
        }
        let held = ALLOCATOR.allocated() - before;
        held as f64 / map.capacity() as f64
    });
    assert!(
        old <= 1.1 * young,
        "{young} bytes for each entry there is room for, then {old}"
    );
    assert_eq!(map.len() as u64, ENTRIES);
}
