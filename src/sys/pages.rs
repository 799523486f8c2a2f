//! Big zeroed memory, page by page from the kernel.
//!
//! A table of many megabytes should not pass through the general allocator: fresh anonymous pages
//! are zero without being written, cost nothing until they are touched, and go back to the system
//! when they are freed.
//!
//! | system | memory from | alignment | zeroed by |
//! |---|---|---|---|
//! | unix | `mmap`, private and anonymous | page; 2 MiB if huge pages are asked for | the kernel, at first touch |
//! | elsewhere, and Miri | the global allocator | 64 bytes | the allocator |
//!
//! # Invariants
//!
//! - **I1.** A system call here touches only the pages of a block that the caller owns, or none.
//! - **I2.** A block from [`alloc_zeroed`] or [`alloc_zeroed_huge`] is a mapping of its own of
//!   `bytes` rounded up to pages, or one allocation of [`heap::layout`]`(bytes)`, and nobody else
//!   holds any part of it.
#![expect(unsafe_code, reason = "maps, unmaps and allocates raw memory")]

use super::Unavailable;
use core::ops::Range;
use core::ptr::NonNull;

#[cfg(not(all(unix, not(miri))))]
use heap as imp;
#[cfg(all(unix, not(miri)))]
use mapped as imp;

/// The size and the alignment of a huge page on x86-64 and on AArch64 with 4 KiB pages: a page
/// directory entry maps 2^21 bytes (Intel SDM volume 3A, 5.5 "4-level paging"; Arm ARM D8.2).
pub(crate) const HUGE_PAGE_BYTES: usize = 1 << 21;

/// An alignment that every block has, on every system: the widest line that a bucket may count on
/// without asking `pad`.
pub(crate) const ALIGN: usize = 64;

/// Whether a block takes no memory before it is touched. (Under Miri it does; there nobody minds.)
pub(crate) const ARE_LAZY: bool = cfg!(any(unix, miri));

/// Allocates `bytes` of zeroed memory, or `None` if there is not so much or `bytes` is 0.
///
/// The memory belongs to the caller until [`free`].
pub(crate) fn alloc_zeroed(bytes: usize) -> Option<NonNull<u8>> {
    if !is_sound_size(bytes) {
        return None;
    }
    imp::alloc_zeroed(bytes)
}

/// As [`alloc_zeroed`], aligned to [`HUGE_PAGE_BYTES`] where pages are mapped, and advised to be
/// made of huge pages. Meant for blocks of at least that size.
///
/// The second answer says whether the kernel took the advice; the memory is good either way, and
/// whether huge pages are found shows at first touch.
pub(crate) fn alloc_zeroed_huge(bytes: usize) -> Option<(NonNull<u8>, Result<(), Unavailable>)> {
    if !is_sound_size(bytes) {
        return None;
    }
    imp::alloc_zeroed_huge(bytes)
}

/// Gives a block back.
///
/// # Safety
///
/// `block` came from [`alloc_zeroed`] or [`alloc_zeroed_huge`] with the same `bytes`, is freed once,
/// and nobody uses it from now on.
pub(crate) unsafe fn free(block: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's contract is the same.
    unsafe { imp::free(block, bytes) }
}

/// Gives the pages of a block back and keeps its addresses: whoever reads there finds zeros from now on. Says
/// whether that was done; if not, the block is as it was.
///
/// What is written there afterwards takes a small page, not a huge one, until [`take_again`].
///
/// # Safety
///
/// `block` came from [`alloc_zeroed`] or [`alloc_zeroed_huge`] with the same `bytes` and is not freed, and
/// whoever reads it meanwhile may find what was there or zeros.
pub(crate) unsafe fn give_back(block: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the caller's contract is the same.
    unsafe { imp::give_back(block, bytes) }
}

/// Gives those pages back that lie in this part of a block: whoever reads there finds zeros from now on. Says which of its bytes they are;
/// the others are as they were. Huge pages come again where all small ones of one have gone.
///
/// # Safety
///
/// The block came from [`alloc_zeroed`] or [`alloc_zeroed_huge`], of at least a page, and is not freed; whoever reads the part meanwhile may find
/// what was there or zeros.
pub(crate) unsafe fn zero(part: NonNull<u8>, bytes: usize) -> Range<usize> {
    // SAFETY: the caller's contract is the same.
    unsafe { imp::zero(part, bytes) }
}

/// Has the kernel give the pages that a part of a block lies in at once, where it can; without that they come one by one, at the first touch.
///
/// # Safety
///
/// The block came from [`alloc_zeroed`] or [`alloc_zeroed_huge`], of at least a page, and is not freed.
pub(crate) unsafe fn populate(part: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's contract is the same.
    unsafe { imp::populate(part, bytes) }
}

