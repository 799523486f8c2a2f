//! Generated workloads: mixes of gets, loads and deletes, and growth; with their oracle.
//!
//! Thread `t` of `T` works on the keys `i * T + t` only. So threads meet on shards, buckets and
//! cache lines but never on a key, and everything that each of them must see is known: the
//! oracle replays its stream on a plain array.
use crate::keys::text_of;
use crate::num::floor_u32;
use crate::ops::{IntOps, Kind, Op, PAYLOAD_END, TextOps};
use crate::run::Tally;
use crate::work::{Content, Expected, Fill, Work};
use clap::ValueEnum;
use core::fmt;
use core::str::FromStr;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, Zipf};
use serde::Serialize;

/// Shares of the operations in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Mix {
    pub(crate) get: u32,
    /// Inserts or overwrites.
    pub(crate) load: u32,
    pub(crate) delete: u32,
}

impl Mix {
    pub(crate) const fn new(get: u32, load: u32, delete: u32) -> Self {
        Self { get, load, delete }
    }

    /// The share of keys that are present once the mix has run for long: each key is last
    /// loaded or last deleted. The map is filled so far before, and neither grows nor shrinks.
    #[must_use]
    pub(crate) fn steady_share(self) -> f64 {
        if self.load == 0 {
            return 1.0;
        }
        f64::from(self.load) / f64::from(self.load + self.delete)
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "expected three shares that add up to 100, get/load/delete as in 70/20/10, found {text:?}"
            )
        };
        let parts: Vec<u32> = text
            .split('/')
            .map(|part| part.trim().parse().map_err(|_| expected()))
            .collect::<Result<_, _>>()?;
        match parts[..] {
            [get, load, delete]
                if [get, load, delete]
                    .iter()
                    .map(|p| u64::from(*p))
                    .sum::<u64>()
                    == 100 =>
            {
                Ok(Self { get, load, delete })
            }
            _ => Err(expected()),
        }
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.get, self.load, self.delete) {
            (100, ..) => f.write_str("get-only"),
            (get, load, 0) => write!(f, "{get}/{load}"),
            (get, load, delete) => write!(f, "{get}/{load}/{delete}"),
        }
    }
}

/// How often which key is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Dist {
    /// All keys alike.
    Uniform,
    /// Rank `r` in proportion to `r^-0.99`, ranks scattered over the keys.
    Zipf,
}

impl fmt::Display for Dist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uniform => "uniform",
            Self::Zipf => "Zipf 0.99",
        })
    }
}

/// A mix to generate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MixPlan {
    pub(crate) mix: Mix,
    pub(crate) dist: Dist,
    /// Size of the key space.
    pub(crate) keys: u32,
    pub(crate) threads: usize,
    /// Operations of each thread in each run.
    pub(crate) ops: usize,
    pub(crate) runs: usize,
    /// On how few cores to crowd the threads, if that is the point.
    pub(crate) crowd: Option<usize>,
}

impl MixPlan {
    fn name(&self) -> String {
        format!(
            "{} {} over {} keys, {} threads",
            self.mix, self.dist, self.keys, self.threads
        )
    }

    /// Whether `key` is present at first.
    fn is_filled(&self, key: u32) -> bool {
        let place = f64::from(
            key.wrapping_mul(0x9e37_79b1)
                .rotate_left(16)
                .wrapping_mul(0x85eb_ca6b),
        );
        place < self.mix.steady_share() * 4_294_967_296.0
    }

    /// The workload on `u64` keys.
    pub(crate) fn ints(self) -> Work<IntOps> {
        let runs = self.streams();
        let expected = self.oracle(&runs, |content, key, value, is_there| {
            let key = u64::from(key);
            if is_there {
                content.add(&key, value)
            } else {
                content.take(&key, value)
            }
        });
        let fill: Fill<u64> = Box::new(move |thread, show| {
            self.filled_keys(thread)
                .for_each(|key| show(&u64::from(key), first_value(key)));
        });
        Work {
            name: self.name(),
            threads: self.threads,
            crowd: self.crowd,
            fill: Some(fill),
            runs,
            expected,
            is_read: true,
        }
    }

    /// The same workload on `String` keys of 16 to 24 bytes.
    pub(crate) fn texts(self) -> Work<TextOps> {
        let runs = self.streams();
        let expected = self.oracle(&runs, |content, key, value, is_there| {
            let key = text_of(key);
            if is_there {
                content.add(key.as_str(), value);
            } else {
                content.take(key.as_str(), value);
            }
        });
        let fill: Fill<String> = Box::new(move |thread, show| {
            self.filled_keys(thread)
                .for_each(|key| show(&text_of(key), first_value(key)));
        });
        let runs = runs
            .into_iter()
            .map(|run| run.into_iter().map(spelled_out).collect())
            .collect();
        let name = format!("{}, String keys", self.name());
        Work {
            name,
            threads: self.threads,
            crowd: self.crowd,
            fill: Some(fill),
            runs,
            expected,
            is_read: true,
        }
    }

    fn filled_keys(self, thread: usize) -> impl Iterator<Item = u32> {
        own_keys(self.keys, self.threads, thread).filter(move |key| self.is_filled(*key))
    }

    /// Made by all processors at once: with Zipf's distribution it is most of the preparation.
    fn streams(&self) -> Vec<Vec<IntOps>> {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let mut runs: Vec<Vec<IntOps>> = (0..self.runs).map(|_| Vec::new()).collect();
        std::thread::scope(|scope| {
            let share = self.runs.div_ceil(workers).max(1);
            for (part, runs) in runs.chunks_mut(share).enumerate() {
                scope.spawn(move || {
                    for (number, run) in runs.iter_mut().enumerate() {
                        let stream = |thread| self.stream(part * share + number, thread);
                        run.extend((0..self.threads).map(stream));
                    }
                });
            }
        });
        runs
    }

