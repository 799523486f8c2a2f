//! Generic callers: they compile only if bounds and lifetimes are no stricter than papaya's.
use crate::maps::{
    Compute, Equivalent, Guard, HashMap, HashMapBuilder, HashMapRef, HashSet, HashSetBuilder,
    HashSetRef, Iter, Keys, LocalGuard, OccupiedError, Operation, OwnedGuard, ResizeMode, Values,
};
use core::hash::{BuildHasher, Hash};
use std::hash::RandomState;

/// The guard alone decides how long an iterator lives.
fn entries<'g, G: Guard>(map: &HashMap<String, u32>, guard: &'g G) -> Iter<'g, String, u32, G> {
    map.iter(guard)
}

/// A structure that lends what a map inside it holds, as papaya's guide advises.
struct Metrics {
    by_name: HashMap<String, Vec<u64>>,
}

impl Metrics {
    fn guard(&self) -> impl Guard + '_ {
        self.by_name.guard()
    }

    fn get<'g>(&self, name: &str, guard: &'g impl Guard) -> Option<&'g [u64]> {
        Some(self.by_name.get(name, guard)?.as_slice())
    }

    fn add<'g>(&self, name: &str, value: u64, guard: &'g impl Guard) -> &'g Vec<u64> {
        self.by_name.update_or_insert_with(
            name.to_owned(),
            |values| values.iter().copied().chain([value]).collect(),
            || vec![value],
            guard,
        )
    }
}

#[test]
fn a_map_inside_a_structure_lends_its_values() {
    let metrics = Metrics {
        by_name: HashMap::new(),
    };
    let guard = metrics.guard();
    assert_eq!(metrics.get("hits", &guard), None);
    metrics.add("hits", 1, &guard);
    let both = metrics.add("hits", 2, &guard);
    assert_eq!(metrics.get("hits", &guard), Some(both.as_slice()));
    assert_eq!(both, &[1, 2]);
}

fn reads<'a, K, V, S, G, Q>(map: &'a HashMapRef<'_, K, V, S, G>, key: &Q) -> Option<(&'a K, &'a V)>
where
    K: Hash + Eq,
    S: BuildHasher,
    G: Guard,
    Q: Equivalent<K> + Hash + ?Sized,
{
    let value: Option<&'a V> = map.get(key);
    assert_eq!(value.is_some(), map.contains_key(key));
    map.get_key_value(key)
}

fn writes<'g, K, V, S, G>(map: &HashMap<K, V, S>, key: K, value: V, guard: &'g G) -> Option<&'g V>
where
    K: Hash + Eq + Clone + 'g,
    V: Clone,
    S: BuildHasher,
    G: Guard,
{
    let fresh: Result<&'g V, OccupiedError<'g, V>> =
        map.try_insert(key.clone(), value.clone(), guard);
    let made: Result<&'g V, &'g V> = map.try_insert_with(key.clone(), || value.clone(), guard);
    assert!(fresh.is_ok() && made.is_err());
    let _: &'g V = map.get_or_insert(key.clone(), value.clone(), guard);
    let _: &'g V = map.get_or_insert_with(key.clone(), || value.clone(), guard);
    let _: Option<&'g V> = map.update(key.clone(), V::clone, guard);
    let _: &'g V = map.update_or_insert(key.clone(), V::clone, value.clone(), guard);
    map.insert(key, value, guard)
}

fn visits<'a, K, V, S, G>(map: &'a HashMapRef<'_, K, V, S, G>) -> [usize; 4]
where
    K: Hash + Eq,
    S: BuildHasher,
    G: Guard,
{
    let entries: Iter<'a, K, V, G> = map.iter();
    let keys: Keys<'a, K, V, G> = map.keys();
    let values: Values<'a, K, V, G> = map.values();
    [
        entries.count(),
        keys.count(),
        values.count(),
        map.into_iter().count(),
    ]
}

