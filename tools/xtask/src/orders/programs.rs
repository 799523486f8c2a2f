//! The test programs of the copy: built once each, run with one weakening or none.

use super::instrument::VARIABLE;
use crate::shell::Shell;
use anyhow::{Context as _, Result, bail, ensure};
use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Who runs the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The model checker: every interleaving and every value that it knows of.
    Loom,
    /// The machine.
    Machine,
    /// The interpreter, with several seeds.
    Miri,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Loom => "loom",
            Self::Machine => "machine",
            Self::Miri => "miri",
        }
    }
}

/// One test of one program. Written as in the records: `loom lib tests::loom::t1::name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Test {
    pub(super) kind: Kind,
    /// `lib`, or the name of a file below tests/.
    pub(super) program: String,
    pub(super) name: String,
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.kind.name(), self.program, self.name)
    }
}

impl Test {
    /// Reads what `Display` writes; a remark behind it is left out.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let kind = match words.next()? {
            "loom" => Kind::Loom,
            "machine" => Kind::Machine,
            "miri" => Kind::Miri,
            _ => return None,
        };
        let (program, name) = (words.next()?.to_owned(), words.next()?.to_owned());
        Some(Self {
            kind,
            program,
            name,
        })
    }
}

/// How a run of some tests ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// All passed; how long each took.
    Passed(BTreeMap<String, Duration>),
    /// This one failed, or took the process down.
    Failed(String),
    /// This one did not end in its time.
    Late(String),
}

/// A copy of the crate in which sites ask, and where it is built.
pub(super) struct Programs {
    pub(super) tree: PathBuf,
    shell: Shell,
    /// How many seeds the interpreter tries.
    pub(super) seeds: u32,
    built: Mutex<BTreeMap<(Kind, String), PathBuf>>,
}

impl Programs {
    pub(super) fn new(root: &Path, seeds: u32) -> Result<Self> {
        let shell = Shell::new(root);
        Ok(Self {
            tree: std::path::absolute(shell.target("orders/tree"))?,
            shell,
            seeds,
            built: Mutex::default(),
        })
    }

    /// The command that runs a program; the harness's arguments follow.
    fn command(&self, kind: Kind, program: &str) -> Result<Command> {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (kind, program.to_owned());
        if let Some(executable) = built.get(&name) {
            let mut command = Command::new(executable);
            command.current_dir(&self.tree);
            return Ok(command);
        }
        let target = format!("orders/{}", kind.name());
        let mut which = vec!["--package", "atomshard"];
        match program {
            "lib" => which.push("--lib"),
            file => which.extend(["--test", file]),
        }
        let flags = match kind {
            Kind::Loom => "--cfg loom -Awarnings",
            Kind::Machine => "-Awarnings",
            Kind::Miri => {
                let mut cargo = Command::new("cargo");
                cargo.args(["+nightly", "miri", "test", "--quiet"]);
                cargo.args(which).arg("--").env("RUSTFLAGS", "-Awarnings");
                let target = std::path::absolute(self.shell.target(&target))?;
                cargo.env("CARGO_TARGET_DIR", target);
                cargo.current_dir(&self.tree);
                return Ok(cargo);
            }
        };
        // The machine runs what is shipped: a compiler that optimises may reorder more.
        let arguments = [&["test", "--release", "--no-run"], &which[..]].concat();
        let line = self.shell.flagged(&arguments, flags, &target)?;
        let (success, _, said) = line.within(&self.tree).run_silently()?;
        ensure!(success, "the copy does not compile:\n{said}");
        let executable = said.lines().find_map(executable);
        let executable =
            executable.with_context(|| format!("cargo names no executable:\n{said}"))?;
        let executable = self.tree.join(executable);
        let mut command = Command::new(&executable);
        built.insert(name, executable);
        command.current_dir(&self.tree);
        Ok(command)
    }

    /// The tests of a program.
    pub(super) fn list(&self, kind: Kind, program: &str) -> Result<Vec<String>> {
        let mut command = self.command(kind, program)?;
        let output = command.arg("--list").output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cannot list the tests:\n{errors}");
        let names = said.lines().filter_map(|line| line.strip_suffix(": test"));
        Ok(names.map(str::to_owned).collect())
    }

    /// Runs tests of one program, one after the other, until one fails. `weakening` is what the sites are
    /// told; each test has its own patience.
    pub(super) fn run(
        &self,
        (kind, program): (Kind, &str),
        tests: &[String],
        weakening: Option<&str>,
        patience: &dyn Fn(&str) -> Duration,
    ) -> Result<Ending> {
        let mut command = self.command(kind, program)?;
        command.args(["--exact", "--test-threads=1"]).args(tests);
        command.env("RUST_BACKTRACE", "0");
        match weakening {
            Some(weakening) => command.env(VARIABLE, weakening),
            None => command.env_remove(VARIABLE),
        };
        match kind {
            Kind::Loom => {
                if std::env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
                    command.env("LOOM_MAX_PREEMPTIONS", "2");
                }
            }
            Kind::Miri => {
                let flags = format!(
                    "-Zmiri-strict-provenance -Zmiri-env-forward={VARIABLE} -Zmiri-many-seeds=0..{}",
                    self.seeds
                );
                command.env("MIRIFLAGS", flags);
            }
            Kind::Machine => {}
        }
        watch(command, kind, tests, patience)
    }
}

/// `  Executable unittests src/lib.rs (path)`: the path.
fn executable(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix("Executable ")?;
    let (_, path) = rest.rsplit_once('(')?;
    path.strip_suffix(')')
}

