//! Grace periods that the structure itself asks for.

use super::domain::Domain;
use super::registry::{self, Grace};
use super::{Guard, Object};
use crate::sync::MODEL;
use crate::sys::Unavailable;

impl<T: Object> Domain<T> {
    /// Begins the grace period of an object that the caller has unlinked and not retired.
    ///
    /// # Errors
    /// The kernel refused the barrier, or the allocator the memory; nothing has begun.
    pub(crate) fn grace(&self) -> Result<Grace, Unavailable> {
        registry::grace()
    }

    /// Begins the grace period of the guards that are alive, but for this one of the caller's. When it is over, they are done
    /// with what they have found before this call, and the others have found what the caller did before.
    ///
    /// # Errors
    /// As [`grace`](Self::grace); in models of whole maps, where nobody is pinned, none begins.
    pub(crate) fn grace_of_others(&self, guard: &impl Guard) -> Result<Grace, Unavailable> {
        if MODEL {
            return Err(Unavailable::here("models of whole maps pin nothing"));
        }
        let mut grace = self.grace()?;
        guard.with_record(|own| grace.leave_out(own));
        Ok(grace)
    }
}
