//! One thread is stopped at its k-th atomic access, for every k of an operation; the others must get on.
//!
//! ```text
//! victim:  .. operation: 1 2 3 .. k (stopped here until all others have ended)
//! others:            program: operation, operation, ..     each within a bound of own accesses
//! ```
//!
//! An operation is *wait-free* if it ends within a bound of its own accesses whatever the others do between
//! them: an adversary does operations between every two. It is *lock-free* if whoever is stopped anywhere in
//! it keeps nobody from ending theirs. Else it *blocks*, and where the others wait is told.

use atomshard::trace::Access;
use schedule::{Director, Order as _, Threads, Walk, direct, meet};

/// The thread that is stopped, or that the adversary is set on.
const VICTIM: usize = 1;
/// Threads of a run: the victim and two others.
const THREADS: usize = 3;
/// Accesses of one operation after which its thread counts as waiting for somebody. The longest that end by
/// themselves, a `retain` and an `update` that move a whole map on the way, take some 20,000.
const PATIENCE: usize = 200_000;
/// Operations that the adversary has beyond those that the victim's length calls for.
const ATTACKS: usize = 300;
/// Accesses of an operation that is attacked, at most.
const SHORT: usize = 150;

/// Does something as an operation of this name.
pub type Doing<'a> = dyn FnMut(&'static str, &dyn Fn()) + 'a;

/// What an adversary does in each round, by name.
pub type Attack<M> = (&'static str, fn(&M, u64));

/// Something that threads share, and what they do with it.
#[expect(missing_debug_implementations, reason = "it consists of functions")]
pub struct Subject<M: 'static> {
    /// What is made before a run.
    pub make: Box<dyn Fn() -> M + Sync>,
    /// Done by the victim before its operation, so that it is not its first in the thread.
    pub warm: fn(&M),
    /// What the others do, each with its number: operations by name.
    pub program: fn(&M, usize, &mut Doing<'_>),
    /// What the adversary does over and over.
    pub attacks: &'static [Attack<M>],
}

/// What the victim does.
#[derive(Debug)]
pub enum Act<M> {
    /// This, when it has done other things before.
    Call(fn(&M)),
    /// This, as the first thing that it does.
    First(fn(&M)),
    /// It ends.
    End,
}

impl<M> Clone for Act<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Act<M> {}

/// What was seen of others while a thread was stopped in an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frozen {
    /// At how many accesses it was stopped, one run each.
    pub points: usize,
    /// Operations that others ended meanwhile.
    pub ended: usize,
    /// The most accesses that one of these took, and which it was.
    pub most: (usize, &'static str),
    /// Somebody waited: in which operation, and in which source line.
    pub waits: Option<(&'static str, &'static str, u32)>,
}

/// How an operation fared under an adversary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attacked {
    /// Accesses that it takes alone.
    pub alone: usize,
    /// The most that it took under attack.
    pub most: usize,
    /// The attack that it did not withstand: it ended only when the adversary had no more operations.
    pub starved: Option<&'static str>,
}

/// What the director is about.
#[derive(Clone, Copy, Debug)]
enum Aim {
    /// Stop the victim at this access.
    Stop { at: usize },
    /// Let the adversary do operations between any two accesses of the victim.
    Attack,
}

/// Where a thread is.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The operation, while it is in one.
    operation: Option<&'static str>,
    /// Accesses of it so far.
    accesses: usize,
}

/// The director of all runs here.
struct Watch {
    aim: Aim,
    order: Walk,
    places: [Place; THREADS],
    /// The victim has been stopped.
    stopped: bool,
    /// Who has the turn next, under attack.
    next: usize,
    seen: Frozen,
}

impl Watch {
    fn new(aim: Aim, seed: u64) -> Self {
        Self {
            aim,
            order: Walk::new(seed, 60),
            places: [Place::default(); THREADS],
            stopped: false,
            next: VICTIM,
            seen: Frozen::default(),
        }
    }

    fn begin(&mut self, thread: usize, operation: &'static str) {
        self.places[thread] = Place {
            operation: Some(operation),
            accesses: 0,
        };
    }

    fn end(&mut self, thread: usize) {
        let place = self.places[thread];
        self.places[thread].operation = None;
        let Some(operation) = place.operation else {
            return;
        };
        if thread == VICTIM {
            return;
        }
        if self.stopped {
            self.seen.ended += 1;
            self.seen.most = self.seen.most.max((place.accesses, operation));
        } else if matches!(self.aim, Aim::Attack) {
            self.next = VICTIM;
        }
    }
}

