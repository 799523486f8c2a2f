//! A panic in `Hash`, `Eq`, `Clone`, `Debug` or a closure: the map stays usable, and every key
//! and value is dropped exactly once.
use atomshard::{Operation, ResizeMode, ShardMap};
use core::cell::Cell;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicIsize, Ordering};
use std::panic::{catch_unwind, resume_unwind};
use std::sync::Arc;

thread_local! {
    /// Panic when this many more calls of the armed kind have been made.
    static FUSE: Cell<Option<(Kind, u32)>> = const { Cell::new(None) };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Hash,
    Eq,
    Clone,
    Debug,
}

/// Burns the fuse of this kind; unwinds without a message when it ends.
fn burn(kind: Kind) {
    match FUSE.get() {
        Some((armed, 0)) if armed == kind => {
            FUSE.set(None);
            resume_unwind(Box::new("the fuse"));
        }
        Some((armed, left)) if armed == kind => FUSE.set(Some((armed, left - 1))),
        _ => {}
    }
}

/// Counts births minus deaths; dropping one twice would make it negative.
#[derive(Clone, Default)]
struct Census(Arc<AtomicIsize>);

impl Census {
    fn living(&self) -> isize {
        self.0.load(Ordering::Relaxed)
    }

    fn fused(&self, id: u32) -> Fused {
        self.0.fetch_add(1, Ordering::Relaxed);
        Fused {
            id,
            census: self.clone(),
            alive: true,
        }
    }
}

/// A key or value that panics on demand.
struct Fused {
    id: u32,
    census: Census,
    alive: bool,
}

impl Drop for Fused {
    fn drop(&mut self) {
        assert!(self.alive, "{} was dropped twice", self.id);
        self.alive = false;
        self.census.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Hash for Fused {
    fn hash<H: Hasher>(&self, state: &mut H) {
        burn(Kind::Hash);
        // A few hash values only, so that `eq` is called and buckets overflow.
        (self.id % 5).hash(state);
    }
}

impl PartialEq for Fused {
    fn eq(&self, other: &Self) -> bool {
        burn(Kind::Eq);
        self.id == other.id
    }
}

impl Eq for Fused {}

impl Clone for Fused {
    fn clone(&self) -> Self {
        burn(Kind::Clone);
        self.census.fused(self.id)
    }
}

impl fmt::Debug for Fused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        burn(Kind::Debug);
        write!(f, "{}", self.id)
    }
}

type Map = ShardMap<Fused, Fused>;

fn filled(census: &Census, mode: ResizeMode) -> Map {
    let map = Map::builder().resize_mode(mode).build();
    for id in 0..40 {
        map.pin().insert(census.fused(id), census.fused(id));
    }
    map
}

/// The keys in the map are what iteration, look-up and length say they are.
fn check(map: &Map, census: &Census) {
    let pinned = map.pin();
    let mut ids = pinned.keys().map(|key| key.id).collect::<Vec<_>>();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "a key twice");
    assert_eq!(map.len(), count);
    for id in 0..60 {
        let key = census.fused(id);
        assert_eq!(
            pinned.contains_key(&key),
            ids.binary_search(&id).is_ok(),
            "key {id}"
        );
    }
}

type Call = fn(&Map, &Census);

/// Calls that burn fuses; each is tried with the fuse at every length that still ends in it.
const CALLS: [(&str, Call); 13] = [
    ("get", |map, census| {
        assert!(map.pin().get(&census.fused(7)).is_some())
    }),
    ("insert absent", |map, census| {
        assert!(
            map.pin()
                .insert(census.fused(50), census.fused(50))
                .is_none()
        );
    }),
    ("insert present", |map, census| {
        map.pin().insert(census.fused(7), census.fused(8));
    }),
    ("try_insert", |map, census| {
        let _ = map
            .pin()
            .try_insert(census.fused(7), census.fused(8))
            .is_ok();
    }),
    ("try_insert_with", |map, census| {
        let _ = map
            .pin()
            .try_insert_with(census.fused(51), || census.fused(8))
            .is_ok();
    }),
    ("update", |map, census| {
        map.pin().update(census.fused(7), Fused::clone);
    }),
    ("update_or_insert", |map, census| {
        map.pin()
            .update_or_insert(census.fused(52), Fused::clone, census.fused(1));
        map.pin()
            .update_or_insert(census.fused(52), Fused::clone, census.fused(2));
    }),
    ("compute remove", |map, census| {
        map.pin().compute(census.fused(9), |entry| match entry {
            Some((key, value)) if key == value => Operation::Remove,
            _ => Operation::Abort(()),
        });
    }),
    ("remove", |map, census| {
        map.pin().remove(&census.fused(11));
    }),
    ("remove_if", |map, census| {
        let _ = map
            .pin()
            .remove_if(&census.fused(12), |key, value| key == value)
            .is_ok();
    }),
    ("retain", |map, census| {
        let seven = census.fused(7);
        map.pin().retain(|key, _| *key != seven);
    }),
    ("clone", |map, census| {
        check(&map.clone(), census);
    }),
    ("debug", |map, _| assert!(!format!("{map:?}").is_empty())),
];

