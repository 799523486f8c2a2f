//! `evidence`: every check that can find a lost key, a stall or a race, in one table.
//!
//! `quick` fits into CI; `full` runs for hours and is what a record is made of. Each check says how much it
//! ran, and one that ran nothing has failed.

mod fuzz;
mod loom;
mod miri;

use crate::shell::{Outcome, Shell};
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use std::path::Path;
use std::time::Instant;

/// How long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Depth {
    /// Minutes.
    Quick,
    /// Hours.
    Full,
}

#[derive(Args)]
pub(crate) struct Options {
    /// How much to run.
    #[arg(default_value = "quick")]
    depth: Depth,
    /// Run only these checks (comma-separated names).
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            depth: Depth::Quick,
            only: Vec::new(),
        }
    }
}

/// One check. What its outcome remarks is how much was run.
struct Check {
    name: &'static str,
    about: &'static str,
    run: fn(&Shell, Depth) -> Result<Outcome>,
}

fn all() -> Vec<Check> {
    let check = |name, about, run| Check { name, about, run };
    vec![
        check("loom", "every interleaving of the small models", loom::run),
        check("miri", "undefined behaviour, races, leaks", miri::run),
        check("fuzz", "inputs that grow by what they reach", fuzz::run),
    ]
}

/// Runs the checks and prints the table; true when none failed.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    let all = all();
    let unknown = options
        .only
        .iter()
        .find(|name| !all.iter().any(|check| check.name == *name));
    if let Some(name) = unknown {
        let names: Vec<&str> = all.iter().map(|check| check.name).collect();
        bail!("there is no check `{name}`, only {}", names.join(", "));
    }
    let shell = Shell::new(root);
    let mut rows = Vec::new();
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|n| n == name);
    for check in all.iter().filter(|check| wanted(check.name)) {
        println!("\n== {}: {}", check.name, check.about);
        let begun = Instant::now();
        let outcome = (check.run)(&shell, options.depth)
            .unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        rows.push((check.name, begun.elapsed().as_secs_f64(), outcome));
    }
    println!("\n{:<12} {:>8}  result", "check", "seconds");
    for (name, seconds, outcome) in &rows {
        println!("{name:<12} {seconds:>8.1}  {outcome}");
    }
    let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
    Ok(!rows.iter().any(|(.., outcome)| failed(outcome)))
}
