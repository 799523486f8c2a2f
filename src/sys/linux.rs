//! Linux. Same items, same order as `other`.
//!
//! # Invariants
//!
//! - **I1.** No system call here reads or writes memory of the process.
#![expect(unsafe_code, reason = "system calls")]

use super::Unavailable;
use core::ffi::{c_int, c_uint};
use core::ptr::NonNull;
use std::fs;
use std::io;
use std::sync::OnceLock;
use std::thread;

/// Declares that this process will use the private expedited barrier (`membarrier(2)`).
pub(super) fn register_process_barrier() -> Result<(), Unavailable> {
    membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED).map_err(|errno| Unavailable {
        reason: "membarrier cannot be registered",
        errno,
    })
}

/// Runs a full barrier on every running thread of the process.
pub(super) fn process_barrier() -> Result<(), Unavailable> {
    membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED).map_err(|errno| Unavailable {
        reason: "membarrier was refused",
        errno,
    })
}

/// Asks for huge pages under a mapped block.
pub(super) fn advise_huge(block: NonNull<u8>, bytes: usize) -> Result<(), Unavailable> {
    // SAFETY: I1: this advice changes how the kernel backs the block, not what it contains.
    let result = unsafe { libc::madvise(block.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
    if result == 0 {
        return Ok(());
    }
    Err(Unavailable {
        reason: "the kernel refused MADV_HUGEPAGE",
        errno: last_errno(),
    })
}

/// How many threads can run at once, read from the affinity mask and the cgroup's quota.
pub(super) fn parallelism() -> usize {
    static ANSWER: OnceLock<usize> = OnceLock::new();
    *ANSWER.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

/// Bytes of a line of the first-level data cache of CPU 0, from sysfs.
///
/// Not `sysconf`: its answer exists in glibc only, and is 0 there on AArch64 and some guests.
pub(super) fn line_bytes() -> Result<usize, Unavailable> {
    const PATH: &str = "/sys/devices/system/cpu/cpu0/cache/index0/coherency_line_size";
    let text = fs::read_to_string(PATH).map_err(|error| Unavailable {
        reason: "sysfs has no coherency_line_size of CPU 0",
        errno: error.raw_os_error(),
    })?;
    text.trim()
        .parse()
        .ok()
        .filter(|bytes: &usize| bytes.is_power_of_two())
        .ok_or(Unavailable::here(
            "coherency_line_size of CPU 0 is not a power of two",
        ))
}

/// `membarrier(command, 0, 0)`; the error number if it fails.
fn membarrier(command: c_int) -> Result<(), Option<i32>> {
    let (flags, cpu): (c_uint, c_int) = (0, 0);
    // SAFETY: I1: the call takes three integers.
    let result = unsafe { libc::syscall(libc::SYS_membarrier, command, flags, cpu) };
    if result == 0 {
        Ok(())
    } else {
        Err(last_errno())
    }
}

fn last_errno() -> Option<i32> {
    io::Error::last_os_error().raw_os_error()
}