/// Lets a block that was given back have huge pages again, if it did.
pub(crate) fn take_again(block: NonNull<u8>, bytes: usize) {
    imp::take_again(block, bytes);
}

/// Bytes of a page; where no pages are mapped, those of the largest one in use (Arm, 64 KiB).
#[cfg(feature = "topology")]
pub(crate) fn page_bytes() -> usize {
    imp::page_bytes()
}

/// A block must not be empty, and offsets in it must fit `isize`, also after rounding up.
fn is_sound_size(bytes: usize) -> bool {
    bytes != 0 && bytes <= isize::MAX.unsigned_abs() - 2 * HUGE_PAGE_BYTES
}

#[cfg(all(unix, not(miri)))]
mod mapped {
    //! Anonymous mappings.

    use super::super::{Advice, os};
    use super::{HUGE_PAGE_BYTES, Unavailable};
    use core::ops::Range;
    use core::ptr::{NonNull, null_mut};

    pub(super) fn alloc_zeroed(bytes: usize) -> Option<NonNull<u8>> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
        // SAFETY: I1: a private anonymous mapping at an address of the kernel's choice takes the
        // place of no other mapping.
        let block = unsafe { libc::mmap(null_mut(), bytes, protection, flags, -1, 0) };
        if block == libc::MAP_FAILED {
            None
        } else {
            NonNull::new(block.cast())
        }
    }

    pub(super) fn alloc_zeroed_huge(
        bytes: usize,
    ) -> Option<(NonNull<u8>, Result<(), Unavailable>)> {
        // Map a huge page more than needed, then give back what lies before the first aligned
        // address and behind the block.
        let page = page_bytes();
        let kept = bytes.next_multiple_of(page);
        let mapped = kept + HUGE_PAGE_BYTES;
        let base = alloc_zeroed(mapped)?;
        let before = base.addr().get().next_multiple_of(HUGE_PAGE_BYTES) - base.addr().get();
        let behind = mapped - before - kept;
        // SAFETY: `before` is less than a huge page, so it lies in the mapping (I2).
        let block = unsafe { base.add(before) };
        // SAFETY: `before + kept` is at most the mapping's size (I2).
        let end = unsafe { block.add(kept) };
        if before != 0 {
            // SAFETY: the first `before` bytes are whole pages of our mapping (I2), not handed out.
            unsafe { free(base, before) };
        }
        if behind != 0 {
            // SAFETY: the last `behind` bytes are whole pages of our mapping (I2), not handed out.
            unsafe { free(end, behind) };
        }
        // SAFETY: I1: what is in the block stays as it is.
        let advised = unsafe { os::advise(block, kept, Advice::Huge) };
        Some((block, advised))
    }

    /// # Safety
    ///
    /// As [`super::free`].
    pub(super) unsafe fn free(block: NonNull<u8>, bytes: usize) {
        // SAFETY: the caller owns these pages (I2) and is done with them. The kernel rounds the
        // length up to pages as `mmap` did.
        let result = unsafe { libc::munmap(block.as_ptr().cast(), bytes) };
        // It can only fail where unmapping splits a mapping and the kernel is out of mappings;
        // the pages then stay mapped, which is a leak and nothing worse.
        debug_assert_eq!(result, 0, "munmap of {bytes} bytes");
    }

    /// # Safety
    ///
    /// As [`super::give_back`].
    pub(super) unsafe fn give_back(block: NonNull<u8>, bytes: usize) -> bool {
        if bytes >= HUGE_PAGE_BYTES {
            // Refused, a word that is written there holds a huge page.
            // SAFETY: I1: what is in the block stays as it is.
            let _refused = unsafe { os::advise(block, bytes, Advice::Small) };
        }
        // SAFETY: the caller's contract: these are pages of his block (I2), with nothing that is needed.
        unsafe { os::advise(block, bytes, Advice::Zero) }.is_ok()
    }

    /// # Safety
    ///
    /// As [`super::zero`].
    pub(super) unsafe fn zero(part: NonNull<u8>, bytes: usize) -> Range<usize> {
        let page = page_bytes();
        let start = part.addr().get();
        let first = start.next_multiple_of(page) - start;
        let end = ((start + bytes) / page * page).saturating_sub(start);
        if first >= end {
            return 0..0;
        }
        // SAFETY: `first` is below `bytes`, so it is in the part (I2).
        let pages = unsafe { part.add(first) };
        // SAFETY: the caller's contract: whole pages of the part, with nothing that is needed.
        match unsafe { os::advise(pages, end - first, Advice::Zero) } {
            Ok(()) => first..end,
            Err(_) => 0..0,
        }
    }

    /// # Safety
    ///
    /// As [`super::populate`].
    pub(super) unsafe fn populate(part: NonNull<u8>, bytes: usize) {
        let page = page_bytes();
        let before = part.addr().get() % page;
        // SAFETY: the block starts with a page (I2), so the page in which the part starts is the block's.
        let first = unsafe { part.sub(before) };
        let bytes = (before + bytes).next_multiple_of(page);
        // SAFETY: I1: these are pages of the block (I2), and stay as they are but for being there.
        let _refused = unsafe { os::advise(first, bytes, Advice::Present) };
    }

    pub(super) fn take_again(block: NonNull<u8>, bytes: usize) {
        if bytes >= HUGE_PAGE_BYTES {
            // Refused, the block has small pages.
            // SAFETY: I1: what is in the block stays as it is.
            let _refused = unsafe { os::advise(block, bytes, Advice::Huge) };
        }
    }

    pub(super) fn page_bytes() -> usize {
        // SAFETY: I1: `sysconf` touches no memory of ours.
        let answer = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        // POSIX requires an answer; the largest page in use (Arm, 64 KiB) is a safe one otherwise.
        usize::try_from(answer).unwrap_or(1 << 16)
    }
}

