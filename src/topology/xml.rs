//! Machines from hwloc's XML: what `lstopo --of xml` and hwloc's library write of a machine, version 2.
//!
//! ```text
//! topology version="2.0"
//!   object Machine       complete_cpuset, allowed_cpuset, complete_nodeset, allowed_nodeset
//!     object Package       os_index: the kernel's number
//!       object NUMANode      os_index, local_memory: the node of all PUs in the object that it is in
//!       object L3Cache
//!         object Core
//!           object PU          os_index, complete_nodeset
//!   distances2 NUMANode  kind; indexes: os_index of each; u64values: row by row
//! ```
//!
//! Everything else is passed over: other objects, what they say of themselves, and sets that follow from the
//! tree. A node without memory may be no object; then it is in `complete_nodeset` of its PUs alone.
//!
//! It is read here and not by hwloc's library, because that believes what it reads: of damaged texts version 2.9
//! ends the process, by an assertion or a fault (`docs/design/placement.md`).
//!
//! # Invariants
//!
//! - **I1.** A core has PUs alone in it, so all of them are in one package, node and L3 group.
//! - **I2.** Each PU and each node has a number of its own, below [`CpuSet::LIMIT`].
//!
//! *Source*: `hwloc2.dtd` and `topology-xml.c` of hwloc 2.9.0; the files in `tests/topology`.

use super::CpuSet;
use super::machine::{Machine, NumaNode};
use super::parts::{Parts, Row};
use crate::error::TopologyError;
use core::str::FromStr;
use roxmltree::{Attribute, Document, Node, ParsingOptions};
use std::collections::BTreeMap;

/// Reads a text.
pub(super) fn read(text: &str) -> Result<Machine, TopologyError> {
    let options = ParsingOptions {
        // Its beginning names hwloc2.dtd, which nobody reads.
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        let at = offset(text, error.pos());
        TopologyError::at(at, &text[at..], format!("XML: {error}"))
    })?;
    let file = File { text };
    let root = document.root_element();
    let version = file.attribute(root, "version")?;
    if root.tag_name().name() != "topology" || !version.value().starts_with("2.") {
        let expected = "`topology` of version 2, as hwloc writes it since 2.0";
        return Err(file.wrong(version, expected));
    }
    let mut found = Found::default();
    for node in root
        .descendants()
        .filter(|node| node.has_tag_name("object"))
    {
        found.add(&file, node)?;
    }
    let Some(machine) = objects(root, "Machine").next() else {
        return Err(file.missing(root, "an object `Machine`"));
    };
    if found.pus.is_empty() {
        return Err(file.missing(machine, "an object `PU`"));
    }
    let set = |name: &str| file.set(machine, name);
    for id in set("complete_nodeset")?.iter() {
        found.nodes.entry(id).or_insert(None);
    }
    // In which a PU may be that the machine's own set leaves out.
    for place in found.pus.values() {
        found.nodes.entry(place.node).or_insert(None);
    }
    let matrix = root.children().find(|node| is_matrix(*node));
    let distances = matrix.map(|matrix| file.distances(matrix)).transpose()?;
    let online: CpuSet = found.pus.keys().copied().collect();
    Ok(Parts {
        rows: found.rows(),
        nodes: found.nodes(&distances.unwrap_or_default()),
        offline: set("complete_cpuset")?.difference(&online),
        isolated: CpuSet::new(),
        allowed: set("allowed_cpuset")?,
        allowed_nodes: set("allowed_nodeset")?,
        quota: None,
        line_bytes: found.line_bytes,
    }
    .assemble())
}

/// An object that holds PUs.
#[derive(Clone, Copy, Debug)]
struct Object {
    /// The kernel's number of it, in front the number of what it is in; -1 where it has none.
    number: (i64, i64),
    /// Which of the file it is.
    id: usize,
}

/// Where an object is.
#[derive(Clone, Copy, Debug, Default)]
struct Around {
    package: Option<Object>,
    die: i64,
    node: Option<usize>,
    l3: Option<Object>,
    core: Option<Object>,
}

/// Where a PU is.
#[derive(Clone, Copy, Debug)]
struct Place {
    package: Option<Object>,
    node: usize,
    l3: Option<Object>,
    core: Object,
}

/// What the objects say.
#[derive(Debug, Default)]
struct Found {
    around: BTreeMap<usize, Around>,
    /// By the kernel's number.
    pus: BTreeMap<usize, Place>,
    /// The same, with their bytes; `None` of those that are no objects.
    nodes: BTreeMap<usize, Option<u64>>,
    line_bytes: Option<usize>,
}

