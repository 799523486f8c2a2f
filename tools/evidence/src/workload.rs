//! Threads that work on a map and record what they saw, while others make it grow and shrink.

use crate::checker::{Stats, check};
use crate::history::{Clock, Event, Fact, Op, Recorder, State, relax_clears};
use crate::key::disturb_this_thread;
use crate::seed::{rng, seeds};
use crate::subject::Subject;
use crate::watchdog::step;
use crate::whole;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;

/// What the recording threads do.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Threads that record.
    pub threads: usize,
    /// Operations of each thread.
    pub ops: u64,
    /// Recorded keys, few so that operations meet.
    pub keys: u64,
    /// Threads that fill the map with short-lived keys of their own and empty it again.
    pub storms: usize,
    /// Keys in one wave of a storm.
    pub wave: u64,
    /// Keys that are there when it begins, and that the first storm takes out.
    pub filled: u64,
    /// Entries that room is made for at most, when it is.
    pub room: usize,
    /// Every so many operations a recording thread iterates, retains, clears or resizes; 0 never.
    pub bulk: u64,
    /// Whether threads yield and sleep inside operations.
    pub disturb: bool,
    /// Whether to take real time instead of the counter.
    pub time: bool,
}

impl Plan {
    /// Three threads on four keys, and one storm.
    pub const SMALL: Self = Self {
        threads: 3,
        ops: 400,
        keys: 4,
        storms: 1,
        wave: 400,
        filled: 0,
        room: 512,
        bulk: 40,
        disturb: true,
        time: false,
    };
}

/// Keys of storms start here; recorded keys are below.
const STORM: u64 = 1 << 20;
/// Those that are there when it begins.
const FILLED: u64 = 1 << 60;

/// Runs `plan` on fresh maps, one per seed, and checks each history.
///
/// # Panics
/// If a history is not linearizable or a storm's own keys misbehave.
pub fn assert_linearizable<M: Subject>(runs: u64, plan: Plan, fresh: impl Fn() -> M) {
    let mut overlaps = 0;
    for seed in seeds(runs) {
        let map = fresh();
        let events = run(&map, plan, seed);
        match check(&events) {
            Ok(Stats { overlaps: n, .. }) => overlaps += n,
            Err(violation) => panic!("ATOMSHARD_SEED={seed}, {plan:?}\n{violation}"),
        }
    }
    assert!(
        overlaps > 0,
        "no two operations overlapped: the run shows nothing"
    );
}

/// Runs `plan` once on threads of the system's and returns the history.
///
/// # Panics
/// If a storm's own keys misbehave.
pub fn run<M: Subject>(map: &M, plan: Plan, seed: u64) -> Vec<Event> {
    run_by(map, plan, seed, on_threads)
}

/// So many threads of the system's that call the body at once, each with its number.
pub fn on_threads(threads: usize, body: &(dyn Fn(usize) + Sync)) {
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        for index in 0..threads {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                body(index);
            });
        }
    });
}

/// As [`run`], with threads that `together` makes: so many that call the body, each with its number.
///
/// # Panics
/// If a storm's own keys misbehave.
pub fn run_by<M: Subject>(
    map: &M,
    plan: Plan,
    seed: u64,
    together: impl FnOnce(usize, &(dyn Fn(usize) + Sync)),
) -> Vec<Event> {
    let clock = if plan.time {
        Clock::time()
    } else {
        Clock::counter()
    };
    let unique = AtomicU64::new(1);
    let recording = AtomicUsize::new(plan.threads);
    let events = Mutex::new(Vec::new());
    fill(map, 0..plan.filled);
    together(plan.threads + plan.storms, &|index| {
        if index >= plan.threads {
            return storm(map, plan, seed, index - plan.threads, &recording);
        }
        let _done = Done(&recording);
        let own = record(map, plan, seed, index, &clock, &unique);
        let mut events = events.lock().unwrap_or_else(PoisonError::into_inner);
        events.extend(own);
    });
    let mut events = events.into_inner().unwrap_or_else(PoisonError::into_inner);
    relax_clears(&mut events);
    events
}

/// Inserts keys that nobody records, those of these numbers.
///
/// # Panics
/// If one is there.
pub fn fill<M: Subject>(map: &M, numbers: Range<u64>) {
    for key in FILLED + numbers.start..FILLED + numbers.end {
        alone(map, key, Op::Insert(key), None);
    }
}

