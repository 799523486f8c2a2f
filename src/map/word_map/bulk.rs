//! Operations over the whole map: iteration, retain, clear, room.
use super::raw::Change;
use super::word::{Word, into_word};
use super::{Iter, Keys, Values, WordMap};
use crate::error::TryReserveError;

impl<K: Word, V: Word, S> WordMap<K, V, S> {
    /// Visits all entries in no particular order.
    ///
    /// *Consistency*: weak. A key present throughout is yielded exactly once, whatever moves meanwhile, with a
    /// value that it had; one that is removed and put in again meanwhile may be yielded more than once. *Progress*: each step is lock-free; it blocks no
    /// writer and finishes nobody's resize. *Cost*: the lines in order, 1 for 2 to 4 entries; a small buffer if any go on behind links. The thread
    /// is pinned while the iterator lives: what tables leave behind is not used again until then.
    ///
    /// ```
    /// let map = atomshard::WordMap::from([('a', 1), ('b', 2)]);
    /// assert_eq!(map.iter().map(|(_, n)| n).sum::<i32>(), 3);
    /// ```
    pub fn iter(&self) -> Iter<'_, K, V, S> {
        Iter::new(self.raw.iter())
    }

    /// Visits all keys in no particular order; as [`iter`](Self::iter).
    pub fn keys(&self) -> Keys<'_, K, V, S> {
        Keys::new(self.iter())
    }

    /// Visits all values in no particular order; as [`iter`](Self::iter).
    pub fn values(&self) -> Values<'_, K, V, S> {
        Values::new(self.iter())
    }

    /// Calls `f` with every key and value; as [`iter`](Self::iter).
    ///
    /// # Panics
    /// If `f` does.
    pub fn for_each(&self, mut f: impl FnMut(K, V)) {
        self.iter().for_each(|(key, value)| f(key, value));
    }

    /// Removes every entry for which the closure returns `false`.
    ///
    /// If the value changes while the closure looks at it, it is asked again about the new one; an entry that it
    /// wanted kept is never removed. Entries inserted meanwhile may be missed; a key that is removed and put in again
    /// meanwhile may be asked about, and removed, more than once.
    ///
    /// *Consistency*: each removal linearizes by itself. *Progress*: lock-free provided that the closure returns.
    /// *Cost*: that of an iteration, and one removal for each entry that goes.
    ///
    /// # Panics
    /// If the closure does; what it removed before stays removed.
    ///
    /// ```
    /// let map = (0..8).map(|x| (x, x * 10)).collect::<atomshard::WordMap<i32, i32>>();
    /// map.retain(|key, _| key % 2 == 0);
    /// assert_eq!(map.len(), 4);
    /// ```
    pub fn retain(&self, mut f: impl FnMut(K, V) -> bool) {
        for (key, value) in self.iter() {
            let mut kept = f(key, value).then(|| into_word(value));
            if kept.is_some() {
                continue;
            }
            let seen = into_word(value);
            self.change(key, |now| match now {
                Some(now) if now == seen => Change::Remove,
                Some(now) if kept != Some(now) && !f(key, Self::value(now)) => Change::Remove,
                now => {
                    kept = now;
                    Change::Keep
                }
            });
        }
    }

    /// Removes the entries that are present throughout; those inserted meanwhile may stay, and a key that is put in again
    /// may be removed again.
    ///
    /// *Consistency*: each removal linearizes by itself. *Progress*: lock-free. *Cost*: that of an iteration,
    /// and one removal for each entry.
    pub fn clear(&self) {
        for key in self.keys() {
            self.remove(key);
        }
    }

    /// Makes room for `additional` more entries.
    ///
    /// Inserting them does not grow the map if they spread evenly over the shards. A shard that gets more than its
    /// share may still grow. When it returns, each shard has had the room at some instant of the call. The map may shrink again
    /// later, if entries are removed.
    ///
    /// *Progress*: lock-free. *Cost*: doubles the tables until they suffice, and moves the entries with each; small ones at once. A
    /// shard that has held nothing yet makes its table of the last size at once.
    ///
    /// # Panics
    /// If the room exceeds the address space. Aborts if the allocator fails.
    /// [`try_reserve`](Self::try_reserve) reports both.
    pub fn reserve(&self, additional: usize) {
        if let Err(error) = self.try_reserve(additional) {
            error.handle();
        }
    }

    /// Makes room for `additional` more entries, or says why it cannot.
    ///
    /// The one operation that reports failure of the allocator. It covers the tables and the records of their
    /// moves. Not covered is what arises while entries move, which aborts if it is refused, as in an insertion: lines for
    /// buckets with more than four keys, and the copy that a write makes of a small table that another thread copies. Nor is what a thread needs once: its first pin, and its first write to the map.
    ///
    /// *Progress, cost*: as [`reserve`](Self::reserve).
    ///
    /// # Errors
    /// [`TryReserveError`] if the room exceeds the address space or the allocator refuses. The map stays usable
    /// with the room that it has, which may have grown part of the way.
    ///
    /// ```
    /// let map = atomshard::WordMap::<u64, u64>::new();
    /// assert!(map.try_reserve(1000).is_ok());
    /// assert!(map.try_reserve(usize::MAX).is_err());
    /// ```
    pub fn try_reserve(&self, additional: usize) -> Result<(), TryReserveError> {
        if additional == 0 {
            return Ok(());
        }
        self.raw.try_reserve(additional)
    }

    /// Makes room for `promised` entries; for half of them unless the map is empty, since some may be present.
    pub(super) fn reserve_for_some(&self, promised: usize) {
        self.reserve(if self.is_empty() {
            promised
        } else {
            promised.div_ceil(2)
        });
    }

    /// Gives back the room that the present entries do not need.
    ///
    /// Shards halve by themselves once they are nearly empty; this does not wait for that.
    ///
    /// *Progress*: lock-free. *Cost*: halves the tables until they fit, and moves the entries with each. The pages
    /// of old tables go back once no thread is pinned that could write to them; their addresses with the map.
    pub fn shrink_to_fit(&self) {
        self.raw.shrink_to_fit();
    }
}
