//! What a plan costs, by counting: how far threads are from shards, and what threads share.

use super::machine::Machine;
use super::plan::Plan;
use super::policy::Policy;
use crate::error::PlanError;
use std::collections::{BTreeMap, BTreeSet};

/// What a plan costs on a machine, before anything is run: counts, and distances.
///
/// It knows no times. Distances are what the firmware declares (ACPI's SLIT, where 10 is local), or what was
/// [measured](Plan::cost_with); without either there are counts alone.
///
/// ```
/// use atomshard::topology::{Machine, Placement, Policy};
///
/// let machine = Machine::of_synthetic("pack:2 numa:1 core:2 pu:2")?;
/// let plan = Placement::new(Policy::Spread).threads(4).plan(&machine)?;
/// let cost = plan.cost(&machine)?;
/// // A hash sends half of the look-ups to the other node; a thread's own shard is at home.
/// assert_eq!((cost.remote_hashed, cost.remote_own), (0.5, 0.0));
/// assert_eq!((cost.nodes, cost.shared_cores), (2, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Cost {
    /// The share of look-ups that reach another node, if a hash chooses the shard: 0 to 1.
    pub remote_hashed: f64,
    /// The share of threads whose own shard is on another node: that of their number; under [`Policy::NodeLocal`] any
    /// of [their node](Plan::by_node).
    pub remote_own: f64,
    /// The mean distance of a look-up whose shard a hash chooses, in times of local memory's; `None` if a
    /// distance is not known.
    pub distance_hashed: Option<f64>,
    /// The mean distance of a thread's own shard.
    pub distance_own: Option<f64>,
    /// Nodes that have a thread.
    pub nodes: usize,
    /// Groups of a level-3 cache that have a thread.
    pub l3_groups: usize,
    /// Cores on which several threads run, as siblings or in turn.
    pub shared_cores: usize,
}

impl Plan {
    /// What it costs on `machine`, by the distances that are declared.
    ///
    /// *Cost*: a binary search for each thread and shard, and for each node of threads with each node of shards.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check), or [`PlanError::NoCpu`] if the plan has no thread or no shard.
    pub fn cost(&self, machine: &Machine) -> Result<Cost, PlanError> {
        self.cost_with(machine, |_, _| None)
    }

    /// What it costs on `machine`, by distances that were measured: of `measured(from, to)`, in times of the distance
    /// from the node `from` to itself. Where it says nothing, the declared distance counts.
    ///
    /// *Cost*: as [`cost`](Self::cost), and `measured` for each pair of nodes twice at most.
    ///
    /// ```
    /// use atomshard::topology::{Machine, Placement, Policy};
    ///
    /// let machine = Machine::of_synthetic("pack:2 numa:1 core:2 pu:2")?;
    /// let plan = Placement::new(Policy::Spread).threads(4).plan(&machine)?;
    /// assert_eq!(plan.cost(&machine)?.distance_hashed, None);
    /// let cost = plan.cost_with(&machine, |from, to| Some(if from == to { 1.0 } else { 2.5 }))?;
    /// assert_eq!(cost.distance_hashed, Some(1.75));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`cost`](Self::cost).
    pub fn cost_with(
        &self,
        machine: &Machine,
        measured: impl Fn(usize, usize) -> Option<f64>,
    ) -> Result<Cost, PlanError> {
        self.check(machine)?;
        if self.threads().is_empty() || self.shards().is_empty() {
            return Err(machine.no_cpu());
        }
        let units = self.threads().iter().filter_map(|cpu| machine.pu(*cpu));
        let units: Vec<_> = units.collect();
        let mut own: Vec<usize> = self
            .shards()
            .iter()
            .copied()
            .cycle()
            .take(units.len())
            .collect();
        if *self.policy() == Policy::NodeLocal {
            let parts = self.by_node(machine)?.into_iter();
            for part in parts.filter(|part| !part.shards.is_empty()) {
                part.threads
                    .iter()
                    .for_each(|thread| own[*thread] = part.node);
            }
        }
        let own = counted(units.iter().map(|unit| unit.node).zip(own));
        let from = counted(units.iter().map(|unit| unit.node));
        let to = counted(self.shards().iter().copied());
        let at_home = from
            .iter()
            .filter_map(|(node, threads)| Some(threads * to.get(node)?));
        let at_home = at_home.sum::<f64>() / (units.len() as f64 * self.shards().len() as f64);
        let own_home = own.iter().filter(|((from, to), _)| from == to);
        let own_home = own_home.map(|(_, threads)| threads).sum::<f64>() / units.len() as f64;
        // Not kept: on a machine of 4,096 nodes they are 16 million.
        let hashed = from.iter().flat_map(|(from, threads)| {
            to.iter()
                .map(move |(to, shards)| ((*from, *to), threads * shards))
        });
        let own = own.iter().map(|(pair, threads)| (*pair, *threads));
        let distinct = |number: fn(&super::ProcessingUnit) -> usize| {
            let numbers: BTreeSet<usize> = units.iter().map(|unit| number(unit)).collect();
            numbers.len()
        };
        let cores = counted(units.iter().map(|unit| unit.core));
        let times = |from, to| measured(from, to).or_else(|| declared(machine, from, to));
        Ok(Cost {
            remote_hashed: 1.0 - at_home,
            remote_own: 1.0 - own_home,
            distance_hashed: mean(hashed, times),
            distance_own: mean(own, times),
            nodes: distinct(|unit| unit.node),
            l3_groups: distinct(|unit| unit.l3),
            shared_cores: cores.values().filter(|threads| **threads > 1.0).count(),
        })
    }
}

/// How often each is there.
fn counted<T: Ord>(all: impl Iterator<Item = T>) -> BTreeMap<T, f64> {
    all.fold(BTreeMap::new(), |mut counts, one| {
        *counts.entry(one).or_insert(0.0) += 1.0;
        counts
    })
}

/// The declared distance, in times of the local one.
fn declared(machine: &Machine, from: usize, to: usize) -> Option<f64> {
    let local = machine.distance(from, from).filter(|local| *local > 0)?;
    Some(f64::from(machine.distance(from, to)?) / f64::from(local))
}

/// The mean distance of pairs of a thread's node and a shard's, with how many there are of each; there is one.
fn mean(
    pairs: impl Iterator<Item = ((usize, usize), f64)>,
    times: impl Fn(usize, usize) -> Option<f64>,
) -> Option<f64> {
    let (mut sum, mut all) = (0.0, 0.0);
    for ((from, to), count) in pairs {
        sum += count * times(from, to)?;
        all += count;
    }
    Some(sum / all)
}
