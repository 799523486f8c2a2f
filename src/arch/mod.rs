//! L1: the machine contract: what the algorithms ask of the instruction set beyond
//! `core::sync::atomic`. The same items, in the same order, in each machine's file; `generic` is
//! the meaning.
//!
//! | own item | meaning | `x86_64` | `aarch64` | elsewhere |
//! |---|---|---|---|---|
//! | [`match_high`] | which words of a 64-byte line have this upper half-word | 4 `pcmpeqw`, 3 `packsswb`, `pmovmskb` | 3 `uzp2`, `cmeq`, `addv` | 8 loads |
//! | [`match_clear_sign`] | which words of a 64-byte line have the uppermost bit clear | 3 `packsswb`, `pmovmskb` | 3 `uzp2`, `cmge`, `addv` | 8 loads |
//! | [`match_bit`] | which words of a 64-byte line have this bit set | 4 `psllq`, 3 `packsswb`, `pmovmskb` | 4 `shl`, 3 `uzp2`, `cmlt`, `addv` | 8 loads |
//! | [`match_lane`] | which 16-byte slots of a 64-byte line have this number in one of their four lanes | 3 `shufps`, `pcmpeqd`, `movmskps` | `ld4`, `cmeq`, `addv` | 4 loads |
//! | [`match_kinds`] | the same of two numbers at once, in some bits of the lane; and which lanes have the uppermost bit set | 3 `shufps`, 2 `pcmpeqd`, 3 `movmskps` | `ld4`, 2 `cmeq`, `cmlt`, 3 `addv` | 4 loads |
//! | [`RMW_ORDERS_LOADS`] | whether matches see what was there at an earlier read-modify-write | yes | no | no |
//! | [`prefetch_read`] | this line will be read soon | `prefetcht0` | `prfm pldl1keep` | nothing |
//! | [`prefetch_write`] | this line will be written soon | `prefetchw` | `prfm pstl1keep` | nothing |
//! | [`cycles`] | a counter that runs evenly | `rdtsc` | `mrs cntvct_el0` | nanoseconds |
//! | [`AtomicU128`] | a 16-byte word: compare-exchange | `lock cmpxchg16b` | `casp`, or `ldxp` and `stxp` | a lock |
//! | | its load and store | `vmovdqa`, or the exchange | `ldp`, `stp`, or the exchange | a lock |
//!
//! | through core and the facade | meaning | `x86_64` | `aarch64` |
//! |---|---|---|---|
//! | [`spin_hint`] | this thread waits for another | `pause` | `isb` |
//! | `sync::fence(SeqCst)` | full fence; the heavy side of `sys::heavy_barrier` where there is no `membarrier` | `lock or` on the stack | `dmb ish` |
//! | `sync::compiler_fence(SeqCst)` | the light side, where there is `membarrier` | nothing | nothing |
//! | `AtomicU64::compare_exchange` | compare-exchange of 8 bytes | `lock cmpxchg` | `cas`, or `ldxr` and `stxr` |
//! | `AtomicU64::load(Acquire)` | acquire load | `mov` | `ldapr` with FEAT_LRCPC, else `ldar` |
//!
//! These have no function here: core's own are the best instructions, the facade shows them to loom
//! and to the tracer, and a second name would hide their ordering from `cargo xtask orders`.
//!
//! README.md beside this file says which snapshot shows which instruction. Which path an
//! [`AtomicU128`] takes is decided when compiling where the target has the feature, and otherwise once
//! at run time (`detect`): a relaxed load, a test and a branch for each access, or once for many ([`whole`]), which then
//! have no call in their middle.
//!
//! # What stands in for a machine
//! - Miri and unknown processors take `generic`. A 16-byte word is two words under a lock there. *Gap*:
//!   the lock orders more than a `Relaxed` access does, so Miri finds no missing ordering of such a
//!   word; and it waits, so progress is not shown there.
//! - In the model a 16-byte word is one atomic of loom's that holds the number of its value
//!   (`sync::model_id`), so each access has exactly its own ordering. *Gap*: halves cannot be
//!   accessed alone, and a load that is done by an exchange is modelled as the load that it means.
//! - The tracer hears of one access of 16 bytes; the instruction is the machine's. Filters of whole lines
//!   are not heard of, so their callers ask `sync::OPAQUE_READS` first and take plain loads.
//!
//! # Invariants
//! - I1. The matches filter: their answer may be stale word by word. Whoever follows a word that
//!   matched reads it again by an atomic load; that a word did not match is worth what the order of
//!   the loads makes it (`RMW_ORDERS_LOADS`), and one match says nothing of a later one.
//! - I2. An [`AtomicU128`] is 16 bytes at a multiple of 16. The instructions for it are atomic to
//!   each other, the lock of `generic` is not to them, and the detection never changes its answer: a
//!   process takes the lock always or never.
//! - I3. A hint and a counter touch no memory of the program.
#![cfg_attr(
    not(atomshard_probes),
    expect(
        unreachable_pub,
        reason = "public for tools/asm-probes, under a switch that no user has"
    )
)]
#![cfg_attr(
    not(any(test, atomshard_probes)),
    allow(
        dead_code,
        unused_imports,
        reason = "the contract is whole: what no map uses yet is tested and kept in snapshots"
    )
)]
#![cfg_attr(
    test,
    allow(
        dead_code,
        unused_imports,
        reason = "tests of the model run the model's bodies only"
    )
)]

