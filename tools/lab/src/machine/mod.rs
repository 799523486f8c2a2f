//! What machine this is, what it can count, and what disturbs it. What cannot be found out says so, and why.
//!
//! ```text
//! tree.rs      files under a root --+--> parts.rs     what the machine is made of --+
//!                                   +--> noise.rs     what disturbs a run ----------+--> Machine
//!                                   +--> counters.rs  what can be counted ----------+
//! ```
mod counters;
mod noise;
mod parts;
#[cfg(test)]
mod tests;
mod tree;

use atomshard::perf::{Kernel, System};
use serde::Serialize;
use tree::{Tree, Unread};

/// A fact, or why it is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fact {
    Is(String),
    Unavailable { reason: String },
}

/// What a fact disturbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Disturbs {
    Nothing,
    Measuring,
    Counting,
    MeasuringAndCounting,
    Unknown,
}

impl Disturbs {
    /// In words, as a table has it.
    #[must_use]
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Measuring => "measuring",
            Self::Counting => "counting",
            Self::MeasuringAndCounting => "measuring and counting",
            Self::Unknown => "unknown",
        }
    }
}

/// A thing, its state, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) fact: Fact,
    /// `None` of what only describes the machine.
    pub(crate) disturbs: Option<Disturbs>,
    /// Empty if there is nothing to do.
    pub(crate) remedy: String,
}

impl Row {
    fn describes(name: &str, fact: Result<String, Unread>) -> Self {
        let (fact, remedy) = match fact {
            Ok(value) => (Fact::Is(value), None),
            Err(Unread { reason, remedy }) => (Fact::Unavailable { reason }, remedy),
        };
        Self {
            name: name.to_owned(),
            fact,
            disturbs: None,
            remedy: remedy.unwrap_or_default(),
        }
    }

    fn quiet(name: &str, state: impl Into<String>) -> Self {
        Self::is(name, state, Disturbs::Nothing, "")
    }

    fn is(name: &str, state: impl Into<String>, disturbs: Disturbs, remedy: &str) -> Self {
        Self {
            name: name.to_owned(),
            fact: Fact::Is(state.into()),
            disturbs: Some(disturbs),
            remedy: remedy.to_owned(),
        }
    }

    /// What could not be read. `remedy` is for a file that is not there.
    fn unread(name: &str, why: Unread, remedy: &str) -> Self {
        let remedy = why.remedy.unwrap_or_else(|| remedy.to_owned());
        Self {
            name: name.to_owned(),
            fact: Fact::Unavailable { reason: why.reason },
            disturbs: Some(Disturbs::Unknown),
            remedy,
        }
    }

    /// What cannot be counted.
    fn uncounted(name: &str, reason: String, remedy: &str) -> Self {
        Self {
            name: name.to_owned(),
            fact: Fact::Unavailable { reason },
            disturbs: Some(Disturbs::Counting),
            remedy: remedy.to_owned(),
        }
    }

    /// Its state in words.
    #[must_use]
    pub(crate) fn state(&self) -> String {
        match &self.fact {
            Fact::Is(value) => value.clone(),
            Fact::Unavailable { reason } => format!("unavailable: {reason}"),
        }
    }

    /// All of it in words.
    #[must_use]
    pub(crate) fn words(&self) -> String {
        let mut words = self.state();
        if let (Fact::Is(_), Some(disturbs)) = (&self.fact, self.disturbs)
            && disturbs != Disturbs::Nothing
        {
            words = format!("{words}; disturbs: {}", disturbs.words());
        }
        if !self.remedy.is_empty() {
            words = format!("{words}; {}", self.remedy);
        }
        words
    }
}

/// The machine.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    /// Processors that this process may run on.
    pub(crate) processors: usize,
    /// What it is and what disturbs it, in the order of the report.
    pub(crate) facts: Vec<Row>,
    /// What can be counted.
    pub(crate) counters: Vec<Row>,
}

impl Machine {
    /// Looks around.
    #[must_use]
    pub(crate) fn discover() -> Self {
        let cpus = core_affinity::get_core_ids().unwrap_or_default();
        Self::of(&Tree::here(), &Kernel, &cpus)
    }

    /// All rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.facts.iter().chain(&self.counters)
    }

    /// The machine of a tree, whose counters are tried on these CPUs.
    fn of<S: System + Sync>(tree: &Tree, system: &S, cpus: &[core_affinity::CoreId]) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let is_guest = parts::is_guest(tree);
        let mut facts = parts::rows(tree, processors);
        facts.extend(noise::rows(tree, is_guest));
        Self {
            cpu: parts::cpu(),
            processors,
            facts,
            counters: counters::rows(tree, system, cpus, is_guest),
        }
    }
}
