//! What decides how a CPU counts: who made it, which unit counts, what the kernel lets a process do.
//!
//! ```text
//! root/proc/cpuinfo                                    vendor and model, or implementer and part
//! root/sys/bus/event_source/devices/UNIT/type, cpus    the number of the unit, its CPUs
//! root/sys/bus/event_source/devices/UNIT/events/...    of an Arm, the common events that it has
//! root/proc/sys/kernel/perf_event_paranoid             the level
//! ```

use super::event::Layout;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The longest file that is read, in bytes: /proc/cpuinfo has some two thousand for each CPU.
const LONGEST: u64 = 64 << 20;

/// Who made a CPU, and which one it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cpu {
    /// An x86 processor, by what CPUID says of it.
    X86 {
        /// `GenuineIntel`, `AuthenticAMD`.
        vendor: String,
        /// The family, with its extension added.
        family: u32,
        /// The model, with its extension.
        model: u32,
    },
    /// An Arm processor, by two fields of its MIDR.
    Arm {
        /// Who made it: 0x41 is Arm.
        implementer: u32,
        /// Which one it is: 0xd0c is Neoverse N1.
        part: u32,
    },
}

impl Cpu {
    /// How its events are packed into a word.
    #[must_use]
    pub fn layout(&self) -> Layout {
        match self {
            Self::X86 { vendor, .. } => layout_of(vendor),
            Self::Arm { .. } => Layout::Arm,
        }
    }
}

/// Hygon's processors are AMD's first Zen.
pub(super) fn layout_of(vendor: &str) -> Layout {
    match vendor {
        "AuthenticAMD" | "HygonGenuine" => Layout::Amd,
        _ => Layout::Intel,
    }
}

/// A unit that counts the events of cores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pmu {
    /// Its name: `cpu`, `cpu_core`, `armv8_pmuv3_0`.
    pub name: String,
    /// The kernel's number of it. It is 4 for `cpu`; parts with two kinds of cores have other ones.
    pub type_id: u32,
    /// The events of an Arm unit that sysfs lists; `None` where it lists none.
    pub listed: Option<BTreeSet<u16>>,
}

impl Pmu {
    /// Whether the unit may have an event. Of an Arm the common ones are listed, as far as it has them: an
    /// emulator has a few. The kernel opens the others too, and they read 0.
    pub(super) fn may_have(&self, event: u16) -> bool {
        // Those that Linux 6.1 looks for in PMCEID: armv8pmu_event_attr_is_visible.
        let common = matches!(event, 0..=0x3f | 0x4000..=0x403f);
        let listed = self.listed.as_ref();
        !common || listed.is_none_or(|listed| listed.contains(&event))
    }
}

/// What decides how one CPU counts. Plain data: one can be made for any machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Host {
    /// Whether the system is a Linux of 64 bits: others do not count here.
    pub linux: bool,
    /// The CPU, if it is known.
    pub cpu: Option<Cpu>,
    /// The unit that counts its events, if there is one.
    pub pmu: Option<Pmu>,
    /// `kernel.perf_event_paranoid`, if it can be read.
    pub paranoid: Option<i32>,
}

impl Host {
    /// The machine that runs this, as seen from the CPU of this number. On a part with two kinds of
    /// cores they count differently, so ask for the CPU to which the thread is pinned.
    ///
    /// *Cost*: a few small files, and `/proc/cpuinfo`.
    #[must_use]
    pub fn here(cpu: usize) -> Self {
        let mut host = Self::of_tree(Path::new("/"), cpu);
        host.linux = cfg!(all(target_os = "linux", target_pointer_width = "64"));
        host
    }

    /// The Linux machine of a tree, `/` or a copy of it. What is missing, or not in the kernel's form,
    /// is `None`.
    #[must_use]
    pub fn of_tree(root: &Path, cpu: usize) -> Self {
        let paranoid = text(&root.join("proc/sys/kernel/perf_event_paranoid"));
        Self {
            linux: true,
            cpu: text(&root.join("proc/cpuinfo")).and_then(|text| of_cpuinfo(&text, cpu)),
            pmu: pmu(&root.join("sys/bus/event_source/devices"), cpu),
            paranoid: paranoid.and_then(|text| text.trim().parse().ok()),
        }
    }

    /// Whether the level alone lets any process count so.
    pub(super) fn level_allows(&self, kernel: bool) -> bool {
        let enough = if kernel { 1 } else { 2 };
        self.paranoid.is_none_or(|level| level <= enough)
    }
}

fn text(file: &Path) -> Option<String> {
    let mut text = String::new();
    let open = File::open(file).ok()?;
    open.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The block of a CPU: `name : value` in each line, an empty line behind it.
fn of_cpuinfo(text: &str, cpu: usize) -> Option<Cpu> {
    let is_own = |block: &&str| {
        let number = field(block, "processor").and_then(|number| number.parse().ok());
        number == Some(cpu)
    };
    let block = text.split("\n\n").find(is_own)?;
    if let Some(vendor) = field(block, "vendor_id") {
        return Some(Cpu::X86 {
            vendor: vendor.to_owned(),
            family: field(block, "cpu family")?.parse().ok()?,
            model: field(block, "model")?.parse().ok()?,
        });
    }
    let hexadecimal = |name| {
        let digits = field(block, name)?.strip_prefix("0x")?;
        u32::from_str_radix(digits, 16).ok()
    };
    Some(Cpu::Arm {
        implementer: hexadecimal("CPU implementer")?,
        part: hexadecimal("CPU part")?,
    })
}

fn field<'a>(block: &'a str, name: &str) -> Option<&'a str> {
    block.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}

/// The unit of a core: `cpu` has all CPUs; others have a list of theirs.
fn pmu(devices: &Path, cpu: usize) -> Option<Pmu> {
    let entries = std::fs::read_dir(devices).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let is_core = |name: &String| {
        matches!(name.as_str(), "cpu" | "cpu_core" | "cpu_atom") || name.starts_with("armv")
    };
    let mut names: Vec<String> = names.filter(is_core).collect();
    names.sort_unstable();
    names.into_iter().find_map(|name| {
        let unit = devices.join(&name);
        if let Some(list) = text(&unit.join("cpus"))
            && !lists(&list, cpu)
        {
            return None;
        }
        let type_id = text(&unit.join("type"))?.trim().parse().ok()?;
        let is_arm = name.starts_with("armv");
        let listed = is_arm.then(|| listed(&unit.join("events"))).flatten();
        Some(Pmu {
            name,
            type_id,
            listed,
        })
    })
}

/// The events of files such as `event=0x0011`.
fn listed(events: &Path) -> Option<BTreeSet<u16>> {
    let files = std::fs::read_dir(events).ok()?;
    let event = |file: std::io::Result<std::fs::DirEntry>| {
        let text = text(&file.ok()?.path())?;
        u16::from_str_radix(text.trim().strip_prefix("event=0x")?, 16).ok()
    };
    let listed: BTreeSet<u16> = files.filter_map(event).collect();
    (!listed.is_empty()).then_some(listed)
}

/// Whether a list such as `0-3,8` has a number.
fn lists(list: &str, cpu: usize) -> bool {
    list.trim().split(',').any(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        match (first.parse::<usize>(), last.parse::<usize>()) {
            (Ok(first), Ok(last)) => (first..=last).contains(&cpu),
            _ => false,
        }
    })
}
