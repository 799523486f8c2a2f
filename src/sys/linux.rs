//! Linux. Same items, same order as `other`.
//!
//! # Invariants
//!
//! - **I1.** No system call here reads or writes memory of the process.
#![expect(unsafe_code, reason = "system calls")]

use super::{Advice, Unavailable};
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

/// Tells the kernel of a mapped block.
///
/// # Safety
/// The caller may have this done to the pages of the block.
pub(super) unsafe fn advise(
    block: NonNull<u8>,
    bytes: usize,
    advice: Advice,
) -> Result<(), Unavailable> {
    let (advice, reason) = match advice {
        Advice::Huge => (libc::MADV_HUGEPAGE, "the kernel refused MADV_HUGEPAGE"),
        Advice::Small => (libc::MADV_NOHUGEPAGE, "the kernel refused MADV_NOHUGEPAGE"),
        Advice::Present => (
            libc::MADV_POPULATE_WRITE,
            "the kernel refused MADV_POPULATE_WRITE",
        ),
        Advice::Zero => (libc::MADV_DONTNEED, "the kernel refused MADV_DONTNEED"),
    };
    // SAFETY: I1, and the caller's contract.
    if unsafe { libc::madvise(block.as_ptr().cast(), bytes, advice) } == 0 {
        return Ok(());
    }
    let errno = last_errno();
    Err(Unavailable { reason, errno })
}

/// How many threads can run at once, read from the affinity mask and the cgroup's quota.
///
/// The mask is that of the calling thread. A thread that is pinned to one CPU would say 1 for all others
/// too, so then the CPUs that are online count.
pub(super) fn parallelism() -> usize {
    static ANSWER: OnceLock<usize> = OnceLock::new();
    *ANSWER.get_or_init(count)
}

fn count() -> usize {
    match thread::available_parallelism().map_or(1, usize::from) {
        1 if !cfg!(miri) => online(),
        count => count,
    }
}

/// CPUs that are online, at least 1.
fn online() -> usize {
    // SAFETY: I1: the call takes an integer.
    let answer = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    usize::try_from(answer).unwrap_or(1).max(1)
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

#[cfg(all(test, feature = "topology", not(any(loom, miri))))]
mod tests {
    use super::{count, online};
    use crate::sys::placement::{cpu_and_node, set_affinity};
    use std::thread;

    /// Found by `benches/contention`: a counter whose first contended add came from a pinned thread never made stripes.
    #[test]
    fn a_thread_that_is_pinned_to_one_cpu_does_not_count_one() {
        let pinned = || {
            let (cpu, _) = cpu_and_node().expect("a thread may ask where it runs");
            let mut cpus = vec![0; cpu / 64 + 1];
            cpus[cpu / 64] = 1 << (cpu % 64);
            set_affinity(&cpus).expect("a thread may stay where it runs");
            count()
        };
        let counted = thread::scope(|scope| scope.spawn(pinned).join());
        assert_eq!(counted.expect("it does not panic"), online());
        let here = thread::available_parallelism().map_or(1, usize::from);
        assert!(online() >= here, "{here} of {}", online());
    }
}
