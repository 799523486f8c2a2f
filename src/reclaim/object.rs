//! What a domain is told of its objects: who holds them, and how they end.

use super::contain;
use super::hold::Holds;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;
use std::sync::Arc;

/// What a domain asks of its objects.
pub(crate) trait Object {
    /// The word that counts who holds the object, if it can be held.
    fn holds(&self) -> Option<&Holds> {
        None
    }
}

/// Takes each object at its end, in place of its destructor.
pub(crate) struct Hook<T>(Arc<dyn Fn(T) + Send + Sync>);

// What a hook panics with is contained, and it may be called again, as a destructor's is and may.
impl<T> UnwindSafe for Hook<T> {}
impl<T> RefUnwindSafe for Hook<T> {}

impl<T> Hook<T> {
    /// A hook that calls `f`.
    pub(crate) fn new(f: impl Fn(T) + Send + Sync + 'static) -> Self {
        Self(Arc::new(f))
    }

    /// Gives the object to the hook.
    pub(crate) fn end(&self, object: T) {
        contain(|| (self.0)(object));
    }
}

/// Gives an object to the hook if there is one, and else drops it.
///
/// # Safety
/// The object is complete, and nobody uses it any more.
pub(super) unsafe fn end_object<T>(hook: Option<&Hook<T>>, object: NonNull<T>) {
    if let Some(hook) = hook {
        // SAFETY: the caller's contract.
        hook.end(unsafe { object.read() });
    } else if core::mem::needs_drop::<T>() {
        // SAFETY: the caller's contract.
        contain(|| unsafe { object.as_ptr().drop_in_place() });
    }
}

impl<T> Clone for Hook<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
