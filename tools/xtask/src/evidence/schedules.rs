//! Histories under drawn interleavings, and threads stopped at every access: the tool `evidence`, in the
//! build with the tracer.

use super::Depth;
use crate::shell::{Outcome, Shell, TRACED};
use anyhow::{Context as _, Result, ensure};
use std::process::{Child, Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// The page of `progress`.
const PAGE: &str = "docs/progress.md";
/// Processes that run beside each other, each with threads that take turns.
const PROCESSES: u64 = 2;

/// How the tool is built.
pub(super) const BUILD: [&str; 7] = [
    "build",
    "--release",
    "--quiet",
    "--package",
    "evidence",
    "--features",
    "cli",
];

/// Builds the tool; where it is.
fn built(shell: &Shell) -> Result<String> {
    let outcome = shell.traced(&BUILD)?.run()?;
    ensure!(matches!(outcome, Outcome::Passed(_)), "{outcome}");
    Ok(format!("{}/release/evidence", shell.target("traced")))
}

/// Histories from a seed that is new each time.
pub(super) fn histories(shell: &Shell, depth: Depth) -> Result<Outcome> {
    let program = built(shell)?;
    let runs: u64 = match depth {
        Depth::Quick => 50,
        Depth::Full => 1_000,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let starts = (0..PROCESSES).map(|part| (now * PROCESSES + part) * 1_000_000);
    let calls: Vec<_> = starts
        .map(|seed| {
            let [seed, runs] = [seed, runs].map(|number| number.to_string());
            ["histories", "--seed", &*seed, "--runs", &*runs].map(str::to_owned)
        })
        .collect();
    let outputs = at_once(shell, &program, &calls)?;
    let mut sums = [0_u64; 4];
    for (arguments, output) in calls.iter().zip(outputs) {
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

/// Runs the tool with each of these arguments, all at the same time; what each said, which is little.
fn at_once<A: AsRef<[String]>>(shell: &Shell, program: &str, calls: &[A]) -> Result<Vec<Output>> {
    let mut children = Vec::new();
    for arguments in calls {
        let arguments = arguments.as_ref();
        println!("$ {program} {}", arguments.join(" "));
        let mut command = Command::new(program);
        let command = command.args(arguments).current_dir(&shell.root);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn();
        children.push(child.with_context(|| format!("cannot run {program}"))?);
    }
    let outputs = children.into_iter().map(Child::wait_with_output);
    Ok(outputs.collect::<Result<_, _>>()?)
}

/// Threads stopped at their accesses, and the page of it.
pub(super) fn progress(shell: &Shell, depth: Depth) -> Result<Outcome> {
    // The page is that of `quick`; at every access the classes must be the same.
    match depth {
        Depth::Quick => stopped(shell, &[["--check", PAGE].map(str::to_owned).to_vec()]),
        Depth::Full => {
            let share = |first: u64| {
                let (first, step) = (first.to_string(), PROCESSES.to_string());
                let every = ["--points", "1000000", "--first", &*first, "--step", &*step];
                every.map(str::to_owned).to_vec()
            };
            stopped(shell, &(0..PROCESSES).map(share).collect::<Vec<_>>())
        }
    }
}

/// Renews the page.
pub(super) fn write(shell: &Shell) -> Result<Outcome> {
    stopped(shell, &[["--write", PAGE].map(str::to_owned).to_vec()])
}

/// Makes the shares of the table at the same time.
fn stopped(shell: &Shell, shares: &[Vec<String>]) -> Result<Outcome> {
    let program = built(shell)?;
    let call = |share: &Vec<String>| [&["progress".to_owned()], &share[..]].concat();
    let calls: Vec<_> = shares.iter().map(call).collect();
    let mut sums = [0_u64; 3];
    for output in at_once(shell, &program, &calls)? {
        let said = String::from_utf8_lossy(&output.stdout);
        print!("{said}");
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            return Ok(Outcome::Failed(why.trim().to_owned()));
        }
        for (sum, word) in sums.iter_mut().zip(["rows", "stops", "ended"]) {
            *sum += number(&said, word)?;
        }
    }
    let [rows, stops, ended] = sums;
    Ok(Outcome::Passed(format!(
        "{rows} operations stopped at {stops} accesses, {ended} operations of others ended meanwhile"
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
