//! A table of one shard: a header line and its lines, in one piece of memory that is kept as long as the map ([`home`](super::home)).
//!
//! Shard `s` has tables of `(16 + s / 2) * 2^k` lines, for `k` from -4 on and rounded up. So the shards double one
//! after another, and their sum grows evenly. The rest of a key, times the first factor, is the key's
//! *position*; its upper bits are the number of the line. A line doubles into two neighbours.
//!
//! Invariants: I2, I4 and I5 of the [parent module](super).

use super::home::Home;
use super::line::{Line, SLOTS};
use super::moving::Move;
use super::pair::REST_BITS;
use crate::error::TryReserveError;
use crate::shard::{Node, Span};
use crate::sync::{AtomicIsize, AtomicPtr, MODEL, Ordering, layout, never_split, note_read};
use crate::table::memory::Origin;
use core::alloc::Layout;
use core::marker::PhantomData;
use core::ops::Range;
use core::ptr::NonNull;

/// The address of the first line leaves its low bits free for how far a position is shifted.
const SHIFT_MASK: usize = 63;
/// The size of a shard's smallest table.
pub(crate) const MIN_SIZE: i32 = -4;
/// The size of a shard's largest table.
pub(crate) const MAX_SIZE: i32 = 34;

/// How many lines a shard's tables have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scale(u64);

impl Scale {
    /// That of a shard, by its number.
    #[inline]
    pub(crate) const fn of(shard: usize) -> Self {
        Self(16 + shard as u64 / 2)
    }

    /// Lines of a table of this size.
    pub(crate) const fn lines(self, size: i32) -> u64 {
        if size < 0 {
            self.0.div_ceil(1 << size.unsigned_abs())
        } else {
            self.0 << size
        }
    }

    /// The least size with so many lines; more than the largest has, for more lines.
    pub(crate) fn size_for(self, lines: u64) -> i32 {
        let mut sizes = MIN_SIZE..=MAX_SIZE;
        let fits = sizes.find(|&size| self.lines(size) >= lines);
        fits.unwrap_or(MAX_SIZE + 1)
    }

    /// The position of a key in the shard.
    #[inline]
    pub(crate) fn position(self, rest: u64) -> u64 {
        self.0 * rest
    }

    /// One more than the last position.
    pub(crate) fn end(self) -> u64 {
        self.0 << REST_BITS
    }
}

/// The first line of a table's memory.
#[repr(C, align(64))]
pub(super) struct Header {
    /// The move out of this table, once there is one.
    pub(super) next: AtomicPtr<Move>,
    /// Members behind a first link, over all buckets: the load signal.
    spilled: AtomicIsize,
    /// Where the table goes when it is out of use.
    pub(super) home: *const Home,
    /// The next one in the list there.
    pub(super) beside: *mut u8,
    shard: usize,
    origin: Origin,
}
never_split!(Header: next, spilled);
layout!(Header: next, spilled, home, beside, shard, origin);

impl Header {
    /// That of a table which nobody leaves.
    pub(super) fn new(home: *const Home, shard: usize, origin: Origin) -> Self {
        Self {
            next: AtomicPtr::new(core::ptr::null_mut()),
            spilled: AtomicIsize::new(0),
            home,
            beside: core::ptr::null_mut(),
            shard,
            origin,
        }
    }
}

const _: () = assert!(
    MODEL || size_of::<Header>() == size_of::<Line>(),
    "a header is the line before the first"
);

/// How a table is being left.
#[derive(Clone, Copy)]
pub(crate) enum Leaving<'g> {
    /// By copies of it, of this size or another. Whoever comes makes his own, and one gets into the shard's word.
    AtOnce(i32),
    /// By the steps of a move.
    Stepwise(&'g Move),
}

/// A size, as the header says it: an odd number, which is no record's address.
fn word_of(size: i32) -> *mut Move {
    core::ptr::without_provenance_mut((size - MIN_SIZE).unsigned_abs() as usize * 2 + 1)
}

/// The size that such a word says.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "made from a size"
)]
fn size_in(next: *mut Move) -> Option<i32> {
    let word = next.addr();
    (word & 1 != 0).then_some(MIN_SIZE + (word / 2) as i32)
}

/// Frees the record that a header leads to, if it does.
///
/// # Safety
/// The word comes from a header that leads to the record no more, or is nobody else's.
pub(super) unsafe fn free_record(next: *mut Move) {
    if !next.is_null() && size_in(next).is_none() {
        // SAFETY: the caller's contract; the record came out of a box in `leave_stepwise`.
        drop(unsafe { Box::from_raw(next) });
    }
}

