//! `coherence`: accounts of cache lines against those recorded, and against valgrind's memory trace.

mod lackey;
mod mutate;

use crate::shell::{Line, Outcome, Shell, side_by_side};
use crate::toolchain;
use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Installs valgrind.
const SETUP: &str = "tools/setup/valgrind";

#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Compare with benches/coherence: 0 the same, 1 something is worse, 2 something else differs.
    Check(Filter),
    /// Record the accounts in benches/coherence.
    Bless(Filter),
    /// As `check`, with each field that has moved.
    Diff(Filter),
    /// Compare the lines of each operation with valgrind's trace of the build that ships.
    Verify(Filter),
    /// What padding is worth by the model for 1 to 32 threads, and by time as far as there are cores.
    Scaling,
    /// Make each edit of benches/coherence/mutants.toml in a copy: each must turn the check red.
    Mutate(Filter),
}

#[derive(Args, Default)]
struct Filter {
    /// Structures, cases or edits whose name contains this.
    #[arg(default_value = "")]
    filter: String,
}

/// Runs one command; 3 says that it could not run.
pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    match act(root, &options.action) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("coherence: {error:#}");
            ExitCode::from(3)
        }
    }
}

fn act(root: &Path, action: &Action) -> Result<u8> {
    let shell = Shell::new(root);
    let forward = |arguments: &[&str]| {
        let program = traced(&shell)?;
        let mut line = Command::new(program);
        let status = line.args(arguments).current_dir(root).status()?;
        status.code().map_or_else(
            || bail!("the tool was killed"),
            |code| Ok(u8::try_from(code).unwrap_or(3)),
        )
    };
    match action {
        Action::Check(which) => forward(&["check", &which.filter]),
        Action::Bless(which) => forward(&["bless", &which.filter]),
        Action::Diff(which) => forward(&["diff", &which.filter]),
        Action::Scaling => {
            let by_model = forward(&["scaling"])?;
            print!("{}", said(Command::new(shipped(&shell)?).arg("timing"))?);
            Ok(by_model)
        }
        Action::Verify(which) => verify(&shell, &which.filter),
        Action::Mutate(which) => mutate::run(root, &which.filter, usize::MAX),
    }
}

/// The tests and examples of the model with the tracer compiled in, then the snapshots.
pub(crate) fn step(shell: &Shell) -> Result<Outcome> {
    let arguments = [
        "test",
        "--release",
        "--package",
        "coherence",
        "--package",
        "baselines",
    ];
    let outcome = shell.traced(&arguments)?.run_tests()?;
    if let failed @ Outcome::Failed(_) = outcome {
        return Ok(failed);
    }
    Ok(match act(&shell.root, &Action::Check(Filter::default()))? {
        0 => outcome,
        1 => Outcome::Failed("`cargo xtask coherence diff`: something is worse".to_owned()),
        2 => Outcome::Failed("`cargo xtask coherence diff`: something differs".to_owned()),
        _ => Outcome::Failed("`cargo xtask coherence check` cannot run".to_owned()),
    })
}

/// The gate: an edit of each structure is found, which is one build. The command makes them all.
pub(crate) fn mutants(shell: &Shell) -> Result<Outcome> {
    Ok(match mutate::run(&shell.root, "", 1)? {
        0 => Outcome::Passed(String::new()),
        _ => Outcome::Failed("`cargo xtask coherence mutate`".to_owned()),
    })
}

/// The gate: valgrind agrees. Installs it under CI.
pub(crate) fn lines(shell: &Shell) -> Result<Outcome> {
    if let Err(remedy) = toolchain::set_up(shell, SETUP) {
        return Ok(shell.missing(&remedy));
    }
    Ok(match verify(shell, "")? {
        0 => Outcome::Passed(String::new()),
        _ => Outcome::Failed("`cargo xtask coherence verify`".to_owned()),
    })
}

const BUILD: [&str; 5] = ["build", "--release", "--quiet", "--package", "coherence"];

/// Builds the tool with the tracer; the program.
fn traced(shell: &Shell) -> Result<PathBuf> {
    built(shell.traced(&BUILD)?, &shell.target("traced"))
}

/// Builds the tool without the tracer; the program. What the library ships as is optimised across its units. CI's builds are not; so
/// here each crate that the accounts are of is one unit.
fn shipped(shell: &Shell) -> Result<PathBuf> {
    let mut line = shell.cargo(&BUILD).env("RUSTFLAGS", "");
    for name in ["atomshard", "baselines", "coherence"] {
        line = line.arg(&format!(
            "--config=profile.release.package.{name}.codegen-units=1"
        ));
    }
    built(line, &shell.target(""))
}

fn built(line: Line, folder: &str) -> Result<PathBuf> {
    match line.run()? {
        Outcome::Passed(_) => Ok(std::path::absolute(folder)?.join("release/coherence")),
        Outcome::Skipped(why) | Outcome::Failed(why) => bail!("the tool does not build: {why}"),
    }
}

/// Compares both accounts of every case with one thread, operation by operation.
fn verify(shell: &Shell, filter: &str) -> Result<u8> {
    let traced = traced(shell)?;
    let replay = shipped(shell)?;
    let list = said(Command::new(&replay).args(["replay", "--list"]))?;
    let cases: Vec<&str> = list.lines().filter(|case| case.contains(filter)).collect();
    let agree = side_by_side(cases, |case| {
        let ours = said(Command::new(&traced).args(["lines", case]))?;
        let ours = lackey::parse_accounts(&ours).with_context(|| case.to_owned())?;
        let theirs = lackey::trace(&replay, case).with_context(|| case.to_owned())?;
        let differences = lackey::differences(&ours, &theirs);
        match differences.first() {
            None => {
                let total: u64 = ours.iter().map(|account| account.lines()).sum();
                println!(
                    "agree   {case}: {} operations by both, {total} lines (of 64, and of 128 bytes)",
                    ours.len() / 2
                );
            }
            Some(first) => println!(
                "DIFFER  {case}: {} operations, the first:\n        {first}",
                differences.len()
            ),
        }
        Ok(differences.is_empty())
    })?;
    let (cases, wrong) = (agree.len(), agree.iter().filter(|agree| !**agree).count());
    println!("coherence verify: {cases} cases, {wrong} differ");
    Ok(u8::from(wrong != 0 || cases == 0))
}

/// What a program prints; an error if it fails.
fn said(command: &mut Command) -> Result<String> {
    let out = command.stderr(Stdio::inherit()).output()?;
    if !out.status.success() {
        bail!("{command:?} failed");
    }
    Ok(String::from_utf8(out.stdout)?)
}
