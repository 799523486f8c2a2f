//! A table: a header line and `2^line_bits` bucket lines, two at least, in one allocation.
//!
//! Invariants: I3, I5 and I6 of the [parent module](super).

use super::hash;
use super::line::Line;
use super::memory;
use super::migration::Migration;
use super::word::at;
use crate::error::TryReserveError;
use crate::shard::{Node, Span};
use crate::sync::{AtomicIsize, AtomicPtr, MODEL, Ordering, layout, never_split, note_objects};
use crate::sync::{note_read, note_write};
use core::alloc::Layout;
use core::marker::PhantomData;

/// Tables of this size and more are mapped, so that they start as zero pages and go back whole.
const MAPPED_BYTES: usize = 128 << 10;
/// The address of a table leaves its low bits free for `64 - line_bits`.
const SHIFT_MASK: usize = 63;

/// Which hashes a table serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// All of them: the only table of a young map.
    Root,
    /// Those of one shard, from its node if it has one.
    Shard(Option<Node>),
}

impl Kind {
    /// The node that is asked for.
    fn node(self) -> Option<Node> {
        match self {
            Self::Root => None,
            Self::Shard(node) => node,
        }
    }
}

/// The first line of a table's memory.
#[repr(C, align(64))]
struct Header {
    /// The move out of this table, once there is one.
    next: AtomicPtr<Migration>,
    /// Entries in the first overflow line of a bucket, over all buckets: the load signal.
    spilled: AtomicIsize,
    kind: Kind,
    /// The error number with which the system refused the node.
    refused: Option<i32>,
}
never_split!(Header: next, spilled);
layout!(Header: next, spilled, kind, refused);

/// A table that stays allocated for `'g` (I3).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<'g> {
    /// Address of the header, `64 - line_bits` in the low bits.
    word: *mut u8,
    _guard: PhantomData<&'g Line>,
}

impl PartialEq for Table<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl<'g> Table<'g> {
    /// Allocates a table whose words are all zero, with two lines at least.
    pub(crate) fn allocate(kind: Kind, line_bits: u32) -> Result<Self, TryReserveError> {
        debug_assert!(
            (1..=hash::MAX_LINE_BITS).contains(&line_bits),
            "{line_bits} line bits"
        );
        let layout = Self::layout(line_bits)?;
        let (memory, origin) = memory::allocate(layout, MAPPED_BYTES, kind.node())?;
        let memory = memory.as_ptr();
        let header = Header {
            next: AtomicPtr::new(core::ptr::null_mut()),
            spilled: AtomicIsize::new(0),
            kind,
            refused: origin.refused,
        };
        // SAFETY: I6: the allocation starts with room for a header, aligned to a line.
        unsafe { memory.cast::<Header>().write(header) };
        memory.expose_provenance();
        note_write(memory.cast::<Header>());
        note_objects(memory.cast::<Header>(), 1);
        let table = Self {
            word: memory.map_addr(|address| address | (64 - line_bits) as usize),
            _guard: PhantomData,
        };
        let lines = 1 << line_bits;
        note_objects(table.line_pointer(0), lines);
        if MODEL {
            for number in 0..table.lines() {
                let line = table.line_pointer(number);
                // SAFETY: I6: the allocation has room for this line; nobody else has it yet.
                unsafe { line.write(Line::zero()) };
            }
        }
        Ok(table)
    }

    fn layout(line_bits: u32) -> Result<Layout, TryReserveError> {
        let lines = 1_usize.checked_shl(line_bits).unwrap_or(usize::MAX);
        let overflow = TryReserveError::CapacityOverflow {
            entries: lines.saturating_mul(super::line::SLOTS),
        };
        let Some(bytes) = size_of::<Line>()
            .checked_mul(lines)
            .and_then(|bytes| bytes.checked_add(size_of::<Header>()))
        else {
            return Err(overflow);
        };
        Layout::from_size_align(bytes, align_of::<Header>()).map_err(|_| overflow)
    }

    /// The word by which a shard refers to this table.
    #[inline]
    pub(crate) fn word(self) -> *mut u8 {
        self.word
    }

