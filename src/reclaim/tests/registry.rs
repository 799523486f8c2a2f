//! Pins, leases and grace periods. Registries of their own, where they need not be the process's.

use crate::reclaim::registry::{Registry, ThreadPin, TravellingPin};
use core::cell::RefCell;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::{Barrier, Mutex, mpsc};
use std::thread;

/// A registry that stays, as its records do, and that Miri finds.
pub(super) fn registry() -> &'static Registry {
    static ALL: Mutex<Vec<&Registry>> = Mutex::new(Vec::new());
    let registry = Box::leak(Box::new(Registry::new()));
    ALL.lock().expect("no panic under the lock").push(registry);
    registry
}

#[test]
fn miri_nested_pins_count_once() {
    let registry = registry();
    let record = registry.lease();
    let before = registry.grace().expect("a barrier");
    assert!(before.is_over(), "nobody is pinned");
    record.enter();
    record.enter();
    let during = registry.grace().expect("a barrier");
    assert!(!during.is_over());
    record.leave();
    record.enter();
    record.leave();
    assert!(!during.is_over(), "the outer pin goes on");
    record.leave();
    record.enter();
    assert!(during.is_over(), "the next pin is another");
    record.leave();
}

#[test]
fn miri_renewing_ends_the_pin_unless_there_is_another_guard() {
    let registry = registry();
    let record = registry.lease();
    record.enter();
    let grace = registry.grace().expect("a barrier");
    record.enter();
    record.renew();
    assert!(!grace.is_over(), "the other guard's references live");
    record.leave();
    record.renew();
    assert!(grace.is_over());
    assert!(
        !registry.grace().expect("a barrier").is_over(),
        "pinned again"
    );
    record.leave();
}

#[test]
fn miri_a_panic_between_two_pins_leaves_the_guard_counted() {
    let registry = registry();
    let record = registry.lease();
    record.enter();
    let panic = || record.unpinned(|| std::panic::resume_unwind(Box::new(())));
    assert!(catch_unwind(AssertUnwindSafe(panic)).is_err());
    let grace = registry.grace().expect("a barrier");
    assert!(!grace.is_over(), "the guard is alive");
    record.leave();
    assert!(grace.is_over());
    record.enter();
    assert!(!registry.grace().expect("a barrier").is_over());
    record.leave();
}

#[test]
fn miri_a_lease_given_back_while_pinned_goes_with_the_last_guard() {
    let registry = registry();
    let record = registry.lease();
    record.enter();
    record.enter();
    record.give_back();
    record.leave();
    let other = registry.lease();
    assert_ne!(record.index(), other.index(), "still held by a guard");
    let grace = registry.grace().expect("a barrier");
    let mut ran = false;
    record.unpinned(|| ran = true);
    assert!(ran && !grace.is_over(), "the last guard holds the lease");
    record.leave();
    assert!(grace.is_over());
    assert_eq!(registry.lease().index(), record.index());
}

#[test]
fn miri_threads_that_have_gone_leave_no_more_records_than_lived_at_once() {
    const AT_ONCE: usize = 8;
    let rounds = if cfg!(miri) { 3 } else { 250 };
    let registry = registry();
    for _ in 0..rounds {
        let all = Barrier::new(AT_ONCE);
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    let record = registry.lease();
                    record.enter();
                    all.wait();
                    assert!(record.index() < AT_ONCE, "number {}", record.index());
                    record.leave();
                    record.give_back();
                });
            }
        });
    }
}

/// R1: whoever meets a record, to lease one or to wait for its pin, meets it complete. The fields of
/// a record are plain memory, which the interpreter watches.
#[test]
fn miri_r1_first_leases_at_once_meet_complete_records() {
    let rounds = if cfg!(miri) { 6 } else { 100 };
    for _ in 0..rounds {
        let registry = registry();
        let mut indices: Vec<usize> = thread::scope(|scope| {
            let leases: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        let index = registry.lease().index();
                        assert!(registry.grace().expect("a barrier").is_over());
                        index
                    })
                })
                .collect();
            let ends = leases.into_iter().map(|lease| lease.join());
            ends.map(|index| index.expect("no lease panics")).collect()
        });
        indices.sort_unstable();
        assert_eq!(indices, [0, 1, 2], "small and different");
    }
}

/// A local whose destructor pins twice at once and reports the records.
struct PinsLate(mpsc::Sender<[usize; 3]>);

impl Drop for PinsLate {
    fn drop(&mut self) {
        let (first, second) = (ThreadPin::new(), ThreadPin::new());
        let indices = [first.record().index(), second.record().index()];
        drop((first, second));
        let again = ThreadPin::new().record().index();
        let _ = self.0.send([indices[0], indices[1], again]);
    }
}

#[test]
fn miri_pins_of_destructors_of_thread_locals_give_their_records_back() {
    thread_local! {
        static LOCAL: RefCell<Option<PinsLate>> = const { RefCell::new(None) };
    }
    let (sender, receiver) = mpsc::channel();
    for _ in 0..3 {
        let sender = sender.clone();
        thread::spawn(move || {
            // In either order: whichever local is destroyed first, one thread of each is late.
            LOCAL.with(|local| *local.borrow_mut() = Some(PinsLate(sender)));
            drop(ThreadPin::new());
        })
        .join()
        .expect("no panic");
    }
    let seen: Vec<_> = receiver.try_iter().collect();
    assert_eq!(seen.len(), 3);
    // The last local to be made is the first to go, so the pins above come late.
    assert!(seen.iter().all(|[first, second, _]| first != second));
}

#[test]
fn miri_a_travelling_pin_moves_between_threads() {
    let mut pin = TravellingPin::new();
    let before = crate::reclaim::registry::grace().expect("a barrier");
    let pin = thread::spawn(move || {
        assert!(!before.is_over(), "pinned from here too");
        pin.renew();
        pin
    })
    .join()
    .expect("no panic");
    let grace = crate::reclaim::registry::grace().expect("a barrier");
    assert!(!grace.is_over());
    drop(pin);
    assert!(super::eventually(|| grace.is_over()));
}
