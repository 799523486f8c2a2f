//! L2: shards, who picks one, and the counter made of them.
//!
//! | item | what |
//! |---|---|
//! | [`Place`] | decides which shard a thread uses, and on which memory node a shard is to lie |
//! | [`ByThread`] | the default: a small dense number per thread |
//! | [`Node`] | a memory node, and what happens if it is full |
//! | [`Spans`] | says where the memory of a structure's shards is |
//! | [`Sharded`] | a padded array of any type, picked by hash or by place |
//! | [`ShardCounter`] | a counter: one cell while it is enough, then one stripe per core |
//!
//! Nothing here knows which memory nodes a machine has. Its topology comes in from outside, as a [`Place`].

mod counter;
mod index;
mod memory;
mod sharded;
mod stripes;

pub use counter::ShardCounter;
pub use memory::{Node, Part, Span, Spans};
pub use sharded::{MAX_SHARDS, Sharded};

/// Decides which shard a thread uses, and on which memory node a shard's memory is to lie.
///
/// An implementation answers from what it knows: the thread's number, the core it runs on, the
/// memory node it is bound to. The answers are advice. Two threads at the same place are slower
/// together and still correct, and a thread may change its place between two calls. What is not
/// implemented is as [`ByThread`] has it: threads by their numbers, and no node.
///
/// ```
/// use atomshard::ShardMap;
/// use atomshard::shard::{Node, Place, ShardCounter};
///
/// /// Puts every thread at the same place.
/// struct Here;
///
/// impl Place for Here {
///     fn index(&self) -> usize {
///         0
///     }
///     fn places(&self) -> usize {
///         1
///     }
/// }
///
/// let counter = ShardCounter::with_place(Here);
/// counter.add(5);
/// assert_eq!(counter.sum(), 5);
///
/// /// Puts shards on two nodes in turn.
/// struct InTurn;
///
/// impl Place for InTurn {
///     fn node(&self, shard: usize) -> Option<Node> {
///         Some(Node::Preferred(shard % 2))
///     }
/// }
///
/// let map = ShardMap::builder().placement(&InTurn).build();
/// map.pin().insert("works", "also where there is one node");
/// ```
pub trait Place {
    /// The place of the calling thread. Any number: the caller reduces it to the shards it has.
    #[inline]
    fn index(&self) -> usize {
        index::thread_index()
    }

    /// How many places are worth a shard of their own. Callers take 0 as 1.
    fn places(&self) -> usize {
        crate::sys::parallelism()
    }

    /// The memory node of a shard; none, if its memory may lie anywhere. Structures that place their memory
    /// ask once for each shard, when they are made.
    fn node(&self, shard: usize) -> Option<Node> {
        let _any = shard;
        None
    }
}

/// The default [`Place`]: threads are numbered densely from 0, and a number is given again after
/// its thread has ended.
///
/// - There are as many places as threads can run at once, counted at the first use.
/// - The number is for placement only. It is unique among 1,024 live threads; further ones share,
///   and so does a thread whose thread-local values are already destroyed.
///
/// *Progress*: wait-free after a thread's first call, lock-free in it.
/// *Cost*: one read of thread-local memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByThread;

impl Place for ByThread {}
