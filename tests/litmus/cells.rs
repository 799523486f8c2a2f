//! The memory of one round of a program, and how a program is described.

use super::world::{Arc, AtomicUsize, Mutex, Ordering, UnsafeCell};
use crate::{Rule, World};
use atomshard::{Padded, ShardCounter, ShardMap};
use foldhash::fast::FixedState;

/// What a thread of a program has seen.
pub(crate) type Seen = [usize; 2];
/// A thread of a program.
pub(crate) type Thread = fn(&Arc<Cells>) -> Seen;

/// A program.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) threads: &'static [Thread],
    pub(crate) setup: fn(&Cells),
    /// Whether what the threads saw is the weak outcome.
    pub(crate) weak: fn(&[Seen]) -> bool,
    pub(crate) rule: Rule,
    /// Worlds that show the weak outcome for sure.
    pub(crate) shown_by: &'static [World],
    /// Never seen on x86-64 although it is allowed: the crate's documentation says so.
    pub(crate) not_on_x86_64: bool,
    /// Most preemptions of an execution in loom; without it, every execution is tried.
    pub(crate) preemptions: Option<usize>,
}

impl Row {
    pub(crate) const fn forbidden(
        name: &'static str,
        threads: &'static [Thread],
        weak: fn(&[Seen]) -> bool,
    ) -> Self {
        Self {
            name,
            threads,
            setup: nothing,
            weak,
            rule: Rule::Forbidden,
            shown_by: &[],
            not_on_x86_64: false,
            preemptions: None,
        }
    }

    pub(crate) const fn allowed(
        name: &'static str,
        threads: &'static [Thread],
        weak: fn(&[Seen]) -> bool,
        shown_by: &'static [World],
    ) -> Self {
        Self {
            rule: Rule::Allowed,
            shown_by,
            ..Self::forbidden(name, threads, weak)
        }
    }
}

fn nothing(_: &Cells) {}

/// Maps by the type that the programs use.
pub(crate) type Map = ShardMap<u64, u64, FixedState>;

/// What the rounds of a batch share.
pub(crate) struct Shared {
    map: Map,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            map: ShardMap::with_hasher(FixedState::default()),
        }
    }
}

/// The memory of one round.
pub(crate) struct Cells {
    at: [Padded<AtomicUsize>; 2],
    data: Plain,
    pub(crate) locked: Mutex<bool>,
    pub(crate) counter: ShardCounter,
    shared: Arc<Shared>,
    /// Two keys of the map that no other round has.
    pub(crate) keys: [u64; 2],
}

impl Cells {
    pub(crate) fn new(shared: Arc<Shared>, round: u64) -> Self {
        Self {
            at: [0, 0].map(|zero| Padded::new(AtomicUsize::new(zero))),
            data: Plain(UnsafeCell::new(0)),
            locked: Mutex::new(false),
            counter: ShardCounter::new(),
            shared,
            keys: [2 * round, 2 * round + 1],
        }
    }

    pub(crate) fn map(&self) -> &Map {
        &self.shared.map
    }

    pub(crate) fn store(&self, cell: usize, ordering: Ordering) {
        self.at[cell].store(1, ordering);
    }

    pub(crate) fn load(&self, cell: usize, ordering: Ordering) -> usize {
        self.at[cell].load(ordering)
    }

    /// Writes what another thread may see later, by an atomic without an ordering.
    pub(crate) fn write_relaxed(&self) {
        self.store(0, Ordering::Relaxed);
    }

    /// Whether the other thread's sign was seen, and what it had written by `write_relaxed`.
    pub(crate) fn read_relaxed_if(&self, sign: bool) -> Seen {
        if sign {
            [1, self.load(0, Ordering::Relaxed)]
        } else {
            [0, 0]
        }
    }

    /// Writes plain memory, which another thread reads once it has seen a sign.
    pub(crate) fn write(&self) {
        self.data.set(1);
    }

    /// Whether the other thread's sign was seen, and what it had written by `write`.
    pub(crate) fn read_if(&self, sign: bool) -> Seen {
        if sign { [1, self.data.get()] } else { [0, 0] }
    }
}

/// A word that is not atomic.
struct Plain(UnsafeCell<usize>);

// SAFETY: a program writes the word before it gives a sign, and reads it after it has seen the sign. That
// this orders the two is what the program's row claims, and what Miri and loom watch: a row with a
// weaker sign runs under these two alone, which report it.
#[expect(unsafe_code, reason = "the race that the rows rule out")]
unsafe impl Sync for Plain {}

#[cfg(not(loom))]
impl Plain {
    fn set(&self, value: usize) {
        // SAFETY: nobody reads before the sign, see `Sync`.
        #[expect(unsafe_code, reason = "plain memory that threads share")]
        unsafe {
            *self.0.get() = value;
        }
    }

    fn get(&self) -> usize {
        // SAFETY: nobody writes after the sign, see `Sync`.
        #[expect(unsafe_code, reason = "plain memory that threads share")]
        unsafe {
            *self.0.get()
        }
    }
}

#[cfg(loom)]
impl Plain {
    fn set(&self, value: usize) {
        // SAFETY: loom's cell fails the model if somebody else reads or writes at once.
        #[expect(unsafe_code, reason = "loom's cell hands out raw pointers")]
        self.0.with_mut(|place| unsafe { *place = value });
    }

    fn get(&self) -> usize {
        // SAFETY: loom's cell fails the model if somebody else writes at once.
        #[expect(unsafe_code, reason = "loom's cell hands out raw pointers")]
        self.0.with(|place| unsafe { *place })
    }
}
