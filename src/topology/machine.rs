//! `Machine`: what a plan has to know of a machine, as plain data.
//!
//! ```text
//! package 0                        package 1             \
//!   node 0          node 1           node 2               |  one row of `pus` for each
//!     l3 0  l3 1      l3 2             l3 3               |  processing unit, in this order
//!      core 0 core 1  ..                                  |
//!       pu  pu                                           /
//! nodes   [ id, memory, row of distances ]      ascending by id, also those without CPUs
//! ```
//!
//! # Invariants
//!
//! - **I1.** The rows are sorted by package, node, L3 group and core; siblings of a core are
//!   neighbours. Packages, groups and cores are numbered from 0 in the order in which the rows come
//!   to them.
//! - **I2.** Each number of a CPU occurs once and is online; each row's node is in `nodes`.
//! - **I3.** `by_cpu` holds the place of each row, ascending by the row's CPU.
//! - **I4.** `allowed` and `isolated` hold numbers of rows only, `allowed_nodes` numbers of `nodes` only.
//!
//! The order does not depend on the numbers that the kernel gave to the CPUs, apart from the order
//! of siblings in a core. So neither does a plan.

use super::{CpuSet, synthetic, sysfs, xml};
use crate::error::{PlanError, TopologyError};
use std::collections::BTreeMap;
use std::path::Path;

/// One hardware thread that is online: what the kernel calls a CPU and hwloc a PU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessingUnit {
    /// The kernel's number of the CPU, as in `/proc/cpuinfo`.
    pub cpu: usize,
    /// The package (socket), counted from 0 over the machine.
    pub package: usize,
    /// The kernel's number of the NUMA node.
    pub node: usize,
    /// The group that shares a level-3 cache (on AMD a CCX), counted from 0 over the machine. Where no
    /// such cache is declared: the CPUs of one node in one package.
    pub l3: usize,
    /// The core, counted from 0 over the machine.
    pub core: usize,
    /// The place among the siblings of the core, from 0.
    pub smt: usize,
}

/// One NUMA node. It may have no CPUs, and it may have no memory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NumaNode {
    /// The kernel's number of the node.
    pub id: usize,
    /// Its memory; `None` where nothing is said of it.
    pub memory_bytes: Option<u64>,
    /// The distance to each node of [`Machine::nodes`], in that order: the SLIT of ACPI, where 10 is
    /// local. Empty where nothing is said of it.
    pub distances: Vec<u32>,
    /// How many of its pages are taken in turn under [`Memory::Weighted`](super::Memory::Weighted); `None` where nothing
    /// is said of it.
    pub weight: Option<u32>,
}

/// How much CPU time a control group gets: `quota_us` in each `period_us`, over all CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quota {
    /// Microseconds of CPU time in one period.
    pub quota_us: u64,
    /// Microseconds of one period, at least 1.
    pub period_us: u64,
}

impl Quota {
    /// A quota; a period of 0 is taken as 1.
    #[must_use]
    pub const fn new(quota_us: u64, period_us: u64) -> Self {
        let period_us = if period_us == 0 { 1 } else { period_us };
        Self {
            quota_us,
            period_us,
        }
    }

    /// How many CPUs it pays for in full, at least 1.
    ///
    /// *Source*: rounded down, as `std::thread::available_parallelism` does.
    ///
    /// ```
    /// use atomshard::topology::Quota;
    ///
    /// assert_eq!(Quota::new(250_000, 100_000).cpus(), 2);
    /// assert_eq!(Quota::new(50_000, 100_000).cpus(), 1);
    /// ```
    #[must_use]
    pub fn cpus(&self) -> usize {
        usize::try_from(self.quota_us / self.period_us)
            .unwrap_or(usize::MAX)
            .max(1)
    }

    /// Whether it gives less than `other`.
    pub(super) fn is_below(&self, other: &Self) -> bool {
        let ours = u128::from(self.quota_us) * u128::from(other.period_us);
        ours < u128::from(other.quota_us) * u128::from(self.period_us)
    }
}

