//! `x86_64` with SSE2, which is every `x86_64`.
//!
//! Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2: `PCMPEQW`,
//! `PACKSSWB`, `PMOVMSKB`, `PREFETCHT0`, `PREFETCHW`; AMD64 Architecture Programmer's Manual, volumes 3 and 4.
//! `PREFETCHW` is in every processor since Broadwell and K8, and a hint without effect before.
//! Invariants: I1 of the [parent module](super).
#![expect(unsafe_code, reason = "inline assembly; argued by I1")]

use crate::sync::AtomicU64;
use core::arch::asm;

/// Which words of the line have `high` as their upper half-word. See [`super::mask_bit`].
///
/// The comparison is of sixteen-bit lanes; of each word's four, the uppermost counts. Each lane is
/// read in one piece (aligned), and nothing else is assumed of the 16-byte loads. Packing twice with
/// saturation keeps the sign of the upper lane of each pair, whatever the lower one holds.
#[inline]
pub(crate) fn match_high(line: &[AtomicU64; 8], high: u16) -> u32 {
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

/// Which words of the line have their uppermost bit clear. See [`super::mask_bit`].
///
/// Packing twice with saturation keeps the sign of the upper lane of each pair, as in
/// [`match_high`].
#[inline]
pub(crate) fn match_clear_sign(line: &[AtomicU64; 8]) -> u32 {
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

/// Which words of the line have bit number `BIT` set. See [`super::mask_bit`].
///
/// The bit is shifted to the sign; packing twice with saturation keeps it, as in [`match_high`].
#[inline]
pub(crate) fn match_bit<const BIT: u32>(line: &[AtomicU64; 8]) -> u32 {
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

/// Says that the line at `address` will be read soon.
#[inline]
pub(crate) fn prefetch_read<T>(address: *const T) {
    // SAFETY: I1: a hint reads and writes nothing, wherever it points.
    unsafe {
        asm!("prefetcht0 [{address}]", address = in(reg) address, options(nostack, readonly, preserves_flags))
    };
}

/// Says that the line at `address` will be written soon.
#[inline]
pub(crate) fn prefetch_write<T>(address: *const T) {
    // SAFETY: I1: a hint reads and writes nothing, wherever it points.
    unsafe {
        asm!("prefetchw [{address}]", address = in(reg) address, options(nostack, readonly, preserves_flags))
    };
}
