//! Moving a unit: one old line with what it is linked to, into two new lines.

use super::freezing::{Freezing, stores};
use super::memory::{Behind, Kind, Line, Memory, Word};
use super::model::{Bug, Run};

/// What comes next for a mover.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Moving {
    /// See whether those have ended who may write to the old table.
    IsOver,
    /// Look whether it is done; then slots are made final by stores, or not.
    Look(bool),
    /// Freeze the old bucket.
    Freeze(Freezing),
    /// Write, in the new line of this number, 0 or 1, what comes in this place of [`Help::births`].
    Births(u8, u8),
}

/// A move of the unit `unit` of `table`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Help {
    /// The old table.
    pub table: u8,
    /// Its line, by number in the table.
    pub unit: u8,
    /// Where the mover is.
    pub at: Moving,
}

impl Help {
    /// Not begun.
    #[must_use]
    pub const fn new(table: u8, unit: u8) -> Self {
        Self {
            table,
            unit,
            at: Moving::IsOver,
        }
    }

    /// The old line.
    const fn old(&self) -> Line {
        (1 << self.table) - 1 + self.unit
    }

    /// A new line.
    const fn new_line(&self, number: u8) -> Line {
        (2 << self.table) - 1 + 2 * self.unit + number
    }

    /// One access; none if the unit is born.
    #[must_use]
    pub fn step(mut self, run: &mut Run<'_>) -> Option<Self> {
        self.at = match self.at {
            Moving::IsOver => {
                let grace = run.memory.graces[usize::from(self.table)];
                Moving::Look(stores(run, grace))
            }
            Moving::Look(_) if run.memory.is_born(self.new_line(1)) => return None,
            Moving::Look(stores) => Moving::Freeze(Freezing::new(run, self.old(), stores)),
            // The members are final then, and found again.
            Moving::Freeze(freezing) => match freezing.step(run, |_| ()) {
                Some(freezing) => Moving::Freeze(freezing),
                None => Moving::Births(0, 0),
            },
            Moving::Births(number, place) => {
                let members = self.members(run, number);
                let births = Self::births(run, &members);
                let slot = births[usize::from(place)];
                self.birth(run, self.new_line(number), slot, &members);
                match (usize::from(place) + 1 == births.len(), number) {
                    (false, _) => Moving::Births(number, place + 1),
                    (true, 0) => Moving::Births(1, 0),
                    (true, _) => return None,
                }
            }
        };
        Some(self)
    }

    /// What is known of a slot that is not frozen yet.
    pub fn read_mut(&mut self) -> Option<&mut Word> {
        match &mut self.at {
            Moving::Freeze(freezing) => freezing.read_mut(),
            _ => None,
        }
    }

    /// The members of a new line. The old bucket is frozen, so all movers find the same ones, in the same order.
    fn members(&self, run: &Run<'_>, number: u8) -> Vec<Kind> {
        let line = self.new_line(number);
        let is_here = |kind: &Kind| match *kind {
            Kind::Live { key, .. } => {
                Memory::home(self.table + 1, run.keys[usize::from(key)]) == line
            }
            _ => false,
        };
        let frozen = run.memory.bucket(self.old()).into_iter();
        frozen
            .map(|word| run.member(word.kind))
            .filter(is_here)
            .collect()
    }

    /// The slots of a new line that a mover writes: from the first on those of its members but the last, which goes to the last slot at last.
    fn births(run: &Run<'_>, members: &[Kind]) -> Vec<u8> {
        let last = run.memory.slots - 1;
        let mut births: Vec<u8> = (0..last).collect();
        if run.bug != Some(Bug::EmptyStored) {
            births.truncate(members.len().saturating_sub(1));
        }
        births.push(last);
        if run.bug == Some(Bug::BornEarly) {
            births.reverse();
        }
        births
    }

    /// Gives a slot of a new line its content, if it has none.
    fn birth(&self, run: &mut Run<'_>, line: Line, slot: u8, members: &[Kind]) {
        let last = run.memory.slots - 1;
        let rest = usize::from(last);
        let overflows = members.len() > usize::from(run.memory.slots);
        let kind = if slot == last && overflows {
            // What does not fit, in lines behind; the last ones first.
            let mut parts: Vec<&[Kind]> = members[rest..].chunks(rest).collect();
            let mut next = None;
            while let Some(part) = parts.pop() {
                let behind = run.memory.lengthen(part);
                if let Some(next) = next {
                    run.memory
                        .write(behind, last, Kind::Link(next, Behind::default()));
                }
                next = Some(behind);
            }
            let behind = match run.bug {
                Some(Bug::ChainUnsigned) => Behind::default(),
                _ => Behind::of(&members[rest..]),
            };
            next.map_or(Kind::Empty, |next| Kind::Link(next, behind))
        } else if slot == last {
            members.last().copied().unwrap_or(Kind::Empty)
        } else {
            let front = &members[..members.len().saturating_sub(1)];
            front.get(usize::from(slot)).copied().unwrap_or(Kind::Zero)
        };
        let unborn = Word::new(Kind::Zero);
        let is_zero = |slot: &u8| run.memory.load(line, *slot) == unborn;
        let slot = match run.bug {
            Some(Bug::BornAnywhere) if slot < last => (0..last).find(is_zero).unwrap_or(slot),
            _ => slot,
        };
        let is_new = run.memory.exchange(line, slot, unborn, Word::new(kind));
        if !is_new && (run.bug == Some(Bug::BornByStore) || kind == Kind::Zero) {
            run.memory.write(line, slot, kind);
        } else if !is_new && slot == last && overflows {
            // Nobody has seen them.
            (0..members[rest..].chunks(rest).count()).for_each(|_| run.memory.shorten());
        }
    }
}
