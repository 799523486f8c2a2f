//! What can be counted here: found out by counting a known piece of work for each role.
use super::tree::{Tree, Unread};
use super::{Disturbs, Row};
use atomshard::perf::{Host, Plan, Reason, Role, System, Table, Value};
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use core_affinity::{CoreId, set_for_current};

/// What a guest without counters does.
const HOST: &str = "ask the host to pass the performance counters on";

/// What decides about counting, and each role.
pub(super) fn rows<S: System + Sync>(
    tree: &Tree,
    system: &S,
    cpus: &[CoreId],
    is_guest: bool,
) -> Vec<Row> {
    let mut host = Host::of_tree(tree.root(), cpus.first().map_or(0, |cpu| cpu.id));
    host.linux = tree.is_linux && cfg!(target_pointer_width = "64");
    // A thread of its own: it is pinned to the CPU that the host was asked for, and ends.
    let trial = || {
        if let Some(cpu) = cpus.first() {
            set_for_current(*cpu);
        }
        let table = Table::shipped();
        Role::ALL.map(|role| (role, count(system, (&table, &host), role, cpus)))
    };
    let values = std::thread::scope(|scope| scope.spawn(trial).join());
    let values = values.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let is_refused = |of: fn(&Reason) -> bool| {
        let mut values = values.iter();
        values.any(|(_, value)| value.measured().is_err_and(|why| of(&why.reason)))
    };
    let is_forbidden = is_refused(|reason| matches!(reason, Reason::Forbidden { .. }));
    let is_blocked = is_refused(|reason| matches!(reason, Reason::Seccomp { .. }));
    let mut rows = vec![
        unit(tree, &host, is_guest),
        level(tree, is_forbidden),
        watchdog(tree, &host),
        seccomp(tree, is_blocked),
    ];
    rows.extend(
        values
            .iter()
            .map(|(role, value)| row(*role, value, cpus, is_guest)),
    );
    rows
}

fn unit(tree: &Tree, host: &Host, is_guest: bool) -> Row {
    const NAME: &str = "PMU";
    match &host.pmu {
        Some(unit) => Row::quiet(NAME, format!("{}, type {}", unit.name, unit.type_id)),
        None if !tree.is_linux => Row::unread(NAME, Unread::elsewhere("a list of units"), ""),
        None => {
            let reason = "no unit of a core in /sys/bus/event_source/devices".to_owned();
            let remedy = if is_guest {
                HOST
            } else {
                "ls /sys/bus/event_source/devices; a kernel with CONFIG_PERF_EVENTS lists them"
            };
            Row::uncounted(NAME, reason, remedy)
        }
    }
}

fn level(tree: &Tree, is_forbidden: bool) -> Row {
    const NAME: &str = "kernel.perf_event_paranoid";
    match tree.number("proc/sys/kernel/perf_event_paranoid") {
        Err(why) => Row::unread(NAME, why, "a kernel with CONFIG_PERF_EVENTS has it"),
        Ok(level) if is_forbidden => {
            let remedy = "sudo sysctl kernel.perf_event_paranoid=1; in a container: on its host";
            let state = format!("{level}; a role below was forbidden");
            Row::is(NAME, state, Disturbs::Counting, remedy)
        }
        Ok(level) => Row::quiet(NAME, format!("{level}; it forbade no role below")),
    }
}

fn watchdog(tree: &Tree, host: &Host) -> Row {
    const NAME: &str = "NMI watchdog";
    let path = "proc/sys/kernel/nmi_watchdog";
    match tree.number(path) {
        Err(why) => {
            let remedy =
                "a kernel with CONFIG_HARDLOCKUP_DETECTOR has it; without it there is none";
            Row::unread(NAME, why, remedy)
        }
        Ok(0) => Row::quiet(NAME, "off"),
        Ok(_) if host.pmu.is_none() => Row::quiet(NAME, "on, without a PMU to take from"),
        Ok(_) => {
            let state = "on: it takes one counter of each CPU";
            let remedy = "sudo sysctl kernel.nmi_watchdog=0";
            Row::is(NAME, state, Disturbs::Counting, remedy)
        }
    }
}

fn seccomp(tree: &Tree, is_blocked: bool) -> Row {
    const NAME: &str = "seccomp";
    let path = "proc/self/status";
    let mode = match tree.field(path, "Seccomp") {
        Ok(mode) => mode,
        Err(why) => {
            let remedy = "a kernel with CONFIG_SECCOMP has it; without it there is none";
            return Row::unread(NAME, why, remedy);
        }
    };
    let state = match mode.as_str() {
        "0" => "off",
        "1" => "strict",
        "2" => "a filter",
        _ => return Row::unread(NAME, Unread::mangled(path, "0, 1 or 2", &mode), ""),
    };
    if !is_blocked {
        return Row::quiet(NAME, format!("{state}; it blocked no role below"));
    }
    let remedy = "docker run --security-opt seccomp=PROFILE, one that allows perf_event_open";
    let state = format!("{state}; perf_event_open is blocked");
    Row::is(NAME, state, Disturbs::Counting, remedy)
}

