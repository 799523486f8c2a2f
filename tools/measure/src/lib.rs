//! How things are measured here: threads that run side by side, ratios within interleaved rounds, and counters.
//!
//! | module | what |
//! |---|---|
//! | [`counting`] | the roles of `atomshard::perf` in runs of their own, and how they are shown |
//! | [`crew`] | threads, each on a core of its own, a common start, and whether they ran side by side |
//! | [`stats`] | medians and quartiles, paired ratios with their interval, and verdicts on them |

pub mod counting;
pub mod crew;
pub mod stats;
