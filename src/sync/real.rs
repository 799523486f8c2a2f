//! The real body: `core::sync::atomic` itself.

use super::{Exclusive, HasLayout, Touch};
pub(crate) use core::sync::atomic::{
    AtomicBool, AtomicI64, AtomicIsize, AtomicPtr, AtomicU64, AtomicUsize, Ordering,
    compiler_fence, fence,
};
pub(crate) use core::sync::atomic::{
    AtomicBool as StaticBool, AtomicU64 as StaticU64, AtomicUsize as StaticUsize,
};

/// Whether this is the model: sizes shrink there, and memory is built atomic by atomic.
pub(crate) const MODEL: bool = false;
/// Whether accesses are watched one by one: then what needs size to happen happens in small structures too.
pub(crate) const WATCHED: bool = cfg!(miri);
/// Whether a filter may read atomics by instructions that this facade does not see.
/// Miri runs no assembly, and no integer load of a pointer.
pub(crate) const OPAQUE_READS: bool = !cfg!(miri);

/// The number the model gives the calling thread. There is no model.
#[inline(always)]
pub(crate) fn model_thread() -> Option<usize> {
    None
}

/// The store-to-load edge after a `SeqCst` read-modify-write whose later loads are `SeqCst`.
///
/// Nothing to do here: both sides are `SeqCst` accesses and stand in one total order. The model
/// needs a fence in this place.
#[inline(always)]
pub(crate) fn fence_after_rmw() {}

/// Tells the tracer that a barrier on all threads of the process follows. No tracer, no work.
#[inline(always)]
pub(crate) fn note_process_barrier() {}

/// Tells the tracer that one access to both words follows. No tracer, no work.
#[inline(always)]
pub(crate) fn note_wide(_words: &[AtomicU64; 2], _touch: Touch, _ordering: Ordering) {}

/// Tells the tracer what lies somewhere. No tracer; the layout is checked when compiling.
#[inline(always)]
pub(crate) fn note_objects<T: HasLayout>(_first: *const T, _count: usize) {
    const { _ = T::LAYOUT };
}

/// Tells the tracer of a read that is not atomic. No tracer, no work.
#[inline(always)]
pub(crate) fn note_read<T>(_place: *const T) {}

/// Tells the tracer of a write that is not atomic. No tracer, no work.
#[inline(always)]
pub(crate) fn note_write<T>(_place: *const T) {}

/// The number that stands for a 16-byte value in the model. There is no model.
#[inline(always)]
pub(crate) const fn model_id(_value: u128) -> Option<u64> {
    None
}

/// The 16-byte value that a number stands for in the model. There is no model.
#[inline(always)]
pub(crate) const fn model_value(_id: u64) -> Option<u128> {
    None
}

impl<T> Exclusive for AtomicPtr<T> {
    type Value = *mut T;
    #[inline]
    fn unsync_load(&mut self) -> *mut T {
        *self.get_mut()
    }
    #[inline]
    fn unsync_store(&mut self, value: *mut T) {
        *self.get_mut() = value;
    }
}

/// Implements [`Exclusive`] by `get_mut` for one atomic; for `AtomicPtr` it is written out above.
macro_rules! exclusive {
    ($($atomic:ty => $value:ty),* $(,)?) => {$(
        impl Exclusive for $atomic {
            type Value = $value;
            #[inline]
            fn unsync_load(&mut self) -> $value {
                *self.get_mut()
            }
            #[inline]
            fn unsync_store(&mut self, value: $value) {
                *self.get_mut() = value;
            }
        }
    )*};
}
exclusive! {
    AtomicBool => bool,
    AtomicI64 => i64,
    AtomicIsize => isize,
    AtomicU64 => u64,
    AtomicUsize => usize,
}
