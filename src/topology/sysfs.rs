//! Machines from the kernel's own account, `/sys/devices/system`, or a copy of it.
//!
//! ```text
//! root/sys/devices/system/cpu/online          which CPUs; beside it offline, isolated
//!                        /cpu/cpuN/topology/   package, die, core, siblings
//!                        /cpu/cpuN/cache/      level-3 cache, line size
//!                        /node/nodeN/          CPUs, distances, memory
//! root/sys/kernel/mm/mempolicy/               weights of nodes
//! root/proc/self/status                       allowed CPUs and nodes
//! root/proc/self/cgroup, mountinfo            quota: see `cgroup`
//! ```
//!
//! What a CPU shares with others is told by lists (`core_cpus_list`, `shared_cpu_list`). CPUs with the
//! same list are one core, or one group. A list that leaves its own CPU out, or that another CPU of
//! it contradicts, is an error. The order of cores and groups comes from the kernel's numbers of
//! them (`core_id`, the cache's `id`), which do not depend on the numbers of the CPUs. Of a cache that
//! has several, the lowest counts: an emulated one may have one for each CPU.

use super::CpuSet;
use super::cgroup;
use super::machine::{Machine, NumaNode};
use super::parts::{Parts, Row};
use crate::error::TopologyError;
use core::fmt;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

/// The longest file that is read, in bytes. The longest of the real ones, `mountinfo` of a host of
/// many containers, has some hundred kilobytes.
const LONGEST: u64 = 4 << 20;

/// Reads the tree under `root`.
pub(super) fn read(root: &Path) -> Result<Machine, TopologyError> {
    let cpus = root.join("sys/devices/system/cpu");
    let online_file = cpus.join("online");
    let online: CpuSet = value(&online_file, "the list of CPUs that are online")?;
    if online.is_empty() {
        return Err(TopologyError::of_file(
            &online_file,
            "no CPU",
            "at least one",
        ));
    }
    let offline_file = cpus.join("offline");
    let offline: CpuSet = optional_value(&offline_file, "a list of CPUs")?.unwrap_or_default();
    if let Some(cpu) = online.intersection(&offline).iter().next() {
        let expected = "no CPU that is online too";
        let found = format!("CPU {cpu}");
        return Err(TopologyError::of_file(&offline_file, found, expected));
    }

    let isolated = optional_value(&cpus.join("isolated"), "a list of CPUs")?.unwrap_or_default();

    let nodes = nodes(root, &online)?;
    let mut cores = Groups::default();
    let mut groups = Groups::default();
    let mut packages = BTreeMap::new();
    let mut line_bytes = None;
    for cpu in online.iter() {
        let folder = cpus.join(format!("cpu{cpu}"));
        let topology = folder.join("topology");
        // -1 where the firmware says nothing: then there is one package.
        let package: i64 = value(&topology.join("physical_package_id"), "a package number")?;
        packages.insert(cpu, package);
        let die = topology.join("die_id");
        let die: i64 = optional_value(&die, "the number of a die")?.unwrap_or(0);
        let core: i64 = value(&topology.join("core_id"), "the number of a core")?;
        let mut list = topology.join("core_cpus_list");
        if !list.exists() {
            // The name before Linux 5.3.
            list = topology.join("thread_siblings_list");
        }
        let claim = Claim {
            number: (die, core),
            set: shared(&list, cpu, &online)?,
            file: list,
        };
        cores.add(cpu, claim)?;
        let caches = caches(&folder.join("cache"), cpu, &online)?;
        if let Some(claim) = caches.l3 {
            groups.add(cpu, claim)?;
        }
        line_bytes = line_bytes.or(caches.line_bytes);
    }
    groups.number_alike();
    cores.check()?;
    groups.check()?;

    let (allowed, allowed_nodes) = allowed(&root.join("proc/self/status"))?;
    let mut package_numbers: Vec<i64> = packages.values().copied().collect();
    package_numbers.sort_unstable();
    package_numbers.dedup();
    let groups = groups.keys();
    cores.check_places(|cpu| (packages.get(&cpu), nodes.of.get(&cpu), groups.get(&cpu)))?;
    let cores = cores.keys();
    let row = |cpu: usize| Row {
        cpu,
        package: package_numbers.partition_point(|number| *number < packages[&cpu]),
        node: nodes.of[&cpu],
        l3: groups.get(&cpu).copied(),
        core: cores[&cpu],
    };
    Ok(Parts {
        rows: online.iter().map(row).collect(),
        nodes: nodes.all,
        offline,
        isolated,
        allowed,
        allowed_nodes,
        quota: cgroup::quota(root)?,
        line_bytes,
    }
    .assemble())
}

