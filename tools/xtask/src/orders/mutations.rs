//! What can be weakened: each ordering argument and each barrier of the library, by its place in bytes.
//!
//! A site is named by path, function, operation and its number among those of this operation in the
//! function: a name stays as long as the code does, wherever its line goes.

use super::grammar::is_tag;
use crate::report::Report;
use crate::source::{self, Place, RustFile, Sink};
use core::ops::Range;
use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use syn::spanned::Spanned as _;

/// How the record names a barrier that is left out.
pub(super) const REMOVED: &str = "removed";

/// Calls that order something without an ordering argument of their own, or besides it, with the tag
/// of those whose callers do not name one.
const BARRIERS: [(&str, &str); 7] = [
    ("fence", ""),
    ("compiler_fence", ""),
    ("fence_after_rmw", "T2"),
    ("light_barrier", "B1"),
    ("light_barrier_of_membarrier", "B1"),
    ("heavy_barrier", "B1"),
    ("process_barrier", "B1"),
];

/// A place that can be weakened.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) path: String,
    pub(super) line: usize,
    /// What its records begin with, before the colon.
    pub(super) site: String,
    /// The ordering that is there; empty for a call that is left out.
    pub(super) from: String,
    pub(super) to: &'static [&'static str],
    pub(super) tags: BTreeSet<String>,
    /// The argument, or the whole call, in bytes.
    pub(super) span: Range<usize>,
}

impl Target {
    /// The name of one weakening in the records.
    pub(super) fn key(&self, to: &str) -> String {
        if to == REMOVED {
            format!("{}: {REMOVED}", self.site)
        } else {
            format!("{}: {} -> {to}", self.site, self.from)
        }
    }

    /// The names of all its weakenings.
    pub(super) fn keys(&self) -> impl Iterator<Item = String> {
        self.to.iter().map(|to| self.key(to))
    }
}

/// What is weaker than `from` and still an ordering of this operation, the strongest first. `None` if
/// the operation is unknown.
fn weaker(operation: &str, failure: bool, from: &str) -> Option<&'static [&'static str]> {
    let exchange = operation.starts_with("compare_exchange") || operation.starts_with("fetch_");
    Some(match (operation, from) {
        (_, "Relaxed") => &[],
        ("fence" | "compiler_fence", "SeqCst") => &["AcqRel", "Acquire", "Release"],
        ("fence" | "compiler_fence", "AcqRel") => &["Acquire", "Release"],
        // No ordering is weaker; that it can be left out is a site of its own.
        ("fence" | "compiler_fence", _) => &[],
        ("store", "SeqCst") => &["Release", "Relaxed"],
        ("load", "SeqCst") => &["Acquire", "Relaxed"],
        (_, "SeqCst") if failure => &["Acquire", "Relaxed"],
        ("load" | "store", _) => &["Relaxed"],
        _ if operation != "swap" && !exchange => return None,
        (_, "SeqCst") => &["AcqRel", "Acquire", "Release", "Relaxed"],
        (_, "AcqRel") => &["Acquire", "Release"],
        _ => &["Relaxed"],
    })
}

/// Whether this argument is the ordering of a failure.
fn is_failure(operation: &str, argument: usize) -> bool {
    match operation {
        "compare_exchange" | "compare_exchange_weak" => argument == 3,
        "fetch_update" => argument == 1,
        _ => false,
    }
}

struct Finder<'a> {
    file: &'a RustFile,
    targets: &'a mut Vec<Target>,
    report: &'a mut Report,
    /// How many sites of a name there were.
    counts: BTreeMap<String, usize>,
}

/// Finds what can be weakened in a file, in the order of its text.
pub(super) fn find(file: &RustFile, targets: &mut Vec<Target>, report: &mut Report) {
    let mut finder = Finder {
        file,
        targets,
        report,
        counts: BTreeMap::new(),
    };
    source::walk(file, &mut finder);
}

