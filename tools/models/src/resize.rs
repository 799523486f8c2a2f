//! `src/map/shard_map/raw/resize.rs` and `src/table/directory.rs`: when a move begins, who helps, and how
//! it ends.

use crate::config::{Bug, Op};
use crate::memory::{Kind, Migration, Object, Table};
use crate::migration::Step;
use crate::thread::{Frame, Next, Run, Value};
use std::sync::Arc;

/// `doubled`: the size after `table`'s. A root of one line fans out into tables of one line.
fn doubled(table: &Table) -> (Kind, u8) {
    match table.kind {
        Kind::Root => (Kind::Shard, 0),
        Kind::Shard => (Kind::Shard, table.line_bits + 1),
    }
}

/// `RawMap::help`: one step, as `ResizeMode::Incremental` asks for, and the exchange if it was the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Help {
    table: u8,
    shard: u8,
    /// The exchange is under way.
    switching: bool,
}

impl Help {
    pub(crate) fn call(caller: Frame, table: u8, shard: u8) -> Next {
        let help = Self {
            table,
            shard,
            switching: false,
        };
        Next::Call(caller, Frame::Help(help))
    }

    /// The first call: a step.
    pub(crate) fn enter(self) -> Next {
        Next::Call(Frame::Help(self), Step::of(self.table))
    }

    pub(crate) fn resume(self, value: &Value, run: &Run<'_>) -> Next {
        if self.switching || *value == Value::Step(false) {
            return Next::Return(Value::Unit);
        }
        let waiting = Frame::Help(Self {
            switching: true,
            ..self
        });
        Next::Call(waiting, Switch::of(run, self.table, self.shard))
    }
}

/// `RawMap::switch`, with `Directory::exchange`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Switch {
    table: u8,
    /// The word that is exchanged next.
    shard: u8,
    /// The words from here on stay.
    end: u8,
}

impl Switch {
    fn of(run: &Run<'_>, table: u8, shard: u8) -> Frame {
        let (shard, end) = match run.memory.tables[usize::from(table)].kind {
            Kind::Root => (0, u8::try_from(run.config.shards).unwrap_or(u8::MAX)),
            Kind::Shard => (shard, shard + 1),
        };
        Frame::Switch(Self { table, shard, end })
    }

    pub(crate) fn is_foregone(self, run: &Run<'_>) -> bool {
        if self.shard < self.end {
            return run.memory.words[usize::from(self.shard)] != self.table;
        }
        let migration = run.memory.migration(self.table);
        migration.is_some_and(|migration| migration.retired) && !run.has(Bug::RetireTwice)
    }

    pub(crate) fn step(mut self, run: &mut Run<'_>) -> Next {
        run.uses(Object::Table(self.table));
        if self.shard < self.end {
            // `compare_exchange` of a shard word.
            let shard = usize::from(self.shard);
            if let Some(migration) = run.memory.migration(self.table) {
                let new = migration.into[shard];
                if run.memory.words[shard] == self.table {
                    run.memory.words[shard] = new;
                    if run.has(Bug::RetireEarly) {
                        run.memory.retire(Object::Table(self.table));
                    }
                }
            }
            self.shard += 1;
            return Next::Stay(Frame::Switch(self));
        }
        // `claim_retirement`.
        let twice = run.has(Bug::RetireTwice);
        let early = run.has(Bug::RetireEarly);
        let claimed = match &mut run.memory.table_mut(self.table).next {
            Some(migration) => !core::mem::replace(&mut migration.retired, true),
            None => false,
        };
        if (claimed || twice) && !early {
            run.retire(Object::Table(self.table));
        }
        Next::Return(Value::Unit)
    }
}

/// `RawMap::begin`, with `Directory::is_settled` and `Table::begin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Begin {
    table: u8,
    shard: u8,
    kind: Kind,
    line_bits: u8,
    pc: Begins,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Begins {
    /// `table.migration()`.
    Migration,
    /// `is_settled`: `self.table(shard)`.
    Present,
    /// `is_settled`: the word of this shard, and the kind of the table it leads to.
    Settled(u8),
    /// `Table::begin`: the exchange of the header.
    Exchange,
}

