//! What machine this is, and what disturbs it. What cannot be found out says so, and why.
mod counters;

pub(crate) use counters::Counter;

use serde::Serialize;
use std::fs::read_to_string;
use std::path::Path;

/// A fact, or why it is not known.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fact {
    Is(String),
    Unavailable { reason: String, remedy: String },
}

impl Fact {
    fn of(value: Option<String>, reason: &str) -> Self {
        match value {
            Some(value) if !value.is_empty() => Self::Is(value),
            _ => Self::Unavailable {
                reason: reason.to_owned(),
                remedy: String::new(),
            },
        }
    }

    /// In words.
    #[must_use]
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Is(value) => value.clone(),
            Self::Unavailable { reason, remedy } if remedy.is_empty() => {
                format!("unavailable: {reason}")
            }
            Self::Unavailable { reason, remedy } => format!("unavailable: {reason}; {remedy}"),
        }
    }
}

/// The machine.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    /// Processors that this process may run on.
    pub(crate) processors: usize,
    /// Name and fact, in the order of the report.
    pub(crate) facts: Vec<(String, Fact)>,
    pub(crate) counters: Vec<Counter>,
}

const NOT_LINUX: &str = "the kernel has no such file; Linux has";

impl Machine {
    /// Looks around.
    #[must_use]
    pub(crate) fn discover() -> Self {
        let system = sysinfo::System::new().ok().map(|mut system| {
            system.refresh_memory();
            system.refresh_cpu_all();
            system
        });
        let brand = system
            .as_ref()
            .and_then(|system| system.cpus().first())
            .map(|cpu| cpu.brand().trim().to_owned());
        let cpu = brand
            .filter(|brand| !brand.is_empty())
            .unwrap_or_else(|| format!("a CPU of unknown name ({})", std::env::consts::ARCH));
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let cores = sysinfo::System::physical_core_count().ok();
        let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / (1_u64 << 30) as f64);
        let memory = system.map(|system| {
            format!(
                "{}, {} of it available",
                gib(system.total_memory()),
                gib(system.available_memory())
            )
        });
        let known = |value: Option<String>| Fact::of(value, NOT_LINUX);
        let told = |value: Option<String>| Fact::of(value, "the system does not tell");
        let facts = [
            ("architecture", Fact::Is(std::env::consts::ARCH.to_owned())),
            (
                "processors",
                Fact::Is(match cores {
                    Some(cores) => format!("{processors} usable, {cores} cores in the machine"),
                    None => format!("{processors} usable"),
                }),
            ),
            ("caches", known(caches())),
            ("cache line", known(line_size())),
            ("NUMA nodes", known(nodes())),
            ("memory", told(memory)),
            (
                "kernel",
                told(
                    sysinfo::System::kernel_version()
                        .ok()
                        .map(|version| format!("{} {version}", std::env::consts::OS)),
                ),
            ),
            ("virtual machine", known(hypervisor())),
            (
                "transparent huge pages",
                known(chosen("/sys/kernel/mm/transparent_hugepage/enabled")),
            ),
            ("frequency governor", governor()),
            (
                "load, 1 and 5 minutes",
                told(
                    sysinfo::System::load_average()
                        .ok()
                        .map(|load| format!("{:.2}, {:.2}", load.one, load.five)),
                ),
            ),
            ("time stolen by the host", known(stolen())),
            ("run-queue waits", run_queue()),
        ];
        Self {
            cpu,
            processors,
            facts: facts.map(|(name, fact)| (name.to_owned(), fact)).into(),
            counters: counters::try_all(),
        }
    }
}

fn first_line(path: impl AsRef<Path>) -> Option<String> {
    Some(read_to_string(path).ok()?.lines().next()?.trim().to_owned())
}

fn caches() -> Option<String> {
    let mut found = Vec::new();
    for index in 0..8 {
        let at = Path::new("/sys/devices/system/cpu/cpu0/cache").join(format!("index{index}"));
        let Some(level) = first_line(at.join("level")) else {
            break;
        };
        let kind = match first_line(at.join("type")).as_deref() {
            Some("Data") => "d",
            Some("Instruction") => "i",
            _ => "",
        };
        let size = first_line(at.join("size"))?;
        let shared = first_line(at.join("shared_cpu_list"))?;
        found.push(format!("L{level}{kind} {size} (shared by CPU {shared})"));
    }
    Some(found.join(", "))
}

fn line_size() -> Option<String> {
    let size = first_line("/sys/devices/system/cpu/cpu0/cache/index0/coherency_line_size")?;
    Some(format!("{size} bytes"))
}

fn nodes() -> Option<String> {
    let list = first_line("/sys/devices/system/node/online")?;
    let entries = std::fs::read_dir("/sys/devices/system/node").ok()?;
    let is_node = |name: &str| {
        name.strip_prefix("node")
            .is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let count = entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_node))
        .count();
    Some(format!("{count} ({list})"))
}

fn hypervisor() -> Option<String> {
    let cpuinfo = read_to_string("/proc/cpuinfo").ok()?;
    let is_guest = cpuinfo
        .lines()
        .find(|line| line.starts_with("flags"))
        .is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"));
    let vendor = first_line("/sys/class/dmi/id/sys_vendor").unwrap_or_default();
    Some(match (is_guest, vendor.is_empty()) {
        (true, true) => "yes".to_owned(),
        (true, false) => format!("yes ({vendor})"),
        (false, _) => "none seen".to_owned(),
    })
}

/// The bracketed word of a sysfs choice.
fn chosen(path: &str) -> Option<String> {
    let text = first_line(path)?;
    let start = text.find('[')?;
    let end = text.find(']')?;
    Some(text.get(start + 1..end)?.to_owned())
}

fn governor() -> Fact {
    match first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") {
        Some(governor) => Fact::Is(governor),
        None => Fact::Unavailable {
            reason: "the kernel controls no frequency here".to_owned(),
            remedy: "in a virtual machine ask the host".to_owned(),
        },
    }
}

fn stolen() -> Option<String> {
    let text = first_line("/proc/stat")?;
    let ticks: Vec<u64> = text
        .split_whitespace()
        .skip(1)
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let total: u64 = ticks.iter().take(8).sum();
    let steal = *ticks.get(7)?;
    Some(format!(
        "{:.2} % since boot",
        100.0 * steal as f64 / total.max(1) as f64
    ))
}

fn run_queue() -> Fact {
    if Path::new("/proc/thread-self/schedstat").exists() {
        Fact::Is("read after each round; rounds whose threads had to wait are repeated".to_owned())
    } else {
        Fact::Unavailable {
            reason: "/proc/thread-self/schedstat is missing".to_owned(),
            remedy: "only the overlap of the threads is checked; Linux with \
                     CONFIG_SCHED_INFO has it"
                .to_owned(),
        }
    }
}
