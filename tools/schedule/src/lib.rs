//! Threads that take turns: with `--cfg atomshard_traced` one runs at a time, up to its next atomic access,
//! in an order that a [`Director`] chooses.
//!
//! ```text
//! thread: .. access comes: the director may freeze the thread, and says who goes on;
//!            wait for the turn; the director observes; the access happens ..
//! ```
//!
//! Only who has the turn runs, so the accesses happen one after another, and the same choices give the
//! same run. What a thread does when it ends, the destructors of its thread-locals, takes turns as well.
//!
//! # Files
//! [`threads`] a set of threads · [`directors`] orders by a seed, by priorities, by bytes · `turns` the turns
//! (traced build)

pub mod directors;
pub mod threads;
#[cfg(atomshard_traced)]
mod turns;

pub use directors::{Bytes, Order, Priorities, Walk};
pub use threads::Threads;
#[cfg(atomshard_traced)]
pub use turns::{Director, direct, meet, run};
