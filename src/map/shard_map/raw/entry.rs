//! Entries, and the one that an insert has in hand.
//!
//! Invariants:
//! - I1. An entry's memory is a slot of the map's domain.
//! - I2. `hash` and `key` are written before the address leaves this file and never again, but for the
//!   count of holds beside the hash; `value` is written before the entry becomes a member.
//! - I3. An entry that was ever in a slot is freed only through the guard's domain: others may
//!   still read it. Of an entry that never became a member, others read hash and key only.

use crate::reclaim::{Domain, Guard, HOLD_BITS, Holds, Object, SLOT_ALIGN, contain};
use crate::sync::{layout, note_objects, note_write};
use crate::table::hash::{MAX_LINE_BITS, SHARD_BITS};
use crate::table::{ALIGN, Slot, VERSIONS, Word};
use core::ptr::NonNull;

/// One immutable key-value pair; lives until no guard can see it.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Entry<K, V> {
    pub(crate) key: K,
    pub(crate) value: V,
    /// The bits of the hash that choose shard and line, read when a table's tags begin at another bit;
    /// and who holds the entry. Last, so that it pushes no value into a second line.
    hash: Holds,
}
const _: () = assert!(
    SHARD_BITS + MAX_LINE_BITS + HOLD_BITS <= u64::BITS,
    "the count leaves the bits that tables read"
);

impl<K, V> Object for Entry<K, V> {
    fn holds(&self) -> Option<&Holds> {
        Some(&self.hash)
    }
}

impl<K, V> Entry<K, V> {
    /// The hash, as far as tables read it.
    pub(super) fn hash(&self) -> u64 {
        self.hash.own()
    }
}

layout!(Entry<K, V>: key, value, hash; K, V);

/// Reads the hash of the entry at `address`.
///
/// # Safety
/// `address` is that of an entry of this type that is not freed yet.
pub(super) unsafe fn hash_of<K, V>(address: *mut u8) -> u64 {
    // SAFETY: I1, I2, and the caller's contract: the hash was written and never is again.
    unsafe { &(*address.cast::<Entry<K, V>>()).hash }.own()
}

/// Drops the key of an entry that never became a member and whose value is gone.
///
/// A destructor that panics ends here.
///
/// # Safety
/// Nobody else uses the entry any more, and nobody will.
unsafe fn end_key<K, V>(entry: *mut u8) {
    // SAFETY: the caller's contract; the place is inside the allocation.
    let key = unsafe { &raw mut (*entry.cast::<Entry<K, V>>()).key };
    if core::mem::needs_drop::<K>() {
        // SAFETY: the caller's contract; I2: the key was written.
        contain(|| unsafe { key.drop_in_place() });
    }
}

/// Ends an entry whose content has moved away: nothing is left to drop.
fn end_moved(_: *mut u8) {}

/// The entry that an insert has in hand: allocated, with a key, perhaps with a value, perhaps
/// claiming a slot. Dropping it takes the claim back and frees what is still its own.
pub(super) struct Fresh<'d, 'g, K, V, G: Guard> {
    entry: NonNull<Entry<K, V>>,
    domain: &'d Domain<Entry<K, V>>,
    guard: &'g G,
    has_value: bool,
    is_published: bool,
    /// Others may have seen the address.
    exposed: bool,
    version: u16,
    claim: Option<(&'g Slot, Word)>,
}

/// How a claim ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The entry is, or was, a member.
    Won,
    /// The entry is in hand again.
    Lost,
}

impl<'d, 'g, K, V, G: Guard> Fresh<'d, 'g, K, V, G> {
    #[inline]
    pub(super) fn new(domain: &'d Domain<Entry<K, V>>, hash: u64, key: K, guard: &'g G) -> Self {
        const { assert!(SLOT_ALIGN >= ALIGN, "a word carries the address of a slot") }
        let entry = domain.alloc(guard);
        let at = entry.as_ptr();
        note_objects(at, 1);
        // SAFETY: I1: the place is inside the new allocation.
        let hash_place = unsafe { &raw mut (*at).hash };
        // SAFETY: I1: as above, and nobody else has it.
        unsafe { hash_place.write(Holds::new(hash)) };
        note_write(hash_place);
        // SAFETY: I1: the place is inside the new allocation.
        let key_place = unsafe { &raw mut (*at).key };
        // SAFETY: I1: as above, and nobody else has it.
        unsafe { key_place.write(key) };
        note_write(key_place);
        Self {
            entry,
            domain,
            guard,
            has_value: false,
            is_published: false,
            exposed: false,
            version: 0,
            claim: None,
        }
    }

    /// The key, for as long as the guard: an entry is freed through the guard's domain once it is
    /// exposed, and until then the caller holds `self`.
    ///
    /// # Safety
    /// The reference is not used after `self` is dropped or taken apart.
    pub(super) unsafe fn key<'k>(&self) -> &'k K {
        // SAFETY: I2, and the caller's contract.
        unsafe { &(*self.entry.as_ptr()).key }
    }

    fn value_place(&self) -> *mut V {
        // SAFETY: I1: the place is inside the allocation.
        unsafe { &raw mut (*self.entry.as_ptr()).value }
    }

    /// Gives the entry a value, in place of the one it may have.
    pub(super) fn set_value(&mut self, value: V) {
        drop(self.take_value());
        // SAFETY: I2: the entry is not a member; nobody reads the value.
        unsafe { self.value_place().write(value) };
        note_write(self.value_place());
        self.has_value = true;
    }

