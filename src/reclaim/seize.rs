//! The second body of the contract: the crate `seize` (Hyaline), an oracle for the body of our own.
//!
//! It is there with `--cfg atomshard_seize` and never shipped. The tests that speak about the contract run
//! over both bodies, and the lab compares their rates (`cargo xtask oracle`).
//!
//! ```text
//! domain --> shared --> collector    of its own: who is pinned, and batches of what was retired
//!        --> ends                    how objects end: hook, holds
//!            both --> aside          what came free, but is held, or on a thread that may not drop it
//! ```
//!
//! Each object is an allocation of its own, with a pointer to `ends`. A batch is as large as one of our own
//! body. A grace period is a flag that is retired.
//!
//! # Where it differs from the body of our own
//! - Guards hold up garbage of their own structure only.
//! - A batch is freed by whoever ends the last guard that held it up, all at once. A destructor that ends a guard
//!   may so run others inside itself.
//! - A flush leaves alone what others have retired, also if their threads have gone: that waits until
//!   the structure ends. That of an owned guard is for what was retired by it, on whatever thread. One that
//!   meets more pinned threads than there are things to free leaves them to the next.
//! - What a forgotten guard holds up is never dropped, not with its structure either.
//! - A domain allocates when it is made. Memory that is refused inside `seize` aborts, so there is no
//!   room to be made for [`Domain::defer`].
//! - `seize` panics where a thread pins for the first time after its locals have gone.
//!
//! # Invariants
//! - I1. An object is the first field of an allocation of a `Place`.
//! - I2. What is retired was unlinked before, once, by a guard of the domain that is alive. `seize` hands it back
//!   once, when every guard that was alive then is gone, or when the collector ends.
//! - I3. The guards of a domain borrow it, so none is alive when it ends.
//! - I4. An object may be dropped by a thread that uses the structure: one that has the domain, a
//!   local guard of it, or an owned guard that it made itself. An owned guard that has come from elsewhere
//!   says nothing: what comes free by it waits in `aside`. What is held waits there too.
//! - I5. `VISITED` is null but while such a guard calls `seize`, and then leads to what the guard borrows. No
//!   destructor runs meanwhile, so visits do not nest.
//! - I6. The ends of a domain stay where they are, and live until the collector has handed everything back.
//!
//! # Orderings
//! B1 the pin. `seize` asks for `SeqCst` loads of what it protects, and the map's are Acquire: on Linux and
//! Windows its heavy side is a barrier on all threads, and the light barrier after each pin keeps the
//! compiler in order. Elsewhere, and under Miri, that barrier is a fence, which meets the fence of `seize`.
//!
//! # Under the model
//! Loom sees neither the atomics of `seize` nor its memory: in a model a pin orders nothing and what is
//! retired stays, as with the body of our own. So the models of the map run over either body and say the
//! same. That `seize` is right is shown by the tests on threads and by Miri, not by loom.
//!
//! Source: Nikolaev and Ravindran, "Hyaline: fast and transparent lock-free memory reclamation" (PODC
//! 2019), as implemented by `seize` 0.5.

mod guards;

pub(super) use guards::{Local, Owned, Sealed};

use super::bag::{MOST_BESIDE, Other, batch};
use super::heap::slot;
use super::hold::WereHeld;
use super::object::{self, Hook, Object};
use super::trim::Trimmed;
use super::{Guard, LocalGuard, OwnedGuard, foreign_guard};
use crate::error::TryReserveError;
use crate::shard::ShardCounter;
use crate::sync::{AtomicBool, AtomicU64, MODEL, Ordering, never_split};
use crate::sys::{Unavailable, barrier_kind};
use ::seize::Collector;
use core::alloc::Layout;
use core::cell::Cell;
use core::fmt;
use core::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Something retired that nobody sees any more.
struct Free {
    at: *mut u8,
    end: unsafe fn(*mut u8),
}

// SAFETY: I4: it goes to `aside` from a thread that may not end it, and is ended by one that may.
unsafe impl Send for Free {}

impl Free {
    /// The one place where something retired comes to its end.
    fn end(self) {
        // SAFETY: I2: retired once; who retired it has promised that `end` may be called.
        unsafe { (self.end)(self.at) };
    }
}

thread_local! {
    /// The domain that the owned guard which is calling `seize` on this thread belongs to (I5).
    static VISITED: Cell<*const Shared> = const { Cell::new(ptr::null()) };
}

