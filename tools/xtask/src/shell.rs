//! Running one command: shown before, streamed while it runs, its tests counted.

use anyhow::{Context as _, Result};
use core::fmt;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How a step ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Passed, with a remark for the summary.
    Passed(String),
    /// Could not run on this machine; the text says what would help.
    Skipped(String),
    /// Failed, and why.
    Failed(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, text) = match self {
            Self::Passed(text) => ("passed", text),
            Self::Skipped(text) => ("skipped", text),
            Self::Failed(text) => ("FAILED", text),
        };
        if text.is_empty() {
            f.write_str(word)
        } else {
            write!(f, "{word}: {text}")
        }
    }
}

/// The compiler's flags that turn the tracer on.
pub(crate) const TRACED: &str = "--cfg atomshard_traced";

/// Where commands run.
pub(crate) struct Shell {
    pub(crate) root: PathBuf,
    /// True under CI: what cannot run is a failure there, not a remark.
    pub(crate) strict: bool,
}

impl Shell {
    /// Commands run in `root`.
    pub(crate) fn new(root: &Path) -> Self {
        let strict = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
        Self {
            root: root.to_path_buf(),
            strict,
        }
    }

    /// A cargo command. `cargo` is the one on the path, so that `+nightly` is understood.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Line {
        self.program("cargo", arguments)
    }

    /// A cargo command with the tracer compiled in, in a folder for artefacts of its own.
    pub(crate) fn traced(&self, arguments: &[&str]) -> Line {
        let line = self.cargo(arguments).env("RUSTFLAGS", TRACED);
        let line = line.env("RUSTDOCFLAGS", TRACED);
        line.env("CARGO_TARGET_DIR", &self.target("traced"))
    }

    /// Any command.
    pub(crate) fn program(&self, program: &str, arguments: &[&str]) -> Line {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.root);
        let text = format!("{program} {}", arguments.join(" "));
        Line { command, text }
    }

    /// The folder for artefacts of a build with other flags, below the usual one.
    pub(crate) fn target(&self, name: &str) -> String {
        let base = std::env::var_os("CARGO_TARGET_DIR");
        let base = base.map_or_else(|| self.root.join("target"), PathBuf::from);
        base.join(name).to_string_lossy().into_owned()
    }

    /// What cannot run here: a failure under CI, a remark at home.
    pub(crate) fn missing(&self, what: &str) -> Outcome {
        let text = what.to_owned();
        if self.strict {
            Outcome::Failed(text)
        } else {
            Outcome::Skipped(text)
        }
    }
}

/// A command that is about to run.
pub(crate) struct Line {
    command: Command,
    text: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Line {
    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self.text = format!("{name}='{value}' {}", self.text);
        self
    }

    /// Hides an environment variable of the caller from the command.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Sets an environment variable unless the caller of the tool has set it.
    pub(crate) fn default_env(self, name: &str, value: &str) -> Self {
        if std::env::var_os(name).is_some() {
            self
        } else {
            self.env(name, value)
        }
    }

    /// Runs it; what it prints goes through.
    pub(crate) fn run(mut self) -> Result<Outcome> {
        println!("$ {}", self.text);
        let status = self
            .command
            .status()
            .with_context(|| format!("cannot run {}", self.text))?;
        Ok(verdict(status.success(), &self.text, String::new()))
    }

    /// Runs a test command; it must run at least one test.
    pub(crate) fn run_tests(self) -> Result<Outcome> {
        let text = self.text.clone();
        let (success, tally) = self.run_counted()?;
        if success && tally.passed == 0 {
            return Ok(Outcome::Failed(format!("`{text}` ran no test")));
        }
        Ok(verdict(success, &text, format!("{} tests", tally.passed)))
    }

    /// Runs a test command; whether it succeeded, and what the test runners counted.
    pub(crate) fn run_counted(self) -> Result<(bool, Tally)> {
        let mut tally = Tally::default();
        let success = self.run_by_lines(|line| tally.add(line))?;
        Ok((success, tally))
    }

