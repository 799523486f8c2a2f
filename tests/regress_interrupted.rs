//! One operation in the middle of another, in every combination: deterministic races.
//!
//! Each operation of the map is stopped at one of its inner points (a comparison of keys, or the
//! closure it was given), and there, on the same thread, other operations run to their end on the
//! same key: writes, and resizes over several generations of the table. When the outer operation
//! goes on, its table, its bucket and what it has seen are out of date. The history of both must
//! be linearizable, and the map must be whole afterwards.
//!
//! Bugs of this kind elsewhere: a jump over a generation of a chained resize (dlht-go issue 1), a
//! table size read before the resize counter (libcuckoo #173, #107, #51), a lost update on
//! concurrent resize and a shrink out of range (xsync #109, #111, #112, #113), an entry API that
//! sees what `get` no longer does (dashmap #139).

use atomshard::ResizeMode;
use core::cell::RefCell;
use core::hash::{BuildHasher, Hasher};
use evidence::checker::check;
use evidence::hashers::in_first_shard;
use evidence::history::Op::{
    ComputeAbort, ComputeSet, ComputeToggle, Contains, Get, GetOrInsertWith, Insert, Remove,
    RemoveExactly, RemoveIfEven, TryInsert, Update, UpdateOrInsert,
};
use evidence::history::{Clock, Event, Fact, Op, Outcome, Recorder};
use evidence::key::{at_point, take_hook};
use evidence::subject::{Checked, Sharded, Subject as _};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

/// Keys below this share one hash.
const SHARED: u64 = 16;

/// The key that operations work on; the others below `SHARED` are in its bucket.
const KEY: u64 = 3;

/// One hash for the keys below `SHARED`, so that each operation compares keys; the others are
/// spread, over the same shard, so that its table is large and moves in many steps.
#[derive(Clone, Copy, Debug)]
struct SomeShared;

struct SomeSharedHasher(u64);

impl BuildHasher for SomeShared {
    type Hasher = SomeSharedHasher;
    fn build_hasher(&self) -> SomeSharedHasher {
        SomeSharedHasher(0)
    }
}

impl Hasher for SomeSharedHasher {
    fn finish(&self) -> u64 {
        in_first_shard(if self.0 < SHARED { 0 } else { self.0 })
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are written as one word");
    }
    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

/// How the table changes while the outer operation is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resizes {
    None,
    /// Several doublings.
    Grow,
    /// Several doublings, and back to the smallest table.
    GrowAndShrink,
    /// Several doublings, and another that is so many inserts short of its end.
    HalfWay(u64),
    /// The outer operation begins with that doubling half way, and while it is stopped the
    /// doubling ends.
    EndsHalfWay(u64),
}

const RESIZES: [Resizes; 5] = [
    Resizes::None,
    Resizes::Grow,
    Resizes::GrowAndShrink,
    Resizes::HalfWay(3),
    Resizes::EndsHalfWay(3),
];

/// Entries that take a map of one shard through its fan-out and two doublings of each shard.
const MANY: u64 = if cfg!(miri) { 300 } else { 700 };

type Map = Sharded<Checked, SomeShared>;

fn new_map() -> Map {
    Sharded::with_mode(SomeShared, ResizeMode::Incremental(1))
}

/// How many keys from 1000 on end the doubling of a table that takes several inserts to move. It
/// always is the same insert, since the hashes are.
fn inserts_that_double() -> u64 {
    static INSERTS: OnceLock<u64> = OnceLock::new();
    *INSERTS.get_or_init(|| {
        let map = new_map();
        let capacity = || map.map.capacity();
        let (mut n, mut last) = (0, capacity());
        while n < MANY || capacity() == last {
            last = capacity();
            map.apply(1000 + n, Insert(n));
            n += 1;
            assert!(n < 4 * MANY, "a table that {n} keys crowd in does not grow");
        }
        n
    })
}

fn insert_all(map: &Map, keys: core::ops::Range<u64>) {
    for key in keys {
        map.apply(key, Insert(key));
    }
}

