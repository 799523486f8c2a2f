//! `ci`: all deterministic gates in order, with times and a summary.

mod ahead;
mod steps;

use crate::shell::{Outcome, Shell};
use anyhow::{Result, bail};
use clap::Args;
use std::path::Path;
use std::time::Instant;

#[derive(Args)]
pub(crate) struct Options {
    /// Run only these steps (comma-separated names).
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Leave these steps out (comma-separated names).
    #[arg(long, value_delimiter = ',')]
    skip: Vec<String>,
    /// List the steps and stop.
    #[arg(long)]
    list: bool,
    /// Build what steps build in folders of their own and stop: for a processor that is idle beside the first ones.
    #[arg(long)]
    ahead: bool,
}

/// Runs the test command of the README.
pub(crate) fn test(root: &Path) -> Result<bool> {
    let outcome = Shell::new(root).cargo(&["test", "--workspace"]).run()?;
    Ok(matches!(outcome, Outcome::Passed(_)))
}

/// Runs the steps; true when none failed.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    if options.ahead {
        return ahead::run(&Shell::new(root));
    }
    let all = steps::all();
    if options.list {
        for step in all {
            println!("{:<10} {}", step.name, step.about);
        }
        return Ok(true);
    }
    for name in options.only.iter().chain(&options.skip) {
        if !all.iter().any(|step| step.name == name) {
            bail!("there is no step `{name}`; `cargo xtask ci --list` names them");
        }
    }
    let wanted = |name: &str| {
        let listed = |list: &[String]| list.iter().any(|other| other == name);
        (options.only.is_empty() || listed(&options.only)) && !listed(&options.skip)
    };
    let shell = Shell::new(root);
    let start = Instant::now();
    let mut rows = Vec::new();
    for step in all.iter().filter(|step| wanted(step.name)) {
        println!("\n== {}: {}", step.name, step.about);
        let begun = Instant::now();
        // A step that could not even start has failed; the others still run.
        let outcome =
            (step.run)(&shell).unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        rows.push((step.name, begun.elapsed().as_secs_f64(), outcome));
    }
    println!("\n{:<10} {:>8}  result", "step", "seconds");
    for (name, seconds, outcome) in &rows {
        println!("{name:<10} {seconds:>8.1}  {outcome}");
    }
    let failed = rows
        .iter()
        .filter(|(.., outcome)| matches!(outcome, Outcome::Failed(_)))
        .count();
    let (count, seconds) = (rows.len(), start.elapsed().as_secs_f64());
    println!("{count} steps, {failed} failed, {seconds:.0} s");
    Ok(failed == 0 && count > 0)
}
