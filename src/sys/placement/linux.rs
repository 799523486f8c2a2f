//! Linux. Same items, same order as `other`.
//!
//! # Invariants
//!
//! - **I1.** What the kernel reads is a slice that lives through the call, and the length that is passed is
//!   not more than the slice has.
//! - **I2.** What the kernel writes is an integer or a slice of integers that is borrowed mutably through the
//!   call, the length that is passed is not more than it has, and any bits are valid there.
//! - **I3.** The memory whose place is asked for or changed is neither read nor written by the process's
//!   account: an address is a name for a page, and a page that moves keeps its address and its bytes.
#![expect(unsafe_code, reason = "system calls")]

use super::Mode;
use crate::sys::Unavailable;
use core::ffi::{c_int, c_long, c_uint, c_ulong, c_void};
use core::ptr::{from_mut, null, null_mut};
use std::io;

/// Of `get_mempolicy`: the policy of an address, not of the thread (`include/uapi/linux/mempolicy.h`).
const MPOL_F_ADDR: c_ulong = 1 << 1;

/// Of `mbind`: pages that only this process has are moved (as above).
const MPOL_MF_MOVE: c_uint = 1 << 1;

/// Lets the calling thread run on these CPUs only.
pub(crate) fn set_affinity(cpus: &[u64]) -> Result<(), Unavailable> {
    let this_thread: c_int = 0;
    // SAFETY: I1: the kernel reads as many bytes as the slice has.
    let result = unsafe {
        libc::syscall(
            libc::SYS_sched_setaffinity,
            this_thread,
            size_of_val(cpus),
            cpus.as_ptr(),
        )
    };
    answer("sched_setaffinity was refused", result)
}

/// The CPUs on which the calling thread may run. `cpus` is zero before.
pub(crate) fn affinity(cpus: &mut [u64]) -> Result<(), Unavailable> {
    let this_thread: c_int = 0;
    // SAFETY: I2: the kernel writes no more bytes than the slice has.
    let result = unsafe {
        libc::syscall(
            libc::SYS_sched_getaffinity,
            this_thread,
            size_of_val(cpus),
            cpus.as_mut_ptr(),
        )
    };
    answer("sched_getaffinity was refused", result)
}

/// The CPU on which the calling thread runs, and the node of that.
pub(crate) fn cpu_and_node() -> Result<(usize, usize), Unavailable> {
    let (mut cpu, mut node): (c_uint, c_uint) = (0, 0);
    let unused: *mut c_void = null_mut();
    // SAFETY: I2: the kernel writes one integer to each of the first two addresses, nothing to the null.
    let result = unsafe {
        libc::syscall(
            libc::SYS_getcpu,
            from_mut(&mut cpu),
            from_mut(&mut node),
            unused,
        )
    };
    answer("getcpu was refused", result)?;
    Ok((number(cpu), number(node)))
}

/// Gives a range of whole pages a policy over these nodes. If it is told to, it moves the pages of it that are there and
/// elsewhere, as far as the kernel can: for that the kernel has every CPU empty its lists of pages first, and waits.
pub(crate) fn set_memory_policy(
    start: *const u8,
    bytes: usize,
    mode: Mode,
    nodes: &[u64],
    moves: bool,
) -> Result<(), Unavailable> {
    let flags: c_uint = if moves { MPOL_MF_MOVE } else { 0 };
    // SAFETY: I1 for the nodes: the kernel reads one bit less than it is told. I3 for the pages.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mbind,
            start,
            bytes,
            mode.number(),
            nodes.as_ptr(),
            bits(nodes) + 1,
            flags,
        )
    };
    answer("mbind was refused", result)
}

/// The policy of the page at an address: the kernel's number of it, and the nodes. `nodes` is zero before.
pub(crate) fn memory_policy(at: *const u8, nodes: &mut [u64]) -> Result<usize, Unavailable> {
    let mut mode: c_int = 0;
    let of_address: c_ulong = MPOL_F_ADDR;
    // SAFETY: I2 for the mode and the nodes: the kernel writes one bit less than it is told. I3 for the page.
    let result = unsafe {
        libc::syscall(
            libc::SYS_get_mempolicy,
            from_mut(&mut mode),
            nodes.as_mut_ptr(),
            bits(nodes) + 1,
            at,
            of_address,
        )
    };
    answer("get_mempolicy was refused", result)?;
    // No number of a policy is negative.
    Ok(usize::try_from(mode).unwrap_or(usize::MAX))
}

/// The node of each of these pages, or a negative error number; as many as both slices have.
pub(crate) fn page_nodes(pages: &[*const u8], status: &mut [c_int]) -> Result<(), Unavailable> {
    let count = pages.len().min(status.len());
    let (this_process, flags): (c_int, c_int) = (0, 0);
    let no_destination: *const c_int = null();
    // SAFETY: I1 for the addresses, I2 for the status: each has `count` elements. I3 for the pages.
    let result = unsafe {
        libc::syscall(
            libc::SYS_move_pages,
            this_process,
            count,
            pages.as_ptr(),
            no_destination,
            status.as_mut_ptr(),
            flags,
        )
    };
    answer("move_pages was refused", result)
}

/// Bits of a set.
fn bits(words: &[u64]) -> usize {
    words.len() * 64
}

/// A number that the kernel wrote.
fn number(number: c_uint) -> usize {
    // `c_uint` has 32 bits on every Linux, and so has `usize` at least.
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Success is not negative: `sched_getaffinity` says how many bytes it has written.
fn answer(reason: &'static str, result: c_long) -> Result<(), Unavailable> {
    if result >= 0 {
        return Ok(());
    }
    Err(Unavailable {
        reason,
        errno: io::Error::last_os_error().raw_os_error(),
    })
}
