//! L1: the machine contract: what the algorithms ask of the instruction set beyond
//! `core::sync::atomic`. The same items, in the same order, in each file; `generic` is the meaning.
//!
//! | item | meaning | `x86_64` | elsewhere |
//! |---|---|---|---|
//! | [`match_high`] | which words of a 64-byte line have this upper half-word | 4 `pcmpeqw`, 2 `pmovmskb` (SSE2) | 8 loads |
//! | [`prefetch_write`] | this line will be written soon | `prefetchw` | nothing |
//!
//! Miri, loom and the tracer take `generic`: they must see each load.
//!
//! Invariants: I1. `match_high` filters: its answer may be stale word by word, and whoever uses it
//! reads the word again by an atomic load.

mod generic;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(miri)))]
mod x86_64;

#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2", not(miri))))]
pub(crate) use generic::{match_high, prefetch_write};
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(miri)))]
pub(crate) use x86_64::{match_high, prefetch_write};

/// Bits of a match mask that belong to one word: word `i` matched if any of the bits
/// `i * MASK_STRIDE ..` is set, and then one is.
pub(crate) const MASK_STRIDE: u32 = 4;

#[cfg(test)]
mod tests {
    use super::{MASK_STRIDE, generic, match_high};
    use crate::sync::AtomicU64;

    #[repr(align(64))]
    struct Line([AtomicU64; 8]);

    #[test]
    fn the_machine_agrees_with_the_meaning() {
        let mut seed = 7_u64;
        for _ in 0..2000 {
            let line = Line(core::array::from_fn(|_| {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(99);
                // Few values, so that matches are frequent; the lower bits are noise.
                AtomicU64::new((seed >> 62) << 48 | 0x8000 << 48 | seed & 0xffff_ffff_ffff)
            }));
            for high in 0x8000..0x8004 {
                let mut expected = 0_u32;
                let mut found = 0_u32;
                let meaning = generic::match_high(&line.0, high);
                let machine = match_high(&line.0, high);
                for i in 0..8 {
                    let word_bits = ((1 << MASK_STRIDE) - 1) << (i * MASK_STRIDE);
                    expected |= u32::from(meaning & word_bits != 0) << i;
                    found |= u32::from(machine & word_bits != 0) << i;
                }
                assert_eq!(found, expected);
                assert_eq!(
                    machine.count_ones(),
                    found.count_ones(),
                    "one bit for each word"
                );
            }
        }
    }
}