/// Ends what has come free, here or later elsewhere.
fn come_free(at: *mut u8, end: unsafe fn(*mut u8)) {
    let free = Free { at, end };
    // SAFETY: I5: what a guard borrows, which is calling.
    match unsafe { VISITED.get().as_ref() } {
        Some(shared) => shared.aside.put(free),
        None => free.end(),
    }
}

/// An object, and how it ends.
#[repr(C)]
struct Place<T: Object> {
    object: T,
    ends: *const Ends<T>,
}

/// Called by `seize` with a retired object.
///
/// # Safety
/// `place` was retired by [`Domain::retire`], and nobody sees it any more.
unsafe fn reclaim_object<T: Object>(place: *mut Place<T>, _: &Collector) {
    come_free(place.cast(), end_object::<T>);
}

/// Called by `seize` with something else.
///
/// # Safety
/// `other` was retired by [`Domain::retire_other`], and nobody sees what it names any more.
unsafe fn reclaim_other<T: Object>(other: *mut Other, _: &Collector) {
    come_free(other.cast(), end_other::<T>);
}

/// Ends an object and frees its memory, or puts it aside if it is held.
///
/// # Safety
/// `place` was retired by [`Domain::retire`], nobody sees it, and this thread may end it.
unsafe fn end_object<T: Object>(place: *mut u8) {
    let object = place.cast::<T>();
    // SAFETY: I1, I2: the place is a whole one.
    let ends = unsafe { (*place.cast::<Place<T>>()).ends };
    // SAFETY: I6.
    let ends = unsafe { &*ends };
    // SAFETY: I2: complete, and not ended yet.
    if ends.is_held(unsafe { &*object }) {
        let end = end_object::<T>;
        ends.aside.put(Free { at: place, end });
        return;
    }
    if let Some(whole) = NonNull::new(object) {
        // SAFETY: I2, and the caller's contract: complete, and nobody else uses it.
        unsafe { object::end_object(ends.hook.as_ref(), whole) };
    }
    free_place(object);
    ends.retired.decrement();
}

/// Ends what is no whole object.
///
/// # Safety
/// `other` was retired by [`Domain::retire_other`], nobody sees what it names, and this thread may end it.
unsafe fn end_other<T: Object>(other: *mut u8) {
    // SAFETY: I2: it came out of a box in `retire_other`.
    let other = unsafe { Box::from_raw(other.cast::<Other>()) };
    // SAFETY: I2: retired once; who retired it has promised that `end` may be called.
    unsafe { (other.end)(other.at) };
    if other.is_slot {
        free_place(other.at.cast::<T>());
    }
}

/// Frees the memory of an object that has ended.
fn free_place<T: Object>(object: *mut T) {
    // SAFETY: I1, I2: nobody uses it any more.
    unsafe { std::alloc::dealloc(object.cast(), Layout::new::<Place<T>>()) };
}

/// What cannot end yet.
struct Aside {
    all: Mutex<Vec<Free>>,
    has_some: AtomicBool,
    /// Holds that are left are forgotten: nobody has the domain any more.
    is_last: AtomicBool,
    /// Numbers handed out.
    tickets: AtomicU64,
}
never_split!(Aside: has_some, is_last, tickets);

impl Aside {
    fn lock(&self) -> MutexGuard<'_, Vec<Free>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, free: Free) {
        self.lock().push(free);
        // ORD: Relaxed — a hint; the lock decides.
        self.has_some.store(true, Ordering::Relaxed);
    }

    /// Ends what is there, on a thread that may (I4).
    fn end_all(&self) {
        // ORD: Relaxed — a hint; who misses it leaves the rest to the next one, or to the domain's end.
        if MODEL || !self.has_some.load(Ordering::Relaxed) {
            return;
        }
        // ORD: Relaxed — as above.
        self.has_some.store(false, Ordering::Relaxed);
        let all = core::mem::take(&mut *self.lock());
        all.into_iter().for_each(Free::end);
    }
}

/// What the guards of a domain know of it.
struct Shared {
    collector: Collector,
    aside: Arc<Aside>,
}

impl Shared {
    /// What guards remember. It stays while one lives, since guards borrow it.
    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }
}

/// How the objects of a domain end.
struct Ends<T: Object> {
    hook: Option<Hook<T>>,
    were_held: WereHeld,
    /// Objects that were retired and have not ended.
    retired: ShardCounter,
    aside: Arc<Aside>,
}

impl<T: Object> Ends<T> {
    /// Whether somebody holds the object, which nobody sees by a guard any more.
    fn is_held(&self, object: &T) -> bool {
        // ORD: Relaxed — set by who has the domain alone.
        !self.aside.is_last.load(Ordering::Relaxed) && self.were_held.is_held(object)
    }
}

