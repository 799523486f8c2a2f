//! MESI over private caches that never evict, with a mask of bytes for each copy.
//!
//! | word | meaning here |
//! |---|---|
//! | fill | the cache did not have the line |
//! | cold, clean fill | no cache had it; others had it, none of them modified |
//! | transfer | the line came out of another cache that had it modified: what hardware counts as HITM |
//! | upgrade | a write to an own copy that others had too |
//! | invalidation | a copy in another cache that ends by a write |
//! | false share | an invalidation by a write to other bytes than the victim had used of its copy |
//!
//! Exclusive is a copy that is not modified while no other cache has one: a write to it asks nobody.
//! A read-modify-write is a write, also one that fails: it takes the line for itself.

use core::fmt;
use std::collections::HashMap;

/// The lines of a machine: how long they are, and where the first begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    bytes: usize,
    start: usize,
}

/// Lines that there are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoLine {
    bytes: usize,
    start: usize,
}

impl fmt::Display for NoLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "lines of {} bytes from {}: expected a power of two of at most 128, and a start below it",
            self.bytes, self.start
        )
    }
}

impl core::error::Error for NoLine {}

impl Line {
    /// Lines of `bytes` bytes that begin at `start` and each multiple of `bytes` after it.
    ///
    /// # Errors
    /// `bytes` is no power of two or more than 128, or `start` is not below it.
    pub fn new(bytes: usize, start: usize) -> Result<Self, NoLine> {
        if bytes.is_power_of_two() && bytes <= 128 && start < bytes {
            Ok(Self { bytes, start })
        } else {
            Err(NoLine { bytes, start })
        }
    }

    /// The numbers of the lines that these bytes lie in. No byte lies in none.
    #[must_use]
    pub fn covered(self, address: usize, bytes: usize) -> core::ops::Range<usize> {
        // One line further on, so that no address lies before the first.
        let from = address + self.bytes - self.start;
        match bytes {
            0 => 0..0,
            _ => from / self.bytes..(from + bytes - 1) / self.bytes + 1,
        }
    }

    /// The first address of line `number`.
    pub(crate) fn first(self, number: usize) -> usize {
        (number * self.bytes + self.start).saturating_sub(self.bytes)
    }

    /// The bytes of line `number` that these bytes are, one bit each.
    fn mask(self, number: usize, address: usize, bytes: usize) -> u128 {
        let first = self.first(number);
        let from = address.max(first) - first;
        let to = (address + bytes - first).min(self.bytes);
        let below = |bit: usize| u128::MAX.checked_shr(128 - u32::try_from(bit).unwrap_or(128));
        below(to).unwrap_or(0) & !below(from).unwrap_or(0)
    }
}

impl Default for Line {
    /// 64 bytes, as on x86-64 and on Arm's own cores.
    fn default() -> Self {
        Self {
            bytes: 64,
            start: 0,
        }
    }
}

/// What an access does to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Reads.
    Read,
    /// Writes, or takes the line in order to.
    Write,
}

/// How the cache came by the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fill {
    /// It had what it needs.
    Hit,
    /// It had a copy, and makes itself the only one that has.
    Upgrade,
    /// No cache had the line.
    Cold,
    /// Other caches had it, as it is in memory.
    Clean,
    /// Another cache had it modified.
    Transfer,
}

/// A copy that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Victim {
    /// Whose copy.
    pub cache: usize,
    /// The last address of the line that this cache accessed.
    pub address: usize,
    /// The write was to other bytes than the cache had used.
    pub is_false: bool,
}

/// What one access meant for one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Number of the line.
    pub line: usize,
    /// How the cache came by it.
    pub fill: Fill,
    /// The copies that ended.
    pub victims: Vec<Victim>,
}

/// A cache's copy of a line.
#[derive(Clone, Copy, Debug)]
struct Copy {
    is_modified: bool,
    /// Bytes accessed since the copy was made.
    used: u128,
    last: usize,
}

/// The caches.
#[derive(Clone, Debug)]
pub struct Model {
    line: Line,
    caches: usize,
    lines: HashMap<usize, Vec<Option<Copy>>>,
}

impl Model {
    /// So many caches, all empty.
    #[must_use]
    pub fn new(caches: usize, line: Line) -> Self {
        Self {
            line,
            caches,
            lines: HashMap::new(),
        }
    }

    /// An access of `cache`; what it meant for each line that it touches, in order.
    ///
    /// # Panics
    /// If there is no such cache.
    pub fn access(
        &mut self,
        cache: usize,
        address: usize,
        bytes: usize,
        touch: Touch,
    ) -> Vec<Event> {
        assert!(cache < self.caches, "cache {cache} of {}", self.caches);
        let covered = self.line.covered(address, bytes);
        covered
            .map(|line| {
                let mask = self.line.mask(line, address, bytes);
                let caches = self.caches;
                let copies = self.lines.entry(line).or_insert_with(|| vec![None; caches]);
                // Where the access begins in this line: it may have begun in an earlier one.
                let at = address.max(self.line.first(line));
                let (fill, victims) = touch_line(copies, cache, at, mask, touch);
                Event {
                    line,
                    fill,
                    victims,
                }
            })
            .collect()
    }

    /// Who has the line of an address modified, and who has it at all.
    #[must_use]
    pub fn holders(&self, address: usize) -> (Option<usize>, Vec<usize>) {
        let line = self.line.covered(address, 1).start;
        let copies = self.lines.get(&line).map_or(&[][..], Vec::as_slice);
        let having = |wanted: fn(&Copy) -> bool| {
            let numbered = copies.iter().enumerate();
            numbered
                .filter_map(move |(cache, copy)| copy.as_ref().filter(|c| wanted(c)).map(|_| cache))
        };
        (
            having(|copy| copy.is_modified).next(),
            having(|_| true).collect(),
        )
    }
}

fn touch_line(
    copies: &mut [Option<Copy>],
    cache: usize,
    address: usize,
    mask: u128,
    touch: Touch,
) -> (Fill, Vec<Victim>) {
    let others = |copies: &[Option<Copy>]| {
        let all = copies.iter().enumerate();
        let others = all.filter(|(other, _)| *other != cache);
        others.filter_map(|(_, copy)| *copy).collect::<Vec<_>>()
    };
    let rivals = others(copies);
    let is_write = touch == Touch::Write;
    let fill = match copies[cache] {
        Some(_) if is_write && !rivals.is_empty() => Fill::Upgrade,
        Some(_) => Fill::Hit,
        None if rivals.is_empty() => Fill::Cold,
        None if rivals.iter().any(|copy| copy.is_modified) => Fill::Transfer,
        None => Fill::Clean,
    };
    let mut victims = Vec::new();
    for (other, slot) in copies.iter_mut().enumerate() {
        if other == cache {
            continue;
        }
        if is_write {
            victims.extend(slot.take().map(|copy| Victim {
                cache: other,
                address: copy.last,
                is_false: copy.used & mask == 0,
            }));
        } else if let Some(copy) = slot {
            // Shared from now on; memory is up to date.
            copy.is_modified = false;
        }
    }
    let copy = copies[cache].get_or_insert(Copy {
        is_modified: false,
        used: 0,
        last: address,
    });
    copy.is_modified |= is_write;
    copy.used |= mask;
    copy.last = address;
    (fill, victims)
}
