//! The end of a map, or of its content: every entry is taken out, every table freed.
//!
//! Invariants: I2 and I4 of the [parent module](super).

use super::entry::{Entry, take};
use super::{RawMap, hash_of};
use crate::sync::{unsync_load, unsync_store};
use crate::table::{Directory, Step, Table, Target, free_chain};

/// Entries and tables of a map that nobody else uses; frees what is left of them when dropped.
struct Remains<'g, K, V> {
    directory: Option<Directory<'g>>,
    /// Entries already found, not yet given away.
    entries: Vec<*mut Entry<K, V>>,
    /// The next shard whose table is to be taken apart.
    shard: usize,
}

impl<K, V> RawMap<K, V> {
    /// Takes every entry out and leaves the map empty, without a table.
    pub(crate) fn drain_all(&mut self, mut f: impl FnMut(K, V)) {
        let word = unsync_load(&mut self.directory);
        unsync_store(&mut self.directory, core::ptr::null_mut());
        self.len.take();
        // SAFETY: I4: exclusive access; the word came out of the map.
        let directory = unsafe { Directory::from_word(word) }.map(complete_fan_out::<K, V>);
        let mut remains = Remains {
            directory,
            entries: Vec::new(),
            shard: 0,
        };
        while let Some((key, value)) = remains.next() {
            f(key, value);
        }
    }
}

/// Completes the fan-out that a map of one shard may be in; returns its present directory.
fn complete_fan_out<K, V>(directory: Directory<'_>) -> Directory<'_> {
    if directory.shard_bits() != 0 {
        return directory;
    }
    let table = directory.table(0);
    let Some(migration) = table.migration() else {
        return directory;
    };
    let Target::Directory(new) = migration.to() else {
        return directory;
    };
    while migration.step(table, hash_of::<K, V>) != Step::Complete {}
    let new = new.word();
    // SAFETY: I4: exclusive access; every entry has moved.
    unsafe { table.free() };
    // SAFETY: I4: exclusive access.
    unsafe { directory.free() };
    // SAFETY: I4: exclusive access; the word is that of the target, which stays.
    match unsafe { Directory::from_word(new) } {
        Some(directory) => directory,
        None => unreachable!("the target of a fan-out is a directory"),
    }
}

/// Completes the move that a table may be in; returns the present table.
fn complete_move<K, V>(table: Table<'_>) -> Table<'_> {
    let Some(migration) = table.migration() else {
        return table;
    };
    let Target::Table(new) = migration.to() else {
        return table;
    };
    while migration.step(table, hash_of::<K, V>) != Step::Complete {}
    let new = new.word();
    // SAFETY: I4: exclusive access; every entry has moved.
    unsafe { table.free() };
    // SAFETY: I4: exclusive access; the word is that of the target, which stays.
    complete_move::<K, V>(unsafe { Table::from_word(new) })
}

impl<K, V> Remains<'_, K, V> {
    fn next(&mut self) -> Option<(K, V)> {
        loop {
            if let Some(entry) = self.entries.pop() {
                // SAFETY: I2, I4: each entry is in one slot, and nobody else uses it.
                return Some(unsafe { take(entry) });
            }
            let directory = self.directory?;
            if self.shard == directory.shards() {
                self.directory = None;
                // SAFETY: I4: the tables are freed; the array is the last.
                unsafe { directory.free() };
                return None;
            }
            self.take_apart(complete_move::<K, V>(directory.table(self.shard)));
            self.shard += 1;
        }
    }

    /// Collects the entries of a table and frees the table.
    fn take_apart(&mut self, table: Table<'_>) {
        for number in 0..table.own_geometry().lines() as u64 {
            let first = table.line(number);
            let mut next = Some(first);
            while let Some(line) = next {
                let members = line.slots().iter().map(|slot| slot.load());
                let members = members.filter(|word| word.is_member());
                self.entries
                    .extend(members.map(|word| word.address().cast::<Entry<K, V>>()));
                next = line.follow(line.link().load());
            }
            let chain = first.link().load();
            // SAFETY: I4: exclusive access; the lines' entries are collected.
            unsafe { free_chain(chain) };
        }
        // SAFETY: I4: exclusive access.
        unsafe { table.free() };
    }
}

impl<K, V> Drop for Remains<'_, K, V> {
    fn drop(&mut self) {
        while self.next().is_some() {}
    }
}

impl<K, V> Drop for RawMap<K, V> {
    fn drop(&mut self) {
        self.drain_all(|_, _| ());
    }
}
