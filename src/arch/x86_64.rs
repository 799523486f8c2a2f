//! `x86_64` with SSE2, which is every `x86_64`.
//!
//! Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2 for each
//! instruction, volume 3A for what is atomic ("Guaranteed Atomic Operations") and in which order
//! ("Memory Ordering"); AMD64 Architecture Programmer's Manual, volumes 2 to 4.
//!
//! | instruction | feature | since |
//! |---|---|---|
//! | `pcmpeqw`, `packsswb`, `pmovmskb`, `shufps`, `movmskps`, `prefetcht0` | SSE2 | all |
//! | `vpbroadcastw` | AVX2 | Haswell 2013, Excavator 2015 |
//! | `vpcmpeqw k, zmm`, `vpcmpeqd k, zmm`, `vpmovq2m` | AVX-512 BW, F, DQ | Skylake-X 2017, Zen 4 2022 |
//! | `prefetchw` | PRFCHW | K8 2003, Broadwell 2014; without effect before |
//! | `rdtsc` | TSC | all; at a constant rate since Nehalem 2008, K10 2007 |
//! | `lock cmpxchg16b` | CX16 | all but the AMD64 processors of 2003 to 2005 |
//! | `vmovdqa xmm` in one piece | AVX, Intel's and AMD's word | Sandy Bridge 2011, Bulldozer 2011 |
//!
//! Invariants: I1, I2, I3 of the [parent module](super).
#![expect(unsafe_code, reason = "inline assembly; argued by I1 to I3")]

mod line;

pub use line::{match_bit, match_clear_sign, match_high, match_kinds, match_lane};

use super::detect;
use super::generic;
use super::wide::{AtomicU128, halves, is_seqcst};
use crate::sync::Ordering;
use core::arch::asm;
use core::arch::x86_64::__m128i;

/// Says that the line at `address` will be read soon.
#[inline]
pub fn prefetch_read<T>(address: *const T) {
    // SAFETY: I3: a hint reads and writes nothing, wherever it points.
    unsafe {
        asm!("prefetcht0 [{address}]", address = in(reg) address, options(nostack, readonly, preserves_flags))
    };
}

/// Says that the line at `address` will be written soon.
#[inline]
pub fn prefetch_write<T>(address: *const T) {
    // SAFETY: I3: a hint reads and writes nothing, wherever it points.
    unsafe {
        asm!("prefetchw [{address}]", address = in(reg) address, options(nostack, readonly, preserves_flags))
    };
}

/// A counter that runs evenly, from some start of its own: the time-stamp counter.
///
/// It counts at one rate whatever the clock of the core (`constant_tsc`), so these are not the
/// cycles that the code took. It waits for nothing: instructions around it may run before or after.
/// `rdtscp` would wait for earlier ones only, so it takes a fence to measure few instructions.
#[inline]
#[must_use]
pub fn cycles() -> u64 {
    let (low, high): (u64, u64);
    // SAFETY: I3: reads a register of the processor.
    unsafe {
        asm!("rdtsc", out("rax") low, out("rdx") high, options(nostack, preserves_flags));
    }
    high << 32 | low
}

/// What of the processor an access to a 16-byte word depends on.
#[derive(Clone, Copy)]
pub(super) enum Feature {
    /// `cmpxchg16b`.
    Exchange = 1,
    /// An aligned `vmovdqa` of 16 bytes is one access: Intel and AMD promise it where there is AVX.
    Move = 2,
}

/// Asks the processor: each [`Feature`] that it has.
pub(super) fn features() -> usize {
    let mut found = 0;
    if std::arch::is_x86_feature_detected!("cmpxchg16b") {
        found |= Feature::Exchange as usize;
        let promised = [*b"GenuineIntel", *b"AuthenticAMD"].contains(&vendor());
        if promised && std::arch::is_x86_feature_detected!("avx") {
            found |= Feature::Move as usize;
        }
    }
    found
}

