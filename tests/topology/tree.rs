//! Trees of sysfs and procfs as a machine would show them, to be read back from a folder.
use atomshard::TopologyError;
use atomshard::topology::{CpuSet, Machine};
use core::sync::atomic::{AtomicUsize, Ordering};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One CPU of a tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpu {
    pub(crate) id: usize,
    pub(crate) package: i64,
    pub(crate) node: usize,
    pub(crate) l3: usize,
    pub(crate) core: usize,
}

/// A tree: the path of each file and what is in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

const CPUS: &str = "sys/devices/system/cpu";
const NODES: &str = "sys/devices/system/node";

impl Tree {
    /// The tree of a machine with these CPUs and these nodes, each with its kilobytes; all is allowed.
    pub(crate) fn new(cpus: &[Cpu], nodes: &[(usize, u64)], distances: &[&str]) -> Self {
        let mut tree = Self::default();
        let list = |keep: &dyn Fn(&Cpu) -> bool| {
            let kept = cpus.iter().filter(|cpu| keep(cpu)).map(|cpu| cpu.id);
            kept.collect::<CpuSet>().to_string()
        };
        tree.put(&format!("{CPUS}/online"), &list(&|_| true));
        tree.put(&format!("{CPUS}/offline"), "");
        tree.put(&format!("{CPUS}/isolated"), "");
        for cpu in cpus {
            let folder = format!("{CPUS}/cpu{}", cpu.id);
            let mut put = |name: &str, text: &str| tree.put(&format!("{folder}/{name}"), text);
            let same_core = |other: &Cpu| (other.l3, other.core) == (cpu.l3, cpu.core);
            put("topology/physical_package_id", &cpu.package.to_string());
            put("topology/die_id", "0");
            put("topology/core_id", &cpu.core.to_string());
            put("topology/core_cpus_list", &list(&same_core));
            for (index, level, kind) in [(0, 1, "Data"), (1, 3, "Unified")] {
                let shared = match level {
                    3 => list(&|other| other.l3 == cpu.l3),
                    _ => list(&same_core),
                };
                let mut put =
                    |name: &str, text: &str| put(&format!("cache/index{index}/{name}"), text);
                put("level", &level.to_string());
                put("type", kind);
                put("id", &cpu.l3.to_string());
                put("shared_cpu_list", &shared);
                put("coherency_line_size", "64");
            }
        }
        let ids: CpuSet = nodes.iter().map(|(id, _)| *id).collect();
        tree.put(&format!("{NODES}/online"), &ids.to_string());
        for ((id, kilobytes), row) in nodes.iter().zip(distances) {
            let folder = format!("{NODES}/node{id}");
            tree.put(&format!("{folder}/cpulist"), &list(&|cpu| cpu.node == *id));
            tree.put(&format!("{folder}/distance"), row);
            let memory =
                format!("Node {id} MemTotal:       {kilobytes} kB\nNode {id} MemFree: 1 kB");
            tree.put(&format!("{folder}/meminfo"), &memory);
        }
        tree.allow(&list(&|_| true), &ids.to_string());
        tree
    }

    /// What the process may use.
    pub(crate) fn allow(&mut self, cpus: &str, nodes: &str) {
        let status = format!(
            "Name:\tcat\nCpus_allowed:\tff\nCpus_allowed_list:\t{cpus}\nMems_allowed_list:\t{nodes}"
        );
        self.put("proc/self/status", &status);
    }

    /// Writes a file as the kernel does, with a line end.
    pub(crate) fn put(&mut self, path: &str, text: &str) {
        self.files
            .insert(path.to_owned(), format!("{text}\n").into_bytes());
    }

    pub(crate) fn remove(&mut self, path: &str) {
        self.files.remove(path).expect("the file is in the tree");
    }

    /// Puts it into a folder.
    pub(crate) fn write(&self) -> Folder {
        let folder = Folder::new();
        let mut made = "";
        for (path, text) in &self.files {
            let (parent, _) = path.rsplit_once('/').expect("no file is at the top");
            if parent != made {
                std::fs::create_dir_all(folder.0.join(parent)).expect("a folder is made");
                made = parent;
            }
            std::fs::write(folder.0.join(path), text).expect("a file is written");
        }
        folder
    }

    /// What the library makes of it.
    pub(crate) fn read(&self) -> Result<Machine, TopologyError> {
        self.write().read()
    }

    /// The machine on which this was written: a guest of two CPUs, with control groups of version 1.
    pub(crate) fn guest() -> Self {
        let cpu = |id| Cpu {
            id,
            package: 0,
            node: 0,
            l3: 0,
            core: id,
        };
        let mut tree = Self::new(&[cpu(0), cpu(1)], &[(0, 22_767_828)], &["10"]);
        tree.put("proc/self/cgroup", "3:cpuset:/\n2:cpuacct:/\n1:cpu:/\n0::/");
        tree.put(
            "proc/self/mountinfo",
            "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
             32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n\
             41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw",
        );
        tree.put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1");
        tree.put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
        tree
    }

    /// Two packages of one node each, two L3 groups of two cores each, two PUs each. The kernel counts
    /// first siblings first, nodes in turn: CPU 0 and CPU 8 are siblings, CPU 1 is on the other node.
    pub(crate) fn two_nodes() -> Self {
        let cpu = |id: usize| Cpu {
            id,
            package: i64::from(id % 2 == 1),
            node: id % 2,
            l3: id % 2 * 2 + id / 4 % 2,
            core: id / 2 % 4,
        };
        let cpus: Vec<Cpu> = (0..16).map(cpu).collect();
        Self::new(&cpus, &[(0, 8_000), (1, 8_000)], &["10 21", "21 10"])
    }

    /// Node 0 has two CPUs and memory, node 1 two CPUs and none, node 4 memory and no CPU. CPU 1030 is
    /// offline, and CPU 1029 is the highest.
    pub(crate) fn odd_nodes() -> Self {
        let cpu = |id, node, core| Cpu {
            id,
            package: -1,
            node,
            l3: node,
            core,
        };
        let cpus = [
            cpu(0, 0, 0),
            cpu(2, 0, 1),
            cpu(1_028, 1, 0),
            cpu(1_029, 1, 1),
        ];
        let nodes = [(0, 4_000), (1, 0), (4, 4_000)];
        let mut tree = Self::new(&cpus, &nodes, &["10 20 30", "20 10 17", "30 17 10"]);
        tree.put(&format!("{CPUS}/offline"), "1,1030");
        tree
    }
}

/// A folder of its own, which goes with the value.
pub(crate) struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "topology-{}-{}",
            std::process::id(),
            MADE.fetch_add(1, Ordering::Relaxed)
        );
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).expect("a folder is made");
        Self(folder)
    }

    /// What the library makes of the files.
    pub(crate) fn read(&self) -> Result<Machine, TopologyError> {
        Machine::of_sysfs(&self.0)
    }

    /// Where a file of the tree is.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("the folder is removed");
    }
}
