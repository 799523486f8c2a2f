//! Objects are dropped once, by the right thread, at the right time.

use super::eventually;
use crate::reclaim::{Domain, Guard};
use crate::sync::{AtomicUsize, Ordering};
use core::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

/// More than any batch.
const MANY: usize = 600;

/// Counts its destruction, then does one thing more.
struct Object<F: FnMut()> {
    drops: Arc<AtomicUsize>,
    then: F,
}

impl<F: FnMut()> Drop for Object<F> {
    fn drop(&mut self) {
        // ORD: Relaxed — a count.
        self.drops.fetch_add(1, Ordering::Relaxed);
        (self.then)();
    }
}

impl<F: FnMut()> crate::reclaim::Object for Object<F> {}
impl crate::reclaim::Object for u64 {}
impl crate::reclaim::Object for [u64; 5] {}

fn counter() -> Arc<AtomicUsize> {
    Arc::new(AtomicUsize::new(0))
}

fn count(drops: &AtomicUsize) -> usize {
    // ORD: Relaxed — a count.
    drops.load(Ordering::Relaxed)
}

/// Makes an object and retires it, as if it had been linked and unlinked.
fn retire<T: crate::reclaim::Object>(domain: &Domain<T>, value: T, guard: &impl Guard) {
    let object = domain.alloc(guard);
    // SAFETY: the domain's memory for one object, which is ours.
    unsafe { object.as_ptr().write(value) };
    // SAFETY: complete, never linked, retired once.
    unsafe { domain.retire(object, guard) };
}

#[test]
fn miri_everything_is_dropped_once_when_the_domain_ends() {
    let drops = counter();
    let domain = Domain::new(None);
    let total = if cfg!(miri) { 300 } else { 3 * MANY };
    let object = || Object {
        drops: Arc::clone(&drops),
        then: || (),
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let holds_up = domain.pin();
                for _ in 0..total / 2 {
                    retire(&domain, object(), &domain.pin());
                }
                drop(holds_up);
            });
        }
    });
    let guard = domain.pin();
    retire(&domain, object(), &guard);
    drop(guard);
    drop(domain);
    assert_eq!(count(&drops), total + 1);
}

#[test]
fn miri_a_flush_frees_when_the_guard_has_gone() {
    let (drops, domain) = (counter(), Domain::new(None));
    let guard = domain.pin();
    let object = Object {
        drops: Arc::clone(&drops),
        then: || (),
    };
    retire(&domain, object, &guard);
    guard.flush();
    assert_eq!(count(&drops), 0, "dropped under a guard");
    drop(guard);
    assert!(eventually(|| {
        domain.pin().flush();
        count(&drops) == 1
    }));
}

#[test]
#[cfg_attr(atomshard_seize, ignore = "`seize` keeps it until the domain ends")]
fn miri_a_flush_frees_what_a_thread_left_that_has_gone() {
    let (drops, domain) = (counter(), Domain::new(None));
    // So that the other thread has another record.
    let own = domain.pin();
    thread::scope(|scope| {
        let gone = scope.spawn(|| {
            let object = Object {
                drops: Arc::clone(&drops),
                then: || (),
            };
            retire(&domain, object, &domain.pin());
        });
        gone.join().expect("no panic");
    });
    drop(own);
    assert!(eventually(|| {
        domain.pin().flush();
        count(&drops) == 1
    }));
}

#[test]
#[cfg_attr(atomshard_seize, ignore = "there a guard holds up its own domain only")]
fn miri_garbage_is_held_up_by_a_guard_from_anywhere() {
    let (drops, domain, other) = (counter(), Domain::new(None), Domain::<u64>::new(None));
    let foreign = other.pin_owned();
    let object = Object {
        drops: Arc::clone(&drops),
        then: || (),
    };
    retire(&domain, object, &domain.pin());
    thread::scope(|scope| {
        let foreign = scope
            .spawn(move || {
                foreign.flush();
                foreign
            })
            .join()
            .expect("no panic");
        for _ in 0..3 {
            domain.pin().flush();
        }
        assert_eq!(count(&drops), 0, "dropped under a guard");
        drop(foreign);
    });
    assert!(eventually(|| {
        domain.pin().flush();
        count(&drops) == 1
    }));
}

/// Its panic does not end when it is caught.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new(()));
    }
}

