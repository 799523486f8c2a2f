//! Looking a key up: `get`, and the scan on which every write builds.
//!
//! A hit linearizes at the load of its slot; if the word is frozen, at the later load that shows its
//! new line unborn. A miss linearizes between its loads. If the last link word of the bucket was not
//! frozen when it was read, the new table had not taken over then; the slots were read as they are
//! or, later, as they froze, and in neither case did a key that was present throughout leave its
//! slot. In whatever order the words are read, so a filter may read them.
//!
//! Invariants: I3 of the [parent module](super).

use super::{Entry, RawMap, hash_of};
use crate::reclaim::Guard;
use crate::sync::note_read;
use crate::table::hash::tag;
use crate::table::{Line, Slot, Table, Word};
use equivalent::Equivalent;

/// Where a key is, or could be, in one bucket.
pub(super) enum Found<'g, K, V> {
    /// The key is in the map.
    Member {
        slot: &'g Slot,
        word: Word,
        entry: &'g Entry<K, V>,
        depth: usize,
    },
    /// The key is not in the map.
    Absent {
        /// The first vacant slot.
        free: Free<'g>,
        /// The last line, its link word, and its distance.
        last: (&'g Line, Word, usize),
    },
}

/// A vacant slot, what it held, and how many lines it is from the bucket's first.
type Free<'g> = Option<(&'g Slot, Word, usize)>;

/// What the scan of one line of a bucket has shown.
enum Scanned<'g, K, V> {
    Found(Found<'g, K, V>),
    /// The key is not in the line, and the bucket has a next one.
    Next(&'g Line, Free<'g>),
}

/// A bucket at the moment of a scan.
pub(super) struct Place<'g, K, V> {
    pub(super) table: Table<'g>,
    pub(super) line: &'g Line,
    pub(super) found: Found<'g, K, V>,
}

/// The bucket is moving to another table.
pub(super) struct Frozen;

impl<K, V> RawMap<K, V> {
    /// The entry that a word carries. A frozen word's only if [`successor`](Self::successor) has
    /// found none since the word was loaded.
    #[inline]
    fn entry(word: Word, _guard: &impl Guard) -> &Entry<K, V> {
        // SAFETY: I3: a member's entry was loaded from a slot under the guard, and the callers keep
        // the rule for frozen words.
        unsafe { &*word.address().cast::<Entry<K, V>>() }
    }

