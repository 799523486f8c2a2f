//! The normal form: what two builds of the same source agree on.
//!
//! Directives, debug labels and comments go; local labels are numbered in the order in which they
//! stand, and only those that a branch names stay; anonymous constants are numbered in the order in
//! which they are named; white space is one blank; `lock` stands with its instruction.

use crate::{GuardError, Isa};
use core::fmt;
use regex::{Captures, Regex};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A line of normal code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A label that some branch names.
    Label(usize),
    /// An instruction.
    Instruction {
        /// What it is, with its prefix: `lock cmpxchg`.
        mnemonic: String,
        /// What it works on.
        operands: String,
    },
}

/// The body of a function in normal form; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    lines: Vec<Line>,
}

/// A reference to a label or a constant. The third form is that of inline assembly, and only in the
/// last operand of a branch: elsewhere it is a number.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\.L[\w.$]+|\bL[0-9]+\b|\b[0-9]+[bf]$").expect("the pattern is a constant")
});
static COMMA: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\s*,\s*").expect("the pattern is a constant"));

/// A line before labels have numbers.
enum Raw<'a> {
    Label(&'a str),
    Instruction(&'a str, String),
}

impl Code {
    /// Brings the lines of a function into normal form. Normal code stays what it is.
    ///
    /// # Errors
    /// When there is no instruction in them.
    pub fn parse<'a, L: IntoIterator<Item = &'a str>>(
        function: &str,
        lines: L,
        isa: Isa,
    ) -> Result<Self, GuardError> {
        let raw = raw(lines, isa);
        let labels = Labels::of(&raw);
        let mut constants = BTreeMap::new();
        let mut used = vec![false; labels.count];
        let mut resolved = Vec::new();
        for (at, line) in raw.iter().enumerate() {
            let Raw::Instruction(mnemonic, operands) = line else {
                continue;
            };
            let branch = isa.branches(mnemonic);
            let name = |found: &Captures<'_>| {
                let text = &found[0];
                let numeric = text.starts_with(|c: char| c.is_ascii_digit());
                if numeric && !branch {
                    return text.to_owned();
                }
                if let Some(label) = labels.find(text, at) {
                    used[label] = true;
                    return format!("@{label}@");
                }
                let next = constants.len();
                let constant = constants.entry(text.to_owned()).or_insert(next);
                format!("CONST{constant}")
            };
            resolved.push((at, REFERENCE.replace_all(operands, name).into_owned()));
        }
        let code = Self {
            lines: numbered(&raw, &resolved, &labels, &used),
        };
        if code.instructions().next().is_none() {
            return Err(GuardError::function(function, "its body is empty"));
        }
        Ok(code)
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Mnemonic and operands of each instruction.
    pub fn instructions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().filter_map(|line| match line {
            Line::Instruction { mnemonic, operands } => Some((&**mnemonic, &**operands)),
            Line::Label(_) => None,
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            match line {
                Line::Label(label) => writeln!(f, "L{label}:")?,
                Line::Instruction { mnemonic, operands } if operands.is_empty() => {
                    writeln!(f, "    {mnemonic}")?;
                }
                Line::Instruction { mnemonic, operands } => {
                    writeln!(f, "    {mnemonic} {operands}")?;
                }
            }
        }
        Ok(())
    }
}

/// Labels and instructions; everything else goes.
fn raw<'a>(lines: impl IntoIterator<Item = &'a str>, isa: Isa) -> Vec<Raw<'a>> {
    let mut found = Vec::new();
    // A prefix that stands on a line of its own.
    let mut prefix = None;
    for line in lines {
        let line = match line.find(isa.comment()) {
            Some(at) => &line[..at],
            None => line,
        };
        let mut line = line.trim();
        if let Some((label, rest)) = line.split_once(':')
            && is_label(label)
        {
            found.push(Raw::Label(label));
            line = rest.trim();
        }
        if line.is_empty() || line.starts_with(['.', '#']) {
            continue;
        }
        let (mnemonic, operands) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if matches!(mnemonic, "lock" | "rep" | "repne") {
            if operands.is_empty() {
                prefix = Some(mnemonic);
            } else {
                found.push(Raw::Instruction(mnemonic, canonical(operands)));
            }
            continue;
        }
        match prefix.take() {
            Some(prefix) => found.push(Raw::Instruction(prefix, canonical(line))),
            None => found.push(Raw::Instruction(mnemonic, canonical(operands))),
        }
    }
    found
}

/// `.LBB0_1`, `L3`, `2`.
fn is_label(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let local = |rest: &str| {
        rest.chars()
            .all(|c| c.is_alphanumeric() || "_.$".contains(c))
    };
    digits(text)
        || text.strip_prefix('L').is_some_and(digits)
        || text.strip_prefix(".L").is_some_and(local)
}

fn canonical(operands: &str) -> String {
    let words: Vec<&str> = operands.split_whitespace().collect();
    COMMA.replace_all(&words.join(" "), ", ").into_owned()
}

/// The labels of a body, numbered from the top. A label of inline assembly, a mere number, may be
/// defined again and again.
struct Labels<'a> {
    at: Vec<(usize, &'a str)>,
    count: usize,
}

impl<'a> Labels<'a> {
    fn of(raw: &[Raw<'a>]) -> Self {
        let labels = raw.iter().enumerate().filter_map(|(at, line)| match line {
            Raw::Label(name) => Some((at, *name)),
            Raw::Instruction(..) => None,
        });
        let at: Vec<_> = labels.collect();
        let count = at.len();
        Self { at, count }
    }

    /// The number of the label that `text` names at line `here`.
    fn find(&self, text: &str, here: usize) -> Option<usize> {
        let named = |name: &str| {
            let all = self.at.iter().enumerate();
            all.filter(move |(_, (_, other))| *other == name)
                .map(|(number, (at, _))| (number, *at))
                .collect::<Vec<_>>()
        };
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let (name, direction) = text.split_at(text.len() - 1);
            let all = named(name);
            let found = if direction == "b" {
                all.iter().rev().find(|(_, at)| *at < here)
            } else {
                all.iter().find(|(_, at)| *at > here)
            };
            return found.map(|(number, _)| *number);
        }
        named(text).first().map(|(number, _)| *number)
    }

    fn number(&self, at: usize) -> Option<usize> {
        self.at.iter().position(|(other, _)| *other == at)
    }
}

/// Gives the labels that are used their final numbers.
fn numbered(
    raw: &[Raw<'_>],
    resolved: &[(usize, String)],
    labels: &Labels<'_>,
    used: &[bool],
) -> Vec<Line> {
    let rank = |label: usize| used[..label].iter().filter(|used| **used).count();
    let mut operands = resolved.iter();
    let lines = raw.iter().enumerate().filter_map(|(at, line)| match line {
        Raw::Label(_) => {
            let label = labels.number(at)?;
            used[label].then(|| Line::Label(rank(label)))
        }
        Raw::Instruction(first, _) => {
            let (_, text) = operands.next()?;
            let mut text = text.clone();
            for label in (0..used.len()).filter(|label| used[*label]) {
                text = text.replace(&format!("@{label}@"), &format!("L{}", rank(label)));
            }
            let (mnemonic, operands) = match (*first, text.split_once(' ')) {
                ("lock" | "rep" | "repne", Some((second, rest))) => {
                    (format!("{first} {second}"), rest.to_owned())
                }
                ("lock" | "rep" | "repne", None) => (format!("{first} {text}"), String::new()),
                _ => ((*first).to_owned(), text),
            };
            Some(Line::Instruction { mnemonic, operands })
        }
    });
    lines.collect()
}
