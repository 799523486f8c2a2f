//! `atomshard place`: a plan for a machine, what each policy costs, and why a CPU or a policy is left out.
use super::measured::Measured;
use super::{source, table};
use crate::cli::{Emit, PlaceArgs};
use crate::error::LabError;
use atomshard::topology::{Cost, CpuSet, Machine, Placement, Plan, Policy};
use comfy_table::Table;
use std::collections::BTreeMap;
use std::io::Write as _;

/// Prints the plan in the form that was asked for.
pub(crate) fn run(args: &PlaceArgs) -> Result<(), LabError> {
    let machine = source::machine(args.machine.as_deref())?;
    let policy = args.policy.parse::<Policy>();
    let policy = policy.map_err(|error| LabError::Usage(format!("--policy: {error}")))?;
    let reserved = source::cpus("reserve", args.reserve.as_deref().unwrap_or_default())?;
    let placement = |policy: Policy| {
        let mut placement = Placement::new(policy).reserve(reserved.clone());
        if args.isolated {
            placement = placement.isolated();
        }
        if let Some(threads) = args.threads {
            placement = placement.threads(threads);
        }
        if let Some(shards) = args.shards {
            placement = placement.shards(shards);
        }
        placement
    };
    let plan = placement(policy).plan(&machine);
    let plan = plan.map_err(|error| LabError::Usage(error.to_string()))?;
    let measured = args
        .latency
        .as_deref()
        .map(|path| Measured::of(&machine, path));
    let measured = measured.transpose()?.unwrap_or_default();
    let mut out = std::io::stdout().lock();
    let failed = |error: String| LabError::Report(error);
    match args.emit {
        Some(Emit::Json) => {
            let json = serde_json::to_string(&plan).map_err(|error| failed(error.to_string()))?;
            writeln!(out, "{json}")?;
        }
        Some(Emit::Toml) => {
            let toml = toml::to_string(&plan).map_err(|error| failed(error.to_string()))?;
            write!(out, "{toml}")?;
        }
        Some(Emit::Numactl) => writeln!(out, "{}", numactl(&plan))?,
        None => {
            writeln!(out, "{}", threads(&machine, &plan))?;
            writeln!(out, "\n{}", by_node(&machine, &plan)?)?;
            if args.explain {
                writeln!(out, "\n{}", shards(&machine, &plan))?;
                write!(out, "\n{}", rejected(&machine, &reserved, &plan))?;
                write!(out, "\n{}", measured.explained(&machine))?;
            }
            let costs = costs(&machine, &plan, &measured, placement);
            writeln!(out, "\n{costs}")?;
        }
    }
    Ok(())
}

/// Where each thread is.
fn threads(machine: &Machine, plan: &Plan) -> Table {
    let mut table = table(["thread", "CPU", "core", "L3 group", "node", "package"]);
    for (thread, cpu) in plan.threads().iter().enumerate() {
        if let Some(unit) = machine.pu(*cpu) {
            let places = [thread, *cpu, unit.core, unit.l3, unit.node, unit.package];
            table.add_row(places);
        }
    }
    table
}

/// Which threads and shards have their memory on each node, and how many pages of it are taken in turn by the memory
/// policy weighted.
fn by_node(machine: &Machine, plan: &Plan) -> Result<Table, LabError> {
    let parts = plan.by_node(machine);
    let parts = parts.map_err(|error| LabError::Usage(error.to_string()))?;
    let weights = machine.nodes().iter().map(|node| (node.id, node.weight));
    let weights: BTreeMap<usize, Option<u32>> = weights.collect();
    let mut table = table(["node", "threads", "shards", "weight"]);
    for part in parts {
        let set = |numbers: Vec<usize>| numbers.into_iter().collect::<CpuSet>().to_string();
        let weight = weights.get(&part.node).copied().flatten();
        let weight = weight.map_or_else(|| "not known".to_owned(), |weight| weight.to_string());
        let (threads, shards) = (set(part.threads), set(part.shards));
        table.add_row([part.node.to_string(), threads, shards, weight]);
    }
    Ok(table)
}

/// Where each shard is, and why.
fn shards(machine: &Machine, plan: &Plan) -> Table {
    let (threads, count) = (plan.threads(), plan.shards().len());
    // A round has a shard for each thread; the last one may not be whole.
    let whole = count - count % threads.len().max(1);
    let mut table = table(["shard", "node", "why"]);
    for (shard, node) in plan.shards().iter().enumerate() {
        let thread = shard.checked_rem(threads.len());
        let why = match (plan.policy(), thread) {
            (Policy::Interleave, _) => "its turn among the nodes with memory".to_owned(),
            (Policy::NodeLocal, _) => {
                "in one piece for the threads that are at home there".to_owned()
            }
            (_, Some(thread)) if shard < whole => {
                let unit = machine.pu(threads[thread]);
                let far = unit.filter(|unit| unit.node != *node);
                let far = far.map_or_else(String::new, |unit| {
                    format!("; it is on node {}, which has no memory for it", unit.node)
                });
                format!("near thread {thread}{far}")
            }
            _ => "left over: in proportion to the threads of each node".to_owned(),
        };
        table.add_row([shard.to_string(), node.to_string(), why]);
    }
    table
}