impl Found {
    /// Takes in an object; the one that it is in was before.
    fn add(&mut self, file: &File<'_>, node: Node<'_, '_>) -> Result<(), TopologyError> {
        let kind = file.attribute(node, "type")?;
        let parent = node.parent().map(|parent| parent.id().get_usize());
        let around = parent.and_then(|id| self.around.get(&id).copied());
        let mut around = around.unwrap_or_default();
        let in_core = ["Package", "Die", "NUMANode", "MemCache", "L3Cache", "Core"];
        if around.core.is_some() && in_core.contains(&kind.value()) {
            return Err(file.wrong(kind, "nothing but PUs and their caches in a core"));
        }
        let number = || Ok(file.number(node, "os_index")?.unwrap_or(-1));
        let object = |number| Object {
            number,
            id: node.id().get_usize(),
        };
        match kind.value() {
            "Package" => around.package = Some(object((0, number()?))),
            "Die" => around.die = number()?,
            "L3Cache" => around.l3 = Some(object((0, number()?))),
            "Core" => around.core = Some(object((around.die, number()?))),
            "L1Cache" if self.line_bytes.is_none() => {
                let bytes = file.number(node, "cache_linesize")?;
                self.line_bytes = bytes.filter(|bytes| *bytes > 0);
            }
            "NUMANode" => {
                let bytes = file.number(node, "local_memory")?;
                let id = file.index(node)?;
                if self.nodes.insert(id, bytes).is_some() {
                    return Err(file.missing(node, "a number that no other node has"));
                }
            }
            "PU" => return self.add_pu(file, node, around),
            _ => {}
        }
        // A cache of memory is between an object and its node.
        let mut memory = objects(node, "MemCache").flat_map(|cache| objects(cache, "NUMANode"));
        let local = objects(node, "NUMANode").next().or_else(|| memory.next());
        if let Some(local) = local {
            around.node = Some(file.index(local)?);
        }
        self.around.insert(node.id().get_usize(), around);
        Ok(())
    }

    fn add_pu(
        &mut self,
        file: &File<'_>,
        node: Node<'_, '_>,
        around: Around,
    ) -> Result<(), TopologyError> {
        let cpu = file.index(node)?;
        // hwloc may have no object for a node without memory: then only the set names it.
        let mut near = file.set(node, "complete_nodeset")?;
        near = near.difference(&file.set(node, "nodeset")?);
        let own = near.iter().next().or(around.node);
        let place = Place {
            package: around.package,
            node: own
                .ok_or_else(|| file.missing(node, "an object `NUMANode` beside it or around it"))?,
            l3: around.l3,
            core: around.core.unwrap_or(Object {
                number: (around.die, -1),
                id: node.id().get_usize(),
            }),
        };
        if self.pus.insert(cpu, place).is_some() {
            return Err(file.missing(node, "a number that no other PU has"));
        }
        Ok(())
    }

    fn rows(&self) -> Vec<Row> {
        let package = self.keys(|place| place.package);
        let l3 = self.keys(|place| place.l3);
        let core = self.keys(|place| Some(place.core));
        let key = |keys: &BTreeMap<usize, usize>, object: Option<Object>| {
            object.and_then(|object| keys.get(&object.id).copied())
        };
        let row = |(cpu, place): (&usize, &Place)| Row {
            cpu: *cpu,
            package: key(&package, place.package).unwrap_or(0),
            node: place.node,
            l3: key(&l3, place.l3),
            core: key(&core, Some(place.core)).unwrap_or(0),
        };
        self.pus.iter().map(row).collect()
    }

    /// For each object its place in the order of the kernel's numbers, and among equals of the first CPUs.
    fn keys(&self, of: impl Fn(&Place) -> Option<Object>) -> BTreeMap<usize, usize> {
        let mut objects = BTreeMap::new();
        for (cpu, place) in &self.pus {
            if let Some(Object { number, id }) = of(place) {
                objects.entry(id).or_insert((number, *cpu));
            }
        }
        let mut order: Vec<_> = objects.into_iter().map(|(id, order)| (order, id)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, id)| id).zip(0..).collect()
    }

    /// The nodes; without distances where they leave one out.
    fn nodes(&self, distances: &BTreeMap<(usize, usize), u32>) -> Vec<NumaNode> {
        let row = |id: usize| {
            self.nodes
                .keys()
                .map(move |to| distances.get(&(id, *to)).copied())
        };
        let whole = self.nodes.keys().all(|id| row(*id).all(|to| to.is_some()));
        let node = |(id, memory_bytes): (&usize, &Option<u64>)| NumaNode {
            id: *id,
            memory_bytes: *memory_bytes,
            distances: if whole {
                row(*id).flatten().collect()
            } else {
                Vec::new()
            },
            weight: None,
        };
        self.nodes.iter().map(node).collect()
    }
}

fn is_object(node: Node<'_, '_>, kind: &str) -> bool {
    node.has_tag_name("object") && node.attribute("type") == Some(kind)
}

/// The objects of a kind in this one.
fn objects<'a, 'i>(node: Node<'a, 'i>, kind: &str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| is_object(*child, kind))
}

