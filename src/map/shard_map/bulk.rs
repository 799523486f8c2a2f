//! Operations over the whole map: iteration, retain, clear, room.
use super::{Iter, Keys, ShardMap, Values};
use crate::error::TryReserveError;
use crate::reclaim::Guard;
use core::hash::{BuildHasher, Hash};

impl<K, V, S> ShardMap<K, V, S> {
    /// Visits all entries in no particular order.
    ///
    /// *Consistency*: weak. An entry present throughout is yielded exactly once, even if it
    /// moves in a resize; a key that is overwritten meanwhile is yielded once, with a value it
    /// had; entries that come or go meanwhile may or may not be yielded, so a key that goes and comes
    /// again may be yielded once for each of its entries. *Progress*: each step is lock-free; it blocks
    /// no writer and finishes nobody's resize. *Cost*: one line per bucket, in order, and one per entry.
    ///
    /// # Panics
    /// If `guard` is of another map.
    ///
    /// ```
    /// let map = atomshard::ShardMap::from([("a", 1), ("b", 2)]);
    /// let guard = map.guard();
    /// assert_eq!(map.iter(&guard).map(|(_, n)| n).sum::<i32>(), 3);
    /// ```
    #[inline]
    pub fn iter<'g, G: Guard>(&self, guard: &'g G) -> Iter<'g, K, V, G> {
        Iter::new(self.raw.iter(self.verified(guard)))
    }

    /// Visits all keys in no particular order; as [`iter`](Self::iter).
    ///
    /// # Panics
    /// If `guard` is of another map.
    #[inline]
    pub fn keys<'g, G: Guard>(&self, guard: &'g G) -> Keys<'g, K, V, G> {
        Keys::new(self.iter(guard))
    }

    /// Visits all values in no particular order; as [`iter`](Self::iter).
    ///
    /// # Panics
    /// If `guard` is of another map.
    #[inline]
    pub fn values<'g, G: Guard>(&self, guard: &'g G) -> Values<'g, K, V, G> {
        Values::new(self.iter(guard))
    }

    /// Removes the entries that are present throughout; those inserted meanwhile may stay.
    ///
    /// *Consistency*: each removal linearizes by itself. *Progress*: lock-free. *Cost*: one line
    /// per bucket, one read-modify-write per entry.
    ///
    /// # Panics
    /// If `guard` is of another map.
    pub fn clear(&self, guard: &impl Guard) {
        self.raw.clear(self.verified(guard));
    }
}

impl<K, V, S> ShardMap<K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    /// Removes every entry for which the closure returns `false`.
    ///
    /// If an entry is replaced while the closure looks at it, the closure is asked again about
    /// the new one; an entry that it wanted kept is never removed. Entries inserted meanwhile may
    /// be missed.
    ///
    /// *Consistency*: each removal linearizes by itself, as in [`remove_if`](Self::remove_if).
    /// *Progress*: lock-free provided that the closure returns. *Cost*: one line per bucket, one
    /// per entry, one read-modify-write per removal.
    ///
    /// # Panics
    /// If `guard` is of another map, or if the closure panics (what it removed before stays
    /// removed).
    ///
    /// ```
    /// let map = (0..8).map(|x| (x, x * 10)).collect::<atomshard::ShardMap<i32, i32>>();
    /// map.pin().retain(|k, _| k % 2 == 0);
    /// assert_eq!(map.len(), 4);
    /// ```
    pub fn retain<F>(&self, f: F, guard: &impl Guard)
    where
        F: FnMut(&K, &V) -> bool,
    {
        self.raw.retain(f, self.verified(guard));
    }

    /// Makes room for `additional` more entries.
    ///
    /// Inserting them does not grow the map if their hashes spread evenly over the shards. A shard
    /// that gets more than its share may still grow.
    ///
    /// When it returns, each shard has had the room at some instant of the call. The map may shrink
    /// again later, if entries are removed.
    ///
    /// *Progress*: lock-free. *Cost*: doubles the tables until they suffice, so that all sizes on
    /// the way together take as much as the last; moves the entries' pointers, not the entries. A
    /// map that has held nothing yet makes its tables of the last size at once.
    ///
    /// # Panics
    /// If `guard` is of another map, or if the room exceeds the address space. Aborts if the
    /// allocator fails. [`try_reserve`](Self::try_reserve) reports both.
    pub fn reserve(&self, additional: usize, guard: &impl Guard) {
        self.reserve_in(additional, self.verified(guard));
    }

    /// Makes room for `additional` more entries, or says why it cannot.
    ///
    /// The one operation that reports failure of the allocator instead of aborting. It covers
    /// the tables, the records of their moves and the lists of what waits to be freed. Not covered is
    /// what arises while entries move, which aborts if it is refused, as in an insertion: 64 bytes for
    /// each seven entries by which a bucket overflows, and lists of such lines. (A move that has begun
    /// cannot be taken back.) Nor is what a thread needs once: its first pin, and its first write to
    /// the map. Each later insertion still allocates its entry.
    ///
    /// *Progress, cost*: as [`reserve`](Self::reserve).
    ///
    /// # Errors
    /// [`TryReserveError`] if the room exceeds the address space or the allocator refuses. The
    /// map stays usable with the room that it has, which may have grown part of the way.
    ///
    /// # Panics
    /// If `guard` is of another map.
    ///
    /// ```
    /// let map = atomshard::ShardMap::<u64, u64>::new();
    /// let guard = map.guard();
    /// assert!(map.try_reserve(1000, &guard).is_ok());
    /// assert!(map.try_reserve(usize::MAX, &guard).is_err());
    /// ```
    pub fn try_reserve(
        &self,
        additional: usize,
        guard: &impl Guard,
    ) -> Result<(), TryReserveError> {
        self.raw.try_reserve(additional, self.verified(guard))
    }

    /// Gives back the room that the present entries do not need.
    ///
    /// Shards halve by themselves once they are nearly empty; this does not wait for that.
    ///
    /// *Progress*: lock-free. *Cost*: halves the tables until they fit; moves the entries'
    /// pointers, not the entries. The old tables are freed once no guard can see them. Of the
    /// entries' memory, the chunks in which nothing is left go back; what was removed under a guard
    /// that is still alive, this call's own for instance, waits for the next call.
    ///
    /// # Panics
    /// If `guard` is of another map.
    pub fn shrink_to_fit(&self, guard: &impl Guard) {
        self.raw.shrink_to_fit(self.verified(guard));
    }
}
