//! The sharded counter, the same with cells at other distances, and one cell for all.

use super::Spec;
use crate::{Case, Output, Worker};
use atomshard::Padded;
use atomshard::ShardCounter;
use atomshard::shard::Place;
use baselines::{Pad0, Pad64, Pad128, Pad256, SharedCounter, Striped};
use core::cell::Cell;

/// Threads of the counters, whose benefit grows with them.
const THREADS: &[usize] = &[1, 2, 4, 8];
/// Places of every counter: as many as the most threads of the table of `scaling`.
const PLACES: usize = 32;
/// Additions of each thread before those that are accounted for.
const WARM_UP: usize = 32;

pub(super) const SPECS: &[Spec] = &[
    Spec::new("shard_counter", "add", THREADS, add),
    Spec::new("shard_counter", "sum", &[1, 8], sum),
    Spec::new("striped_counter_0", "add", THREADS, striped::<Pad0>),
    Spec::new("striped_counter_64", "add", THREADS, striped::<Pad64>),
    Spec::new("striped_counter_128", "add", THREADS, striped::<Pad128>),
    Spec::new("striped_counter_256", "add", THREADS, striped::<Pad256>),
    Spec::new("shared_counter", "add", THREADS, shared),
];

thread_local!(static OWN: Cell<usize> = const { Cell::new(0) });

/// Each thread of the case at its own place, whatever machine runs it.
#[derive(Debug)]
struct ByWorker;

impl Place for ByWorker {
    fn index(&self) -> usize {
        #[cfg(atomshard_traced)]
        OWN.with(|own| atomshard::trace::note_read(own));
        OWN.get()
    }
    fn places(&self) -> usize {
        PLACES
    }
}

fn counter() -> Box<Padded<ShardCounter<ByWorker>>> {
    Box::new(Padded::new(ShardCounter::with_place(ByWorker)))
}

fn add(case: Case) -> Output {
    case.observe(counter, |counter, worker: &Worker| {
        OWN.set(worker.index());
        (0..WARM_UP).for_each(|_| counter.increment());
        for _ in worker.rounds() {
            worker.operation(|| counter.increment());
        }
    })
}

fn sum(case: Case) -> Output {
    case.observe(counter, |counter, worker: &Worker| {
        OWN.set(worker.index());
        (0..WARM_UP).for_each(|_| counter.increment());
        for _ in worker.rounds() {
            worker.operation(|| counter.sum());
        }
    })
}

fn striped<C: baselines::Distance + Sync + Send>(case: Case) -> Output {
    let make = || Box::new(Padded::new(Striped::<C>::new(PLACES)));
    case.observe(make, |counter, worker: &Worker| {
        (0..WARM_UP).for_each(|_| counter.add(worker.index(), 1));
        for _ in worker.rounds() {
            worker.operation(|| counter.add(worker.index(), 1));
        }
    })
}

fn shared(case: Case) -> Output {
    let make = || Box::new(Padded::new(SharedCounter::new()));
    case.observe(make, |counter, worker: &Worker| {
        (0..WARM_UP).for_each(|_| counter.add(1));
        for _ in worker.rounds() {
            worker.operation(|| counter.add(1));
        }
    })
}
