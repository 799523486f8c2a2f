//! What is known of each weakening: the test that kills it, or the rule that forbids it.

use super::mutations::Target;
use super::programs::Test;
use super::tests_of;
use crate::report::Report;
use anyhow::{Context as _, Result, anyhow};
use core::fmt::Write as _;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::Spanned;

/// The kills, written by `cargo xtask orders --mutate`.
pub(super) const KILLS: &str = "docs/orderings-kills.toml";

const HEAD: &str = "# Which test fails when a site is weakened: written by `cargo xtask orders --mutate`. A site is a path, a
# function and an operation, with its number if the function has several. `removed`: the barrier is left out.
[kills]
";

/// Why weakenings that no test kills are wrong, or what they would be good for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Argument {
    /// What it is about, in a few words.
    pub(super) name: String,
    pub(super) weakened: Vec<Spanned<String>>,
    /// The rule of the C++ memory model, and what it gives here.
    pub(super) because: String,
    /// Why no tool at hand shows it.
    pub(super) unseen: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default)]
    #[expect(dead_code, reason = "read by `tests_of`")]
    tests: toml::Table,
    #[serde(default)]
    argued: Vec<Argument>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kills {
    kills: BTreeMap<String, Spanned<String>>,
}

/// Both files.
#[derive(Default)]
pub(super) struct Records {
    /// Test and line of each weakening that was killed.
    pub(super) kills: BTreeMap<String, (String, usize)>,
    pub(super) arguments: Vec<Argument>,
    /// Number of the argument, and line, of each weakening that is argued.
    pub(super) argued: BTreeMap<String, (usize, usize)>,
}

/// Parts of the standard that have the rules.
const RULES: [&str; 5] = [
    "[atomics.order]",
    "[atomics.fences]",
    "[intro.races]",
    "[intro.progress]",
    "[dcl.attr.depend]",
];

impl Records {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let text = |path| std::fs::read_to_string(root.join(path)).ok();
        Self::of(text(KILLS).as_deref(), text(tests_of::FILE).as_deref())
    }

    /// From the texts of the two files.
    fn of(kills: Option<&str>, arguments: Option<&str>) -> Result<Self> {
        let mut records = Self::default();
        if let Some(text) = kills {
            let file: Kills = parse(text, KILLS)?;
            for (key, test) in file.kills {
                let line = line_of(text, test.span().start);
                records.kills.insert(key, (test.into_inner(), line));
            }
        }
        if let Some(text) = arguments {
            let file: Arguments = parse(text, tests_of::FILE)?;
            for (number, argument) in file.argued.iter().enumerate() {
                for key in &argument.weakened {
                    let line = line_of(text, key.span().start);
                    records.argued.insert(key.get_ref().clone(), (number, line));
                }
            }
            records.arguments = file.argued;
        }
        Ok(records)
    }

    /// Whether a weakening is killed or argued.
    pub(super) fn has(&self, key: &str) -> bool {
        self.kills.contains_key(key) || self.argued.contains_key(key)
    }

    /// Every weakening is killed or argued, and every record is of a weakening that there is.
    pub(super) fn check(&self, targets: &[Target], report: &mut Report) {
        let mut there = BTreeSet::new();
        for target in targets {
            for key in target.keys() {
                if !self.has(&key) {
                    let message = format!(
                        "`{key}` is neither killed nor argued; run `cargo xtask orders --mutate`"
                    );
                    report.add(&target.path, target.line, message);
                }
                there.insert(key);
            }
        }
        for (key, (test, line)) in &self.kills {
            if !there.contains(key) {
                report.add(
                    KILLS,
                    *line,
                    format!("`{key}` can no longer be weakened so"),
                );
            }
            if Test::parse(test).is_none() {
                report.add(KILLS, *line, format!("`{test}` is not a test"));
            }
        }
        for (key, (number, line)) in &self.argued {
            if !there.contains(key) {
                report.add(
                    tests_of::FILE,
                    *line,
                    format!("`{key}` can no longer be weakened so"),
                );
            }
            if let Some((test, _)) = self.kills.get(key) {
                report.add(
                    tests_of::FILE,
                    *line,
                    format!("`{key}` is killed by {test}: no argument is needed"),
                );
            }
            let Argument {
                name,
                because,
                unseen,
                ..
            } = &self.arguments[*number];
            if !RULES.iter().any(|rule| because.contains(rule)) {
                report.add(
                    tests_of::FILE,
                    *line,
                    format!("`{name}` cites no rule: {}", RULES.join(", ")),
                );
            }
            if unseen.trim().is_empty() {
                report.add(
                    tests_of::FILE,
                    *line,
                    format!("`{name}` does not say why no tool shows it"),
                );
            }
        }
    }

    /// Writes the kills.
    pub(super) fn write(&self, root: &Path) -> Result<()> {
        let mut text = HEAD.to_owned();
        for (key, (test, _)) in &self.kills {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "\"{key}\" = \"{test}\"");
        }
        std::fs::write(root.join(KILLS), text).with_context(|| format!("cannot write {KILLS}"))
    }

    /// `N killed, M argued`: how many weakenings each.
    pub(super) fn counts(&self) -> String {
        format!("{} killed, {} argued", self.kills.len(), self.argued.len())
    }
}

