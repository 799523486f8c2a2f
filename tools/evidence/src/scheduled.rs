//! Histories whose interleaving is chosen too: threads take turns at every atomic access, in an order drawn
//! from the seed, so that a seed gives one history.
//!
//! What happens is one access after another: stores that are seen late are for the models and the
//! interpreter. In return a thread can be kept at any access for as long as it takes.

use crate::checker::check;
use crate::hashers::{Identity, OneHash, OneShard, TwoHash};
use crate::history::Event;
use crate::length;
use crate::set::Elements;
use crate::subject::{Checked, Sharded, Subject};
use crate::words::{Lie, Words};
use crate::workload::{Plan, fill, run_by};
use atomshard::ResizeMode;
use atomshard::trace::Access;
use foldhash::fast::FixedState;
use schedule::{Director, Order, Priorities, Threads, Walk};

/// A kind of run.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// What it is called.
    pub name: &'static str,
    /// What is done; so many keys may be there when it begins.
    plan: Plan,
    run: fn(Plan, u64) -> Result<Ran, String>,
}

/// What a run went through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ran {
    /// Recorded operations.
    pub operations: u64,
    /// Pairs of them on one key at the same time.
    pub overlaps: u64,
    /// Atomic accesses, of all threads.
    pub accesses: u64,
    /// Stands for all accesses in their order.
    pub digest: u64,
}

const PLAN: Plan = Plan {
    threads: 3,
    ops: 20,
    keys: 3,
    storms: 1,
    wave: 24,
    // Past the fan-out.
    filled: 160,
    room: 12,
    bulk: 16,
    disturb: false,
    time: false,
};

/// More keys than a bucket of one line holds, all in one.
const ONE_BUCKET: Plan = Plan {
    keys: 5,
    wave: 12,
    filled: 20,
    ..PLAN
};

/// All kinds of runs.
#[must_use]
pub fn scenarios() -> Vec<Scenario> {
    let scenario = |name, plan, run| Scenario { name, plan, run };
    vec![
        scenario("growth and shrinking", PLAN, |plan, seed| {
            let fresh = || Sharded::<u64, _>::new(FixedState::with_seed(seed));
            history(fresh, plan, seed)
        }),
        scenario(
            "the smallest steps of a move",
            Plan {
                // Past the first move of one shard's table that takes several steps.
                filled: 320,
                ..PLAN
            },
            |plan, seed| {
                let mode = ResizeMode::Incremental(1);
                let fresh = || Sharded::<Checked, _>::with_mode(OneShard, mode);
                history(fresh, plan, seed)
            },
        ),
        scenario("moves at once", PLAN, |plan, seed| {
            let hasher = || FixedState::with_seed(seed);
            let fresh = || Sharded::<Checked, _>::with_mode(hasher(), ResizeMode::Blocking);
            history(fresh, plan, seed)
        }),
        scenario("one hash", ONE_BUCKET, |plan, seed| {
            history(|| Sharded::<Checked, _>::new(OneHash(seed)), plan, seed)
        }),
        scenario(
            "two hashes",
            Plan {
                keys: 4,
                filled: 20,
                ..PLAN
            },
            |plan, seed| history(|| Sharded::<u64, _>::new(TwoHash), plan, seed),
        ),
        scenario(
            "one key, nothing else",
            Plan {
                keys: 1,
                storms: 0,
                bulk: 0,
                threads: 4,
                filled: 0,
                ..PLAN
            },
            |plan, seed| history(|| Sharded::<u64, _>::new(Identity), plan, seed),
        ),
        scenario(
            "often on the whole map",
            Plan { bulk: 3, ..PLAN },
            |plan, seed| {
                let fresh = || Sharded::<Checked, _>::new(FixedState::with_seed(seed));
                history(fresh, plan, seed)
            },
        ),
        scenario(
            "clear",
            Plan {
                bulk: 4,
                keys: 12,
                storms: 0,
                filled: 0,
                ..PLAN
            },
            |plan, seed| {
                let fresh = || Sharded::<u64, _>::new(FixedState::with_seed(seed));
                history(fresh, plan, seed)
            },
        ),
        scenario("guards that move", PLAN, |plan, seed| {
            let hasher = || FixedState::with_seed(seed);
            let fresh = || Sharded::<Checked, _>::new(hasher()).with_owned_guards();
            history(fresh, plan, seed)
        }),
        scenario("entries that are kept", PLAN, |plan, seed| {
            let hasher = || FixedState::with_seed(seed);
            let fresh = || Sharded::<Checked, _>::new(hasher()).with_kept_entries();
            history(fresh, plan, seed)
        }),
        scenario("a set", PLAN, |plan, seed| {
            history(|| Elements::new(FixedState::with_seed(seed)), plan, seed)
        }),
        scenario("words", PLAN, |plan, seed| {
            history(|| Words::new(FixedState::with_seed(seed)), plan, seed)
        }),
        scenario("words in one shard", PLAN, |plan, seed| {
            history(|| Words::that_lie(Lie::OneShard), plan, seed)
        }),
        scenario("words in one line", ONE_BUCKET, |plan, seed| {
            history(|| Words::that_lie(Lie::OneLine), plan, seed)
        }),
        scenario(
            "a few words in one line, nothing else",
            Plan {
                keys: 7,
                ops: 40,
                storms: 0,
                bulk: 0,
                filled: 0,
                ..PLAN
            },
            |plan, seed| history(|| Words::that_lie(Lie::OneLine), plan, seed),
        ),
        scenario(
            "often on all words of one line",
            Plan {
                bulk: 2,
                ..ONE_BUCKET
            },
            |plan, seed| history(|| Words::that_lie(Lie::OneLine), plan, seed),
        ),
        scenario(
            "words that are cleared",
            Plan {
                bulk: 4,
                keys: 7,
                storms: 0,
                filled: 0,
                ..PLAN
            },
            |plan, seed| history(|| Words::that_lie(Lie::OneLine), plan, seed),
        ),
        scenario("lengths of words", PLAN, |_, seed| {
            lengths(&Words::that_lie(Lie::OneShard), seed)
        }),
        scenario("lengths", PLAN, |_, seed| {
            lengths(&Sharded::<u64, _>::new(FixedState::with_seed(seed)), seed)
        }),
        scenario(
            "eight threads a core",
            Plan {
                threads: 14,
                storms: 2,
                ops: 8,
                ..PLAN
            },
            |plan, seed| {
                let fresh = || Sharded::<u64, _>::new(FixedState::with_seed(seed));
                history(fresh, plan, seed)
            },
        ),
    ]
}

