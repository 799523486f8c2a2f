//! Code as written for papaya: every public method of its maps, sets, references and builders,
//! with the types spelled out wherever a signature could differ unnoticed.
//!
//! Included by two test binaries that bind `crate::maps` to papaya and to atomshard.
mod map;
mod set;
mod signatures;
