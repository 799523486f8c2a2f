//! L3: the pin / protect / retire contract, and its body: asymmetric grace periods.
//!
//! - *pin*: while a [`Guard`] lives, nothing that its thread can load from a structure is freed.
//! - *retire*: an object that was unlinked is handed over, and freed when every guard that was alive
//!   at that moment is gone.
//!
//! A pin is one store to the thread's own line, an unpin the same: who retires pays for the
//! order between them, one barrier on all threads of the process for a batch (`sys::barrier`).
//!
//! # Files
//! [`registry`] who is pinned, and grace periods · [`heap`] what a thread holds of a domain ·
//! [`bag`] what it has retired · [`heaps`] which heap is a thread's · [`depot`] free objects between
//! heaps, in a [`pile`] each · [`domain`] the memory of one structure · [`grace`] grace periods that it asks for · [`hold`] who keeps an object without a pin ·
//! [`object`] what a domain is told of its objects · [`own`] guards.
//!
//! With `--cfg atomshard_seize` the file `seize` is the body instead, an oracle for tests. Then the parts
//! above are there, with their own tests, but no map uses them.
//!
//! # Domains
//! Guards hold up the garbage of the whole process, whichever structure they belong to: one guard
//! that stays keeps everything that was retired after it was made. Memory and destructors belong
//! to a *domain*, one for each structure: what it retires is dropped by the threads that use it,
//! at the latest when the structure ends, since its objects may borrow. Destructors run when a
//! guard ends, a few at a time: unpinned, unless another guard of the thread is alive.
//!
//! # Progress
//! Pinning is wait-free after a thread's first pin. Retiring is lock-free but for destructors.
//!
//! # Under the model
//! When whole maps are built for loom, guards pin nothing and retired memory is not freed: those
//! models check the map's orders, which a pin's fence would hide. The parts here have models of their own (tags R1 to R5).
#![expect(
    unsafe_code,
    reason = "owns memory until its last reader is gone; argued by the files' invariants"
)]
#![cfg_attr(
    atomshard_seize,
    expect(
        dead_code,
        unreachable_pub,
        reason = "the parts of the body of our own, which no map uses then"
    )
)]

mod bag;
mod chunk;
pub(crate) mod depot;
#[cfg(not(atomshard_seize))]
mod domain;
#[cfg(not(atomshard_seize))]
mod grace;
mod heap;
pub(crate) mod heaps;
pub(crate) mod hold;
mod object;
#[cfg(not(atomshard_seize))]
mod own;
pub(crate) mod pile;
pub(crate) mod registry;
#[cfg(atomshard_seize)]
mod seize;
#[cfg(all(test, not(loom)))]
mod tests;
mod trim;

#[cfg(not(atomshard_seize))]
use own as body;
#[cfg(atomshard_seize)]
use seize as body;

pub(crate) use body::{Domain, Grace};
pub(crate) use heap::SLOT_ALIGN;
pub(crate) use hold::{HOLD_BITS, Holds};
pub(crate) use object::{Hook, Object};
pub(crate) use registry::is_shared;
pub(crate) use trim::Trimmed;

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

/// Proof that something is pinned: references that a map hands out live as long as the guard that
/// was given.
///
/// Made by [`ShardMap::guard`](crate::ShardMap::guard) and
/// [`ShardMap::owned_guard`](crate::ShardMap::owned_guard). A guard holds up the reclamation of
/// everything that any map retires while it lives, so keep it short, or
/// [`refresh`](Self::refresh) it. A guard that is forgotten holds it up for good: what a map has
/// removed is freed when that map ends then.
pub trait Guard: body::Sealed {
    /// Ends this pin and starts a new one, so that garbage from before can go. Needs `&mut`, since
    /// references obtained through the guard end here.
    fn refresh(&mut self);

    /// Tries to free what this thread has retired, instead of waiting for a full batch.
    ///
    /// *Cost*: one barrier on all threads of the process, and the destructors that run.
    fn flush(&self);

    /// A small number that identifies the thread among those alive.
    fn thread_id(&self) -> usize;
}

/// A guard that stays on the thread that made it. The cheap one.
///
/// ```compile_fail
/// fn send<T: Send>(_: T) {}
/// send(atomshard::ShardMap::<u64, u64>::new().guard());
/// ```
#[derive(Debug)]
pub struct LocalGuard<'a>(body::Local<'a>);

/// A guard that may be sent to another thread, and held across an `.await`.
///
/// ```
/// fn send<T: Send>(_: T) {}
/// send(atomshard::ShardMap::<u64, u64>::new().owned_guard());
/// ```
#[derive(Debug)]
pub struct OwnedGuard<'a>(body::Owned<'a>);

/// Calls a destructor of the user's.
///
/// One that panics would panic on a thread that happens to collect garbage, in the middle of a
/// batch. The panic is reported by the panic hook and ends here, so that the rest of the batch is
/// dropped too. Unwind safe: nobody uses the object afterwards.
pub(crate) fn contain(destructor: impl FnOnce()) {
    let Err(payload) = catch_unwind(AssertUnwindSafe(destructor)) else {
        return;
    };
    // The payload is the user's as well. What its own panic throws is leaked: there must be an end.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        core::mem::forget(payload);
    }
}

#[cold]
#[inline(never)]
fn foreign_guard() -> ! {
    panic!("the guard was made by another map; use this map's `guard()`")
}
