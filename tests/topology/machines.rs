//! What trees and short descriptions say of a machine, and what is said of them when they are wrong.
use super::tree::Tree;
use atomshard::topology::{Budget, Machine, Placement, Policy, Quota};
use atomshard::{CpuRefusal, PlanError};

/// Package, node, L3 group, core and place among the siblings, by CPU.
fn places(machine: &Machine) -> Vec<(usize, [usize; 5])> {
    let pus = machine.pus().iter();
    pus.map(|pu| (pu.cpu, [pu.package, pu.node, pu.l3, pu.core, pu.smt]))
        .collect()
}

#[test]
fn the_guest_is_as_it_was_recorded() {
    let machine = Tree::guest().read().expect("a machine");
    let expected = [(0, [0, 0, 0, 0, 0]), (1, [0, 0, 0, 1, 0])];
    assert_eq!(places(&machine), expected);
    assert_eq!(machine.line_bytes(), Some(64));
    assert_eq!(machine.nodes()[0].memory_bytes, Some(22_767_828 * 1_024));
    assert_eq!(machine.distance(0, 0), Some(10));
    assert_eq!(machine.quota(), None);
}

#[test]
fn siblings_are_neighbours_whatever_the_kernel_calls_them() {
    let machine = Tree::two_nodes().read().expect("a machine");
    assert_eq!(
        places(&machine)[..6],
        [
            (0, [0, 0, 0, 0, 0]),
            (8, [0, 0, 0, 0, 1]),
            (2, [0, 0, 0, 1, 0]),
            (10, [0, 0, 0, 1, 1]),
            (4, [0, 0, 1, 2, 0]),
            (12, [0, 0, 1, 2, 1]),
        ]
    );
    let counts = (machine.packages(), machine.l3_groups(), machine.cores());
    assert_eq!(counts, (2, 4, 8));
    assert_eq!(machine.distance(0, 1), Some(21));
    let same = Machine::of_synthetic(
        "pack:2 numa:1(memory=8192000) l3:2 core:2 pu:2(indexes=0,8,2,10,4,12,6,14,1,9,3,11,5,13,7,15)",
    );
    let same = same.expect("a machine");
    assert_eq!(places(&machine), places(&same));
    assert_eq!(machine.allowed(), same.allowed());
    let memory = |machine: &Machine| {
        machine
            .nodes()
            .iter()
            .map(|n| n.memory_bytes)
            .collect::<Vec<_>>()
    };
    assert_eq!(memory(&machine), memory(&same));
}

#[test]
fn shards_of_a_node_without_memory_go_to_the_nearest_that_has_some() {
    let machine = Tree::odd_nodes().read().expect("a machine");
    assert_eq!(machine.offline().to_string(), "1,1030");
    let plan = Placement::new(Policy::Compact)
        .plan(&machine)
        .expect("a plan");
    assert_eq!(plan.threads(), [0, 2, 1_028, 1_029]);
    assert_eq!(plan.shards(), [0, 0, 4, 4]);
    // Node 4 is not allowed: node 0 is farther, and all there is.
    let machine = machine.with_allowed_nodes(&"0-1".parse().expect("a list"));
    let elsewhere = Placement::new(Policy::Compact)
        .plan(&machine)
        .expect("a plan");
    assert_eq!(elsewhere.shards(), [0, 0, 0, 0]);
    assert_eq!(plan.check(&machine), Err(PlanError::Node { node: 4 }));
    let machine = machine.with_allowed_nodes(&"1".parse().expect("a list"));
    let none = Placement::new(Policy::Compact).plan(&machine);
    assert_eq!(none, Err(PlanError::NoMemory));
}

