//! The atomics of the baselines, and what they declare to the tracer, if it is there.

#[cfg(atomshard_traced)]
pub use atomshard::trace::HasLayout;
#[cfg(atomshard_traced)]
pub(crate) use atomshard::trace::{AtomicU64, note_objects, note_read, note_write};
#[cfg(not(atomshard_traced))]
pub(crate) use core::sync::atomic::AtomicU64;
pub(crate) use core::sync::atomic::Ordering;

#[cfg(not(atomshard_traced))]
pub(crate) fn note_objects<T>(_first: *const T, _count: usize) {}
#[cfg(not(atomshard_traced))]
#[inline(always)]
pub(crate) fn note_read<T>(_place: *const T) {}
#[cfg(not(atomshard_traced))]
#[inline(always)]
pub(crate) fn note_write<T>(_place: *const T) {}

/// What the tracer wants to know of a type; without it, nothing.
#[cfg(not(atomshard_traced))]
pub trait HasLayout {}
#[cfg(not(atomshard_traced))]
impl<T> HasLayout for T {}

/// Names the fields of a struct for the tracer, if it is there.
#[cfg(atomshard_traced)]
pub(crate) use atomshard::layout;
#[cfg(not(atomshard_traced))]
macro_rules! layout {
    ($($anything:tt)*) => {};
}
#[cfg(not(atomshard_traced))]
pub(crate) use layout;
