//! `atomshard::WordMap`: keys and values in the line itself, by copy; no guards.
//!
//! It has number keys only. Which keys have a racer over it is said by
//! [`Key::words`](crate::keys::Key::words).
use super::many::Many;
use super::{Batch, Store, Worker, hasher};
use crate::alloc::By;
use atomshard::WordMap;
use foldhash::fast::FixedState;

/// The map.
pub(crate) struct Words(WordMap<u64, u64, FixedState>);

impl Words {
    /// Gives back the room that the present entries do not need.
    pub(crate) fn shrink(&self) {
        self.0.shrink_to_fit();
    }
}

impl Store<u64> for Words {
    type Worker<'a> = &'a Self;

    /// Tables that were outgrown keep their addresses without pages.
    const COUNTED: By = By::Pages;

    fn new(_: usize) -> Self {
        Self(WordMap::with_hasher(hasher()))
    }

    fn worker(&self, _: usize) -> &Self {
        self
    }

    fn each(&mut self, mut visit: impl FnMut(&u64, u64)) {
        self.0.for_each(|key, value| visit(&key, value));
    }
}

impl Worker<u64> for &Words {
    type Batch<'b>
        = &'b Words
    where
        Self: 'b;

    #[inline]
    fn batch(&mut self) -> &Words {
        self
    }
}

impl Batch<u64> for &Words {
    #[inline]
    fn get(&mut self, key: &u64) -> Option<u64> {
        self.0.get(*key)
    }

    #[inline]
    fn put(&mut self, key: &u64, value: u64) -> bool {
        self.0.insert(*key, value).is_none()
    }

    #[inline]
    fn del(&mut self, key: &u64) -> bool {
        self.0.remove(*key).is_some()
    }

    #[inline]
    fn add(&mut self, key: &u64) {
        self.0.update_or_insert(*key, |count| count + 1, 1);
    }
}

impl Many for &Words {
    #[inline]
    fn get_many(&mut self, keys: &[u64], values: &mut [Option<u64>]) {
        self.0.get_many(keys, values);
    }

    #[inline]
    fn put_many(&mut self, entries: &[(u64, u64)], old: &mut [Option<u64>]) {
        self.0.insert_many(entries, old);
    }

    #[inline]
    fn del_many(&mut self, keys: &[u64], old: &mut [Option<u64>]) {
        self.0.remove_many(keys, old);
    }
}
