//! Histories under drawn interleavings, and threads stopped at every access: the tool `evidence`, in the
//! build with the tracer.

use super::Depth;
use crate::shell::{Outcome, Shell, TRACED};
use anyhow::{Context as _, Result, ensure};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// The page of `progress`.
const PAGE: &str = "docs/progress.md";
/// Processes that run histories beside each other.
const PROCESSES: u64 = 2;

/// Builds the tool; where it is.
fn built(shell: &Shell) -> Result<String> {
    let arguments = [
        "build",
        "--release",
        "--quiet",
        "--package",
        "evidence",
        "--features",
        "cli",
    ];
    let outcome = shell.traced(&arguments).run()?;
    ensure!(matches!(outcome, Outcome::Passed(_)), "{outcome}");
    Ok(format!("{}/release/evidence", shell.target("traced")))
}

/// Histories from a seed that is new each time.
pub(super) fn histories(shell: &Shell, depth: Depth) -> Result<Outcome> {
    let program = built(shell)?;
    let runs: u64 = match depth {
        Depth::Quick => 100,
        Depth::Full => 1_000,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let starts = (0..PROCESSES).map(|part| (now * PROCESSES + part) * 1_000_000);
    let mut parts = Vec::new();
    for seed in starts {
        let [seed, runs] = [seed, runs].map(|number| number.to_string());
        let arguments = ["histories", "--seed", &*seed, "--runs", &*runs].map(str::to_owned);
        println!("$ {program} {}", arguments.join(" "));
        let mut command = Command::new(&program);
        let command = command.args(&arguments).stdout(Stdio::piped());
        let child = command.stderr(Stdio::piped()).spawn();
        parts.push((
            arguments,
            child.with_context(|| format!("cannot run {program}"))?,
        ));
    }
    let mut sums = [0_u64; 4];
    for (arguments, child) in parts {
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            println!("{said}{}", String::from_utf8_lossy(&output.stderr));
            return Ok(Outcome::Failed(format!(
                "replay: RUSTFLAGS='{TRACED}' CARGO_TARGET_DIR=target/traced cargo run --release \
                 --package evidence --features cli -- {}",
                arguments.join(" ")
            )));
        }
        print!("{said}");
        let words = ["histories", "operations", "overlaps", "accesses"];
        for (sum, word) in sums.iter_mut().zip(words) {
            *sum += number(&said, word)?;
        }
    }
    let [histories, operations, overlaps, accesses] = sums;
    Ok(Outcome::Passed(format!(
        "{histories} histories, {operations} operations, {overlaps} pairs at once, {accesses} accesses"
    )))
}

/// Threads stopped at their accesses, and the page of it.
pub(super) fn progress(shell: &Shell, depth: Depth) -> Result<Outcome> {
    // The page is that of `quick`; at every access the classes must be the same.
    let arguments: &[&str] = match depth {
        Depth::Quick => &["--check", PAGE],
        Depth::Full => &["--points", "1000000"],
    };
    stopped(shell, arguments)
}

/// Renews the page.
pub(super) fn write(shell: &Shell) -> Result<Outcome> {
    stopped(shell, &["--write", PAGE])
}

fn stopped(shell: &Shell, arguments: &[&str]) -> Result<Outcome> {
    let program = built(shell)?;
    println!("$ {program} progress {}", arguments.join(" "));
    let mut command = Command::new(&program);
    let command = command.arg("progress").args(arguments);
    let output = command.current_dir(&shell.root).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    print!("{said}");
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        return Ok(Outcome::Failed(why.trim().to_owned()));
    }
    let [rows, stops, ended] = ["rows", "stops", "ended"].map(|word| number(&said, word));
    Ok(Outcome::Passed(format!(
        "{} operations stopped at {} accesses, {} operations of others ended meanwhile",
        rows?, stops?, ended?
    )))
}

/// The number behind a word of the last line.
pub(super) fn number(said: &str, word: &str) -> Result<u64> {
    let line = said.lines().last().unwrap_or_default();
    let mut words = line.split(' ').skip_while(|other| *other != word).skip(1);
    let number = words.next().and_then(|number| number.parse().ok());
    number.with_context(|| format!("the tool's last line has no number of {word}: `{line}`"))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_stand_behind_their_words() {
        let said = "other 7\nhistories 20 operations 300";
        assert_eq!(number(said, "histories").ok(), Some(20));
        assert_eq!(number(said, "operations").ok(), Some(300));
        assert!(number(said, "other").is_err());
    }
}
