//! The maps under the names of the crate `papaya`, so that changing over is a change of import.
//!
//! ```
//! // was: use papaya::{HashMap, Guard};
//! use atomshard::papaya::{Guard, HashMap};
//!
//! struct Metrics {
//!     by_name: HashMap<String, Vec<u64>>,
//! }
//!
//! impl Metrics {
//!     fn guard(&self) -> impl Guard + '_ {
//!         self.by_name.guard()
//!     }
//!
//!     fn get<'g>(&self, name: &str, guard: &'g impl Guard) -> Option<&'g [u64]> {
//!         Some(self.by_name.get(name, guard)?.as_slice())
//!     }
//! }
//!
//! let metrics = Metrics { by_name: HashMap::new() };
//! metrics.by_name.pin().insert("hits".to_owned(), vec![1, 2]);
//! let guard = metrics.guard();
//! assert_eq!(metrics.get("hits", &guard), Some([1, 2].as_slice()));
//! ```
//!
//! These are re-exports, not wrappers: error messages name [`ShardMap`](crate::ShardMap) and its
//! kin. docs/papaya.md lists every public item with what differs.
pub use crate::error::OccupiedError;
pub use crate::map::shard_map::{
    Iter, Keys, ShardMap as HashMap, ShardMapBuilder as HashMapBuilder, ShardMapRef as HashMapRef,
    Values,
};
pub use crate::map::shard_set::{
    ShardSet as HashSet, ShardSetBuilder as HashSetBuilder, ShardSetRef as HashSetRef,
};
pub use crate::map::{Compute, Operation, ResizeMode};
pub use crate::reclaim::{Guard, LocalGuard, OwnedGuard};
pub use equivalent::Equivalent;

/// Compiles and runs the example of the page.
#[cfg(doctest)]
#[doc = include_str!("../../docs/papaya.md")]
mod page {}
