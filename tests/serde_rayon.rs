//! The optional features: formats by serde, parallel iterators by rayon.
#![cfg(all(feature = "serde", feature = "rayon"))]

use atomshard::{ShardMap, ShardSet, WordMap, WordSet};
use core::num::NonZero;
use rayon::iter::{
    IntoParallelIterator as _, IntoParallelRefIterator as _, ParallelExtend as _,
    ParallelIterator as _,
};
use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::{Deserialize as _, de};
use std::collections::{BTreeMap, BTreeSet};

fn words() -> ShardMap<String, Vec<u32>> {
    (0..100)
        .map(|n| (format!("word {n}"), vec![n; 3]))
        .collect()
}

#[test]
fn a_map_survives_json() {
    let text = serde_json::to_string(&words()).expect("json takes any map of strings");
    let back: ShardMap<String, Vec<u32>> = serde_json::from_str(&text).expect("it was json");
    assert_eq!(back, words());
    let as_std: BTreeMap<String, Vec<u32>> = serde_json::from_str(&text).expect("it was json");
    assert_eq!(as_std, words().into_iter().collect());
    assert_eq!(
        serde_json::to_string(&words().pin())
            .map(|text| text.len())
            .ok(),
        Some(text.len())
    );
    assert_eq!(
        serde_json::to_string(&ShardMap::<u8, u8>::new()).ok(),
        Some("{}".to_owned())
    );
}

#[test]
fn a_set_survives_json() {
    let set = ShardSet::from(["a".to_owned(), "b".to_owned()]);
    let text = serde_json::to_string(&set).expect("json takes any sequence");
    assert_eq!(
        serde_json::to_string(&set.pin())
            .ok()
            .map(|text| text.len()),
        Some(text.len())
    );
    let back: ShardSet<String> = serde_json::from_str(&text).expect("it was json");
    assert_eq!(back, set);
}

