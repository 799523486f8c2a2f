//! What makes two runs of the same work differ: frequencies, neighbours, limits, the kernel's own doings.
use super::tree::{Tree, Unread};
use super::{Disturbs, Row};
use atomshard::topology::{CpuSet, Machine as Topology};
use std::collections::BTreeSet;

const CPUS: &str = "sys/devices/system/cpu";
/// In front of each remedy that a guest cannot carry out.
const HOST: &str = "ask the host";

/// One row for each thing.
pub(super) fn rows(tree: &Tree, is_guest: bool) -> Vec<Row> {
    let mut rows = vec![
        governor(tree, is_guest),
        boost(tree, is_guest),
        smt(tree, is_guest),
    ];
    rows.extend(limits(tree));
    rows.extend([
        stolen(tree),
        load(tree),
        run_queue(tree),
        huge_pages(tree),
        balancing(tree),
    ]);
    rows
}

fn governor(tree: &Tree, is_guest: bool) -> Row {
    const NAME: &str = "frequency governor";
    let mut governors = BTreeSet::new();
    let mut missing = None;
    for cpu in tree.numbered(CPUS, "cpu") {
        match tree.line(&format!("{cpu}/cpufreq/scaling_governor")) {
            Ok(governor) => _ = governors.insert(governor),
            Err(reason) => missing = missing.or(Some(reason)),
        }
    }
    if governors.is_empty() {
        let reason = missing.or_else(|| tree.line(&format!("{CPUS}/online")).err());
        let reason = reason.unwrap_or_else(|| Unread {
            reason: format!("/{CPUS} has no CPU"),
            remedy: None,
        });
        let remedy = if is_guest {
            HOST
        } else {
            "load the frequency driver of this CPU: sudo modprobe acpi-cpufreq"
        };
        return Row::unread(NAME, reason, remedy);
    }
    let is_fixed = governors.iter().all(|governor| governor == "performance");
    let state = governors.into_iter().collect::<Vec<_>>().join(", ");
    if is_fixed {
        return Row::quiet(NAME, state);
    }
    let remedy = "sudo cpupower frequency-set -g performance";
    Row::is(NAME, state, Disturbs::Measuring, remedy)
}

fn boost(tree: &Tree, is_guest: bool) -> Row {
    const NAME: &str = "turbo";
    // One driver says how it is, the others the opposite.
    let intel = "sys/devices/system/cpu/intel_pstate/no_turbo";
    let common = "sys/devices/system/cpu/cpufreq/boost";
    let (path, on, off) = if tree.text(intel).is_ok() {
        (intel, 0, 1)
    } else {
        (common, 1, 0)
    };
    match tree.number(path) {
        Ok(state) if state == off => Row::quiet(NAME, "off"),
        Ok(state) if state == on => {
            let remedy = format!("sudo sh -c 'echo {off} > /{path}'");
            Row::is(NAME, "on", Disturbs::Measuring, &remedy)
        }
        Ok(state) => Row::unread(
            NAME,
            Unread::mangled(path, "0 or 1", &state.to_string()),
            "",
        ),
        Err(reason) if is_guest => Row::unread(NAME, reason, HOST),
        Err(reason) => Row::unread(
            NAME,
            reason,
            "look for turbo or boost in the firmware's setup",
        ),
    }
}

fn smt(tree: &Tree, is_guest: bool) -> Row {
    const NAME: &str = "SMT";
    let path = "sys/devices/system/cpu/smt/active";
    match tree.number(path) {
        Ok(0) if is_guest => Row::is(NAME, "off, as the host shows it", Disturbs::Unknown, HOST),
        Ok(0) => Row::quiet(NAME, "off"),
        Ok(1) => {
            let state = "on: two threads may share a core";
            let remedy = if is_guest {
                HOST
            } else {
                "sudo sh -c 'echo off > /sys/devices/system/cpu/smt/control'"
            };
            Row::is(NAME, state, Disturbs::Measuring, remedy)
        }
        Ok(state) => Row::unread(
            NAME,
            Unread::mangled(path, "0 or 1", &state.to_string()),
            "",
        ),
        Err(reason) if is_guest => Row::unread(NAME, reason, HOST),
        Err(reason) => Row::unread(NAME, reason, "lscpu -e shows which CPUs share a core"),
    }
}

/// What the process may use: CPUs and CPU time.
fn limits(tree: &Tree) -> [Row; 2] {
    const CPUSET: &str = "allowed CPUs";
    const QUOTA: &str = "quota of CPU time";
    let topology = if tree.is_linux {
        Topology::of_sysfs(tree.root()).map_err(|error| Unread {
            reason: error.to_string(),
            remedy: None,
        })
    } else {
        Err(Unread::elsewhere("/sys and /proc"))
    };
    let topology = match topology {
        Ok(topology) => topology,
        Err(reason) => {
            let remedy = "measure on a Linux that shows /sys and /proc";
            return [CPUSET, QUOTA].map(|name| Row::unread(name, reason.clone(), remedy));
        }
    };
    let online: CpuSet = topology.pus().iter().map(|pu| pu.cpu).collect();
    let allowed = topology.allowed();
    let cpuset = if online.is_subset(allowed) {
        Row::quiet(CPUSET, format!("{online}: all that are online"))
    } else {
        let state = format!("{allowed} of {online} online");
        let remedy =
            format!("taskset -c {online} atomshard; in a container: --cpuset-cpus={online}");
        Row::is(CPUSET, state, Disturbs::Measuring, &remedy)
    };
    let quota = match topology.quota() {
        None => Row::quiet(QUOTA, "none"),
        Some(quota) => {
            let state = format!(
                "{:.2} CPUs: {} us in each {} us",
                quota.quota_us as f64 / quota.period_us as f64,
                quota.quota_us,
                quota.period_us
            );
            let remedy = "write max to cpu.max of the control group, or -1 to cpu.cfs_quota_us; \
                          start a container without --cpus";
            Row::is(QUOTA, state, Disturbs::Measuring, remedy)
        }
    };
    [cpuset, quota]
}

