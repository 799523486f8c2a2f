//! The protocol of words as a state machine: the single exchange into an empty slot, claims, links and doublings of
//! a shard of `WordMap`, as docs/decisions/word-map.md has it.
//!
//! # Files
//! [`memory`] words and lines · [`thread`] an operation · [`moving`] a unit that moves · [`model`] what must hold, and the mistakes
//! that can be put in · [`cases`] the runs.

pub mod cases;
pub mod memory;
pub mod model;
pub mod moving;
pub mod thread;

pub use model::{Bug, Words};
