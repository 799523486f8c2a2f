//! Accounts as they are recorded: one file for each structure, one table for each case.
//!
//! Numbers stand for one operation. The operations are a power of ten, so the decimals are exact, and
//! each difference is one of the code.

use crate::tally::Account;
use anyhow::{Result, ensure};
use core::fmt;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The cases of a structure, by `operation, n threads`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Snapshot {
    /// See the type.
    pub cases: BTreeMap<String, Case>,
}

/// One operation of a case, on average.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Operations that were done.
    pub operations: u64,
    /// Distinct lines.
    pub lines: f64,
    /// Objects touched.
    pub objects: f64,
    /// Objects touched in more than one line.
    pub crossed: f64,
    /// Atomic read-modify-writes, tried.
    pub rmws: f64,
    /// Atomic read-modify-writes that changed nothing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rmws_failed: f64,
    /// Fences between threads.
    pub fences: f64,
    /// Barriers on all threads.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub process_barriers: f64,
    /// Lines fetched that no cache had.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cold_fills: f64,
    /// Lines fetched that others had unmodified.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub clean_fills: f64,
    /// Lines fetched out of another cache that had them modified.
    pub transfers: f64,
    /// Copies of others that ended.
    pub invalidations: f64,
    /// Copies that ended by a write to other bytes than were used: `used by written`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub false_shares: BTreeMap<String, f64>,
    /// Lines, by the fields that an operation touches in them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub together: BTreeMap<String, f64>,
}

/// Rare costs are left out where there are none.
fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

impl Case {
    /// The account of a case.
    ///
    /// # Errors
    /// The number of its operations is no power of ten.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn of(account: &Account) -> Result<Self> {
        let operations = account.operations;
        ensure!(
            operations != 0 && 10_u64.pow(operations.ilog10()) == operations,
            "{operations} operations: expected a power of ten, whose shares are exact decimals"
        );
        let each = |total: u64| total as f64 / operations as f64;
        let names = |names: &[String]| names.join(", ");
        let shares = account.false_shares.iter();
        let together = account.together.iter();
        Ok(Self {
            operations,
            lines: each(account.lines),
            objects: each(account.objects),
            crossed: each(account.crossed),
            rmws: each(account.rmws),
            rmws_failed: each(account.rmws_failed),
            fences: each(account.fences),
            process_barriers: each(account.process_barriers),
            cold_fills: each(account.cold_fills),
            clean_fills: each(account.clean_fills),
            transfers: each(account.transfers),
            invalidations: each(account.invalidations),
            false_shares: shares
                .map(|((used, written), count)| (format!("{used} by {written}"), each(*count)))
                .collect(),
            together: together
                .map(|(set, count)| (names(set), each(*count)))
                .collect(),
        })
    }

    /// The numbers that stand for a cost, by name.
    fn metrics(&self) -> [(&'static str, f64); 12] {
        [
            ("lines", self.lines),
            ("objects", self.objects),
            ("crossed", self.crossed),
            ("rmws", self.rmws),
            ("rmws_failed", self.rmws_failed),
            ("fences", self.fences),
            ("process_barriers", self.process_barriers),
            ("cold_fills", self.cold_fills),
            ("clean_fills", self.clean_fills),
            ("transfers", self.transfers),
            ("invalidations", self.invalidations),
            // The sum of no floating-point numbers is -0, which would be shown so.
            (
                "false_shares",
                self.false_shares.values().sum::<f64>() + 0.0,
            ),
        ]
    }
}

impl Snapshot {
    /// Reads a file's text.
    ///
    /// # Errors
    /// It is no such table; the message has line and column. Or a number is none that a count can give,
    /// which would compare as no difference.
    pub fn parse(text: &str) -> Result<Self> {
        let snapshot: Self = toml::from_str(text)?;
        for (name, case) in &snapshot.cases {
            let metrics = case.metrics();
            let shares = case.false_shares.iter().chain(&case.together);
            let shares = shares.map(|(fields, share)| (fields.as_str(), *share));
            for (metric, value) in metrics.into_iter().chain(shares) {
                ensure!(
                    value.is_finite() && value >= 0.0,
                    "{name}: {metric} is {value}: expected a number from 0 on"
                );
            }
        }
        Ok(snapshot)
    }

