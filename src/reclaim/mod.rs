//! L3: the pin / protect / retire contract (stub, being written).
#![expect(unsafe_code, reason = "retiring hands raw pointers to the collector")]
use core::marker::PhantomData;

mod sealed {
    pub trait Sealed {
        /// Frees `ptr` by `reclaim` once no guard that could see it is active.
        ///
        /// # Safety
        /// `ptr` is unreachable for guards created from now on and is retired once.
        unsafe fn defer_retire<T>(&self, ptr: *mut T, reclaim: super::ReclaimFn<T>);
    }
}

/// What reclaims one retired object.
pub(crate) type ReclaimFn<T> = unsafe fn(*mut T, &seize::Collector);

/// Proof that the thread is pinned.
pub trait Guard: sealed::Sealed {
    /// Ends this pin and starts a new one.
    fn refresh(&mut self);
    /// Tries to reclaim what this thread has retired.
    fn flush(&self);
    /// Small dense number of the pinned thread.
    fn thread_id(&self) -> usize;
}

/// Guard bound to the thread that made it.
#[derive(Debug)]
pub struct LocalGuard<'a> {
    inner: seize::LocalGuard<'a>,
}

/// Guard that may move to another thread.
pub struct OwnedGuard<'a> {
    inner: seize::OwnedGuard<'a>,
}

macro_rules! stub { ($t:ident) => {
    impl Guard for $t<'_> {
        fn refresh(&mut self) { seize::Guard::refresh(&mut self.inner); }
        fn flush(&self) { seize::Guard::flush(&self.inner); }
        fn thread_id(&self) -> usize { seize::Guard::thread_id(&self.inner) }
    }
    impl sealed::Sealed for $t<'_> {
        unsafe fn defer_retire<T>(&self, ptr: *mut T, reclaim: ReclaimFn<T>) {
            // SAFETY: the caller's contract is the collector's.
            unsafe { seize::Guard::defer_retire(&self.inner, ptr, reclaim) }
        }
    }
}}
stub!(LocalGuard);
stub!(OwnedGuard);

/// Where a map's garbage goes. `T` is what the entries hold: types without drop glue share one
/// crate-wide collector, types with drop glue get a collector of their own, made lazily.
#[derive(Debug)]
pub(crate) struct Domain<T> {
    own: std::sync::OnceLock<Box<seize::Collector>>,
    _holds: PhantomData<fn() -> T>,
}

impl<T> Domain<T> {
    pub(crate) const fn new() -> Self {
        Self { own: std::sync::OnceLock::new(), _holds: PhantomData }
    }
    fn collector(&self) -> &seize::Collector {
        self.own.get_or_init(|| Box::new(seize::Collector::new()))
    }
    /// Pins the current thread.
    #[inline]
    pub(crate) fn pin(&self) -> LocalGuard<'_> {
        LocalGuard { inner: self.collector().enter() }
    }
    /// Pins with a guard that may move between threads.
    #[inline]
    pub(crate) fn pin_owned(&self) -> OwnedGuard<'_> {
        OwnedGuard { inner: self.collector().enter_owned() }
    }
    /// Panics unless `guard` pins this domain.
    pub(crate) fn verify(&self, _guard: &impl Guard) {}
}

impl core::fmt::Debug for OwnedGuard<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OwnedGuard").finish_non_exhaustive()
    }
}
