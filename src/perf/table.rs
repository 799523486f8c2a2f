//! The table: which event of which CPU counts a role, or why none does.

use super::event::{Encoding, Layout};
use super::host::{Cpu, layout_of};
use super::{Role, parse};
use crate::error::EventTableError;
use core::ops::RangeInclusive;

/// The rows that come with the crate.
const SHIPPED: &str = include_str!("events.toml");

/// Events by CPU and role, with the document that each row comes from.
///
/// ```
/// use atomshard::perf::{Cpu, Entry, Role, Table};
///
/// let table = Table::shipped().with_rows(
///     r#"
///     [[cpu]]
///     key = "granite-rapids"
///     vendor = "GenuineIntel"
///     family = 6
///     models = [[0xad, 0xae]]
///
///     [[row]]
///     cpus = ["granite-rapids"]
///     role = "locked_ops"
///     name = "MEM_INST_RETIRED.LOCK_LOADS"
///     event = 0xd0
///     umask = 0x21
///     source = "x86/graniterapids/cache.json"
///     "#,
/// )?;
/// let cpu = Cpu::X86 {
///     vendor: "GenuineIntel".to_owned(),
///     family: 6,
///     model: 0xad,
/// };
/// let row = table.row(&cpu, None, Role::LockedOps).expect("it was added");
/// assert!(matches!(&row.entry, Entry::Event { encoding, .. } if encoding.event == 0xd0));
/// # Ok::<(), atomshard::EventTableError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    kinds: Vec<Kind>,
    rows: Vec<Row>,
}

/// What a kind of CPU has for a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The key of the kind.
    pub cpu: String,
    /// The role.
    pub role: Role,
    /// The event, or why there is none.
    pub entry: Entry,
    /// The document that says so.
    pub source: String,
}

/// The event for a role, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry {
    /// The CPU counts it.
    Event {
        /// The vendor's name of the event.
        name: String,
        /// Its numbers.
        encoding: Encoding,
        /// What is counted beside the role, or is left out.
        over_count: Option<String>,
    },
    /// The CPU has no event for it.
    Cannot {
        /// Why not.
        why: String,
    },
}

/// A kind of CPU: those that count alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) key: String,
    pub(super) which: Which,
    /// The names of its counting unit; empty if any is right.
    pub(super) pmus: Vec<String>,
}

/// Which CPUs are of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    X86 {
        vendor: String,
        family: u32,
        models: Vec<RangeInclusive<u32>>,
    },
    Arm {
        implementer: u32,
        parts: Vec<u32>,
    },
}

impl Kind {
    pub(super) fn layout(&self) -> Layout {
        match &self.which {
            Which::X86 { vendor, .. } => layout_of(vendor),
            Which::Arm { .. } => Layout::Arm,
        }
    }

    fn is(&self, cpu: &Cpu, pmu: Option<&str>) -> bool {
        let same = match (&self.which, cpu) {
            (
                Which::X86 {
                    vendor,
                    family,
                    models,
                },
                Cpu::X86 {
                    vendor: its_vendor,
                    family: its_family,
                    model,
                },
            ) => {
                (vendor, family) == (its_vendor, its_family)
                    && models.iter().any(|range| range.contains(model))
            }
            (
                Which::Arm { implementer, parts },
                Cpu::Arm {
                    implementer: its,
                    part,
                },
            ) => implementer == its && parts.contains(part),
            _ => false,
        };
        let unit = |name: &str| self.pmus.iter().any(|own| own == name);
        same && (self.pmus.is_empty() || pmu.is_none_or(unit))
    }
}

impl Table {
    /// The rows that come with the crate: Intel's Skylake, Ice Lake and Golden Cove, servers and
    /// clients; AMD's Zen 2 to 5; Arm's Neoverse N1, N2, V1 and V2.
    ///
    /// # Panics
    /// Never: the text is part of the crate, and the tests read it.
    #[must_use]
    pub fn shipped() -> Self {
        let empty = Self {
            kinds: Vec::new(),
            rows: Vec::new(),
        };
        empty.with_rows(SHIPPED).expect("the tests read it")
    }

    /// The table with the kinds of CPU and the rows of a TOML text. A row replaces the one for the same
    /// kind and role. Where a CPU is of two kinds, the one that came later counts, role by role.
    ///
    /// The form: the head of `src/perf/events.toml`, and the example above.
    ///
    /// # Errors
    /// The line, what is there and what would be right. Then nothing of the text is taken.
    pub fn with_rows(mut self, text: &str) -> Result<Self, EventTableError> {
        let added = parse::parse(text, &self.kinds)?;
        self.kinds.extend(added.kinds);
        for row in added.rows {
            self.rows
                .retain(|old| (&old.cpu, old.role) != (&row.cpu, row.role));
            self.rows.push(row);
        }
        Ok(self)
    }

    /// The row for a CPU whose unit has this name; without a name any unit is right.
    #[must_use]
    pub fn row(&self, cpu: &Cpu, pmu: Option<&str>, role: Role) -> Option<&Row> {
        let mut kinds = self.kinds.iter().rev().filter(|kind| kind.is(cpu, pmu));
        kinds.find_map(|kind| {
            let mut rows = self.rows.iter();
            rows.find(|row| row.role == role && row.cpu == kind.key)
        })
    }

    /// The keys of the kinds that a CPU is of, in the order in which they came.
    pub fn keys_of(&self, cpu: &Cpu, pmu: Option<&str>) -> impl Iterator<Item = &str> {
        let kinds = self.kinds.iter().filter(move |kind| kind.is(cpu, pmu));
        kinds.map(|kind| kind.key.as_str())
    }

    /// Every row.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How the events of the rows with this key are packed.
    #[must_use]
    pub fn layout_of(&self, key: &str) -> Option<Layout> {
        let kind = self.kinds.iter().find(|kind| kind.key == key)?;
        Some(kind.layout())
    }
}
