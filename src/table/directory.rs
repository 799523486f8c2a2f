//! The array of shard words. It is read by every operation and written when a shard's table is
//! exchanged, so its words are packed: eight shards share a line that stays clean.
//!
//! Invariants: I3 and I6 of the [parent module](super).

use super::store::Table;
use super::top_bits;
use crate::error::TryReserveError;
use crate::sync::{AtomicPtr, Ordering};
use core::alloc::Layout;
use core::marker::PhantomData;

/// The address of a directory leaves its low bits free for `shard_bits`.
const SHARD_BITS_MASK: usize = 63;
type Word = AtomicPtr<u8>;

/// A directory that stays allocated for `'g` (I3).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Directory<'g> {
    /// Address of the first shard word, `shard_bits` in the low bits.
    word: *mut u8,
    _guard: PhantomData<&'g Word>,
}

impl PartialEq for Directory<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl<'g> Directory<'g> {
    /// Allocates a directory of `2^shard_bits` fresh tables of `2^line_bits` lines each.
    pub(crate) fn allocate(shard_bits: u32, line_bits: u32) -> Result<Self, TryReserveError> {
        let layout = Self::layout(shard_bits)?;
        // SAFETY: I6: the layout holds one shard word at least.
        let memory = unsafe { std::alloc::alloc(layout) };
        if memory.is_null() {
            return Err(TryReserveError::AllocError { layout });
        }
        let directory = Self {
            word: memory.map_addr(|address| address | shard_bits as usize),
            _guard: PhantomData,
        };
        for shard in 0..directory.shards() {
            // SAFETY: I6: the allocation has room for this shard word; nobody else has it yet.
            unsafe {
                directory
                    .pointer(shard)
                    .write(AtomicPtr::new(core::ptr::null_mut()))
            };
        }
        let geometry = super::Geometry {
            shard_bits,
            line_bits,
        };
        for shard in 0..directory.shards() {
            match Table::allocate(geometry) {
                // ORD: Relaxed — the directory is private until it is published.
                Ok(table) => directory
                    .shard(shard)
                    .store(table.word(), Ordering::Relaxed),
                Err(error) => {
                    // SAFETY: private: nobody else has the directory or its tables.
                    unsafe { directory.free_with_tables() };
                    return Err(error);
                }
            }
        }
        Ok(directory)
    }

    fn layout(shard_bits: u32) -> Result<Layout, TryReserveError> {
        let overflow = TryReserveError::CapacityOverflow {
            entries: usize::MAX,
        };
        let bytes = size_of::<Word>()
            .checked_mul(1 << shard_bits)
            .ok_or(overflow.clone())?;
        Layout::from_size_align(bytes, 64).map_err(|_| overflow)
    }

    /// The word by which the map refers to this directory.
    #[inline]
    pub(crate) fn word(self) -> *mut u8 {
        self.word
    }

    /// The directory behind a map word; `None` for null.
    ///
    /// # Safety
    /// `word` was made by [`word`](Self::word) and the directory stays allocated for `'g` (I3).
    #[inline]
    pub(crate) unsafe fn from_word(word: *mut u8) -> Option<Self> {
        if word.is_null() {
            None
        } else {
            Some(Self {
                word,
                _guard: PhantomData,
            })
        }
    }

    /// Hash bits that choose the shard.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "six bits")]
    pub(crate) fn shard_bits(self) -> u32 {
        (self.word.addr() & SHARD_BITS_MASK) as u32
    }

    /// Number of shards.
    #[inline]
    pub(crate) fn shards(self) -> usize {
        1 << self.shard_bits()
    }

    /// The shard of `hash`.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "below the number of shards"
    )]
    pub(crate) fn shard_of(self, hash: u64) -> usize {
        top_bits(hash, self.shard_bits()) as usize
    }

    #[inline]
    fn pointer(self, shard: usize) -> *mut Word {
        let memory = self.word.map_addr(|address| address & !SHARD_BITS_MASK);
        // SAFETY: I6: `shard` is below the number of shards, all of which are in the allocation.
        unsafe { memory.cast::<Word>().add(shard) }
    }

    #[inline]
    fn shard(self, shard: usize) -> &'g Word {
        // SAFETY: I3: the directory lives for 'g; every shard word was written at allocation.
        unsafe { &*self.pointer(shard) }
    }

    /// The present table of `shard`.
    #[inline]
    pub(crate) fn table(self, shard: usize) -> Table<'g> {
        // ORD: SeqCst — pairs with the SeqCst exchange in exchange [T3]; publishes the table.
        let word = self.shard(shard).load(Ordering::SeqCst);
        debug_assert!(
            !word.is_null(),
            "a published directory has a table in every shard"
        );
        // SAFETY: I3: the table was loaded under the guard of 'g.
        unsafe { Table::from_word(word) }
    }

    /// Replaces the table `old` of `shard` by `new`; says whether this call did it.
    pub(crate) fn exchange(self, shard: usize, old: Table<'g>, new: Table<'g>) -> bool {
        // ORD: SeqCst — pairs with the SeqCst load in table [T3]; publishes the new table, and
        // unlinks the old one before it is retired.
        self.shard(shard)
            .compare_exchange(old.word(), new.word(), Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    }

    /// Frees the array of shard words only.
    ///
    /// # Safety
    /// Nobody else uses the directory any more, and nobody will.
    pub(crate) unsafe fn free(self) {
        for shard in 0..self.shards() {
            // SAFETY: the caller's contract; the word was written at allocation.
            unsafe { self.pointer(shard).drop_in_place() };
        }
        if let Ok(layout) = Self::layout(self.shard_bits()) {
            // SAFETY: I6: allocated with this layout; the caller's contract.
            unsafe { std::alloc::dealloc(self.pointer(0).cast::<u8>(), layout) };
        }
    }

    /// Frees the directory and its tables, but no entry and no overflow line.
    ///
    /// # Safety
    /// Nobody else uses the directory or its tables, and nobody will.
    pub(crate) unsafe fn free_with_tables(self) {
        for shard in 0..self.shards() {
            // ORD: Relaxed — the caller's contract is exclusive access.
            let word = self.shard(shard).load(Ordering::Relaxed);
            // A null word is a table that was never allocated.
            if !word.is_null() {
                // SAFETY: the caller's contract.
                let table = unsafe { Table::from_word(word) };
                // SAFETY: the caller's contract.
                unsafe { table.free() };
            }
        }
        // SAFETY: the caller's contract.
        unsafe { self.free() };
    }
}
