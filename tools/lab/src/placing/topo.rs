//! `atomshard topo`: packages, nodes, groups of a level-3 cache, cores and CPUs, as a tree, as JSON or as a picture.
use super::{drawing, source};
use crate::cli::TopoArgs;
use crate::error::LabError;
use crate::report;
use atomshard::topology::{Machine, NumaNode, ProcessingUnit};
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::Write as _;

/// The machine as JSON.
#[derive(Serialize)]
struct Json {
    cpus: Vec<JsonCpu>,
    nodes: Vec<JsonNode>,
    offline: String,
    isolated: String,
    allowed: String,
    allowed_nodes: String,
    /// Microseconds in each period, and the period; `null` without one.
    quota_us: Option<[u64; 2]>,
    line_bytes: Option<usize>,
}

#[derive(Serialize)]
struct JsonCpu {
    cpu: usize,
    package: usize,
    node: usize,
    l3: usize,
    core: usize,
    smt: usize,
}

#[derive(Serialize)]
struct JsonNode {
    node: usize,
    memory_bytes: Option<u64>,
    distances: Vec<u32>,
    /// `null` where nothing is said of it.
    weight: Option<u32>,
}

/// Prints it.
pub(crate) fn run(args: &TopoArgs) -> Result<(), LabError> {
    let machine = source::machine(args.machine.as_deref())?;
    let reserved = source::cpus("reserve", args.reserve.as_deref().unwrap_or_default())?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", report::json(&json(&machine))?)?;
    } else {
        write!(out, "{}", picture(&machine))?;
    }
    if let Some(path) = &args.svg {
        drawing::machine(path, &machine, &reserved)?;
    }
    Ok(())
}

fn json(machine: &Machine) -> Json {
    let cpu = |unit: &ProcessingUnit| JsonCpu {
        cpu: unit.cpu,
        package: unit.package,
        node: unit.node,
        l3: unit.l3,
        core: unit.core,
        smt: unit.smt,
    };
    let node = |node: &NumaNode| JsonNode {
        node: node.id,
        memory_bytes: node.memory_bytes,
        distances: node.distances.clone(),
        weight: node.weight,
    };
    let quota = machine.quota();
    Json {
        cpus: machine.pus().iter().map(cpu).collect(),
        nodes: machine.nodes().iter().map(node).collect(),
        offline: machine.offline().to_string(),
        isolated: machine.isolated().to_string(),
        allowed: machine.allowed().to_string(),
        allowed_nodes: machine.allowed_nodes().to_string(),
        quota_us: quota.map(|quota| [quota.quota_us, quota.period_us]),
        line_bytes: machine.line_bytes(),
    }
}

/// A tree of lines; a CPU in brackets may not be used.
fn picture(machine: &Machine) -> String {
    let mut text = summary(machine);
    let mut last: Option<&ProcessingUnit> = None;
    let mut units = machine.pus().iter().peekable();
    while let Some(unit) = units.next() {
        let is_new = |number: fn(&ProcessingUnit) -> usize| {
            last.is_none_or(|last| number(last) != number(unit))
        };
        let package = is_new(|unit| unit.package);
        let node = package || is_new(|unit| unit.node);
        let l3 = node || is_new(|unit| unit.l3);
        if package {
            text += &format!("package {}\n", unit.package);
        }
        if node {
            text += &format!("  node {}{}\n", unit.node, about(machine, unit.node));
        }
        if l3 {
            text += &format!("    L3 group {}\n", unit.l3);
        }
        if l3 || is_new(|unit| unit.core) {
            text += &format!("      core {:<4} CPU", unit.core);
        }
        let is_allowed = machine.allowed().contains(unit.cpu);
        let name = if is_allowed {
            unit.cpu.to_string()
        } else {
            format!("[{}]", unit.cpu)
        };
        text += &format!(" {name}");
        if units.peek().is_none_or(|next| next.core != unit.core) {
            text.push('\n');
        }
        last = Some(unit);
    }
    for node in without_cpus(machine) {
        text += &format!("{node}\n");
    }
    text
}

