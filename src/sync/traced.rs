//! The traced body: the real atomics, each access reported to [`super::hook`] first.
//!
//! The wrappers are `repr(transparent)`, so a traced table lies in memory as a real one does and
//! what a cache model learns from it holds for the real one.
#![expect(
    clippy::missing_errors_doc,
    reason = "the atomics are documented by core's"
)]

use super::hook::{Kind, report};
use super::{Exclusive, HasLayout, Touch};
use core::panic::Location;
pub(crate) use core::sync::atomic::Ordering;

/// Reports one access to `$atomic` made by the caller of the enclosing method.
#[track_caller]
fn report_at<A>(atomic: &A, kind: Kind, ordering: Ordering) {
    let address = core::ptr::from_ref(atomic).addr();
    report(address, size_of::<A>(), kind, ordering, Location::caller());
}

/// What a user's structure is made of when its layout is to be checked: atomics that report, and the
/// ways to declare what is not atomic.
pub(crate) mod public {
    pub use super::{
        AtomicBool, AtomicI64, AtomicIsize, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, fence,
        note_objects, note_read, note_write,
    };
}

/// Says that `count` objects of this type lie one after another from `first` on, until something
/// else is said of the place.
#[track_caller]
pub fn note_objects<T: HasLayout>(first: *const T, count: usize) {
    let kind = Kind::Objects(T::LAYOUT);
    let bytes = count * size_of::<T>();
    report(
        first.addr(),
        bytes,
        kind,
        Ordering::Relaxed,
        Location::caller(),
    );
}

/// Declares a read that is not atomic.
#[track_caller]
pub fn note_read<T>(place: *const T) {
    let bytes = size_of::<T>();
    report(
        place.addr(),
        bytes,
        Kind::Read,
        Ordering::Relaxed,
        Location::caller(),
    );
}

/// Declares a write that is not atomic.
#[track_caller]
pub fn note_write<T>(place: *const T) {
    let bytes = size_of::<T>();
    report(
        place.addr(),
        bytes,
        Kind::Write,
        Ordering::Relaxed,
        Location::caller(),
    );
}

/// A fence, reported.
#[track_caller]
pub fn fence(ordering: Ordering) {
    report(0, 0, Kind::Fence, ordering, Location::caller());
    core::sync::atomic::fence(ordering);
}

/// A compiler fence, reported.
#[track_caller]
pub(crate) fn compiler_fence(ordering: Ordering) {
    report(0, 0, Kind::CompilerFence, ordering, Location::caller());
    core::sync::atomic::compiler_fence(ordering);
}

/// Whether this is the model: sizes shrink there, and memory is built atomic by atomic.
pub(crate) const MODEL: bool = false;
/// Whether accesses are watched one by one: then what needs size to happen happens in small structures too.
pub(crate) const WATCHED: bool = true;
/// Whether a filter may read atomics by instructions that this facade does not see.
pub(crate) const OPAQUE_READS: bool = false;

/// Atomics for statics are traced as the others are.
pub(crate) use {AtomicBool as StaticBool, AtomicU64 as StaticU64, AtomicUsize as StaticUsize};

/// The number the model gives the calling thread. There is no model.
pub(crate) fn model_thread() -> Option<usize> {
    None
}

/// The store-to-load edge after a `SeqCst` read-modify-write whose later loads are `SeqCst`.
///
/// Nothing to do or to report: the real body emits nothing here.
#[inline(always)]
pub(crate) fn fence_after_rmw() {}

/// Reports that a barrier on all threads of the process follows.
#[track_caller]
pub(crate) fn note_process_barrier() {
    report(
        0,
        0,
        Kind::ProcessBarrier,
        Ordering::SeqCst,
        Location::caller(),
    );
}

/// Reports one access to both words, of 16 bytes, made by the caller of the enclosing method.
#[track_caller]
pub(crate) fn note_wide(words: &[AtomicU64; 2], touch: Touch, ordering: Ordering) {
    let kind = match touch {
        Touch::Load => Kind::Load,
        Touch::Store => Kind::Store,
        Touch::Rmw => Kind::Rmw,
        Touch::RmwFailed => Kind::RmwFailed,
    };
    report_at(words, kind, ordering);
}

/// The number that stands for a 16-byte value in the model. There is no model.
pub(crate) const fn model_id(_value: u128) -> Option<u64> {
    None
}

/// The 16-byte value that a number stands for in the model. There is no model.
pub(crate) const fn model_value(_id: u64) -> Option<u128> {
    None
}

/// A pointer that reports its accesses.
#[repr(transparent)]
pub struct AtomicPtr<T>(core::sync::atomic::AtomicPtr<T>);

