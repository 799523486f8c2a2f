//! `layers`: imports go downwards only, and each cfg stays in the layer that owns it.

use crate::report::Report;
use crate::source::{self, Place, RustFile, Sink};
use anyhow::Result;
use proc_macro2::{TokenStream, TokenTree};
use std::collections::BTreeMap;
use std::path::Path;

/// Each top-level module and what it may import besides itself. The chain first, then the side
/// branches, which no layer of the chain imports.
const LAYERS: &[(&str, &[&str])] = &[
    ("sync", &["error"]),
    ("arch", &["error", "sync"]),
    ("sys", &["error", "sync", "arch"]),
    ("pad", &["error", "sync", "arch", "sys"]),
    ("shard", &["error", "sync", "arch", "sys", "pad"]),
    ("reclaim", &["error", "sync", "arch", "sys", "pad", "shard"]),
    (
        "table",
        &["error", "sync", "arch", "sys", "pad", "shard", "reclaim"],
    ),
    (
        "map",
        &[
            "error", "sync", "arch", "sys", "pad", "shard", "reclaim", "table",
        ],
    ),
    ("topology", &["error", "sys", "shard"]),
    ("perf", &["error", "arch", "sys"]),
    ("error", &[]),
];

/// Configuration names with an owner: no other layer may ask for them outside of tests.
const OWNED_CFGS: &[(&str, &str)] = &[
    ("target_arch", "arch"),
    ("loom", "sync"),
    ("atomshard_traced", "sync"),
    ("atomshard_probes", "arch"),
    ("atomshard_singles", "reclaim"),
    ("atomshard_seize", "reclaim"),
];

/// What lib.rs may ask for all the same: whether it shows a layer.
const SHOWN_BY: &str = "atomshard_probes";

/// Checks every library file.
pub(crate) fn check(root: &Path) -> Result<Report> {
    let mut report = Report::new("imports");
    let parsed = source::rust(root, &mut report, source::is_library)?;
    let exports = parsed
        .iter()
        .find(|file| file.path == "src/lib.rs")
        .map(exports);
    let exports = exports.unwrap_or_default();
    for file in &parsed {
        let modules = source::module_path(&file.path);
        if !file.test
            && modules
                .first()
                .is_some_and(|layer| allowed(layer).is_none())
        {
            let layer = &modules[0];
            report.add(
                &file.path,
                1,
                format!("`{layer}` is not a layer of the import table"),
            );
            continue;
        }
        let path = &file.path;
        let mut layers = Layers {
            path,
            modules,
            exports: &exports,
            report: &mut report,
        };
        source::walk(file, &mut layers);
    }
    Ok(report)
}

/// What a layer may import; `None` when there is no such layer.
fn allowed(layer: &str) -> Option<&'static [&'static str]> {
    LAYERS
        .iter()
        .find(|(name, _)| *name == layer)
        .map(|(_, below)| *below)
}

/// The names that lib.rs re-exports from its modules: name to layer.
fn exports(lib: &RustFile) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for item in &lib.ast.items {
        let syn::Item::Use(item) = item else { continue };
        for path in flatten(&item.tree) {
            let mut parts = path
                .iter()
                .filter(|part| !["crate", "self"].contains(&part.as_str()));
            if let (Some(layer), Some(name)) = (parts.next(), path.last()) {
                names.insert(name.clone(), layer.clone());
            }
        }
    }
    names
}

/// Every path of a `use` tree, one list of names each; a rename ends with the new name.
pub(crate) fn flatten(tree: &syn::UseTree) -> Vec<Vec<String>> {
    match tree {
        syn::UseTree::Path(path) => {
            let mut below = flatten(&path.tree);
            for list in &mut below {
                list.insert(0, path.ident.to_string());
            }
            below
        }
        syn::UseTree::Name(name) => vec![vec![name.ident.to_string()]],
        syn::UseTree::Rename(rename) => {
            vec![vec![rename.ident.to_string(), rename.rename.to_string()]]
        }
        syn::UseTree::Glob(_) => vec![vec!["*".to_owned()]],
        syn::UseTree::Group(group) => group.items.iter().flat_map(flatten).collect(),
    }
}

