//! `tidy`: the rules that need no understanding of the code.

mod atomics;
mod edits;
mod links;
mod split;
mod text;

use crate::report::Report;
use crate::{map, source};
use anyhow::Result;
use std::path::Path;

/// Checks every text file of the repository.
pub(crate) fn check(root: &Path) -> Result<Report> {
    let mut report = Report::new("files");
    let files = source::files(root)?;
    for path in files.iter().filter(|path| is_text(root, path)) {
        report.examine();
        let content = source::read(root, path)?;
        text::check(path, &content, &mut report);
        links::check(root, path, &content, &mut report);
        edits::check(root, path, &mut report)?;
    }
    let library = source::rust(root, &mut report, source::is_library)?;
    for file in &library {
        atomics::check(file, &mut report);
    }
    split::check(&library, &mut report);
    let all = source::rust(root, &mut report, |_| true)?;
    for file in &all {
        text::safety_words(file, &mut report);
    }
    report.merge(map::check(root, false)?);
    Ok(report)
}

/// Text that people write and read: by ending, or a script by its first line.
fn is_text(root: &Path, path: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "rs", "md", "toml", "yml", "yaml", "sh", "py", "js", "css", "html", "s",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => ENDINGS.contains(&ending),
        _ => std::fs::read(root.join(path)).is_ok_and(|bytes| bytes.starts_with(b"#!")),
    }
}
