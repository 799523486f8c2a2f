//! What the crate's structures are compared with: plain, correct, and laid out as others do.
//!
//! | module | what |
//! |---|---|
//! | [`counters`] | cells of a counter at chosen distances, and one cell for all |
//! | [`headers`] | heads of shards, packed and padded |
//! | [`one_line`] | a hash and one random line: less than that no map can do |
//! | [`segment_map`] | a map of segments with a lock each, as Java's `ConcurrentHashMap` of version 7 |
//!
//! With `--cfg atomshard_traced` their atomics report, and what is not atomic is declared.

mod atomic;
pub mod counters;
pub mod headers;
pub mod one_line;
pub mod segment_map;

pub use atomic::HasLayout;
pub use counters::{Distance, Pad0, Pad64, Pad128, Pad256, SharedCounter, Striped};
pub use one_line::OneLine;
pub use segment_map::SegmentMap;