/// Counts one role alone, so that no other takes its counter.
fn count<S: System>(
    system: &S,
    (table, host): (&Table, &Host),
    role: Role,
    cpus: &[CoreId],
) -> Value {
    let plan = Plan::new(table, host, &[role], 1);
    if let Some((_, why)) = plan.missing().first() {
        return Value::Unavailable(why.clone());
    }
    let values = plan.groups().iter().flat_map(|group| {
        let mut counters = group.open(system, host);
        counters.count(|| work(role, cpus)).1
    });
    values
        .map(|(_, value)| value)
        .next()
        .unwrap_or(Value::Unavailable(Reason::NoRun.into()))
}

fn row(role: Role, value: &Value, cpus: &[CoreId], is_guest: bool) -> Row {
    let (words, is_sure) = known(role, cpus);
    let name = role.name();
    let measured = match value {
        Value::Measured(measured) => measured,
        Value::Unavailable(why) => {
            let remedy = match &why.reason {
                Reason::NoPmu if is_guest => HOST,
                _ => why.remedy.as_str(),
            };
            return Row::uncounted(name, why.reason.to_string(), remedy);
        }
    };
    if measured.count == 0 && is_sure {
        let reason = format!("opened, and counted nothing in {words}");
        let remedy = if is_guest {
            "ask the host whether it passes this event on"
        } else {
            "compare with perf stat"
        };
        return Row::uncounted(name, reason, remedy);
    }
    if measured.count == 0 {
        let state = format!("opened; 0 in {words}, which may have none");
        let remedy = "compare with work that has them";
        return Row::is(name, state, Disturbs::Unknown, remedy);
    }
    let state = format!("{} in {words}", measured.count);
    if !measured.is_scaled() {
        return Row::quiet(name, state);
    }
    let part = 100.0 * measured.running_ratio();
    let state = format!("{state}, from {part:.0} % of the time");
    let remedy = "end other programs that count, such as perf";
    Row::is(name, state, Disturbs::Counting, remedy)
}

/// Steps of a loop, and additions to a word.
const STEPS: u64 = 100_000;
/// Sleeps, and moves to another CPU.
const TIMES: usize = 10;
/// More than any block that malloc keeps for reuse, so its pages are new each time.
const BLOCK_BYTES: usize = 40 << 20;

/// The work for a role in words, and whether it surely has what is counted.
fn known(role: Role, cpus: &[CoreId]) -> (&'static str, bool) {
    let has_another = cpus.len() > 1;
    match role {
        Role::Cycles | Role::Instructions => ("100,000 steps of a loop", true),
        Role::LockedOps => ("100,000 atomic additions", true),
        Role::ContextSwitches => ("10 sleeps", true),
        Role::Faults => ("40 MiB of new memory", true),
        Role::Migrations if has_another => ("10 moves to another CPU", true),
        Role::Migrations => ("work without a second CPU", false),
        Role::LocalHitm | Role::RemoteHitm | Role::RfoHitm if has_another => {
            ("100,000 additions to a line that another CPU writes", false)
        }
        Role::LocalHitm | Role::RemoteHitm | Role::RfoHitm => {
            ("100,000 additions without a second CPU", false)
        }
        Role::L1Miss => ("two passes over 40 MiB", true),
        // The last level may hold all of it, and other nodes may have none.
        _ => ("two passes over 40 MiB", false),
    }
}

fn work(role: Role, cpus: &[CoreId]) {
    match role {
        Role::Cycles | Role::Instructions => {
            black_box((0..STEPS).fold(0, |sum, step| black_box(sum) ^ step));
        }
        Role::LockedOps => contend(None),
        Role::ContextSwitches => {
            for _ in 0..TIMES {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
        Role::Migrations => {
            if let [here, there, ..] = cpus {
                for cpu in [there, here].iter().cycle().take(TIMES) {
                    set_for_current(**cpu);
                }
            }
        }
        Role::LocalHitm | Role::RemoteHitm | Role::RfoHitm => contend(cpus.get(1)),
        _ => pass_twice(),
    }
}

/// Adds to a word, while another CPU does so too if there is one.
fn contend(other: Option<&CoreId>) {
    // Relaxed, all of it: the words are for their lines' sake, and nothing else is shared.
    let (word, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        if let Some(cpu) = other {
            let (word, is_over) = (&word, &is_over);
            scope.spawn(move || {
                set_for_current(*cpu);
                while !is_over.load(Relaxed) {
                    word.fetch_add(1, Relaxed);
                }
            });
            while word.load(Relaxed) == 0 {
                std::thread::yield_now();
            }
        }
        for _ in 0..STEPS {
            black_box(word.fetch_add(1, Relaxed));
        }
        is_over.store(true, Relaxed);
    });
}

fn pass_twice() {
    let mut block = vec![0_u8; BLOCK_BYTES];
    for _ in 0..2 {
        // A line has 64 bytes, or 128.
        for byte in block.iter_mut().step_by(64) {
            *byte = black_box(*byte).wrapping_add(1);
        }
    }
    black_box(block);
}
