//! `coherence mutate`: each edit of benches/coherence/mutants.toml, made in a copy, must turn the check red.

use super::{BUILD, built};
use crate::mutants::{self, Copy};
use crate::shell::{Shell, TRACED};
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const FILE: &str = "benches/coherence/mutants.toml";

/// Where the copy is, and what is built of it.
const FOLDER: &str = "coherence-mutants";

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

/// Makes each edit whose name contains `only`, in so many builds at most; 0 when all are found, 1 when one is not.
pub(super) fn run(root: &Path, only: &str, builds: usize) -> Result<u8> {
    let shell = Shell::new(root);
    let target = shell.target(FOLDER);
    let copy = Copy {
        root,
        tree: Path::new(&target).join("tree"),
        parts: PARTS,
        members: &["benches/baselines", "tools/coherence"],
    };
    let mut wanted: Vec<(usize, Mutant)> = mutants::read(root, FILE)?;
    wanted.retain(|(_, mutant)| mutant.name.contains(only));
    ensure!(
        !wanted.is_empty(),
        "{FILE}: no mutant is called like `{only}`"
    );
    // Each is judged by the account of its structure.
    let mut rounds = mutants::rounds(wanted, |one, other| one.structure != other.structure);
    rounds.truncate(builds);
    copy.renew()?;
    let judge = |structure: &str| -> Result<(Option<i32>, String)> {
        let build = mutants::build(&BUILD, "coherence");
        let build: Vec<&str> = build.iter().map(String::as_str).collect();
        let line = shell.flagged(&build, TRACED, FOLDER)?;
        let program = built(line.within(&copy.tree), &target)?;
        let mut line = Command::new(program);
        let line = line.args(["diff", structure]).current_dir(&copy.tree);
        let out = line.output()?;
        Ok((out.status.code(), String::from_utf8(out.stdout)?))
    };
    let wanted = || rounds.iter().flatten().map(|(_, mutant)| mutant);
    let structures: BTreeSet<_> = wanted().map(|mutant| &*mutant.structure).collect();
    for structure in structures {
        let (code, said) = judge(structure)?;
        ensure!(code == Some(0), "the check is red before any edit:\n{said}");
    }
    let (mut caught, all) = (0, wanted().count());
    for round in &rounds {
        let edits: Vec<_> = round
            .iter()
            .map(|(_, mutant)| (&*mutant.file, &*mutant.find, &*mutant.replace))
            .collect();
        let judge_all = || -> Result<Vec<_>> {
            let said = round.iter().map(|(_, mutant)| judge(&mutant.structure));
            said.collect()
        };
        let lines: Vec<String> = round.iter().map(|(line, _)| line.to_string()).collect();
        let verdicts = copy
            .edited_at_once(&edits, &judge_all)
            .with_context(|| format!("{FILE}: the mutants of lines {}", lines.join(", ")))?;
        for ((_, mutant), (code, said)) in round.iter().zip(verdicts) {
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
    }
    println!(
        "coherence mutate: {caught} of {all} caught, in {} builds",
        rounds.len()
    );
    Ok(u8::from(caught != all))
}
