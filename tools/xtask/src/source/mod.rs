//! Reading the tree: which files there are, and Rust files with their comments.

mod cfg;
mod walk;

pub(crate) use cfg::{needs_test, sets, tokens_of_cfg};
pub(crate) use walk::{Place, Sink, walk};

use crate::report::Report;
use anyhow::{Context as _, Result};
use std::collections::BTreeSet;
use std::path::Path;

/// The folder of broken samples; no check of the real tree looks inside.
pub(crate) const FIXTURES: &str = "tools/xtask/tests/fixtures";

/// A parsed Rust file.
pub(crate) struct RustFile {
    /// Path from the root, with `/`.
    pub(crate) path: String,
    pub(crate) lines: Vec<String>,
    pub(crate) ast: syn::File,
    /// True when the whole file is compiled for tests only.
    pub(crate) test: bool,
}

/// Every file under the root that git would not ignore, sorted, as paths from the root.
pub(crate) fn files(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let walker = ignore::WalkBuilder::new(root)
        .hidden(false)
        .parents(false)
        .require_git(false)
        .filter_entry(|entry| entry.file_name() != ".git" && entry.file_name() != "target")
        .build();
    for entry in walker {
        let entry = entry?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            let path = slashed(entry.path().strip_prefix(root)?);
            if !path.starts_with(FIXTURES) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The path with `/` between its parts on every system.
fn slashed(path: &Path) -> String {
    path.iter()
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

/// Reads a file as text; bytes that are not UTF-8 are replaced.
pub(crate) fn read(root: &Path, path: &str) -> Result<String> {
    let bytes = std::fs::read(root.join(path)).with_context(|| format!("cannot read {path}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Parses the Rust files for which `wanted` says yes. A file that does not parse is a finding.
pub(crate) fn rust(
    root: &Path,
    report: &mut Report,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<RustFile>> {
    let mut parsed = Vec::new();
    for path in files(root)? {
        if !path.ends_with(".rs") || !wanted(&path) {
            continue;
        }
        let text = read(root, &path)?;
        match syn::parse_file(&text) {
            Ok(ast) => {
                let lines = text.lines().map(str::to_owned).collect();
                parsed.push(RustFile {
                    path,
                    lines,
                    ast,
                    test: false,
                });
            }
            Err(error) => {
                report.add(
                    &path,
                    error.span().start().line,
                    format!("does not parse: {error}"),
                );
            }
        }
    }
    mark_tests(&mut parsed);
    Ok(parsed)
}

/// The files of the library itself.
pub(crate) fn is_library(path: &str) -> bool {
    path.starts_with("src/")
}

/// Marks the files that a `#[cfg(test)] mod name;` somewhere brings in, and all below them.
fn mark_tests(parsed: &mut [RustFile]) {
    let mut stems = BTreeSet::new();
    for file in parsed.iter() {
        let folder = module_folder(&file.path);
        for item in &file.ast.items {
            let syn::Item::Mod(module) = item else {
                continue;
            };
            if module.content.is_none() && module.attrs.iter().any(needs_test) {
                stems.insert(format!("{folder}/{}", module.ident));
            }
        }
    }
    for file in parsed.iter_mut() {
        let outside = ["tests/", "benches/"]
            .iter()
            .any(|top| file.path.starts_with(top))
            || file.path.contains("/tests/") && file.path.starts_with("tools/");
        let below = stems.iter().any(|stem| {
            let rest = file.path.strip_prefix(stem.as_str());
            rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
        file.test = outside || below || file.ast.attrs.iter().any(needs_test);
    }
}

/// The folder in which the child modules of this file lie.
fn module_folder(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
        _ => path.trim_end_matches(".rs").to_owned(),
    }
}

/// The module path of a library file: `src/a/b/mod.rs` is `[a, b]`, `src/lib.rs` is `[]`.
pub(crate) fn module_path(path: &str) -> Vec<String> {
    let folder = module_folder(path);
    folder.split('/').skip(1).map(str::to_owned).collect()
}

impl RustFile {
    /// The text of the plain comment (not a doc comment) on this line alone, if it is one.
    fn comment(&self, line: usize) -> Option<&str> {
        let text = self.lines.get(line.checked_sub(1)?)?.trim_start();
        let text = text.strip_prefix("//")?;
        let doc = text.starts_with('!') || text.starts_with('/') && !text.starts_with("//");
        (!doc).then_some(text.trim())
    }

    /// The block of comment lines directly above a line, attributes between them skipped.
    fn block_above(&self, line: usize) -> Vec<(usize, String)> {
        let mut block = Vec::new();
        for above in (1..line).rev() {
            if let Some(text) = self.comment(above) {
                block.push((above, text.to_owned()));
            } else if !self.lines[above - 1].trim_start().starts_with("#[") {
                break;
            }
        }
        block.reverse();
        block
    }

    /// The comments that speak about a site: above its statement, its call, its own line, and
    /// behind it on the same line.
    pub(crate) fn comments(&self, place: &Place) -> Vec<Vec<(usize, String)>> {
        let anchors: BTreeSet<usize> = [place.statement, place.call, place.line].into();
        let mut blocks: Vec<_> = anchors.iter().map(|&line| self.block_above(line)).collect();
        if let Some(text) = self.lines.get(place.line - 1)
            && let Some(at) = text.find("// ")
        {
            blocks.push(vec![(place.line, text[at + 3..].trim().to_owned())]);
        }
        blocks.retain(|block| !block.is_empty());
        blocks
    }

    /// All blocks of plain comment lines of the file.
    pub(crate) fn comment_blocks(&self) -> Vec<Vec<(usize, String)>> {
        let mut blocks: Vec<Vec<(usize, String)>> = Vec::new();
        for line in 1..=self.lines.len() {
            let Some(text) = self.comment(line) else {
                continue;
            };
            match blocks.last_mut() {
                Some(block) if block.last().is_some_and(|last| last.0 + 1 == line) => {
                    block.push((line, text.to_owned()));
                }
                _ => blocks.push(vec![(line, text.to_owned())]),
            }
        }
        blocks
    }

    /// The lines of the module header (`//!`), without the marker.
    pub(crate) fn header(&self) -> impl Iterator<Item = &str> {
        self.lines
            .iter()
            .filter_map(|line| line.trim_start().strip_prefix("//!").map(str::trim))
    }
}
