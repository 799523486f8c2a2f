//! Memory policies, and the pages of a block.
//!
//! ```text
//! block     ...[--------|--------|---...        pages that lie in it as a whole are placed
//! pages   |--------|--------|--------|------    those at its edges are shared with neighbours
//! ```

use super::CpuSet;
use super::outcome::{Degradation, FoundPages};
use crate::error::TopologyError;
use crate::sys::Unavailable;
use crate::sys::pages::page_bytes;
use crate::sys::placement::{self, ABSENT, Mode, NODE_WORDS};
use core::fmt;
use core::str::FromStr;

/// On which node the kernel takes memory for a block.
///
/// | policy | text | nodes | if a node is full |
/// |---|---|---|---|
/// | [`FirstTouch`](Self::FirstTouch) | `first-touch` | of the thread that writes first | a node near it |
/// | [`Preferred`](Self::Preferred) | `preferred` | of the shard | a node near it |
/// | [`Bind`](Self::Bind) | `bind` | of the shard | the OOM killer |
/// | [`Interleave`](Self::Interleave) | `interleave` | of all shards, page by page | the next one |
/// | [`Weighted`](Self::Weighted) | `weighted` | of all shards, by weight | the next one |
///
/// *Source*: `mbind(2)`; the kernel's `Documentation/admin-guide/mm/numa_memory_policy.rst`.
///
/// ```
/// use atomshard::topology::Memory;
///
/// assert_eq!(Memory::default(), Memory::Preferred);
/// assert_eq!("bind".parse(), Ok(Memory::Bind));
/// assert_eq!(Memory::Weighted.to_string(), "weighted");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Memory {
    /// No policy is set: a page comes from the node of the thread that writes to it first, unless the process was
    /// started with another policy. What comes out of it is read back all the same.
    FirstTouch,
    /// The node of the shard while it has room, then one near it. What lies elsewhere is read back.
    #[default]
    Preferred,
    /// The node of the shard and no other. **A full node means the OOM killer**, and it may end this process or
    /// another one. No page is misplaced, so it is for those who would rather end than be slow.
    Bind,
    /// The nodes of all shards in turn, page by page: bandwidth of all nodes, no locality.
    Interleave,
    /// As interleave, with as many pages of each node in turn as its weight says
    /// (`/sys/kernel/mm/mempolicy/weighted_interleave`). Linux 6.9.
    Weighted,
}

/// The policies with their text.
const NAMES: [(&str, Memory); 5] = [
    ("first-touch", Memory::FirstTouch),
    ("preferred", Memory::Preferred),
    ("bind", Memory::Bind),
    ("interleave", Memory::Interleave),
    ("weighted", Memory::Weighted),
];

impl Memory {
    /// What the kernel is told; nothing for the first touch.
    const fn mode(self) -> Option<Mode> {
        match self {
            Self::FirstTouch => None,
            Self::Preferred => Some(Mode::Preferred),
            Self::Bind => Some(Mode::Bind),
            Self::Interleave => Some(Mode::Interleave),
            Self::Weighted => Some(Mode::Weighted),
        }
    }

    /// Whether it spreads a block over the nodes of all shards.
    pub(super) const fn is_spread(self) -> bool {
        matches!(self, Self::Interleave | Self::Weighted)
    }
}

impl FromStr for Memory {
    type Err = TopologyError;

    /// # Errors
    ///
    /// If the text is not that of a policy.
    fn from_str(text: &str) -> Result<Self, TopologyError> {
        let found = NAMES.into_iter().find(|(name, _)| *name == text);
        found.map(|(_, memory)| memory).ok_or_else(|| {
            let names = NAMES.map(|(name, _)| name).join(", ");
            TopologyError::at(0, text, format!("a memory policy ({names})"))
        })
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, memory)| memory == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

/// The pages that lie in a block as a whole.
pub(super) struct Pages {
    start: *const u8,
    count: usize,
    page_bytes: usize,
}

/// Pages asked for in one system call: eight of the kernel's own portions, and no large array.
const BATCH: usize = 512;

impl Pages {
    /// Those of a block. Nothing is read or written through the pointer.
    pub(super) fn of<T>(block: *const [T]) -> Self {
        let page_bytes = page_bytes();
        let block_bytes = block.len().saturating_mul(size_of::<T>());
        let start = block.cast::<u8>();
        let end = start.addr().saturating_add(block_bytes);
        let first = start.addr().checked_next_multiple_of(page_bytes);
        let first = first.unwrap_or(end);
        Self {
            start: start.with_addr(first),
            count: end.saturating_sub(first) / page_bytes,
            page_bytes,
        }
    }

