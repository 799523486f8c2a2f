//! Histories whose interleaving is chosen too: threads take turns at every atomic access, in an order drawn
//! from the seed, so that a seed gives one history.
//!
//! What happens is one access after another: stores that are seen late are for the models and the
//! interpreter. In return a thread can be kept at any access for as long as it takes.

use crate::checker::check;
use crate::hashers::{Identity, OneHash, OneShard, TwoHash};
use crate::subject::{Checked, Payload, Sharded};
use crate::workload::{Plan, run_by};
use atomshard::ResizeMode;
use atomshard::trace::Access;
use core::hash::BuildHasher;
use foldhash::fast::FixedState;
use schedule::{Director, Order, Priorities, Threads, Walk};

/// A kind of run.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// What it is called.
    pub name: &'static str,
    plan: Plan,
    /// What may be there when it begins.
    filled: &'static [u64],
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
    filled: 0,
    room: 12,
    bulk: 16,
    disturb: false,
    time: false,
};

/// Around the sizes at which a young map, and then each of its shards, takes a larger table, and at which
/// it fans out.
const SIZES: &[u64] = &[
    0, 4, 5, 6, 9, 10, 11, 20, 21, 22, 42, 100, 225, 228, 230, 240,
];
/// Around those at which one shard's table does, in several steps from 300 on.
const SHARD_SIZES: &[u64] = &[4, 9, 20, 42, 84, 170, 230, 298, 300, 302, 306, 310];

/// All kinds of runs.
#[must_use]
pub fn scenarios() -> Vec<Scenario> {
    let scenario = |name, plan, filled, run| Scenario {
        name,
        plan,
        filled,
        run,
    };
    vec![
        scenario("growth and shrinking", PLAN, SIZES, |plan, seed| {
            history(
                &Sharded::<u64, _>::new(FixedState::with_seed(seed)),
                plan,
                seed,
            )
        }),
        scenario(
            "the smallest steps of a move",
            PLAN,
            SHARD_SIZES,
            |plan, seed| {
                let mode = ResizeMode::Incremental(1);
                history(
                    &Sharded::<Checked, _>::with_mode(OneShard, mode),
                    plan,
                    seed,
                )
            },
        ),
        scenario("moves at once", PLAN, SIZES, |plan, seed| {
            let hasher = FixedState::with_seed(seed);
            let mode = ResizeMode::Blocking;
            history(&Sharded::<Checked, _>::with_mode(hasher, mode), plan, seed)
        }),
        scenario(
            "one hash",
            Plan {
                keys: 5,
                wave: 12,
                ..PLAN
            },
            &[0, 3, 6, 8, 16],
            |plan, seed| history(&Sharded::<Checked, _>::new(OneHash(seed)), plan, seed),
        ),
        scenario(
            "two hashes",
            Plan { keys: 4, ..PLAN },
            &[0, 8, 12],
            |plan, seed| history(&Sharded::<u64, _>::new(TwoHash), plan, seed),
        ),
        scenario(
            "one key, nothing else",
            Plan {
                keys: 1,
                storms: 0,
                bulk: 0,
                threads: 4,
                ..PLAN
            },
            &[0],
            |plan, seed| history(&Sharded::<u64, _>::new(Identity), plan, seed),
        ),
        scenario(
            "often on the whole map",
            Plan { bulk: 3, ..PLAN },
            SIZES,
            |plan, seed| {
                let hasher = FixedState::with_seed(seed);
                history(&Sharded::<Checked, _>::new(hasher), plan, seed)
            },
        ),
        scenario(
            "clear",
            Plan {
                bulk: 4,
                keys: 12,
                storms: 0,
                ..PLAN
            },
            &[0],
            |plan, seed| {
                let hasher = FixedState::with_seed(seed);
                history(&Sharded::<u64, _>::new(hasher), plan, seed)
            },
        ),
        scenario("guards that move", PLAN, SIZES, |plan, seed| {
            let map = Sharded::<Checked, _>::new(FixedState::with_seed(seed));
            history(&map.with_owned_guards(), plan, seed)
        }),
        scenario(
            "eight threads a core",
            Plan {
                threads: 14,
                storms: 2,
                ops: 8,
                ..PLAN
            },
            SIZES,
            |plan, seed| {
                let hasher = FixedState::with_seed(seed);
                history(&Sharded::<u64, _>::new(hasher), plan, seed)
            },
        ),
    ]
}

impl Scenario {
    /// One run.
    ///
    /// # Errors
    /// If the history is not linearizable, or something is dropped not at all: what is wrong.
    pub fn run(&self, seed: u64) -> Result<Ran, String> {
        let filled = fastrand::Rng::with_seed(seed).choice(self.filled.iter().copied());
        let plan = Plan {
            filled: filled
                .unwrap_or(0)
                .min(if self.plan.storms == 0 { 0 } else { u64::MAX }),
            ..self.plan
        };
        (self.run)(plan, seed)
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

/// Runs, looks at what is left, and checks.
fn history<V: Payload, S: BuildHasher + Sync>(
    map: &Sharded<V, S>,
    plan: Plan,
    seed: u64,
) -> Result<Ran, String> {
    let mut turns = None;
    let events = run_by(map, plan, seed, |threads, body| {
        let director = Turns::new(seed, threads);
        turns = Some(schedule::run(threads, director, || (), |(), index| body(index)).0);
    });
    let turns = turns.expect("it has run");
    let stats = check(&events).map_err(|violation| violation.to_string())?;
    Ok(Ran {
        operations: events.len() as u64,
        overlaps: stats.overlaps as u64,
        accesses: turns.accesses,
        digest: turns.digest,
    })
}
