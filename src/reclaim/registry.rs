//! Who is pinned: one record for each thread that pins, and what a grace period waits for.
//!
//! ```text
//! registry --> record --> record --> ..       records are added and leased again, never freed
//!              state   | pins that have ended, 16 bits | late, 1 bit | guards alive, 47 bits |
//! ```
//!
//! # Protocol
//!
//! ```text
//! pin:     guards += 1 (release store)   light barrier    ... loads of shared pointers ...
//! unpin:   guards -= 1, and with the last one ended += 1 (one release store)
//! grace:   unlink ..   heavy barrier   for each record with guards: remember (record, ended)
//! over:    every remembered record has ended another pin
//! ```
//!
//! Of a pin and a grace period, one sees the other (B1): either the grace period meets the guard
//! and waits for the pin to end, or the pin's loads come after the unlinking and cannot find what
//! was unlinked. There is no epoch to advance and nothing that a late thread could miss: a record
//! that has ended another pin has left the one that was met for good. (After 2^16 pins the count
//! comes round; a grace period that meets the same number again waits longer, which is safe.) The
//! guards have 47 bits because a guard may be forgotten: at one each nanosecond that is 39 hours.
//!
//! Every store to a state is a Release, for a grace period may see that a pin has ended by any
//! later store: a plain store does not pass on what a Release before it published.
//!
//! # Signals
//!
//! A handler may pin between the load and the store of a pin of its thread. Under another guard it
//! leaves the state as it found it. Under none it ends a pin of its own, and the store of the thread
//! that it interrupted takes the count of ended pins back: a grace period that met the handler waits for
//! that thread's pin too, as when the count comes round. None is cut short, for the thread's pin begins
//! with that store, and the barrier comes after it. A thread that has a record leases none.
//!
//! # Invariants
//! - I1. A record lives for ever once it is in the list, and `index` and `next` never change.
//! - I2. The cells are used only by the holder of the lease, or of the guard that holds the record.
//! - I3. `state` counts the holder's guards that are alive, and changes only by the holder.
//!
//! # Orderings
//! B1 the asymmetric barrier (`sys::barrier`); R1 publishing a record, and handing on its lease;
//! R2 leaving a pin.
//!
//! # Progress
//! Pin and unpin are wait-free. Leasing is lock-free; a snapshot takes one load for each record.
//!
//! Source: the counters of user-space RCU (Desnoyers et al., "User-Level Implementations of
//! Read-Copy Update", 2012) in their membarrier form. Departures: a record's counter takes the
//! place of the global phase, so a grace period waits for the pins that it met and for nobody else.

use crate::pad::Padded;
use crate::sync::{
    AtomicBool, AtomicPtr, AtomicU64, MODEL, Ordering, const_except_in_model, layout, model_thread,
    never_split, note_objects, note_read,
};
use crate::sys::{
    Barrier, Unavailable, barrier_kind, heavy_barrier, light_barrier, light_barrier_of_membarrier,
};
use core::cell::Cell;
use core::marker::PhantomData;
use core::ptr;
use std::sync::{LazyLock, OnceLock};

/// One guard.
const GUARD: u64 = 1;
/// The record is given back with its last guard, because its thread's locals are gone.
const LATE: u64 = 1 << 47;
/// The guards that are alive.
const GUARDS: u64 = LATE - 1;
/// One pin that has ended.
const ENDED: u64 = 1 << 48;
const _: () = assert!(GUARDS > 1 << 46, "nobody lives to forget as many guards");

/// The state of one thread, or of one guard that travels between threads.
#[cfg_attr(
    not(atomshard_seize),
    expect(unnameable_types, reason = "named by the sealed half of `Guard` only")
)]
pub struct Record {
    state: AtomicU64,
    leased: AtomicBool,
    /// How often the record was leased.
    leases: Cell<u64>,
    /// The record's place in the list, counted from its end: small and unique.
    index: usize,
    next: *const Padded<Self>,
}
never_split!(Record: state, leased);
layout!(Record: state, leased, leases, index, next);