    /// Those that a piece of memory has a part of.
    pub(super) fn touched(start: usize, bytes: usize) -> Self {
        let page_bytes = page_bytes();
        let first = start / page_bytes * page_bytes;
        Self {
            start: core::ptr::without_provenance(first),
            count: (start - first).saturating_add(bytes).div_ceil(page_bytes),
            page_bytes,
        }
    }

    /// Gives them the policy over these nodes.
    pub(super) fn set(&self, memory: Memory, nodes: &CpuSet) -> Result<(), Unavailable> {
        let Some(mode) = memory.mode().filter(|_| self.count > 0) else {
            return Ok(());
        };
        let bytes = self.count * self.page_bytes;
        placement::set_memory_policy(self.start, bytes, mode, nodes.words(), true)
    }

    /// What the kernel says of them, and the first thing that is not as planned. Done says whether the policy could
    /// be set.
    pub(super) fn read(
        &self,
        memory: Memory,
        nodes: &CpuSet,
        done: Result<(), Unavailable>,
    ) -> (Option<Degradation>, FoundPages) {
        if self.count == 0 {
            let page_bytes = self.page_bytes;
            let why = Degradation::NoWholePage { page_bytes };
            return (Some(why), FoundPages::default());
        }
        let policy = done.and_then(|()| self.policy(memory, nodes));
        let (found, asked) = nodes_of(self.count, |page| self.page(page), nodes);
        let why = match (policy, asked) {
            (Err(why), _) | (_, Err(why)) => Degradation::Refused(why),
            (Ok(Some(why)), _) => why,
            _ => return (found.off_plan(nodes), found),
        };
        (Some(why), found)
    }

    /// How the kernel's policy for the first page differs from this one.
    fn policy(&self, memory: Memory, planned: &CpuSet) -> Result<Option<Degradation>, Unavailable> {
        let Some(mode) = memory.mode() else {
            return Ok(None);
        };
        let mut words = vec![0; NODE_WORDS];
        let number = placement::memory_policy(self.start, &mut words)?;
        let nodes = CpuSet::trimmed(words);
        if number == mode.number() && nodes == *planned {
            return Ok(None);
        }
        let is_it = |(_, memory): &(_, Memory)| memory.mode().map(Mode::number) == Some(number);
        let other = NAMES.into_iter().find(is_it).map(|(_, memory)| memory);
        Ok(Some(Degradation::OtherPolicy {
            planned: (memory, planned.clone()),
            found: (other, nodes),
        }))
    }

    /// The address of a page.
    fn page(&self, page: usize) -> *const u8 {
        self.start.wrapping_add(page * self.page_bytes)
    }

    /// The addresses of the pages.
    pub(super) fn addresses(&self) -> impl Iterator<Item = usize> {
        (0..self.count).map(|page| self.page(page).addr())
    }
}

/// On which node each of so many pages lies.
pub(super) fn nodes_of(
    count: usize,
    page: impl Fn(usize) -> *const u8,
    planned: &CpuSet,
) -> (FoundPages, Result<(), Unavailable>) {
    let mut found = FoundPages {
        pages: count,
        ..FoundPages::default()
    };
    for first in (0..count).step_by(BATCH) {
        let last = count.min(first + BATCH);
        let addresses: Vec<*const u8> = (first..last).map(&page).collect();
        // What the kernel leaves as it is, is unknown.
        let mut status = vec![i32::MIN; addresses.len()];
        if let Err(why) = placement::page_nodes(&addresses, &mut status) {
            found.unknown += count - first;
            return (found, Err(why));
        }
        for status in status {
            match usize::try_from(status) {
                Ok(node) => {
                    *found.nodes.entry(node).or_default() += 1;
                    found.misplaced += usize::from(!planned.contains(node));
                }
                Err(_) if ABSENT.contains(&status) => found.untouched += 1,
                Err(_) => found.unknown += 1,
            }
        }
    }
    (found, Ok(()))
}
