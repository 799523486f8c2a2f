//! The matches of whole lines on `x86_64`.
//!
//! Source, features and invariants: those of the [parent module](super).
#![expect(unsafe_code, reason = "inline assembly; argued by I1")]

use crate::arch::{Kinds, LineWords};
use core::arch::asm;

/// Which words of the line have `high` as their upper half-word. See [`mask_bit`](crate::arch::mask_bit).
///
/// The comparison is of sixteen-bit lanes; of each word's four, the uppermost counts. Each lane is
/// read in one piece (aligned), and nothing else is assumed of the 16-byte loads. Packing twice with
/// saturation keeps the sign of the upper lane of each pair, whatever the lower one holds.
///
/// *Cost*: 15 instructions; 11 with AVX2; 6 with AVX-512 and BMI2. Decided when compiling: at run
/// time it would cost 3 instructions and a second body in every look-up, to save at most 9.
#[cfg(not(target_feature = "avx2"))]
#[inline]
#[must_use]
pub fn match_high(line: &LineWords, high: u16) -> u32 {
    let mask: u32;
    // SAFETY: I1: reads the 64 bytes of `line`, which are aligned to 16; the racing reads are the
    // machine's and not the language's, and their result only filters.
    unsafe {
        asm!(
            "movd {wanted}, {high:e}",
            "pshuflw {wanted}, {wanted}, 0",
            "punpcklqdq {wanted}, {wanted}",
            "movdqa {a}, {wanted}",
            "movdqa {b}, {wanted}",
            "movdqa {c}, {wanted}",
            "pcmpeqw {a}, [{line}]",
            "pcmpeqw {b}, [{line} + 16]",
            "pcmpeqw {c}, [{line} + 32]",
            "pcmpeqw {wanted}, [{line} + 48]",
            "packsswb {a}, {b}",
            "packsswb {c}, {wanted}",
            "packsswb {a}, {c}",
            "pmovmskb {mask:e}, {a}",
            "and {mask:e}, 0xaaaa",
            line = in(reg) line,
            high = in(reg) u32::from(high),
            wanted = out(xmm_reg) _,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            c = out(xmm_reg) _,
            mask = out(reg) mask,
            options(nostack, readonly)
        );
    }
    mask
}

/// As above, with a broadcast and encodings that need no copies. Halves of the line by `ymm` registers would
/// take 10 instructions, but leave their upper halves to be cleared by another.
#[cfg(all(
    target_feature = "avx2",
    not(all(target_feature = "avx512bw", target_feature = "bmi2"))
))]
#[inline]
#[must_use]
pub fn match_high(line: &LineWords, high: u16) -> u32 {
    let mask: u32;
    // SAFETY: I1: reads the 64 bytes of `line`, as the body for SSE2 does.
    unsafe {
        asm!(
            "vmovd {wanted}, {high:e}",
            "vpbroadcastw {wanted}, {wanted}",
            "vpcmpeqw {a}, {wanted}, [{line}]",
            "vpcmpeqw {b}, {wanted}, [{line} + 16]",
            "vpcmpeqw {c}, {wanted}, [{line} + 32]",
            "vpcmpeqw {wanted}, {wanted}, [{line} + 48]",
            "vpacksswb {a}, {a}, {b}",
            "vpacksswb {c}, {c}, {wanted}",
            "vpacksswb {a}, {a}, {c}",
            "vpmovmskb {mask:e}, {a}",
            "and {mask:e}, 0xaaaa",
            line = in(reg) line,
            high = in(reg) u32::from(high),
            wanted = out(xmm_reg) _,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            c = out(xmm_reg) _,
            mask = out(reg) mask,
            options(nostack, readonly)
        );
    }
    mask
}

