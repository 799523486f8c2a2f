//! The guards of the oracle.
//!
//! Invariants: those of the [parent module](super).

use super::{Shared, VISITED};
use crate::reclaim::{Guard, LocalGuard, OwnedGuard};
use crate::sync::{MODEL, model_thread};
use crate::sys::light_barrier;
use ::seize::{Collector, Guard as _};
use core::fmt;
use core::mem::ManuallyDrop;
use core::ptr;
use std::thread::{self, ThreadId};

/// The part of the contract that is not for users.
#[expect(unnameable_types, reason = "sealed: nobody else implements `Guard`")]
pub trait Sealed {
    /// Address that stands for the domain that made the guard.
    fn domain(&self) -> usize;

    /// Hands `at` over to `seize`.
    ///
    /// # Safety
    /// `at` is unlinked, is retired once, and `reclaim` may be called with it.
    unsafe fn hand_over<P>(&self, at: *mut P, reclaim: unsafe fn(*mut P, &Collector));
}

/// Orders a pin before the loads of the pinned code.
#[inline]
fn order_pin() {
    if !MODEL {
        // Against the heavy barrier of `seize` [B1].
        light_barrier();
    }
}

/// What a [`LocalGuard`] is.
pub(in crate::reclaim) struct Local<'a> {
    pin: ::seize::LocalGuard<'a>,
    shared: &'a Shared,
}

impl<'a> LocalGuard<'a> {
    #[inline]
    pub(super) fn new(shared: &'a Shared) -> Self {
        let pin = shared.collector.enter();
        order_pin();
        Self(Local { pin, shared })
    }
}

impl fmt::Debug for Local<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").finish_non_exhaustive()
    }
}

impl Guard for LocalGuard<'_> {
    fn refresh(&mut self) {
        self.0.pin.refresh();
        order_pin();
    }

    fn flush(&self) {
        self.0.pin.flush();
        self.0.shared.aside.end_all();
    }

    fn thread_id(&self) -> usize {
        model_thread().unwrap_or_else(|| self.0.pin.thread_id())
    }
}

/// What an [`OwnedGuard`] is.
pub(in crate::reclaim) struct Owned<'a> {
    pin: ManuallyDrop<::seize::OwnedGuard<'a>>,
    shared: &'a Shared,
    maker: ThreadId,
}

impl<'a> OwnedGuard<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        let pin = ManuallyDrop::new(shared.collector.enter_owned());
        order_pin();
        Self(Owned {
            pin,
            shared,
            maker: thread::current().id(),
        })
    }
}

/// Ends the visit of an owned guard when it goes.
struct Visit;

impl Drop for Visit {
    fn drop(&mut self) {
        VISITED.set(ptr::null());
    }
}

impl Owned<'_> {
    /// Whether this thread may drop what comes free by the guard (I4).
    fn is_home(&self) -> bool {
        thread::current().id() == self.maker
    }

    /// Puts aside what comes free on this thread, if the guard is from another one.
    fn visit(&self) -> Option<Visit> {
        (!self.is_home()).then(|| {
            VISITED.set(self.shared);
            Visit
        })
    }
}

impl fmt::Debug for Owned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owned").finish_non_exhaustive()
    }
}

impl Guard for OwnedGuard<'_> {
    fn refresh(&mut self) {
        let _visit = self.0.visit();
        self.0.pin.refresh();
        order_pin();
    }

    fn flush(&self) {
        let visit = self.0.visit();
        self.0.pin.flush();
        if visit.is_none() {
            self.0.shared.aside.end_all();
        }
    }

    fn thread_id(&self) -> usize {
        model_thread().unwrap_or_else(|| self.0.pin.thread_id())
    }
}

impl Drop for Owned<'_> {
    fn drop(&mut self) {
        let _visit = self.visit();
        // SAFETY: I3: the guard ends here, and with it whoever could use the pin.
        unsafe { ManuallyDrop::drop(&mut self.pin) };
    }
}

impl Sealed for LocalGuard<'_> {
    #[inline]
    fn domain(&self) -> usize {
        self.0.shared.address()
    }

    #[inline]
    unsafe fn hand_over<P>(&self, at: *mut P, reclaim: unsafe fn(*mut P, &Collector)) {
        // SAFETY: I2: the caller's contract.
        unsafe { self.0.pin.defer_retire(at, reclaim) };
    }
}

impl Sealed for OwnedGuard<'_> {
    fn domain(&self) -> usize {
        self.0.shared.address()
    }

    unsafe fn hand_over<P>(&self, at: *mut P, reclaim: unsafe fn(*mut P, &Collector)) {
        // SAFETY: I2: the caller's contract. I4: the caller has the domain.
        unsafe { self.0.pin.defer_retire(at, reclaim) };
    }
}
