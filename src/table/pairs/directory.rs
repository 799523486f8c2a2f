//! The shard words: the present table of each shard, and how often it has changed. Every operation reads them and
//! only the end of a move writes them, so they are packed: four shards share a line that stays clean.
//!
//! Invariants: I2 and I4 of the [parent module](super).

use super::chain::take_behind;
use super::home::Home;
use super::line::Line;
use super::moving::Move;
use super::pair::{REST, REST_BITS};
use super::store::{Leaving, Scale, Table};
use super::unit::bear;
use crate::error::TryReserveError;
use crate::reclaim::Grace;
use crate::shard::Node;
use crate::sync::{AtomicPtr, AtomicU64, MODEL, Ordering, fence, layout, never_split};
use crate::sync::{note_objects, unsync_load, unsync_store};
use crate::table::try_box;
use core::ptr::{NonNull, null_mut};

/// Number of shards.
pub(crate) const SHARDS: usize = if MODEL { 1 } else { 32 };

/// The shard of a mixed key.
#[inline]
pub(crate) fn shard(mixed: u64) -> usize {
    (mixed >> REST_BITS) as usize % SHARDS
}

/// What a table of its shard knows of a mixed key.
#[inline]
pub(crate) fn rest(mixed: u64) -> u64 {
    mixed & REST
}

/// The words of one shard.
pub(crate) struct Shard {
    /// Null before the first insert.
    table: AtomicPtr<u8>,
    /// Tables that have gone out of use.
    moves: AtomicU64,
}
never_split!(Shard: table, moves);

/// What look-ups compare: while it stays, the shard's table has not been used for anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moves(u64);

impl Shard {
    /// How many tables have gone out of use.
    #[inline]
    pub(crate) fn moves(&self) -> Moves {
        // ORD: Acquire — pairs with the Release in count [W4]; sees that the shard's word leads elsewhere than to those tables.
        Moves(self.moves.load(Ordering::Acquire))
    }

    /// Counts a table that no word leads to any more, before it is made zero.
    fn count(&self) {
        // ORD: Release — pairs with the Acquire in moves [W4]; publishes that the shard's word leads elsewhere.
        self.moves.fetch_add(1, Ordering::Release);
    }

    /// Whether no table has gone out of use since.
    #[inline]
    pub(crate) fn is_unmoved(&self, since: Moves) -> bool {
        // ORD: Acquire — pairs with the Release in zero_but and in allocate [W4]; sees that one more table is out of use, if a zero of it was read, or what the next one has there.
        fence(Ordering::Acquire);
        // ORD: Relaxed — the fence above.
        self.moves.load(Ordering::Relaxed) == since.0
    }
}

/// The shards of a map.
#[repr(C, align(64))]
pub(crate) struct Directory {
    shards: [Shard; SHARDS],
    home: Home,
}
never_split!(Directory: shards, home);
layout!(Directory: shards, home);

impl Directory {
    /// Shards without tables.
    pub(crate) fn allocate() -> Result<Box<Self>, TryReserveError> {
        let record = try_box()?;
        let new = Self {
            shards: core::array::from_fn(|_| Shard {
                table: AtomicPtr::new(null_mut()),
                moves: AtomicU64::new(0),
            }),
            home: Home::new(),
        };
        note_objects(record.as_ptr(), 1);
        Ok(Box::write(record, new))
    }

    /// The words of a shard.
    #[inline]
    pub(crate) fn shard(&self, number: usize) -> &Shard {
        &self.shards[number]
    }