    /// The entry of `key`. Wait-free but for chained resizes; 2 cold lines on a hit, 1 on a miss.
    #[inline]
    pub(crate) fn get<'g, Q>(
        &self,
        hash: u64,
        key: &Q,
        guard: &'g impl Guard,
    ) -> Option<&'g Entry<K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let table = self.directory(guard)?.table_of(hash);
        let line = table.line_of(hash);
        let high = Word::member_high(tag(hash));
        // Not as an iterator, which would be at the next slot before the first is known to be wrong.
        let mut matching = line.filter(high);
        while let Some(slot) = matching.first() {
            let word = slot.load();
            let Some(address) = word.live_address(high) else {
                // Changed, or frozen: then the entry may be freed already (I3).
                return Self::get_moving(table, hash, key);
            };
            // SAFETY: I3: a member that is not frozen, loaded from a slot under the guard.
            let entry = unsafe { &*address.cast::<Entry<K, V>>() };
            note_read(&raw const entry.key);
            if key.equivalent(&entry.key) {
                return Some(entry);
            }
            matching.skip_first();
        }
        if line.link().load().is_vacant() {
            return None;
        }
        Self::get_moving(table, hash, key)
    }

    /// Says that the bucket of `hash` will be written soon.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64, guard: &impl Guard) {
        if let Some(directory) = self.directory(guard) {
            directory.table_of(hash).line_of(hash).prefetch_write();
        }
    }

    /// `get` in a bucket that has overflow lines or is moving: old table first, and the new one
    /// if the line there is born.
    #[cold]
    #[inline]
    fn get_moving<'g, Q>(table: Table<'g>, hash: u64, key: &Q) -> Option<&'g Entry<K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let high = Word::member_high(tag(hash));
        let mut table = table;
        'table: loop {
            let mut line = table.line_of(hash);
            let mut frozen = false;
            loop {
                for slot in line.slots() {
                    let word = slot.load();
                    if word.high() != high {
                        continue;
                    }
                    if word.is_frozen()
                        && let Some(new) = Self::successor(table, hash)
                    {
                        table = new;
                        continue 'table;
                    }
                    // SAFETY: I3: the table is borrowed under the guard, and the word is not frozen
                    // or its bucket was not born elsewhere when asked afterwards.
                    let entry: &'g Entry<K, V> = unsafe { &*word.address().cast() };
                    note_read(&raw const entry.key);
                    if key.equivalent(&entry.key) {
                        return Some(entry);
                    }
                }
                let link = line.link().load();
                frozen |= link.is_frozen();
                match line.follow(link) {
                    Some(next) => line = next,
                    None => break,
                }
            }
            match frozen.then(|| Self::successor(table, hash)).flatten() {
                Some(new) => table = new,
                None => return None,
            }
        }
    }

    /// The table that the bucket of `hash` has moved to, asked after a frozen word of the bucket was
    /// loaded. While there is none, the frozen bucket is the truth and its entries are in the map.
    fn successor(table: Table<'_>, hash: u64) -> Option<Table<'_>> {
        let migration = table.migration()?;
        migration.is_born(hash).then(|| migration.table_of(hash))
    }

    /// Scans the lines of a bucket for `key` from `line` on, `depth` lines from the first, with the
    /// vacant slot that was met before. As in `get`, a miss counts if the last link word is not frozen.
    fn scan<'g, Q>(
        mut line: &'g Line,
        mut depth: usize,
        mut free: Free<'g>,
        high: u16,
        key: &Q,
        guard: &'g impl Guard,
    ) -> Result<Found<'g, K, V>, Frozen>
    where
        Q: Equivalent<K> + ?Sized,
    {
        loop {
            match Self::scan_line(line, depth, free, high, key, guard)? {
                Scanned::Found(found) => return Ok(found),
                Scanned::Next(next, first_free) => (line, free) = (next, first_free),
            }
            depth += 1;
        }
    }

    /// Scans one line of a bucket, `depth` lines from the first, with the vacant slot that was met
    /// before.
    #[inline(always)] // As `locate`.
    fn scan_line<'g, Q>(
        line: &'g Line,
        depth: usize,
        mut free: Free<'g>,
        high: u16,
        key: &Q,
        guard: &'g impl Guard,
    ) -> Result<Scanned<'g, K, V>, Frozen>
    where
        Q: Equivalent<K> + ?Sized,
    {
        for slot in line.filter(high) {
            let word = slot.load();
            if word.live_address(high).is_none() {
                // Frozen or changed since: in neither case is the key known to be here.
                if word.is_frozen() {
                    return Err(Frozen);
                }
                continue;
            }
            let entry = Self::entry(word, guard);
            note_read(&raw const entry.key);
            if key.equivalent(&entry.key) {
                return Ok(Scanned::Found(Found::Member {
                    slot,
                    word,
                    entry,
                    depth,
                }));
            }
        }
        if free.is_none() {
            let vacant = |slot: &'g Slot| Some((slot, slot.load(), depth));
            free = line
                .others()
                .filter_map(vacant)
                .find(|(_, word, _)| word.is_vacant());
        }
        let link = line.link().load();
        if link.is_frozen() {
            return Err(Frozen);
        }
        Ok(match line.follow(link) {
            Some(next) => Scanned::Next(next, free),
            None => Scanned::Found(Found::Absent {
                free,
                last: (line, link, depth),
            }),
        })
    }

    /// Whether `word` is an undecided insert of `key`.
    pub(super) fn is_rival<'g, Q>(word: Word, key: &Q, guard: &'g impl Guard) -> bool
    where
        Q: Equivalent<K> + ?Sized,
        K: 'g,
        V: 'g,
    {
        if !word.is_open_claim() {
            return false;
        }
        let entry = Self::entry_key(word, guard);
        key.equivalent(entry)
    }

    /// Finds the bucket of `key` for a write: on return it is not frozen. The caller's own step of
    /// a running move is done here.
    #[inline(always)] // A place is large: out of line it goes through memory, word by word.
    pub(super) fn locate<'g, Q>(
        &self,
        hash: u64,
        key: &Q,
        guard: &'g impl Guard,
    ) -> Option<Place<'g, K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let table = self.table_for_write(hash, guard)?;
        let line = table.line_of(hash);
        let high = Word::member_high(tag(hash));
        let rest = match Self::scan_line(line, 0, None, high, key, guard) {
            Ok(Scanned::Found(found)) => return Some(Place { table, line, found }),
            Ok(Scanned::Next(next, free)) => Some((next, free)),
            Err(Frozen) => None,
        };
        Some(Self::locate_slow(table, hash, rest, key, guard))
    }

    /// `locate` in a bucket that has overflow lines, of which `rest` is the second with what the first
    /// has shown, or in one that is moving.
    #[cold]
    #[inline(never)] // Its loops would fill the registers of the usual case.
    fn locate_slow<'g, Q>(
        mut table: Table<'g>,
        hash: u64,
        mut rest: Option<(&'g Line, Free<'g>)>,
        key: &Q,
        guard: &'g impl Guard,
    ) -> Place<'g, K, V>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let high = Word::member_high(tag(hash));
        loop {
            let line = table.line_of(hash);
            let (from, depth, free) = match rest.take() {
                Some((next, free)) => (next, 1, free),
                None => (line, 0, None),
            };
            match Self::scan(from, depth, free, high, key, guard) {
                Ok(found) => return Place { table, line, found },
                Err(Frozen) => table = Self::leave(table, hash),
            }
        }
    }

    /// Moves the unit of `hash` out of a table that is being left; returns its new table.
    pub(super) fn leave(table: Table<'_>, hash: u64) -> Table<'_> {
        let Some(migration) = table.migration() else {
            unreachable!("a word is frozen only after the move has begun")
        };
        migration.move_unit(table, migration.unit_of(hash), hash_of::<K, V>);
        migration.table_of(hash)
    }
}
