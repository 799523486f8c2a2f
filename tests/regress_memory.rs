//! Memory: what a map holds must follow from what is in it.
//!
//! Rivals ran out of memory when 300 or 2,000 keys shared one hash, grew without end when one hot
//! key was removed and inserted again, and doubled with each round of filling and clearing
//! (flurry #115). A failed allocation left a key twice in the map (scc 3.0.3 to 3.4).
//!
//! One test at a time: they all read the same allocator. Tables of 128 KiB and more come from the
//! system and not from the allocator, so where a table could grow the tests look at `capacity`.
#![expect(unsafe_code, reason = "an allocator is an unsafe trait")]

use atomshard::{ShardMap, TryReserveError};
use cap::Cap;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::{Cell, RefCell};
use core::hash::BuildHasher;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use evidence::hashers::{OneHash, TwoHash};
use evidence::watchdog::Watchdog;
use foldhash::fast::RandomState;
use std::alloc::System;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

/// The system's allocator, refusing what is larger than a limit.
struct Refusing;

thread_local! {
    /// This thread's requests above this are refused; the test harness's are not.
    static LARGEST: Cell<usize> = const { Cell::new(usize::MAX) };
    /// Runs once, before this thread's so many-th request for a table from now on.
    static BEFORE_TABLE: RefCell<Option<(u32, Hook)>> = const { RefCell::new(None) };
}

type Hook = Box<dyn FnOnce()>;

/// Requests refused.
static REFUSED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: what it hands out comes from `System`, with the same layout; it may refuse at any time.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > LARGEST.get() {
            REFUSED.fetch_add(1, Ordering::Relaxed);
            return core::ptr::null_mut();
        }
        // SAFETY: the caller's contract is the one of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // Nothing else asks for zeroed memory with this alignment.
        let due = BEFORE_TABLE.with_borrow_mut(|hook| {
            hook.take_if(|(left, _)| {
                *left -= u32::from(layout.align() == 64);
                *left == 0
            })
        });
        if let Some((_, hook)) = due {
            hook();
        }
        // SAFETY: the caller's contract is the one of `alloc`.
        let block = unsafe { self.alloc(layout) };
        if !block.is_null() {
            // SAFETY: the block has this size.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract: the block is from `alloc`, which had it from `System`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Cap<Refusing> = Cap::new(Refusing, usize::MAX);

/// Refuses this thread's requests above `largest` bytes until it is dropped.
struct Limit;

impl Limit {
    fn new(largest: usize) -> Self {
        LARGEST.set(largest);
        Self
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        LARGEST.set(usize::MAX);
    }
}

/// Held by the test that is running; the watchdog covers the waiting as well.
fn alone(name: &'static str) -> (MutexGuard<'static, ()>, Watchdog) {
    static ONE: Mutex<()> = Mutex::new(());
    let watchdog = Watchdog::new(name, Duration::from_secs(240));
    let alone = (ONE.lock().unwrap_or_else(PoisonError::into_inner), watchdog);
    // What the reclamation allocates once for each thread is not what is measured here.
    let map: ShardMap<u64, u64> = ShardMap::new();
    for key in 0..2000 {
        map.pin().insert(key % 300, key);
    }
    settle(&map);
    alone
}

/// What the test harness may allocate meanwhile, to begin and end other tests.
const NOISE: usize = 16 * 1024;

fn held() -> usize {
    ALLOCATOR.allocated()
}

/// Bytes held now above `before`.
fn above(before: usize) -> usize {
    held().saturating_sub(before)
}

/// Lets retired memory be freed, as far as it can.
fn settle<K: Eq + core::hash::Hash, V, S: BuildHasher>(map: &ShardMap<K, V, S>) {
    for _ in 0..8 {
        atomshard::Guard::flush(&map.guard());
    }
}

/// Keys that share a hash cost time, not memory: bytes grow with the keys, and come back.
fn colliding<S: BuildHasher + Default>(keys: u64) {
    let start = Instant::now();
    let before = held();
    let map: ShardMap<u64, u64, S> = ShardMap::with_capacity_and_hasher(0, S::default());
    for key in 0..keys {
        assert_eq!(map.pin().insert(key, !key), None);
    }
    let bytes = above(before);
    assert!(
        map.capacity() <= 800,
        "the table grew to {} for keys on one hash",
        map.capacity()
    );
    // An entry is 24 bytes and an allocation of its own; a chained line of 64 holds seven.
    let bound = 16 * 1024 + 100 * usize::try_from(keys).expect("fits");
    assert!(
        bytes <= bound,
        "{bytes} bytes for {keys} keys on one hash, above {bound}"
    );

    assert_eq!(map.len() as u64, keys);
    for key in 0..keys {
        assert_eq!(map.pin().get(&key), Some(&!key));
    }
    assert_eq!(map.pin().get(&keys), None);
    for key in (0..keys).step_by(2) {
        assert_eq!(map.pin().remove(&key), Some(&!key));
    }
    for key in 0..keys {
        assert_eq!(map.pin().get(&key).is_some(), key % 2 == 1);
    }
    // Room that removals have left is used again.
    settle(&map);
    let half_full = held();
    for key in (0..keys).step_by(2) {
        assert_eq!(map.pin().insert(key, key), None);
    }
    let again = above(half_full);
    assert!(
        again <= bound,
        "{again} bytes more for {} keys that had been there",
        keys / 2
    );
    let total = above(before);
    assert!(
        total <= bound + bound / 2,
        "{total} bytes after removal and insertion, {bound} before"
    );
    drop(map);
    // Retired numbers wait in a domain that all maps of numbers share.
    settle(&ShardMap::<u64, u64>::new());
    assert!(
        above(before) < NOISE,
        "{} bytes stay after the map is gone",
        above(before)
    );
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{keys} keys took {:?}",
        start.elapsed()
    );
}

