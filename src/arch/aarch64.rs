//! `aarch64` with NEON, little-endian.
//!
//! Source: Arm Architecture Reference Manual for A-profile architecture (DDI 0487), C6 and C7 for each
//! instruction, B2 ("The AArch64 Application Level Memory Model") for what is atomic and in which
//! order; Arm, Atomics ABI for the 64-bit architecture, for fences beside 16-byte accesses.
//!
//! | instruction | feature | since |
//! |---|---|---|
//! | `uzp2`, `cmeq`, `cmge`, `addv` | FEAT_AdvSIMD | Armv8.0 |
//! | `prfm` | | Armv8.0 |
//! | `mrs cntvct_el0` | the generic timer | Armv8.0; 1 GHz from Armv8.6 |
//! | `ldxp`, `stxp` and their ordered forms | | Armv8.0 |
//! | `casp` | FEAT_LSE | Armv8.1: Cortex-A75 2018, Neoverse N1 2019 |
//! | `ldp`, `stp` in one piece | FEAT_LSE2 | Armv8.4: Apple A14 2020, Neoverse V1 2021 |
//!
//! Invariants: I1, I2, I3 of the [parent module](super).
#![expect(unsafe_code, reason = "inline assembly; argued by I1 to I3")]

mod line;

pub use line::{match_bit, match_clear_sign, match_high, match_kinds, match_lane};

use super::detect;
use super::wide::{AtomicU128, halves, is_seqcst};
use crate::sync::Ordering;
use core::arch::asm;

/// Says that the line at `address` will be read soon.
#[inline]
pub fn prefetch_read<T>(address: *const T) {
    // SAFETY: I3: a hint reads and writes nothing, wherever it points.
    unsafe {
        asm!("prfm pldl1keep, [{address}]", address = in(reg) address, options(nostack, readonly, preserves_flags))
    };
}

/// Says that the line at `address` will be written soon.
#[inline]
pub fn prefetch_write<T>(address: *const T) {
    // SAFETY: I3: a hint reads and writes nothing, wherever it points.
    unsafe {
        asm!("prfm pstl1keep, [{address}]", address = in(reg) address, options(nostack, readonly, preserves_flags))
    };
}

/// A counter that runs evenly, from some start of its own: the virtual count of the generic timer.
///
/// It counts at the rate that `cntfrq_el0` tells, between 1 MHz and 1 GHz, whatever the clock of the
/// core, so these are not the cycles that the code took. It waits for nothing: instructions around it
/// may run before or after. `isb` before it would wait for earlier ones.
#[inline]
#[must_use]
pub fn cycles() -> u64 {
    let count: u64;
    // SAFETY: I3: reads a register of the processor.
    unsafe {
        asm!("mrs {count}, cntvct_el0", count = out(reg) count, options(nostack, preserves_flags));
    }
    count
}

/// What of the processor an access to a 16-byte word depends on.
#[derive(Clone, Copy)]
pub(super) enum Feature {
    /// `casp`.
    Exchange = 1,
    /// An aligned `ldp` or `stp` of 16 bytes is one access.
    Move = 2,
}

/// Asks the system about the processor: each [`Feature`] that it has.
pub(super) fn features() -> usize {
    let mut found = 0;
    if std::arch::is_aarch64_feature_detected!("lse") {
        found |= Feature::Exchange as usize;
    }
    if std::arch::is_aarch64_feature_detected!("lse2") {
        found |= Feature::Move as usize;
    }
    found
}

/// Whether an access in this ordering sees what others published.
#[inline]
const fn acquires(ordering: Ordering) -> bool {
    !matches!(ordering, Ordering::Relaxed | Ordering::Release)
}

/// Whether an access in this ordering publishes what came before.
#[inline]
const fn releases(ordering: Ordering) -> bool {
    !matches!(ordering, Ordering::Relaxed | Ordering::Acquire)
}

