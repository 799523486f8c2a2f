//! What the fuzz targets run: bytes, read as operations and as schedules, and what must come of them.
//!
//! The targets in `targets/` hand bytes to this crate, and `tests/corpus.rs` does the same with the corpus,
//! without a fuzzer.

mod hashing;
#[cfg(atomshard_traced)]
pub mod schedules;
pub mod sequential;
pub mod topology;