impl Begin {
    fn of(table: u8, shard: u8, (kind, line_bits): (Kind, u8)) -> Frame {
        Frame::Begin(Self {
            table,
            shard,
            kind,
            line_bits,
            pc: Begins::Migration,
        })
    }

    fn at(self, pc: Begins) -> Next {
        Next::Stay(Frame::Begin(Self { pc, ..self }))
    }

    pub(crate) fn is_foregone(self, run: &Run<'_>) -> bool {
        match self.pc {
            Begins::Migration | Begins::Exchange => run.memory.migration(self.table).is_some(),
            Begins::Present => run.memory.words[usize::from(self.shard)] != self.table,
            Begins::Settled(_) => false,
        }
    }

    pub(crate) fn step(self, run: &mut Run<'_>) -> Next {
        let enough = Next::Return(Value::Unit);
        run.uses(Object::Table(self.table));
        match self.pc {
            Begins::Migration if run.memory.migration(self.table).is_some() => enough,
            Begins::Migration => self.at(Begins::Present),
            Begins::Present if run.memory.words[usize::from(self.shard)] != self.table => enough,
            Begins::Present => self.at(Begins::Settled(0)),
            Begins::Settled(shard) => {
                let other = run.memory.words[usize::from(shard)];
                run.uses(Object::Table(other));
                let settled = match run.memory.tables[usize::from(self.table)].kind {
                    Kind::Root => other == self.table,
                    Kind::Shard => run.memory.tables[usize::from(other)].kind == Kind::Shard,
                };
                if !settled {
                    return enough;
                }
                if usize::from(shard) + 1 < run.config.shards {
                    return self.at(Begins::Settled(shard + 1));
                }
                self.at(Begins::Exchange)
            }
            Begins::Exchange => {
                // The new memory is allocated before, and given back if another move is there.
                if run.memory.migration(self.table).is_none() {
                    self.hang(run);
                }
                enough
            }
        }
    }

    fn hang(self, run: &mut Run<'_>) {
        let new = |run: &mut Run<'_>| {
            let table = Table::allocate(self.kind, self.line_bits, run.config.slots);
            run.memory.tables.push(Arc::new(table));
            u8::try_from(run.memory.tables.len() - 1).unwrap_or(u8::MAX)
        };
        let shards = run.config.shards;
        let same_kind = run.memory.tables[usize::from(self.table)].kind == self.kind;
        let into = if same_kind {
            vec![new(run); shards]
        } else {
            (0..shards).map(|_| new(run)).collect()
        };
        run.memory.table_mut(self.table).next = Some(Migration {
            into,
            handed: 0,
            bits: 0,
            complete: 0,
            retired: false,
        });
    }
}

/// `RawMap::settle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Settle {
    /// `directory.table(shard)`.
    Table {
        /// The shard.
        shard: u8,
    },
    /// `table.migration()`.
    Migration {
        /// The shard.
        shard: u8,
        /// The table.
        table: u8,
    },
    /// `migration.step(..)`, until the move is complete.
    Stepping {
        /// The shard.
        shard: u8,
        /// The table.
        table: u8,
    },
    /// `switch`.
    Switching {
        /// The shard.
        shard: u8,
    },
}

impl Settle {
    pub(crate) fn is_foregone(self, run: &Run<'_>) -> bool {
        matches!(self, Self::Migration { table, .. } if run.memory.migration(table).is_some())
    }

    pub(crate) fn step(self, run: &mut Run<'_>) -> Next {
        match self {
            Self::Table { shard } => {
                let table = run.memory.words[usize::from(shard)];
                Next::Stay(Frame::Settle(Self::Migration { shard, table }))
            }
            Self::Migration { shard, table } => {
                run.uses(Object::Table(table));
                if run.memory.migration(table).is_none() {
                    return Next::Return(Value::Table(table));
                }
                let waiting = Frame::Settle(Self::Stepping { shard, table });
                Next::Call(waiting, Step::of(table))
            }
            other => unreachable!("{other:?} waits for a call"),
        }
    }

