//! Where threads run and where pages lie: asked of the kernel, and read back from it.
//!
//! | call | what |
//! |---|---|
//! | `sched_setaffinity`, `sched_getaffinity` | the CPUs that the calling thread may use |
//! | `getcpu` | the CPU on which it runs, and the NUMA node of that |
//! | `mbind`, `get_mempolicy` | the memory policy of a range of pages |
//! | `move_pages` without a destination | the node on which each page lies |
//!
//! All of them are raw system calls. libc's `cpu_set_t` ends at CPU 1,023, and the calls for memory are wrapped
//! by libnuma only. A set of numbers is an array of words: bit `n` of word `w` stands for `64 w + n`. That is what
//! the kernel's arrays of `unsigned long` are on 64 bits, and on 32 bits where the low half comes first.
//!
//! The files `linux` and `other` hold the same items in the same order.

#[cfg(all(
    target_os = "linux",
    not(miri),
    any(target_pointer_width = "64", target_endian = "little")
))]
mod linux;
#[cfg(all(
    target_os = "linux",
    not(miri),
    any(target_pointer_width = "64", target_endian = "little")
))]
use linux as os;
#[cfg(not(all(
    target_os = "linux",
    not(miri),
    any(target_pointer_width = "64", target_endian = "little")
)))]
mod other;
#[cfg(not(all(
    target_os = "linux",
    not(miri),
    any(target_pointer_width = "64", target_endian = "little")
)))]
use other as os;

pub(crate) use os::set_memory_policy;
#[cfg(feature = "topology")]
pub(crate) use os::{affinity, cpu_and_node, memory_policy, page_nodes, set_affinity};

/// Words for the CPUs of a thread: 65,536 numbers. The largest kernels are built for 8,192 (`NR_CPUS`), and a
/// buffer that is shorter than the kernel's own is refused.
pub(crate) const CPU_WORDS: usize = 1 << 10;

/// Words for the nodes of a policy: 1,024 numbers, the most that a kernel is built for (`NODES_SHIFT`). It
/// refuses a buffer of more than a page, too.
pub(crate) const NODE_WORDS: usize = 1 << 4;

/// What the kernel says in place of a node of a page that is not there: `ENOENT` of one that nobody has written to,
/// `EFAULT` of one that was only read, as that is the kernel's page of zeros, and of a hole. On every Linux.
pub(crate) const ABSENT: [i32; 2] = [-2, -14];

/// What a range of pages is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `MPOL_PREFERRED`: the node if it has room, else one near it.
    Preferred,
    /// `MPOL_BIND`: these nodes only.
    Bind,
    /// `MPOL_INTERLEAVE`: page by page from each node in turn.
    Interleave,
    /// `MPOL_WEIGHTED_INTERLEAVE`: in turn, as many pages from each as its weight says.
    Weighted,
}

impl Mode {
    /// The kernel's number of it. *Source*: `include/uapi/linux/mempolicy.h`, Linux 6.9.
    pub(crate) const fn number(self) -> usize {
        match self {
            Self::Preferred => 1,
            Self::Bind => 2,
            Self::Interleave => 3,
            Self::Weighted => 6,
        }
    }
}
