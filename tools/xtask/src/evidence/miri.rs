//! The interpreter: every access checked for undefined behaviour and data races.
//!
//! Nobody knows yet whether Stacked Borrows or Tree Borrows will be the rules, and what is compiled
//! differs between machines; so each suite (the library's own tests, and each file below tests/ with such
//! tests) runs by both models on both targets. The quick depth takes each suite once: one by the one model on the one
//! target, and the next by the other on the other.

use super::Depth;
use crate::shell::{Line, Outcome, Shell, side_by_side};
use crate::{source, toolchain};
use anyhow::Result;
use std::collections::BTreeSet;

const TARGETS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// Miri's flags for the two models.
const MODELS: [&str; 2] = ["", " -Zmiri-tree-borrows"];

/// Seeds of each suite, model and target at full depth.
const SEEDS: u32 = 4;

/// One call of Miri.
#[derive(Clone, Copy)]
struct Part<'a> {
    suite: &'a [String],
    target: &'a str,
    model: &'a str,
    seed: u32,
}

pub(super) fn run(shell: &Shell, depth: Depth) -> Result<Outcome> {
    if let Err(remedy) = toolchain::miri(shell) {
        return Ok(shell.missing(&remedy));
    }
    // Only the test files with such tests: others may have an allocator that Miri cannot run.
    let files = interpreted(shell)?.into_iter().rev();
    let files = files.map(|name| vec!["--test".to_owned(), name]);
    let suites: Vec<_> = files.chain([vec!["--lib".to_owned()]]).collect();
    let parts = parts(&suites, depth);
    for (place, part) in parts.iter().enumerate() {
        // Neither the model nor the seed changes what is built.
        let is_same = |other: &Part<'_>| (other.target, other.suite) == (part.target, part.suite);
        if parts[..place].iter().any(is_same) {
            continue;
        }
        if let failed @ Outcome::Failed(_) = part.line(shell, &["--no-run"]).run()? {
            return Ok(failed);
        }
    }
    let (calls, seeds) = (parts.len(), parts.iter().map(|part| part.seed + 1).max());
    let lines = parts.iter().map(|part| part.line(shell, &[]));
    let ran = side_by_side(lines.collect(), Line::run_beside_others)?;
    let failed = ran
        .iter()
        .filter(|ran| !ran.success || ran.tally.passed == 0);
    let failed: Vec<_> = failed.map(|ran| format!("`{}`", ran.command)).collect();
    if !failed.is_empty() {
        let commands = failed.join("\n  ");
        return Ok(Outcome::Failed(format!("replay by {commands}")));
    }
    let tests: usize = ran.iter().map(|ran| ran.tally.passed).sum();
    Ok(Outcome::Passed(format!(
        "{tests} tests in {calls} calls: seeds 0..{}, Stacked and Tree Borrows, x86_64 and aarch64",
        seeds.unwrap_or(0)
    )))
}

/// What is run, the long calls first.
fn parts(suites: &[Vec<String>], depth: Depth) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let seeds = match depth {
        Depth::Quick => 1,
        Depth::Full => SEEDS,
    };
    for seed in 0..seeds {
        for (number, suite) in suites.iter().enumerate() {
            for (at, target) in TARGETS.into_iter().enumerate() {
                for (by, model) in MODELS.into_iter().enumerate() {
                    let is_wanted = depth == Depth::Full || (at, by) == (number % 2, number % 2);
                    if is_wanted {
                        parts.push(Part {
                            suite,
                            target,
                            model,
                            seed,
                        });
                    }
                }
            }
        }
    }
    parts
}

impl Part<'_> {
    fn line(self, shell: &Shell, more: &[&str]) -> Line {
        let start = ["+nightly", "miri", "test", "--package", "atomshard"];
        let suite: Vec<&str> = self.suite.iter().map(String::as_str).collect();
        let arguments = [
            &start,
            &suite[..],
            &["--target", self.target],
            more,
            &["miri_"],
        ]
        .concat();
        let flags = format!(
            "-Zmiri-strict-provenance{} -Zmiri-seed={}",
            self.model, self.seed
        );
        shell
            .cargo(&arguments)
            .env("MIRIFLAGS", &flags)
            .env("CARGO_TARGET_DIR", &shell.target("miri"))
    }
}

/// The files below tests/ that hold a test whose name begins with `miri_`; a test in a folder
/// `name/` belongs to the file `name.rs`.
fn interpreted(shell: &Shell) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for path in source::files(&shell.root)? {
        let Some(rest) = path
            .strip_prefix("tests/")
            .filter(|rest| rest.ends_with(".rs"))
        else {
            continue;
        };
        let name = rest
            .split('/')
            .next()
            .unwrap_or(rest)
            .trim_end_matches(".rs");
        let target = shell.root.join(format!("tests/{name}.rs")).exists();
        if target && source::read(&shell.root, &path)?.contains("fn miri_") {
            names.insert(name.to_owned());
        }
    }
    Ok(names)
}
