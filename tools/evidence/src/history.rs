//! Operations on one key, their sequential meaning, and the recording of when they ran.
//!
//! Every operation of the map that concerns one key is an [`Op`]; [`Op::step`] is its meaning on
//! a plain `Option<u64>`. A recorded [`Event`] is an operation, what it returned, and the two
//! instants between which it ran. Written values are unique in a history, and updates mix the
//! old value with a unique one by a bijection, so that a result tells which write it saw.

use core::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The state of one key.
pub type State = Option<u64>;

/// One operation on one key. The number is the value it writes or mixes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `get`.
    Get,
    /// `contains_key`.
    Contains,
    /// `insert`.
    Insert(u64),
    /// `try_insert`.
    TryInsert(u64),
    /// `remove`.
    Remove,
    /// `clear`, as far as it concerns the key. It takes every entry that it finds, leaves one
    /// that replaces such an entry meanwhile, and may find the key once more; see [`relax_clears`].
    Clear,
    /// `remove_if` with "the value is even".
    RemoveIfEven,
    /// `remove_if` with "the value is this".
    RemoveExactly(u64),
    /// `update`.
    Update(u64),
    /// `update_or_insert`.
    UpdateOrInsert(u64),
    /// `get_or_insert_with`.
    GetOrInsertWith(u64),
    /// `compute`: insert if absent, mix if present.
    ComputeSet(u64),
    /// `compute`: insert if absent, remove if present.
    ComputeToggle(u64),
    /// `compute` that changes nothing and returns what it saw.
    ComputeAbort,
    /// A set's `insert`, of an element that can be told from its equals.
    Add(u64),
    /// A set's `remove`.
    Delete,
}

/// What an operation returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A value (or none) handed out by the operation.
    Seen(State),
    /// The answer of `contains_key`, and what a set's writes say.
    Found(bool),
    /// The value was absent and is now this.
    Added(u64),
    /// `try_insert` found this value and changed nothing.
    Refused(u64),
    /// `compute` replaced.
    Replaced {
        /// What was there.
        old: u64,
        /// What is there now.
        new: u64,
    },
    /// The value was removed and handed out.
    Taken(u64),
    /// `remove_if` found this value and left it.
    Kept(u64),
}

/// What an update makes of the old value: a bijection of `old` for each `with`.
#[must_use]
pub const fn mix(old: u64, with: u64) -> u64 {
    old.rotate_left(7) ^ with
}

impl Op {
    /// The operation on a sequential map: the next state and what it returns.
    #[must_use]
    pub fn step(self, state: State) -> (State, Outcome) {
        use Outcome::{Added, Found, Kept, Refused, Replaced, Seen, Taken};
        match (self, state) {
            (Self::Get | Self::ComputeAbort, s) => (s, Seen(s)),
            (Self::Contains, s) => (s, Found(s.is_some())),
            (Self::Insert(v), s) => (Some(v), Seen(s)),
            (Self::TryInsert(v) | Self::ComputeSet(v) | Self::ComputeToggle(v), None) => {
                (Some(v), Added(v))
            }
            (Self::TryInsert(_), Some(c)) => (Some(c), Refused(c)),
            (Self::Remove, s) => (None, Seen(s)),
            (Self::Clear, _) => (None, Found(true)),
            (Self::Add(v), s) => (Some(v), Found(s.is_none())),
            (Self::Delete, s) => (None, Found(s.is_some())),
            (Self::RemoveIfEven | Self::RemoveExactly(_) | Self::Update(_), None) => {
                (None, Seen(None))
            }
            (Self::RemoveIfEven, Some(c)) if c % 2 == 0 => (None, Taken(c)),
            (Self::RemoveExactly(v), Some(c)) if c == v => (None, Taken(c)),
            (Self::RemoveIfEven | Self::RemoveExactly(_), Some(c)) => (Some(c), Kept(c)),
            (Self::Update(d) | Self::UpdateOrInsert(d), Some(c)) => {
                (Some(mix(c, d)), Seen(Some(mix(c, d))))
            }
            (Self::UpdateOrInsert(v) | Self::GetOrInsertWith(v), None) => (Some(v), Seen(Some(v))),
            (Self::GetOrInsertWith(_), Some(c)) => (Some(c), Seen(Some(c))),
            (Self::ComputeSet(d), Some(c)) => (
                Some(mix(c, d)),
                Replaced {
                    old: c,
                    new: mix(c, d),
                },
            ),
            (Self::ComputeToggle(_), Some(c)) => (None, Taken(c)),
        }
    }

