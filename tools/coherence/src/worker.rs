//! A thread of a case: says where its operations begin and end.
//!
//! In the traced build an operation is accounted; in the other it is marked for a memory trace from
//! outside. The case is the same source in both.

#[cfg(not(atomshard_traced))]
use crate::replay as body;
#[cfg(atomshard_traced)]
use crate::run as body;
use core::ops::Range;

/// What a case's code is given: its number, its rounds, and the means to say what an operation is.
#[derive(Debug)]
pub struct Worker {
    index: usize,
    rounds: usize,
}

impl Worker {
    pub(crate) fn new(index: usize, rounds: usize) -> Self {
        Self { index, rounds }
    }

    /// Number of the thread, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// The rounds of this thread, once every thread has come here: what was done before is preparation.
    #[must_use]
    pub fn rounds(&self) -> Range<usize> {
        body::wait_for_all();
        0..self.rounds
    }

    /// How many rounds there will be.
    #[must_use]
    pub fn round_count(&self) -> usize {
        self.rounds
    }

    /// Does `work` as one operation.
    #[inline(always)]
    pub fn operation<R>(&self, work: impl FnOnce() -> R) -> R {
        body::begin();
        let result = work();
        body::end();
        result
    }

    /// Reads `place`, as a user of what an operation returned does.
    #[inline(always)]
    pub fn read<T: Copy>(&self, place: &T) {
        #[cfg(atomshard_traced)]
        atomshard::trace::note_read(place);
        core::hint::black_box(*core::hint::black_box(place));
    }
}
