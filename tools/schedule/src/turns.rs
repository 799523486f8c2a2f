//! The turns: a hook in which each thread waits until it is told to go on.
//!
//! Nothing here may call the code under observation, or allocate in a thread that waits for its turn; the
//! trace hook does not report accesses made in it.

use crate::Threads;
use atomshard::trace::{self, Access, Kind};
use core::any::Any;
use core::cell::Cell;
use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Decides who goes on, and sees what happens.
pub trait Director: Any + Send {
    /// A thread comes to an access. True freezes it there, until it is chosen again or nobody else is left.
    fn freezes(&mut self, _thread: usize, _access: &Access) -> bool {
        false
    }
    /// Who goes on: one of `ready`, or of `frozen` to thaw it. `last` had the turn before.
    fn choose(&mut self, ready: Threads, frozen: Threads, last: usize) -> usize;
    /// A thread that has the turn is about to do this. Also called for what is reported and no step.
    fn observe(&mut self, _thread: usize, _access: &Access) {}
}

/// What a thread is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Has not begun.
    Unborn,
    /// May go on.
    Ready,
    /// Waits until all have come to the same place.
    Waiting,
    /// Is kept from its next access.
    Frozen,
    /// Has ended.
    Ended,
}

/// The run that is on.
struct Run {
    director: Box<dyn Director>,
    state: Vec<State>,
    /// Who has the turn.
    turn: usize,
    /// Turns given so far.
    given: u64,
}

static RUN: Mutex<Option<Run>> = Mutex::new(None);
static TURNS: [Condvar; Threads::MOST] = [const { Condvar::new() }; Threads::MOST];
static ENDED: Condvar = Condvar::new();

/// A turn that takes longer than this is one of a thread that waits for another outside the hook.
const PATIENCE: Duration = Duration::from_secs(20);

thread_local! {
    /// The number of a thread of the run. Without a destructor, so that it stays while others have theirs.
    static SELF: Cell<Option<usize>> = const { Cell::new(None) };
    /// Ends a thread's part. The first thread-local with a destructor, so that it is destroyed last.
    static PART: Cell<Option<Part>> = const { Cell::new(None) };
}

fn lock() -> MutexGuard<'static, Option<Run>> {
    RUN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `make` in the calling thread, which is number 0, and then `body` in all `threads`, in turns. Returns
/// the director and what was made.
///
/// One run at a time in a process; others wait.
///
/// # Panics
/// If `make` or `body` does; if a thread waits for another outside the hook.
pub fn run<D: Director, S: Sync>(
    threads: usize,
    director: D,
    make: impl FnOnce() -> S,
    body: impl Fn(&S, usize) + Sync,
) -> (D, S) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    assert!((1..=Threads::MOST).contains(&threads), "{threads} threads");
    *lock() = Some(Run {
        director: Box::new(director),
        state: core::iter::once(State::Ready)
            .chain(core::iter::repeat_n(State::Unborn, threads - 1))
            .collect(),
        turn: 0,
        given: 0,
    });
    trace::set_hook(Some(hook));
    let unhook = Unhook;
    let first = Part::of(0);
    let shared = make();
    thread::scope(|scope| {
        for index in 1..threads {
            let (body, shared) = (&body, &shared);
            scope.spawn(move || {
                PART.set(Some(Part::of(index)));
                drop(await_turn(lock(), index));
                body(shared, index);
            });
        }
        let first = first;
        if let Some(run) = lock().as_mut() {
            run.state.fill(State::Ready);
        }
        body(&shared, 0);
        drop(first);
    });
    drop(unhook);
    let Some(run) = lock().take() else {
        unreachable!("a run ends once")
    };
    let director: Box<dyn Any> = run.director;
    match director.downcast() {
        Ok(director) => (*director, shared),
        Err(_) => unreachable!("the director of this run"),
    }
}

/// Waits until all threads of the run have ended, then takes the hook away; also after a panic.
struct Unhook;

