//! Piles: free objects by the hundred, listed in their own memory.
//!
//! ```text
//! top --> | below | object | object | .. |      a block: a free object whose words lead to others
//!            |
//!            v
//!         | below | object | object | .. |
//! ```
//!
//! A list of its own would be memory of the allocator's, an eighth of what free lines take; and it would keep that when they go. Of
//! objects of 64 bytes one in eight is a block, and no other is touched.
//!
//! # Invariants
//! - I1. The objects of a pile are used by nobody but the pile. Each has a slot's size and alignment ([`slot`]): room for a pointer at least.
//! - I2. Blocks but the top one are full; of that, the first `filled` objects are there.

use super::heap::slot;
use crate::sync::{note_read, note_write};
use core::marker::PhantomData;
use core::ptr::{NonNull, null_mut};

/// See the module. What is in a pile at its end is forgotten: the objects are their heaps'.
pub(crate) struct Pile<T> {
    top: *mut *mut T,
    filled: usize,
    len: usize,
    _objects: PhantomData<*mut T>,
}

impl<T> Pile<T> {
    /// Objects in a block besides the one that it is.
    const ROOM: usize = slot::<T>().size() / size_of::<*mut T>() - 1;

    /// Without objects.
    pub(crate) const fn new() -> Self {
        Self {
            top: null_mut(),
            filled: 0,
            len: 0,
            _objects: PhantomData,
        }
    }

    /// How many objects there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds an object.
    ///
    /// # Safety
    /// The object is of a heap for `T`, and nobody uses it.
    pub(crate) unsafe fn push(&mut self, object: NonNull<T>) {
        self.len += 1;
        if !self.top.is_null() && self.filled < Self::ROOM {
            self.filled += 1;
            // SAFETY: I1, I2: the block has `ROOM` words behind the first.
            let word = unsafe { self.top.add(self.filled) };
            note_write(word);
            // SAFETY: I1: as above.
            unsafe { word.write(object.as_ptr()) };
            return;
        }
        let block = object.as_ptr().cast::<*mut T>();
        note_write(block);
        // SAFETY: I1, the caller's contract: the object has room for a pointer.
        unsafe { block.write(self.top.cast()) };
        self.top = block;
        self.filled = 0;
    }

    /// Takes an object out.
    pub(crate) fn pop(&mut self) -> Option<NonNull<T>> {
        let block = NonNull::new(self.top)?;
        self.len -= 1;
        if self.filled != 0 {
            // SAFETY: I1, I2: that many words of the block are filled.
            let word = unsafe { block.add(self.filled) };
            self.filled -= 1;
            note_read(word.as_ptr());
            // SAFETY: I1: as above.
            return NonNull::new(unsafe { word.read() });
        }
        note_read(block.as_ptr());
        // SAFETY: I1: the first word of a block leads to the one below.
        self.top = unsafe { block.read() }.cast();
        self.filled = Self::ROOM;
        Some(block.cast())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Pile;
    use core::ptr::NonNull;
    use std::collections::BTreeSet;

    /// Pushes and pops in turns, of objects of so many words.
    fn keeps_what_it_gets<const WORDS: usize>() {
        let mut memory = [[0_u64; WORDS]; 40];
        let objects: Vec<NonNull<[u64; WORDS]>> = memory.iter_mut().map(NonNull::from).collect();
        let mut pile = Pile::new();
        let mut outside: BTreeSet<_> = objects.iter().copied().collect();
        for round in 1..20 {
            for _ in 0..(7 * round) % 11 {
                if let Some(object) = outside.pop_first() {
                    // SAFETY: a slot's size and alignment, and nobody uses it.
                    unsafe { pile.push(object) };
                }
            }
            for _ in 0..(5 * round) % 9 {
                let before = pile.len();
                match pile.pop() {
                    Some(object) => assert!(outside.insert(object), "twice"),
                    None => assert_eq!(before, 0),
                }
            }
            assert_eq!(pile.len() + outside.len(), objects.len(), "round {round}");
        }
        outside.extend(core::iter::from_fn(|| pile.pop()));
        assert_eq!((pile.len(), outside.len()), (0, objects.len()), "lost");
    }

    #[test]
    fn miri_a_pile_keeps_what_it_gets() {
        keeps_what_it_gets::<1>();
        keeps_what_it_gets::<2>();
        keeps_what_it_gets::<8>();
    }
}
