//! What the machine is made of.
use super::tree::{Tree, Unread};
use super::{Disturbs, Row};

const CPU0: &str = "sys/devices/system/cpu/cpu0/cache";

/// The CPU's name.
pub(super) fn cpu() -> String {
    let system = sysinfo::System::new().ok().map(|mut system| {
        system.refresh_cpu_all();
        system
    });
    system
        .as_ref()
        .and_then(|system| system.cpus().first())
        .map(|cpu| cpu.brand().trim().to_owned())
        .filter(|brand| !brand.is_empty())
        .unwrap_or_else(|| format!("a CPU of unknown name ({})", std::env::consts::ARCH))
}

/// Whether a hypervisor shows itself. On Arm none does.
pub(super) fn is_guest(tree: &Tree) -> bool {
    let flags = tree.field("proc/cpuinfo", "flags").unwrap_or_default();
    flags.split_whitespace().any(|flag| flag == "hypervisor")
}

pub(super) fn rows(tree: &Tree, processors: usize) -> Vec<Row> {
    let usable = match sysinfo::System::physical_core_count() {
        Ok(cores) => format!("{processors} usable, {cores} cores in the machine"),
        Err(_) => format!("{processors} usable"),
    };
    let untold = || Unread {
        reason: "the system does not tell".to_owned(),
        remedy: None,
    };
    let kernel = sysinfo::System::kernel_version()
        .ok()
        .map(|version| format!("{} {version}", std::env::consts::OS));
    vec![
        Row::describes("architecture", Ok(std::env::consts::ARCH.to_owned())),
        Row::describes("processors", Ok(usable)),
        Row::describes("caches", caches(tree)),
        Row::describes(
            "cache line",
            tree.line(&format!("{CPU0}/index0/coherency_line_size"))
                .map(|size| format!("{size} bytes")),
        ),
        Row::describes("NUMA nodes", nodes(tree)),
        Row::describes("memory", memory().ok_or_else(untold)),
        Row::describes("kernel", kernel.ok_or_else(untold)),
        hypervisor(tree),
    ]
}

fn memory() -> Option<String> {
    let mut system = sysinfo::System::new().ok()?;
    system.refresh_memory();
    let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / (1_u64 << 30) as f64);
    Some(format!(
        "{}, {} of it available",
        gib(system.total_memory()),
        gib(system.available_memory())
    ))
}

fn caches(tree: &Tree) -> Result<String, Unread> {
    let mut found = Vec::new();
    for index in 0..8 {
        let line = |name: &str| tree.line(&format!("{CPU0}/index{index}/{name}"));
        let level = match line("level") {
            Ok(level) => level,
            Err(reason) if found.is_empty() => return Err(reason),
            Err(_) => break,
        };
        let kind = match line("type").as_deref() {
            Ok("Data") => "d",
            Ok("Instruction") => "i",
            _ => "",
        };
        let (size, shared) = (line("size")?, line("shared_cpu_list")?);
        found.push(format!("L{level}{kind} {size} (shared by CPU {shared})"));
    }
    Ok(found.join(", "))
}

fn nodes(tree: &Tree) -> Result<String, Unread> {
    let list = tree.line("sys/devices/system/node/online")?;
    let count = tree.numbered("sys/devices/system/node", "node").len();
    Ok(format!("{count} ({list})"))
}

fn hypervisor(tree: &Tree) -> Row {
    const NAME: &str = "virtual machine";
    if let Err(reason) = tree.text("proc/cpuinfo") {
        return Row::unread(NAME, reason, "mount /proc");
    }
    if !is_guest(tree) {
        return Row::quiet(NAME, "none seen");
    }
    let state = match tree.line("sys/class/dmi/id/sys_vendor") {
        Ok(vendor) => format!("yes ({vendor})"),
        Err(_) => "yes".to_owned(),
    };
    let remedy = "ask the host who else runs on its CPUs";
    Row::is(NAME, state, Disturbs::Unknown, remedy)
}
