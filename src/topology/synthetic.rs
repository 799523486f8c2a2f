//! Machines from a short description, after hwloc's synthetic topologies.
//!
//! ```text
//! text:   item { " " item }           item:  level ":" count [ "(" attributes ")" ]
//!                                            | "[" level [ "(" attributes ")" ] "]"
//! "pack:2 numa:1 l3:2 core:4 pu:2"
//!    2  x   1  x  2 x   4  x  2 = 32 PUs; PU n is in L3 n / 8, in core n / 2, ..
//! ```
//!
//! # Invariants
//!
//! - **I1.** The product of the counts so far is at most [`CpuSet::LIMIT`].
//! - **I2.** Each level that means something occurs once at most; `pu` is the last one.

use super::CpuSet;
use super::cpu_set::ranges;
use super::machine::{Machine, NumaNode};
use super::parts::{Parts, Row};
use crate::error::TopologyError;

/// What a level is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Package,
    Numa,
    L3,
    Core,
    Pu,
    /// Multiplies and means nothing more.
    Other,
}

/// The levels by name. The long names are those that `lstopo --of synthetic` prints.
const NAMES: &[(&str, Kind)] = &[
    ("pack", Kind::Package),
    ("package", Kind::Package),
    ("socket", Kind::Package),
    ("numa", Kind::Numa),
    ("numanode", Kind::Numa),
    ("node", Kind::Numa),
    ("l3", Kind::L3),
    ("l3cache", Kind::L3),
    ("core", Kind::Core),
    ("pu", Kind::Pu),
    ("die", Kind::Other),
    ("group", Kind::Other),
    ("l1", Kind::Other),
    ("l1cache", Kind::Other),
    ("l1d", Kind::Other),
    ("l1dcache", Kind::Other),
    ("l1i", Kind::Other),
    ("l1icache", Kind::Other),
    ("l2", Kind::Other),
    ("l2cache", Kind::Other),
];

/// The levels, from the outside in.
#[derive(Default)]
struct Levels {
    /// Each with how many of it there are in the whole machine.
    totals: Vec<(Kind, usize)>,
    memory_bytes: Option<u64>,
    indexes: Option<Vec<usize>>,
}

/// Reads a description.
pub(super) fn read(text: &str) -> Result<Machine, TopologyError> {
    let mut levels = Levels::default();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| !c.is_whitespace()) {
        rest = &rest[start..];
        let at = text.len() - rest.len();
        let item = &rest[..end_of_item(rest).map_err(|error| error.behind(at))?];
        levels.add(item).map_err(|error| error.behind(at))?;
        rest = &rest[item.len()..];
    }
    if levels.last() != Some(Kind::Pu) {
        let expected = "the level `pu:` as the last one";
        return Err(TopologyError::at(text.len(), "", expected));
    }
    Ok(levels.machine())
}

/// Bytes of the item at the beginning: up to white space outside of parentheses and brackets.
fn end_of_item(text: &str) -> Result<usize, TopologyError> {
    let mut open: Vec<(usize, char)> = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '(' => open.push((at, ')')),
            '[' => open.push((at, ']')),
            ')' | ']' if open.pop().map(|(_, closes)| closes) != Some(c) => {
                return Err(TopologyError::at(
                    at,
                    &text[at..],
                    "no closing bracket here",
                ));
            }
            _ if c.is_whitespace() && open.is_empty() => return Ok(at),
            _ => {}
        }
    }
    match open.pop() {
        Some((at, closes)) => {
            let expected = format!("a closing `{closes}` for what opens here");
            Err(TopologyError::at(at, &text[at..], expected))
        }
        None => Ok(text.len()),
    }
}

impl Levels {
    fn last(&self) -> Option<Kind> {
        self.totals.last().map(|(kind, _)| *kind)
    }

    /// How many of the innermost level there are.
    fn total(&self) -> usize {
        self.totals.last().map_or(1, |(_, total)| *total)
    }

    /// Adds one item of the description.
    fn add(&mut self, item: &str) -> Result<(), TopologyError> {
        if let Some(attached) = item.strip_prefix('[') {
            let attached = attached.strip_suffix(']').ok_or_else(|| {
                TopologyError::at(0, item, "nothing between `]` and the next white space")
            })?;
            let (name, attributes) = split_attributes(attached).map_err(|e| e.behind(1))?;
            let kind = kind(name).map_err(|error| error.behind(1))?;
            if kind != Kind::Numa {
                let expected = "`numa`, which is all that can be attached";
                return Err(TopologyError::at(1, name, expected));
            }
            self.push(kind, name, 1).map_err(|error| error.behind(1))?;
            let at = 1 + name.len() + 1;
            return self.attributes(kind, attributes).map_err(|e| e.behind(at));
        }
        let Some((name, rest)) = item.split_once(':') else {
            return Err(TopologyError::at(0, item, "a level, `:` and a count"));
        };
        let before = name.len() + 1;
        let (count, attributes) = split_attributes(rest).map_err(|error| error.behind(before))?;
        let kind = kind(name)?;
        let parsed = count.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = parsed.then(|| count.parse().ok()).flatten();
        let Some(number) = parsed.filter(|n| (1..=CpuSet::LIMIT).contains(n)) else {
            let expected = format!("a count from 1 to {}", CpuSet::LIMIT);
            return Err(TopologyError::at(before, count, expected));
        };
        self.push(kind, name, number)?;
        let at = before + count.len() + 1;
        self.attributes(kind, attributes).map_err(|e| e.behind(at))
    }

