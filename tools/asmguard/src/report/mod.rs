//! What came of it, for people and for programs.

mod annotations;
mod markdown;
mod text;

use serde::Serialize;
use similar::TextDiff;
use std::collections::BTreeMap;

/// Everything that was judged.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The variants.
    pub variants: Vec<Group>,
    /// What was needed and is not there; nothing passes without it.
    pub missing: Vec<String>,
}

/// One variant.
#[derive(Debug, Serialize)]
pub struct Group {
    /// Its name.
    pub variant: String,
    /// Whether snapshots could be compared.
    pub recording: Recording,
    /// Each probe.
    pub verdicts: Vec<Verdict>,
    /// How long it took, building included.
    pub seconds: f64,
}

/// Whether the snapshots are of this compiler.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Recording {
    /// The same compiler, flags and tools.
    Same,
    /// They are compared, but the header is not what it would be now; the diff.
    Stale(String),
    /// Another compiler, which is named; snapshots are not compared.
    Other(String),
    /// There are none yet.
    None,
}

/// What became of a probe's snapshot.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Not compared.
    Skipped,
    /// As recorded.
    Same,
    /// Not recorded yet.
    New,
    /// Recorded, but there is no such probe.
    Gone,
    /// Recorded otherwise.
    Different {
        /// How many instructions of each class came and went.
        classes: Vec<String>,
        /// The lines.
        text: String,
    },
}

/// One probe.
#[derive(Debug, Serialize)]
pub struct Verdict {
    /// Its name.
    pub probe: String,
    /// How many instructions it has.
    pub instructions: usize,
    /// How many of them are in each class, by the class's name.
    pub classes: BTreeMap<String, usize>,
    /// How many more than the same operation of `core`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub than_core: Option<i64>,
    /// What breaks the contract.
    pub contract: Vec<String>,
    /// What became of its snapshot.
    pub change: Change,
    /// Where its source is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<(String, usize)>,
}

impl Recording {
    /// True when snapshots are compared.
    #[must_use]
    pub const fn compares(&self) -> bool {
        !matches!(self, Self::Other(_))
    }
}

impl Verdict {
    pub(crate) fn new(probe: &str, source: Option<&(String, usize)>) -> Self {
        Self {
            probe: probe.to_owned(),
            instructions: 0,
            classes: BTreeMap::new(),
            than_core: None,
            contract: Vec::new(),
            change: Change::Skipped,
            source: source.cloned(),
        }
    }

    /// True when the snapshot is not as recorded.
    #[must_use]
    pub const fn differs(&self) -> bool {
        !matches!(self.change, Change::Skipped | Change::Same)
    }
}

impl Group {
    /// How many probes break the contract.
    #[must_use]
    pub fn broken(&self) -> usize {
        let verdicts = self.verdicts.iter();
        verdicts.filter(|probe| !probe.contract.is_empty()).count()
    }

    /// How many snapshots are not as recorded; the header counts as one.
    #[must_use]
    pub fn different(&self) -> usize {
        let stale = matches!(self.recording, Recording::Stale(_) | Recording::None);
        let probes = self.verdicts.iter().filter(|probe| probe.differs()).count();
        probes + usize::from(stale)
    }
}

impl Report {
    /// 0: all as it should be. 1: a contract is broken. 2: a snapshot differs. 3: something that is
    /// needed is missing, or nothing was judged.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let sum = |of: fn(&Group) -> usize| self.variants.iter().map(of).sum::<usize>();
        let nothing = self.variants.iter().all(|group| group.verdicts.is_empty());
        if !self.missing.is_empty() || nothing {
            3
        } else if sum(Group::broken) > 0 {
            1
        } else if sum(Group::different) > 0 {
            2
        } else {
            0
        }
    }

    /// The whole report as JSON, with the exit code.
    #[must_use]
    pub fn json(&self) -> String {
        #[derive(Serialize)]
        struct Whole<'a> {
            schema: u32,
            exit_code: u8,
            #[serde(flatten)]
            report: &'a Report,
        }
        let whole = Whole {
            schema: 1,
            exit_code: self.exit_code(),
            report: self,
        };
        // No map with keys that are not strings, so this does not fail.
        serde_json::to_string_pretty(&whole).unwrap_or_default()
    }
}

/// The lines that differ, with a little around them.
pub(crate) fn text_diff(old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    let text = diff.unified_diff().context_radius(2).to_string();
    // The places are of no use: a snapshot is short.
    let lines = text.lines().filter(|line| !line.starts_with("@@"));
    lines.collect::<Vec<_>>().join("\n")
}
