//! Padded shards of any type.

use super::{ByThread, Place};
use crate::pad::Padded;
use crate::sync::note_read;
use core::fmt;

/// Most shards of one [`Sharded`]. 65,536 padded values take 8 MiB on x86-64; nobody who asks for
/// more means it.
pub const MAX_SHARDS: usize = 1 << 16;

/// 2^64 divided by the golden ratio, made odd.
///
/// *Source*: Knuth, The Art of Computer Programming, volume 3, section 6.4, multiplicative hashing.
const FIBONACCI: u64 = 0x9E37_79B9_7F4A_7C15;

/// A power of two of values, each in cache lines of its own, picked by a hash or by the calling
/// thread's [`Place`].
///
/// - *Consistency*: the shards are independent; what holds for `T` holds for each.
/// - *Progress*: picking a shard is wait-free.
/// - *Cost*: picking by hash is a multiplication and a shift, by thread a thread-local read. Memory:
///   each value rounded up to [`PADDING_BYTES`](crate::pad::PADDING_BYTES).
///
/// ```
/// use atomshard::Sharded;
/// use std::sync::Mutex;
///
/// let words = Sharded::with_shards(4, |_| Mutex::new(Vec::new()));
/// words.by_hash(0x1234).lock().unwrap().push("one");
/// words.local().lock().unwrap().push("two");
/// let total: usize = words.iter().map(|shard| shard.lock().unwrap().len()).sum();
/// assert_eq!(total, 2);
/// ```
pub struct Sharded<T, P = ByThread> {
    shards: Box<[Padded<T>]>,
    place: P,
}

impl<T> Sharded<T> {
    /// Makes as many shards as threads can run at once, each by `make(its index)`.
    #[must_use]
    pub fn new(make: impl FnMut(usize) -> T) -> Self {
        Self::with_place(ByThread, make)
    }

    /// Makes `shards` shards, rounded up to a power of two, at least 1 and at most [`MAX_SHARDS`].
    #[must_use]
    pub fn with_shards(shards: usize, make: impl FnMut(usize) -> T) -> Self {
        Self::with_shards_and_place(shards, ByThread, make)
    }
}

impl<T, P: Place> Sharded<T, P> {
    /// As [`new`](Self::new), with as many shards as `place` has places.
    #[must_use]
    pub fn with_place(place: P, make: impl FnMut(usize) -> T) -> Self {
        Self::with_shards_and_place(place.places(), place, make)
    }

    /// As [`with_shards`](Self::with_shards), with threads placed by `place`.
    #[must_use]
    pub fn with_shards_and_place(shards: usize, place: P, make: impl FnMut(usize) -> T) -> Self {
        let shards = shards.clamp(1, MAX_SHARDS).next_power_of_two();
        Self {
            shards: (0..shards).map(make).map(Padded::new).collect(),
            place,
        }
    }

    /// The index of the calling thread's shard.
    #[must_use]
    #[inline]
    pub fn local_index(&self) -> usize {
        self.place.index() & (self.shards.len() - 1)
    }

    /// The calling thread's shard. Other threads may be using it too.
    #[must_use]
    #[inline]
    pub fn local(&self) -> &T {
        note_read(&raw const self.shards);
        &self.shards[self.local_index()]
    }
}

impl<T, P> Sharded<T, P> {
    /// The index of the shard that `hash` belongs to: always the same one.
    ///
    /// The hash is mixed by one multiplication first, so that a weak hash, also the number itself,
    /// still spreads.
    #[must_use]
    #[inline]
    pub fn index_of(&self, hash: u64) -> usize {
        let mixed = hash.wrapping_mul(FIBONACCI);
        // Two shifts, because one by 64 bits, for a single shard, is not allowed.
        let index = (mixed >> 1) >> (63 - self.shards.len().ilog2());
        usize::try_from(index).map_or(0, |index| index & (self.shards.len() - 1))
    }

