//! `aarch64`: the library's whole test suite as an aarch64 program, under qemu-user.
//!
//! One build runs under every processor: what is shipped asks at run time whether there are LSE
//! atomics (outline atomics), so a processor with them and one without take different paths. That
//! they did is read in qemu's log (`instructions`). Most programs wait as much as they compute, so those of all
//! processors run side by side.
//!
//! With LSE nothing is left out or made smaller, but that `faults_alloc` refuses one allocation in eight, not
//! each, and that properties are tried on 64 inputs, not 256: unit tests, tests/ and examples, with all
//! features. Without LSE other instructions are run, so the unit tests and those with threads that write at
//! once. CI leaves out what no processor has a part in (`NOT_IN_CI`). Rates (`stress_rates`) are measured in release builds on a real machine alone, and not compiled here.
//!
//! What this does not show:
//!
//! - An ordering that is too weak. qemu runs each load and store by one of the host's, which orders
//!   more than aarch64 does, but for a `stlr` before an `ldar`, which aarch64 keeps in order and qemu does not
//!   (`tests/litmus.rs`). Loom, Miri and the contract of the instructions are for that.
//! - LSE2, by which a 16-byte load or store is single-copy atomic: qemu 7.2 has no processor with
//!   it, `max` included. The contract of the instructions alone covers what is chosen then.
//! - Rates, NUMA placement and hardware counters: qemu-user has no `mbind` and no
//!   `perf_event_open` (`cargo xtask vm` has). It has `membarrier`, so readers run without fences as on Linux.

mod instructions;

use crate::features::PORTABLE;
use crate::shell::{Line, Outcome, Shell, Tally, side_by_side};
use crate::source;
use crate::toolchain;
use anyhow::{Context as _, Result, bail};
use clap::Args;
use instructions::Seen;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const TARGET: &str = "aarch64-unknown-linux-gnu";
const LINKER: &str = "aarch64-linux-gnu-gcc";
const EMULATOR: &str = "qemu-aarch64";
const SETUP: &str = "tools/setup/aarch64";

/// Processors that are run by default, and whether they have LSE.
const PROCESSORS: &[(&str, bool)] = &[("neoverse-n1", true), ("cortex-a53", false)];

/// The test files that are run on the processor without LSE, besides the unit tests: it differs in its atomic
/// instructions alone.
const WITHOUT_LSE: [&str; 3] = ["linearizability", "regress_races", "regress_resize"];

/// The test files that CI does not run here: of the harness itself, of what a machine says about itself, of what the
/// system refuses, of names and formats. No processor has a part in them.
const NOT_IN_CI: [&str; 8] = [
    "checker",
    "faults_addresses",
    "faults_alloc",
    "faults_threads",
    "papaya_surface",
    "seeded_bugs",
    "serde_rayon",
    "topology",
];

/// The unit tests that are run for the log: read-modify-writes of every kind, and what `arch` picks.
const LOGGED: &[&str] = &["shard::counter", "arch::"];

/// No test program takes longer, however busy the machine is; one that does hangs.
const LIMIT_SECONDS: u32 = 300;

#[derive(Args)]
pub(crate) struct Options {
    /// Processors that qemu knows (comma-separated); without it, one with LSE and one without.
    #[arg(long, value_delimiter = ',')]
    cpu: Vec<String>,
    /// Names and switches for the test runner.
    #[arg(last = true)]
    tests: Vec<String>,
}

/// The command; true when every test passed.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    let shell = Shell::new(root);
    if let Err(remedy) = ready(&shell) {
        bail!("{remedy}");
    }
    let programs = Programs::all(root)?;
    let outcome = suite(&shell, &programs, &chosen(&options.cpu)?, &options.tests)?;
    println!("{outcome}");
    Ok(matches!(outcome, Outcome::Passed(_)))
}

/// The step of CI.
pub(crate) fn step(shell: &Shell) -> Result<Outcome> {
    if let Err(remedy) = ready(shell) {
        return Ok(shell.missing(&remedy));
    }
    suite(shell, &Programs::in_ci(&shell.root)?, &chosen(&[])?, &[])
}

/// What the step of CI runs, compiled for the emulator and no more.
pub(crate) fn build(shell: &Shell) -> Result<Line> {
    Ok(Programs::in_ci(&shell.root)?.build(shell))
}

/// Test programs besides the unit tests.
struct Programs {
    /// Names in tests/.
    files: Vec<String>,
    /// Whether the examples of the documentation are run.
    examples: bool,
}

impl Programs {
    fn all(root: &Path) -> Result<Self> {
        let files = source::files(root)?;
        let names = files.iter().filter_map(|path| {
            let name = path.strip_prefix("tests/")?.strip_suffix(".rs")?;
            (!name.contains('/')).then(|| name.to_owned())
        });
        Ok(Self {
            files: names.collect(),
            examples: true,
        })
    }

