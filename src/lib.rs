//! Lock-free, sharded, cache-line-aware concurrent maps and counters.
pub mod error;
pub mod map;
mod reclaim;
mod sync;
pub mod sys;
pub use reclaim::{Guard, LocalGuard, OwnedGuard};
#[cfg(all(atomshard_traced, not(loom)))]
pub use sync::trace;
