//! The meaning of each item, in plain Rust.
#![cfg_attr(
    all(target_arch = "x86_64", not(miri)),
    allow(
        dead_code,
        reason = "the meaning is kept beside the machine's version, and tested against it"
    )
)]

use super::mask_bit;
use crate::sync::{AtomicU64, Ordering};

/// Which words of the line have `high` as their upper half-word. See [`mask_bit`].
#[inline]
pub(crate) fn match_high(line: &[AtomicU64; 8], high: u16) -> u32 {
    let mut mask = 0;
    for (i, word) in (0_u32..).zip(line) {
        // ORD: Relaxed — the answer only filters (I1).
        let matches = word.load(Ordering::Relaxed) >> 48 == u64::from(high);
        mask |= u32::from(matches) << mask_bit(i);
    }
    mask
}

/// Which words of the line have their uppermost bit clear. See [`mask_bit`].
#[inline]
pub(crate) fn match_clear_sign(line: &[AtomicU64; 8]) -> u32 {
    let mut mask = 0;
    for (i, word) in (0_u32..).zip(line) {
        // ORD: Relaxed — the answer only filters (I1).
        mask |= u32::from(word.load(Ordering::Relaxed) >> 63 == 0) << mask_bit(i);
    }
    mask
}

/// Which words of the line have bit number `BIT` set. See [`mask_bit`].
#[inline]
pub(crate) fn match_bit<const BIT: u32>(line: &[AtomicU64; 8]) -> u32 {
    let mut mask = 0;
    for (i, word) in (0_u32..).zip(line) {
        // ORD: Relaxed — the answer only filters (I1).
        mask |= u32::from(word.load(Ordering::Relaxed) >> BIT & 1 != 0) << mask_bit(i);
    }
    mask
}

/// Says that the line at `address` will be read soon.
#[inline]
pub(crate) fn prefetch_read<T>(address: *const T) {
    let _no_hint_here = address;
}

/// Says that the line at `address` will be written soon.
#[inline]
pub(crate) fn prefetch_write<T>(address: *const T) {
    let _no_hint_here = address;
}
