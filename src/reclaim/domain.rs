//! Which collector a structure uses.
//!
//! Invariants: I1 of the [parent module](super).

use super::{Guard, LocalGuard, OwnedGuard};
use crate::sync::{AtomicPtr, Ordering, unsync_load};
use core::marker::PhantomData;
use seize::Collector;
use std::sync::LazyLock;

/// Retired objects that a thread gathers before it tries to free them. Each try costs a barrier on
/// all threads of the process, so the batch is large where an object is just memory.
const SHARED_BATCH: usize = 512;
/// As above, where objects have destructors that users wait for.
const OWN_BATCH: usize = 128;

/// The crate-wide domain of entries without drop glue.
static SHARED: LazyLock<Collector> = LazyLock::new(|| Collector::new().batch_size(SHARED_BATCH));

/// Where a structure's garbage goes; `T` is what it holds.
pub(crate) struct Domain<T> {
    /// The structure's own collector, once there is one. Null for ever in a shared domain.
    own: AtomicPtr<Collector>,
    _holds: PhantomData<fn() -> T>,
}

impl<T> core::fmt::Debug for Domain<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Domain")
            .field("shared", &Self::SHARES)
            .finish()
    }
}

impl<T> Domain<T> {
    const SHARES: bool = !core::mem::needs_drop::<T>();

    /// A domain without a collector yet.
    pub(crate) fn new() -> Self {
        Self {
            own: AtomicPtr::new(core::ptr::null_mut()),
            _holds: PhantomData,
        }
    }

    #[inline]
    fn collector(&self) -> &Collector {
        if Self::SHARES {
            return &SHARED;
        }
        // ORD: Acquire — pairs with the AcqRel in make [R1]; publishes the collector.
        let own = self.own.load(Ordering::Acquire);
        // SAFETY: I1: a collector, once made, lives as long as the domain.
        match unsafe { own.as_ref() } {
            Some(own) => own,
            None => self.make(),
        }
    }

    #[cold]
    fn make(&self) -> &Collector {
        let new = Box::into_raw(Box::new(Collector::new().batch_size(OWN_BATCH)));
        let null = core::ptr::null_mut();
        // ORD: AcqRel — pairs with the Acquire in collector [R1]; publishes the collector.
        let own = match self
            .own
            .compare_exchange(null, new, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => new,
            Err(first) => {
                // SAFETY: I1: `new` came out of a box above and was not published.
                drop(unsafe { Box::from_raw(new) });
                first
            }
        };
        // SAFETY: I1: a collector, once made, lives as long as the domain.
        unsafe { &*own }
    }

    /// What guards remember. It is unique and stays while one lives, since guards borrow the domain.
    #[inline]
    fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Pins the current thread.
    #[inline]
    pub(crate) fn pin(&self) -> LocalGuard<'_> {
        LocalGuard {
            inner: self.collector().enter(),
            domain: self.address(),
        }
    }

    /// Pins with a guard that may move between threads.
    #[inline]
    pub(crate) fn pin_owned(&self) -> OwnedGuard<'_> {
        OwnedGuard {
            inner: self.collector().enter_owned(),
            domain: self.address(),
        }
    }

    /// Panics unless `guard` belongs to this domain.
    #[inline]
    pub(crate) fn verify(&self, guard: &impl Guard) {
        if guard.domain() != self.address() {
            foreign_guard();
        }
    }
}

#[cold]
#[inline(never)]
fn foreign_guard() -> ! {
    panic!("the guard was made by another map; use this map's `guard()`")
}

impl<T> Drop for Domain<T> {
    fn drop(&mut self) {
        let own = unsync_load(&mut self.own);
        if !own.is_null() {
            // SAFETY: I1: the domain ends here; its guards borrowed it, so there are none.
            drop(unsafe { Box::from_raw(own) });
        }
    }
}