fn stolen(tree: &Tree) -> Row {
    const NAME: &str = "time stolen by the host";
    let path = "proc/stat";
    let line = match tree.line(path) {
        Ok(line) => line,
        Err(reason) => return Row::unread(NAME, reason, "vmstat shows it where /proc is there"),
    };
    // user nice system idle iowait irq softirq steal; the guests' time is in user and nice too.
    let ticks: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .take(8)
        .map_while(|word| word.parse().ok())
        .collect();
    let Some(steal) = ticks.get(7).filter(|_| line.starts_with("cpu ")) else {
        let reason = Unread::mangled(path, "`cpu` and eight numbers", &line);
        return Row::unread(NAME, reason, "");
    };
    let total: u128 = ticks.iter().copied().map(u128::from).sum();
    let state = format!(
        "{:.2} % since boot",
        100.0 * *steal as f64 / total.max(1) as f64
    );
    if *steal == 0 {
        return Row::quiet(NAME, state);
    }
    let remedy = "ask the host for CPUs that it gives to nobody else";
    Row::is(NAME, state, Disturbs::Measuring, remedy)
}

fn load(tree: &Tree) -> Row {
    const NAME: &str = "load, 1 and 5 minutes";
    const REMEDY: &str = "end what top shows";
    // Half of a CPU: from there on one more thread runs than the lab starts, rounded.
    const MOST: f64 = 0.5;
    let path = "proc/loadavg";
    let averages = if tree.is_linux {
        tree.line(path).and_then(|line| {
            let mut words = line
                .split_whitespace()
                .map_while(|word| word.parse::<f64>().ok());
            let averages = words.next().zip(words.next());
            averages.ok_or_else(|| Unread::mangled(path, "two numbers", &line))
        })
    } else {
        let load = sysinfo::System::load_average();
        load.map(|load| (load.one, load.five))
            .map_err(|_| Unread::elsewhere("/proc/loadavg"))
    };
    match averages {
        Err(reason) => Row::unread(NAME, reason, "look at top before a run"),
        Ok((one, five)) => {
            let state = format!("{one:.2}, {five:.2}");
            if one < MOST {
                Row::quiet(NAME, state)
            } else {
                Row::is(NAME, state, Disturbs::Measuring, REMEDY)
            }
        }
    }
}

fn run_queue(tree: &Tree) -> Row {
    const NAME: &str = "run-queue waits";
    match tree.text("proc/thread-self/schedstat") {
        Ok(_) => {
            let state = "read after each round; rounds whose threads had to wait are repeated";
            Row::quiet(NAME, state)
        }
        Err(reason) => {
            let remedy = "only the overlap of the threads is checked; Linux with \
                          CONFIG_SCHED_INFO has the file";
            Row::unread(NAME, reason, remedy)
        }
    }
}

fn huge_pages(tree: &Tree) -> Row {
    const NAME: &str = "transparent huge pages";
    let path = "sys/kernel/mm/transparent_hugepage/enabled";
    let line = match tree.line(path) {
        Ok(line) => line,
        Err(reason) => {
            let remedy =
                "a kernel with CONFIG_TRANSPARENT_HUGEPAGE has them; without it there are none";
            return Row::unread(NAME, reason, remedy);
        }
    };
    let chosen = line
        .split_once('[')
        .and_then(|(_, rest)| Some(rest.split_once(']')?.0));
    match chosen {
        None => Row::unread(NAME, Unread::mangled(path, "a word in brackets", &line), ""),
        // The kernel makes them in the background, while the maps run.
        Some("always") => {
            let remedy = format!("sudo sh -c 'echo madvise > /{path}'");
            Row::is(NAME, "always", Disturbs::Measuring, &remedy)
        }
        Some(chosen) => Row::quiet(NAME, chosen),
    }
}

fn balancing(tree: &Tree) -> Row {
    const NAME: &str = "NUMA balancing";
    match tree.number("proc/sys/kernel/numa_balancing") {
        Ok(0) => Row::quiet(NAME, "off"),
        // It takes pages away to see who comes for them: faults, and moves of memory.
        Ok(mode) => Row::is(
            NAME,
            format!("on ({mode})"),
            Disturbs::MeasuringAndCounting,
            "sudo sysctl kernel.numa_balancing=0",
        ),
        Err(reason) => {
            let remedy = "a kernel with CONFIG_NUMA_BALANCING has it; without it there is none";
            Row::unread(NAME, reason, remedy)
        }
    }
}
