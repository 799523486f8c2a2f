//! A map of segments with a lock each, whose heads lie one after another: the article's baseline.
//!
//! ```text
//! heads:    [lock size][lock size][lock size] ..      16 bytes each
//! buckets:  [first][first][first] ..                  of segment 0, then of segment 1, ..
//! node:     [key value next]                          an allocation of its own
//! ```
//!
//! Every operation locks the segment of its key, also a look-up. The buckets are as many as at the
//! start: nothing grows.
//!
//! # Invariants
//! - I1. Buckets and nodes of a segment are used by who has its lock, or the map alone.
//! - I2. A node comes out of a box and is in one chain; whoever takes it out frees it.
#![expect(
    unsafe_code,
    reason = "chains behind a lock that is a word of the head"
)]

use crate::atomic::{layout, note_objects, note_read, note_write};
use crate::headers::{Header, Packed};
use core::cell::UnsafeCell;
use core::hash::{BuildHasher, Hash};
use core::ptr::null_mut;

/// Spreads a hash over the upper bits, as the crate's maps do.
const FIBONACCI: u64 = 0x9e37_79b9_7f4a_7c15;

#[derive(Debug)]
#[repr(C)]
struct Node<K, V> {
    key: K,
    value: V,
    next: *mut Self,
}
layout!(Node<K, V>: key, value, next; K, V);

/// The first node of a chain.
#[derive(Debug)]
struct Bucket<K, V> {
    first: UnsafeCell<*mut Node<K, V>>,
}
layout!(Bucket<K, V>: first; K, V);

/// See the module.
#[derive(Debug)]
pub struct SegmentMap<K, V, S> {
    heads: Packed,
    buckets: Box<[Bucket<K, V>]>,
    /// Binary logarithm of the number of segments, and of the buckets of each.
    bits: (u32, u32),
    hasher: S,
}
layout!(SegmentMap<K, V, S>: heads, buckets, bits, hasher; K, V, S);

// SAFETY: I1, I2: nodes go along with the map.
unsafe impl<K: Send, V: Send, S: Send> Send for SegmentMap<K, V, S> {}
// SAFETY: I1: keys and values are used under a lock, by one thread at a time, and handed out by value.
unsafe impl<K: Send, V: Send, S: Sync> Sync for SegmentMap<K, V, S> {}

/// The lock of a segment, held.
struct Held<'m>(&'m Header);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.unlock();
    }
}

impl<K: Hash + Eq, V: Copy, S: BuildHasher> SegmentMap<K, V, S> {
    /// So many segments and, over all of them, buckets; each number rounded up to a power of two.
    #[must_use]
    pub fn new(segments: usize, buckets: usize, hasher: S) -> Self {
        let segments = segments.next_power_of_two();
        let each = buckets.div_ceil(segments).next_power_of_two();
        let bucket = || Bucket {
            first: UnsafeCell::new(null_mut()),
        };
        let buckets: Box<[Bucket<K, V>]> = (0..segments * each).map(|_| bucket()).collect();
        note_objects(buckets.as_ptr(), buckets.len());
        Self {
            heads: Packed::new(segments),
            buckets,
            bits: (segments.ilog2(), each.ilog2()),
            hasher,
        }
    }

    /// Locks the segment of a key; its head, and the key's bucket.
    #[inline]
    fn locked(&self, key: &K) -> (Held<'_>, *mut *mut Node<K, V>) {
        note_objects(self, 1);
        note_read(&raw const self.bits);
        // A hasher without state is not touched.
        if size_of::<S>() != 0 {
            note_read(&raw const self.hasher);
        }
        let hash = self.hasher.hash_one(key).wrapping_mul(FIBONACCI);
        let (segments, each) = self.bits;
        // The upper bits choose the segment, the next ones the bucket.
        let number = (hash >> 1 >> (63 - segments - each)) as usize;
        let head = self.heads.head(number >> each);
        head.lock();
        note_read(&raw const self.buckets);
        (Held(head), self.buckets[number].first.get())
    }

