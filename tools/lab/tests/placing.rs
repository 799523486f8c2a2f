//! `topo` and `place` by their program: what they draw and print of machines that are described.
use assert_cmd::Command;
use atomshard::topology::{Machine, ProcessingUnit};
use predicates::function::function;
use predicates::str::contains;
use std::path::Path;
use tempfile::tempdir;

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machine.svg");
const ODD_NODES: &str = concat!(
    "--machine=xml:",
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/topology/odd_nodes.xml"
);

fn lab() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("atomshard"))
}

/// A copied tree of sysfs and procfs, file by file.
struct Tree<'a>(&'a Path);

impl Tree<'_> {
    fn put(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{text}\n")).unwrap();
    }

    /// A core of its own.
    fn cpu(&self, cpu: usize, package: usize) {
        let topology = format!("sys/devices/system/cpu/cpu{cpu}/topology");
        self.put(
            &format!("{topology}/physical_package_id"),
            &package.to_string(),
        );
        self.put(&format!("{topology}/core_id"), &cpu.to_string());
        self.put(&format!("{topology}/core_cpus_list"), &cpu.to_string());
    }

    fn allow(&self, cpus: &str, nodes: &str) {
        let status = format!("Cpus_allowed_list:\t{cpus}\nMems_allowed_list:\t{nodes}");
        self.put("proc/self/status", &status);
    }
}

/// What `topo` draws.
fn drawn(machine: &str, options: &[&str]) -> String {
    let folder = tempdir().unwrap();
    let file = folder.path().join("machine.svg");
    let mut topo = lab();
    topo.args(["topo", machine, "--svg"]).arg(&file);
    topo.args(options).assert().success();
    std::fs::read_to_string(file).unwrap()
}

/// The texts of a drawing, in order.
fn texts(svg: &str) -> Vec<&str> {
    let after = svg.split("<text ").skip(1);
    let inside = |text: &'_ str| -> Option<(usize, usize)> {
        let start = text.find('>')? + 1;
        Some((start, text.find("</text>")?))
    };
    after
        .filter_map(|text| inside(text).map(|(start, end)| text[start..end].trim()))
        .collect()
}

#[test]
fn a_machine_is_drawn_as_recorded() {
    const MACHINE: &str = "--machine=synthetic:pack:2 [numa(memory=8GB)] l3:2 core:2 pu:2";
    let drawn = drawn(MACHINE, &["--reserve=0-1"]);
    let recorded = std::fs::read_to_string(SNAPSHOT).unwrap();
    assert!(
        drawn == recorded,
        "to record it again: cargo run -- topo '{MACHINE}' --reserve 0-1 --svg {SNAPSHOT}"
    );
}

#[test]
fn offline_isolated_and_not_allowed_cpus_are_marked() {
    let odd = drawn(ODD_NODES, &[]);
    let nodes = texts(&odd).into_iter();
    let nodes: Vec<&str> = nodes.filter(|text| text.starts_with("node ")).collect();
    let expected = [
        "node 0",
        "node 1, 0.7 GiB",
        "node 2, 0.7 GiB",
        "node 3 without CPUs, 0.6 GiB",
    ];
    assert_eq!(nodes, expected);

    let folder = tempdir().unwrap();
    let tree = Tree(folder.path());
    tree.put("sys/devices/system/cpu/online", "0-2");
    tree.put("sys/devices/system/cpu/offline", "3");
    tree.put("sys/devices/system/cpu/isolated", "1");
    (0..3).for_each(|cpu| tree.cpu(cpu, 0));
    tree.allow("0-1", "0");
    let machine = format!("--machine=sysfs:{}", folder.path().display());
    let marked = drawn(&machine, &[]);
    let expected = [
        "1 package, 1 node, 1 L3 group, 3 cores, 3 CPUs",
        "package 0",
        "node 0",
        "L3 group 0",
        "core 0",
        "0",
        "core 1",
        "1 i",
        "core 2",
        "2 x",
        "offline",
        "3 o",
        "CPUs",
        "may be used",
        "i: isolated by the kernel",
        "x: not allowed to this process",
        "o: offline",
    ];
    assert_eq!(texts(&marked), expected);
}

#[test]
fn a_drawing_that_cannot_be_written_is_an_error() {
    lab()
        .args(["topo", "--machine=synthetic:pu:2", "--svg=/nowhere/a.svg"])
        .assert()
        .code(2)
        .stderr(contains("/nowhere/a.svg: No such file"));
}