/// The nodes without CPUs, in words.
pub(super) fn without_cpus(machine: &Machine) -> impl Iterator<Item = String> {
    let with: BTreeSet<usize> = machine.pus().iter().map(|unit| unit.node).collect();
    let ids = machine.nodes().iter().map(|node| node.id);
    let without = ids.filter(move |id| !with.contains(id));
    without.map(|id| format!("node {id} without CPUs{}", about(machine, id)))
}

/// What there is, in numbers; then what may be used.
pub(super) fn summary(machine: &Machine) -> String {
    let plural =
        |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let parts = [
        plural(machine.packages(), "package"),
        plural(machine.nodes().len(), "node"),
        plural(machine.l3_groups(), "L3 group"),
        plural(machine.cores(), "core"),
        plural(machine.pus().len(), "CPU"),
    ];
    let mut text = format!("{}\n", parts.join(", "));
    let (allowed, nodes) = (machine.allowed(), machine.allowed_nodes());
    text += &format!("allowed: CPUs {allowed}, memory of nodes {nodes}\n");
    if !machine.offline().is_empty() {
        text += &format!("offline: CPUs {}\n", machine.offline());
    }
    if !machine.isolated().is_empty() {
        text += &format!("isolated: CPUs {}\n", machine.isolated());
    }
    if let Some(quota) = machine.quota() {
        let (time, period) = (quota.quota_us, quota.period_us);
        text += &format!("quota: {time} us of CPU time in each {period} us\n");
    }
    match machine.line_bytes() {
        Some(bytes) => text + &format!("lines of {bytes} bytes\n"),
        None => text + "the size of a line is not declared\n",
    }
}

/// Memory and distances of a node.
pub(super) fn about(machine: &Machine, id: usize) -> String {
    let nodes = machine.nodes();
    let Ok(place) = nodes.binary_search_by_key(&id, |node| node.id) else {
        return String::new();
    };
    let node = &nodes[place];
    let mut text = match node.memory_bytes {
        Some(0) => ", no memory".to_owned(),
        Some(bytes) => format!(", {:.1} GiB", bytes as f64 / f64::from(1 << 30)),
        None => String::new(),
    };
    if node.distances.len() > 1 {
        let distances: Vec<String> = node.distances.iter().map(u32::to_string).collect();
        text += &format!(", distances {}", distances.join(" "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::picture;
    use atomshard::topology::Machine;
    use core::time::Duration;
    use std::time::Instant;

    /// With eight times as many CPUs it takes about eight times as long, where the square is 64 times.
    #[test]
    fn a_large_machine_is_drawn_in_proportion_to_its_cpus() {
        let least = |cores: usize| {
            let machine = format!("pack:2 numa:4 l3:2 core:{cores} pu:2");
            let machine = Machine::of_synthetic(&machine).unwrap();
            let times = (0..5).map(|_| {
                let begun = Instant::now();
                assert!(picture(&machine).lines().count() > 16 * cores);
                begun.elapsed()
            });
            times.min().unwrap_or(Duration::MAX)
        };
        let (few, many) = (least(16), least(128));
        assert!(many < 24 * few, "512 CPUs: {few:?}, 4,096: {many:?}");
    }

    #[test]
    fn a_machine_is_drawn_as_it_is_made() {
        let machine = Machine::of_synthetic("pack:2 numa:1 l3:1 core:2 pu:2").unwrap();
        let machine = machine.with_allowed(&"0-6".parse().unwrap());
        let expected = "\
2 packages, 2 nodes, 2 L3 groups, 4 cores, 8 CPUs
allowed: CPUs 0-6, memory of nodes 0-1
the size of a line is not declared
package 0
  node 0
    L3 group 0
      core 0    CPU 0 1
      core 1    CPU 2 3
package 1
  node 1
    L3 group 1
      core 2    CPU 4 5
      core 3    CPU 6 [7]
";
        assert_eq!(picture(&machine), expected);
    }
}