impl<T> AtomicPtr<T> {
    /// As in `core`.
    pub const fn new(value: *mut T) -> Self {
        Self(core::sync::atomic::AtomicPtr::new(value))
    }

    /// As in `core`, reported.
    #[track_caller]
    pub fn load(&self, ordering: Ordering) -> *mut T {
        report_at(self, Kind::Load, ordering);
        self.0.load(ordering)
    }

    /// As in `core`, reported.
    #[track_caller]
    pub fn store(&self, value: *mut T, ordering: Ordering) {
        report_at(self, Kind::Store, ordering);
        self.0.store(value, ordering);
    }

    /// As in `core`, reported.
    #[track_caller]
    pub fn swap(&self, value: *mut T, ordering: Ordering) -> *mut T {
        report_at(self, Kind::Rmw, ordering);
        self.0.swap(value, ordering)
    }

    /// As in `core`, reported.
    #[track_caller]
    pub fn compare_exchange(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        report_at(self, Kind::Rmw, success);
        let result = self.0.compare_exchange(current, new, success, failure);
        if result.is_err() {
            report_at(self, Kind::RmwFailed, failure);
        }
        result
    }

    /// As in `core`, reported.
    #[track_caller]
    pub fn compare_exchange_weak(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        report_at(self, Kind::Rmw, success);
        let result = self.0.compare_exchange_weak(current, new, success, failure);
        if result.is_err() {
            report_at(self, Kind::RmwFailed, failure);
        }
        result
    }
}

impl<T> Default for AtomicPtr<T> {
    fn default() -> Self {
        Self::new(core::ptr::null_mut())
    }
}

impl<T> core::fmt::Debug for AtomicPtr<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> Exclusive for AtomicPtr<T> {
    type Value = *mut T;
    fn unsync_load(&mut self) -> *mut T {
        *self.0.get_mut()
    }
    fn unsync_store(&mut self, value: *mut T) {
        *self.0.get_mut() = value;
    }
}

/// Defines a traced wrapper for one width, as `AtomicPtr` is written out above. The second list
/// holds the read-modify-writes that this width has.
macro_rules! traced {
    ($($name:ident, $value:ty: $($rmw:ident),*;)*) => {$(
        /// An atomic of this width that reports its accesses.
        #[derive(Default, Debug)]
        #[repr(transparent)]
        pub struct $name(core::sync::atomic::$name);

        impl $name {
            /// As in `core`.
    pub const fn new(value: $value) -> Self {
                Self(core::sync::atomic::$name::new(value))
            }

            /// As in `core`, reported.
            #[track_caller]
            pub fn load(&self, ordering: Ordering) -> $value {
                report_at(self, Kind::Load, ordering);
                self.0.load(ordering)
            }

            /// As in `core`, reported.
            #[track_caller]
            pub fn store(&self, value: $value, ordering: Ordering) {
                report_at(self, Kind::Store, ordering);
                self.0.store(value, ordering);
            }

            $(
                /// As in `core`, reported.
                #[track_caller]
                pub fn $rmw(&self, value: $value, ordering: Ordering) -> $value {
                    report_at(self, Kind::Rmw, ordering);
                    self.0.$rmw(value, ordering)
                }
            )*

            /// As in `core`, reported.
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                report_at(self, Kind::Rmw, success);
                let result = self.0.compare_exchange(current, new, success, failure);
                if result.is_err() {
                    report_at(self, Kind::RmwFailed, failure);
                }
                result
            }

            /// As in `core`, reported.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                report_at(self, Kind::Rmw, success);
                let result = self.0.compare_exchange_weak(current, new, success, failure);
                if result.is_err() {
                    report_at(self, Kind::RmwFailed, failure);
                }
                result
            }
        }

        impl Exclusive for $name {
            type Value = $value;
            fn unsync_load(&mut self) -> $value {
                *self.0.get_mut()
            }
            fn unsync_store(&mut self, value: $value) {
                *self.0.get_mut() = value;
            }
        }
    )*};
}
traced! {
    AtomicBool, bool: swap, fetch_and, fetch_or;
    AtomicI64, i64: swap, fetch_add, fetch_sub;
    AtomicIsize, isize: swap, fetch_add, fetch_sub;
    AtomicU32, u32: swap, fetch_add, fetch_sub, fetch_and, fetch_or;
    AtomicU64, u64: swap, fetch_add, fetch_sub, fetch_and, fetch_or;
    AtomicUsize, usize: swap, fetch_add, fetch_sub, fetch_and, fetch_or;
}
