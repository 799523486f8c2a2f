//! Trees of sysfs and procfs: of a machine that was described, whole or damaged.

use super::says;
use super::text::{Edit, FILE};
use arbitrary::{Result, Unstructured};
use atomshard::topology::{CpuSet, Machine, ProcessingUnit, Quota};
use std::collections::BTreeMap;
use std::path::Path;

/// A tree.
#[derive(Debug)]
pub(super) struct Tree {
    /// As `Machine::of_synthetic` reads it.
    described: String,
    /// Whether control groups are of version 1.
    is_legacy: bool,
    damages: Vec<(u8, Damage)>,
}

/// What happens to a file.
#[derive(Debug)]
enum Damage {
    Edited(Edit),
    Missing,
    Empty,
    /// It has what is in another one.
    Exchanged(u8),
    /// A folder is there instead.
    Folder,
}

type Files = BTreeMap<String, Vec<u8>>;

const CPUS: &str = "sys/devices/system/cpu";
const NODES: &str = "sys/devices/system/node";
const WEIGHTS: &str = "sys/kernel/mm/mempolicy/weighted_interleave";

impl Tree {
    pub(super) fn arbitrary(u: &mut Unstructured<'_>) -> Result<Self> {
        let mut described = String::new();
        // At most 8 CPUs: a tree is many files.
        let mut left = 8;
        for level in ["pack", "numa", "l3", "core", "pu"] {
            let count = 1 + u.int_in_range(0..=1)? * usize::from(left > 1);
            described += &format!("{level}:{count} ");
            left /= count;
        }
        if u.arbitrary()? {
            let last = 1023 + 8 / left;
            described = format!("{}(indexes=1024-{last})", described.trim_end());
        }
        let damages =
            (0..u.int_in_range(0..=3)?).map(|_| Ok((u.arbitrary()?, Damage::arbitrary(u)?)));
        let damages = damages.collect::<Result<_>>()?;
        Ok(Self {
            described,
            is_legacy: u.arbitrary()?,
            damages,
        })
    }

    /// The machine of the tree, or none if there is an error about one of its files. A whole tree is the machine
    /// that it was made of.
    pub(super) fn machine(&self) -> Option<Machine> {
        let described = Machine::of_synthetic(&self.described).expect("a description");
        let mut files = files(&described, self.is_legacy);
        for (which, damage) in &self.damages {
            damage.apply(&mut files, *which);
        }
        let folder = tempfile::tempdir().expect("a folder is made");
        for (path, text) in &files {
            write(&folder.path().join(path), text);
        }
        match Machine::of_sysfs(folder.path()) {
            Ok(machine) => {
                if self.damages.is_empty() {
                    assert_eq!(machine.pus(), described.pus());
                    assert_eq!(machine.allowed(), described.allowed());
                    assert_eq!(machine.nodes().len(), described.nodes().len());
                    assert_eq!(machine.quota(), Some(Quota::new(250_000, 100_000)));
                }
                Some(machine)
            }
            Err(error) => {
                assert!(!self.damages.is_empty(), "{error}");
                let file = error.file.as_deref().expect("a file has the error");
                assert!(file.starts_with(folder.path()), "{error}");
                let text = std::fs::read(file).unwrap_or_default();
                assert!(error.at <= text.len(), "{error}");
                says(&error);
                None
            }
        }
    }
}

/// Writes a file and the folders above it. Where damage has put a file and a folder in one place, the first stays.
fn write(path: &Path, text: &[u8]) {
    let above = path.parent().map(std::fs::create_dir_all);
    if above.is_some_and(|made| made.is_ok()) && !path.is_dir() {
        std::fs::write(path, text).expect("a file is written");
    }
}

impl Damage {
    fn arbitrary(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(match u.int_in_range(0..=7)? {
            0 => Self::Missing,
            1 => Self::Empty,
            2 => Self::Exchanged(u.arbitrary()?),
            3 => Self::Folder,
            _ => Self::Edited(Edit::arbitrary(u, FILE)?),
        })
    }

