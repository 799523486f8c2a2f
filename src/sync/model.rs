//! The model body: loom's atomics under `--cfg loom`.
//!
//! # What loom does not model, and what follows for us
//!
//! | gap | consequence |
//! |---|---|
//! | A `SeqCst` load, store or read-modify-write is treated as `AcqRel`. | False alarms, never missed bugs: an algorithm that leans on the total order of accesses fails here although it is right. Use `fence(SeqCst)`, which loom models, or [`fence_after_rmw`]. |
//! | Load buffering is not explored: a load never returns a store that the program order puts after it in both threads. | Missed bugs: an algorithm that needs an `Acquire` only to forbid that passes. Litmus runs on weakly ordered hardware and Miri cover some of it. |
//! | An atomic remembers one last access for the search. A thread's own load before its exchange hides another thread's earlier load. | Missed interleavings: a reader on the main thread may be run in one order only. Readers go on the spawned threads of our models, writers on the main one. |
//! | A read-modify-write, also one that fails, reads the newest store. | Missed bugs where a failed compare-exchange must cope with a stale value. |
//! | `compare_exchange_weak` never fails spuriously. | A retry loop is only entered by contention; the loop itself is tested by stress. |
//! | Each atomic keeps its 7 newest stores. | Older values are never returned; models stay short enough not to need them. |
//! | At most 5 threads, the main one included. | Four spawned threads are the largest model; ours have two or three. |
//! | There is no compiler reordering, so [`compiler_fence`] does nothing. | The compiler half of an asymmetric barrier is not checked. `sys` maps the light and the heavy side to `fence(SeqCst)` here, which is their meaning. |
//! | Atomics are not their value: they are larger, `new` is not `const`, zeroed memory is not one. | Constructors are written in `const_except_in_model!`, raw tables build each atomic in place. |
//! | There is no atomic of 16 bytes. | [`model_id`] gives each value a number, and an atomic holds the number: the orderings are exact. Access to one half alone is not modelled. |
//! | A static lives longer than one run of a model. | The `Static*` atomics are real ones here too, unseen by the model. They hold facts of the process and thread numbers, always `Relaxed`. |
//! | Memory that is freed is only watched through loom's own `alloc`, `Arc` and cells. | A use after free of plain memory shows as a crash at best; Miri and ASan look for those. |
//!
//! `canary` fails if this list gets longer without notice: if a fence were weakened on the way
//! from here to loom, store buffering would become possible there.

use super::{Exclusive, HasLayout, Touch};
pub(crate) use core::sync::atomic::{
    AtomicBool as StaticBool, AtomicU64 as StaticU64, AtomicUsize as StaticUsize,
};
pub(crate) use loom::sync::atomic::{
    AtomicBool, AtomicI64, AtomicIsize, AtomicPtr, AtomicU64, AtomicUsize, Ordering, fence,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whether this is the model: sizes shrink there, and memory is built atomic by atomic.
pub(crate) const MODEL: bool = true;
/// Whether accesses are watched one by one: then what needs size to happen happens in small structures too.
pub(crate) const WATCHED: bool = true;
/// Whether a filter may read atomics by instructions that this facade does not see.
pub(crate) const OPAQUE_READS: bool = false;

/// The store-to-load edge after a `SeqCst` read-modify-write whose later loads are `SeqCst`.
///
/// A `SeqCst` fence, because loom takes both accesses as `AcqRel` and would let the load go first.
/// The model is therefore stronger than the program here in one way: the fence also orders the
/// neighbouring weaker accesses. Those need their own tests without it.
pub(crate) fn fence_after_rmw() {
    fence(Ordering::SeqCst);
}

/// The number the model gives the calling thread: 0 is the main thread, the same in every run.
///
/// Loom shows it only in the `Debug` form of a thread's identity, `ThreadId(n)`.
pub(crate) fn model_thread() -> Option<usize> {
    let shown = format!("{:?}", loom::thread::current().id());
    let number = shown.trim_start_matches("ThreadId(").trim_end_matches(')');
    Some(number.parse().unwrap_or(0))
}

/// Every 16-byte value that has been in a model, at the place of its number. Equal values have equal
/// numbers and 0 has 0, so loads, stores and exchanges of numbers are those of the values.
static VALUES: Mutex<Vec<u128>> = Mutex::new(Vec::new());

fn values() -> MutexGuard<'static, Vec<u128>> {
    let mut values = VALUES.lock().unwrap_or_else(PoisonError::into_inner);
    if values.is_empty() {
        values.push(0);
    }
    values
}

/// The number that stands for a 16-byte value in the model: loom has no atomic of this size, but an
/// atomic that holds the number has exactly the orderings and interleavings of one.
pub(crate) fn model_id(value: u128) -> Option<u64> {
    let mut values = values();
    let known = values.iter().position(|other| *other == value);
    let id = known.unwrap_or_else(|| {
        values.push(value);
        values.len() - 1
    });
    u64::try_from(id).ok()
}

/// The 16-byte value that a number stands for in the model.
pub(crate) fn model_value(id: u64) -> Option<u128> {
    values().get(usize::try_from(id).ok()?).copied()
}

/// Nothing: there is no tracer, and loom sees the access itself.
pub(crate) fn note_wide(_words: &[AtomicU64; 2], _touch: Touch, _ordering: Ordering) {}

/// Nothing: there is no tracer.
pub(crate) fn note_objects<T: HasLayout>(_first: *const T, _count: usize) {
    const { _ = T::LAYOUT };
}

/// Nothing: there is no tracer.
pub(crate) fn note_read<T>(_place: *const T) {}

/// Nothing: there is no tracer.
pub(crate) fn note_write<T>(_place: *const T) {}

/// Nothing: the model has no compiler reordering to forbid.
pub(crate) fn compiler_fence(_: Ordering) {}

/// Tells the tracer that a barrier on all threads of the process follows. No tracer, no work.
pub(crate) fn note_process_barrier() {}

impl<T> Exclusive for AtomicPtr<T> {
    type Value = *mut T;
    fn unsync_load(&mut self) -> *mut T {
        self.with_mut(|value| *value)
    }
    fn unsync_store(&mut self, value: *mut T) {
        self.with_mut(|place| *place = value);
    }
}

/// Implements [`Exclusive`] by `with_mut` for one atomic; for `AtomicPtr` it is written out above.
macro_rules! exclusive {
    ($($atomic:ty => $value:ty),* $(,)?) => {$(
        impl Exclusive for $atomic {
            type Value = $value;
            fn unsync_load(&mut self) -> $value {
                self.with_mut(|value| *value)
            }
            fn unsync_store(&mut self, value: $value) {
                self.with_mut(|place| *place = value);
            }
        }
    )*};
}
exclusive! {
    AtomicI64 => i64,
    AtomicIsize => isize,
    AtomicU64 => u64,
    AtomicUsize => usize,
}

// Loom's `AtomicBool` has no `with_mut`. A relaxed access under `&mut` reads the newest store,
// because ownership can only have been passed on by something that synchronizes.
impl Exclusive for AtomicBool {
    type Value = bool;
    fn unsync_load(&mut self) -> bool {
        // ORD: Relaxed — the caller owns the atomic alone.
        self.load(Ordering::Relaxed)
    }
    fn unsync_store(&mut self, value: bool) {
        // ORD: Relaxed — the caller owns the atomic alone.
        self.store(value, Ordering::Relaxed);
    }
}