/// Ends a call whose result does not matter.
fn done<T>(_: T) {}

#[test]
fn every_call_survives_every_panic() {
    let mut fired = 0;
    for mode in [ResizeMode::Incremental(1), ResizeMode::Blocking] {
        for (name, call) in CALLS {
            for kind in [Kind::Hash, Kind::Eq, Kind::Clone, Kind::Debug] {
                for fuse in 0..12 {
                    let census = Census::default();
                    let map = filled(&census, mode);
                    FUSE.set(Some((kind, fuse)));
                    let outcome = catch_unwind(AssertUnwindSafe(|| call(&map, &census)));
                    FUSE.set(None);
                    fired += u32::from(outcome.is_err());
                    check(&map, &census);
                    // The map still takes what it is given.
                    map.pin().insert(census.fused(59), census.fused(1));
                    assert_eq!(
                        map.pin().get(&census.fused(59)).map(|value| value.id),
                        Some(1)
                    );
                    drop(map);
                    assert_eq!(
                        census.living(),
                        0,
                        "{name} after a panic in {kind:?} at {fuse}"
                    );
                }
            }
        }
    }
    assert!(
        fired > 100,
        "only {fired} panics: the fuses do not reach the calls"
    );
}

#[test]
fn a_panic_while_the_map_grows() {
    for fuse in (0..2000).step_by(37) {
        for kind in [Kind::Hash, Kind::Eq] {
            let census = Census::default();
            let map = Map::new();
            FUSE.set(Some((kind, fuse)));
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                for id in 0..60 {
                    map.pin().insert(census.fused(id), census.fused(id));
                }
            }));
            FUSE.set(None);
            check(&map, &census);
            assert!(
                outcome.is_ok() == (map.len() == 60),
                "{} entries",
                map.len()
            );
            drop(map);
            assert_eq!(census.living(), 0, "a panic in {kind:?} at {fuse}");
        }
    }
}

#[test]
fn a_panic_in_a_closure_changes_nothing() {
    let census = Census::default();
    let map = filled(&census, ResizeMode::default());
    let burst = || -> Fused { resume_unwind(Box::new("closure")) };
    let calls: [&dyn Fn(); 8] = [
        &|| done(map.pin().try_insert_with(census.fused(50), burst)),
        &|| done(map.pin().get_or_insert_with(census.fused(50), burst).id),
        &|| done(map.pin().update(census.fused(1), |_| burst())),
        &|| {
            done(
                map.pin()
                    .update_or_insert(census.fused(1), |_| burst(), census.fused(2))
                    .id,
            )
        },
        &|| {
            map.pin()
                .update_or_insert_with(census.fused(50), Fused::clone, burst);
        },
        &|| {
            map.pin().compute(census.fused(1), |_| {
                Operation::<Fused, Fused>::Abort(burst())
            });
        },
        &|| done(map.pin().remove_if(&census.fused(1), |_, _| burst().alive)),
        &|| map.pin().retain(|_, _| burst().alive),
    ];
    for (n, call) in calls.into_iter().enumerate() {
        assert!(
            catch_unwind(AssertUnwindSafe(call)).is_err(),
            "call {n} went through"
        );
        check(&map, &census);
        assert_eq!(map.len(), 40);
        assert!(map.pin().iter().all(|(key, value)| key.id == value.id));
    }
    drop(map);
    assert_eq!(census.living(), 0);
}

#[test]
fn a_panic_while_a_consumed_map_is_walked() {
    let census = Census::default();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        for (n, _) in filled(&census, ResizeMode::default())
            .into_iter()
            .enumerate()
        {
            if n == 10 {
                resume_unwind(Box::new("in the middle"));
            }
        }
    }));
    assert!(outcome.is_err());
    assert_eq!(census.living(), 0);
}
