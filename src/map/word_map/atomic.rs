//! Conditional and read-modify-write operations on one key.
use super::WordMap;
use super::raw::Change;
use super::word::{Integer, Word, into_word};

impl<K: Word, V: Word, S> WordMap<K, V, S> {
    /// Replaces the value of a key that is present, and returns the old one.
    ///
    /// As [`insert`](Self::insert), but nothing is put in if the key is absent.
    ///
    /// ```
    /// let map = atomshard::WordMap::from([(1, 'a')]);
    /// assert_eq!(map.replace(1, 'b'), Some('a'));
    /// assert_eq!(map.replace(2, 'b'), None);
    /// assert_eq!(map.get(2), None);
    /// ```
    #[inline]
    pub fn replace(&self, key: K, value: V) -> Option<V> {
        let word = into_word(value);
        let decide = |old: Option<u64>| old.map_or(Change::Keep, |_| Change::Put(word));
        self.change(key, decide).map(Self::value)
    }

    /// Replaces the value of the key by `new` if it is `current`: the same word. Returns the old value.
    ///
    /// *Consistency, progress, cost*: as [`insert`](Self::insert) on success, as [`get`](Self::get)
    /// otherwise.
    ///
    /// # Errors
    /// The value that is there instead, or `None` if the key is absent.
    ///
    /// ```
    /// let map = atomshard::WordMap::from([(1, 'a')]);
    /// assert_eq!(map.compare_exchange(1, 'b', 'c'), Err(Some('a')));
    /// assert_eq!(map.compare_exchange(1, 'a', 'c'), Ok('a'));
    /// assert_eq!(map.compare_exchange(2, 'a', 'c'), Err(None));
    /// ```
    #[inline]
    pub fn compare_exchange(&self, key: K, current: V, new: V) -> Result<V, Option<V>> {
        let (current, new) = (into_word(current), into_word(new));
        let decide = |old| {
            if old == Some(current) {
                Change::Put(new)
            } else {
                Change::Keep
            }
        };
        match self.change(key, decide) {
            Some(old) if old == current => Ok(Self::value(old)),
            old => Err(old.map(Self::value)),
        }
    }

    /// Replaces the value of the key by what `update` makes of it, and returns the old one. `update` is called again if
    /// the value has changed meanwhile.
    ///
    /// *Consistency, cost*: as [`insert`](Self::insert). *Progress*: lock-free, if `update` returns.
    ///
    /// # Errors
    /// The value for which `update` returned `None`, which stays; `None` if the key is absent.
    ///
    /// # Panics
    /// If `update` does; the map is as it was.
    ///
    /// ```
    /// let map = atomshard::WordMap::from([(1, 5_u8)]);
    /// assert_eq!(map.fetch_update(1, |n| n.checked_mul(50)), Ok(5));
    /// assert_eq!(map.fetch_update(1, |n| n.checked_mul(50)), Err(Some(250)));
    /// assert_eq!(map.fetch_update(2, |n| n.checked_mul(50)), Err(None));
    /// ```
    #[inline]
    pub fn fetch_update(
        &self,
        key: K,
        mut update: impl FnMut(V) -> Option<V>,
    ) -> Result<V, Option<V>> {
        let mut is_put = false;
        let decide = |old: Option<u64>| {
            let new = old.and_then(|old| update(Self::value(old)));
            is_put = new.is_some();
            new.map_or(Change::Keep, |new| Change::Put(into_word(new)))
        };
        match self.change(key, decide).map(Self::value) {
            Some(old) if is_put => Ok(old),
            old => Err(old),
        }
    }

