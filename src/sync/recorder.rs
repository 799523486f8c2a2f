//! For tests of the traced body: records what one thread does.

use super::trace::{Access, Kind, set_hook};
use core::cell::RefCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The hook is one for the process: tests that install one take turns.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local!(pub(crate) static SEEN: RefCell<Option<Vec<Access>>> = const { RefCell::new(None) });

/// Every test's threads call the hook while it is installed: only one that asked records.
pub(crate) fn record(access: &Access) {
    // What lies where is no access.
    if matches!(access.kind, Kind::Objects(_)) {
        return;
    }
    SEEN.with_borrow_mut(|seen| {
        if let Some(seen) = seen {
            seen.push(*access);
        }
    });
}

/// What this thread does while `work` runs.
pub(crate) fn recorded(work: impl FnOnce()) -> Vec<Access> {
    let _turn = turn();
    set_hook(Some(record));
    SEEN.set(Some(Vec::new()));
    work();
    set_hook(None);
    SEEN.take().unwrap_or_default()
}
