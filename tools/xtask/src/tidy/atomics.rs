//! Atomics come from `crate::sync` alone: no other library file names their source or loom.

use crate::layers::{flatten, paths_in};
use crate::report::Report;
use crate::source::{self, Place, RustFile, Sink};

/// Checks one library file.
pub(crate) fn check(file: &RustFile, report: &mut Report) {
    if file.path.starts_with("src/sync/") || file.path == "src/sync.rs" {
        return;
    }
    source::walk(
        file,
        &mut Atomics {
            path: &file.path,
            report,
        },
    );
}

struct Atomics<'a> {
    path: &'a str,
    report: &'a mut Report,
}

impl Atomics<'_> {
    fn judge(&mut self, names: &[String], place: &Place, import: bool) {
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let forbidden = match names.as_slice() {
            ["core" | "std", "sync", "atomic", ..] | ["loom", _, ..] => true,
            // `use std::sync;` would make `sync::atomic` reachable under another name.
            ["core" | "std", "sync"] | ["loom"] => import,
            _ => false,
        };
        if forbidden && !place.test {
            let message = format!("`{}` outside of src/sync", names.join("::"));
            self.report.add(self.path, place.line, message);
        }
    }
}

impl Sink for Atomics<'_> {
    fn path(&mut self, path: &syn::Path, place: &Place) {
        let names: Vec<_> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        self.judge(&names, place, false);
    }

    fn import(&mut self, item: &syn::ItemUse, place: &Place) {
        for names in flatten(&item.tree) {
            self.judge(&names, place, true);
        }
    }

    fn macro_call(&mut self, call: &syn::Macro, place: &Place) {
        for (names, line) in paths_in(call.tokens.clone()) {
            self.judge(
                &names,
                &Place {
                    line,
                    ..place.clone()
                },
                false,
            );
        }
    }
}
