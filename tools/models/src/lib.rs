//! The protocols of the maps as state machines, explored to the last state: a move between tables, and words.
//!
//! The transitions are the atomic accesses of `src/table` and `src/map/shard_map/raw`, under the same names
//! and phase by phase; [`Config`] says how many threads do what to how many keys. What is left out stands in
//! docs/design/shard-map.md.
//!
//! # Files
//! [`config`] a run, and the mistakes that can be put in · [`memory`] words, lines, tables, what is retired ·
//! [`thread`] a thread as a stack of calls · [`find`], [`insert`], [`write`], [`resize`], [`migration`] the
//! protocol, a file for each of the code's · [`history`] what answers can be explained · [`model`] what must
//! hold · [`cases`] the runs · [`words`] another machine, of what `WordMap` does in a line · [`progress`] whether all its
//! schedules end · [`explore`] both machines' explorations.

pub mod cases;
pub mod config;
pub mod explore;
pub mod find;
pub mod history;
pub mod insert;
pub mod memory;
pub mod migration;
pub mod model;
pub mod progress;
pub mod resize;
pub mod thread;
pub mod words;
pub mod write;

pub use config::{Bug, Config, Key, Op};
