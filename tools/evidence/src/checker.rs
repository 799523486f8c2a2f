//! Is a history linearizable? The search of Wing and Gong, per key, in Lowe's order.
//!
//! A map is a product of independent keys, so a history is linearizable if and only if its part
//! on each key is (Herlihy and Wing, locality). For one key the checker walks through the calls
//! and returns in the order of time and keeps every *configuration* that explains the past: the
//! value of the key and which of the running operations have taken effect. Nothing is decided
//! before a return forces it ("just in time"): at the return of an operation it must have taken
//! effect, possibly after others that are running. When no configuration is left, the history is
//! not linearizable. Configurations are kept in a set, so none is explored twice.
//!
//! An operation that only observed is taken as soon as it fits: it changes no state, so nothing
//! is lost by taking it early.
//!
//! Source: J. Wing, C. Gong, "Testing and verifying concurrent objects", 1993; G. Lowe, "Testing
//! for linearizability", 2017.

use crate::history::{Event, Fact, State};
use core::fmt;
use std::collections::{BTreeMap, HashSet};

/// Why a history is not linearizable.
#[derive(Debug)]
pub struct Violation {
    /// The key that it is about.
    pub key: u64,
    /// The operation that cannot be explained at its return.
    pub culprit: Event,
    /// What the key may have held before it, by all explanations of the past.
    pub states: Vec<State>,
    /// The events around it, in order of their start.
    pub window: Vec<Event>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "key {}: no order explains {:?}", self.key, self.culprit)?;
        writeln!(f, "before it the key may have held {:x?}", self.states)?;
        for e in &self.window {
            let mark = if e.start == self.culprit.start {
                ">"
            } else {
                " "
            };
            let (op, fact) = (e.op, e.fact);
            writeln!(
                f,
                "{mark} t{} [{}, {}] {op:x?} -> {fact:x?}",
                e.thread, e.start, e.end
            )?;
        }
        Ok(())
    }
}

/// What a check went through.
#[derive(Debug, Default, Clone, Copy)]
pub struct Stats {
    /// Events.
    pub events: usize,
    /// Keys with events.
    pub keys: usize,
    /// Pairs of events on one key that ran at the same time: what the history is worth.
    pub overlaps: usize,
    /// Largest set of configurations.
    pub widest: usize,
}

/// Checks a history that starts with every key absent.
///
/// # Errors
/// If no order explains it: the first operation that cannot be explained.
///
/// # Panics
/// If an event ends before it starts, or more than 128 run at once.
pub fn check(events: &[Event]) -> Result<Stats, Box<Violation>> {
    let mut by_key: BTreeMap<u64, Vec<Event>> = BTreeMap::new();
    for event in events {
        by_key.entry(event.key).or_default().push(*event);
    }
    let mut total = Stats {
        events: events.len(),
        keys: by_key.len(),
        ..Stats::default()
    };
    for part in by_key.values_mut() {
        part.sort_by_key(|e| e.start);
        let stats = check_key(part)?;
        total.overlaps += stats.overlaps;
        total.widest = total.widest.max(stats.widest);
    }
    Ok(total)
}

/// One explanation of the past: the key's value, and a bit per running operation that has taken
/// effect.
type Config = (State, u128);

/// A running operation and the bit that stands for it.
#[derive(Clone, Copy)]
struct Running {
    /// Its place in the history.
    index: usize,
    event: Event,
    bit: u128,
}

impl Running {
    /// The state after the operation, if it can take effect on `state` with what it returned.
    fn apply(&self, state: State) -> Option<State> {
        let (next, outcome) = self.event.op.step(state);
        match self.event.fact {
            Fact::Known(known) if known != outcome => None,
            _ => Some(next),
        }
    }

    fn only_observed(&self) -> bool {
        matches!(self.event.fact, Fact::Known(outcome) if self.event.op.only_observed(outcome))
    }
}

