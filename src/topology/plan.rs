//! Plans: which CPU takes which thread, and which NUMA node takes which shard.
//!
//! ```text
//! Placement { policy, threads, shards, reserved, isolated }
//!     usable  = online and allowed and not reserved                  nothing left: an error
//!               and not isolated, unless asked for or listed
//!     order   = policy(usable)
//!     thread i -> order[i mod n]                                     by itself: one round, the quota
//!     shard s  -> node with memory nearest to a thread's CPU         by itself: as many as threads
//! ```
//!
//! Shards follow threads. Of `s` shards and `t` threads, each whole round of `t` shards goes to the
//! nodes of thread 0, 1, .. in turn, so that thread `i` finds shard `i` on its node. What is left is
//! taken evenly out of the threads sorted by node, so that the nodes get shards in proportion to
//! their threads. `node-local` takes all of them so, and a node that would get none has one of the node with the
//! most. `interleave` asks for no thread.
//!
//! # Invariants
//!
//! - **I1.** Each CPU of a plan was usable, each node had memory that the process may use.
//! - **I2.** The numbers of threads on two CPUs of the order differ by one at most.
//! - **I3.** Of `node-local`, each home of a thread has a shard if there is any, and the shards are sorted by node.

use super::CpuSet;
use super::machine::Machine;
use super::policy::{Policy, Usable, cores_first, one_per_l3, spread, usable};
use crate::error::{CpuRefusal, PlanError};
use core::cmp::Reverse;
use core::iter::repeat_n;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// What to plan: a policy, how many threads and shards, and what to leave free.
///
/// ```
/// use atomshard::topology::{Machine, Placement, Policy};
///
/// let machine = Machine::of_synthetic("pack:2 numa:1 l3:1 core:2 pu:2")?;
/// let plan = Placement::new(Policy::Spread)
///     .threads(4)
///     .reserve("0-1".parse()?)
///     .plan(&machine)?;
/// assert_eq!(plan.threads(), [2, 4, 3, 6]);
/// assert_eq!(plan.shards(), [0, 1, 0, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    policy: Policy,
    threads: Option<usize>,
    shards: Option<usize>,
    reserved: CpuSet,
    isolated: bool,
}

impl Placement {
    /// Most threads, and most shards, of one plan.
    pub const LIMIT: usize = 1 << 16;

    /// Plans by `policy`: one thread for each usable CPU ([`Policy::OnePerL3`]: for each group of them),
    /// but no more than the quota pays for, and as many shards. Nothing is reserved.
    #[must_use]
    pub const fn new(policy: Policy) -> Self {
        Self {
            policy,
            threads: None,
            shards: None,
            reserved: CpuSet::new(),
            isolated: false,
        }
    }

    /// Plans this many threads, whatever the quota. If they are more than the CPUs, the order is gone
    /// through again.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Plans this many shards.
    #[must_use]
    pub const fn shards(mut self, shards: usize) -> Self {
        self.shards = Some(shards);
        self
    }

    /// Leaves these CPUs free: for interrupts, for another process.
    #[must_use]
    pub fn reserve(mut self, cpus: CpuSet) -> Self {
        self.reserved = cpus;
        self
    }

    /// Takes the CPUs that the kernel has isolated like any other. Without it they are left free, apart from those
    /// that a [`Policy::List`] names.
    #[must_use]
    pub const fn isolated(mut self) -> Self {
        self.isolated = true;
        self
    }

    /// Makes the plan. Equal machines and requests give equal plans.
    ///
    /// *Cost*: sorts the CPUs. No system call.
    ///
    /// # Errors
    ///
    /// If no CPU or no memory can be used, if the list names a CPU that cannot, if more than
    /// [`LIMIT`](Self::LIMIT) threads or shards are asked for, or fewer shards than [`Policy::NodeLocal`] has nodes.
    pub fn plan(&self, machine: &Machine) -> Result<Plan, PlanError> {
        for asked in [self.threads, self.shards].into_iter().flatten() {
            at_most(asked)?;
        }
        let mut free = machine.allowed().difference(&self.reserved);
        if !self.isolated && !matches!(self.policy, Policy::List(_)) {
            free = free.difference(machine.isolated());
        }
        let usable = usable(machine.pus(), &free);
        if usable.is_empty() {
            return Err(machine.no_cpu());
        }
        let order = self.order(machine, &usable)?;
        let groups: BTreeSet<usize> = order.iter().map(|pu| pu.pu.l3).collect();
        let natural = match self.policy {
            Policy::OnePerL3 => groups.len(),
            _ => order.len(),
        };
        let paid = machine.quota().map_or(usize::MAX, |quota| quota.cpus());
        let threads = self.threads.unwrap_or_else(|| natural.min(paid));
        let mut placed: Vec<Usable> = order.iter().copied().cycle().take(threads).collect();
        if matches!(self.policy, Policy::PerNode | Policy::NodeLocal) {
            placed.sort_by_key(|pu| pu.pu.node); // Stable.
        }
        Ok(Plan {
            policy: self.policy.clone(),
            threads: placed.iter().map(|pu| pu.pu.cpu).collect(),
            shards: self.divided(machine, &placed, &order, self.shards.unwrap_or(threads))?,
        })
    }

