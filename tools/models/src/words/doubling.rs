//! A doubling, as an operation: begin it, move each unit or copy the table, and lead the shard to the new one.

use super::copying::Copying;
use super::memory::{TABLES, Threads, Word};
use super::model::Run;
use super::moving::Help;

/// What comes next for who doubles a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Doubling {
    /// Say in the header that the table is being left, if that is not said.
    Leave(u8),
    /// Ask who is running.
    Grace(u8),
    /// Say so to the other movers.
    SetGrace(u8, Threads),
    /// Move a unit.
    Unit(u8, Help),
    /// Lead the shard to the new table.
    TakeOver(u8),
    /// Make a copy, and lead the shard to it.
    Copy(Copying),
}

impl Doubling {
    /// A doubling of a table, if there is room for one.
    #[must_use]
    pub fn new(table: u8) -> Option<Self> {
        (table + 1 < TABLES).then_some(Self::Leave(table))
    }

    /// One access; none if the shard has the new table.
    #[must_use]
    pub fn step(self, run: &mut Run<'_>) -> Option<Self> {
        Some(match self {
            Self::Leave(table) => {
                let is_first = !run.memory.is_left(table);
                run.memory.newest = run.memory.newest.max(table + 1);
                match run.is_at_once(table) {
                    true => Self::Copy(Copying::new(table)),
                    false if is_first => Self::Grace(table),
                    false => Self::Unit(table, Help::new(table, 0)),
                }
            }
            Self::Grace(table) => Self::SetGrace(table, run.others),
            Self::SetGrace(table, grace) => {
                run.memory.graces[usize::from(table)] = Some(grace);
                Self::Unit(table, Help::new(table, 0))
            }
            Self::Unit(table, help) => {
                let unit = help.unit + 1;
                match help.step(run) {
                    Some(help) => Self::Unit(table, help),
                    None if unit == 1 << table => Self::TakeOver(table),
                    None => Self::Unit(table, Help::new(table, unit)),
                }
            }
            Self::TakeOver(table) => {
                if run.memory.present == table {
                    run.memory.present = table + 1;
                }
                return None;
            }
            Self::Copy(copying) => Self::Copy(copying.step(run)?),
        })
    }

    /// What is known of a slot that is not frozen yet.
    pub fn read_mut(&mut self) -> Option<&mut Word> {
        match self {
            Self::Unit(_, help) => help.read_mut(),
            Self::Copy(copying) => copying.read_mut(),
            _ => None,
        }
    }

    /// Who still runs of those that were met.
    pub fn grace_mut(&mut self) -> Option<&mut Threads> {
        match self {
            Self::SetGrace(_, grace) => Some(grace),
            Self::Copy(copying) => copying.grace_mut(),
            _ => None,
        }
    }
}