    /// The present table of a shard, if it has one.
    #[inline]
    pub(crate) fn table(&self, shard: usize) -> Option<Table<'_>> {
        // ORD: SeqCst — pairs with the SeqCst exchange in install [W3]; publishes the table.
        let word = self.shards[shard].table.load(Ordering::SeqCst);
        if word.is_null() {
            return None;
        }
        // SAFETY: I2: tables stay allocated as long as the map.
        Some(unsafe { Table::from_word(word, Scale::of(shard)) })
    }

    /// Gives a shard its first table, of this size at least and on this node, unless another thread has; its present one.
    pub(crate) fn init(
        &self,
        shard: usize,
        size: i32,
        node: Option<Node>,
    ) -> Result<Table<'_>, TryReserveError> {
        loop {
            if let Some(table) = self.table(shard) {
                return Ok(table);
            }
            let new = self.new_table(shard, size, node)?;
            new.each_line(bear);
            if !self.install(shard, null_mut(), new) {
                // SAFETY: I2: nobody else has seen it.
                unsafe { new.put_aside() };
            }
        }
    }

    /// A table of a shard, of this size and on this node, whose lines are zero.
    pub(crate) fn new_table(
        &self,
        shard: usize,
        size: i32,
        node: Option<Node>,
    ) -> Result<Table<'_>, TryReserveError> {
        Table::allocate(shard, size, &self.home, node)
    }

    /// Leads a shard from one table to another; says whether this call did it.
    fn install(&self, shard: usize, from: *mut u8, to: Table<'_>) -> bool {
        let word = &self.shards[shard].table;
        // ORD: SeqCst — pairs with the SeqCst load in table [W3]; publishes the new table, and unlinks the old one
        // before it is retired. A failure means that it is done.
        word.compare_exchange(from, to.word(), Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    }

    /// Begins the move of a shard's table to one of this size by steps, unless it is being left.
    pub(crate) fn begin_steps(
        &self,
        table: Table<'_>,
        size: i32,
        grace: impl FnOnce() -> Option<Grace>,
    ) -> Result<(), TryReserveError> {
        let new = Move::allocate(table, size, &self.home)?;
        match table.leave_stepwise(new) {
            Ok(running) => {
                if let Some(grace) = grace() {
                    running.set_grace(grace);
                }
            }
            Err(unused) => unused.discard(table),
        }
        Ok(())
    }

    /// The table in which a position of a table is now, if that is another. Lines of a move are born one by one.
    pub(crate) fn successor<'g>(
        &'g self,
        shard: usize,
        table: Table<'g>,
        position: u64,
    ) -> Option<Table<'g>> {
        match table.leaving()? {
            Leaving::Stepwise(running) => running.successor(table, position),
            Leaving::AtOnce(_) => self.table(shard).filter(|&present| present != table),
        }
    }

    /// Leads a shard to the new table of a complete move; says whether this call is to retire the old one.
    pub(crate) fn exchange(&self, shard: usize, old: Table<'_>, new: Table<'_>) -> bool {
        let is_first = self.install(shard, old.word(), new);
        if is_first {
            self.shards[shard].count();
        }
        is_first
    }

    /// Takes every line behind a link, for who has the map alone and while no shard moves.
    pub(crate) fn take_behind(&self, mut f: impl FnMut(NonNull<Line>)) {
        for table in (0..SHARDS).filter_map(|shard| self.table(shard)) {
            (0..table.lines()).for_each(|number| take_behind(table.line(number), &mut f));
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        for (number, shard) in self.shards.iter_mut().enumerate() {
            let word = unsync_load(&mut shard.table);
            unsync_store(&mut shard.table, null_mut());
            if !word.is_null() {
                // SAFETY: I2: exclusive access.
                let table = unsafe { Table::from_word(word, Scale::of(number)) };
                if let Some(Leaving::Stepwise(running)) = table.leaving() {
                    // SAFETY: I2: as above.
                    unsafe { running.end(table, &self.home) };
                }
                // SAFETY: I2: as above.
                unsafe { table.free(&self.home) };
            }
        }
        // SAFETY: I2: exclusive access.
        unsafe { self.home.free() };
    }
}

#[cfg(all(test, loom))]
mod w4 {
    use super::super::pair::Pair;
    use super::{AtomicPtr, AtomicU64, Home, Ordering, Scale, Shard, Table, null_mut};
    use loom::sync::Arc;
    use loom::thread;

