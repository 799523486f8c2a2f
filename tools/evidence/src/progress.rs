//! The table of progress: each operation of the crate, in each state that it may meet.

mod page;
mod words;

pub use page::page;

use crate::freeze::{Act, Attack, Attacked, Doing, Frozen, Subject};
use crate::hashers::in_first_shard;
use atomshard::{Detached, Operation, ResizeMode, ShardCounter, ShardMap};
use baselines::SegmentMap;
use core::hash::{BuildHasher, Hasher};

/// All keys go to one shard, and those that agree in the lower half to one bucket.
#[derive(Clone, Copy, Debug, Default)]
struct Grouped;

/// The hash of the one word written.
#[derive(Debug, Default)]
struct Word(u64);

impl Hasher for Word {
    fn finish(&self) -> u64 {
        in_first_shard(self.0 & 0xFFFF_FFFF)
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are words");
    }
    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

impl BuildHasher for Grouped {
    type Hasher = Word;
    fn build_hasher(&self) -> Word {
        Word(0)
    }
}

type Map = ShardMap<u64, u64, Grouped>;

/// The key that everybody is after.
const HOT: u64 = 1;
/// Keys that lie in the same bucket.
const fn beside(n: u64) -> u64 {
    HOT | n << 32
}

/// A state of the map, and how it comes about: keys from 1 to this, and so many beside the hot one.
#[derive(Clone, Copy)]
struct Phase {
    name: &'static str,
    keys: u64,
    beside: u64,
}

/// The states in which a map's operations are looked at. What a state is about is the size of the
/// table: the next new key makes it move.
fn phases() -> Vec<Phase> {
    let phase = |name, keys, beside| Phase { name, keys, beside };
    let sizes = capacities();
    // The last key before the table of this capacity.
    let before = |at: usize| sizes[at].0 - 1;
    let fan_out = sizes.iter().position(|(_, capacity)| *capacity > 128);
    let fan_out = fan_out.expect("the map fans out");
    vec![
        phase("empty", 0, 0),
        phase("settled", 3, 0),
        phase("crowded bucket", 3, 12),
        phase("about to move", before(2), 0),
        phase("about to fan out", before(fan_out), 0),
        phase("many shards", before(fan_out) + 1, 0),
        phase("a shard moves in steps", in_steps(&sizes), 0),
    ]
}

/// The numbers of keys at which a map has more room than with one less, and how much.
fn capacities() -> Vec<(u64, usize)> {
    let map = empty();
    let mut sizes = Vec::new();
    for key in 1..=400 {
        map.pin().insert(key, key);
        let now = map.capacity();
        if sizes.last().is_none_or(|(_, capacity)| *capacity != now) {
            sizes.push((key, now));
        }
    }
    sizes
}

/// A number of keys with which a move has begun and not ended: writes that add nothing end it.
fn in_steps(sizes: &[(u64, usize)]) -> u64 {
    let (ends, _) = sizes[sizes.len() - 1];
    let moves = |keys| {
        let map = filled(keys, 0);
        let before = map.capacity();
        for _ in 0..16 {
            map.pin().insert(HOT, 0);
        }
        map.capacity() > before
    };
    let middle = (ends - 16..ends).rev().skip(2).find(|keys| moves(*keys));
    middle.expect("the last move takes several steps")
}

fn empty() -> Map {
    let mode = ResizeMode::Incremental(1);
    ShardMap::builder()
        .hasher(Grouped)
        .resize_mode(mode)
        .build()
}

fn filled(keys: u64, others: u64) -> Map {
    let map = empty();
    for key in (1..=keys).chain((1..=others).map(beside)) {
        map.pin().insert(key, key);
    }
    map
}

/// An operation of the victim.
struct Row<M> {
    name: &'static str,
    act: Act<M>,
    /// Whether its documentation says that it is wait-free.
    wait_free: bool,
}

impl<M> Row<M> {
    fn new(name: &'static str, act: Act<M>) -> Self {
        Self {
            name,
            act,
            wait_free: false,
        }
    }

