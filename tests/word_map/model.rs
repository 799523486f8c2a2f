//! Sequences of all operations: a map against std's, a set against std's, growing and shrinking meanwhile.
use atomshard::{WordMap, WordSet};
use core::hash::BuildHasher;
use evidence::words::Unmixed;
use foldhash::fast::FixedState;
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use std::collections::{HashMap, HashSet};

/// One operation on a map.
#[derive(Debug, Clone)]
enum Op {
    Insert(u16, i32),
    InsertIfAbsent(u16, i32),
    GetOrInsert(u16, i32),
    Get(u16),
    Remove(u16),
    RemoveIf(u16, i32),
    Replace(u16, i32),
    /// Whether the expected value is the one that is there.
    CompareExchange(u16, bool, i32),
    FetchUpdate(u16, i32),
    UpdateOrInsert(u16, i32),
    /// Which of the four, and by how much.
    Fetch(u16, u8, i32),
    /// So many keys from this one on: this is what makes tables grow.
    InsertMany(u16, u16, i32),
    GetMany(u16, u16),
    RemoveMany(u16, u16),
    Extend(u16, u16, i32),
    Retain(i32),
    Clear,
    Reserve(u16),
    Shrink,
    Iterate,
    Clone,
}

/// Operations on keys below `few`; those on many keys go on to the double of `many`.
fn op(few: u16, many: u16) -> impl Strategy<Value = Op> {
    let value = || any::<i32>();
    let key = move || 0..few;
    let many = move || (0..many, prop_oneof![0..many.min(40), 0..many]);
    prop_oneof![
        8 => (key(), value()).prop_map(|(k, v)| Op::Insert(k, v)),
        4 => (key(), value()).prop_map(|(k, v)| Op::InsertIfAbsent(k, v)),
        4 => (key(), value()).prop_map(|(k, v)| Op::GetOrInsert(k, v)),
        6 => key().prop_map(Op::Get),
        8 => key().prop_map(Op::Remove),
        4 => (key(), value()).prop_map(|(k, v)| Op::RemoveIf(k, v)),
        3 => (key(), value()).prop_map(|(k, v)| Op::Replace(k, v)),
        4 => (key(), any::<bool>(), value()).prop_map(|(k, is, v)| Op::CompareExchange(k, is, v)),
        4 => (key(), value()).prop_map(|(k, v)| Op::FetchUpdate(k, v)),
        4 => (key(), value()).prop_map(|(k, v)| Op::UpdateOrInsert(k, v)),
        4 => (key(), 0..4_u8, value()).prop_map(|(k, how, v)| Op::Fetch(k, how, v)),
        4 => (many(), value()).prop_map(|((k, n), v)| Op::InsertMany(k, n, v)),
        3 => many().prop_map(|(k, n)| Op::GetMany(k, n)),
        5 => many().prop_map(|(k, n)| Op::RemoveMany(k, n)),
        2 => (many(), value()).prop_map(|((k, n), v)| Op::Extend(k, n, v)),
        1 => value().prop_map(Op::Retain),
        1 => Just(Op::Clear),
        1 => (0..5_000_u16).prop_map(Op::Reserve),
        2 => Just(Op::Shrink),
        2 => Just(Op::Iterate),
        1 => Just(Op::Clone),
    ]
}

type Map<S> = WordMap<u16, i32, S>;

/// So many keys from `first` on, every third one twice.
fn keys(first: u16, count: u16) -> Vec<u16> {
    let twice =
        (first..first + count).flat_map(|k| [k; 2].into_iter().take(1 + usize::from(k % 3 == 0)));
    twice.collect()
}

fn changed(key: u16, old: i32, by: i32) -> Option<i32> {
    (old % 4 != 0).then(|| old.rotate_left(1) ^ by ^ i32::from(key))
}