/// Who made the processor, as leaf 0 of `cpuid` says.
fn vendor() -> [u8; 12] {
    let (b, c, d): (u32, u32, u32);
    // SAFETY: I3: reads facts of the processor; `rbx`, the compiler's own, is put back.
    unsafe {
        asm!(
            "mov {b:r}, rbx",
            "cpuid",
            "xchg {b:r}, rbx",
            b = out(reg) b,
            inout("eax") 0 => _,
            out("ecx") c,
            out("edx") d,
            options(nostack, preserves_flags)
        );
    }
    let mut name = [0; 12];
    for (place, part) in name.chunks_exact_mut(4).zip([b, d, c]) {
        place.copy_from_slice(&part.to_le_bytes());
    }
    name
}

/// There is `cmpxchg16b`, wherever this runs.
const EXCHANGES: bool = cfg!(target_feature = "cmpxchg16b");
/// 16 bytes move in one piece, wherever this runs. Compiled for AVX it is taken for granted, as LLVM
/// takes it: the third maker of such processors, Zhaoxin, has given its word too (GCC, bug 104688).
const MOVES: bool = cfg!(all(target_feature = "avx", target_feature = "cmpxchg16b"));

/// Whether a load is a move and an exchange one instruction, as far as is known.
#[inline]
pub(super) fn is_whole() -> bool {
    MOVES || detect::found().has(Feature::Move)
}

/// Reads a 16-byte word where that was the answer of [`is_whole`].
#[inline]
pub(super) fn load_whole(word: &AtomicU128, _: Ordering) -> u128 {
    load_by_move(word)
}

pub(super) use store_by_move as store_whole;

/// Writes `new` if the 16-byte word is `current`, where that was the answer of [`is_whole`]: there is no
/// [`Feature::Move`] without [`Feature::Exchange`].
#[inline]
pub(super) fn compare_exchange_whole(
    word: &AtomicU128,
    current: u128,
    new: u128,
    _: Ordering,
    _: Ordering,
) -> Result<u128, u128> {
    exchange(word, current, new)
}

/// Reads a 16-byte word.
#[inline]
pub(super) fn load(word: &AtomicU128, ordering: Ordering) -> u128 {
    if MOVES || detect::found().has(Feature::Move) {
        load_by_move(word)
    } else {
        load_otherwise(word, ordering)
    }
}

/// The first load of the process, and every load on a processor whose moves are not in one piece. Apart, since an
/// exchange takes five registers from whoever it is compiled into.
#[cold]
#[inline(never)]
fn load_otherwise(word: &AtomicU128, ordering: Ordering) -> u128 {
    let mut found = detect::found();
    if !found.asked() {
        found = detect::ask();
    }
    if found.has(Feature::Move) {
        load_by_move(word)
    } else if found.has(Feature::Exchange) {
        load_by_exchange(word)
    } else {
        generic::load(word, ordering)
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
    } else if found.has(Feature::Exchange) {
        store_by_exchange(word, value);
    } else {
        store_first(word, value, ordering);
    }
}

