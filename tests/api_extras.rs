//! What the maps have beyond papaya's surface.
use atomshard::{Guard, ResizeMode, ShardMap, ShardSet, TryReserveError};
use foldhash::fast::FixedState;

fn squares(n: u64) -> ShardMap<u64, u64> {
    (0..n).map(|x| (x, x * x)).collect()
}

#[test]
fn capacity_is_at_least_what_was_asked_for() {
    for asked in [1, 10, 100, 10_000] {
        let map: ShardMap<u64, u64> = ShardMap::with_capacity(asked);
        assert!(map.capacity() >= asked, "{} < {asked}", map.capacity());
        assert_eq!(map.capacity(), map.pin().capacity());
        let set: ShardSet<u64> = ShardSet::with_capacity(asked);
        assert!(set.capacity() >= asked, "{} < {asked}", set.capacity());
        assert_eq!(set.capacity(), set.pin().capacity());
    }
}

#[test]
fn reserve_makes_room_on_top_of_what_is_there() {
    let map = squares(100);
    map.pin().reserve(5000);
    assert!(map.capacity() >= 5100, "{}", map.capacity());
    assert_eq!(map, squares(100));
    let set = (0..100).collect::<ShardSet<u64>>();
    set.pin().reserve(5000);
    assert!(set.capacity() >= 5100, "{}", set.capacity());
    assert_eq!(set.len(), 100);
}

#[test]
fn try_reserve_says_what_does_not_fit_and_leaves_the_map_usable() {
    let map = squares(100);
    let guard = map.guard();
    assert_eq!(map.try_reserve(1000, &guard), Ok(()));
    assert!(map.capacity() >= 1100);
    for entries in [usize::MAX, usize::MAX / 2, isize::MAX.cast_unsigned() / 8] {
        let error = map
            .try_reserve(entries, &guard)
            .expect_err("no machine has that much");
        assert!(!error.to_string().is_empty());
        assert!(map.pin().try_reserve(entries).is_err());
    }
    let overflow = map.try_reserve(usize::MAX, &guard);
    assert!(
        matches!(overflow, Err(TryReserveError::CapacityOverflow { .. })),
        "{overflow:?}"
    );
    assert_eq!(map, squares(100));
    map.insert(1000, 1, &guard);
    assert_eq!(map.len(), 101);

    let set = ShardSet::from([1]);
    assert!(set.try_reserve(usize::MAX, &set.guard()).is_err());
    assert!(set.pin().try_reserve(usize::MAX).is_err());
    assert_eq!(set.try_reserve(10, &set.guard()), Ok(()));
}

#[test]
#[should_panic(expected = "exceeds the address space")]
fn no_map_is_made_with_more_room_than_there_is() {
    drop(ShardMap::<u64, u64>::with_capacity(usize::MAX));
}

#[test]
#[should_panic(expected = "exceeds the address space")]
fn reserve_panics_where_try_reserve_reports() {
    ShardMap::<u64, u64>::new().pin().reserve(usize::MAX);
}

#[test]
fn shrink_to_fit_gives_room_back_and_keeps_the_entries() {
    let map = squares(20_000);
    let full = map.capacity();
    map.pin().retain(|key, _| *key < 10);
    map.pin().shrink_to_fit();
    assert_eq!(map, squares(10));
    assert!(map.capacity() < full / 10, "{} of {full}", map.capacity());
    let guard = map.guard();
    for key in 0..20_000 {
        map.insert(key, key * key, &guard);
    }
    assert_eq!(map, squares(20_000));

    let set = (0..20_000).collect::<ShardSet<u64>>();
    let full = set.capacity();
    set.pin().clear();
    set.shrink_to_fit(&set.guard());
    set.pin().shrink_to_fit();
    assert!(set.capacity() < full / 10, "{} of {full}", set.capacity());
}