#[test]
fn words_survive_json() {
    let map: WordMap<u32, f64> = (0..500).map(|n| (n, f64::from(n) / 8.0)).collect();
    let text = serde_json::to_string(&map).expect("json takes maps of numbers");
    assert_eq!(
        serde_json::from_str::<WordMap<u32, f64>>(&text)
            .ok()
            .as_ref(),
        Some(&map)
    );
    let as_std: BTreeMap<u32, f64> = serde_json::from_str(&text).expect("it was json");
    assert!(
        as_std
            .into_iter()
            .eq((0..500).map(|n| (n, f64::from(n) / 8.0)))
    );
    let twice = serde_json::from_str::<WordMap<u8, char>>(r#"{"1":"a","2":"b","1":"c"}"#);
    assert_eq!(twice.ok(), Some(WordMap::from([(1, 'c'), (2, 'b')])));

    let set = WordSet::from([NonZero::<i16>::MIN, NonZero::<i16>::MAX]);
    let text = serde_json::to_string(&set).expect("json takes any sequence");
    assert_eq!(
        serde_json::from_str::<WordSet<NonZero<i16>>>(&text).ok(),
        Some(set)
    );
    let as_std: BTreeSet<i16> = serde_json::from_str(&text).expect("it was json");
    assert!(as_std.into_iter().eq([i16::MIN, i16::MAX]));
    let empty = [
        serde_json::to_string(&WordMap::<u8, u8>::new()).ok(),
        serde_json::to_string(&WordSet::<u8>::new()).ok(),
    ];
    assert_eq!(empty, ["{}", "[]"].map(|text| Some(text.to_owned())));
}

#[test]
fn words_that_their_type_does_not_have_are_errors() {
    fn map<V: atomshard::Word + de::DeserializeOwned>(text: &str) -> Option<String> {
        let read = serde_json::from_str::<WordMap<u8, V>>(text);
        read.err().map(|error| error.to_string())
    }
    fn set<K: atomshard::Word + de::DeserializeOwned>(text: &str) -> Option<String> {
        let read = serde_json::from_str::<WordSet<K>>(text);
        read.err().map(|error| error.to_string())
    }
    let refused = [
        map::<NonZero<u8>>(r#"{"1":0}"#),
        map::<u8>(r#"{"1":256}"#),
        map::<u8>(r#"{"300":1}"#),
        map::<u8>(r#"{"a":1}"#),
        map::<char>(r#"{"1":"ab"}"#),
        map::<bool>(r#"{"1":2}"#),
        map::<i8>(r#"{"1":-129}"#),
        map::<u8>(r#"{"1":1"#),
        set::<NonZero<u64>>("[1,2,0]"),
        set::<char>(r#"["a",""]"#),
        set::<u64>("[18446744073709551616]"),
        set::<u64>("[1,2"),
    ];
    for (number, error) in refused.into_iter().enumerate() {
        assert!(
            error.is_some_and(|text| !text.is_empty()),
            "text {number} was taken"
        );
    }
    assert!(map::<u8>("7").is_some_and(|text| text.contains("a map")));
    assert!(set::<u8>("{}").is_some_and(|text| text.contains("a sequence of keys")));
    assert_eq!(map::<Option<NonZero<u8>>>(r#"{"1":null,"2":3}"#), None);
    assert_eq!(set::<NonZero<u64>>("[1,2]"), None);
}

#[test]
fn input_that_is_no_map_is_an_error() {
    for bad in ["[1]", "7", r#"{"a":1"#, r#"{"a":"b"}"#] {
        assert!(
            serde_json::from_str::<ShardMap<String, u8>>(bad).is_err(),
            "{bad}"
        );
    }
    let error = serde_json::from_str::<ShardMap<String, u8>>("7").expect_err("a number");
    assert!(error.to_string().contains("a map"), "{error}");
    let error = serde_json::from_str::<ShardSet<u8>>("{}").expect_err("a map");
    assert!(error.to_string().contains("a sequence of keys"), "{error}");
}

/// A format that announces more than it has.
struct Boasting<I>(I);

impl<I: Iterator> Iterator for Boasting<I> {
    type Item = I::Item;
    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX / 2, Some(usize::MAX / 2))
    }
}

/// As [`Boasting`], to the visitor.
struct BoastingAccess<A>(A);

impl<'de, A: de::MapAccess<'de>> de::MapAccess<'de> for BoastingAccess<A> {
    type Error = A::Error;
    fn next_key_seed<K: de::DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }
    fn next_value_seed<V: de::DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, A::Error> {
        self.0.next_value_seed(seed)
    }
    fn size_hint(&self) -> Option<usize> {
        Some(usize::MAX)
    }
}

#[test]
fn an_announced_size_is_not_believed() {
    let entries = [(1_u32, 2_u32), (3, 4)];
    let access = BoastingAccess(MapDeserializer::<_, Error>::new(entries.into_iter()));
    let map = ShardMap::<u32, u32>::deserialize(de::value::MapAccessDeserializer::new(access));
    assert_eq!(map, Ok(ShardMap::from(entries)));
    let keys = SeqDeserializer::<_, Error>::new(Boasting([1_u32, 2].into_iter()));
    assert_eq!(
        ShardSet::<u32>::deserialize(keys),
        Ok(ShardSet::from([1, 2]))
    );

    let access = BoastingAccess(MapDeserializer::<_, Error>::new(entries.into_iter()));
    let map = WordMap::<u32, u32>::deserialize(de::value::MapAccessDeserializer::new(access));
    assert_eq!(map, Ok(WordMap::from(entries)));
    let keys = SeqDeserializer::<_, Error>::new(Boasting([1_u32, 2].into_iter()));
    let set = WordSet::<u32>::deserialize(keys).expect("they are numbers");
    assert_eq!(set, WordSet::from([1, 2]));
    let believed = set.capacity();
    set.shrink_to_fit();
    assert!(
        set.capacity() < believed / 10,
        "{} of {believed}",
        set.capacity()
    );
}

#[test]
fn parallel_iteration_visits_each_entry_once() {
    let map = (0..50_000_u64)
        .map(|n| (n, 2 * n))
        .collect::<ShardMap<u64, u64>>();
    let pinned = map.pin_owned();
    let mut keys = pinned
        .par_iter()
        .map(|(key, value)| value - key)
        .collect::<Vec<_>>();
    keys.sort_unstable();
    assert!(keys.into_iter().eq(0..50_000));
    let guard = map.owned_guard();
    assert_eq!(map.par_iter(&guard).count(), 50_000);
    assert_eq!(ShardMap::<u8, u8>::new().pin_owned().par_iter().count(), 0);

    let set = (0..50_000_u64).collect::<ShardSet<u64>>();
    assert_eq!(set.pin_owned().par_iter().sum::<u64>(), 49_999 * 25_000);
    assert_eq!(set.par_iter(&set.owned_guard()).count(), 50_000);
    assert_eq!(set.into_par_iter().sum::<u64>(), 49_999 * 25_000);
}

#[test]
fn parallel_collection_and_extension() {
    let entries = || (0..20_000_u64).into_par_iter().map(|n| (n, n.to_string()));
    let mut map = entries().collect::<ShardMap<u64, String>>();
    assert_eq!(map.len(), 20_000);
    map.par_extend(entries().map(|(key, value)| (key + 10_000, value)));
    (&map).par_extend(entries().map(|(key, value)| (key + 20_000, value)));
    assert_eq!(map.len(), 40_000);
    assert!(
        map.pin()
            .iter()
            .all(|(key, value)| key.to_string() == *value || *key >= 10_000)
    );
    let total = map.into_par_iter().map(|(key, _)| key).sum::<u64>();
    assert_eq!(total, (0..40_000_u64).sum::<u64>());

    let mut set = (0..1000_u64).into_par_iter().collect::<ShardSet<u64>>();
    set.par_extend((500..1500_u64).into_par_iter());
    (&set).par_extend((1500..1600_u64).into_par_iter());
    assert_eq!(set, (0..1600).collect::<ShardSet<u64>>());
}

#[test]
fn words_in_parallel() {
    let entries = || (0..20_000_u64).into_par_iter().map(|n| (n, 2 * n));
    let mut map = entries().collect::<WordMap<u64, u64>>();
    let mut halves = (&map)
        .into_par_iter()
        .map(|(key, value)| value - key)
        .collect::<Vec<_>>();
    halves.sort_unstable();
    assert!(halves.into_iter().eq(0..20_000), "each entry once");
    map.par_extend(entries().map(|(key, _)| (key + 10_000, 0)));
    (&map).par_extend(entries().map(|(key, _)| (key + 20_000, 0)));
    assert_eq!(map.par_iter().count(), 40_000);
    assert!(
        map.par_iter()
            .all(|(key, value)| value == if key < 10_000 { 2 * key } else { 0 })
    );
    assert!(format!("{:?}", map.par_iter()).contains("40000"));
    assert_eq!(WordMap::<u8, u8>::new().par_iter().count(), 0);

    let mut set = (0..1_000_u64).into_par_iter().collect::<WordSet<u64>>();
    set.par_extend((500..1_500_u64).into_par_iter());
    (&set).par_extend((1_500..1_600_u64).into_par_iter());
    assert_eq!(set, (0..1_600).collect::<WordSet<u64>>());
    assert_eq!(set.par_iter().sum::<u64>(), (0..1_600).sum::<u64>());
    assert!(format!("{:?}", set.par_iter()).contains("1600"));
}

/// Who iterates in parallel shares the map with writers: what stays is met once, while shards grow and shrink.
#[test]
fn words_in_parallel_while_tables_move() {
    let map: WordMap<u64, u64> = (0..2_000).map(|n| (n, n)).collect();
    let writer = || {
        for _ in 0..6 {
            for key in 2_000..10_000 {
                map.insert(key, key);
            }
            (2_000..10_000).for_each(|key| assert_eq!(map.remove(key), Some(key)));
            map.shrink_to_fit();
        }
    };
    let reader = || {
        for _ in 0..30 {
            let mut stable: Vec<u64> = map.par_iter().map(|(key, _)| key).collect();
            stable.retain(|key| *key < 2_000);
            stable.sort_unstable();
            assert!(stable.into_iter().eq(0..2_000));
        }
    };
    rayon::join(writer, reader);
    assert_eq!(map.len(), 2_000);
}
