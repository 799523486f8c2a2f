//! `vm`: tests in machines that are built for them by `tools/vm`, each with a kernel of its own.
//!
//! - `numa`: x86-64 with four nodes, and with one of them without memory and one without CPUs. What
//!   `Machine::here` reads there is compared with what was built, plans of each policy are made of it, and
//!   threads and pages are placed by them. Balancing is off: `docs/design/placement.md` says why.
//! - `numa-aarch64`: the same machines and tests as aarch64.
//! - `pmu`: aarch64 with a CPU that counts cycles and instructions, also under emulation. One is in
//!   the table of events, one is not.
//!
//! Each test program boots a machine of its own, so few are run. They are what the steps `tests` and
//! `aarch64` have built, and as many run side by side as there are processors.
//!
//! What this does not show: time, for everything is emulated; and hardware counters of x86-64, which qemu
//! does not emulate.

use crate::aarch64;
use crate::shell::{Line, Outcome, Shell, Tally, side_by_side};
use crate::{features, toolchain};
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use std::path::Path;
use std::time::Instant;

const SETUP: &str = "tools/setup/vm";
const RUNNER: &str = "tools/vm/run";

/// From the start of the machine to the end of the tests, however busy this one is.
const LIMIT_SECONDS: u32 = 300;

/// What a machine is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Several nodes.
    Numa,
    /// Several nodes, of aarch64.
    NumaAarch64,
    /// A CPU that counts.
    Pmu,
}

impl Kind {
    /// The usual test program, and the names in it.
    fn tests(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Numa | Self::NumaAarch64 => (
                "topology",
                &[
                    "topology::built",
                    "topology::applied",
                    "the_running_machine",
                ],
            ),
            Self::Pmu => ("perf", &["perf::cpu", "perf::kernel"]),
        }
    }
}

/// A machine, in the words of tools/vm/run.
struct Machine {
    name: &'static str,
    kind: Kind,
    options: &'static str,
    /// Names of tests that are not usual for its kind.
    more: &'static [&'static str],
}

// The kernel leaves pages where they are, and makes none by itself.
const FOUR_NODES: &str =
    "--append numa_balancing=disable --append transparent_hugepage=never --nodes 4 --cpus 8";
const ODD_NODES: &str = "--append numa_balancing=disable --append transparent_hugepage=never --nodes 4 --cpus 6 --cpu-only 1 --memory-only 1";

/// Of the tests of maps, those of tables: where they are is the plan's, which differs with the nodes. The others need
/// several nodes, whichever.
const TABLES: &[&str] = &["topology::maps::tables"];

const MACHINES: [Machine; 6] = [
    Machine {
        name: "four nodes",
        kind: Kind::Numa,
        options: FOUR_NODES,
        more: &["topology::maps"],
    },
    Machine {
        name: "odd nodes",
        kind: Kind::Numa,
        options: ODD_NODES,
        more: TABLES,
    },
    Machine {
        name: "four nodes, aarch64",
        kind: Kind::NumaAarch64,
        options: FOUR_NODES,
        more: &["topology::maps"],
    },
    Machine {
        name: "odd nodes, aarch64",
        kind: Kind::NumaAarch64,
        options: ODD_NODES,
        more: TABLES,
    },
    Machine {
        name: "neoverse-n1",
        kind: Kind::Pmu,
        options: "--icount --nodes 1 --cpus 1 --mem 512 --cpu neoverse-n1",
        more: &[],
    },
    Machine {
        name: "cortex-a57",
        kind: Kind::Pmu,
        options: "--icount --nodes 1 --cpus 1 --mem 512 --cpu cortex-a57",
        more: &[],
    },
];

#[derive(Args, Default)]
pub(crate) struct Options {
    /// The machines of one kind; without it, all but numa-aarch64.
    kind: Option<Kind>,
    /// A test program of the library, by the name of its file in tests/; without it, the usual one.
    #[arg(long)]
    test: Option<String>,
    /// Names and switches for the test runner; without any, the usual names, or all of `--test`.
    #[arg(last = true)]
    tests: Vec<String>,
}

/// The command; true when every test passed.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    let shell = Shell::new(root);
    if let Err(remedy) = ready(&shell, options.kind) {
        bail!("{remedy}");
    }
    let outcome = suite(&shell, options)?;
    println!("{outcome}");
    Ok(matches!(outcome, Outcome::Passed(_)))
}

/// The step of CI.
pub(crate) fn step(shell: &Shell) -> Result<Outcome> {
    if let Err(remedy) = ready(shell, None) {
        return Ok(shell.missing(&remedy));
    }
    suite(shell, &Options::default())
}

/// Makes sure that machines start and have programs to run; the error is the remedy. Only CI installs.
fn ready(shell: &Shell, kind: Option<Kind>) -> Result<(), String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err("needs x86-64 Linux, whose programs it runs in a machine".to_owned());
    }
    if kind != Some(Kind::Numa) {
        aarch64::ready(shell)?;
    }
    toolchain::set_up(shell, SETUP)
}

/// What happened in one machine.
struct Row {
    name: &'static str,
    succeeded: bool,
    tally: Tally,
    seconds: f64,
}

