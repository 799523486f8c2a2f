//! The traced run: threads under one token, each access fed to the model as it happens.
//!
//! ```text
//! thread: .. hook(access): give the token to a thread chosen by the seed, wait for it to come back,
//!            feed the access to the model and the account, return; the access happens
//! ```
//!
//! Only the holder of the token runs, so the order in which accesses are fed is the order in which they
//! happen, and a seed gives one order. Thread number `i` is the cache number `i`. The case's first thread is the calling
//! one: it makes what is shared, before the others begin.
//!
//! Nothing here may call the code under observation; the trace hook does not report accesses made in it.

use crate::names::Shape;
use crate::tally::Step;
use crate::worker::Worker;
use crate::{Account, Line, Model, Names, Tally, Touch, arena};
use atomshard::trace::{self, Access, Kind, Layout};
use core::cell::Cell;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

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
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        *floor() = Some(Floor {
            model: Model::new(self.threads, self.line),
            names: Names::default(),
            tally: Tally::new(self.threads, self.line),
            rng: fastrand::Rng::with_seed(self.seed),
            state: core::iter::once(State::Ready)
                .chain(core::iter::repeat_n(State::Unborn, self.threads - 1))
                .collect(),
            turn: 0,
            touched: Vec::new(),
        });
        trace::set_hook(Some(hook));
        let rounds = self.operations / self.threads;
        {
            let first = Joined::new(0);
            let shared = arena::within(Some(0), make);
            thread::scope(|scope| {
                for index in 1..self.threads {
                    let (body, shared) = (&body, &shared);
                    scope.spawn(move || {
                        let _joined = Joined::new(index);
                        drop(await_turn(floor(), index));
                        arena::within(Some(index), || body(shared, &Worker::new(index, rounds)));
                    });
                }
                let first = first;
                if let Some(run) = floor().as_mut() {
                    run.state.fill(State::Ready);
                }
                arena::within(Some(0), || body(&shared, &Worker::new(0, rounds)));
                drop(first);
            });
            arena::within(Some(0), move || drop(shared));
        }
        trace::set_hook(None);
        let Some(floor) = floor().take() else {
            unreachable!("a run ends once")
        };
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

/// What a thread is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Has not begun.
    Unborn,
    /// May run.
    Ready,
    /// Waits until all are prepared.
    Prepared,
    /// Has ended.
    Ended,
}

/// The run that is on.
struct Floor {
    model: Model,
    names: Names,
    tally: Tally,
    rng: fastrand::Rng,
    state: Vec<State>,
    /// Who has the token.
    turn: usize,
    touched: Vec<Vec<(usize, usize)>>,
}

static FLOOR: Mutex<Option<Floor>> = Mutex::new(None);
static TURNS: [Condvar; arena::ARENAS] = [const { Condvar::new() }; arena::ARENAS];

thread_local! {
    /// The number of a thread of the run.
    static SELF: Cell<Option<usize>> = const { Cell::new(None) };
    /// It is in an operation.
    static IS_OPEN: Cell<bool> = const { Cell::new(false) };
}

fn floor() -> MutexGuard<'static, Option<Floor>> {
    FLOOR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the calling thread one of the run, until it is dropped.
struct Joined(usize);

impl Joined {
    fn new(index: usize) -> Self {
        SELF.set(Some(index));
        Self(index)
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        SELF.set(None);
        let mut floor = floor();
        if let Some(run) = floor.as_mut() {
            run.state[self.0] = State::Ended;
            run.pass_on();
        }
    }
}

impl Floor {
    /// Gives the token to one of those that may run; all that wait may, if nobody else can.
    fn pass_on(&mut self) {
        if !self.state.contains(&State::Ready) {
            for state in &mut self.state {
                if *state == State::Prepared {
                    *state = State::Ready;
                }
            }
        }
        let ready = (0..self.state.len()).filter(|index| self.state[*index] == State::Ready);
        let ready: Vec<usize> = ready.collect();
        if !ready.is_empty() {
            self.turn = ready[self.rng.usize(..ready.len())];
            TURNS[self.turn].notify_one();
        }
    }

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

/// Waits for the token.
fn await_turn(
    mut floor: MutexGuard<'static, Option<Floor>>,
    me: usize,
) -> MutexGuard<'static, Option<Floor>> {
    while floor.as_ref().is_some_and(|run| run.turn != me) {
        floor = TURNS[me]
            .wait(floor)
            .unwrap_or_else(PoisonError::into_inner);
    }
    floor
}

/// See the module.
fn hook(access: &Access) {
    let Some(me) = SELF.get() else {
        return;
    };
    arena::within(None, || observe(me, access));
}

fn observe(me: usize, access: &Access) {
    let mut floor = floor();
    let is_step = matches!(
        access.kind,
        Kind::Load | Kind::Store | Kind::Rmw | Kind::Fence | Kind::ProcessBarrier
    );
    if is_step {
        if let Some(run) = floor.as_mut() {
            run.pass_on();
        }
        floor = await_turn(floor, me);
    }
    let Some(run) = floor.as_mut() else {
        return;
    };
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
        run.tally.step(step);
    }
    match access.kind {
        Kind::Load | Kind::Read => run.feed(me, access, Touch::Read),
        Kind::Store | Kind::Rmw | Kind::Write => run.feed(me, access, Touch::Write),
        Kind::Objects(layout) => run.names.place(access.address, access.size, shape(layout)),
        _ => {}
    }
}

/// Waits until every thread of the run is here.
pub(crate) fn wait_for_all() {
    let Some(me) = SELF.get() else {
        return;
    };
    arena::within(None, || {
        let mut floor = floor();
        if let Some(run) = floor.as_mut() {
            run.state[me] = State::Prepared;
            run.pass_on();
        }
        drop(await_turn(floor, me));
    });
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
    arena::within(None, || {
        if let (Some(me), Some(run)) = (SELF.get(), floor().as_mut()) {
            change(run, me);
        }
    });
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
