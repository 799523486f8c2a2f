//! The fuzzer: inputs that grow by what they reach, each result compared with what it must be.
//!
//! The corpus in git is replayed first. What is found beyond it stays below target/ and is where the next run
//! begins; so does an input that fails, with the command that replays it.

use super::Depth;
use crate::shell::{Line, Outcome, Shell, TRACED};
use crate::toolchain;
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

/// Where the project of cargo-fuzz is.
const FOLDER: &str = "tools/fuzz";
/// Installs the C++ compiler that builds libFuzzer.
const SETUP: &str = "tools/setup/cxx";

/// A fuzz target.
struct Target {
    name: &'static str,
    /// Bytes of its longest input.
    longest: u32,
    /// Seconds of a quick run.
    quick: u32,
    /// Whether the leak checker looks on. It takes what belongs to a thread that is ending for a leak.
    leaks: bool,
}

const TARGETS: [Target; 3] = [
    Target {
        name: "sequential",
        longest: 400,
        quick: 20,
        leaks: true,
    },
    Target {
        name: "schedules",
        longest: 200,
        quick: 20,
        leaks: false,
    },
    Target {
        name: "topology",
        longest: 200,
        quick: 10,
        leaks: true,
    },
];

/// Makes sure that targets can be built; the error is the remedy.
fn ready(shell: &Shell) -> Result<(), String> {
    toolchain::toolchain(shell, "nightly")?;
    toolchain::tool(shell, "cargo-fuzz")?;
    toolchain::set_up(shell, SETUP)
}

/// The builds of the targets, if they can be built.
pub(super) fn builds(shell: &Shell) -> Result<Vec<Line>> {
    if ready(shell).is_err() {
        return Ok(Vec::new());
    }
    let runs = TARGETS.iter().map(|target| Run { shell, target });
    runs.map(|run| run.cargo_fuzz("build", &[])).collect()
}

pub(super) fn run(shell: &Shell, depth: Depth) -> Result<Outcome> {
    if let Err(remedy) = ready(shell) {
        return Ok(shell.missing(&remedy));
    }
    // The targets run side by side.
    let seconds = |target: &Target| match depth {
        Depth::Quick => target.quick,
        Depth::Full => 5 * 60,
    };
    let runs: Vec<Run<'_>> = TARGETS.iter().map(|target| Run { shell, target }).collect();
    for run in &runs {
        if let failed @ Outcome::Failed(_) = run.cargo_fuzz("build", &[])?.run()? {
            return Ok(failed);
        }
    }
    let reports = at_once(&runs, |run| run.fuzz(seconds(run.target)));
    let (mut passed, mut failed) = (Vec::new(), Vec::new());
    for (run, report) in runs.iter().zip(reports) {
        match report?.judge() {
            Ok(text) => passed.push(format!("{}: {text}", run.target.name)),
            Err(text) => failed.push(format!("{}: {text}", run.target.name)),
        }
    }
    Ok(if failed.is_empty() {
        Outcome::Passed(passed.join("; "))
    } else {
        Outcome::Failed(failed.join("; "))
    })
}

/// Calls `f` with each, all at the same time.
fn at_once<T: Send>(runs: &[Run<'_>], f: impl Fn(&Run<'_>) -> Result<T> + Sync) -> Vec<Result<T>> {
    thread::scope(|scope| {
        let threads: Vec<_> = runs.iter().map(|run| scope.spawn(|| f(run))).collect();
        let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
        joined
            .map(|done| done.unwrap_or_else(|_| anyhow::bail!("panicked")))
            .collect()
    })
}

/// A target that is run.
struct Run<'a> {
    shell: &'a Shell,
    target: &'a Target,
}

impl Run<'_> {
    /// A command of cargo-fuzz; `last` is for the target's program.
    fn cargo_fuzz(&self, command: &str, last: &[&str]) -> Result<Line> {
        let folder = self.shell.target("fuzz");
        let mut arguments = vec!["+nightly", "fuzz", command, "--fuzz-dir", FOLDER];
        arguments.extend(["--features", "targets,libfuzzer-sys/link_libfuzzer"]);
        // What would help to find magic numbers, which there are none of, takes half of the time.
        arguments.extend(["--debug-assertions", "--no-trace-compares"]);
        // In one unit a target is optimised by one processor.
        arguments.extend(["--codegen-units", "16"]);
        arguments.extend(["--target-dir", &folder, self.target.name]);
        arguments.extend(last);
        let line = self.shell.cargo(&arguments).env("RUSTFLAGS", "");
        // The fuzzer itself, in C++, does little between two inputs.
        let line = line.default_env("CXXFLAGS", "-O1");
        // Only schedules need the tracer; with it the targets share what is built for them, which takes longer than they run.
        line.for_members(TRACED, &std::path::absolute(folder)?)
    }

    /// Where what was found is, below target/.
    fn found(&self) -> PathBuf {
        Path::new(&self.shell.target("fuzz-found")).join(self.target.name)
    }

    fn fuzz(&self, seconds: u32) -> Result<Report> {
        let found = self.found();
        let (grown, failed) = (found.join("corpus"), found.join("failed"));
        for folder in [&grown, &failed] {
            fs::create_dir_all(folder)?;
        }
        let corpus = Path::new(FOLDER).join("corpus").join(self.target.name);
        let log = found.join("log");
        let arguments = [
            "--".to_owned(),
            format!("-max_total_time={seconds}"),
            format!("-max_len={}", self.target.longest),
            format!("-detect_leaks={}", u8::from(self.target.leaks)),
            // Longer inputs sooner than libFuzzer would: what runs into a resize takes some bytes.
            "-len_control=10".to_owned(),
            "-timeout=60".to_owned(),
            "-rss_limit_mb=4096".to_owned(),
            "-print_final_stats=1".to_owned(),
            format!("-artifact_prefix={}/", failed.display()),
        ];
        let mut last = vec![grown.to_str().context("a path")?];
        last.push(corpus.to_str().context("a path")?);
        last.extend(arguments.iter().map(String::as_str));
        let is_success = self.cargo_fuzz("run", &last)?.run_into(&log)?;
        let given = fs::read_dir(self.shell.root.join(&corpus))?.count();
        let text = fs::read(&log)?;
        let mut report = Report::read(&String::from_utf8_lossy(&text), given);
        if !is_success {
            let replay = match &report.failed {
                Some(input) => self.cargo_fuzz("run", &[input.as_str()])?.to_string(),
                None => format!("no input was named; see {}", log.display()),
            };
            report.failed = Some(replay);
        }
        Ok(report)
    }
}