/// What a CPU says that it shares: a core or a cache.
struct Claim {
    /// The kernel's number of it, in front the number of what it is in.
    number: (i64, i64),
    /// Who shares it.
    set: CpuSet,
    /// The file that says so.
    file: PathBuf,
}

impl Claim {
    fn agrees(&self, other: &Self) -> bool {
        (self.number, &self.set) == (other.number, &other.set)
    }

    fn is_numbered(&self) -> bool {
        self.number.1 >= 0
    }

    /// By what claims are ordered: the same for all CPUs of a group that agree.
    fn order(&self) -> ((i64, i64), usize) {
        (self.number, self.set.iter().next().unwrap_or(0))
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "number {} of {{{}}}", self.number.1, self.set)
    }
}

/// CPUs that share something, by the lists that each of them gives.
#[derive(Default)]
struct Groups {
    claims: BTreeMap<usize, Claim>,
}

impl Groups {
    fn add(&mut self, cpu: usize, claim: Claim) -> Result<(), TopologyError> {
        if !claim.set.contains(cpu) {
            let found = format!("{{{}}}", claim.set);
            let expected = format!("a list with CPU {cpu} itself");
            return Err(TopologyError::of_file(&claim.file, found, expected));
        }
        self.claims.insert(cpu, claim);
        Ok(())
    }

    /// Gives all CPUs with the same list the lowest number that one of them has.
    fn number_alike(&mut self) {
        let mut lowest = BTreeMap::new();
        for Claim { number, set, .. } in self.claims.values().filter(|claim| claim.is_numbered()) {
            let lowest = lowest.entry(set.to_string()).or_insert(*number);
            *lowest = (*lowest).min(*number);
        }
        for claim in self.claims.values_mut() {
            if let Some(number) = lowest.get(&claim.set.to_string()) {
                claim.number = *number;
            }
        }
    }

    /// Whether all CPUs of a list say the same.
    fn check(&self) -> Result<(), TopologyError> {
        for (cpu, claim) in &self.claims {
            for other in claim.set.iter() {
                let theirs = self.claims.get(&other);
                if !theirs.is_some_and(|theirs| theirs.agrees(claim)) {
                    let says = theirs.map_or_else(|| "nothing".to_owned(), ToString::to_string);
                    let found = format!("{claim} for CPU {cpu}");
                    let expected = format!("what CPU {other} says, {says}");
                    return Err(TopologyError::of_file(&claim.file, found, expected));
                }
            }
        }
        Ok(())
    }

    /// Whether all CPUs of a list, which say the same, are at one place.
    fn check_places<P: PartialEq>(&self, place: impl Fn(usize) -> P) -> Result<(), TopologyError> {
        for (cpu, claim) in &self.claims {
            if let Some(other) = claim.set.iter().find(|other| place(*other) != place(*cpu)) {
                let found =
                    format!("CPU {cpu} and CPU {other} in different packages, nodes or caches");
                let expected = "a core in one of each";
                return Err(TopologyError::of_file(&claim.file, found, expected));
            }
        }
        Ok(())
    }