    fn call(name: &'static str, act: fn(&M)) -> Self {
        Self::new(name, Act::Call(act))
    }

    fn wait_free(name: &'static str, act: fn(&M)) -> Self {
        Self {
            wait_free: true,
            ..Self::call(name, act)
        }
    }
}

fn rows() -> Vec<Row<Map>> {
    let call = Row::call;
    vec![
        call("get", |map| answered(map.pin().get(&HOT).copied())),
        call("get, absent", |map| {
            answered(map.pin().get(&beside(99)).copied())
        }),
        call("insert, new", |map| {
            answered(map.pin().insert(beside(50), 0))
        }),
        call("insert, replace", |map| answered(map.pin().insert(HOT, 0))),
        call("try_insert", |map| {
            answered(map.pin().try_insert(beside(50), 0).is_ok())
        }),
        call("get_or_insert_with", |map| {
            map.pin().get_or_insert_with(beside(50), || 0);
        }),
        call("remove", |map| answered(map.pin().remove(&HOT))),
        call("remove_if", |map| {
            answered(map.pin().remove_if(&HOT, |_, value| *value > 0))
        }),
        call("update", |map| {
            answered(map.pin().update(HOT, |value| value + 1))
        }),
        call("compute", |map| {
            map.pin().compute(HOT, |entry| match entry {
                Some(_) => Operation::<u64, ()>::Remove,
                None => Operation::Insert(1),
            });
        }),
        call("hold, given back", |map| answered(map.hold(&HOT))),
        call("detach", |map| {
            answered(map.detach(&HOT).map(Detached::try_into_inner))
        }),
        call("iter", |map| assert!(map.pin().iter().count() < 10_000)),
        call("retain", |map| map.pin().retain(|key, _| key % 2 == 0)),
        call("clear", |map| map.pin().clear()),
        call("reserve", |map| map.pin().reserve(16)),
        call("shrink_to_fit", |map| map.pin().shrink_to_fit()),
        Row::wait_free("len", |map| assert!(map.len() < 10_000)),
        Row::wait_free("guard, pinned and dropped", |map| answered(map.guard())),
        call("flush", |map| atomshard::Guard::flush(&map.guard())),
        Row::new(
            "a thread's first insert",
            Act::First(|map| answered(map.pin().insert(beside(50), 0))),
        ),
        Row::new("a thread's end", Act::End),
    ]
}

/// What the others do while the victim is stopped: everything, on its key, beside it, and enough new keys to
/// move the table on.
fn program(map: &Map, me: usize, operation: &mut Doing<'_>) {
    let me = me as u64;
    let fresh = 1000 * (me + 1);
    let own = beside(60 + me);
    operation("get", &|| answered(map.pin().get(&HOT).copied()));
    operation("update", &|| {
        answered(map.pin().update(HOT, |value| value + 1))
    });
    operation("insert", &|| answered(map.pin().insert(own, me)));
    operation("remove", &|| answered(map.pin().remove(&HOT)));
    operation("try_insert", &|| {
        answered(map.pin().try_insert(HOT, me).is_ok())
    });
    for key in fresh..fresh + 8 {
        operation("insert", &|| answered(map.pin().insert(key, key)));
    }
    operation("compute", &|| {
        map.pin().compute(HOT, |entry| match entry {
            Some((_, value)) => Operation::<u64, ()>::Insert(value + 1),
            None => Operation::Insert(1),
        });
    });
    if me == 0 {
        operation("iter", &|| assert!(map.pin().iter().count() < 10_000));
    }
    operation("len", &|| assert!(map.len() < 10_000));
    for key in fresh..fresh + 8 {
        operation("remove", &|| {
            assert_eq!(
                map.pin().get(&key).copied(),
                map.pin().remove(&key).copied()
            )
        });
    }
    if me > 0 {
        operation("retain", &|| map.pin().retain(|key, _| *key != own));
        operation("reserve", &|| map.pin().reserve(8));
        operation("shrink_to_fit", &|| map.pin().shrink_to_fit());
    }
    operation("get_or_insert_with", &|| {
        answered(map.pin().get_or_insert_with(HOT, || me))
    });
    operation("flush", &|| atomshard::Guard::flush(&map.guard()));
}

const ATTACKS: &[Attack<Map>] = &[
    ("overwriting", |map, round| {
        answered(map.pin().insert(HOT, round))
    }),
    ("removing and inserting", |map, round| {
        if map.pin().remove(&HOT).is_none() {
            map.pin().insert(HOT, round);
        }
    }),
    ("neighbours that come and go", |map, round| {
        let key = beside(100 + round / 2 % 9);
        if round % 2 == 0 {
            map.pin().insert(key, round);
        } else {
            map.pin().remove(&key);
        }
    }),
    ("growing and shrinking", |map, round| match round % 40 {
        38 => map.pin().retain(|key, _| *key < 10_000),
        39 => map.pin().shrink_to_fit(),
        _ => answered(map.pin().insert(10_000 + round, round)),
    }),
];

/// A map with a lock for each segment: what the harness has to find waiting.
type Locked = SegmentMap<u64, u64, Grouped>;

/// A cell of the table.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// The state.
    pub phase: &'static str,
    /// What others did while the operation was stopped.
    pub frozen: Frozen,
    /// How it did under attack; none for what is no call, and for what is long.
    pub attacked: Option<Attacked>,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Account {
    /// The operation.
    pub operation: &'static str,
    /// Whether its documentation says that it is wait-free.
    pub wait_free: bool,
    /// By state.
    pub cells: Vec<Cell>,
}

/// Which rows are made, and how closely.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Only operations whose name contains this.
    pub only: &'a str,
    /// Of these in each part, the one at the first place and each so many places on: `(0, 1)` is all.
    pub share: (usize, usize),
    /// At how many of its accesses an operation is stopped at most.
    pub points: usize,
}

