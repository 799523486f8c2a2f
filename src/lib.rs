//! Lock-free, sharded, cache-line-aware concurrent maps and counters.
pub mod error;
pub mod map;
mod reclaim;
mod table;
pub mod shard;
pub mod pad;
mod sync;
pub mod sys;
pub use equivalent::Equivalent;
pub use error::{OccupiedError, TryReserveError};
pub use map::papaya;
pub use map::{
    Compute, Operation, ResizeMode, ShardMap, ShardMapBuilder, ShardMapRef, ShardSet,
    ShardSetBuilder, ShardSetRef,
};
pub use pad::Padded;
pub use reclaim::{Guard, LocalGuard, OwnedGuard};
pub use shard::{ShardCounter, Sharded};
#[cfg(all(atomshard_traced, not(loom)))]
pub use sync::trace;