/// Does `op` to both and compares what it returns.
fn step<S: BuildHasher + Clone>(map: &Map<S>, oracle: &mut HashMap<u16, i32>, op: Op) {
    match op {
        Op::Insert(k, v) => assert_eq!(map.insert(k, v), oracle.insert(k, v)),
        Op::InsertIfAbsent(k, v) => {
            let present = oracle.get(&k).copied();
            assert_eq!(map.insert_if_absent(k, v), present.map_or(Ok(()), Err));
            oracle.entry(k).or_insert(v);
        }
        Op::GetOrInsert(k, v) => {
            let got = if v % 2 == 0 {
                map.get_or_insert(k, v)
            } else {
                map.get_or_insert_with(k, || v)
            };
            assert_eq!(got, *oracle.entry(k).or_insert(v));
        }
        Op::Get(k) => {
            assert_eq!(map.get(k), oracle.get(&k).copied());
            assert_eq!(map.contains(k), oracle.contains_key(&k));
        }
        Op::Remove(k) => assert_eq!(map.remove(k), oracle.remove(&k)),
        Op::RemoveIf(k, v) => {
            let is_removed = |old: i32| old % 2 == v % 2;
            let expected = match oracle.get(&k).copied() {
                Some(old) if !is_removed(old) => Err(old),
                _ => Ok(oracle.remove(&k)),
            };
            assert_eq!(map.remove_if(k, is_removed), expected);
        }
        Op::Replace(k, v) => {
            let expected = oracle.get_mut(&k).map(|old| core::mem::replace(old, v));
            assert_eq!(map.replace(k, v), expected);
        }
        Op::CompareExchange(k, is_there, v) => {
            let present = oracle.get(&k).copied();
            let current = present.map_or(v, |old| if is_there { old } else { old ^ 1 });
            let expected = match oracle.get_mut(&k) {
                Some(old) if *old == current => Ok(core::mem::replace(old, v)),
                _ => Err(present),
            };
            assert_eq!(map.compare_exchange(k, current, v), expected);
        }
        Op::FetchUpdate(k, v) => {
            let old = oracle.get(&k).copied();
            let new = old.and_then(|old| changed(k, old, v));
            let updated = map.fetch_update(k, |old| changed(k, old, v));
            assert_eq!(updated, new.and(old).ok_or(old));
            oracle.extend(new.map(|new| (k, new)));
        }
        Op::UpdateOrInsert(k, v) => {
            let new = oracle.get(&k).map_or(v, |old| old ^ v);
            oracle.insert(k, new);
            assert_eq!(map.update_or_insert(k, |old| old ^ v, v), new);
        }
        Op::Fetch(k, how, v) => {
            let (fetched, new): (_, fn(i32, i32) -> i32) = match how {
                0 => (map.fetch_add(k, v), i32::wrapping_add),
                1 => (map.fetch_sub(k, v), i32::wrapping_sub),
                2 => (map.fetch_min(k, v), i32::min),
                _ => (map.fetch_max(k, v), i32::max),
            };
            assert_eq!(fetched, oracle.get(&k).copied());
            oracle.entry(k).and_modify(|old| *old = new(*old, v));
        }
        Op::Reserve(room) => {
            map.reserve(room.into());
            assert!(map.capacity() >= usize::from(room));
        }
        Op::Shrink => map.shrink_to_fit(),
        many => step_many(map, oracle, many),
    }
    assert_eq!(map.len(), oracle.len());
    assert_eq!(map.is_empty(), oracle.is_empty());
}

/// The same for operations on many keys or all.
fn step_many<S: BuildHasher + Clone>(map: &Map<S>, oracle: &mut HashMap<u16, i32>, op: Op) {
    match op {
        Op::InsertMany(first, count, v) => {
            let entries: Vec<(u16, i32)> = (0..)
                .zip(keys(first, count))
                .map(|(i, k)| (k, v ^ i))
                .collect();
            let mut old = vec![Some(0); entries.len()];
            map.insert_many(&entries, &mut old);
            let replaced = entries.iter().map(|&(k, v)| oracle.insert(k, v));
            assert_eq!(old, replaced.collect::<Vec<_>>());
        }
        Op::GetMany(first, count) => {
            let keys = keys(first, count);
            let (mut values, mut present) = (vec![Some(0); keys.len()], vec![true; keys.len()]);
            map.get_many(&keys, &mut values);
            map.contains_many(&keys, &mut present);
            let expected: Vec<_> = keys.iter().map(|k| oracle.get(k).copied()).collect();
            assert_eq!(values, expected);
            assert!(present.into_iter().eq(expected.iter().map(Option::is_some)));
        }
        Op::RemoveMany(first, count) => {
            let keys = keys(first, count);
            let mut old = vec![Some(0); keys.len()];
            map.remove_many(&keys, &mut old);
            let removed = keys.iter().map(|k| oracle.remove(k));
            assert_eq!(old, removed.collect::<Vec<_>>());
        }
        Op::Extend(first, count, v) => {
            let entries = || (first..first + count).map(|k| (k, v));
            let mut map = map;
            map.extend(entries());
            oracle.extend(entries());
        }
        Op::Retain(v) => {
            let stays = |k: u16, value: i32| (value ^ i32::from(k)) % 3 != v % 3;
            map.retain(stays);
            oracle.retain(|k, value| stays(*k, *value));
        }
        Op::Clear => {
            map.clear();
            oracle.clear();
        }
        Op::Iterate => {
            let mut left = oracle.clone();
            for (k, v) in map {
                assert_eq!(left.remove(&k), Some(v), "yielded twice or not in the map");
            }
            assert!(left.is_empty(), "never yielded: {left:?}");
            let (mut keys, mut sum) = (HashSet::new(), 0_i64);
            map.for_each(|k, v| {
                keys.insert(k);
                sum += i64::from(v);
            });
            assert!(map.keys().all(|k| keys.contains(&k)));
            assert_eq!(map.values().map(i64::from).sum::<i64>(), sum);
        }
        Op::Clone => {
            let copy = map.clone();
            assert!(copy == *map);
            assert_eq!(copy.iter().collect::<HashMap<_, _>>(), *oracle);
        }
        single => unreachable!("{single:?} is done elsewhere"),
    }
}

