//! The traced run: threads that take turns, each access fed to the model as it happens.
//!
//! The order in which accesses are fed is the order in which they happen, and a seed gives one order. Thread
//! number `i` is the cache number `i`. The case's first thread is the calling one: it makes what is shared, before
//! the others begin.
//!
//! Nothing here may call the code under observation; the trace hook does not report accesses made in it.

use crate::names::Shape;
use crate::tally::Step;
use crate::worker::Worker;
use crate::{Account, Line, Model, Names, Tally, Touch, arena};
use atomshard::trace::{Access, Kind, Layout};
use core::cell::Cell;
use schedule::{Director, Order as _, Threads, Walk};
use std::path::Path;

/// One case: how many threads do how much, in which order, over lines of which kind.
#[derive(Clone, Debug)]
pub struct Case {
    threads: usize,
    operations: usize,
    seed: u64,
    line: Line,
}

impl Default for Case {
    fn default() -> Self {
        Self::new()
    }
}

impl Case {
    /// One thread, 100 operations, lines of 64 bytes.
    #[must_use]
    pub fn new() -> Self {
        Self {
            threads: 1,
            operations: 100,
            seed: 1,
            line: Line::default(),
        }
    }

    /// With so many threads, 64 at most, each of which has a cache of its own.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.clamp(1, arena::ARENAS - 1);
        self
    }

    /// With so many operations, which the threads share out evenly.
    #[must_use]
    pub fn operations(mut self, operations: usize) -> Self {
        self.operations = operations;
        self
    }

    /// With another order of the threads.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// With other lines.
    #[must_use]
    pub fn line(mut self, line: Line) -> Self {
        self.line = line;
        self
    }

    /// Makes what the threads share, lets each do its rounds, and accounts for the operations.
    ///
    /// One run at a time in a process; others wait.
    ///
    /// # Panics
    /// If `make` or `body` does.
    pub fn run<S: Sync>(
        self,
        make: impl FnOnce() -> S,
        body: impl Fn(&S, &Worker) + Sync,
    ) -> Account {
        self.observe(make, body).account
    }

    /// As `run`, with what each operation touched.
    pub(crate) fn observe<S: Sync>(
        self,
        make: impl FnOnce() -> S,
        body: impl Fn(&S, &Worker) + Sync,
    ) -> Observed {
        let floor = Floor {
            model: Model::new(self.threads, self.line),
            names: Names::default(),
            tally: Tally::new(self.threads, self.line),
            order: Walk::new(self.seed, 1),
            touched: Vec::new(),
        };
        let rounds = self.operations / self.threads;
        let (floor, shared) = schedule::run(
            self.threads,
            floor,
            || arena::within(Some(0), make),
            |shared, index| {
                arena::within(Some(index), || body(shared, &Worker::new(index, rounds)));
            },
        );
        arena::within(Some(0), move || drop(shared));
        Observed {
            account: floor.tally.finish(),
            touched: floor.touched,
        }
    }
}

/// What a run has shown.
#[derive(Debug)]
pub struct Observed {
    pub(crate) account: Account,
    /// By operation of the first thread: first byte and size of each place.
    pub(crate) touched: Vec<Vec<(usize, usize)>>,
}

/// What watches the run.
struct Floor {
    model: Model,
    names: Names,
    tally: Tally,
    order: Walk,
    touched: Vec<Vec<(usize, usize)>>,
}

thread_local! {
    /// The thread is in an operation.
    static IS_OPEN: Cell<bool> = const { Cell::new(false) };
}

impl Floor {
    /// Feeds one access.
    fn feed(&mut self, thread: usize, access: &Access, touch: Touch) {
        let events = self
            .model
            .access(thread, access.address, access.size, touch);
        if IS_OPEN.get() {
            let place = (access.address, access.size);
            let file = Path::new(access.location.file()).file_stem();
            let fallback =
                file.map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            self.tally
                .touch(thread, place, &events, &self.names, &fallback);
            if thread == 0
                && let Some(operation) = self.touched.last_mut()
            {
                operation.push((access.address, access.size));
            }
        }
    }
}

impl Director for Floor {
    fn choose(&mut self, ready: Threads, _frozen: Threads, last: usize) -> usize {
        self.order.next(ready, last)
    }

    fn observe(&mut self, me: usize, access: &Access) {
        // What is kept here is the tool's own, whichever thread it is that runs.
        arena::within(None, || self.note(me, access));
    }
}

impl Floor {
    fn note(&mut self, me: usize, access: &Access) {
        let step = match access.kind {
            Kind::Rmw => Some(Step::Rmw),
            Kind::RmwFailed => Some(Step::RmwFailed),
            Kind::Fence => Some(Step::Fence),
            Kind::ProcessBarrier => Some(Step::ProcessBarrier),
            _ => None,
        };
        if IS_OPEN.get()
            && let Some(step) = step
        {
            self.tally.step(step);
        }
        match access.kind {
            Kind::Load | Kind::Read => self.feed(me, access, Touch::Read),
            Kind::Store | Kind::Rmw | Kind::Write => self.feed(me, access, Touch::Write),
            Kind::Objects(layout) => self.names.place(access.address, access.size, shape(layout)),
            _ => {}
        }
    }
}

/// Waits until every thread of the run is here.
pub(crate) fn wait_for_all() {
    schedule::meet();
}

/// An operation of the calling thread begins.
pub(crate) fn begin() {
    edge(|run, me| {
        run.tally.begin(me);
        if me == 0 {
            run.touched.push(Vec::new());
        }
    });
    IS_OPEN.set(true);
}

/// It ends.
pub(crate) fn end() {
    IS_OPEN.set(false);
    edge(|run, me| run.tally.end(me));
}

fn edge(change: impl FnOnce(&mut Floor, usize)) {
    arena::within(None, || schedule::direct(change));
}

fn shape(layout: &Layout) -> Shape {
    let fields = layout.fields.iter();
    Shape {
        name: layout.name.to_owned(),
        bytes: layout.bytes,
        fields: fields
            .map(|field| (field.name.to_owned(), field.offset, field.bytes))
            .collect(),
    }
}
