//! Running one command: shown before, streamed while it runs, its tests counted.

use anyhow::{Context as _, Result};
use core::fmt;
use std::fs::{File, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

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
/// Those that make it a model. Cargo asks the compiler with these which crates a member depends on, so loom is one.
pub(crate) const LOOM: &str = "--cfg loom";

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

    /// A cargo command with the tracer compiled in.
    pub(crate) fn traced(&self, arguments: &[&str]) -> Result<Line> {
        self.flagged(arguments, TRACED, "traced")
    }

    /// A cargo command that compiles the members of the workspace with `flags` and puts their programs into
    /// `folder`, below the usual one. What they depend on is the same with these flags and without, so it is
    /// built once for all. Flags of the caller reach neither.
    pub(crate) fn flagged(&self, arguments: &[&str], flags: &str, folder: &str) -> Result<Line> {
        let folder = std::path::absolute(self.target(folder))?;
        let line = self.cargo(arguments).for_members(flags, &folder)?;
        let line = line.env("RUSTFLAGS", "").env("RUSTDOCFLAGS", flags);
        let usual = std::path::absolute(self.target(""))?;
        let line = line.env("CARGO_BUILD_BUILD_DIR", &usual.to_string_lossy());
        Ok(line.env("CARGO_TARGET_DIR", &folder.to_string_lossy()))
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

    /// Adds an argument.
    pub(crate) fn arg(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self.text = format!("{} {argument}", self.text);
        self
    }

    /// Gives the compiler `flags` for the members of the workspace alone: cargo calls a script in `folder` instead
    /// of the compiler for them. Cargo tells what it has compiled apart by the path of that script; so those of
    /// two folders, or of two sets of flags, do not meet.
    pub(crate) fn for_members(self, flags: &str, folder: &Path) -> Result<Self> {
        let script = folder.join(format!("rustc {flags}").replace([' ', '='], "_"));
        let text = format!("#!/bin/sh\nexec \"$@\" {flags}\n");
        let context = || format!("cannot write {}", script.display());
        // Another command may be running the one that is there.
        if !std::fs::read_to_string(&script).is_ok_and(|present| present == text) {
            std::fs::create_dir_all(folder).with_context(context)?;
            std::fs::write(&script, text).with_context(context)?;
            let permissions = Permissions::from_mode(0o755);
            std::fs::set_permissions(&script, permissions).with_context(context)?;
        }
        Ok(self.env("RUSTC_WORKSPACE_WRAPPER", &script.to_string_lossy()))
    }

    /// Runs it in another tree.
    pub(crate) fn within(mut self, tree: &Path) -> Self {
        self.command.current_dir(tree);
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
    /// succeeds, only its tests are counted.
    pub(crate) fn run_beside_others(mut self) -> Result<Ran> {
        let output = self.command.output();
        let output = output.with_context(|| format!("cannot run {}", self.text))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let tally = Tally::of(&said);
        let success = output.status.success();
        if success {
            println!("$ {}\n{} tests passed", self.text, tally.passed);
        } else {
            let errors = String::from_utf8_lossy(&output.stderr);
            println!("$ {}\n{said}{errors}", self.text);
        }
        let command = self.text;
        Ok(Ran {
            command,
            success,
            tally,
        })
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

/// How a test command ended.
pub(crate) struct Ran {
    pub(crate) command: String,
    pub(crate) success: bool,
    pub(crate) tally: Tally,
}

/// Does something with each item, on all processors, the first ones first; the results in the order of the items.
pub(crate) fn side_by_side<T: Send, R: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let left = Mutex::new(items.into_iter().enumerate());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let share = || -> Result<Vec<(usize, R)>> {
        let mut done = Vec::new();
        while let Some((place, item)) = next() {
            done.push((place, work(item)?));
        }
        Ok(done)
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let mut all = thread::scope(|scope| -> Result<_> {
        let workers: Vec<_> = (0..processors).map(|_| scope.spawn(share)).collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.join().ok().context("a thread panicked")??);
        }
        Ok(all)
    })?;
    all.sort_by_key(|(place, _)| *place);
    Ok(all.into_iter().map(|(_, result)| result).collect())
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
    /// What is said of it in all that test runners print.
    pub(crate) fn of(said: &str) -> Self {
        let mut tally = Self::default();
        said.lines().for_each(|line| tally.add(line));
        tally
    }

    /// Adds those of another.
    pub(crate) fn add_all(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }

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
    use super::{Shell, Tally, side_by_side};
    use anyhow::ensure;
    use std::path::Path;
    use std::process::Command;

    #[test]
    fn members_are_compiled_with_flags_by_a_script_for_each_set() {
        let folder = std::env::temp_dir().join(format!("xtask-shell-{}", std::process::id()));
        let script = |flags: &str| {
            let line = Shell::new(Path::new(".")).cargo(&["build"]);
            let line = line.for_members(flags, &folder).expect("it can be written");
            let text = line.to_string();
            let path = text.strip_prefix("RUSTC_WORKSPACE_WRAPPER='");
            let path = path.and_then(|rest| rest.strip_suffix("' cargo build"));
            path.expect("cargo is told the script").to_owned()
        };
        let (one, two) = (script("--cfg one"), script("--cfg one -Dwarnings"));
        assert_eq!(script("--cfg one"), one);
        let said = |path: &str| {
            let output = Command::new(path).args(["echo", "a b"]).output();
            String::from_utf8(output.expect("it runs").stdout).expect("it echoes")
        };
        assert_eq!(said(&one), "a b --cfg one\n");
        assert_eq!(said(&two), "a b --cfg one -Dwarnings\n");
        std::fs::remove_dir_all(folder).expect("it is there");
    }

    #[test]
    fn results_are_in_the_order_of_the_items_and_a_failure_is_one() {
        let half = |n: u32| {
            ensure!(n.is_multiple_of(2), "{n} is odd");
            Ok(n / 2)
        };
        let halves = side_by_side((0..100).map(|n| 2 * n).collect(), half).ok();
        assert_eq!(halves, Some((0..100).collect()));
        let error = side_by_side(vec![0, 2, 5, 6], half).expect_err("one is odd");
        assert_eq!(error.to_string(), "5 is odd");
    }

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
