//! `topo` and `place` by their program: what they draw and print of machines that are described.
use assert_cmd::Command;
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
    let write = |file: &str, text: &str| {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let cpus = "sys/devices/system/cpu";
    write(&format!("{cpus}/online"), "0-2\n");
    write(&format!("{cpus}/offline"), "3\n");
    write(&format!("{cpus}/isolated"), "1\n");
    for cpu in 0..3 {
        let topology = format!("{cpus}/cpu{cpu}/topology");
        write(&format!("{topology}/physical_package_id"), "0\n");
        write(&format!("{topology}/core_id"), &format!("{cpu}\n"));
        write(&format!("{topology}/core_cpus_list"), &format!("{cpu}\n"));
    }
    write(
        "proc/self/status",
        "Cpus_allowed_list:\t0-1\nMems_allowed_list:\t0\n",
    );
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
