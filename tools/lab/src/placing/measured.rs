//! `place --latency FILE`: distances of nodes, as `atomshard latency --json` measured them.
//!
//! ```text
//! pairs of CPUs, ns by round --> the least of each --> the median of two nodes' --> in times of a node's own
//! ```
//! Siblings of a core are left out, since a line between them goes nowhere. So a node with one core has no measure.
use super::latency::{Pair, median, relation};
use super::table;
use crate::error::LabError;
use atomshard::topology::{CpuSet, Machine};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What was measured of pairs of nodes, in ns, with the lower number first. Empty if nothing was.
#[derive(Debug, Default)]
pub(super) struct Measured(BTreeMap<(usize, usize), f64>);

impl Measured {
    /// That of a file, which has to be of this machine.
    pub(super) fn of(machine: &Machine, path: &Path) -> Result<Self, LabError> {
        let text = std::fs::read_to_string(path).map_err(LabError::at(path))?;
        let read = Self::read(machine, &text);
        read.map_err(|error| LabError::Usage(format!("--latency {}: {error}", path.display())))
    }

    fn read(machine: &Machine, text: &str) -> Result<Self, String> {
        let pairs: Vec<Pair> = serde_json::from_str(text)
            .map_err(|error| format!("{error}; expected what `atomshard latency --json` prints"))?;
        let mut seen = BTreeSet::new();
        for (place, pair) in (1..).zip(&pairs) {
            let is_new = seen.insert((pair.from.min(pair.to), pair.from.max(pair.to)));
            if let Some(wrong) = wrong(machine, pair, is_new) {
                return Err(format!("pair {place}: {wrong}"));
            }
        }
        let mut ns: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        for pair in pairs {
            let units = [pair.from, pair.to].map(|cpu| machine.pu(cpu));
            let [Some(from), Some(to)] = units else {
                continue;
            };
            if from.core != to.core {
                let nodes = (from.node.min(to.node), from.node.max(to.node));
                ns.entry(nodes).or_default().push(pair.least());
            }
        }
        Ok(Self(
            ns.into_iter()
                .map(|(nodes, ns)| (nodes, median(ns)))
                .collect(),
        ))
    }

    /// The distance of two nodes in times of the first one's own, if both were measured.
    pub(super) fn distance(&self, from: usize, to: usize) -> Option<f64> {
        let way = self.0.get(&(from.min(to), from.max(to)))?;
        Some(way / self.0.get(&(from, from))?)
    }

    /// Which distances the costs are counted with.
    pub(super) fn explained(&self, machine: &Machine) -> String {
        let ids: Vec<usize> = machine.nodes().iter().map(|node| node.id).collect();
        let pairs = || {
            ids.iter()
                .flat_map(|from| ids.iter().map(move |to| (*from, *to)))
        };
        let is_measured = pairs().any(|(from, to)| self.distance(from, to).is_some());
        let is_declared = pairs().any(|(from, to)| machine.distance(from, to).is_some());
        let source = match (is_measured, is_declared) {
            (true, _) => {
                "distances: measured, in times of the node's own; in brackets declared, where nothing was measured"
            }
            (false, true) => "distances: declared by the firmware, where 10 is local",
            (false, false) => return "distances: neither measured nor declared\n".to_owned(),
        };
        let header = core::iter::once("node".to_owned()).chain(ids.iter().map(usize::to_string));
        let mut table = table(header);
        for from in &ids {
            let cell = |to: &usize| match (self.distance(*from, *to), machine.distance(*from, *to))
            {
                (Some(times), _) => format!("{times:.2}"),
                (None, Some(declared)) if is_measured => format!("({declared})"),
                (None, Some(declared)) => declared.to_string(),
                (None, None) => "-".to_owned(),
            };
            table.add_row(core::iter::once(from.to_string()).chain(ids.iter().map(cell)));
        }
        format!("{source}\n{table}\n")
    }
}

/// What is wrong with a pair, and what was expected.
fn wrong(machine: &Machine, pair: &Pair, is_new: bool) -> Option<String> {
    let Pair {
        from,
        to,
        relation: found,
        ns,
        ..
    } = pair;
    for cpu in [from, to] {
        if machine.pu(*cpu).is_none() {
            let cpus: CpuSet = machine.pus().iter().map(|unit| unit.cpu).collect();
            return Some(format!(
                "found CPU {cpu}, expected one of the machine's, {cpus}"
            ));
        }
    }
    if from == to {
        return Some(format!("found CPU {from} twice, expected two CPUs"));
    }
    if !is_new {
        return Some(format!(
            "found CPUs {from} and {to} again, expected each pair once"
        ));
    }
    let expected = relation(machine.pu(*from)?, machine.pu(*to)?);
    if *found != expected {
        return Some(format!(
            "found {found:?} of CPUs {from} and {to}, expected {expected:?}, as this machine has them"
        ));
    }
    let is_time = |ns: &f64| ns.is_finite() && *ns > 0.0;
    (ns.is_empty() || !ns.iter().all(is_time)).then(|| {
        format!("found {ns:?} as ns of CPUs {from} and {to}, expected one time or more above 0")
    })
}

#[cfg(test)]
mod tests {
    use super::Measured;
    use crate::placing::latency::{Pair, relation};
    use crate::report;
    use atomshard::topology::{Machine, Placement, Policy};
    use rand::rngs::SmallRng;
    use rand::{RngExt as _, SeedableRng as _};

    /// Two nodes of two cores with two siblings each.
    fn machine() -> Machine {
        Machine::of_synthetic("pack:2 numa:1 core:2 pu:2").unwrap()
    }

