//! The target `schedules`: threads on few keys, and who of them goes on at which atomic access.
//!
//! Needs the traced build. Every result goes into a history with exact instants, as one thread runs at a time, and
//! each key's history must be linearizable. Values are in boxes, so that a sanitizer sees what is read
//! after its end, and are counted.

use crate::hashing::{self, Hashing};
use arbitrary::{Arbitrary, Result, Unstructured};
use atomshard::ResizeMode;
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};
use evidence::checker::check;
use evidence::history::{Clock, Event, Fact, Op, Outcome, Recorder, relax_clears};
use evidence::subject::{Checked, Payload, Sharded, Subject as _};
use evidence::whole;
use schedule::{Bytes, Director, Order as _, Threads};
use std::sync::{Mutex, Once};

/// An input. `cargo fuzz fmt` prints it.
#[derive(Debug)]
pub struct Input {
    hashing: Hashing,
    mode: ResizeMode,
    /// The keys that all share are below.
    keys: u64,
    /// So many others are there before the threads begin.
    before: u64,
    /// What each thread does.
    threads: Vec<Vec<Action>>,
    /// For the accesses that more than one thread could make, who makes it.
    choices: Vec<u8>,
}

/// What a thread does at a time.
#[derive(Clone, Copy, Debug)]
enum Action {
    /// An operation on a key that all share.
    One(u64, Op),
    Iterate,
    /// Removes odd values.
    Retain,
    Clear,
    /// Inserts so many keys that are the thread's own, which makes the map grow.
    Grow(u64),
    /// Removes as many.
    Thin(u64),
    Reserve(usize),
    Shrink,
}

/// Operations, of the value that they write.
const KINDS: [fn(u64) -> Op; 13] = [
    |_| Op::Get,
    |_| Op::Contains,
    Op::Insert,
    Op::Insert,
    Op::TryInsert,
    |_| Op::Remove,
    |_| Op::Remove,
    |_| Op::RemoveIfEven,
    Op::Update,
    Op::UpdateOrInsert,
    Op::GetOrInsertWith,
    Op::ComputeSet,
    Op::ComputeToggle,
];

const MOST_THREADS: usize = 3;
const MOST_ACTIONS: u64 = 24;

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let hashing = Hashing::arbitrary(u)?;
        let mode = hashing::mode(u)?;
        let keys = 1 + u.int_in_range(0..=2)?;
        let before = u.int_in_range(0..=40)?;
        let mut threads = vec![Vec::new(); u.int_in_range(2..=MOST_THREADS)?];
        for value in 0..u.int_in_range(2..=MOST_ACTIONS)? {
            let thread = u.choose_index(threads.len())?;
            threads[thread].push(Action::read(u, keys, value)?);
        }
        let mut choices = Vec::new();
        while !u.is_empty() {
            // So many accesses are the same thread's, and then it is another's turn.
            let (accesses, then) = (u.arbitrary::<u8>()? / 4, u.int_in_range(0..=3)?);
            choices.extend(core::iter::repeat_n(0, usize::from(accesses)));
            choices.push(128 + then);
        }
        Ok(Self {
            hashing,
            mode,
            keys,
            before,
            threads,
            choices,
        })
    }
}

impl Action {
    fn read(u: &mut Unstructured<'_>, keys: u64, value: u64) -> Result<Self> {
        Ok(match u.int_in_range(0..=31)? {
            0 => Self::Iterate,
            1 => Self::Retain,
            2 => Self::Clear,
            3..6 => Self::Grow(1 + u.int_in_range(0..=15)?),
            6 => Self::Thin(1 + u.int_in_range(0..=15)?),
            7 => Self::Reserve(8 * u.int_in_range(0..=31)?),
            8..10 => Self::Shrink,
            _ => Self::One(u.int_in_range(0..=keys - 1)?, u.choose(&KINDS)?(value)),
        })
    }
}

/// Follows the choices of an input.
struct Choices(Bytes);

impl Director for Choices {
    fn choose(&mut self, ready: Threads, _frozen: Threads, last: usize) -> usize {
        self.0.next(ready, last)
    }
}

/// A number in a box. (A leak checker could not tell a leak from what belongs to a thread that is ending, so
/// those that live are counted.)
#[derive(Debug)]
struct Boxed(Box<Checked>);

static LIVE: AtomicUsize = AtomicUsize::new(0);

impl Payload for Boxed {
    fn of(value: u64) -> Self {
        LIVE.fetch_add(1, Ordering::Relaxed);
        Self(Box::new(Checked::of(value)))
    }
    fn read(&self) -> u64 {
        self.0.read()
    }
}

