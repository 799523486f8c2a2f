//! Panics: of arguments that do not fit, of closures, iterators and key types; and closures that use the map.
use atomshard::{Word, WordMap, WordSet};
use core::cell::Cell;
use core::panic::AssertUnwindSafe;
use std::panic::{catch_unwind, resume_unwind};

/// Whether `f` panics.
fn panics<T>(f: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

/// Ends a call whose result does not matter.
fn done<T>(_: T) {}

/// A panic without a message.
fn burst<T>() -> T {
    resume_unwind(Box::new("burst"))
}

fn squares(n: u64) -> WordMap<u64, u64> {
    (0..n).map(|x| (x, x * x)).collect()
}

/// The map holds these squares, and takes and gives as ever.
fn check(map: &WordMap<u64, u64>, n: u64) {
    assert_eq!(*map, squares(n));
    assert_eq!(map.iter().count() as u64, n);
    assert_eq!(map.insert(u64::MAX, 1), None);
    assert_eq!(map.fetch_add(u64::MAX, 1), Some(1));
    assert_eq!(map.remove(u64::MAX), Some(2));
}

#[test]
fn slices_of_other_lengths_are_refused_before_anything_is_done() {
    let map = squares(3);
    let set: WordSet<u64> = map.keys().collect();
    for places in [0, 1, 3, 40] {
        let (mut values, mut flags) = (vec![Some(77); places], vec![true; places]);
        assert!(panics(|| map.get_many(&[0, 1], &mut values)));
        assert!(panics(|| map.insert_many(&[(0, 9), (7, 9)], &mut values)));
        assert!(panics(|| map.remove_many(&[0, 1], &mut values)));
        assert_eq!(values, vec![Some(77); places]);
        assert!(panics(|| map.contains_many(&[8, 9], &mut flags)));
        assert!(panics(|| set.contains_many(&[8, 9], &mut flags)));
        assert!(panics(|| set.insert_many(&[1, 2], &mut flags)));
        assert!(panics(|| set.insert_many(&[7, 8], &mut flags)));
        assert!(panics(|| set.remove_many(&[8, 9], &mut flags)));
        assert!(panics(|| set.remove_many(&[0, 1], &mut flags)));
        assert_eq!(flags, vec![true; places]);
    }
    check(&map, 3);
    assert_eq!(set, WordSet::from([0, 1, 2]));
}

#[test]
#[should_panic(expected = "2 keys need as many places for the answers, and there are 3")]
fn a_slice_of_another_length_is_named() {
    squares(3).get_many(&[0, 1], &mut [None; 3]);
}

#[test]
fn a_panic_in_a_closure_changes_nothing() {
    let map = squares(100);
    let calls: [&dyn Fn(); 11] = [
        &|| done(map.fetch_update(7, |_| burst())),
        &|| done(map.fetch_update(7, |old| Some(old + burst::<u64>()))),
        &|| done(map.update_or_insert(7, |_| burst(), 1)),
        &|| done(map.get_or_insert_with(1000, burst)),
        &|| done(map.remove_if(7, |_| burst())),
        &|| map.retain(|_, _| burst()),
        &|| map.retain(|key, _| if key == 50 { burst() } else { true }),
        &|| map.for_each(|_, _| burst()),
        &|| {
            map.for_each(|key, _| {
                if key == 50 {
                    burst()
                }
            })
        },
        &|| (&map).extend((0..1).map(|_| burst::<(u64, u64)>())),
        &|| done(map.iter().map(|_| burst::<u64>()).sum::<u64>()),
    ];
    for (number, call) in calls.into_iter().enumerate() {
        assert!(panics(call), "call {number} went through");
        check(&map, 100);
    }
    let set: WordSet<u64> = map.keys().collect();
    assert!(panics(|| set.retain(|_| burst())));
    assert!(panics(|| set.for_each(|_| burst())));
    assert_eq!(set, map.keys().collect());
}

#[test]
fn what_was_done_before_a_panic_stays_done() {
    let map = squares(100);
    let gone = Cell::new(0);
    let removing = |_, _| {
        if gone.get() == 10 {
            burst()
        }
        gone.set(gone.get() + 1);
        false
    };
    assert!(panics(|| map.retain(removing)));
    assert_eq!(map.len(), 90);
    assert!(map.iter().all(|(key, value)| value == key * key));

    let map = WordMap::new();
    let some = (0..100).map(|x| if x < 60 { (x, x * x) } else { burst() });
    assert!(panics(|| (&map).extend(some)));
    check(&map, 60);
}

/// At every stage of growing and shrinking, in shards that move and in buckets with links.
#[test]
fn closures_may_panic_at_every_stage_of_a_resize() {
    let map = WordMap::new();
    for x in 0..3_000 {
        assert_eq!(map.update_or_insert(x, |_| burst(), x * x), x * x);
        assert!(panics(|| map.fetch_update(x / 2, |_| burst())));
        assert!(panics(|| map.get_or_insert_with(x + 1, burst)));
    }
    check(&map, 3_000);
    for x in (100..3_000).rev() {
        assert!(panics(|| map.remove_if(x, |_| burst())));
        assert!(panics(|| map.update_or_insert(x / 2, |_| burst(), 0)));
        assert_eq!(map.remove_if(x, |value| value == x * x), Ok(Some(x * x)));
    }
    check(&map, 100);
    map.shrink_to_fit();
    check(&map, 100);
}

/// A closure may use the map, even for the key that it is about: then it is asked again.
#[test]
fn closures_may_use_the_map() {
    let map = squares(10);
    let mut asked = 0;
    let changed = map.fetch_update(7, |old| {
        asked += 1;
        if asked == 1 {
            assert_eq!(map.insert(7, 1000), Some(old));
        }
        Some(old + 1)
    });
    assert_eq!((changed, asked), (Ok(1000), 2));
    assert_eq!(map.get(7), Some(1001));

    let mut asked = 0;
    let changed = map.fetch_update(7, |_| {
        asked += 1;
        map.remove(7);
        Some(1)
    });
    assert_eq!((changed, asked), (Err(None), 1), "absent by then");

    // While the closure runs the whole map moves, several times.
    let grown = map.update_or_insert(
        3,
        |old| {
            (&map).extend((10..20_000).map(|x| (x, x * x)));
            old + 1
        },
        0,
    );
    assert_eq!(grown, 10);
    assert_eq!(map.insert(3, 9), Some(10));
    assert_eq!(map.insert(7, 49), None);
    check(&map, 20_000);
    assert_eq!(
        map.get_or_insert_with(20_000, || map.insert(20_000, 5).map_or(6, |_| 7)),
        5
    );
    map.retain(|key, _| {
        if key == 20_000 {
            map.for_each(|key, _| done((key >= 10).then(|| map.remove(key))));
            map.shrink_to_fit();
        }
        key < 20_000
    });
    check(&map, 10);
}

thread_local! {
    /// Panic when this many more keys have been taken apart or put together.
    static FUSE: Cell<Option<u32>> = const { Cell::new(None) };
}

/// A key or value that panics on demand, on its way in and out.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Fused(u32);

fn burn() {
    match FUSE.get() {
        Some(0) => burst(),
        left => FUSE.set(left.map(|left| left - 1)),
    }
}

impl Word for Fused {
    type Primitive = u32;
    fn into_primitive(self) -> u32 {
        burn();
        self.0
    }
    fn from_primitive(primitive: u32) -> Self {
        burn();
        Self(primitive)
    }
}

#[test]
fn a_key_type_that_panics_leaves_a_map() {
    type Map = WordMap<Fused, Fused>;
    type Call = (&'static str, fn(&Map));
    let calls: [Call; 12] = [
        ("get", |map| done(map.get(Fused(7)))),
        ("insert", |map| done(map.insert(Fused(7), Fused(107)))),
        ("new", |map| done(map.insert(Fused(50), Fused(150)))),
        ("absent", |map| {
            done(map.insert_if_absent(Fused(51), Fused(151)))
        }),
        ("update", |map| {
            done(map.fetch_update(Fused(8), |_| Some(Fused(108))))
        }),
        ("remove", |map| done(map.remove(Fused(9)))),
        ("remove_if", |map| done(map.remove_if(Fused(10), |_| true))),
        ("retain", |map| map.retain(|key, _| key.0 % 2 == 0)),
        ("insert_many", |map| {
            map.insert_many(
                &[20, 21, 60].map(|n| (Fused(n), Fused(n + 100))),
                &mut [None; 3],
            );
        }),
        ("remove_many", |map| {
            map.remove_many(&[22, 61, 23].map(Fused), &mut [None; 3])
        }),
        ("get_many", |map| {
            map.get_many(&[22, 61, 23].map(Fused), &mut [None; 3])
        }),
        ("clear", Map::clear),
    ];
    let mut bursts = 0;
    for (name, call) in calls {
        for fuse in 0..40 {
            let map: Map = (0..40).map(|n| (Fused(n), Fused(n + 100))).collect();
            FUSE.set(Some(fuse));
            let burst = panics(|| call(&map));
            FUSE.set(None);
            bursts += u32::from(burst);
            // Each entry is whole, and found again by what the iteration says.
            assert_eq!(map.iter().count(), map.len(), "{name} at {fuse}");
            for (key, value) in &map {
                assert_eq!(value.0, key.0 + 100, "{name} at {fuse}");
                assert_eq!(map.get(key), Some(value), "{name} at {fuse}");
            }
            assert_eq!(map.insert(Fused(99), Fused(199)), None);
            assert_eq!(map.remove(Fused(99)), Some(Fused(199)));
        }
    }
    assert!(
        bursts > 80,
        "only {bursts}: the fuses do not reach the calls"
    );
}
