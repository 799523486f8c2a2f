//! What the processor can do, found out once.
//!
//! *Cost*: a relaxed load of a line that is written once, a test and a branch; nothing where the
//! target has the feature when compiling. One word holds all answers, so a process that has seen one
//! has seen them all (I2 of the parent).

use super::machine::{self, Feature};
use crate::sync::{Ordering, StaticUsize};
use crossbeam_utils::CachePadded;

/// The answers; 0 before anyone has asked. Lines of its own, for every operation on pairs reads it, and what a linker
/// puts beside it may be written all the time.
static FOUND: CachePadded<StaticUsize> = CachePadded::new(StaticUsize::new(0));

/// Set when the answers are there.
const ASKED: usize = 1 << (usize::BITS - 1);

/// Answers: each [`Feature`] has its bit.
#[derive(Clone, Copy)]
pub(super) struct Found(usize);

impl Found {
    /// These features, and no others.
    pub(super) fn of(features: usize) -> Self {
        Self(features | ASKED)
    }

    /// Whether the processor is known to have this.
    #[inline]
    pub(super) fn has(self, feature: Feature) -> bool {
        self.0 & feature as usize != 0
    }

    /// Whether anyone has asked: only then a feature that is not known is not there.
    #[inline]
    pub(super) fn asked(self) -> bool {
        self.0 != 0
    }
}

/// What is known. A path that ends in a call of [`ask`] is for the first access of a thread only.
#[inline]
pub(super) fn found() -> Found {
    // ORD: Relaxed — the word is the whole answer, and every thread finds the same.
    Found(FOUND.load(Ordering::Relaxed))
}

/// Asks the processor: once a process, or once for each thread that comes at the same time.
#[cold]
pub(super) fn ask() -> Found {
    let found = Found::of(machine::features());
    // ORD: Relaxed — as in `found`.
    FOUND.store(found.0, Ordering::Relaxed);
    found
}
