//! Where the memory of a map is: tables, lines behind full ones, entries.
//!
//! Invariants: I3 of the [parent module](super).

use super::RawMap;
use crate::reclaim::Guard;
use crate::shard::Span;
use crate::table::{Directory, Kind, SHARDS, Table, hash};

impl<K, V> RawMap<K, V> {
    /// Calls `f` with each piece of memory that the guard keeps.
    pub(crate) fn each_span(&self, guard: &impl Guard, f: &mut dyn FnMut(&Span)) {
        let Some(directory) = self.directory(guard) else {
            return;
        };
        each_table(directory, |shard, table| {
            f(&table.span(shard));
            for number in 0..table.lines() {
                let mut line = table.line(number);
                while let Some(next) = line.follow(line.link().load()) {
                    f(&Span::of_entry(shard, next));
                    line = next;
                }
            }
        });
        for entry in self.iter(guard) {
            f(&Span::of_entry(Some(hash::shard(entry.hash())), entry));
        }
    }
}

/// Calls `f` with each table that a shard has or moves to; a root, which is of no shard, comes once.
fn each_table<'g>(directory: &'g Directory, mut f: impl FnMut(Option<usize>, Table<'g>)) {
    let is_root = |table: Table<'_>| table.kind() == Kind::Root;
    for shard in 0..SHARDS {
        let mut table = directory.table(shard);
        loop {
            if !is_root(table) {
                f(Some(shard), table);
            } else if shard == 0 {
                f(None, table);
            }
            match table.migration() {
                Some(migration) => table = migration.table(shard),
                None => break,
            }
        }
    }
}
