//! On which memory node a shard's memory is to lie, and where it came to lie: plain data between a structure
//! that has shards and who knows the machine.
//!
//! ```text
//! Place::node(shard) --> Node --> structure: mbind of each table, before anything is written to it
//! structure: Spans::each_span --> Span --> who asks the kernel where those pages are
//! ```

use crate::sys::Unavailable;
use crate::sys::placement::{self, Mode, NODE_WORDS};

/// A NUMA node that memory is to lie on, by the kernel's number, and what happens if it is full.
///
/// ```
/// use atomshard::shard::Node;
///
/// assert_eq!(Node::Preferred(3).number(), 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Node {
    /// This node while it has room, then one near it.
    Preferred(usize),
    /// This node and no other. **A full node means the OOM killer**, of this process or of another one.
    Bound(usize),
}

impl Node {
    /// The kernel's number of the node.
    #[must_use]
    pub const fn number(self) -> usize {
        match self {
            Self::Preferred(number) | Self::Bound(number) => number,
        }
    }

    /// Has a block of pages that are not there yet taken from this node. Nothing is read or written through the pointer.
    pub(crate) fn take(self, block: *const u8, bytes: usize) -> Result<(), Unavailable> {
        let mut nodes = [0_u64; NODE_WORDS];
        let number = self.number();
        let Some(word) = nodes.get_mut(number / 64) else {
            return Err(Unavailable::here("no system has a node of this number"));
        };
        *word = 1 << (number % 64);
        let mode = match self {
            Self::Preferred(_) => Mode::Preferred,
            Self::Bound(_) => Mode::Bind,
        };
        placement::set_memory_policy(block, bytes, mode, &nodes, false)
    }
}

/// What a piece of a structure's memory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// A shard's table: its header and its lines. With a placement it has pages of its own, on the shard's node.
    Table,
    /// An entry, or a line to which a full line of a table leads. Cut from memory of the thread that put it there, so it
    /// lies where that thread was the first to write.
    Entry,
}

/// A piece of a structure's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span {
    /// What it is for.
    pub part: Part,
    /// The shard that it belongs to; none, if it serves all.
    pub shard: Option<usize>,
    /// The address of its first byte.
    pub start: usize,
    /// Bytes.
    pub bytes: usize,
    /// The error number with which the system refused the shard's node, if it did.
    pub refused: Option<i32>,
}

impl Span {
    /// A shard's table.
    pub(crate) fn of_table(
        shard: Option<usize>,
        start: *const u8,
        bytes: usize,
        refused: Option<i32>,
    ) -> Self {
        Self {
            part: Part::Table,
            shard,
            start: start.addr(),
            bytes,
            refused,
        }
    }

    /// An object in memory of the thread that put it there.
    pub(crate) fn of_entry<T>(shard: Option<usize>, object: &T) -> Self {
        Self {
            part: Part::Entry,
            shard,
            start: core::ptr::from_ref(object).addr(),
            bytes: size_of::<T>(),
            refused: None,
        }
    }
}

/// A structure that says where the memory of its shards is.
///
/// ```
/// use atomshard::WordMap;
/// use atomshard::shard::{Part, Spans};
///
/// let map = WordMap::new();
/// map.insert(1_u64, 10_u64);
/// let (mut tables, mut bytes) = (0, 0);
/// map.each_span(&mut |span| {
///     tables += usize::from(span.part == Part::Table);
///     bytes += span.bytes;
/// });
/// assert!(tables == 1 && bytes >= 128);
/// ```
pub trait Spans {
    /// Calls `f` with each piece: the tables of every shard, those that are being moved to as well, and entries outside of tables.
    ///
    /// - *Consistency*: weak. A piece that comes or goes meanwhile may be missing, one that is there throughout is given
    ///   once at least.
    /// - *Progress*: lock-free, but for `f`. The structure is pinned meanwhile, so the tables that `f` is given stay.
    /// - *Cost*: a line of the cache for each bucket and each entry. Allocates a small buffer.
    fn each_span(&self, f: &mut dyn FnMut(&Span));
}
