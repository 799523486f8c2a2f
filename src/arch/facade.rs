//! The atomics facade as tools/asm-probes sees it: the types and fences that the crate uses.
//!
//! Only under `--cfg atomshard_probes`. In the real body the types are core's own, so their methods
//! need no second name here.

use crate::sync;

/// How an access is ordered.
pub type Ordering = sync::Ordering;
/// The facade's atomic of this width, as the next ones.
pub type AtomicBool = sync::AtomicBool;
/// See [`AtomicBool`].
pub type AtomicU64 = sync::AtomicU64;
/// See [`AtomicBool`].
pub type AtomicPtr<T> = sync::AtomicPtr<T>;

/// The facade's fence.
#[inline(always)]
pub fn fence(ordering: Ordering) {
    sync::fence(ordering);
}

/// The facade's fence for the compiler alone: the light side of `sys`'s asymmetric barrier.
#[inline(always)]
pub fn compiler_fence(ordering: Ordering) {
    sync::compiler_fence(ordering);
}
