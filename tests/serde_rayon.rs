//! The optional features: formats by serde, parallel iterators by rayon.
#![cfg(all(feature = "serde", feature = "rayon"))]

use atomshard::{ShardMap, ShardSet};
use rayon::iter::{
    IntoParallelIterator as _, IntoParallelRefIterator as _, ParallelExtend as _,
    ParallelIterator as _,
};
use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::{Deserialize as _, de};
use std::collections::BTreeMap;

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