    fn shard(table: *mut u8) -> Arc<Shard> {
        Arc::new(Shard {
            table: AtomicPtr::new(table),
            moves: AtomicU64::new(0),
        })
    }

    /// Reads the first slot of a table in another thread, as a look-up without a guard: how many tables were gone before, the pair, and
    /// whether none has gone meanwhile.
    fn read(shard: &Arc<Shard>, word: usize) -> thread::JoinHandle<(u64, Pair, bool)> {
        let shard = Arc::clone(shard);
        thread::spawn(move || {
            let word = core::ptr::with_exposed_provenance_mut(word);
            // SAFETY: I2: it is freed at the end.
            let table = unsafe { Table::from_word(word, Scale::of(0)) };
            let moves = shard.moves();
            // As a filter reads.
            let pair = table.line(0).slots()[0].peek();
            (moves.0, pair, shard.is_unmoved(moves))
        })
    }

    /// A look-up reads a line while its table goes out of use: it finds what was there, or that a table has gone.
    #[test]
    fn loom_w4_a_zero_of_a_table_out_of_use_is_not_believed() {
        loom::model(|| {
            let shard = shard(null_mut());
            let home = Arc::new(Home::new());
            let table = Table::allocate(0, -4, &home, None).expect("a small table");
            let word = table.word().expose_provenance();
            table.line(0).slots()[0].store_private(Pair::live(7, 1));
            let reader = read(&shard, word);
            shard.count();
            // SAFETY: I2: nobody writes to it.
            unsafe { table.put_aside() };
            let (moves, pair, is_unmoved) = reader.join().expect("the reader does not panic");
            if moves == 0 && is_unmoved {
                assert_eq!(pair, Pair::live(7, 1));
            }
            // SAFETY: I2: the reader has ended.
            unsafe { home.free() };
        });
    }

    /// The same while the table's memory is taken for another, and written.
    #[test]
    fn loom_w4_what_the_next_table_holds_is_not_believed() {
        loom::model(|| {
            let shard = shard(null_mut());
            let home = Arc::new(Home::new());
            let table = Table::allocate(0, -4, &home, None).expect("a small table");
            let word = table.word().expose_provenance();
            table.line(0).slots()[0].store_private(Pair::live(7, 1));
            let next = {
                let home = Arc::clone(&home);
                thread::spawn(move || {
                    let next = Table::allocate(0, -4, &home, None).expect("a small table");
                    next.line(0).slots()[0].store_private(Pair::VACANT);
                    next.word().expose_provenance()
                })
            };
            let reader = read(&shard, word);
            shard.count();
            // SAFETY: I2: nobody writes to it.
            unsafe { table.put_aside() };
            let (moves, pair, is_unmoved) = reader.join().expect("the reader does not panic");
            let next = next.join().expect("the other does not panic");
            if moves == 0 && is_unmoved {
                assert_eq!(pair, Pair::live(7, 1));
            }
            let next = core::ptr::with_exposed_provenance_mut(next);
            // SAFETY: I2: the others have ended.
            unsafe { Table::from_word(next, Scale::of(0)).free(&home) };
            // SAFETY: I2: as above.
            unsafe { home.free() };
        });
    }

    /// Who sees a table counted does not come to it by the shard's word any more.
    #[test]
    fn loom_w4_a_table_that_is_counted_is_not_found() {
        loom::model(|| {
            let shard = shard(null_mut());
            let reader = {
                let shard = Arc::clone(&shard);
                thread::spawn(move || {
                    let moves = shard.moves();
                    // Weaker than the load of the program: the count alone has to do it.
                    (moves.0, shard.table.load(Ordering::Relaxed))
                })
            };
            let new = core::ptr::without_provenance_mut(64);
            shard.table.store(new, Ordering::Relaxed);
            shard.count();
            let (moves, word) = reader.join().expect("the reader does not panic");
            assert!(moves == 0 || word == new, "{moves}, {word:?}");
        });
    }
}