/// What libFuzzer said at its end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Report {
    executions: u64,
    /// Edges of the code, and these with how often they were taken, and inputs that reach them all.
    reached: String,
    /// Inputs in git.
    given: usize,
    /// How a failure is replayed; at first the input's path.
    failed: Option<String>,
    /// What the failure said of itself.
    said: Vec<String>,
}

impl Report {
    fn read(log: &str, given: usize) -> Self {
        let after = |line: &str, mark: &str| line.split_once(mark).map(|(_, rest)| rest.to_owned());
        let mut report = Self {
            given,
            ..Self::default()
        };
        let mut is_said = false;
        for line in log.lines() {
            if let Some(count) = after(line, "stat::number_of_executed_units:") {
                report.executions = count.trim().parse().unwrap_or(0);
            } else if line.starts_with('#') && line.contains(" cov: ") {
                report.reached = reached(line);
            } else if let Some(path) = after(line, "Test unit written to ") {
                report.failed = Some(path.trim().to_owned());
            } else if is_said || line.contains("panicked at") || line.starts_with("SUMMARY: ") {
                report.said.push(line.to_owned());
            }
            // The line after the place of a panic is its message.
            is_said = line.contains("panicked at");
        }
        report
    }

    /// What was run, or why that is a failure.
    fn judge(&self) -> Result<String, String> {
        if let Some(replay) = &self.failed {
            return Err(format!("{}\n  replay: {replay}", self.said.join("\n  ")));
        }
        if self.given == 0 {
            return Err("the corpus is empty".to_owned());
        }
        if self.executions <= self.given as u64 || self.reached.is_empty() {
            return Err(format!(
                "{} executions of {} inputs: nothing new was tried",
                self.executions, self.given
            ));
        }
        Ok(format!(
            "{} executions, {} of {} in git",
            self.executions, self.reached, self.given
        ))
    }
}

/// `#3 DONE cov: 10 ft: 20 corp: 5/40b ..` as `10 edges, 20 features, 5 inputs`.
fn reached(line: &str) -> String {
    let mut words = line.split_whitespace();
    let mut after = |mark: &str| {
        words.find(|word| *word == mark)?;
        words.next()
    };
    let (edges, features, inputs) = (after("cov:"), after("ft:"), after("corp:"));
    match (edges, features, inputs.and_then(|i| i.split('/').next())) {
        (Some(edges), Some(features), Some(inputs)) => {
            format!("{edges} edges, {features} features, {inputs} inputs")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::Report;

    const DONE: &str = "#2\tINITED cov: 5 ft: 6 corp: 1/1b exec/s: 0 rss: 51Mb\n\
        #3474\tDONE   cov: 3376 ft: 14267 corp: 493/47Kb lim: 150 exec/s: 56 rss: 430Mb\n\
        Done 3474 runs in 61 second(s)\n\
        stat::number_of_executed_units: 3474\n";

    #[test]
    fn a_run_says_what_it_reached() {
        let report = Report::read(DONE, 200);
        let text = "3474 executions, 3376 edges, 14267 features, 493 inputs of 200 in git";
        assert_eq!(report.judge(), Ok(text.to_owned()));
    }

    #[test]
    fn a_run_that_tried_nothing_fails() {
        assert!(Report::read("", 200).judge().is_err());
        assert!(Report::read(DONE, 0).judge().is_err());
        assert!(Report::read(DONE, 3474).judge().is_err());
    }

    #[test]
    fn a_failure_says_where_its_input_is_and_what_is_wrong() {
        let log = "thread '<unnamed>' (7) panicked at tools/fuzz/src/sequential/step.rs:9:9:\n\
            remove(3)\n\
            artifact_prefix='t/'; Test unit written to t/crash-1\n";
        let text = Report::read(log, 1).judge().expect_err("it failed");
        assert!(
            text.contains("remove(3)") && text.ends_with("replay: t/crash-1"),
            "{text}"
        );
    }
}
