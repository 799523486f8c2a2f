//! The global allocator: the system's, with a counter that can be switched on.
//!
//! What is counted is what is held for the program: with glibc the usable size of each block
//! plus the 8 bytes of its header, and the pages that a map takes from the kernel itself, past
//! malloc: what `VmData` grows by beyond what malloc says that it took. Elsewhere it is the size
//! asked for, which is less. While it is off, which is whenever a clock runs, it costs one load
//! and one branch.
//!
//! - **I1**: every call is passed to `System` unchanged, so its contract carries over.
//! - **I2**: `mallinfo2` reads malloc's own books under malloc's own locks, and `malloc_trim` changes them so.
#![expect(unsafe_code, reason = "a global allocator is an unsafe trait")]
use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
use std::alloc::System;

/// The system allocator with a switchable counter.
#[derive(Debug)]
pub(crate) struct Counting {
    is_on: AtomicBool,
    held: AtomicI64,
}

#[global_allocator]
static ALLOCATOR: Counting = Counting {
    is_on: AtomicBool::new(false),
    held: AtomicI64::new(0),
};

/// How sizes are found out here.
#[must_use]
pub(crate) fn method() -> &'static str {
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        "glibc malloc_usable_size + 8 bytes of header per block + pages mapped past malloc; \
         of WordMap, which gives pages back and keeps addresses: anonymous pages that the process has"
    } else {
        "sizes asked for; what the allocator adds cannot be read here"
    }
}

/// How bytes are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Blocks of malloc, and what is mapped past it, touched or not.
    Blocks,
    /// Pages that the process has, whatever for: for what keeps addresses whose pages it has given back.
    Pages,
}

/// Runs `work` and returns how many more bytes are held after it than before; `None` where the system does not
/// say.
///
/// Counts what all threads do meanwhile; blocks of before that are freed count as negative.
/// `work` should start no thread: a thread's stack counts as mapped.
pub(crate) fn growth<T>(by: By, work: impl FnOnce() -> T) -> (T, Option<i64>) {
    match by {
        By::Blocks => {
            let (made, held) = growth_in_blocks(work);
            (made, Some(held))
        }
        By::Pages => {
            give_back_what_is_free();
            let before = pages_bytes();
            let made = work();
            (
                made,
                pages_bytes()
                    .zip(before)
                    .map(|(after, before)| after - before),
            )
        }
    }
}

/// Bytes of anonymous pages that this process has, in memory or in swap; `None` where the system does not
/// say.
#[must_use]
pub(crate) fn pages_bytes() -> Option<i64> {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let kib = |name: &str| -> Option<i64> {
        let rest = rollup.lines().find_map(|line| line.strip_prefix(name))?;
        rest.split_whitespace().next()?.parse().ok()
    };
    Some((kib("Anonymous:")? + kib("Swap:").unwrap_or(0)) * 1024)
}

/// Has malloc give back the pages that nobody uses, so that who fills them again is seen.
pub(crate) fn give_back_what_is_free() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: it has no precondition (I2).
        unsafe { libc::malloc_trim(0) };
    }
}

fn growth_in_blocks<T>(work: impl FnOnce() -> T) -> (T, i64) {
    // Relaxed, all of it: the threads that allocate are started and joined in between.
    let mapped_before = mapped_past_malloc();
    ALLOCATOR.is_on.store(true, Relaxed);
    let before = ALLOCATOR.held.load(Relaxed);
    let made = work();
    let after = ALLOCATOR.held.load(Relaxed);
    ALLOCATOR.is_on.store(false, Relaxed);
    (made, after - before + mapped_past_malloc() - mapped_before)
}

/// Bytes of private writable pages of this process, touched or not: a table that waits to be
/// filled counts. 0 where the system does not say.
#[must_use]
pub(crate) fn process_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib: Option<u64> = status
        .lines()
        .find_map(|line| line.strip_prefix("VmData:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0) * 1024
}

/// Bytes of private writable pages that malloc did not ask for.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn mapped_past_malloc() -> i64 {
    // SAFETY: it has no precondition (I2).
    let books = unsafe { libc::mallinfo2() };
    let by_malloc = i64::try_from(books.arena + books.hblkhd).unwrap_or(i64::MAX);
    match process_bytes() {
        0 => 0,
        bytes => i64::try_from(bytes).unwrap_or(i64::MAX) - by_malloc,
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn mapped_past_malloc() -> i64 {
    0
}

impl Counting {
    #[inline]
    fn count(&self, block: *mut u8, layout: Layout, sign: i64) {
        // Relaxed: a count; see `growth`.
        if self.is_on.load(Relaxed) && !block.is_null() {
            self.held.fetch_add(sign * bytes_of(block, layout), Relaxed);
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn bytes_of(block: *mut u8, _: Layout) -> i64 {
    // SAFETY: by I1 `block` is a live block that malloc made; the caller has just been given it
    // or is about to free it.
    let usable = unsafe { libc::malloc_usable_size(block.cast()) };
    i64::try_from(usable + 8).unwrap_or(i64::MAX)
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn bytes_of(_: *mut u8, layout: Layout) -> i64 {
    i64::try_from(layout.size()).unwrap_or(i64::MAX)
}

// SAFETY: by I1 all of the contract is `System`'s.
unsafe impl GlobalAlloc for Counting {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller's contract, which is that of `System` (I1).
        let block = unsafe { System.alloc(layout) };
        self.count(block, layout, 1);
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller's contract, which is that of `System` (I1).
        let block = unsafe { System.alloc_zeroed(layout) };
        self.count(block, layout, 1);
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.count(block, layout, -1);
        // SAFETY: by the caller's contract, which is that of `System` (I1).
        unsafe { System.dealloc(block, layout) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let was_on = self.is_on.load(Relaxed);
        let before = if was_on { bytes_of(block, layout) } else { 0 };
        // SAFETY: by the caller's contract, which is that of `System` (I1).
        let grown = unsafe { System.realloc(block, layout, new_size) };
        if was_on && !grown.is_null() {
            let size = Layout::from_size_align(new_size, layout.align()).unwrap_or(layout);
            self.held.fetch_add(bytes_of(grown, size) - before, Relaxed);
        }
        grown
    }
}

#[cfg(test)]
mod tests {
    use super::{By, growth};

    #[test]
    fn a_block_counts_as_its_size() {
        let size = 1_i64 << 28;
        let (block, held) = growth(By::Blocks, || vec![0_u8; 1 << 28]);
        // Other tests allocate meanwhile, but not by a quarter of this.
        let about = |held: Option<i64>, size: i64| {
            held.is_some_and(|held| (size * 3 / 4..size * 5 / 4).contains(&held))
        };
        assert!(about(held, size), "{held:?}");
        drop(block);
        if cfg!(target_os = "linux") {
            let (block, held) = growth(By::Pages, || {
                let mut block = vec![0_u8; 1 << 29];
                block[..1 << 28].fill(1);
                block
            });
            assert!(
                about(held, size),
                "{held:?}: what is not touched has no pages"
            );
            drop(block);
        }
    }
}
