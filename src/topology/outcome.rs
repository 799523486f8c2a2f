//! What became of a request: done and read back, or how it fell short, and what helps.
//!
//! ```text
//! request --> refused ------------------------------------> Degraded: which call, which error
//!         --> done --> read back --> refused -------------> Degraded: nobody knows
//!                                --> not as planned ------> Degraded: what is instead
//!                                --> as planned ----------> Applied
//! ```

use super::{CpuSet, Memory};
use crate::sys::Unavailable;
use core::fmt;
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};

/// What became of a request to place something, with what was read back from the kernel.
///
/// ```
/// use atomshard::topology::{Machine, Outcome, Placement, Policy};
///
/// # fn pinned() -> Result<(), Box<dyn std::error::Error>> {
/// let plan = Placement::new(Policy::Compact).plan(&Machine::here()?)?;
/// std::thread::spawn(move || match plan.pin(0) {
///     Outcome::Applied { found } => assert_eq!(found.cpu, Some(plan.threads()[0])),
///     Outcome::Degraded { why, remedy, .. } => println!("{why}: {remedy}"),
/// });
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "what was not applied is told here and nowhere else"]
pub enum Outcome<F> {
    /// It was done, and what was read back is as planned.
    Applied {
        /// What was read back.
        found: F,
    },
    /// It was refused, or what was read back is not as planned, or nothing could be read back.
    Degraded {
        /// How it fell short.
        why: Degradation,
        /// What a user can do about it.
        remedy: &'static str,
        /// What was read back, as far as the kernel let it.
        found: F,
    },
}

impl<F> Outcome<F> {
    /// The outcome of a request for a thread.
    pub(super) fn of_thread(why: Option<Degradation>, found: F) -> Self {
        Self::of(why, found, Degradation::remedy_for_thread)
    }

    /// The outcome of a request for memory.
    pub(super) fn of_memory(why: Option<Degradation>, found: F, memory: Memory) -> Self {
        Self::of(why, found, |why| why.remedy_for_memory(memory))
    }

    fn of(
        why: Option<Degradation>,
        found: F,
        remedy: impl FnOnce(&Degradation) -> &'static str,
    ) -> Self {
        match why {
            None => Self::Applied { found },
            Some(why) => Self::Degraded {
                remedy: remedy(&why),
                why,
                found,
            },
        }
    }

    /// Whether it was done and read back.
    #[must_use]
    pub const fn is_applied(&self) -> bool {
        matches!(self, Self::Applied { .. })
    }

    /// What was read back.
    #[must_use]
    pub const fn found(&self) -> &F {
        match self {
            Self::Applied { found } | Self::Degraded { found, .. } => found,
        }
    }
}

impl<F> fmt::Display for Outcome<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applied { .. } => f.write_str("applied"),
            Self::Degraded { why, remedy, .. } => write!(f, "{why}: {remedy}"),
        }
    }
}

/// What the kernel says of a thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundThread {
    /// The CPUs on which it may run; none if that could not be read.
    pub allowed: CpuSet,
    /// The CPU on which it ran when it was asked.
    pub cpu: Option<usize>,
    /// The NUMA node of that CPU.
    pub node: Option<usize>,
}

/// What the kernel says of the pages of a block. The numbers of pages add up to `pages`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundPages {
    /// The pages that lie in the block as a whole.
    pub pages: usize,
    /// How many of them lie on each node, by the kernel's numbers.
    pub nodes: BTreeMap<usize, usize>,
    /// How many are not there: nobody has written to them. Linux 6.1 also says it of pages without a policy that automatic
    /// balancing (`kernel.numa_balancing`) has taken out of the tables for a moment.
    pub untouched: usize,
    /// How many the kernel said nothing of.
    pub unknown: usize,
    /// How many of those in `nodes` are not where the plan wants them.
    pub misplaced: usize,
}

impl FoundPages {
    /// What is not as planned.
    pub(super) fn off_plan(&self, planned: &CpuSet) -> Option<Degradation> {
        if self.misplaced > 0 {
            let (pages, planned) = (self.misplaced, planned.clone());
            return Some(Degradation::Misplaced { pages, planned });
        }
        let pages = self.unknown;
        (pages > 0).then_some(Degradation::Unknown { pages })
    }

    /// Counts other pages in.
    pub(super) fn add(&mut self, other: Self) {
        self.pages += other.pages;
        for (node, pages) in other.nodes {
            *self.nodes.entry(node).or_default() += pages;
        }
        self.untouched += other.untouched;
        self.unknown += other.unknown;
        self.misplaced += other.misplaced;
    }
}

/// What the kernel says of the pages of a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundMap {
    /// Those of the shards' tables, headers included.
    pub tables: FoundPages,
    /// Those of entries, and of lines behind full ones. Each page is counted once, whoever has a part of it. It is misplaced on
    /// a node that no shard of the plan is on.
    pub entries: FoundPages,
}

/// How a request to place something fell short.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Degradation {
    /// The plan has no thread, or no shard, of this number.
    NotPlanned {
        /// The number, from 0.
        asked: usize,
        /// How many the plan has.
        planned: usize,
    },
    /// The number of a CPU or of a node is larger than any system has.
    NoSuchNumber {
        /// The number.
        number: usize,
    },
    /// The system refused to do it, or to say whether it is done.
    Refused(Unavailable),
    /// The thread may run on other CPUs than the planned one.
    Elsewhere {
        /// The CPU of the plan.
        planned: usize,
        /// The CPUs on which it may run.
        allowed: CpuSet,
    },
    /// The block holds no page as a whole, so none can be placed without those of a neighbour.
    NoWholePage {
        /// Bytes of a page.
        page_bytes: usize,
    },
    /// The kernel has another memory policy for the block than the one that was set.
    OtherPolicy {
        /// The policy that was set, and the nodes of the plan.
        planned: (Memory, CpuSet),
        /// The kernel's policy, if it is one of ours, and the nodes of it.
        found: (Option<Memory>, CpuSet),
    },
    /// Pages lie on other nodes than the planned ones.
    Misplaced {
        /// How many.
        pages: usize,
        /// The nodes of the plan.
        planned: CpuSet,
    },
    /// Pages of which the kernel does not say where they lie.
    Unknown {
        /// How many.
        pages: usize,
    },
}

