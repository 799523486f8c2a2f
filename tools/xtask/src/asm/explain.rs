//! `asm explain`: what is expected of a probe, and who says so.

use super::variants::Variant;
use super::{rules, sources};
use anyhow::{Context as _, Result, bail};
use asmguard::{Expectation, Probe, Snapshots, classify, expectation, mapping};
use std::collections::BTreeMap;
use std::path::Path;

/// Prints the rule, the row of the mapping table, the source line and the recorded code.
pub(super) fn print(root: &Path, name: &str, variants: &[&Variant]) -> Result<u8> {
    let probe = Probe::parse(name)?;
    let rules = rules(root)?;
    let sources = sources(root)?;
    let Some((file, line)) = sources.get(name) else {
        let near: Vec<_> = sources
            .keys()
            .filter(|other| other.contains(name))
            .collect();
        bail!("there is no probe `{name}`; near it: {near:?}");
    };
    let text = crate::source::read(root, file)?;
    let source = text.lines().nth(line - 1).context("the line is there")?;
    println!("{name}\n  source: {file}:{line}: {}", source.trim());
    for variant in variants {
        println!("{}", variant.name);
        let rule = rules.find(name, variant.name, variant.machine.isa)?;
        match rule {
            Some(rule) => println!("  rule: {}", rule.origin),
            None => println!("  rule: none of its own"),
        }
        match mapping::row(&variant.machine, &probe) {
            Some(row) => println!("  {}", row.origin),
            None => println!("  mapping table: no row"),
        }
        match expectation(variant.name, &variant.machine, &probe, &rules) {
            Ok(expected) => expected_of(&expected),
            Err(error) => println!("  {error}"),
        }
        let snapshots = Snapshots::read(&root.join("asm").join(variant.name))?;
        match snapshots.code(name, variant.machine.isa)? {
            None => println!("  recorded: nothing"),
            Some(code) => {
                let mut counts = BTreeMap::<String, usize>::new();
                for hit in classify(&code, variant.machine.isa) {
                    *counts.entry(hit.class.to_string()).or_default() += 1;
                }
                let counts: Vec<_> = counts
                    .iter()
                    .map(|(class, n)| format!("{n} {class}"))
                    .collect();
                let counts = if counts.is_empty() {
                    "nothing that orders or touches memory".to_owned()
                } else {
                    counts.join(", ")
                };
                println!("  recorded: {counts}");
                for line in code.to_string().lines() {
                    println!("    {line}");
                }
            }
        }
    }
    Ok(0)
}

fn expected_of(expected: &Expectation) {
    let ways: Vec<_> = expected
        .alternatives
        .iter()
        .map(ToString::to_string)
        .collect();
    println!("  expected: {}", ways.join("; or "));
    if let Some(width) = expected.width {
        println!("  width: {width} bytes in each atomic access");
    }
    for (text, bound) in &expected.instructions {
        println!("  instruction: {bound} `{text}`");
    }
    if !expected.sequence.is_empty() {
        println!("  in a row: `{}`", expected.sequence.join("`, `"));
    }
    if let Some((first, second)) = expected.behind {
        println!("  order: {second} behind {first}, where both are there");
    }
    for callee in &expected.callees {
        println!("  may call: {callee}");
    }
    if let Some(length) = expected.length {
        println!("  length: at most {length} instructions");
    }
}
