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

/// Tells the kernel of a mapped block: elsewhere pages come small, one by one, and none is made zero again.
///
/// # Safety
/// As on Linux; nothing is done.
#[cfg(all(unix, not(miri)))]
#[expect(unsafe_code, reason = "as on Linux")]
pub(super) unsafe fn advise(
    _block: core::ptr::NonNull<u8>,
    _bytes: usize,
    _advice: super::Advice,
) -> Result<(), Unavailable> {
    Err(Unavailable::here(
        "the kernel takes this advice on Linux only",
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
