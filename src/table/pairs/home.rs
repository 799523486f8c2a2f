//! Where the tables of a map come from, and where they go when they are out of use: they give their pages back, and are used again, as zeros, for the
//! next table of their shard and size.
//!
//! | table | memory | out of use |
//! |---|---|---|
//! | of a size that has an [arena](super::arena) | its place there | gives the place back |
//! | of another size; on a node; whose place is taken | its own: pages, or the allocator's if it is small | goes to the list of [spare](super::spares) ones |
//!
//! Invariants: I2 and I4 of the [parent module](super).

use super::arena::{Arena, Arenas, PAGED};
use super::directory::SHARDS;
use super::line::Line;
use super::pair::Pair;
use super::spares::Spares;
use super::store::{Header, MAX_SIZE, MIN_SIZE, Scale, Table, free_record};
use crate::error::TryReserveError;
use crate::shard::Node;
use crate::sync::{MODEL, Ordering, fence, note_objects, note_write};
use crate::sys::pages;
use crate::table::memory::{self, Origin};
use core::ops::Range;
use core::ptr::NonNull;

/// Tables of so many bytes and more that have memory of their own are mapped, so that their pages go back when they are out of use.
const MAPPED_BYTES: usize = 32 << 10;
/// Lines whose pages come at once: who needs one of them pays for twelve pages, and the next for none.
pub(super) const POPULATED_LINES: u64 = (POPULATED_BYTES / size_of::<Line>()) as u64;
/// Their bytes.
const POPULATED_BYTES: usize = 48 << 10;

/// The memory of a map's tables that are not in use.
pub(super) struct Home {
    spares: [Spares; SHARDS],
    arenas: Arenas,
}

impl Home {
    /// No memory.
    pub(super) fn new() -> Self {
        Self {
            spares: core::array::from_fn(|_| Spares::new()),
            arenas: Arenas::new(),
        }
    }

    /// Frees the spare tables.
    ///
    /// # Safety
    /// Nobody reads a table of this map any more.
    pub(super) unsafe fn free(&self) {
        for (shard, spares) in self.spares.iter().enumerate() {
            spares.take_all(Scale::of(shard), |table| {
                // SAFETY: the caller's contract; the list had it.
                unsafe { table.free(self) };
            });
        }
    }
}

