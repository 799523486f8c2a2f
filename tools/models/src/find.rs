//! `src/map/shard_map/raw/find.rs`: `get` and `get_moving`; `scan`, on which every write builds; `locate`.

use crate::config::Bug;
use crate::memory::{At, Content, Object, Word};
use crate::migration::MoveUnit;
use crate::resize::Help;
use crate::thread::{Cell, Frame, Next, Run, Value};

/// `Place` and `Found`: where a key is, or could be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The table that was scanned.
    pub table: u8,
    /// What is there.
    pub found: Found,
}

/// What a scan of a bucket has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Found {
    /// The key is in the map: its slot, and the word there.
    Member(At, Word),
    /// It is not: the first vacant slot, and the last line with its link word.
    Absent(Option<(At, Word)>, (u8, Word)),
}

/// All words of a line that a filter reads: the slots, and the link word if the order is open.
fn unread(run: &Run<'_>) -> u8 {
    let slots = (1_u8 << run.config.slots) - 1;
    if run.config.any_order {
        slots << 1 | 1
    } else {
        slots
    }
}

/// The number of the lowest bit.
fn lowest(mask: u8) -> u8 {
    u8::try_from(mask.trailing_zeros()).unwrap_or(0)
}

/// Reads the next word of a filter: bit 0 is the link word if the order is open.
fn read(run: &mut Run<'_>, table: u8, depth: u8, unread: &mut u8) -> (u8, Option<Word>, Word) {
    let bit = if run.config.any_order {
        run.choice
    } else {
        lowest(*unread)
    };
    *unread &= !(1 << bit);
    if run.config.any_order && bit == 0 {
        let link = run.load(table, Cell::Link(depth));
        return (0, Some(link), Word::VACANT);
    }
    let slot = bit - u8::from(run.config.any_order);
    (slot, None, run.load(table, Cell::Slot(depth, slot)))
}

/// `RawMap::get`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Get {
    /// `Directory::table_of`.
    Table,
    /// `Line::filter`: words not looked at, slots that match, the link word if it was read.
    Filter {
        /// The table.
        table: u8,
        /// Words not looked at.
        unread: u8,
        /// Slots that match.
        matching: u8,
        /// The link word.
        link: Option<Word>,
    },
    /// `slot.load()` of the first slot that matches.
    Load {
        /// The table.
        table: u8,
        /// Slots that match.
        matching: u8,
        /// The link word.
        link: Option<Word>,
    },
    /// `line.link().load()`.
    Link {
        /// The table.
        table: u8,
    },
}

impl Get {
    pub(crate) fn step(self, run: &mut Run<'_>) -> Next {
        match self {
            Self::Table => Next::Stay(Frame::Get(Self::Filter {
                table: run.memory.words[usize::from(run.hash().shard)],
                unread: unread(run),
                matching: 0,
                link: None,
            })),
            Self::Filter {
                table,
                mut unread,
                mut matching,
                mut link,
            } => {
                let (slot, read_link, word) = read(run, table, 0, &mut unread);
                link = link.or(read_link);
                // A frozen member matches too: only the upper half-word is compared.
                matching |= u8::from(run.matching(word, run.hash()).is_some()) << slot;
                if unread == 0 {
                    return Self::look(table, matching, link);
                }
                Next::Stay(Frame::Get(Self::Filter {
                    table,
                    unread,
                    matching,
                    link,
                }))
            }
            Self::Load {
                table,
                matching,
                link,
            } => {
                let slot = lowest(matching);
                let word = run.load(table, Cell::Slot(0, slot));
                match run.matching(word, run.hash()) {
                    Some(entry) if !word.frozen => {
                        if run.is_key(entry) {
                            return Next::Return(Value::Answer(Some(entry)));
                        }
                        Self::look(table, matching & (matching - 1), link)
                    }
                    _ => GetMoving::of(table),
                }
            }
            Self::Link { table } => {
                let link = run.load(table, Cell::Link(0));
                Self::missed(table, link)
            }
        }
    }

    fn look(table: u8, matching: u8, link: Option<Word>) -> Next {
        match link {
            _ if matching != 0 => Next::Stay(Frame::Get(Self::Load {
                table,
                matching,
                link,
            })),
            Some(link) => Self::missed(table, link),
            None => Next::Stay(Frame::Get(Self::Link { table })),
        }
    }

    fn missed(table: u8, link: Word) -> Next {
        if link.is_vacant() {
            Next::Return(Value::Answer(None))
        } else {
            GetMoving::of(table)
        }
    }
}

/// `RawMap::get_moving`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GetMoving {
    table: u8,
    depth: u8,
    slot: u8,
    frozen: bool,
    pc: Moving,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Moving {
    /// `slot.load()`.
    Slot,
    /// `successor`, after a frozen slot with this entry. (Its load of the header is of a word that
    /// does not change any more.)
    SlotBorn(u8),
    /// `line.link().load()`.
    Link,
    /// `successor`, at the end of the bucket.
    EndBorn,
}