/// A table that stays in use for `'g`, or at least allocated (I2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<'g> {
    /// Address of the first line, and how far a position is shifted in the low bits.
    word: *mut u8,
    scale: Scale,
    _guard: PhantomData<&'g Line>,
}

impl PartialEq for Table<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl<'g> Table<'g> {
    pub(super) fn layout(lines: u64) -> Result<Layout, TryReserveError> {
        let lines = usize::try_from(lines).unwrap_or(usize::MAX);
        let overflow = TryReserveError::CapacityOverflow {
            entries: lines.saturating_mul(SLOTS),
        };
        let Some(bytes) = size_of::<Line>()
            .checked_mul(lines)
            .and_then(|bytes| bytes.checked_add(size_of::<Header>()))
        else {
            return Err(overflow);
        };
        Layout::from_size_align(bytes, align_of::<Header>()).map_err(|_| overflow)
    }

    /// Bytes of the table: its header and its lines.
    pub(crate) fn bytes(self) -> usize {
        (self.line_count() + 1) * size_of::<Line>()
    }

    /// The table of this size whose header stands here.
    pub(super) fn at(memory: NonNull<u8>, scale: Scale, size: i32) -> Self {
        // SAFETY: I4: the header is followed by the lines.
        let first = unsafe { memory.as_ptr().add(size_of::<Header>()) };
        first.expose_provenance();
        #[expect(clippy::cast_sign_loss, reason = "sizes are such that it is below 64")]
        let shift = (REST_BITS.cast_signed() - size) as usize;
        let word = first.map_addr(|address| address | shift);
        // SAFETY: I4: the caller has taken the memory for it.
        unsafe { Self::from_word(word, scale) }
    }

    /// The word by which a shard refers to this table.
    #[inline]
    pub(crate) fn word(self) -> *mut u8 {
        self.word
    }

    /// The table behind a shard word.
    ///
    /// # Safety
    /// `word` was made by [`word`](Self::word) of a table of a shard of this scale, and it stays allocated for
    /// `'g` (I2).
    #[inline]
    pub(super) unsafe fn from_word(word: *mut u8, scale: Scale) -> Self {
        Self {
            word,
            scale,
            _guard: PhantomData,
        }
    }

    /// How far a position is shifted: 63 at most.
    #[inline]
    fn shift(self) -> usize {
        self.word.addr() & SHIFT_MASK
    }

    #[inline]
    fn first_line(self) -> *mut Line {
        let address = self.word.addr() & !SHIFT_MASK;
        core::ptr::with_exposed_provenance_mut(address)
    }

    pub(super) fn header_pointer(self) -> *mut Header {
        // SAFETY: I4: the first line lies behind a header.
        unsafe { self.first_line().cast::<Header>().sub(1) }
    }