    /// Whether an operation with this outcome left the key as it was.
    #[must_use]
    pub fn only_observed(self, outcome: Outcome) -> bool {
        match self {
            Self::Get | Self::Contains | Self::ComputeAbort => true,
            Self::TryInsert(_) => matches!(outcome, Outcome::Refused(_)),
            Self::Remove | Self::Update(_) => outcome == Outcome::Seen(None),
            Self::Delete => outcome == Outcome::Found(false),
            Self::RemoveIfEven | Self::RemoveExactly(_) => !matches!(outcome, Outcome::Taken(_)),
            _ => false,
        }
    }
}

/// What is known about an operation's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It returned this.
    Known(Outcome),
    /// It took effect, but what it returned was not recorded.
    Unknown,
    /// It may have taken effect or not, for instance because a closure panicked.
    Maybe,
    /// It may have taken effect any number of times, one after the other.
    AnyTimes,
}

/// One operation of a history. It took effect at an instant in `[start, end]`.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// The key.
    pub key: u64,
    /// What was done.
    pub op: Op,
    /// What is known of its result.
    pub fact: Fact,
    /// The instant before the call.
    pub start: u64,
    /// `u64::MAX` if it never returned.
    pub end: u64,
    /// Who did it.
    pub thread: usize,
}

/// A source of instants that all threads share.
#[derive(Debug)]
pub enum Clock {
    /// A counter that is incremented at each reading. Its order is part of happens-before, so a
    /// history in its order must linearize on every machine. It also orders the threads more
    /// than a program without it does.
    Counter(AtomicU64),
    /// Nanoseconds. Does not order the threads. Only where each operation takes effect by an
    /// instruction that drains the store buffer is the order of real time binding: x86_64.
    Time(Instant),
}

impl Clock {
    /// The counter.
    #[must_use]
    pub fn counter() -> Self {
        Self::Counter(AtomicU64::new(0))
    }

    /// Real time where it binds, the counter elsewhere.
    #[must_use]
    pub fn time() -> Self {
        if cfg!(all(target_arch = "x86_64", not(miri))) {
            Self::Time(Instant::now())
        } else {
            Self::counter()
        }
    }

    /// The present instant.
    pub fn now(&self) -> u64 {
        match self {
            Self::Counter(next) => next.fetch_add(1, Ordering::AcqRel),
            Self::Time(origin) => u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

/// The events of one thread.
#[derive(Debug)]
pub struct Recorder<'c> {
    clock: &'c Clock,
    thread: usize,
    /// What has been recorded.
    pub events: Vec<Event>,
}

impl<'c> Recorder<'c> {
    /// Nothing yet.
    pub fn new(clock: &'c Clock, thread: usize) -> Self {
        Self {
            clock,
            thread,
            events: Vec::new(),
        }
    }

    /// Runs `f`, which must be `op` on `key`, and records it.
    pub fn record(&mut self, key: u64, op: Op, f: impl FnOnce() -> Outcome) {
        let start = self.clock.now();
        let fact = Fact::Known(f());
        self.push(key, op, fact, start);
    }

    /// The present instant, as the start of an event that is pushed later.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Records an operation that began at `start` and has just ended.
    pub fn push(&mut self, key: u64, op: Op, fact: Fact, start: u64) {
        let end = self.clock.now();
        self.events.push(Event {
            key,
            op,
            fact,
            start,
            end,
            thread: self.thread,
        });
    }
}

/// A `clear` must have emptied a key that nobody wrote meanwhile. If somebody did, what it found
/// may have been replaced before it was taken, and it may have had no effect; or the key came again, and was taken again.
pub fn relax_clears(events: &mut [Event]) {
    let writes: Vec<Event> = events
        .iter()
        .filter(|e| e.op != Op::Clear && !matches!(e.fact, Fact::Known(o) if e.op.only_observed(o)))
        .copied()
        .collect();
    for clear in events.iter_mut().filter(|e| e.op == Op::Clear) {
        let disturbed =
            |w: &Event| w.key == clear.key && w.start <= clear.end && clear.start <= w.end;
        if writes.iter().any(disturbed) {
            clear.fact = Fact::AnyTimes;
        }
    }
}