    /// The link that leads to the node of `key`, or the last of the chain.
    ///
    /// # Safety
    /// The caller holds the lock of the segment of `link`, a bucket (I1).
    #[inline]
    unsafe fn find(
        mut link: *mut *mut Node<K, V>,
        key: &K,
    ) -> (*mut *mut Node<K, V>, *mut Node<K, V>) {
        loop {
            note_read(link);
            // SAFETY: I1, and the caller's contract: a link of the chain.
            let node = unsafe { *link };
            if node.is_null() {
                return (link, node);
            }
            // SAFETY: I2: in the chain, so not freed.
            let place = unsafe { &(*node).key };
            note_read(place);
            if place == key {
                return (link, node);
            }
            // SAFETY: I2: as above.
            link = unsafe { &raw mut (*node).next };
        }
    }

    /// The value of a key.
    #[inline]
    pub fn get(&self, key: &K) -> Option<V> {
        let (_held, bucket) = self.locked(key);
        // SAFETY: the lock is held.
        let (_, node) = unsafe { Self::find(bucket, key) };
        if node.is_null() {
            return None;
        }
        // SAFETY: I2: in the chain.
        let value = unsafe { &raw const (*node).value };
        note_read(value);
        // SAFETY: I1: as above.
        Some(unsafe { *value })
    }

    /// Inserts a value or replaces the one that is there, which it returns.
    #[inline]
    pub fn insert(&self, key: K, value: V) -> Option<V> {
        let (held, bucket) = self.locked(&key);
        // SAFETY: the lock is held.
        let (link, node) = unsafe { Self::find(bucket, &key) };
        if node.is_null() {
            let next = null_mut();
            let node = Box::into_raw(Box::new(Node { key, value, next }));
            note_objects(node, 1);
            note_write(node);
            note_write(link);
            // SAFETY: I1: the last link of the chain.
            unsafe { *link = node };
            held.0.count(1);
            return None;
        }
        // SAFETY: I2: in the chain.
        let place = unsafe { &mut (*node).value };
        note_write(place);
        Some(core::mem::replace(place, value))
    }

    /// Removes a key; returns its value.
    #[inline]
    pub fn remove(&self, key: &K) -> Option<V> {
        let (held, bucket) = self.locked(key);
        // SAFETY: the lock is held.
        let (link, node) = unsafe { Self::find(bucket, key) };
        if node.is_null() {
            return None;
        }
        note_read(node);
        note_write(link);
        // SAFETY: I2: out of the chain by the next step, so it is ours.
        let node = unsafe { Box::from_raw(node) };
        // SAFETY: I1: the link that led to the node.
        unsafe { *link = node.next };
        held.0.count(u64::MAX);
        Some(node.value)
    }

