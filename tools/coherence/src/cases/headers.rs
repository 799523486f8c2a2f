//! Heads of shards, a lock and a size each, packed one after another and padded.

use super::Spec;
use crate::{Case, Output, Worker};
use atomshard::Padded as Aligned;
use baselines::headers::{Packed, Padded};

/// Shards, of which each thread uses its own.
const SHARDS: usize = 8;

const OPERATION: &str = "lock, count, unlock";
const THREADS: &[usize] = &[1, 2, 4, 8];

pub(super) const SPECS: &[Spec] = &[
    Spec::new("shard_headers_packed", OPERATION, THREADS, packed),
    Spec::new("shard_headers_padded", OPERATION, THREADS, padded),
];

fn packed(case: Case) -> Output {
    let make = || Box::new(Aligned::new(Packed::new(SHARDS)));
    case.observe(make, |heads, worker: &Worker| {
        heads.visit(worker.index());
        for _ in worker.rounds() {
            worker.operation(|| heads.visit(worker.index()));
        }
    })
}

fn padded(case: Case) -> Output {
    let make = || Box::new(Aligned::new(Padded::new(SHARDS)));
    case.observe(make, |heads, worker: &Worker| {
        heads.visit(worker.index());
        for _ in worker.rounds() {
            worker.operation(|| heads.visit(worker.index()));
        }
    })
}