    /// Runs it; whether it succeeded, and what it printed, which goes through.
    pub(crate) fn run_seen(self) -> Result<(bool, String)> {
        let mut seen = String::new();
        let success = self.run_by_lines(|line| {
            seen.push_str(line);
            seen.push('\n');
        })?;
        Ok((success, seen))
    }

    fn run_by_lines(mut self, mut see: impl FnMut(&str)) -> Result<bool> {
        println!("$ {}", self.text);
        self.command.stdout(Stdio::piped());
        let context = || format!("cannot run {}", self.text);
        let mut child = self.command.spawn().with_context(context)?;
        let output = child.stdout.take().context("the output is a pipe")?;
        for line in BufReader::new(output).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            see(&line);
        }
        Ok(child.wait()?.success())
    }

    /// Runs it and shows nothing; whether it succeeded, and what it wrote to its two outputs.
    pub(crate) fn run_silently(mut self) -> Result<(bool, String, String)> {
        let output = self.command.output();
        let output = output.with_context(|| format!("cannot run {}", self.text))?;
        let [said, errors] = [&output.stdout, &output.stderr]
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        Ok((output.status.success(), said, errors))
    }

    /// Runs it; what it says on standard error goes to a file. True when it succeeds.
    pub(crate) fn run_into(mut self, log: &Path) -> Result<bool> {
        println!("$ {} 2> {}", self.text, log.display());
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let status = self.command.stderr(file).status();
        let status = status.with_context(|| format!("cannot run {}", self.text))?;
        Ok(status.success())
    }

    /// Runs a test command beside others: what it prints is shown in one piece at its end, and if it
    /// succeeds, only its tests are counted. The error is the command.
    pub(crate) fn run_beside_others(mut self) -> Result<Result<Tally, String>> {
        let output = self.command.output();
        let output = output.with_context(|| format!("cannot run {}", self.text))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let mut tally = Tally::default();
        said.lines().for_each(|line| tally.add(line));
        if !output.status.success() || tally.passed == 0 {
            let errors = String::from_utf8_lossy(&output.stderr);
            println!("$ {}\n{said}{errors}", self.text);
            return Ok(Err(self.text));
        }
        println!("$ {}\n{} tests passed", self.text, tally.passed);
        Ok(Ok(tally))
    }

    /// Runs it silently; true when it succeeds.
    pub(crate) fn quiet(mut self) -> bool {
        self.command.stdout(Stdio::null()).stderr(Stdio::null());
        self.command.status().is_ok_and(|status| status.success())
    }

    /// Runs it and returns what it wrote, if it succeeds.
    pub(crate) fn output(mut self) -> Option<String> {
        let output = self.command.stderr(Stdio::null()).output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

fn verdict(success: bool, text: &str, remark: String) -> Outcome {
    if success {
        Outcome::Passed(remark)
    } else {
        Outcome::Failed(format!("`{text}`"))
    }
}

/// What test runners say at their end, summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) ignored: usize,
}

impl Tally {
    /// Adds the counts of a line `test result: ok. 12 passed; 0 failed; ..`; of others, none.
    fn add(&mut self, line: &str) {
        let rest = line.split("test result: ").nth(1);
        let Some((_, counts)) = rest.and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for count in counts.split("; ") {
            let Some((number, word)) = count.split_once(' ') else {
                continue;
            };
            let sum = match word {
                "passed" => &mut self.passed,
                "failed" => &mut self.failed,
                "ignored" => &mut self.ignored,
                _ => continue,
            };
            *sum += number.parse::<usize>().unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn counts_what_the_test_runner_says() {
        let mut tally = Tally::default();
        tally.add("running 12 tests");
        assert_eq!(tally, Tally::default());
        tally.add(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; \
             finished in 0.10s",
        );
        tally.add("test result: FAILED. 3 passed; 2 failed; 4 ignored; 0 measured");
        let sum = Tally {
            passed: 15,
            failed: 2,
            ignored: 5,
        };
        assert_eq!(tally, sum);
    }
}
