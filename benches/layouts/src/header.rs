//! Slots of a key and a value as they are, and a header that says which of them count.
//!
//! ```text
//! header: | version, 32 bits | over, 1 bit | four times two bits: free 0, reserved 1, live 2 |
//! ```
//! An insert reserves a slot in the header, fills it, and finalizes by an exchange of the header it has read
//! before it looked for the key: the version has changed if another insert was finalized since. Replacing and
//! removing exchange the slot, which then holds a mark that no key has (a map would keep the marked key
//! in a cell apart); the header follows. A look-up takes what a slot says only if the header calls it live, before and
//! after, in the same version.
//!
//! A bucket that is full goes on in the lines that follow. There the slot belongs to the other line's
//! header, and the own header is exchanged too, so that its version covers it: four exchanges. Between the last two
//! the key is decided and not there; another insert of it waits. (A map would have to help, by a field in
//! the header that says which slot is meant.)
#![expect(
    unsafe_code,
    reason = "half of a 16-byte slot is read alone, as a filter"
)]

use crate::{Layout, after, pair, scaled, words};
use atomshard::arch::{self, AtomicU128};
use core::hash::BuildHasher as _;
use core::sync::atomic::{AtomicU64, Ordering};
use foldhash::fast::FixedState;

/// The key word of a slot that was removed.
const MARK: u64 = 0x8000_0000_0000_0001;
/// Set once something has gone past the line.
const OVER: u64 = 1 << 8;
/// One in the version.
const VERSION: u64 = 1 << 32;
const FREE: u64 = 0;
const RESERVED: u64 = 1;
const LIVE: u64 = 2;

/// What the header says of a slot.
const fn state(header: u64, slot: usize) -> u64 {
    header >> (2 * slot) & 3
}

/// The header with another state of a slot.
const fn with_state(header: u64, slot: usize, state: u64) -> u64 {
    header & !(3 << (2 * slot)) | state << (2 * slot)
}

/// Where the headers are.
pub(crate) trait Shape: Sync {
    /// Slots in a line.
    const SLOTS: usize;
    fn new(lines: usize) -> Self;
    fn lines(&self) -> usize;
    fn header(&self, line: usize) -> &AtomicU64;
    fn slot(&self, line: usize, slot: usize) -> &AtomicU128;
}

/// A line that begins with its header.
#[repr(C, align(64))]
#[derive(Default)]
struct WithHeader {
    header: AtomicU64,
    _spare: AtomicU64,
    slots: [AtomicU128; 3],
}

/// The header in the line, three slots.
pub(crate) struct Together(Box<[WithHeader]>);

impl Shape for Together {
    const SLOTS: usize = 3;
    fn new(lines: usize) -> Self {
        Self((0..lines).map(|_| WithHeader::default()).collect())
    }
    #[inline]
    fn lines(&self) -> usize {
        self.0.len()
    }
    #[inline]
    fn header(&self, line: usize) -> &AtomicU64 {
        &self.0[line].header
    }
    #[inline]
    fn slot(&self, line: usize, slot: usize) -> &AtomicU128 {
        &self.0[line].slots[slot]
    }
}

/// A line of slots.
#[repr(C, align(64))]
#[derive(Default)]
struct Slots([AtomicU128; 4]);

/// Four slots in the line, the headers in a table of their own.
pub(crate) struct Apart {
    headers: Box<[AtomicU64]>,
    lines: Box<[Slots]>,
}

impl Shape for Apart {
    const SLOTS: usize = 4;
    fn new(lines: usize) -> Self {
        Self {
            headers: (0..lines).map(|_| AtomicU64::new(0)).collect(),
            lines: (0..lines).map(|_| Slots::default()).collect(),
        }
    }
    #[inline]
    fn lines(&self) -> usize {
        self.headers.len()
    }
    #[inline]
    fn header(&self, line: usize) -> &AtomicU64 {
        &self.headers[line]
    }
    #[inline]
    fn slot(&self, line: usize, slot: usize) -> &AtomicU128 {
        &self.lines[line].0[slot]
    }
}

/// A table with headers.
pub(crate) struct Headed<S> {
    table: S,
    hasher: FixedState,
}

impl<S: Shape> Headed<S> {
    #[inline]
    fn home(&self, key: u64) -> usize {
        scaled(self.hasher.hash_one(key), self.table.lines())
    }

    /// The slot of a key in one line, and what is in it.
    #[inline]
    fn locate_in(&self, line: usize, key: u64) -> Option<(usize, u128)> {
        let header = self.table.header(line);
        loop {
            let before = header.load(Ordering::Acquire);
            let mut found = None;
            for slot in 0..S::SLOTS {
                let at = core::ptr::from_ref(self.table.slot(line, slot)).cast::<AtomicU64>();
                // SAFETY: the lower half of the slot, read alone as a filter.
                let word = unsafe { (*at).load(Ordering::Relaxed) };
                let is_it = (word == key) & (state(before, slot) == LIVE);
                found = core::hint::select_unpredictable(is_it, Some(slot), found);
            }
            let now = found.map(|slot| (slot, self.table.slot(line, slot).load(Ordering::Acquire)));
            if header.load(Ordering::Acquire) == before {
                return now.filter(|(_, now)| words(*now).0 == key);
            }
        }
    }

