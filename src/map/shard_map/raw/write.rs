//! Writes: insert, remove and compute. Each loops: find the bucket, try one exchange.
//!
//! Replacing linearizes at the exchange of the slot from the old entry to the new one, removing at
//! the exchange from the entry to vacant. Both are from the exact word that the scan met, so the
//! old value handed out is the one that was there.
//!
//! Invariants: I1 and I3 of the [parent module](super).

use super::entry::Fresh;
use super::find::{Found, Place};
use super::{Entry, Inserted, RawMap};
use crate::map::{Compute, Operation};
use crate::reclaim::Guard;
use crate::table::{Slot, Word};
use core::ptr::NonNull;
use equivalent::Equivalent;

/// `Ok(Some)` removed, `Ok(None)` absent, `Err` present but the condition said no.
type Removed<'g, K, V> = Result<Option<&'g Entry<K, V>>, &'g Entry<K, V>>;

impl<K, V> RawMap<K, V> {
    /// Inserts an entry, or with `replace` replaces the present one.
    pub(crate) fn insert<'g, G: Guard>(
        &self,
        hash: u64,
        key: K,
        value: V,
        replace: bool,
        guard: &'g G,
    ) -> Inserted<'g, K, V>
    where
        K: Eq,
    {
        // The allocation of the entry hides part of the miss on the bucket.
        self.prefetch(hash, guard);
        let mut fresh = Fresh::new(&self.domain, hash, key, guard);
        fresh.set_value(value);
        match self.insert_once(hash, replace, &mut fresh, guard) {
            Some(inserted) => inserted,
            None => self.insert_again(hash, replace, fresh, guard),
        }
    }

    /// Inserts or replaces, unless the bucket changes meanwhile.
    #[inline(always)] // Twice: in `insert`, and in the loop below.
    fn insert_once<'g, G: Guard>(
        &self,
        hash: u64,
        replace: bool,
        fresh: &mut Fresh<'_, 'g, K, V, G>,
        guard: &'g G,
    ) -> Option<Inserted<'g, K, V>>
    where
        K: Eq,
    {
        // SAFETY: I1: the reference is not used after this call, while `fresh` is there.
        let place = self.locate_or_init(hash, unsafe { fresh.key() }, guard);
        match place.found {
            Found::Member {
                slot, word, entry, ..
            } if replace => {
                slot.cas(word, fresh.member(word.tag())).ok()?;
                fresh.publish();
                self.retire(word, guard);
                Some(Inserted::Replaced { old: entry })
            }
            Found::Member { entry, .. } => Some(Inserted::Occupied {
                current: entry,
                value: fresh.take_value()?,
            }),
            Found::Absent { .. } => self.attempt(hash, &place, fresh, guard).map(Inserted::New),
        }
    }

    /// Goes on after a failure. Apart from `insert`, whose registers the loop would fill.
    #[cold]
    #[inline(never)]
    fn insert_again<'g, G: Guard>(
        &self,
        hash: u64,
        replace: bool,
        mut fresh: Fresh<'_, 'g, K, V, G>,
        guard: &'g G,
    ) -> Inserted<'g, K, V>
    where
        K: Eq,
    {
        loop {
            if let Some(inserted) = self.insert_once(hash, replace, &mut fresh, guard) {
                return inserted;
            }
        }
    }

    /// Removes an entry if `f` says so.
    pub(crate) fn remove_if<'g, Q>(
        &self,
        hash: u64,
        key: &Q,
        mut f: impl FnMut(&'g K, &'g V) -> bool,
        guard: &'g impl Guard,
    ) -> Removed<'g, K, V>
    where
        Q: Equivalent<K> + ?Sized,
    {
        match self.remove_once(hash, key, &mut f, guard) {
            Some(removed) => removed,
            None => self.remove_again(hash, key, f, guard),
        }
    }

    /// `remove_if`, unless the slot changes meanwhile.
    #[inline(always)] // Twice: in `remove_if`, and in the loop below.
    fn remove_once<'g, Q>(
        &self,
        hash: u64,
        key: &Q,
        f: &mut impl FnMut(&'g K, &'g V) -> bool,
        guard: &'g impl Guard,
    ) -> Option<Removed<'g, K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let Some(place) = self.locate(hash, key, guard) else {
            return Some(Ok(None));
        };
        let Found::Member {
            slot,
            word,
            entry,
            depth,
        } = place.found
        else {
            return Some(Ok(None));
        };
        if !f(&entry.key, &entry.value) {
            return Some(Err(entry));
        }
        if !self.unlink(hash, &place, slot, word, depth, guard) {
            return None;
        }
        self.retire(word, guard);
        Some(Ok(Some(entry)))
    }

    /// Goes on after a failure.
    #[cold]
    #[inline(never)] // As `insert_again`.
    fn remove_again<'g, Q>(
        &self,
        hash: u64,
        key: &Q,
        mut f: impl FnMut(&'g K, &'g V) -> bool,
        guard: &'g impl Guard,
    ) -> Removed<'g, K, V>
    where
        Q: Equivalent<K> + ?Sized,
    {
        loop {
            if let Some(removed) = self.remove_once(hash, key, &mut f, guard) {
                return removed;
            }
        }
    }

    /// Inserts, replaces or removes as `f` says, after what it saw has been confirmed.
    pub(crate) fn compute<'g, T, G: Guard>(
        &self,
        hash: u64,
        key: K,
        mut f: impl FnMut(Option<(&'g K, &'g V)>) -> Operation<V, T>,
        guard: &'g G,
    ) -> Compute<'g, K, V, T>
    where
        K: Eq,
    {
        let mut fresh = Fresh::new(&self.domain, hash, key, guard);
        // What `f` made for an absent key, while the key has turned up: it is not asked again.
        let mut spare = None;
        loop {
            // SAFETY: I1: the reference is not used after this turn of the loop, while `fresh` is there.
            let place = self.locate_or_init(hash, unsafe { fresh.key() }, guard);
            match place.found {
                Found::Member {
                    slot,
                    word,
                    entry: old,
                    depth,
                } => match f(Some((&old.key, &old.value))) {
                    Operation::Abort(output) => return Compute::Aborted(output),
                    Operation::Remove => {
                        if self.unlink(hash, &place, slot, word, depth, guard) {
                            self.retire(word, guard);
                            return Compute::Removed(&old.key, &old.value);
                        }
                    }
                    Operation::Insert(value) => {
                        fresh.set_value(value);
                        if slot.cas(word, fresh.member(word.tag())).is_ok() {
                            let new = fresh.publish();
                            self.retire(word, guard);
                            return Compute::Updated {
                                old: (&old.key, &old.value),
                                new: (&new.key, &new.value),
                            };
                        }
                    }
                },
                Found::Absent { .. } => {
                    let operation = match spare.take() {
                        Some(value) => Operation::Insert(value),
                        None => f(None),
                    };
                    match operation {
                        Operation::Abort(output) => return Compute::Aborted(output),
                        Operation::Remove => panic!("`compute` was asked to remove an absent key"),
                        Operation::Insert(value) => {
                            fresh.set_value(value);
                            match self.attempt(hash, &place, &mut fresh, guard) {
                                Some(new) => return Compute::Inserted(&new.key, &new.value),
                                None => spare = fresh.take_value(),
                            }
                        }
                    }
                }
            }
        }
    }

    /// Takes a member out of its slot; says whether it was still there. Then the entry is the caller's to
    /// [retire](Self::retire), or to keep.
    pub(super) fn unlink<'g>(
        &self,
        hash: u64,
        place: &Place<'g, K, V>,
        slot: &'g Slot,
        word: Word,
        depth: usize,
        guard: &'g impl Guard,
    ) -> bool {
        if slot.cas(word, Word::vacant()).is_err() {
            return false;
        }
        self.domain.count(-1, guard);
        if depth == 1 {
            place.table.spill(-1);
        }
        self.shrink_if_sparse(hash, place.table, guard);
        true
    }

    /// Hands the entry that an unlinked word carries to the collector.
    #[inline]
    pub(super) fn retire(&self, word: Word, guard: &impl Guard) {
        // SAFETY: I3: the exchange that unlinked the entry succeeded once.
        unsafe { self.domain.retire(Self::pointer(word), guard) };
    }

    /// The entry of a member word. The pointer is the allocation's; one made from a reference to the
    /// entry could not be freed.
    #[inline]
    pub(super) fn pointer(word: Word) -> NonNull<Entry<K, V>> {
        match NonNull::new(word.address()) {
            Some(entry) => entry.cast(),
            None => unreachable!("a member carries an address"),
        }
    }

    /// [`locate`](Self::locate), in a map that may have no table yet.
    #[inline(always)] // As `locate`.
    fn locate_or_init<'g, Q>(&self, hash: u64, key: &Q, guard: &'g impl Guard) -> Place<'g, K, V>
    where
        Q: Equivalent<K> + ?Sized,
    {
        if let Some(place) = self.locate(hash, key, guard) {
            return place;
        }
        self.init_and_locate(hash, key, guard)
    }

    #[cold]
    #[inline(never)]
    fn init_and_locate<'g, Q>(&self, hash: u64, key: &Q, guard: &'g impl Guard) -> Place<'g, K, V>
    where
        Q: Equivalent<K> + ?Sized,
    {
        loop {
            self.init();
            if let Some(place) = self.locate(hash, key, guard) {
                return place;
            }
        }
    }
}