impl Scenario {
    /// One run.
    ///
    /// # Errors
    /// If the history is not linearizable: the operation that has no explanation.
    pub fn run(&self, seed: u64) -> Result<Ran, String> {
        (self.run)(self.plan, seed)
    }
}

/// Gives the turns in a drawn order, and keeps account.
struct Turns {
    order: Box<dyn Order>,
    accesses: u64,
    digest: u64,
}

impl Turns {
    fn new(seed: u64, threads: usize) -> Self {
        let order: Box<dyn Order> = match seed % 4 {
            0 => Box::new(Walk::new(seed, 1)),
            1 => Box::new(Walk::new(seed, 16)),
            // A run of so many threads takes about as many accesses.
            2 => Box::new(Priorities::new(seed, 3, 1000 * threads as u64)),
            _ => Box::new(Priorities::new(seed, 20, 1000 * threads as u64)),
        };
        Self {
            order,
            accesses: 0,
            digest: 0,
        }
    }
}

impl Director for Turns {
    fn choose(&mut self, ready: Threads, _: Threads, last: usize) -> usize {
        self.order.next(ready, last)
    }

    fn observe(&mut self, thread: usize, access: &Access) {
        self.accesses += 1;
        let place = u64::from(access.location.line()) << 8 | u64::from(access.location.column());
        let what = place << 8 | thread as u64;
        self.digest = (self.digest.rotate_left(5) ^ what).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// Runs on a fresh map, and checks what was recorded.
fn history<M: Subject>(fresh: impl Fn() -> M, plan: Plan, seed: u64) -> Result<Ran, String> {
    let plan = Plan {
        filled: about_to_move(&fresh(), plan.filled, seed),
        ..plan
    };
    let mut turns = None;
    let events = run_by(&fresh(), plan, seed, |threads, body| {
        turns = Some(taken(seed, threads, body));
    });
    judged(&events, turns)
}

/// Whether the history is linearizable, and what it went through.
fn judged(events: &[Event], turns: Option<Turns>) -> Result<Ran, String> {
    let turns = turns.expect("it has run");
    let stats = check(events).map_err(|violation| violation.to_string())?;
    Ok(Ran {
        operations: events.len() as u64,
        overlaps: stats.overlaps as u64,
        accesses: turns.accesses,
        digest: turns.digest,
    })
}

/// Runs the threads in turns.
fn taken(seed: u64, threads: usize, body: &(dyn Fn(usize) + Sync)) -> Turns {
    schedule::run(
        threads,
        Turns::new(seed, threads),
        || (),
        |(), index| body(index),
    )
    .0
}

/// Counts while others write.
fn lengths<M: Subject>(map: &M, seed: u64) -> Result<Ran, String> {
    let mut turns = None;
    let events = length::check(map, seed, |threads, body| {
        turns = Some(taken(seed, threads, body));
    })?;
    judged(&events, turns)
}

/// A number of keys, at most `most`, with which the map is about to take a larger table, or fan out: up to
/// three keys before, which of its moves the seed draws. Now and then none.
fn about_to_move<M: Subject>(map: &M, most: u64, seed: u64) -> u64 {
    let mut moves = vec![0];
    for keys in 0..most {
        let before = map.capacity();
        fill(map, keys..keys + 1);
        if map.capacity() > before {
            moves.push(keys);
        }
    }
    let mut rng = fastrand::Rng::with_seed(seed);
    moves[rng.usize(..moves.len())].saturating_sub(rng.u64(..4))
}
