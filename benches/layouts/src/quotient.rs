//! Four slots in a line. The key is mixed by a keyed bijection; the bits that choose the shard need not be
//! stored, and what they leave free is the slot's state. So a slot says by itself what it is:
//!
//! ```text
//! key word: | 59 mixed bits | kind, 3 bits | 2 bits |        value word
//! empty 0   | live: a member | claim: an insert that is not decided | vacant: was used | link: next line
//! ```
//!
//! A live word is true wherever it stands: replaced and removed by one exchange of 16 bytes, from what was
//! read. An insert takes the first empty slot of its line by one exchange; every other insert of the line wants
//! the same slot, so two of one key meet there. When a line has no empty slot (none comes back), a slot
//! that is vacant, or of another line, is claimed first and settled after a look at all others.
//!
//! The trial does not decide the claims of others: it waits. Claims are rare in it.
#![expect(
    unsafe_code,
    reason = "half of a slot is read alone, as a filter; links are addresses"
)]

use crate::{Layout, after, pair, scaled, words};
use atomshard::arch::{self, AtomicU128};
use core::ptr::{null, null_mut};
use core::sync::atomic::{AtomicU64, Ordering};

/// Slots in a line.
const SLOTS: usize = 4;
/// Bits of the mixed key that choose the shard.
const SHARD_BITS: u32 = 5;
/// What the lower bits of a key word say.
const KIND: u64 = (1 << SHARD_BITS) - 1;
const LIVE: u64 = 1;
const CLAIM: u64 = 2;
const VACANT: u64 = 3;
const LINK: u64 = 4;

/// A line of slots.
#[repr(C, align(64))]
#[derive(Default)]
struct Line([AtomicU128; SLOTS]);

impl Line {
    /// The slot whose key word was this a moment ago.
    #[inline]
    fn find(&self, key: u64) -> Option<&AtomicU128> {
        let at = find(self, key);
        // SAFETY: the address is null or that of a slot of this line.
        unsafe { at.as_ref() }
    }

    /// The last slot, if it leads on.
    #[inline]
    fn next(&self) -> Option<&Self> {
        let (kind, next) = words(self.0[SLOTS - 1].load(Ordering::Acquire));
        if kind & KIND != LINK {
            return None;
        }
        let next: *const Self = core::ptr::with_exposed_provenance(usize::try_from(next).ok()?);
        // SAFETY: a link carries a line made by `Box::leak`, which is never freed.
        Some(unsafe { &*next })
    }
}

/// The place of the slot with this key word: four compares and no branch.
#[cfg(not(target_feature = "avx2"))]
#[inline]
fn find(line: &Line, key: u64) -> *const AtomicU128 {
    let first = line.0.as_ptr();
    let mut found = null();
    for i in 0..SLOTS {
        let slot = first.wrapping_add(i);
        // SAFETY: the slot lies in the line; its lower half is read alone, as a filter.
        let word = unsafe { (*slot.cast::<AtomicU64>()).load(Ordering::Relaxed) };
        found = core::hint::select_unpredictable(word == key, slot, found);
    }
    found
}

/// The place of the slot with this key word: two compares of half a line.
#[cfg(target_feature = "avx2")]
#[inline]
fn find(line: &Line, key: u64) -> *const AtomicU128 {
    use core::arch::x86_64::{
        _mm256_castsi256_pd, _mm256_cmpeq_epi64, _mm256_load_si256, _mm256_movemask_pd,
        _mm256_set1_epi64x,
    };
    let first = line.0.as_ptr();
    // SAFETY: the first half of the line, aligned to 64 bytes; a filter, as above.
    let low = unsafe { _mm256_load_si256(first.cast()) };
    // SAFETY: the second half.
    let high = unsafe { _mm256_load_si256(first.wrapping_add(2).cast()) };
    let wanted = _mm256_set1_epi64x(key.cast_signed());
    let mask = |half| _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(half, wanted)));
    let mask = (mask(low) | mask(high) << 4) & 0x55;
    if mask == 0 {
        return null();
    }
    first.wrapping_byte_add(8 * mask.trailing_zeros() as usize)
}

/// What became of a try.
enum Tried {
    Done(Option<u64>),
    Again,
}

