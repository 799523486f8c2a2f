//! `atomshard::WordMap`: keys and values in the line itself, by copy; no guards.
//!
//! It has number keys only. Which keys have a racer over it is said by
//! [`Key::words`](crate::keys::Key::words).
use super::{Batch, Store, Worker, hasher};
use atomshard::WordMap;
use foldhash::fast::FixedState;

/// The map.
pub(crate) struct Words(WordMap<u64, u64, FixedState>);

impl Store<u64> for Words {
    type Worker<'a> = &'a Self;

    fn new(_: usize) -> Self {
        Self(WordMap::with_hasher(hasher()))
    }

    fn worker(&self, _: usize) -> &Self {
        self
    }

    fn each(&mut self, visit: &mut dyn FnMut(&u64, u64)) {
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
