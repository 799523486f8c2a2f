//! Giving chunks back whose objects are all free.
//!
//! Objects that outlive many others lie scattered over the chunks that held them all, and keep these. A structure that can make its
//! objects anew sets the chunks aside first: then the new ones lie together, and the old chunks go.
//!
//! # Invariants
//! - I1. An object on a free list, put aside or in the depot is used by nobody.
//! - I2. A chunk is as I1 of [`chunk`](super::chunk) says: a head, and then objects.
#![expect(unsafe_code, reason = "frees chunks; argued by I1 and I2")]

use super::chunk::{Chunk, free_chunk};
use super::heap::{Heap, PILE, slot};
use super::pile::Pile;
use core::alloc::Layout;
use core::ptr::{NonNull, null_mut};

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
    /// Hands out objects of new chunks only, until the next [`trim`](Self::trim). What is in the `depot` is put aside too.
    pub(super) fn set_aside(&mut self, depot: &mut Vec<Pile<T>>) {
        if SINGLES {
            return;
        }
        self.cut_up();
        self.aside.append(depot);
        while !self.free.is_empty() {
            let pile = self.take_pile();
            self.aside.push(pile);
        }
        self.free = Vec::new();
        self.held_aside = self.held;
    }

    /// Frees every chunk of this heap whose objects are all among its free ones and those in the `depot`, where the others are left.
    pub(super) fn trim(&mut self, depot: &mut Vec<Pile<T>>) -> Trimmed {
        if SINGLES {
            return Trimmed::NOTHING;
        }
        self.set_aside(depot);
        self.held_aside = 0;
        let mut marked = self.mark_aside(depot);
        self.chunks = null_mut();
        marked.retain(|marked| {
            if marked.is_free() {
                self.held -= marked.layout.size();
                // SAFETY: I1: all objects of the chunk are free, and on no list any more.
                unsafe { free_chunk(marked.chunk, marked.layout) };
            } else {
                // SAFETY: I2: the head is this heap's.
                unsafe { (*marked.chunk).next = self.chunks };
                self.chunks = marked.chunk;
            }
            !marked.is_free()
        });
        for marked in &marked {
            // SAFETY: I2: the head is followed by the objects.
            let first = unsafe { marked.chunk.byte_add(Self::head_bytes()) };
            for number in marked.numbers() {
                // SAFETY: I2: there are more objects than `number`.
                let object = unsafe { first.byte_add(number * slot::<T>().size()) };
                self.free.extend(NonNull::new(object.cast()));
                depot.extend(self.surplus());
            }
        }
        Trimmed {
            all: marked.iter().map(|marked| marked.objects).sum(),
            free: marked.iter().map(|marked| marked.free).sum(),
        }
    }

    /// The chunks in the order of their addresses, with the objects that were put aside marked: these are on no list any more. Those of other
    /// heaps go to the depot.
    fn mark_aside(&mut self, depot: &mut Vec<Pile<T>>) -> Vec<Marked> {
        let mut all = self.chunks_unmarked();
        let mut others = Pile::new();
        for mut pile in core::mem::take(&mut self.aside) {
            while let Some(object) = pile.pop() {
                if let Some((chunk, number)) = Self::place_of(&all, object) {
                    all[chunk].mark(number);
                    continue;
                }
                // SAFETY: I1: it was free.
                unsafe { others.push(object) };
                if others.len() == PILE {
                    depot.push(core::mem::replace(&mut others, Pile::new()));
                }
            }
        }
        depot.extend((others.len() != 0).then_some(others));
        all
    }

    /// Puts what is left of the newest chunk on the free list.
    pub(super) fn cut_up(&mut self) {
        while let Some(object) = self.take_new() {
            self.free.push(object);
        }
    }

    fn chunks_unmarked(&self) -> Vec<Marked> {
        let mut all = Vec::new();
        let mut chunk = self.chunks;
        while !chunk.is_null() {
            // SAFETY: I2: the list is made of heads.
            let Chunk {
                next,
                layout,
                objects,
            } = unsafe { chunk.read() };
            let bits = vec![0; objects.div_ceil(64)];
            all.push(Marked {
                chunk,
                layout,
                objects,
                free: 0,
                bits,
            });
            chunk = next;
        }
        all.sort_unstable_by_key(|marked| marked.chunk);
        all
    }

    /// In which of these chunks an object lies, and its number there; `None` if it is another heap's.
    fn place_of(all: &[Marked], object: NonNull<T>) -> Option<(usize, usize)> {
        let address = object.addr().get();
        let behind = all.partition_point(|marked| marked.chunk.addr() < address);
        let chunk = behind.checked_sub(1)?;
        let Marked {
            chunk: head,
            objects,
            ..
        } = &all[chunk];
        let number = (address - head.addr() - Self::head_bytes()) / slot::<T>().size();
        (number < *objects).then_some((chunk, number))
    }
}

/// A chunk, and which of its objects are free.
struct Marked {
    chunk: *mut Chunk,
    layout: Layout,
    objects: usize,
    free: usize,
    /// A bit for each object.
    bits: Vec<u64>,
}

impl Marked {
    fn is_free(&self) -> bool {
        self.free == self.objects
    }

    fn mark(&mut self, number: usize) {
        self.bits[number / 64] |= 1 << (number % 64);
        self.free += 1;
    }

    /// The numbers of the free objects.
    fn numbers(&self) -> impl Iterator<Item = usize> {
        (0..self.objects).filter(|number| self.bits[number / 64] >> (number % 64) & 1 != 0)
    }
}
