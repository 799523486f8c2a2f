//! An allocator that refuses, at every allocation of every operation.
//!
//! Each operation runs in a process of its own, once for each of its allocations, and that one is
//! refused; then again with all later ones refused too. Either the operation returns, and the map is
//! whole and usable and leaves nothing behind, or the process is aborted by `handle_alloc_error`, as
//! by std's collections. Which operation may do what stands at each test.
#![expect(clippy::print_stdout, reason = "a test tells how much it has seen")]
#![expect(unsafe_code, reason = "an allocator is an unsafe trait")]
#![cfg(unix)]

use atomshard::{Operation, ShardMap, TryReserveError};
use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use foldhash::fast::FixedState;
use std::alloc::System;
use std::env;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

thread_local! {
    /// Requests of this thread until one is refused; 0 is never.
    static LEFT: Cell<usize> = const { Cell::new(0) };
    /// Whether all requests after that one are refused too.
    static FOR_GOOD: Cell<bool> = const { Cell::new(false) };
    /// Requests refused.
    static REFUSED: Cell<usize> = const { Cell::new(0) };
    /// Bytes that this thread has requested and not given back.
    static HELD: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator, refusing when it is told to.
struct Failing;

impl Failing {
    fn grants(layout: Layout) -> bool {
        let left = LEFT.get();
        if left == 1 {
            REFUSED.set(REFUSED.get() + 1);
            if !FOR_GOOD.get() {
                LEFT.set(0);
            }
            return false;
        }
        LEFT.set(left.saturating_sub(1));
        HELD.set(HELD.get() + layout.size().cast_signed());
        true
    }
}

// SAFETY: what it hands out comes from `System`, with the same layout; it may refuse at any time.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !Self::grants(layout) {
            return core::ptr::null_mut();
        }
        // SAFETY: the caller's contract is the one of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !Self::grants(layout) {
            return core::ptr::null_mut();
        }
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - layout.size().cast_signed());
        // SAFETY: the caller's contract: the block is from `alloc`, which had it from `System`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static FAILING: Failing = Failing;

type Map = ShardMap<u64, Vec<u64>, FixedState>;

/// A value that owns memory, which the test asks for and not the map.
fn value(key: u64) -> Vec<u64> {
    let left = LEFT.replace(0);
    let value = vec![key, !key];
    LEFT.set(left);
    value
}

fn filled(entries: u64) -> Map {
    let map = Map::with_hasher(FixedState::with_seed(1));
    for key in 0..entries {
        map.pin().insert(key, value(key));
    }
    map
}

/// One operation, and what a refusal may do to it.
struct Case {
    /// The test, to be run again in a process of its own.
    test: &'static str,
    /// Entries in the map before.
    entries: u64,
    /// Runs the operation; the error that it reports, if any.
    run: fn(&Map) -> Result<(), TryReserveError>,
    /// Whether the key is in the map afterwards.
    has: fn(u64) -> bool,
    may: Refused,
}

/// What the operation does when the allocator refuses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// It asks for no memory.
    NeverAsks,
    /// It does its work, or reports that it could not.
    Returns,
    /// It may also end the process.
    MayAbort,
}

/// Keys that a case may leave are below this.
const KEYS: u64 = 600;

/// Entries that take a map past its fan-out.
const MANY: u64 = 260;

#[test]
fn get_asks_for_nothing() {
    each(&Case {
        test: "get_asks_for_nothing",
        entries: MANY,
        run: |map| {
            let pinned = map.pin();
            assert!((0..KEYS).all(|key| pinned.get(&key).is_some() == (key < MANY)));
            Ok(())
        },
        has: |key| key < MANY,
        may: Refused::NeverAsks,
    });
}

#[test]
fn try_reserve_of_an_empty_map_reports() {
    each(&Case {
        test: "try_reserve_of_an_empty_map_reports",
        entries: 0,
        run: |map| map.pin().try_reserve(500),
        has: |_| false,
        may: Refused::Returns,
    });
}

#[test]
#[cfg_attr(
    atomshard_seize,
    ignore = "memory that is refused inside `seize` aborts"
)]
fn try_reserve_reports() {
    each(&Case {
        test: "try_reserve_reports",
        entries: 100,
        run: |map| map.pin().try_reserve(400),
        has: |key| key < 100,
        may: Refused::Returns,
    });
}

#[test]
fn reserve_returns_or_aborts() {
    each(&Case {
        test: "reserve_returns_or_aborts",
        entries: 100,
        run: |map| {
            map.pin().reserve(400);
            Ok(())
        },
        has: |key| key < 100,
        may: Refused::MayAbort,
    });
}

#[test]
fn insert_returns_or_aborts() {
    each(&Case {
        test: "insert_returns_or_aborts",
        entries: 0,
        run: |map| {
            (0..MANY).for_each(|key| assert!(map.pin().insert(key, value(key)).is_none()));
            Ok(())
        },
        has: |key| key < MANY,
        may: Refused::MayAbort,
    });
}

#[test]
fn replacing_returns_or_aborts() {
    each(&Case {
        test: "replacing_returns_or_aborts",
        entries: MANY,
        run: |map| {
            (0..MANY).for_each(|key| assert!(map.pin().insert(key, value(key)).is_some()));
            Ok(())
        },
        has: |key| key < MANY,
        may: Refused::MayAbort,
    });
}

