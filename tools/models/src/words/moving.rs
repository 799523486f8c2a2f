//! Moving a unit: one old line with what it is linked to, into two new lines.

use super::memory::{Kind, Line, Memory, Word};
use super::model::{Bug, Run};

/// What comes next for a mover.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Moving {
    /// Look whether it is done.
    Look,
    /// Freeze the links of the bucket, from this line on.
    Links(Line),
    /// Freeze the other slots, from this one of this line on.
    Slots(Line, u8),
    /// Write this slot of the new line of this number, 0 or 1.
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
            at: Moving::Look,
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
        let last = run.memory.slots - 1;
        self.at = match self.at {
            Moving::Look if run.memory.is_born(self.new_line(1)) => return None,
            Moving::Look if run.bug == Some(Bug::LinksLast) => Moving::Slots(self.old(), 0),
            Moving::Look => Moving::Links(self.old()),
            Moving::Links(line) => match run.memory.freeze(line, last) {
                Kind::Link(next) => Moving::Links(next),
                _ if run.bug == Some(Bug::LinksLast) => Moving::Births(0, 0),
                _ => Moving::Slots(self.old(), 0),
            },
            Moving::Slots(line, slot) if slot < last => {
                let is_empty = run.memory.load(line, slot).kind == Kind::Empty;
                if !(is_empty && run.bug == Some(Bug::EmptyStays)) {
                    run.memory.freeze(line, slot);
                }
                Moving::Slots(line, slot + 1)
            }
            // (A foregone step: what was frozen is final.)
            Moving::Slots(line, _) => match run.memory.load(line, last).kind {
                Kind::Link(next) => Moving::Slots(next, 0),
                _ if run.bug == Some(Bug::LinksLast) => Moving::Links(self.old()),
                _ => Moving::Births(0, 0),
            },
            Moving::Births(number, place) => {
                let slot = match run.bug {
                    Some(Bug::BornEarly) => last - place,
                    _ => place,
                };
                self.birth(run, number, slot);
                match (place == last, number) {
                    (false, _) => Moving::Births(number, place + 1),
                    (true, 0) => Moving::Births(1, 0),
                    (true, _) => return None,
                }
            }
        };
        Some(self)
    }

    /// Gives a slot of a new line its content, if it has none.
    fn birth(&self, run: &mut Run<'_>, number: u8, slot: u8) {
        let line = self.new_line(number);
        let last = run.memory.slots - 1;
        let is_here = |kind: &Kind| match *kind {
            Kind::Live { key, .. } => {
                Memory::home(self.table + 1, run.keys[usize::from(key)]) == line
            }
            _ => false,
        };
        let frozen = run.memory.bucket(self.old()).into_iter();
        let members: Vec<Kind> = frozen.map(|word| word.kind).filter(is_here).collect();
        let rest = usize::from(last);
        let overflows = members.len() > usize::from(run.memory.slots);
        let kind = if slot == last && overflows {
            // What does not fit, in lines behind; the last ones first.
            let mut parts: Vec<&[Kind]> = members[rest..].chunks(rest).collect();
            let mut next = None;
            while let Some(part) = parts.pop() {
                let behind = run.memory.lengthen(part);
                if let Some(next) = next {
                    run.memory.write(behind, last, Kind::Link(next));
                }
                next = Some(behind);
            }
            next.map_or(Kind::Empty, Kind::Link)
        } else {
            let member = members.get(usize::from(slot));
            member.copied().unwrap_or(Kind::Empty)
        };
        let unborn = Word::new(Kind::Unborn);
        let is_new = run.memory.exchange(line, slot, unborn, Word::new(kind));
        if !is_new && run.bug == Some(Bug::BornByStore) {
            run.memory.write(line, slot, kind);
        } else if !is_new && slot == last && overflows {
            // Nobody has seen them.
            (0..members[rest..].chunks(rest).count()).for_each(|_| run.memory.shorten());
        }
    }
}
