//! papaya #63, #64 (fixed in 0.2.2): entries aligned below the bits that mark a pointer, and `retain`
//! following a marked pointer. Here the allocator gives each block the alignment that was asked
//! for and not one bit more, so that an entry which does not ask for enough shows.
#![expect(unsafe_code, reason = "a stingy global allocator is an unsafe trait")]

use atomshard::ShardMap;
use core::alloc::{GlobalAlloc, Layout};
use core::hash::Hash;
use std::alloc::System;

/// System's allocator, with every address an odd multiple of the alignment asked for.
struct Stingy;

/// The block around one of this layout, and how far inside it that one lies.
fn around(layout: Layout) -> Option<(Layout, usize)> {
    let gap = layout.align();
    let size = layout.size().checked_add(gap)?;
    Some((
        Layout::from_size_align(size, gap.checked_mul(2)?).ok()?,
        gap,
    ))
}

// SAFETY: every block is part of one of the system's, aligned as asked for, and goes back with it.
unsafe impl GlobalAlloc for Stingy {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((outer, gap)) = around(layout) else {
            return core::ptr::null_mut();
        };
        // SAFETY: the layout is not empty, since the gap is not.
        let block = unsafe { System.alloc(outer) };
        if block.is_null() {
            return block;
        }
        // SAFETY: the block is longer than the gap.
        unsafe { block.add(gap) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let Some((outer, gap)) = around(layout) {
            // SAFETY: by the caller's contract it came from `alloc`, which went on by the gap.
            let block = unsafe { block.sub(gap) };
            // SAFETY: the system's block, with the layout that it was made with.
            unsafe { System.dealloc(block, outer) }
        }
    }
}

#[global_allocator]
static STINGY: Stingy = Stingy;

/// Inserts, replaces, retains half, walks, removes.
fn live<K, V>(entries: impl Iterator<Item = (K, V)>, is_kept: fn(&K) -> bool)
where
    K: Hash + Eq + Clone,
    V: PartialEq + Clone,
{
    let map = ShardMap::<K, V>::new();
    let pinned = map.pin();
    let entries: Vec<(K, V)> = entries.collect();
    for round in 0..2 {
        for (key, value) in &entries {
            assert_eq!(
                pinned.insert(key.clone(), value.clone()).is_some(),
                round == 1
            );
        }
    }
    pinned.retain(|key, _| is_kept(key));
    assert!(pinned.iter().all(|(key, _)| is_kept(key)));
    assert_eq!(
        map.len(),
        entries.iter().filter(|(key, _)| is_kept(key)).count()
    );
    for (key, value) in &entries {
        let found = pinned.get(key);
        assert!(found == is_kept(key).then_some(value));
        assert!(found.is_none_or(|value| core::ptr::from_ref(value).is_aligned()));
        assert_eq!(pinned.remove(key).is_some(), is_kept(key));
    }
    assert!(map.is_empty());
}

#[derive(Clone, PartialEq)]
#[repr(align(64))]
struct Aligned(u8);

#[test]
fn papaya_63_64_the_allocator_is_stingy() {
    let number = Box::new(7_u64);
    assert_eq!(core::ptr::from_ref(&*number).addr() % 16, 8);
}

#[test]
fn papaya_63_64_keys_and_values_of_one_byte() {
    live((0..=u8::MAX).map(|n| (n, n)), |key| key % 2 == 0);
}

#[test]
fn papaya_63_64_values_of_no_size() {
    live((0..2000_u16).map(|n| (n, ())), |key| key % 2 == 0);
}

#[test]
fn papaya_63_64_values_aligned_beyond_the_word() {
    live((0..=u8::MAX).map(|n| (n, Aligned(n))), |key| key % 2 == 0);
}
