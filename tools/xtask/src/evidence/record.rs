//! The record of a run: a block of docs/evidence.md, which each recorded run renews for the checks that it ran.
//!
//! A row names its commit, so that a check of hours need not run with the others. Rows made by another
//! toolchain or on another machine are not comparable and go.

use super::Depth;
use crate::shell::{Outcome, Shell};
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;
use std::fs;

/// The page.
const PAGE: &str = "docs/evidence.md";
const BEGIN: &str =
    "<!-- written by `cargo xtask evidence [quick|full] --record`; do not edit -->\n";
const END: &str = "<!-- end of the record -->\n";
const HEAD: &str =
    "\n| check | depth | result | seconds | commit | date |\n|---|---|---|---|---|---|\n";

/// What a check did.
pub(super) struct Row<'a> {
    pub(super) check: &'a str,
    pub(super) seconds: f64,
    pub(super) outcome: &'a Outcome,
}

/// What a record is comparable by, and what it is of.
pub(super) struct Origin {
    /// Toolchains and machine.
    place: String,
    commit: String,
    date: String,
}

impl Origin {
    /// Where and of what a run is that begins now. A record names a commit, so there must be no changes.
    pub(super) fn now(shell: &Shell) -> Result<Self> {
        let said = |program: &str, arguments: &[&str]| {
            let said = shell.program(program, arguments).output();
            let said =
                said.with_context(|| format!("`{program} {}` failed", arguments.join(" ")))?;
            anyhow::Ok(said.trim().to_owned())
        };
        let others = format!(":!{PAGE}");
        let changed = said("git", &["status", "--porcelain", "--", ".", &others])?;
        ensure!(
            changed.is_empty(),
            "a record names a commit, and these differ from it:\n{changed}"
        );
        let nightly = said("rustc", &["+nightly", "--version"]);
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = cpus
            .lines()
            .find_map(|line| line.strip_prefix("model name"));
        let cpu = cpu.map_or("an unnamed processor", |rest| {
            rest.trim_start_matches(['\t', ' ', ':'])
        });
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            place: format!(
                "By {} and {} (sanitizers, Miri, fuzzing), on {count} processors of {cpu}.",
                said("rustc", &["--version"])?,
                nightly.unwrap_or_else(|_| "no nightly".to_owned()),
            ),
            commit: said("git", &["rev-parse", "--short=7", "HEAD"])?,
            date: said("date", &["+%Y-%m-%d"])?,
        })
    }
}

/// Renews the rows of these checks in the page; `order` names all checks.
pub(super) fn write(
    shell: &Shell,
    origin: &Origin,
    depth: Depth,
    rows: &[Row<'_>],
    order: &[&str],
) -> Result<()> {
    let path = shell.root.join(PAGE);
    let page = fs::read_to_string(&path).with_context(|| format!("cannot read {PAGE}"))?;
    let page = renewed(&page, origin, depth, rows, order)?;
    fs::write(path, page).with_context(|| format!("cannot write {PAGE}"))
}

fn renewed(
    page: &str,
    origin: &Origin,
    depth: Depth,
    rows: &[Row<'_>],
    order: &[&str],
) -> Result<String> {
    let (before, block, after) = split(page)?;
    let mut lines = if block.starts_with(&origin.place) {
        by_check(block)
    } else {
        BTreeMap::new()
    };
    for row in rows {
        let depth = format!("{depth:?}").to_lowercase();
        // What follows the first line is where a failure was met.
        let outcome = row.outcome.to_string();
        let outcome = outcome.lines().next().unwrap_or_default();
        let outcome = outcome.replace('|', r"\|");
        let line = format!(
            "| {} | {depth} | {outcome} | {:.0} | {} | {} |\n",
            row.check, row.seconds, origin.commit, origin.date
        );
        lines.insert(row.check.to_owned(), line);
    }
    let lines: String = order
        .iter()
        .filter_map(|check| lines.remove(*check))
        .collect();
    Ok(format!(
        "{before}{BEGIN}{}\n{HEAD}{lines}{END}{after}",
        origin.place
    ))
}

/// What stands before the record, in it, and behind.
fn split(page: &str) -> Result<(&str, &str, &str)> {
    let marks = || {
        format!(
            "{PAGE} needs a line `{}` and below it `{}`",
            BEGIN.trim(),
            END.trim()
        )
    };
    let (before, rest) = page.split_once(BEGIN).with_context(marks)?;
    let (block, after) = rest.split_once(END).with_context(marks)?;
    Ok((before, block, after))
}

/// The rows of a record by their check.
fn by_check(block: &str) -> BTreeMap<String, String> {
    let rows = block.lines().filter(|line| line.starts_with("| "));
    let named = rows.filter_map(|line| {
        let name = line.split('|').nth(1)?.trim();
        Some((name.to_owned(), format!("{line}\n")))
    });
    named.filter(|(name, _)| name != "check").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: [&str; 2] = ["first", "second"];

    fn origin(place: &str, commit: &str) -> Origin {
        Origin {
            place: place.to_owned(),
            commit: commit.to_owned(),
            date: "2026-01-02".to_owned(),
        }
    }

    fn record(page: &str, origin: &Origin, check: &str) -> String {
        let outcome = Outcome::Passed("7 | 8\nwhere".to_owned());
        let row = Row {
            check,
            seconds: 2.4,
            outcome: &outcome,
        };
        renewed(page, origin, Depth::Full, &[row], &ORDER).expect("the page has its marks")
    }

    #[test]
    fn rows_stay_until_their_check_runs_again_or_the_place_changes() {
        let page = format!("above\n{BEGIN}{END}below\n");
        let page = record(&page, &origin("Here.", "aaa"), "second");
        let page = record(&page, &origin("Here.", "bbb"), "first");
        let row = |check, commit| {
            format!("| {check} | full | passed: 7 \\| 8 | 2 | {commit} | 2026-01-02 |\n")
        };
        let both = row("first", "bbb") + &row("second", "aaa");
        let block = |place, rows: &str| format!("above\n{BEGIN}{place}\n{HEAD}{rows}{END}below\n");
        assert_eq!(page, block("Here.", &both));
        let page = record(&page, &origin("Elsewhere.", "ccc"), "second");
        assert_eq!(page, block("Elsewhere.", &row("second", "ccc")));
    }

    #[test]
    fn a_page_without_the_marks_is_left_alone() {
        assert!(split("nothing here\n").is_err());
        assert!(split(END).is_err());
    }

    #[test]
    fn the_page_has_a_row_that_passed_for_each_check() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let page = fs::read_to_string(format!("{root}/{PAGE}")).expect("the page is there");
        let (_, block, _) = split(&page).expect("the page has its marks");
        let rows = by_check(block);
        let names: Vec<&str> = super::super::all().iter().map(|check| check.name).collect();
        for name in &names {
            let row = rows
                .get(*name)
                .unwrap_or_else(|| panic!("no row for `{name}`"));
            assert!(row.contains("| passed"), "{row}");
        }
        assert_eq!(rows.len(), names.len());
    }
}