/// As above, the whole line at once: one bit for each lane, of which each word's upper two are kept.
/// `zmm16` has no `ymm` name in older encodings, so nothing has to be cleared after it.
#[cfg(all(target_feature = "avx512bw", target_feature = "bmi2"))]
#[inline]
#[must_use]
pub fn match_high(line: &LineWords, high: u16) -> u32 {
    let mask: u32;
    // SAFETY: I1: reads the 64 bytes of `line`, as the body for SSE2 does.
    unsafe {
        asm!(
            "vpbroadcastw zmm16, {high:e}",
            "vpcmpeqw {lanes}, zmm16, [{line}]",
            "kmovd {mask:e}, {lanes}",
            "pext {mask:e}, {mask:e}, {upper:e}",
            "and {mask:e}, 0xaaaa",
            line = in(reg) line,
            high = in(reg) u32::from(high),
            upper = in(reg) 0xcccc_cccc_u32,
            out("zmm16") _,
            lanes = out(kreg) _,
            mask = out(reg) mask,
            options(nostack, readonly)
        );
    }
    mask
}

/// Which words of the line have their uppermost bit clear. See [`mask_bit`](crate::arch::mask_bit).
///
/// Packing twice with saturation keeps the sign of the upper lane of each pair, as in
/// [`match_high`].
///
/// *Cost*: 8 instructions; 6 with AVX-512 and BMI2. Halves of the line by `ymm` registers would take 8 too.
#[cfg(not(target_feature = "avx"))]
#[inline]
#[must_use]
pub fn match_clear_sign(line: &LineWords) -> u32 {
    let mask: u32;
    // SAFETY: I1: as in `match_high`.
    unsafe {
        asm!(
            "movdqa {a}, [{line}]",
            "movdqa {b}, [{line} + 32]",
            "packsswb {a}, [{line} + 16]",
            "packsswb {b}, [{line} + 48]",
            "packsswb {a}, {b}",
            "pmovmskb {mask:e}, {a}",
            "not {mask:e}",
            "and {mask:e}, 0xaaaa",
            line = in(reg) line,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            mask = out(reg) mask,
            options(nostack, readonly)
        );
    }
    mask
}

/// As above, encoded for code with AVX, which the older encoding would make wait for upper halves.
#[cfg(all(
    target_feature = "avx",
    not(all(target_feature = "avx512dq", target_feature = "bmi2"))
))]
#[inline]
#[must_use]
pub fn match_clear_sign(line: &LineWords) -> u32 {
    let mask: u32;
    // SAFETY: I1: as in `match_high`.
    unsafe {
        asm!(
            "vmovdqa {a}, [{line}]",
            "vmovdqa {b}, [{line} + 32]",
            "vpacksswb {a}, {a}, [{line} + 16]",
            "vpacksswb {b}, {b}, [{line} + 48]",
            "vpacksswb {a}, {a}, {b}",
            "vpmovmskb {mask:e}, {a}",
            "not {mask:e}",
            "and {mask:e}, 0xaaaa",
            line = in(reg) line,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            mask = out(reg) mask,
            options(nostack, readonly)
        );
    }
    mask
}

/// As above, the whole line at once: one bit for each word.
#[cfg(all(target_feature = "avx512dq", target_feature = "bmi2"))]
#[inline]
#[must_use]
pub fn match_clear_sign(line: &LineWords) -> u32 {
    let mask: u32;
    // SAFETY: I1: as in `match_high`.
    unsafe {
        asm!(
            "vmovdqa64 zmm16, [{line}]",
            "vpmovq2m {signs}, zmm16",
            "kmovd {mask:e}, {signs}",
            "not {mask:e}",
            "pdep {mask:e}, {mask:e}, {places:e}",
            line = in(reg) line,
            places = in(reg) 0xaaaa_u32,
            out("zmm16") _,
            signs = out(kreg) _,
            mask = out(reg) mask,
            options(nostack, readonly)
        );
    }
    mask
}

/// Which words of the line have bit number `BIT` set. See [`mask_bit`](crate::arch::mask_bit).
///
/// The bit is shifted to the sign; packing twice with saturation keeps it, as in [`match_high`].
///
/// *Cost*: 13 instructions.
#[cfg(not(target_feature = "avx"))]
#[inline]
#[must_use]
pub fn match_bit<const BIT: u32>(line: &LineWords) -> u32 {
    let mask: u32;
    // SAFETY: I1: as in `match_high`.
    unsafe {
        asm!(
            "movdqa {a}, [{line}]",
            "movdqa {b}, [{line} + 16]",
            "movdqa {c}, [{line} + 32]",
            "movdqa {d}, [{line} + 48]",
            "psllq {a}, {shift}",
            "psllq {b}, {shift}",
            "psllq {c}, {shift}",
            "psllq {d}, {shift}",
            "packsswb {a}, {b}",
            "packsswb {c}, {d}",
            "packsswb {a}, {c}",
            "pmovmskb {mask:e}, {a}",
            "and {mask:e}, 0xaaaa",
            line = in(reg) line,
            shift = const 63 - BIT,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            c = out(xmm_reg) _,
            d = out(xmm_reg) _,
            mask = out(reg) mask,
            options(nostack, readonly)
        );
    }
    mask
}

