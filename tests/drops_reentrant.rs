//! Destructors of values that use the map that they were in, another map whose values come back to
//! the first one, and, while their map ends, a map that stays.
//!
//! The pins are those of the process, so one test runs at a time.

use atomshard::{Guard as _, ShardMap};
use core::cell::Cell;
use core::time::Duration;
use evidence::drops::{Ledger, Token};
use evidence::seed::{rng, seeds};
use evidence::watchdog::{Watchdog, step};
use foldhash::fast::FixedState;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

type Map = ShardMap<u64, Busy, FixedState>;

/// Keys in use: few, so that destructors meet what others have put in.
const KEYS: u64 = 40;
/// How often what a destructor puts in puts in more when it is dropped.
const GENERATIONS: u32 = 3;

fn alone(name: &'static str) -> (MutexGuard<'static, ()>, Watchdog) {
    static ONE: Mutex<()> = Mutex::new(());
    let watchdog = Watchdog::new(name, Duration::from_secs(60));
    (ONE.lock().unwrap_or_else(PoisonError::into_inner), watchdog)
}

/// What the values share. The maps end before the one that stays.
struct World {
    maps: [Map; 2],
    stays: Arc<ShardMap<u64, Token, FixedState>>,
    ledger: Arc<Ledger>,
}

/// A value whose destructor is busy.
struct Busy {
    world: Weak<World>,
    stays: Arc<ShardMap<u64, Token, FixedState>>,
    token: Token,
    generations: u32,
}

thread_local! {
    /// Destructors that run in one another on this thread.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}
static DEEPEST: Mutex<usize> = Mutex::new(0);

impl Busy {
    fn new(world: &Arc<World>, generations: u32) -> Self {
        Self {
            world: Arc::downgrade(world),
            stays: Arc::clone(&world.stays),
            token: Token::new(&world.ledger),
            generations,
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() + 1);
        let mut deepest = DEEPEST.lock().expect("no panic under the lock");
        *deepest = DEPTH.get().max(*deepest);
        drop(deepest);
        let number = self.token.number() as u64;
        self.stays.pin().insert(number % KEYS, self.token.clone());
        self.stays.guard().flush();
        // None while the world ends.
        if let Some(world) = self.world.upgrade() {
            for (map, turn) in world.maps.iter().zip([number, number / 16]) {
                operate(&world, map, turn, self.generations);
            }
        }
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// One of the things that a destructor may do.
fn operate(world: &Arc<World>, map: &Map, turn: u64, generations: u32) {
    let (outer, key) = (map.pin(), turn % KEYS);
    let new = || Busy::new(world, generations - 1);
    match turn % 16 {
        0..6 if generations > 0 => drop(map.pin().insert(key, new())),
        6..8 if generations > 0 => drop(map.pin().update(key, |_| new())),
        8 => drop(map.pin().remove(&key)),
        9 => map.pin().retain(|other, _| *other != key),
        10 => map.pin().clear(),
        11 => map.pin().shrink_to_fit(),
        12 => map.pin().reserve(500),
        13 => map.guard().flush(),
        14 => {
            let mut guard = map.owned_guard();
            map.remove(&key, &guard);
            guard.refresh();
            guard.flush();
        }
        _ => {
            let mut guard = map.guard();
            guard.refresh();
            assert!(map.iter(&guard).count() as u64 <= KEYS);
        }
    }
    drop(outer);
}

fn run(threads: usize, roots: usize) {
    for seed in seeds(3) {
        let ledger = Ledger::new(300_000);
        let world = Arc::new(World {
            maps: Default::default(),
            stays: Arc::default(),
            ledger: Arc::clone(&ledger),
        });
        thread::scope(|scope| {
            for thread in 0..threads {
                let world = &world;
                scope.spawn(move || {
                    let mut rng = rng(seed, thread);
                    for _ in 0..roots {
                        step();
                        let map = &world.maps[rng.usize(0..2)];
                        map.pin()
                            .insert(rng.u64(0..KEYS), Busy::new(world, GENERATIONS));
                    }
                });
            }
        });
        let stays = Arc::clone(&world.stays);
        drop(Arc::into_inner(world).expect("the threads have gone"));
        // One token for each value stays in the last map, if it was not replaced.
        assert!((1..=KEYS).contains(&(stays.len() as u64)));
        drop(Arc::into_inner(stays).expect("the values have gone"));
        ledger.assert_live(0);
        let (made, alone) = (ledger.made(), 2 * threads * roots);
        assert!(
            made > alone + alone / 4,
            "{made} tokens; if no destructor put anything into its map, {alone}"
        );
    }
}

#[test]
fn destructors_use_their_map_and_another_that_comes_back() {
    let _alone = alone("destructors_use_their_map_and_another_that_comes_back");
    run(1, 2000);
    let deepest = || *DEEPEST.lock().expect("no panic under the lock");
    // One in each of the two maps: a map's own run one after the other.
    assert_eq!(deepest(), 2);
    run(2, 1500);
    // Besides, one for each generation: what `update` has made in vain, since the other thread was first, is
    // dropped where it is.
    assert!(deepest() <= 2 + GENERATIONS as usize, "{}", deepest());
}

/// Maps in values of maps: the outer one ends with all that is in it, to a depth that a recursion over the garbage
/// of each would feel.
#[test]
fn maps_in_maps_end_with_the_outermost() {
    struct Nested {
        _token: Token,
        inner: ShardMap<u64, Self, FixedState>,
    }
    fn make(depth: u32, ledger: &Arc<Ledger>) -> Nested {
        let inner = ShardMap::default();
        if depth > 0 {
            // The first of each pair is garbage by the time that the map ends.
            for turn in 0..4 {
                let replaced = inner
                    .pin()
                    .insert(turn % 2, make(depth - 1, ledger))
                    .is_some();
                assert_eq!(replaced, turn >= 2);
            }
        }
        let _token = Token::new(ledger);
        Nested { _token, inner }
    }
    let _alone = alone("maps_in_maps_end_with_the_outermost");
    let ledger = Ledger::new(30_000);
    let outer = make(6, &ledger);
    assert_eq!(outer.inner.len(), 2);
    assert_eq!(ledger.live(), ledger.made());
    drop(outer);
    ledger.assert_live(0);
}
