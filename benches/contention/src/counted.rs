//! Runs that are counted: one for each group of counters, each thread with a group of its own.

use crate::Subject;
use anyhow::{Context as _, Result};
#[cfg(test)]
use atomshard::perf::Value;
use atomshard::perf::{Role, System, Tally, Unavailable};
use measure::counting::{self, Count, Counting};
use measure::crew::Crew;
use serde::Serialize;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

/// What the counters of all threads say of a subject.
#[derive(Debug)]
pub(crate) struct Counted {
    subject: &'static str,
    threads: usize,
    tally: Tally,
}

/// A line of the file beside criterion's.
#[derive(Serialize)]
struct Line<'l> {
    bench: &'l str,
    subject: &'l str,
    threads: usize,
    #[serde(flatten)]
    count: &'l Count,
}

/// Counts `times` operations of each thread.
pub(crate) fn count<S: System + Sync>(
    system: &S,
    subject: &Subject,
    crew: &Crew,
    times: u64,
) -> Counted {
    let counting = Counting::here(crew.core(0).unwrap_or(0));
    let mut tally = counting.tally();
    for group in counting.groups() {
        let operate = (subject.make)(crew.threads());
        // Opened by the thread that is counted, after it was pinned.
        let ran = crew.run(
            |thread| (thread, counting.open(group, system)),
            |(thread, counters)| counters.count(|| operate(*thread, times)).1,
        );
        for (thread, values) in ran.results.into_iter().enumerate() {
            tally.record(thread, times, values);
        }
    }
    Counted {
        subject: subject.name,
        threads: crew.threads(),
        tally,
    }
}

impl Counted {
    /// So many lines in so many operations of one thread, or none counted.
    #[cfg(test)]
    pub(crate) fn of_lines(lines: Option<u64>, operations: u64) -> Self {
        let mut tally = Tally::default();
        if let Some(lines) = lines {
            tally.record(0, operations, vec![(Role::RfoHitm, Value::of(lines, 1, 1))]);
        }
        Self {
            subject: "made up",
            threads: 1,
            tally,
        }
    }

    /// What was counted.
    pub(crate) fn subject(&self) -> &'static str {
        self.subject
    }

    /// Lines that an operation found modified in another core's cache, loads and stores, on any socket; the first
    /// reason why one of them is not known.
    pub(crate) fn taken_lines(&self) -> Result<f64, Unavailable> {
        let roles = [Role::LocalHitm, Role::RemoteHitm, Role::RfoHitm];
        let values = roles.map(|role| self.tally.per_operation(role));
        // A CPU without an event for one of them may have the others.
        let known: Vec<f64> = values
            .iter()
            .filter_map(|value| value.as_ref().ok())
            .copied()
            .collect();
        let first = values.into_iter().find_map(Result::err);
        match (known.is_empty(), first) {
            (true, Some(why)) => Err(why),
            _ => Ok(known.iter().sum()),
        }
    }

    /// Every role.
    pub(crate) fn counts(&self) -> Vec<Count> {
        counting::counts(&self.tally)
    }
}

/// Writes a line for each subject and role.
pub(crate) fn write(path: &Path, bench: &str, counted: &[Counted]) -> Result<()> {
    let place = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(place)?;
    }
    let mut file = File::create(path).with_context(place)?;
    for counted in counted {
        for count in &counted.counts() {
            let line = Line {
                bench,
                subject: counted.subject,
                threads: counted.threads,
                count,
            };
            let line = serde_json::to_string(&line).with_context(place)?;
            writeln!(file, "{line}").with_context(place)?;
        }
    }
    Ok(())
}
