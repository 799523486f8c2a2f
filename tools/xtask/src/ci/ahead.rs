//! `ci --ahead`: what later steps build in folders of their own, so that nobody waits for it, and some of these steps.
//!
//! To be run beside the others, with `nice`: the tests of a workspace keep one processor busy for minutes and
//! the other one idle. A step that comes before its build is complete waits for it; each step builds by itself what is
//! not there, and says what does not compile, so nothing depends on this.

use super::beside;
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
    let has_aarch64 = aarch64::ready(shell).is_ok();
    if has_aarch64 {
        lines.push(aarch64::cargo(shell, "", &["--no-run"]));
    }
    lines.extend(evidence::builds(shell)?);
    let mut all = true;
    for line in lines {
        all &= matches!(line.run()?, Outcome::Passed(_));
    }
    let has_show_asm = toolchain::show_asm(shell, true).is_ok();
    if let Some(folder) = beside::folder() {
        beside::work(shell, &folder, |step| match step {
            "aarch64" => has_aarch64,
            "asm" | "mutants" => has_aarch64 && has_show_asm,
            _ => true,
        })?;
    }
    Ok(all & has_show_asm)
}