impl Degradation {
    /// Counts misplaced pages in that were to be on the same nodes.
    pub(super) fn add(&mut self, other: &Self) {
        if let (
            Self::Misplaced { pages, planned },
            Self::Misplaced {
                pages: more,
                planned: same,
            },
        ) = (self, other)
            && planned == same
        {
            *pages += more;
        }
    }

    fn remedy_for_thread(&self) -> &'static str {
        match self {
            Self::Refused(why) => match kind(why) {
                None => "place on Linux",
                Some(ErrorKind::InvalidInput) => {
                    "plan again with what the process may use now: the CPU is absent, offline, or not in the cpuset"
                }
                Some(ErrorKind::PermissionDenied | ErrorKind::Unsupported) => {
                    "allow sched_setaffinity, sched_getaffinity and getcpu in the container's seccomp profile"
                }
                Some(_) => "see the error numbers in sched_setaffinity(2)",
            },
            Self::Elsewhere { .. } => {
                "pin the thread; if it was pinned, plan again: the cpuset has changed, or the CPU has gone offline"
            }
            Self::NoSuchNumber { .. } => "plan again for this machine",
            _ => "make a plan with as many",
        }
    }

    pub(super) fn remedy_for_table(&self, memory: Memory) -> &'static str {
        match self {
            Self::OtherPolicy { .. } => {
                "build the map with this plan as its placement, bound for bind; if it was, plan again: cpuset.mems has changed"
            }
            _ => self.remedy_for_memory(memory),
        }
    }

    pub(super) fn remedy_for_entries(&self) -> &'static str {
        match self {
            Self::Misplaced { .. } => {
                "insert by threads that are pinned by the plan: an entry lies on the node of who inserted it"
            }
            _ => self.remedy_for_memory(Memory::FirstTouch),
        }
    }

    fn remedy_for_memory(&self, memory: Memory) -> &'static str {
        match self {
            Self::NotPlanned { .. } => "make a plan with as many",
            Self::NoSuchNumber { .. } => "plan again for this machine",
            Self::Refused(why) => match kind(why) {
                None => "place on Linux",
                Some(ErrorKind::InvalidInput) if memory == Memory::Weighted => {
                    "take interleave where Linux is older than 6.9; else plan again: a node is absent, without memory, or not in cpuset.mems"
                }
                Some(ErrorKind::InvalidInput) => {
                    "plan again with what the process may use now: the node is absent, without memory, or not in cpuset.mems"
                }
                Some(ErrorKind::PermissionDenied) => {
                    "allow mbind, get_mempolicy and move_pages in the container's seccomp profile; Docker's own blocks move_pages even with CAP_SYS_NICE"
                }
                Some(ErrorKind::Unsupported) => {
                    "use a kernel with CONFIG_NUMA and CONFIG_MIGRATION; if this one has them, allow mbind, get_mempolicy and move_pages in the seccomp profile"
                }
                Some(_) => {
                    "place memory that is mapped; see the error numbers in mbind(2) and move_pages(2)"
                }
            },
            Self::NoWholePage { .. } => "place blocks of whole pages that begin with a page",
            Self::OtherPolicy { .. } => {
                "plan again with what the process may use now: cpuset.mems has changed, or the policy was set by somebody else"
            }
            Self::Misplaced { .. } if memory == Memory::FirstTouch => {
                "touch the pages first by a thread that is pinned to a CPU of the node, or take preferred"
            }
            Self::Misplaced { .. } if memory == Memory::Preferred => {
                "free memory on the node, or take bind; pages that other processes share do not move"
            }
            _ => {
                "place the block again; pages that other processes share or that are locked do not move"
            }
        }
    }
}

/// What the error number means; `None` if no system call was made.
fn kind(why: &Unavailable) -> Option<ErrorKind> {
    why.errno
        .map(|errno| Error::from_raw_os_error(errno).kind())
}

impl fmt::Display for Degradation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPlanned { asked, planned } => {
                write!(f, "number {asked} is asked for, the plan has {planned}")
            }
            Self::NoSuchNumber { number } => {
                write!(f, "no system has a CPU or a node of number {number}")
            }
            Self::Refused(why) => write!(f, "{why}"),
            Self::Elsewhere { planned, allowed } => write!(
                f,
                "the thread may run on CPUs {allowed}, planned is CPU {planned}"
            ),
            Self::NoWholePage { page_bytes } => {
                write!(f, "the block holds no whole page of {page_bytes} bytes")
            }
            Self::OtherPolicy { planned, found } => {
                let (memory, nodes) = planned;
                let (other, others) = found;
                let other = other.map_or_else(|| "another one".to_owned(), |it| it.to_string());
                write!(
                    f,
                    "the kernel's policy for the block is {other} over nodes [{others}], planned is {memory} over [{nodes}]"
                )
            }
            Self::Misplaced { pages, planned } => {
                write!(f, "pages on other nodes than {planned}: {pages}")
            }
            Self::Unknown { pages } => write!(f, "pages that the kernel says nothing of: {pages}"),
        }
    }
}