impl GetMoving {
    fn of(table: u8) -> Next {
        Next::Stay(Frame::GetMoving(Self {
            table,
            depth: 0,
            slot: 0,
            frozen: false,
            pc: Moving::Slot,
        }))
    }

    fn at(self, pc: Moving) -> Next {
        Next::Stay(Frame::GetMoving(Self { pc, ..self }))
    }

    pub(crate) fn step(mut self, run: &mut Run<'_>) -> Next {
        match self.pc {
            Moving::Slot => {
                let word = run.load(self.table, Cell::Slot(self.depth, self.slot));
                match run.matching(word, run.hash()) {
                    Some(entry) if word.frozen && !run.has(Bug::ReadFrozen) => {
                        self.at(Moving::SlotBorn(entry))
                    }
                    Some(entry) if run.is_key(entry) => Next::Return(Value::Answer(Some(entry))),
                    _ => self.next_slot(run),
                }
            }
            Moving::SlotBorn(entry) => match self.successor(run) {
                Some(new) => Self::of(new),
                None if run.is_key(entry) => Next::Return(Value::Answer(Some(entry))),
                None => self.next_slot(run),
            },
            Moving::Link => {
                let link = run.load(self.table, Cell::Link(self.depth));
                self.frozen |= link.frozen;
                if link.content == Content::Link {
                    self.depth += 1;
                    self.slot = 0;
                    return self.at(Moving::Slot);
                }
                if self.frozen && !run.has(Bug::ReadFrozen) {
                    return self.at(Moving::EndBorn);
                }
                Next::Return(Value::Answer(None))
            }
            Moving::EndBorn => match self.successor(run) {
                Some(new) => Self::of(new),
                None => Next::Return(Value::Answer(None)),
            },
        }
    }

    fn next_slot(mut self, run: &Run<'_>) -> Next {
        self.slot += 1;
        if usize::from(self.slot) < run.config.slots {
            self.at(Moving::Slot)
        } else {
            self.at(Moving::Link)
        }
    }

    pub(crate) fn is_foregone(self, run: &Run<'_>) -> bool {
        let word = match self.pc {
            Moving::Slot => run.peek(self.table, Cell::Slot(self.depth, self.slot)),
            Moving::Link => run.peek(self.table, Cell::Link(self.depth)),
            Moving::SlotBorn(_) | Moving::EndBorn => {
                let new = run.memory.table_of(self.table, run.hash());
                return new.is_some_and(|new| run.peek(new, Cell::Link(0)) != Word::ZERO);
            }
        };
        word.frozen
    }

    fn successor(self, run: &mut Run<'_>) -> Option<u8> {
        run.uses(Object::Table(self.table));
        let new = run.memory.table_of(self.table, run.hash())?;
        let is_born = run.load(new, Cell::Link(0)) != Word::ZERO;
        (is_born || run.has(Bug::ReadUnborn)).then_some(new)
    }
}

/// `RawMap::scan` and `RawMap::scan_line`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scan {
    table: u8,
    depth: u8,
    free: Option<(At, Word)>,
    link: Option<Word>,
    pc: ScanLine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ScanLine {
    /// `line.filter(high)`: words not looked at, and slots that match.
    Filter(u8, u8),
    /// `slot.load()` of the first slot that matches.
    Load(u8),
    /// `line.others()`, and the load of the slot: one access, as the filter only leaves slots out.
    Free(u8),
    /// `line.link().load()`.
    Link,
}

impl Scan {
    fn of(run: &Run<'_>, table: u8) -> Self {
        Self {
            table,
            depth: 0,
            free: None,
            link: None,
            pc: ScanLine::Filter(unread(run), 0),
        }
    }

    /// Words that may be read next.
    #[must_use]
    pub fn unread(&self) -> u8 {
        match self.pc {
            ScanLine::Filter(unread, _) => unread,
            _ => 1,
        }
    }

    pub(crate) fn is_foregone(self, run: &Run<'_>) -> bool {
        let slot = |slot| run.peek(self.table, Cell::Slot(self.depth, slot));
        let word = match self.pc {
            ScanLine::Filter(..) => return false,
            ScanLine::Load(matching) => slot(lowest(matching)),
            ScanLine::Free(free) => slot(free),
            ScanLine::Link => run.peek(self.table, Cell::Link(self.depth)),
        };
        word.frozen
    }

    fn at(self, pc: ScanLine) -> Next {
        Next::Stay(Frame::Scan(Self { pc, ..self }))
    }