#[test]
fn miri_destructors_that_panic_twice_leave_the_pins_counted() {
    let (drops, domain) = (counter(), Domain::new(None));
    let throw = || std::panic::resume_unwind(Box::new(Bomb));
    let object = || Object {
        drops: Arc::clone(&drops),
        then: throw,
    };
    for _ in 0..2 {
        retire(&domain, object(), &domain.pin());
    }
    assert!(eventually(|| {
        domain.pin().flush();
        count(&drops) == 2
    }));
    // The thread's pin still holds up what is retired.
    let guard = domain.pin();
    retire(&domain, object(), &guard);
    guard.flush();
    assert_eq!(count(&drops), 2);
    drop(guard);
    drop(domain);
    assert_eq!(count(&drops), 3);
}

/// What the destructors of a family share.
struct Family {
    domain: Domain<Member>,
    drops: Arc<AtomicUsize>,
    running: Cell<usize>,
    most_running: Cell<usize>,
}

type Member = Object<Box<dyn FnMut()>>;

impl Family {
    /// An object whose destructor retires the next generation.
    fn member(self: &Rc<Self>, generations: usize) -> Member {
        let family = Rc::clone(self);
        let then = move || {
            family.running.set(family.running.get() + 1);
            let most = family.most_running.get().max(family.running.get());
            family.most_running.set(most);
            if generations > 0 {
                let guard = family.domain.pin();
                retire(&family.domain, family.member(generations - 1), &guard);
                guard.flush();
            }
            family.running.set(family.running.get() - 1);
        };
        Object {
            drops: Arc::clone(&self.drops),
            then: Box::new(then),
        }
    }
}

#[test]
fn miri_destructors_that_retire_run_one_after_the_other() {
    const GENERATIONS: usize = 5;
    let family = Rc::new(Family {
        domain: Domain::new(None),
        drops: counter(),
        running: Cell::new(0),
        most_running: Cell::new(0),
    });
    let total = if cfg!(miri) { 5 } else { MANY };
    for _ in 0..total {
        let guard = family.domain.pin();
        retire(&family.domain, family.member(GENERATIONS), &guard);
        guard.flush();
    }
    assert!(eventually(|| {
        family.domain.pin().flush();
        count(&family.drops) == total * (GENERATIONS + 1)
    }));
    // `seize` runs what a destructor's own guard sets free inside the destructor.
    if !cfg!(atomshard_seize) {
        assert_eq!(family.most_running.get(), 1, "one ran inside another");
    }
}

/// Once the guards inside another freed nothing: their garbage waited for a guard that was alone.
#[test]
fn miri_guards_inside_another_that_is_refreshed_free_what_they_retire() {
    let (drops, domain, other) = (counter(), Domain::new(None), Domain::<u64>::new(None));
    let mut outer = other.pin();
    let freed = eventually(|| {
        outer.refresh();
        for _ in 0..130 {
            let object = Object {
                drops: Arc::clone(&drops),
                then: || (),
            };
            retire(&domain, object, &domain.pin());
        }
        count(&drops) != 0
    });
    assert!(freed, "nothing was freed in 2,000 batches");
}

#[test]
fn miri_an_owned_guard_flushes_what_it_has_retired_here() {
    let (drops, domain) = (counter(), Domain::new(None));
    let mut guard = domain.pin_owned();
    let object = Object {
        drops: Arc::clone(&drops),
        then: || (),
    };
    retire(&domain, object, &guard);
    guard.flush();
    assert_eq!(count(&drops), 0, "dropped under the guard");
    assert!(eventually(|| {
        guard.refresh();
        guard.flush();
        count(&drops) == 1
    }));
}

#[test]
fn miri_an_owned_guard_from_elsewhere_drops_nothing_here() {
    let droppers = Arc::new(Mutex::new(Vec::<ThreadId>::new()));
    let domain = Domain::new(None);
    let mut same_record = false;
    for _ in 0..if cfg!(miri) { 4 } else { 20 } {
        let object = || {
            let droppers = Arc::clone(&droppers);
            Object {
                drops: counter(),
                then: move || {
                    let mut droppers = droppers.lock().expect("no panic under the lock");
                    droppers.push(thread::current().id());
                },
            }
        };
        let guard = domain.pin_owned();
        let first = thread::scope(|scope| {
            let gone = scope.spawn(|| {
                let guard = domain.pin();
                retire(&domain, object(), &guard);
                guard.thread_id()
            });
            gone.join().expect("no panic")
        });
        // A thread that has the record of the one that has gone, and garbage with it.
        let (second, id) = thread::scope(|scope| {
            let foreign = scope.spawn(move || {
                guard.flush();
                (guard.thread_id(), thread::current().id())
            });
            foreign.join().expect("no panic")
        });
        same_record |= first == second;
        let droppers = droppers.lock().expect("no panic under the lock");
        assert!(!droppers.contains(&id), "dropped by a mere visitor");
    }
    assert!(same_record, "the case that matters did not occur");
}

