//! The table of bars: workloads, and what is asked of each.
use super::Effort;
use super::check::{Check, LOCKED, Part, RIVALS, RIVALS_HELD, Rival};
use crate::cli::BarGroup;
use crate::engines::Entrant;
use crate::mixes::{Dist, Mix};

/// A workload and its bars.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) load: Load,
    pub(super) keys: u32,
    pub(super) threads: usize,
    pub(super) crowd: Option<usize>,
    /// Operations of all threads in a round.
    pub(super) ops: usize,
    /// Ours first.
    pub(super) entrants: Vec<Entrant>,
    /// What our maps that are compared with it run besides, in the same rounds.
    pub(super) twin: Option<Twin>,
    pub(super) checks: Vec<Check>,
}

/// The other half of a comparison with ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twin {
    /// The same with 2 threads, which 2 cores hold.
    Calm,
    /// The same on uniform keys.
    Uniform,
}

/// What the threads do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Load {
    Ints(Mix, Dist),
    Text(Mix, Dist),
    Growth,
}

/// The size at which WordMap is measured alone, except with gets only.
const LARGEST: &str = "14M";

impl Case {
    /// Takes WordMap in, with the rivals that it is compared with.
    fn with_words(mut self, rivals: &'static [Entrant], checks: Vec<Check>) -> Self {
        for entrant in [Entrant::Wordmap].iter().chain(rivals) {
            if !self.entrants.contains(entrant) {
                self.entrants.push(*entrant);
            }
        }
        self.checks.extend(checks);
        self
    }

    /// Keeps the checks whose names, the case's with the check's in words, contain `part`, and of our maps those
    /// that they are about; `None` if there are none.
    pub(super) fn only(mut self, part: &str) -> Option<Self> {
        let name = &self.name;
        self.checks
            .retain(|check| format!("{name}: {}", check.words()).contains(part));
        let (entrants, checks) = (&mut self.entrants, &self.checks);
        entrants.retain(|entrant| {
            !entrant.is_ours() || checks.iter().any(|check| check.ours == *entrant)
        });
        self.twin = self
            .twin
            .filter(|_| self.checks.iter().any(Check::has_twin));
        (!self.checks.is_empty()).then_some(self)
    }

    /// Our maps that are compared with themselves.
    pub(super) fn twins(&self) -> Vec<Entrant> {
        let twins = self.checks.iter().filter(|check| check.has_twin());
        twins.map(|check| check.ours).collect()
    }
}

/// The cases of a group; memory and iteration have files of their own.
pub(super) fn of(group: BarGroup, effort: Effort) -> Vec<Case> {
    let mut cases = Vec::new();
    for (size, keys) in sizes(group, effort) {
        for threads in [1, 2] {
            match group {
                BarGroup::Get => cases.push(get(size, keys, threads)),
                BarGroup::Read => {
                    for mix in [Mix::new(95, 5, 0), Mix::new(98, 1, 1)] {
                        cases.push(read(mix, size, keys, threads));
                    }
                }
                BarGroup::Churn => {
                    for dist in [Dist::Uniform, Dist::Zipf] {
                        cases.push(churn(dist, size, keys, threads));
                    }
                    if threads == 2 {
                        cases.push(half(size, keys, threads));
                    }
                }
                BarGroup::Growth => cases.push(growth(size, keys, threads)),
                BarGroup::Text => {
                    let mixes = [
                        (Mix::new(100, 0, 0), Dist::Uniform),
                        (Mix::new(95, 5, 0), Dist::Uniform),
                        (Mix::new(98, 1, 1), Dist::Uniform),
                        (Mix::new(70, 20, 10), Dist::Uniform),
                        (Mix::new(70, 20, 10), Dist::Zipf),
                    ];
                    for (mix, dist) in mixes {
                        cases.push(text(mix, dist, size, keys, threads));
                    }
                }
                BarGroup::Crowd | BarGroup::Memory | BarGroup::Iteration => {}
            }
        }
        if group == BarGroup::Crowd {
            cases.push(crowd(size, keys));
        }
    }
    if effort.divisor > 1 {
        for case in &mut cases {
            case.ops /= 20;
        }
    }
    cases
}

fn sizes(group: BarGroup, effort: Effort) -> Vec<(&'static str, u32)> {
    let sizes: &[(&str, u32)] = match group {
        BarGroup::Get | BarGroup::Read | BarGroup::Churn => {
            &[("10k", 10_000), ("10M", 10_000_000), (LARGEST, 14_000_000)]
        }
        BarGroup::Growth => &[("10M", 10_000_000)],
        BarGroup::Crowd => &[("10k", 10_000)],
        BarGroup::Text => &[("10k", 10_000), ("1M", 1_000_000)],
        BarGroup::Memory | BarGroup::Iteration => &[],
    };
    sizes
        .iter()
        .map(|(size, keys)| (*size, (keys / effort.divisor).max(100)))
        .collect()
}

/// Rounds of some tens of milliseconds.
fn ops(keys: u32) -> usize {
    if keys > 100_000 { 500_000 } else { 1_000_000 }
}