/// Two nodes with two cores each, 21 apart by declaration: a copied tree.
fn two_nodes(folder: &Path) -> String {
    let tree = Tree(folder);
    let devices = "sys/devices/system";
    tree.put(&format!("{devices}/cpu/online"), "0-3");
    for cpu in 0..4 {
        tree.cpu(cpu, cpu / 2);
    }
    tree.put(&format!("{devices}/node/online"), "0-1");
    for (node, cpus, distances) in [(0, "0-1", "10 21"), (1, "2-3", "21 10")] {
        let folder = format!("{devices}/node/node{node}");
        tree.put(&format!("{folder}/cpulist"), cpus);
        tree.put(&format!("{folder}/distance"), distances);
        let memory = format!("Node {node} MemTotal: 8000 kB");
        tree.put(&format!("{folder}/meminfo"), &memory);
    }
    tree.allow("0-3", "0-1");
    format!("--machine=sysfs:{}", folder.display())
}

/// On whatever machine this is, if two of its cores are on one node.
#[test]
fn what_latency_measures_here_is_what_place_counts_with() {
    let Ok(machine) = Machine::here() else { return };
    let usable = |unit: &&ProcessingUnit| machine.allowed().contains(unit.cpu) && unit.cpu < 1024;
    let mut units = machine.pus().iter().filter(usable);
    let Some(one) = units.next() else { return };
    let Some(other) = units.find(|unit| unit.core != one.core && unit.node == one.node) else {
        return;
    };
    let mut latency = lab();
    latency.args([
        "latency",
        "--json",
        "--cpus",
        &format!("{},{}", one.cpu, other.cpu),
    ]);
    let json = latency
        .assert()
        .success()
        .stderr("")
        .get_output()
        .stdout
        .clone();
    let folder = tempdir().unwrap();
    let file = folder.path().join("latency.json");
    std::fs::write(&file, json).unwrap();
    let mut place = lab();
    place.args(["place", "--explain", "--latency"]).arg(&file);
    let own = format!("| {} ", one.node);
    let is_own = move |text: &str| {
        let (_, distances) = text.split_once("distances: measured, in times").unwrap();
        distances
            .lines()
            .any(|line| line.starts_with(&own) && line.contains(" 1.00 "))
    };
    place.assert().success().stderr("").stdout(function(is_own));
}

/// Weights are the kernel's, where it has any.
#[test]
fn weights_of_nodes_are_listed() {
    let folder = tempdir().unwrap();
    let machine = two_nodes(folder.path());
    let weight = "sys/kernel/mm/mempolicy/weighted_interleave/node1";
    Tree(folder.path()).put(weight, "3");
    let place = |says: &'static str| {
        let assert = lab().args(["place", &machine]).assert();
        assert.success().stdout(contains(says));
    };
    place("| 0    | 0,2     | 0,2    | not known |");
    place("| 1    | 1,3     | 1,3    | 3         |");
    Tree(folder.path()).put(weight, "three");
    lab()
        .args(["place", &machine])
        .assert()
        .code(2)
        .stderr(contains(
            "weighted_interleave/node1, byte 0: found \"three\", expected a weight",
        ));
}

#[test]
fn costs_are_counted_with_measured_distances_where_there_are_any() {
    let folder = tempdir().unwrap();
    let machine = two_nodes(folder.path());
    let file = folder.path().join("latency.json");
    let pair = |from: u32, to: u32, relation: &str, ns: u32| {
        format!(
            "{{\"from\":{from},\"to\":{to},\"relation\":\"{relation}\",\"declared\":10,\"ns\":[99,{ns}]}}"
        )
    };
    let own = pair(0, 1, "same L3 group", 20);
    let far = pair(1, 2, "other package", 70);
    let explained = |pairs: &[&str], says: &[&str]| {
        std::fs::write(&file, format!("[{}]", pairs.join(","))).unwrap();
        let mut place = lab();
        place.args(["place", &machine, "--threads=2", "--explain", "--latency"]);
        let output = place.arg(&file).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        // As single spaces, so that no width of a column counts.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for says in says {
            assert!(text.contains(says), "{says}: {text}");
        }
    };
    explained(
        &[],
        &[
            "distances: declared by the firmware, where 10 is local",
            "| 0 | 10 | 21 | | 1 | 21 | 10 |",
            "| spread | 2 | 2 | 2 | 0 | 50 % | 0 % | 1.55 | 1.00 |",
        ],
    );
    // From node 1 nothing can be said in times of its own.
    explained(
        &[&own, &far],
        &[
            "distances: measured, in times of the node's own; in brackets declared",
            "| 0 | 1.00 | 3.50 | | 1 | (21) | (10) |",
            // (1 + 3.5 + 2.1 + 1) / 4
            "| spread | 2 | 2 | 2 | 0 | 50 % | 0 % | 1.90 | 1.00 |",
        ],
    );
    let elsewhere = pair(0, 1, "same node", 20);
    std::fs::write(&file, format!("[{elsewhere}]")).unwrap();
    lab()
        .args(["place", &machine, "--latency"])
        .arg(&file)
        .assert()
        .code(2)
        .stderr(contains("latency.json: pair 1: found \"same node\" of CPUs 0 and 1, expected \"same L3 group\", as this machine has them"));
}
