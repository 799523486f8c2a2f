//! L2: padding against false sharing, and what is known about the size of a cache line.
//!
//! Two threads that write to different variables in one cache line slow each other down as if they
//! wrote to the same variable. [`Padded`] gives a value lines of its own.
//!
//! | number | value | unit | from |
//! |---|---|---|---|
//! | [`PADDING_BYTES`] | 128 on x86-64, AArch64 and POWER, 32 to 256 elsewhere | alignment of a padded value | `crossbeam-utils`, which names a source for each target |
//! | [`BUCKET_BYTES`] | 64 | line that a bucket is laid out for | the manuals below |
//! | [`line_size`] | asked at run time | line of this machine | Linux: sysfs |
//!
//! Padding and line are different numbers for a reason. A line is what the coherence protocol
//! moves: 64 bytes on x86-64 and on Arm's own cores. A padded value takes two of them on x86-64,
//! because the spatial prefetcher of the second-level cache fetches lines in pairs of 128 aligned
//! bytes, and on AArch64, because some cores have lines of 128 bytes.

use crate::sys::{self, Unavailable};
use core::ops::{Deref, DerefMut};
use crossbeam_utils::CachePadded;

/// Alignment of every [`Padded`] value in bytes, and the least distance between two of them.
///
/// *Source*: `crossbeam-utils`, [`CachePadded`](https://docs.rs/crossbeam-utils/0.8.23/crossbeam_utils/struct.CachePadded.html),
/// whose source file names one link for each target. The 128 of x86-64 goes back to Intel's
/// [Optimization Reference Manual](https://www.intel.com/content/dam/www/public/us/en/documents/manuals/64-ia-32-architectures-optimization-manual.pdf),
/// "Data Prefetch to L2 and L3: Spatial Prefetcher".
pub const PADDING_BYTES: usize = align_of::<CachePadded<u8>>();

/// The line that the tables' buckets are laid out for, in bytes.
///
/// *Source*: 64-byte lines are stated by Intel's
/// [Software Developer's Manual](https://www.intel.com/content/www/us/en/developer/articles/technical/intel-sdm.html),
/// volume 3A, "Memory Cache Control", for all present cores, and by Arm's
/// [Neoverse N1 manual](https://developer.arm.com/documentation/100616/), "L1 memory system". On a
/// core with longer lines a bucket still lies in one line; with shorter ones it takes two.
pub const BUCKET_BYTES: usize = 64;

const _: () = assert!(PADDING_BYTES.is_power_of_two());

/// A value that shares no cache line with any other.
///
/// *Cost*: the value's size rounded up to [`PADDING_BYTES`]. Access costs nothing more.
///
/// ```
/// use atomshard::pad::{PADDING_BYTES, Padded};
///
/// let pair = [Padded::new(1_u64), Padded::new(2)];
/// assert_eq!(size_of_val(&pair), 2 * PADDING_BYTES);
/// assert_eq!(*pair[0] + *pair[1], 3);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Padded<T>(CachePadded<T>);

impl<T> Padded<T> {
    /// Pads a value.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self(CachePadded::new(value))
    }

    /// Gives the value back.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T> Deref for Padded<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Padded<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> From<T> for Padded<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// The size of a cache line on this machine, as far as it can be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineSize {
    /// The system reports this many bytes for the first-level data cache.
    Reported(usize),
    /// The system reports nothing; [`BUCKET_BYTES`] is assumed.
    Assumed {
        /// Why nothing is reported.
        why: Unavailable,
    },
}

impl LineSize {
    /// The size in bytes, reported or assumed.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Reported(bytes) => bytes,
            Self::Assumed { .. } => BUCKET_BYTES,
        }
    }
}

/// Asks the system for the size of a cache line.
///
/// *Cost*: reads a file on Linux. Not for hot paths.
///
/// ```
/// let line = atomshard::pad::line_size();
/// assert!(line.bytes().is_power_of_two());
/// ```
#[must_use]
pub fn line_size() -> LineSize {
    match sys::line_bytes() {
        Ok(bytes) => LineSize::Reported(bytes),
        Err(why) => LineSize::Assumed { why },
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn miri_neighbours_are_a_padding_apart() {
        let pair = [Padded::new(1_u8), Padded::new(2)];
        let first = core::ptr::from_ref(&*pair[0]).addr();
        let second = core::ptr::from_ref(&*pair[1]).addr();
        assert_eq!(first % PADDING_BYTES, 0);
        assert_eq!(second - first, PADDING_BYTES);
        assert_eq!(
            size_of::<Padded<[u8; PADDING_BYTES + 1]>>(),
            2 * PADDING_BYTES
        );
    }

    #[test]
    fn miri_a_padded_value_comes_back() {
        let mut padded = Padded::from(vec![1, 2]);
        padded.push(3);
        assert_eq!(padded.into_inner(), [1, 2, 3]);
    }

    #[test]
    fn padding_covers_the_line_of_this_machine() {
        let line = line_size();
        assert!(
            line.bytes() <= PADDING_BYTES,
            "{line:?} is longer than {PADDING_BYTES}"
        );
        if let LineSize::Assumed { why } = line {
            assert!(!why.to_string().is_empty());
        }
    }
}
