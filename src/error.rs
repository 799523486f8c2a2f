//! Every public error type.
use core::alloc::Layout;
use core::fmt;

/// The key was already present: what is there, and the value given back.
///
/// Returned by [`ShardMap::try_insert`](crate::ShardMap::try_insert). Nothing was changed.
#[derive(Debug, PartialEq, Eq)]
pub struct OccupiedError<'a, V: 'a> {
    /// The value in the map at the moment of the attempt.
    pub current: &'a V,
    /// The value that was not inserted.
    pub not_inserted: V,
}

impl<V: fmt::Debug> fmt::Display for OccupiedError<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the key is already present with value {:?}; {:?} was not inserted",
            self.current, self.not_inserted
        )
    }
}

impl<V: fmt::Debug> core::error::Error for OccupiedError<'_, V> {}

/// Room for more entries could not be made; the entries are unchanged and the map is usable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryReserveError {
    /// The number of entries asked for does not fit in the address space.
    CapacityOverflow {
        /// Entries asked for in all.
        entries: usize,
    },
    /// The allocator refused.
    AllocError {
        /// The layout that was refused.
        layout: Layout,
    },
}

impl fmt::Display for TryReserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CapacityOverflow { entries } => {
                write!(f, "a table for {entries} entries exceeds the address space")
            }
            Self::AllocError { layout } => write!(
                f,
                "the allocator refused {} bytes aligned to {}",
                layout.size(),
                layout.align()
            ),
        }
    }
}

impl core::error::Error for TryReserveError {}

impl TryReserveError {
    /// What the forms without a `Result` do: as the standard collections.
    #[cold]
    pub(crate) fn handle(self) -> ! {
        match self {
            Self::AllocError { layout } => std::alloc::handle_alloc_error(layout),
            Self::CapacityOverflow { .. } => panic!("{self}"),
        }
    }
}

/// A description of a machine, a list of CPUs or a policy cannot be understood.
///
/// Returned by the readers of [`topology`](crate::topology). It says where, what was found, and what
/// would have been right.
///
/// ```
/// use atomshard::topology::CpuSet;
///
/// let error = "0-3,x".parse::<CpuSet>().unwrap_err();
/// assert_eq!(error.to_string(), "byte 4: found \"x\", expected a number below 65536");
/// ```
#[cfg(feature = "topology")]
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopologyError {
    /// The file, if the text came from one.
    pub file: Option<std::path::PathBuf>,
    /// Bytes of the text before what was found.
    pub at: usize,
    /// What is there, or what the system answered instead of the file.
    pub found: String,
    /// What would have been right.
    pub expected: String,
}

/// A piece of input as an error repeats it: quoted, and of its beginning no more than 40 characters.
#[cfg(any(feature = "topology", feature = "perf"))]
fn shown(piece: &str) -> String {
    let mut begin: String = piece.chars().take(40).collect();
    if begin.len() < piece.len() {
        begin.push_str("..");
    }
    format!("{begin:?}")
}

#[cfg(feature = "topology")]
impl TopologyError {
    /// An error `at` this many bytes of a text.
    pub(crate) fn at(at: usize, found: &str, expected: impl Into<String>) -> Self {
        Self {
            file: None,
            at,
            found: shown(found),
            expected: expected.into(),
        }
    }

    /// An error about a file as a whole.
    pub(crate) fn of_file(
        file: &std::path::Path,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self {
            file: Some(file.to_path_buf()),
            at: 0,
            found: found.into(),
            expected: expected.into(),
        }
    }

    /// The same error, `before` bytes further on.
    pub(crate) fn behind(mut self, before: usize) -> Self {
        self.at = self.at.saturating_add(before);
        self
    }

    /// The same error, in a text that came from `file`.
    pub(crate) fn inside(mut self, file: &std::path::Path) -> Self {
        self.file = Some(file.to_path_buf());
        self
    }
}

#[cfg(feature = "topology")]
impl fmt::Display for TopologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}, byte {}", file.display(), self.at)?,
            None => write!(f, "byte {}", self.at)?,
        }
        write!(f, ": found {}, expected {}", self.found, self.expected)
    }
}

#[cfg(feature = "topology")]
impl core::error::Error for TopologyError {}

