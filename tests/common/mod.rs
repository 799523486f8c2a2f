//! What the black-box tests share: histories and their checker, a subject per map, hashers and
//! keys that misbehave on purpose, drop accounting, seeds and a watchdog.
#![allow(
    dead_code,
    reason = "each test binary compiles this module and uses its own part of it"
)]

pub(crate) mod checker;
pub(crate) mod drops;
pub(crate) mod hashers;
pub(crate) mod history;
pub(crate) mod key;
pub(crate) mod seed;
pub(crate) mod subject;
pub(crate) mod watchdog;
pub(crate) mod workload;
