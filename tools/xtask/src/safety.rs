//! `safety`: every unsafe site is argued by an invariant of its module or the caller's contract.

use crate::report::Report;
use crate::source::{self, Place, RustFile, Sink};
use anyhow::Result;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Words that stand where an argument should.
const BANNED: &[&str] = &["obvious", "clearly", "untriaged", "see above"];

/// The first banned word in a SAFETY comment, if there is one.
pub(crate) fn banned(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    BANNED.iter().copied().find(|word| lower.contains(word))
}

/// The SAFETY argument within a block of comment lines: its first line and its text.
pub(crate) fn argument(block: &[(usize, String)]) -> Option<(usize, String)> {
    let start = block
        .iter()
        .position(|(_, text)| text.starts_with("SAFETY:"))?;
    let lines = block[start..].iter().map(|(_, text)| text.as_str());
    let lines: Vec<_> = lines.take_while(|text| !text.starts_with("ORD:")).collect();
    Some((block[start].0, lines.join(" ")))
}

/// Checks every Rust file of the repository.
pub(crate) fn check(root: &Path) -> Result<Report> {
    let mut report = Report::new("unsafe sites");
    let parsed = source::rust(root, &mut report, |_| true)?;
    let defined: BTreeMap<_, _> = parsed
        .iter()
        .map(|file| (file.path.as_str(), invariants(file)))
        .collect();
    let number = Regex::new(r"\bI[0-9]+\b")?;
    for file in &parsed {
        let mut known = defined[file.path.as_str()].clone();
        if let Some(parent) = parent(&file.path)
            .iter()
            .find_map(|path| defined.get(path.as_str()))
        {
            known.extend(parent.iter().cloned());
        }
        let mut safety = Safety {
            file,
            known,
            number: &number,
            report: &mut report,
        };
        source::walk(file, &mut safety);
    }
    Ok(report)
}

/// The invariant numbers that a module header defines: lines that begin with `I3`, also behind
/// `Invariants:`, unless they point elsewhere (`I3 of the parent`).
fn invariants(file: &RustFile) -> BTreeSet<String> {
    let mut numbers = BTreeSet::new();
    for line in file.header() {
        let start = line.trim_start_matches(|c: char| "-*+|`[# ".contains(c));
        let start = start
            .strip_prefix("Invariants:")
            .unwrap_or(start)
            .trim_start();
        let Some(rest) = start.strip_prefix('I') else {
            continue;
        };
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = &rest[..rest.len() - after.len()];
        let ends = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if !digits.is_empty() && ends && !after.starts_with(" of ") {
            numbers.insert(format!("I{digits}"));
        }
    }
    numbers
}

/// The files in which the parent module of this file may stand.
fn parent(path: &str) -> Vec<String> {
    let folder = match path.strip_suffix("/mod.rs") {
        Some(own) => own.rsplit_once('/').map_or("", |(folder, _)| folder),
        None => path.rsplit_once('/').map_or("", |(folder, _)| folder),
    };
    ["/mod.rs", ".rs", "/lib.rs", "/main.rs"]
        .map(|end| format!("{folder}{end}"))
        .into()
}

struct Safety<'a> {
    file: &'a RustFile,
    known: BTreeSet<String>,
    number: &'a Regex,
    report: &'a mut Report,
}

impl Safety<'_> {
    /// Judges one `unsafe` block or impl, called `what` in messages.
    fn judge(&mut self, what: &str, place: &Place) {
        self.report.examine();
        let path = &self.file.path;
        let arguments: Vec<_> = self
            .file
            .comments(place)
            .iter()
            .filter_map(|block| argument(block))
            .collect();
        let Some((line, text)) = arguments.into_iter().next_back() else {
            self.report
                .add(path, place.line, format!("{what} without a SAFETY comment"));
            return;
        };
        if let Some(word) = banned(&text) {
            self.report.add(
                path,
                line,
                format!("SAFETY says \"{word}\" instead of an argument"),
            );
        }
        // Tests build the state they need on the spot; their argument is prose.
        if place.test || text.replace('\u{2019}', "'").contains("caller's contract") {
            return;
        }
        let cited: Vec<_> = self
            .number
            .find_iter(&text)
            .map(|found| found.as_str())
            .collect();
        if cited.is_empty() {
            let message = "SAFETY cites no invariant (I1, I2, ..) and no caller's contract";
            self.report.add(path, line, message);
        }
        for name in cited.into_iter().filter(|name| !self.known.contains(*name)) {
            let message = format!("SAFETY cites {name}, which no module header here defines");
            self.report.add(path, line, message);
        }
    }

    /// Finds `unsafe { }` in the tokens of a macro call.
    fn blocks_in(&mut self, tokens: TokenStream, place: &Place) {
        let mut unsafe_before = None;
        for token in tokens {
            let before = unsafe_before.take();
            match token {
                TokenTree::Ident(ident) if ident == "unsafe" => {
                    unsafe_before = Some(ident.span().start().line);
                }
                TokenTree::Group(group) => {
                    if let (Some(line), Delimiter::Brace) = (before, group.delimiter()) {
                        self.judge(
                            "unsafe block",
                            &Place {
                                line,
                                ..place.clone()
                            },
                        );
                    }
                    self.blocks_in(group.stream(), place);
                }
                _ => {}
            }
        }
    }
}

impl Sink for Safety<'_> {
    fn unsafe_block(&mut self, place: &Place) {
        self.judge("unsafe block", place);
    }

    fn unsafe_impl(&mut self, place: &Place) {
        self.judge("unsafe impl", place);
    }

    fn unsafe_item(&mut self, name: &str, attributes: &[syn::Attribute], place: &Place) {
        self.report.examine();
        let documented = attributes.iter().any(|attribute| {
            let syn::Meta::NameValue(doc) = &attribute.meta else {
                return false;
            };
            let syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }) = &doc.value
            else {
                return false;
            };
            attribute.path().is_ident("doc")
                && text.value().lines().any(|line| line.trim() == "# Safety")
        });
        if !documented {
            let message = format!("unsafe `{name}` without a `# Safety` section");
            self.report.add(&self.file.path, place.line, message);
        }
    }

    fn macro_call(&mut self, call: &syn::Macro, place: &Place) {
        self.blocks_in(call.tokens.clone(), place);
    }
}