/// A part of the table: a type.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The type.
    pub name: &'static str,
    /// Its rows.
    pub accounts: fn(Wanted<'_>) -> Vec<Account>,
}

/// The parts of the table.
pub const PARTS: &[Part] = &[
    Part {
        name: "ShardMap",
        accounts: |wanted| {
            let subject = |phase: &Phase| {
                let (keys, beside) = (phase.keys, phase.beside);
                let subject = Subject {
                    make: Box::new(move || filled(keys, beside)),
                    warm: |map: &Map| answered(map.pin().get(&HOT).copied()),
                    program,
                    attacks: ATTACKS,
                };
                (phase.name, subject)
            };
            account(
                &phases().iter().map(subject).collect::<Vec<_>>(),
                rows(),
                wanted,
            )
        },
    },
    words::PART,
    Part {
        name: "ShardCounter",
        accounts: |wanted| account(&counters(), counter_rows(), wanted),
    },
];

/// The map of the baselines, whose locks have to be found.
pub const CONTROL: Part = Part {
    name: "SegmentMap (a baseline with locks)",
    accounts: |wanted| {
        let subject = Subject {
            make: Box::new(|| {
                let map = Locked::new(1, 4, Grouped);
                map.insert(HOT, 0);
                map
            }),
            warm: |map: &Locked| answered(map.get(&HOT)),
            program: |map, _, operation| {
                operation("get", &|| answered(map.get(&HOT)));
                operation("insert", &|| answered(map.insert(HOT, 1)));
            },
            attacks: &[("overwriting", |map, round| answered(map.insert(HOT, round)))],
        };
        let rows = vec![
            Row::call("get", |map: &Locked| answered(map.get(&HOT))),
            Row::call("insert", |map| answered(map.insert(HOT, 1))),
        ];
        account(&[("one segment", subject)], rows, wanted)
    },
};