/// Whether it holds latencies of nodes; hwloc keeps bandwidths in the same way.
fn is_matrix(node: Node<'_, '_>) -> bool {
    const MEANS_LATENCY: u32 = 1 << 2;
    let kind = node
        .attribute("kind")
        .and_then(|kind| kind.parse::<u32>().ok());
    node.has_tag_name("distances2")
        && node.attribute("type") == Some("NUMANode")
        && node.attribute("indexing") == Some("os")
        && kind.is_some_and(|kind| kind & MEANS_LATENCY != 0)
}

/// The bytes before a row and a column, which are counted from 1, and the columns in characters.
fn offset(text: &str, pos: roxmltree::TextPos) -> usize {
    let count = |number: u32| usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
    let before: usize = text
        .split_inclusive('\n')
        .take(count(pos.row))
        .map(str::len)
        .sum();
    let line = text[before..].char_indices().map(|(at, _)| at);
    before + line.take(count(pos.col) + 1).last().unwrap_or(0)
}

/// The text, for the places of errors.
struct File<'a> {
    text: &'a str,
}

impl File<'_> {
    /// An error about a node as a whole.
    fn missing(&self, node: Node<'_, '_>, expected: &str) -> TopologyError {
        let range = node.range();
        TopologyError::at(range.start, &self.text[range], expected)
    }

    /// An error about the value of an attribute.
    fn wrong(&self, attribute: Attribute<'_, '_>, expected: impl Into<String>) -> TopologyError {
        let range = attribute.range_value();
        TopologyError::at(range.start, &self.text[range], expected)
    }

    fn attribute<'a, 'i>(
        &self,
        node: Node<'a, 'i>,
        name: &str,
    ) -> Result<Attribute<'a, 'i>, TopologyError> {
        node.attribute_node(name)
            .ok_or_else(|| self.missing(node, &format!("an attribute `{name}`")))
    }

    /// The value of an attribute, if it is there.
    fn number<T: FromStr>(
        &self,
        node: Node<'_, '_>,
        name: &str,
    ) -> Result<Option<T>, TopologyError> {
        let Some(attribute) = node.attribute_node(name) else {
            return Ok(None);
        };
        let value = attribute.value().parse();
        value
            .map(Some)
            .map_err(|_| self.wrong(attribute, "a number"))
    }

    /// The kernel's number of a PU or a node.
    fn index(&self, node: Node<'_, '_>) -> Result<usize, TopologyError> {
        let attribute = self.attribute(node, "os_index")?;
        let index = attribute.value().parse().ok();
        index
            .filter(|index| *index < CpuSet::LIMIT)
            .ok_or_else(|| self.wrong(attribute, format!("a number below {}", CpuSet::LIMIT)))
    }

    /// A set, in words of 32 bits with the highest first: `0x00000001,,0x0000ffff`.
    fn set(&self, node: Node<'_, '_>, name: &str) -> Result<CpuSet, TopologyError> {
        let attribute = self.attribute(node, name)?;
        let mut set = CpuSet::new();
        for (index, word) in attribute.value().rsplit(',').enumerate() {
            let digits = word.strip_prefix("0x").unwrap_or(word);
            let bits = if digits.is_empty() {
                Ok(0)
            } else {
                u32::from_str_radix(digits, 16)
            };
            let bits = bits
                .ok()
                .filter(|bits| *bits == 0 || index < CpuSet::LIMIT / 32);
            let Some(bits) = bits else {
                let expected = format!("a set of numbers below {}", CpuSet::LIMIT);
                return Err(self.wrong(attribute, expected));
            };
            for bit in (0..32).filter(|bit| bits >> bit & 1 == 1) {
                set.insert(32 * index + bit);
            }
        }
        Ok(set)
    }

    /// From node to node.
    fn distances(
        &self,
        matrix: Node<'_, '_>,
    ) -> Result<BTreeMap<(usize, usize), u32>, TopologyError> {
        let ids: Vec<usize> = self.words(matrix, "indexes")?;
        let values: Vec<u32> = self.words(matrix, "u64values")?;
        if ids.len().checked_mul(ids.len()) != Some(values.len()) {
            let expected = format!(
                "a distance from each of {} nodes to each, not {}",
                ids.len(),
                values.len()
            );
            return Err(self.missing(matrix, &expected));
        }
        let pairs = ids
            .iter()
            .flat_map(|from| ids.iter().map(move |to| (*from, *to)));
        Ok(pairs.zip(values).collect())
    }

    /// The numbers in all children of this name.
    fn words<T: FromStr>(&self, node: Node<'_, '_>, name: &str) -> Result<Vec<T>, TopologyError> {
        let mut numbers = Vec::new();
        for child in node.children().filter(|child| child.has_tag_name(name)) {
            for word in child.text().unwrap_or_default().split_whitespace() {
                let number = word.parse();
                numbers.push(
                    number
                        .map_err(|_| self.missing(child, &format!("numbers, and not {word:?}")))?,
                );
            }
        }
        Ok(numbers)
    }
}
