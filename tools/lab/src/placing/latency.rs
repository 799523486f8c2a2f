//! `atomshard latency`: how long a line takes from core to core, for each pair of CPUs.
//!
//! ```text
//! CPU a: waits for an even number, writes the next ..   one word in a line of its own
//! CPU b: waits for an odd one, writes the next ..       time / passes = one way
//! ```
//! Pairs take turns in rounds; the least of a pair's rounds is shown, since whatever disturbs makes it longer.
use super::{drawing, source, table};
use crate::cli::LatencyArgs;
use crate::error::LabError;
use crate::report;
use atomshard::Padded;
use atomshard::topology::{Machine, ProcessingUnit};
use comfy_table::{CellAlignment, Table};
use core::sync::atomic::{AtomicU64, Ordering};
use core_affinity::{CoreId, set_for_current};
use plotters::style::Color as _;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

/// Times that a line is passed on in a round: some milliseconds.
const PASSES: u64 = 20_000;
/// Rounds of all pairs.
const ROUNDS: usize = 7;
/// A cell of the picture, in pixels.
const CELL: i32 = 26;

/// One way between two CPUs.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pair {
    pub(super) from: usize,
    pub(super) to: usize,
    /// What the two have in common.
    pub(super) relation: Cow<'static, str>,
    /// The distance of their nodes that the firmware declares.
    pub(super) declared: Option<u32>,
    /// By round.
    pub(super) ns: Vec<f64>,
}

impl Pair {
    pub(super) fn least(&self) -> f64 {
        self.ns.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

/// Measures, and prints a matrix and what CPUs with the same in common have.
pub(crate) fn run(args: &LatencyArgs) -> Result<(), LabError> {
    let machine = source::machine(None)?;
    let chosen = match &args.cpus {
        None => machine.allowed().clone(),
        Some(list) => source::cpus("cpus", list)?,
    };
    if let Some(cpu) = chosen.difference(machine.allowed()).iter().next() {
        let why = format!("--cpus: CPU {cpu} is not there, offline or not allowed");
        return Err(LabError::Usage(why));
    }
    let units = machine
        .pus()
        .iter()
        .filter(|unit| chosen.contains(unit.cpu));
    let units: Vec<&ProcessingUnit> = units.collect();
    if units.len() < 2 {
        let cpus = units.len();
        let why = format!(
            "a line is passed between two CPUs, and there are {cpus}; see `atomshard topo`"
        );
        return Err(LabError::Usage(why));
    }
    let pairs = measured(&machine, &units)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", report::json(&pairs)?)?;
    } else {
        writeln!(
            out,
            "one way in ns, the least of {ROUNDS} rounds of {PASSES} passes; the longer the darker"
        )?;
        writeln!(out, "{}\n", matrix(&units, &pairs))?;
        writeln!(out, "{}", summary(&pairs))?;
    }
    if let Some(path) = &args.svg {
        draw(path, &units, &pairs)?;
    }
    Ok(())
}

/// Every pair, in rounds.
fn measured(machine: &Machine, units: &[&ProcessingUnit]) -> Result<Vec<Pair>, LabError> {
    let mut pairs = Vec::new();
    for (place, from) in units.iter().enumerate() {
        pairs.extend(units[place + 1..].iter().map(|to| Pair {
            from: from.cpu,
            to: to.cpu,
            relation: relation(from, to).into(),
            declared: machine.distance(from.node, to.node),
            ns: Vec::new(),
        }));
    }
    for _ in 0..ROUNDS {
        for pair in &mut pairs {
            pair.ns.push(passes(pair.from, pair.to)?);
        }
    }
    Ok(pairs)
}

pub(super) fn relation(from: &ProcessingUnit, to: &ProcessingUnit) -> &'static str {
    if from.core == to.core {
        "siblings of a core"
    } else if from.l3 == to.l3 {
        "same L3 group"
    } else if from.node == to.node {
        "same node"
    } else if from.package == to.package {
        "same package"
    } else {
        "other package"
    }
}