#[test]
fn keys_that_share_one_hash_take_linear_memory() {
    let _alone = alone("keys_that_share_one_hash_take_linear_memory");
    colliding::<OneHash>(300);
    colliding::<OneHash>(2000);
    colliding::<TwoHash>(300);
    colliding::<TwoHash>(2000);
}

/// Keys on one hash in a map of many others: neither the bucket nor its shard grows for them.
#[test]
fn a_crowded_bucket_does_not_grow_the_table() {
    #[derive(Default)]
    struct Crowded;
    struct CrowdedHasher(u64);
    impl BuildHasher for Crowded {
        type Hasher = CrowdedHasher;
        fn build_hasher(&self) -> CrowdedHasher {
            CrowdedHasher(0)
        }
    }
    impl core::hash::Hasher for CrowdedHasher {
        fn finish(&self) -> u64 {
            if self.0 < 2000 {
                42
            } else {
                self.0.wrapping_mul(0xD6E8_FEB8_6659_FD93)
            }
        }
        fn write(&mut self, _: &[u8]) {
            unreachable!("keys are written as one word");
        }
        fn write_u64(&mut self, word: u64) {
            self.0 = word;
        }
    }
    let _alone = alone("a_crowded_bucket_does_not_grow_the_table");
    let map: ShardMap<u64, u64, Crowded> = ShardMap::with_hasher(Crowded);
    for key in 10_000..12_000 {
        map.pin().insert(key, key);
    }
    settle(&map);
    let before = held();
    for key in 0..2000 {
        map.pin().insert(key, key);
    }
    settle(&map);
    assert!(
        above(before) <= 2000 * 100,
        "{} bytes for 2000 keys",
        above(before)
    );
    assert!(
        (10_000..12_000)
            .chain(0..2000)
            .all(|key| map.pin().get(&key) == Some(&key))
    );
}