    /// For each CPU a number of its group, in the order of the kernel's numbers of the groups, and
    /// among equals in the order of their first CPUs.
    fn keys(&self) -> BTreeMap<usize, usize> {
        let mut groups: Vec<_> = self.claims.values().map(Claim::order).collect();
        groups.sort_unstable();
        groups.dedup();
        let key = |claim: &Claim| groups.partition_point(|group| *group < claim.order());
        let keys = self.claims.iter().map(|(cpu, claim)| (*cpu, key(claim)));
        keys.collect()
    }
}

/// A list of CPUs that share something, without those that are offline.
fn shared(file: &Path, cpu: usize, online: &CpuSet) -> Result<CpuSet, TopologyError> {
    let set: CpuSet = value(file, &format!("the CPUs that share it with CPU {cpu}"))?;
    Ok(set.intersection(online))
}

/// What matters of the caches of one CPU.
#[derive(Default)]
struct Caches {
    l3: Option<Claim>,
    line_bytes: Option<usize>,
}

fn caches(folder: &Path, cpu: usize, online: &CpuSet) -> Result<Caches, TopologyError> {
    let mut found = Caches::default();
    for index in 0.. {
        let cache = folder.join(format!("index{index}"));
        let file = cache.join("level");
        let Some(level) = optional_value::<u32>(&file, "the level of a cache")? else {
            break;
        };
        let kind = text(&cache.join("type"), "the type of a cache")?;
        if kind.trim() == "Instruction" {
            continue;
        }
        if level == 1 && found.line_bytes.is_none() {
            let file = cache.join("coherency_line_size");
            found.line_bytes = optional_value(&file, "the bytes of a cache line")?;
        }
        if level == 3 && found.l3.is_none() {
            let list = cache.join("shared_cpu_list");
            let set = shared(&list, cpu, online)?;
            // Where no cache has a number the groups are ordered by their first CPUs.
            let id = optional_value(&cache.join("id"), "the number of a cache")?.unwrap_or(-1);
            found.l3 = Some(Claim {
                number: (0, id),
                set,
                file: list,
            });
        }
    }
    Ok(found)
}

/// The nodes, and the node of each CPU.
struct Nodes {
    all: Vec<NumaNode>,
    of: BTreeMap<usize, usize>,
}

fn nodes(root: &Path, online: &CpuSet) -> Result<Nodes, TopologyError> {
    let folder = root.join("sys/devices/system/node");
    let weights = root.join("sys/kernel/mm/mempolicy/weighted_interleave");
    let file = folder.join("online");
    let Some(ids) = optional_value::<CpuSet>(&file, "the list of nodes that are online")? else {
        // A kernel that is built without NUMA has no such folder.
        let node = NumaNode {
            id: 0,
            memory_bytes: None,
            distances: Vec::new(),
            weight: None,
        };
        let of = online.iter().map(|cpu| (cpu, 0)).collect();
        return Ok(Nodes {
            all: vec![node],
            of,
        });
    };
    let mut nodes = Nodes {
        all: Vec::new(),
        of: BTreeMap::new(),
    };
    for id in ids.iter() {
        let folder = folder.join(format!("node{id}"));
        let list = folder.join("cpulist");
        let cpus: CpuSet = value(&list, "the list of the node's CPUs")?;
        for cpu in cpus.intersection(online).iter() {
            if let Some(other) = nodes.of.insert(cpu, id) {
                let found = format!("CPU {cpu}, which is in node {other} too");
                return Err(TopologyError::of_file(&list, found, "each CPU in one node"));
            }
        }
        nodes.all.push(NumaNode {
            id,
            memory_bytes: Some(memory(&folder.join("meminfo"))?),
            distances: distances(&folder.join("distance"), ids.len())?,
            weight: optional_value(&weights.join(format!("node{id}")), "a weight")?,
        });
    }
    match online.iter().find(|cpu| !nodes.of.contains_key(cpu)) {
        None => Ok(nodes),
        Some(cpu) => {
            let found = format!("no node with CPU {cpu}");
            Err(TopologyError::of_file(&file, found, "each CPU in one node"))
        }
    }
}