fn suite(shell: &Shell, options: &Options) -> Result<Outcome> {
    let wanted = |machine: &&Machine| match options.kind {
        Some(kind) => kind == machine.kind,
        None => machine.kind != Kind::NumaAarch64,
    };
    let machines: Vec<&Machine> = MACHINES.iter().filter(wanted).collect();
    for machine in &machines {
        // Built before the clock runs.
        let build = [&arguments(machine, options)[..2], &["--no-run"]].concat();
        if let failed @ Outcome::Failed(_) = cargo(shell, machine.kind, "", &build)?.run()? {
            return Ok(failed);
        }
    }
    // A machine waits often, so the next one is not kept waiting.
    let rows = side_by_side(machines, |machine| {
        let begun = Instant::now();
        let arguments = arguments(machine, options);
        let runner = runner(&shell.root, machine.options);
        let line = cargo(shell, machine.kind, &runner, &arguments)?;
        let command = line.to_string();
        let (succeeded, said, errors) = line.run_silently()?;
        println!("\n-- {}\n$ {command}\n{said}{errors}", machine.name);
        Ok(Row {
            name: machine.name,
            succeeded,
            tally: Tally::of(&said),
            seconds: begun.elapsed().as_secs_f64(),
        })
    })?;
    println!("\n{:<19} {:>6} {:>7}", "machine", "passed", "seconds");
    for row in &rows {
        let Row { name, tally, .. } = row;
        println!("{name:<19} {:>6} {:>7.1}", tally.passed, row.seconds);
    }
    Ok(judge(&rows))
}

/// What cargo gets: the test program, which stands first, and what goes to the test runner. What is
/// ignored is so because it needs such a machine.
fn arguments<'a>(machine: &Machine, options: &'a Options) -> Vec<&'a str> {
    let (program, names) = machine.kind.tests();
    let mut arguments = vec!["--test", options.test.as_deref().unwrap_or(program), "--"];
    if options.test.is_none() && options.tests.is_empty() {
        arguments.extend(names);
        arguments.extend(machine.more);
    }
    arguments.extend(options.tests.iter().map(String::as_str));
    arguments.extend(["--include-ignored", "--show-output"]);
    arguments
}

/// The runner that is a machine: it gets the test program and its arguments.
fn runner(root: &Path, options: &str) -> String {
    let program = root.join(RUNNER);
    let program = program.display();
    format!("{program} --timeout {LIMIT_SECONDS} --env RUST_BACKTRACE {options}")
}

/// One `cargo test` of the library with all features, in a machine; the runner is empty where nothing runs.
fn cargo(shell: &Shell, kind: Kind, runner: &str, arguments: &[&str]) -> Result<Line> {
    if kind != Kind::Numa {
        return Ok(aarch64::cargo(shell, runner, arguments));
    }
    let words = ["test", "--package", "atomshard"];
    let line = shell.cargo(&[&words, &features::all(shell)?[..], arguments].concat());
    if runner.is_empty() {
        return Ok(line);
    }
    Ok(line.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", runner))
}

/// The verdict on all machines.
fn judge(rows: &[Row]) -> Outcome {
    let wrong = rows.iter().filter_map(|row| {
        let Row { name, tally, .. } = row;
        if tally.failed > 0 {
            Some(format!("{name}: {} tests failed", tally.failed))
        } else if tally.passed == 0 {
            Some(format!("{name}: ran no test"))
        } else if !row.succeeded {
            Some(format!("{name}: the machine or the test program failed"))
        } else {
            None
        }
    });
    let wrong: Vec<_> = wrong.collect();
    if !wrong.is_empty() || rows.is_empty() {
        return Outcome::Failed(wrong.join("; "));
    }
    let passed = rows
        .iter()
        .map(|row| format!("{} {} in {:.0} s", row.tally.passed, row.name, row.seconds));
    Outcome::Passed(passed.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::{MACHINES, Options, Outcome, Row, Tally, arguments, judge, runner};
    use std::path::Path;

    #[test]
    fn a_program_and_names_replace_the_usual_ones() {
        let options = |test: Option<&str>, tests: &[&str]| Options {
            kind: None,
            test: test.map(str::to_owned),
            tests: tests.iter().map(|&name| name.to_owned()).collect(),
        };
        let line = |options| arguments(&MACHINES[0], &options).join(" ");
        let switches = "--include-ignored --show-output";
        assert_eq!(
            line(options(None, &[])),
            format!(
                "--test topology -- topology::built topology::applied the_running_machine topology::maps {switches}"
            )
        );
        assert_eq!(
            line(options(Some("placement"), &[])),
            format!("--test placement -- {switches}")
        );
        assert_eq!(
            line(options(Some("placement"), &["apply"])),
            format!("--test placement -- apply {switches}")
        );
        assert_eq!(
            runner(Path::new("/a"), "--nodes 4"),
            "/a/tools/vm/run --timeout 300 --env RUST_BACKTRACE --nodes 4"
        );
    }

    #[test]
    fn failures_and_machines_without_a_test_are_seen() {
        let verdict = |succeeded, passed, failed| {
            judge(&[Row {
                name: "m",
                succeeded,
                tally: Tally {
                    passed,
                    failed,
                    ..Tally::default()
                },
                seconds: 1.0,
            }])
        };
        let fails = |outcome: Outcome, with: &str| match outcome {
            Outcome::Failed(text) => assert_eq!(text, with),
            other => panic!("{other}"),
        };
        assert!(matches!(verdict(true, 7, 0), Outcome::Passed(text) if text == "7 m in 1 s"));
        fails(verdict(false, 6, 1), "m: 1 tests failed");
        fails(verdict(true, 0, 0), "m: ran no test");
        fails(verdict(false, 0, 0), "m: ran no test");
        fails(
            verdict(false, 7, 0),
            "m: the machine or the test program failed",
        );
        fails(judge(&[]), "");
    }
}
