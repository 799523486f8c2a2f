//! `Parts`: what a provider of machines says, and how it becomes a [`Machine`]: sorted, and numbered from 0.
//!
//! The invariants are those of `machine`.

use super::CpuSet;
use super::machine::{Machine, NumaNode, ProcessingUnit, Quota};
use std::collections::BTreeMap;

/// What a provider says of one PU. Keys are any numbers; equal keys are one object, and the order of
/// keys is the order of the objects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) cpu: usize,
    pub(super) package: usize,
    pub(super) node: usize,
    /// `None` where no level-3 cache is declared.
    pub(super) l3: Option<usize>,
    pub(super) core: usize,
}

/// What a provider says of the whole machine.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Siblings of a core are in order. Each CPU occurs once.
    pub(super) rows: Vec<Row>,
    /// Ascending by number, with the node of each row.
    pub(super) nodes: Vec<NumaNode>,
    pub(super) offline: CpuSet,
    /// Those of them that the kernel leaves to whoever asks for them.
    pub(super) isolated: CpuSet,
    pub(super) allowed: CpuSet,
    pub(super) allowed_nodes: CpuSet,
    pub(super) quota: Option<Quota>,
    pub(super) line_bytes: Option<usize>,
}

impl Parts {
    /// Sorts the rows and numbers the objects: I1. What the system allows beyond what is there is
    /// left out: I4.
    pub(super) fn assemble(mut self) -> Machine {
        let group = |row: &Row| (row.l3, row.l3.map_or((row.package, row.node), |_| (0, 0)));
        // The sort is stable, so siblings stay in order.
        self.rows
            .sort_by_key(|row| (row.package, row.node, group(row), row.core));
        let mut packages = Numbers::default();
        let mut groups = Numbers::default();
        let mut cores = Numbers::default();
        let mut siblings: Vec<usize> = Vec::new();
        let mut pus = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let core = cores.of(row.core);
            siblings.resize(siblings.len().max(core + 1), 0);
            pus.push(ProcessingUnit {
                cpu: row.cpu,
                package: packages.of(row.package),
                node: row.node,
                l3: groups.of(group(row)),
                core,
                smt: siblings[core],
            });
            siblings[core] += 1;
        }
        let mut by_cpu: Vec<usize> = (0..pus.len()).collect();
        by_cpu.sort_by_key(|place| pus[*place].cpu);
        let online: CpuSet = pus.iter().map(|pu| pu.cpu).collect();
        let there: CpuSet = self.nodes.iter().map(|node| node.id).collect();
        Machine {
            pus,
            by_cpu,
            nodes: self.nodes,
            offline: self.offline,
            isolated: self.isolated.intersection(&online),
            allowed: self.allowed.intersection(&online),
            allowed_nodes: self.allowed_nodes.intersection(&there),
            quota: self.quota,
            line_bytes: self.line_bytes,
        }
    }
}

/// Numbers objects from 0 in the order in which they come.
struct Numbers<K>(BTreeMap<K, usize>);

impl<K> Default for Numbers<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord> Numbers<K> {
    fn of(&mut self, key: K) -> usize {
        let next = self.0.len();
        *self.0.entry(key).or_insert(next)
    }
}