    /// All but [`NOT_IN_CI`] and the examples.
    fn in_ci(root: &Path) -> Result<Self> {
        let Self { mut files, .. } = Self::all(root)?;
        for name in NOT_IN_CI {
            let at = files.iter().position(|file| file == name);
            files.remove(at.with_context(|| format!("there is no tests/{name}.rs to leave out"))?);
        }
        Ok(Self {
            files,
            examples: false,
        })
    }

    fn build(&self, shell: &Shell) -> Line {
        let mut arguments = vec!["--no-run", "--lib"];
        arguments.extend(self.files.iter().flat_map(|name| ["--test", name]));
        cargo(shell, "", &arguments)
    }

    /// The arguments that select each program which is run under a processor.
    fn under(&self, processor: &Processor) -> Vec<Vec<&str>> {
        let without_lse = processor.lse == Some(false);
        let files = self.files.iter().map(String::as_str);
        let files = files.filter(|name| !without_lse || WITHOUT_LSE.contains(name));
        let examples = (self.examples && !without_lse).then_some("--doc");
        let whole = ["--lib"].into_iter().chain(examples);
        whole
            .map(|which| vec![which])
            .chain(files.map(|name| vec!["--test", name]))
            .collect()
    }
}

/// Makes sure that programs for aarch64 link and run; the error is the remedy. Only CI installs.
pub(crate) fn ready(shell: &Shell) -> Result<(), String> {
    toolchain::target(shell, TARGET)?;
    toolchain::set_up(shell, SETUP)
}

/// A processor to run the tests under.
struct Processor {
    name: String,
    /// Whether it has LSE, where that is known beforehand.
    lse: Option<bool>,
}

/// The processors asked for, if qemu has them.
fn chosen(names: &[String]) -> Result<Vec<Processor>> {
    // The exit code says nothing: qemu 7.2 ends with 1 after its help.
    let list = Command::new(EMULATOR).args(["-cpu", "help"]).output();
    let list = list.with_context(|| format!("cannot run {EMULATOR}"))?;
    processors(&String::from_utf8_lossy(&list.stdout), names)
}

/// As [`chosen`], with qemu's list: a heading, then a name a line.
fn processors(list: &str, names: &[String]) -> Result<Vec<Processor>> {
    let known: Vec<&str> = list.lines().skip(1).map(str::trim).collect();
    let defaults = PROCESSORS.iter().map(|(name, _)| *name);
    let names: Vec<&str> = if names.is_empty() {
        defaults.collect()
    } else {
        names.iter().map(String::as_str).collect()
    };
    names
        .into_iter()
        .map(|name| {
            if !known.contains(&name) {
                bail!("{EMULATOR} has no `{name}`; it has {}", known.join(", "));
            }
            let of_ours = PROCESSORS.iter().find(|(ours, _)| *ours == name);
            Ok(Processor {
                name: name.to_owned(),
                lse: of_ours.map(|(_, lse)| *lse),
            })
        })
        .collect()
}

/// What happened under one processor.
struct Row<'a> {
    processor: &'a Processor,
    succeeded: bool,
    tally: Tally,
    seen: Seen,
}

/// Builds once, then runs everything under each processor.
fn suite(
    shell: &Shell,
    programs: &Programs,
    processors: &[Processor],
    tests: &[String],
) -> Result<Outcome> {
    let begun = Instant::now();
    let build = programs.build(shell).run()?;
    if let failed @ Outcome::Failed(_) = build {
        return Ok(failed);
    }
    let build_seconds = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let all: Vec<&Processor> = processors.iter().collect();
    let seen = side_by_side(all, |processor| instructions_of(shell, &processor.name))?;
    let mut rows: Vec<Row<'_>> = processors
        .iter()
        .zip(seen)
        .map(|(processor, seen)| Row {
            processor,
            succeeded: true,
            tally: Tally::default(),
            seen,
        })
        .collect();
    let mut lines = Vec::new();
    for (place, processor) in processors.iter().enumerate() {
        lines.extend(programs.under(processor).into_iter().map(|mut arguments| {
            arguments.push("--");
            arguments.extend(tests.iter().map(String::as_str));
            let line = cargo(shell, &emulator(&processor.name), &arguments);
            (place, line)
        }));
    }
    let ran = side_by_side(lines, |(place, line)| {
        Ok((place, line.run_beside_others()?))
    })?;
    for (place, ran) in ran {
        rows[place].succeeded &= ran.success;
        rows[place].tally.add_all(ran.tally);
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("\nbuilt in {build_seconds:.0} s, once for all processors, and run in {seconds:.0} s");
    println!(
        "{:<14} {:>6} {:>6} {:>7}  LSE  atomic read-modify-writes in the code that ran",
        "processor", "passed", "failed", "ignored"
    );
    for row in &rows {
        println!(
            "{:<14} {:>6} {:>6} {:>7}  {:<3}  {}",
            row.processor.name,
            row.tally.passed,
            row.tally.failed,
            row.tally.ignored,
            if row.seen.has_lse() { "yes" } else { "no" },
            row.seen,
        );
    }
    Ok(judge(&rows))
}

/// The runner that is a processor of qemu-user's.
fn emulator(processor: &str) -> String {
    format!("timeout -k 5 {LIMIT_SECONDS} {EMULATOR} -cpu {processor}")
}

/// One `cargo test` of the library with all portable features, on what runs programs for aarch64; the runner is
/// empty where nothing runs.
pub(crate) fn cargo(shell: &Shell, runner: &str, arguments: &[&str]) -> Line {
    let mut words = vec!["test", "--package", "atomshard", "--features", PORTABLE];
    words.extend(["--profile", "emulated", "--target", TARGET]);
    words.extend(arguments);
    let line = shell
        .cargo(&words)
        .without("QEMU_LD_PREFIX")
        .default_env("PROPTEST_CASES", "64")
        .env("CARGO_TARGET_DIR", &shell.target("aarch64"))
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER);
    if runner.is_empty() {
        return line;
    }
    line.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", runner)
}