#[test]
fn settings_can_be_read_back() {
    let hasher = FixedState::with_seed(7);
    for mode in [ResizeMode::Incremental(5), ResizeMode::Blocking] {
        let map = ShardMap::<u8, u8>::builder()
            .hasher(hasher.clone())
            .resize_mode(mode)
            .capacity(3)
            .build();
        assert_eq!(map.resize_mode(), mode);
        assert_eq!(map.pin().resize_mode(), mode);
        assert_eq!(map.clone().resize_mode(), mode, "a clone keeps the mode");
        let expected = core::hash::BuildHasher::hash_one(&hasher, 1_u8);
        assert_eq!(
            core::hash::BuildHasher::hash_one(map.hasher(), 1_u8),
            expected
        );
        assert_eq!(
            core::hash::BuildHasher::hash_one(map.pin().hasher(), 1_u8),
            expected
        );
        let set = ShardSet::<u8>::builder()
            .hasher(hasher.clone())
            .resize_mode(mode)
            .build();
        assert_eq!((set.resize_mode(), set.pin().resize_mode()), (mode, mode));
        assert_eq!(
            core::hash::BuildHasher::hash_one(set.hasher(), 1_u8),
            expected
        );
        assert_eq!(
            core::hash::BuildHasher::hash_one(set.pin().hasher(), 1_u8),
            expected
        );
    }
}

#[test]
fn a_map_comes_apart_into_its_entries() {
    let mut iter = squares(1000).into_iter();
    assert_eq!(iter.len(), 1000);
    assert_eq!(
        iter.next().map(|(key, value)| key * key == value),
        Some(true)
    );
    assert_eq!(iter.len(), 999);
    assert_eq!(
        iter.map(|(key, _)| key)
            .collect::<std::collections::HashSet<_>>()
            .len(),
        999
    );

    let map = ShardMap::from([("a".to_owned(), vec![1]), ("b".to_owned(), vec![2])]);
    map.pin().remove("b");
    assert_eq!(
        map.into_iter().collect::<Vec<_>>(),
        [("a".to_owned(), vec![1])]
    );
    assert_eq!(ShardMap::<u8, u8>::new().into_iter().next(), None);

    let mut keys = ShardSet::from([1, 2, 3]).into_iter();
    assert_eq!(keys.len(), 3);
    keys.next();
    assert_eq!(format!("{keys:?}").matches(',').count(), 1);
    assert_eq!(keys.count(), 2);
}

#[test]
fn a_map_by_value_can_be_extended_too() {
    let (even, odd): (ShardMap<u64, u64>, ShardMap<u64, u64>) =
        squares(100).into_iter().partition(|(key, _)| key % 2 == 0);
    assert_eq!((even.len(), odd.len()), (50, 50));
    let mut all = even;
    all.extend(odd);
    assert_eq!(all, squares(100));
    all.extend([(&7, &0)]);
    assert_eq!(all.pin().get(&7), Some(&0));

    let mut set = ShardSet::from([1]);
    set.extend([2, 3]);
    set.extend(&[3, 4]);
    assert_eq!(set, ShardSet::from([1, 2, 3, 4]));
}

#[test]
fn errors_say_what_happened() {
    let map = ShardMap::from([("key", "old")]);
    let pinned = map.pin();
    let error = pinned.try_insert("key", "new").expect_err("it is there");
    let text = error.to_string();
    assert!(text.contains("old") && text.contains("new"), "{text}");
    let error: &dyn core::error::Error = &error;
    assert!(error.source().is_none());
}

#[test]
fn a_whole_map_under_one_explicit_guard() {
    fn fill<'g>(map: &ShardMap<String, u64>, guard: &'g impl Guard) -> Vec<&'g u64> {
        let names = (0..50_u64).map(|n| (format!("key {n}"), n));
        for (name, n) in names.clone() {
            map.insert(name, n, guard);
        }
        names
            .filter_map(|(name, _)| map.get(name.as_str(), guard))
            .collect()
    }
    let map = ShardMap::new();
    let owned = map.owned_guard();
    let local = map.guard();
    let seen = fill(&map, &owned);
    map.clear(&local);
    assert_eq!(fill(&map, &local).len(), 50);
    map.shrink_to_fit(&owned);
    assert_eq!(seen.into_iter().sum::<u64>(), 49 * 50 / 2);
}