fn takes<'g, K, V, S, G, Q>(map: &HashMap<K, V, S>, key: &Q, guard: &'g G) -> Option<(&'g K, &'g V)>
where
    K: Hash + Eq + 'g,
    S: BuildHasher,
    G: Guard,
    Q: Equivalent<K> + Hash + ?Sized,
{
    let kept: Result<Option<(&'g K, &'g V)>, (&'g K, &'g V)> =
        map.remove_if(key, |_, _| false, guard);
    assert!(kept.is_err());
    let removed: Option<(&'g K, &'g V)> = map.remove_entry(key, guard);
    assert!(map.remove(key, guard).is_none());
    removed
}

fn decides<'g, K, V, S, G>(map: &'g HashMapRef<'_, K, V, S, G>, key: K) -> Compute<'g, K, V, u8>
where
    K: Hash + Eq,
    S: BuildHasher,
    G: Guard,
{
    map.compute(key, |entry: Option<(&'g K, &'g V)>| match entry {
        Some(_) => Operation::Abort(1),
        None => Operation::Abort(0),
    })
}

#[test]
fn generic_callers_compile_and_work() {
    let map: HashMap<String, u32> = HashMap::new();
    let guard: OwnedGuard<'_> = map.owned_guard();
    assert_eq!(writes(&map, "a".to_owned(), 1, &guard), Some(&1));
    let local: LocalGuard<'_> = map.guard();
    assert_eq!(map.get("a", &local), Some(&1));
    assert_eq!(entries(&map, &local).count(), 1);
    {
        let pinned: HashMapRef<'_, String, u32, RandomState, LocalGuard<'_>> = map.pin();
        assert_eq!(reads(&pinned, "a"), Some((&"a".to_owned(), &1)));
        assert_eq!(visits(&pinned), [1; 4]);
        assert_eq!(decides(&pinned, "a".to_owned()), Compute::Aborted(1));
        assert_eq!(decides(&pinned, "b".to_owned()), Compute::Aborted(0));
    }
    assert_eq!(takes(&map, "a", &guard), Some((&"a".to_owned(), &1)));
    let owned: HashMapRef<'_, String, u32, RandomState, OwnedGuard<'_>> = map.pin_owned();
    let inner: &HashMap<String, u32> = owned.map();
    assert!(inner.is_empty());
}

#[test]
fn builders_take_every_setting_in_any_order() {
    let builder: HashMapBuilder<u8, u8> = HashMap::builder();
    let builder: HashMapBuilder<u8, u8, foldhash::fast::RandomState> = builder
        .resize_mode(ResizeMode::default())
        .hasher(foldhash::fast::RandomState::default());
    let map: HashMap<u8, u8, foldhash::fast::RandomState> = builder.capacity(10).build();
    map.pin().insert(1, 2);
    assert_eq!(map.len(), 1);

    let builder: HashSetBuilder<u8> = HashSet::builder();
    let builder = builder
        .capacity(10)
        .hasher(foldhash::fast::RandomState::default());
    let set: HashSet<u8, foldhash::fast::RandomState> =
        builder.resize_mode(ResizeMode::Incremental(1)).build();
    let pinned: HashSetRef<'_, u8, foldhash::fast::RandomState, LocalGuard<'_>> = set.pin();
    assert!(pinned.insert(1));
    assert!(
        !format!(
            "{:?}{:?}",
            HashMap::<u8, u8>::builder(),
            HashSet::<u8>::builder()
        )
        .is_empty()
    );
}

#[test]
fn owned_pins_and_their_iterators_cross_threads() {
    let map: HashMap<u32, u32> = (0..100).map(|x| (x, x)).collect();
    let pinned = map.pin_owned();
    let first = pinned.get(&1);
    let rest = pinned.iter();
    let sum = std::thread::scope(|s| {
        s.spawn(move || rest.map(|(_, v)| v).sum::<u32>() + first.copied().unwrap_or(0))
            .join()
    });
    assert_eq!(sum.ok(), Some(4950 + 1));
}