/// A machine, as far as the placement of threads and memory depends on it.
///
/// Plain data: it comes from the running system ([`here`](Self::here); `from_hwloc` with the feature `hwloc`), from a
/// record of another one ([`of_sysfs`](Self::of_sysfs), [`from_xml`](Self::from_xml)) or from a short description
/// ([`of_synthetic`](Self::of_synthetic)), and a plan for it can be made anywhere. It is a picture of one moment: the
/// kernel may take CPUs offline and change cpusets while the process runs.
///
/// *Source*: the vocabulary is hwloc's (package, NUMA node, core, PU).
///
/// ```
/// use atomshard::topology::Machine;
///
/// let machine = Machine::of_synthetic("pack:2 numa:1 l3:2 core:4 pu:2")?;
/// assert_eq!(machine.pus().len(), 32);
/// assert_eq!((machine.packages(), machine.l3_groups(), machine.cores()), (2, 4, 16));
/// # Ok::<(), atomshard::TopologyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    pub(super) pus: Vec<ProcessingUnit>,
    pub(super) by_cpu: Vec<usize>,
    pub(super) nodes: Vec<NumaNode>,
    pub(super) offline: CpuSet,
    pub(super) isolated: CpuSet,
    pub(super) allowed: CpuSet,
    pub(super) allowed_nodes: CpuSet,
    pub(super) quota: Option<Quota>,
    pub(super) line_bytes: Option<usize>,
}

impl Machine {
    /// The machine that runs this process, with what the process may use of it.
    ///
    /// The affinity is that of the process's first thread. Ask before that thread is pinned.
    ///
    /// *Cost*: some ten small files for each CPU, about a thousand for a hundred CPUs.
    ///
    /// # Errors
    ///
    /// If the system does not say what a machine consists of: on systems other than Linux always,
    /// and in sandboxes that hide `/sys/devices/system/cpu`.
    ///
    /// ```
    /// use atomshard::topology::Machine;
    ///
    /// match Machine::here() {
    ///     Ok(machine) => assert!(!machine.allowed().is_empty()),
    ///     Err(why) => println!("{why}"),
    /// }
    /// ```
    pub fn here() -> Result<Self, TopologyError> {
        Self::of_sysfs(Path::new("/"))
    }

    /// The machine whose `sys` and `proc` are under `root`: `/`, or a tree copied from elsewhere.
    ///
    /// What is read, all under `root`:
    ///
    /// | file | without it |
    /// |---|---|
    /// | `sys/devices/system/cpu/online` | an error |
    /// | `sys/devices/system/cpu/offline` | none is offline |
    /// | `sys/devices/system/cpu/isolated` | none is isolated |
    /// | `.../cpuN/topology/physical_package_id`, `core_id`, `core_cpus_list` or `thread_siblings_list` | an error |
    /// | `.../cpuN/topology/die_id` | one die in each package |
    /// | `.../cpuN/cache/indexM/level`, `type`, `shared_cpu_list`, `id`, `coherency_line_size` | no cache is declared |
    /// | `sys/devices/system/node/online` | one node, of which nothing more is known |
    /// | `.../nodeN/cpulist`, `distance`, `meminfo` | an error |
    /// | `sys/kernel/mm/mempolicy/weighted_interleave/nodeN` | no weight (before Linux 6.9) |
    /// | `proc/self/status`: `Cpus_allowed_list`, `Mems_allowed_list` | an error |
    /// | `proc/self/cgroup`, `proc/self/mountinfo`, then `cpu.max` or `cpu.cfs_quota_us` of each ancestor | no quota |
    ///
    /// # Errors
    ///
    /// If a file is missing, cannot be read, or does not fit the others. The error names it.
    ///
    /// ```
    /// use atomshard::topology::Machine;
    ///
    /// let error = Machine::of_sysfs("no/such/tree".as_ref()).unwrap_err();
    /// assert!(error.file.unwrap().ends_with("sys/devices/system/cpu/online"));
    /// ```
    pub fn of_sysfs(root: &Path) -> Result<Self, TopologyError> {
        sysfs::read(root)
    }