#[cfg(any(test, not(all(unix, not(miri)))))]
mod heap {
    //! The global allocator. Compiled on unix for the tests too, so that it cannot rot there.

    use super::super::Unavailable;
    use core::alloc::Layout;
    use core::ops::Range;
    use core::ptr::NonNull;
    use std::alloc;

    /// The layout of a block; `None` for a size no allocation can have.
    pub(super) fn layout(bytes: usize) -> Option<Layout> {
        Layout::from_size_align(bytes, super::ALIGN).ok()
    }

    pub(super) fn alloc_zeroed(bytes: usize) -> Option<NonNull<u8>> {
        let layout = layout(bytes).filter(|layout| layout.size() != 0)?;
        // SAFETY: I2: this is the block's layout, and its size is not 0.
        NonNull::new(unsafe { alloc::alloc_zeroed(layout) })
    }

    pub(super) fn alloc_zeroed_huge(
        bytes: usize,
    ) -> Option<(NonNull<u8>, Result<(), Unavailable>)> {
        let why = Unavailable::here("huge pages need mapped memory; this is the global allocator");
        Some((alloc_zeroed(bytes)?, Err(why)))
    }

    /// # Safety
    ///
    /// As [`super::give_back`].
    pub(super) unsafe fn give_back(_block: NonNull<u8>, _bytes: usize) -> bool {
        false
    }

    /// # Safety
    ///
    /// As [`super::zero`].
    pub(super) unsafe fn zero(_part: NonNull<u8>, _bytes: usize) -> Range<usize> {
        0..0
    }

    /// # Safety
    ///
    /// As [`super::populate`].
    #[cfg(not(all(unix, not(miri))))]
    pub(super) unsafe fn populate(_: NonNull<u8>, _: usize) {}

    #[cfg(not(all(unix, not(miri))))]
    pub(super) fn take_again(_block: NonNull<u8>, _bytes: usize) {}

    #[cfg(all(feature = "topology", not(all(unix, not(miri)))))]
    pub(super) fn page_bytes() -> usize {
        1 << 16
    }

