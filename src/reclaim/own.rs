//! The guards of the body of our own: a pin of a record, and the domain in which they free.
//!
//! Invariants: those of [`registry`](super::registry) and [`domain`](super::domain).

pub(crate) use super::domain::Domain;
pub(crate) use super::registry::Grace;

use super::domain::Collect;
use super::registry::{Record, ThreadPin, TravellingPin};
use super::{Guard, LocalGuard, OwnedGuard};
use core::cell::Cell;
use core::fmt;

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

/// What a [`LocalGuard`] is.
pub(super) struct Local<'a> {
    domain: &'a (dyn Collect + 'a),
    /// There is something to free when the guard ends.
    has_full_bag: Cell<bool>,
    pin: ThreadPin,
}

/// What an [`OwnedGuard`] is.
pub(super) struct Owned<'a> {
    domain: &'a (dyn Collect + Sync + 'a),
    pin: TravellingPin,
}

impl<'a> LocalGuard<'a> {
    #[inline]
    pub(super) fn new(domain: &'a (dyn Collect + 'a)) -> Self {
        Self(Local {
            domain,
            has_full_bag: Cell::new(false),
            pin: ThreadPin::new(),
        })
    }
}

impl<'a> OwnedGuard<'a> {
    pub(super) fn new(domain: &'a (dyn Collect + Sync + 'a)) -> Self {
        Self(Owned {
            domain,
            pin: TravellingPin::new(),
        })
    }
}

/// Frees what it can while the guard that ends here holds nothing up any more. (Takes the parts of the guard and not its address, so that guards live in registers.)
#[cold]
fn collect_at_end(domain: &dyn Collect, record: &Record) {
    record.unpinned(|| domain.collect(record));
}

impl Drop for Local<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.has_full_bag.get() {
            collect_at_end(self.domain, self.pin.record());
        }
    }
}

impl fmt::Debug for Local<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local")
            .field("pin", &self.pin)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Owned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owned")
            .field("pin", &self.pin)
            .finish_non_exhaustive()
    }
}

impl Guard for LocalGuard<'_> {
    fn refresh(&mut self) {
        self.0.pin.record().renew();
        if self.0.has_full_bag.take() {
            collect_at_end(self.0.domain, self.0.pin.record());
        }
    }

    fn flush(&self) {
        self.0.domain.flush(self.0.pin.record());
        self.collect_soon();
    }

    fn thread_id(&self) -> usize {
        self.0.pin.record().index()
    }
}

impl Guard for OwnedGuard<'_> {
    fn refresh(&mut self) {
        self.0.pin.renew();
    }

    fn flush(&self) {
        self.with_record(|record| self.0.domain.flush_own_lease(record));
    }

    fn thread_id(&self) -> usize {
        self.with_record(Record::index)
    }
}

impl Sealed for LocalGuard<'_> {
    const TRAVELS: bool = false;

    #[inline]
    fn with_record<R>(&self, f: impl FnOnce(&Record) -> R) -> R {
        f(self.0.pin.record())
    }

    #[inline]
    fn domain(&self) -> usize {
        core::ptr::from_ref(self.0.domain).addr()
    }

    #[inline]
    fn collect_soon(&self) {
        self.0.has_full_bag.set(true);
    }
}

impl Sealed for OwnedGuard<'_> {
    const TRAVELS: bool = true;

    fn with_record<R>(&self, f: impl FnOnce(&Record) -> R) -> R {
        // The guard may have come from another thread: heaps go by the thread that runs.
        f(ThreadPin::new().record())
    }

    fn domain(&self) -> usize {
        core::ptr::from_ref(self.0.domain).addr()
    }

    fn collect_soon(&self) {
        self.with_record(|record| self.0.domain.collect(record));
    }
}