    /// The line and the slot of a key, and what is in it.
    #[inline]
    fn locate(&self, key: u64) -> Option<(usize, usize, u128)> {
        let home = self.home(key);
        if let Some((slot, now)) = self.locate_in(home, key) {
            return Some((home, slot, now));
        }
        if self.table.header(home).load(Ordering::Acquire) & OVER == 0 {
            return None;
        }
        self.locate_beyond(home, key)
    }

    #[inline(never)]
    fn locate_beyond(&self, home: usize, key: u64) -> Option<(usize, usize, u128)> {
        // It ends at a line that has room: the bucket would have used it.
        let lines = self.table.lines();
        for step in 1..lines {
            let line = after(home, step, lines);
            if let Some((slot, now)) = self.locate_in(line, key) {
                return Some((line, slot, now));
            }
            if self.table.header(line).load(Ordering::Acquire) & OVER == 0 {
                return None;
            }
        }
        None
    }

    #[inline]
    fn exchange(header: &AtomicU64, from: u64, to: u64) -> bool {
        let exchanged = header.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst);
        exchanged.is_ok()
    }

    /// Gives a slot another state, whatever else the header says.
    fn change(&self, line: usize, slot: usize, state: u64) {
        let header = self.table.header(line);
        let mut now = header.load(Ordering::Acquire);
        while !Self::exchange(header, now, with_state(now, slot, state)) {
            now = header.load(Ordering::Acquire);
        }
    }

    /// Whether another insert of the key is between its last two exchanges, or may be.
    fn is_decided(&self, home: usize, key: u64) -> bool {
        let lines = self.table.lines();
        for step in 1..lines {
            let line = after(home, step, lines);
            let now = self.table.header(line).load(Ordering::Acquire);
            let reserved = (0..S::SLOTS).filter(|slot| state(now, *slot) == RESERVED);
            for slot in reserved {
                let (word, _) = words(self.table.slot(line, slot).load(Ordering::Acquire));
                if word == key {
                    return true;
                }
            }
            if now & OVER == 0 {
                return false;
            }
        }
        false
    }

    /// Inserts a key that was absent when the home line's header was `seen`.
    fn insert_absent(&self, home: usize, seen: u64, key: u64, value: u64) -> bool {
        let lines = self.table.lines();
        for line in (0..lines).map(|step| after(home, step, lines)) {
            let header = self.table.header(line);
            let now = if line == home {
                seen
            } else {
                header.load(Ordering::Acquire)
            };
            let Some(slot) = (0..S::SLOTS).find(|slot| state(now, *slot) == FREE) else {
                if line != home {
                    header.fetch_or(OVER, Ordering::SeqCst);
                }
                continue;
            };
            let reserved = with_state(now, slot, RESERVED);
            if !Self::exchange(header, now, reserved) {
                return false;
            }
            self.table
                .slot(line, slot)
                .store(pair(key, value), Ordering::Release);
            if line == home {
                let finalized = with_state(reserved, slot, LIVE).wrapping_add(VERSION);
                if Self::exchange(header, reserved, finalized) {
                    return true;
                }
            } else if Self::exchange(
                self.table.header(home),
                seen,
                (seen | OVER).wrapping_add(VERSION),
            ) {
                self.change(line, slot, LIVE);
                return true;
            }
            self.change(line, slot, FREE);
            return false;
        }
        panic!("the table is full");
    }
}

impl<S: Shape> Layout for Headed<S> {
    fn new(lines: usize) -> Self {
        Self {
            table: S::new(lines),
            hasher: FixedState::with_seed(0x5eed),
        }
    }

    #[inline]
    fn get(&self, key: u64) -> Option<u64> {
        self.locate(key).map(|(_, _, now)| words(now).1)
    }

    #[inline]
    fn insert(&self, key: u64, value: u64) -> Option<u64> {
        let home = self.home(key);
        loop {
            let seen = self.table.header(home).load(Ordering::Acquire);
            // Before the look: what is decided then is found by it.
            if seen & OVER != 0 && self.is_decided(home, key) {
                core::hint::spin_loop();
            } else if let Some((line, slot, now)) = self.locate(key) {
                let new = pair(key, value);
                let slot = self.table.slot(line, slot);
                let exchanged = slot.compare_exchange(now, new, Ordering::SeqCst, Ordering::SeqCst);
                if exchanged.is_ok() {
                    return Some(words(now).1);
                }
            } else if self.insert_absent(home, seen, key, value) {
                return None;
            }
        }
    }

    #[inline]
    fn remove(&self, key: u64) -> Option<u64> {
        loop {
            let (line, slot, now) = self.locate(key)?;
            let gone = pair(MARK, 0);
            let at = self.table.slot(line, slot);
            if at
                .compare_exchange(now, gone, Ordering::SeqCst, Ordering::SeqCst)
                .is_ok()
            {
                self.change(line, slot, FREE);
                return Some(words(now).1);
            }
        }
    }

    #[inline]
    fn prefetch(&self, key: u64) {
        let home = self.home(key);
        arch::prefetch_read(core::ptr::from_ref(self.table.header(home)));
        if S::SLOTS == 4 {
            arch::prefetch_read(core::ptr::from_ref(self.table.slot(home, 0)));
        }
    }
}
