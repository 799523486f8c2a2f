//! `ShardMap`.
pub(crate) mod raw;