    /// As `latency` measures and writes it, of the pairs of CPUs that have a time; in another round all take longer.
    fn written(machine: &Machine, ns: impl Fn(usize, usize) -> Option<f64>) -> String {
        let mut pairs = Vec::new();
        for (place, from) in machine.pus().iter().enumerate() {
            for to in &machine.pus()[place + 1..] {
                let Some(ns) = ns(from.cpu, to.cpu) else {
                    continue;
                };
                pairs.push(Pair {
                    from: from.cpu,
                    to: to.cpu,
                    relation: relation(from, to).into(),
                    declared: None,
                    ns: vec![9.0 * ns, ns],
                });
            }
        }
        report::json(&pairs).unwrap()
    }

    /// Of node 0 the middle is 50 ns, of node 1 100, between them 200. It would be another one with the siblings (5 ns), and so
    /// are the least, the mean and the most.
    #[test]
    fn distances_are_medians_without_siblings_in_times_of_the_nodes_own() {
        let machine = machine();
        let ns = |from, to| match (from, to) {
            (0, 1) | (2, 3) | (4, 5) | (6, 7) => Some(5.0),
            (0, 2) => Some(40.0),
            (0, 3) => Some(50.0),
            (1, 2) => Some(900.0),
            (4, 6) => Some(90.0),
            (4, 7) => Some(100.0),
            (5, 6) => Some(101.0),
            (0, 4) => Some(150.0),
            (0, 5) => Some(200.0),
            (3, 7) => Some(7000.0),
            _ => None,
        };
        let measured = Measured::read(&machine, &written(&machine, ns)).unwrap();
        let pairs = [(0, 0), (0, 1), (1, 0), (1, 1)];
        let distances = pairs.map(|(from, to)| measured.distance(from, to));
        assert_eq!(distances, [Some(1.0), Some(4.0), Some(2.0), Some(1.0)]);
        let plan = Placement::new(Policy::Spread).threads(2).plan(&machine);
        let plan = plan.unwrap();
        let cost = plan.cost_with(&machine, |from, to| measured.distance(from, to));
        // Each thread half at home, half at 4 or 2.
        assert_eq!(cost.unwrap().distance_hashed, Some(2.0));
        assert_eq!(plan.cost(&machine).unwrap().distance_hashed, None);
    }

    #[test]
    fn a_mangled_file_is_distances_or_an_error_with_its_place() {
        const PIECES: [&str; 16] = [
            "0", "7", "-", ".", "e9", "e999", "\"", ",", ":", "{", "}", "[", "]", "null", " ",
            "\u{e9}",
        ];
        let machine = machine();
        let whole = written(&machine, |from, to| (to < from + 3).then_some(50.0));
        let mut accepted = 0;
        for seed in 0..2000 {
            let mut random = SmallRng::seed_from_u64(seed);
            let mut text = whole.clone().into_bytes();
            for _ in 0..random.random_range(1..3) {
                let at = random.random_range(0..text.len());
                let end = text.len().min(at + random.random_range(0..3));
                text.splice(at..end, PIECES[random.random_range(0..16)].bytes());
            }
            match Measured::read(&machine, &String::from_utf8_lossy(&text)) {
                Ok(measured) => {
                    accepted += 1;
                    let own = measured.distance(0, 0);
                    assert!(own.is_none_or(|own| own == 1.0), "{seed}: {own:?}");
                }
                Err(error) => {
                    let has_place = error.starts_with("pair ") || error.contains(" at line ");
                    assert!(has_place, "{seed}: {error}");
                }
            }
        }
        assert!((50..1950).contains(&accepted), "{accepted}");
    }

    #[test]
    fn what_is_not_of_this_machine_is_refused_with_its_place() {
        let machine = machine();
        let good = written(&machine, |from, to| ((from, to) == (0, 2)).then_some(50.0));
        let refused = |from: &str, to: &str, says: &str| {
            assert_eq!(good.matches(from).count(), 1, "{good}");
            let error = Measured::read(&machine, &good.replacen(from, to, 1)).unwrap_err();
            assert!(error.starts_with(says), "{to}: {error}");
        };
        refused(
            "\"to\": 2",
            "\"to\": 8",
            "pair 1: found CPU 8, expected one of the machine's, 0-7",
        );
        refused(
            "\"to\": 2",
            "\"to\": 0",
            "pair 1: found CPU 0 twice, expected two CPUs",
        );
        refused(
            "\"to\": 2",
            "\"to\": 4",
            "pair 1: found \"same L3 group\" of CPUs 0 and 4, expected \"other package\", as this machine has them",
        );
        refused(
            "450.0,",
            "0.0,",
            "pair 1: found [0.0, 50.0] as ns of CPUs 0 and 2, expected one time or more above 0",
        );
        let no_number = "invalid value: integer `-2`, expected usize at line 4 column ";
        refused("\"to\": 2", "\"to\": -2", no_number);
        refused("\"to\"", "\"two\"", "unknown field `two`, expected one of ");
        let element = good.trim().trim_start_matches('[').trim_end_matches(']');
        let twice = Measured::read(&machine, &format!("[{element},{element}]"));
        let says = "pair 2: found CPUs 0 and 2 again, expected each pair once";
        assert_eq!(twice.unwrap_err(), says);
        let other = Measured::read(&machine, "{}").unwrap_err();
        assert!(
            other.ends_with("expected what `atomshard latency --json` prints"),
            "{other}"
        );
    }
}