/// A plan cannot be made, or does not fit the machine.
///
/// Returned by [`Placement::plan`](crate::topology::Placement::plan) and
/// [`Plan::check`](crate::topology::Plan::check), and by
/// [`Budget`](crate::topology::Budget).
///
/// ```
/// use atomshard::topology::{Machine, Placement, Policy};
/// use atomshard::{CpuRefusal, PlanError};
///
/// let machine = Machine::of_synthetic("core:4 pu:1")?;
/// let refused = Placement::new(Policy::List(vec![0, 7])).plan(&machine);
/// let why = CpuRefusal::Absent;
/// assert_eq!(refused, Err(PlanError::Cpu { cpu: 7, why }));
/// # Ok::<(), atomshard::TopologyError>(())
/// ```
#[cfg(feature = "topology")]
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// No CPU is online, allowed, not reserved and not isolated.
    NoCpu {
        /// CPUs of the machine that are online.
        online: usize,
        /// Those of them that this process may use.
        allowed: usize,
        /// Those of these that the kernel has isolated.
        isolated: usize,
    },
    /// No NUMA node that this process may use has memory.
    NoMemory,
    /// A CPU that was named cannot be used.
    Cpu {
        /// The kernel's number of the CPU.
        cpu: usize,
        /// Why not.
        why: CpuRefusal,
    },
    /// A NUMA node that was named cannot hold memory of this process.
    Node {
        /// The kernel's number of the node.
        node: usize,
    },
    /// More threads or shards than a plan holds.
    TooMany {
        /// How many were asked for.
        asked: usize,
        /// The most there can be.
        limit: usize,
    },
    /// Fewer shards than nodes that are each to have one, and not none.
    FewShards {
        /// How many were asked for.
        asked: usize,
        /// The nodes at which threads have their memory.
        nodes: usize,
    },
    /// The pools of a budget need more CPUs than there are.
    OverBudget {
        /// CPUs that the pools ask for together.
        asked: usize,
        /// CPUs that can be given.
        available: usize,
    },
}

/// Why a CPU cannot be used.
#[cfg(feature = "topology")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CpuRefusal {
    /// The machine has no CPU of this number.
    Absent,
    /// The CPU is offline.
    Offline,
    /// The affinity mask or the cpuset of the process leaves it out.
    NotAllowed,
    /// The caller reserved it for something else.
    Reserved,
    /// An explicit list names it twice.
    Repeated,
}

#[cfg(feature = "topology")]
impl fmt::Display for CpuRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "the machine has no such CPU",
            Self::Offline => "it is offline",
            Self::NotAllowed => "this process may not run there",
            Self::Reserved => "it is reserved",
            Self::Repeated => "it is listed twice",
        })
    }
}

#[cfg(feature = "topology")]
impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCpu {
                online,
                allowed,
                isolated,
            } => write!(
                f,
                "no CPU is left: {online} online, {allowed} of them allowed, {isolated} of these isolated, \
                 none of those asked for and free"
            ),
            Self::NoMemory => f.write_str("no NUMA node that this process may use has memory"),
            Self::Cpu { cpu, why } => write!(f, "CPU {cpu} cannot be used: {why}"),
            Self::Node { node } => write!(
                f,
                "NUMA node {node} cannot hold memory: absent, without memory, or not allowed"
            ),
            Self::TooMany { asked, limit } => write!(f, "{asked} asked for, at most {limit}"),
            Self::FewShards { asked, nodes } => write!(
                f,
                "{asked} shards cannot be divided among {nodes} nodes with threads; at least {nodes}, or none"
            ),
            Self::OverBudget { asked, available } => write!(
                f,
                "the pools ask for {asked} CPUs together, {available} can be given"
            ),
        }
    }
}

#[cfg(feature = "topology")]
impl core::error::Error for PlanError {}

/// A table of events cannot be understood.
///
/// Returned by [`Table::with_rows`](crate::perf::Table::with_rows). It says which line, what is there,
/// and what would have been right.
///
/// ```
/// use atomshard::perf::Table;
///
/// let error = Table::shipped().with_rows("[[row]]\nrole = \"speed\"").unwrap_err();
/// assert_eq!(error.line, 1);
/// assert_eq!(error.to_string(), "line 1: found no `cpus`, expected `cpus`, a list");
/// ```
#[cfg(feature = "perf")]
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventTableError {
    /// The number of the line, from 1.
    pub line: usize,
    /// What is there.
    pub found: String,
    /// What would have been right.
    pub expected: String,
}

#[cfg(feature = "perf")]
impl EventTableError {
    /// An error about a piece of a line.
    pub(crate) fn at(line: usize, piece: &str, expected: impl Into<String>) -> Self {
        Self {
            line,
            found: shown(piece),
            expected: expected.into(),
        }
    }
}

#[cfg(feature = "perf")]
impl fmt::Display for EventTableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            found,
            expected,
        } = self;
        write!(f, "line {line}: found {found}, expected {expected}")
    }
}

#[cfg(feature = "perf")]
impl core::error::Error for EventTableError {}
