//! R3: a batch of free objects changes hands with what its last users did, and goes to one.

use crate::reclaim::depot::Depot;
use core::ptr::NonNull;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

type Object = UnsafeCell<u64>;

/// Objects without a sharer of their own: loom checks who uses them.
struct Objects(Vec<NonNull<Object>>);

// SAFETY: loom's cells check at run time what `Send` promises: a race fails the model.
#[expect(unsafe_code, reason = "loom's cell is the checker of the race itself")]
unsafe impl Send for Objects {}

impl Objects {
    /// Uses every object, as one does who has them alone; how many there are.
    fn used(self) -> (Self, usize) {
        for object in &self.0 {
            // SAFETY: models leak their objects.
            #[expect(unsafe_code, reason = "objects go about as raw pointers")]
            let object = unsafe { object.as_ref() };
            object.with_mut(|place| {
                // SAFETY: whoever has the object has it alone; loom checks that.
                #[expect(unsafe_code, reason = "loom's cell hands out raw pointers")]
                unsafe {
                    *place += 1;
                }
            });
        }
        let count = self.0.len();
        (self, count)
    }
}

fn objects(count: usize) -> Objects {
    let object = || NonNull::from(Box::leak(Box::new(UnsafeCell::new(0))));
    Objects((0..count).map(|_| object()).collect())
}

/// Takes a batch, if there is one, and uses it; how many objects it had.
fn take(depot: &Depot<Object>) -> usize {
    depot.take().map_or(0, |batch| Objects(batch).used().1)
}

#[test]
fn loom_r3_batches_go_to_one_taker_each() {
    loom::model(|| {
        let depot = Arc::new(Depot::new());
        let mine = objects(1).used().0;
        let other = {
            let depot = Arc::clone(&depot);
            let theirs = objects(2).used().0;
            thread::spawn(move || {
                depot.push(theirs.used().0.0);
                take(&depot)
            })
        };
        depot.push(mine.0);
        let mut taken = take(&depot);
        taken += other.join().expect("the other thread does not panic");
        loop {
            match take(&depot) {
                0 => break,
                more => taken += more,
            }
        }
        assert_eq!(taken, 3, "each object once");
    });
}
