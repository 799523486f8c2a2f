//! Every system but Linux, and Miri. Same items, same order as
//! `linux`.

use super::Unavailable;
use std::sync::OnceLock;
use std::thread;

/// Declares that this process will use a barrier on all its threads: there is none.
pub(super) fn register_process_barrier() -> Result<(), Unavailable> {
    Err(NO_MEMBARRIER)
}

/// Runs a full barrier on every running thread of the process: cannot be done here.
pub(super) fn process_barrier() -> Result<(), Unavailable> {
    Err(NO_MEMBARRIER)
}

const NO_MEMBARRIER: Unavailable = if cfg!(miri) {
    Unavailable::here("Miri runs no membarrier")
} else {
    Unavailable::here("membarrier is a Linux system call")
};

/// Asks for huge pages under a mapped block: only Linux takes this advice.
#[cfg(all(unix, not(miri)))]
pub(super) fn advise_huge(
    _block: core::ptr::NonNull<u8>,
    _bytes: usize,
) -> Result<(), Unavailable> {
    Err(Unavailable::here("MADV_HUGEPAGE is Linux's"))
}

/// Asks for no huge pages under a mapped block: only Linux takes this advice.
#[cfg(all(unix, not(miri)))]
pub(super) fn forbid_huge(
    _block: core::ptr::NonNull<u8>,
    _bytes: usize,
) -> Result<(), Unavailable> {
    Err(Unavailable::here("MADV_NOHUGEPAGE is Linux's"))
}

/// Has pages made present before they are touched: elsewhere they come one by one.
///
/// # Safety
/// As on Linux; nothing is done.
#[cfg(all(unix, not(miri)))]
#[expect(unsafe_code, reason = "as on Linux")]
pub(super) unsafe fn populate(
    _block: core::ptr::NonNull<u8>,
    _bytes: usize,
) -> Result<(), Unavailable> {
    Err(Unavailable::here("MADV_POPULATE_WRITE is Linux's"))
}

/// Gives pages back and keeps their addresses: elsewhere the advice does not make them zero.
///
/// # Safety
/// As on Linux; nothing is done.
#[cfg(all(unix, not(miri)))]
#[expect(unsafe_code, reason = "as on Linux")]
pub(super) unsafe fn zero_pages(
    _block: core::ptr::NonNull<u8>,
    _bytes: usize,
) -> Result<(), Unavailable> {
    Err(Unavailable::here(
        "pages read as zero after MADV_DONTNEED on Linux only",
    ))
}

/// How many threads can run at once, as the standard library finds out.
pub(super) fn parallelism() -> usize {
    static ANSWER: OnceLock<usize> = OnceLock::new();
    *ANSWER.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

/// Bytes of a line of the first-level data cache: not asked here.
pub(super) fn line_bytes() -> Result<usize, Unavailable> {
    Err(Unavailable::here(
        "the line size is only read from Linux's sysfs",
    ))
}