fn parse<T: serde::de::DeserializeOwned>(text: &str, file: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let line = line_of(text, error.span().map_or(0, |span| span.start));
        anyhow!("{file}:{line}: {}", error.message())
    })
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text[..offset].matches('\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target {
            path: "src/cell.rs".to_owned(),
            line: 7,
            site: "src/cell.rs Cell::get load".to_owned(),
            from: "SeqCst".to_owned(),
            to: &["Acquire", "Relaxed"],
            tags: BTreeSet::new(),
            span: 0..0,
        }
    }

    fn said(kills: &str, argued: &str) -> String {
        let texts = [format!("[kills]\n{kills}"), format!("[tests]\n{argued}")];
        let records = Records::of(Some(&texts[0]), Some(&texts[1])).expect("they are well formed");
        let mut report = Report::new("samples");
        records.check(&[target()], &mut report);
        format!("{report:?}")
    }

    const KILL: &str =
        "\"src/cell.rs Cell::get load: SeqCst -> Relaxed\" = \"loom lib c1::seen\"\n";
    const ARGUED: &str = "[[argued]]\nname = \"order\"\nweakened = [\"src/cell.rs Cell::get load: SeqCst -> Acquire\"]\n\
                          because = \"[atomics.order]/4: one order.\"\nunseen = \"loom takes it for Acquire.\"\n";

    #[test]
    fn each_weakening_is_killed_or_argued() {
        assert!(said(KILL, ARGUED).contains("findings: {}"));
        assert!(said(KILL, "").contains("load: SeqCst -> Acquire` is neither killed nor argued"));
        assert!(said("", ARGUED).contains("load: SeqCst -> Relaxed` is neither killed nor argued"));
    }

    #[test]
    fn each_record_is_of_something_and_says_enough() {
        let gone = "\"src/cell.rs Cell::put store: SeqCst -> Relaxed\" = \"loom lib c1::seen\"\n";
        assert!(
            said(&format!("{KILL}{gone}"), ARGUED)
                .contains("Cell::put store: SeqCst -> Relaxed` can no longer")
        );
        assert!(said(&KILL.replace("loom", "qemu"), ARGUED).contains("is not a test"));
        let both = KILL.replace("Relaxed\"", "Acquire\"");
        assert!(said(&format!("{KILL}{both}"), ARGUED).contains("no argument is needed"));
        assert!(
            said(KILL, &ARGUED.replace("[atomics.order]", "the rule")).contains("cites no rule")
        );
        assert!(
            said(KILL, &ARGUED.replace("loom takes it for Acquire.", " "))
                .contains("does not say why")
        );
    }
}
