//! L0: the atomics facade, the only place that names `core::sync::atomic`, loom or the tracer.
//!
//! One list of names, three bodies:
//!
//! | body | chosen by | what an atomic is |
//! |---|---|---|
//! | `real` | nothing, the default | `core::sync::atomic`, re-exported: no wrapper, no cost |
//! | `model` | `--cfg loom` | loom's atomics: every interleaving a model allows is tried |
//! | `traced` | `--cfg atomshard_traced` | the real atomic behind a report to the trace hook |
//!
//! Both switches are compiler `--cfg`s and never features, so that no dependent crate can turn
//! them on for another. Algorithms never ask which body they run on.
//!
//! Two rules for code above this layer:
//!
//! - Where a store must be ordered before a later load, prefer `fence(SeqCst)` between two weaker
//!   accesses. Loom checks that fence and treats a `SeqCst` access as `AcqRel` (see `model`).
//!   Where the accesses themselves must be `SeqCst`, [`fence_after_rmw`] restores the edge.
//! - `real` and `traced` atomics have the layout of their value, so zeroed memory is an array of
//!   zero atomics; loom's have not. Tables made of raw memory build their atomics one by one.

#[cfg(all(test, loom))]
mod canary;
#[cfg(all(atomshard_traced, not(loom)))]
mod hook;
mod layout;
#[cfg(loom)]
mod model;
#[cfg(not(any(loom, atomshard_traced)))]
mod real;
#[cfg(all(test, atomshard_traced, not(loom)))]
pub(crate) mod recorder;
#[cfg(all(atomshard_traced, not(loom)))]
mod traced;
mod whole;

pub(crate) use layout::{HasLayout, layout};
#[cfg(loom)]
pub(crate) use model::*;
#[cfg(not(any(loom, atomshard_traced)))]
pub(crate) use real::*;
#[cfg(all(atomshard_traced, not(loom)))]
pub(crate) use traced::*;
pub(crate) use whole::{is_whole, never_split};

/// The trace hook: every atomic access of the crate, reported to a tool.
///
/// Empty unless the crate is compiled with `RUSTFLAGS="--cfg atomshard_traced"`.
pub mod trace {
    #[cfg(not(all(atomshard_traced, not(loom))))]
    pub(crate) use super::layout::{Field, HasLayout, Layout, field_bytes};
    #[cfg(all(atomshard_traced, not(loom)))]
    pub use super::{hook::*, layout::*, traced::public::*};
}

/// Defines a constructor that is `const`, except in the model, where making an atomic is an event
/// at run time.
///
/// `const_except_in_model! { pub(crate) fn new(x: u8) -> Self { .. } }` stands for
/// `pub(crate) const fn new(x: u8) -> Self { .. }`, and in the model for the same without `const`.
#[cfg(not(loom))]
macro_rules! const_except_in_model {
    ($(#[$meta:meta])* $visible:vis fn $name:ident($($argument:ident: $type:ty)?) -> Self $body:block) => {
        $(#[$meta])*
        $visible const fn $name($($argument: $type)?) -> Self $body
    };
}

/// As the twin above, for the model.
#[cfg(loom)]
macro_rules! const_except_in_model {
    ($(#[$meta:meta])* $visible:vis fn $name:ident($($argument:ident: $type:ty)?) -> Self $body:block) => {
        $(#[$meta])*
        $visible fn $name($($argument: $type)?) -> Self $body
    };
}
pub(crate) use const_except_in_model;

/// What an access to a 16-byte word does, for [`note_wide`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Touch {
    /// Reads.
    Load,
    /// Writes without reading.
    Store,
    /// Reads and writes in one step, or tries to.
    Rmw,
    /// The read-modify-write just before changed nothing.
    RmwFailed,
}

/// What an owner may do with an atomic that no other thread can reach.
///
/// Takes the place of `get_mut`, which loom's atomics lack.
pub(crate) trait Exclusive {
    /// The value inside.
    type Value: Copy;
    /// Reads the value; `&mut` proves that nobody else does anything meanwhile.
    fn unsync_load(&mut self) -> Self::Value;
    /// Overwrites the value under the same proof.
    fn unsync_store(&mut self, value: Self::Value);
}

/// Reads an atomic that the caller owns alone.
#[inline]
pub(crate) fn unsync_load<A: Exclusive>(atomic: &mut A) -> A::Value {
    atomic.unsync_load()
}

/// Overwrites an atomic that the caller owns alone.
#[inline]
pub(crate) fn unsync_store<A: Exclusive>(atomic: &mut A, value: A::Value) {
    atomic.unsync_store(value);
}