    /// Entries, as the segments count them.
    pub fn len(&self) -> u64 {
        self.heads.sum()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K, V, S> Drop for SegmentMap<K, V, S> {
    fn drop(&mut self) {
        for bucket in &mut self.buckets {
            let mut node = *bucket.first.get_mut();
            while !node.is_null() {
                // SAFETY: I2: the map is ours alone.
                let taken = unsafe { Box::from_raw(node) };
                node = taken.next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, SegmentMap};
    use core::time::Duration;
    use std::collections::HashMap;
    use std::hash::RandomState;
    use std::sync::{Arc, Barrier, mpsc};
    use std::thread;

    #[test]
    fn miri_it_does_what_a_map_does() {
        let steps = if cfg!(miri) { 300 } else { 30_000 };
        let map = SegmentMap::new(4, 16, RandomState::new());
        let mut model = HashMap::new();
        let mut number = 1_u64;
        for step in 0..steps {
            number = number.wrapping_mul(super::FIBONACCI) ^ step;
            let key = number >> 40 & 63;
            match number >> 60 & 3 {
                0 => assert_eq!(map.insert(key, step), model.insert(key, step)),
                1 => assert_eq!(map.remove(&key), model.remove(&key)),
                _ => assert_eq!(map.get(&key), model.get(&key).copied()),
            }
            assert_eq!(map.len(), model.len() as u64);
        }
        assert_eq!(map.is_empty(), model.is_empty());
    }

    #[test]
    fn miri_threads_lose_nothing_and_keys_are_dropped_once() {
        let rounds = if cfg!(miri) { 10 } else { 1_000 };
        let token = Arc::new(());
        let map = SegmentMap::new(2, 4, RandomState::new());
        thread::scope(|scope| {
            for thread in 0..4_u64 {
                let (map, token) = (&map, &token);
                scope.spawn(move || {
                    for round in 0..rounds {
                        assert_eq!(map.insert((thread, round, Arc::clone(token)), round), None);
                    }
                    for round in (0..rounds).step_by(2) {
                        let key = (thread, round, Arc::clone(token));
                        assert_eq!(map.remove(&key), Some(round));
                    }
                });
            }
        });
        assert_eq!(map.len(), 2 * rounds);
        assert_eq!(Arc::strong_count(&token) as u64, 1 + 2 * rounds);
        drop(map);
        assert_eq!(Arc::strong_count(&token), 1);
    }

    /// All threads on one key: what a lock that lets two in would lose, or hand out twice.
    #[test]
    fn miri_each_value_of_a_key_comes_back_once() {
        let rounds = if cfg!(miri) { 20 } else { 20_000 };
        let start = Barrier::new(4);
        let map = SegmentMap::new(1, 1, RandomState::new());
        let mut seen: Vec<u64> = thread::scope(|scope| {
            let work = |thread: u64| {
                let (map, start) = (&map, &start);
                scope.spawn(move || {
                    start.wait();
                    let mut seen = Vec::new();
                    for round in 0..rounds {
                        seen.extend(map.insert("key", thread * rounds + round));
                        if round % 3 == 0 {
                            seen.extend(map.remove(&"key"));
                        }
                    }
                    seen
                })
            };
            let threads: Vec<_> = (0..4).map(work).collect();
            let joined = threads.into_iter().map(|thread| thread.join());
            joined.flat_map(|seen| seen.expect("no panic")).collect()
        });
        seen.extend(map.get(&"key"));
        seen.sort_unstable();
        assert_eq!(seen, (0..4 * rounds).collect::<Vec<_>>());
    }

    /// Also a look-up, or the baseline would be another one; and the lock lets one in at a time.
    #[test]
    fn every_operation_waits_for_the_lock_of_its_segment() {
        type Map = SegmentMap<u8, u8, RandomState>;
        let operations: [fn(&Map) -> Option<u8>; 3] = [
            |map| map.get(&1),
            |map| map.insert(1, 2),
            |map| map.remove(&1),
        ];
        let map = Map::new(1, 4, RandomState::new());
        map.insert(1, 1);
        for (operation, old) in operations.into_iter().zip([1, 1, 2]) {
            let (send, reports) = mpsc::channel();
            let map = &map;
            thread::scope(|scope| {
                map.heads.head(0).lock();
                let held = Held(map.heads.head(0));
                scope.spawn(move || {
                    // The receiver is gone only if the test has failed.
                    let _failed = send.send(None);
                    let _failed = send.send(operation(map));
                });
                assert_eq!(reports.recv(), Ok(None), "the thread has begun");
                let early = reports.recv_timeout(Duration::from_millis(50));
                assert_eq!(early, Err(mpsc::RecvTimeoutError::Timeout));
                drop(held);
                assert_eq!(reports.recv(), Ok(Some(old)));
            });
        }
    }

    #[test]
    fn miri_zero_of_anything_is_one() {
        let map = SegmentMap::new(0, 0, RandomState::new());
        assert_eq!((map.insert(1, 2), map.insert(3, 4)), (None, None));
        assert_eq!((map.get(&1), map.get(&3), map.len()), (Some(2), Some(4), 2));
    }
}
