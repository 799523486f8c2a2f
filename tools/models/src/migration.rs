//! `src/table/migration.rs`: a step of a move, and the move of a unit.

use crate::config::{Bug, Key};
use crate::memory::{Content, Line, Memory, Object, REST_BITS, Word};
use crate::thread::{Broken, Cell, Frame, Next, Run, Value};

/// How the lines of two tables belong together.
#[derive(Clone, Copy, Debug)]
struct Units {
    from_bits: u8,
    into_bits: u8,
    /// Tables that a unit goes to.
    shards: u8,
}

impl Units {
    fn of(memory: &Memory, table: u8) -> Option<Self> {
        let old = &memory.tables[usize::from(table)];
        let into = &old.next.as_ref()?.into;
        let fans_out = into.iter().any(|word| *word != into[0]);
        Some(Self {
            from_bits: old.line_bits,
            into_bits: memory.tables[usize::from(into[0])].line_bits,
            shards: if fans_out {
                u8::try_from(into.len()).unwrap_or(u8::MAX)
            } else {
                1
            },
        })
    }

    fn bits(self) -> u8 {
        self.from_bits.min(self.into_bits)
    }

    fn unit_of(self, key: Key) -> u8 {
        key.rest >> (REST_BITS - self.bits())
    }

    /// How many old lines a unit has.
    fn old_lines(self) -> u8 {
        1 << (self.from_bits - self.bits())
    }

    fn old_line(self, unit: u8, nth: u8) -> usize {
        usize::from(unit * self.old_lines() + nth)
    }

    /// How many new lines a unit has, over all shards.
    fn new_lines(self) -> u8 {
        self.shards << (self.into_bits - self.bits())
    }

    /// The shard and the number of a unit's new line.
    fn new_line(self, unit: u8, nth: u8) -> (u8, usize) {
        let lines = 1 << (self.into_bits - self.bits());
        (nth / lines, usize::from(unit * lines + nth % lines))
    }
}

/// `Migration::step`, with `unfinished` and `finish`. A step is one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    table: u8,
    step: u8,
    pc: StepPc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum StepPc {
    /// `handed.fetch_add`.
    Handed,
    /// `unfinished`: is the bit of this step set?
    Unfinished,
    /// `move_unit`.
    Moving,
    /// `finish`: `bits.fetch_or`.
    Bits,
    /// `finish`: `complete.fetch_add`.
    Complete,
}

impl Step {
    pub(crate) fn of(table: u8) -> Frame {
        Frame::Step(Self {
            table,
            step: 0,
            pc: StepPc::Handed,
        })
    }

    fn at(self, pc: StepPc) -> Next {
        Next::Stay(Frame::Step(Self { pc, ..self }))
    }

    fn moving(self) -> Next {
        let waiting = Frame::Step(Self {
            pc: StepPc::Moving,
            ..self
        });
        Next::Call(waiting, MoveUnit::of(self.table, self.step))
    }

    pub(crate) fn is_foregone(self, run: &Run<'_>) -> bool {
        let units = Units::of(run.memory, self.table);
        let migration = run.memory.migration(self.table);
        let (Some(units), Some(migration)) = (units, migration) else {
            return false;
        };
        match self.pc {
            StepPc::Handed => migration.handed == 1 << units.bits(),
            StepPc::Unfinished | StepPc::Bits => migration.bits >> self.step & 1 != 0,
            StepPc::Moving | StepPc::Complete => false,
        }
    }

    pub(crate) fn step(mut self, run: &mut Run<'_>) -> Next {
        run.uses(Object::Table(self.table));
        let Some(units) = Units::of(run.memory, self.table) else {
            run.breaks(Broken::FrozenAtRest);
            return Next::Return(Value::Step(true));
        };
        let steps = 1 << units.bits();
        let (early, handed_only) = (
            run.has(Bug::CompleteEarly),
            run.has(Bug::CompleteWhenHanded),
        );
        let waits = run.has(Bug::WaitForMover);
        let Some(migration) = &mut run.memory.table_mut(self.table).next else {
            unreachable!("it has units")
        };
        match self.pc {
            StepPc::Handed => {
                self.step = migration.handed;
                if self.step < steps {
                    // Counted no further than asked for: all that comes after is the same.
                    migration.handed += 1;
                    return self.moving();
                }
                if handed_only {
                    return Next::Return(Value::Step(true));
                }
                self.step = 0;
                self.at(StepPc::Unfinished)
            }
            StepPc::Unfinished => {
                if migration.bits >> self.step & 1 == 0 {
                    if waits {
                        return Next::Return(Value::Step(false));
                    }
                    return self.moving();
                }
                self.step += 1;
                if self.step == steps {
                    return Next::Return(Value::Step(true));
                }
                self.at(StepPc::Unfinished)
            }
            StepPc::Moving => unreachable!("waits for move_unit"),
            StepPc::Bits => {
                if migration.bits >> self.step & 1 != 0 {
                    return Next::Return(Value::Step(false));
                }
                migration.bits |= 1 << self.step;
                self.at(StepPc::Complete)
            }
            StepPc::Complete => {
                migration.complete += 1;
                let all = if early && steps > 1 { steps - 1 } else { steps };
                Next::Return(Value::Step(migration.complete == all))
            }
        }
    }