    fn push(&mut self, kind: Kind, name: &str, count: usize) -> Result<(), TopologyError> {
        if self.last() == Some(Kind::Pu) {
            return Err(TopologyError::at(0, name, "nothing behind the level `pu`"));
        }
        let means = kind != Kind::Other;
        if means && self.totals.iter().any(|(other, _)| *other == kind) {
            return Err(TopologyError::at(0, name, "each level once"));
        }
        let in_core = !matches!(kind, Kind::Other | Kind::Pu);
        if in_core && self.totals.iter().any(|(other, _)| *other == Kind::Core) {
            return Err(TopologyError::at(0, name, "`core` inside of this level"));
        }
        let total = self.total().checked_mul(count);
        let Some(total) = total.filter(|total| *total <= CpuSet::LIMIT) else {
            let expected = format!("at most {} of it in all", CpuSet::LIMIT);
            return Err(TopologyError::at(0, name, expected));
        };
        self.totals.push((kind, total));
        Ok(())
    }

    fn attributes(&mut self, kind: Kind, text: &str) -> Result<(), TopologyError> {
        let mut at = 0;
        for attribute in text.split(' ') {
            if let (Kind::Numa, Some(size)) = (kind, attribute.strip_prefix("memory=")) {
                let size = bytes(size).map_err(|error| error.behind(at + "memory=".len()))?;
                self.memory_bytes = Some(size);
            }
            if let (Kind::Pu, Some(list)) = (kind, attribute.strip_prefix("indexes=")) {
                let before = at + "indexes=".len();
                let list = self.read_indexes(list).map_err(|e| e.behind(before))?;
                self.indexes = Some(list);
            }
            at += attribute.len() + 1;
        }
        Ok(())
    }

    /// The kernel's numbers of all PUs: as many as there are PUs, each once.
    fn read_indexes(&self, list: &str) -> Result<Vec<usize>, TopologyError> {
        let mut numbers = Vec::new();
        let mut seen = CpuSet::new();
        for (first, last) in ranges(list)? {
            for cpu in first..=last {
                if !seen.insert(cpu) {
                    let expected = format!("each number once, and {cpu} comes again");
                    return Err(TopologyError::at(0, list, expected));
                }
                numbers.push(cpu);
            }
        }
        if numbers.len() == self.total() {
            return Ok(numbers);
        }
        let expected = format!("{} numbers, not {}", self.total(), numbers.len());
        Err(TopologyError::at(0, list, expected))
    }

    fn machine(self) -> Machine {
        let pus = self.total();
        let total = |kind| {
            let level = self.totals.iter().find(|(other, _)| *other == kind);
            level.map(|(_, total)| *total)
        };
        // The PU's number, divided by how many are in one object of the level.
        let of = |pu: usize, total: Option<usize>| total.map(|total| pu / (pus / total));
        let row = |pu: usize| Row {
            cpu: self.indexes.as_ref().map_or(pu, |indexes| indexes[pu]),
            package: of(pu, total(Kind::Package)).unwrap_or(0),
            node: of(pu, total(Kind::Numa)).unwrap_or(0),
            l3: of(pu, total(Kind::L3)),
            core: of(pu, total(Kind::Core)).unwrap_or(pu),
        };
        let rows: Vec<Row> = (0..pus).map(row).collect();
        let nodes = total(Kind::Numa).unwrap_or(1);
        let node = |id| NumaNode {
            id,
            memory_bytes: self.memory_bytes,
            distances: Vec::new(),
            weight: None,
        };
        Parts {
            allowed: rows.iter().map(|row| row.cpu).collect(),
            rows,
            nodes: (0..nodes).map(node).collect(),
            allowed_nodes: (0..nodes).collect(),
            ..Parts::default()
        }
        .assemble()
    }
}

fn kind(name: &str) -> Result<Kind, TopologyError> {
    let lower = name.to_ascii_lowercase();
    let known = NAMES.iter().find(|(known, _)| *known == lower);
    known.map(|(_, kind)| *kind).ok_or_else(|| {
        let expected = "a level: pack, numa, l3, core or pu; or die, group, l1, l2";
        TopologyError::at(0, name, expected)
    })
}

/// What stands before the parentheses, and what stands in them.
fn split_attributes(text: &str) -> Result<(&str, &str), TopologyError> {
    let Some((before, rest)) = text.split_once('(') else {
        return Ok((text, ""));
    };
    let attributes = rest.strip_suffix(')').ok_or_else(|| {
        let expected = "nothing between `)` and the next white space";
        TopologyError::at(before.len(), &text[before.len()..], expected)
    })?;
    Ok((before, attributes))
}

/// A size as hwloc writes it: `1073741824`, `8GB`, `8GiB`; all units are powers of 1,024.
fn bytes(text: &str) -> Result<u64, TopologyError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let shift = match text[digits..].to_ascii_lowercase().as_str() {
        "" | "b" => Some(0),
        "kb" | "kib" => Some(10),
        "mb" | "mib" => Some(20),
        "gb" | "gib" => Some(30),
        "tb" | "tib" => Some(40),
        _ => None,
    };
    let number: Option<u64> = text[..digits].parse().ok();
    let size = number.zip(shift).and_then(|(number, shift)| {
        let size = number.checked_mul(1 << shift)?;
        Some(size)
    });
    size.ok_or_else(|| TopologyError::at(0, text, "a size such as 8GB, below 2^64 bytes"))
}