/// The first store of the process, and every store on a processor without `cmpxchg16b`.
#[cold]
fn store_first(word: &AtomicU128, value: u128, ordering: Ordering) {
    let found = detect::ask();
    if found.has(Feature::Move) {
        store_by_move(word, value, ordering);
    } else if found.has(Feature::Exchange) {
        store_by_exchange(word, value);
    } else {
        generic::store(word, value, ordering);
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
    if EXCHANGES || detect::found().has(Feature::Exchange) {
        exchange(word, current, new)
    } else {
        exchange_first(word, current, new, success, failure)
    }
}

/// The first exchange of the process, and every exchange on a processor without `cmpxchg16b`.
#[cold]
fn exchange_first(
    word: &AtomicU128,
    current: u128,
    new: u128,
    success: Ordering,
    failure: Ordering,
) -> Result<u128, u128> {
    if detect::ask().has(Feature::Exchange) {
        exchange(word, current, new)
    } else {
        generic::compare_exchange(word, current, new, success, failure)
    }
}

/// `vmovdqa`. Every load of `x86_64` acquires, and is `SeqCst` if stores of that kind end with a fence.
#[inline]
pub(super) fn load_by_move(word: &AtomicU128) -> u128 {
    let value: __m128i;
    // SAFETY: I2: 16 aligned bytes; callers have asked for `Feature::Move`.
    unsafe {
        asm!("vmovdqa {value}, [{word}]", word = in(reg) word, value = out(xmm_reg) value, options(nostack, preserves_flags));
    }
    // SAFETY: I2: both are 16 bytes of any content.
    unsafe { core::mem::transmute(value) }
}

/// `vmovdqa`, and for `SeqCst` a locked instruction that changes nothing: LLVM's fence.
#[inline]
pub(super) fn store_by_move(word: &AtomicU128, value: u128, ordering: Ordering) {
    // SAFETY: I2: both are 16 bytes of any content.
    let value: __m128i = unsafe { core::mem::transmute(value) };
    if is_seqcst(ordering) {
        // SAFETY: I2: 16 aligned bytes; callers have asked for `Feature::Move`. What lies below the
        // stack pointer is this thread's and is written as it was.
        unsafe {
            asm!("vmovdqa [{word}], {value}", "lock or dword ptr [rsp - 64], 0", word = in(reg) word, value = in(xmm_reg) value, options(nostack));
        }
    } else {
        // SAFETY: I2: 16 aligned bytes; callers have asked for `Feature::Move`.
        unsafe {
            asm!("vmovdqa [{word}], {value}", word = in(reg) word, value = in(xmm_reg) value, options(nostack, preserves_flags));
        }
    }
}

/// `lock cmpxchg16b` of 0 for 0: it writes what it found, so the line is taken and must be writable.
#[inline]
pub(super) fn load_by_exchange(word: &AtomicU128) -> u128 {
    match exchange(word, 0, 0) {
        Ok(value) | Err(value) => value,
    }
}

/// `lock cmpxchg16b` until it succeeds.
#[inline]
pub(super) fn store_by_exchange(word: &AtomicU128, value: u128) {
    let mut current = load_by_exchange(word);
    while let Err(found) = exchange(word, current, value) {
        current = found;
    }
}

/// `lock cmpxchg16b`, which is `SeqCst` whatever was asked for. `rbx` is the compiler's own, so the
/// lower half of `new` is there for this instruction only; no other operand may be given `rbx`.
#[inline]
fn exchange(word: &AtomicU128, current: u128, new: u128) -> Result<u128, u128> {
    let (mut low, mut high) = halves(current);
    let (new_low, new_high) = halves(new);
    let mut equal = new_high;
    // SAFETY: I2: 16 aligned bytes; callers have asked for `Feature::Exchange`.
    unsafe {
        asm!(
            "xchg rsi, rbx",
            "lock cmpxchg16b [rdi]",
            "sete cl",
            "mov rbx, rsi",
            in("rdi") word,
            inout("rsi") new_low => _,
            inout("rcx") equal,
            inout("rax") low,
            inout("rdx") high,
            options(nostack)
        );
    }
    let found = u128::from(high) << 64 | u128::from(low);
    if equal & 0xff == 0 {
        Err(found)
    } else {
        Ok(found)
    }
}

/// The bodies of the 16-byte word that this processor can run, each forced.
#[cfg(all(test, not(loom)))]
pub(super) fn bodies() -> Vec<super::tests::Body> {
    let found = detect::Found::of(features());
    let by_exchange = super::tests::Body {
        name: "cmpxchg16b",
        load: |word, _| load_by_exchange(word),
        store: |word, value, _| store_by_exchange(word, value),
        exchange: |word, current, new, _, _| exchange(word, current, new),
        whole: true,
    };
    let by_move = super::tests::Body {
        name: "vmovdqa",
        load: |word, _| load_by_move(word),
        store: store_by_move,
        ..by_exchange
    };
    let by_move = found.has(Feature::Move).then_some(by_move);
    let by_exchange = found.has(Feature::Exchange).then_some(by_exchange);
    by_exchange.into_iter().chain(by_move).collect()
}