// SAFETY: I1, I2: the plain fields do not change, and the cells are used by one holder at a time,
// whose lease was handed on with an Acquire (R1).
unsafe impl Sync for Record {}
// SAFETY: I1: a record is never dropped; reaching it from another thread is all that Send adds.
unsafe impl Send for Record {}

impl core::fmt::Debug for Record {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Record")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl Record {
    /// A record that its maker holds.
    fn leased(index: usize, next: *const Padded<Self>) -> Self {
        Self {
            state: AtomicU64::new(0),
            leased: AtomicBool::new(true),
            leases: Cell::new(1),
            index,
            next,
        }
    }

    /// A small number that no other leased record has.
    #[inline]
    pub(crate) fn index(&self) -> usize {
        note_read(&raw const self.index);
        self.index
    }

    /// The number of the lease.
    pub(crate) fn lease_number(&self) -> u64 {
        self.leases.get()
    }

    #[inline]
    fn state(&self) -> u64 {
        // ORD: Relaxed — only the holder writes the state (I3).
        self.state.load(Ordering::Relaxed)
    }

    /// Pins, or counts one more guard.
    #[inline]
    pub(crate) fn enter(&self) {
        // Ordered before the loads of the pinned code by the light barrier [B1].
        self.set_state(self.state() + GUARD);
        light_barrier();
    }

    /// As `enter`, where the process has `membarrier`.
    #[inline]
    fn enter_by_membarrier(&self) {
        // Ordered before the loads of the pinned code by the light barrier [B1].
        self.set_state(self.state() + GUARD);
        light_barrier_of_membarrier();
    }

    /// Counts one guard less, and unpins with the last.
    #[inline]
    pub(crate) fn leave(&self) {
        let left = self.state() - GUARD;
        if left & (GUARDS | LATE) == 0 {
            self.end_pin(left);
        } else {
            self.leave_nested(left);
        }
    }

    #[inline]
    fn end_pin(&self, left: u64) {
        self.set_state(left.wrapping_add(ENDED));
    }

    #[inline]
    fn set_state(&self, state: u64) {
        // ORD: Release — pairs with the Acquire in is_over [R2] and the Acquire in grace [R2];
        // publishes that the reads of every pin that has ended by now are done.
        self.state.store(state, Ordering::Release);
    }

    #[cold]
    fn leave_nested(&self, left: u64) {
        if left & GUARDS == 0 {
            self.end_pin(left & !LATE);
            self.give_back();
        } else {
            self.set_state(left);
        }
    }

    /// Leaves the pin and enters a new one, if there is one guard only.
    pub(crate) fn renew(&self) {
        self.unpinned(|| ());
    }

    /// Calls `f`: between two pins, if there is one guard only and it does not hold the lease.
    pub(crate) fn unpinned(&self, f: impl FnOnce()) {
        let state = self.state();
        let _entered = (state & (GUARDS | LATE) == GUARD).then(|| {
            self.end_pin(state - GUARD);
            Reenter(self)
        });
        f();
    }

    /// Takes the record for the holder, if nobody has it.
    fn try_lease(&self) -> bool {
        // ORD: Relaxed — a hint; the exchange below decides.
        if self.leased.load(Ordering::Relaxed) {
            return false;
        }
        // ORD: Acquire — pairs with the Release in give_back [R1]; sees what the holder before
        // left in the record, and in what goes by its index.
        let won = self
            .leased
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_ok();
        if won {
            self.leases.set(self.leases.get() + 1);
        }
        won
    }

    /// The holder is done with the record, at the latest when its guards have gone.
    pub(crate) fn give_back(&self) {
        if self.state() & GUARDS != 0 {
            self.make_late();
            return;
        }
        // ORD: Release — pairs with the Acquire in try_lease [R1]; publishes the cells, and what
        // goes by the record's index.
        self.leased.store(false, Ordering::Release);
    }

    /// Lets the record go back with its last guard, which may be about to enter.
    fn make_late(&self) {
        self.set_state(self.state() | LATE);
    }
}

