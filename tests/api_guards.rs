//! Guards: what they keep alive, whose they are, and where they may go.
use atomshard::{
    LocalGuard, OwnedGuard, ShardMap, ShardMapBuilder, ShardMapRef, ShardSet, ShardSetRef,
};
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::rc::Rc;
use std::sync::Arc;

fn sent<T: Send>() {}
fn shared<T: Sync>() {}

/// Ends a call whose result does not matter.
fn done<T>(_: T) {}

#[test]
fn what_may_cross_threads() {
    type Map = ShardMap<String, Vec<u8>>;
    type Ref<'a> = ShardMapRef<'a, String, Vec<u8>, std::hash::RandomState, OwnedGuard<'a>>;
    sent::<Map>();
    shared::<Map>();
    sent::<ShardMap<core::cell::Cell<u8>, core::cell::Cell<u8>>>();
    sent::<ShardMapBuilder<Rc<u8>, Rc<u8>>>();
    sent::<Ref<'static>>();
    shared::<Ref<'static>>();
    sent::<OwnedGuard<'static>>();
    shared::<OwnedGuard<'static>>();
    sent::<atomshard::map::shard_map::Iter<'static, String, Vec<u8>, OwnedGuard<'static>>>();
    sent::<atomshard::map::shard_map::IntoIter<String, Vec<u8>>>();
    sent::<ShardSet<String>>();
    shared::<ShardSet<String>>();
    sent::<ShardSetRef<'static, String, std::hash::RandomState, OwnedGuard<'static>>>();
}

/// Every method that takes a guard refuses that of another map.
fn refuses<V: Clone>(value: &V) {
    let (map, other) = (ShardMap::<u32, V>::new(), ShardMap::<u32, V>::new());
    map.pin().insert(1, value.clone());
    let foreign = other.guard();
    let calls: [&dyn Fn(); 22] = [
        &|| done(map.get(&1, &foreign)),
        &|| done(map.get_key_value(&1, &foreign)),
        &|| assert!(map.contains_key(&1, &foreign)),
        &|| done(map.insert(1, value.clone(), &foreign)),
        &|| assert!(map.try_insert(1, value.clone(), &foreign).is_err()),
        &|| assert!(map.try_insert_with(1, || value.clone(), &foreign).is_err()),
        &|| done(map.get_or_insert(1, value.clone(), &foreign).clone()),
        &|| {
            done(
                map.get_or_insert_with(1, || value.clone(), &foreign)
                    .clone(),
            )
        },
        &|| done(map.update(1, V::clone, &foreign)),
        &|| {
            done(
                map.update_or_insert(1, V::clone, value.clone(), &foreign)
                    .clone(),
            )
        },
        &|| {
            done(
                map.update_or_insert_with(1, V::clone, || value.clone(), &foreign)
                    .clone(),
            )
        },
        &|| done(map.compute(1, |_| atomshard::Operation::Abort(()), &foreign)),
        &|| done(map.remove(&1, &foreign)),
        &|| done(map.remove_entry(&1, &foreign)),
        &|| assert!(map.remove_if(&1, |_, _| true, &foreign).is_ok()),
        &|| done(map.iter(&foreign)),
        &|| done(map.keys(&foreign)),
        &|| done(map.values(&foreign)),
        &|| map.clear(&foreign),
        &|| map.retain(|_, _| false, &foreign),
        &|| map.reserve(1, &foreign),
        &|| map.shrink_to_fit(&foreign),
    ];
    for (n, call) in calls.into_iter().enumerate() {
        assert!(
            catch_unwind(AssertUnwindSafe(call)).is_err(),
            "call {n} took a foreign guard"
        );
    }
    assert!(catch_unwind(AssertUnwindSafe(|| map.try_reserve(1, &foreign))).is_err());
    assert_eq!(map.len(), 1, "nothing was changed");
    assert!(map.get(&1, &map.guard()).is_some());
}

#[test]
fn a_guard_of_another_map_is_refused() {
    refuses(&"owns memory".to_owned());
}

#[test]
fn a_guard_of_another_map_is_refused_also_where_nothing_needs_dropping() {
    refuses(&7_u64);
}

#[test]
fn a_set_refuses_foreign_guards_too() {
    let (set, other) = (ShardSet::from(["a".to_owned()]), ShardSet::<String>::new());
    let foreign = other.guard();
    let call = AssertUnwindSafe(|| set.contains("a", &foreign));
    assert!(catch_unwind(call).is_err());
}

/// Counts the values of it that live.
#[derive(Clone)]
struct Counted(Arc<()>);

impl Counted {
    fn living(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

#[test]
fn everything_the_map_held_is_dropped_with_the_map() {
    let counted = Counted(Arc::new(()));
    let map = ShardMap::new();
    for n in 0..500 {
        map.pin().insert(n, counted.clone());
        map.pin().insert(n / 2, counted.clone());
        map.pin().remove(&(n / 3));
    }
    drop(map);
    assert_eq!(counted.living(), 0);
}

#[test]
fn an_entry_lives_as_long_as_a_guard_that_saw_it() {
    let counted = Counted(Arc::new(()));
    let map = ShardMap::from([(1, counted.clone())]);
    let guard = map.guard();
    let value = map.get(&1, &guard).expect("it is there");
    std::thread::scope(|s| {
        s.spawn(|| {
            map.pin().remove(&1);
            for n in 0..1000 {
                map.pin().insert(n % 7, counted.clone());
                map.pin().remove(&(n % 7));
            }
        });
    });
    assert!(value.living() >= 1, "the value that is still borrowed");
    drop(guard);
    drop(map);
    assert_eq!(counted.living(), 0);
}

#[test]
fn pins_nest_and_guards_mix() {
    let map = ShardMap::from([(1, 1)]);
    let outer = map.pin();
    let inner = map.pin();
    let owned: OwnedGuard<'_> = map.owned_guard();
    let local: LocalGuard<'_> = map.guard();
    inner.insert(2, 2);
    assert_eq!(outer.get(&2), Some(&2));
    drop(inner);
    assert_eq!(map.get(&2, &owned), map.get(&2, &local));
    assert_eq!(outer.len(), 2);
}

#[test]
fn owned_guards_work_from_several_threads_at_once() {
    let map = (0..1000).map(|n| (n, n)).collect::<ShardMap<u32, u32>>();
    let pinned = map.pin_owned();
    std::thread::scope(|s| {
        for thread in 0..4 {
            let pinned = &pinned;
            s.spawn(move || {
                for n in 0..1000 {
                    assert_eq!(pinned.get(&n), Some(&n));
                    if n % 4 == thread {
                        pinned.insert(n + 1000, n);
                        pinned.remove(&(n + 1000));
                    }
                }
            });
        }
    });
    assert_eq!(map.len(), 1000);
}
