//! A coherence model of the cache lines that operations touch.
//!
//! [`Model`] is MESI with a mask of bytes for each copy. With `--cfg atomshard_traced` the crate's
//! tracer feeds it: [`Case::run`] runs threads under a seeded order and gives an [`Account`] of what
//! their operations touched, fetched, invalidated, and shared by accident. docs/coherence.md shows how to
//! look at a structure of one's own.
//!
//! # Files
//! [`model`] the caches · [`names`] what lies where · [`tally`] the account · [`snapshot`] accounts as they are
//! recorded · `run` threads under one token (traced build) · `replay` the same cases for a memory trace from
//! outside (other builds) · [`worker`] a thread of a case · [`cases`] what is accounted for ·
//! [`arena`], [`regions`] memory whose place is known.

#[cfg(atomshard_traced)]
pub mod accounts;
pub mod arena;
pub mod cases;
pub mod model;
pub mod names;
pub mod regions;
#[cfg(not(atomshard_traced))]
mod replay;
#[cfg(atomshard_traced)]
mod run;
pub mod snapshot;
pub mod tally;
#[cfg(not(atomshard_traced))]
pub mod timing;
pub mod worker;

pub use model::{Event, Fill, Line, Model, Touch, Victim};
pub use names::Names;
#[cfg(not(atomshard_traced))]
pub use replay::Case;
#[cfg(atomshard_traced)]
pub use run::{Case, Observed};
pub use snapshot::{Snapshot, compare};
pub use tally::{Account, Tally};
pub use worker::Worker;

/// What a case gives: with the tracer what was seen, and else nothing.
#[cfg(atomshard_traced)]
pub type Output = Observed;
/// What a case gives: with the tracer what was seen, and else nothing.
#[cfg(not(atomshard_traced))]
pub type Output = ();

/// Compiles and runs the examples of docs/coherence.md.
#[cfg(all(doctest, atomshard_traced))]
#[doc = include_str!("../../../docs/coherence.md")]
mod page {}