/// A table in 32 shards; overflow by a link, or into the lines that follow.
pub(crate) struct Quotient<const CHAIN: bool> {
    shards: [Box<[Line]>; 1 << SHARD_BITS],
    keys: [u64; 3],
    stamps: AtomicU64,
}

impl<const CHAIN: bool> Quotient<CHAIN> {
    /// A bijection whose upper bits depend on all bits of the key.
    #[inline]
    fn mixed(&self, key: u64) -> u64 {
        let [mask, first, second] = self.keys;
        let once = (key ^ mask).wrapping_mul(first);
        (once ^ once >> 32).wrapping_mul(second)
    }

    /// The shard's lines, the number of the key's own, and the key word without its kind.
    #[inline]
    fn place(&self, key: u64) -> (&[Line], usize, u64) {
        let mixed = self.mixed(key);
        let lines = &self.shards[(mixed >> (64 - SHARD_BITS)) as usize];
        let rest = mixed << SHARD_BITS;
        (lines, scaled(rest, lines.len()), rest)
    }

    /// The lines of a bucket after the first.
    #[inline]
    fn beyond<'t>(lines: &'t [Line], home: usize, at: &'t Line, step: usize) -> Option<&'t Line> {
        if CHAIN {
            at.next()
        } else {
            (step < lines.len()).then(|| &lines[after(home, step, lines.len())])
        }
    }

    /// Whether a key that is not in `line` is in none after it.
    #[inline]
    fn ends(line: &Line) -> bool {
        // Empty slots are the last ones, so the last tells.
        !CHAIN && line.0[SLOTS - 1].load(Ordering::Acquire) == 0
    }

    /// The slot of a key, wherever it is, and what is in it.
    #[inline]
    fn locate(&self, key: u64) -> Option<(&AtomicU128, u128)> {
        let (lines, home, rest) = self.place(key);
        let line = &lines[home];
        if let Some(slot) = line.find(rest | LIVE) {
            let now = slot.load(Ordering::Acquire);
            if words(now).0 == rest | LIVE {
                return Some((slot, now));
            }
        }
        Self::locate_beyond(lines, home, rest)
    }

    #[inline(never)]
    fn get_beyond(lines: &[Line], home: usize, rest: u64) -> Option<u64> {
        Self::locate_beyond(lines, home, rest).map(|(_, now)| words(now).1)
    }

    #[inline(never)]
    fn locate_beyond(lines: &[Line], home: usize, rest: u64) -> Option<(&AtomicU128, u128)> {
        let mut line = &lines[home];
        for step in 1.. {
            if Self::ends(line) {
                return None;
            }
            line = Self::beyond(lines, home, line, step)?;
            if let Some(slot) = line.find(rest | LIVE) {
                let now = slot.load(Ordering::Acquire);
                if words(now).0 == rest | LIVE {
                    return Some((slot, now));
                }
            }
        }
        None
    }

    #[inline]
    fn exchange(slot: &AtomicU128, from: u128, to: u128) -> bool {
        let exchanged = slot.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst);
        exchanged.is_ok()
    }

    /// Claims a slot that is not empty for the first time, looks at all others, settles.
    #[cold]
    fn insert_by_claim(&self, key: u64, value: u64) -> Tried {
        let (lines, home, rest) = self.place(key);
        let stamp = self.stamps.fetch_add(1, Ordering::Relaxed);
        let claim = pair(rest | CLAIM, stamp);
        let Some(own) = Self::claim(lines, home, claim) else {
            return Tried::Again;
        };
        let mut line = &lines[home];
        let mut step = 0;
        loop {
            for slot in &line.0 {
                let (word, _) = words(slot.load(Ordering::SeqCst));
                let is_other = !core::ptr::eq(slot, own);
                if is_other && (word == rest | LIVE || word == rest | CLAIM) {
                    Self::exchange(own, claim, u128::from(VACANT));
                    return Tried::Again;
                }
            }
            step += 1;
            match Self::beyond(lines, home, line, step) {
                Some(next) => line = next,
                None => break,
            }
        }
        if Self::exchange(own, claim, pair(rest | LIVE, value)) {
            Tried::Done(None)
        } else {
            Tried::Again
        }
    }

    /// Puts a claim into the first slot of the bucket that can be had.
    fn claim(lines: &[Line], home: usize, claim: u128) -> Option<&AtomicU128> {
        let mut line = &lines[home];
        for step in 1.. {
            for slot in &line.0 {
                let now = slot.load(Ordering::SeqCst);
                if now == 0 || now == u128::from(VACANT) {
                    return Self::exchange(slot, now, claim).then_some(slot);
                }
            }
            line = match Self::beyond(lines, home, line, step) {
                Some(next) => next,
                None if CHAIN => Self::lengthen(line)?,
                None => panic!("the shard is full"),
            };
        }
        None
    }

    /// Makes the last slot of a full line a link; what was in it moves on.
    fn lengthen(line: &Line) -> Option<&Line> {
        let slot = &line.0[SLOTS - 1];
        let now = slot.load(Ordering::SeqCst);
        let (word, _) = words(now);
        if word & KIND != LIVE {
            return line.next();
        }
        let next = Box::<Line>::default();
        next.0[0].store(now, Ordering::Relaxed);
        let next = Box::into_raw(next);
        let link = pair(LINK, next.expose_provenance() as u64);
        if !Self::exchange(slot, now, link) {
            // SAFETY: the line was never published.
            drop(unsafe { Box::from_raw(next) });
        }
        line.next()
    }
}

