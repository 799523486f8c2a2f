//! The sanitizers: of addresses and leaks, and of threads with a std that is instrumented too, over the
//! tests with threads; and faults of memory put into the map in a copy, each of which one of them must report.
//! The quick depth is that of addresses and leaks alone: building std takes minutes.
//!
//! Cargo is told the target by name: then build scripts and procedural macros are not instrumented.

use super::Depth;
use crate::mutants::{self, Copy};
use crate::shell::{Line, Outcome, Shell};
use crate::toolchain;
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The faults.
const FILE: &str = "tools/evidence/memory-faults.toml";

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// What runs the tests of a copy: a fault may make them go on for ever. (`timeout` is of coreutils.)
const RUNNER: (&str, &str) = (
    "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER",
    "timeout 300",
);

/// A sanitizer, and what is run under it.
struct Sanitizer {
    name: &'static str,
    /// The compiler's flags.
    flags: &'static str,
    /// What cargo is told more.
    more: &'static [&'static str],
    /// The variable that its runtime reads, and the value.
    options: (&'static str, &'static str),
    /// The test files of the quick depth.
    quick: &'static [&'static str],
    /// What the full depth runs more.
    full: &'static [&'static str],
}

const ALL: [Sanitizer; 2] = [
    Sanitizer {
        name: "address",
        // Objects are allocated one by one: the sanitizer knows nothing of those in a chunk.
        flags: "-Zsanitizer=address --cfg atomshard_singles",
        more: &[],
        options: (
            "ASAN_OPTIONS",
            "detect_leaks=1:detect_stack_use_after_return=1",
        ),
        quick: &[
            "drops",
            "drops_panics",
            "drops_steady",
            "regress_iteration",
            "regress_races",
            "regress_resize",
        ],
        full: &[
            "api_alignment",
            "api_bytes",
            "api_guards",
            "api_panics",
            "faults_threads",
        ],
    },
    Sanitizer {
        name: "thread",
        // Objects come from chunks here, as they do for users.
        flags: "-Zsanitizer=thread",
        more: &["-Zbuild-std"],
        options: ("TSAN_OPTIONS", "halt_on_error=1"),
        quick: &[],
        full: &[
            "drops",
            "regress_iteration",
            "regress_races",
            "regress_resize",
        ],
    },
];

/// A fault of memory.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    name: String,
    /// Who must report it.
    sanitizer: String,
    /// Part of the line in which that one sums up.
    report: String,
    /// The test file that is run.
    test: String,
    file: String,
    find: String,
    replace: String,
}

/// The calls of a depth, with the names of their sanitizers.
fn lines(shell: &Shell, depth: Depth) -> impl Iterator<Item = (&'static str, Line)> {
    let wanted = ALL.iter().filter(move |one| !one.tests(depth).is_empty());
    wanted.map(move |one| {
        let artefacts = shell.target(&format!("sanitizer-{}", one.name));
        let line = one.line(&shell.root, &artefacts, &one.tests(depth));
        (one.name, line)
    })
}

/// The builds of the quick depth, if they can be made.
pub(super) fn builds(shell: &Shell) -> Vec<Line> {
    if toolchain::sources(shell).is_err() {
        return Vec::new();
    }
    let lines = lines(shell, Depth::Quick);
    lines.map(|(_, line)| line.arg("--no-run")).collect()
}

/// Runs the tests, and at full depth puts in the faults.
pub(super) fn run(shell: &Shell, depth: Depth) -> Result<Outcome> {
    if let Err(remedy) = toolchain::sources(shell) {
        return Ok(shell.missing(&remedy));
    }
    let mut remarks = Vec::new();
    for (name, line) in lines(shell, depth) {
        match line.run_tests()? {
            Outcome::Passed(count) => remarks.push(format!("{name}: {count}")),
            other => return Ok(other),
        }
    }
    if depth == Depth::Full {
        match faults(shell)? {
            Outcome::Passed(text) => remarks.push(format!("faults: {text}")),
            other => return Ok(other),
        }
    }
    Ok(Outcome::Passed(remarks.join("; ")))
}