/// What an exchange comes to that found this.
#[inline]
fn result(got: u128, current: u128) -> Result<u128, u128> {
    if got == current { Ok(got) } else { Err(got) }
}

/// There is `casp`, wherever this runs.
const EXCHANGES: bool = cfg!(target_feature = "lse");
/// 16 bytes move in one piece, wherever this runs, in memory as every program has it (write-back cached).
const MOVES: bool = cfg!(target_feature = "lse2");

/// Whether a load is a move and an exchange one instruction, as far as is known.
#[inline]
pub(super) fn is_whole() -> bool {
    MOVES && EXCHANGES || {
        let found = detect::found();
        found.has(Feature::Move) && found.has(Feature::Exchange)
    }
}

/// Reads a 16-byte word where that was the answer of [`is_whole`].
#[inline]
pub(super) fn load_whole(word: &AtomicU128, ordering: Ordering) -> u128 {
    load_by_move(word, ordering)
}

pub(super) use store_by_move as store_whole;

/// Writes `new` if the 16-byte word is `current`, where that was the answer of [`is_whole`].
#[inline]
pub(super) fn compare_exchange_whole(
    word: &AtomicU128,
    current: u128,
    new: u128,
    success: Ordering,
    failure: Ordering,
) -> Result<u128, u128> {
    let acquire = acquires(success) || acquires(failure);
    result(
        exchange(word, current, new, acquire, releases(success)),
        current,
    )
}

/// Reads a 16-byte word.
#[inline]
pub(super) fn load(word: &AtomicU128, ordering: Ordering) -> u128 {
    if MOVES {
        return load_by_move(word, ordering);
    }
    let found = detect::found();
    if found.has(Feature::Move) {
        load_by_move(word, ordering)
    } else if found.asked() {
        load_by_exchange(word, ordering, EXCHANGES || found.has(Feature::Exchange))
    } else {
        load_first(word, ordering)
    }
}

/// The first load of the process.
#[cold]
fn load_first(word: &AtomicU128, ordering: Ordering) -> u128 {
    let found = detect::ask();
    if found.has(Feature::Move) {
        load_by_move(word, ordering)
    } else {
        load_by_exchange(word, ordering, found.has(Feature::Exchange))
    }
}

/// Writes a 16-byte word.
#[inline]
pub(super) fn store(word: &AtomicU128, value: u128, ordering: Ordering) {
    if MOVES {
        return store_by_move(word, value, ordering);
    }
    let found = detect::found();
    if found.has(Feature::Move) {
        store_by_move(word, value, ordering);
    } else if found.asked() {
        store_by_exchange(word, value, ordering);
    } else {
        store_first(word, value, ordering);
    }
}

/// The first store of the process.
#[cold]
fn store_first(word: &AtomicU128, value: u128, ordering: Ordering) {
    if detect::ask().has(Feature::Move) {
        store_by_move(word, value, ordering);
    } else {
        store_by_exchange(word, value, ordering);
    }
}

/// Writes `new` if the 16-byte word is `current`. `Err` has what was there instead.
#[inline]
pub(super) fn compare_exchange(
    word: &AtomicU128,
    current: u128,
    new: u128,
    success: Ordering,
    failure: Ordering,
) -> Result<u128, u128> {
    let acquire = acquires(success) || acquires(failure);
    let release = releases(success);
    if EXCHANGES {
        return result(exchange(word, current, new, acquire, release), current);
    }
    let known = detect::found();
    let found = if known.has(Feature::Exchange) {
        exchange(word, current, new, acquire, release)
    } else if known.asked() {
        exchange_by_pair(word, current, new, acquire, release)
    } else {
        exchange_first(word, current, new, acquire, release)
    };
    result(found, current)
}

/// The first exchange of the process. What was there.
#[cold]
fn exchange_first(
    word: &AtomicU128,
    current: u128,
    new: u128,
    acquire: bool,
    release: bool,
) -> u128 {
    if detect::ask().has(Feature::Exchange) {
        exchange(word, current, new, acquire, release)
    } else {
        exchange_by_pair(word, current, new, acquire, release)
    }
}

