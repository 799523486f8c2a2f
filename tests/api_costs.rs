//! The column "allocations" of the table in the crate's documentation, counted.
//!
//! A binary of its own, since it counts in the global allocator; only what the measuring thread
//! allocates is counted. A buffer that grows is one allocation. Entries are cut from chunks, and
//! what is retired gathers in batches, so of a hundred operations a few may allocate.
#![expect(unsafe_code, reason = "a counting global allocator is an unsafe trait")]

use atomshard::{ShardMap, WordMap, WordSet};
use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use foldhash::fast::FixedState;
use std::alloc::System;

thread_local! {
    static MADE: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<usize> = const { Cell::new(0) };
}

/// Counts bytes as taken by this thread, and others as given back.
fn count_bytes(taken: usize, given_back: usize) {
    // While a thread ends there is nothing left to count in; nothing is measured there either.
    let _ = LIVE.try_with(|live| live.set(live.get().wrapping_add(taken).wrapping_sub(given_back)));
}

/// System's allocator with a count of this thread's blocks, and of its bytes.
struct Counting;

// SAFETY: every call is passed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // While a thread ends there is nothing left to count in; nothing is measured there either.
        let _ = MADE.try_with(|made| made.set(made.get() + 1));
        count_bytes(layout.size(), 0);
        // SAFETY: the caller's contract is that of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count_bytes(0, layout.size());
        // SAFETY: the caller's contract is that of the system's allocator.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count_bytes(new_size, layout.size());
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

/// The table in the documentation of `WordMap`.
#[test]
fn words_allocate_what_their_table_says() {
    const FEW: usize = 20;
    let map = WordMap::<u64, u64, _>::builder()
        .hasher(FixedState::with_seed(1))
        .capacity(20_000)
        .build();
    let mut answers = [None; 1000];
    let keys: [u64; 1000] = core::array::from_fn(|i| i as u64);
    let new = made(|| (0..ENTRIES).for_each(|key| assert_eq!(map.insert(key, 1), None)));
    assert!(new < FEW, "insert, new keys: {new}");
    let present = made(|| {
        (0..ENTRIES).for_each(|key| assert_eq!(map.insert(key, 2), Some(1)));
        (0..ENTRIES).for_each(|key| assert_eq!(map.fetch_add(key, 1), Some(2)));
    });
    assert_eq!(present, 0, "insert, fetch_add: present keys");
    let reads = made(|| {
        assert!((0..ENTRIES).all(|key| map.get(key) == Some(3)));
        assert!((ENTRIES..2 * ENTRIES).all(|key| !map.contains(key)));
        map.get_many(&keys, &mut answers);
        assert_eq!(map.len(), 1000);
    });
    assert_eq!(reads, 0, "get, contains, get_many, len");
    assert_eq!(answers, [Some(3); 1000]);
    assert_eq!(made(|| assert_eq!(map.iter().count(), 1000)), 0, "iter");
    let removals = made(|| (0..ENTRIES).for_each(|key| assert_eq!(map.remove(key), Some(3))));
    assert_eq!(removals, 0, "remove");
}

/// Tables of all shards come in one piece, size by size, and lines behind links in chunks.
#[test]
fn a_small_map_of_words_is_made_of_few_pieces() {
    let map = WordMap::<u64, u64, _>::with_hasher(FixedState::with_seed(1));
    // What a thread needs once, for all maps.
    map.insert(0, 0);
    map.clear();
    let filled = made(|| (0..ENTRIES).for_each(|key| assert_eq!(map.insert(key, 1), None)));
    assert!(filled < 100, "{filled} allocations");
    assert_eq!(map.len() as u64, ENTRIES);
}

/// Entries that are free for the next ones are listed in their own memory: a list beside it would be 8 bytes for each.
#[test]
#[cfg_attr(atomshard_seize, ignore = "each entry is an allocation there")]
fn what_is_removed_is_listed_where_it_was() {
    const MANY: u64 = 200_000;
    let map = ShardMap::<u64, u64, _>::with_hasher(FixedState::with_seed(1));
    (0..MANY).for_each(|key| assert!(map.pin().insert(key, 1).is_none()));
    let before = LIVE.get();
    (0..MANY).for_each(|key| assert!(map.pin().remove(&key).is_some()));
    let more = LIVE.get().wrapping_sub(before).cast_signed();
    // The tables of a small map are the allocator's, 200 KiB.
    assert!(more < 400_000, "{more} bytes more when all are gone");
}

/// An empty map is its own size, whatever is asked of it, and that is no more than four lines.
#[test]
fn empty_maps_of_words_allocate_nothing() {
    assert!(
        size_of::<WordMap<u64, u64>>() <= 256,
        "{}",
        size_of::<WordMap<u64, u64>>()
    );
    // What a thread needs once, for all maps: its record.
    WordMap::from([(1, 1)]).remove(1);
    let mut kept = None;
    let made = made(|| {
        let mut map = WordMap::<u64, u64>::new();
        map.extend([]);
        map.reserve(0);
        map.shrink_to_fit();
        map.clear();
        map.retain(|_, _| true);
        map.get_many(&[1, 2], &mut [None; 2]);
        map.remove_many(&[1, 2], &mut [None; 2]);
        assert_eq!(
            (map.get(1), map.remove(1), map.replace(1, 1)),
            (None, None, None)
        );
        assert_eq!(
            (map.fetch_add(1, 1), map.remove_if(1, |_| true)),
            (None, Ok(None))
        );
        assert_eq!((map.iter().count(), map.len(), map.capacity()), (0, 0, 0));
        let collected: WordMap<u64, u64> = [].into_iter().collect();
        let copy = collected.clone();
        assert!(map == collected && collected == copy);
        let set: WordSet<u64> = [].into_iter().collect();
        assert!(!set.contains(1) && !set.remove(1));
        kept = Some((map, collected, copy, set));
    });
    assert_eq!(made, 0);
    // To end one takes a list of what its threads have.
    drop(kept);
}