impl Drop for Unhook {
    fn drop(&mut self) {
        let mut run = lock();
        let is_over = |run: &Option<Run>| {
            let mut states = run.iter().flat_map(|run| &run.state);
            states.all(|state| matches!(state, State::Ended | State::Unborn))
        };
        while !is_over(&run) {
            run = ENDED.wait(run).unwrap_or_else(PoisonError::into_inner);
        }
        trace::set_hook(None);
    }
}

/// Makes the calling thread one of the run, until it is dropped.
struct Part(usize);

impl Part {
    fn of(index: usize) -> Self {
        SELF.set(Some(index));
        Self(index)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        SELF.set(None);
        if let Some(run) = lock().as_mut() {
            run.state[self.0] = State::Ended;
            run.pass_on();
        }
        ENDED.notify_all();
    }
}

impl Run {
    fn all(&self, state: State) -> Threads {
        let states = self.state.iter().enumerate();
        states
            .filter(|(_, other)| **other == state)
            .map(|(index, _)| index)
            .collect()
    }

    /// Gives the turn to somebody. If nobody is ready the frozen go on, and else those who wait.
    fn pass_on(&mut self) {
        for stopped in [State::Frozen, State::Waiting] {
            if self.all(State::Ready).is_empty() {
                for state in self.state.iter_mut().filter(|state| **state == stopped) {
                    *state = State::Ready;
                }
            }
        }
        let (ready, frozen) = (self.all(State::Ready), self.all(State::Frozen));
        if ready.is_empty() {
            return;
        }
        let next = self.director.choose(ready, frozen, self.turn);
        assert!(
            ready.contains(next) || frozen.contains(next),
            "a thread was chosen that cannot go on"
        );
        self.state[next] = State::Ready;
        self.given += 1;
        // Who keeps the turn does not wait for it.
        if next != core::mem::replace(&mut self.turn, next) {
            TURNS[next].notify_one();
        }
    }
}

/// Waits for the turn.
fn await_turn(
    mut held: MutexGuard<'static, Option<Run>>,
    me: usize,
) -> MutexGuard<'static, Option<Run>> {
    loop {
        let (turn, given) = match held.as_ref() {
            Some(run) if run.turn != me => (run.turn, run.given),
            _ => return held,
        };
        let waited = TURNS[me].wait_timeout(held, PATIENCE);
        let (back, late) = waited.unwrap_or_else(PoisonError::into_inner);
        held = back;
        let same = held.as_ref().is_some_and(|run| run.given == given);
        assert!(
            !(late.timed_out() && same),
            "thread {turn} has had the turn for {PATIENCE:?}: it waits outside the hook"
        );
    }
}

/// Called before each access.
fn hook(access: &Access) {
    let Some(me) = SELF.get() else {
        return;
    };
    let mut held = lock();
    if is_step(access.kind) {
        if let Some(run) = held.as_mut() {
            if run.director.freezes(me, access) {
                run.state[me] = State::Frozen;
            }
            run.pass_on();
        }
        held = await_turn(held, me);
    }
    if let Some(run) = held.as_mut() {
        run.director.observe(me, access);
    }
}

/// Whether a thread may lose the turn before it.
fn is_step(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Load | Kind::Store | Kind::Rmw | Kind::Fence | Kind::ProcessBarrier
    )
}

/// Waits until every thread of the run is here.
pub fn meet() {
    let Some(me) = SELF.get() else {
        return;
    };
    let mut held = lock();
    if let Some(run) = held.as_mut() {
        run.state[me] = State::Waiting;
        run.pass_on();
    }
    drop(await_turn(held, me));
}

/// Tells the director something about the calling thread, if it is one of a run with such a director.
pub fn direct<D: Director, R>(tell: impl FnOnce(&mut D, usize) -> R) -> Option<R> {
    let me = SELF.get()?;
    let mut held = lock();
    let director: &mut dyn Any = held.as_mut()?.director.as_mut();
    Some(tell(director.downcast_mut()?, me))
}