/// The memory of a structure's objects of type `T`, and of whatever else it retires.
pub(crate) struct Domain<T: Object> {
    /// First, so that the ends are there when the collector hands back what it has (I6).
    shared: Shared,
    ends: Arc<Ends<T>>,
    count: ShardCounter,
}

// SAFETY: I4: objects end on threads that use the structure, and the rest may be shared. Who shares the
// structure that owns the domain answers for T.
unsafe impl<T: Object> Sync for Domain<T> {}
// SAFETY: I4, as above.
unsafe impl<T: Object> Send for Domain<T> {}

impl<T: Object> fmt::Debug for Domain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Domain").finish_non_exhaustive()
    }
}

/// That guards which were alive at some moment have gone.
pub(crate) struct Grace(Arc<Mutex<bool>>);

impl Grace {
    /// Whether all of them have.
    pub(crate) fn is_over(&self) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Raises the flag of a grace period.
///
/// # Safety
/// `flag` came out of an `Arc` in [`Domain::grace`], and is not used again.
unsafe fn end_flag(flag: *mut u8) {
    // SAFETY: the caller's contract.
    let flag = unsafe { Arc::from_raw(flag.cast::<Mutex<bool>>()) };
    *flag.lock().unwrap_or_else(PoisonError::into_inner) = true;
}

impl<T: Object> Domain<T> {
    /// A domain with a collector, which ends objects by `hook` or else drops them.
    pub(crate) fn new(hook: Option<Hook<T>>) -> Self {
        // So that pins need no fence, if that can be.
        let _decided = barrier_kind();
        let batch = batch(slot::<T>().size(), core::mem::needs_drop::<T>());
        let aside = Arc::new(Aside {
            all: Mutex::new(Vec::new()),
            has_some: AtomicBool::new(false),
            is_last: AtomicBool::new(false),
            tickets: AtomicU64::new(0),
        });
        Self {
            shared: Shared {
                collector: Collector::new().batch_size(batch),
                aside: Arc::clone(&aside),
            },
            ends: Arc::new(Ends {
                hook,
                were_held: WereHeld::new(),
                retired: ShardCounter::new(),
                aside,
            }),
            count: ShardCounter::new(),
        }
    }

    /// How objects are ended, if not by their destructors.
    pub(crate) fn hook(&self) -> Option<&Hook<T>> {
        self.ends.hook.as_ref()
    }

    /// Whether some object was held.
    pub(super) fn were_held(&self) -> &WereHeld {
        &self.ends.were_held
    }

    /// Bytes of the objects that were retired and are not freed yet.
    pub(crate) fn retired_bytes(&self) -> usize {
        usize::try_from(self.ends.retired.sum()).unwrap_or(0) * slot::<T>().size()
    }

    /// Begins the grace period of an object that the caller has unlinked and not retired.
    ///
    /// # Errors
    /// None; the body of our own has some.
    pub(crate) fn grace(&self) -> Result<Grace, Unavailable> {
        let flag = Arc::new(Mutex::new(false));
        let at = Arc::into_raw(Arc::clone(&flag)).cast_mut().cast();
        // SAFETY: I2: the flag is handed over once, to a function for it.
        unsafe { self.defer(at, end_flag, usize::MAX, &self.pin()) };
        Ok(Grace(flag))
    }

    /// As the body of our own; waits for the caller's guard too.
    ///
    /// # Errors
    /// None.
    pub(crate) fn grace_of_others(&self, _: &impl Guard) -> Result<Grace, Unavailable> {
        self.grace()
    }

    /// Pins the current thread.
    #[inline]
    pub(crate) fn pin(&self) -> LocalGuard<'_> {
        LocalGuard::new(&self.shared)
    }

