//! Copying a table: it is frozen, and its members go to a table that nobody else sees; then the shard's word is exchanged.

use super::freezing::{Freezing, stores};
use super::memory::{Kind, Line, Memory, Threads, Word};
use super::model::{Bug, Run};

/// What comes next for who copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// Ask who is running.
    Grace,
    /// See whether they have ended: the copy's own grace period.
    IsOver(Threads),
    /// Freeze the table's line of this number.
    Freeze(u8, Freezing),
    /// Lead the shard from the table to the copy.
    Exchange,
}

/// A copy of a table that is being left at once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Copying {
    /// The table.
    table: u8,
    at: At,
    /// What is to be in the copy.
    members: Vec<Kind>,
}

impl Copying {
    /// Not begun.
    #[must_use]
    pub const fn new(table: u8) -> Self {
        Self {
            table,
            at: At::Grace,
            members: Vec::new(),
        }
    }

    /// One access; none if the shard has another table.
    #[must_use]
    pub fn step(mut self, run: &mut Run<'_>) -> Option<Self> {
        self.at = match self.at {
            At::Grace => At::IsOver(run.others),
            At::IsOver(grace) => {
                let stores = stores(run, Some(grace));
                self.freeze(run, 0, stores)
            }
            At::Freeze(number, freezing) => {
                let is_early = run.bug == Some(Bug::CopiedUnfrozen);
                let mut found = Vec::new();
                let next = freezing.step(run, |kind| found.push(kind));
                if !is_early {
                    self.take(run, found);
                }
                match next {
                    Some(freezing) => At::Freeze(number, freezing),
                    None if number + 1 == 1 << self.table => At::Exchange,
                    None => self.freeze(run, number + 1, freezing.stores()),
                }
            }
            At::Exchange => {
                self.exchange(run);
                return None;
            }
        };
        Some(self)
    }

    /// Begins with a line.
    fn freeze(&mut self, run: &Run<'_>, number: u8, stores: bool) -> At {
        let line: Line = (1 << self.table) - 1 + number;
        if run.bug == Some(Bug::CopiedUnfrozen) {
            let words = run.memory.bucket(line).into_iter();
            self.take(run, words.map(|word| word.kind));
        }
        At::Freeze(number, Freezing::new(run, line, stores))
    }

    fn take(&mut self, run: &Run<'_>, found: impl IntoIterator<Item = Kind>) {
        let found = found.into_iter().map(|kind| run.member(kind));
        self.members
            .extend(found.filter(|kind| matches!(kind, Kind::Live { .. })));
    }

    /// Leads the shard to the copy, unless it has another table. Only then the copy is seen, so it is made here.
    fn exchange(&self, run: &mut Run<'_>) {
        let new = self.table + 1;
        let is_first = run.memory.present == self.table;
        if !is_first && run.bug != Some(Bug::CopiedOver) {
            return;
        }
        // (The mistake leads the shard to a second table of this size, which is put in the place of the first.)
        for number in 0..1 << new {
            let line = (1 << new) - 1 + number;
            let last = run.memory.slots - 1;
            (0..last).for_each(|slot| run.memory.write(line, slot, Kind::Zero));
            run.memory.write(line, last, Kind::Empty);
        }
        for &member in &self.members {
            if let Kind::Live { key, .. } = member {
                let home = Memory::home(new, run.keys[usize::from(key)]);
                let is_wrong = run.bug == Some(Bug::CopyUnsigned);
                run.memory.append(home, member, |behind| match is_wrong {
                    true => behind,
                    false => behind.with(key),
                });
            }
        }
        run.memory.present = new;
    }

    /// What is known of a slot that is not frozen yet.
    pub fn read_mut(&mut self) -> Option<&mut Word> {
        match &mut self.at {
            At::Freeze(_, freezing) => freezing.read_mut(),
            _ => None,
        }
    }

    /// Who still runs of those that were met.
    pub fn grace_mut(&mut self) -> Option<&mut Threads> {
        match &mut self.at {
            At::IsOver(grace) => Some(grace),
            _ => None,
        }
    }
}
