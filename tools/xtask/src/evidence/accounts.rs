//! The accounts of long runs: the tool `evidence`, in the build that ships.

use super::Depth;
use super::schedules::number;
use crate::shell::{Outcome, Shell};
use anyhow::Result;
use std::time::{SystemTime, UNIX_EPOCH};

/// Runs the tool from a seed that is new each time.
pub(super) fn run(shell: &Shell, depth: Depth) -> Result<Outcome> {
    let operations = match depth {
        Depth::Quick => "2000000",
        Depth::Full => "100000000",
    };
    let seed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let build = ["run", "--release", "--quiet", "--package", "evidence"];
    let command = ["--features", "cli", "--", "accounts", "--operations"];
    let arguments = [operations, "--seed", &*seed.to_string()];
    let line = shell.cargo(&[&build[..], &command, &arguments].concat());
    let text = line.to_string();
    let (success, said) = line.run_seen()?;
    if !success {
        return Ok(Outcome::Failed(format!("`{text}`")));
    }
    let [operations, objects, small, large] =
        ["operations", "objects", "small", "large"].map(|word| number(&said, word));
    Ok(Outcome::Passed(format!(
        "{} operations of 2 threads, {} keys and values made and dropped; at most {} KiB waiting in all, \
         and {} KiB of 1 KiB values",
        operations?, objects?, small?, large?
    )))
}
