//! R3: a pile of free objects changes hands with what its last users did, and goes to one.

use crate::reclaim::depot::Depot;
use crate::reclaim::pile::Pile;
use core::ptr::NonNull;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

/// The memory of an object, which piles write to, and what stands for its use.
#[repr(C)]
struct Object {
    memory: u64,
    used: UnsafeCell<u64>,
}

/// Objects without a sharer of their own: loom checks who uses them.
struct Objects(Vec<NonNull<u64>>);

// SAFETY: loom's cells check at run time what `Send` promises: a race fails the model.
#[expect(unsafe_code, reason = "loom's cell is the checker of the race itself")]
unsafe impl Send for Objects {}

impl Objects {
    fn new(count: usize) -> Self {
        let object = || Object {
            memory: 0,
            used: UnsafeCell::new(0),
        };
        let leaked = || NonNull::from(Box::leak(Box::new(object()))).cast();
        Self((0..count).map(|_| leaked()).collect())
    }

    /// Uses every object, as one does who has them alone.
    fn used(self) -> Self {
        for object in &self.0 {
            // SAFETY: models leak their objects.
            #[expect(unsafe_code, reason = "objects go about as raw pointers")]
            let object = unsafe { object.cast::<Object>().as_ref() };
            object.used.with_mut(|place| {
                // SAFETY: whoever has the object has it alone; loom checks that.
                #[expect(unsafe_code, reason = "loom's cell hands out raw pointers")]
                unsafe {
                    *place += 1;
                }
            });
        }
        self
    }

    fn piled(self) -> Pile<u64> {
        let mut pile = Pile::new();
        for object in self.0 {
            // SAFETY: eight bytes of the object's own, and nobody else has it.
            #[expect(unsafe_code, reason = "objects go about as raw pointers")]
            unsafe {
                pile.push(object);
            }
        }
        pile
    }
}

/// Takes a pile, if there is one, and uses its objects; how many it had.
fn take(depot: &Depot<u64>) -> usize {
    depot.take().map_or(0, |mut pile| {
        let objects = core::iter::from_fn(|| pile.pop()).collect();
        Objects(objects).used().0.len()
    })
}

/// Takes what is left.
fn take_rest(depot: &Depot<u64>) -> usize {
    core::iter::from_fn(|| Some(take(depot)).filter(|&count| count != 0)).sum()
}

#[test]
fn loom_r3_batches_go_to_one_taker_each() {
    loom::model(|| {
        let depot = Arc::new(Depot::new());
        let mine = Objects::new(1).used();
        let other = {
            let depot = Arc::clone(&depot);
            let theirs = Objects::new(2).used();
            thread::spawn(move || {
                depot.push(theirs.used().piled());
                take(&depot)
            })
        };
        depot.push(mine.piled());
        let mut taken = take(&depot);
        taken += other.join().expect("the other thread does not panic");
        assert_eq!(taken + take_rest(&depot), 3, "each object once");
    });
}

/// Who takes one of several puts the others back, whoever pushes or takes meanwhile.
#[test]
fn loom_r3_what_is_put_back_is_not_lost() {
    loom::model(|| {
        let depot = Arc::new(Depot::new());
        for _ in 0..2 {
            depot.push(Objects::new(1).used().piled());
        }
        let other = {
            let depot = Arc::clone(&depot);
            let theirs = Objects::new(1);
            thread::spawn(move || {
                depot.push(theirs.used().piled());
                take(&depot)
            })
        };
        let mut taken = take(&depot);
        taken += other.join().expect("the other thread does not panic");
        assert_eq!(taken + take_rest(&depot), 3, "each object once");
    });
}