#[cfg(any(
    all(target_arch = "x86_64", target_feature = "sse2", not(miri)),
    all(
        target_arch = "aarch64",
        target_endian = "little",
        target_feature = "neon",
        not(miri)
    )
))]
mod detect;
#[cfg(atomshard_probes)]
pub mod facade;
mod generic;
mod wide;

#[cfg(all(
    target_arch = "aarch64",
    target_endian = "little",
    target_feature = "neon",
    not(miri)
))]
mod aarch64;
#[cfg(all(
    target_arch = "aarch64",
    target_endian = "little",
    target_feature = "neon",
    not(miri)
))]
use aarch64 as machine;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(miri)))]
mod x86_64;
#[cfg(not(any(
    all(target_arch = "x86_64", target_feature = "sse2", not(miri)),
    all(
        target_arch = "aarch64",
        target_endian = "little",
        target_feature = "neon",
        not(miri)
    )
)))]
use generic as machine;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(miri)))]
use x86_64 as machine;

use crate::sync::{AtomicU64, never_split};
pub use core::hint::spin_loop as spin_hint;
pub use machine::{
    cycles, match_bit, match_clear_sign, match_high, match_kinds, match_lane, prefetch_read,
    prefetch_write,
};
pub use wide::{Access, Asking, AtomicU128, Whole, whole};

/// Whether every load that follows a `SeqCst` read-modify-write of its thread, of whatever width, is
/// done after it: then a match, too, sees what other threads wrote before. `x86_64`: a locked
/// instruction is a full barrier (SDM 3A, "Memory Ordering in P6 and More Recent Processor
/// Families"). `aarch64`: only a load-acquire waits for a store-release.
pub const RMW_ORDERS_LOADS: bool = cfg!(all(
    target_arch = "x86_64",
    target_feature = "sse2",
    not(miri)
));

/// The words of one line.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct LineWords(pub [AtomicU64; 8]);
never_split!(LineWords: 0);

/// What [`match_kinds`] looks for: two numbers in some bits of a lane.
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug)]
pub struct Kinds {
    /// The bits that count.
    care: [u32; 4],
    numbers: [[u32; 4]; 2],
}

impl Kinds {
    /// These numbers in these bits.
    #[must_use]
    pub const fn new(care: u32, [first, second]: [u32; 2]) -> Self {
        Self {
            care: [care; 4],
            numbers: [[first; 4], [second; 4]],
        }
    }

    /// Whether a lane has the first, the second, and its uppermost bit set.
    #[must_use]
    pub const fn of(&self, lane: u32) -> [bool; 3] {
        let kind = lane & self.care[0];
        let [[first, ..], [second, ..]] = self.numbers;
        [kind == first, kind == second, lane >> 31 != 0]
    }
}

/// Bit of a match mask that says whether word `i` matched: `2 * i + 1`. So a bit's number, times 4,
/// less 4, is the offset of the word in bytes.
#[must_use]
pub const fn mask_bit(word: u32) -> u32 {
    2 * word + 1
}

#[cfg(all(test, loom))]
mod loom;
#[cfg(all(test, not(loom)))]
mod tests;