impl Finder<'_> {
    /// A site of this operation; of several in one function, the second has number 2.
    fn name(&mut self, operation: &str, place: &Place) -> String {
        let name = format!("{} {} {operation}", self.file.path, place.function);
        let count = self.counts.entry(name.clone()).or_default();
        *count += 1;
        match *count {
            1 => name,
            number => format!("{name}#{number}"),
        }
    }

    fn tags(&self, place: &Place, otherwise: &str) -> BTreeSet<String> {
        let blocks = self.file.comments(place);
        let texts = blocks.iter().flatten().map(|(_, text)| text.as_str());
        let words = texts.flat_map(|text| text.split(['[', ']', ',', ' ']));
        let mut tags: BTreeSet<_> = words
            .filter(|word| is_tag(word))
            .map(str::to_owned)
            .collect();
        if tags.is_empty() && !otherwise.is_empty() {
            tags.insert(otherwise.to_owned());
        }
        tags
    }

    fn ordering(&mut self, from: &str, span: Range<usize>, place: &Place) {
        if place.test {
            return;
        }
        let failure = is_failure(&place.callee, place.argument);
        match weaker(&place.callee, failure, from) {
            Some([]) => {}
            Some(to) => {
                let half = if failure { " (failure)" } else { "" };
                let site = self.name(&format!("{}{half}", place.callee), place);
                self.targets.push(Target {
                    path: self.file.path.clone(),
                    line: place.line,
                    site,
                    from: from.to_owned(),
                    to,
                    tags: self.tags(place, ""),
                    span,
                });
            }
            None => {
                let message = format!(
                    "{from} is an argument of `{}`, which is no operation that can be weakened",
                    place.callee
                );
                self.report.add(&self.file.path, place.line, message);
            }
        }
    }

    /// Orderings in the tokens of a macro call: `load(Ordering::Acquire)` inside of an `assert!`.
    fn tokens(&mut self, tokens: TokenStream, place: &Place) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut place = place.clone();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ',' => place.argument += 1,
                TokenTree::Group(group) => {
                    let mut inner = place.clone();
                    if let Some(TokenTree::Ident(name)) = at.checked_sub(1).map(|at| &tokens[at]) {
                        inner.callee = name.to_string();
                    }
                    inner.argument = 0;
                    self.tokens(group.stream(), &inner);
                }
                TokenTree::Ident(name) if at >= 3 => {
                    let owner =
                        matches!(&tokens[at - 3], TokenTree::Ident(owner) if owner == "Ordering");
                    let name = name.to_string();
                    if owner && STRONG.contains(&name.as_str()) {
                        place.line = token.span().start().line;
                        let span =
                            tokens[at - 3].span().byte_range().start..token.span().byte_range().end;
                        self.ordering(&name, span, &place);
                    }
                }
                _ => {}
            }
        }
    }
}

const STRONG: [&str; 4] = ["Acquire", "Release", "AcqRel", "SeqCst"];

