//! Look-ups, insert, remove.
//!
//! # Invariants
//! - I1. The words of a map's keys and values are those that its face has made from its `K` and `V`, and no others.
#![expect(unsafe_code, reason = "words of the map's values become values again")]
use super::WordMap;
use super::raw::Change;
use super::word::{Word, from_word, into_word};

impl<K: Word, V: Word, S> WordMap<K, V, S> {
    /// The value of a word.
    #[inline]
    pub(super) fn value(word: u64) -> V {
        // SAFETY: I1: every value of the map was made from a `V` (I1).
        unsafe { from_word(word) }
    }

    /// The key of a word.
    #[inline]
    pub(super) fn key(word: u64) -> K {
        // SAFETY: I1: every key of the map was made from a `K` (I1).
        unsafe { from_word(word) }
    }

    /// Changes a key as `decide` says; returns the value before.
    #[inline]
    pub(super) fn change(&self, key: K, decide: impl FnMut(Option<u64>) -> Change) -> Option<u64> {
        self.raw.change(into_word(key), decide, &self.raw.pin())
    }

    /// The value of the key.
    ///
    /// *Consistency*: linearizes at the load of its slot, or, if absent, of the line's last slot; what the writer of the value did
    /// before is visible. A key that is present throughout is found, also while it is overwritten or moved by a
    /// resize. *Progress*: lock-free; it never waits, and looks again only where a writer has just got on.
    /// *Cost*: 1 cold line, 2 behind a link. No store, no locked instruction, no guard; behind a link, and in a line that moves, a
    /// pin, and in one that has moved a step of the resize. An absent key costs as one behind a link if its line has one and a key
    /// that has been there had the same of 32 signatures.
    ///
    /// ```
    /// let map = atomshard::WordMap::from([(1, 'a')]);
    /// assert_eq!(map.get(1), Some('a'));
    /// assert_eq!(map.get(2), None);
    /// ```
    #[inline]
    pub fn get(&self, key: K) -> Option<V> {
        self.raw.get(into_word(key)).map(Self::value)
    }

    /// Whether the key is present; as [`get`](Self::get) in all respects.
    #[inline]
    pub fn contains(&self, key: K) -> bool {
        self.raw.get(into_word(key)).is_some()
    }

    /// Puts the value in and returns the one that it replaced, if any.
    ///
    /// *Consistency*: linearizes at the exchange of a slot. *Progress*: lock-free. *Cost*: 1 cold line and 1
    /// read-modify-write on it; 2 for a new key in a line that was full before, 3 behind its link. While any shard is
    /// resized, the key's own bucket is moved first if it is to be, and another one if not.
    ///
    /// # Panics
    /// Aborts as all of std's collections do if the allocator refuses a shard's first table, or a line for a
    /// bucket that is full. A larger table that is refused is done without.
    ///
    /// ```
    /// let map = atomshard::WordMap::new();
    /// assert_eq!(map.insert(37, 1.5), None);
    /// assert_eq!(map.insert(37, 2.5), Some(1.5));
    /// ```
    #[inline]
    pub fn insert(&self, key: K, value: V) -> Option<V> {
        let word = into_word(value);
        self.change(key, |_| Change::Put(word)).map(Self::value)
    }

    /// Puts the value in if the key is absent.
    ///
    /// As [`insert`](Self::insert) in all respects, and as [`get`](Self::get) if the key is present.
    ///
    /// # Errors
    /// The present value, which stays.
    ///
    /// ```
    /// let map = atomshard::WordMap::new();
    /// assert_eq!(map.insert_if_absent(1, 'a'), Ok(()));
    /// assert_eq!(map.insert_if_absent(1, 'b'), Err('a'));
    /// ```
    #[inline]
    pub fn insert_if_absent(&self, key: K, value: V) -> Result<(), V> {
        let word = into_word(value);
        let decide = |old: Option<u64>| old.map_or(Change::Put(word), |_| Change::Keep);
        match self.change(key, decide) {
            Some(present) => Err(Self::value(present)),
            None => Ok(()),
        }
    }

    /// Removes the key and returns its value.
    ///
    /// *Consistency*: linearizes at the exchange of its slot, or, if absent, at the load that showed it.
    /// *Progress*: lock-free. *Cost*: 1 cold line, 1 read-modify-write; behind a link 2 of each. What is behind a link goes with the last key there.
    ///
    /// ```
    /// let map = atomshard::WordMap::from([(1, 'a')]);
    /// assert_eq!(map.remove(1), Some('a'));
    /// assert_eq!(map.remove(1), None);
    /// ```
    #[inline]
    pub fn remove(&self, key: K) -> Option<V> {
        self.change(key, |_| Change::Remove).map(Self::value)
    }

    /// Removes the key if `condition` says so of its value.
    ///
    /// As [`remove`](Self::remove). The condition is asked again if the value has changed meanwhile.
    ///
    /// # Errors
    /// The value that stays, if the condition is false of it.
    ///
    /// # Panics
    /// If the condition does; the map is as it was.
    pub fn remove_if(&self, key: K, mut condition: impl FnMut(V) -> bool) -> Result<Option<V>, V> {
        let mut is_kept = false;
        let decide = |old: Option<u64>| {
            is_kept = old.is_some_and(|old| !condition(Self::value(old)));
            if is_kept {
                Change::Keep
            } else {
                Change::Remove
            }
        };
        match self.change(key, decide).map(Self::value) {
            Some(present) if is_kept => Err(present),
            old => Ok(old),
        }
    }
}
