//! L1: the operating system's contract: what the crate asks of it and what it answers.
//!
//! A request that a system cannot meet is answered by a value with the reason, [`Unavailable`],
//! and never by a panic. The files `linux` and `other` hold the same items in the same order. Loom
//! and Miri cannot run system calls, so they take `other` on every system.

mod barrier;
pub(crate) mod pages;

#[cfg(all(target_os = "linux", not(any(loom, miri))))]
mod linux;
#[cfg(all(target_os = "linux", not(any(loom, miri))))]
use linux as os;
#[cfg(not(all(target_os = "linux", not(any(loom, miri)))))]
mod other;
#[cfg(not(all(target_os = "linux", not(any(loom, miri)))))]
use other as os;

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
    const fn here(reason: &'static str) -> Self {
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

/// How many threads the system runs at once for this process, at least 1.
///
/// Asked once; containers and affinity masks count as they stood at the first call. Under loom it
/// is 2, because a model of two threads needs no more shards.
pub(crate) fn parallelism() -> usize {
    os::parallelism()
}

/// Bytes of a line of the first-level data cache, as the system reports it.
pub(crate) fn line_bytes() -> Result<usize, Unavailable> {
    os::line_bytes()
}
