//! What threads do to each other that share no bytes, and some: a bench a question.
//!
//! ```text
//! cargo bench --package contention                      # all four questions
//! cargo bench --package contention --bench counters     # one of them
//! ```
//!
//! | bench | question |
//! |---|---|
//! | `counters` | how far apart must cells be that different threads write? |
//! | `shard_counter` | what does a sharded counter save over one word, and over a mutex? |
//! | `headers` | what do heads of shards cost that lie one after another? |
//! | `maps` | do threads with keys of their own disturb each other in a map? |
//!
//! Each bench does three things with each [`Subject`]:
//!
//! ```text
//! criterion     wall time of an operation, one thread and all of them, on cores of their own
//! rounds        the same, interleaved with all others: ratios within a round          --> time   --+
//! counted runs  the roles of atomshard::perf, one run for each group of counters      --> counters +-> verdict
//! benches/coherence/*.toml  what the model of the caches says of the same operation   --> model  --+
//! ```
//!
//! A [verdict](verdict::Verdict) needs two witnesses that agree and none that contradicts. Two controls stand in
//! each bench: cells in one line, and cells on pages of their own. Where a witness cannot tell
//! these two apart, this host cannot measure false sharing by it, and it says nothing of the others.
//!
//! Criterion measures time and nothing else; what is counted goes to `target/contention/<bench>.jsonl`, a line for each
//! subject, number of threads and role.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints its tables"
)]

mod counted;
mod question;
mod rounds;
mod subject;
pub mod verdict;
mod witness;

pub use question::Question;
pub use subject::{Account, Operate, Subject};
