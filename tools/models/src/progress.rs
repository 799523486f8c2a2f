//! Whether every schedule comes to an end: no way through the states of a model comes back to where it was.
//!
//! A state says how far each program is, so a way that comes back is one on which nobody ends a call: a livelock,
//! that threads can be kept in for ever. A model of finitely many states without such a way is one in which, of the
//! threads that take steps, somebody always gets on. Depth first, by fingerprints of 64 bits, as stateright's.

use core::hash::{Hash, Hasher as _};
use stateright::Model;
use std::collections::HashMap;
use std::hash::DefaultHasher;

/// A way that comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle<A> {
    /// The accesses that lead to it.
    pub way: Vec<A>,
    /// The accesses after which everything is as it was.
    pub round: Vec<A>,
}

fn fingerprint(state: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

/// What there is of a model without circles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// How many states.
    pub states: usize,
    /// How many accesses the longest schedule has.
    pub longest: usize,
}

/// A state that has been seen.
#[derive(Clone, Copy)]
enum Seen {
    /// It is on the way, after so many accesses.
    Open(usize),
    /// It has been left; so many accesses follow it, at most.
    Left(usize),
}

/// How long schedules are, if no way comes back.
///
/// # Errors
/// A way that does.
pub fn explore<M>(model: &M) -> Result<Ends, Circle<M::Action>>
where
    M: Model,
    M::State: Hash,
    M::Action: Clone,
{
    let actions = |state: &M::State| {
        let mut actions = Vec::new();
        model.actions(state, &mut actions);
        actions
    };
    let mut seen = HashMap::new();
    let mut longest = 0;
    for first in model.init_states() {
        let mut way = Vec::new();
        let print = fingerprint(&first);
        seen.insert(print, Seen::Open(0));
        let mut open = vec![(actions(&first), first, print, 0)];
        while let Some((left, state, print, follow)) = open.last_mut() {
            let Some(action) = left.pop() else {
                seen.insert(*print, Seen::Left(*follow));
                let follow = *follow;
                open.pop();
                way.pop();
                match open.last_mut() {
                    Some((.., before)) => *before = (follow + 1).max(*before),
                    None => longest = follow.max(longest),
                }
                continue;
            };
            let Some(next) = model.next_state(state, action.clone()) else {
                continue;
            };
            let print = fingerprint(&next);
            way.push(action);
            match seen.get(&print).copied() {
                Some(Seen::Open(since)) => {
                    let round = way.split_off(since);
                    return Err(Circle { way, round });
                }
                Some(Seen::Left(after)) => {
                    *follow = (after + 1).max(*follow);
                    way.pop();
                }
                None => {
                    seen.insert(print, Seen::Open(way.len()));
                    open.push((actions(&next), next, print, 0));
                }
            }
        }
    }
    let states = seen.len();
    Ok(Ends { states, longest })
}
