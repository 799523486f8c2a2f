//! The first hold of a map, against the freeing of that entry: numbers are freed by lists, without a look at each.
#![cfg(atomshard_traced)]

use atomshard::trace::Access;
use atomshard::{Guard as _, ShardMap};
use foldhash::fast::FixedState;
use schedule::{Director, Threads, run};

/// The thread that holds the entry, and the one that frees it.
const HOLDER: usize = 1;
const FREER: usize = 2;
/// Accesses of the freeing before which the holder gets on, at most.
const ACCESSES: usize = 150;

/// The holder goes as far as its hold, and waits there, pinned, until the freer has made so many accesses; then it
/// goes on to its end.
struct Before {
    /// Accesses that the freer has before the holder goes on.
    left: usize,
    is_at_hold: bool,
}

impl Director for Before {
    fn freezes(&mut self, thread: usize, next: &Access) -> bool {
        self.is_at_hold |= thread == HOLDER && next.location.file().ends_with("hold.rs");
        false
    }
    fn choose(&mut self, ready: Threads, _: Threads, _: usize) -> usize {
        let wanted = if self.is_at_hold && self.left > 0 {
            FREER
        } else {
            HOLDER
        };
        if ready.contains(wanted) {
            wanted
        } else {
            ready.nth(0)
        }
    }
    fn observe(&mut self, thread: usize, _: &Access) {
        if thread == FREER && self.is_at_hold {
            self.left = self.left.saturating_sub(1);
        }
    }
}

/// The guard under which the entry is held ends before each access of the removal and the freeing.
#[test]
fn the_first_hold_of_a_map_keeps_its_entry() {
    const VALUE: u64 = 7;
    for left in 1..ACCESSES {
        let before = Before {
            left,
            is_at_hold: false,
        };
        let make = || {
            let map = ShardMap::<u64, u64, FixedState>::default();
            map.pin().insert(0, VALUE);
            map
        };
        let held = std::sync::Mutex::new(None);
        run(3, before, make, |map, thread| match thread {
            HOLDER => {
                let value = map.hold(&0).expect("it is there");
                schedule::meet();
                *held.lock().expect("no panic under the lock") = Some(*value);
            }
            FREER => {
                map.pin().remove(&0);
                map.guard().flush();
                for key in 1..9 {
                    map.pin().insert(key, 0);
                }
                schedule::meet();
            }
            _ => schedule::meet(),
        });
        let held = held.into_inner().expect("no panic under the lock");
        assert_eq!(
            held,
            Some(VALUE),
            "used again while it is held, after {left} accesses"
        );
    }
}