    /// The shard that `hash` belongs to: always the same one.
    #[must_use]
    #[inline]
    pub fn by_hash(&self, hash: u64) -> &T {
        note_read(&raw const self.shards);
        &self.shards[self.index_of(hash)]
    }

    /// The shard at `index`, if there are so many.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> Option<&T> {
        note_read(&raw const self.shards);
        self.shards.get(index).map(|shard| &**shard)
    }

    /// How many shards there are: a power of two, never 0.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is always a shard")]
    pub fn len(&self) -> usize {
        self.shards.len()
    }

    /// All shards, by index.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &T> {
        self.shards.iter().map(|shard| &**shard)
    }

    /// All shards, by index, for their owner.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = &mut T> {
        self.shards.iter_mut().map(|shard| &mut **shard)
    }

    /// Gives the values back, by index.
    #[must_use]
    pub fn into_values(self) -> Vec<T> {
        self.shards.into_iter().map(Padded::into_inner).collect()
    }
}

impl<T: Default> Default for Sharded<T> {
    fn default() -> Self {
        Self::new(|_| T::default())
    }
}

impl<T: fmt::Debug, P> fmt::Debug for Sharded<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::pad::PADDING_BYTES;
    use core::cell::Cell;
    use std::rc::Rc;

    /// A place that the test moves about.
    struct Moved(Cell<usize>);

    impl Place for Moved {
        fn index(&self) -> usize {
            self.0.get()
        }
        fn places(&self) -> usize {
            3
        }
    }

    #[test]
    fn miri_the_number_of_shards_is_a_power_of_two() {
        for (asked, made) in [(0, 1), (1, 1), (2, 2), (3, 4), (64, 64)] {
            assert_eq!(Sharded::with_shards(asked, |_| ()).len(), made);
        }
        assert!(Sharded::<u8>::default().len().is_power_of_two());
    }

    #[test]
    fn there_is_a_largest_number_of_shards() {
        assert_eq!(Sharded::with_shards(usize::MAX, |_| ()).len(), MAX_SHARDS);
    }

    #[test]
    fn miri_a_place_picks_the_shard() {
        let shards = Sharded::with_place(Moved(Cell::new(0)), |index| index);
        assert_eq!(shards.len(), 4);
        for (place, shard) in [(0, 0), (3, 3), (4, 0), (usize::MAX, 3)] {
            shards.place.0.set(place);
            assert_eq!((shards.local_index(), *shards.local()), (shard, shard));
        }
    }

    #[test]
    fn miri_shards_lie_a_padding_apart() {
        let shards = Sharded::with_shards(2, |_| 0_u8);
        let addresses: Vec<_> = shards
            .iter()
            .map(|shard| core::ptr::from_ref(shard).addr())
            .collect();
        assert_eq!(addresses[1] - addresses[0], PADDING_BYTES);
    }

    /// Numbers that count up are the worst that a user's hash can be; they must spread.
    #[test]
    fn consecutive_hashes_spread_over_all_shards() {
        for shards in [1, 2, 8, 64] {
            let sharded = Sharded::with_shards(shards, |_| ());
            let mut hits = vec![0; shards];
            for hash in 0..shards as u64 * 100 {
                hits[sharded.index_of(hash)] += 1;
            }
            assert!(
                hits.iter().all(|hits| (50..=150).contains(hits)),
                "{shards}: {hits:?}"
            );
        }
    }

    #[test]
    fn miri_every_value_is_made_and_dropped_once() {
        let token = Rc::new(());
        let mut shards = Sharded::with_shards(4, |index| (index, Rc::clone(&token)));
        assert_eq!(Rc::strong_count(&token), 5);
        for (index, shard) in shards.iter_mut().enumerate() {
            assert_eq!(shard.0, index);
            shard.0 += 10;
        }
        assert_eq!(shards.get(3).map(|shard| shard.0), Some(13));
        assert!(shards.get(4).is_none());
        let values = shards.into_values();
        assert_eq!(values.iter().map(|value| value.0).sum::<usize>(), 46);
        drop(values);
        assert_eq!(Rc::strong_count(&token), 1);
    }
}
