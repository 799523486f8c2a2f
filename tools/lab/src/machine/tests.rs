//! Machines from trees of files, with a stand-in for the kernel's counters.
use super::tree::Tree;
use super::{Fact, Machine, Row};
use atomshard::perf::{Attr, Members, Reading, System};
use std::io;
use tempfile::TempDir;

/// A kernel that refuses all with an error, or counts so much.
#[derive(Clone, Copy, Debug)]
struct Fake {
    refuses: Option<i32>,
    count: u64,
    /// Of 1,000 ns.
    running_ns: u64,
}

const COUNTS: Fake = Fake {
    refuses: None,
    count: 700,
    running_ns: 1000,
};

#[derive(Debug)]
struct FakeGroup(Fake, u64);

impl System for Fake {
    type Group = FakeGroup;

    fn group(&self) -> io::Result<FakeGroup> {
        Ok(FakeGroup(*self, 0))
    }

    fn probe(&self, _: &Attr) -> io::Result<()> {
        let error = self.refuses.map(io::Error::from_raw_os_error);
        error.map_or(Ok(()), Err)
    }
}

impl Members for FakeGroup {
    fn add(&mut self, attr: &Attr) -> io::Result<()> {
        self.0.probe(attr)
    }

    fn start(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn stop(&mut self) -> io::Result<()> {
        self.1 += 1;
        Ok(())
    }

    fn read(&mut self, _: usize) -> io::Result<Reading> {
        Ok(Reading {
            count: self.0.count * self.1,
            enabled_ns: 1000 * self.1,
            running_ns: self.0.running_ns * self.1,
        })
    }
}

/// What every Linux shows: two CPUs, both allowed, and who made them.
const COMMON: &[(&str, &str)] = &[
    ("sys/devices/system/cpu/online", "0-1\n"),
    (
        "sys/devices/system/cpu/cpu0/topology/physical_package_id",
        "0\n",
    ),
    ("sys/devices/system/cpu/cpu0/topology/core_id", "0\n"),
    ("sys/devices/system/cpu/cpu0/topology/core_cpus_list", "0\n"),
    (
        "sys/devices/system/cpu/cpu1/topology/physical_package_id",
        "0\n",
    ),
    ("sys/devices/system/cpu/cpu1/topology/core_id", "1\n"),
    ("sys/devices/system/cpu/cpu1/topology/core_cpus_list", "1\n"),
    ("proc/thread-self/schedstat", "1 2 3\n"),
    (
        "proc/self/status",
        "Cpus_allowed_list:\t0-1\nMems_allowed_list:\t0\nSeccomp:\t0\n",
    ),
    (
        "proc/cpuinfo",
        "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\nflags\t\t: fpu\n",
    ),
];

const QUIET: &[(&str, &str)] = &[
    ("sys/bus/event_source/devices/cpu/type", "4\n"),
    (
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
        "performance\n",
    ),
    (
        "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor",
        "performance\n",
    ),
    ("sys/devices/system/cpu/intel_pstate/no_turbo", "1\n"),
    ("sys/devices/system/cpu/smt/active", "0\n"),
    (
        "sys/kernel/mm/transparent_hugepage/enabled",
        "always [madvise] never\n",
    ),
    ("proc/sys/kernel/numa_balancing", "0\n"),
    ("proc/sys/kernel/nmi_watchdog", "0\n"),
    ("proc/sys/kernel/perf_event_paranoid", "1\n"),
    ("proc/stat", "cpu  10 0 10 80 0 0 0 0 0 0\ncpu0 1\n"),
    ("proc/loadavg", "0.04 0.10 0.09 1/80 99\n"),
];

const LOUD: &[(&str, &str)] = &[
    (
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
        "powersave\n",
    ),
    ("sys/devices/system/cpu/intel_pstate/no_turbo", "0\n"),
    ("sys/devices/system/cpu/smt/active", "1\n"),
    (
        "sys/kernel/mm/transparent_hugepage/enabled",
        "[always] madvise never\n",
    ),
    ("proc/sys/kernel/numa_balancing", "1\n"),
    ("proc/sys/kernel/nmi_watchdog", "1\n"),
    ("proc/stat", "cpu  10 0 10 78 0 0 0 2 0 0\n"),
    ("proc/loadavg", "1.50 0.70 0.09 3/80 99\n"),
    ("proc/thread-self/schedstat", "1 2 3\n"),
];

/// A guest's container: half of the CPUs, one and a half in time, and a filter.
const CONTAINER: &[(&str, &str)] = &[
    (
        "proc/cpuinfo",
        "processor\t: 0\nflags\t\t: fpu hypervisor\n",
    ),
    ("sys/class/dmi/id/sys_vendor", "QEMU\n"),
    (
        "proc/self/status",
        "Cpus_allowed_list:\t1\nMems_allowed_list:\t0\nSeccomp:\t2\n",
    ),
    ("proc/self/cgroup", "0::/job\n"),
    (
        "proc/self/mountinfo",
        "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
    ),
    ("sys/fs/cgroup/job/cpu.max", "150000 100000\n"),
    ("sys/devices/system/cpu/smt/active", "0\n"),
    ("proc/sys/kernel/perf_event_paranoid", "3\n"),
    ("proc/sys/kernel/nmi_watchdog", "1\n"),
];

const MANGLED: &[(&str, &str)] = &[
    ("sys/devices/system/cpu/online", "two\n"),
    ("sys/devices/system/cpu/intel_pstate/no_turbo", "2\n"),
    ("sys/devices/system/cpu/smt/active", "\n"),
    ("sys/kernel/mm/transparent_hugepage/enabled", "always\n"),
    ("proc/self/status", "Seccomp:\t7\n"),
    ("proc/sys/kernel/perf_event_paranoid", "x\n"),
    ("proc/stat", "cpu  1 2 3\n"),
    ("proc/loadavg", "busy\n"),
];

/// A machine of files; later ones replace earlier ones.
fn machine(parts: &[&[(&str, &str)]], system: &Fake) -> Machine {
    let folder = TempDir::new().unwrap();
    for (path, text) in parts.iter().copied().flatten() {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut machine = Machine::of(&Tree::of(folder.path()), system, &[]);
    // Errors of the library name the file with the folder in front.
    let front = folder.path().to_str().unwrap();
    for row in &mut machine.facts {
        if let Fact::Unavailable { reason } = &mut row.fact {
            *reason = reason.replace(front, "");
        }
    }
    machine
}

/// The rows that may disturb, in words. Paths in a tree begin with `/`.
fn lines(rows: &[Row]) -> Vec<String> {
    let line = |row: &Row| {
        let (name, state, remedy) = (&row.name, row.state(), &row.remedy);
        let line = format!("{name} | {state} | {} | {remedy}", row.disturbs?.words());
        Some(line.trim_end().to_owned())
    };
    rows.iter().filter_map(line).collect()
}

fn are(rows: &[Row], expected: &str) {
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    let found = lines(rows);
    assert_eq!(found, expected, "found:\n{}\n", found.join("\n"));
}

#[test]
fn a_quiet_machine_has_nothing_to_change() {
    let machine = machine(&[COMMON, QUIET], &COUNTS);
    are(
        &machine.facts,
        "virtual machine | none seen | nothing |
        frequency governor | performance | nothing |
        turbo | off | nothing |
        SMT | off | nothing |
        allowed CPUs | 0-1: all that are online | nothing |
        quota of CPU time | none | nothing |
        time stolen by the host | 0.00 % since boot | nothing |
        load, 1 and 5 minutes | 0.04, 0.10 | nothing |
        run-queue waits | read after each round; rounds whose threads had to wait are repeated | nothing |
        transparent huge pages | madvise | nothing |
        NUMA balancing | off | nothing |",
    );
    are(
        &machine.counters,
        "PMU | cpu, type 4 | nothing |
        kernel.perf_event_paranoid | 1; it forbade no role below | nothing |
        NMI watchdog | off | nothing |
        seccomp | off; it blocked no role below | nothing |
        cycles | 700 in 100,000 steps of a loop | nothing |
        instructions | 700 in 100,000 steps of a loop | nothing |
        l1_miss | 700 in two passes over 40 MiB | nothing |
        llc_miss | 700 in two passes over 40 MiB | nothing |
        local_hitm | 700 in 100,000 additions without a second CPU | nothing |
        remote_hitm | 700 in 100,000 additions without a second CPU | nothing |
        rfo_hitm | 700 in 100,000 additions without a second CPU | nothing |
        remote_fill | 700 in two passes over 40 MiB | nothing |
        dram_remote | 700 in two passes over 40 MiB | nothing |
        locked_ops | 700 in 100,000 atomic additions | nothing |
        context_switches | 700 in 10 sleeps | nothing |
        migrations | 700 in work without a second CPU | nothing |
        faults | 700 in 40 MiB of new memory | nothing |",
    );
}

#[test]
fn a_loud_machine_is_told_what_to_change() {
    let machine = machine(&[COMMON, QUIET, LOUD], &COUNTS);
    are(
        &machine.facts,
        "virtual machine | none seen | nothing |
        frequency governor | performance, powersave | measuring | sudo cpupower frequency-set -g performance
        turbo | on | measuring | sudo sh -c 'echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo'
        SMT | on: two threads may share a core | measuring | sudo sh -c 'echo off > /sys/devices/system/cpu/smt/control'
        allowed CPUs | 0-1: all that are online | nothing |
        quota of CPU time | none | nothing |
        time stolen by the host | 2.00 % since boot | measuring | ask the host for CPUs that it gives to nobody else
        load, 1 and 5 minutes | 1.50, 0.70 | measuring | end what top shows
        run-queue waits | read after each round; rounds whose threads had to wait are repeated | nothing |
        transparent huge pages | always | measuring | sudo sh -c 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled'
        NUMA balancing | on (1) | measuring and counting | sudo sysctl kernel.numa_balancing=0",
    );
    are(
        &machine.counters[2..3],
        "NMI watchdog | on: it takes one counter of each CPU | counting | sudo sysctl kernel.nmi_watchdog=0",
    );
}

#[test]
fn a_container_in_a_guest_is_told_whom_to_ask() {
    const EACCES: i32 = 13;
    let fake = Fake {
        refuses: Some(EACCES),
        ..COUNTS
    };
    let machine = machine(&[COMMON, CONTAINER], &fake);
    are(
        &machine.facts,
        "virtual machine | yes (QEMU) | unknown | ask the host who else runs on its CPUs
        frequency governor | unavailable: there is no /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor | unknown | ask the host
        turbo | unavailable: there is no /sys/devices/system/cpu/cpufreq/boost | unknown | ask the host
        SMT | off, as the host shows it | unknown | ask the host
        allowed CPUs | 1 of 0-1 online | measuring | taskset -c 0-1 atomshard; in a container: --cpuset-cpus=0-1
        quota of CPU time | 1.50 CPUs: 150000 us in each 100000 us | measuring | write max to cpu.max of the control group, or -1 to cpu.cfs_quota_us; start a container without --cpus
        time stolen by the host | unavailable: there is no /proc/stat | unknown | vmstat shows it where /proc is there
        load, 1 and 5 minutes | unavailable: there is no /proc/loadavg | unknown | look at top before a run
        run-queue waits | read after each round; rounds whose threads had to wait are repeated | nothing |
        transparent huge pages | unavailable: there is no /sys/kernel/mm/transparent_hugepage/enabled | unknown | a kernel with CONFIG_TRANSPARENT_HUGEPAGE has them; without it there are none
        NUMA balancing | unavailable: there is no /proc/sys/kernel/numa_balancing | unknown | a kernel with CONFIG_NUMA_BALANCING has it; without it there is none",
    );
    are(
        &machine.counters[..7],
        "PMU | unavailable: no unit of a core in /sys/bus/event_source/devices | counting | ask the host to pass the performance counters on
        kernel.perf_event_paranoid | 3; a role below was forbidden | counting | sudo sysctl kernel.perf_event_paranoid=1; in a container: on its host
        NMI watchdog | on, without a PMU to take from | nothing |
        seccomp | a filter; it blocked no role below | nothing |
        cycles | unavailable: this process may not count at all (error 13, kernel.perf_event_paranoid is 3) | counting | set kernel.perf_event_paranoid to 2 or less, or give the process CAP_PERFMON
        instructions | unavailable: this process may not count at all (error 13, kernel.perf_event_paranoid is 3) | counting | set kernel.perf_event_paranoid to 2 or less, or give the process CAP_PERFMON
        l1_miss | unavailable: no row of the table is for this CPU and role | counting | add a row for this CPU and role to the table",
    );
    are(
        &machine.counters[14..15],
        "context_switches | unavailable: this process may not count in the kernel (error 13, kernel.perf_event_paranoid is 3) | counting | set kernel.perf_event_paranoid to 1 or less, or give the process CAP_PERFMON",
    );
}

#[test]
fn a_quota_of_version_1_is_seen() {
    let version_1 = &[
        ("proc/self/cgroup", "4:cpu,cpuacct:/job\n"),
        (
            "proc/self/mountinfo",
            "31 23 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n",
        ),
        ("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "50000\n"),
        ("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n"),
    ];
    let machine = machine(&[COMMON, QUIET, version_1], &COUNTS);
    let quota = machine
        .facts
        .iter()
        .find(|row| row.name == "quota of CPU time");
    let state = quota.map(Row::state);
    assert_eq!(
        state.as_deref(),
        Some("0.50 CPUs: 50000 us in each 100000 us")
    );
}

#[test]
fn missing_files_have_a_reason_and_a_remedy() {
    const ENOSYS: i32 = 38;
    let fake = Fake {
        refuses: Some(ENOSYS),
        ..COUNTS
    };
    let machine = machine(&[], &fake);
    are(
        &machine.facts,
        "virtual machine | unavailable: there is no /proc/cpuinfo | unknown | mount /proc
        frequency governor | unavailable: there is no /sys/devices/system/cpu/online | unknown | load the frequency driver of this CPU: sudo modprobe acpi-cpufreq
        turbo | unavailable: there is no /sys/devices/system/cpu/cpufreq/boost | unknown | look for turbo or boost in the firmware's setup
        SMT | unavailable: there is no /sys/devices/system/cpu/smt/active | unknown | lscpu -e shows which CPUs share a core
        allowed CPUs | unavailable: /sys/devices/system/cpu/online, byte 0: found no such file, expected the list of CPUs that are online | unknown | measure on a Linux that shows /sys and /proc
        quota of CPU time | unavailable: /sys/devices/system/cpu/online, byte 0: found no such file, expected the list of CPUs that are online | unknown | measure on a Linux that shows /sys and /proc
        time stolen by the host | unavailable: there is no /proc/stat | unknown | vmstat shows it where /proc is there
        load, 1 and 5 minutes | unavailable: there is no /proc/loadavg | unknown | look at top before a run
        run-queue waits | unavailable: there is no /proc/thread-self/schedstat | unknown | only the overlap of the threads is checked; Linux with CONFIG_SCHED_INFO has the file
        transparent huge pages | unavailable: there is no /sys/kernel/mm/transparent_hugepage/enabled | unknown | a kernel with CONFIG_TRANSPARENT_HUGEPAGE has them; without it there are none
        NUMA balancing | unavailable: there is no /proc/sys/kernel/numa_balancing | unknown | a kernel with CONFIG_NUMA_BALANCING has it; without it there is none",
    );
    are(
        &machine.counters[..5],
        "PMU | unavailable: no unit of a core in /sys/bus/event_source/devices | counting | ls /sys/bus/event_source/devices; a kernel with CONFIG_PERF_EVENTS lists them
        kernel.perf_event_paranoid | unavailable: there is no /proc/sys/kernel/perf_event_paranoid | unknown | a kernel with CONFIG_PERF_EVENTS has it
        NMI watchdog | unavailable: there is no /proc/sys/kernel/nmi_watchdog | unknown | a kernel with CONFIG_HARDLOCKUP_DETECTOR has it; without it there is none
        seccomp | unavailable: there is no /proc/self/status | unknown | a kernel with CONFIG_SECCOMP has it; without it there is none
        cycles | unavailable: `perf_event_open` is blocked or not built in (error 38) | counting | allow `perf_event_open` in the container's seccomp profile, or count outside of it",
    );
}

#[test]
fn mangled_files_are_quoted() {
    let machine = machine(&[COMMON, QUIET, MANGLED], &COUNTS);
    are(
        &machine.facts,
        "virtual machine | none seen | nothing |
        frequency governor | performance | nothing |
        turbo | unavailable: /sys/devices/system/cpu/intel_pstate/no_turbo: expected 0 or 1, found \"2\" | unknown | cat /sys/devices/system/cpu/intel_pstate/no_turbo
        SMT | unavailable: /sys/devices/system/cpu/smt/active: expected a line, found \"\" | unknown | cat /sys/devices/system/cpu/smt/active
        allowed CPUs | unavailable: /sys/devices/system/cpu/online, byte 0: found \"two\", expected a number below 65536 | unknown | measure on a Linux that shows /sys and /proc
        quota of CPU time | unavailable: /sys/devices/system/cpu/online, byte 0: found \"two\", expected a number below 65536 | unknown | measure on a Linux that shows /sys and /proc
        time stolen by the host | unavailable: /proc/stat: expected `cpu` and eight numbers, found \"cpu  1 2 3\" | unknown | cat /proc/stat
        load, 1 and 5 minutes | unavailable: /proc/loadavg: expected two numbers, found \"busy\" | unknown | cat /proc/loadavg
        run-queue waits | read after each round; rounds whose threads had to wait are repeated | nothing |
        transparent huge pages | unavailable: /sys/kernel/mm/transparent_hugepage/enabled: expected a word in brackets, found \"always\" | unknown | cat /sys/kernel/mm/transparent_hugepage/enabled
        NUMA balancing | off | nothing |",
    );
    are(
        &machine.counters[..4],
        "PMU | cpu, type 4 | nothing |
        kernel.perf_event_paranoid | unavailable: /proc/sys/kernel/perf_event_paranoid: expected a number, found \"x\" | unknown | cat /proc/sys/kernel/perf_event_paranoid
        NMI watchdog | off | nothing |
        seccomp | unavailable: /proc/self/status: expected 0, 1 or 2, found \"7\" | unknown | cat /proc/self/status",
    );
}

#[test]
fn a_filter_that_blocks_is_told_from_one_that_does_not() {
    const EPERM: i32 = 1;
    let filter = &[(
        "proc/self/status",
        "Cpus_allowed_list:\t0-1\nMems_allowed_list:\t0\nSeccomp:\t2\n",
    )];
    let fake = Fake {
        refuses: Some(EPERM),
        ..COUNTS
    };
    let blocked = machine(&[COMMON, QUIET, filter], &fake);
    are(
        &blocked.counters[1..5],
        "kernel.perf_event_paranoid | 1; it forbade no role below | nothing |
        NMI watchdog | off | nothing |
        seccomp | a filter; perf_event_open is blocked | counting | docker run --security-opt seccomp=PROFILE, one that allows perf_event_open
        cycles | unavailable: `perf_event_open` is blocked or not built in (error 1) | counting | allow `perf_event_open` in the container's seccomp profile, or count outside of it",
    );
    let passed = machine(&[COMMON, QUIET, filter], &COUNTS);
    are(
        &passed.counters[3..4],
        "seccomp | a filter; it blocked no role below | nothing |",
    );
}

#[test]
fn nothing_counted_and_a_part_counted_are_told_apart() {
    let nothing = Fake { count: 0, ..COUNTS };
    let nothing = machine(&[COMMON, QUIET], &nothing);
    are(
        &nothing.counters[4..5],
        "cycles | unavailable: opened, and counted nothing in 100,000 steps of a loop | counting | compare with perf stat",
    );
    are(
        &nothing.counters[7..8],
        "llc_miss | opened; 0 in two passes over 40 MiB, which may have none | unknown | compare with work that has them",
    );
    let half = Fake {
        running_ns: 500,
        ..COUNTS
    };
    let half = machine(&[COMMON, QUIET], &half);
    are(
        &half.counters[4..5],
        "cycles | 1400 in 100,000 steps of a loop, from 50 % of the time | counting | end other programs that count, such as perf",
    );
}

#[test]
fn another_system_says_what_it_lacks() {
    let mut tree = Tree::of("/nowhere".as_ref());
    tree.is_linux = false;
    let machine = Machine::of(&tree, &COUNTS, &[]);
    let rows = [lines(&machine.facts), lines(&machine.counters)].concat();
    // The load has a value on other systems too.
    let rows = rows.iter().filter(|row| !row.starts_with("load"));
    for row in rows {
        assert!(row.contains("nly Linux"), "{row}");
    }
    assert!(!lines(&machine.facts).is_empty());
}