/// Pins again when it goes, also by a panic: the guard that is alive will count itself out.
struct Reenter<'r>(&'r Record);

impl Drop for Reenter<'_> {
    fn drop(&mut self) {
        self.0.enter();
    }
}

/// All records.
pub(crate) struct Registry {
    head: AtomicPtr<Padded<Record>>,
}
never_split!(Registry: head);

impl Registry {
    const_except_in_model! {
        /// No record yet.
        pub(crate) fn new() -> Self {
            Self { head: AtomicPtr::new(ptr::null_mut()) }
        }
    }

    fn records(&self) -> impl Iterator<Item = &'static Record> {
        // ORD: Acquire — pairs with the AcqRel in lease [R1]; sees the records complete.
        let head = self.head.load(Ordering::Acquire);
        // SAFETY: I1: records in the list live for ever.
        let first = unsafe { head.as_ref::<'static>() };
        core::iter::successors(first, |record| {
            // SAFETY: I1: as above.
            unsafe { record.next.as_ref::<'static>() }
        })
        .map(|padded| &**padded)
    }

    /// A record that the caller alone holds.
    #[cold]
    pub(crate) fn lease(&self) -> &'static Record {
        if let Some(free) = self.records().find(|record| record.try_lease()) {
            return free;
        }
        // ORD: Acquire — pairs with the AcqRel in lease [R1]; sees the first record's index.
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            // SAFETY: I1: records in the list live for ever.
            let index = unsafe { head.as_ref() }.map_or(0, |first| first.index + 1);
            let new = Box::into_raw(Box::new(Padded::new(Record::leased(index, head))));
            note_objects(new.cast::<Record>(), 1);
            // ORD: AcqRel — pairs with the Acquire in records [R1] and the AcqRel in lease [R1]; publishes the
            // record, and sees the one before it.
            match self
                .head
                .compare_exchange(head, new, Ordering::AcqRel, Ordering::Acquire)
            {
                // SAFETY: I1: it is in the list now, for ever.
                Ok(_) => return unsafe { &*new },
                Err(found) => {
                    // SAFETY: I1: `new` came out of a box above and is not in the list.
                    drop(unsafe { Box::from_raw(new) });
                    head = found;
                }
            }
        }
    }

    /// Begins a grace period: what was unlinked before this call is unreachable when it is over.
    ///
    /// # Errors
    /// The kernel refused the barrier, or the allocator the memory; nothing has begun.
    pub(crate) fn grace(&self) -> Result<Grace, Unavailable> {
        heavy_barrier()?;
        let mut pinned = Vec::new();
        for record in self.records() {
            // Who must be met is decided by the heavy barrier.
            // ORD: Acquire — pairs with the Release in set_state [R2]; sees that the reads of pins that have ended are done.
            let state = record.state.load(Ordering::Acquire);
            if state & GUARDS == 0 {
                continue;
            }
            if pinned.try_reserve(1).is_err() {
                return Err(Unavailable::here("there is no memory for a grace period"));
            }
            pinned.push((record, state / ENDED));
        }
        Ok(Grace { pinned })
    }
}

/// The pins that a grace period still waits for.
pub(crate) struct Grace {
    /// Each with the pins that it had ended when it was met.
    pinned: Vec<(&'static Record, u64)>,
}

impl Grace {
    /// Whether all of them have ended.
    pub(crate) fn is_over(&self) -> bool {
        !self.pinned.iter().any(|(record, ended)| {
            // ORD: Acquire — pairs with the Release in set_state [R2]; sees that the pinned code's
            // accesses are done.
            record.state.load(Ordering::Acquire) / ENDED == *ended
        })
    }

    /// Does not wait for the holder of this record any more, if it has one guard only.
    pub(super) fn leave_out(&mut self, own: &Record) {
        if own.state() & GUARDS == GUARD {
            self.pinned.retain(|(record, _)| !ptr::eq(*record, own));
        }
    }
}

/// The records of this process. Models of the registry make registries of their own, and models of
/// whole maps pin nothing.
static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::new);

