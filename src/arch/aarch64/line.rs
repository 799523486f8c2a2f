//! The matches of whole lines on `aarch64`.
//!
//! Source, features and invariants: those of the [parent module](super).
#![expect(unsafe_code, reason = "inline assembly; argued by I1")]

use crate::arch::{Kinds, LineWords};
use core::arch::aarch64::uint16x8_t;
use core::arch::asm;

/// Which words of the line have `high` as their upper half-word. See [`mask_bit`](crate::arch::mask_bit).
///
/// Of the odd half-words, the odd ones are the upper ones of all words. They are gathered into one
/// register and compared there; each lane keeps its bit of the mask, and the sum is their union.
///
/// *Cost*: 10 instructions, and the load of a constant.
#[inline]
#[must_use]
pub fn match_high(line: &LineWords, high: u16) -> u32 {
    let mask: u32;
    // SAFETY: I1: reads the 64 bytes of `line`; the racing reads are the machine's and not the
    // language's, and their result only filters.
    unsafe {
        asm!(
            "ldp {a:q}, {b:q}, [{line}]",
            "ldp {c:q}, {d:q}, [{line}, #32]",
            "uzp2 {a:v}.8h, {a:v}.8h, {b:v}.8h",
            "uzp2 {c:v}.8h, {c:v}.8h, {d:v}.8h",
            "uzp2 {a:v}.8h, {a:v}.8h, {c:v}.8h",
            "dup {b:v}.8h, {high:w}",
            "cmeq {a:v}.8h, {a:v}.8h, {b:v}.8h",
            "and {a:v}.16b, {a:v}.16b, {bits:v}.16b",
            "addv {a:h}, {a:v}.8h",
            "fmov {mask:w}, {a:s}",
            line = in(reg) line,
            high = in(reg) u32::from(high),
            bits = in(vreg) bits(),
            a = out(vreg) _,
            b = out(vreg) _,
            c = out(vreg) _,
            d = out(vreg) _,
            mask = out(reg) mask,
            options(nostack, readonly, preserves_flags)
        );
    }
    mask
}

/// Which words of the line have their uppermost bit clear. See [`mask_bit`](crate::arch::mask_bit).
///
/// The upper half-words are gathered as in [`match_high`]; those that are not negative match.
///
/// *Cost*: 9 instructions, and the load of a constant.
#[inline]
#[must_use]
pub fn match_clear_sign(line: &LineWords) -> u32 {
    let mask: u32;
    // SAFETY: I1: as in `match_high`.
    unsafe {
        asm!(
            "ldp {a:q}, {b:q}, [{line}]",
            "ldp {c:q}, {d:q}, [{line}, #32]",
            "uzp2 {a:v}.8h, {a:v}.8h, {b:v}.8h",
            "uzp2 {c:v}.8h, {c:v}.8h, {d:v}.8h",
            "uzp2 {a:v}.8h, {a:v}.8h, {c:v}.8h",
            "cmge {a:v}.8h, {a:v}.8h, #0",
            "and {a:v}.16b, {a:v}.16b, {bits:v}.16b",
            "addv {a:h}, {a:v}.8h",
            "fmov {mask:w}, {a:s}",
            line = in(reg) line,
            bits = in(vreg) bits(),
            a = out(vreg) _,
            b = out(vreg) _,
            c = out(vreg) _,
            d = out(vreg) _,
            mask = out(reg) mask,
            options(nostack, readonly, preserves_flags)
        );
    }
    mask
}

/// Which words of the line have bit number `BIT` set. See [`mask_bit`](crate::arch::mask_bit).
///
/// The bit is shifted to the sign, and the upper half-words are gathered as in [`match_high`]; those
/// that are negative match.
///
/// *Cost*: 13 instructions, and the load of a constant.
#[inline]
#[must_use]
pub fn match_bit<const BIT: u32>(line: &LineWords) -> u32 {
    let mask: u32;
    // SAFETY: I1: as in `match_high`.
    unsafe {
        asm!(
            "ldp {a:q}, {b:q}, [{line}]",
            "ldp {c:q}, {d:q}, [{line}, #32]",
            "shl {a:v}.2d, {a:v}.2d, #{shift}",
            "shl {b:v}.2d, {b:v}.2d, #{shift}",
            "shl {c:v}.2d, {c:v}.2d, #{shift}",
            "shl {d:v}.2d, {d:v}.2d, #{shift}",
            "uzp2 {a:v}.8h, {a:v}.8h, {b:v}.8h",
            "uzp2 {c:v}.8h, {c:v}.8h, {d:v}.8h",
            "uzp2 {a:v}.8h, {a:v}.8h, {c:v}.8h",
            "cmlt {a:v}.8h, {a:v}.8h, #0",
            "and {a:v}.16b, {a:v}.16b, {bits:v}.16b",
            "addv {a:h}, {a:v}.8h",
            "fmov {mask:w}, {a:s}",
            line = in(reg) line,
            shift = const 63 - BIT,
            bits = in(vreg) bits(),
            a = out(vreg) _,
            b = out(vreg) _,
            c = out(vreg) _,
            d = out(vreg) _,
            mask = out(reg) mask,
            options(nostack, readonly, preserves_flags)
        );
    }
    mask
}

