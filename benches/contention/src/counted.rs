//! Runs that are counted: one for each group of counters, each thread with a group of its own.

use crate::Subject;
use anyhow::{Context as _, Result};
#[cfg(test)]
use atomshard::perf::Value;
use atomshard::perf::{Host, Plan, Role, System, Table, Tally, Unavailable};
use measure::crew::Crew;
use serde::Serialize;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

/// Counters that a CPU has for any event, with the NMI watchdog on: the least of those in the table.
const COUNTERS: usize = 3;

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
    role: &'l str,
    /// `null` where there is none; then the reason and the remedy are not.
    per_operation: Option<f64>,
    reason: Option<String>,
    remedy: Option<String>,
}

/// Counts `times` operations of each thread.
pub(crate) fn count<S: System + Sync>(
    system: &S,
    subject: &Subject,
    crew: &Crew,
    times: u64,
) -> Counted {
    let host = Host::here(crew.core(0).unwrap_or(0));
    let plan = Plan::new(&Table::shipped(), &host, &Role::ALL, COUNTERS);
    let mut tally = Tally::new(&plan);
    for group in plan.groups() {
        let operate = (subject.make)(crew.threads());
        // Opened by the thread that is counted, after it was pinned.
        let ran = crew.run(
            |thread| (thread, group.open(system, &host)),
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

    /// Each role in words: the count of an operation, or why there is none.
    pub(crate) fn words(&self) -> impl Iterator<Item = (Role, Result<f64, Unavailable>)> {
        Role::ALL
            .into_iter()
            .map(|role| (role, self.tally.per_operation(role)))
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
        for (role, value) in counted.words() {
            let (per_operation, why) = match value {
                Ok(value) => (Some(value), None),
                Err(why) => (None, Some(why)),
            };
            let line = Line {
                bench,
                subject: counted.subject,
                threads: counted.threads,
                role: role.name(),
                per_operation,
                reason: why.as_ref().map(|why| why.reason.to_string()),
                remedy: why.map(|why| why.remedy),
            };
            let line = serde_json::to_string(&line).with_context(place)?;
            writeln!(file, "{line}").with_context(place)?;
        }
    }
    Ok(())
}