    /// The table behind a shard word.
    ///
    /// # Safety
    /// `word` was made by [`word`](Self::word) and the table stays allocated for `'g` (I3).
    #[inline]
    pub(crate) unsafe fn from_word(word: *mut u8) -> Self {
        Self {
            word,
            _guard: PhantomData,
        }
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "six bits")]
    fn shift(self) -> u32 {
        (self.word.addr() & SHIFT_MASK) as u32
    }

    #[inline]
    fn memory(self) -> *mut u8 {
        at(self.word, self.word.addr() & !SHIFT_MASK)
    }

    #[inline]
    fn header(self) -> &'g Header {
        // SAFETY: I3 and I6: the memory starts with a header and stays allocated for 'g.
        unsafe { &*self.memory().cast::<Header>() }
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the number is below the line count"
    )]
    fn line_pointer(self, number: u64) -> *mut Line {
        let offset = size_of::<Header>() + number as usize * size_of::<Line>();
        // SAFETY: I6: the header is followed by `lines` lines, and callers stay below that.
        unsafe { self.memory().add(offset) }.cast::<Line>()
    }

    /// Lines, as a power of two.
    #[inline]
    pub(crate) fn line_bits(self) -> u32 {
        64 - self.shift()
    }

    /// Lines.
    #[inline]
    pub(crate) fn lines(self) -> u64 {
        1 << self.line_bits()
    }

    /// Which hashes this table serves.
    pub(crate) fn kind(self) -> Kind {
        let kind = &self.header().kind;
        note_read(kind);
        *kind
    }

    /// Where the table is.
    pub(crate) fn span(self, shard: Option<usize>) -> Span {
        let bytes = Self::layout(self.line_bits()).map_or(0, |layout| layout.size());
        let refused = &self.header().refused;
        note_read(refused);
        Span::of_table(shard, self.memory(), bytes, *refused)
    }

    /// The line of `hash`.
    #[inline]
    pub(crate) fn line_of(self, hash: u64) -> &'g Line {
        let number = hash::rest(hash) >> (self.word.addr() & SHIFT_MASK);
        // SAFETY: I3 and I6: `line_bits` bits are left, so the line is in the allocation; zero bytes
        // are a valid `Line`, and under the model every line was written at allocation.
        unsafe { &*self.line_pointer(number) }
    }

    /// Line number `number`, modulo the number of lines.
    #[inline]
    pub(crate) fn line(self, number: u64) -> &'g Line {
        // SAFETY: I3 and I6: as for `line_of`.
        unsafe { &*self.line_pointer(number & (self.lines() - 1)) }
    }

    /// The move out of this table, if one has begun.
    #[inline]
    pub(crate) fn migration(self) -> Option<&'g Migration> {
        // ORD: SeqCst — pairs with the SeqCst exchange in begin [T3]; publishes the new memory.
        let next = self.header().next.load(Ordering::SeqCst);
        // SAFETY: I3: a migration is freed together with its old table.
        unsafe { next.as_ref() }
    }

    /// Hangs `migration` on the header; gives it back if there is one already.
    pub(crate) fn begin(self, migration: Box<Migration>) -> Result<&'g Migration, Box<Migration>> {
        let new = Box::into_raw(migration);
        let next = &self.header().next;
        // ORD: SeqCst — pairs with the SeqCst load in migration [T3]; publishes the new memory.
        let swapped = next.compare_exchange(
            core::ptr::null_mut(),
            new,
            Ordering::SeqCst,
            Ordering::SeqCst,
        );
        if swapped.is_err() {
            // SAFETY: I6: `new` came out of a box above and was not published.
            return Err(unsafe { Box::from_raw(new) });
        }
        // SAFETY: I3: a migration is freed together with its old table.
        Ok(unsafe { &*new })
    }

    /// Counts entries put into (or taken out of) first overflow lines; returns the new count.
    pub(crate) fn spill(self, change: isize) -> isize {
        // ORD: Relaxed — a load signal; nothing is published by it.
        self.header().spilled.fetch_add(change, Ordering::Relaxed) + change
    }

    /// Frees the table and its migration's record, but no entry and no new table. Overflow lines
    /// that the migration collected go too; those still linked must have been freed by the caller.
    ///
    /// # Safety
    /// Nobody else uses the table any more, and nobody will.
    pub(crate) unsafe fn free(self) {
        // ORD: Relaxed — the caller's contract is exclusive access.
        let next = self.header().next.load(Ordering::Relaxed);
        if !next.is_null() {
            // SAFETY: the caller's contract; the record came out of a box in `begin`.
            drop(unsafe { Box::from_raw(next) });
        }
        let node = self.kind().node();
        if MODEL {
            for number in 0..self.lines() {
                // SAFETY: the caller's contract; the line was written at allocation.
                unsafe { self.line_pointer(number).drop_in_place() };
            }
            // SAFETY: the caller's contract; the header was written at allocation.
            unsafe { self.memory().cast::<Header>().drop_in_place() };
        }
        let Ok(layout) = Self::layout(self.line_bits()) else {
            unreachable!("the table was allocated with this layout")
        };
        // SAFETY: I6: allocated with this layout; the caller's contract.
        unsafe { memory::free(self.memory(), layout, MAPPED_BYTES, node) };
    }
}