/// Puts in the faults.
fn faults(shell: &Shell) -> Result<Outcome> {
    let wanted: Vec<(usize, Fault)> = mutants::read(&shell.root, FILE)?;
    ensure!(!wanted.is_empty(), "{FILE}: there is no fault to put in");
    let folder = PathBuf::from(shell.target("memory-faults"));
    let copy = Copy {
        root: &shell.root,
        tree: folder.join("tree"),
        parts: &["tests/"],
        members: &["benches/baselines", "tools/evidence", "tools/schedule"],
    };
    copy.renew()?;
    let (mut caught, mut slowest) = (0, 0.0_f64);
    for (line, fault) in &wanted {
        let log = folder.join(format!("log-of-line-{line}"));
        let edit = (&*fault.file, &*fault.find, &*fault.replace);
        let begun = Instant::now();
        let found = copy
            .edited(edit, || fault.reported(&copy, &folder, &log))
            .with_context(|| format!("{FILE}:{line}: {}", fault.name))?;
        let seconds = begun.elapsed().as_secs_f64();
        slowest = slowest.max(seconds);
        if let Some(sum) = found {
            caught += 1;
            println!("caught {seconds:>6.1} s  {}: {sum}", fault.name);
        } else {
            let log = log.display();
            println!("MISSED {seconds:>6.1} s  {}: {log}", fault.name);
        }
    }
    let text = format!(
        "{caught} of {} caught, in {slowest:.1} s at most with the build",
        wanted.len()
    );
    Ok(if caught == wanted.len() {
        Outcome::Passed(text)
    } else {
        Outcome::Failed(text)
    })
}

impl Fault {
    /// Runs the test in the copy; the line in which the sanitizer reports the fault, if it does.
    fn reported(&self, copy: &Copy<'_>, folder: &Path, log: &Path) -> Result<Option<String>> {
        let sanitizer = ALL.iter().find(|one| one.name == self.sanitizer);
        let sanitizer =
            sanitizer.with_context(|| format!("there is no sanitizer `{}`", self.sanitizer))?;
        // Apart from those of the crate itself, for which cargo would take them.
        let artefacts = folder.join(&self.sanitizer);
        let artefacts = artefacts.to_string_lossy();
        sanitizer
            .line(&copy.tree, &artefacts, &[&self.test])
            .env(RUNNER.0, RUNNER.1)
            .run_into(log)?;
        let said = std::fs::read(log)?;
        let said = String::from_utf8_lossy(&said);
        let mut sums = said.lines().filter(|line| line.starts_with("SUMMARY: "));
        let found = sums.find(|sum| sum.contains(&self.report));
        Ok(found.map(str::to_owned))
    }
}

impl Sanitizer {
    /// The test files of a depth.
    fn tests(&self, depth: Depth) -> Vec<&'static str> {
        match depth {
            Depth::Quick => self.quick.to_vec(),
            Depth::Full => [self.quick, self.full].concat(),
        }
    }

    /// The command that runs test files of a tree.
    fn line(&self, tree: &Path, artefacts: &str, tests: &[&str]) -> Line {
        let start = ["+nightly", "test", "--package", "atomshard"];
        // Optimised a little, with debug assertions.
        let profile = ["--profile", "emulated", "--target", TARGET];
        let tests: Vec<&str> = tests.iter().flat_map(|name| ["--test", name]).collect();
        let arguments = [&start, self.more, &profile, &tests].concat();
        let (variable, options) = self.options;
        Shell::new(tree)
            .cargo(&arguments)
            .env("RUSTFLAGS", self.flags)
            .env(variable, options)
            .env("CARGO_TARGET_DIR", artefacts)
    }
}