impl Drop for Boxed {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

type Map = Sharded<Boxed, Hashing>;

/// Runs an input.
///
/// # Panics
/// If the history is not linearizable, or a value is not what it must be.
pub fn run(input: &Input) {
    static WARM: Once = Once::new();
    // What a process or a thread does once is done before, so that a failure does not need what ran before.
    WARM.call_once(|| drop(history(&Input::warming())));
    let events = history(input);
    if let Err(violation) = check(&events) {
        panic!("{violation}");
    }
}

impl Input {
    fn warming() -> Self {
        Self {
            hashing: Hashing::Identity,
            mode: ResizeMode::default(),
            keys: 1,
            before: 1,
            threads: vec![vec![Action::Grow(2), Action::Thin(1)]; MOST_THREADS],
            choices: [128, 129, 130].repeat(20),
        }
    }
}

/// What the threads did and saw, and what is there at the end.
fn history(input: &Input) -> Vec<Event> {
    let others = (0..=input.threads.len()).map(|index| input.others(index));
    let stage = Stage {
        input,
        clock: Clock::counter(),
        keys: (0..input.keys).chain(others.flatten()).collect(),
        events: Mutex::default(),
    };
    let outside = input.threads.len();
    let make = || {
        let map = Map::with_mode(input.hashing, input.mode);
        stage.part(&map, outside, |thread| {
            thread.act(Action::Grow(input.before))
        });
        map
    };
    let body = |map: &Map, index: usize| {
        stage.part(map, index, |thread| {
            for action in &input.threads[index] {
                thread.act(*action);
            }
        });
    };
    let order = Choices(Bytes::new(input.choices.clone()));
    let (_, map) = schedule::run(input.threads.len(), order, make, body);
    stage.part(&map, outside, |thread| thread.look_at_all());
    drop(map);
    assert_eq!(LIVE.load(Ordering::Relaxed), 0, "values outlive their map");
    let mut events = stage.events.into_inner().expect("no thread has panicked");
    relax_clears(&mut events);
    events
}

/// What the threads share besides the map.
struct Stage<'a> {
    input: &'a Input,
    clock: Clock,
    /// Every key.
    keys: Vec<u64>,
    events: Mutex<Vec<Event>>,
}

impl Stage<'_> {
    /// Does a thread's part.
    fn part(&self, map: &Map, index: usize, act: impl FnOnce(&mut Thread<'_>)) {
        let mut thread = Thread {
            map,
            keys: &self.keys,
            recorder: Recorder::new(&self.clock, index),
            own: self.input.others(index).start..self.input.others(index).start,
        };
        act(&mut thread);
        let mut events = self.events.lock().expect("no thread has panicked");
        events.extend(thread.recorder.events);
    }
}

impl Input {
    /// The keys that only this thread inserts; with the number after the last, those that are there before.
    fn others(&self, index: usize) -> Range<u64> {
        let first = (1 + u64::try_from(index).expect("few threads")) << 16;
        let grown = |action: &Action| match action {
            Action::Grow(keys) => *keys,
            _ => 0,
        };
        let count = match self.threads.get(index) {
            Some(actions) => actions.iter().map(grown).sum(),
            None => self.before,
        };
        first..first + count
    }
}

/// One thread's part.
struct Thread<'a> {
    map: &'a Map,
    /// Every key.
    keys: &'a [u64],
    recorder: Recorder<'a>,
    /// The keys of its own that it has inserted and not removed.
    own: Range<u64>,
}

impl Thread<'_> {
    fn act(&mut self, action: Action) {
        match action {
            Action::One(key, op) => self.one(key, op),
            Action::Grow(count) => {
                let end = self.own.end + count;
                for key in self.own.end..end {
                    self.one(key, Op::Insert(key));
                }
                self.own.end = end;
            }
            Action::Thin(count) => {
                let end = self.own.end.min(self.own.start + count);
                for key in self.own.start..end {
                    self.one(key, Op::Remove);
                }
                self.own.start = end;
            }
            Action::Iterate => self.iterate(),
            Action::Retain => self.retain(),
            Action::Clear => {
                let start = self.recorder.now();
                self.map.clear();
                for key in self.keys {
                    self.recorder.push(*key, Op::Clear, Fact::Unknown, start);
                }
            }
            Action::Reserve(room) => self.map.reserve(room),
            Action::Shrink => self.map.shrink(),
        }
    }

    fn one(&mut self, key: u64, op: Op) {
        let map = self.map;
        self.recorder.record(key, op, || map.apply(key, op));
    }

    fn retain(&mut self) {
        let keys = self.keys.iter().copied();
        let is_kept = |value| value % 2 == 0;
        whole::retain(self.map, &mut self.recorder, keys, |_| true, is_kept);
    }

    fn iterate(&mut self) {
        let keys = self.keys.iter().copied();
        whole::iterate(self.map, &mut self.recorder, keys, |_| true);
    }

    /// At the end, when all else has ended: every key by itself, all by iteration, and how many they are.
    fn look_at_all(&mut self) {
        let mut present = 0;
        for key in self.keys {
            self.one(*key, Op::Get);
            let last = self.recorder.events.last();
            present += usize::from(last.is_some_and(|event| event.fact != ABSENT));
        }
        self.iterate();
        assert_eq!(self.map.len(), present, "the length");
    }
}

const ABSENT: Fact = Fact::Known(Outcome::Seen(None));