impl Director for Watch {
    fn freezes(&mut self, thread: usize, access: &Access) -> bool {
        let place = &mut self.places[thread];
        let Some(operation) = place.operation else {
            return false;
        };
        place.accesses += 1;
        if thread == VICTIM {
            self.next = 0;
            let Aim::Stop { at } = self.aim else {
                return false;
            };
            self.stopped |= place.accesses == at;
            return place.accesses == at;
        }
        let others_must_end = self.stopped || matches!(self.aim, Aim::Attack);
        if place.accesses > PATIENCE && others_must_end {
            let line = access.location;
            let here = (operation, line.file(), line.line());
            self.seen.waits = self.seen.waits.or(Some(here));
            // Nobody ends an attack that waits for the victim but the victim.
            self.next = VICTIM;
        }
        false
    }

    fn choose(&mut self, ready: Threads, frozen: Threads, last: usize) -> usize {
        // Whoever waits is let go by the one it waits for.
        if self.seen.waits.is_some() && frozen.contains(VICTIM) {
            return VICTIM;
        }
        match self.aim {
            Aim::Stop { .. } if !self.stopped && ready.contains(VICTIM) => VICTIM,
            Aim::Attack if ready.contains(self.next) => self.next,
            _ => self.order.next(ready, last),
        }
    }
}

/// Does `work` as an operation of the calling thread.
fn operation<R>(name: &'static str, work: impl FnOnce() -> R) -> R {
    direct(|watch: &mut Watch, me| watch.begin(me, name));
    let result = work();
    direct(|watch: &mut Watch, me| watch.end(me));
    result
}

impl<M: Sync + 'static> Subject<M> {
    /// Stops a thread at each access of `act`, one after the other; of one that has more than `points`, at
    /// the first half as many and at others spread over the rest.
    #[must_use]
    pub fn stop(&self, act: Act<M>, points: usize) -> Frozen {
        let length = self.stopped(act, usize::MAX).places[VICTIM].accesses;
        let half = points / 2;
        let places = (1..=length.min(points)).map(|at| match at {
            at if length <= points || at <= half => at,
            at => half + (at - half) * (length - half) / (points - half),
        });
        let mut all = Frozen::default();
        for at in places {
            let watch = self.stopped(act, at);
            all.points += usize::from(watch.stopped);
            all.ended += watch.seen.ended;
            all.most = all.most.max(watch.seen.most);
            all.waits = all.waits.or(watch.seen.waits);
        }
        all
    }

    /// Stops the victim at one access, if it comes to it.
    fn stopped(&self, act: Act<M>, at: usize) -> Watch {
        let watch = Watch::new(Aim::Stop { at }, at as u64);
        let body = |map: &M, index| {
            if index == VICTIM && !matches!(act, Act::First(_)) {
                (self.warm)(map);
            }
            meet();
            if index != VICTIM {
                return (self.program)(map, index, &mut |name, work| operation(name, work));
            }
            match act {
                Act::Call(act) | Act::First(act) => operation("", || act(map)),
                // It stays open: what is left is the end of the thread.
                Act::End => {
                    direct(|watch: &mut Watch, me| watch.begin(me, ""));
                }
            }
        };
        schedule::run(THREADS, watch, &self.make, body).0
    }

    /// Lets an adversary loose on `act`, unless that is a long operation, which is attacked where it is short.
    #[must_use]
    pub fn attack(&self, act: fn(&M)) -> Option<Attacked> {
        let under = |attack: fn(&M, u64), rounds| {
            let watch = Watch::new(Aim::Attack, 1);
            let (watch, _) = schedule::run(2, watch, &self.make, |map, index| {
                if index == VICTIM {
                    (self.warm)(map);
                }
                meet();
                if index == VICTIM {
                    operation("", || act(map));
                } else {
                    for round in 0..rounds {
                        operation("attack", || attack(map, round));
                    }
                }
            });
            watch.places[VICTIM].accesses
        };
        let alone = under(|_, _| (), 0);
        if alone > SHORT {
            return None;
        }
        let mut attacked = Attacked {
            alone,
            most: alone,
            starved: None,
        };
        // One attack lies between any two accesses, so who takes as many has outlasted them all.
        let rounds = ATTACKS + 3 * alone;
        for (name, attack) in self.attacks {
            let took = under(*attack, rounds as u64);
            attacked.most = attacked.most.max(took);
            if took >= rounds {
                attacked.starved = attacked.starved.or(Some(name));
            }
        }
        Some(attacked)
    }
}
