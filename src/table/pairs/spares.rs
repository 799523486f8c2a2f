//! Tables of one shard that are out of use, with memory of their own: they hold zeros, and wait for the next one of their size.
//!
//! Invariants: I2 and I4 of the [parent module](super).

use super::store::{Scale, Table};
use crate::sync::{AtomicPtr, Ordering, never_split};

/// Tables of one shard that are out of use: their lines are zero.
pub(crate) struct Spares(AtomicPtr<u8>);
never_split!(Spares: 0);

impl Spares {
    /// None.
    pub(super) fn new() -> Self {
        Self(AtomicPtr::new(core::ptr::null_mut()))
    }

    /// A table of this size, if there is one.
    pub(super) fn take<'g>(&self, scale: Scale, size: i32) -> Option<Table<'g>> {
        // ORD: Acquire — pairs with the Release in put [W5]; sees the headers and the zeros of the list, which it takes.
        let mut next = self.0.swap(core::ptr::null_mut(), Ordering::Acquire);
        let mut found = None;
        while !next.is_null() {
            // SAFETY: I4: every word of the list is a table's, which is this call's now.
            let table = unsafe { Table::from_word(next, scale) };
            next = table.header_mut().beside;
            if found.is_none() && table.size() == size {
                found = Some(table);
            } else {
                self.put(table);
            }
        }
        found
    }

    /// Adds a table.
    pub(super) fn put(&self, table: Table<'_>) {
        // ORD: Relaxed — a hint for the exchange below.
        let mut head = self.0.load(Ordering::Relaxed);
        loop {
            table.header_mut().beside = head;
            // ORD: Release — pairs with the Acquire in take [W5]; publishes the header and the zeros.
            // ORD: Relaxed — on failure it is tried again.
            let put =
                self.0
                    .compare_exchange(head, table.word(), Ordering::Release, Ordering::Relaxed);
            match put {
                Ok(_) => return,
                Err(found) => head = found,
            }
        }
    }

    /// Calls `f` with each of them, which then is its own, for who has the map alone.
    pub(super) fn take_all(&self, scale: Scale, mut f: impl FnMut(Table<'_>)) {
        // ORD: Relaxed — the caller's contract is exclusive access.
        let mut next = self.0.swap(core::ptr::null_mut(), Ordering::Relaxed);
        while !next.is_null() {
            // SAFETY: I4: every word of the list is a table's, which is this call's now.
            let table = unsafe { Table::from_word(next, scale) };
            next = table.header_mut().beside;
            f(table);
        }
    }
}

#[cfg(all(test, loom))]
mod w5 {
    use super::super::home::Home;
    use super::super::pair::Pair;
    use super::{Scale, Spares, Table};
    use loom::sync::Arc;
    use loom::thread;

    fn take(spares: &Spares) -> Option<usize> {
        let table = spares.take(Scale::of(0), -4)?;
        assert_eq!(table.line(0).slots()[0].load(), Pair::ZERO);
        Some(table.word().expose_provenance())
    }

    fn free(word: usize, home: &Home) {
        let word = core::ptr::with_exposed_provenance_mut(word);
        // SAFETY: I2: it was taken before, once.
        unsafe { Table::from_word(word, Scale::of(0)).free(home) };
    }

    /// Who takes a spare table finds its lines zero, and has it alone.
    #[test]
    fn loom_w5_a_spare_table_is_taken_once_and_zero() {
        loom::model(|| {
            let home = Home::new();
            let spares = Arc::new(Spares::new());
            let table = Table::allocate(0, -4, &home, None).expect("a small table");
            table.line(0).slots()[0].store_private(Pair::live(7, 1));
            let other = {
                let spares = Arc::clone(&spares);
                thread::spawn(move || take(&spares))
            };
            table.line(0).slots()[0].store_private(Pair::ZERO);
            spares.put(table);
            let mine = take(&spares);
            let theirs = other.join().expect("the other does not panic");
            assert!(mine.is_none() || theirs.is_none(), "taken twice");
            mine.into_iter()
                .chain(theirs)
                .for_each(|word| free(word, &home));
            // SAFETY: I2: the other thread has ended.
            spares.take_all(Scale::of(0), |table| unsafe { table.free(&home) });
        });
    }
}
