//! What a check says: findings as `file:line: message`, and how much it looked at.

use std::collections::BTreeSet;

/// One thing that is wrong, at one place.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    message: String,
}

/// The findings of one check. A set: two rules that meet at one line speak once.
#[derive(Debug, Default)]
pub(crate) struct Report {
    findings: BTreeSet<Finding>,
    examined: usize,
    unit: &'static str,
}

impl Report {
    /// An empty report that counts `unit`, a plural noun.
    pub(crate) fn new(unit: &'static str) -> Self {
        Self {
            unit,
            ..Self::default()
        }
    }

    /// Records a finding.
    pub(crate) fn add(&mut self, path: &str, line: usize, message: impl Into<String>) {
        self.findings.insert(Finding {
            path: path.to_owned(),
            line,
            message: message.into(),
        });
    }

    /// Records that one more thing was looked at.
    pub(crate) fn examine(&mut self) {
        self.examined += 1;
    }

    /// Takes over the findings (not the count) of a part of the check.
    pub(crate) fn merge(&mut self, part: Self) {
        self.findings.extend(part.findings);
    }

    /// Prints everything; true when the check passes. A check that saw nothing fails.
    pub(crate) fn print(&self, name: &str) -> bool {
        for Finding {
            path,
            line,
            message,
        } in &self.findings
        {
            println!("{path}:{line}: {message}");
        }
        if self.examined == 0 {
            println!(
                "{name}: FAILED, there was nothing to check (0 {})",
                self.unit
            );
            return false;
        }
        let verdict = if self.findings.is_empty() {
            "ok"
        } else {
            "FAILED"
        };
        let (n, seen, unit) = (self.findings.len(), self.examined, self.unit);
        println!("{name}: {verdict}, {n} findings in {seen} {unit}");
        self.findings.is_empty()
    }
}
