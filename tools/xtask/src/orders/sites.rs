//! Finding the sites: each strong ordering in code, joined with its `ORD:` line.

use super::grammar::{self, Note};
use crate::layers::paths_in;
use crate::report::Report;
use crate::source::{self, Place, RustFile, Sink};
use proc_macro2::TokenTree;
use std::collections::BTreeSet;

/// A place that names a strong ordering, with the line that explains it.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) function: String,
    /// The operation that the ordering is an argument of; empty when it is not known.
    pub(crate) operation: String,
    pub(crate) note: Note,
}

impl Site {
    /// True when this end can publish: not a load, whatever its ordering.
    pub(crate) fn releases(&self) -> bool {
        self.note.releases() && self.operation != "load"
    }

    /// True when this end can see what was published: not a store, whatever its ordering.
    pub(crate) fn acquires(&self) -> bool {
        self.note.acquires() && self.operation != "store"
    }

    /// True when the site lies in this function, written as `name` or `Type::name`.
    pub(crate) fn is_in(&self, function: &str) -> bool {
        self.function == function
            || self.function.ends_with(&format!("::{function}"))
            || function.ends_with(&format!("::{}", self.function))
    }
}

const STRONG: [&str; 4] = ["Acquire", "Release", "AcqRel", "SeqCst"];

/// The strong ordering that a path names: `Acquire`, or anything that ends in `Ordering::Acquire`.
fn strong(path: &[String]) -> Option<&str> {
    let (last, before) = path.split_last()?;
    let named = before.last().is_none_or(|owner| owner == "Ordering");
    (named && STRONG.contains(&last.as_str())).then_some(last)
}

#[derive(Default)]
struct Found {
    /// Ordering and place of each argument.
    arguments: Vec<(String, Place)>,
    /// Name, first and last line of each function.
    functions: Vec<(String, usize, usize)>,
    /// Lines of test code, to leave out comments there.
    tests: Vec<(usize, usize)>,
}

impl Sink for Found {
    fn expression(&mut self, path: &syn::Path, place: &Place) {
        let names: Vec<_> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        if let Some(ordering) = strong(&names).filter(|_| !place.test) {
            self.arguments.push((ordering.to_owned(), place.clone()));
        }
    }

    fn macro_call(&mut self, call: &syn::Macro, place: &Place) {
        // Behind the comma of `matches!` stands a pattern: it looks at a value and passes none.
        let pattern =
            |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ',');
        let whole = !call.path.is_ident("matches");
        let tokens = call.tokens.clone().into_iter();
        let tokens = tokens
            .take_while(|token| whole || !pattern(token))
            .collect();
        for (path, line) in paths_in(tokens) {
            if let Some(ordering) = strong(&path).filter(|_| !place.test) {
                self.arguments.push((
                    ordering.to_owned(),
                    Place {
                        line,
                        callee: String::new(),
                        ..place.clone()
                    },
                ));
            }
        }
    }

    fn function(&mut self, place: &Place, last: usize) {
        if place.test {
            self.tests.push((place.line, last));
        }
        self.functions
            .push((place.function.clone(), place.line, last));
    }
}

/// Collects the explained sites of a file; what is not explained becomes a finding.
pub(crate) fn collect(file: &RustFile, sites: &mut Vec<Site>, report: &mut Report) {
    let mut found = Found::default();
    source::walk(file, &mut found);
    let mut claimed = BTreeSet::new();
    for (ordering, place) in &found.arguments {
        report.examine();
        let blocks = file.comments(place);
        let lines: BTreeSet<_> = blocks.iter().flat_map(|block| split(block)).collect();
        if lines.is_empty() {
            let message = format!("{ordering} without an ORD line above it");
            report.add(&file.path, place.line, message);
            continue;
        }
        let own: Vec<_> = lines
            .iter()
            .filter(|(_, text)| explained(text) == *ordering)
            .collect();
        // One line of an exchange speaks for both its halves: success AcqRel, failure Acquire.
        let both = |text: &str| ["AcqRel", "SeqCst"].contains(&explained(text));
        if own.is_empty() && !(ordering == "Acquire" && lines.iter().any(|(_, text)| both(text))) {
            let message =
                format!("{ordering}, but the ORD line above it explains another ordering");
            report.add(&file.path, place.line, message);
        }
        for (line, text) in own {
            // Two arguments below one line are one end.
            if claimed.insert(*line) {
                push(file, *line, place, text, sites, report);
            }
        }
    }
    leftovers(file, &found, &claimed, sites, report);
}

/// `ORD:` lines that no argument claimed: barriers are sites of their own, the rest is stale.
fn leftovers(
    file: &RustFile,
    found: &Found,
    claimed: &BTreeSet<usize>,
    sites: &mut Vec<Site>,
    report: &mut Report,
) {
    let outer = |line: usize| {
        let around = found
            .functions
            .iter()
            .filter(|(_, from, to)| (*from..=*to).contains(&line));
        around
            .min_by_key(|(_, from, to)| to - from)
            .map(|(name, ..)| name.clone())
    };
    for (line, text) in file.comment_blocks().iter().flat_map(|block| split(block)) {
        let test = found
            .tests
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&line));
        if claimed.contains(&line) || test {
            continue;
        }
        let word = explained(&text);
        if word == "Barrier" {
            report.examine();
            let function = outer(line).unwrap_or_default();
            let place = Place {
                line,
                function,
                ..Place::default()
            };
            push(file, line, &place, &text, sites, report);
        } else if word != "Relaxed" {
            report.add(
                &file.path,
                line,
                "this ORD line explains no ordering below it",
            );
        }
    }
}

/// The ordering that an `ORD:` line is about.
fn explained(text: &str) -> &str {
    let start = text.trim_start_matches("ORD:").trim_start();
    start
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default()
}

/// Parses one line and keeps it as a site, once.
fn push(
    file: &RustFile,
    line: usize,
    place: &Place,
    text: &str,
    sites: &mut Vec<Site>,
    report: &mut Report,
) {
    match grammar::parse(text) {
        Ok(note) => sites.push(Site {
            path: file.path.clone(),
            line: place.line,
            function: place.function.clone(),
            operation: place.callee.clone(),
            note,
        }),
        Err(error) => report.add(&file.path, line, error),
    }
}

/// The `ORD:` lines of a comment block, each joined with the lines that continue it.
fn split(block: &[(usize, String)]) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (line, text) in block {
        if text.starts_with("ORD:") {
            lines.push((*line, text.clone()));
            open = true;
        } else if text.is_empty() || text.starts_with("SAFETY:") {
            open = false;
        } else if let Some((_, last)) = lines.last_mut().filter(|_| open) {
            last.push(' ');
            last.push_str(text);
            // The sentence about what is published closes the line.
            open = !(last.contains("; publishes ") && text.ends_with('.'));
        }
    }
    lines
}