/// The CPUs that a plan may not use, and why.
fn rejected(machine: &Machine, reserved: &CpuSet, plan: &Plan) -> String {
    let online: CpuSet = machine.pus().iter().map(|unit| unit.cpu).collect();
    let planned: CpuSet = plan.threads().iter().copied().collect();
    let isolated = machine.allowed().intersection(machine.isolated());
    let rows = [
        (machine.offline().clone(), "offline"),
        (
            online.difference(machine.allowed()),
            "not allowed: the affinity mask or the cpuset of this process leaves them out",
        ),
        (
            machine.allowed().intersection(reserved),
            "reserved, as asked",
        ),
        (
            isolated.difference(reserved).difference(&planned),
            "isolated by the kernel (isolcpus), and used with --isolated only",
        ),
        (
            reserved.difference(&online),
            "to be reserved, and not there",
        ),
    ];
    let rows = rows.iter().filter(|(cpus, _)| !cpus.is_empty());
    let mut text: String = rows
        .map(|(cpus, why)| format!("CPUs {cpus}: {why}\n"))
        .collect();
    let without = machine
        .nodes()
        .iter()
        .filter(|node| node.memory_bytes == Some(0) || !machine.allowed_nodes().contains(node.id));
    for node in without {
        let why = if node.memory_bytes == Some(0) {
            "has no memory"
        } else {
            "not allowed: the cpuset of this process leaves its memory out"
        };
        text += &format!("node {}: {why}\n", node.id);
    }
    if text.is_empty() {
        text += "no CPU and no node is left out\n";
    }
    text
}

/// What each policy costs, with as many threads and shards; the one of the plan first.
fn costs(
    machine: &Machine,
    plan: &Plan,
    measured: &Measured,
    placement: impl Fn(Policy) -> Placement,
) -> Table {
    let mut table = table([
        "policy",
        "threads",
        "nodes",
        "L3 groups",
        "cores with several",
        "remote, hashed",
        "remote, own shard",
        "distance, hashed",
        "distance, own shard",
    ]);
    let others = Policy::NAMED
        .iter()
        .filter(|policy| *policy != plan.policy());
    let others = others.filter_map(|policy| placement(policy.clone()).plan(machine).ok());
    for plan in core::iter::once(plan.clone()).chain(others) {
        if let Ok(cost) = plan.cost_with(machine, |from, to| measured.distance(from, to)) {
            table.add_row(row(&plan, cost));
        }
    }
    table
}

fn row(plan: &Plan, cost: Cost) -> [String; 9] {
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let times = |distance: Option<f64>| {
        distance.map_or("not known".to_owned(), |times| format!("{times:.2}"))
    };
    [
        plan.policy().to_string(),
        plan.threads().len().to_string(),
        cost.nodes.to_string(),
        cost.l3_groups.to_string(),
        cost.shared_cores.to_string(),
        percent(cost.remote_hashed),
        percent(cost.remote_own),
        times(cost.distance_hashed),
        times(cost.distance_own),
    ]
}

/// The command that keeps a whole program to the plan's CPUs and memory. It pins no thread to its own.
fn numactl(plan: &Plan) -> String {
    let cpus: CpuSet = plan.threads().iter().copied().collect();
    let nodes: CpuSet = plan.shards().iter().copied().collect();
    format!("numactl --physcpubind={cpus} --interleave={nodes}")
}

#[cfg(test)]
mod tests {
    use super::{numactl, rejected, shards};
    use atomshard::topology::{Machine, Placement, Policy};

    #[test]
    fn each_shard_has_a_reason() {
        let machine = Machine::of_synthetic("numa:2 pu:1").unwrap();
        let machine = machine.with_allowed_nodes(&"1".parse().unwrap());
        let told = |policy| {
            let plan = Placement::new(policy).shards(3).plan(&machine).unwrap();
            let told = shards(&machine, &plan).to_string();
            let rows = told.lines().skip(2);
            let why = |row: &str| row.rsplit('|').nth(1).map(|why| why.trim().to_owned());
            rows.filter_map(why).collect::<Vec<_>>()
        };
        let expected = [
            "near thread 0; it is on node 0, which has no memory for it",
            "near thread 1",
            "left over: in proportion to the threads of each node",
        ];
        assert_eq!(told(Policy::Spread), expected);
        let turn = "its turn among the nodes with memory";
        assert_eq!(told(Policy::Interleave), [turn; 3]);
        let piece = "in one piece for the threads that are at home there";
        assert_eq!(told(Policy::NodeLocal), [piece; 3]);
    }

    #[test]
    fn a_plan_is_a_command_and_what_is_left_out_has_a_reason() {
        let machine = Machine::of_synthetic("pack:2 numa:1 core:2 pu:1").unwrap();
        let machine = machine.with_allowed(&"0-2".parse().unwrap());
        let placement = Placement::new(Policy::Spread).reserve("1,9".parse().unwrap());
        let plan = placement.plan(&machine).unwrap();
        assert_eq!(numactl(&plan), "numactl --physcpubind=0,2 --interleave=0-1");
        assert_eq!(
            rejected(&machine, &"1,9".parse().unwrap(), &plan),
            "CPUs 3: not allowed: the affinity mask or the cpuset of this process leaves them out\n\
             CPUs 1: reserved, as asked\n\
             CPUs 9: to be reserved, and not there\n"
        );
    }
}
