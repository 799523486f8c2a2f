//! L3: the pin / protect / retire contract, and its first body, the `seize` crate.
//!
//! - *pin*: while a [`Guard`] lives, nothing that its thread can load from a structure is freed.
//! - *retire*: an object that was unlinked is handed over and freed when every guard that was alive
//!   at that moment is gone.
//!
//! # Domains
//! A domain is the set of guards that hold up one another's garbage. Entries without drop glue
//! (`u64`, `&str`, ...) need nothing but their memory back, whenever; all maps of such entries share
//! one domain for the whole crate, which costs a map nothing. Entries with drop glue may borrow, so
//! their destructors must have run when the map is gone; such a map has a domain of its own, made
//! when it is first pinned and emptied when the map is dropped.
//!
//! # Invariants
//! - I1. A domain's collector is made once, and lives as long as the domain (or for ever).
//! - I2. What is retired was unlinked before, once, and is not reachable for later guards.
//!
//! # Progress
//! Pinning is wait-free after a thread's first pin. Retiring is as lock-free as `seize` is: what
//! happens inside that crate cannot be frozen or modelled here.
//!
//! # Under the model
//! Retired memory is not freed when the crate is built for loom: the models check orders, not
//! reclamation, which the tests under Miri and the drop accounting check.
//!
//! Source: Nikolaev and Ravindran, "Hyaline: fast and transparent lock-free memory reclamation"
//! (PODC 2019), as implemented by `seize`.
#![expect(
    unsafe_code,
    reason = "retiring hands raw pointers to the collector; argued by I1, I2"
)]

mod domain;

pub(crate) use domain::Domain;

use crate::sync::MODEL;
use seize::{Collector, Guard as _};

/// What a reclaiming function may use.
pub(crate) type Context = Collector;
/// What reclaims one retired object.
pub(crate) type ReclaimFn<T> = unsafe fn(*mut T, &Context);

mod sealed {
    /// The part of the contract that is not for users.
    #[expect(unnameable_types, reason = "sealed: nobody else implements `Guard`")]
    pub trait Sealed {
        /// Frees `ptr` by `reclaim` once every guard that is alive now is gone.
        ///
        /// # Safety
        /// `ptr` is unlinked, is retired once, and may be reclaimed on any thread.
        unsafe fn defer_retire<T>(&self, ptr: *mut T, reclaim: super::ReclaimFn<T>);

        /// Address of the domain that made the guard. A map's memory is freed with the map, so the
        /// guard must be one that borrows this very map, also where maps share a collector.
        fn domain(&self) -> usize;
    }
}

/// Proof that something is pinned: references that a map hands out live as long as the guard that
/// was given.
///
/// Made by [`ShardMap::guard`](crate::ShardMap::guard) and
/// [`ShardMap::owned_guard`](crate::ShardMap::owned_guard). A guard holds up the reclamation of
/// everything retired in its domain while it lives, so keep it short, or [`refresh`](Self::refresh)
/// it.
pub trait Guard: sealed::Sealed {
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
pub struct LocalGuard<'a> {
    inner: seize::LocalGuard<'a>,
    /// Address of the domain that made the guard, which the guard borrows.
    domain: usize,
}

/// A guard that may be sent to another thread, and held across an `.await`.
///
/// ```
/// fn send<T: Send>(_: T) {}
/// send(atomshard::ShardMap::<u64, u64>::new().owned_guard());
/// ```
pub struct OwnedGuard<'a> {
    inner: seize::OwnedGuard<'a>,
    /// Address of the domain that made the guard, which the guard borrows.
    domain: usize,
}

impl core::fmt::Debug for OwnedGuard<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OwnedGuard").finish_non_exhaustive()
    }
}

impl Guard for LocalGuard<'_> {
    fn refresh(&mut self) {
        self.inner.refresh();
    }

    fn flush(&self) {
        self.inner.flush();
    }

    fn thread_id(&self) -> usize {
        self.inner.thread_id()
    }
}

impl Guard for OwnedGuard<'_> {
    fn refresh(&mut self) {
        self.inner.refresh();
    }

    fn flush(&self) {
        self.inner.flush();
    }

    fn thread_id(&self) -> usize {
        self.inner.thread_id()
    }
}

impl sealed::Sealed for LocalGuard<'_> {
    #[inline]
    unsafe fn defer_retire<T>(&self, ptr: *mut T, reclaim: ReclaimFn<T>) {
        if !MODEL {
            // SAFETY: the caller's contract, which is the collector's too (I2).
            unsafe { self.inner.defer_retire(ptr, reclaim) }
        }
    }

    #[inline]
    fn domain(&self) -> usize {
        self.domain
    }
}

impl sealed::Sealed for OwnedGuard<'_> {
    #[inline]
    unsafe fn defer_retire<T>(&self, ptr: *mut T, reclaim: ReclaimFn<T>) {
        if !MODEL {
            // SAFETY: the caller's contract, which is the collector's too (I2).
            unsafe { self.inner.defer_retire(ptr, reclaim) }
        }
    }

    #[inline]
    fn domain(&self) -> usize {
        self.domain
    }
}
