//! `asm mutate`: each edit of asm/mutants.toml, made in a copy of the crate, must be found.
//!
//! The copies lie below target/asm/mutants, one after the other in the same folder, so that the compiler
//! builds only what an edit touches. The snapshots play no part: what is weaker or stronger than
//! asked must break the contract, whichever compiler builds it.

use super::build::{CRATE, Place};
use super::variants::Variant;
use super::{chosen, folder, rules, sources};
use crate::mutants::{self, Copy};
use crate::shell::Shell;
use crate::toolchain;
use anyhow::{Context as _, Result, bail, ensure};
use asmguard::{Header, Probes, Rules, Snapshots, Variant as Judged, judge};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const FILE: &str = "asm/mutants.toml";

/// What a copy consists of besides the library.
const PARTS: &[&str] = &["tools/asm-probes/"];

/// One edit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    variant: String,
    file: String,
    find: String,
    replace: String,
    /// The probe that must break its contract, or nobody: then it must not compile.
    probe: Option<String>,
    /// What the contract, or the compiler, must say.
    says: String,
}

/// Makes each edit; 0 when all are found, 1 when one is not.
pub(super) fn run(root: &Path, only: &str) -> Result<u8> {
    let table: Vec<(usize, Mutant)> = mutants::read(root, FILE)?;
    let shell = Shell::new(root);
    let bench = Bench {
        copy: Copy {
            root,
            tree: folder(&shell)?.join("mutants/tree"),
            parts: PARTS,
            members: &["tools/asm-probes"],
        },
        target: folder(&shell)?.join("mutants"),
        rules: rules(root)?,
        sources: sources(root)?,
    };
    let wanted: Vec<_> = table
        .iter()
        .filter(|(_, mutant)| mutant.name.contains(only))
        .collect();
    ensure!(
        !wanted.is_empty(),
        "{FILE}: no mutant is called like `{only}`"
    );
    bench.copy.renew()?;
    let mut sound = BTreeSet::new();
    let mut caught = 0;
    for (line, mutant) in &wanted {
        let place = format!("{FILE}:{line}: {}", mutant.name);
        let variant = chosen(core::slice::from_ref(&mutant.variant)).context(place.clone())?[0];
        if let Err(remedy) = toolchain::target(&shell, variant.target) {
            bail!("{remedy}");
        }
        // An edit that is found in a tree that was broken before shows nothing.
        if sound.insert(variant.name) {
            let problems = bench.problems(variant)?;
            ensure!(
                problems.is_empty(),
                "{}: the contract is broken before any edit: {problems:?}",
                variant.name
            );
        }
        let edit = (&*mutant.file, &*mutant.find, &*mutant.replace);
        let problems = bench.copy.edited(edit, || bench.problems(variant));
        let problems = problems.context(place)?;
        let mut about = problems.iter().filter(|(probe, _)| *probe == mutant.probe);
        let found = about.find(|(_, said)| said.contains(&mutant.says));
        match found {
            Some((_, said)) => {
                caught += 1;
                let line = said.lines().find(|line| line.contains(&mutant.says));
                println!(
                    "caught  {} ({}): {}",
                    mutant.name,
                    variant.name,
                    line.unwrap_or(said).trim()
                );
            }
            None => println!(
                "MISSED  {} ({}): expected `{}`, found {problems:?}",
                mutant.name, variant.name, mutant.says
            ),
        }
    }
    println!("asm mutate: {caught} of {} caught", wanted.len());
    Ok(u8::from(caught != wanted.len()))
}

struct Bench<'a> {
    copy: Copy<'a>,
    target: PathBuf,
    rules: Rules,
    sources: BTreeMap<String, (String, usize)>,
}

impl Bench<'_> {
    /// What is wrong with the copy: by probe, or what the compiler says.
    fn problems(&self, variant: &Variant) -> Result<Vec<(Option<String>, String)>> {
        let place = Place {
            tree: &self.copy.tree,
            target: self.target.join(variant.name),
            variant,
        };
        let listing = match place.emitted(false)? {
            Ok(listing) => listing,
            Err(said) => return Ok(vec![(None, said)]),
        };
        let judged = Judged {
            name: variant.name,
            machine: variant.machine,
            krate: CRATE,
            header: Header::default(),
            pinned: false,
            sources: &self.sources,
        };
        let probes = Probes::find(&judged, &listing)?;
        let group = judge(&judged, &probes, None, &self.rules, &Snapshots::default())?;
        let broken = group.verdicts.into_iter();
        let broken = broken.filter(|verdict| !verdict.contract.is_empty());
        Ok(broken
            .map(|verdict| (Some(verdict.probe), verdict.contract.join("\n")))
            .collect())
    }
}
