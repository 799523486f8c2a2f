//! An allocator whose placement is the same in every run and every build.
//!
//! What the code under observation allocates comes from an arena of its thread, block after block, as
//! glibc's malloc cuts them from fresh memory: at multiples of 16, eight bytes of header each, 32 bytes at
//! least. Nothing is used twice. So an address lies at the same place of a line wherever and
//! whenever the program runs. What the tool itself allocates, meanwhile too, comes from the system.
//!
//! # Invariants
//! - I1. An arena is one mapping of `ARENA_BYTES` zero bytes, and stays; `next` is an offset into it that only
//!   grows, and is changed by the arena's thread alone.
#![expect(unsafe_code, reason = "a global allocator")]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, AtomicU8, Ordering, compiler_fence};
use std::alloc::System;

/// Bytes of one arena; pages that are not used take no memory.
const ARENA_BYTES: usize = 64 << 20;
/// Arenas lie at multiples of this.
const ARENA_ALIGN: usize = 2 << 20;
/// Threads that can be observed.
pub const ARENAS: usize = 65;

static BASES: [AtomicPtr<u8>; ARENAS] = [const { AtomicPtr::new(null_mut()) }; ARENAS];

thread_local! {
    static OWN: Cell<Option<usize>> = const { Cell::new(None) };
    static NEXT: Cell<usize> = const { Cell::new(0) };
}

/// The allocator; a program that observes declares it as its `#[global_allocator]`.
#[derive(Debug)]
pub struct Arena;

/// Does `work` while the calling thread allocates from an arena, or with `None` from the system.
pub fn within<R>(arena: Option<usize>, work: impl FnOnce() -> R) -> R {
    struct Back(Option<usize>);
    impl Drop for Back {
        fn drop(&mut self) {
            OWN.set(self.0);
        }
    }
    let _back = Back(OWN.replace(arena.filter(|arena| *arena < ARENAS)));
    work()
}

/// The arenas in use, as ranges of addresses.
pub fn ranges() -> impl Iterator<Item = core::ops::Range<usize>> {
    BASES.iter().filter_map(|base| {
        let base = base.load(Ordering::Relaxed).addr();
        (base != 0).then(|| base..base + ARENA_BYTES)
    })
}

/// Zero pages for an arena, null if there are none.
fn map() -> *mut u8 {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    let bytes = ARENA_BYTES + ARENA_ALIGN;
    // SAFETY: I1: a new anonymous mapping; nothing that exists is touched.
    let whole = unsafe { libc::mmap(null_mut(), bytes, protection, flags, -1, 0) };
    if whole == libc::MAP_FAILED {
        return null_mut();
    }
    let whole = whole.cast::<u8>();
    // SAFETY: I1: the mapping is longer than an arena by the alignment.
    unsafe { whole.add(whole.align_offset(ARENA_ALIGN)) }
}

/// Memory from arena number `arena`, null if it is used up.
fn cut(arena: usize, layout: Layout) -> *mut u8 {
    let mut base = BASES[arena].load(Ordering::Relaxed);
    if base.is_null() {
        base = map();
        BASES[arena].store(base, Ordering::Relaxed);
    }
    if base.is_null() {
        return base;
    }
    let at = (NEXT.get() + 16).next_multiple_of(layout.align().max(16));
    let block = (layout.size() + 8).next_multiple_of(16).max(32);
    let end = at.saturating_add(block);
    if end > ARENA_BYTES {
        return null_mut();
    }
    // The next block's own 16 bytes of header overlap the last 8 of this one, as in glibc.
    NEXT.set(end - 16);
    // SAFETY: I1: inside the arena.
    unsafe { base.add(at) }
}

static PAUSE: AtomicU8 = AtomicU8::new(0);
static RESUME: AtomicU8 = AtomicU8::new(0);

/// The addresses of two bytes: stored to before and after each call of the allocator, so that a memory
/// trace can leave out what is the allocator's own.
#[must_use]
pub fn marks() -> [usize; 2] {
    [&PAUSE, &RESUME].map(|mark| mark.as_ptr().addr())
}

/// Does `work` between the marks.
fn marked<R>(work: impl FnOnce() -> R) -> R {
    PAUSE.store(1, Ordering::Relaxed);
    compiler_fence(Ordering::SeqCst);
    let result = work();
    compiler_fence(Ordering::SeqCst);
    RESUME.store(1, Ordering::Relaxed);
    result
}

// SAFETY: what an arena hands out is aligned, large enough, and handed out once (I1: one thread has the
// arena, and its offset grows); everything else is the system's.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        marked(|| match OWN.get() {
            Some(arena) => cut(arena, layout),
            // SAFETY: the caller's contract.
            None => unsafe { System.alloc(layout) },
        })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        marked(|| match OWN.get() {
            // Never used before, so zero.
            Some(arena) => cut(arena, layout),
            // SAFETY: the caller's contract.
            None => unsafe { System.alloc_zeroed(layout) },
        })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        marked(|| {
            if !ranges().any(|range| range.contains(&block.addr())) {
                // SAFETY: the caller's contract; the block is none of an arena's.
                unsafe { System.dealloc(block, layout) };
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Arena, within};
    use core::alloc::{GlobalAlloc as _, Layout};

    #[test]
    fn blocks_follow_each_other_as_in_glibc() {
        let layout = |bytes, align| Layout::from_size_align(bytes, align).expect("a layout");
        let alloc = |layout| {
            // SAFETY: no layout of this test is empty; the blocks are never given back.
            unsafe { Arena.alloc(layout) }.addr()
        };
        let blocks = [(24, 8), (25, 8), (1, 1), (8, 128)];
        let [first, second, third, aligned] = within(Some(super::ARENAS - 1), || {
            blocks.map(|(bytes, align)| alloc(layout(bytes, align)))
        });
        assert_eq!((first % 64, second - first, third - second), (16, 32, 48));
        assert_eq!(aligned % 128, 0);
    }
}