/// Runs a test harness and reads along.
fn watch(
    mut command: Command,
    kind: Kind,
    tests: &[String],
    patience: &dyn Fn(&str) -> Duration,
) -> Result<Ending> {
    use std::os::unix::process::CommandExt as _;
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .stdin(Stdio::null());
    // Whatever it starts ends with it.
    let mut child = command
        .process_group(0)
        .spawn()
        .context("cannot run the tests")?;
    let mut output = child.stdout.take().context("the output is a pipe")?;
    let mut errors = child.stderr.take().context("the errors are a pipe")?;
    let complaints = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _cut_off = errors.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = output.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    let mut progress = Progress::default();
    let first = tests.first().cloned().unwrap_or_default();
    // Several seeds run side by side there, and what they print with them.
    let alone = kind == Kind::Miri;
    let mut begun = Instant::now();
    let ending = loop {
        let now = if alone || progress.running.is_empty() {
            &first
        } else {
            &progress.running
        };
        let left = patience(now).saturating_sub(begun.elapsed());
        match receiver.recv_timeout(left) {
            Ok(bytes) if !alone => {
                let before = progress.running.clone();
                progress.read(&bytes, begun.elapsed());
                if progress.running != before {
                    begun = Instant::now();
                }
                if let Some(failed) = progress.failed.take() {
                    break Some(Ending::Failed(failed));
                }
            }
            Ok(_) => {}
            Err(RecvTimeoutError::Disconnected) => break None,
            Err(RecvTimeoutError::Timeout) => break Some(Ending::Late(now.clone())),
        }
    };
    if ending.is_some() {
        // The group, not the child alone: cargo and the interpreter are several processes.
        let group = format!("-{}", child.id());
        let _gone = Command::new("kill").args(["-KILL", "--", &group]).status();
    }
    let status = child.wait()?;
    let complaints = complaints.join().unwrap_or_default();
    if let Some(ending) = ending {
        return Ok(ending);
    }
    let compiles = !complaints.contains("could not compile");
    ensure!(compiles, "the copy does not compile:\n{complaints}");
    if !status.success() {
        let running = if alone || progress.running.is_empty() {
            first
        } else {
            progress.running
        };
        if running.is_empty() {
            bail!("the tests do not run:\n{complaints}");
        }
        return Ok(Ending::Failed(running));
    }
    if alone {
        let each = tests.iter().map(|test| (test.clone(), begun.elapsed()));
        return Ok(Ending::Passed(each.collect()));
    }
    let ran = progress.passed.len();
    ensure!(
        ran == tests.len(),
        "{ran} of {} tests ran:\n{complaints}",
        tests.len()
    );
    Ok(Ending::Passed(progress.passed))
}

/// What a harness with one thread has said so far.
#[derive(Default)]
struct Progress {
    line: String,
    running: String,
    passed: BTreeMap<String, Duration>,
    failed: Option<String>,
}

impl Progress {
    /// Reads on; the running test has taken `elapsed`.
    fn read(&mut self, bytes: &[u8], elapsed: Duration) {
        for part in String::from_utf8_lossy(bytes).split_inclusive('\n') {
            self.line.push_str(part);
            if let Some((name, verdict)) = self
                .line
                .strip_prefix("test ")
                .and_then(|line| line.split_once(" ... "))
            {
                name.clone_into(&mut self.running);
                // What the test itself prints may stand before its verdict, on lines of its own.
                self.verdict(verdict.trim().to_owned().as_str(), elapsed);
            } else if !self.running.is_empty() && self.line.ends_with('\n') {
                self.verdict(self.line.trim().to_owned().as_str(), elapsed);
            }
            if self.line.ends_with('\n') {
                self.line.clear();
            }
        }
    }

    fn verdict(&mut self, word: &str, elapsed: Duration) {
        match word {
            "ok" => {
                let name = core::mem::take(&mut self.running);
                self.passed.insert(name, elapsed);
            }
            "FAILED" => self.failed = Some(core::mem::take(&mut self.running)),
            _ => {}
        }
    }
}

/// Whether the interpreter is there.
pub(super) fn has_miri(root: &Path) -> bool {
    crate::toolchain::miri(&Shell::new(root)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_test_that_began_is_the_one_that_runs() {
        let mut progress = Progress::default();
        progress.read(b"\nrunning 2 tests\ntest a::b ... ", Duration::ZERO);
        assert_eq!(progress.running, "a::b");
        progress.read(b"o", Duration::ZERO);
        progress.read(b"k\ntest a::c ... ", Duration::from_secs(2));
        assert_eq!(progress.passed["a::b"], Duration::from_secs(2));
        assert_eq!(progress.running, "a::c");
        progress.read(b"some words\nFAILED\n", Duration::ZERO);
        assert_eq!(progress.failed.as_deref(), Some("a::c"));
    }

    #[test]
    fn a_test_reads_as_it_is_written() {
        let text = "miri miri_suite miri_claims_on_one_key";
        let test = Test::parse(text).expect("it is a test");
        assert_eq!(test.to_string(), text);
        let late = Test::parse("loom lib a::b (does not end)").expect("it is a test");
        assert_eq!(late.to_string(), "loom lib a::b");
        assert_eq!(Test::parse("qemu lib a::b"), None);
    }

    #[test]
    fn cargo_names_the_executable() {
        let line = "  Executable unittests src/lib.rs (target/release/deps/a-1)";
        assert_eq!(executable(line), Some("target/release/deps/a-1"));
        assert_eq!(executable("   Compiling a v0.1.0 (/a)"), None);
    }
}
