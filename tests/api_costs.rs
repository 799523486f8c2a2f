//! The column "allocations" of the table in the crate's documentation, counted.
//!
//! A binary of its own, since it counts in the global allocator; only what the measuring thread
//! allocates is counted. A buffer that grows is one allocation. Entries are cut from chunks, and
//! what is retired gathers in batches, so of a hundred operations a few may allocate.
#![expect(unsafe_code, reason = "a counting global allocator is an unsafe trait")]

use atomshard::ShardMap;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use foldhash::fast::FixedState;
use std::alloc::System;

thread_local! {
    static MADE: Cell<usize> = const { Cell::new(0) };
}

/// System's allocator with a count of this thread's blocks.
struct Counting;

// SAFETY: every call is passed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // While a thread ends there is nothing left to count in; nothing is measured there either.
        let _ = MADE.try_with(|made| made.set(made.get() + 1));
        // SAFETY: the caller's contract is that of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is that of the system's allocator.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's contract is that of the system's allocator.
        unsafe { System.realloc(block, layout, new_size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const ENTRIES: u64 = 1000;

/// How many blocks `work` allocates.
fn made(work: impl FnOnce()) -> usize {
    let before = MADE.get();
    work();
    MADE.get() - before
}

#[test]
#[cfg_attr(atomshard_seize, ignore = "each entry is an allocation there")]
fn allocations_are_as_the_table_says() {
    let map = ShardMap::<u64, u64, _>::builder()
        .hasher(FixedState::with_seed(1))
        .capacity(20_000)
        .build();
    let pinned = map.pin();
    let few = 20;
    let new = made(|| (0..ENTRIES).for_each(|key| assert!(pinned.insert(key, 1).is_none())));
    assert!((1..2 * few).contains(&new), "insert, new keys: {new}");
    let present = made(|| (0..ENTRIES).for_each(|key| assert!(pinned.insert(key, 2).is_some())));
    assert!(present < 2 * few, "insert: {present}");
    let reads = made(|| {
        assert!((0..ENTRIES).all(|key| pinned.get(&key) == Some(&2)));
        assert!((ENTRIES..2 * ENTRIES).all(|key| !pinned.contains_key(&key)));
        assert_eq!(map.len(), 1000);
    });
    assert_eq!(reads, 0, "get, contains_key, len");
    assert_eq!(made(|| assert_eq!(pinned.iter().count(), 1000)), 1, "iter");
    assert_eq!(made(|| pinned.retain(|_, _| true)), 1, "retain all");
    let half = made(|| pinned.retain(|key, _| key % 2 == 0));
    assert!((1..few).contains(&half), "retain half: {half}");
    let removals =
        made(|| (0..300).for_each(|key| assert_eq!(pinned.remove(&key).is_some(), key % 2 == 0)));
    assert!(removals < few, "remove: {removals}");
    let clear = made(|| pinned.clear());
    assert!((1..few).contains(&clear), "clear: {clear}");
    assert!(map.is_empty());
}
