//! `orders`: every strong ordering says what it pairs with, at both ends, and which test kills it.

mod grammar;
mod sites;
mod table;
mod tests_of;

use crate::report::Report;
use crate::source::{self, is_library};
use anyhow::Result;
use sites::Site;
use std::collections::BTreeMap;
use std::path::Path;

/// Checks the library; `write` renews docs/ORDERINGS.md.
pub(crate) fn check(root: &Path, write: bool) -> Result<Report> {
    let mut report = Report::new("strong orderings");
    let parsed = source::rust(root, &mut report, is_library)?;
    let mut sites = Vec::new();
    for file in parsed
        .iter()
        .filter(|file| !file.test && !file.path.starts_with("src/sync"))
    {
        sites::collect(file, &mut sites, &mut report);
    }
    let mut tags: BTreeMap<&str, Vec<&Site>> = BTreeMap::new();
    for site in &sites {
        for end in &site.note.ends {
            tags.entry(&end.tag).or_default().push(site);
        }
    }
    for (tag, ends) in &tags {
        pairs(tag, ends, &mut report);
    }
    let tests = tests_of::find(root, &tags.keys().copied().collect::<Vec<_>>(), &mut report)?;
    for (tag, ends) in &tags {
        if !tests.contains_key(*tag) {
            let lower = tag.to_lowercase();
            let message = format!(
                "[{tag}] names no test: neither src/tests/loom/{lower}.rs nor `{tag}` in {}",
                tests_of::FILE
            );
            report.add(&ends[0].path, ends[0].line, message);
        }
    }
    table::check(root, &tags, &tests, write, &mut report)?;
    Ok(report)
}

/// A tag has a release end and an acquire end, and each end finds the function that it names.
fn pairs(tag: &str, ends: &[&Site], report: &mut Report) {
    let first = ends[0];
    if ends.len() < 2 {
        report.add(&first.path, first.line, format!("[{tag}] has one end only"));
        return;
    }
    if !ends.iter().any(|site| site.releases()) {
        report.add(
            &first.path,
            first.line,
            format!("[{tag}] has no release end"),
        );
    }
    if !ends.iter().any(|site| site.acquires()) {
        report.add(
            &first.path,
            first.line,
            format!("[{tag}] has no acquire end"),
        );
    }
    for (index, site) in ends.iter().enumerate() {
        for end in site.note.ends.iter().filter(|end| end.tag == tag) {
            // An exchange that is both ends may meet itself, run by another thread.
            let alone = !(site.releases() && site.acquires());
            let partners = ends
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index || !alone);
            let met = partners
                .map(|(_, other)| other)
                .any(|other| other.is_in(&end.function));
            if !met {
                let message = format!("[{tag}] has no other end in a function `{}`", end.function);
                report.add(&site.path, site.line, message);
            }
        }
    }
}
