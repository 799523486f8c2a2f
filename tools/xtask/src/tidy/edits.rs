//! Edits that a check must find name a text that occurs once in their file: tables of them are made in full seldom, and one that no longer fits
//! the source would go unnoticed until then.

use crate::report::Report;
use crate::{mutants, source};
use anyhow::Result;
use serde::Deserialize;
use std::path::Path;

/// What every table says of an edit.
#[derive(Deserialize)]
struct Edit {
    file: String,
    find: String,
}

/// Checks a file, if it is a table of edits.
pub(crate) fn check(root: &Path, path: &str, report: &mut Report) -> Result<()> {
    if path.rsplit('/').next() != Some("mutants.toml") {
        return Ok(());
    }
    for (line, Edit { file, find }) in mutants::read::<Edit>(root, path)? {
        let count = source::read(root, &file).map(|text| text.matches(&find).count());
        match count {
            Ok(1) => {}
            Ok(count) => {
                let said =
                    format!("its text to replace occurs {count} times in {file}, expected once");
                report.add(path, line, said);
            }
            Err(_) => report.add(path, line, format!("{file} cannot be read")),
        }
    }
    Ok(())
}