    /// Replaces the value of the key by what `update` makes of it, or puts in `value` if the key is absent. Returns the new value.
    ///
    /// *Consistency, cost*: as [`insert`](Self::insert). *Progress*: lock-free, if `update` returns.
    ///
    /// # Panics
    /// If `update` does; the map is as it was.
    ///
    /// ```
    /// let counts = atomshard::WordMap::new();
    /// for letter in "abba".chars() {
    ///     counts.update_or_insert(letter, |n| n + 1, 1);
    /// }
    /// assert_eq!(counts.get('a'), Some(2));
    /// ```
    #[inline]
    pub fn update_or_insert(&self, key: K, mut update: impl FnMut(V) -> V, value: V) -> V {
        let put = |old: Option<u64>| old.map_or(value, |old| update(Self::value(old)));
        self.put(key, put)
    }

    /// Puts in what `put` makes of the old value; returns it.
    #[inline]
    fn put(&self, key: K, mut put: impl FnMut(Option<u64>) -> V) -> V {
        let mut new = None;
        let decide = |old| {
            let value = put(old);
            new = Some(value);
            Change::Put(into_word(value))
        };
        self.change(key, decide);
        match new {
            Some(new) => new,
            None => unreachable!("a value is always put"),
        }
    }

    /// The value of the key; `value` is put in first if the key is absent.
    ///
    /// *Consistency, progress, cost*: as [`get`](Self::get) if the key is present, as [`insert`](Self::insert)
    /// otherwise.
    #[inline]
    pub fn get_or_insert(&self, key: K, value: V) -> V {
        self.insert_if_absent(key, value)
            .map_or_else(|present| present, |()| value)
    }

    /// The value of the key; what `make` returns is put in first if the key is absent.
    ///
    /// `make` is called once at most. What it has made is lost if the key has come meanwhile.
    ///
    /// *Consistency, cost*: as [`get_or_insert`](Self::get_or_insert). *Progress*: lock-free, if `make` returns.
    ///
    /// # Panics
    /// If `make` does; the map is as it was.
    ///
    /// ```
    /// let map = atomshard::WordMap::new();
    /// assert_eq!(map.get_or_insert_with(1, || 'a'), 'a');
    /// assert_eq!(map.get_or_insert_with(1, || 'b'), 'a');
    /// ```
    #[inline]
    pub fn get_or_insert_with(&self, key: K, make: impl FnOnce() -> V) -> V {
        match self.get(key) {
            Some(value) => value,
            None => self.get_or_insert(key, make()),
        }
    }
}

impl<K: Word, V: Integer, S> WordMap<K, V, S> {
    /// Adds to the value of the key, modulo the number of values of its type, and returns the old one; `None` if the
    /// key is absent.
    ///
    /// *Consistency, progress, cost*: as [`insert`](Self::insert).
    ///
    /// ```
    /// let map = atomshard::WordMap::from([(1, 250_u8)]);
    /// assert_eq!(map.fetch_add(1, 10), Some(250));
    /// assert_eq!(map.get(1), Some(4));
    /// assert_eq!(map.fetch_add(2, 10), None);
    /// ```
    #[inline]
    pub fn fetch_add(&self, key: K, other: V) -> Option<V> {
        self.fetch(key, |value| value.wrapping_add(other))
    }

    /// Subtracts from the value of the key; else as [`fetch_add`](Self::fetch_add).
    #[inline]
    pub fn fetch_sub(&self, key: K, other: V) -> Option<V> {
        self.fetch(key, |value| value.wrapping_sub(other))
    }

    /// Makes the value of the key `other` if that is less; else as [`fetch_add`](Self::fetch_add).
    #[inline]
    pub fn fetch_min(&self, key: K, other: V) -> Option<V> {
        self.fetch(key, |value| value.min(other))
    }

    /// Makes the value of the key `other` if that is greater; else as [`fetch_add`](Self::fetch_add).
    #[inline]
    pub fn fetch_max(&self, key: K, other: V) -> Option<V> {
        self.fetch(key, |value| value.max(other))
    }

    #[inline]
    fn fetch(&self, key: K, update: impl Fn(V) -> V) -> Option<V> {
        self.fetch_update(key, |value| Some(update(value))).ok()
    }
}
