//! 64 mutexes, each around a hashbrown table: the map one writes oneself in an afternoon.
//!
//! Done as well as that allows: each lock on lines of its own, the hash computed once, its upper
//! bits choose the shard and the rest the slot. `std::sync::Mutex` is a futex of one word with a
//! bounded spin; there is no reason to prefer another.
use super::{Batch, Store, Worker, hasher};
use crate::keys::Key;
use core::hash::BuildHasher as _;
use crossbeam_utils::CachePadded;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

const SHARDS: usize = 64;

type Table<K> = HashTable<(K, u64)>;

/// The map.
pub(crate) struct Mutex64<K> {
    shards: Box<[CachePadded<Mutex<Table<K>>>]>,
    hasher: FixedState,
}

impl<K: Key> Mutex64<K> {
    #[inline]
    fn locked(&self, hash: u64) -> MutexGuard<'_, Table<K>> {
        // hashbrown takes its tag from the top seven bits and the slot from the low ones.
        let shard = usize::try_from(hash >> 51).unwrap_or(0) % SHARDS;
        self.shards[shard]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Key> Store<K> for Mutex64<K> {
    type Worker<'a> = &'a Self;

    fn new(_: usize) -> Self {
        let shards = (0..SHARDS).map(|_| CachePadded::new(Mutex::new(HashTable::new())));
        Self {
            shards: shards.collect(),
            hasher: hasher(),
        }
    }

    fn worker(&self, _: usize) -> &Self {
        self
    }

    fn each(&mut self, mut visit: impl FnMut(&K, u64)) {
        for shard in &mut self.shards {
            for (key, value) in shard
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner)
                .iter()
            {
                visit(key, *value);
            }
        }
    }
}

impl<K: Key> Worker<K> for &Mutex64<K> {
    type Batch<'b>
        = &'b Mutex64<K>
    where
        Self: 'b;

    #[inline]
    fn batch(&mut self) -> &Mutex64<K> {
        self
    }
}

impl<K: Key> Batch<K> for &Mutex64<K> {
    #[inline]
    fn get(&mut self, key: &K::View) -> Option<u64> {
        let hash = self.hasher.hash_one(key);
        self.locked(hash)
            .find(hash, |(held, _)| held.borrow() == key)
            .map(|(_, value)| *value)
    }

    #[inline]
    fn put(&mut self, key: &K::View, value: u64) -> bool {
        let hash = self.hasher.hash_one(key);
        let hash_of = |(held, _): &(K, u64)| self.hasher.hash_one(held.borrow());
        match self
            .locked(hash)
            .entry(hash, |(held, _)| held.borrow() == key, hash_of)
        {
            Entry::Occupied(mut entry) => {
                entry.get_mut().1 = value;
                false
            }
            Entry::Vacant(entry) => {
                entry.insert((key.to_owned(), value));
                true
            }
        }
    }

    #[inline]
    fn del(&mut self, key: &K::View) -> bool {
        let hash = self.hasher.hash_one(key);
        match self
            .locked(hash)
            .find_entry(hash, |(held, _)| held.borrow() == key)
        {
            Ok(entry) => {
                entry.remove();
                true
            }
            Err(_) => false,
        }
    }

    #[inline]
    fn add(&mut self, key: &K::View) {
        let hash = self.hasher.hash_one(key);
        let hash_of = |(held, _): &(K, u64)| self.hasher.hash_one(held.borrow());
        self.locked(hash)
            .entry(hash, |(held, _)| held.borrow() == key, hash_of)
            .or_insert_with(|| (key.to_owned(), 0))
            .get_mut()
            .1 += 1;
    }
}