    /// A file's text.
    ///
    /// # Panics
    /// Never: such tables can be written.
    #[must_use]
    pub fn to_text(&self, structure: &str) -> String {
        let body = toml::to_string(self).unwrap_or_else(|error| unreachable!("{error}"));
        format!(
            "# {structure}: what an operation touches, by the coherence model (lines of 64 bytes).\n\
             # Recorded by `cargo xtask coherence bless`; docs/coherence.md says what the words mean.\n\n\
             {body}"
        )
    }
}

/// A difference between what was recorded and what is.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    case: String,
    text: String,
    is_worse: bool,
    is_detail: bool,
}

impl Finding {
    /// Whether a number has grown, or a case is gone.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.is_worse
    }

    /// Whether it says which field, of what another finding says in numbers.
    #[must_use]
    pub fn is_detail(&self) -> bool {
        self.is_detail
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.is_worse { "worse" } else { "differs" };
        write!(f, "{word}: {}: {}", self.case, self.text)
    }
}

/// What differs, case by case.
#[must_use]
pub fn compare(recorded: &Snapshot, present: &Snapshot) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, old) in &recorded.cases {
        let mut add = |text: String, is_worse, is_detail| {
            let case = name.clone();
            findings.push(Finding {
                case,
                text,
                is_worse,
                is_detail,
            });
        };
        let Some(new) = present.cases.get(name) else {
            add("the case is gone".to_owned(), true, false);
            continue;
        };
        if old.operations != new.operations {
            let text = format!("{} operations, were {}", new.operations, old.operations);
            add(text, false, false);
        }
        for ((metric, before), (_, now)) in old.metrics().into_iter().zip(new.metrics()) {
            if (before - now).abs() > 1e-9 {
                add(format!("{metric} {before} -> {now}"), now > before, false);
            }
        }
        for (pair, share) in &new.false_shares {
            let before = old.false_shares.get(pair).copied().unwrap_or(0.0);
            if (share - before).abs() > 1e-9 {
                let text = format!("false share of {pair}: {before} -> {share}");
                add(text, *share > before, before != 0.0);
            }
        }
        for text in moved(&old.together, &new.together) {
            add(text, false, true);
        }
    }
    for name in present.cases.keys() {
        if !recorded.cases.contains_key(name) {
            findings.push(Finding {
                case: name.clone(),
                text: "the case is not recorded".to_owned(),
                is_worse: false,
                is_detail: false,
            });
        }
    }
    findings
}

/// Which lines are other ones, and which fields have changed their company.
fn moved(old: &BTreeMap<String, f64>, new: &BTreeMap<String, f64>) -> Vec<String> {
    let mut texts = Vec::new();
    let sets: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for set in sets {
        let of = |lines: &BTreeMap<String, f64>| lines.get(set).copied().unwrap_or(0.0);
        let (before, now) = (of(old), of(new));
        if (before - now).abs() > 1e-9 {
            texts.push(format!("lines of [{set}] {before} -> {now}"));
        }
    }
    let (before, now) = (companies(old), companies(new));
    for (field, company) in &now {
        let Some(earlier) = before.get(field) else {
            texts.push(format!("{field} is touched, and was not"));
            continue;
        };
        for other in company.difference(earlier) {
            texts.push(format!("{field} now shares a line with {other}"));
        }
        for other in earlier.difference(company) {
            texts.push(format!("{field} no longer shares a line with {other}"));
        }
    }
    for field in before.keys().filter(|field| !now.contains_key(*field)) {
        texts.push(format!("{field} is no longer touched"));
    }
    texts
}

/// By field, the fields that are touched in the same line.
fn companies(lines: &BTreeMap<String, f64>) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut companies: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for set in lines.keys() {
        let fields: Vec<&str> = set.split(", ").collect();
        for field in &fields {
            let others = fields.iter().filter(|other| *other != field);
            companies.entry(field).or_default().extend(others);
        }
    }
    companies
}
