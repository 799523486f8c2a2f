//! L5: the public maps.
mod compute;
mod resize_mode;
pub mod shard_map;
pub use compute::{Compute, Operation};
pub use resize_mode::ResizeMode;
