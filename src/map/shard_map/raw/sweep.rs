//! Removing by condition: `retain` and `clear`, as an iteration that unlinks what it meets.
//!
//! Each removal linearizes by itself. An entry that is replaced meanwhile is judged again by
//! `retain`; `clear` leaves it, as an insert that came later.

use super::find::Found;
use super::{Entry, RawMap};
use crate::reclaim::Guard;
use equivalent::Equivalent;

/// The key object itself, whatever its `Eq` says.
struct Same<'k, K>(&'k K);

impl<K> Equivalent<K> for Same<'_, K> {
    fn equivalent(&self, key: &K) -> bool {
        core::ptr::eq(self.0, key)
    }
}

impl<K, V> RawMap<K, V> {
    /// Removes every entry for which `f` is false.
    pub(crate) fn retain<'g>(&self, mut f: impl FnMut(&K, &V) -> bool, guard: &'g impl Guard)
    where
        K: Eq + 'g,
        V: 'g,
    {
        for met in self.iter(guard) {
            let mut entry = met;
            while !f(&entry.key, &entry.value) && !self.remove_same(entry, guard) {
                match self.get(entry.hash(), &entry.key, guard) {
                    Some(now) => entry = now,
                    None => break,
                }
            }
        }
    }

    /// Removes every entry that was there when the sweep came to its bucket.
    pub(crate) fn clear(&self, guard: &impl Guard) {
        for entry in self.iter(guard) {
            self.remove_same(entry, guard);
        }
    }

    /// Removes this very entry; `false` if it is not in the map any more.
    fn remove_same<'g>(&self, target: &'g Entry<K, V>, guard: &'g impl Guard) -> bool {
        let key = Same(&target.key);
        loop {
            let Some(place) = self.locate(target.hash(), &key, guard) else {
                return false;
            };
            let Found::Member {
                slot, word, depth, ..
            } = place.found
            else {
                return false;
            };
            if self.unlink(target.hash(), &place, slot, word, depth, guard) {
                self.retire(word, guard);
                return true;
            }
        }
    }
}
