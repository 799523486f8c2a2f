//! What fails around the map: the allocator, threads, a fork, a signal in the middle of anything.

use super::Depth;
use crate::shell::{Outcome, Shell};
use crate::source;
use anyhow::Result;

pub(super) fn run(shell: &Shell, depth: Depth) -> Result<Outcome> {
    let mut arguments = vec!["test", "--package", "atomshard"];
    if depth == Depth::Full {
        // Other timing, other inlining: a handler meets the thread elsewhere.
        arguments.push("--release");
    }
    let files = source::files(&shell.root)?;
    let names = files.iter().filter_map(|path| {
        let name = path.strip_prefix("tests/")?.strip_suffix(".rs")?;
        name.starts_with("faults_").then_some(name)
    });
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        // Without a name cargo would run all tests.
        return Ok(Outcome::Failed("there is no tests/faults_*.rs".to_owned()));
    }
    arguments.extend(names.iter().flat_map(|name| ["--test", name]));
    shell.cargo(&arguments).run_tests()
}