/// Which 16-byte slots of the line have `value` in lane number `LANE` of 32 bits: one bit for each slot.
///
/// One load of four registers puts lanes of one number side by side.
///
/// *Cost*: 6 instructions, and the load of a constant.
#[inline]
#[must_use]
pub fn match_lane<const LANE: usize>(line: &LineWords, value: u32) -> u32 {
    const { assert!(LANE < 4, "a slot has four lanes") }
    // SAFETY: I1: both are 16 bytes of any content, and no memory is read.
    let bits: uint16x8_t = unsafe { core::mem::transmute(SLOT_BITS) };
    let mask: u32;
    // SAFETY: I1: as in `match_high`.
    unsafe {
        asm!(
            "ld4 {{v0.4s, v1.4s, v2.4s, v3.4s}}, [{line}]",
            "dup v4.4s, {value:w}",
            "cmeq v4.4s, v4.4s, v{lane}.4s",
            "and v4.16b, v4.16b, {bits:v}.16b",
            "addv s4, v4.4s",
            "fmov {mask:w}, s4",
            line = in(reg) line,
            value = in(reg) value,
            lane = const LANE,
            bits = in(vreg) bits,
            out("v0") _,
            out("v1") _,
            out("v2") _,
            out("v3") _,
            out("v4") _,
            mask = out(reg) mask,
            options(nostack, readonly, preserves_flags)
        );
    }
    mask
}

/// Which 16-byte slots of the line have the first and the second kind in lane number `LANE` of 32 bits, and which have its
/// uppermost bit set: one bit for each slot.
///
/// *Cost*: 15 instructions, and the load of a constant.
#[inline]
#[must_use]
pub fn match_kinds<const LANE: usize>(line: &LineWords, kinds: &Kinds) -> [u32; 3] {
    const { assert!(LANE < 4, "a slot has four lanes") }
    // SAFETY: I1: both are 16 bytes of any content, and no memory is read.
    let bits: uint16x8_t = unsafe { core::mem::transmute(SLOT_BITS) };
    let (first, second, negative): (u32, u32, u32);
    // SAFETY: I1: as in `match_high`; the 48 bytes of `kinds` do not change.
    unsafe {
        asm!(
            "ld4 {{v0.4s, v1.4s, v2.4s, v3.4s}}, [{line}]",
            "ld1 {{v4.4s, v5.4s, v6.4s}}, [{kinds}]",
            "and v4.16b, v4.16b, v{lane}.16b",
            "cmlt v7.4s, v{lane}.4s, #0",
            "cmeq v5.4s, v5.4s, v4.4s",
            "cmeq v6.4s, v6.4s, v4.4s",
            "and v7.16b, v7.16b, {bits:v}.16b",
            "and v5.16b, v5.16b, {bits:v}.16b",
            "and v6.16b, v6.16b, {bits:v}.16b",
            "addv s7, v7.4s",
            "addv s5, v5.4s",
            "addv s6, v6.4s",
            "fmov {negative:w}, s7",
            "fmov {first:w}, s5",
            "fmov {second:w}, s6",
            line = in(reg) line,
            kinds = in(reg) kinds,
            lane = const LANE,
            bits = in(vreg) bits,
            out("v0") _,
            out("v1") _,
            out("v2") _,
            out("v3") _,
            out("v4") _,
            out("v5") _,
            out("v6") _,
            out("v7") _,
            negative = lateout(reg) negative,
            first = lateout(reg) first,
            second = lateout(reg) second,
            options(nostack, readonly, preserves_flags)
        );
    }
    [first, second, negative]
}

/// The bit of each slot, in a lane of 32 bits.
const SLOT_BITS: u128 = 0x0000_0008_0000_0004_0000_0002_0000_0001;

/// The bit of each word, as [`mask_bit`](crate::arch::mask_bit) has it, in the lane of its upper half-word.
#[inline]
fn bits() -> uint16x8_t {
    const BITS: u128 = 0x8000_2000_0800_0200_0080_0020_0008_0002;
    // SAFETY: I1: both are 16 bytes of any content, and no memory is read.
    unsafe { core::mem::transmute(BITS) }
}
