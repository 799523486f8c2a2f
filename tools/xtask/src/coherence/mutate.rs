//! `coherence mutate`: each edit of benches/coherence/mutants.toml, made in a copy, must turn the check red.

use super::traced;
use crate::mutants::{self, Copy};
use crate::shell::Shell;
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;

const FILE: &str = "benches/coherence/mutants.toml";

/// What a copy consists of besides the library.
const PARTS: &[&str] = &[
    "benches/",
    "tools/coherence/",
    "docs/coherence.md",
    "README.md",
];

/// One edit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    file: String,
    find: String,
    replace: String,
    /// The structure whose account must be worse.
    structure: String,
    /// What the check must say.
    says: String,
}

/// Makes each edit whose name contains `only`; 0 when all are found, 1 when one is not.
pub(super) fn run(root: &Path, only: &str) -> Result<u8> {
    let shell = Shell::new(root);
    let folder = PathBuf::from(shell.target("coherence-mutants"));
    let copy = Copy {
        root,
        tree: folder.join("tree"),
        parts: PARTS,
        members: &["benches/baselines", "tools/coherence"],
    };
    let mut wanted: Vec<(usize, Mutant)> = mutants::read(root, FILE)?;
    wanted.retain(|(_, mutant)| mutant.name.contains(only));
    ensure!(
        !wanted.is_empty(),
        "{FILE}: no mutant is called like `{only}`"
    );
    copy.renew()?;
    let judge = |structure: &str| -> Result<(Option<i32>, String)> {
        let program = traced(&shell, &copy.tree, &folder)?;
        let mut line = Command::new(program);
        let line = line.args(["diff", structure]).current_dir(&copy.tree);
        let out = line.output()?;
        Ok((out.status.code(), String::from_utf8(out.stdout)?))
    };
    let (code, said) = judge("")?;
    ensure!(code == Some(0), "the check is red before any edit:\n{said}");
    let mut caught = 0;
    for (line, mutant) in &wanted {
        let edit = (&*mutant.file, &*mutant.find, &*mutant.replace);
        let (code, said) = copy
            .edited(edit, || judge(&mutant.structure))
            .with_context(|| format!("{FILE}:{line}: {}", mutant.name))?;
        let found = said.lines().find(|line| line.contains(&mutant.says));
        match found {
            Some(found) if code == Some(1) => {
                caught += 1;
                println!("caught  {}: {found}", mutant.name);
            }
            _ => println!(
                "MISSED  {}: expected `{}`, the check said ({code:?})\n{said}",
                mutant.name, mutant.says
            ),
        }
    }
    println!("coherence mutate: {caught} of {} caught", wanted.len());
    Ok(u8::from(caught != wanted.len()))
}