/// As above, encoded for code with AVX.
#[cfg(target_feature = "avx")]
#[inline]
#[must_use]
pub fn match_bit<const BIT: u32>(line: &LineWords) -> u32 {
    let mask: u32;
    // SAFETY: I1: as in `match_high`.
    unsafe {
        asm!(
            "vmovdqa {a}, [{line}]",
            "vmovdqa {b}, [{line} + 16]",
            "vmovdqa {c}, [{line} + 32]",
            "vmovdqa {d}, [{line} + 48]",
            "vpsllq {a}, {a}, {shift}",
            "vpsllq {b}, {b}, {shift}",
            "vpsllq {c}, {c}, {shift}",
            "vpsllq {d}, {d}, {shift}",
            "vpacksswb {a}, {a}, {b}",
            "vpacksswb {c}, {c}, {d}",
            "vpacksswb {a}, {a}, {c}",
            "vpmovmskb {mask:e}, {a}",
            "and {mask:e}, 0xaaaa",
            line = in(reg) line,
            shift = const 63 - BIT,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            c = out(xmm_reg) _,
            d = out(xmm_reg) _,
            mask = out(reg) mask,
            options(nostack, readonly)
        );
    }
    mask
}

/// Which 16-byte slots of the line have `value` in lane number `LANE` of 32 bits: one bit for each slot.
///
/// The lanes are gathered into one register, each read in one piece, and compared there.
///
/// *Cost*: 8 instructions and a test; 6 with AVX-512 and BMI2.
#[cfg(not(target_feature = "avx"))]
#[inline]
#[must_use]
pub fn match_lane<const LANE: usize>(line: &LineWords, value: u32) -> u32 {
    const { assert!(LANE < 4, "a slot has four lanes") }
    let mask: u32;
    // SAFETY: I1: reads the 64 bytes of `line`, which are aligned to 16; the racing reads are the
    // machine's and not the language's, and their result only filters.
    unsafe {
        asm!(
            "movd {wanted}, {value:e}",
            "movaps {a}, [{line}]",
            "movaps {b}, [{line} + 32]",
            "shufps {a}, [{line} + 16], {lane}",
            "shufps {b}, [{line} + 48], {lane}",
            "pshufd {wanted}, {wanted}, 0",
            "shufps {a}, {b}, 0x88",
            "pcmpeqd {a}, {wanted}",
            "movmskps {mask:e}, {a}",
            line = in(reg) line,
            value = in(reg) value,
            lane = const LANE * 0x55,
            wanted = out(xmm_reg) _,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            mask = out(reg) mask,
            options(nostack, readonly, preserves_flags)
        );
    }
    mask
}

/// As above, encoded for code with AVX.
#[cfg(all(
    target_feature = "avx",
    not(all(target_feature = "avx512f", target_feature = "bmi2"))
))]
#[inline]
#[must_use]
pub fn match_lane<const LANE: usize>(line: &LineWords, value: u32) -> u32 {
    const { assert!(LANE < 4, "a slot has four lanes") }
    let mask: u32;
    // SAFETY: I1: as in the body for SSE2.
    unsafe {
        asm!(
            "vmovd {wanted}, {value:e}",
            "vmovaps {a}, [{line}]",
            "vmovaps {b}, [{line} + 32]",
            "vshufps {a}, {a}, [{line} + 16], {lane}",
            "vshufps {b}, {b}, [{line} + 48], {lane}",
            "vpshufd {wanted}, {wanted}, 0",
            "vshufps {a}, {a}, {b}, 0x88",
            "vpcmpeqd {a}, {a}, {wanted}",
            "vmovmskps {mask:e}, {a}",
            line = in(reg) line,
            value = in(reg) value,
            lane = const LANE * 0x55,
            wanted = out(xmm_reg) _,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            mask = out(reg) mask,
            options(nostack, readonly, preserves_flags)
        );
    }
    mask
}

