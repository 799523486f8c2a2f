//! L5: the public maps.
mod compute;
pub mod papaya;
mod resize_mode;
pub mod shard_map;
pub mod shard_set;
pub mod word_map;
pub mod word_set;

pub use compute::{Compute, Operation};
pub use resize_mode::ResizeMode;
pub use shard_map::{Detached, EntryRef, MapHandle, ShardMap, ShardMapBuilder, ShardMapRef};
pub use shard_set::{ShardSet, ShardSetBuilder, ShardSetRef};
pub use word_map::{Integer, Primitive, Word, WordMap, WordMapBuilder};
pub use word_set::{WordSet, WordSetBuilder};

use crate::shard::{Node, Place};

/// The node of each shard; nothing, if no shard has one.
fn nodes_of(place: &impl Place, shards: usize) -> Vec<Option<Node>> {
    let nodes: Vec<_> = (0..shards).map(|shard| place.node(shard)).collect();
    if nodes.iter().all(Option::is_none) {
        return Vec::new();
    }
    nodes
}

/// Entries that a deserializer's size hint makes us allocate for at most. The hint comes from the
/// input, which may lie; beyond this the map grows as entries really arrive.
#[cfg(feature = "serde")]
const BELIEVED_ENTRIES: usize = 4096;

/// The room to make for an announced number of entries.
#[cfg(feature = "serde")]
fn believed_capacity(hint: Option<usize>) -> usize {
    hint.unwrap_or(0).min(BELIEVED_ENTRIES)
}
