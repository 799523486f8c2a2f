//! What small maps weigh: allocator-held bytes of maps of 0, 16 and 1,000 entries of `u64 -> u64`.
//!
//! A binary of its own, since it counts in the global allocator. Only what the measuring thread
//! allocates and frees is counted: on Linux what malloc really set aside (usable size and the
//! 8-byte header), elsewhere the size asked for.
#![expect(unsafe_code, reason = "a counting global allocator is an unsafe trait")]

use atomshard::{Guard as _, ShardMap};
use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use foldhash::fast::FixedState;
use std::alloc::System;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
}

/// System's allocator with a count of what this thread holds.
struct Counting;

/// Bytes set aside for the block at `block` of this layout.
#[cfg(target_os = "linux")]
fn weight(block: *mut u8, _: Layout) -> isize {
    // SAFETY: only called with a block that the system's allocator gave and has not taken back.
    let usable = unsafe { libc::malloc_usable_size(block.cast()) };
    usable.cast_signed() + 8
}

/// Bytes asked for.
#[cfg(not(target_os = "linux"))]
fn weight(_: *mut u8, layout: Layout) -> isize {
    layout.size().cast_signed()
}

fn count(change: isize) {
    // While a thread ends there is nothing left to count in; nothing is measured there either.
    let _ = HELD.try_with(|held| held.set(held.get() + change));
}

// SAFETY: every block comes from the system's allocator and goes back to it with its layout.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is that of the system's allocator.
        let block = unsafe { System.alloc(layout) };
        if !block.is_null() {
            count(weight(block, layout));
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-weight(block, layout));
        // SAFETY: the caller's contract is that of the system's allocator.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

type Map = ShardMap<u64, u64, FixedState>;

/// Frees what this thread has retired. All maps of numbers share one domain, whose garbage (at
/// most one batch a thread, whatever the number of maps) is nobody's entry.
fn flush(map: &Map) {
    for _ in 0..3 {
        map.guard().flush();
    }
}

/// Bytes that a map of this many entries holds, with the map itself.
fn bytes(entries: u64, seed: u64) -> usize {
    let map = Map::with_hasher(FixedState::with_seed(seed));
    // What a thread needs once, whatever the number of maps, is there before.
    flush(&map);
    let before = HELD.get();
    for key in 0..entries {
        map.pin()
            .insert(key.wrapping_mul(0x9E37_79B9_7F4A_7C15), key);
    }
    assert_eq!(map.len() as u64, entries);
    flush(&map);
    let held = HELD.get() - before;
    assert!(
        held >= 0,
        "{held} bytes: something from before was freed meanwhile"
    );
    held.unsigned_abs() + size_of::<Map>()
}

/// Mean and worst bytes of maps with different hashers.
fn weigh(entries: u64) -> (f64, f64) {
    let bytes = (0..20)
        .map(|seed| bytes(entries, seed) as f64)
        .collect::<Vec<_>>();
    (
        bytes.iter().sum::<f64>() / 20.0,
        bytes.iter().copied().fold(0.0, f64::max),
    )
}

/// One test, since other threads would free this one's garbage. The bars hold for the mean; where
/// a few entries make or save a table, the luck of a hasher is worth up to a third.
#[test]
#[cfg_attr(
    atomshard_seize,
    ignore = "the bars are for chunks, and a domain that allocates when it is used"
)]
fn small_maps_stay_within_their_bars() {
    weigh(2000);
    let before = HELD.get();
    for (entries, bar) in [(16, 1600.0), (1000, 64_000.0)] {
        let (mean, worst) = weigh(entries);
        assert!(mean <= bar, "{entries} entries: {mean} bytes in the mean");
        assert!(
            worst <= bar * 4.0 / 3.0,
            "{entries} entries: {worst} bytes at worst"
        );
    }
    let (_, worst) = weigh(0);
    assert!(worst < 256.0, "an empty map: {worst} bytes");
    assert!(
        HELD.get() - before < 64_000,
        "maps that are gone left {} bytes",
        HELD.get() - before
    );
}
