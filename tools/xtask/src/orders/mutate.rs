//! The commands that run the campaign: all of it, and some of its records again.

use super::campaign::Campaign;
use super::mutations::Target;
use super::programs::{Kind, Test};
use super::records::Records;
use super::{Options, grammar, targets, tests_of};
use crate::evidence::Depth;
use crate::report::Report;
use crate::shell::Outcome;
use crate::source::{self, is_library};
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;
use std::path::Path;

/// Seeds with which the records of the interpreter are run again.
const SEEDS: u32 = 8;

/// Models that take tens of seconds each: their records are for the full depth.
const LONG: &str = "tests::loom::t5::";

/// What can be weakened, and the tests of each tag.
type Subject = (Vec<Target>, BTreeMap<String, Vec<String>>);

fn subject(root: &Path) -> Result<Subject> {
    let mut report = Report::new("strong orderings");
    let parsed = source::rust(root, &mut report, is_library)?;
    let targets = targets(&parsed, &mut report);
    let tags: Vec<&str> = targets
        .iter()
        .flat_map(|target| target.tags.iter().map(String::as_str))
        .filter(|tag| grammar::is_tag(tag))
        .collect();
    let tests = tests_of::find(root, &tags, &mut report)?;
    Ok((targets, tests))
}

/// Weakens each site in turn; true when each weakening is killed or argued.
pub(super) fn mutate(root: &Path, options: &Options) -> Result<bool> {
    let (targets, tests) = subject(root)?;
    let campaign = Campaign::new(root, &targets, options.seeds)?.with_tests(&tests)?;
    if !campaign.has_miri() {
        println!("without the interpreter: its tests are left out");
    }
    let is_asked = |records: &Records, key: &str| match (options.new, options.argued) {
        (true, _) => !records.has(key),
        (_, true) => records.argued.contains_key(key),
        _ => true,
    };
    let mut records = campaign.run(Records::read(root)?, &options.only, is_asked)?;
    // A record of what is not there any more goes.
    records.kills.retain(|key, _| {
        targets
            .iter()
            .any(|target| target.keys().any(|name| name == *key))
    });
    records.write(root)?;
    let open: Vec<String> = targets
        .iter()
        .flat_map(Target::keys)
        .filter(|key| !records.has(key))
        .collect();
    for key in &open {
        println!("neither killed nor argued: {key}");
    }
    println!("orders: {}, {} open", records.counts(), open.len());
    Ok(open.is_empty())
}

/// Runs records again: one of each module of models, or all.
pub(crate) fn repeat(root: &Path, depth: Depth) -> Result<Outcome> {
    let records = Records::read(root)?;
    let mut wanted = Vec::new();
    for (key, (text, _)) in &records.kills {
        let test = Test::parse(text).with_context(|| format!("`{text}` is not a test"))?;
        wanted.push((key, test));
    }
    if depth == Depth::Quick {
        wanted = sample(wanted);
    }
    ensure!(!wanted.is_empty(), "there is no record");
    let (targets, _) = subject(root)?;
    let campaign = Campaign::new(root, &targets, SEEDS)?;
    let (mut killed, mut left_out) = (0, 0);
    let mut alive = Vec::new();
    for (key, test) in wanted {
        if test.kind == Kind::Miri && !campaign.has_miri() {
            left_out += 1;
            continue;
        }
        if campaign.again(key, &test)? {
            println!("killed    {key}: {test}");
            killed += 1;
        } else {
            println!("SURVIVES  {key}: {test}");
            alive.push(key.as_str());
        }
    }
    if !alive.is_empty() {
        let text = format!("no longer killed: {}", alive.join(", "));
        return Ok(Outcome::Failed(text));
    }
    let text = format!(
        "{killed} of {} recorded kills seen again, {left_out} left out; {} argued",
        records.kills.len(),
        records.argued.len()
    );
    Ok(Outcome::Passed(text))
}

/// The last record of each module of models that are not long. Other kinds of test would each need a build.
fn sample(all: Vec<(&String, Test)>) -> Vec<(&String, Test)> {
    let mut last = BTreeMap::new();
    for (key, test) in all
        .into_iter()
        .filter(|(_, test)| test.kind == Kind::Loom && !test.name.starts_with(LONG))
    {
        let module = test.name.rsplit_once("::").map_or("", |(module, _)| module);
        last.insert(module.to_owned(), (key, test));
    }
    last.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_one_of_each_module_of_models() {
        let keys = ["a", "b", "c", "d", "e", "f"].map(str::to_owned);
        let tests = [
            "loom lib t1::x",
            "loom lib t1::y",
            "loom lib t2::x",
            "miri lib t1::x",
            "miri miri_suite z",
            "loom lib tests::loom::t5::x",
        ];
        let all = keys
            .iter()
            .zip(tests.map(|text| Test::parse(text).expect("it is a test")));
        let sampled: Vec<_> = sample(all.collect())
            .into_iter()
            .map(|(key, _)| key.as_str())
            .collect();
        assert_eq!(sampled, ["b", "c"]);
    }
}
