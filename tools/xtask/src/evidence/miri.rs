//! The interpreter: every access checked for undefined behaviour and data races.

use super::Depth;
use crate::shell::{Outcome, Shell};
use crate::{source, toolchain};
use anyhow::Result;
use std::collections::BTreeSet;

pub(super) fn run(shell: &Shell, _depth: Depth) -> Result<Outcome> {
    if let Err(remedy) = toolchain::miri(shell) {
        return Ok(shell.missing(&remedy));
    }
    // Only the test files with such tests: others may have an allocator that Miri cannot run.
    let files = interpreted(shell)?;
    let mut arguments = vec![
        "+nightly",
        "miri",
        "test",
        "--package",
        "atomshard",
        "--lib",
    ];
    for name in &files {
        arguments.extend(["--test", name]);
    }
    arguments.push("miri_");
    let line = shell
        .cargo(&arguments)
        .default_env("MIRIFLAGS", "-Zmiri-strict-provenance");
    line.env("CARGO_TARGET_DIR", &shell.target("miri"))
        .run_tests()
}

/// The files below tests/ that hold a test whose name begins with `miri_`; a test in a folder
/// `name/` belongs to the file `name.rs`.
fn interpreted(shell: &Shell) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for path in source::files(&shell.root)? {
        let Some(rest) = path
            .strip_prefix("tests/")
            .filter(|rest| rest.ends_with(".rs"))
        else {
            continue;
        };
        let name = rest
            .split('/')
            .next()
            .unwrap_or(rest)
            .trim_end_matches(".rs");
        let target = shell.root.join(format!("tests/{name}.rs")).exists();
        if target && source::read(&shell.root, &path)?.contains("fn miri_") {
            names.insert(name.to_owned());
        }
    }
    Ok(names)
}
