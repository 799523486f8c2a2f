//! Giving chunks back whose objects are all free.
//!
//! Objects that outlive many others lie scattered over the chunks that held them all, and keep these. A structure that can make its
//! objects anew sets the chunks aside first: then the new ones lie together, and the old chunks go.
//!
//! # Invariants
//! - I1. An object on a free list or set aside is used by nobody.
//! - I2. A chunk is as I1 of [`chunk`](super::chunk) says: a head, and then objects.
#![expect(unsafe_code, reason = "frees chunks; argued by I1 and I2")]

use super::chunk::{Chunk, free_chunk};
use super::heap::Heap;

/// How many objects the chunks have, and how many of them are free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trimmed {
    pub(crate) all: usize,
    pub(crate) free: usize,
}

impl Trimmed {
    /// There are no chunks.
    pub(super) const NOTHING: Self = Self { all: 0, free: 0 };
}

impl<T, const SINGLES: bool> Heap<T, SINGLES> {
    /// Hands out objects of new chunks only, until the next [`trim`](Self::trim).
    pub(super) fn set_aside(&mut self) {
        if !SINGLES {
            self.cut_up();
            self.aside.append(&mut self.free);
        }
    }

    /// Frees every chunk of this heap whose objects are all among its free ones.
    pub(super) fn trim(&mut self) -> Trimmed {
        if SINGLES {
            return Trimmed::NOTHING;
        }
        self.cut_up();
        self.free.append(&mut core::mem::take(&mut self.aside));
        self.free.sort_unstable();
        let mut free = core::mem::take(&mut self.free);
        let mut chunk = core::mem::replace(&mut self.chunks, core::ptr::null_mut());
        let mut all = 0;
        while !chunk.is_null() {
            // SAFETY: I2: the list is made of heads.
            let Chunk {
                next,
                layout,
                objects,
            } = unsafe { chunk.read() };
            let start = chunk.addr();
            let end = start + layout.size();
            let from = free.partition_point(|object| object.addr().get() < start);
            let to = free.partition_point(|object| object.addr().get() < end);
            if to - from == objects {
                free.drain(from..to);
                self.held -= layout.size();
                // SAFETY: I1: all objects of the chunk were free, and are on no list any more.
                unsafe { free_chunk(chunk, layout) };
            } else {
                // SAFETY: I2: the head is this heap's.
                unsafe { (*chunk).next = self.chunks };
                self.chunks = chunk;
                all += objects;
            }
            chunk = next;
        }
        self.free = free;
        self.free.shrink_to_fit();
        Trimmed {
            all,
            free: self.free.len(),
        }
    }
}
