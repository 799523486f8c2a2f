//! The models: one file for each tag of a pair of orderings.

use super::Depth;
use crate::shell::{LOOM, Outcome, Shell};
use anyhow::Result;

pub(super) fn run(shell: &Shell, depth: Depth) -> Result<Outcome> {
    let preemptions = match depth {
        Depth::Quick => "2",
        Depth::Full => "3",
    };
    let arguments = ["test", "--release", "--package", "atomshard", "--lib"];
    let line = shell.flagged(&arguments, LOOM, "loom")?;
    line.default_env("LOOM_MAX_PREEMPTIONS", preemptions)
        .run_tests()
}
