//! One variant, judged: two readers against each other, then contract, then snapshot.

use crate::contract::count;
use crate::read::Listing;
use crate::report::{Change, Group, Recording, Verdict};
use crate::{
    Code, Expectation, GuardError, Header, Hit, Machine, Probe, Rules, Set, Snapshots, classify,
    distinct, mapping,
};
use std::collections::BTreeMap;

/// How long the code of one operation may be; a fast path is as long as it is.
const LENGTH: usize = 60;

/// What to judge.
#[derive(Debug)]
pub struct Variant<'a> {
    /// Its name.
    pub name: &'a str,
    /// The machine that it was compiled for.
    pub machine: Machine,
    /// The crate that holds the probes.
    pub krate: &'a str,
    /// Who would record it now.
    pub header: Header,
    /// True when this compiler is the one that snapshots are made with: they are compared then,
    /// whoever made them.
    pub pinned: bool,
    /// Where each probe's source is.
    pub sources: &'a BTreeMap<String, (String, usize)>,
}

/// The probes of a listing, judged by nothing yet.
#[derive(Debug)]
pub struct Probes {
    /// Name, meaning and normal code, or why there is none.
    pub codes: BTreeMap<String, Result<(Probe, Code), GuardError>>,
}

impl Probes {
    /// Finds the probes of a crate and brings their code into normal form.
    ///
    /// # Errors
    /// When a function has no probe's name, or names cannot be told apart.
    pub fn find(variant: &Variant<'_>, listing: &Listing) -> Result<Self, GuardError> {
        let functions = listing.functions_of(variant.krate)?;
        distinct(functions.keys().map(String::as_str))?;
        let mut codes = BTreeMap::new();
        for (name, path) in functions {
            let probe = Probe::parse(&name)?;
            let body = listing.body(&path);
            let code = body.and_then(|body| {
                Code::parse(&name, body.iter().map(String::as_str), variant.machine.isa)
            });
            codes.insert(name, code.map(|code| (probe, code)));
        }
        if codes.is_empty() {
            let what = "there is no probe in it";
            return Err(GuardError::function(variant.krate, what));
        }
        Ok(Self { codes })
    }

    /// The code that could be read, as snapshots.
    #[must_use]
    pub fn record(&self, header: &Header) -> Snapshots {
        let good = self.codes.iter().filter_map(|(name, code)| {
            let (_, code) = code.as_ref().ok()?;
            Some((name.clone(), code.to_string()))
        });
        Snapshots {
            header: Some(header.to_string()),
            probes: good.collect(),
        }
    }
}

/// What is expected of a probe: its own rule, else the row of the table.
///
/// # Errors
/// When there is neither, or there are two rules.
pub fn expectation(
    variant: &str,
    machine: &Machine,
    probe: &Probe,
    rules: &Rules,
) -> Result<Expectation, GuardError> {
    let rule = rules.find(&probe.name, variant, machine.isa)?;
    let mut found = match (rule, mapping::row(machine, probe)) {
        (Some(rule), _) => rule.clone(),
        (None, Some(row)) => row,
        (None, None) => {
            let what = "the mapping table has no row for it; it needs a rule of its own";
            return Err(GuardError::function(&probe.name, what));
        }
    };
    if probe.set != Set::Hot {
        found.length.get_or_insert(LENGTH);
    }
    Ok(found)
}

