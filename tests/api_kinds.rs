//! Keys and values of every size, alignment and lifetime.
use atomshard::{ResizeMode, ShardMap, ShardSet};
use core::fmt::Debug;
use core::hash::{BuildHasher, Hash, Hasher};
use std::collections::HashMap;

/// Puts `entries` in, looks at each, replaces and removes them, in every resize mode.
fn live<K, V>(entries: &[(K, V)])
where
    K: Clone + Debug + Hash + Eq,
    V: Clone + Debug + PartialEq,
{
    let oracle = entries.iter().cloned().collect::<HashMap<K, V>>();
    for mode in [
        ResizeMode::Incremental(1),
        ResizeMode::default(),
        ResizeMode::Blocking,
    ] {
        let map = ShardMap::<K, V>::builder().resize_mode(mode).build();
        let pinned = map.pin();
        for (key, value) in entries {
            pinned.insert(key.clone(), value.clone());
        }
        assert_eq!(map.len(), oracle.len());
        assert_eq!(pinned.iter().count(), oracle.len());
        for (key, value) in &oracle {
            let (found_key, found) = pinned.get_key_value(key).expect("it was inserted");
            assert_eq!((found_key, found), (key, value));
            assert!(core::ptr::from_ref(found).is_aligned());
            assert!(core::ptr::from_ref(found_key).is_aligned());
            assert_eq!(pinned.update(key.clone(), V::clone), Some(value));
        }
        assert_eq!(map.clone().into_iter().collect::<HashMap<K, V>>(), oracle);
        for (key, value) in &oracle {
            assert_eq!(pinned.remove(key), Some(value));
            assert!(!pinned.contains_key(key));
        }
        assert!(map.is_empty());
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Nothing;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[repr(align(256))]
struct Aligned(u64);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Large([u64; 600]);

#[test]
fn zero_sized_keys_and_values() {
    live(&[(Nothing, Nothing)]);
    live(&[(Nothing, 1_u64)]);
    live(&(0..300_u64).map(|n| (n, Nothing)).collect::<Vec<_>>());
    let set = ShardSet::from([()]);
    assert!(set.pin().contains(&()));
    assert_eq!(set.len(), 1);
}

#[test]
fn over_aligned_keys_and_values() {
    live(&(0..300_u64).map(|n| (Aligned(n), n)).collect::<Vec<_>>());
    live(&(0..300_u64).map(|n| (n, Aligned(n))).collect::<Vec<_>>());
    live(&(0..300_u64).map(|n| (n, u128::from(n))).collect::<Vec<_>>());
}

#[test]
fn small_and_large_keys_and_values() {
    live(&(0..=u8::MAX).map(|n| (n, n)).collect::<Vec<_>>());
    live(&[(true, 'a'), (false, 'b')]);
    live(&(0..100).map(|n| (Large([n; 600]), n)).collect::<Vec<_>>());
    live(&(0..100).map(|n| (n, Large([n; 600]))).collect::<Vec<_>>());
}

#[test]
fn keys_and_values_that_own_memory() {
    live(
        &(0..300)
            .map(|n| (n.to_string(), vec![n; 3]))
            .collect::<Vec<_>>(),
    );
    live(
        &(0..300)
            .map(|n| (Box::new(n), Some(Box::new(n))))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn keys_and_values_that_borrow() {
    let text = "the quick brown fox jumps over the lazy dog".to_owned();
    let words = text.split(' ').collect::<Vec<_>>();
    live(
        &words
            .iter()
            .map(|word| (*word, word.len()))
            .collect::<Vec<_>>(),
    );
    let first_of = |n: usize| words.iter().find(|word| word.len() == n);
    live(&[3, 4, 5].map(|n| (n, first_of(n))));
}

/// A hasher that gives only a few values, or one.
#[derive(Clone, Copy, Default)]
struct Coarse {
    mask: u64,
    state: u64,
}

impl BuildHasher for Coarse {
    type Hasher = Self;
    fn build_hasher(&self) -> Self {
        *self
    }
}

impl Hasher for Coarse {
    fn finish(&self) -> u64 {
        self.state & self.mask
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.state = (self.state.rotate_left(5) ^ u64::from(*byte)).wrapping_mul(0x9E37_79B9);
        }
    }
}

#[test]
fn keys_that_share_their_hash_cost_time_only() {
    for mask in [0, 1, 0xFF00_0000_0000_0000, u64::MAX << 57, 0x7F] {
        let map = ShardMap::with_hasher(Coarse { mask, state: 1 });
        let pinned = map.pin();
        for n in 0..400_u64 {
            assert_eq!(pinned.insert(n, n), None);
        }
        assert!((0..400).all(|n| pinned.get(&n) == Some(&n)));
        assert_eq!(pinned.get(&400), None);
        assert_eq!(
            pinned.iter().map(|(key, _)| key).sum::<u64>(),
            399 * 400 / 2
        );
        for n in (0..400).step_by(2) {
            assert_eq!(pinned.remove(&n), Some(&n));
        }
        assert!((0..400).all(|n| pinned.contains_key(&n) == (n % 2 == 1)));
        assert_eq!(map.len(), 200);
    }
}