    /// The machine of a short description: levels from the outside in, each with how many of it are
    /// in one of the level before.
    ///
    /// | level | also written | attributes |
    /// |---|---|---|
    /// | `pack` | `package`, `socket` | |
    /// | `numa` | `numanode`, `node` | `memory=8GB` |
    /// | `l3` | `l3cache` | |
    /// | `core` | | |
    /// | `pu`, the last | | `indexes=0,2,1,3`: the kernel's numbers, in order |
    /// | `die`, `group`, `l1`, `l1d`, `l1i`, `l2`, each also with `cache` | | |
    ///
    /// Attributes stand in parentheses behind the count. `[numa(memory=8GB)]` is one node in each
    /// of the level before. Without `pack` there is one package, without `numa` one node, without
    /// `core` each PU is a core. Levels of the last row multiply and mean nothing more. Everything is
    /// allowed, and nothing is known of distances.
    ///
    /// *Source*: hwloc's synthetic topologies, `hwloc(7)`; other attributes are skipped.
    ///
    /// # Errors
    ///
    /// If the text is none of that, or describes more than [`CpuSet::LIMIT`] PUs.
    ///
    /// ```
    /// use atomshard::topology::Machine;
    ///
    /// let machine = Machine::of_synthetic("pack:2 [numa(memory=8GB)] core:2 pu:2(indexes=0,4,1,5,2,6,3,7)")?;
    /// assert_eq!(machine.pus()[1].cpu, 4);
    /// assert_eq!(machine.nodes()[1].memory_bytes, Some(8 << 30));
    ///
    /// let error = Machine::of_synthetic("pack:2 core:x").unwrap_err();
    /// assert_eq!(error.to_string(), "byte 12: found \"x\", expected a count from 1 to 65536");
    /// # Ok::<(), atomshard::TopologyError>(())
    /// ```
    pub fn of_synthetic(text: &str) -> Result<Self, TopologyError> {
        synthetic::read(text)
    }

    /// The machine of a text in hwloc's XML of version 2: what `lstopo --of xml` prints there. hwloc itself is not needed.
    ///
    /// It tells of the same things as [`of_sysfs`](Self::of_sysfs), apart from these:
    ///
    /// - CPUs that are there and not described are taken as offline.
    /// - Of a node without memory the memory is `None`. Where hwloc left it out (`lstopo` without `--disallowed` does), only
    ///   its number and its CPUs are known; it is not allowed, and then no distances are known.
    /// - Of a single node there is no distance.
    /// - Nothing is known of isolated CPUs, quotas and weights; and affinity masks do not count.
    ///
    /// # Errors
    ///
    /// If the text is none of that, with the place in it. Sets of other objects than the machine and its PUs are not
    /// read, so what is wrong with them is not found.
    ///
    /// ```
    /// use atomshard::topology::Machine;
    ///
    /// let error = Machine::from_xml("<topology version=\"1.0\"/>").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "byte 19: found \"1.0\", expected `topology` of version 2, as hwloc writes it since 2.0"
    /// );
    /// ```
    pub fn from_xml(text: &str) -> Result<Self, TopologyError> {
        xml::read(text)
    }

    /// The machine that runs this process, as hwloc's C library sees it.
    ///
    /// It is what [`here`](Self::here) says, where both are there, apart from what [`from_xml`](Self::from_xml) lacks;
    /// the affinity counts as there. hwloc also knows FreeBSD, macOS, Windows and others. Its variables count, such as
    /// `HWLOC_XMLFILE`; then the affinity does not.
    ///
    /// *Cost*: as `here`, and a text of some hundred bytes for each object.
    ///
    /// # Errors
    ///
    /// If hwloc cannot say what the machine consists of.
    ///
    /// ```
    /// use atomshard::topology::Machine;
    ///
    /// match Machine::from_hwloc() {
    ///     Ok(machine) => assert!(!machine.allowed().is_empty()),
    ///     Err(why) => println!("{why}"),
    /// }
    /// ```
    #[cfg(feature = "hwloc")]
    pub fn from_hwloc() -> Result<Self, TopologyError> {
        super::hwloc::read()
    }

    /// The same machine for a process that may use these CPUs only, of those it could use so far.
    #[must_use]
    pub fn with_allowed(mut self, cpus: &CpuSet) -> Self {
        self.allowed = self.allowed.intersection(cpus);
        self
    }

    /// The same machine for a process that may use memory of these nodes only, of those it could use
    /// so far.
    #[must_use]
    pub fn with_allowed_nodes(mut self, nodes: &CpuSet) -> Self {
        self.allowed_nodes = self.allowed_nodes.intersection(nodes);
        self
    }

    /// The same machine for a process with this quota, or without one.
    #[must_use]
    pub const fn with_quota(mut self, quota: Option<Quota>) -> Self {
        self.quota = quota;
        self
    }

    /// The PUs that are online, sorted by package, node, L3 group and core. Those that the process
    /// may not use are there too.
    #[must_use]
    pub fn pus(&self) -> &[ProcessingUnit] {
        &self.pus
    }

