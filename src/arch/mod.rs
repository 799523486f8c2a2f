//! L1: the machine contract: what the algorithms ask of the instruction set beyond
//! `core::sync::atomic`. The same items, in the same order, in each file; `generic` is the meaning.
//!
//! | item | meaning | `x86_64` | elsewhere |
//! |---|---|---|---|
//! | [`match_high`] | which words of a 64-byte line have this upper half-word | 4 `pcmpeqw`, 3 `packsswb`, 1 `pmovmskb` (SSE2) | 8 loads |
//! | [`match_clear_sign`] | which words of a 64-byte line have the uppermost bit clear | 3 `packsswb`, 1 `pmovmskb` (SSE2) | 8 loads |
//! | [`match_bit`] | which words of a 64-byte line have this bit set | 4 `psllq`, 3 `packsswb`, 1 `pmovmskb` (SSE2) | 8 loads |
//! | [`RMW_ORDERS_LOADS`] | whether matches read what is there after an earlier read-modify-write | yes: locked | no |
//! | [`prefetch_read`] | this line will be read soon | `prefetcht0` | nothing |
//! | [`prefetch_write`] | this line will be written soon | `prefetchw` | nothing |
//!
//! Miri, loom and the tracer take `generic`: they must see each load.
//!
//! Invariants: I1. The matches filter: their answer may be stale word by word, and whoever uses it
//! reads the word again by an atomic load.

mod generic;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(miri)))]
mod x86_64;

#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2", not(miri))))]
pub(crate) use generic::{match_bit, match_clear_sign, match_high, prefetch_read, prefetch_write};
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(miri)))]
pub(crate) use x86_64::{match_bit, match_clear_sign, match_high, prefetch_read, prefetch_write};

/// Whether every load that follows a `SeqCst` read-modify-write of its thread, of whatever width, is
/// done after it: then a match, too, sees what other threads wrote before. `x86_64`: a locked
/// instruction is a barrier. `AArch64`: only load-acquire waits for it.
pub(crate) const RMW_ORDERS_LOADS: bool = cfg!(all(
    target_arch = "x86_64",
    target_feature = "sse2",
    not(miri)
));

/// Bit of a match mask that says whether word `i` matched: `2 * i + 1`. So a bit's number, times 4,
/// less 4, is the offset of the word in bytes.
pub(crate) const fn mask_bit(word: u32) -> u32 {
    2 * word + 1
}

#[cfg(test)]
mod tests {
    use super::{generic, mask_bit, match_bit, match_clear_sign, match_high};
    use crate::sync::{AtomicU64, Ordering};

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
                let sign = (seed >> 40 & 7 != 0) as u64;
                AtomicU64::new((seed >> 62) << 48 | sign << 63 | seed & 0xffff_ffff_ffff)
            }));
            let clear: u32 = (0_u32..)
                .zip(&line.0)
                .filter(|(_, word)| word.load(Ordering::Relaxed) >> 63 == 0)
                .map(|(i, _)| 1 << mask_bit(i))
                .sum();
            assert_eq!(generic::match_clear_sign(&line.0), clear);
            assert_eq!(match_clear_sign(&line.0), clear);
            for high in 0x8000..0x8004 {
                let expected: u32 = (0_u32..)
                    .zip(&line.0)
                    .filter(|(_, word)| word.load(Ordering::Relaxed) >> 48 == u64::from(high))
                    .map(|(i, _)| 1 << mask_bit(i))
                    .sum();
                assert_eq!(generic::match_high(&line.0, high), expected);
                assert_eq!(match_high(&line.0, high), expected);
            }
            let expected: u32 = (0_u32..)
                .zip(&line.0)
                .filter(|(_, word)| word.load(Ordering::Relaxed) >> 1 & 1 != 0)
                .map(|(i, _)| 1 << mask_bit(i))
                .sum();
            assert_eq!(generic::match_bit::<1>(&line.0), expected);
            assert_eq!(match_bit::<1>(&line.0), expected);
        }
    }
}
