//! Texts: words and bytes after each other, and good texts with changes.

use arbitrary::{Result, Unstructured};

/// What lists of CPUs consist of.
pub(super) const LIST: &[&str] = &["0", "1", "-", ",", "0-3", "7", "65535", "65536"];

/// What descriptions consist of.
const SYNTHETIC: &[&str] = &[
    "pack:2 ",
    "numa:2 ",
    "l3:2 ",
    "core:2 ",
    "pu:2",
    "[numa] ",
    "die:2 ",
    "l2:1 ",
    "core:65536 ",
    "pu:4(indexes=",
    "numa:2(memory=",
    "[numa(memory=",
    "8GB",
    "0,2,1,3",
    "0-3",
    ")",
    "(",
    "[",
    "]",
    ":",
    " ",
    ",",
    "-",
    "1",
    "9",
    "0",
    "99999999999999999999",
    "indexes=",
    "memory=",
    "\u{e9}",
    "TiB",
];

/// What XML of hwloc's consists of.
const XML: &[&str] = &[
    "\"",
    "<",
    ">",
    "/>",
    "</object>",
    "<object type=\"PU\" os_index=\"3\" cpuset=\"0x00000008\"/>",
    "<object type=\"",
    "NUMANode",
    "Package",
    "Core",
    "L3Cache",
    "PU",
    "Group",
    "Misc",
    " os_index=\"",
    " cpuset=\"0x",
    " nodeset=\"0x",
    "complete_",
    "allowed_",
    "f",
    "0",
    "1",
    "9",
    "-1",
    ",",
    ",0x",
    "0xffffffff,",
    "0xf...f",
    "18446744073709551616",
    " local_memory=\"",
    "<distances2 type=\"NUMANode\" nbobjs=\"2\">",
    "<indexes length=\"3\">",
    "<u64values length=\"9\">",
    "10 20 20 10",
    "&lt;",
    "&#0;",
    "<!--",
    "]]>",
    "\u{e9}",
];

/// What files of the kernel's consist of.
pub(super) const FILE: &[&str] = &[
    "0",
    "1",
    "3",
    "-1",
    "-",
    ",",
    "\n",
    " ",
    "0-3",
    "65535",
    "65536",
    "99999999999999999999",
    "kB",
    "max",
    "100000",
    "MemTotal:",
    "Cpus_allowed_list:\t",
    "Mems_allowed_list:\t",
    "0::/",
    "4:cpu:/a",
    "/..",
    " - cgroup2 ",
    "\u{e9}",
];

/// A text of at most so many words; a byte that stands for no word is a letter.
pub(super) fn words(u: &mut Unstructured<'_>, known: &[&str], most: usize) -> Result<String> {
    let mut text = String::new();
    for _ in 0..u.int_in_range(0..=most)? {
        let byte: u8 = u.arbitrary()?;
        match known.get(usize::from(byte)) {
            Some(word) => text.push_str(word),
            None => text.push(char::from(byte & 0x7f)),
        }
    }
    Ok(text)
}

/// A change of a text: from a place on, so many letters are replaced.
#[derive(Debug)]
pub(super) struct Edit {
    /// In parts of 65,536 of the text.
    at: u16,
    removed: usize,
    put: String,
}

impl Edit {
    pub(super) fn arbitrary(u: &mut Unstructured<'_>, known: &[&str]) -> Result<Self> {
        Ok(Self {
            at: u.arbitrary()?,
            removed: u.int_in_range(0..=9)?,
            put: words(u, known, 3)?,
        })
    }

    pub(super) fn apply(&self, text: &mut Vec<u8>) {
        let at = (usize::from(self.at) * (text.len() + 1)) >> 16;
        let end = (at + self.removed).min(text.len());
        text.splice(at..end, self.put.bytes());
    }
}

/// A good text with changes.
#[derive(Debug)]
pub(super) struct Mangled {
    good: &'static str,
    edits: Vec<Edit>,
}

/// Descriptions; what the first one becomes consists of changes alone.
const DESCRIBED: [&str; 3] = [
    "",
    "pack:2 [numa(memory=8GB)] l3:2 core:2 l2:1(size=1MB) pu:2(indexes=0-7,1024-1031)",
    "numa:3 pu:2",
];

/// Two packages as they were described, and a test machine with odd nodes, as hwloc writes them.
const WRITTEN: [&str; 2] = [
    include_str!("../../../../tests/topology/two_nodes.xml"),
    include_str!("../../../../tests/topology/odd_nodes.xml"),
];

impl Mangled {
    pub(super) fn of_synthetic(u: &mut Unstructured<'_>) -> Result<Self> {
        Self::of(u, &DESCRIBED, SYNTHETIC)
    }

    pub(super) fn of_xml(u: &mut Unstructured<'_>) -> Result<Self> {
        Self::of(u, &WRITTEN, XML)
    }

    fn of(u: &mut Unstructured<'_>, good: &[&'static str], known: &[&str]) -> Result<Self> {
        let good = *u.choose(good)?;
        let edits = (0..u.int_in_range(0..=6)?).map(|_| Edit::arbitrary(u, known));
        Ok(Self {
            good,
            edits: edits.collect::<Result<_>>()?,
        })
    }

    /// The text; what is no UTF-8 any more is replaced.
    pub(super) fn text(&self) -> String {
        let mut text = self.good.as_bytes().to_vec();
        self.edits.iter().for_each(|edit| edit.apply(&mut text));
        String::from_utf8_lossy(&text).into_owned()
    }
}
