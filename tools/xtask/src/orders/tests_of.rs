//! Which test kills a weakened ordering: a loom file per tag, or a line in docs/orderings.toml.

use crate::report::Report;
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// Where tags whose test is not a loom file of their own are listed.
pub(crate) const FILE: &str = "docs/orderings.toml";

/// For each tag the tests that were found; entries that lead nowhere become findings.
pub(crate) fn find(
    root: &Path,
    tags: &[&str],
    report: &mut Report,
) -> Result<BTreeMap<String, Vec<String>>> {
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for &tag in tags {
        let path = format!("src/tests/loom/{}.rs", tag.to_lowercase());
        if root.join(&path).is_file() {
            tests.entry(tag.to_owned()).or_default().push(path);
        }
    }
    let Ok(text) = std::fs::read_to_string(root.join(FILE)) else {
        return Ok(tests);
    };
    let table: toml::Table = text
        .parse()
        .with_context(|| format!("{FILE} is not TOML"))?;
    let listed = table.get("tests").and_then(toml::Value::as_table);
    let listed = listed.with_context(|| format!("{FILE} has no [tests] table"))?;
    for (tag, value) in listed {
        let line = 1 + text.lines().position(|line| key(line) == tag).unwrap_or(0);
        if !tags.contains(&tag.as_str()) {
            report.add(FILE, line, format!("no ordering in src carries [{tag}]"));
        }
        let names: Vec<&str> = match value {
            toml::Value::String(name) => vec![name],
            toml::Value::Array(names) => names.iter().filter_map(toml::Value::as_str).collect(),
            _ => Vec::new(),
        };
        if names.is_empty() {
            report.add(
                FILE,
                line,
                format!("[{tag}]: a path or a list of paths was expected"),
            );
        }
        for name in names {
            match missing(root, name) {
                None => tests.entry(tag.clone()).or_default().push(name.to_owned()),
                Some(what) => report.add(FILE, line, format!("[{tag}]: {what}")),
            }
        }
    }
    Ok(tests)
}

/// What is wrong with a test written as `path` or `path::function`.
fn missing(root: &Path, name: &str) -> Option<String> {
    let (path, function) = name.split_once("::").unwrap_or((name, ""));
    let Ok(text) = std::fs::read_to_string(root.join(path)) else {
        return Some(format!("there is no file {path}"));
    };
    let present = function.is_empty() || text.contains(&format!("fn {function}("));
    (!present).then(|| format!("{path} has no `fn {function}`"))
}

/// The key of a TOML line.
fn key(line: &str) -> &str {
    line.split('=')
        .next()
        .unwrap_or_default()
        .trim()
        .trim_matches('"')
}
