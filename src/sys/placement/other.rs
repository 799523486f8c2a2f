//! Every system but Linux, and Miri. Same items, same order as `linux`.

use super::Mode;
use crate::sys::Unavailable;

/// Lets the calling thread run on these CPUs only.
pub(crate) fn set_affinity(_cpus: &[u64]) -> Result<(), Unavailable> {
    Err(NOT_HERE)
}

/// The CPUs on which the calling thread may run.
pub(crate) fn affinity(_cpus: &mut [u64]) -> Result<(), Unavailable> {
    Err(NOT_HERE)
}

/// The CPU on which the calling thread runs, and the node of that.
pub(crate) fn cpu_and_node() -> Result<(usize, usize), Unavailable> {
    Err(NOT_HERE)
}

/// Gives a range of whole pages a policy over these nodes, and moves them if it is told to.
pub(crate) fn set_memory_policy(
    _start: *const u8,
    _bytes: usize,
    _mode: Mode,
    _nodes: &[u64],
    _moves: bool,
) -> Result<(), Unavailable> {
    Err(NOT_HERE)
}

/// The policy of the page at an address.
pub(crate) fn memory_policy(_at: *const u8, _nodes: &mut [u64]) -> Result<usize, Unavailable> {
    Err(NOT_HERE)
}

/// The node of each of these pages.
pub(crate) fn page_nodes(_pages: &[*const u8], _status: &mut [i32]) -> Result<(), Unavailable> {
    Err(NOT_HERE)
}

const NOT_HERE: Unavailable = if cfg!(miri) {
    Unavailable::here("Miri has no placement")
} else {
    Unavailable::here("threads and pages are placed on Linux only")
};
