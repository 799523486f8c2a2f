//! `ours_*`: the atomics facade of the library, and its machine contract.

use crate::probes;
use atomshard::arch::facade::{AtomicBool, AtomicPtr, AtomicU64, compiler_fence, fence};
use atomshard::arch::{self, AtomicU128, Kinds, LineWords};
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

probes! {
    ours_load_u64_relaxed(a: &AtomicU64) -> u64 = a.load(Relaxed);
    ours_load_u64_acquire(a: &AtomicU64) -> u64 = a.load(Acquire);
    ours_load_u64_seqcst(a: &AtomicU64) -> u64 = a.load(SeqCst);
    ours_store_u64_relaxed(a: &AtomicU64, v: u64) = a.store(v, Relaxed);
    ours_store_u64_release(a: &AtomicU64, v: u64) = a.store(v, Release);
    ours_store_u64_seqcst(a: &AtomicU64, v: u64) = a.store(v, SeqCst);
    ours_swap_u64_relaxed(a: &AtomicU64, v: u64) -> u64 = a.swap(v, Relaxed);
    ours_swap_u64_acquire(a: &AtomicU64, v: u64) -> u64 = a.swap(v, Acquire);
    ours_swap_u64_release(a: &AtomicU64, v: u64) -> u64 = a.swap(v, Release);
    ours_swap_u64_acqrel(a: &AtomicU64, v: u64) -> u64 = a.swap(v, AcqRel);
    ours_swap_u64_seqcst(a: &AtomicU64, v: u64) -> u64 = a.swap(v, SeqCst);
    ours_add_u64_relaxed(a: &AtomicU64, v: u64) -> u64 = a.fetch_add(v, Relaxed);
    ours_add_u64_acquire(a: &AtomicU64, v: u64) -> u64 = a.fetch_add(v, Acquire);
    ours_add_u64_release(a: &AtomicU64, v: u64) -> u64 = a.fetch_add(v, Release);
    ours_add_u64_acqrel(a: &AtomicU64, v: u64) -> u64 = a.fetch_add(v, AcqRel);
    ours_add_u64_seqcst(a: &AtomicU64, v: u64) -> u64 = a.fetch_add(v, SeqCst);
    ours_sub_u64_relaxed(a: &AtomicU64, v: u64) -> u64 = a.fetch_sub(v, Relaxed);
    ours_sub_u64_acquire(a: &AtomicU64, v: u64) -> u64 = a.fetch_sub(v, Acquire);
    ours_sub_u64_release(a: &AtomicU64, v: u64) -> u64 = a.fetch_sub(v, Release);
    ours_sub_u64_acqrel(a: &AtomicU64, v: u64) -> u64 = a.fetch_sub(v, AcqRel);
    ours_sub_u64_seqcst(a: &AtomicU64, v: u64) -> u64 = a.fetch_sub(v, SeqCst);
    ours_and_u64_relaxed(a: &AtomicU64, v: u64) -> u64 = a.fetch_and(v, Relaxed);
    ours_and_u64_acquire(a: &AtomicU64, v: u64) -> u64 = a.fetch_and(v, Acquire);
    ours_and_u64_release(a: &AtomicU64, v: u64) -> u64 = a.fetch_and(v, Release);
    ours_and_u64_acqrel(a: &AtomicU64, v: u64) -> u64 = a.fetch_and(v, AcqRel);
    ours_and_u64_seqcst(a: &AtomicU64, v: u64) -> u64 = a.fetch_and(v, SeqCst);
    ours_or_u64_relaxed(a: &AtomicU64, v: u64) -> u64 = a.fetch_or(v, Relaxed);
    ours_or_u64_acquire(a: &AtomicU64, v: u64) -> u64 = a.fetch_or(v, Acquire);
    ours_or_u64_release(a: &AtomicU64, v: u64) -> u64 = a.fetch_or(v, Release);
    ours_or_u64_acqrel(a: &AtomicU64, v: u64) -> u64 = a.fetch_or(v, AcqRel);
    ours_or_u64_seqcst(a: &AtomicU64, v: u64) -> u64 = a.fetch_or(v, SeqCst);
    ours_cas_u64_relaxed_relaxed(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange(c, v, Relaxed, Relaxed);
    ours_cas_u64_acquire_relaxed(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange(c, v, Acquire, Relaxed);
    ours_cas_u64_acquire_acquire(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange(c, v, Acquire, Acquire);
    ours_cas_u64_release_relaxed(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange(c, v, Release, Relaxed);
    ours_cas_u64_release_acquire(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange(c, v, Release, Acquire);
    ours_cas_u64_acqrel_relaxed(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange(c, v, AcqRel, Relaxed);
    ours_cas_u64_acqrel_acquire(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange(c, v, AcqRel, Acquire);
    ours_cas_u64_seqcst_seqcst(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange(c, v, SeqCst, SeqCst);
    ours_casweak_u64_relaxed_relaxed(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange_weak(c, v, Relaxed, Relaxed);
    ours_casweak_u64_acqrel_acquire(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange_weak(c, v, AcqRel, Acquire);
    ours_casweak_u64_seqcst_seqcst(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange_weak(c, v, SeqCst, SeqCst);

    ours_load_u8_relaxed(a: &AtomicBool) -> bool = a.load(Relaxed);
    ours_load_u8_acquire(a: &AtomicBool) -> bool = a.load(Acquire);
    ours_load_u8_seqcst(a: &AtomicBool) -> bool = a.load(SeqCst);
    ours_store_u8_relaxed(a: &AtomicBool, v: bool) = a.store(v, Relaxed);
    ours_store_u8_release(a: &AtomicBool, v: bool) = a.store(v, Release);
    ours_store_u8_seqcst(a: &AtomicBool, v: bool) = a.store(v, SeqCst);
    ours_swap_u8_relaxed(a: &AtomicBool, v: bool) -> bool = a.swap(v, Relaxed);
    ours_swap_u8_acquire(a: &AtomicBool, v: bool) -> bool = a.swap(v, Acquire);
    ours_swap_u8_release(a: &AtomicBool, v: bool) -> bool = a.swap(v, Release);
    ours_swap_u8_acqrel(a: &AtomicBool, v: bool) -> bool = a.swap(v, AcqRel);
    ours_swap_u8_seqcst(a: &AtomicBool, v: bool) -> bool = a.swap(v, SeqCst);
    ours_or_u8_relaxed(a: &AtomicBool, v: bool) -> bool = a.fetch_or(v, Relaxed);
    ours_or_u8_acquire(a: &AtomicBool, v: bool) -> bool = a.fetch_or(v, Acquire);
    ours_or_u8_release(a: &AtomicBool, v: bool) -> bool = a.fetch_or(v, Release);
    ours_or_u8_acqrel(a: &AtomicBool, v: bool) -> bool = a.fetch_or(v, AcqRel);
    ours_or_u8_seqcst(a: &AtomicBool, v: bool) -> bool = a.fetch_or(v, SeqCst);
    ours_cas_u8_relaxed_relaxed(a: &AtomicBool, c: bool, v: bool) -> Result<bool, bool> = a.compare_exchange(c, v, Relaxed, Relaxed);
    ours_cas_u8_acquire_acquire(a: &AtomicBool, c: bool, v: bool) -> Result<bool, bool> = a.compare_exchange(c, v, Acquire, Acquire);
    ours_cas_u8_release_relaxed(a: &AtomicBool, c: bool, v: bool) -> Result<bool, bool> = a.compare_exchange(c, v, Release, Relaxed);
    ours_cas_u8_acqrel_acquire(a: &AtomicBool, c: bool, v: bool) -> Result<bool, bool> = a.compare_exchange(c, v, AcqRel, Acquire);
    ours_cas_u8_seqcst_seqcst(a: &AtomicBool, c: bool, v: bool) -> Result<bool, bool> = a.compare_exchange(c, v, SeqCst, SeqCst);
    ours_cas_u8_acquire_relaxed(a: &AtomicBool, c: bool, v: bool) -> Result<bool, bool> = a.compare_exchange(c, v, Acquire, Relaxed);

    ours_load_ptr_relaxed(a: &AtomicPtr<u64>) -> *mut u64 = a.load(Relaxed);
    ours_load_ptr_acquire(a: &AtomicPtr<u64>) -> *mut u64 = a.load(Acquire);
    ours_store_ptr_release(a: &AtomicPtr<u64>, v: *mut u64) = a.store(v, Release);
    ours_swap_ptr_acqrel(a: &AtomicPtr<u64>, v: *mut u64) -> *mut u64 = a.swap(v, AcqRel);
    ours_cas_ptr_acqrel_acquire(a: &AtomicPtr<u64>, c: *mut u64, v: *mut u64) -> Result<*mut u64, *mut u64> = a.compare_exchange(c, v, AcqRel, Acquire);

    ours_load_u128_relaxed(a: &AtomicU128) -> u128 = a.load(Relaxed);
    ours_load_u128_acquire(a: &AtomicU128) -> u128 = a.load(Acquire);
    ours_load_u128_seqcst(a: &AtomicU128) -> u128 = a.load(SeqCst);
    ours_store_u128_relaxed(a: &AtomicU128, v: u128) = a.store(v, Relaxed);
    ours_store_u128_release(a: &AtomicU128, v: u128) = a.store(v, Release);
    ours_store_u128_seqcst(a: &AtomicU128, v: u128) = a.store(v, SeqCst);
    ours_cas_u128_relaxed_relaxed(a: &AtomicU128, c: u128, v: u128) -> bool = a.compare_exchange(c, v, Relaxed, Relaxed).is_ok();
    ours_cas_u128_acquire_acquire(a: &AtomicU128, c: u128, v: u128) -> bool = a.compare_exchange(c, v, Acquire, Acquire).is_ok();
    ours_cas_u128_release_relaxed(a: &AtomicU128, c: u128, v: u128) -> bool = a.compare_exchange(c, v, Release, Relaxed).is_ok();
    ours_cas_u128_acqrel_acquire(a: &AtomicU128, c: u128, v: u128) -> bool = a.compare_exchange(c, v, AcqRel, Acquire).is_ok();
    ours_cas_u128_seqcst_seqcst(a: &AtomicU128, c: u128, v: u128) -> bool = a.compare_exchange(c, v, SeqCst, SeqCst).is_ok();

    ours_fence_acquire() = fence(Acquire);
    ours_fence_release() = fence(Release);
    ours_fence_acqrel() = fence(AcqRel);
    ours_fence_seqcst() = fence(SeqCst);
    ours_fence_light() = compiler_fence(SeqCst);

    ours_spin_hint() = arch::spin_hint();
    ours_prefetch_read(address: *const u64) = arch::prefetch_read(address);
    ours_prefetch_write(address: *const u64) = arch::prefetch_write(address);
    ours_cycles() -> u64 = arch::cycles();
    ours_match_high(line: &LineWords, high: u16) -> u32 = arch::match_high(line, high);
    ours_match_bit(line: &LineWords) -> u32 = arch::match_bit::<1>(line);
    ours_match_clear_sign(line: &LineWords) -> u32 = arch::match_clear_sign(line);
    ours_match_lane(line: &LineWords, value: u32) -> u32 = arch::match_lane::<1>(line, value);
    ours_match_kinds(line: &LineWords, kinds: &Kinds) -> [u32; 3] = arch::match_kinds::<1>(line, kinds);
}