    /// # Safety
    ///
    /// As [`super::free`].
    pub(super) unsafe fn free(block: NonNull<u8>, bytes: usize) {
        let Some(layout) = layout(bytes) else { return };
        // SAFETY: the block was allocated with this layout (I2); the caller is done with it.
        unsafe { alloc::dealloc(block.as_ptr(), layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the first and the last byte and every 4096th, after seeing zero there.
    fn touch(block: NonNull<u8>, bytes: usize) {
        let offsets = (0..bytes).step_by(4096).chain([bytes - 1]);
        for offset in offsets.clone() {
            // SAFETY: `offset < bytes`, and the test owns the block (I2).
            let place = unsafe { block.add(offset) };
            // SAFETY: as above; the block is zeroed, so it is initialised.
            assert_eq!(unsafe { place.read() }, 0, "offset {offset}");
        }
        for offset in offsets {
            // SAFETY: as above.
            let place = unsafe { block.add(offset) };
            // SAFETY: as above.
            unsafe { place.write(0xa5) };
        }
    }

    #[test]
    fn miri_blocks_are_zeroed_aligned_and_usable_to_the_last_byte() {
        for bytes in [1, 64, 4096, 4097, 65_536, 1 << 20] {
            let block = alloc_zeroed(bytes).expect("a megabyte is there");
            assert_eq!(block.addr().get() % 64, 0);
            touch(block, bytes);
            // SAFETY: the block is freed once, with its size.
            unsafe { free(block, bytes) };
        }
    }

    #[test]
    fn miri_the_global_allocator_serves_the_same_contract() {
        for bytes in [1, 64, 4097] {
            let block = heap::alloc_zeroed(bytes).expect("four kilobytes are there");
            assert_eq!(block.addr().get() % 64, 0);
            touch(block, bytes);
            // SAFETY: the test's own block, whose content nobody needs.
            assert!(!unsafe { heap::give_back(block, bytes) });
            // SAFETY: as above.
            assert_eq!(unsafe { heap::zero(block, bytes) }, 0..0);
            // SAFETY: the block is freed once, with its size.
            unsafe { heap::free(block, bytes) };
        }
        let (block, advice) = heap::alloc_zeroed_huge(64).expect("64 bytes are there");
        assert!(advice.is_err());
        // SAFETY: the block is freed once, with its size.
        unsafe { heap::free(block, 64) };
    }

    #[test]
    #[cfg_attr(
        miri,
        ignore = "Miri takes the global allocator, which does not align so far"
    )]
    fn huge_blocks_are_aligned_to_huge_pages_on_unix() {
        for bytes in [
            HUGE_PAGE_BYTES,
            HUGE_PAGE_BYTES + 1,
            3 * HUGE_PAGE_BYTES - 4096,
        ] {
            let (block, _advice) = alloc_zeroed_huge(bytes).expect("8 MiB are there");
            if cfg!(unix) {
                assert_eq!(block.addr().get() % HUGE_PAGE_BYTES, 0);
            }
            touch(block, bytes);
            // SAFETY: the block is freed once, with its size.
            unsafe { free(block, bytes) };
        }
    }

    #[test]
    fn pages_that_are_given_back_read_as_zero() {
        let bytes = 5 * 4096 + 7;
        let block = alloc_zeroed(bytes).expect("20 kilobytes are there");
        touch(block, bytes);
        // SAFETY: the test's own block, whose content nobody needs.
        let done = unsafe { give_back(block, bytes) };
        assert_eq!(done, cfg!(all(target_os = "linux", not(miri))));
        // SAFETY: the block is initialised, in either case.
        let first = unsafe { block.read() };
        assert_eq!(first, if done { 0 } else { 0xa5 });
        if done {
            touch(block, bytes);
        }
        // SAFETY: the block is freed once, with its size.
        unsafe { free(block, bytes) };
    }

    #[test]
    fn whole_pages_of_a_part_read_as_zero() {
        // Pages may be as large as this.
        const PAGE: usize = 1 << 16;
        let block = alloc_zeroed(4 * PAGE).expect("256 kilobytes are there");
        touch(block, 4 * PAGE);
        let start = PAGE - 1;
        // SAFETY: `start` is in the block.
        let part = unsafe { block.add(start) };
        // SAFETY: the test's own block.
        unsafe { populate(part, 2 * PAGE) };
        // SAFETY: the test's own block, whose content nobody needs.
        let given = unsafe { zero(part, 2 * PAGE) };
        if cfg!(all(target_os = "linux", not(miri))) {
            assert!(given.start <= 1 && given.end > PAGE, "{given:?}");
        }
        for offset in (0..4 * PAGE).step_by(4096).chain([start]) {
            let is_zero = offset
                .checked_sub(start)
                .is_some_and(|offset| given.contains(&offset));
            // SAFETY: the offset is in the block.
            let place = unsafe { block.add(offset) };
            // SAFETY: the block is initialised.
            let byte = unsafe { place.read() };
            assert!(byte == 0 || !is_zero, "offset {offset}");
            assert!(
                byte == 0xa5 || is_zero || offset == start,
                "offset {offset}"
            );
        }
        // SAFETY: the block is freed once, with its size.
        unsafe { free(block, 4 * PAGE) };
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        for bytes in [0, usize::MAX, isize::MAX.unsigned_abs()] {
            assert_eq!(alloc_zeroed(bytes), None);
            assert_eq!(alloc_zeroed_huge(bytes), None);
        }
        assert_eq!(heap::alloc_zeroed(0), None);
        assert_eq!(heap::alloc_zeroed(usize::MAX), None);
    }
}