    /// The PU with the kernel's number `cpu`, if it is online. *Cost*: a binary search.
    #[must_use]
    pub fn pu(&self, cpu: usize) -> Option<&ProcessingUnit> {
        let by_cpu = &self.by_cpu;
        let found = by_cpu.binary_search_by_key(&cpu, |place| self.pus[*place].cpu);
        found.ok().map(|found| &self.pus[by_cpu[found]])
    }

    /// The NUMA nodes that are online, in ascending order of the kernel's numbers.
    #[must_use]
    pub fn nodes(&self) -> &[NumaNode] {
        &self.nodes
    }

    /// The CPUs that are there and offline.
    #[must_use]
    pub const fn offline(&self) -> &CpuSet {
        &self.offline
    }

    /// The CPUs that the kernel's scheduler leaves alone (`isolcpus`, isolated cpusets): who runs there has asked for
    /// it, and is not moved away. Plans leave them free too, unless asked for them.
    #[must_use]
    pub const fn isolated(&self) -> &CpuSet {
        &self.isolated
    }

    /// The CPUs that are online and that the process may use.
    #[must_use]
    pub const fn allowed(&self) -> &CpuSet {
        &self.allowed
    }

    /// The nodes whose memory the process may use.
    #[must_use]
    pub const fn allowed_nodes(&self) -> &CpuSet {
        &self.allowed_nodes
    }

    /// The tightest quota of CPU time of the process's control group and its ancestors.
    #[must_use]
    pub const fn quota(&self) -> Option<Quota> {
        self.quota
    }

    /// Bytes of a line of the first-level data cache, where they are declared.
    #[must_use]
    pub const fn line_bytes(&self) -> Option<usize> {
        self.line_bytes
    }

    /// How many packages have a CPU online.
    #[must_use]
    pub fn packages(&self) -> usize {
        self.count(|pu| pu.package)
    }

    /// How many groups of CPUs share a level-3 cache.
    #[must_use]
    pub fn l3_groups(&self) -> usize {
        self.count(|pu| pu.l3)
    }

    /// How many cores have a CPU online.
    #[must_use]
    pub fn cores(&self) -> usize {
        self.count(|pu| pu.core)
    }

    /// The declared distance of two nodes, by the kernel's numbers; 10 is local.
    #[must_use]
    pub fn distance(&self, from: usize, to: usize) -> Option<u32> {
        let place = |id: usize| self.nodes.binary_search_by_key(&id, |node| node.id).ok();
        self.nodes[place(from)?].distances.get(place(to)?).copied()
    }

    /// What there is where no CPU is left for a plan.
    pub(super) fn no_cpu(&self) -> PlanError {
        PlanError::NoCpu {
            online: self.pus.len(),
            allowed: self.allowed.len(),
            isolated: self.allowed.intersection(&self.isolated).len(),
        }
    }

    /// Numbers of this kind are dense (I1).
    fn count(&self, number: impl Fn(&ProcessingUnit) -> usize) -> usize {
        self.pus.iter().map(number).max().map_or(0, |last| last + 1)
    }

    /// For each node the allowed node with memory that is nearest to it: itself, then by distance,
    /// then one with CPUs in the same package, then the lowest number. Empty if there is no memory.
    pub(super) fn memory_nodes(&self) -> BTreeMap<usize, usize> {
        let mut package_of = BTreeMap::new();
        for pu in &self.pus {
            package_of.entry(pu.node).or_insert(pu.package);
        }
        let mut nearest = BTreeMap::new();
        if !self.nodes.iter().any(|node| self.has_memory(node)) {
            return nearest;
        }
        for node in &self.nodes {
            if self.has_memory(node) {
                nearest.insert(node.id, node.id);
                continue;
            }
            let from = package_of.get(&node.id);
            let distances = node.distances.iter().map(|distance| Some(*distance));
            let distances = distances.chain(core::iter::repeat(None));
            let others = self.nodes.iter().zip(distances);
            let with_memory = others.filter(|(other, _)| self.has_memory(other));
            let near = with_memory.min_by_key(|(other, distance)| {
                let elsewhere = from.is_none() || package_of.get(&other.id) != from;
                let distance = distance.unwrap_or(u32::MAX);
                (distance, elsewhere, other.id)
            });
            if let Some((other, _)) = near {
                nearest.insert(node.id, other.id);
            }
        }
        nearest
    }

    /// Whether the process can have memory of this node.
    pub(super) fn has_memory(&self, node: &NumaNode) -> bool {
        node.memory_bytes != Some(0) && self.allowed_nodes.contains(node.id)
    }
}
