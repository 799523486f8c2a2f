//! The interpreter: every access checked for undefined behaviour and data races.
//!
//! Nobody knows yet whether Stacked Borrows or Tree Borrows will be the rules, and what is compiled
//! differs between machines; so each suite (the library's own tests, and each file below tests/ with such
//! tests) runs by both models on both targets. The quick depth takes each suite once: one by the one model on the one
//! target, and the next by the other on the other.
//!
//! A map of words keeps addresses as numbers, in the value word of a link. That is exposed provenance, which the strict
//! rules exclude: its tests, `miri_words_*`, are a suite of their own that runs by the permissive ones.

use super::Depth;
use crate::shell::{Line, Outcome, Shell, side_by_side};
use crate::{source, toolchain};
use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

const TARGETS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// Miri's flags for the two models.
const MODELS: [&str; 2] = ["", " -Zmiri-tree-borrows"];

/// Seeds of each suite, model and target at full depth.
const SEEDS: u32 = 4;

/// Tests of one program.
struct Suite {
    /// Which program.
    program: Vec<String>,
    /// Whether it is those of words, or all others.
    is_of_words: bool,
}

/// How the tests of words are called.
const WORDS: &str = "miri_words_";

/// One call of Miri.
#[derive(Clone, Copy)]
struct Part<'a> {
    suite: &'a Suite,
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
    let suite = |program, is_of_words| Suite {
        program,
        is_of_words,
    };
    let files = files.map(|name| suite(vec!["--test".to_owned(), name], false));
    let library = [false, true].map(|is_of_words| suite(vec!["--lib".to_owned()], is_of_words));
    let suites: Vec<_> = files.chain(library).collect();
    let parts = parts(&suites, depth);
    let mut lists: BTreeMap<(&str, &[String]), Vec<String>> = BTreeMap::new();
    let mut lines = Vec::new();
    for part in &parts {
        // Neither the model nor the seed changes what is built.
        let program = (part.target, &*part.suite.program);
        let list = match lists.entry(program) {
            Entry::Occupied(list) => list.into_mut(),
            Entry::Vacant(place) => {
                let line = part.line(shell, &["--list"]);
                let command = line.to_string();
                let (success, said) = line.run_seen()?;
                if !success {
                    return Ok(Outcome::Failed(format!("`{command}`")));
                }
                let names = said.lines().filter_map(|line| line.strip_suffix(": test"));
                place.insert(names.map(str::to_owned).collect())
            }
        };
        let is_wanted = |name: &&str| {
            let name = name.rsplit("::").next().unwrap_or(name);
            name.starts_with("miri_") && name.starts_with(WORDS) == part.suite.is_of_words
        };
        let names = list.iter().map(String::as_str);
        let names: Vec<&str> = names.filter(is_wanted).collect();
        ensure!(!names.is_empty(), "{program:?} has no test for Miri");
        // The interpreter has one processor, and some programs take minutes.
        for half in names.chunks(names.len().div_ceil(2)) {
            lines.push(part.line(shell, &[&["--exact"], half].concat()));
        }
    }
    let (calls, seeds) = (lines.len(), parts.iter().map(|part| part.seed + 1).max());
    let ran = side_by_side(lines, Line::run_beside_others)?;
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

/// What is run, those that take long first.
fn parts(suites: &[Suite], depth: Depth) -> Vec<Part<'_>> {
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
    /// Calls the program with what its test runner is told.
    fn line(self, shell: &Shell, told: &[&str]) -> Line {
        let start = ["+nightly", "miri", "test", "--package", "atomshard"];
        let program: Vec<&str> = self.suite.program.iter().map(String::as_str).collect();
        let target = ["--target", self.target, "--"];
        let arguments = [&start, &program[..], &target, told].concat();
        let is_of_words = self.suite.is_of_words;
        let provenance = if is_of_words { "permissive" } else { "strict" };
        let flags = format!(
            "-Zmiri-{provenance}-provenance{} -Zmiri-seed={}",
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