/// Nanoseconds one way, of a line that two CPUs pass on.
fn passes(from: usize, to: usize) -> Result<f64, LabError> {
    let word = Padded::new(AtomicU64::new(0));
    // Each waits for its turn; a turn is a number of its parity.
    let side = |cpu: usize, parity: u64| {
        if !set_for_current(CoreId { id: cpu }) {
            // The other must not wait for ever.
            word.store(u64::MAX, Ordering::Relaxed);
            return None;
        }
        // Both are there before the clock starts: the first two passes.
        let mut begun = Instant::now();
        for turn in 0..PASSES + 2 {
            if turn == 2 {
                begun = Instant::now();
            }
            // Relaxed: the word is passed on for its line's sake, and nothing else is shared.
            loop {
                match word.load(Ordering::Relaxed) {
                    u64::MAX => return None,
                    now if now == 2 * turn + parity => break,
                    _ => core::hint::spin_loop(),
                }
            }
            word.store(2 * turn + parity + 1, Ordering::Relaxed);
        }
        Some(begun.elapsed())
    };
    let taken = std::thread::scope(|scope| {
        let other = scope.spawn(|| side(to, 1));
        let own = scope.spawn(|| side(from, 0)).join();
        let join = |joined: std::thread::Result<_>| {
            joined.unwrap_or_else(|payload| std::panic::resume_unwind(payload))
        };
        (join(own), join(other.join()))
    });
    match taken {
        (Some(taken), Some(_)) => Ok(taken.as_nanos() as f64 / (2 * PASSES) as f64),
        _ => Err(LabError::Usage(format!(
            "cannot run on CPUs {from} and {to}: this process may not, or a number is above 1023"
        ))),
    }
}

/// The middle one; of two the higher. There is one at least.
pub(super) fn median(mut ns: Vec<f64>) -> f64 {
    ns.sort_by(f64::total_cmp);
    ns[ns.len() / 2]
}

/// The pair of two CPUs, in either order.
fn find(pairs: &[Pair], a: usize, b: usize) -> Option<&Pair> {
    let is_it = |pair: &&Pair| (pair.from, pair.to) == (a, b) || (pair.from, pair.to) == (b, a);
    pairs.iter().find(is_it)
}

/// Shades of a heat map, from the least time to the most.
const SHADES: [char; 4] = ['\u{2591}', '\u{2592}', '\u{2593}', '\u{2588}'];