/// Which read-modify-writes the crate's code runs under this processor.
fn instructions_of(shell: &Shell, processor: &str) -> Result<Seen> {
    let log = format!("{}/{processor}.log", shell.target("aarch64"));
    let mut arguments = vec!["--lib", "--"];
    arguments.extend(LOGGED);
    let line = cargo(shell, &emulator(processor), &arguments)
        .env("QEMU_LOG", "in_asm")
        .env("QEMU_LOG_FILENAME", &log);
    let ran = line.run_beside_others()?;
    if !ran.success || ran.tally.passed == 0 {
        bail!("under {processor}: `{}` failed or ran no test", ran.command);
    }
    let bytes = std::fs::read(&log).with_context(|| format!("{EMULATOR} wrote no {log}"))?;
    Ok(Seen::in_log(&String::from_utf8_lossy(&bytes)))
}

/// The verdict on all processors.
fn judge(rows: &[Row<'_>]) -> Outcome {
    let mut wrong = Vec::new();
    for row in rows {
        let name = &row.processor.name;
        if !row.succeeded || row.tally.failed > 0 {
            wrong.push(format!("{name}: tests failed"));
        } else if row.tally.passed == 0 {
            wrong.push(format!("{name}: ran no test"));
        }
        if row.seen.is_empty() {
            wrong.push(format!("{name}: the log shows no atomic instruction"));
        } else if row
            .processor
            .lse
            .is_some_and(|lse| lse != row.seen.has_lse())
        {
            wrong.push(format!("{name}: {}", row.seen));
        }
    }
    if !wrong.is_empty() {
        return Outcome::Failed(wrong.join("; "));
    }
    let passed = rows
        .iter()
        .map(|row| format!("{} {}", row.tally.passed, row.processor.name));
    Outcome::Passed(passed.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Processor, Row, Seen, Tally, judge, processors};

    const LIST: &str = "Available CPUs:\n  cortex-a53\n  max\n  neoverse-n1\n";

    #[test]
    fn one_processor_with_lse_and_one_without_unless_asked() {
        let names = |asked: &[&str]| -> Vec<(String, Option<bool>)> {
            let asked: Vec<String> = asked.iter().map(|&name| name.to_owned()).collect();
            let found = processors(LIST, &asked).expect("qemu has them");
            found.into_iter().map(|p| (p.name, p.lse)).collect()
        };
        let ours = [
            ("neoverse-n1".to_owned(), Some(true)),
            ("cortex-a53".to_owned(), Some(false)),
        ];
        assert_eq!(names(&[]), ours);
        assert_eq!(names(&["max"]), [("max".to_owned(), None)]);
        let error = processors(LIST, &["m1".to_owned()]).err().expect("no m1");
        let text = "qemu-aarch64 has no `m1`; it has cortex-a53, max, neoverse-n1";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn failures_and_processors_that_are_not_what_they_should_be_are_seen() {
        let lse = Seen::in_log("0x55:  c8e0fc41  casal");
        let exclusive = Seen::in_log("0x55:  c85ffc40  ldaxr");
        let verdict = |succeeded, passed, lse, seen| {
            let processor = Processor {
                name: "p".to_owned(),
                lse,
            };
            let row = Row {
                processor: &processor,
                succeeded,
                tally: Tally {
                    passed,
                    ..Tally::default()
                },
                seen,
            };
            judge(&[row])
        };
        let fails = |outcome: Outcome, with: &str| match outcome {
            Outcome::Failed(text) => assert!(text.contains(with), "{text}"),
            other => panic!("{other}"),
        };
        assert!(
            matches!(verdict(true, 7, Some(true), lse), Outcome::Passed(text) if text == "7 p")
        );
        assert!(matches!(
            verdict(true, 7, None, exclusive),
            Outcome::Passed(_)
        ));
        fails(verdict(false, 7, Some(true), lse), "tests failed");
        fails(verdict(true, 0, Some(true), lse), "ran no test");
        fails(verdict(true, 7, Some(true), exclusive), "0 LSE");
        fails(verdict(true, 7, Some(false), lse), "1 LSE");
        fails(verdict(true, 7, None, Seen::default()), "no atomic");
    }
}
