//! One random line for each key: no map of hashed keys can do with less than this, out of cache.
//!
//! It holds nothing. A key is hashed, the hash scaled to the number of lines, and one word of the line read or
//! written. What that takes is what is left of a map's operation if the line is found and nothing else is done.
use crate::atomic::{AtomicU64, Ordering};
use core::hash::BuildHasher as _;
use foldhash::fast::FixedState;

/// One line of memory.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Line([AtomicU64; 8]);

impl Line {
    fn numbered(number: u64) -> Self {
        Self([number, 0, 0, 0, 0, 0, 0, 0].map(AtomicU64::new))
    }

    /// The line's number, from memory.
    #[inline]
    #[must_use]
    pub fn number(&self) -> u64 {
        // ORD: Relaxed — nothing is published.
        self.0[0].load(Ordering::Relaxed)
    }

    /// Writes a word of the line, not its number.
    #[inline]
    pub fn write(&self, value: u64) {
        // ORD: Relaxed — nothing is published.
        self.0[1].store(value, Ordering::Relaxed);
    }
}

/// Hash, and one random line, whose first word has the line's number.
#[derive(Debug)]
pub struct OneLine {
    lines: Vec<Line>,
    hasher: FixedState,
}

impl OneLine {
    /// A table of so many lines, at least one.
    #[must_use]
    pub fn new(lines: usize) -> Self {
        Self::within(Vec::with_capacity(lines), lines)
    }

    /// The same in the room that `memory` has.
    #[must_use]
    pub fn within(mut memory: Vec<Line>, lines: usize) -> Self {
        memory.clear();
        memory.extend((0..lines.max(1) as u64).map(Line::numbered));
        Self {
            lines: memory,
            hasher: FixedState::with_seed(0x5eed),
        }
    }

    /// The number of the key's line, by reckoning alone.
    #[inline]
    #[must_use]
    pub fn number(&self, key: u64) -> usize {
        scaled(self.hasher.hash_one(key), self.lines.len())
    }

    /// The key's line.
    #[inline]
    #[must_use]
    pub fn line(&self, key: u64) -> &Line {
        &self.lines[self.number(key)]
    }
}

/// `value` scaled from all of 64 bits to `0..end`.
#[inline]
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "less than `end`")]
pub fn scaled(value: u64, end: usize) -> usize {
    ((u128::from(value) * end as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::OneLine;
    use std::collections::HashSet;

    #[test]
    fn keys_spread_over_all_lines_and_find_their_own() {
        let table = OneLine::new(64);
        table.line(7).write(9);
        let found: HashSet<u64> = (0..1000).map(|key| table.line(key).number()).collect();
        assert_eq!(found.len(), 64);
        assert!((0..1000).all(|key| table.line(key).number() == table.number(key) as u64));
    }
}