#[test]
#[cfg_attr(atomshard_seize, ignore = "there what is small waits otherwise")]
fn miri_what_is_small_waits_and_ends_with_a_flush_or_the_domain() {
    let (domain, ended) = (Domain::<u64>::new(None), counter());
    /// Counts itself.
    ///
    /// # Safety
    /// `at` was a reference to a counter that is there.
    unsafe fn end(at: *mut u8) {
        // SAFETY: the caller's contract.
        let ended = unsafe { &*at.cast::<AtomicUsize>() };
        // ORD: Relaxed — a count.
        ended.fetch_add(1, Ordering::Relaxed);
    }
    let at = Arc::as_ptr(&ended).cast_mut().cast();
    let defer = |bytes| {
        let guard = domain.pin();
        // SAFETY: the counter is there until the domain has ended; it may be counted as often as it is deferred.
        unsafe { domain.defer(at, end, bytes, &guard) };
    };
    defer(1024);
    assert_eq!(count(&ended), 0);
    assert!(eventually(|| {
        domain.pin().flush();
        count(&ended) == 1
    }));
    defer(1024);
    drop(domain);
    assert_eq!(count(&ended), 2);
}

#[test]
#[cfg_attr(atomshard_seize, ignore = "there objects are counted, and no slots")]
fn miri_what_waits_is_counted_until_it_is_freed() {
    let domain = Domain::<[u64; 5]>::new(None);
    let guard = domain.pin();
    let object = domain.alloc(&guard);
    domain.give_back(object, &guard);
    assert_eq!(domain.retired_bytes(), 0, "nobody has seen it");
    retire(&domain, [0; 5], &guard);
    let object = domain.alloc(&guard);
    // SAFETY: complete enough for an end that does nothing, never linked, retired once.
    unsafe { domain.retire_with(object, |_| (), &guard) };
    // SAFETY: an end that does nothing may be called with whatever it is.
    unsafe { domain.defer(core::ptr::null_mut(), |_| (), usize::MAX, &guard) };
    assert_eq!(domain.retired_bytes(), 2 * 40, "slots, and nothing else");
    // What another thread leaves is its heap's, and then that of who flushes.
    thread::scope(|scope| {
        let gone = scope.spawn(|| retire(&domain, [0; 5], &domain.pin()));
        gone.join().expect("no panic");
    });
    guard.flush();
    assert_eq!(domain.retired_bytes(), 3 * 40);
    drop(guard);
    assert!(eventually(|| {
        domain.pin().flush();
        domain.retired_bytes() == 0
    }));
}

#[test]
fn miri_an_owned_guard_that_ends_elsewhere_drops_nothing_there() {
    // `seize` takes no batch of fewer than the guards that are alive.
    const EACH: usize = 3;
    let droppers = Arc::new(Mutex::new(Vec::<ThreadId>::new()));
    let dropped = || droppers.lock().expect("no panic under the lock").clone();
    let domain = Domain::new(None);
    let here = thread::current().id();
    for round in 0..2 {
        let mut guard = domain.pin_owned();
        for _ in 0..EACH {
            let droppers = Arc::clone(&droppers);
            let then = move || {
                let mut droppers = droppers.lock().expect("no panic under the lock");
                droppers.push(thread::current().id());
            };
            let drops = counter();
            retire(&domain, Object { drops, then }, &domain.pin());
        }
        domain.pin().flush();
        assert_eq!(dropped().len(), round * EACH, "dropped under a guard");
        // It was the last that held them up.
        let end = move || {
            if round == 0 {
                guard.refresh();
                guard.flush();
            }
            drop(guard);
        };
        thread::scope(|scope| scope.spawn(end).join().expect("no panic"));
        assert_eq!(dropped().len(), round * EACH, "dropped by a mere visitor");
        assert!(eventually(|| {
            domain.pin().flush();
            dropped().len() == (round + 1) * EACH
        }));
    }
    assert_eq!(dropped(), [here; 2 * EACH]);
}