/// `ldp`; `dmb ishld` behind it acquires; `ldar` before it keeps it behind earlier `stlr`.
#[inline]
pub(super) fn load_by_move(word: &AtomicU128, ordering: Ordering) -> u128 {
    let (low, high): (u64, u64);
    macro_rules! ldp {
        ($before:literal, $behind:literal) => {
            // SAFETY: I2: 16 aligned bytes; callers have asked for `Feature::Move`.
            unsafe {
                asm!(
                    $before,
                    "ldp {low}, {high}, [{word}]",
                    $behind,
                    word = in(reg) word,
                    low = out(reg) low,
                    high = out(reg) high,
                    options(nostack, preserves_flags)
                );
            }
        };
    }
    match (acquires(ordering), is_seqcst(ordering)) {
        (false, _) => ldp!("", ""),
        (true, false) => ldp!("", "dmb ishld"),
        (true, true) => ldp!("ldar {low}, [{word}]", "dmb ishld"),
    }
    u128::from(high) << 64 | u128::from(low)
}

/// `stp`; `dmb ish` before it releases, and behind it keeps it before later loads.
#[inline]
pub(super) fn store_by_move(word: &AtomicU128, value: u128, ordering: Ordering) {
    let (low, high) = halves(value);
    macro_rules! stp {
        ($before:literal, $behind:literal) => {
            // SAFETY: I2: 16 aligned bytes; callers have asked for `Feature::Move`.
            unsafe {
                asm!(
                    $before,
                    "stp {low}, {high}, [{word}]",
                    $behind,
                    word = in(reg) word,
                    low = in(reg) low,
                    high = in(reg) high,
                    options(nostack, preserves_flags)
                );
            }
        };
    }
    match (releases(ordering), is_seqcst(ordering)) {
        (false, _) => stp!("", ""),
        (true, false) => stp!("dmb ish", ""),
        (true, true) => stp!("dmb ish", "dmb ish"),
    }
}

/// An exchange of 0 for 0: it writes what it found, so the line is taken and must be writable.
#[inline]
pub(super) fn load_by_exchange(word: &AtomicU128, ordering: Ordering, single: bool) -> u128 {
    let (acquire, release) = (acquires(ordering), is_seqcst(ordering));
    if single {
        exchange(word, 0, 0, acquire, release)
    } else {
        exchange_by_pair(word, 0, 0, acquire, release)
    }
}

/// `ldxp` and `stxp` until the pair was not disturbed, on processors with `casp` too: what is there
/// does not matter, so no compare-exchange need fail.
#[inline]
pub(super) fn store_by_exchange(word: &AtomicU128, value: u128, ordering: Ordering) {
    let (low, high) = halves(value);
    macro_rules! pair {
        ($load:literal, $store:literal) => {
            // SAFETY: I2: 16 aligned bytes.
            unsafe {
                asm!(
                    "2:",
                    concat!($load, " xzr, {old}, [{word}]"),
                    concat!($store, " {old:w}, {low}, {high}, [{word}]"),
                    "cbnz {old:w}, 2b",
                    word = in(reg) word,
                    low = in(reg) low,
                    high = in(reg) high,
                    old = out(reg) _,
                    options(nostack, preserves_flags)
                );
            }
        };
    }
    match (is_seqcst(ordering), releases(ordering)) {
        (false, false) => pair!("ldxp", "stxp"),
        (false, true) => pair!("ldxp", "stlxp"),
        (true, _) => pair!("ldaxp", "stlxp"),
    }
}