/// Judges a variant by what the first reader found; the second reader's findings must be the same.
///
/// # Errors
/// When there is nothing that could be judged.
pub fn judge(
    variant: &Variant<'_>,
    probes: &Probes,
    shown: Option<&Probes>,
    rules: &Rules,
    snapshots: &Snapshots,
) -> Result<Group, GuardError> {
    let recording = recording(variant, snapshots)?;
    let mut verdicts = Vec::new();
    let isa = variant.machine.isa;
    let length = |name: &str| {
        let (_, code) = probes.codes.get(name)?.as_ref().ok()?;
        Some(code.instructions().count())
    };
    for (name, found) in &probes.codes {
        let mut verdict = Verdict::new(name, variant.sources.get(name));
        match found {
            Err(error) => verdict.contract.push(error.to_string()),
            Ok((probe, code)) => {
                let hits = classify(code, isa);
                verdict.instructions = code.instructions().count();
                let classes = count(&hits).into_iter();
                verdict.classes = classes
                    .map(|(class, count)| (class.to_string(), count))
                    .collect();
                verdict.than_core = probe.twin().and_then(|twin| {
                    let core = i64::try_from(length(&twin)?).ok()?;
                    Some(i64::try_from(verdict.instructions).ok()? - core)
                });
                verdict.contract = contract(variant, probe, code, &hits, rules);
                if recording.compares() {
                    verdict.change = change(name, code, &hits, snapshots, isa);
                }
            }
        }
        if let Some(shown) = shown {
            verdict.contract.extend(disagreement(name, found, shown));
        }
        verdicts.push(verdict);
    }
    if let Some(shown) = shown {
        for name in shown
            .codes
            .keys()
            .filter(|name| !probes.codes.contains_key(*name))
        {
            let mut verdict = Verdict::new(name, variant.sources.get(name));
            let what = "only the second reader finds it".to_owned();
            verdict.contract.push(what);
            verdicts.push(verdict);
        }
    }
    for (name, place) in variant.sources {
        // Inlined into nothing, or generic: a probe that cannot be looked at guards nothing.
        if !probes.codes.contains_key(name) {
            let mut verdict = Verdict::new(name, Some(place));
            let what = "it is written, and the compiler left no code of it".to_owned();
            verdict.contract.push(what);
            verdicts.push(verdict);
        }
    }
    if recording.compares() {
        let gone = snapshots.probes.keys();
        for name in gone.filter(|name| !probes.codes.contains_key(*name)) {
            let mut verdict = Verdict::new(name, None);
            verdict.change = Change::Gone;
            verdicts.push(verdict);
        }
    }
    Ok(Group {
        variant: variant.name.to_owned(),
        recording,
        verdicts,
        seconds: 0.0,
    })
}

fn contract(
    variant: &Variant<'_>,
    probe: &Probe,
    code: &Code,
    hits: &[Hit],
    rules: &Rules,
) -> Vec<String> {
    match expectation(variant.name, &variant.machine, probe, rules) {
        Err(error) => vec![error.to_string()],
        Ok(expected) => {
            let mut problems = expected.check(code, hits);
            if !problems.is_empty() {
                // Once for each probe: what the problems are measured by.
                problems.push(format!("by {}", expected.origin));
            }
            problems
        }
    }
}

fn disagreement(
    name: &str,
    found: &Result<(Probe, Code), GuardError>,
    shown: &Probes,
) -> Option<String> {
    let Some(other) = shown.codes.get(name) else {
        return Some("only the first reader finds it".to_owned());
    };
    match (found, other) {
        (Ok((_, first)), Ok((_, second))) if first != second => {
            let diff = crate::report::text_diff(&first.to_string(), &second.to_string());
            Some(format!("the two readers disagree:\n{diff}"))
        }
        (Ok(_), Err(error)) => Some(format!("for the second reader {error}")),
        _ => None,
    }
}

fn recording(variant: &Variant<'_>, snapshots: &Snapshots) -> Result<Recording, GuardError> {
    let Some(text) = &snapshots.header else {
        return Ok(Recording::None);
    };
    let recorded = Header::parse(&format!("{}/{}", variant.name, crate::HEADER), text)?;
    Ok(if recorded == variant.header {
        Recording::Same
    } else if recorded.same_compiler(&variant.header) || variant.pinned {
        Recording::Stale(crate::report::text_diff(text, &variant.header.to_string()))
    } else {
        Recording::Other(recorded.rustc)
    })
}

fn change(name: &str, code: &Code, hits: &[Hit], snapshots: &Snapshots, isa: crate::Isa) -> Change {
    let text = code.to_string();
    let Some(recorded) = snapshots.probes.get(name) else {
        return Change::New;
    };
    if *recorded == text {
        return Change::Same;
    }
    // What is recorded and is no code has no class of instructions.
    let old = snapshots.code(name, isa).ok().flatten();
    let old = old
        .map(|old| count(&classify(&old, isa)))
        .unwrap_or_default();
    let new = count(hits);
    let mut moved = Vec::new();
    for class in crate::Class::all() {
        let number = |counts: &crate::Counts| {
            let count = counts.get(&class).copied().unwrap_or(0);
            i64::try_from(count).unwrap_or(i64::MAX)
        };
        let delta = number(&new) - number(&old);
        if delta != 0 {
            moved.push(format!("{delta:+} {class}"));
        }
    }
    Change::Different {
        classes: moved,
        text: crate::report::text_diff(recorded, &text),
    }
}