#[test]
fn a_list_is_refused_with_the_cpu_and_the_reason() {
    let mut tree = Tree::odd_nodes();
    tree.allow("0-1028", "0-4");
    let machine = tree.read().expect("a machine");
    let refused = |cpus: &str, reserved: &str| {
        let policy: Policy = cpus.parse().expect("a list");
        let placement = Placement::new(policy).reserve(reserved.parse().expect("a list"));
        match placement.plan(&machine) {
            Err(PlanError::Cpu { cpu, why }) => (cpu, why),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused("0,1", ""), (1, CpuRefusal::Offline));
    assert_eq!(refused("0,3", ""), (3, CpuRefusal::Absent));
    assert_eq!(refused("1029,0", ""), (1_029, CpuRefusal::NotAllowed));
    assert_eq!(refused("0,2", "2"), (2, CpuRefusal::Reserved));
    let twice = Placement::new(Policy::List(vec![2, 2])).plan(&machine);
    let why = CpuRefusal::Repeated;
    assert_eq!(twice, Err(PlanError::Cpu { cpu: 2, why }));
    let plan = Placement::new(Policy::List(vec![1_028, 0]))
        .threads(3)
        .plan(&machine);
    assert_eq!(plan.expect("a plan").threads(), [1_028, 0, 1_028]);
}

#[test]
fn nothing_left_is_an_error_with_the_numbers() {
    let machine = Machine::of_synthetic("core:4 pu:1").expect("a machine");
    let machine = machine.with_allowed(&"1-2".parse().expect("a list"));
    let all = Placement::new(Policy::Spread).reserve("0-9".parse().expect("a list"));
    let nothing = Err(PlanError::NoCpu {
        online: 4,
        allowed: 2,
        isolated: 0,
    });
    assert_eq!(all.plan(&machine), nothing);
    let empty = Placement::new(Policy::List(Vec::new())).plan(&machine);
    assert_eq!(empty, nothing);
    let (asked, limit) = (usize::MAX, 65_536);
    let many = Placement::new(Policy::Spread)
        .threads(usize::MAX)
        .plan(&machine);
    assert_eq!(many, Err(PlanError::TooMany { asked, limit }));
    let many = Placement::new(Policy::Spread)
        .shards(usize::MAX)
        .plan(&machine);
    assert_eq!(many, Err(PlanError::TooMany { asked, limit }));
}

#[test]
fn isolated_cpus_are_left_free_unless_asked_for() {
    let mut tree = Tree::two_nodes();
    tree.put("sys/devices/system/cpu/isolated", "2-7,10-15,99");
    let machine = tree.read().expect("a machine");
    // What is isolated and not there is none of ours.
    assert_eq!(machine.isolated().to_string(), "2-7,10-15");
    let placement = Placement::new(Policy::Compact);
    let threads = |placement: &Placement, machine: &Machine| {
        let plan = placement.plan(machine);
        plan.map(|plan| plan.threads().to_vec())
    };
    assert_eq!(threads(&placement, &machine), Ok(vec![0, 8, 1, 9]));
    let all = placement.clone().isolated();
    assert_eq!(threads(&all, &machine).map(|all| all.len()), Ok(16));
    let listed = Placement::new(Policy::List(vec![3, 0]));
    assert_eq!(threads(&listed, &machine), Ok(vec![3, 0]));
    let budget = Budget::new().pool("one", 3).pool("two", 2);
    let (asked, available) = (5, 4);
    let refused = Err(PlanError::OverBudget { asked, available });
    assert_eq!(budget.split(&machine), refused);
    let inside = machine.with_allowed(&"2-3".parse().expect("a list"));
    let refused = threads(&placement, &inside).expect_err("all are isolated");
    assert_eq!(
        refused.to_string(),
        "no CPU is left: 16 online, 2 of them allowed, 2 of these isolated, none of those asked for and free"
    );
    assert_eq!(threads(&all, &inside), Ok(vec![2, 3]));
}

#[test]
fn the_tightest_quota_of_all_ancestors_counts() {
    let mut tree = Tree::two_nodes();
    tree.put("proc/self/cgroup", "0::/top/pods/one");
    let mount = "30 23 0:27 /top /sys/fs/my\\040groups rw shared:4 - cgroup2 cgroup2 rw,nsdelegate";
    // A mount of other groups, whose quota is not ours.
    let other = "31 23 0:27 /elsewhere /mnt rw - cgroup2 cgroup2 rw";
    tree.put("proc/self/mountinfo", &format!("{mount}\n{other}"));
    tree.put("mnt/cpu.max", "1000 100000");
    tree.put("sys/fs/my groups/cpu.max", "max 100000");
    assert_eq!(tree.read().expect("a machine").quota(), None);
    tree.put("sys/fs/my groups/pods/cpu.max", "350000 100000");
    tree.put("sys/fs/my groups/pods/one/cpu.max", "40000 10000");
    let machine = tree.read().expect("a machine");
    assert_eq!(machine.quota(), Some(Quota::new(350_000, 100_000)));
    let plan = Placement::new(Policy::Spread)
        .plan(&machine)
        .expect("a plan");
    assert_eq!(plan.threads(), [0, 1, 4]);
    let plan = Placement::new(Policy::Spread).threads(5).plan(&machine);
    assert_eq!(plan.expect("a plan").threads().len(), 5);
}

#[test]
fn a_quota_of_version_1_counts_too() {
    let mut tree = Tree::guest();
    tree.put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000");
    let machine = tree.read().expect("a machine");
    assert_eq!(machine.quota().map(|quota| quota.cpus()), Some(1));
    tree.remove("sys/fs/cgroup/cpu/cpu.cfs_period_us");
    let error = tree.read().expect_err("no period");
    assert!(error.to_string().ends_with(
        "cpu.cfs_period_us, byte 0: found no such file, expected a period in microseconds"
    ));
}

/// A file of a tree that is wrong, what the error says was found, and what was expected.
#[test]
fn what_does_not_fit_is_named_with_its_file() {
    let cpu = "sys/devices/system/cpu";
    let node = "sys/devices/system/node";
    for (path, text, found, expected) in [
        (format!("{cpu}/online"), "", "no CPU", "at least one"),
        (
            format!("{cpu}/online"),
            "0-x",
            "\"x\"",
            "a number below 65536",
        ),
        (
            format!("{cpu}/offline"),
            "3",
            "CPU 3",
            "no CPU that is online too",
        ),
        (
            format!("{cpu}/cpu2/topology/core_id"),
            "two",
            "\"two\"",
            "the number of a core",
        ),
        (
            format!("{cpu}/cpu2/topology/core_cpus_list"),
            "3",
            "{3}",
            "a list with CPU 2 itself",
        ),
        (
            format!("{cpu}/cpu2/topology/core_cpus_list"),
            "2-3",
            "number 1 of {2-3} for CPU 2",
            "what CPU 3 says, number 1 of {3,11}",
        ),
        (
            format!("{cpu}/cpu2/topology/core_id"),
            "7",
            "number 7 of {2,10} for CPU 2",
            "what CPU 10 says, number 1 of {2,10}",
        ),
        (
            format!("{node}/node1/cpulist"),
            "0-1",
            "CPU 0, which is in node 0 too",
            "each CPU in one node",
        ),
        (
            format!("{node}/node1/cpulist"),
            "",
            "no node with CPU 1",
            "each CPU in one node",
        ),
        (
            format!("{cpu}/cpu2/topology/physical_package_id"),
            "1",
            "CPU 2 and CPU 10 in different packages, nodes or caches",
            "a core in one of each",
        ),
        (
            format!("{node}/node1/distance"),
            "21",
            "1 distances",
            "2, one for each node",
        ),
        (
            format!("{node}/node1/distance"),
            "21 far",
            "\"far\"",
            "a distance",
        ),
        (
            format!("{node}/node0/meminfo"),
            "MemTotal: 5 MB",
            "\"MemTotal: 5 MB\\n\"",
            "`MemTotal:`, a number of kilobytes and `kB`",
        ),
        (
            "proc/self/status".to_owned(),
            "Name: x",
            "none",
            "a line `Cpus_allowed_list:`",
        ),
    ] {
        let mut tree = Tree::two_nodes();
        tree.put(&path, text);
        let error = tree.read().expect_err(&path);
        assert_eq!(
            (error.found.as_str(), error.expected.as_str()),
            (found, expected),
            "{path}"
        );
        let file = error.file.expect("a file");
        // What contradicts is found by the list beside it, what is in no node by the list of nodes.
        let beside = file.parent().zip(path.rsplit_once('/'));
        let beside = beside.is_some_and(|(folder, (parent, _))| folder.ends_with(parent));
        let nodes = file.ends_with(format!("{node}/online"));
        assert!(beside || nodes, "{path}: {}", file.display());
    }
}

#[test]
fn every_file_is_needed_or_has_a_meaning_when_it_is_missing() {
    let whole = Tree::two_nodes();
    let written = whole.write();
    let optional = ["offline", "isolated", "die_id", "id", "coherency_line_size"];
    // Of the CPUs one of each node, for each reading is of the whole tree.
    let cpu = |path: &str| {
        path.split_once("/cpu/cpu")?
            .1
            .split('/')
            .next()?
            .parse()
            .ok()
    };
    let is_wanted = |path: &str| cpu(path).is_none_or(|id: usize| id < 2);
    for (path, text) in whole.files.iter().filter(|(path, _)| is_wanted(path)) {
        std::fs::remove_file(written.path(path)).expect("the file is there");
        let read = written.read();
        std::fs::write(written.path(path), text).expect("and there again");
        let name = path.rsplit('/').next().expect("a name");
        let nodes = path == "sys/devices/system/node/online";
        // Lists of caches below the third level are not looked at.
        let unread = path.ends_with("index0/shared_cpu_list");
        let expected = optional.contains(&name) || nodes || unread;
        assert_eq!(read.is_ok(), expected, "{path}: {read:?}");
        // The other CPUs of a cache know its number.
        if name == "id" {
            assert_eq!(read, whole.read(), "{path}");
        }
        if let Err(error) = read {
            assert!(error.file.is_some(), "{path}: {error}");
        }
    }
    assert_eq!(written.read(), whole.read());
}

/// The name of the list of siblings before Linux 5.3, and caches without numbers.
#[test]
fn older_kernels_are_understood() {
    let mut tree = Tree::two_nodes();
    let whole = tree.read();
    for (path, text) in core::mem::take(&mut tree.files) {
        if !path.ends_with("/id") {
            let path = path.replace("core_cpus_list", "thread_siblings_list");
            tree.files.insert(path, text);
        }
    }
    assert_eq!(tree.read(), whole);
}

/// Linux 6.1 under qemu 7.2 (`-cpu max`) lists the CPUs of a level-3 cache, and numbers it for each of them.
#[test]
fn a_cache_is_what_is_listed_whatever_its_numbers() {
    let mut tree = Tree::two_nodes();
    let whole = tree.read();
    let paths = tree.files.keys().filter(|path| path.ends_with("/id"));
    let paths: Vec<String> = paths.cloned().collect();
    for (index, path) in paths.iter().enumerate() {
        let id = core::str::from_utf8(&tree.files[path]).expect("a text");
        let id: usize = id.trim().parse().expect("a number");
        tree.put(path, &(100 * id + index).to_string());
    }
    assert_eq!(tree.read(), whole);
}

#[test]
fn a_file_without_end_is_not_read() {
    let mut tree = Tree::guest();
    tree.put("proc/self/mountinfo", &"-".repeat(5 << 20));
    let error = tree.read().expect_err("too long");
    assert_eq!(error.found, "more than 4194304 bytes");
}

#[test]
fn strings_are_refused_with_the_place() {
    for (text, at, found) in [
        ("", 0, "\"\""),
        ("pack:2", 6, "\"\""),
        ("pack:2 core:0 pu:1", 12, "\"0\""),
        ("pack:2 core pu:1", 7, "\"core\""),
        ("pack:2 cor:2 pu:1", 7, "\"cor\""),
        ("core:2 pack:2 pu:1", 7, "\"pack\""),
        ("core:2 core:2 pu:1", 7, "\"core\""),
        ("pu:2 core:1", 5, "\"core\""),
        ("core:65536 pu:2", 11, "\"pu\""),
        ("core:2(x pu:2", 6, "\"(x pu:2\""),
        ("core:2) pu:2", 6, "\") pu:2\""),
        ("[core] pu:2", 1, "\"core\""),
        ("numa:1(memory=8XB) pu:1", 14, "\"8XB\""),
        ("core:2 pu:2(indexes=0,1,2)", 20, "\"0,1,2\""),
        ("core:2 pu:1(indexes=7,7)", 20, "\"7,7\""),
        ("core:2 pu:1(indexes=7,y)", 22, "\"y\""),
    ] {
        let error = Machine::of_synthetic(text).expect_err(text);
        assert_eq!(
            (error.at, error.found.as_str()),
            (at, found),
            "{text:?}: {error}"
        );
        assert_eq!(error.file, None);
    }
}

/// The running machine against the standard library, where the kernel shows it.
#[cfg(target_os = "linux")]
#[test]
fn the_running_machine_agrees_with_the_standard_library() {
    let shown = std::path::Path::new("/sys/devices/system/cpu/cpu0/topology/core_id").exists();
    match Machine::here() {
        Err(error) => assert!(!shown, "{error}"),
        Ok(machine) => {
            let paid = machine.quota().map_or(usize::MAX, |quota| quota.cpus());
            let threads = std::thread::available_parallelism().map_or(1, usize::from);
            assert_eq!(machine.allowed().len().min(paid), threads);
            let plan = Placement::new(Policy::Spread)
                .plan(&machine)
                .expect("a plan");
            assert_eq!(plan.check(&machine), Ok(()));
        }
    }
}
