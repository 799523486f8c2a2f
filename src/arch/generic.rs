//! The meaning of each item, in plain Rust.
//!
//! Orderings: A1, the lock around a 16-byte word. Each access to a word acquires and releases its lock,
//! by a read-modify-write, so of any two the later one sees all that came before the earlier one. That
//! is what `SeqCst` asks for, and more than the weaker orderings do.
//! Progress: accesses to a 16-byte word wait for each other here; the machines' are lock-free.
#![cfg_attr(
    not(miri),
    allow(
        dead_code,
        unreachable_pub,
        reason = "the meaning is kept beside the machine's version, and tested against it"
    )
)]

use super::wide::{AtomicU128, halves};
use super::{Kinds, LineWords, mask_bit};
use crate::sync::{MODEL, Ordering, StaticBool, model_id, model_value, never_split};
use std::sync::LazyLock;
use std::time::Instant;

/// Which words of the line have `high` as their upper half-word. See [`mask_bit`].
#[inline]
#[must_use]
pub fn match_high(line: &LineWords, high: u16) -> u32 {
    let mut mask = 0;
    for (i, word) in (0_u32..).zip(&line.0) {
        // ORD: Relaxed — the answer only filters (I1).
        let matches = word.load(Ordering::Relaxed) >> 48 == u64::from(high);
        mask |= u32::from(matches) << mask_bit(i);
    }
    mask
}

/// Which words of the line have their uppermost bit clear. See [`mask_bit`].
#[inline]
#[must_use]
pub fn match_clear_sign(line: &LineWords) -> u32 {
    let mut mask = 0;
    for (i, word) in (0_u32..).zip(&line.0) {
        // ORD: Relaxed — the answer only filters (I1).
        mask |= u32::from(word.load(Ordering::Relaxed) >> 63 == 0) << mask_bit(i);
    }
    mask
}

/// Which words of the line have bit number `BIT` set. See [`mask_bit`].
#[inline]
#[must_use]
pub fn match_bit<const BIT: u32>(line: &LineWords) -> u32 {
    let mut mask = 0;
    for (i, word) in (0_u32..).zip(&line.0) {
        // ORD: Relaxed — the answer only filters (I1).
        mask |= u32::from(word.load(Ordering::Relaxed) >> BIT & 1 != 0) << mask_bit(i);
    }
    mask
}

/// Which 16-byte slots of the line have `value` in lane number `LANE` of 32 bits: one bit for each slot.
#[inline]
#[must_use]
pub fn match_lane<const LANE: usize>(line: &LineWords, value: u32) -> u32 {
    const { assert!(LANE < 4, "a slot has four lanes") }
    let mut mask = 0;
    for slot in 0..4 {
        // ORD: Relaxed — the answer only filters (I1).
        let word = line.0[2 * slot + LANE / 2].load(Ordering::Relaxed);
        let lane = word >> (LANE % 2 * 32) & u64::from(u32::MAX);
        mask |= u32::from(lane == u64::from(value)) << slot;
    }
    mask
}

/// Which 16-byte slots of the line have the first and the second kind in lane number `LANE` of 32 bits, and which have its
/// uppermost bit set: one bit for each slot.
#[inline]
#[must_use]
pub fn match_kinds<const LANE: usize>(line: &LineWords, kinds: &Kinds) -> [u32; 3] {
    const { assert!(LANE < 4, "a slot has four lanes") }
    let mut masks = [0; 3];
    for slot in 0..4 {
        // ORD: Relaxed — the answer only filters (I1).
        let word = line.0[2 * slot + LANE / 2].load(Ordering::Relaxed);
        let bytes = (word >> (LANE % 2 * 32)).to_le_bytes();
        let lane = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        for (mask, is_so) in masks.iter_mut().zip(kinds.of(lane)) {
            *mask |= u32::from(is_so) << slot;
        }
    }
    masks
}

/// Says that the line at `address` will be read soon.
#[inline]
pub fn prefetch_read<T>(address: *const T) {
    let _no_hint_here = address;
}