impl Table<'_> {
    /// A table whose lines are zero. On a node if one is given, the same for all tables of a shard.
    pub(super) fn allocate(
        shard: usize,
        size: i32,
        home: &Home,
        node: Option<Node>,
    ) -> Result<Self, TryReserveError> {
        debug_assert!((MIN_SIZE..=MAX_SIZE).contains(&size), "size {size}");
        let scale = Scale::of(shard);
        let arena = home.arenas.of(size).filter(|_| node.is_none());
        let place = arena.and_then(|arena| Some((arena, arena.take(shard)?)));
        let table = if let Some((arena, memory)) = place {
            let table = Self::at(memory, scale, size);
            if !arena.has_pages() && table.was_used() {
                table.zero_but(0..0);
            }
            table.write_header(Header::new(home, shard, Origin::NOWHERE));
            table
        } else if let Some(table) = home.spares[shard].take(scale, size) {
            table.write_header(Header::new(home, shard, table.origin()));
            if let Some((memory, bytes)) = table.mapping() {
                pages::take_again(memory, bytes);
            }
            table
        } else {
            let layout = Self::layout(scale.lines(size))?;
            let (memory, origin) = memory::allocate(layout, MAPPED_BYTES, node)?;
            let table = Self::at(memory, scale, size);
            if MODEL {
                for number in 0..table.lines() {
                    // SAFETY: I4: the allocation has room for this line; nobody else has it yet.
                    unsafe { table.line_pointer(number).write(Line::zero()) };
                }
            }
            table.write_header(Header::new(home, shard, origin));
            table
        };
        // ORD: Release — pairs with the Acquire in is_unmoved [W4]; publishes that the table before, if there was one here, is out of use, before
        // what is written here next.
        fence(Ordering::Release);
        note_objects(table.header_pointer(), 1);
        note_objects(table.line_pointer(0), table.line_count());
        Ok(table)
    }

    /// Writes a new header, for who has the table alone.
    fn write_header(self, header: Header) {
        // SAFETY: I4: the memory starts with room for a header, and nobody else has the table.
        unsafe { self.header_pointer().write(header) };
        note_write(self.header_pointer());
    }

    /// Whether there was a table here before, for who has the memory alone: where none was, it is zero.
    fn was_used(self) -> bool {
        !self.header_mut().home.is_null()
    }

    /// Where the table starts.
    fn memory(self) -> NonNull<u8> {
        // SAFETY: I4: there is a header.
        unsafe { NonNull::new_unchecked(self.header_pointer().cast()) }
    }

    /// The arena that the table's memory is a place of, if it is.
    fn arena(self, home: &Home) -> Option<&Arena> {
        let arena = home.arenas.of(self.size())?;
        arena.is_place(self.shard(), self.memory()).then_some(arena)
    }

    /// The table's memory and its bytes, if they are a mapping of its own.
    fn mapping(self) -> Option<(NonNull<u8>, usize)> {
        let layout = Self::layout(self.lines()).ok()?;
        let is_mapped = memory::is_mapped(layout, MAPPED_BYTES, self.node());
        is_mapped.then_some((self.memory(), layout.size()))
    }

    /// Whether the table lies in pages, which go back when it is out of use.
    fn has_pages(self) -> bool {
        self.size() >= PAGED || self.node().is_some()
    }

    /// Has pages come for the run of lines that this one is in, unless they are the allocator's.
    pub(super) fn populate(self, number: u64) {
        if !self.has_pages() {
            return;
        }
        let first = number / POPULATED_LINES * POPULATED_LINES;
        let to_end = self.bytes() - (self.line_pointer(first).addr() - self.memory().addr().get());
        if let Some(first) = NonNull::new(self.line_pointer(first)) {
            // SAFETY: I4: lines of the table, whose memory is mapped.
            unsafe { pages::populate(first.cast(), POPULATED_BYTES.min(to_end)) };
        }
    }

    /// Has the pages of all lines come.
    pub(super) fn populate_all(self) {
        if let (true, Some(first)) = (self.has_pages(), NonNull::new(self.line_pointer(0))) {
            let bytes = self.line_count() * size_of::<Line>();
            // SAFETY: I4: the lines of the table, whose memory is mapped.
            unsafe { pages::populate(first.cast(), bytes) };
        }
    }

    /// Takes the table out of use: its pages go back, and it is there for the next one. Its lines are zero, but in an arena of the allocator's.
    ///
    /// # Safety
    /// No word leads to the table, and nobody has a guard under which he could write to it.
    pub(super) unsafe fn put_aside(self) {
        let (home, shard) = (self.home(), self.shard());
        // ORD: Relaxed — the caller's contract is exclusive access to the header.
        let next = self
            .header_mut()
            .next
            .swap(core::ptr::null_mut(), Ordering::Relaxed);
        // SAFETY: I4: the header leads to it no more.
        unsafe { free_record(next) };
        if let Some(arena) = self.arena(home) {
            if arena.has_pages() {
                // SAFETY: the caller's contract; the header is written before it is read again.
                let given_back = unsafe { pages::zero(self.memory(), self.bytes()) };
                self.zero_but(given_back);
            }
            // SAFETY: the caller's contract, and the lines above.
            unsafe { arena.put(shard) };
            return;
        }
        let origin = self.origin();
        // SAFETY: the caller's contract: nobody writes to it.
        let is_given_back = |(memory, bytes)| unsafe { pages::give_back(memory, bytes) };
        if self.mapping().is_some_and(is_given_back) {
            self.write_header(Header::new(home, shard, origin));
        } else {
            self.zero_but(0..0);
        }
        home.spares[shard].put(self);
    }

    /// Makes every line zero, while look-ups may be reading them, but those in these bytes of the table.
    fn zero_but(self, zero: Range<usize>) {
        // ORD: Release — pairs with the Acquire in is_unmoved [W4]; publishes that the table is out of use, before its zeros.
        fence(Ordering::Release);
        let line = |bytes: usize| (bytes / size_of::<Line>()).saturating_sub(1);
        let (before, behind) = self.all().split_at(line(zero.start));
        let behind = &behind[line(zero.end) - line(zero.start)..];
        for line in before.iter().chain(behind) {
            line.slots()
                .iter()
                .for_each(|slot| slot.store_private(Pair::ZERO));
        }
    }

    /// Frees the table and the record of its move.
    ///
    /// # Safety
    /// It is a table of the map of this home; nobody reads it any more, and nobody will.
    pub(super) unsafe fn free(self, home: &Home) {
        // ORD: Relaxed — the caller's contract is exclusive access.
        let next = self.header_mut().next.load(Ordering::Relaxed);
        // SAFETY: I4: nobody else frees it.
        unsafe { free_record(next) };
        if self.arena(home).is_some() {
            return;
        }
        let Ok(layout) = Self::layout(self.lines()) else {
            unreachable!("the table was allocated with this layout")
        };
        let node = self.node();
        if MODEL {
            for number in 0..self.lines() {
                // SAFETY: the caller's contract; the line was written at allocation.
                unsafe { self.line_pointer(number).drop_in_place() };
            }
            // SAFETY: the caller's contract; the header was written at allocation.
            unsafe { self.header_pointer().drop_in_place() };
        }
        // SAFETY: I4: allocated with this layout; the caller's contract.
        unsafe { memory::free(self.memory().as_ptr(), layout, MAPPED_BYTES, node) };
    }
}

