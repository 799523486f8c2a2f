//! The harness that every map plugs into: histories and their checker, a subject per map, hashers and
//! keys that misbehave on purpose, drop accounting, seeds and a watchdog.

pub mod accounts;
pub mod checker;
pub mod drops;
#[cfg(atomshard_traced)]
pub mod freeze;
pub mod hashers;
pub mod history;
pub mod key;
pub mod length;
#[cfg(atomshard_traced)]
pub mod progress;
#[cfg(atomshard_traced)]
pub mod scheduled;
pub mod seed;
pub mod set;
pub mod subject;
pub mod watchdog;
pub mod whole;
pub mod words;
pub mod workload;