/// One key, removed and inserted a million times: no table, line or entry is left behind.
#[test]
fn a_hot_key_removed_and_inserted_again_takes_no_memory() {
    let _alone = alone("a_hot_key_removed_and_inserted_again_takes_no_memory");
    let rounds: u64 = if cfg!(debug_assertions) {
        300_000
    } else {
        1_000_000
    };
    for neighbours in [0, 1000] {
        let map: ShardMap<u64, u64, RandomState> = ShardMap::default();
        for key in 0..neighbours {
            map.pin().insert(key + 1, key);
        }
        let (mut capacity, mut before) = (0, 0);
        for round in 0..rounds {
            assert_eq!(map.pin().insert(0, round), None);
            assert_eq!(map.pin().remove(&0), Some(&round));
            if round == 1000 {
                // The key's first rounds may double a shard that was about to.
                settle(&map);
                (capacity, before) = (map.capacity(), held());
            }
            if round % 10_000 == 9_999 {
                let more = above(before);
                assert!(more <= 64 * 1024, "{more} bytes more after {round} rounds");
            }
        }
        settle(&map);
        assert!(
            above(before) <= NOISE,
            "{} bytes more at the end",
            above(before)
        );
        assert!(
            map.capacity() <= capacity.max(64),
            "{} from {capacity}",
            map.capacity()
        );
    }
}

/// The same by two threads, whose garbage waits for each other. What the map keeps to use again is
/// what waited at the worst moment, when the system had stopped one of them; it can be given back.
#[test]
fn hot_keys_removed_and_inserted_by_two_threads_take_no_memory() {
    let _alone = alone("hot_keys_removed_and_inserted_by_two_threads_take_no_memory");
    let map: ShardMap<u64, u64, RandomState> = ShardMap::default();
    for key in 0..4 {
        map.pin().insert(key, 0);
    }
    let before = held();
    thread::scope(|scope| {
        let threads = [(); 2].map(|()| {
            scope.spawn(|| {
                for round in 0..100_000_u64 {
                    map.pin().remove(&(round % 4));
                    map.pin().insert(round % 4, round);
                }
            })
        });
        // The end of the scope would not wait for their locals, by which their memory is found.
        for thread in threads {
            thread.join().expect("no panic");
        }
    });
    map.pin().clear();
    settle(&map);
    map.pin().shrink_to_fit();
    assert!(above(before) <= 64 * 1024, "{} bytes more", above(before));
}

/// Filling and clearing, over and over, holds no more than filling once.
#[test]
fn filling_and_clearing_again_takes_no_more_than_once() {
    let _alone = alone("filling_and_clearing_again_takes_no_more_than_once");
    let map: ShardMap<u64, u64, RandomState> = ShardMap::default();
    let start = held();
    let mut full = 0;
    for round in 0..12_u64 {
        for key in 0..5000 {
            map.pin().insert(round << 32 | key, key);
        }
        settle(&map);
        if round < 2 {
            full = full.max(above(start));
        } else {
            let now = above(start);
            assert!(
                now <= full + full / 4,
                "{now} bytes in round {round}, {full} in the first"
            );
        }
        map.pin().clear();
        settle(&map);
    }
    map.pin().shrink_to_fit();
    settle(&map);
    let empty = above(start);
    assert!(
        empty <= full / 8,
        "{empty} bytes when empty again, {full} when full"
    );
}

/// All that a map has held goes back when it is dropped, whatever was pending.
#[test]
fn a_dropped_map_leaves_nothing() {
    let _alone = alone("a_dropped_map_leaves_nothing");
    let run = || {
        let map: ShardMap<u64, String, RandomState> = ShardMap::default();
        thread::scope(|scope| {
            for t in 0..2_u64 {
                let map = &map;
                scope.spawn(move || {
                    for key in 0..3000 {
                        map.pin()
                            .insert(key, format!("a string on the heap {t} {key}"));
                        map.pin().remove(&(key / 2));
                    }
                });
            }
        });
    };
    // The first runs set up what threads and the reclamation keep for good.
    run();
    run();
    let before = held();
    for _ in 0..10 {
        run();
    }
    assert!(
        above(before) <= NOISE,
        "{} bytes stay after ten maps",
        above(before)
    );
}

