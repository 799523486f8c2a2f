//! Operations on many keys: as many operations, in order, whose misses overlap.
use super::WordMap;
use super::raw::Change;
use super::word::{Word, into_word};

impl<K: Word, V: Word, S> WordMap<K, V, S> {
    /// Looks up many keys; `values[i]` becomes the value of `keys[i]`.
    ///
    /// *Consistency*: each look-up linearizes by itself, in order. *Progress*: as [`get`](Self::get). *Cost*: that of as many
    /// look-ups, but the lines of the next 32 keys are on their way meanwhile, and the thread is pinned once.
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
    /// [`insert`](Self::insert). *Cost*: that of as many inserts, but the lines of the next 32 keys are on their way
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
            |i, value| old[i] = value.map(Self::value),
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
        let removed = |i: usize, value: Option<u64>| old[i] = value.map(Self::value);
        self.change_many(keys, |_| Change::Remove, removed);
    }

    /// As above; `removed[i]` becomes whether `keys[i]` was present.
    pub(in crate::map) fn remove_many_present(&self, keys: &[K], removed: &mut [bool]) {
        same_length(keys.len(), removed.len());
        let present = |i: usize, value: Option<u64>| removed[i] = value.is_some();
        self.change_many(keys, |_| Change::Remove, present);
    }

    /// Inserts the keys that are absent with the same value; `new[i]` becomes whether `keys[i]` was absent.
    pub(in crate::map) fn insert_many_if_absent(&self, keys: &[K], value: V, new: &mut [bool]) {
        same_length(keys.len(), new.len());
        let word = into_word(value);
        let decide = |old: Option<u64>| old.map_or(Change::Put(word), |_| Change::Keep);
        self.change_many(keys, decide, |i, old| new[i] = old.is_none());
    }

    /// Changes many keys as `decide` says; `changed` is called with each number and old value, in order.
    fn change_many(
        &self,
        keys: &[K],
        decide: impl Fn(Option<u64>) -> Change,
        changed: impl FnMut(usize, Option<u64>),
    ) {
        self.raw.change_many(
            keys.len(),
            |i| into_word(keys[i]),
            |_, old| decide(old),
            changed,
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
