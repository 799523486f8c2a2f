//! The end of a map, or of its content: every entry is taken out, every table freed.
//!
//! Invariants: I2 and I4 of the [parent module](super).

use super::entry::Entry;
use super::{RawMap, hash_of};
use crate::reclaim::Domain;
use crate::sync::{unsync_load, unsync_store};
use crate::table::{Directory, Line, SHARDS, Step, Table, free_chain};
use core::ptr::NonNull;

/// Entries and tables of a map that nobody else uses; frees what is left of them when dropped.
struct Remains<'m, K, V> {
    domain: &'m mut Domain<Entry<K, V>>,
    /// Words of tables not taken apart yet.
    tables: Vec<*mut u8>,
    /// Entries already found, not yet given away.
    entries: Vec<NonNull<Entry<K, V>>>,
}

impl<K, V> RawMap<K, V> {
    /// Takes every entry out and leaves the map empty, without a table.
    pub(crate) fn drain_all(&mut self, mut f: impl FnMut(Entry<K, V>)) {
        let Some(mut remains) = self.remains() else {
            return;
        };
        while let Some(entry) = remains.next() {
            f(entry);
        }
    }

    /// Takes the tables away from the map.
    fn remains(&mut self) -> Option<Remains<'_, K, V>> {
        let directory = unsync_load(&mut self.directory);
        unsync_store(&mut self.directory, core::ptr::null_mut());
        if directory.is_null() {
            return None;
        }
        // SAFETY: I4: exclusive access; the directory came out of a box in `try_init`.
        let mut directory = unsafe { Box::from_raw(directory) };
        for shard in 0..SHARDS {
            complete_moves::<K, V>(&directory, shard);
        }
        let mut tables = directory.tables().to_vec();
        tables.dedup();
        Some(Remains {
            domain: &mut self.domain,
            tables,
            entries: Vec::new(),
        })
    }
}

/// Completes the moves that a shard is in.
fn complete_moves<K, V>(directory: &Directory, shard: usize) {
    loop {
        let table = directory.table(shard);
        let Some(migration) = table.migration() else {
            return;
        };
        while migration.step(table, hash_of::<K, V>) != Step::Complete {}
        if directory.exchange(shard, table, migration) {
            // SAFETY: I4: exclusive access; every entry has moved.
            unsafe { table.free() };
        }
    }
}

impl<K, V> Remains<'_, K, V> {
    fn next(&mut self) -> Option<Entry<K, V>> {
        loop {
            if let Some(entry) = self.entries.pop() {
                // SAFETY: I1, I2, I4: complete, in one slot, and nobody else uses it.
                let taken = unsafe { entry.read() };
                self.domain.discard(entry);
                return Some(taken);
            }
            let word = self.tables.pop()?;
            // SAFETY: I4: exclusive access; each word is of a table that is not freed yet.
            self.take_apart(unsafe { Table::from_word(word) });
        }
    }

    /// Collects the entries of a table and frees the table.
    fn take_apart(&mut self, table: Table<'_>) {
        for number in 0..table.lines() {
            self.collect(table.line(number));
        }
        // SAFETY: I4: exclusive access; the entries are collected.
        unsafe { free(table) };
    }

    /// Collects the entries of a bucket.
    fn collect(&mut self, first: &Line) {
        let mut next = Some(first);
        while let Some(line) = next {
            let members = line.slots().iter().map(|slot| slot.load());
            let members = members.filter(|word| word.is_member());
            let addresses = members.filter_map(|word| NonNull::new(word.address()));
            self.entries.extend(addresses.map(NonNull::cast));
            next = line.follow(line.link().load());
        }
    }
}

/// Frees a table and its overflow lines, but no entry.
///
/// # Safety
/// Nobody else uses the table, and nobody will use it or its lines from now on.
unsafe fn free(table: Table<'_>) {
    for number in 0..table.lines() {
        // SAFETY: the caller's contract.
        unsafe { free_chain(table.line(number).link().load()) };
    }
    // SAFETY: the caller's contract.
    unsafe { table.free() };
}

impl<K, V> Drop for Remains<'_, K, V> {
    /// Here because `next` has panicked, or nobody wants the rest.
    fn drop(&mut self) {
        if !self.domain.goes_whole() {
            while self.next().is_some() {}
        }
        while let Some(word) = self.tables.pop() {
            // SAFETY: I4: exclusive access; each word is of a table that is not freed yet.
            let table = unsafe { Table::from_word(word) };
            // SAFETY: I4: exclusive access; the entries go with their memory.
            unsafe { free(table) };
        }
    }
}

impl<K, V> Drop for RawMap<K, V> {
    fn drop(&mut self) {
        // Not by the drop of `Remains`, which is left for what comes after a destructor that panics.
        if let Some(hook) = self.domain.hook().cloned() {
            self.drain_all(|entry| hook.end(entry));
        } else if !self.domain.goes_whole() {
            self.drain_all(drop);
        }
        drop(self.remains());
    }
}