    /// The order in which the CPUs take threads; never empty.
    fn order(&self, machine: &Machine, usable: &[Usable]) -> Result<Vec<Usable>, PlanError> {
        Ok(match &self.policy {
            Policy::Compact => usable.to_vec(),
            Policy::CoresFirst => cores_first(usable),
            Policy::Spread | Policy::PerNode | Policy::NodeLocal | Policy::Interleave => {
                spread(usable)
            }
            Policy::OnePerL3 => one_per_l3(usable),
            Policy::List(cpus) => self.listed(machine, usable, cpus)?,
        })
    }

    /// The nodes of the shards; see the head of this file. Without threads they follow `order`.
    fn divided(
        &self,
        machine: &Machine,
        placed: &[Usable],
        order: &[Usable],
        shards: usize,
    ) -> Result<Vec<usize>, PlanError> {
        let threads = if placed.is_empty() { order } else { placed };
        let memory = machine.memory_nodes();
        let near = |pu: &Usable| memory.get(&pu.pu.node).copied();
        let homes = threads.iter().map(near).collect::<Option<Vec<usize>>>();
        let mut homes = homes.ok_or(PlanError::NoMemory)?;
        let left = shards % homes.len();
        let mut nodes: Vec<usize> = match self.policy {
            Policy::Interleave => {
                let nodes: BTreeSet<usize> = memory.into_values().collect();
                return Ok(nodes.iter().copied().cycle().take(shards).collect());
            }
            Policy::NodeLocal => {
                homes.sort_unstable();
                return in_pieces(&homes, shards);
            }
            _ => homes.iter().copied().cycle().take(shards - left).collect(),
        };
        homes.sort_unstable();
        nodes.extend(evenly(&homes, left));
        Ok(nodes)
    }

    fn listed(
        &self,
        machine: &Machine,
        usable: &[Usable],
        cpus: &[usize],
    ) -> Result<Vec<Usable>, PlanError> {
        let mut sorted: Vec<Usable> = usable.to_vec();
        sorted.sort_by_key(|pu| pu.pu.cpu);
        let mut seen = BTreeSet::new();
        let mut order = Vec::with_capacity(cpus.len().min(sorted.len()));
        for &cpu in cpus {
            let found = sorted.binary_search_by_key(&cpu, |pu| pu.pu.cpu);
            let refused = match found {
                _ if !seen.insert(cpu) => CpuRefusal::Repeated,
                Ok(index) => {
                    order.push(sorted[index]);
                    continue;
                }
                Err(_) if self.reserved.contains(cpu) => CpuRefusal::Reserved,
                Err(_) => refusal(machine, cpu),
            };
            return Err(PlanError::Cpu { cpu, why: refused });
        }
        if order.is_empty() {
            return Err(machine.no_cpu());
        }
        Ok(order)
    }
}

fn at_most(asked: usize) -> Result<(), PlanError> {
    let limit = Placement::LIMIT;
    if asked > limit {
        return Err(PlanError::TooMany { asked, limit });
    }
    Ok(())
}

/// Why the process cannot use a CPU.
fn refusal(machine: &Machine, cpu: usize) -> CpuRefusal {
    if machine.offline().contains(cpu) {
        CpuRefusal::Offline
    } else if machine.pu(cpu).is_some() {
        CpuRefusal::NotAllowed
    } else {
        CpuRefusal::Absent
    }
}

/// So many out of the sorted homes of threads, evenly. All numbers are at most 65,536, so the products fit into 64 bits.
fn evenly(homes: &[usize], count: usize) -> impl Iterator<Item = usize> {
    // The middle of each part, of two middles the first.
    let middle = move |shard| ((2 * shard + 1) * homes.len() as u64 - 1) / (2 * count as u64);
    (0..count as u64)
        .filter_map(move |shard| homes.get(usize::try_from(middle(shard)).ok()?).copied())
}

/// As many shards on the sorted homes of threads, in one piece each: I3.
fn in_pieces(homes: &[usize], shards: usize) -> Result<Vec<usize>, PlanError> {
    let mut counts: BTreeMap<usize, usize> = homes.iter().map(|home| (*home, 0)).collect();
    let nodes = counts.len();
    if (1..nodes).contains(&shards) {
        return Err(PlanError::FewShards {
            asked: shards,
            nodes,
        });
    }
    for home in evenly(homes, shards) {
        *counts.entry(home).or_default() += 1;
    }
    let (without, with): (Vec<_>, Vec<_>) = counts.into_iter().partition(|(_, count)| *count == 0);
    let mut most: BinaryHeap<_> = with
        .into_iter()
        .map(|(node, count)| (count, Reverse(node)))
        .collect();
    for (node, _) in without {
        // Together they have more shards than nodes, so the most is more than one.
        if let Some((count, giver)) = most.pop() {
            most.extend([(count - 1, giver), (1, Reverse(node))]);
        }
    }
    let mut counts: Vec<_> = most
        .into_iter()
        .map(|(count, Reverse(node))| (node, count))
        .collect();
    counts.sort_unstable();
    let pieces = counts
        .into_iter()
        .flat_map(|(node, count)| repeat_n(node, count));
    Ok(pieces.collect())
}

