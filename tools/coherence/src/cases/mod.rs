//! What is accounted for, one file for each kind of structure.
//!
//! A case makes its structure in a box that begins a line, prepares each thread, and does operations
//! whose number is a power of ten. Hashes, keys and places of threads are fixed.

mod counters;
mod headers;
mod segment_map;
mod shard_map;
mod word_map;

use crate::{Case, Output};
use core::hash::{BuildHasherDefault, Hasher};

/// One operation on one structure.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The structure; the name of its snapshot.
    pub structure: &'static str,
    /// The operation.
    pub operation: &'static str,
    /// With how many threads it is accounted for.
    pub threads: &'static [usize],
    /// Operations of all threads together, a power of ten.
    pub operations: usize,
    /// Whether valgrind's trace is compared. Not where an operation pins: some programs read the head of the
    /// thread's own block for it, which no account can note.
    pub verified: bool,
    /// Does it.
    pub run: fn(Case) -> Output,
}

impl Spec {
    /// A thousand operations.
    const fn new(
        structure: &'static str,
        operation: &'static str,
        threads: &'static [usize],
        run: fn(Case) -> Output,
    ) -> Self {
        Self {
            structure,
            operation,
            threads,
            operations: 1000,
            verified: true,
            run,
        }
    }

    /// Name of the case on the command line.
    #[must_use]
    pub fn name(&self) -> String {
        let words = format!("{}/{}", self.structure, self.operation);
        words.replace(", ", "_").replace(' ', "_")
    }
}

/// All of them.
#[must_use]
pub fn all() -> Vec<Spec> {
    [
        counters::SPECS,
        headers::SPECS,
        shard_map::SPECS,
        word_map::SPECS,
        segment_map::SPECS,
    ]
    .concat()
}

/// Threads of most cases.
const THREADS: &[usize] = &[1, 2, 8];

/// A hasher of no state: a number is its own hash, and maps mix it.
#[derive(Clone, Copy, Debug, Default)]
struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

type SameHash = BuildHasherDefault<Same>;

/// Keys that are there before the operations begin.
const PRESENT: u64 = 100;

/// Key number `round` of a thread, among those that are there. Threads begin at different ones.
fn present(thread: usize, round: usize) -> u64 {
    (round as u64 * 7 + thread as u64 * 13) % PRESENT
}

/// Key number `round` of a thread, that nobody else has.
fn absent(thread: usize, round: usize) -> u64 {
    1_000_000 + thread as u64 * 10_000 + round as u64
}

/// The case of this name.
#[must_use]
pub fn find(name: &str) -> Option<Spec> {
    all().into_iter().find(|spec| spec.name() == name)
}
