//! The protocol of a move as a state machine, explored to the last state, and with mistakes put in.

use super::Depth;
use crate::shell::{Outcome, Shell};
use anyhow::{Context as _, Result, ensure};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

pub(super) fn run(shell: &Shell, depth: Depth) -> Result<Outcome> {
    // As the test command of the README builds it, where models are optimised too: in CI it is there.
    let build = [
        "test",
        "--workspace",
        "--test",
        "words",
        "--no-run",
        "--quiet",
    ];
    let outcome = shell.cargo(&build).run()?;
    ensure!(matches!(outcome, Outcome::Passed(_)), "{outcome}");
    let runs: &[&str] = match depth {
        // The test command of the README puts the mistakes in.
        Depth::Quick => &["quick"],
        Depth::Full => &["full", "seeded", "seeded-deep"],
    };
    let program = format!("{}/models", shell.target("debug"));
    let mut remarks = Vec::new();
    for what in runs {
        println!("$ {program} {what}");
        let mut child = Command::new(&program)
            .arg(what)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {program}"))?;
        let output = child.stdout.take().context("the output is a pipe")?;
        // The last line is the summary; the others are shown as they come.
        let mut last = String::new();
        for line in BufReader::new(output).lines() {
            last = line?;
            println!("{last}");
        }
        if !child.wait()?.success() {
            return Ok(Outcome::Failed(format!("`{program} {what}`: {last}")));
        }
        remarks.push(last);
    }
    Ok(Outcome::Passed(remarks.join("; ")))
}