/// What happens before the outer operation.
fn prepare(map: &Map, how: Resizes) {
    if let Resizes::EndsHalfWay(short) = how {
        insert_all(map, 1000..1000 + inserts_that_double() - short);
    }
}

fn resize(map: &Map, how: Resizes) {
    let keys = 1000..1000 + MANY;
    match how {
        Resizes::None => {}
        Resizes::HalfWay(short) => insert_all(map, 1000..1000 + inserts_that_double() - short),
        Resizes::EndsHalfWay(short) => {
            let end = 1000 + inserts_that_double();
            insert_all(map, end - short..end + 10);
        }
        Resizes::Grow => insert_all(map, keys),
        Resizes::GrowAndShrink => {
            insert_all(map, keys.clone());
            for key in keys {
                assert_eq!(map.apply(key, Remove), Outcome::Seen(Some(key)));
            }
            map.shrink();
        }
    }
}

/// Every operation, writing `v`.
fn operations(v: u64) -> [Op; 14] {
    [
        Get,
        Contains,
        Insert(v),
        TryInsert(v),
        Remove,
        RemoveIfEven,
        RemoveExactly(100),
        Update(v),
        UpdateOrInsert(v),
        GetOrInsertWith(v),
        ComputeSet(v),
        ComputeToggle(v),
        ComputeAbort,
        Insert(v + 1),
    ]
}

/// What runs while the outer operation is stopped.
fn interruptions() -> Vec<Vec<Op>> {
    vec![
        vec![],
        vec![Insert(2000)],
        vec![Remove],
        vec![Remove, Insert(2000)],
        vec![Remove, Insert(2000), Remove],
        vec![Insert(2000), Remove, TryInsert(2002)],
        vec![ComputeToggle(2004)],
        vec![ComputeToggle(2004), ComputeToggle(2006)],
        vec![Update(2008), Update(2010)],
    ]
}

/// Runs `outer`, stopped at point `at`, with everything recorded. Returns whether it came there.
fn interrupt(present: bool, outer: Op, inner: &[Op], how: Resizes, at: u32) -> bool {
    let map = Arc::new(new_map());
    // Two neighbours in the bucket, so that a search for an absent key compares too.
    for key in [1, 2] {
        map.apply(key, Insert(key));
    }
    prepare(&map, how);
    let clock = Rc::new(Clock::counter());
    let mut recorder = Recorder::new(&clock, 0);
    if present {
        recorder.record(KEY, Insert(100), || map.apply(KEY, Insert(100)));
    }
    let hooked: Rc<RefCell<Vec<Event>>> = Rc::default();
    {
        let (map, hooked, clock) = (Arc::clone(&map), Rc::clone(&hooked), Rc::clone(&clock));
        let inner = inner.to_vec();
        at_point(at, move || {
            let mut recorder = Recorder::new(&clock, 1);
            for op in inner {
                recorder.record(KEY, op, || map.apply(KEY, op));
            }
            resize(&map, how);
            recorder.record(KEY, Get, || map.apply(KEY, Get));
            *hooked.borrow_mut() = recorder.events;
        });
    }
    recorder.record(KEY, outer, || map.apply(KEY, outer));
    let reached = !take_hook();
    recorder.record(KEY, Get, || map.apply(KEY, Get));
    let mut events = recorder.events;
    let last = events.last().map(|e| e.fact);
    events.extend(hooked.take());
    if let Err(violation) = check(&events) {
        panic!("present {present}, {outer:?} stopped at {at} by {inner:?}, {how:?}: {violation}");
    }

    // The map is whole: each key once, and as many as it says.
    let mut times = [0; 4];
    let mut all = 0;
    map.each(&mut |key, _| {
        all += 1;
        if let Some(count) = usize::try_from(key).ok().and_then(|key| times.get_mut(key)) {
            *count += 1;
        }
    });
    let expected = usize::from(last != Some(Fact::Known(Outcome::Seen(None))));
    assert_eq!(
        times,
        [0, 1, 1, expected],
        "{outer:?} stopped by {inner:?}, {how:?}"
    );
    assert_eq!(map.len(), all, "{outer:?} stopped by {inner:?}, {how:?}");
    reached
}