impl<const CHAIN: bool> Layout for Quotient<CHAIN> {
    fn new(lines: usize) -> Self {
        let each = lines.div_ceil(1 << SHARD_BITS);
        let lines = |_| (0..each).map(|_| Line::default()).collect();
        let mut keys = fastrand::Rng::with_seed(0x5eed);
        Self {
            shards: core::array::from_fn(lines),
            keys: [keys.u64(..), keys.u64(..) | 1, keys.u64(..) | 1],
            stamps: AtomicU64::new(0),
        }
    }

    #[inline]
    fn get(&self, key: u64) -> Option<u64> {
        let (lines, home, rest) = self.place(key);
        if let Some(slot) = lines[home].find(rest | LIVE) {
            let (word, value) = words(slot.load(Ordering::Acquire));
            if word == rest | LIVE {
                return Some(value);
            }
        }
        Self::get_beyond(lines, home, rest)
    }

    #[inline]
    fn insert(&self, key: u64, value: u64) -> Option<u64> {
        loop {
            let (lines, home, rest) = self.place(key);
            if let Some((slot, now)) = self.locate(key) {
                if Self::exchange(slot, now, pair(rest | LIVE, value)) {
                    return Some(words(now).1);
                }
                continue;
            }
            // The key is looked for once more in the slots before the empty one, in the same pass: an insert
            // that came since has taken the slot that was the first.
            let words_of = |slot: &AtomicU128| words(slot.load(Ordering::Acquire));
            let mut slots = lines[home].0.iter().map(|slot| (slot, words_of(slot).0));
            match slots.find(|(_, word)| *word == 0 || *word == rest | LIVE) {
                Some((slot, 0)) if Self::exchange(slot, 0, pair(rest | LIVE, value)) => {
                    return None;
                }
                Some(_) => {}
                None => {
                    if let Tried::Done(old) = self.insert_by_claim(key, value) {
                        return old;
                    }
                }
            }
        }
    }

    #[inline]
    fn remove(&self, key: u64) -> Option<u64> {
        loop {
            let (slot, now) = self.locate(key)?;
            if Self::exchange(slot, now, u128::from(VACANT)) {
                return Some(words(now).1);
            }
        }
    }

    #[inline]
    fn prefetch(&self, key: u64) {
        let (lines, home, _) = self.place(key);
        arch::prefetch_read(&raw const lines[home]);
    }
}

impl<const CHAIN: bool> Drop for Quotient<CHAIN> {
    fn drop(&mut self) {
        for line in self.shards.iter().flatten() {
            let mut next = line.next();
            while let Some(line) = next {
                next = line.next();
                let line = core::ptr::from_ref(line).cast_mut();
                debug_assert_ne!(line, null_mut());
                // SAFETY: each line of a chain was made by `Box::into_raw` and is linked once.
                drop(unsafe { Box::from_raw(line) });
            }
        }
    }
}
