//! Policies: in which order the CPUs of a machine take threads.
//!
//! ```text
//! two nodes, each of one L3 with two cores of two PUs, numbered as they lie: 0 1 | 2 3 || 4 5 | 6 7
//!
//! compact       0 1 2 3 4 5 6 7     siblings, then cores, then groups, then nodes
//! cores-first   0 2 4 6 1 3 5 7     as compact, with the first sibling of each core first
//! spread        0 4 2 6 1 5 3 7     nodes in turn; in a node the first siblings, L3 groups in turn
//! per-node      0 2 1 3 4 6 5 7     of as many threads, those that spread puts on a node together
//! one-per-l3    0 4 2 6 1 5 3 7     L3 groups in turn; in a group the first siblings first
//! node-local    as per-node; shards lie in one piece on a node, in proportion to its threads
//! interleave    as spread; shards on each node with memory in turn
//! list          as it stands
//! ```
//!
//! # Invariants
//!
//! - **I1.** Each order holds each usable CPU once, except a list, which holds what it says.
//! - **I2.** An order follows from places only, never from the numbers of the CPUs.

use super::CpuSet;
use super::cpu_set::{ranges, write_ranges};
use super::machine::ProcessingUnit;
use crate::error::TopologyError;
use core::fmt;
use core::str::FromStr;
use std::collections::BTreeMap;

/// In which order the CPUs of a machine take threads.
///
/// As text: one of [`NAMED`](Self::NAMED) in small letters, `one-per-l3`, or a list such as `8,0-3`, which unlike a
/// [`CpuSet`] has an order. Shards follow the threads, but for the two policies that say otherwise.
///
/// *Source*: OpenMP's `OMP_PROC_BIND` (close, spread), LIKWID's `likwid-pin`, Open MPI's `--map-by`.
///
/// ```
/// use atomshard::topology::Policy;
///
/// assert_eq!("one-per-l3".parse(), Ok(Policy::OnePerL3));
/// assert_eq!("8,0-3".parse(), Ok(Policy::List(vec![8, 0, 1, 2, 3])));
/// assert_eq!(Policy::List(vec![8, 0, 1, 2, 3]).to_string(), "8,0-3");
/// assert!("0-3,2".parse::<Policy>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// Neighbours first: the siblings of a core, the cores of an L3 group, the groups of a node.
    /// Threads that work on the same data stay close; few cores run hot.
    Compact,
    /// NUMA nodes in turn, packages alternating; in a node L3 groups in turn, SMT siblings last.
    /// Counts of nodes with as many usable CPUs differ by one at most. The most bandwidth and cache.
    Spread,
    /// As many threads on each node as [`Spread`](Self::Spread) puts there, with consecutive numbers.
    PerNode,
    /// L3 groups in turn, SMT siblings last; by itself one thread for each group.
    OnePerL3,
    /// As [`Compact`](Self::Compact), with each core's first PU before the second of any core.
    CoresFirst,
    /// Threads as [`PerNode`](Self::PerNode). The shards of a node have consecutive numbers too, in proportion to the
    /// threads that have their memory there, and at least one: a thread that keeps to the shards of its node
    /// ([`Plan::by_node`](super::Plan::by_node)) reaches no other.
    NodeLocal,
    /// Threads as [`Spread`](Self::Spread), shards on each node with memory in turn, also on those without a thread:
    /// the bandwidth of all nodes for few threads.
    Interleave,
    /// These CPUs in this order.
    List(Vec<usize>),
}

impl Policy {
    /// The policies with a name: all but the lists.
    pub const NAMED: &'static [Self] = &[
        Self::Compact,
        Self::Spread,
        Self::PerNode,
        Self::OnePerL3,
        Self::CoresFirst,
        Self::NodeLocal,
        Self::Interleave,
    ];

    /// Its name; nothing for a list.
    const fn name(&self) -> Option<&'static str> {
        Some(match self {
            Self::Compact => "compact",
            Self::Spread => "spread",
            Self::PerNode => "per-node",
            Self::OnePerL3 => "one-per-l3",
            Self::CoresFirst => "cores-first",
            Self::NodeLocal => "node-local",
            Self::Interleave => "interleave",
            Self::List(_) => return None,
        })
    }
}

impl FromStr for Policy {
    type Err = TopologyError;

