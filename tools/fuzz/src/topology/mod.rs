//! The target `topology`: what a machine is read from, as it is or mangled. It is a machine with its plans, or an
//! error that says where and what was expected; never a panic.
//!
//! Plans are made by every policy and must hold what was asked for: so many threads and shards, on CPUs and nodes
//! of the machine that may be used, each listed once by node, at a cost that is a number. `tests/topology.rs` draws
//! inputs in the same way without a fuzzer.

mod text;
mod tree;

use arbitrary::{Arbitrary, Result, Unstructured};
use atomshard::TopologyError;
use atomshard::topology::{CpuSet, Machine, Placement, Plan, Policy};
use std::collections::BTreeSet;
use text::Mangled;
use tree::Tree;

/// An input. `cargo fuzz fmt` prints it.
#[derive(Debug)]
pub struct Input {
    asked: Asked,
    source: Source,
}

/// What the plans are to be like.
#[derive(Debug)]
struct Asked {
    threads: Option<usize>,
    shards: Option<usize>,
    /// Of CPUs to leave free, and of a list as a policy: text, as it comes.
    list: String,
    isolated: bool,
}

#[derive(Debug)]
enum Source {
    Synthetic(Mangled),
    Xml(Mangled),
    Sysfs(Tree),
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let asked = Asked {
            threads: number(u)?,
            shards: number(u)?,
            list: text::words(u, text::LIST, 6)?,
            isolated: u.arbitrary()?,
        };
        let source = match u.int_in_range(0..=2)? {
            0 => Source::Synthetic(Mangled::of_synthetic(u)?),
            1 => Source::Xml(Mangled::of_xml(u)?),
            _ => Source::Sysfs(Tree::arbitrary(u)?),
        };
        Ok(Self { asked, source })
    }
}

/// None, a small one, or more than there can be.
fn number(u: &mut Unstructured<'_>) -> Result<Option<usize>> {
    Ok(match u.arbitrary::<u8>()? {
        0 => Some(Placement::LIMIT + 1),
        few @ 1..=40 => Some(usize::from(few) - 1),
        _ => None,
    })
}

impl Input {
    /// What it is read from.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.source {
            Source::Synthetic(_) => "synthetic",
            Source::Xml(_) => "xml",
            Source::Sysfs(_) => "sysfs",
        }
    }
}

/// Runs an input.
///
/// # Panics
/// As [`is_machine`].
pub fn run(input: &Input) {
    let _read = is_machine(input);
}

/// Runs an input; whether it was a machine.
///
/// # Panics
/// If an error says nothing, or a machine or a plan is not what it must be.
#[must_use]
pub fn is_machine(input: &Input) -> bool {
    let machine = match &input.source {
        Source::Synthetic(mangled) => in_text(&mangled.text(), Machine::of_synthetic),
        Source::Xml(mangled) => in_text(&mangled.text(), Machine::from_xml),
        Source::Sysfs(tree) => tree.machine(),
    };
    let Some(machine) = machine else {
        return false;
    };
    check(&machine);
    plan(&machine, &input.asked);
    true
}

/// The machine, or none if there is an error with a place in the text.
fn in_text(
    text: &str,
    read: impl Fn(&str) -> core::result::Result<Machine, TopologyError>,
) -> Option<Machine> {
    match read(text) {
        Ok(machine) => Some(machine),
        Err(error) => {
            // Not behind the end, and not in a letter.
            let is_place = error.file.is_none() && text.is_char_boundary(error.at);
            assert!(is_place, "{error:?}");
            says(&error);
            None
        }
    }
}

fn says(error: &TopologyError) {
    let is_empty = error.found.is_empty() || error.expected.is_empty();
    assert!(!is_empty, "{error:?}");
}

