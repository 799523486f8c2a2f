//! Heads of shards: 16 bytes of lock and size, one after another or padded.

use crate::atomic::{AtomicU64, Ordering, layout, note_objects, note_read};
use atomshard::Sharded;

/// The head of a shard: its lock, and how much is in it.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Header {
    lock: AtomicU64,
    size: AtomicU64,
}
layout!(Header: lock, size);

const _: () = assert!(size_of::<Header>() == 16, "the article's lock and size");

impl Header {
    /// Locks the shard, waiting in a loop.
    #[inline]
    pub(crate) fn lock(&self) {
        let take = || {
            // ORD: Acquire — pairs with the Release in unlock; sees what the last holder wrote.
            self.lock
                .compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed)
        };
        while take().is_err() {
            // ORD: Relaxed — a hint when to try again; the exchange decides.
            while self.lock.load(Ordering::Relaxed) != 0 {
                core::hint::spin_loop();
            }
        }
    }

    /// Changes the size; the caller has the lock.
    #[inline]
    pub(crate) fn count(&self, change: u64) {
        // ORD: Relaxed — under the lock nobody else writes; atomic for `size`, which takes no lock.
        let size = self.size.load(Ordering::Relaxed);
        self.size
            .store(size.wrapping_add(change), Ordering::Relaxed);
    }

    /// The size.
    pub(crate) fn size(&self) -> u64 {
        // ORD: Relaxed — a count; exact while nobody writes.
        self.size.load(Ordering::Relaxed)
    }

    /// Ends the caller's lock.
    #[inline]
    pub(crate) fn unlock(&self) {
        // ORD: Release — pairs with the Acquire in lock; publishes what was done under the lock.
        self.lock.store(0, Ordering::Release);
    }

    #[inline]
    fn visit(&self) {
        self.lock();
        self.count(1);
        self.unlock();
    }
}

/// Heads one after another: four in a line of 64 bytes.
#[derive(Debug)]
pub struct Packed {
    heads: Box<[Header]>,
}
layout!(Packed: heads);

impl Packed {
    /// So many heads.
    #[must_use]
    pub fn new(shards: usize) -> Self {
        let heads: Box<[Header]> = (0..shards).map(|_| Header::default()).collect();
        note_objects(heads.as_ptr(), heads.len());
        Self { heads }
    }

    /// The head of a shard.
    #[inline]
    pub(crate) fn head(&self, shard: usize) -> &Header {
        note_read(&raw const self.heads);
        &self.heads[shard]
    }

    /// Locks a shard, counts, and unlocks it.
    ///
    /// # Panics
    /// If there is no such shard.
    #[inline]
    pub fn visit(&self, shard: usize) {
        note_objects(self, 1);
        self.head(shard).visit();
    }

    /// What has been counted.
    #[must_use]
    pub fn sum(&self) -> u64 {
        note_read(&raw const self.heads);
        self.heads.iter().map(Header::size).sum()
    }
}

/// Heads in lines of their own, as the crate pads shards.
#[derive(Debug)]
pub struct Padded {
    heads: Sharded<Header>,
}
layout!(Padded: heads);

impl Padded {
    /// So many heads, rounded up to a power of two.
    #[must_use]
    pub fn new(shards: usize) -> Self {
        let heads = Sharded::with_shards(shards, |_| Header::default());
        heads.iter().for_each(|head| note_objects(head, 1));
        Self { heads }
    }

    /// Locks a shard, counts, and unlocks it.
    ///
    /// # Panics
    /// If there is no such shard.
    #[inline]
    pub fn visit(&self, shard: usize) {
        note_objects(self, 1);
        let Some(head) = self.heads.get(shard) else {
            panic!("shard {shard} of {}", self.heads.len())
        };
        head.visit();
    }

    /// What has been counted.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.heads.iter().map(Header::size).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{Header, Packed, Padded};
    use atomshard::pad::PADDING_BYTES;
    use std::sync::Barrier;
    use std::thread;

    #[test]
    fn miri_each_visit_counts() {
        let rounds = if cfg!(miri) { 10 } else { 10_000 };
        let start = Barrier::new(4);
        let (packed, padded) = (Packed::new(2), Padded::new(2));
        thread::scope(|scope| {
            for shard in [0, 1, 0, 1] {
                let (packed, padded, start) = (&packed, &padded, &start);
                scope.spawn(move || {
                    start.wait();
                    for _ in 0..rounds {
                        packed.visit(shard);
                        padded.visit(shard);
                    }
                });
            }
        });
        assert_eq!((packed.sum(), padded.sum()), (4 * rounds, 4 * rounds));
    }

    /// The distance is what the two are compared for.
    #[test]
    fn miri_heads_lie_as_far_apart_as_said() {
        let addr = |head: &Header| core::ptr::from_ref(head).addr();
        let packed = Packed::new(2);
        assert_eq!(addr(packed.head(1)) - addr(packed.head(0)), 16);
        let padded = Padded::new(2);
        let places: Vec<usize> = padded.heads.iter().map(addr).collect();
        assert_eq!(places[1] - places[0], PADDING_BYTES);
        assert_eq!(places[0] % PADDING_BYTES, 0);
    }

    #[test]
    #[should_panic(expected = "shard 2 of 2")]
    fn a_visit_to_no_shard_is_no_quiet_nothing() {
        Padded::new(2).visit(2);
    }
}
