//! papaya's surface over our maps: the module `papaya_usage`, compiled with our names.
//!
//! `papaya_oracle.rs` compiles the same module with papaya itself. The import below is the only
//! difference between the two, which is what docs/papaya.md promises.
use atomshard::papaya as maps;

mod papaya_usage;