    #[inline]
    fn header(self) -> &'g Header {
        // SAFETY: I2, I4: the header stays allocated for 'g, and is written by who has the table alone.
        unsafe { &*self.header_pointer() }
    }

    /// The header, for who has the table alone.
    pub(super) fn header_mut(self) -> &'g mut Header {
        // SAFETY: I4: callers have taken the table out of use, or out of the list of spare ones.
        unsafe { &mut *self.header_pointer() }
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the number is below the line count"
    )]
    pub(super) fn line_pointer(self, number: u64) -> *mut Line {
        // SAFETY: I4: callers stay below the number of lines.
        unsafe { self.first_line().add(number as usize) }
    }

    /// The size: lines are `scale * 2^size`.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "six bits"
    )]
    pub(crate) fn size(self) -> i32 {
        REST_BITS.cast_signed() - self.shift() as i32
    }

    /// How many lines the shard's tables have.
    pub(crate) fn scale(self) -> Scale {
        self.scale
    }

    /// Lines.
    pub(crate) fn lines(self) -> u64 {
        self.scale.lines(self.size())
    }

    #[expect(clippy::cast_possible_truncation, reason = "they lie in memory")]
    pub(super) fn line_count(self) -> usize {
        self.lines() as usize
    }

    /// The number of the line of a position.
    #[inline]
    pub(crate) fn number_at(self, position: u64) -> u64 {
        position >> self.shift()
    }

    /// The first position of a line.
    #[inline]
    pub(crate) fn line_start(self, number: u64) -> u64 {
        number << self.shift()
    }

    /// One more than the last position of a line.
    #[inline]
    pub(crate) fn line_end(self, number: u64) -> u64 {
        let is_last = number + 1 == self.lines();
        if is_last {
            self.scale.end()
        } else {
            (number + 1) << self.shift()
        }
    }

    /// The line of a key.
    #[inline]
    pub(crate) fn line_of(self, rest: u64) -> &'g Line {
        self.line(self.number_at(self.scale.position(rest)))
    }

    /// A line, by a number below that of the lines.
    #[inline]
    pub(crate) fn line(self, number: u64) -> &'g Line {
        debug_assert!(number < self.lines(), "line {number}");
        // SAFETY: I2, I4: the line is in the allocation; zero bytes are a valid `Line`, and under the model every line
        // was written at allocation.
        unsafe { &*self.line_pointer(number) }
    }

    /// All lines, in order.
    #[inline]
    pub(crate) fn all(self) -> &'g [Line] {
        // SAFETY: I2, I4: as of one line; they are side by side.
        unsafe { core::slice::from_raw_parts(self.first_line(), self.line_count()) }
    }

    /// The lines of these numbers.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "they lie in memory")]
    pub(super) fn range(self, numbers: Range<u64>) -> &'g [Line] {
        &self.all()[numbers.start as usize..numbers.end as usize]
    }

    /// Calls `f` with each line.
    pub(super) fn each_line(self, f: impl FnMut(&'g Line)) {
        self.all().iter().for_each(f);
    }

    /// The shard whose table this is.
    pub(super) fn shard(self) -> usize {
        let shard = &self.header().shard;
        note_read(shard);
        *shard
    }

    /// Where the table goes when it is out of use.
    pub(super) fn home(self) -> &'g Home {
        let home = &self.header().home;
        note_read(home);
        // SAFETY: I2: it lives as long as the map.
        unsafe { &**home }
    }

    /// What came of asking for memory on a node.
    pub(super) fn origin(self) -> Origin {
        let origin = &self.header().origin;
        note_read(origin);
        *origin
    }

    /// The node that was asked for, for this table and those that it moves to.
    pub(crate) fn node(self) -> Option<Node> {
        self.origin().node
    }

    /// Where the table is.
    pub(crate) fn span(self, shard: usize) -> Span {
        let start = self.header_pointer().cast();
        Span::of_table(Some(shard), start, self.bytes(), self.origin().refused)
    }

    /// How this table is being left, if it is.
    #[inline]
    pub(crate) fn leaving(self) -> Option<Leaving<'g>> {
        // ORD: SeqCst — pairs with the SeqCst exchange in leave [W3]; publishes the new memory.
        let next = self.header().next.load(Ordering::SeqCst);
        if next.is_null() {
            return None;
        }
        if let Some(size) = size_in(next) {
            return Some(Leaving::AtOnce(size));
        }
        // SAFETY: I2: a move's record goes when its old table is out of use.
        Some(Leaving::Stepwise(unsafe { &*next }))
    }

    /// Hangs `new` on the header; gives it back if the table is being left already.
    pub(super) fn leave_stepwise(self, new: Box<Move>) -> Result<&'g Move, Box<Move>> {
        let new = Box::into_raw(new);
        if self.leave(new) {
            // SAFETY: I2: as in `leaving`.
            return Ok(unsafe { &*new });
        }
        // SAFETY: I4: `new` came out of a box above and was not published.
        Err(unsafe { Box::from_raw(new) })
    }

    /// Says that the table is to be copied to one of this size, unless it is being left already.
    pub(crate) fn leave_at_once(self, size: i32) {
        let _begun_by_another = self.leave(word_of(size));
    }

    fn leave(self, next: *mut Move) -> bool {
        // ORD: SeqCst — pairs with the SeqCst load in leaving [W3]; publishes the new memory.
        let swapped = self.header().next.compare_exchange(
            core::ptr::null_mut(),
            next,
            Ordering::SeqCst,
            Ordering::SeqCst,
        );
        swapped.is_ok()
    }

    /// Counts members put behind a first link, or taken away there; returns the new count.
    pub(crate) fn spill(self, change: isize) -> isize {
        // ORD: Relaxed — a load signal; nothing is published by it.
        self.header().spilled.fetch_add(change, Ordering::Relaxed) + change
    }
}