/// A few cases under Miri, as many as the environment asks for otherwise.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: if cfg!(miri) { 2 } else { usual.cases / 4 },
        ..usual
    }
}

const OPS: usize = if cfg!(miri) { 20 } else { 200 };

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_map_is_a_map(
        seed in any::<u64>(),
        capacity in prop_oneof![Just(0_usize), 1..2_000_usize],
        ops in vec(op(64, 1_200), 0..OPS),
    ) {
        let hasher = FixedState::with_seed(seed);
        let map = WordMap::with_capacity_and_hasher(capacity, hasher);
        let mut oracle = HashMap::new();
        for op in ops {
            step(&map, &mut oracle, op);
        }
        step(&map, &mut oracle, Op::Iterate);
        step(&map, &mut oracle, Op::GetMany(0, 3_000));
    }

    /// Every key has the same line, however large the table is: most of them are behind links.
    #[test]
    fn a_map_of_one_line_is_a_map(ops in vec(op(24, 24), 0..OPS)) {
        let map = WordMap::with_hasher(Unmixed);
        let mut oracle = HashMap::new();
        for op in ops {
            step(&map, &mut oracle, op);
        }
        step(&map, &mut oracle, Op::Iterate);
        step(&map, &mut oracle, Op::GetMany(0, 100));
    }

    #[test]
    fn a_set_is_a_set(
        seed in any::<u64>(),
        ops in vec((0..1_000_u16, prop_oneof![0..20_u16, 0..800_u16], 0..8_u8), 0..OPS),
    ) {
        let set = WordSet::with_hasher(FixedState::with_seed(seed));
        let mut oracle = HashSet::new();
        for (key, count, what) in ops {
            let keys = keys(key, count);
            let mut answers = vec![true; keys.len()];
            let expected: Vec<bool> = match what {
                0 => vec![set.insert(key) == oracle.insert(key)],
                1 => vec![set.remove(key) == oracle.remove(&key)],
                2 => vec![set.contains(key) == oracle.contains(&key)],
                3 | 4 => {
                    set.insert_many(&keys, &mut answers);
                    keys.iter().map(|key| oracle.insert(*key)).collect()
                }
                5 => {
                    set.remove_many(&keys, &mut answers);
                    keys.iter().map(|key| oracle.remove(key)).collect()
                }
                6 => {
                    set.contains_many(&keys, &mut answers);
                    keys.iter().map(|key| oracle.contains(key)).collect()
                }
                _ => {
                    set.retain(|kept| kept % 7 != key % 7);
                    oracle.retain(|kept| kept % 7 != key % 7);
                    set.shrink_to_fit();
                    answers.clone()
                }
            };
            match what {
                0..=2 => assert_eq!(expected, [true]),
                _ => assert_eq!(answers, expected),
            }
            assert_eq!(set.len(), oracle.len());
            assert_eq!(set.is_empty(), oracle.is_empty());
        }
        let mut seen: Vec<u16> = set.iter().collect();
        seen.sort_unstable();
        let mut expected: Vec<u16> = oracle.into_iter().collect();
        expected.sort_unstable();
        assert_eq!(seen, expected);
        set.clear();
        assert!(set.is_empty());
    }
}