    fn apply(&self, files: &mut Files, which: u8) {
        let paths: Vec<String> = files.keys().cloned().collect();
        let of = |which: u8| &paths[usize::from(which) % paths.len()];
        let path = of(which).clone();
        let text = files.remove(&path).unwrap_or_default();
        let text = match self {
            Self::Missing => return,
            Self::Folder => {
                files.insert(format!("{path}/file"), text);
                return;
            }
            Self::Edited(edit) => {
                let mut text = text;
                edit.apply(&mut text);
                text
            }
            Self::Empty => Vec::new(),
            Self::Exchanged(other) => files.get(of(*other)).cloned().unwrap_or_default(),
        };
        files.insert(path, text);
    }
}

/// What the kernel would show of a machine.
fn files(machine: &Machine, is_legacy: bool) -> Files {
    let mut files = Files::new();
    let mut put = |path: String, text: String| {
        files.insert(path, format!("{text}\n").into_bytes());
    };
    let list = |keep: &dyn Fn(&ProcessingUnit) -> bool| {
        let kept = machine.pus().iter().filter(|pu| keep(pu));
        kept.map(|pu| pu.cpu).collect::<CpuSet>().to_string()
    };
    for (name, text) in [
        ("online", list(&|_| true)),
        ("offline", String::new()),
        ("isolated", String::new()),
    ] {
        put(format!("{CPUS}/{name}"), text);
    }
    for pu in machine.pus() {
        let folder = format!("{CPUS}/cpu{}", pu.cpu);
        let core = list(&|other| other.core == pu.core);
        let (l1, l3) = ("cache/index0", "cache/index1");
        for (name, text) in [
            (
                "topology/physical_package_id".to_owned(),
                pu.package.to_string(),
            ),
            ("topology/core_id".to_owned(), pu.core.to_string()),
            ("topology/core_cpus_list".to_owned(), core.clone()),
            (format!("{l1}/level"), "1".to_owned()),
            (format!("{l1}/type"), "Data".to_owned()),
            (format!("{l1}/shared_cpu_list"), core),
            (format!("{l1}/coherency_line_size"), "64".to_owned()),
            (format!("{l3}/level"), "3".to_owned()),
            (format!("{l3}/type"), "Unified".to_owned()),
            (format!("{l3}/id"), pu.l3.to_string()),
            (
                format!("{l3}/shared_cpu_list"),
                list(&|other| other.l3 == pu.l3),
            ),
        ] {
            put(format!("{folder}/{name}"), text);
        }
    }
    let ids = || machine.nodes().iter().map(|node| node.id);
    let online = ids().collect::<CpuSet>().to_string();
    put(format!("{NODES}/online"), online.clone());
    for id in ids() {
        let folder = format!("{NODES}/node{id}");
        let distances: Vec<String> = ids()
            .map(|to| (10 + 11 * id.abs_diff(to)).to_string())
            .collect();
        put(format!("{folder}/cpulist"), list(&|pu| pu.node == id));
        put(format!("{folder}/distance"), distances.join(" "));
        put(
            format!("{folder}/meminfo"),
            format!("Node {id} MemTotal: 8000 kB"),
        );
        put(format!("{WEIGHTS}/node{id}"), "1".to_owned());
    }
    let allowed = list(&|_| true);
    let status = format!("Name:\tcat\nCpus_allowed_list:\t{allowed}\nMems_allowed_list:\t{online}");
    put("proc/self/status".to_owned(), status);
    let group = "sys/fs/cgroup/a";
    let (of_process, mount, quota) = if is_legacy {
        put(format!("{group}/cpu.cfs_period_us"), "100000".to_owned());
        (
            "1:cpu:/a",
            "cgroup cgroup rw,cpu",
            ("cpu.cfs_quota_us", "250000"),
        )
    } else {
        ("0::/a", "cgroup2 cgroup2 rw", ("cpu.max", "250000 100000"))
    };
    put("proc/self/cgroup".to_owned(), of_process.to_owned());
    let mount = format!("41 31 0:38 / /sys/fs/cgroup rw - {mount}");
    put("proc/self/mountinfo".to_owned(), mount);
    put(format!("{group}/{}", quota.0), quota.1.to_owned());
    files
}
