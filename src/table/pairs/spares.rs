//! Tables that are out of use: they give their pages back, hold zeros, and wait for the next one of their size.
//!
//! Invariants: I2 and I4 of the [parent module](super).

use super::pair::Pair;
use super::store::{Scale, Table, free_record};
use crate::sync::{AtomicPtr, Ordering, fence, never_split, note_read};
use crate::sys::pages;
use core::ptr::NonNull;

/// Tables of one shard that are out of use: their lines are zero.
pub(crate) struct Spares(AtomicPtr<u8>);
never_split!(Spares: 0);

impl Spares {
    /// None.
    pub(super) fn new() -> Self {
        Self(AtomicPtr::new(core::ptr::null_mut()))
    }

    /// A table of this size, if there is one.
    pub(super) fn take(&self, scale: Scale, size: i32) -> Option<*mut u8> {
        // ORD: Acquire — pairs with the Release in put [W5]; sees the headers and the zeros of the list, which it takes.
        let mut next = self.0.swap(core::ptr::null_mut(), Ordering::Acquire);
        let mut found = None;
        while !next.is_null() {
            let word = next;
            // SAFETY: I4: every word of the list is a table's, which is this call's now.
            let table = unsafe { Table::from_word(word, scale) };
            next = table.header_mut().beside;
            if found.is_none() && table.size() == size {
                found = Some(word);
            } else {
                self.put(table);
            }
        }
        found
    }

    /// Adds a table.
    fn put(&self, table: Table<'_>) {
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

    /// Frees all of them.
    ///
    /// # Safety
    /// Nobody reads a table of this shard any more.
    pub(super) unsafe fn free(&self, scale: Scale) {
        // ORD: Relaxed — the caller's contract is exclusive access.
        let mut next = self.0.swap(core::ptr::null_mut(), Ordering::Relaxed);
        while !next.is_null() {
            // SAFETY: I4: every word of the list is a table's, which is this call's now.
            let table = unsafe { Table::from_word(next, scale) };
            next = table.header_mut().beside;
            // SAFETY: the caller's contract.
            unsafe { table.free() };
        }
    }
}

impl Table<'_> {
    /// Puts the table to the spare ones: its pages go back, its lines are zero.
    ///
    /// # Safety
    /// No word leads to the table, and nobody has a guard under which he could write to it.
    pub(super) unsafe fn put_aside(self) {
        let header = self.header_mut();
        note_read(&raw const header.home);
        let home = header.home;
        // ORD: Relaxed — the caller's contract is exclusive access to the header.
        let next = header.next.swap(core::ptr::null_mut(), Ordering::Relaxed);
        // SAFETY: I4: the header leads to it no more.
        unsafe { free_record(next) };
        self.zero();
        // SAFETY: I2: the list lives as long as the map, in which this is called.
        unsafe { &*home }.put(self);
    }

    /// Makes every line zero, while look-ups may be reading them.
    fn zero(self) {
        let Ok(layout) = Self::layout(self.lines()) else {
            unreachable!("the table was allocated with this layout")
        };
        let header = self.header_mut();
        if Self::is_mapped(header, layout) {
            let (home, origin) = (header.home, header.origin);
            let memory = NonNull::new(self.header_pointer().cast());
            // SAFETY: I4: mapped with this size, and nobody writes to it.
            let is_zero =
                memory.is_some_and(|memory| unsafe { pages::give_back(memory, layout.size()) });
            if is_zero {
                self.write_header(home, origin);
                return;
            }
        }
        // ORD: Release — pairs with the Acquire in is_unmoved [W4]; publishes that the table is out of use, before its zeros.
        fence(Ordering::Release);
        self.each_line(|line| {
            line.slots()
                .iter()
                .for_each(|slot| slot.store_private(Pair::ZERO))
        });
    }
}

/// Puts a table to the spare ones, by its word.
///
/// # Safety
/// As for [`Table::put_aside`].
pub(crate) unsafe fn put_aside(word: *mut u8) {
    // SAFETY: the caller's contract: it is a table's, and nobody else reads the header.
    let scale = unsafe { Table::scale_of(word) };
    // SAFETY: I2: it stays allocated.
    let table = unsafe { Table::from_word(word, scale) };
    // SAFETY: the caller's contract.
    unsafe { table.put_aside() };
}

#[cfg(all(test, loom))]
mod w5 {
    use super::{Pair, Scale, Spares, Table, put_aside};
    use loom::sync::Arc;
    use loom::thread;

    fn take(spares: &Spares) -> Option<usize> {
        let word = spares.take(Scale::of(0), -4)?;
        // SAFETY: I2: it was taken, and is freed at the end.
        let table = unsafe { Table::from_word(word, Scale::of(0)) };
        assert_eq!(table.line(0).slots()[0].load(), Pair::ZERO);
        Some(word.expose_provenance())
    }

    fn free(word: usize) {
        let word = core::ptr::with_exposed_provenance_mut(word);
        // SAFETY: I2: it was taken before, once.
        unsafe { Table::from_word(word, Scale::of(0)).free() };
    }

    /// Who takes a spare table finds its lines zero, and has it alone.
    #[test]
    fn loom_w5_a_spare_table_is_taken_once_and_zero() {
        loom::model(|| {
            let spares = Arc::new(Spares::new());
            let table = Table::allocate(Scale::of(0), -4, &spares, None).expect("a small table");
            table.line(0).slots()[0].store_private(Pair::live(7, 1));
            let word = table.word().expose_provenance();
            let other = {
                let spares = Arc::clone(&spares);
                thread::spawn(move || take(&spares))
            };
            let word = core::ptr::with_exposed_provenance_mut(word);
            // SAFETY: I2: nobody else has it.
            unsafe { put_aside(word) };
            let mine = take(&spares);
            let theirs = other.join().expect("the other does not panic");
            assert!(mine.is_none() || theirs.is_none(), "taken twice");
            mine.into_iter().chain(theirs).for_each(free);
            // SAFETY: I2: the other thread has ended.
            unsafe { spares.free(Scale::of(0)) };
        });
    }
}