/// Takes a table out of use, by its word.
///
/// # Safety
/// As for [`Table::put_aside`].
pub(crate) unsafe fn put_aside(word: *mut u8) {
    // SAFETY: the caller's contract: it is a table's; where its header is does not depend on the scale.
    let shard = unsafe { Table::from_word(word, Scale::of(0)) }.shard();
    // SAFETY: I2: it stays allocated.
    let table = unsafe { Table::from_word(word, Scale::of(shard)) };
    // SAFETY: the caller's contract.
    unsafe { table.put_aside() };
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Home, PAGED, Pair, SHARDS, Table};
    use crate::shard::Node;

    /// A size whose arena is the allocator's.
    const SMALL: i32 = -3;

    fn allocate(home: &Home, shard: usize, size: i32) -> Table<'_> {
        on_node(home, shard, size, None)
    }

    fn on_node(home: &Home, shard: usize, size: i32, node: Option<Node>) -> Table<'_> {
        Table::allocate(shard, size, home, node).expect("some kilobytes are there")
    }

    /// Puts a member into every slot.
    fn fill(table: Table<'_>) {
        let slots = table.all().iter().flat_map(|line| line.slots());
        slots.for_each(|slot| slot.store_private(Pair::live(7, 1)));
    }

    fn holds_only(table: Table<'_>, pair: Pair) -> bool {
        let mut slots = table.all().iter().flat_map(|line| line.slots());
        slots.all(|slot| slot.load() == pair)
    }

    #[test]
    fn a_table_leaves_its_place_zero_and_its_neighbours_as_they_are() {
        let home = Home::new();
        let tables: Vec<_> = (0..SHARDS)
            .map(|shard| allocate(&home, shard, PAGED))
            .collect();
        tables.iter().for_each(|&table| fill(table));
        for (shard, &table) in tables.iter().enumerate() {
            assert!(table.arena(&home).is_some());
            // SAFETY: nobody else has the table.
            unsafe { table.put_aside() };
            assert!(holds_only(table, Pair::ZERO), "shard {shard}");
            let next = tables.get(shard + 1);
            assert!(
                next.is_none_or(|&next| holds_only(next, Pair::live(7, 1))),
                "after shard {shard}"
            );
            let again = (shard == SHARDS / 2).then(|| allocate(&home, shard, PAGED));
            assert!(again.is_none_or(|again| again == table));
        }
        // SAFETY: nobody reads them any more.
        unsafe { home.free() };
    }

    #[test]
    fn miri_words_a_small_table_is_zero_when_its_place_is_taken_again() {
        let home = Home::new();
        let tables = [0, 1].map(|shard| allocate(&home, shard, SMALL));
        tables.into_iter().for_each(fill);
        assert!(tables[0].arena(&home).is_some());
        // SAFETY: nobody else has the table.
        unsafe { tables[0].put_aside() };
        let again = allocate(&home, 0, SMALL);
        assert!(again == tables[0] && holds_only(again, Pair::ZERO));
        assert!(holds_only(tables[1], Pair::live(7, 1)));
        // SAFETY: nobody reads them any more, nor will.
        tables
            .into_iter()
            .for_each(|table| unsafe { table.free(&home) });
    }

    #[test]
    fn miri_words_who_finds_the_place_taken_or_wants_a_node_gets_memory_elsewhere() {
        let home = Home::new();
        let first = allocate(&home, 0, PAGED);
        for node in [None, Some(Node::Preferred(0))] {
            let second = on_node(&home, 0, PAGED, node);
            assert!(second != first && second.arena(&home).is_none());
            assert_eq!(second.node(), node);
            fill(second);
            // SAFETY: nobody else has the table.
            unsafe { second.put_aside() };
            let third = on_node(&home, 0, PAGED, node);
            assert!(third == second && holds_only(third, Pair::ZERO));
            // SAFETY: nobody else has the table, or will.
            unsafe { third.free(&home) };
        }
        // SAFETY: as above; its place goes with the home.
        unsafe { first.free(&home) };
    }
}
