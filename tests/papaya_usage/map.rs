//! The behaviour of each method of the map.
use crate::maps::{Compute, HashMap, Operation, ResizeMode};
use std::hash::RandomState;

/// One empty map per resize mode.
fn maps() -> [HashMap<u32, String>; 3] {
    [
        ResizeMode::Incremental(1),
        ResizeMode::default(),
        ResizeMode::Blocking,
    ]
    .map(|mode| HashMap::builder().resize_mode(mode).build())
}

fn text(n: u32) -> String {
    n.to_string()
}

#[test]
fn constructors() {
    let plain: HashMap<u8, u8> = HashMap::new();
    let roomy: HashMap<u8, u8> = HashMap::with_capacity(100);
    let seeded: HashMap<u8, u8> = HashMap::with_hasher(RandomState::new());
    let both: HashMap<u8, u8> = HashMap::with_capacity_and_hasher(100, RandomState::new());
    let default: HashMap<u8, u8> = HashMap::default();
    for map in [plain, roomy, seeded, both, default] {
        assert!(map.is_empty());
        map.pin().insert(1, 1);
        assert_eq!(map.len(), 1);
    }
}

#[test]
fn insert_get_remove_through_growth() {
    for map in maps() {
        let map = map.pin();
        for n in 0..1000 {
            assert_eq!(map.insert(n, text(n)), None);
        }
        assert_eq!(map.len(), 1000);
        for n in 0..1000 {
            assert_eq!(map.get(&n), Some(&text(n)));
            assert_eq!(map.get_key_value(&n), Some((&n, &text(n))));
            assert_eq!(map.insert(n, text(n + 1)), Some(&text(n)));
        }
        for n in (0..1000).step_by(2) {
            assert_eq!(map.remove(&n), Some(&text(n + 1)));
            assert_eq!(map.remove(&n), None);
            assert_eq!(map.remove_entry(&(n + 1)), Some((&(n + 1), &text(n + 2))));
        }
        assert!(map.is_empty());
        assert_eq!(map.get(&1), None);
    }
}

#[test]
fn try_insert_keeps_what_is_there() {
    for map in maps() {
        let map = map.pin();
        assert_eq!(map.try_insert(1, text(1)), Ok(&text(1)));
        match map.try_insert(1, text(2)) {
            Ok(value) => panic!("inserted {value} over a present key"),
            Err(error) => {
                assert_eq!(*error.current, text(1));
                assert_eq!(error.not_inserted, text(2));
            }
        }
        assert_eq!(map.try_insert_with(1, || unreachable!()), Err(&text(1)));
        assert_eq!(map.try_insert_with(2, || text(2)), Ok(&text(2)));
        assert_eq!(map.get_or_insert(2, text(3)), &text(2));
        assert_eq!(map.get_or_insert(3, text(3)), &text(3));
        assert_eq!(map.get_or_insert_with(3, || unreachable!()), &text(3));
        assert_eq!(map.get_or_insert_with(4, || text(4)), &text(4));
        assert_eq!(map.len(), 4);
    }
}

#[test]
fn updates_return_the_new_value() {
    for map in maps() {
        let map = map.pin();
        let twice = |value: &String| format!("{value}{value}");
        assert_eq!(map.update(1, twice), None);
        assert_eq!(map.update_or_insert(1, twice, text(1)), &text(1));
        assert_eq!(map.update_or_insert(1, twice, text(9)), &text(11));
        assert_eq!(map.update(1, twice), Some(&text(1111)));
        assert_eq!(
            map.update_or_insert_with(1, twice, || unreachable!()),
            "11111111"
        );
        assert_eq!(map.update_or_insert_with(2, twice, || text(2)), &text(2));
        assert_eq!(map.len(), 2);
    }
}

#[test]
fn compute_does_what_it_is_told() {
    for map in maps() {
        let map = map.pin();
        let step = |entry: Option<(&u32, &String)>| match entry {
            None => Operation::Insert("new".to_owned()),
            Some((_, value)) if value == "new" => Operation::Insert("old".to_owned()),
            Some((_, value)) if value == "old" => Operation::Remove,
            Some(_) => Operation::Abort("unknown"),
        };
        let (new, old) = ("new".to_owned(), "old".to_owned());
        assert_eq!(map.compute(7, step), Compute::Inserted(&7, &new));
        let updated = Compute::Updated {
            old: (&7, &new),
            new: (&7, &old),
        };
        assert_eq!(map.compute(7, step), updated);
        assert_eq!(map.compute(7, step), Compute::Removed(&7, &old));
        map.insert(7, "other".to_owned());
        assert_eq!(map.compute(7, step), Compute::Aborted("unknown"));
        assert_eq!(map.len(), 1);
    }
}

#[test]
#[should_panic]
fn compute_cannot_remove_what_is_absent() {
    let map: HashMap<u32, u32> = HashMap::new();
    let _ = map.pin().compute(1, |_| Operation::<u32, ()>::Remove);
}

#[test]
fn remove_if_asks_first() {
    for map in maps() {
        let map = map.pin();
        map.insert(1, text(1));
        assert_eq!(
            map.remove_if(&1, |key, value| text(*key) != *value),
            Err((&1, &text(1)))
        );
        assert_eq!(map.remove_if(&2, |_, _| true), Ok(None));
        assert_eq!(
            map.remove_if(&1, |key, value| text(*key) == *value),
            Ok(Some((&1, &text(1))))
        );
        assert!(map.is_empty());
    }
}