/// Says that the line at `address` will be written soon.
#[inline]
pub fn prefetch_write<T>(address: *const T) {
    let _no_hint_here = address;
}

/// A counter that runs evenly, from some start of its own: nanoseconds here.
#[must_use]
pub fn cycles() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Whether there is nothing to ask: each access takes the lock.
pub(super) const fn is_whole() -> bool {
    true
}

pub(super) use {
    compare_exchange as compare_exchange_whole, load as load_whole, store as store_whole,
};

/// Reads a 16-byte word: its two halves, under its lock.
pub(super) fn load(word: &AtomicU128, ordering: Ordering) -> u128 {
    if let Some(value) = MODEL
        .then(|| word.words[0].load(ordering))
        .and_then(model_value)
    {
        return value;
    }
    let _locked = Locked::enter(word);
    read(word)
}

/// Writes a 16-byte word: its two halves, under its lock.
pub(super) fn store(word: &AtomicU128, value: u128, ordering: Ordering) {
    if let Some(id) = model_id(value) {
        word.words[0].store(id, ordering);
        return;
    }
    let _locked = Locked::enter(word);
    write(word, value);
}

/// Writes `new` if the 16-byte word is `current`, under its lock. `Err` has what was there instead.
pub(super) fn compare_exchange(
    word: &AtomicU128,
    current: u128,
    new: u128,
    success: Ordering,
    failure: Ordering,
) -> Result<u128, u128> {
    if let (Some(id), Some(new)) = (model_id(current), model_id(new)) {
        let value = |id| model_value(id).unwrap_or_default();
        let result = word.words[0].compare_exchange(id, new, success, failure);
        return result.map(value).map_err(value);
    }
    let _locked = Locked::enter(word);
    let found = read(word);
    if found == current {
        write(word, new);
        Ok(found)
    } else {
        Err(found)
    }
}

fn read(word: &AtomicU128) -> u128 {
    let [low, high] = &word.words;
    // ORD: Relaxed — under the lock of the word [A1].
    let low = low.load(Ordering::Relaxed);
    // ORD: Relaxed — as above.
    u128::from(high.load(Ordering::Relaxed)) << 64 | u128::from(low)
}

fn write(word: &AtomicU128, value: u128) {
    let (low, high) = halves(value);
    // ORD: Relaxed — under the lock of the word [A1].
    word.words[0].store(low, Ordering::Relaxed);
    // ORD: Relaxed — as above.
    word.words[1].store(high, Ordering::Relaxed);
}

/// Locks that the words share, by address: enough that unrelated words seldom meet.
static LOCKS: [Lock; 64] = [const { Lock(StaticBool::new(false)) }; 64];

/// One lock, with a line of its own.
#[repr(align(128))]
struct Lock(StaticBool);
never_split!(Lock: 0);

/// Holds the lock of a word.
struct Locked(&'static Lock);

impl Locked {
    fn enter(word: &AtomicU128) -> Self {
        let number = core::ptr::from_ref(word).addr() / size_of::<AtomicU128>();
        let lock = &LOCKS[number % LOCKS.len()];
        loop {
            // ORD: Acquire — pairs with the Release in Locked::drop [A1]; sees what was written.
            // ORD: Relaxed — on failure nothing was seen.
            let free = lock
                .0
                .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed);
            if free.is_ok() {
                return Self(lock);
            }
            // The holder may not be running: its turn is worth more than ours.
            std::thread::yield_now();
        }
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // ORD: Release — pairs with the Acquire in Locked::enter [A1]; publishes what was written.
        self.0.0.store(false, Ordering::Release);
    }
}

/// The body that is above, also where it is not the machine's.
#[cfg(all(test, not(loom)))]
pub(super) fn bodies() -> Vec<super::tests::Body> {
    vec![super::tests::Body {
        name: "two words under a lock",
        load,
        store,
        exchange: compare_exchange,
        whole: true,
    }]
}
