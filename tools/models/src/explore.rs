//! Explorations of the two machines, compiled once for whoever wants one.

use crate::config::Config;
use crate::model::EVERYBODY_ENDS;
use crate::progress::{self, Circle, Ends};
use crate::words::{self, Words};
use core::fmt::Debug;
use core::hash::Hash;
use stateright::{Checker as _, HasDiscoveries, Model};

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// All states, depth first: the way to one takes no memory.
    States,
    /// A broken rule, breadth first: it is shown on a shortest way.
    Mistake,
}

/// A rule that is broken in some state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The rule.
    pub rule: &'static str,
    /// How many accesses lead to the state.
    pub accesses: usize,
    /// The state, and what led to it last.
    pub last: String,
}

/// What an exploration found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How many states it saw; one thread sees as many each time.
    pub states: usize,
    /// Whether there is one in which everybody has ended.
    pub ended: bool,
    /// The rules that are broken.
    pub broken: Vec<Breach>,
}

impl Found {
    /// Whether this rule is broken.
    #[must_use]
    pub fn breaks(&self, rule: &str) -> bool {
        self.broken.iter().any(|breach| breach.rule == rule)
    }
}

impl Config {
    /// Goes through the states by so many threads.
    #[must_use]
    pub fn explore(&self, goal: Goal, threads: usize) -> Found {
        explore(self, goal, threads)
    }
}

impl Words {
    /// Goes through the states by so many threads.
    #[must_use]
    pub fn explore(&self, goal: Goal, threads: usize) -> Found {
        explore(self, goal, threads)
    }

    /// Whether every schedule comes to an end.
    ///
    /// # Errors
    /// A way that comes back.
    pub fn ends(&self) -> Result<Ends, Circle<words::model::Action>> {
        progress::explore(self)
    }
}

fn explore<M>(model: &M, goal: Goal, threads: usize) -> Found
where
    M: Model + Clone + Send + Sync + 'static,
    M::State: Clone + Debug + Eq + Hash + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let checker = model.clone().checker().threads(threads);
    let (states, mut found) = match goal {
        Goal::States => {
            let checker = checker.finish_when(HasDiscoveries::All).spawn_dfs().join();
            (checker.unique_state_count(), checker.discoveries())
        }
        Goal::Mistake => {
            let until = HasDiscoveries::AnyFailures;
            let checker = checker.finish_when(until).spawn_bfs().join();
            (checker.unique_state_count(), checker.discoveries())
        }
    };
    let ended = found.remove(EVERYBODY_ENDS).is_some();
    let broken = found.into_iter().map(|(rule, path)| {
        let way = path.into_vec();
        Breach {
            rule,
            accesses: way.len() - 1,
            last: format!("{:#?}", way.last()),
        }
    });
    Found {
        states,
        ended,
        broken: broken.collect(),
    }
}
