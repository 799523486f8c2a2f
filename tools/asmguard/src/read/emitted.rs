//! Reads what the compiler writes with `--emit asm`, for ELF.
//!
//! A function is what lies between its label and its `.size`; that it is one says its `.type`.
//! Names are mangled, in the legacy or the v0 form.

use super::Listing;
use crate::GuardError;
use regex::{Captures, Regex};
use std::collections::BTreeSet;
use std::sync::LazyLock;

static SYMBOL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b_(?:ZN[\w.$]+E|R[A-Za-z0-9_]+)").expect("the pattern is a constant")
});

/// Reads a whole file.
///
/// # Errors
/// When a function has no end.
pub fn read(file: &str, text: &str) -> Result<Listing, GuardError> {
    let types = text.lines().filter_map(|line| type_of(line.trim()));
    let functions: BTreeSet<&str> = types.collect();
    let mut listing = Listing::default();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let line = line.trim_end();
        if let Some((name, target)) = alias(line) {
            listing.alias(demangled(name), demangled(target));
            continue;
        }
        let Some(name) = line
            .strip_suffix(':')
            .filter(|name| functions.contains(name))
        else {
            continue;
        };
        let end = format!(".size\t{name},");
        let mut body = Vec::new();
        let closed = lines.by_ref().any(|(_, line)| {
            let ends = line
                .trim_start()
                .replace(".size ", ".size\t")
                .starts_with(&end);
            if !ends {
                body.push(demangled(line.trim_end()));
            }
            ends
        });
        if !closed {
            return Err(GuardError::Input {
                file: file.to_owned(),
                line: index + 1,
                expected: format!("a `.size {name}` was expected below this label"),
            });
        }
        listing.insert(demangled(name), body);
    }
    Ok(listing)
}

/// The name in `.type name,@function`.
fn type_of(line: &str) -> Option<&str> {
    let (name, kind) = line.strip_prefix(".type")?.split_once(',')?;
    matches!(kind.trim(), "@function" | "%function").then(|| name.trim())
}

/// The two names in `a = b` or `.set a, b`.
fn alias(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let (name, target) = match line.strip_prefix(".set") {
        Some(rest) => rest.split_once(',')?,
        None => line.split_once(" = ")?,
    };
    let (name, target) = (name.trim(), target.trim());
    let symbol = |name: &str| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (symbol(name) && symbol(target)).then_some((name, target))
}

/// The text with each mangled name as a path without hashes.
fn demangled(text: &str) -> String {
    let path = |found: &Captures<'_>| {
        let name = rustc_demangle::try_demangle(&found[0]);
        name.map_or_else(|_| found[0].to_owned(), |name| format!("{name:#}"))
    };
    SYMBOL.replace_all(text, path).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{alias, demangled, read};

    #[test]
    fn names_of_both_manglings_become_paths() {
        let legacy = "call\t_ZN4core9panicking5panic17h0123456789abcdefE";
        assert_eq!(demangled(legacy), "call\tcore::panicking::panic");
        assert_eq!(
            demangled("\tb\t_RNvCs1234_6probes6ours_x"),
            "\tb\tprobes::ours_x"
        );
        assert_eq!(demangled("bl __aarch64_cas8_acq"), "bl __aarch64_cas8_acq");
    }

    #[test]
    fn an_alias_is_two_symbols() {
        assert_eq!(alias("a = b"), Some(("a", "b")));
        assert_eq!(alias("\t.set\ta, b\r"), Some(("a", "b")));
        assert_eq!(alias(".Lx = .-y"), None);
    }

    #[test]
    fn a_function_without_an_end_is_named_by_its_line() {
        let text = "\t.type\tf,@function\nf:\n\tret\n";
        let error = read("x.s", text).expect_err("no .size").to_string();
        assert_eq!(error, "x.s:2: a `.size f` was expected below this label");
    }
}