    pub(crate) fn resume(self) -> Next {
        self.at(StepPc::Bits)
    }
}

/// `Migration::move_unit`, with `freeze` and `fill`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MoveUnit {
    table: u8,
    unit: u8,
    pc: Moves,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Moves {
    /// `is_unit_born`.
    UnitBorn,
    /// `freeze`: `freeze_slot` of the link word of old line `.0`, so far (`.1`) from the first. Its load
    /// and the exchange that succeeds are one access.
    FreezeLink(u8, u8),
    /// `freeze`: `freeze_slot` of a slot.
    FreezeSlot(u8, u8, u8),
    /// `fill`: is the new line born?
    Born(u8),
    /// `fill`: `birth` of a slot. (Frozen words are final, so reading them is no access.)
    Slot(u8, u8),
    /// `fill`: the birth of the link word.
    Link(u8),
}

impl MoveUnit {
    fn of(table: u8, unit: u8) -> Frame {
        Frame::MoveUnit(Self {
            table,
            unit,
            pc: Moves::UnitBorn,
        })
    }

    /// `RawMap::leave` (`find.rs`): the move of the operation's unit out of `table`.
    pub(crate) fn leave(caller: Frame, table: u8, run: &mut Run<'_>) -> Next {
        let Some(units) = Units::of(run.memory, table) else {
            run.breaks(Broken::FrozenAtRest);
            return Next::Stay(caller);
        };
        Next::Call(caller, Self::of(table, units.unit_of(run.hash())))
    }

    fn at(self, pc: Moves) -> Next {
        Next::Stay(Frame::MoveUnit(Self { pc, ..self }))
    }

    pub(crate) fn is_foregone(self, run: &Run<'_>) -> bool {
        let Some(units) = Units::of(run.memory, self.table) else {
            return false;
        };
        let old = |line, cell| {
            run.peek_in(self.table, units.old_line(self.unit, line), cell)
                .frozen
        };
        let new = |nth, cell| {
            let (table, number) = self.target(run, units, nth);
            run.peek_in(table, number, cell) != Word::ZERO && !run.has(Bug::BirthByStore)
        };
        match self.pc {
            Moves::UnitBorn => new(units.new_lines() - 1, Cell::Link(0)),
            Moves::FreezeLink(line, depth) => old(line, Cell::Link(depth)),
            Moves::FreezeSlot(line, depth, slot) => old(line, Cell::Slot(depth, slot)),
            Moves::Born(nth) | Moves::Link(nth) => new(nth, Cell::Link(0)),
            Moves::Slot(nth, slot) => new(nth, Cell::Slot(0, slot)),
        }
    }

    pub(crate) fn step(self, run: &mut Run<'_>) -> Next {
        run.uses(Object::Table(self.table));
        let Some(units) = Units::of(run.memory, self.table) else {
            unreachable!("only the unit of a move is moved")
        };
        match self.pc {
            Moves::UnitBorn => {
                let (new, number) = self.target(run, units, units.new_lines() - 1);
                if run.load_in(new, number, Cell::Link(0)) != Word::ZERO {
                    return Next::Return(Value::Unit);
                }
                self.at(if run.has(Bug::SlotsBeforeLinks) {
                    Moves::FreezeSlot(0, 0, 0)
                } else {
                    Moves::FreezeLink(0, 0)
                })
            }
            Moves::FreezeLink(line, depth) => {
                let link = self.freeze(run, units, line, Cell::Link(depth));
                if link.content == Content::Link {
                    return self.at(Moves::FreezeLink(line, depth + 1));
                }
                if run.has(Bug::SlotsBeforeLinks) {
                    return self.line_is_frozen(run, units, line);
                }
                self.at(Moves::FreezeSlot(line, 0, 0))
            }
            Moves::FreezeSlot(line, depth, slot) => {
                self.freeze(run, units, line, Cell::Slot(depth, slot));
                if usize::from(slot) + 1 < run.config.slots {
                    return self.at(Moves::FreezeSlot(line, depth, slot + 1));
                }
                let bucket = units.old_line(self.unit, line);
                // Frozen already, so that it is no access.
                let link = run.memory.bucket(self.table, bucket)[usize::from(depth)].link;
                if link.content == Content::Link {
                    return self.at(Moves::FreezeSlot(line, depth + 1, 0));
                }
                if run.has(Bug::SlotsBeforeLinks) {
                    return self.at(Moves::FreezeLink(line, 0));
                }
                self.line_is_frozen(run, units, line)
            }
            Moves::Born(nth) => {
                let (new, number) = self.target(run, units, nth);
                if run.load_in(new, number, Cell::Link(0)) != Word::ZERO {
                    return self.line_is_born(units, nth);
                }
                let members = self.members(run, units, nth);
                if members.is_empty() || run.has(Bug::BornFirst) {
                    return self.at(Moves::Link(nth));
                }
                self.at(Moves::Slot(nth, 0))
            }
            Moves::Slot(nth, slot) => {
                let members = self.members(run, units, nth);
                let (new, number) = self.target(run, units, nth);
                let member = members[usize::from(slot)];
                if run.has(Bug::BirthByStore) {
                    run.store_in(new, number, Cell::Slot(0, slot), member);
                } else {
                    let _already = run.cas_in(new, number, Cell::Slot(0, slot), Word::ZERO, member);
                }
                if usize::from(slot) + 1 < members.len().min(run.config.slots) {
                    return self.at(Moves::Slot(nth, slot + 1));
                }
                if run.has(Bug::BornFirst) {
                    return self.line_is_born(units, nth);
                }
                self.at(Moves::Link(nth))
            }
            Moves::Link(nth) => {
                let members = self.members(run, units, nth);
                self.birth_link(run, units, nth, &members);
                if run.has(Bug::BornFirst) && !members.is_empty() {
                    return self.at(Moves::Slot(nth, 0));
                }
                self.line_is_born(units, nth)
            }
        }
    }