/// As above, the whole line at once: one bit for each lane, of which each slot's own is kept.
#[cfg(all(target_feature = "avx512f", target_feature = "bmi2"))]
#[inline]
#[must_use]
pub fn match_lane<const LANE: usize>(line: &LineWords, value: u32) -> u32 {
    const { assert!(LANE < 4, "a slot has four lanes") }
    let mask: u32;
    // SAFETY: I1: as in the body for SSE2.
    unsafe {
        asm!(
            "vpbroadcastd zmm16, {value:e}",
            "vpcmpeqd {lanes}, zmm16, [{line}]",
            "kmovw {mask:e}, {lanes}",
            "pext {mask:e}, {mask:e}, {own:e}",
            line = in(reg) line,
            value = in(reg) value,
            own = in(reg) 0x1111_u32 << LANE,
            out("zmm16") _,
            lanes = out(kreg) _,
            mask = out(reg) mask,
            options(nostack, readonly, preserves_flags)
        );
    }
    mask
}

/// Which 16-byte slots of the line have the first and the second kind in lane number `LANE` of 32 bits, and which have its
/// uppermost bit set: one bit for each slot.
///
/// *Cost*: 12 instructions; 11 with AVX.
#[cfg(not(target_feature = "avx"))]
#[inline]
#[must_use]
pub fn match_kinds<const LANE: usize>(line: &LineWords, kinds: &Kinds) -> [u32; 3] {
    const { assert!(LANE < 4, "a slot has four lanes") }
    let (first, second, negative): (u32, u32, u32);
    // SAFETY: I1: reads the 64 bytes of `line` and the 48 of `kinds`, which are aligned to 16; the racing reads are the
    // machine's and not the language's, and their result only filters.
    unsafe {
        asm!(
            "movaps {a}, [{line}]",
            "movaps {b}, [{line} + 32]",
            "shufps {a}, [{line} + 16], {lane}",
            "shufps {b}, [{line} + 48], {lane}",
            "shufps {a}, {b}, 0x88",
            "movmskps {negative:e}, {a}",
            "pand {a}, [{kinds}]",
            "movdqa {b}, {a}",
            "pcmpeqd {a}, [{kinds} + 16]",
            "pcmpeqd {b}, [{kinds} + 32]",
            "movmskps {first:e}, {a}",
            "movmskps {second:e}, {b}",
            line = in(reg) line,
            kinds = in(reg) kinds,
            lane = const LANE * 0x55,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            negative = out(reg) negative,
            first = lateout(reg) first,
            second = lateout(reg) second,
            options(nostack, readonly, preserves_flags)
        );
    }
    [first, second, negative]
}

/// As above, encoded for code with AVX.
#[cfg(target_feature = "avx")]
#[inline]
#[must_use]
pub fn match_kinds<const LANE: usize>(line: &LineWords, kinds: &Kinds) -> [u32; 3] {
    const { assert!(LANE < 4, "a slot has four lanes") }
    let (first, second, negative): (u32, u32, u32);
    // SAFETY: I1: as in the body for SSE2.
    unsafe {
        asm!(
            "vmovaps {a}, [{line}]",
            "vmovaps {b}, [{line} + 32]",
            "vshufps {a}, {a}, [{line} + 16], {lane}",
            "vshufps {b}, {b}, [{line} + 48], {lane}",
            "vshufps {a}, {a}, {b}, 0x88",
            "vmovmskps {negative:e}, {a}",
            "vpand {a}, {a}, [{kinds}]",
            "vpcmpeqd {b}, {a}, [{kinds} + 32]",
            "vpcmpeqd {a}, {a}, [{kinds} + 16]",
            "vmovmskps {second:e}, {b}",
            "vmovmskps {first:e}, {a}",
            line = in(reg) line,
            kinds = in(reg) kinds,
            lane = const LANE * 0x55,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            negative = out(reg) negative,
            second = lateout(reg) second,
            first = lateout(reg) first,
            options(nostack, readonly, preserves_flags)
        );
    }
    [first, second, negative]
}