    /// Pins with a guard that may move between threads.
    pub(crate) fn pin_owned(&self) -> OwnedGuard<'_> {
        OwnedGuard::new(&self.shared)
    }

    /// Panics unless `guard` belongs to this domain.
    #[inline]
    pub(crate) fn verify(&self, guard: &impl Guard) {
        if guard.domain() != self.shared.address() {
            foreign_guard();
        }
    }

    /// Memory for one object. Aborts as std's collections do if there is none.
    #[inline]
    pub(crate) fn alloc(&self, _: &impl Guard) -> NonNull<T> {
        let layout = Layout::new::<Place<T>>();
        // SAFETY: I1: a place has a pointer, so its size is not zero.
        let memory = unsafe { std::alloc::alloc(layout) };
        let Some(object) = NonNull::new(memory.cast::<T>()) else {
            std::alloc::handle_alloc_error(layout)
        };
        // SAFETY: I1: the field is inside the new allocation.
        let ends = unsafe { &raw mut (*memory.cast::<Place<T>>()).ends };
        // SAFETY: I1: as above, and nobody else has it.
        unsafe { ends.write(Arc::as_ptr(&self.ends)) };
        object
    }

    /// Counts `change` objects more in the structure.
    #[inline]
    pub(crate) fn count(&self, change: isize, _: &impl Guard) {
        self.count.add(change as i64);
    }

    /// A number that no other call for this structure returns.
    pub(crate) fn ticket(&self, _: &impl Guard) -> u64 {
        // ORD: Relaxed — a number publishes nothing.
        self.shared.aside.tickets.fetch_add(1, Ordering::Relaxed)
    }

    /// The sum of all counts: exact while nobody counts, and otherwise somewhere near.
    pub(crate) fn counted(&self) -> isize {
        isize::try_from(self.count.sum()).unwrap_or(isize::MAX)
    }

    /// Takes back the memory of an object that nobody else has seen.
    pub(crate) fn give_back(&self, object: NonNull<T>, _: &impl Guard) {
        free_place(object.as_ptr());
    }

    /// Drops the object and frees its memory once every guard that is alive now is gone.
    ///
    /// # Safety
    /// The object came from [`alloc`](Self::alloc), is complete, unlinked, retired once, and may be
    /// dropped on any thread that uses the structure.
    #[inline]
    pub(crate) unsafe fn retire(&self, object: NonNull<T>, guard: &impl Guard) {
        if MODEL {
            return;
        }
        self.ends.retired.increment();
        let place = object.as_ptr().cast::<Place<T>>();
        // SAFETY: I2: the caller's contract.
        unsafe { guard.hand_over(place, reclaim_object::<T>) };
        self.shared.aside.end_all();
    }

    /// As [`retire`](Self::retire), of an object that `end` ends, for it is not complete.
    ///
    /// # Safety
    /// As for `retire`, and `end` may be called with the object.
    pub(crate) unsafe fn retire_with(
        &self,
        object: NonNull<T>,
        end: unsafe fn(*mut u8),
        guard: &impl Guard,
    ) {
        let other = Other {
            at: object.as_ptr().cast(),
            end,
            is_slot: true,
        };
        self.retire_other(other, guard);
    }

    /// Calls `end` with `at` once every guard that is alive now is gone. What is of few `bytes` waits until a batch is full.
    ///
    /// # Safety
    /// `at` is unlinked, is retired once, and `end` may be called with it on any thread that uses
    /// the structure.
    pub(crate) unsafe fn defer(
        &self,
        at: *mut u8,
        end: unsafe fn(*mut u8),
        bytes: usize,
        guard: &impl Guard,
    ) {
        let is_slot = false;
        self.retire_other(Other { at, end, is_slot }, guard);
        if bytes >= MOST_BESIDE && !MODEL {
            guard.flush();
        }
    }

    /// Makes room for one call of [`defer`](Self::defer) by this thread: there is none to be made.
    pub(crate) fn reserve_defer(&self, _: &impl Guard) -> Result<(), TryReserveError> {
        Ok(())
    }

    fn retire_other(&self, other: Other, guard: &impl Guard) {
        if MODEL {
            return;
        }
        let other = Box::into_raw(Box::new(other));
        // SAFETY: I2: the caller's callers have promised it of what it names; the box is handed over once.
        unsafe { guard.hand_over(other, reclaim_other::<T>) };
        self.shared.aside.end_all();
    }

    /// Gives back chunks whose objects are all free. There are none.
    pub(crate) fn trim(&self, _: &impl Guard) -> Trimmed {
        Trimmed::NOTHING
    }

    /// There are no chunks.
    pub(crate) fn set_aside(&self, _: &impl Guard) {}

    /// Whether objects that are left when the structure ends need not be found.
    pub(crate) fn goes_whole(&self) -> bool {
        false
    }

    /// Gives back the memory of an object of a structure that ends.
    pub(crate) fn discard(&mut self, object: NonNull<T>) {
        free_place(object.as_ptr());
    }
}

/// Ends what was put aside; what the collector still has it hands back when it is dropped, right after.
impl<T: Object> Drop for Domain<T> {
    fn drop(&mut self) {
        // ORD: Relaxed — nobody else has the domain.
        self.ends.aside.is_last.store(true, Ordering::Relaxed);
        self.shared.aside.end_all();
    }
}