/// Begins a grace period among the guards of this process.
pub(super) fn grace() -> Result<Grace, Unavailable> {
    REGISTRY.grace()
}

/// Whether several threads had records a moment ago.
pub(crate) fn is_shared() -> bool {
    // ORD: Relaxed — a hint.
    let is_leased = |record: &&Record| record.leased.load(Ordering::Relaxed);
    !MODEL && REGISTRY.records().filter(is_leased).nth(1).is_some()
}

/// Calls `f` with each record that no thread and no guard holds, leased meanwhile.
pub(super) fn for_each_idle(mut f: impl FnMut(&'static Record)) {
    for record in REGISTRY.records().filter(|record| record.try_lease()) {
        f(record);
        record.give_back();
    }
}

/// The record of the calling thread in a model of a whole map. It is in no registry and is never
/// entered: a pin's fence would order more than the map does, and nothing is freed there.
fn model_record(thread: usize) -> &'static Record {
    /// As many threads as loom has.
    static RECORDS: [OnceLock<Record>; 5] = [const { OnceLock::new() }; 5];
    RECORDS[thread].get_or_init(|| Record::leased(thread, ptr::null()))
}

thread_local! {
    /// This thread's record, while its locals live and if the process has `membarrier`: who finds
    /// it here needs no fence to pin.
    static CURRENT: Cell<Option<&'static Record>> = const { Cell::new(None) };
    static LEASE: Lease = const { Lease(Cell::new(None)) };
}

/// Gives the record back when the thread's locals are destroyed.
struct Lease(Cell<Option<&'static Record>>);

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(record) = self.0.take() {
            CURRENT.set(None);
            record.give_back();
        }
    }
}

/// A pin of the thread that made it.
#[derive(Debug)]
pub(super) struct ThreadPin {
    record: &'static Record,
    /// The record's cells are this thread's.
    _thread: PhantomData<*const ()>,
}

impl ThreadPin {
    /// Pins the calling thread.
    #[inline]
    pub(super) fn new() -> Self {
        let record = match model_thread() {
            Some(thread) => model_record(thread),
            None => match current() {
                Some(record) => {
                    record.enter_by_membarrier();
                    record
                }
                None => pin_slowly(),
            },
        };
        Self {
            record,
            _thread: PhantomData,
        }
    }

    /// The record of the pinned thread.
    #[inline]
    pub(super) fn record(&self) -> &'static Record {
        self.record
    }
}

impl Drop for ThreadPin {
    #[inline]
    fn drop(&mut self) {
        if !MODEL {
            self.record.leave();
        }
    }
}

/// This thread's record, if it is in `CURRENT`.
#[inline]
fn current() -> Option<&'static Record> {
    CURRENT.with(|current| note_read(current));
    CURRENT.get()
}

/// A thread's first pin, each pin where there is no `membarrier`, and those of a thread whose locals
/// are gone already: the record is leased for this guard then.
#[cold]
fn pin_slowly() -> &'static Record {
    let record = match LEASE.try_with(|lease| lease.0.get()) {
        Ok(Some(record)) => record,
        Ok(None) => first_record(),
        Err(_) => {
            let record = REGISTRY.lease();
            record.make_late();
            record
        }
    };
    record.enter();
    record
}

/// Leases a record for this thread.
fn first_record() -> &'static Record {
    let record = REGISTRY.lease();
    LEASE.with(|lease| lease.0.set(Some(record)));
    if barrier_kind() == Barrier::Membarrier {
        CURRENT.set(Some(record));
    }
    record
}

/// A pin that may go from thread to thread.
#[derive(Debug)]
pub(super) struct TravellingPin {
    record: &'static Record,
}

impl TravellingPin {
    /// Pins by a record of its own.
    pub(super) fn new() -> Self {
        let record = REGISTRY.lease();
        record.enter();
        Self { record }
    }

    /// Ends the pin and begins a new one.
    pub(super) fn renew(&mut self) {
        self.record.renew();
    }
}

impl Drop for TravellingPin {
    fn drop(&mut self) {
        self.record.leave();
        self.record.give_back();
    }
}
