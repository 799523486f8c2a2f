//! R2: what a grace period frees has been read for the last time.

use crate::reclaim::registry::{Record, Registry};
use crate::sync::{AtomicUsize, Ordering};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

/// A registry, and a word that leads to one of two objects. Loom checks the objects.
struct Shared {
    registry: Registry,
    word: AtomicUsize,
    objects: [UnsafeCell<u64>; 2],
}

// SAFETY: loom's cells check at run time what `Sync` promises: a race fails the model.
#[expect(unsafe_code, reason = "loom's cell is the checker of the race itself")]
unsafe impl Sync for Shared {}

const FREED: u64 = 9;

/// A reader stops in its pin, a writer after meeting it, and the reader again in its next pin: more
/// switches than other models are given.
fn model(f: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(4);
    model.check(f);
}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            registry: Registry::new(),
            word: AtomicUsize::new(0),
            objects: [UnsafeCell::new(1), UnsafeCell::new(2)],
        })
    }

    /// Reads what the word leads to, pinned.
    fn read(&self, record: &Record) {
        record.enter();
        self.look(self.find());
        record.leave();
    }

    fn find(&self) -> usize {
        // ORD: Relaxed — both objects are older than the thread.
        self.word.load(Ordering::Relaxed)
    }

    fn look(&self, at: usize) {
        self.objects[at].with(|place| {
            // SAFETY: the pin keeps the object; loom checks that.
            #[expect(unsafe_code, reason = "loom's cell hands out raw pointers")]
            let value = unsafe { *place };
            assert_ne!(value, FREED, "read after it was freed");
        });
    }

    /// Unlinks the first object, and frees it if the grace period is over soon.
    fn unlink_and_free(&self) {
        // ORD: Relaxed — ordered before the look at the pins by the heavy barrier.
        self.word.store(1, Ordering::Relaxed);
        let grace = self.registry.grace().expect("the model has a barrier");
        if grace.is_over() || grace.is_over() {
            self.objects[0].with_mut(|place| {
                // SAFETY: the grace period is over; loom checks that nobody reads.
                #[expect(unsafe_code, reason = "loom's cell hands out raw pointers")]
                unsafe {
                    *place = FREED;
                }
            });
        }
    }
}

/// The second pin begins by a store of its own, which the writer may see in place of the end of the
/// first.
#[test]
fn loom_r2_what_is_freed_has_been_read_for_the_last_time() {
    model(|| {
        let shared = Shared::new();
        let record = shared.registry.lease();
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.read(record);
                shared.read(record);
            })
        };
        shared.unlink_and_free();
        reader.join().expect("the reader does not panic");
    });
}

/// A guard comes and goes between the finding and the look.
#[test]
fn loom_r2_a_nested_pin_does_not_end_the_outer_one() {
    model(|| {
        let shared = Shared::new();
        let record = shared.registry.lease();
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                record.enter();
                let at = shared.find();
                record.enter();
                record.leave();
                shared.look(at);
                record.leave();
            })
        };
        shared.unlink_and_free();
        reader.join().expect("the reader does not panic");
    });
}

/// The writer may see that the first pin has ended by a store of a guard inside another.
#[test]
fn loom_r2_each_store_after_a_pin_passes_on_its_end() {
    model(|| {
        let shared = Shared::new();
        let record = shared.registry.lease();
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.read(record);
                record.enter();
                record.enter();
                record.leave();
                record.leave();
            })
        };
        shared.unlink_and_free();
        reader.join().expect("the reader does not panic");
    });
}

/// The record is as young as the pin.
#[test]
fn loom_r2_a_thread_that_comes_late_is_met_or_sees_the_unlinking() {
    model(|| {
        let shared = Shared::new();
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let record = shared.registry.lease();
                shared.read(record);
                record.give_back();
            })
        };
        shared.unlink_and_free();
        reader.join().expect("the reader does not panic");
    });
}