/// A row of distances: one for each node that is online.
fn distances(file: &Path, nodes: usize) -> Result<Vec<u32>, TopologyError> {
    let text = text(file, "distances")?;
    let mut row = Vec::new();
    for word in text.split_whitespace() {
        let distance = word.parse().map_err(|_| {
            let at = word.as_ptr().addr() - text.as_ptr().addr();
            TopologyError::at(at, word, "a distance").inside(file)
        })?;
        row.push(distance);
    }
    if row.len() == nodes {
        return Ok(row);
    }
    let (found, expected) = (row.len(), format!("{nodes}, one for each node"));
    Err(TopologyError::of_file(
        file,
        format!("{found} distances"),
        expected,
    ))
}

/// Bytes of a node's memory.
fn memory(file: &Path) -> Result<u64, TopologyError> {
    let expected = "`MemTotal:`, a number of kilobytes and `kB`";
    let text = text(file, expected)?;
    let mut words = text
        .split_whitespace()
        .skip_while(|word| *word != "MemTotal:");
    words.next();
    let size = words.next().zip(words.next()).and_then(|(number, unit)| {
        let kilobytes: u64 = number.parse().ok()?;
        (unit == "kB")
            .then(|| kilobytes.checked_mul(1_024))
            .flatten()
    });
    size.ok_or_else(|| TopologyError::at(0, &text, expected).inside(file))
}

/// What the kernel lets the process use: CPUs and nodes.
fn allowed(file: &Path) -> Result<(CpuSet, CpuSet), TopologyError> {
    let text = text(file, "the status of the process")?;
    let list = |name: &str| {
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            if let Some(list) = line.strip_prefix(name) {
                let parsed = list.parse::<CpuSet>();
                return parsed.map_err(|error| error.behind(at + name.len()).inside(file));
            }
            at += line.len();
        }
        let expected = format!("a line `{name}`");
        Err(TopologyError::of_file(file, "none", expected))
    };
    Ok((list("Cpus_allowed_list:")?, list("Mems_allowed_list:")?))
}

/// A file that consists of one value.
fn value<T: Value>(file: &Path, expected: &str) -> Result<T, TopologyError> {
    T::read(&text(file, expected)?, expected).map_err(|error| error.inside(file))
}

/// The same of a file that may be missing.
pub(super) fn optional_value<T: Value>(
    file: &Path,
    expected: &str,
) -> Result<Option<T>, TopologyError> {
    let Some(text) = optional_text(file, expected)? else {
        return Ok(None);
    };
    let value = T::read(&text, expected).map_err(|error| error.inside(file))?;
    Ok(Some(value))
}

/// What a file may consist of.
pub(super) trait Value: Sized {
    fn read(text: &str, expected: &str) -> Result<Self, TopologyError>;
}

impl Value for CpuSet {
    fn read(text: &str, _: &str) -> Result<Self, TopologyError> {
        text.parse()
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Value for $number {
            fn read(text: &str, expected: &str) -> Result<Self, TopologyError> {
                let number = text.trim().parse();
                number.map_err(|_| TopologyError::at(0, text.trim_end(), expected))
            }
        }
    )*};
}
numbers!(u32, u64, i64, usize);

/// A file that must be there.
fn text(file: &Path, expected: &str) -> Result<String, TopologyError> {
    optional_text(file, expected)?
        .ok_or_else(|| TopologyError::of_file(file, "no such file", expected))
}

/// A file that may be missing.
pub(super) fn optional_text(file: &Path, expected: &str) -> Result<Option<String>, TopologyError> {
    let mut text = String::new();
    let read =
        std::fs::File::open(file).and_then(|open| open.take(LONGEST + 1).read_to_string(&mut text));
    match read {
        Ok(bytes) if bytes as u64 > LONGEST => {
            let found = format!("more than {LONGEST} bytes");
            Err(TopologyError::of_file(file, found, expected))
        }
        Ok(_) => Ok(Some(text)),
        // A folder that is a file instead makes the path one of no file, too.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(TopologyError::of_file(file, error.to_string(), expected)),
    }
}