/// Checks the events of one key, sorted by start.
fn check_key(events: &[Event]) -> Result<Stats, Box<Violation>> {
    // Calls sort before returns of the same instant: they count as overlapping.
    let mut points: Vec<(u64, bool, usize)> = Vec::with_capacity(events.len() * 2);
    for (i, e) in events.iter().enumerate() {
        assert!(e.start <= e.end, "an event ends before it starts: {e:?}");
        points.push((e.start, false, i));
        if e.end != u64::MAX {
            points.push((e.end, true, i));
        }
    }
    points.sort_unstable();

    let mut stats = Stats::default();
    let mut configs: HashSet<Config> = HashSet::from([(None, 0)]);
    let mut running: Vec<Running> = Vec::new();
    for (_, is_return, i) in points {
        if !is_return {
            let taken = running.iter().fold(0, |bits, r| bits | r.bit);
            assert!(
                taken != u128::MAX,
                "more than 128 operations run at once on one key"
            );
            stats.overlaps += running.len();
            let bit = 1 << (!taken).trailing_zeros();
            running.push(Running {
                index: i,
                event: events[i],
                bit,
            });
            continue;
        }
        let position = running
            .iter()
            .position(|r| r.index == i)
            .expect("a return follows its call");
        let target = running[position];
        let next = finish(&configs, &running, target);
        if next.is_empty() {
            return Err(Box::new(explain(events, i, &configs)));
        }
        running.swap_remove(position);
        stats.widest = stats.widest.max(next.len());
        configs = next;
    }
    Ok(stats)
}

/// All configurations in which `target` has taken effect, with its bit given back.
fn finish(configs: &HashSet<Config>, running: &[Running], target: Running) -> HashSet<Config> {
    let mut done = HashSet::new();
    let mut seen: HashSet<Config> = HashSet::new();
    let mut open: Vec<Config> = configs.iter().copied().collect();
    if target.event.fact == Fact::Maybe {
        // It may have had no effect at all.
        done.extend(configs.iter().filter(|c| c.1 & target.bit == 0));
    }
    let is_repeated = target.event.fact == Fact::AnyTimes;
    while let Some((state, mut mask)) = open.pop() {
        for r in running.iter().filter(|r| r.only_observed()) {
            if r.apply(state).is_some() {
                mask |= r.bit;
            }
        }
        if !seen.insert((state, mask)) {
            continue;
        }
        if is_repeated {
            // That never counts as taken, so at its return everything that it leads to is an explanation.
            done.insert((state, mask));
        }
        if mask & target.bit != 0 {
            done.insert((state, mask & !target.bit));
            continue;
        }
        for r in running.iter().filter(|r| r.bit & mask == 0) {
            if let Some(next) = r.apply(state) {
                let taken = if r.event.fact == Fact::AnyTimes {
                    0
                } else {
                    r.bit
                };
                open.push((next, mask | taken));
            }
        }
    }
    done
}

fn explain(events: &[Event], culprit: usize, configs: &HashSet<Config>) -> Violation {
    let mut states: Vec<State> = configs.iter().map(|c| c.0).collect();
    states.sort_unstable();
    states.dedup();
    let end = events[culprit].end;
    let mut window: Vec<Event> = events.iter().filter(|e| e.start <= end).copied().collect();
    let surplus = window.len().saturating_sub(24);
    window.drain(..surplus);
    Violation {
        key: events[culprit].key,
        culprit: events[culprit],
        states,
        window,
    }
}

/// The definition itself, for histories of a few events: is there a permutation that respects
/// the order of time and the sequential meaning? The oracle of the checker.
#[must_use]
pub fn check_by_definition(events: &[Event]) -> bool {
    fn extend(left: &mut Vec<Event>, state: State) -> bool {
        let is_optional = |e: &Event| matches!(e.fact, Fact::Maybe | Fact::AnyTimes);
        if left.iter().all(is_optional) {
            return true;
        }
        // The next in order may be any that started before all others ended.
        let first_end = left.iter().map(|e| e.end).min().expect("not empty");
        for i in 0..left.len() {
            let e = left[i];
            if e.start > first_end {
                continue;
            }
            let (next, outcome) = e.op.step(state);
            let fits = !matches!(e.fact, Fact::Known(known) if known != outcome);
            // Once more than what follows.
            if e.fact == Fact::AnyTimes && next != state && extend(left, next) {
                return true;
            }
            left.swap_remove(i);
            let found = (fits && extend(left, next)) || (is_optional(&e) && extend(left, state));
            left.push(e);
            let last = left.len() - 1;
            left.swap(i, last);
            if found {
                return true;
            }
        }
        false
    }
    extend(&mut events.to_vec(), None)
}