    /// Takes the value back.
    pub(super) fn take_value(&mut self) -> Option<V> {
        if !self.has_value {
            return None;
        }
        self.has_value = false;
        // SAFETY: I2: the value was written, and the entry is not a member.
        Some(unsafe { self.value_place().read() })
    }

    /// The word by which the entry replaces a member. If the exchange works, call
    /// [`publish`](Self::publish).
    pub(super) fn member(&self, tag: u16) -> Word {
        debug_assert!(
            self.has_value && self.claim.is_none(),
            "only a complete entry is published"
        );
        Word::member(self.entry.as_ptr().cast::<u8>(), tag)
    }

    /// A new claim word. If the exchange works, call [`claimed`](Self::claimed).
    pub(super) fn next_claim(&mut self) -> Word {
        debug_assert!(
            self.has_value && self.claim.is_none(),
            "one claim at a time"
        );
        if self.version == VERSIONS {
            self.renew();
        }
        let word = Word::claim(self.entry.as_ptr().cast::<u8>(), self.version);
        self.version += 1;
        word
    }

    /// Moves to a new address, where the versions begin anew: a claim word must never come back
    /// while a helper may hold it.
    #[cold]
    fn renew(&mut self) {
        let entry = self.domain.alloc(self.guard);
        // SAFETY: I1: both are allocations of an entry; the entry is in hand, not claimed.
        unsafe {
            entry
                .as_ptr()
                .copy_from_nonoverlapping(self.entry.as_ptr(), 1)
        };
        // SAFETY: I3: the content has moved; only the memory is left to free.
        unsafe { self.domain.retire_with(self.entry, end_moved, self.guard) };
        self.entry = entry;
        // Still exposed: a helper may hold the key of the old copy, which shares what it owns.
        self.version = 0;
    }

    /// The slot holds the claim: others may see the entry.
    pub(super) fn claimed(&mut self, slot: &'g Slot, word: Word) {
        self.exposed = true;
        self.claim = Some((slot, word));
    }

    /// Reads how the claim ended, taking it back if it is still open.
    pub(super) fn resolve(&mut self) -> Fate {
        let Some((slot, claim)) = self.claim.take() else {
            return Fate::Lost;
        };
        let mut word = slot.load();
        loop {
            if word == claim.frozen() || word == claim.shut().frozen() {
                return Fate::Lost;
            }
            if word != claim && word != claim.shut() {
                return Fate::Won;
            }
            match slot.cas(word, Word::vacant()) {
                Ok(()) => return Fate::Lost,
                Err(found) => word = found,
            }
        }
    }

    /// The entry is a member: it belongs to the table from now on, and nothing else may be done
    /// with `self`.
    pub(super) fn publish(&mut self) -> &'g Entry<K, V> {
        self.is_published = true;
        // SAFETY: I2: all fields are written; I3: freed through the guard's domain at the earliest.
        unsafe { &*self.entry.as_ptr() }
    }
}

impl<K, V, G: Guard> Drop for Fresh<'_, '_, K, V, G> {
    #[inline]
    fn drop(&mut self) {
        if !self.is_published {
            self.abandon();
        }
    }
}

impl<K, V, G: Guard> Fresh<'_, '_, K, V, G> {
    /// Takes the claim back and frees what is still its own.
    #[inline(never)]
    fn abandon(&mut self) {
        if self.resolve() == Fate::Won {
            // (Won: a panic in `Eq` met a claim that somebody else has settled.)
            return;
        }
        let value = self.take_value();
        let (entry, domain) = (self.entry, self.domain);
        if self.exposed {
            // SAFETY: I3: in no slot any more; the value is gone.
            unsafe { domain.retire_with(entry, end_key::<K, V>, self.guard) };
        } else {
            // SAFETY: I2: never exposed; the key was written and nobody else has it.
            let place = unsafe { &raw const (*entry.as_ptr()).key };
            // SAFETY: I2: as above.
            let key = unsafe { place.read() };
            domain.give_back(entry, self.guard);
            drop(key);
        }
        drop(value);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Entry, Fate, Fresh};
    use crate::map::shard_map::raw::RawMap;
    use crate::reclaim::Domain;
    use crate::table::{Slot, VERSIONS, Word};
    use std::sync::Arc;

    /// A helper holds the key of a claim; the claim's owner takes it back, moves to a new address
    /// and gives up. The key is the helper's to read as long as it is pinned.
    #[test]
    fn miri_the_key_of_a_renewed_entry_stays_for_helpers() {
        let key = Arc::new(7_u64);
        let domain = Domain::<Entry<Arc<u64>, u64>>::new(None);
        let slot = Slot::new(Word::vacant());
        let helper = domain.pin();
        let owner = domain.pin();
        let mut fresh = Fresh::<Arc<u64>, u64, _>::new(&domain, 0, Arc::clone(&key), &owner);
        fresh.set_value(1);
        fresh.version = VERSIONS - 1;
        let claim = fresh.next_claim();
        assert_eq!(slot.cas(Word::vacant(), claim), Ok(()));
        fresh.claimed(&slot, claim);
        let seen = RawMap::<Arc<u64>, u64>::entry_key(slot.load(), &helper);
        assert!(fresh.resolve() == Fate::Lost);
        let renewed = fresh.next_claim();
        assert_ne!(renewed.address(), claim.address());
        drop(fresh);
        assert_eq!((Arc::strong_count(&key), **seen), (2, 7));
        drop((helper, owner));
        drop(domain);
        assert_eq!(Arc::strong_count(&key), 1, "freed once, at the end");
    }
}
