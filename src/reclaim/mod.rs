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
//! heaps · [`domain`] the memory of one structure · [`hold`] who keeps an object without a pin ·
//! [`object`] what a domain is told of its objects.
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

mod bag;
mod chunk;
pub(crate) mod depot;
mod domain;
mod heap;
pub(crate) mod heaps;
pub(crate) mod hold;
mod object;
pub(crate) mod registry;
#[cfg(all(test, not(loom)))]
mod tests;

pub(crate) use domain::Domain;
pub(crate) use heap::SLOT_ALIGN;
pub(crate) use hold::{HOLD_BITS, Holds};
pub(crate) use object::{Hook, Object};
pub(crate) use registry::Grace;

use core::cell::Cell;
use core::panic::AssertUnwindSafe;
use domain::Collect;
use registry::{Record, ThreadPin, TravellingPin};
use sealed::Sealed as _;
use std::panic::catch_unwind;

mod sealed {
    use super::Record;

    /// The part of the contract that is not for users.
    #[expect(unnameable_types, reason = "sealed: nobody else implements `Guard`")]
    pub trait Sealed {
        /// Whether the guard may be on another thread than the one that made it.
        const TRAVELS: bool;

        /// Calls `f` with the record of the current thread.
        fn with_record<R>(&self, f: impl FnOnce(&Record) -> R) -> R;

        /// Address of the domain that made the guard.
        fn domain(&self) -> usize;

        /// A full bag waits: lets it be sealed, at once or when the guard ends.
        fn collect_soon(&self);
    }
}

/// Proof that something is pinned: references that a map hands out live as long as the guard that
/// was given.
///
/// Made by [`ShardMap::guard`](crate::ShardMap::guard) and
/// [`ShardMap::owned_guard`](crate::ShardMap::owned_guard). A guard holds up the reclamation of
/// everything that any map retires while it lives, so keep it short, or
/// [`refresh`](Self::refresh) it. A guard that is forgotten holds it up for good: what a map has
/// removed is freed when that map ends then.
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
pub struct LocalGuard<'a> {
    domain: &'a (dyn Collect + 'a),
    /// There is something to free when the guard ends.
    has_full_bag: Cell<bool>,
    pin: ThreadPin,
}

/// A guard that may be sent to another thread, and held across an `.await`.
///
/// ```
/// fn send<T: Send>(_: T) {}
/// send(atomshard::ShardMap::<u64, u64>::new().owned_guard());
/// ```
pub struct OwnedGuard<'a> {
    domain: &'a (dyn Collect + Sync + 'a),
    pin: TravellingPin,
}

impl<'a> LocalGuard<'a> {
    #[inline]
    fn new(domain: &'a (dyn Collect + 'a)) -> Self {
        Self {
            domain,
            has_full_bag: Cell::new(false),
            pin: ThreadPin::new(),
        }
    }
}

/// Frees what it can while the guard that ends here holds nothing up any more. (Takes the parts of the guard and not its address, so that guards live in registers.)
#[cold]
fn collect_at_end(domain: &dyn Collect, record: &Record) {
    record.unpinned(|| domain.collect(record));
}

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

impl Drop for LocalGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.has_full_bag.get() {
            collect_at_end(self.domain, self.pin.record());
        }
    }
}

impl<'a> OwnedGuard<'a> {
    fn new(domain: &'a (dyn Collect + Sync + 'a)) -> Self {
        Self {
            domain,
            pin: TravellingPin::new(),
        }
    }
}

impl core::fmt::Debug for LocalGuard<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LocalGuard")
            .field("pin", &self.pin)
            .finish_non_exhaustive()
    }
}

impl core::fmt::Debug for OwnedGuard<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OwnedGuard")
            .field("pin", &self.pin)
            .finish_non_exhaustive()
    }
}

impl Guard for LocalGuard<'_> {
    fn refresh(&mut self) {
        self.pin.record().renew();
        if self.has_full_bag.take() {
            collect_at_end(self.domain, self.pin.record());
        }
    }

    fn flush(&self) {
        self.domain.flush(self.pin.record());
        self.collect_soon();
    }

    fn thread_id(&self) -> usize {
        self.pin.record().index()
    }
}

impl Guard for OwnedGuard<'_> {
    fn refresh(&mut self) {
        self.pin.renew();
    }

    fn flush(&self) {
        self.with_record(|record| self.domain.flush_own_lease(record));
    }

    fn thread_id(&self) -> usize {
        self.with_record(Record::index)
    }
}

impl sealed::Sealed for LocalGuard<'_> {
    const TRAVELS: bool = false;

    #[inline]
    fn with_record<R>(&self, f: impl FnOnce(&Record) -> R) -> R {
        f(self.pin.record())
    }

    #[inline]
    fn domain(&self) -> usize {
        core::ptr::from_ref(self.domain).addr()
    }

    #[inline]
    fn collect_soon(&self) {
        self.has_full_bag.set(true);
    }
}

impl sealed::Sealed for OwnedGuard<'_> {
    const TRAVELS: bool = true;

    fn with_record<R>(&self, f: impl FnOnce(&Record) -> R) -> R {
        // The guard may have come from another thread: heaps go by the thread that runs.
        f(ThreadPin::new().record())
    }

    fn domain(&self) -> usize {
        core::ptr::from_ref(self.domain).addr()
    }

    fn collect_soon(&self) {
        self.with_record(|record| self.domain.collect(record));
    }
}
