//! R5: who finds that nobody holds an object any more comes after all that its holders read.

use super::Tracked;
use crate::reclaim::hold::Holds;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

/// An object that its last user changes.
struct Held {
    holds: Holds,
    content: UnsafeCell<Option<Tracked>>,
}

// SAFETY: loom's cell checks at run time what `Sync` promises: a race fails the model.
#[expect(unsafe_code, reason = "loom's cell is the checker of the race itself")]
unsafe impl Sync for Held {}

impl Held {
    /// Reads the content, then gives a hold back.
    fn read_and_give_back(&self) -> u64 {
        // SAFETY: held; loom checks that nobody has freed it.
        #[expect(unsafe_code, reason = "loom's cell hands out raw pointers")]
        let read = self
            .content
            .with(|place| unsafe { &*place }.as_ref().map_or(0, Tracked::get));
        self.holds.give_back();
        read
    }

    /// Ends the content unless somebody holds it; says whether it did.
    fn free(&self) -> bool {
        let is_free = !self.holds.is_held();
        if is_free {
            // SAFETY: nobody holds it any more; loom checks that their reads are done.
            #[expect(unsafe_code, reason = "loom's cell hands out raw pointers")]
            self.content.with_mut(|place| unsafe { *place = None });
        }
        is_free
    }
}

#[test]
fn loom_r5_an_object_is_freed_after_its_holders_reads() {
    loom::model(|| {
        let held = Arc::new(Held {
            holds: Holds::new(0),
            content: UnsafeCell::new(Some(Tracked::new(7))),
        });
        held.holds.add();
        let other = {
            let held = Arc::clone(&held);
            thread::spawn(move || held.free())
        };
        // A second hold, made from the first.
        held.holds.add();
        let read = (held.read_and_give_back(), held.read_and_give_back());
        assert_eq!(read, (7, 7), "freed while it was held");
        let was_freed = other.join().expect("the other thread does not panic");
        assert!(was_freed || held.free());
    });
}
