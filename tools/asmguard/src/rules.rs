//! The rules that were written by hand, for what no table knows.
//!
//! ```toml
//! [[rule]]
//! probe = "ours_spin_hint"          # or a beginning: "hot_map_*"
//! isa = "x86_64"                    # an instruction set; left out: any
//! on = ["x86_64_v3"]                # variants; left out: all
//! why = "one hint, no ordering"
//! classes = { load = "0..=2" }      # a closed list, like a row of the table; "any" for no bound
//! instructions = { pause = 1 }      # by mnemonic and the beginning of the operands
//! sequence = ["dmb ish", "stp"]     # instructions that stand directly one behind the other
//! calls = ["arch::detect::ask"]     # what calls may go to
//! length = 4                        # instructions in all, at most
//! width = 16                        # bytes of each atomic access
//! ```

use crate::{Allowed, Bound, Class, Expectation, GuardError, Isa};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// A file of rules.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The line in which it begins.
    pub line: usize,
    /// The probes that it is for: a name, or a beginning followed by `*`.
    pub probe: String,
    /// The instruction set that it is for; `None` for any.
    pub isa: Option<Isa>,
    /// The variants that it is for; none for all.
    pub on: Vec<String>,
    expectation: Expectation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Spanned<Written>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    probe: Spanned<String>,
    isa: Option<Isa>,
    #[serde(default)]
    on: Vec<Spanned<String>>,
    why: Spanned<String>,
    #[serde(default)]
    classes: BTreeMap<Spanned<String>, Spanned<Count>>,
    #[serde(default)]
    instructions: BTreeMap<String, Spanned<Count>>,
    #[serde(default)]
    sequence: Vec<String>,
    #[serde(default)]
    calls: Vec<String>,
    length: Option<usize>,
    width: Option<u8>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected 3, \"0..=2\" or \"any\"")]
enum Count {
    Exactly(usize),
    Range(String),
}

impl Rules {
    /// Reads a file of rules; `places` are the variants that there are.
    ///
    /// # Errors
    /// Names the line of what is not a rule.
    pub fn parse(file: &str, text: &str, places: &[&str]) -> Result<Self, GuardError> {
        let at = |offset: usize| 1 + text[..offset.min(text.len())].matches('\n').count();
        let bad = |offset: usize, expected: String| GuardError::Input {
            file: file.to_owned(),
            line: at(offset),
            expected,
        };
        let parsed: File = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            bad(offset, error.message().to_owned())
        })?;
        let mut rules = Vec::new();
        for written in parsed.rule {
            let line = at(written.span().start);
            let written = written.into_inner();
            if written.why.get_ref().trim().is_empty() {
                let offset = written.why.span().start;
                return Err(bad(offset, "a rule says why it is needed".into()));
            }
            for place in &written.on {
                let name = &**place.get_ref();
                if !places.contains(&name) {
                    let list = places.join(", ");
                    let expected = format!("`{name}` is none of the variants {list}");
                    return Err(bad(place.span().start, expected));
                }
            }
            let mut allowed = Allowed::default();
            for (name, count) in &written.classes {
                let class = Class::named(name.get_ref()).ok_or_else(|| {
                    let all: Vec<_> = Class::all().iter().map(ToString::to_string).collect();
                    let (name, all) = (name.get_ref(), all.join(", "));
                    let expected = format!("`{name}` is no class; there are {all}");
                    bad(count.span().start, expected)
                })?;
                let bound = bound(count).map_err(|what| bad(count.span().start, what))?;
                allowed.classes.insert(class, bound);
            }
            let mut instructions = Vec::new();
            for (name, count) in &written.instructions {
                let bound = bound(count).map_err(|what| bad(count.span().start, what))?;
                instructions.push((name.clone(), bound));
            }
            let origin = format!("{file}:{line}: {}", written.why.get_ref());
            rules.push(Rule {
                line,
                probe: written.probe.into_inner(),
                isa: written.isa,
                on: written.on.into_iter().map(Spanned::into_inner).collect(),
                expectation: Expectation {
                    origin,
                    alternatives: vec![allowed],
                    width: written.width,
                    plain: false,
                    instructions,
                    sequence: written.sequence,
                    behind: None,
                    callees: written.calls,
                    length: written.length,
                },
            });
        }
        Ok(Self { rules })
    }

    /// What the rule for this probe says, if there is one.
    ///
    /// # Errors
    /// When there are two.
    pub fn find(
        &self,
        probe: &str,
        variant: &str,
        isa: Isa,
    ) -> Result<Option<&Expectation>, GuardError> {
        let fits = |rule: &&Rule| {
            rule.is_for(probe)
                && rule.isa.is_none_or(|own| own == isa)
                && (rule.on.is_empty() || rule.on.iter().any(|place| place == variant))
        };
        let found: Vec<&Rule> = self.rules.iter().filter(fits).collect();
        match found.as_slice() {
            [] => Ok(None),
            [rule] => Ok(Some(&rule.expectation)),
            [first, second, ..] => {
                let (first, second) = (first.line, second.line);
                let what = format!("two rules are for it on {variant}, lines {first} and {second}");
                Err(GuardError::function(probe, what))
            }
        }
    }

    /// The rules that are for none of these probes.
    #[must_use]
    pub fn unused<'a, N: IntoIterator<Item = &'a str>>(&self, probes: N) -> Vec<&Rule> {
        let probes: Vec<&str> = probes.into_iter().collect();
        let unused = |rule: &&Rule| !probes.iter().any(|probe| rule.is_for(probe));
        self.rules.iter().filter(unused).collect()
    }
}

impl Rule {
    fn is_for(&self, probe: &str) -> bool {
        match self.probe.strip_suffix('*') {
            Some(beginning) => probe.starts_with(beginning),
            None => self.probe == probe,
        }
    }
}

/// `3`, `"0..=2"`, `"any"`.
fn bound(count: &Spanned<Count>) -> Result<Bound, String> {
    let text = match count.get_ref() {
        Count::Exactly(count) => return Ok(Bound::exactly(*count)),
        Count::Range(text) => text,
    };
    if text == "any" {
        return Ok(Bound::at_most(usize::MAX));
    }
    let ends = text.split_once("..=");
    let ends = ends.and_then(|(min, max)| Some((min.parse().ok()?, max.parse().ok()?)));
    match ends {
        Some((min, max)) if min <= max => Ok(Bound { min, max }),
        _ => Err(format!(
            "`{text}` is no count; expected 3, \"0..=2\" or \"any\""
        )),
    }
}
