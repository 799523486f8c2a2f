//! A key whose `Eq` and `Hash` are places where things happen.
//!
//! `Hash` runs before an operation looks at the table, `Eq` in the middle of it. A test can let
//! a thread yield or sleep there at random, which preempts it where it hurts, or run a hook
//! there once: another thread's or this thread's own operations on the same map, between two
//! steps of one operation. That makes races deterministic without touching the map.

use core::cell::{Cell, RefCell};
use core::hash::{Hash, Hasher};
use std::time::Duration;

/// A number as a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key(pub(crate) u64);

type Hook = Box<dyn FnOnce()>;

thread_local! {
    /// Random state of this thread's disturbance; 0 is off.
    static DISTURB: Cell<u64> = const { Cell::new(0) };
    /// Runs at the next comparison on this thread.
    static AT_EQ: RefCell<Option<Hook>> = const { RefCell::new(None) };
    /// Countdown to a panic in `Eq`; 0 is off.
    static PANIC_AT_EQ: Cell<u64> = const { Cell::new(0) };
    /// Countdown to a panic in `Hash`; 0 is off.
    static PANIC_AT_HASH: Cell<u64> = const { Cell::new(0) };
}

/// From now on, this thread yields or sleeps at random inside operations on [`Key`]s.
pub(crate) fn disturb_this_thread(seed: u64) {
    DISTURB.set(seed | 1);
}

/// Perhaps yields or sleeps, if this thread is disturbed.
pub(crate) fn disturbance() {
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

/// Runs `hook` at this thread's next comparison of keys, once.
pub(crate) fn at_next_comparison(hook: impl FnOnce() + 'static) {
    AT_EQ.with_borrow_mut(|h| *h = Some(Box::new(hook)));
}

/// Takes back a hook that has not run. Returns whether there was one.
pub(crate) fn take_hook() -> bool {
    AT_EQ.with_borrow_mut(Option::take).is_some()
}

/// The `n`-th comparison on this thread panics (1 is the next one).
pub(crate) fn panic_at_comparison(n: u64) {
    PANIC_AT_EQ.set(n);
}

/// The `n`-th hashing on this thread panics (1 is the next one).
pub(crate) fn panic_at_hash(n: u64) {
    PANIC_AT_HASH.set(n);
}

fn count_down(cell: &'static std::thread::LocalKey<Cell<u64>>, what: &str) {
    match cell.get() {
        0 => {}
        1 => {
            cell.set(0);
            panic!("{what} panics as asked");
        }
        n => cell.set(n - 1),
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        count_down(&PANIC_AT_EQ, "Eq");
        let hook = AT_EQ.with_borrow_mut(Option::take);
        if let Some(hook) = hook {
            hook();
        }
        disturbance();
        self.0 == other.0
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        count_down(&PANIC_AT_HASH, "Hash");
        disturbance();
        state.write_u64(self.0);
    }
}