/// Runs every combination; `how` may differ from one to the next.
fn every_combination(how: impl Fn(u64) -> Resizes) {
    let (mut run, mut reached) = (0, 0);
    for present in [false, true] {
        for outer in operations(1000) {
            for inner in interruptions() {
                for at in 1..=3 {
                    reached += usize::from(interrupt(present, outer, &inner, how(run), at));
                    run += 1;
                }
            }
        }
    }
    assert!(reached > 300, "only {reached} operations were stopped");
}

#[test]
fn by_writes_to_the_same_key() {
    every_combination(|_| Resizes::None);
}

#[test]
fn by_writes_and_a_resize_that_stays_half_way() {
    every_combination(|run| Resizes::HalfWay(run % 7));
}

#[test]
fn by_writes_and_the_end_of_a_resize() {
    every_combination(|run| Resizes::EndsHalfWay(run % 7));
}

#[test]
fn by_several_generations_of_growth() {
    every_combination(|_| Resizes::Grow);
}

#[test]
fn by_growth_and_shrinking_back() {
    every_combination(|_| Resizes::GrowAndShrink);
}

/// The same at whatever size the table has: an operation is stopped, the table grows by a few
/// entries, and so on, until every boundary between sizes has been met by a stopped operation.
#[test]
fn at_every_size_of_the_table() {
    for outer in [Get, Insert(1000), Remove, ComputeSet(1000), TryInsert(1000)] {
        let map = Arc::new(new_map());
        map.apply(KEY, Insert(100));
        map.apply(KEY + 1, Insert(101));
        for round in 0..MANY / 20 {
            let other = Arc::clone(&map);
            at_point(1, move || {
                for key in 0..20 {
                    let key = 1000 + round * 20 + key;
                    assert_eq!(other.apply(key, Insert(key)), Outcome::Seen(None));
                }
            });
            let before = map.apply(KEY + 1, Get);
            assert!(!take_hook(), "a get of a present key compares");
            assert_eq!(before, Outcome::Seen(Some(101)), "round {round}");
            map.apply(KEY, Insert(100));
            assert_eq!(
                map.apply(KEY, outer),
                outer.step(Some(100)).1,
                "round {round}"
            );
        }
        assert_eq!(map.apply(KEY + 1, Get), Outcome::Seen(Some(101)));
    }
}

/// `retain` asked about each entry while, inside the question, the table changes under it.
#[test]
fn retain_while_the_table_changes_inside_its_closure() {
    for how in RESIZES {
        let map = Arc::new(new_map());
        for key in 0..SHARED {
            map.apply(key, Insert(key));
        }
        prepare(&map, how);
        let other = Arc::clone(&map);
        at_point(5, move || resize(&other, how));
        map.retain(&mut |key, _| key >= SHARED || key % 2 == 0);
        assert!(!take_hook(), "the closure has run");
        for key in 0..SHARED {
            let expected = (key % 2 == 0).then_some(key);
            assert_eq!(map.apply(key, Get), Outcome::Seen(expected), "{how:?}");
        }
    }
}

/// Between two steps of an iterator the table goes through all its sizes.
#[test]
fn iteration_while_the_table_changes_between_its_steps() {
    for how in RESIZES {
        for stop in [0, 1, 7, 40, 99] {
            let map = new_map();
            // Sixteen in one bucket; the others are spread.
            let stable: Vec<u64> = (0..100).collect();
            for key in &stable {
                map.apply(*key, Insert(*key));
            }
            prepare(&map, how);
            let mut seen = Vec::new();
            let mut steps = 0;
            map.each(&mut |key, value| {
                if steps == stop {
                    resize(&map, how);
                }
                steps += 1;
                if key < 100 {
                    assert_eq!(key, value);
                    seen.push(key);
                }
            });
            seen.sort_unstable();
            assert_eq!(seen, stable, "{how:?} after {stop} steps");
        }
    }
}