/// `casp`, `caspa`, `caspl` or `caspal`. Its pairs are an even register and the next.
/// What was there.
#[inline]
pub(super) fn exchange(
    word: &AtomicU128,
    current: u128,
    new: u128,
    acquire: bool,
    release: bool,
) -> u128 {
    let (mut low, mut high) = halves(current);
    let (new_low, new_high) = halves(new);
    macro_rules! casp {
        ($ordering:literal) => {
            // SAFETY: I2: 16 aligned bytes; callers have asked for `Feature::Exchange`.
            unsafe {
                asm!(
                    ".arch_extension lse",
                    concat!("casp", $ordering, " x4, x5, x6, x7, [{word}]"),
                    word = in(reg) word,
                    inout("x4") low,
                    inout("x5") high,
                    in("x6") new_low,
                    in("x7") new_high,
                    options(nostack, preserves_flags)
                );
            }
        };
    }
    match (acquire, release) {
        (false, false) => casp!(""),
        (true, false) => casp!("a"),
        (false, true) => casp!("l"),
        (true, true) => casp!("al"),
    }
    u128::from(high) << 64 | u128::from(low)
}

/// `ldxp` and `stxp`, or their ordered forms. What was loaded is in one piece only if the store behind it
/// succeeds, so a value that differs is written back. What was there.
#[inline]
pub(super) fn exchange_by_pair(
    word: &AtomicU128,
    current: u128,
    new: u128,
    acquire: bool,
    release: bool,
) -> u128 {
    let (current_low, current_high) = halves(current);
    let (new_low, new_high) = halves(new);
    let (low, high): (u64, u64);
    macro_rules! pair {
        ($load:literal, $store:literal) => {
            // SAFETY: I2: 16 aligned bytes.
            unsafe {
                asm!(
                    "2:",
                    concat!($load, " {low}, {high}, [{word}]"),
                    "cmp {low}, {current_low}",
                    "ccmp {high}, {current_high}, #0, eq",
                    "csel {put_low}, {new_low}, {low}, eq",
                    "csel {put_high}, {new_high}, {high}, eq",
                    concat!($store, " {failed:w}, {put_low}, {put_high}, [{word}]"),
                    "cbnz {failed:w}, 2b",
                    word = in(reg) word,
                    current_low = in(reg) current_low,
                    current_high = in(reg) current_high,
                    new_low = in(reg) new_low,
                    new_high = in(reg) new_high,
                    low = out(reg) low,
                    high = out(reg) high,
                    put_low = out(reg) _,
                    put_high = out(reg) _,
                    failed = out(reg) _,
                    options(nostack)
                );
            }
        };
    }
    match (acquire, release) {
        (false, false) => pair!("ldxp", "stxp"),
        (true, false) => pair!("ldaxp", "stxp"),
        (false, true) => pair!("ldxp", "stlxp"),
        (true, true) => pair!("ldaxp", "stlxp"),
    }
    u128::from(high) << 64 | u128::from(low)
}

/// The bodies of the 16-byte word that this processor can run, each forced.
#[cfg(all(test, not(loom)))]
pub(super) fn bodies() -> Vec<super::tests::Body> {
    let found = detect::Found::of(features());
    let body = |name, load, store, exchange, whole| super::tests::Body {
        name,
        load,
        store,
        exchange,
        whole,
    };
    let pair: super::tests::Exchange = |word, current, new, success, _| {
        let (acquire, release) = (acquires(success), releases(success));
        result(
            exchange_by_pair(word, current, new, acquire, release),
            current,
        )
    };
    let casp: super::tests::Exchange = |word, current, new, success, _| {
        let (acquire, release) = (acquires(success), releases(success));
        result(exchange(word, current, new, acquire, release), current)
    };
    let by_pair = |word: &_, ordering| load_by_exchange(word, ordering, false);
    let by_casp = |word: &_, ordering| load_by_exchange(word, ordering, true);
    let whole = found.has(Feature::Move);
    let mut bodies = vec![
        body("ldxp, stxp", by_pair, store_by_exchange, pair, true),
        body("ldp, stp", load_by_move, store_by_move, pair, whole),
    ];
    if found.has(Feature::Exchange) {
        bodies.push(body("casp", by_casp, store_by_exchange, casp, true));
    }
    bodies
}