    fn stream(&self, run: usize, thread: usize) -> IntOps {
        let seed = (run as u64) << 32 | thread as u64;
        let mut rng = SmallRng::seed_from_u64(seed ^ 0xa70_5a4d);
        let threads = u32::try_from(self.threads).unwrap_or(u32::MAX);
        let thread = u32::try_from(thread).unwrap_or(u32::MAX);
        let own = (self.keys - thread).div_ceil(threads);
        let zipf = Zipf::new(f64::from(own), 0.99).ok();
        let step = scatter_step(own);
        let ops = (0..self.ops).map(|_| {
            let number = match (self.dist, &zipf) {
                (Dist::Zipf, Some(zipf)) => {
                    let rank = floor_u32(zipf.sample(&mut rng)).clamp(1, own) - 1;
                    u32::try_from(u64::from(rank) * step % u64::from(own)).unwrap_or(0)
                }
                _ => rng.random_range(0..own),
            };
            let kind = match rng.random_range(0..100) {
                dice if dice < self.mix.get => Kind::Get,
                dice if dice < self.mix.get + self.mix.load => Kind::Put,
                _ => Kind::Del,
            };
            Op::new(kind, number * threads + thread)
        });
        IntOps {
            ops: ops.collect(),
            base: base_value(run, thread),
        }
    }

    /// Replays all runs on an array; `note` keeps the fingerprint.
    fn oracle(
        &self,
        runs: &[Vec<IntOps>],
        note: impl Fn(&mut Content, u32, u64, bool),
    ) -> Vec<Expected> {
        const ABSENT: u64 = u64::MAX;
        let mut content = Content::default();
        let mut state: Vec<u64> = (0..self.keys)
            .map(|key| {
                if self.is_filled(key) {
                    first_value(key)
                } else {
                    ABSENT
                }
            })
            .collect();
        for (key, value) in (0..self.keys).zip(&state) {
            if *value != ABSENT {
                note(&mut content, key, *value, true);
            }
        }
        let replay = |stream: &IntOps, content: &mut Content, state: &mut [u64]| {
            let mut tally = Tally::default();
            for (value, op) in (stream.base..).zip(&stream.ops) {
                let key = op.payload();
                let held = &mut state[key as usize];
                match op.kind() {
                    Kind::Put => {
                        if *held == ABSENT {
                            tally.fresh += 1;
                        } else {
                            note(content, key, *held, false);
                        }
                        *held = value;
                        note(content, key, value, true);
                    }
                    Kind::Del if *held != ABSENT => {
                        tally.gone += 1;
                        note(content, key, *held, false);
                        *held = ABSENT;
                    }
                    Kind::Get if *held != ABSENT => {
                        tally.hits += 1;
                        tally.sum = tally.sum.wrapping_add(*held);
                    }
                    Kind::Del | Kind::Get | Kind::Add | Kind::Load => {}
                }
            }
            tally
        };
        runs.iter()
            .map(|run| {
                let tallies = run
                    .iter()
                    .map(|stream| replay(stream, &mut content, &mut state))
                    .collect();
                Expected::Exact { tallies, content }
            })
            .collect()
    }
}

/// Growth: every key put once into an empty map.
pub(crate) fn growth(keys: u32, threads: usize) -> Work<IntOps> {
    let mut content = Content::default();
    let mut tallies = Vec::new();
    let mut run = Vec::new();
    for thread in 0..threads {
        let base = base_value(0, u32::try_from(thread).unwrap_or(u32::MAX));
        let ops: Vec<Op> = own_keys(keys, threads, thread)
            .map(|key| Op::new(Kind::Put, key))
            .collect();
        for (value, op) in (base..).zip(&ops) {
            content.add(&u64::from(op.payload()), value);
        }
        tallies.push(Tally {
            fresh: ops.len() as u64,
            ..Tally::default()
        });
        run.push(IntOps { ops, base });
    }
    Work {
        name: format!("growth to {keys} entries, {threads} threads"),
        threads,
        crowd: None,
        fill: None,
        runs: vec![run],
        expected: vec![Expected::Exact { tallies, content }],
        is_read: true,
    }
}

/// The largest key space that operations can carry.
pub(crate) const MOST_KEYS: u32 = PAYLOAD_END;

fn own_keys(keys: u32, threads: usize, thread: usize) -> impl Iterator<Item = u32> {
    (u32::try_from(thread).unwrap_or(u32::MAX)..keys).step_by(threads)
}

fn first_value(key: u32) -> u64 {
    u64::from(key) << 20 | 1
}

/// Values tell the run and thread that put them.
fn base_value(run: usize, thread: u32) -> u64 {
    (run as u64 + 1) << 48 | u64::from(thread) << 32
}

/// A step without a common factor with `count`, near the golden section of it: multiples of it
/// visit every number once and scatter neighbours.
fn scatter_step(count: u32) -> u64 {
    let mut step = (u64::from(count) * 618 / 1000).max(1);
    while gcd(step, u64::from(count)) != 1 {
        step += 1;
    }
    step
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn spelled_out(stream: IntOps) -> TextOps {
    let mut text = String::with_capacity(stream.ops.len() * 20);
    let ops = stream
        .ops
        .iter()
        .map(|op| {
            let at = u32::try_from(text.len()).unwrap_or(u32::MAX);
            text.push_str(&text_of(op.payload()));
            Op::new(op.kind(), at)
        })
        .collect();
    TextOps::new(text, ops, Some(stream.base))
}