/// `try_reserve` that is refused changes no entry; no key is there twice afterwards.
#[test]
#[cfg_attr(atomshard_seize, ignore = "`seize` aborts without memory")]
fn a_refused_allocation_leaves_the_map_as_it_was() {
    let _alone = alone("a_refused_allocation_leaves_the_map_as_it_was");
    for entries in [0, 1, 100, 3000] {
        let map: ShardMap<u64, u64, RandomState> = ShardMap::default();
        for key in 0..entries {
            map.pin().insert(key, key);
        }
        let capacity = map.capacity();
        let refused = {
            let _limit = Limit::new(8 << 10);
            map.pin().try_reserve(60_000)
        };
        assert!(
            matches!(refused, Err(TryReserveError::AllocError { .. })),
            "{refused:?} with {entries} entries"
        );
        assert!(map.capacity() >= capacity);
        assert_eq!(map.len() as u64, entries);
        for key in 0..2 * entries + 500 {
            let old = map.pin().insert(key, key + 1).copied();
            assert_eq!(
                old,
                (key < entries).then_some(key),
                "key {key} of {entries}"
            );
        }
        let mut keys: Vec<u64> = map.pin().keys().copied().collect();
        keys.sort_unstable();
        assert!(
            keys.into_iter().eq(0..2 * entries + 500),
            "a key is lost, or there twice"
        );
        map.pin()
            .try_reserve(60_000)
            .expect("there is memory again");
        assert!(map.capacity() >= 60_000);
    }
}

/// An insert that would grow the table, but is refused the memory for it, still inserts; when
/// there is memory again, the table grows.
#[test]
#[cfg_attr(atomshard_seize, ignore = "`seize` aborts without memory")]
fn inserts_go_on_when_the_table_cannot_grow() {
    let _alone = alone("inserts_go_on_when_the_table_cannot_grow");
    let map: ShardMap<u64, u64, RandomState> = ShardMap::default();
    let few = 8000;
    for key in 0..few {
        map.pin().insert(key, key);
    }
    let many = few * 4;
    let (capacity, refused) = (map.capacity(), REFUSED.load(Ordering::Relaxed));
    {
        let _limit = Limit::new(2 << 10);
        for key in few..many {
            assert_eq!(map.pin().insert(key, key), None);
        }
        for key in 0..many {
            assert_eq!(map.pin().get(&key), Some(&key), "key {key} of {many}");
        }
    }
    assert!(
        REFUSED.load(Ordering::Relaxed) > refused,
        "nothing was refused"
    );
    assert!(
        map.capacity() <= 2 * capacity,
        "{} from {capacity}",
        map.capacity()
    );
    for key in many..2 * many {
        assert_eq!(map.pin().insert(key, key), None);
    }
    assert!(
        map.capacity() > 4 * capacity,
        "{} from {capacity}",
        map.capacity()
    );
    let mut keys: Vec<u64> = map.pin().keys().copied().collect();
    keys.sort_unstable();
    assert!(keys.into_iter().eq(0..2 * many));
}

/// `reserve` that is about to move a table when another thread moves it, to a smaller size.
#[test]
fn reserve_makes_its_room_when_another_move_comes_first() {
    let _alone = alone("reserve_makes_its_room_when_another_move_comes_first");
    let map: Arc<ShardMap<u64, u64, RandomState>> = Arc::default();
    for key in 0..300 {
        map.pin().insert(key, key);
    }
    let other = Arc::clone(&map);
    let reserve_less = move || {
        let reserved = thread::spawn(move || other.pin().reserve(200)).join();
        assert!(reserved.is_ok());
    };
    // The first request is for a table of the last size, to see whether it can be had.
    BEFORE_TABLE.set(Some((2, Box::new(reserve_less))));
    // Just below what 1,024 lines are made for, so that no shard may be left with less.
    assert_eq!(map.pin().try_reserve(5300), Ok(()));
    assert!(BEFORE_TABLE.take().is_none(), "two tables are asked for");
    assert!(map.capacity() >= 5600, "room for {} only", map.capacity());
}
