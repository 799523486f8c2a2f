//! Small tables go to another size at once: whoever comes makes a copy of his own, and one copy becomes the shard's table.
//!
//! ```text
//! header of the old table: the new size     -- who pins from now on does not write to the old table
//! each slot of the old table: frozen        -- so all copies have the same members
//! shard word: from the old table to a copy  -- the old one stays the truth until then
//! ```
//! Nobody waits for another's copy, and nobody sees it before it is complete.
//!
//! Invariants: I2 of the [parent module](super).

use super::RawWords;
use crate::error::TryReserveError;
use crate::reclaim::{LocalGuard, is_shared};
use crate::table::pairs::{self, Directory, Table};

/// Freezing so many lines by exchanges costs no more than to find out that nobody writes to them; which costs more if other threads are there,
/// for all of them are interrupted.
const FEW_LINES: [u64; 2] = [8, 128];

impl RawWords {
    /// Leads a shard to a copy of its table, of this size, unless another call leads it elsewhere.
    ///
    /// # Errors
    /// There is no memory for the copy; nothing has changed.
    pub(super) fn copy(
        &self,
        directory: &Directory,
        shard: usize,
        old: Table<'_>,
        size: i32,
        guard: &LocalGuard<'_>,
    ) -> Result<(), TryReserveError> {
        self.domain.reserve_defer(guard)?;
        let new = directory.new_table(shard, size, old.node())?;
        old.leave_at_once(size);
        let is_worth_it = old.lines() > FEW_LINES[usize::from(is_shared())];
        let grace = is_worth_it.then(|| self.domain.grace_of_others(guard));
        let grace = grace.and_then(Result::ok);
        pairs::copy(old, new, grace.as_ref(), &self.domain, guard);
        if self.lead(directory, shard, old, new, guard) {
            // It is retired, and stays as long as the guard.
            pairs::retire_lines(old, &self.domain, guard);
        } else {
            pairs::discard(new, &self.domain, guard);
        }
        Ok(())
    }
}

#[cfg(all(test, loom))]
mod w3 {
    use super::super::{Change, Mixer, RawWords};
    use crate::arch::Asking;
    use crate::table::pairs::{Finality, freeze};
    use loom::sync::Arc;
    use loom::thread;

    fn words() -> Arc<RawWords> {
        let map = RawWords::new(0, Mixer::new([1, 2, 3]));
        put(&map, 7, 1);
        Arc::new(map)
    }

    fn put(map: &RawWords, mixed: u64, value: u64) -> Option<u64> {
        let guard = map.pin();
        map.change_mixed(mixed, |_| Change::Put(value), &guard)
    }

    /// Leads the shard to a copy of twice the lines.
    fn copy(map: &RawWords) {
        let guard = map.pin();
        let directory = map.directory().expect("made by the first insert");
        let table = directory.table(0).expect("made by the first insert");
        let size = table.size() + 1;
        assert_eq!(map.copy(directory, 0, table, size, &guard), Ok(()));
    }

    /// A writer writes to the old table before it is frozen, or to a copy; never to what is thrown away.
    #[test]
    fn loom_w3_a_write_is_not_lost_while_a_table_is_copied() {
        loom::model(|| {
            let shared = words();
            let writer = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || (put(&shared, 7, 2), put(&shared, 8, 3)))
            };
            copy(&shared);
            let old = writer.join().expect("the writer does not panic");
            assert_eq!(old, (Some(1), None));
            let both = (shared.get_mixed(7), shared.get_mixed(8));
            assert_eq!(both, (Some(2), Some(3)));
            assert_eq!(shared.iter().count(), 2);
        });
    }

    /// Slots become final by stores, the last one first; a look-up finds its key all the time.
    #[test]
    fn loom_w1_a_key_is_found_while_its_line_is_frozen_by_stores() {
        loom::model(|| {
            let shared = words();
            let reader = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.get_mixed(7))
            };
            let directory = shared.directory().expect("made by the first insert");
            let table = directory.table(0).expect("made by the first insert");
            table.leave_at_once(table.size() + 1);
            freeze(table.line_of(7), Finality::Stored, Asking, |_| {});
            let seen = reader.join().expect("the reader does not panic");
            assert_eq!(seen, Some(1), "present throughout");
        });
    }

    /// Of two copies one becomes the table, and a look-up finds what was there throughout.
    #[test]
    fn loom_w3_a_look_up_finds_its_key_while_two_copy() {
        loom::model(|| {
            let shared = words();
            let other = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || copy(&shared))
            };
            let reader = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.get_mixed(7))
            };
            copy(&shared);
            let seen = reader.join().expect("the reader does not panic");
            other.join().expect("the other does not panic");
            assert_eq!(seen, Some(1), "present throughout");
            assert_eq!(shared.iter().count(), 1);
        });
    }
}