#[test]
fn compute_returns_or_aborts() {
    each(&Case {
        test: "compute_returns_or_aborts",
        entries: MANY / 2,
        run: |map| {
            for key in 0..MANY {
                map.pin().compute(key, |entry| match entry {
                    Some(_) => Operation::<_, ()>::Remove,
                    None => Operation::Insert(value(key)),
                });
            }
            Ok(())
        },
        has: |key| (MANY / 2..MANY).contains(&key),
        may: Refused::MayAbort,
    });
}

#[test]
fn remove_returns_or_aborts() {
    each(&Case {
        test: "remove_returns_or_aborts",
        entries: MANY,
        run: |map| {
            (10..MANY).for_each(|key| assert!(map.pin().remove(&key).is_some()));
            Ok(())
        },
        has: |key| key < 10,
        may: Refused::MayAbort,
    });
}

#[test]
fn retain_returns_or_aborts() {
    each(&Case {
        test: "retain_returns_or_aborts",
        entries: MANY,
        run: |map| {
            map.pin().retain(|key, _| key % 2 == 0);
            Ok(())
        },
        has: |key| key < MANY && key % 2 == 0,
        may: Refused::MayAbort,
    });
}

#[test]
fn iteration_returns_or_aborts() {
    each(&Case {
        test: "iteration_returns_or_aborts",
        entries: MANY,
        run: |map| {
            assert_eq!(map.pin().iter().count() as u64, MANY);
            Ok(())
        },
        has: |key| key < MANY,
        may: Refused::MayAbort,
    });
}

#[test]
fn shrink_to_fit_returns_or_aborts() {
    each(&Case {
        test: "shrink_to_fit_returns_or_aborts",
        entries: MANY,
        run: |map| {
            map.pin().retain(|key, _| key % 16 == 0);
            map.pin().shrink_to_fit();
            Ok(())
        },
        has: |key| key < MANY && key % 16 == 0,
        may: Refused::MayAbort,
    });
}

/// Exit codes of the process that runs a case.
const NOT_REACHED: i32 = 40;
const RETURNED: i32 = 41;
const REPORTED: i32 = 42;

/// Orders this program to refuse the request of that number, and with `+` all later ones too.
const ORDER: &str = "ATOMSHARD_REFUSE";

/// Runs the case as ordered, and ends the process.
fn obey(case: &Case, order: &str) -> ! {
    let n = order.trim_end_matches('+').parse();
    // The thread's record, and the lists that the reclamation keeps, are no part of a map.
    drop(filled(10));
    let before = HELD.get();
    let map = filled(case.entries);
    FOR_GOOD.set(order.ends_with('+'));
    LEFT.set(n.expect("a number"));
    let outcome = (case.run)(&map);
    LEFT.set(0);
    assert_holds(&map, case.has);
    // It goes on as if nothing had been: it grows, reserves and shrinks.
    for key in 0..KEYS {
        map.pin().insert(key, value(key));
    }
    assert_eq!(map.pin().try_reserve(2000), Ok(()));
    map.pin().shrink_to_fit();
    assert_holds(&map, |key| key < KEYS);
    drop(map);
    assert_eq!(HELD.get(), before, "bytes are left behind");
    std::process::exit(match (REFUSED.get(), outcome) {
        (0, Ok(())) => NOT_REACHED,
        (1.., Ok(())) => RETURNED,
        (1.., Err(TryReserveError::AllocError { .. })) => REPORTED,
        (refused, outcome) => panic!("{refused} requests refused, {outcome:?}"),
    });
}

/// The map holds these keys, each once, with their values.
fn assert_holds(map: &Map, has: fn(u64) -> bool) {
    let pinned = map.pin();
    for key in 0..KEYS {
        let wanted = has(key).then(|| vec![key, !key]);
        assert_eq!(pinned.get(&key), wanted.as_ref(), "key {key}");
    }
    let keys = (0..KEYS).filter(|key| has(*key)).count();
    assert_eq!((pinned.len(), pinned.iter().count()), (keys, keys));
}

/// Cargo's own word for how programs run in an emulator, in one.
fn emulator() -> Option<String> {
    let runner = env::var("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER").ok();
    runner.filter(|_| cfg!(target_arch = "aarch64"))
}

/// This program once more.
fn this_program() -> Command {
    let program = env::current_exe().expect("known");
    let Some(runner) = emulator() else {
        return Command::new(program);
    };
    let mut words = runner.split(' ');
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).arg(program);
    command
}

/// Runs the case with each of its requests refused; in an emulator, where a start takes long, with each fourth.
fn each(case: &Case) {
    if let Ok(order) = env::var(ORDER) {
        obey(case, &order);
    }
    for and_later in ["", "+"] {
        let (mut returned, mut reported, mut aborted) = (0, 0, 0);
        for n in (1..).step_by(if emulator().is_some() { 8 } else { 1 }) {
            let child = this_program()
                .args(["--exact", case.test, "--nocapture"])
                .env(ORDER, format!("{n}{and_later}"))
                .env("RUST_BACKTRACE", "0")
                .output()
                .expect("started");
            match (child.status.code(), child.status.signal()) {
                (Some(NOT_REACHED), _) => break,
                (Some(RETURNED), _) => returned += 1,
                (Some(REPORTED), _) => reported += 1,
                (_, Some(libc::SIGABRT)) if case.may == Refused::MayAbort => aborted += 1,
                _ => panic!("{}, request {n}{and_later}: {child:?}", case.test),
            }
        }
        println!("{and_later} returned {returned}, reported {reported}, aborted {aborted}");
        let asked = returned + reported + aborted != 0;
        assert_eq!(asked, case.may != Refused::NeverAsks);
    }
}
