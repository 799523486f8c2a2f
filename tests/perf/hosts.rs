//! Hosts from trees: a server, a part with two kinds of cores, a big and little Arm, and damaged ones.
use atomshard::perf::{Cpu, Host, Pmu};
use std::path::PathBuf;

/// A folder that goes with the value.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let name = format!("perf-{name}-{}", std::process::id());
        let tree = Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name));
        for (path, text) in files {
            let path = tree.0.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
            std::fs::write(path, text).expect("a file is written");
        }
        tree
    }

    fn host(&self, cpu: usize) -> Host {
        Host::of_tree(&self.0, cpu)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("the folder is removed");
    }
}

const UNITS: &str = "sys/bus/event_source/devices";

fn unit(name: &str, type_id: u32) -> Option<Pmu> {
    Some(Pmu {
        name: name.to_owned(),
        type_id,
        listed: None,
    })
}

#[test]
fn a_server_is_read() {
    let block = |cpu| {
        format!(
            "processor\t: {cpu}\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\n\
             model name\t: AMD EPYC: a name\nstepping\t: 1\n\n"
        )
    };
    let tree = Tree::new(
        "server",
        &[
            ("proc/cpuinfo", &(block(0) + &block(1))),
            ("proc/sys/kernel/perf_event_paranoid", "-1\n"),
            (&format!("{UNITS}/cpu/type"), "4\n"),
            (&format!("{UNITS}/cpu/events/cpu-cycles"), "event=0x76\n"),
            (&format!("{UNITS}/software/type"), "1\n"),
        ],
    );
    let host = tree.host(1);
    let cpu = Cpu::X86 {
        vendor: "AuthenticAMD".to_owned(),
        family: 25,
        model: 17,
    };
    assert_eq!((host.linux, host.cpu), (true, Some(cpu)));
    assert_eq!((host.pmu, host.paranoid), (unit("cpu", 4), Some(-1)));
    assert_eq!(tree.host(2).cpu, None, "there is no such CPU");
}

#[test]
fn the_unit_is_that_of_the_core() {
    let tree = Tree::new(
        "hybrid",
        &[
            (&format!("{UNITS}/cpu_core/type"), "4\n"),
            (&format!("{UNITS}/cpu_core/cpus"), "0-7\n"),
            (&format!("{UNITS}/cpu_atom/type"), "10\n"),
            (&format!("{UNITS}/cpu_atom/cpus"), "8-10,15\n"),
            (&format!("{UNITS}/uncore_imc_0/type"), "20\n"),
        ],
    );
    assert_eq!(tree.host(7).pmu, unit("cpu_core", 4));
    assert_eq!(tree.host(8).pmu, unit("cpu_atom", 10));
    assert_eq!(tree.host(15).pmu, unit("cpu_atom", 10));
    assert_eq!(tree.host(11).pmu, None);
}

#[test]
fn arm_has_an_implementer_and_a_part() {
    let cpuinfo = "processor\t: 0\nBogoMIPS\t: 50.00\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n\n\
                   processor\t: 1\nCPU implementer\t: 0x41\nCPU part\t: 0xd49\n";
    let tree = Tree::new(
        "arm",
        &[
            ("proc/cpuinfo", cpuinfo),
            (&format!("{UNITS}/armv8_pmuv3_0/type"), "8\n"),
            (&format!("{UNITS}/armv8_pmuv3_0/cpus"), "0\n"),
            (&format!("{UNITS}/armv8_pmuv3_1/type"), "9\n"),
            (&format!("{UNITS}/armv8_pmuv3_1/cpus"), "1\n"),
        ],
    );
    for (cpu, part, name, type_id) in [
        (0, 0xd0c, "armv8_pmuv3_0", 8),
        (1, 0xd49, "armv8_pmuv3_1", 9),
    ] {
        let host = tree.host(cpu);
        let expected = Cpu::Arm {
            implementer: 0x41,
            part,
        };
        assert_eq!((host.cpu, host.pmu), (Some(expected), unit(name, type_id)));
    }
}

/// As qemu's emulated CPUs show it.
#[test]
fn an_arm_unit_lists_its_common_events() {
    let file = |name| format!("{UNITS}/armv8_pmuv3/{name}");
    let tree = Tree::new(
        "listed",
        &[
            (&file("type"), "8\n"),
            (&file("events/cpu_cycles"), "event=0x0011\n"),
            (&file("events/inst_retired"), "event=0x0008\n"),
            (&file("events/damaged"), "event=0x\n"),
        ],
    );
    let unit = tree.host(0).pmu.expect("a unit");
    assert_eq!(unit.listed, Some([0x08, 0x11].into()));
}

#[test]
fn what_is_missing_or_damaged_is_not_known() {
    let tree = Tree::new("empty", &[("proc/uptime", "1")]);
    let host = tree.host(0);
    assert_eq!((host.cpu, host.pmu, host.paranoid), (None, None, None));
    let tree = Tree::new(
        "damaged",
        &[
            (
                "proc/cpuinfo",
                "processor : 0\nvendor_id : GenuineIntel\ncpu family : six\n",
            ),
            ("proc/sys/kernel/perf_event_paranoid", "low\n"),
            (&format!("{UNITS}/cpu/type"), "\n"),
        ],
    );
    let host = tree.host(0);
    assert_eq!((host.cpu, host.pmu, host.paranoid), (None, None, None));
}
