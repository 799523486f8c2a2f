//! `asm mutate`: each edit of asm/mutants.toml, made in a copy of the crate, must be found.
//!
//! The copies lie below target/asm/mutants, those of a variant one after the other in the same folder, so that
//! the compiler builds only what an edit touches, and variants beside each other; edits that break different
//! probes of a variant share a build. The snapshots play no part: what is weaker or stronger than asked must break
//! the contract, whichever compiler builds it.

use super::build::{CRATE, Place};
use super::variants::Variant;
use super::{chosen, folder, rules, sources};
use crate::mutants::{self, Copy};
use crate::shell::{Shell, side_by_side};
use crate::toolchain;
use anyhow::{Context as _, Result, bail, ensure};
use asmguard::{Header, Probes, Rules, Snapshots, Variant as Judged, judge};
use serde::Deserialize;
use std::collections::BTreeMap;
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

/// Makes each edit whose name contains `only`, in so many builds of a variant at most; 0 when all are found, 1 when one is not.
pub(super) fn run(root: &Path, only: &str, builds_each: usize) -> Result<u8> {
    let mut table: Vec<(usize, Mutant)> = mutants::read(root, FILE)?;
    table.retain(|(_, mutant)| mutant.name.contains(only));
    ensure!(
        !table.is_empty(),
        "{FILE}: no mutant is called like `{only}`"
    );
    let mut groups: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for round in mutants::rounds(table, Mutant::is_apart_from) {
        let variant = round[0].1.variant.clone();
        groups.entry(variant).or_default().push(round);
    }
    groups
        .values_mut()
        .for_each(|rounds| rounds.truncate(builds_each));
    let builds: usize = groups.values().map(Vec::len).sum();
    let all: usize = groups.values().flatten().map(Vec::len).sum();
    let (rules, sources) = (rules(root)?, sources(root)?);
    let caught = side_by_side(groups.into_iter().collect(), |(name, rounds)| {
        let variant = chosen(core::slice::from_ref(&name)).context(place(&rounds[0]))?[0];
        Bench::new(root, variant, &rules, &sources)?.caught(&rounds)
    })?;
    let caught: usize = caught.into_iter().sum();
    println!("asm mutate: {caught} of {all} caught, in {builds} builds");
    Ok(u8::from(caught != all))
}

/// Where the mutants of a build are written.
fn place(round: &[(usize, Mutant)]) -> String {
    let places = round
        .iter()
        .map(|(line, mutant)| format!("{FILE}:{line}: {}", mutant.name));
    places.collect::<Vec<_>>().join("\n")
}

/// What is wrong with a copy: by probe, or what the compiler says.
type Problems = [(Option<String>, String)];

impl Mutant {
    /// Whether one build shows of both what they break. What does not compile shows nothing of others.
    fn is_apart_from(&self, other: &Self) -> bool {
        self.variant == other.variant
            && self.probe.is_some()
            && other.probe.is_some()
            && self.probe != other.probe
    }

    /// Looks for what it must break, and says what it found.
    fn judge(&self, problems: &Problems) -> bool {
        let (name, variant) = (&self.name, &self.variant);
        let mut about = problems.iter().filter(|(probe, _)| *probe == self.probe);
        let Some((_, said)) = about.find(|(_, said)| said.contains(&self.says)) else {
            let says = &self.says;
            println!("MISSED  {name} ({variant}): expected `{says}`, found {problems:?}");
            return false;
        };
        let line = said.lines().find(|line| line.contains(&self.says));
        let line = line.unwrap_or(said).trim();
        println!("caught  {name} ({variant}): {line}");
        true
    }
}

/// The copy for a variant.
struct Bench<'a> {
    copy: Copy<'a>,
    target: PathBuf,
    variant: &'a Variant,
    rules: &'a Rules,
    sources: &'a BTreeMap<String, (String, usize)>,
}

impl<'a> Bench<'a> {
    /// Makes the copy.
    fn new(
        root: &'a Path,
        variant: &'a Variant,
        rules: &'a Rules,
        sources: &'a BTreeMap<String, (String, usize)>,
    ) -> Result<Self> {
        let shell = Shell::new(root);
        if let Err(remedy) = toolchain::target(&shell, variant.target) {
            bail!("{remedy}");
        }
        let folder = folder(&shell)?.join("mutants");
        let bench = Self {
            copy: Copy {
                root,
                tree: folder.join("trees").join(variant.name),
                parts: PARTS,
                members: &["tools/asm-probes"],
            },
            target: folder.join(variant.name),
            variant,
            rules,
            sources,
        };
        bench.copy.renew()?;
        Ok(bench)
    }

    /// Makes the edits of each round; how many are found.
    fn caught(&self, rounds: &[Vec<(usize, Mutant)>]) -> Result<usize> {
        // An edit that is found in a tree that was broken before shows nothing.
        let problems = self.problems()?;
        ensure!(
            problems.is_empty(),
            "{}: the contract is broken before any edit: {problems:?}",
            self.variant.name
        );
        let mut caught = 0;
        for round in rounds {
            let edits: Vec<_> = round
                .iter()
                .map(|(_, mutant)| (&*mutant.file, &*mutant.find, &*mutant.replace))
                .collect();
            let problems = self
                .copy
                .edited_at_once(&edits, &|| self.problems())
                .with_context(|| place(round))?;
            let is_found = round.iter().map(|(_, mutant)| mutant.judge(&problems));
            caught += is_found.filter(|is_found| *is_found).count();
        }
        Ok(caught)
    }

    /// What is wrong with the copy as it is.
    fn problems(&self) -> Result<Vec<(Option<String>, String)>> {
        let variant = self.variant;
        let place = Place {
            tree: &self.copy.tree,
            target: self.target.clone(),
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
            sources: self.sources,
        };
        let probes = Probes::find(&judged, &listing)?;
        let group = judge(&judged, &probes, None, self.rules, &Snapshots::default())?;
        let broken = group.verdicts.into_iter();
        let broken = broken.filter(|verdict| !verdict.contract.is_empty());
        Ok(broken
            .map(|verdict| (Some(verdict.probe), verdict.contract.join("\n")))
            .collect())
    }
}