/// Every path written inside a token stream (a macro call), with its line.
pub(crate) fn paths_in(tokens: TokenStream) -> Vec<(Vec<String>, usize)> {
    let mut found: Vec<(Vec<String>, usize)> = Vec::new();
    let mut colons = 0;
    let mut open = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                match found.last_mut() {
                    Some((path, _)) if open && colons == 2 => path.push(name),
                    _ => found.push((vec![name], ident.span().start().line)),
                }
                (open, colons) = (true, 0);
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            TokenTree::Group(group) => {
                open = false;
                colons = 0;
                found.extend(paths_in(group.stream()));
            }
            _ => (open, colons) = (false, 0),
        }
    }
    found
}

struct Layers<'a> {
    path: &'a str,
    modules: Vec<String>,
    exports: &'a BTreeMap<String, String>,
    report: &'a mut Report,
}

impl Layers<'_> {
    /// Judges one path as it is written in this file.
    fn judge(&mut self, written: &[String], place: &Place) {
        let Some(target) = self.resolve(written, place) else {
            return;
        };
        self.report.examine();
        let Some(own) = self.modules.first().filter(|_| !place.test) else {
            return;
        };
        let text = written.join("::");
        let layer = match allowed(&target) {
            Some(_) => target.clone(),
            None => match self.exports.get(&target) {
                Some(layer) => layer.clone(),
                None => {
                    let message =
                        format!("`{text}` does not lead to a layer or an export of lib.rs");
                    self.report.add(self.path, place.line, message);
                    return;
                }
            },
        };
        let below = allowed(own).unwrap_or_default();
        if layer != *own && !below.contains(&layer.as_str()) {
            let list = if below.is_empty() {
                "nothing".to_owned()
            } else {
                below.join(", ")
            };
            let message = format!("`{own}` imports `{layer}` (`{text}`); it may import {list}");
            self.report.add(self.path, place.line, message);
        }
    }

    /// The first name below the crate root that a `crate::` or `super::` path reaches.
    fn resolve(&self, written: &[String], place: &Place) -> Option<String> {
        let mut base: Vec<String> = self.modules.iter().chain(&place.modules).cloned().collect();
        let mut rest = written.iter();
        let mut name = rest.next()?;
        match name.as_str() {
            "crate" => base.clear(),
            "self" | "super" => {}
            _ => return None,
        }
        loop {
            match name.as_str() {
                "crate" | "self" => {}
                "super" => {
                    base.pop();
                }
                _ => break,
            }
            name = rest.next()?;
        }
        Some(base.first().unwrap_or(name).clone())
    }

    /// Looks for configuration names that belong to another layer.
    fn cfgs(&mut self, condition: TokenStream, place: &Place) {
        if place.test {
            return;
        }
        let own = self.modules.first().map(String::as_str).unwrap_or_default();
        for (path, line) in paths_in(condition) {
            for (name, owner) in OWNED_CFGS {
                let shows = own.is_empty() && *name == SHOWN_BY;
                if path == [*name] && own != *owner && !shows {
                    let message = format!("cfg `{name}` outside of src/{owner}");
                    self.report.add(self.path, line, message);
                }
            }
        }
    }
}

impl Sink for Layers<'_> {
    fn path(&mut self, path: &syn::Path, place: &Place) {
        let names: Vec<_> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        self.judge(&names, place);
    }

    fn import(&mut self, item: &syn::ItemUse, place: &Place) {
        for path in flatten(&item.tree) {
            self.judge(&path, place);
        }
    }

    fn macro_call(&mut self, call: &syn::Macro, place: &Place) {
        if call.path.is_ident("cfg") || call.path.is_ident("cfg_if") {
            self.cfgs(call.tokens.clone(), place);
        }
        for (path, line) in paths_in(call.tokens.clone()) {
            self.judge(
                &path,
                &Place {
                    line,
                    ..place.clone()
                },
            );
        }
    }

    fn attribute(&mut self, attribute: &syn::Attribute, place: &Place) {
        if source::sets(attribute, "path") {
            let message = "`#[path]` hides where a module lives";
            self.report.add(self.path, place.line, message);
        }
        if let Some(condition) = source::tokens_of_cfg(attribute) {
            self.cfgs(condition, place);
        }
    }
}
