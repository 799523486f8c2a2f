//! Edits that a check must find: read from a table, made one at a time in a copy of the crate.
//!
//! A copy lies in the same folder each time and a file that is as it was keeps its time, so that the
//! compiler builds only what an edit touches.

use anyhow::{Context as _, Result, anyhow, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table<M> {
    mutant: Vec<Spanned<M>>,
}

/// The edits of a table, each with its line in the file.
pub(crate) fn read<M: DeserializeOwned>(root: &Path, file: &str) -> Result<Vec<(usize, M)>> {
    let text = crate::source::read(root, file)?;
    let line = |offset: usize| 1 + text[..offset].matches('\n').count();
    let table: Table<M> = toml::from_str(&text).map_err(|error| {
        let line = line(error.span().map_or(0, |span| span.start));
        anyhow!("{file}:{line}: {}", error.message())
    })?;
    let mutants = table.mutant.into_iter();
    Ok(mutants
        .map(|mutant| (line(mutant.span().start), mutant.into_inner()))
        .collect())
}

/// Edits that are made at once, for one build: in the order of the table, each beside those from which it can be
/// told apart.
pub(crate) fn rounds<M>(
    wanted: Vec<(usize, M)>,
    are_apart: impl Fn(&M, &M) -> bool,
) -> Vec<Vec<(usize, M)>> {
    let mut rounds: Vec<Vec<(usize, M)>> = Vec::new();
    for (line, mutant) in wanted {
        let takes =
            |round: &&mut Vec<(usize, M)>| round.iter().all(|(_, other)| are_apart(&mutant, other));
        match rounds.iter_mut().find(takes) {
            Some(round) => round.push((line, mutant)),
            None => rounds.push(vec![(line, mutant)]),
        }
    }
    rounds
}

/// A build of `package` in a copy, by these words of cargo's: members are optimised less, for an edit is compiled for
/// longer than it runs. What they depend on is as elsewhere, and built once.
pub(crate) fn build(words: &[&str], package: &str) -> Vec<String> {
    let members = ["atomshard", "baselines", "schedule", package];
    let setting = |member| format!("--config=profile.release.package.{member}.opt-level=1");
    let words = words.iter().map(|word| (*word).to_owned());
    words.chain(members.map(setting)).collect()
}

/// The library, and what cargo wants to see of its development.
const LIBRARY: &[&str] = &[
    "src/",
    "benches/baselines/",
    "tools/evidence/",
    "tools/schedule/",
    "rust-toolchain.toml",
];

/// A copy of parts of the crate, with few members.
pub(crate) struct Copy<'a> {
    pub(crate) root: &'a Path,
    pub(crate) tree: PathBuf,
    /// What it consists of, besides the library and what its manifest names.
    pub(crate) parts: &'a [&'a str],
    /// The members of its workspace.
    pub(crate) members: &'a [&'a str],
}

impl Copy<'_> {
    /// Makes the copy anew.
    pub(crate) fn renew(&self) -> Result<()> {
        self.renew_with(|_, text| text)
    }

    /// Makes the copy anew, with each file as `change` makes it of its path and text.
    pub(crate) fn renew_with(&self, change: impl Fn(&str, String) -> String) -> Result<()> {
        let mut wanted = BTreeMap::new();
        for path in crate::source::files(self.root)? {
            if LIBRARY
                .iter()
                .chain(self.parts)
                .any(|part| path.starts_with(part))
            {
                let text = crate::source::read(self.root, &path)?;
                let text = change(&path, text);
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

    /// The manifest with other members.
    fn manifest(&self) -> Result<String> {
        let mut table: toml::Table = crate::source::read(self.root, "Cargo.toml")?.parse()?;
        let workspace = table
            .get_mut("workspace")
            .and_then(toml::Value::as_table_mut);
        let workspace = workspace.context("Cargo.toml has no [workspace]")?;
        let members: Vec<String> = self.members.iter().map(|name| (*name).to_owned()).collect();
        for key in ["members", "default-members"] {
            workspace.insert(key.into(), members.clone().into());
        }
        Ok(toml::to_string(&table)?)
    }

    /// As [`edited`](Self::edited), with several edits at once.
    pub(crate) fn edited_at_once<R>(
        &self,
        edits: &[(&str, &str, &str)],
        look: &dyn Fn() -> Result<R>,
    ) -> Result<R> {
        match edits {
            [] => look(),
            [edit, others @ ..] => self.edited(*edit, || self.edited_at_once(others, look)),
        }
    }

    /// Replaces `find` in a file, calls `look`, and puts the file back.
    pub(crate) fn edited<R>(
        &self,
        (file, find, replace): (&str, &str, &str),
        look: impl FnOnce() -> Result<R>,
    ) -> Result<R> {
        let path = self.tree.join(file);
        let original =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {file}"))?;
        let count = original.matches(find).count();
        ensure!(
            count == 1,
            "the text to replace occurs {count} times in {file}, expected once"
        );
        std::fs::write(&path, original.replace(find, replace))?;
        let seen = look();
        std::fs::write(&path, original)?;
        seen
    }
}