/// Operations a round for an entrant that cannot take the case's.
///
/// papaya 0.2.5 on Zipf: its memory grows by 100 MB and more in 200,000 operations on 10M keys, and
/// its rate falls (tables as large as the map are begun faster than they are filled). Reading it
/// through at the end moves them all: with a million operations a round that took 24 GiB and the
/// machine. So it has few operations, each of them checked, and is not read through.
pub(super) fn ops_of(case: &Case, entrant: Entrant) -> usize {
    const PAPAYA_ON_ZIPF: usize = 50_000;
    let is_papaya = matches!(entrant, Entrant::Papaya | Entrant::PapayaHeld);
    let is_zipf = matches!(
        case.load,
        Load::Ints(_, Dist::Zipf) | Load::Text(_, Dist::Zipf)
    );
    if is_papaya && is_zipf && case.keys > 100_000 {
        case.ops.min(PAPAYA_ON_ZIPF)
    } else {
        case.ops
    }
}

fn threads_words(threads: usize) -> String {
    if threads == 1 {
        "1 thread".to_owned()
    } else {
        format!("{threads} threads")
    }
}

fn mixed(mix: Mix, dist: Dist, size: &str, keys: u32, threads: usize) -> Case {
    let dist_words = if mix.get == 100 {
        String::new()
    } else {
        format!(" {dist}")
    };
    Case {
        name: format!("{mix}{dist_words} {size}, {}", threads_words(threads)),
        load: Load::Ints(mix, dist),
        keys,
        threads,
        crowd: None,
        ops: ops(keys),
        entrants: Vec::new(),
        twin: None,
        checks: Vec::new(),
    }
}

fn get(size: &str, keys: u32, threads: usize) -> Case {
    let entrants = [
        Entrant::Shardmap,
        Entrant::ShardmapHeld,
        Entrant::Papaya,
        Entrant::PapayaHeld,
        Entrant::Dashmap,
    ];
    let mut case = Case {
        entrants: entrants.into(),
        checks: vec![
            Check::new(Entrant::Shardmap, Rival::One(Entrant::Papaya), 1.3),
            Check::new(Entrant::ShardmapHeld, Rival::One(Entrant::PapayaHeld), 1.3),
            Check::new(Entrant::Shardmap, Rival::One(Entrant::Dashmap), 1.1),
        ],
        ..mixed(Mix::new(100, 0, 0), Dist::Uniform, size, keys, threads)
    }
    .with_words(
        RIVALS_HELD,
        vec![best(if size == "10k" { 2.0 } else { 1.4 })],
    );
    if size == "10k" {
        return case;
    }
    // Out of cache: many at once, and what it is limited by.
    let (ours, limit) = (Entrant::WordmapMany, Entrant::OneLineMany);
    case.entrants
        .extend([ours, Entrant::Hashbrown, Entrant::OneLine, limit]);
    case.checks.extend([
        Check::new(ours, Rival::Best(RIVALS_HELD), 2.5),
        Check::new(ours, Rival::One(limit), 0.55),
    ]);
    case
}

/// WordMap against the best rival.
fn best(bar: f64) -> Check {
    Check::new(Entrant::Wordmap, Rival::Best(RIVALS_HELD), bar)
}

fn read(mix: Mix, size: &str, keys: u32, threads: usize) -> Case {
    let mut case = mixed(mix, Dist::Uniform, size, keys, threads);
    if size != LARGEST {
        case.entrants = vec![
            Entrant::Shardmap,
            Entrant::ShardmapHeld,
            Entrant::Papaya,
            Entrant::PapayaHeld,
            Entrant::Dashmap,
            Entrant::SccMap,
            Entrant::Mutex64,
        ];
        case.checks = vec![
            Check::new(Entrant::Shardmap, Rival::One(Entrant::Papaya), 1.3),
            Check::new(Entrant::ShardmapHeld, Rival::One(Entrant::PapayaHeld), 1.3),
            Check::new(Entrant::Shardmap, Rival::Best(RIVALS), 1.05),
            Check::new(Entrant::ShardmapHeld, Rival::Best(RIVALS_HELD), 1.05),
        ];
    }
    case.with_words(
        RIVALS_HELD,
        vec![best(if size == "10k" { 1.8 } else { 1.4 })],
    )
}

/// With the pin held as well, except on Zipf from 10M: there each papaya piles up tables ([`ops_of`]).
fn churn(dist: Dist, size: &str, keys: u32, threads: usize) -> Case {
    let case = mixed(Mix::new(70, 20, 10), dist, size, keys, threads);
    let case = if size == LARGEST {
        case
    } else {
        churn_of_shard_map(case, size, dist)
    };
    let bar = if threads == 1 { 1.1 } else { 1.4 };
    let rivals = rivals(dist, size);
    case.with_words(
        rivals,
        vec![Check::new(Entrant::Wordmap, Rival::Best(rivals), bar)],
    )
}

