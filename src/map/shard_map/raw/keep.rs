//! Entries that outlive the guard under which they were found: held in the map, or taken out of it.
//!
//! Invariants: I1 and I3 of the [parent module](super), and
//! - I5. A held entry is not freed before its map ends (`reclaim::hold`), and its keeper keeps the map.
//! - I6. A detached entry was unlinked by who has it and is not retired. It ends once: it is retired, or
//!   read out and given back.

use super::find::Found;
use super::{Entry, RawMap};
use crate::reclaim::{Domain, Grace};
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use equivalent::Equivalent;
use std::sync::Arc;

/// A handle that keeps what it leads to, where it is, as long as it or a clone of it lives.
///
/// # Safety
/// It does.
#[expect(
    unnameable_types,
    reason = "named by the sealed half of `MapHandle` only"
)]
pub unsafe trait Keeper: Clone {}

// SAFETY: I5: what is borrowed neither moves nor ends.
unsafe impl<T> Keeper for &T {}
// SAFETY: I5: an `Arc` shares a place of its own, and while a clone is there nobody has it alone.
unsafe impl<T> Keeper for Arc<T> {}

/// An entry that is held.
pub(crate) struct Held<K, V, H> {
    entry: NonNull<Entry<K, V>>,
    /// Keeps the map.
    keeper: H,
}

// SAFETY: I5: the entry is as good as the map. If the keeper can be sent, the map is shared between
// threads, so K and V are `Send` and `Sync`; asked for all the same.
unsafe impl<K: Send + Sync, V: Send + Sync, H: Send> Send for Held<K, V, H> {}
// SAFETY: I5: as above; by reference it gives out `&K`, `&V` and more of itself.
unsafe impl<K: Send + Sync, V: Send + Sync, H: Send + Sync> Sync for Held<K, V, H> {}

impl<K, V, H: Keeper> Held<K, V, H> {
    /// Holds the entry of `key` in the map that the keeper leads to.
    pub(crate) fn find<Q>(
        keeper: H,
        raw: impl FnOnce(&H) -> &RawMap<K, V>,
        hash: u64,
        key: &Q,
    ) -> Option<Self>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let map = raw(&keeper);
        let guard = map.domain.pin();
        let entry = map.get(hash, key, &guard)?;
        map.domain.hold(entry, &guard);
        let entry = NonNull::from(entry);
        drop(guard);
        Some(Self { entry, keeper })
    }
}

impl<K, V, H> Held<K, V, H> {
    /// The entry.
    #[inline]
    pub(crate) fn entry(&self) -> &Entry<K, V> {
        // SAFETY: I5.
        unsafe { self.entry.as_ref() }
    }
}

impl<K, V, H: Keeper> Clone for Held<K, V, H> {
    fn clone(&self) -> Self {
        Domain::hold_again(self.entry());
        Self {
            entry: self.entry,
            keeper: self.keeper.clone(),
        }
    }
}

impl<K, V, H> Drop for Held<K, V, H> {
    fn drop(&mut self) {
        Domain::end_hold(self.entry());
    }
}

/// An entry that was taken out of its map, while others may still read it.
pub(crate) struct Detached<'m, K, V> {
    map: &'m RawMap<K, V>,
    entry: NonNull<Entry<K, V>>,
    /// Since somebody asked for the entry.
    grace: Option<Grace>,
}

// SAFETY: I6: the entry is this one's to end, on whatever thread; others may be reading it, or the
// hasher and the map be shared with them, so that K and V must be `Sync` too.
unsafe impl<K: Send + Sync, V: Send + Sync> Send for Detached<'_, K, V> {}
// SAFETY: I6: by reference it gives out `&K` and `&V`.
unsafe impl<K: Send + Sync, V: Send + Sync> Sync for Detached<'_, K, V> {}

impl<K, V> RawMap<K, V> {
    /// Takes the entry of `key` out without retiring it.
    pub(crate) fn detach<Q>(&self, hash: u64, key: &Q) -> Option<Detached<'_, K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let guard = self.domain.pin();
        loop {
            let place = self.locate(hash, key, &guard)?;
            let Found::Member {
                slot, word, depth, ..
            } = place.found
            else {
                return None;
            };
            if self.unlink(hash, &place, slot, word, depth, &guard) {
                return Some(Detached {
                    map: self,
                    entry: Self::pointer(word),
                    grace: None,
                });
            }
        }
    }
}

impl<K, V> Detached<'_, K, V> {
    /// The entry.
    pub(crate) fn entry(&self) -> &Entry<K, V> {
        // SAFETY: I6: not retired, so not freed.
        unsafe { self.entry.as_ref() }
    }

    /// What the entry holds, if nobody else can see it any more.
    pub(crate) fn try_read_out(mut self) -> Result<Entry<K, V>, Self> {
        let domain = &self.map.domain;
        let grace = self.grace.take().or_else(|| domain.grace().ok());
        let is_alone = |grace| domain.is_alone(self.entry(), grace);
        if !grace.as_ref().is_some_and(is_alone) {
            self.grace = grace;
            return Err(self);
        }
        let ended = ManuallyDrop::new(self);
        // SAFETY: I6: nobody else sees the entry any more, and `ended` does not end it again.
        let entry = unsafe { ended.entry.read() };
        domain.give_back(ended.entry, &domain.pin());
        Ok(entry)
    }
}

impl<K, V> Drop for Detached<'_, K, V> {
    fn drop(&mut self) {
        let domain = &self.map.domain;
        // SAFETY: I6.
        unsafe { domain.retire(self.entry, &domain.pin()) };
    }
}