#[test]
fn whole_map_operations() {
    for map in maps() {
        let guard = map.guard();
        map.reserve(500, &guard);
        for n in 0..500 {
            map.insert(n, text(n), &guard);
        }
        map.retain(|key, value| key % 5 == 0 && text(*key) == *value, &guard);
        assert_eq!(map.len(), 100);
        let mut keys = map.keys(&guard).copied().collect::<Vec<_>>();
        keys.sort_unstable();
        assert_eq!(keys, (0..500).step_by(5).collect::<Vec<_>>());
        let mut values = map.values(&guard).cloned().collect::<Vec<_>>();
        values.sort_unstable();
        let mut expected = keys.iter().copied().map(text).collect::<Vec<_>>();
        expected.sort_unstable();
        assert_eq!(values, expected);
        for (key, value) in map.iter(&guard) {
            assert_eq!(text(*key), *value);
        }
        map.clear(&guard);
        assert!(map.is_empty());
        assert_eq!(map.iter(&guard).count(), 0);

        let pinned = map.pin();
        pinned.reserve(10);
        pinned.insert(1, text(1));
        pinned.retain(|_, _| true);
        assert_eq!(pinned.len(), 1);
        pinned.clear();
        assert!(pinned.is_empty());
        assert_eq!((&pinned).into_iter().next(), None);
    }
}

#[test]
fn standard_traits() {
    let map = HashMap::from([(1, text(1)), (2, text(2)), (1, text(3))]);
    assert_eq!(map.len(), 2);
    assert_eq!(map.pin().get(&1), Some(&text(3)));
    let copy = map.clone();
    assert_eq!(map, copy);
    copy.pin().insert(2, text(9));
    assert_ne!(map, copy);
    copy.pin().remove(&2);
    assert_ne!(map, copy);
    (&copy).extend([(2, text(2)), (3, text(3))]);
    (&map).extend(vec![(3, text(3))]);
    assert_eq!(map, copy);

    let numbers: HashMap<u8, u8> = [(1, 2)].into_iter().collect();
    (&numbers).extend([(&3, &4)]);
    assert_eq!(numbers, HashMap::from([(1, 2), (3, 4)]));
    let one = HashMap::from([("a", 1)]);
    assert_eq!(format!("{one:?}"), r#"{"a": 1}"#);
    assert_eq!(format!("{:?}", one.pin()), r#"{"a": 1}"#);
    assert_eq!(HashMap::<u8, u8>::default(), HashMap::new());
}

#[test]
fn insert_keeps_the_new_key() {
    for map in [HashMap::<Vec<u8>, u8>::new(), HashMap::with_capacity(64)] {
        let map = map.pin();
        map.insert(Vec::with_capacity(10), 1);
        map.insert(Vec::with_capacity(100), 2);
        let (key, value) = map.get_key_value(&Vec::new()).expect("it is there");
        assert!(
            key.capacity() >= 100,
            "the key object is that of the last insert"
        );
        assert_eq!(*value, 2);
    }
}

#[test]
fn what_was_read_stays_readable_under_the_guard() {
    let map = HashMap::from([(1, text(1))]);
    let guard = map.guard();
    let value = map.get(&1, &guard).expect("it is there");
    std::thread::scope(|s| {
        s.spawn(|| {
            for n in 0..1000 {
                map.pin().insert(1, text(n));
            }
            map.pin().remove(&1);
        });
    });
    assert_eq!(*value, text(1));
    assert_eq!(map.get(&1, &guard), None);
}

#[test]
fn counts_of_many_threads_add_up() {
    for map in maps() {
        std::thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    for n in 0..400 {
                        let add = |value: &String| format!("{value}x");
                        map.pin().update_or_insert(n % 10, add, "x".to_owned());
                    }
                });
            }
        });
        let map = map.pin();
        assert_eq!(map.len(), 10);
        assert!(map.values().all(|value| value.len() == 160), "{map:?}");
    }
}

#[test]
fn a_default_is_made_once_however_often_the_key_comes_and_goes() {
    for map in maps() {
        let (pinned, other) = (map.pin(), map.pin());
        let mut seen = Vec::new();
        // The closure changes the key itself, so that each answer comes too late.
        let result = pinned.compute(1, |entry| {
            seen.push(entry.map(|(_, value)| value.clone()));
            match (seen.len(), entry) {
                (1, None) => {
                    other.insert(1, "theirs".to_owned());
                    Operation::Insert("ours".to_owned())
                }
                (2, Some(_)) => {
                    other.remove(&1);
                    Operation::Insert("replacement".to_owned())
                }
                _ => Operation::Abort("asked again about an absent key"),
            }
        });
        assert_eq!(seen, [None, Some("theirs".to_owned())]);
        assert_eq!(result, Compute::Inserted(&1, &"ours".to_owned()));
    }
}

#[test]
fn updates_race_with_removals() {
    for map in maps() {
        std::thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    for n in 0..4000 {
                        let twice = |value: &String| value.clone() + "x";
                        let value = map
                            .pin()
                            .update_or_insert_with(n % 2, twice, String::new)
                            .len();
                        assert!(value <= 8000);
                    }
                });
                s.spawn(|| {
                    for n in 0..4000 {
                        map.pin().remove(&(n % 2));
                    }
                });
            }
        });
        assert!(map.len() <= 2);
    }
}
