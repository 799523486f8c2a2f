//! Sequences of operations: a map against std's, a set against std's, with good and bad hashers.
use atomshard::{Compute, Operation, ResizeMode, ShardMap, ShardSet};
use core::hash::{BuildHasher, Hasher};
use foldhash::fast::FixedState;
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use std::collections::{HashMap, HashSet};

/// One operation on a map.
#[derive(Debug, Clone)]
enum Op {
    Insert(u16, u32),
    TryInsert(u16, u32),
    GetOrInsert(u16, u32),
    Remove(u16),
    RemoveIf(u16, u32),
    Get(u16),
    Update(u16, u32),
    UpdateOrInsert(u16, u32),
    /// What to do if present and if absent: bit 0 insert, bit 1 remove (present only), else abort.
    Compute(u16, u8, u32),
    Retain(u32),
    Clear,
    Reserve(u16),
    Shrink,
    Iterate,
    Clone,
}

fn key(keys: u16) -> impl Strategy<Value = u16> {
    0..keys
}

fn op(keys: u16) -> impl Strategy<Value = Op> {
    let value = || any::<u32>();
    prop_oneof![
        12 => (key(keys), value()).prop_map(|(k, v)| Op::Insert(k, v)),
        4 => (key(keys), value()).prop_map(|(k, v)| Op::TryInsert(k, v)),
        4 => (key(keys), value()).prop_map(|(k, v)| Op::GetOrInsert(k, v)),
        8 => key(keys).prop_map(Op::Remove),
        4 => (key(keys), value()).prop_map(|(k, v)| Op::RemoveIf(k, v)),
        6 => key(keys).prop_map(Op::Get),
        4 => (key(keys), value()).prop_map(|(k, v)| Op::Update(k, v)),
        4 => (key(keys), value()).prop_map(|(k, v)| Op::UpdateOrInsert(k, v)),
        6 => (key(keys), 0..4_u8, value()).prop_map(|(k, how, v)| Op::Compute(k, how, v)),
        1 => value().prop_map(Op::Retain),
        1 => Just(Op::Clear),
        1 => (0..2000_u16).prop_map(Op::Reserve),
        1 => Just(Op::Shrink),
        1 => Just(Op::Iterate),
        1 => Just(Op::Clone),
    ]
}

/// Keeps some bits of a good hash, so that keys share tags, buckets, shards or everything.
#[derive(Debug, Clone, Copy)]
struct Masked {
    seed: u64,
    mask: u64,
}

struct MaskedHasher<H> {
    inner: H,
    mask: u64,
}

impl BuildHasher for Masked {
    type Hasher = MaskedHasher<<FixedState as BuildHasher>::Hasher>;
    fn build_hasher(&self) -> Self::Hasher {
        let inner = FixedState::with_seed(self.seed).build_hasher();
        MaskedHasher {
            inner,
            mask: self.mask,
        }
    }
}

impl<H: Hasher> Hasher for MaskedHasher<H> {
    fn finish(&self) -> u64 {
        self.inner.finish() & self.mask
    }
    fn write(&mut self, bytes: &[u8]) {
        self.inner.write(bytes);
    }
}

fn hasher() -> impl Strategy<Value = Masked> {
    let mask = prop_oneof![
        6 => Just(u64::MAX),
        1 => Just(0),
        1 => Just(0b111),
        1 => Just(0xFF00_0000_0000_0000),
        1 => Just(0x0000_00FF_0000_0000),
        1 => any::<u64>(),
    ];
    (any::<u64>(), mask).prop_map(|(seed, mask)| Masked { seed, mask })
}

fn mode() -> impl Strategy<Value = ResizeMode> {
    prop_oneof![
        (1..100_usize).prop_map(ResizeMode::Incremental),
        Just(ResizeMode::Blocking)
    ]
}

type Map = ShardMap<u16, u32, Masked>;

