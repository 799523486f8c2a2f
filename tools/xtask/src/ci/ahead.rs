//! `ci --ahead`: what later steps build in folders of their own, so that nobody waits for it.
//!
//! To be run beside the first steps, with `nice`: the tests of a workspace keep one processor busy for minutes and
//! the other one idle. A step that comes before its build is complete waits for it; each step builds by itself what is
//! not there, and says what does not compile, so nothing depends on this.

use crate::shell::{Outcome, Shell};
use crate::{aarch64, evidence, toolchain};
use anyhow::Result;

/// Builds, the longest first; whether all was built.
pub(super) fn run(shell: &Shell) -> Result<bool> {
    // Nothing is installed for the system here: another step may be at it.
    let shell = &Shell {
        root: shell.root.clone(),
        strict: false,
    };
    let mut lines = Vec::new();
    if aarch64::ready(shell).is_ok() {
        lines.push(aarch64::build(shell)?);
    }
    lines.extend(evidence::builds(shell)?);
    let mut all = true;
    for line in lines {
        all &= matches!(line.run()?, Outcome::Passed(_));
    }
    Ok(all & toolchain::show_asm(shell, true).is_ok())
}