    pub(crate) fn step(mut self, run: &mut Run<'_>) -> Next {
        match self.pc {
            ScanLine::Filter(mut unread, mut matching) => {
                let (slot, link, word) = read(run, self.table, self.depth, &mut unread);
                self.link = self.link.or(link);
                matching |= u8::from(run.matching(word, run.hash()).is_some()) << slot;
                if unread == 0 {
                    return self.look(run, matching);
                }
                self.at(ScanLine::Filter(unread, matching))
            }
            ScanLine::Load(matching) => {
                let slot = lowest(matching);
                let word = run.load(self.table, Cell::Slot(self.depth, slot));
                if let Some(entry) = run.matching(word, run.hash()).filter(|_| !word.frozen) {
                    if run.is_key(entry) {
                        let at = At {
                            depth: self.depth,
                            slot,
                        };
                        return self.found(Found::Member(at, word));
                    }
                } else if word.frozen && run.has(Bug::WriteFrozen) {
                    if let Some(entry) = run.matching(word, run.hash())
                        && run.is_key(entry)
                    {
                        let at = At {
                            depth: self.depth,
                            slot,
                        };
                        return self.found(Found::Member(at, word));
                    }
                } else if word.frozen {
                    return Next::Return(Value::Scanned(None));
                }
                self.look(run, matching & (matching - 1))
            }
            ScanLine::Free(slot) => {
                let word = run.load(self.table, Cell::Slot(self.depth, slot));
                if word.is_vacant() {
                    let at = At {
                        depth: self.depth,
                        slot,
                    };
                    self.free = Some((at, word));
                    return self.end(run);
                }
                if usize::from(slot) + 1 < run.config.slots {
                    return self.at(ScanLine::Free(slot + 1));
                }
                self.end(run)
            }
            ScanLine::Link => {
                let link = run.load(self.table, Cell::Link(self.depth));
                self.link = Some(link);
                self.end(run)
            }
        }
    }

    fn look(self, run: &Run<'_>, matching: u8) -> Next {
        if matching != 0 {
            self.at(ScanLine::Load(matching))
        } else if self.free.is_none() {
            self.at(ScanLine::Free(0))
        } else {
            self.end(run)
        }
    }

    fn end(mut self, run: &Run<'_>) -> Next {
        let Some(link) = self.link.take() else {
            return self.at(ScanLine::Link);
        };
        if link.frozen {
            return Next::Return(Value::Scanned(None));
        }
        if link.content == Content::Link {
            self.depth += 1;
            return self.at(ScanLine::Filter(unread(run), 0));
        }
        self.found(Found::Absent(self.free, (self.depth, link)))
    }

    fn found(self, found: Found) -> Next {
        let place = Place {
            table: self.table,
            found,
        };
        Next::Return(Value::Scanned(Some(place)))
    }
}

/// `RawMap::locate` with `table_for_write` (`resize.rs`) and `locate_slow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Locate {
    /// `Directory::table_of`.
    Table,
    /// `table.migration()`.
    Migration(u8),
    /// `help`, then the scan of this table.
    Helping(u8),
    /// The scan of this table.
    Scanning(u8),
    /// `leave` this table.
    Leaving(u8),
}

impl Locate {
    pub(crate) fn is_foregone(self, run: &Run<'_>) -> bool {
        matches!(self, Self::Migration(table) if run.memory.migration(table).is_some())
    }

    fn scan(run: &Run<'_>, table: u8) -> Next {
        let scan = Scan::of(run, table);
        Next::Call(Frame::Locate(Self::Scanning(table)), Frame::Scan(scan))
    }

    pub(crate) fn step(self, run: &mut Run<'_>) -> Next {
        match self {
            Self::Table => {
                let table = run.memory.words[usize::from(run.hash().shard)];
                Next::Stay(Frame::Locate(Self::Migration(table)))
            }
            Self::Migration(table) => {
                run.uses(Object::Table(table));
                match run.memory.migration(table) {
                    Some(_) => {
                        Help::call(Frame::Locate(Self::Helping(table)), table, run.hash().shard)
                    }
                    None => Self::scan(run, table),
                }
            }
            other => unreachable!("{other:?} waits for a call"),
        }
    }

    pub(crate) fn resume(self, value: Value, run: &mut Run<'_>) -> Next {
        match (self, value) {
            (Self::Helping(table), _) => Self::scan(run, table),
            (Self::Scanning(_), Value::Scanned(Some(place))) => Next::Return(Value::Place(place)),
            (Self::Scanning(table), _) => {
                MoveUnit::leave(Frame::Locate(Self::Leaving(table)), table, run)
            }
            (Self::Leaving(table), _) => {
                let mut new = run.memory.table_of(table, run.hash()).unwrap_or(table);
                while run.has(Bug::SkipGeneration)
                    && let Some(next) = run.memory.table_of(new, run.hash())
                {
                    new = next;
                }
                Self::scan(run, new)
            }
            other => unreachable!("{other:?}"),
        }
    }
}