/// Does `op` to both and compares what it returns.
fn step(map: &Map, oracle: &mut HashMap<u16, u32>, op: Op) {
    let pinned = map.pin();
    match op {
        Op::Insert(k, v) => assert_eq!(pinned.insert(k, v).copied(), oracle.insert(k, v)),
        Op::TryInsert(k, v) => {
            let present = oracle.get(&k).copied();
            let tried = pinned
                .try_insert(k, v)
                .copied()
                .map_err(|e| (*e.current, e.not_inserted));
            assert_eq!(tried, present.map_or(Ok(v), |old| Err((old, v))));
            oracle.entry(k).or_insert(v);
        }
        Op::GetOrInsert(k, v) => {
            let expected = *oracle.entry(k).or_insert(v);
            let got = if v % 2 == 0 {
                pinned.get_or_insert(k, v)
            } else {
                pinned.get_or_insert_with(k, || v)
            };
            assert_eq!(*got, expected);
        }
        Op::Remove(k) => {
            let expected = oracle.remove_entry(&k);
            assert_eq!(pinned.remove_entry(&k).map(|(k, v)| (*k, *v)), expected);
        }
        Op::RemoveIf(k, v) => {
            let removed = pinned.remove_if(&k, |_, old| old % 2 == v % 2);
            let expected = oracle.get_key_value(&k);
            match removed {
                Ok(None) => assert_eq!(expected, None),
                Ok(Some(entry)) => assert!(expected == Some(entry) && entry.1 % 2 == v % 2),
                Err(entry) => assert!(expected == Some(entry) && entry.1 % 2 != v % 2),
            }
            if matches!(removed, Ok(Some(_))) {
                oracle.remove(&k);
            }
        }
        Op::Get(k) => {
            assert_eq!(pinned.get_key_value(&k), oracle.get_key_value(&k));
            assert_eq!(pinned.contains_key(&k), oracle.contains_key(&k));
        }
        Op::Update(k, v) => {
            let new = oracle.get_mut(&k).map(|old| {
                *old = old.wrapping_add(v);
                *old
            });
            assert_eq!(pinned.update(k, |old| old.wrapping_add(v)).copied(), new);
        }
        Op::UpdateOrInsert(k, v) => {
            let new = oracle.get(&k).map_or(v, |old| old ^ v);
            oracle.insert(k, new);
            assert_eq!(*pinned.update_or_insert(k, |old| old ^ v, v), new);
        }
        Op::Compute(k, how, v) => compute(map, oracle, k, how, v),
        Op::Retain(v) => {
            pinned.retain(|key, value| (value ^ u32::from(*key)) % 3 != v % 3);
            oracle.retain(|key, value| (*value ^ u32::from(*key)) % 3 != v % 3);
        }
        Op::Clear => {
            pinned.clear();
            oracle.clear();
        }
        Op::Reserve(room) => {
            pinned.reserve(room.into());
            assert!(pinned.capacity() >= oracle.len() + usize::from(room));
        }
        Op::Shrink => pinned.shrink_to_fit(),
        Op::Iterate => {
            let mut left = oracle.clone();
            for (k, v) in &pinned {
                assert_eq!(left.remove(k), Some(*v), "yielded twice or not in the map");
            }
            assert!(left.is_empty(), "never yielded: {left:?}");
        }
        Op::Clone => {
            let copy = map.clone();
            assert_eq!(copy, *map);
            assert_eq!(&copy.into_iter().collect::<HashMap<_, _>>(), oracle);
        }
    }
    assert_eq!(map.len(), oracle.len());
    assert_eq!(map.is_empty(), oracle.is_empty());
}

fn compute(map: &Map, oracle: &mut HashMap<u16, u32>, k: u16, how: u8, v: u32) {
    let pinned = map.pin();
    let before = oracle.get(&k).copied();
    let done = pinned.compute(k, |entry| match (entry, how) {
        (_, 1) => Operation::Insert(v),
        (Some(_), 2) => Operation::Remove,
        (entry, _) => Operation::Abort(entry.map(|(key, value)| (*key, *value))),
    });
    match (before, how) {
        (None, 1) => assert_eq!(done, Compute::Inserted(&k, &v)),
        (Some(old), 1) => {
            assert_eq!(
                done,
                Compute::Updated {
                    old: (&k, &old),
                    new: (&k, &v)
                }
            );
        }
        (Some(old), 2) => assert_eq!(done, Compute::Removed(&k, &old)),
        (before, _) => assert_eq!(done, Compute::Aborted(before.map(|old| (k, old)))),
    }
    match how {
        1 => drop(oracle.insert(k, v)),
        2 => drop(oracle.remove(&k)),
        _ => {}
    }
}

/// A few cases under Miri, as many as the environment asks for otherwise.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: if cfg!(miri) { 2 } else { usual.cases },
        ..usual
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_map_is_a_map(
        hasher in hasher(),
        mode in mode(),
        capacity in prop_oneof![Just(0_usize), 1..500_usize],
        ops in vec(op(300), 0..if cfg!(miri) { 60 } else { 500 }),
    ) {
        let map = ShardMap::builder().hasher(hasher).resize_mode(mode).capacity(capacity).build();
        let mut oracle = HashMap::new();
        for op in ops {
            step(&map, &mut oracle, op);
        }
        step(&map, &mut oracle, Op::Iterate);
        assert_eq!(map.into_iter().collect::<HashMap<_, _>>(), oracle);
    }

    #[test]
    fn a_map_of_few_keys_is_a_map(
        hasher in hasher(),
        mode in mode(),
        ops in vec(op(8), 0..if cfg!(miri) { 60 } else { 400 }),
    ) {
        let map = ShardMap::builder().hasher(hasher).resize_mode(mode).build();
        let mut oracle = HashMap::new();
        for op in ops {
            step(&map, &mut oracle, op);
        }
        step(&map, &mut oracle, Op::Iterate);
    }

    #[test]
    fn a_set_is_a_set(
        hasher in hasher(),
        keys in vec((0..100_u16, 0..4_u8), 0..if cfg!(miri) { 60 } else { 800 }),
    ) {
        let set = ShardSet::with_hasher(hasher);
        let mut oracle = HashSet::new();
        let pinned = set.pin();
        for (key, what) in keys {
            match what {
                0 | 1 => assert_eq!(pinned.insert(key), oracle.insert(key)),
                2 => assert_eq!(pinned.remove(&key), oracle.remove(&key)),
                _ => assert_eq!(pinned.get(&key), oracle.get(&key)),
            }
            assert_eq!(set.len(), oracle.len());
        }
        assert_eq!(pinned.iter().copied().collect::<HashSet<_>>(), oracle);
    }
}