/// The longer the darker.
fn matrix(units: &[&ProcessingUnit], pairs: &[Pair]) -> Table {
    let mut times: Vec<f64> = pairs.iter().map(Pair::least).collect();
    times.sort_by(f64::total_cmp);
    let (least, most) = (times[0], times[times.len() - 1]);
    let shade = |ns: f64| {
        let borders = [0.25, 0.5, 0.75].map(|part| least + part * (most - least));
        SHADES[borders.iter().filter(|border| ns > **border).count()]
    };
    let names = units.iter().map(|unit| unit.cpu.to_string());
    let mut table = table(core::iter::once("CPU".to_owned()).chain(names));
    for row in units {
        let cells = units.iter().map(|column| {
            let pair = find(pairs, row.cpu, column.cpu);
            let ns = pair.map(Pair::least);
            ns.map_or_else(|| "-".to_owned(), |ns| format!("{ns:.0} {}", shade(ns)))
        });
        table.add_row(core::iter::once(row.cpu.to_string()).chain(cells));
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Pairs with the same in common: declared against measured.
fn summary(pairs: &[Pair]) -> Table {
    let mut table = table([
        "CPUs",
        "declared distance",
        "pairs",
        "least ns",
        "median",
        "most",
    ]);
    let mut kinds: Vec<(&str, Option<u32>)> = pairs
        .iter()
        .map(|pair| (&*pair.relation, pair.declared))
        .collect();
    kinds.sort_by_key(|(relation, declared)| (*declared, *relation));
    kinds.dedup();
    for (relation, declared) in kinds {
        let same = pairs
            .iter()
            .filter(|pair| (&*pair.relation, pair.declared) == (relation, declared));
        let ns: Vec<f64> = same.map(Pair::least).collect();
        let least = ns.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ns.iter().copied().fold(0.0, f64::max);
        let pairs = ns.len().to_string();
        let [least, median, most] = [least, median(ns), most].map(|ns| format!("{ns:.0}"));
        let declared = declared.map_or("not declared".to_owned(), |distance| distance.to_string());
        table.add_row([relation.to_owned(), declared, pairs, least, median, most]);
    }
    table
}

/// The heat map: the darker the longer.
fn draw(path: &Path, units: &[&ProcessingUnit], pairs: &[Pair]) -> Result<(), LabError> {
    let side = CELL * (i32::try_from(units.len()).unwrap_or(i32::MAX / CELL - 1) + 1);
    let most = pairs.iter().map(Pair::least).fold(1.0, f64::max);
    drawing::write(path, (side, side), |area| {
        for (y, row) in (1..).zip(units) {
            for at in [(2, y * CELL + 8), (y * CELL + 2, 8)] {
                drawing::label(area, at, &row.cpu.to_string())?;
            }
            for (x, column) in (1..).zip(units) {
                let Some(pair) = find(pairs, row.cpu, column.cpu) else {
                    continue;
                };
                let shade = drawing::ACCENT.mix(pair.least() / most);
                drawing::cell(area, (x * CELL, y * CELL), (CELL, CELL), shade)?;
                let ns = format!("{:.0}", pair.least());
                drawing::label(area, (x * CELL + 2, y * CELL + 8), &ns)?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{Pair, matrix, measured, relation, summary};
    use atomshard::topology::Machine;

    #[test]
    fn pairs_are_told_apart_by_what_they_have_in_common() {
        let machine = Machine::of_synthetic("pack:2 numa:2 l3:2 core:2 pu:2").unwrap();
        let of = |cpu| relation(&machine.pus()[0], &machine.pus()[cpu]);
        let words = [1, 2, 4, 8, 16].map(of);
        let expected = [
            "siblings of a core",
            "same L3 group",
            "same node",
            "same package",
            "other package",
        ];
        assert_eq!(words, expected);
    }

    #[test]
    fn longer_ways_are_darker() {
        let machine = Machine::of_synthetic("numa:3 pu:1").unwrap();
        let units: Vec<_> = machine.pus().iter().collect();
        let pair = |from, to, ns| Pair {
            from,
            to,
            relation: "same node".into(),
            declared: None,
            ns: vec![ns, 900.0],
        };
        let pairs = [pair(0, 1, 50.0), pair(0, 2, 100.0), pair(1, 2, 70.0)];
        let drawn = matrix(&units, &pairs).to_string();
        let rows: Vec<&str> = drawn.lines().skip(2).collect();
        let expected = [
            "|   0 |     - |  50 \u{2591} | 100 \u{2588} |",
            "|   1 |  50 \u{2591} |     - |  70 \u{2592} |",
            "|   2 | 100 \u{2588} |  70 \u{2592} |     - |",
        ];
        let spaces = |row: &str| row.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            rows.into_iter().map(spaces).collect::<Vec<_>>(),
            expected.map(spaces)
        );
    }

    /// On whatever machine this is, if it has two CPUs.
    #[test]
    fn a_line_goes_from_cpu_to_cpu_and_takes_time() {
        let Ok(machine) = Machine::here() else { return };
        let allowed = |cpu: usize| machine.allowed().contains(cpu) && cpu < 1024;
        let units = machine.pus().iter().filter(|unit| allowed(unit.cpu));
        let units: Vec<_> = units.take(2).collect();
        if units.len() < 2 {
            return;
        }
        let pairs = measured(&machine, &units).unwrap();
        assert_eq!(pairs.len(), 1);
        assert!(pairs[0].least() > 0.1, "{pairs:?}");
        assert_eq!(matrix(&units, &pairs).to_string().lines().count(), 4);
        assert_eq!(summary(&pairs).to_string().lines().count(), 3);
    }
}