/// Which CPU takes which thread, and which NUMA node takes which shard.
///
/// Made by [`Placement::plan`]. With the feature `serde` it is written and read as a table with the keys
/// `policy`, `threads` (the CPU of each) and `shards` (the node of each); a plan that was read is
/// [checked](Self::check) before it is used, as it may be of another machine.
///
/// A plan is a proposal: it changes nothing until threads [pin](Self::pin) themselves by it and blocks are
/// [placed](Self::place).
///
/// ```
/// use atomshard::topology::{Machine, Placement, Policy};
///
/// let machine = Machine::of_synthetic("pack:2 numa:1 core:2 pu:1")?;
/// let plan = Placement::new(Policy::Compact).shards(2).plan(&machine)?;
/// assert_eq!(plan.threads(), [0, 1, 2, 3]);
/// assert_eq!(plan.shards(), [0, 1]);
///
/// let smaller = machine.with_allowed(&"0-2".parse()?);
/// let why = plan.check(&smaller).unwrap_err();
/// assert_eq!(why.to_string(), "CPU 3 cannot be used: this process may not run there");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub(super) policy: Policy,
    pub(super) threads: Vec<usize>,
    pub(super) shards: Vec<usize>,
}

impl Plan {
    /// The policy by which it was made.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The CPU of each thread, by the kernel's numbers.
    #[must_use]
    pub fn threads(&self) -> &[usize] {
        &self.threads
    }

    /// The NUMA node of each shard's memory, by the kernel's numbers.
    #[must_use]
    pub fn shards(&self) -> &[usize] {
        &self.shards
    }

    /// Threads and shards by the node with their memory: of a shard that is its node, of a thread the node that is
    /// nearest to its CPU, as a node may have none. In ascending order of the nodes.
    ///
    /// Under [`Policy::NodeLocal`] each part that has threads has shards: a thread that uses those of its part alone
    /// reaches no other node.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check), or [`PlanError::NoMemory`] if the process may use none.
    ///
    /// ```
    /// use atomshard::topology::{Machine, Placement, Policy};
    ///
    /// let machine = Machine::of_synthetic("pack:2 numa:1 core:2 pu:1")?;
    /// let plan = Placement::new(Policy::NodeLocal).shards(6).plan(&machine)?;
    /// assert_eq!(plan.shards(), [0, 0, 0, 1, 1, 1]);
    /// let parts = plan.by_node(&machine)?;
    /// assert_eq!((parts[1].node, &parts[1].threads[..]), (1, &[2, 3][..]));
    /// assert_eq!(parts[1].shards, [3, 4, 5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn by_node(&self, machine: &Machine) -> Result<Vec<NodePart>, PlanError> {
        self.check(machine)?;
        let memory = machine.memory_nodes();
        let mut parts = BTreeMap::new();
        for (thread, cpu) in self.threads.iter().enumerate() {
            let home = machine.pu(*cpu).and_then(|pu| memory.get(&pu.node));
            let home = *home.ok_or(PlanError::NoMemory)?;
            part(&mut parts, home).threads.push(thread);
        }
        for (shard, node) in self.shards.iter().enumerate() {
            part(&mut parts, *node).shards.push(shard);
        }
        Ok(parts.into_values().collect())
    }

    /// Whether the process can do on `machine` what the plan says.
    ///
    /// # Errors
    ///
    /// The first CPU that it may not run on, or the first node that it cannot have memory of.
    pub fn check(&self, machine: &Machine) -> Result<(), PlanError> {
        at_most(self.threads.len())?;
        at_most(self.shards.len())?;
        let mut threads = self.threads.iter();
        if let Some(&cpu) = threads.find(|cpu| !machine.allowed().contains(**cpu)) {
            let why = refusal(machine, cpu);
            return Err(PlanError::Cpu { cpu, why });
        }
        let nodes = machine.nodes().iter();
        let with_memory: BTreeSet<usize> = nodes
            .filter(|node| machine.has_memory(node))
            .map(|node| node.id)
            .collect();
        let mut shards = self.shards.iter();
        match shards.find(|node| !with_memory.contains(node)) {
            Some(&node) => Err(PlanError::Node { node }),
            None => Ok(()),
        }
    }
}

/// The part of a node, an empty one if there is none.
fn part(parts: &mut BTreeMap<usize, NodePart>, node: usize) -> &mut NodePart {
    let (threads, shards) = (Vec::new(), Vec::new());
    parts.entry(node).or_insert(NodePart {
        node,
        threads,
        shards,
    })
}

/// What of a plan has its memory on one node: see [`Plan::by_node`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodePart {
    /// The kernel's number of the node.
    pub node: usize,
    /// The threads whose CPUs it is nearest to, by their numbers in the plan.
    pub threads: Vec<usize>,
    /// The shards that lie on it.
    pub shards: Vec<usize>,
}
