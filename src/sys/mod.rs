//! L1: the operating system's contract: what the crate asks of it and what it answers.
//!
//! A request that a system cannot meet is answered by a value with the reason, [`Unavailable`],
//! and never by a panic. The files `linux` and `other` hold the same items in the same order. Miri
//! cannot run these system calls, so it takes `other` on every system. In a model nothing is asked
//! of the system: its answers would differ from run to run.

mod barrier;
pub(crate) mod pages;
#[cfg_attr(
    not(feature = "topology"),
    expect(dead_code, reason = "maps set policies; `topology` does the rest")
)]
pub(crate) mod placement;

#[cfg(all(target_os = "linux", not(miri)))]
mod linux;
#[cfg(all(target_os = "linux", not(miri)))]
use linux as os;
#[cfg(not(all(target_os = "linux", not(miri))))]
mod other;
#[cfg(not(all(target_os = "linux", not(miri))))]
use other as os;

use crate::sync::MODEL;
pub(crate) use barrier::light_barrier_of_membarrier;
pub use barrier::{Barrier, barrier_kind, heavy_barrier, light_barrier};

use core::fmt;

/// Why the operating system does not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unavailable {
    /// What is missing, in words.
    pub reason: &'static str,
    /// The error number of the system call, if one was made.
    pub errno: Option<i32>,
}

impl Unavailable {
    /// The request has no counterpart here; no system call was made.
    pub(crate) const fn here(reason: &'static str) -> Self {
        Self {
            reason,
            errno: None,
        }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)?;
        match self.errno {
            Some(errno) => write!(f, ": {}", std::io::Error::from_raw_os_error(errno)),
            None => Ok(()),
        }
    }
}

impl core::error::Error for Unavailable {}

/// What the kernel is told of a mapped block.
#[cfg(all(unix, not(miri)))]
#[derive(Clone, Copy, Debug)]
enum Advice {
    /// Huge pages are wanted.
    Huge,
    /// They are not, from now on.
    Small,
    /// Pages are to be there before they are touched (Linux 5.14).
    Present,
    /// The pages are given back, and read as zero from now on.
    Zero,
}

/// How many threads the system runs at once for this process, at least 1.
///
/// Asked once; containers and affinity masks count as they stood at the first call, but that of a thread
/// pinned to one CPU, on Linux. In a model it
/// is 2: a model has two or three threads, and fewer shards make for fewer interleavings.
pub(crate) fn parallelism() -> usize {
    if MODEL { 2 } else { os::parallelism() }
}

/// Bytes of a line of the first-level data cache, as the system reports it.
pub(crate) fn line_bytes() -> Result<usize, Unavailable> {
    os::line_bytes()
}