/// An operation on a key that no other thread knows, in this state.
fn alone<M: Subject>(map: &M, key: u64, op: Op, state: State) {
    let op = map.offered(op);
    let outcome = map.apply(key, op);
    assert_eq!(
        outcome,
        op.step(state).1,
        "{op:?} of an own key in the state {state:?}"
    );
}

/// One recording thread fewer, also when it panics: storms end with the last.
struct Done<'a>(&'a AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn record<M: Subject>(
    map: &M,
    plan: Plan,
    seed: u64,
    thread: usize,
    clock: &Clock,
    unique: &AtomicU64,
) -> Vec<Event> {
    let mut rng = rng(seed, thread);
    if plan.disturb {
        disturb_this_thread(rng.u64(..));
    }
    let mut recorder = Recorder::new(clock, thread);
    // Values are unique in the history; blocks of numbers keep threads from meeting there.
    let mut value = unique.fetch_add(plan.ops + 1, Ordering::Relaxed);
    for _ in 0..plan.ops {
        step();
        if plan.bulk != 0 && rng.u64(0..plan.bulk) == 0 {
            bulk(map, plan, &mut rng, &mut recorder);
            continue;
        }
        value += 1;
        // Half of the operations go to one key.
        let key = if rng.bool() { 0 } else { rng.u64(0..plan.keys) };
        let op = match rng.u32(0..24) {
            0..6 => Op::Get,
            6 => Op::Contains,
            7..10 => Op::Insert(value),
            10..12 => Op::TryInsert(value),
            12..15 => Op::Remove,
            15 => Op::RemoveIfEven,
            16 => Op::Update(value),
            17 => Op::UpdateOrInsert(value),
            18 => Op::GetOrInsertWith(value),
            19..21 => Op::ComputeSet(value),
            21..23 => Op::ComputeToggle(value),
            _ => Op::ComputeAbort,
        };
        let op = map.offered(op);
        recorder.record(key, op, || map.apply(key, op));
    }
    recorder.events
}

/// One operation on the whole map, recorded as what it says about each recorded key.
fn bulk<M: Subject>(map: &M, plan: Plan, rng: &mut fastrand::Rng, recorder: &mut Recorder<'_>) {
    let is_recorded = |key| key < STORM;
    match rng.u32(0..6) {
        0 | 1 => whole::iterate(map, recorder, 0..plan.keys, is_recorded),
        2 => whole::retain(map, recorder, 0..plan.keys, is_recorded, |value| {
            value % 2 == 0
        }),
        3 if plan.storms == 0 => {
            // Removes whatever an entry's value is; the call does not say what it removed.
            let start = recorder.now();
            map.clear();
            for key in 0..plan.keys {
                recorder.push(key, Op::Clear, Fact::Unknown, start);
            }
        }
        3 => whole::retain(map, recorder, 0..plan.keys, is_recorded, |_| false),
        4 => map.reserve(rng.usize(0..=plan.room)),
        _ => map.shrink(),
    }
}

/// Fills the map with keys that only this thread touches and takes them out again, over and
/// over. No other thread interferes with them, so each result is known.
fn storm<M: Subject>(map: &M, plan: Plan, seed: u64, thread: usize, recording: &AtomicUsize) {
    let mut rng = rng(!seed, thread);
    if plan.disturb {
        disturb_this_thread(rng.u64(..));
    }
    if thread == 0 {
        for key in FILLED..FILLED + plan.filled {
            step();
            if recording.load(Ordering::Relaxed) == 0 {
                return;
            }
            alone(map, key, Op::Remove, Some(key));
        }
    }
    let base = STORM + (u64::try_from(thread).expect("fits") << 32);
    while recording.load(Ordering::Relaxed) > 0 {
        let wave = rng.u64(1..=plan.wave);
        for key in base..base + wave {
            step();
            alone(map, key, Op::Insert(key), None);
        }
        let probe = base + rng.u64(0..wave);
        alone(map, probe, Op::Get, Some(probe));
        for key in base..base + wave {
            step();
            alone(map, key, Op::Remove, Some(key));
        }
        alone(map, probe, Op::Get, None);
        if rng.u32(0..4) == 0 {
            map.shrink();
        }
    }
}
