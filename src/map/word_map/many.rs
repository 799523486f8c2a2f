//! Operations on many keys: as many operations, in order, whose misses overlap.
use super::WordMap;
use super::raw::Change;
use super::word::{Word, into_word};

impl<K: Word, V: Word, S> WordMap<K, V, S> {
    /// Looks up many keys; `values[i]` becomes the value of `keys[i]`.
    ///
    /// *Consistency*: each look-up linearizes by itself, in order. *Progress*: as [`get`](Self::get). *Cost*: that of as many
    /// look-ups, but the lines of the next 16 keys are on their way meanwhile.
    ///
    /// # Panics
    /// If the slices differ in length; nothing was looked up then.
    ///
    /// ```
    /// let map = atomshard::WordMap::from([(1, 'a'), (2, 'b')]);
    /// let mut values = [None; 3];
    /// map.get_many(&[2, 3, 1], &mut values);
    /// assert_eq!(values, [Some('b'), None, Some('a')]);
    /// ```
    pub fn get_many(&self, keys: &[K], values: &mut [Option<V>]) {
        same_length(keys.len(), values.len());
        let found = |i: usize, word: Option<u64>| values[i] = word.map(Self::value);
        self.raw.get_many(keys.len(), |i| into_word(keys[i]), found);
    }

    /// Asks for many keys; `present[i]` becomes whether `keys[i]` is present.
    ///
    /// # Panics
    /// As [`get_many`](Self::get_many), which it is like in all respects.
    pub fn contains_many(&self, keys: &[K], present: &mut [bool]) {
        same_length(keys.len(), present.len());
        let found = |i: usize, word: Option<u64>| present[i] = word.is_some();
        self.raw.get_many(keys.len(), |i| into_word(keys[i]), found);
    }

    /// Inserts many keys with their values; `old[i]` becomes what the value of `entries[i]` replaced.
    ///
    /// *Consistency*: each insert linearizes by itself, in order: of equal keys the last value stays. *Progress*: as
    /// [`insert`](Self::insert). *Cost*: that of as many inserts, but the lines of the next 16 keys are on their way
    /// meanwhile, and the thread is pinned once: what tables leave behind is freed after the call.
    ///
    /// # Panics
    /// If the slices differ in length; nothing was inserted then. Aborts as [`insert`](Self::insert) does.
    ///
    /// ```
    /// let map = atomshard::WordMap::from([(1, 'a')]);
    /// let mut old = [None; 2];
    /// map.insert_many(&[(1, 'c'), (2, 'b')], &mut old);
    /// assert_eq!(old, [Some('a'), None]);
    /// ```
    pub fn insert_many(&self, entries: &[(K, V)], old: &mut [Option<V>]) {
        same_length(entries.len(), old.len());
        self.raw.change_many(
            entries.len(),
            |i| into_word(entries[i].0),
            |i, _| Change::Put(into_word(entries[i].1)),
            |i, changed| old[i] = changed.old.map(Self::value),
        );
    }

    /// Removes many keys; `old[i]` becomes the value that `keys[i]` had.
    ///
    /// *Consistency*: each removal linearizes by itself, in order. *Progress, cost*: as
    /// [`insert_many`](Self::insert_many).
    ///
    /// # Panics
    /// If the slices differ in length; nothing was removed then.
    pub fn remove_many(&self, keys: &[K], old: &mut [Option<V>]) {
        same_length(keys.len(), old.len());
        self.raw.change_many(
            keys.len(),
            |i| into_word(keys[i]),
            |_, _| Change::Remove,
            |i, changed| old[i] = changed.old.map(Self::value),
        );
    }
}

#[track_caller]
fn same_length(asked: usize, places: usize) {
    assert!(
        asked == places,
        "{asked} keys need as many places for the answers, and there are {places}"
    );
}
