//! `asm mutate`: each edit of asm/mutants.toml, made in a copy of the crate, must be found.
//!
//! The copies lie below target/asm/mutants, one after the other in the same folder, so that the compiler
//! builds only what an edit touches. The snapshots play no part: what is weaker or stronger than
//! asked must break the contract, whichever compiler builds it.

use super::build::{CRATE, Place};
use super::variants::Variant;
use super::{chosen, folder, rules, sources};
use crate::shell::Shell;
use crate::toolchain;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use asmguard::{Header, Probes, Rules, Snapshots, Variant as Judged, judge};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use toml::Spanned;

const FILE: &str = "asm/mutants.toml";

/// What a copy consists of.
const PARTS: &[&str] = &[
    "src/",
    "tools/asm-probes/",
    "Cargo.lock",
    "rust-toolchain.toml",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    mutant: Vec<Spanned<Mutant>>,
}

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
    let text = crate::source::read(root, FILE)?;
    let line = |offset: usize| 1 + text[..offset].matches('\n').count();
    let table: Table = toml::from_str(&text).map_err(|error| {
        let line = line(error.span().map_or(0, |span| span.start));
        anyhow!("{FILE}:{line}: {}", error.message())
    })?;
    let shell = Shell::new(root);
    let bench = Bench {
        root,
        tree: folder(&shell)?.join("mutants/tree"),
        target: folder(&shell)?.join("mutants"),
        rules: rules(root)?,
        sources: sources(root)?,
    };
    let wanted: Vec<_> = table
        .mutant
        .iter()
        .filter(|mutant| mutant.get_ref().name.contains(only))
        .collect();
    ensure!(
        !wanted.is_empty(),
        "{FILE}: no mutant is called like `{only}`"
    );
    bench.copy()?;
    let mut sound = BTreeSet::new();
    let mut caught = 0;
    for mutant in &wanted {
        let place = format!("{FILE}:{}", line(mutant.span().start));
        let mutant = mutant.get_ref();
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
        let original = bench.edit(mutant).context(place)?;
        let problems = bench.problems(variant);
        std::fs::write(bench.tree.join(&mutant.file), original)?;
        let problems = problems?;
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
    root: &'a Path,
    tree: PathBuf,
    target: PathBuf,
    rules: Rules,
    sources: BTreeMap<String, (String, usize)>,
}

impl Bench<'_> {
    /// Makes the copy anew; a file that is as it was stays, with its time, so that it is not compiled
    /// again.
    fn copy(&self) -> Result<()> {
        let mut wanted = BTreeMap::new();
        for path in crate::source::files(self.root)? {
            if PARTS.iter().any(|part| path.starts_with(part)) {
                let text = crate::source::read(self.root, &path)?;
                wanted.insert(path, text);
            }
        }
        let lock = std::fs::read_to_string(self.root.join("Cargo.lock"))?;
        wanted.insert("Cargo.lock".into(), lock);
        wanted.insert("Cargo.toml".into(), self.manifest()?);
        if self.tree.exists() {
            for path in crate::source::files(&self.tree)? {
                if !wanted.contains_key(&path) {
                    std::fs::remove_file(self.tree.join(path))?;
                }
            }
        }
        for (path, text) in wanted {
            let to = self.tree.join(&path);
            if std::fs::read_to_string(&to).is_ok_and(|present| present == text) {
                continue;
            }
            let folder = to.parent().context("a file lies in a folder")?;
            std::fs::create_dir_all(folder)?;
            std::fs::write(&to, text).with_context(|| format!("cannot write {}", to.display()))?;
        }
        Ok(())
    }

    /// The manifest with the probes as the only other member.
    fn manifest(&self) -> Result<String> {
        let mut table: toml::Table = crate::source::read(self.root, "Cargo.toml")?.parse()?;
        let workspace = table
            .get_mut("workspace")
            .and_then(toml::Value::as_table_mut);
        let workspace = workspace.context("Cargo.toml has no [workspace]")?;
        for key in ["members", "default-members"] {
            workspace.insert(key.into(), vec!["tools/asm-probes".to_owned()].into());
        }
        Ok(toml::to_string(&table)?)
    }

    /// Makes one edit and returns what the file was.
    fn edit(&self, mutant: &Mutant) -> Result<String> {
        let path = self.tree.join(&mutant.file);
        let original = std::fs::read_to_string(&path)
            .with_context(|| format!("{}: cannot read {}", mutant.name, mutant.file))?;
        let count = original.matches(&mutant.find).count();
        ensure!(
            count == 1,
            "{}: the text to replace occurs {count} times in {}, expected once",
            mutant.name,
            mutant.file
        );
        std::fs::write(&path, original.replace(&mutant.find, &mutant.replace))?;
        Ok(original)
    }

    /// What is wrong with the copy: by probe, or what the compiler says.
    fn problems(&self, variant: &Variant) -> Result<Vec<(Option<String>, String)>> {
        let place = Place {
            tree: &self.tree,
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
