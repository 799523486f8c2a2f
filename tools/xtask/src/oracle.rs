//! `oracle`: what the contract of reclamation says, over its second body, the crate `seize`.
//!
//! The same tests run over both bodies; those that are about our own are ignored here, each with its reason.
//! Programs with the body's flag have a folder of their own.

use crate::shell::{LOOM, Line, Outcome, Shell};
use crate::toolchain;
use anyhow::Result;
use clap::Args;
use std::path::Path;

/// The compiler's flags for the second body. A warning is an error, since the step of CI that asks clippy
/// does not see this body.
const FLAGS: &str = "--cfg atomshard_seize -D warnings";

/// The folder for its programs.
const TARGET: &str = "seize";

/// The unit tests over whichever body.
const UNITS: &[&str] = &["--lib", "--", "reclaim::tests::domain", "map::"];

/// The test files that speak about the contract: drops, guards, histories, and bugs that maps have had.
const FILES: [&str; 10] = [
    "api_entry_ref",
    "api_guards",
    "drops",
    "drops_panics",
    "linearizability",
    "miri_suite",
    "regress_iteration",
    "regress_memory",
    "regress_races",
    "regress_resize",
];

/// Operations that are stopped half-way by writes and resizes, in every combination. In the full run only.
const INTERRUPTED: [&str; 2] = ["--test", "regress_interrupted"];

/// What Miri runs: memory that waits for its readers, in a domain and in whole maps.
const INTERPRETED: [&[&str]; 2] = [
    &[
        "--lib",
        "--",
        "reclaim::tests::domain::miri_",
        "miri_the_key_of_a_renewed_entry",
        "miri_t3_a_table_stays",
    ],
    &[
        "--test",
        "miri_suite",
        "--",
        "miri_drops",
        "miri_ends_of_maps",
        "miri_guards",
        "miri_frozen_slots",
    ],
];

#[derive(Args)]
pub(crate) struct Options {
    /// The models of the map and a few tests under Miri too: some minutes.
    #[arg(long, conflicts_with = "bench")]
    full: bool,
    /// Measure both bodies instead, process by process: get-only and write mixes at 10,000 keys.
    #[arg(long)]
    bench: bool,
    /// With `--bench`: few keys and three pairs, which shows that it works and measures nothing.
    #[arg(long, requires = "bench")]
    quick: bool,
}

/// Runs it; true when nothing failed.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    let shell = Shell::new(root);
    let parts: &[fn(&Shell) -> Result<Outcome>] = match options {
        Options {
            bench: true,
            quick: true,
            ..
        } => &[|shell| bench(shell, &["--quick"])],
        Options { bench: true, .. } => &[|shell| bench(shell, &[])],
        Options { full: true, .. } => &[tests, interrupted, models, interpreted],
        _ => &[tests],
    };
    let mut passed = true;
    for part in parts {
        let outcome = part(&shell)?;
        println!("oracle: {outcome}");
        passed &= !matches!(outcome, Outcome::Failed(_));
    }
    Ok(passed)
}

/// The step of CI.
pub(crate) fn tests(shell: &Shell) -> Result<Outcome> {
    let files: Vec<&str> = FILES.iter().flat_map(|name| ["--test", name]).collect();
    each(&[UNITS, &files], |which| of_library(shell, which))
}

fn of_library(shell: &Shell, which: &[&str]) -> Result<Line> {
    let start = ["test", "--package", "atomshard"];
    shell.flagged(&[&start, which].concat(), FLAGS, TARGET)
}

/// The tests that only the full run has.
fn interrupted(shell: &Shell) -> Result<Outcome> {
    each(&[&INTERRUPTED], |which| of_library(shell, which))
}

/// Runs a line of tests for each selection; how many tests each has run.
fn each(selections: &[&[&str]], line: impl Fn(&[&str]) -> Result<Line>) -> Result<Outcome> {
    let mut passed = Vec::new();
    for which in selections {
        match line(which)?.run_tests()? {
            Outcome::Passed(count) => passed.push(count),
            other => return Ok(other),
        }
    }
    Ok(Outcome::Passed(passed.join(", ")))
}

/// The models of the map, in which neither body pins or frees: that it compiles and answers as with ours.
fn models(shell: &Shell) -> Result<Outcome> {
    let arguments = [
        "test",
        "--release",
        "--package",
        "atomshard",
        "--lib",
        "loom_t",
    ];
    shell
        .flagged(&arguments, &format!("{FLAGS} {LOOM}"), TARGET)?
        .default_env("LOOM_MAX_PREEMPTIONS", "2")
        .run_tests()
}

fn interpreted(shell: &Shell) -> Result<Outcome> {
    if let Err(remedy) = toolchain::miri(shell) {
        return Ok(shell.missing(&remedy));
    }
    each(&INTERPRETED, |which| {
        let start = ["+nightly", "miri", "test", "--package", "atomshard"];
        let line = shell.cargo(&[&start, which].concat());
        let line = line.env("MIRIFLAGS", "-Zmiri-strict-provenance");
        // The interpreter is a wrapper itself.
        let line = line.env("RUSTFLAGS", FLAGS);
        Ok(line.env("CARGO_TARGET_DIR", &shell.target(TARGET)))
    })
}

/// Both builds of the lab, and then the one that ships runs itself against the other.
fn bench(shell: &Shell, more: &[&str]) -> Result<Outcome> {
    let build = ["build", "--release", "--package", "atomshard-lab"];
    for line in [
        shell.cargo(&build).without("RUSTFLAGS"),
        shell.flagged(&build, FLAGS, TARGET)?,
    ] {
        if let failed @ Outcome::Failed(_) = line.run()? {
            return Ok(failed);
        }
    }
    let ours = shell.target("release/atomshard");
    let theirs = shell.target(&format!("{TARGET}/release/atomshard"));
    let out = shell.target(&format!("{TARGET}/lab"));
    let versus = ["versus", &theirs, "--out", &out];
    shell.program(&ours, &[&versus, more].concat()).run()
}
