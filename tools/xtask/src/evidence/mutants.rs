//! Bugs put into the map in a copy, one at a time: the histories must find each.

use super::schedules::BUILD;
use crate::mutants::{self, Copy};
use crate::shell::{Outcome, Shell, TRACED};
use anyhow::{Context as _, Result, ensure};
use core::time::Duration;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const FILE: &str = "tools/evidence/mutants.toml";

/// Where the copy is, and what is built of it.
const FOLDER: &str = "evidence-mutants";

/// How long a bug may stay hidden. Runs that end within it without a bug and not with it are found by that.
const PATIENCE: Duration = Duration::from_secs(120);

/// One bug.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    file: String,
    find: String,
    replace: String,
    /// Only these kinds of runs.
    #[serde(default)]
    only: String,
    /// How many of each kind.
    #[serde(default = "few")]
    runs: u64,
}

/// Enough for most bugs.
fn few() -> u64 {
    20
}

/// Puts in each bug whose name contains `only`.
pub(super) fn run(shell: &Shell, only: &str) -> Result<Outcome> {
    let folder = PathBuf::from(shell.target(FOLDER));
    let copy = Copy {
        root: &shell.root,
        tree: folder.join("tree"),
        parts: &[],
        members: &["benches/baselines", "tools/evidence", "tools/schedule"],
    };
    let mut wanted: Vec<(usize, Mutant)> = mutants::read(&shell.root, FILE)?;
    wanted.retain(|(_, mutant)| mutant.name.contains(only));
    ensure!(!wanted.is_empty(), "{FILE}: no bug is called like `{only}`");
    copy.renew()?;
    let whole = folder.join("evidence-whole");
    std::fs::copy(built(shell, &copy)?, &whole).context("cannot keep the tool without a bug")?;
    let is_whole = |only: &str, runs: u64| -> Result<()> {
        let found = found(&whole, only, runs)?;
        ensure!(found.is_none(), "before any edit: {found:?}");
        Ok(())
    };
    is_whole("", few())?;
    let judge = |only: &str, runs: u64| -> Result<(Option<String>, f64)> {
        let program = built(shell, &copy)?;
        let begun = Instant::now();
        let found = found(&program, only, runs)?;
        let seconds = begun.elapsed().as_secs_f64();
        let how = match found {
            None => None,
            Some(Found::Said(how)) => Some(how),
            Some(Found::Late) => {
                is_whole(only, runs)?;
                Some(format!("did not end in {PATIENCE:?}"))
            }
        };
        Ok((how, seconds))
    };
    let mut caught = 0;
    let mut slowest: f64 = 0.0;
    for (line, mutant) in &wanted {
        let edit = (&*mutant.file, &*mutant.find, &*mutant.replace);
        let (found, seconds) = copy
            .edited(edit, || judge(&mutant.only, mutant.runs))
            .with_context(|| format!("{FILE}:{line}: {}", mutant.name))?;
        match found {
            Some(how) => {
                caught += 1;
                slowest = slowest.max(seconds);
                println!("caught {seconds:>6.1} s  {}: {how}", mutant.name);
            }
            None => println!("MISSED {seconds:>6.1} s  {}", mutant.name),
        }
    }
    let text = format!(
        "{caught} of {} caught, the last after {slowest:.1} s",
        wanted.len()
    );
    Ok(if caught == wanted.len() {
        Outcome::Passed(text)
    } else {
        Outcome::Failed(text)
    })
}

/// The tool, built in the copy.
fn built(shell: &Shell, copy: &Copy<'_>) -> Result<PathBuf> {
    let target = format!("{FOLDER}/target");
    let build = mutants::build(&BUILD, "evidence");
    let build: Vec<&str> = build.iter().map(String::as_str).collect();
    let line = shell.flagged(&build, &format!("{TRACED} -Awarnings"), &target)?;
    let outcome = line.within(&copy.tree).run()?;
    ensure!(matches!(outcome, Outcome::Passed(_)), "{outcome}");
    Ok(PathBuf::from(shell.target(&target)).join("release/evidence"))
}

/// What is wrong with histories.
#[derive(Debug)]
enum Found {
    /// They say it.
    Said(String),
    /// They do not end.
    Late,
}

/// Runs histories until something is wrong; what it was.
fn found(program: &Path, only: &str, runs: u64) -> Result<Option<Found>> {
    let mut command = Command::new(program);
    command.args(["histories", "--seed", "1", "--only", only]);
    command.args(["--runs", &runs.to_string()]);
    command.env("RUST_BACKTRACE", "0").stdout(Stdio::null());
    let mut child = command.stderr(Stdio::piped()).spawn()?;
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait()? {
            let said = child.wait_with_output()?.stderr;
            let said = String::from_utf8_lossy(&said);
            let tells =
                |line: &&str| line.contains("no order explains") || line.contains("assertion");
            let line = said
                .lines()
                .find(tells)
                .or(said.lines().find(|line| !line.is_empty()));
            let how = line.map_or_else(|| status.to_string(), str::to_owned);
            return Ok((!status.success()).then_some(Found::Said(how)));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill()?;
    child.wait()?;
    Ok(Some(Found::Late))
}