impl Sink for Finder<'_> {
    fn expression(&mut self, path: &syn::Path, place: &Place) {
        let names: Vec<_> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        let Some((last, before)) = names.split_last() else {
            return;
        };
        let named = before.last().is_none_or(|owner| owner == "Ordering");
        if named && STRONG.contains(&last.as_str()) {
            self.ordering(last, path.span().byte_range(), place);
        }
    }

    fn macro_call(&mut self, call: &syn::Macro, place: &Place) {
        // Patterns name orderings too, and pass none.
        if !call.path.is_ident("matches") {
            self.tokens(call.tokens.clone(), place);
        }
    }

    fn call(&mut self, call: &syn::ExprCall, place: &Place) {
        let syn::Expr::Path(path) = &*call.func else {
            return;
        };
        let Some(last) = path.path.segments.last().map(|last| last.ident.to_string()) else {
            return;
        };
        let Some((name, tag)) = BARRIERS.iter().find(|(name, _)| *name == last) else {
            return;
        };
        if place.test {
            return;
        }
        // What hands an ordering on is no barrier of its own.
        let variable = |argument: &syn::Expr| match argument {
            syn::Expr::Path(path) => path
                .path
                .get_ident()
                .is_some_and(|name| !STRONG.contains(&name.to_string().as_str())),
            _ => false,
        };
        if call.args.iter().any(variable) {
            return;
        }
        let site = self.name(&format!("{name}()"), place);
        self.targets.push(Target {
            path: self.file.path.clone(),
            line: place.line,
            site,
            from: String::new(),
            to: &[REMOVED],
            tags: self.tags(place, tag),
            span: call.span().byte_range(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> (Vec<Target>, RustFile) {
        let file = RustFile {
            path: "src/cell.rs".to_owned(),
            lines: text.lines().map(str::to_owned).collect(),
            ast: syn::parse_file(text).expect("the sample parses"),
            test: false,
        };
        let mut targets = Vec::new();
        let mut report = Report::new("samples");
        find(&file, &mut targets, &mut report);
        (targets, file)
    }

    fn keys(text: &str) -> Vec<String> {
        found(text).0.iter().flat_map(Target::keys).collect()
    }

    #[test]
    fn spans_are_bytes_of_the_argument_alone() {
        let text = "fn f() {\n    // Ä — not one byte each.\n    let x = a.load(Ordering::Acquire) + 'ß' as u32;\n    \
                    assert!(b.load(Ordering::SeqCst) == 1, \"é\");\n    fence(Ordering::SeqCst);\n}\n";
        let (targets, _) = found(text);
        let spans: Vec<_> = targets
            .iter()
            .map(|target| &text[target.span.clone()])
            .collect();
        assert_eq!(
            spans,
            [
                "Ordering::Acquire",
                "Ordering::SeqCst",
                "fence(Ordering::SeqCst)",
                "Ordering::SeqCst"
            ]
        );
    }

    #[test]
    fn success_and_failure_are_sites_of_their_own() {
        let text = "impl Slot { fn cas(&self) { self.0.compare_exchange(a, b(c), Ordering::SeqCst, Ordering::SeqCst); \
                    self.0.compare_exchange_weak(a, b, Ordering::Release, Ordering::Relaxed); \
                    self.0.compare_exchange(a, b, Ordering::AcqRel, Ordering::Acquire); \
                    self.0.fetch_update(Ordering::Release, Ordering::Acquire, |x| Some(x)); } }";
        assert_eq!(
            keys(text),
            [
                "src/cell.rs Slot::cas compare_exchange: SeqCst -> AcqRel",
                "src/cell.rs Slot::cas compare_exchange: SeqCst -> Acquire",
                "src/cell.rs Slot::cas compare_exchange: SeqCst -> Release",
                "src/cell.rs Slot::cas compare_exchange: SeqCst -> Relaxed",
                "src/cell.rs Slot::cas compare_exchange (failure): SeqCst -> Acquire",
                "src/cell.rs Slot::cas compare_exchange (failure): SeqCst -> Relaxed",
                "src/cell.rs Slot::cas compare_exchange_weak: Release -> Relaxed",
                "src/cell.rs Slot::cas compare_exchange#2: AcqRel -> Acquire",
                "src/cell.rs Slot::cas compare_exchange#2: AcqRel -> Release",
                "src/cell.rs Slot::cas compare_exchange (failure)#2: Acquire -> Relaxed",
                "src/cell.rs Slot::cas fetch_update: Release -> Relaxed",
                "src/cell.rs Slot::cas fetch_update (failure): Acquire -> Relaxed",
            ]
        );
    }

    #[test]
    fn loads_and_stores_take_their_own_orderings() {
        assert_eq!(
            keys(
                "fn f() { a.load(Ordering::SeqCst); a.store(1, Ordering::SeqCst); a.swap(1, Ordering::Acquire); a.load(Ordering::Relaxed); }"
            ),
            [
                "src/cell.rs f load: SeqCst -> Acquire",
                "src/cell.rs f load: SeqCst -> Relaxed",
                "src/cell.rs f store: SeqCst -> Release",
                "src/cell.rs f store: SeqCst -> Relaxed",
                "src/cell.rs f swap: Acquire -> Relaxed",
            ]
        );
    }

    #[test]
    fn macros_are_looked_into_and_patterns_are_not() {
        assert_eq!(
            keys(
                "fn f(o: Ordering) { assert_eq!(x.compare_exchange(g(1, 2), 3, Ordering::Release, Ordering::Acquire), Ok(1)); matches!(o, Ordering::SeqCst); }"
            ),
            [
                "src/cell.rs f compare_exchange: Release -> Relaxed",
                "src/cell.rs f compare_exchange (failure): Acquire -> Relaxed",
            ]
        );
    }

    #[test]
    fn barriers_are_left_out_but_not_in_tests_nor_where_they_are_defined() {
        let text = "fn f() -> Result<(), E> {\n    // Ordered by [R2].\n    light_barrier();\n    crate::sys::heavy_barrier()?;\n    heavy_barrier()\n}\n\
                    fn fence(ordering: Ordering) { sync::fence(ordering); }\n\
                    #[cfg(test)]\nmod tests { fn g() { light_barrier(); a.load(Ordering::SeqCst); } }\n";
        let (targets, _) = found(text);
        let keys: Vec<_> = targets.iter().flat_map(Target::keys).collect();
        assert_eq!(
            keys,
            [
                "src/cell.rs f light_barrier(): removed",
                "src/cell.rs f heavy_barrier(): removed",
                "src/cell.rs f heavy_barrier()#2: removed",
            ]
        );
        let tags: Vec<_> = targets
            .iter()
            .map(|target| target.tags.iter().next().map(String::as_str))
            .collect();
        assert_eq!(tags, [Some("R2"), Some("B1"), Some("B1")]);
        assert_eq!(
            &text[targets[1].span.clone()],
            "crate::sys::heavy_barrier()"
        );
    }

    #[test]
    fn an_unknown_operation_is_a_finding() {
        let text = "fn f() { g(Ordering::SeqCst); }";
        let mut report = Report::new("samples");
        let file = found(text).1;
        find(&file, &mut Vec::new(), &mut report);
        assert!(
            format!("{report:?}").contains("argument of `g`"),
            "{report:?}"
        );
    }
}
