//! The behaviour of each method of the set.
use crate::maps::{HashSet, ResizeMode};
use std::hash::RandomState;

/// One empty set per resize mode.
fn sets() -> [HashSet<u32>; 3] {
    [
        ResizeMode::Incremental(1),
        ResizeMode::default(),
        ResizeMode::Blocking,
    ]
    .map(|mode| HashSet::builder().resize_mode(mode).build())
}

#[test]
fn constructors() {
    let plain: HashSet<u8> = HashSet::new();
    let roomy: HashSet<u8> = HashSet::with_capacity(100);
    let seeded: HashSet<u8> = HashSet::with_hasher(RandomState::new());
    let both: HashSet<u8> = HashSet::with_capacity_and_hasher(100, RandomState::new());
    let default: HashSet<u8> = HashSet::default();
    for set in [plain, roomy, seeded, both, default] {
        assert!(set.is_empty());
        set.pin().insert(1);
        assert_eq!(set.len(), 1);
    }
}

#[test]
fn methods_of_the_set() {
    for set in sets() {
        let guard = set.guard();
        set.reserve(1000, &guard);
        for n in 0..1000 {
            assert!(set.insert(n, &guard));
            assert!(!set.insert(n, &guard));
        }
        assert_eq!(set.len(), 1000);
        assert!(set.contains(&999, &guard));
        assert_eq!(set.get(&999, &guard), Some(&999));
        assert!(set.remove(&999, &guard));
        assert!(!set.remove(&999, &guard));
        assert_eq!(set.get(&999, &guard), None);
        set.retain(|key| key % 2 == 0, &guard);
        let mut keys = set.iter(&guard).copied().collect::<Vec<_>>();
        keys.sort_unstable();
        assert_eq!(keys, (0..1000).step_by(2).collect::<Vec<_>>());
        set.clear(&guard);
        assert!(set.is_empty());
    }
}

#[test]
fn methods_of_the_pinned_set() {
    for set in sets() {
        let pinned = set.pin();
        pinned.reserve(10);
        assert!(pinned.insert(1));
        assert!(!pinned.insert(1));
        assert!(pinned.contains(&1));
        assert_eq!(pinned.get(&1), Some(&1));
        assert_eq!(pinned.iter().count(), 1);
        assert_eq!((&pinned).into_iter().count(), 1);
        assert!(pinned.remove(&1));
        pinned.insert(2);
        pinned.retain(|_| false);
        assert!(pinned.is_empty());
        pinned.insert(3);
        pinned.clear();
        assert_eq!(pinned.len(), 0);
        let inner: &HashSet<u32> = pinned.set();
        let owned = inner.pin_owned();
        assert!(!owned.contains(&3));
        let guard = set.owned_guard();
        assert!(!set.contains(&3, &guard));
    }
}

#[test]
fn standard_traits() {
    let set = HashSet::from([1, 2, 2]);
    assert_eq!(set.len(), 2);
    let copy = set.clone();
    assert_eq!(set, copy);
    (&copy).extend([3, 4]);
    assert_ne!(set, copy);
    (&set).extend(&[3, 4]);
    assert_eq!(set, copy);
    let collected: HashSet<u32> = (1..5).collect();
    assert_eq!(set, collected);
    let one = HashSet::from(["a"]);
    assert_eq!(format!("{one:?}"), r#"{"a"}"#);
    assert_eq!(format!("{:?}", one.pin()), r#"{"a"}"#);
    assert_eq!(HashSet::<u8>::default(), HashSet::new());
}
