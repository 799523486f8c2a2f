//! How things are measured here: threads that run side by side, and ratios within interleaved rounds.
//!
//! | module | what |
//! |---|---|
//! | [`crew`] | threads, each on a core of its own, a common start, and whether they ran side by side |
//! | [`stats`] | medians and quartiles, paired ratios with their interval, and verdicts on them |

pub mod crew;
pub mod stats;