    /// The new line: its table and its number.
    fn target(self, run: &Run<'_>, units: Units, nth: u8) -> (u8, usize) {
        let (shard, number) = units.new_line(self.unit, nth);
        let Some(migration) = run.memory.migration(self.table) else {
            unreachable!("it has units")
        };
        // Of a table of one shard, every word of `into` is the same.
        (migration.into[usize::from(shard)], number)
    }

    fn freeze(self, run: &mut Run<'_>, units: Units, line: u8, cell: Cell) -> Word {
        let bucket = units.old_line(self.unit, line);
        let word = run.load_in(self.table, bucket, cell);
        let left = run.has(Bug::ClaimNotFrozen) && word.claim().is_some();
        if !word.frozen && !left {
            run.store_in(self.table, bucket, cell, word.frozen());
        }
        word
    }

    fn line_is_frozen(self, run: &Run<'_>, units: Units, line: u8) -> Next {
        if line + 1 == units.old_lines() {
            return self.at(Moves::Born(0));
        }
        self.at(if run.has(Bug::SlotsBeforeLinks) {
            Moves::FreezeSlot(line + 1, 0, 0)
        } else {
            Moves::FreezeLink(line + 1, 0)
        })
    }

    fn line_is_born(self, units: Units, nth: u8) -> Next {
        if nth + 1 == units.new_lines() {
            return Next::Return(Value::Unit);
        }
        self.at(Moves::Born(nth + 1))
    }

    /// `frozen_members` of the unit that `belongs` says are of the new line, thawed, in order.
    fn members(self, run: &mut Run<'_>, units: Units, nth: u8) -> Vec<Word> {
        let (shard, number) = units.new_line(self.unit, nth);
        let old: Vec<Word> = (0..units.old_lines())
            .flat_map(|line| {
                run.memory
                    .bucket(self.table, units.old_line(self.unit, line))
            })
            .flat_map(|line| &line.slots)
            .copied()
            .collect();
        let halves = units.into_bits <= units.from_bits;
        let mut members = Vec::new();
        for word in old {
            let Some(entry) = word.member() else { continue };
            let belongs = if units.shards == 1 && halves {
                true
            } else {
                run.uses(Object::Entry(entry));
                let hash = run.config.hash_of(entry);
                (units.shards == 1 || hash.shard == shard)
                    && usize::from(hash.rest >> (REST_BITS - units.into_bits)) == number
            };
            if belongs {
                members.push(word.thawed());
            }
        }
        members
    }

    /// The link word of the new line leads to the members that its slots have no room for.
    fn birth_link(self, run: &mut Run<'_>, units: Units, nth: u8, members: &[Word]) {
        let slots = run.config.slots;
        let (new, number) = self.target(run, units, nth);
        let rest = members.get(slots..).unwrap_or_default();
        let parts: Vec<&[Word]> = rest.chunks(slots).collect();
        let link = |more: bool| if more { Content::Link } else { Content::Vacant };
        let word = Word::of(link(!parts.is_empty()));
        if run.has(Bug::BirthByStore) {
            run.store_in(new, number, Cell::Link(0), word);
            if run.memory.bucket(new, number).len() > 1 {
                return;
            }
        } else if run
            .cas_in(new, number, Cell::Link(0), Word::ZERO, word)
            .is_err()
        {
            return;
        }
        for (i, part) in parts.iter().enumerate() {
            let line = Line::overflow(part, slots, link(i + 1 < parts.len()));
            run.memory.bucket_mut(new, number).push(line);
        }
    }
}
