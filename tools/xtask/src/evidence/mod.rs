//! `evidence`: every check that can find a lost key, a stall or a race, in one table.
//!
//! `quick` fits into CI; `full` takes some hours on two processors and is what a record is made of. Each check says how much it
//! ran, and one that ran nothing has failed.

mod accounts;
mod faults;
mod fuzz;
mod litmus;
mod loom;
mod miri;
mod mutants;
mod record;
mod resize;
mod sanitizers;
mod schedules;

use crate::shell::{Line, Outcome, Shell};
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use record::{Origin, Row};
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
    /// Renew docs/progress.md and stop.
    #[arg(long)]
    write_progress: bool,
    /// Put bugs whose name contains this into the map, which histories must find, and stop.
    #[arg(long, num_args = 0..=1, default_missing_value = "")]
    mutants: Option<String>,
    /// Write what ran, and how much, into docs/evidence.md.
    #[arg(long)]
    record: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            depth: Depth::Quick,
            only: Vec::new(),
            write_progress: false,
            mutants: None,
            record: false,
        }
    }
}

/// One check. What its outcome remarks is how much was run.
struct Check {
    name: &'static str,
    about: &'static str,
    run: fn(&Shell, Depth) -> Result<Outcome>,
    /// Whether the quick depth runs it too, if it is not asked for by name.
    is_quick: bool,
}

fn all() -> Vec<Check> {
    let check = |name, about, run| Check {
        name,
        about,
        run,
        is_quick: true,
    };
    vec![
        check(
            "histories",
            "linearizable under drawn interleavings",
            schedules::histories,
        ),
        Check {
            is_quick: false,
            ..check(
                "mutants",
                "bugs in the map, which histories must find",
                |shell, _| mutants::run(shell, ""),
            )
        },
        check(
            "progress",
            "nobody waits for a thread that is stopped",
            schedules::progress,
        ),
        check("resize", "every state of the model of moves", resize::run),
        check(
            "orders",
            "each ordering weakened, which its test must see",
            |shell, depth| crate::orders::repeat(&shell.root, depth),
        ),
        check(
            "litmus",
            "no outcome that the memory model forbids",
            litmus::run,
        ),
        check("loom", "every interleaving of the small models", loom::run),
        check("miri", "undefined behaviour, races, leaks", miri::run),
        check(
            "sanitizers",
            "uses after free, leaks, races of machine code",
            sanitizers::run,
        ),
        // The README's tests are those of the quick depth.
        Check {
            is_quick: false,
            ..check(
                "faults",
                "refused memory, dead threads, forks, signals",
                faults::run,
            )
        },
        check(
            "accounts",
            "all that is made is dropped once, and little waits for it",
            accounts::run,
        ),
        check("fuzz", "inputs that grow by what they reach", fuzz::run),
    ]
}

/// What the checks of the quick depth build in folders of their own, if this machine has what it takes.
pub(crate) fn builds(shell: &Shell) -> Result<Vec<Line>> {
    let mut lines = fuzz::builds(shell)?;
    lines.extend(sanitizers::builds(shell));
    Ok(lines)
}

/// Runs the checks and prints the table; the first that failed, with its reason, is the outcome.
pub(crate) fn run(root: &Path, options: &Options) -> Result<Outcome> {
    let alone = match (&options.mutants, options.write_progress) {
        (Some(only), _) => Some(mutants::run(&Shell::new(root), only)?),
        (None, true) => Some(schedules::write(&Shell::new(root))?),
        (None, false) => None,
    };
    if let Some(outcome) = alone {
        println!("{outcome}");
        return Ok(outcome);
    }
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
    let origin = options.record.then(|| Origin::now(&shell)).transpose()?;
    let mut rows = Vec::new();
    let wanted = |check: &&Check| match &options.only[..] {
        [] => check.is_quick || options.depth == Depth::Full,
        only => only.iter().any(|name| name == check.name),
    };
    for check in all.iter().filter(wanted) {
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
    if let Some(origin) = origin {
        let order: Vec<&str> = all.iter().map(|check| check.name).collect();
        let rows = rows.iter().map(|(check, seconds, outcome)| Row {
            check,
            seconds: *seconds,
            outcome,
        });
        record::write(
            &shell,
            &origin,
            options.depth,
            &rows.collect::<Vec<_>>(),
            &order,
        )?;
    }
    let failed = rows
        .into_iter()
        .find_map(|(name, _, outcome)| match outcome {
            Outcome::Failed(why) => Some(Outcome::Failed(format!("{name}: {why}"))),
            Outcome::Passed(_) | Outcome::Skipped(_) => None,
        });
    Ok(failed.unwrap_or_else(|| Outcome::Passed(String::new())))
}