    /// # Errors
    ///
    /// If the text is neither the name of a policy nor a list of different CPUs.
    fn from_str(text: &str) -> Result<Self, TopologyError> {
        if let Some(policy) = Self::NAMED.iter().find(|p| p.name() == Some(text)) {
            return Ok(policy.clone());
        }
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            let names: Vec<&str> = Self::NAMED.iter().filter_map(Self::name).collect();
            let names = names.join(", ");
            let expected = format!("a policy ({names}) or a list of CPUs");
            return Err(TopologyError::at(0, text, expected));
        }
        let mut cpus = Vec::new();
        let mut seen = CpuSet::new();
        for (first, last) in ranges(text)? {
            for cpu in first..=last {
                if !seen.insert(cpu) {
                    let expected = format!("each CPU once, and {cpu} comes again");
                    return Err(TopologyError::at(0, text, expected));
                }
                cpus.push(cpu);
            }
        }
        Ok(Self::List(cpus))
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(cpus) => write_ranges(f, cpus.iter().copied()),
            named => f.write_str(named.name().unwrap_or_default()),
        }
    }
}

/// A PU that can take a thread, and its place among the siblings that can.
#[derive(Clone, Copy)]
pub(super) struct Usable {
    pub(super) pu: ProcessingUnit,
    rank: usize,
}

/// The PUs of a machine that can take a thread, in the machine's order.
pub(super) fn usable(pus: &[ProcessingUnit], cpus: &CpuSet) -> Vec<Usable> {
    let mut found: Vec<Usable> = Vec::new();
    for pu in pus.iter().filter(|pu| cpus.contains(pu.cpu)) {
        let sibling = found.last().filter(|last| last.pu.core == pu.core);
        let rank = sibling.map_or(0, |sibling| sibling.rank + 1);
        found.push(Usable { pu: *pu, rank });
    }
    found
}

/// As compact, with each core's first PU before the second of any core.
pub(super) fn cores_first(usable: &[Usable]) -> Vec<Usable> {
    let mut order = usable.to_vec();
    order.sort_by_key(|pu| pu.rank); // Stable.
    order
}

/// L3 groups in turn; in a group the first siblings first.
pub(super) fn one_per_l3(usable: &[Usable]) -> Vec<Usable> {
    in_turn(split(&cores_first(usable), |pu| pu.l3))
}

/// Nodes in turn; in a node first siblings first, and of those the groups in turn.
pub(super) fn spread(usable: &[Usable]) -> Vec<Usable> {
    let mut in_package = BTreeMap::new();
    let mut nodes = Vec::new();
    for node in split(usable, |pu| pu.node) {
        let Some(first) = node.first() else { continue };
        let package = first.pu.package;
        let place = in_package.entry(package).or_insert(0_usize);
        nodes.push(((*place, package), node));
        *place += 1;
    }
    // The first node of each package, then the second of each; stable.
    nodes.sort_by_key(|(order, _)| *order);
    in_turn(nodes.into_iter().map(|(_, node)| in_node(&node)).collect())
}

fn in_node(usable: &[Usable]) -> Vec<Usable> {
    let mut ranks: BTreeMap<usize, Vec<Usable>> = BTreeMap::new();
    for pu in usable {
        ranks.entry(pu.rank).or_default().push(*pu);
    }
    let ranks = ranks.into_values();
    ranks
        .flat_map(|pus| in_turn(split(&pus, |pu| pu.l3)))
        .collect()
}

/// The lists of equal numbers, in the order of the numbers; each keeps its order.
fn split(usable: &[Usable], number: impl Fn(&ProcessingUnit) -> usize) -> Vec<Vec<Usable>> {
    let mut lists: BTreeMap<usize, Vec<Usable>> = BTreeMap::new();
    for pu in usable {
        lists.entry(number(&pu.pu)).or_default().push(*pu);
    }
    lists.into_values().collect()
}

/// The first of each list, then the second of each, and so on.
fn in_turn(lists: Vec<Vec<Usable>>) -> Vec<Usable> {
    let mut turns: Vec<(usize, Usable)> = Vec::new();
    for list in lists {
        turns.extend(list.into_iter().enumerate());
    }
    turns.sort_by_key(|(turn, _)| *turn); // Stable.
    turns.into_iter().map(|(_, pu)| pu).collect()
}