/// Those that a mix of many writes can be run with.
fn rivals(dist: Dist, size: &str) -> &'static [Entrant] {
    if size == "10k" || dist == Dist::Uniform {
        RIVALS_HELD
    } else {
        RIVALS
    }
}

/// Gets and puts in equal parts, of keys that are all present.
fn half(size: &str, keys: u32, threads: usize) -> Case {
    let rivals = rivals(Dist::Zipf, size);
    mixed(Mix::new(50, 50, 0), Dist::Zipf, size, keys, threads).with_words(
        rivals,
        vec![Check::new(Entrant::Wordmap, Rival::Best(rivals), 1.3)],
    )
}

fn churn_of_shard_map(case: Case, size: &str, dist: Dist) -> Case {
    let locked = if size == "10k" { 0.7 } else { 0.9 };
    let mut entrants = vec![
        Entrant::Shardmap,
        Entrant::Papaya,
        Entrant::Dashmap,
        Entrant::SccMap,
        Entrant::Mutex64,
    ];
    let mut checks = vec![
        Check::new(Entrant::Shardmap, Rival::One(Entrant::Papaya), 2.0),
        Check::new(Entrant::Shardmap, Rival::Best(LOCKED), locked),
    ];
    if rivals(dist, size) == RIVALS_HELD {
        entrants.extend([Entrant::ShardmapHeld, Entrant::PapayaHeld]);
        checks.push(Check::new(
            Entrant::ShardmapHeld,
            Rival::One(Entrant::PapayaHeld),
            2.0,
        ));
    }
    let mut twin = None;
    if dist == Dist::Zipf {
        twin = Some(Twin::Uniform);
        checks.push(Check::new(Entrant::Shardmap, Rival::Twin, 1.0 / 3.0));
    }
    Case {
        entrants,
        twin,
        checks,
        ..case
    }
}

fn growth(size: &str, keys: u32, threads: usize) -> Case {
    let entrants = [
        Entrant::Shardmap,
        Entrant::Papaya,
        Entrant::Dashmap,
        Entrant::Mutex64,
    ];
    let mut case = Case {
        name: format!("growth to {size}, {}", threads_words(threads)),
        load: Load::Growth,
        keys,
        threads,
        crowd: None,
        ops: keys as usize,
        entrants: entrants.into(),
        twin: None,
        checks: vec![
            Check::new(Entrant::Shardmap, Rival::One(Entrant::Papaya), 4.0),
            Check::new(Entrant::Shardmap, Rival::One(Entrant::Dashmap), 0.8),
            Check::new(Entrant::Shardmap, Rival::Tail(Part::P99), 1200.0),
        ],
    }
    .with_words(
        RIVALS_HELD,
        vec![
            best(1.0),
            Check::new(Entrant::Wordmap, Rival::Tail(Part::P999), 3000.0),
            Check::new(Entrant::Wordmap, Rival::Tail(Part::P9999), 20_000.0),
            Check::new(
                Entrant::Wordmap,
                Rival::BestTail(Part::P99, RIVALS_HELD),
                1.0,
            ),
            Check::new(Entrant::WordmapMany, Rival::Best(RIVALS_HELD), 1.4),
        ],
    );
    case.entrants.push(Entrant::WordmapMany);
    case
}

fn crowd(size: &str, keys: u32) -> Case {
    let entrants = [
        Entrant::Shardmap,
        Entrant::Papaya,
        Entrant::Dashmap,
        Entrant::SccMap,
        Entrant::Mutex64,
    ];
    let mix = Mix::new(70, 20, 10);
    Case {
        name: format!("{mix} uniform {size}, 8 threads on 2 cores"),
        crowd: Some(2),
        ops: 4_000_000,
        entrants: entrants.into(),
        twin: Some(Twin::Calm),
        checks: vec![
            Check::new(Entrant::Shardmap, Rival::Twin, 0.85),
            Check::new(Entrant::Shardmap, Rival::Tail(Part::P999), 50_000.0),
        ],
        ..mixed(mix, Dist::Uniform, size, keys, 8)
    }
    .with_words(
        RIVALS_HELD,
        vec![
            Check::new(Entrant::Wordmap, Rival::Twin, 0.9),
            Check::new(Entrant::Wordmap, Rival::Tail(Part::P999), 1000.0),
        ],
    )
}

fn text(mix: Mix, dist: Dist, size: &str, keys: u32, threads: usize) -> Case {
    let entrants = [
        Entrant::Shardmap,
        Entrant::Papaya,
        Entrant::Dashmap,
        Entrant::SccMap,
        Entrant::Mutex64,
    ];
    let zipf = if dist == Dist::Zipf { " Zipf 0.99" } else { "" };
    Case {
        name: format!(
            "String keys, {mix}{zipf} {size}, {}",
            threads_words(threads)
        ),
        load: Load::Text(mix, dist),
        ops: 300_000,
        entrants: entrants.into(),
        checks: vec![Check::new(Entrant::Shardmap, Rival::Best(RIVALS), 0.9)],
        ..mixed(mix, dist, size, keys, threads)
    }
}