/// Whether the lists of a machine fit each other.
fn check(machine: &Machine) {
    let online: CpuSet = machine.pus().iter().map(|pu| pu.cpu).collect();
    assert_eq!(online.len(), machine.pus().len(), "a CPU twice");
    assert!(machine.allowed().is_subset(&online), "allowed and absent");
    assert!(machine.isolated().is_subset(&online), "isolated and absent");
    assert!(machine.offline().intersection(&online).is_empty(), "both");
    let nodes: BTreeSet<usize> = machine.nodes().iter().map(|node| node.id).collect();
    assert_eq!(nodes.len(), machine.nodes().len(), "a node twice");
    assert!(
        machine.pus().iter().all(|pu| nodes.contains(&pu.node)),
        "no node"
    );
    assert!(
        machine
            .allowed_nodes()
            .iter()
            .all(|node| nodes.contains(&node))
    );
    assert!(
        machine
            .pus()
            .iter()
            .all(|pu| machine.pu(pu.cpu) == Some(pu))
    );
    let places = machine
        .pus()
        .iter()
        .map(|pu| (pu.package, pu.node, pu.l3, pu.core, pu.smt));
    assert!(places.is_sorted(), "out of order");
}

/// Plans by every policy; by one where there are many CPUs, which is time enough.
fn plan(machine: &Machine, asked: &Asked) {
    let reserved: core::result::Result<CpuSet, _> = asked.list.parse();
    let list: core::result::Result<Policy, _> = asked.list.parse();
    if let Ok(set) = &reserved {
        assert_eq!(set.to_string().parse().as_ref(), Ok(set));
    }
    if let Ok(list) = &list {
        assert_eq!(list.to_string().parse().as_ref(), Ok(list));
    }
    let named = Policy::NAMED.iter().cloned();
    let policies: Vec<Policy> = list.into_iter().chain(named).collect();
    let tried = if machine.pus().len() > 500 {
        1
    } else {
        policies.len()
    };
    for policy in &policies[..tried] {
        let mut placement = Placement::new(policy.clone());
        if let Some(threads) = asked.threads {
            placement = placement.threads(threads);
        }
        if let Some(shards) = asked.shards {
            placement = placement.shards(shards);
        }
        if asked.isolated {
            placement = placement.isolated();
        } else if let Ok(cpus) = &reserved {
            placement = placement.reserve(cpus.clone());
        }
        match placement.plan(machine) {
            Ok(plan) => holds(&plan, machine, asked),
            Err(why) => assert!(!why.to_string().is_empty(), "{why:?}"),
        }
    }
}

/// Whether a plan is what was asked for, and fits the machine.
fn holds(plan: &Plan, machine: &Machine, asked: &Asked) {
    let (threads, shards) = (plan.threads().len(), plan.shards().len());
    assert!(
        asked.threads.is_none_or(|asked| asked == threads),
        "{plan:?}"
    );
    assert!(asked.shards.is_none_or(|asked| asked == shards), "{plan:?}");
    assert_eq!(plan.check(machine), Ok(()));
    let parts = plan.by_node(machine).expect("a plan that was checked");
    let mut seen = (vec![0; threads], vec![0; shards]);
    for part in &parts {
        part.threads.iter().for_each(|thread| seen.0[*thread] += 1);
        part.shards.iter().for_each(|shard| seen.1[*shard] += 1);
        let is_own = part
            .shards
            .iter()
            .all(|shard| plan.shards()[*shard] == part.node);
        assert!(is_own, "{part:?}");
    }
    let once = |count: &i32| *count == 1;
    assert!(
        seen.0.iter().all(once) && seen.1.iter().all(once),
        "{parts:?}"
    );
    if threads == 0 || shards == 0 {
        assert!(plan.cost(machine).is_err());
        return;
    }
    let cost = plan.cost(machine).expect("threads and shards");
    for share in [cost.remote_hashed, cost.remote_own] {
        assert!((0.0..=1.0).contains(&share), "{cost:?}");
    }
    for distance in [cost.distance_hashed, cost.distance_own] {
        assert!(
            distance.is_none_or(|times| times.is_finite() && times >= 0.0),
            "{cost:?}"
        );
    }
}