/// A counter that one thread has used, and one that several have.
fn counters() -> Vec<(&'static str, Subject<ShardCounter>)> {
    let subject = |make: fn() -> ShardCounter| Subject {
        make: Box::new(make),
        warm: |counter: &ShardCounter| counter.add(1),
        program: |counter, _, operation| {
            for _ in 0..8 {
                operation("add", &|| counter.add(1));
                operation("sum", &|| answered(counter.sum()));
            }
            operation("take", &|| answered(counter.take()));
        },
        attacks: &[("adding", |counter, _| counter.add(1))],
    };
    vec![("one cell at first", subject(ShardCounter::new))]
}

fn counter_rows() -> Vec<Row<ShardCounter>> {
    vec![
        Row::wait_free("add", |counter| counter.add(1)),
        Row::wait_free("sum", |counter| answered(counter.sum())),
        Row::wait_free("take", |counter| answered(counter.take())),
    ]
}

fn account<M: Sync + 'static>(
    subjects: &[(&'static str, Subject<M>)],
    rows: Vec<Row<M>>,
    wanted: Wanted<'_>,
) -> Vec<Account> {
    let (first, step) = wanted.share;
    let rows = rows.into_iter();
    let rows = rows.filter(|row| row.name.contains(wanted.only));
    let rows = rows.skip(first).step_by(step);
    let cell = |row: &Row<M>, (phase, subject): &(&'static str, Subject<M>)| Cell {
        phase,
        frozen: subject.stop(row.act, wanted.points),
        attacked: match row.act {
            Act::Call(act) => subject.attack(act),
            Act::First(_) | Act::End => None,
        },
    };
    rows.map(|row| Account {
        operation: row.name,
        wait_free: row.wait_free,
        cells: subjects.iter().map(|subject| cell(&row, subject)).collect(),
    })
    .collect()
}

/// What an operation answers is not what this is about.
fn answered<R>(_answer: R) {}

impl Account {
    /// What it comes to; the error is what contradicts its documentation.
    ///
    /// # Errors
    /// If others had to wait, or an operation that is called wait-free did not end under attack.
    pub fn class(&self) -> Result<&'static str, String> {
        for cell in &self.cells {
            if let Some((operation, file, line)) = cell.frozen.waits {
                let (phase, name) = (cell.phase, self.operation);
                return Err(format!(
                    "{name}, {phase}: blocks; `{operation}` of another thread waits at {file}:{line}"
                ));
            }
            let starved = cell.attacked.and_then(|attacked| attacked.starved);
            if let (true, Some(attack)) = (self.wait_free, starved) {
                let (phase, name) = (cell.phase, self.operation);
                return Err(format!(
                    "{name}, {phase}: called wait-free, starved by {attack}"
                ));
            }
        }
        Ok(if self.wait_free {
            "wait-free"
        } else {
            "lock-free"
        })
    }

    /// Its row of the page.
    #[must_use]
    pub fn row(&self) -> String {
        let class = self.class().map_or_else(|why| why, String::from);
        let attacked = self.cells.iter().filter_map(|cell| cell.attacked);
        let alone = attacked.clone().map(|attacked| attacked.alone).max();
        let starved = attacked.clone().find_map(|attacked| attacked.starved);
        let most = attacked.map(|attacked| attacked.most).max();
        let attack = match (most, starved) {
            (None, _) => String::from("| "),
            (Some(_), Some(attack)) => format!("{} | starved by {attack}", alone.unwrap_or(0)),
            (Some(most), None) => format!("{} | {most}", alone.unwrap_or(0)),
        };
        let cells = self.cells.iter().map(|cell| {
            let (most, operation) = cell.frozen.most;
            format!(" {}: {most} ({operation}) |", cell.frozen.points)
        });
        let cells: String = cells.collect();
        format!("| {} | {class} | {attack} |{cells}\n", self.operation)
    }
}
