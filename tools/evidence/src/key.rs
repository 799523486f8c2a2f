//! A key whose `Eq` and `Hash` are places where things happen.
//!
//! `Hash` runs before an operation looks at the table; `Eq` and the closures of `compute` and its
//! kin run in the middle of it, after it has found its place and before it writes. A test can
//! let a thread yield or sleep at these points at random, which preempts it where it hurts, or
//! run a hook at one of them: other operations on the same map, between two steps of one
//! operation. That makes races deterministic without a change to the map.

use core::cell::{Cell, RefCell};
use core::hash::{Hash, Hasher};
use core::time::Duration;

/// A number as a key.
#[derive(Clone, Copy, Debug)]
pub struct Key(pub u64);

type Hook = Box<dyn FnOnce()>;

thread_local! {
    /// Random state of this thread's disturbance; 0 is off.
    static DISTURB: Cell<u64> = const { Cell::new(0) };
    /// Runs on this thread when so many more points have been passed.
    static HOOK: RefCell<Option<(u32, Hook)>> = const { RefCell::new(None) };
}

/// From now on, this thread yields or sleeps at random inside operations on [`Key`]s.
pub fn disturb_this_thread(seed: u64) {
    DISTURB.set(seed | 1);
}

/// A point in the middle of an operation: runs the hook if it is due, perhaps yields or sleeps.
pub fn point() {
    let due = HOOK.with_borrow_mut(|hook| {
        if let Some((left, _)) = hook {
            *left -= 1;
        }
        hook.take_if(|(left, _)| *left == 0)
    });
    if let Some((_, hook)) = due {
        hook();
    }
    let seed = DISTURB.get();
    if seed == 0 {
        return;
    }
    let mut rng = fastrand::Rng::with_seed(seed);
    DISTURB.set(rng.u64(..) | 1);
    match rng.u32(0..256) {
        0 => std::thread::sleep(Duration::from_micros(50)),
        1..16 => std::thread::yield_now(),
        _ => {}
    }
}

/// Runs `hook` at the `n`-th point that this thread comes to from now on (1 is the next).
pub fn at_point(n: u32, hook: impl FnOnce() + 'static) {
    HOOK.with_borrow_mut(|h| *h = Some((n.max(1), Box::new(hook))));
}

/// Takes back a hook that has not run. Returns whether there was one.
pub fn take_hook() -> bool {
    HOOK.with_borrow_mut(Option::take).is_some()
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        point();
        self.0 == other.0
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}