    pub(crate) fn resume(self, value: &Value, run: &mut Run<'_>) -> Next {
        match (self, value) {
            (Self::Stepping { shard, table }, Value::Step(true)) => {
                let switch = Switch::of(run, table, shard);
                Next::Call(Frame::Settle(Self::Switching { shard }), switch)
            }
            (Self::Stepping { table, .. }, _) => {
                run.retry();
                Next::Call(Frame::Settle(self), Step::of(table))
            }
            (Self::Switching { shard }, _) => {
                run.retry();
                Next::Stay(Frame::Settle(Self::Table { shard }))
            }
            other => unreachable!("{other:?}"),
        }
    }
}

/// `RawMap::resize_to`, for `reserve` and `shrink_to_fit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resize {
    shard: u8,
    /// Nothing was to be done in this round so far.
    rests: bool,
    pc: Resizes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Resizes {
    /// The first `settle`.
    Settle,
    /// `begin`.
    Begin,
    /// The second `settle`.
    Complete,
}

impl Resize {
    pub(crate) fn new() -> Self {
        Self {
            shard: 0,
            rests: true,
            pc: Resizes::Settle,
        }
    }

    fn settle(self, pc: Resizes) -> Next {
        let waiting = Frame::Resize(Self { pc, ..self });
        Next::Call(waiting, Frame::Settle(Settle::Table { shard: self.shard }))
    }

    pub(crate) fn resume(mut self, value: &Value, run: &mut Run<'_>) -> Next {
        match (self.pc, value) {
            (Resizes::Settle, Value::Table(table)) => {
                let old = &run.memory.tables[usize::from(*table)];
                let shard_bits = u8::from(run.config.shards > 1);
                let bits = match old.kind {
                    Kind::Root => 0,
                    Kind::Shard => old.line_bits + shard_bits,
                };
                let size = match run.op() {
                    Op::Reserve { line_bits } if bits < line_bits => doubled(old),
                    Op::Shrink { line_bits } if bits > line_bits && old.line_bits > 0 => {
                        (old.kind, old.line_bits - 1)
                    }
                    _ => return self.next_shard(run),
                };
                self.rests = false;
                let begin = Begin::of(*table, self.shard, size);
                self.pc = Resizes::Begin;
                Next::Call(Frame::Resize(self), begin)
            }
            (Resizes::Begin, _) => self.settle(Resizes::Complete),
            (Resizes::Complete, _) => self.next_shard(run),
            other => unreachable!("{other:?}"),
        }
    }

    fn next_shard(mut self, run: &mut Run<'_>) -> Next {
        self.shard += 1;
        if usize::from(self.shard) == run.config.shards {
            if self.rests {
                return Next::Return(Value::Unit);
            }
            run.retry();
            self = Self::new();
        }
        self.settle(Resizes::Settle)
    }
}

/// `RawMap::grow` and `RawMap::start`: what a write does that finds its table too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grow {
    /// `directory.table(shard)`. (In the code, the table of the write's place, which may be older.)
    Table {
        /// The shard.
        shard: u8,
    },
    /// `begin`.
    Begin {
        /// The shard.
        shard: u8,
        /// The table.
        table: u8,
    },
    /// `table.migration()`.
    Migration {
        /// The shard.
        shard: u8,
        /// The table.
        table: u8,
    },
    /// `help`.
    Helping,
}

impl Grow {
    pub(crate) fn is_foregone(self, run: &Run<'_>) -> bool {
        matches!(self, Self::Migration { table, .. } if run.memory.migration(table).is_some())
    }

    pub(crate) fn step(self, run: &mut Run<'_>) -> Next {
        match self {
            Self::Table { shard } => {
                let table = run.memory.words[usize::from(shard)];
                let size = doubled(&run.memory.tables[usize::from(table)]);
                let begin = Begin::of(table, shard, size);
                Next::Call(Frame::Grow(Self::Begin { shard, table }), begin)
            }
            Self::Migration { shard, table } => {
                run.uses(Object::Table(table));
                if run.memory.migration(table).is_none() {
                    return Next::Return(Value::Unit);
                }
                Help::call(Frame::Grow(Self::Helping), table, shard)
            }
            other => unreachable!("{other:?} waits for a call"),
        }
    }

    pub(crate) fn resume(self, _value: &Value) -> Next {
        match self {
            Self::Begin { shard, table } => {
                Next::Stay(Frame::Grow(Self::Migration { shard, table }))
            }
            _ => Next::Return(Value::Unit),
        }
    }
}
