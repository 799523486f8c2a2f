//! `orders`: every strong ordering says what it pairs with, at both ends, and which test kills it.

mod campaign;
mod grammar;
mod instrument;
mod mutate;
mod mutations;
mod programs;
mod records;
mod sites;
mod table;
mod tests_of;

use mutate::mutate;
pub(crate) use mutate::repeat;

use crate::report::Report;
use crate::source::{self, RustFile, is_library};
use anyhow::Result;
use clap::Args;
use mutations::Target;
use records::Records;
use sites::Site;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Args)]
pub(crate) struct Options {
    /// Write docs/ORDERINGS.md instead of comparing with it.
    #[arg(long)]
    write: bool,
    /// Weaken each ordering in turn in a copy, and record which test fails.
    #[arg(long, conflicts_with = "write")]
    mutate: bool,
    /// Weaken only where the name of the site contains this, or its tag is this.
    #[arg(long, requires = "mutate", default_value = "")]
    only: String,
    /// Weaken only what is neither killed nor argued yet.
    #[arg(long, requires = "mutate")]
    new: bool,
    /// Weaken only what is argued: a test may kill it by now.
    #[arg(long, requires = "mutate", conflicts_with = "new")]
    argued: bool,
    /// How many seeds the interpreter tries.
    #[arg(long, requires = "mutate", default_value_t = 8)]
    seeds: u32,
}

/// Runs the command; true when it passes.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    if options.mutate {
        return mutate(root, options);
    }
    gate(root, options.write)
}

/// The check, and how many weakenings are killed and argued; `write` renews docs/ORDERINGS.md.
pub(crate) fn gate(root: &Path, write: bool) -> Result<bool> {
    let passed = check(root, write)?.print("orders");
    if passed {
        println!("orders: {}", Records::read(root)?.counts());
    }
    Ok(passed)
}

/// Whether a file has orderings that this is about: not the facade, and no test.
fn is_judged(file: &RustFile) -> bool {
    !file.test && !file.path.starts_with("src/sync")
}

/// What can be weakened in the library.
fn targets(parsed: &[RustFile], report: &mut Report) -> Vec<Target> {
    let mut targets = Vec::new();
    for file in parsed.iter().filter(|file| is_judged(file)) {
        mutations::find(file, &mut targets, report);
    }
    targets
}

/// Checks the library; `write` renews docs/ORDERINGS.md.
fn check(root: &Path, write: bool) -> Result<Report> {
    let mut report = Report::new("strong orderings");
    let parsed = source::rust(root, &mut report, is_library)?;
    let mut sites = Vec::new();
    for file in parsed.iter().filter(|file| is_judged(file)) {
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
    let targets = targets(&parsed, &mut report);
    let records = Records::read(root)?;
    records.check(&targets, &mut report);
    let contents = table::Contents {
        tags: &tags,
        tests: &tests,
        targets: &targets,
        records: &records,
    };
    contents.check(root, write, &mut report)?;
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
