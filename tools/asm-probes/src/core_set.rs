//! `core_*`: the atomics of `core`, to compare with.

use crate::probes;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, compiler_fence, fence};

probes! {
    core_load_u64_relaxed(a: &AtomicU64) -> u64 = a.load(Relaxed);
    core_load_u64_acquire(a: &AtomicU64) -> u64 = a.load(Acquire);
    core_load_u64_seqcst(a: &AtomicU64) -> u64 = a.load(SeqCst);
    core_store_u64_relaxed(a: &AtomicU64, v: u64) = a.store(v, Relaxed);
    core_store_u64_release(a: &AtomicU64, v: u64) = a.store(v, Release);
    core_store_u64_seqcst(a: &AtomicU64, v: u64) = a.store(v, SeqCst);
    core_swap_u64_relaxed(a: &AtomicU64, v: u64) -> u64 = a.swap(v, Relaxed);
    core_swap_u64_acquire(a: &AtomicU64, v: u64) -> u64 = a.swap(v, Acquire);
    core_swap_u64_release(a: &AtomicU64, v: u64) -> u64 = a.swap(v, Release);
    core_swap_u64_acqrel(a: &AtomicU64, v: u64) -> u64 = a.swap(v, AcqRel);
    core_swap_u64_seqcst(a: &AtomicU64, v: u64) -> u64 = a.swap(v, SeqCst);
    core_add_u64_relaxed(a: &AtomicU64, v: u64) -> u64 = a.fetch_add(v, Relaxed);
    core_add_u64_acquire(a: &AtomicU64, v: u64) -> u64 = a.fetch_add(v, Acquire);
    core_add_u64_release(a: &AtomicU64, v: u64) -> u64 = a.fetch_add(v, Release);
    core_add_u64_acqrel(a: &AtomicU64, v: u64) -> u64 = a.fetch_add(v, AcqRel);
    core_add_u64_seqcst(a: &AtomicU64, v: u64) -> u64 = a.fetch_add(v, SeqCst);
    core_sub_u64_relaxed(a: &AtomicU64, v: u64) -> u64 = a.fetch_sub(v, Relaxed);
    core_sub_u64_acquire(a: &AtomicU64, v: u64) -> u64 = a.fetch_sub(v, Acquire);
    core_sub_u64_release(a: &AtomicU64, v: u64) -> u64 = a.fetch_sub(v, Release);
    core_sub_u64_acqrel(a: &AtomicU64, v: u64) -> u64 = a.fetch_sub(v, AcqRel);
    core_sub_u64_seqcst(a: &AtomicU64, v: u64) -> u64 = a.fetch_sub(v, SeqCst);
    core_and_u64_relaxed(a: &AtomicU64, v: u64) -> u64 = a.fetch_and(v, Relaxed);
    core_and_u64_acquire(a: &AtomicU64, v: u64) -> u64 = a.fetch_and(v, Acquire);
    core_and_u64_release(a: &AtomicU64, v: u64) -> u64 = a.fetch_and(v, Release);
    core_and_u64_acqrel(a: &AtomicU64, v: u64) -> u64 = a.fetch_and(v, AcqRel);
    core_and_u64_seqcst(a: &AtomicU64, v: u64) -> u64 = a.fetch_and(v, SeqCst);
    core_or_u64_relaxed(a: &AtomicU64, v: u64) -> u64 = a.fetch_or(v, Relaxed);
    core_or_u64_acquire(a: &AtomicU64, v: u64) -> u64 = a.fetch_or(v, Acquire);
    core_or_u64_release(a: &AtomicU64, v: u64) -> u64 = a.fetch_or(v, Release);
    core_or_u64_acqrel(a: &AtomicU64, v: u64) -> u64 = a.fetch_or(v, AcqRel);
    core_or_u64_seqcst(a: &AtomicU64, v: u64) -> u64 = a.fetch_or(v, SeqCst);
    core_cas_u64_relaxed_relaxed(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange(c, v, Relaxed, Relaxed);
    core_cas_u64_acquire_relaxed(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange(c, v, Acquire, Relaxed);
    core_cas_u64_acquire_acquire(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange(c, v, Acquire, Acquire);
    core_cas_u64_release_relaxed(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange(c, v, Release, Relaxed);
    core_cas_u64_release_acquire(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange(c, v, Release, Acquire);
    core_cas_u64_acqrel_relaxed(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange(c, v, AcqRel, Relaxed);
    core_cas_u64_acqrel_acquire(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange(c, v, AcqRel, Acquire);
    core_cas_u64_seqcst_seqcst(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange(c, v, SeqCst, SeqCst);
    core_casweak_u64_relaxed_relaxed(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange_weak(c, v, Relaxed, Relaxed);
    core_casweak_u64_acqrel_acquire(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange_weak(c, v, AcqRel, Acquire);
    core_casweak_u64_seqcst_seqcst(a: &AtomicU64, c: u64, v: u64) -> Result<u64, u64> = a.compare_exchange_weak(c, v, SeqCst, SeqCst);

    core_load_u8_relaxed(a: &AtomicBool) -> bool = a.load(Relaxed);
    core_load_u8_acquire(a: &AtomicBool) -> bool = a.load(Acquire);
    core_load_u8_seqcst(a: &AtomicBool) -> bool = a.load(SeqCst);
    core_store_u8_relaxed(a: &AtomicBool, v: bool) = a.store(v, Relaxed);
    core_store_u8_release(a: &AtomicBool, v: bool) = a.store(v, Release);
    core_store_u8_seqcst(a: &AtomicBool, v: bool) = a.store(v, SeqCst);
    core_swap_u8_relaxed(a: &AtomicBool, v: bool) -> bool = a.swap(v, Relaxed);
    core_swap_u8_acquire(a: &AtomicBool, v: bool) -> bool = a.swap(v, Acquire);
    core_swap_u8_release(a: &AtomicBool, v: bool) -> bool = a.swap(v, Release);
    core_swap_u8_acqrel(a: &AtomicBool, v: bool) -> bool = a.swap(v, AcqRel);
    core_swap_u8_seqcst(a: &AtomicBool, v: bool) -> bool = a.swap(v, SeqCst);
    core_or_u8_relaxed(a: &AtomicBool, v: bool) -> bool = a.fetch_or(v, Relaxed);
    core_or_u8_acquire(a: &AtomicBool, v: bool) -> bool = a.fetch_or(v, Acquire);
    core_or_u8_release(a: &AtomicBool, v: bool) -> bool = a.fetch_or(v, Release);
    core_or_u8_acqrel(a: &AtomicBool, v: bool) -> bool = a.fetch_or(v, AcqRel);
    core_or_u8_seqcst(a: &AtomicBool, v: bool) -> bool = a.fetch_or(v, SeqCst);
    core_cas_u8_relaxed_relaxed(a: &AtomicBool, c: bool, v: bool) -> Result<bool, bool> = a.compare_exchange(c, v, Relaxed, Relaxed);
    core_cas_u8_acquire_acquire(a: &AtomicBool, c: bool, v: bool) -> Result<bool, bool> = a.compare_exchange(c, v, Acquire, Acquire);
    core_cas_u8_release_relaxed(a: &AtomicBool, c: bool, v: bool) -> Result<bool, bool> = a.compare_exchange(c, v, Release, Relaxed);
    core_cas_u8_acqrel_acquire(a: &AtomicBool, c: bool, v: bool) -> Result<bool, bool> = a.compare_exchange(c, v, AcqRel, Acquire);
    core_cas_u8_seqcst_seqcst(a: &AtomicBool, c: bool, v: bool) -> Result<bool, bool> = a.compare_exchange(c, v, SeqCst, SeqCst);
    core_cas_u8_acquire_relaxed(a: &AtomicBool, c: bool, v: bool) -> Result<bool, bool> = a.compare_exchange(c, v, Acquire, Relaxed);

    core_load_ptr_relaxed(a: &AtomicPtr<u64>) -> *mut u64 = a.load(Relaxed);
    core_load_ptr_acquire(a: &AtomicPtr<u64>) -> *mut u64 = a.load(Acquire);
    core_store_ptr_release(a: &AtomicPtr<u64>, v: *mut u64) = a.store(v, Release);
    core_swap_ptr_acqrel(a: &AtomicPtr<u64>, v: *mut u64) -> *mut u64 = a.swap(v, AcqRel);
    core_cas_ptr_acqrel_acquire(a: &AtomicPtr<u64>, c: *mut u64, v: *mut u64) -> Result<*mut u64, *mut u64> = a.compare_exchange(c, v, AcqRel, Acquire);

    core_fence_acquire() = fence(Acquire);
    core_fence_release() = fence(Release);
    core_fence_acqrel() = fence(AcqRel);
    core_fence_seqcst() = fence(SeqCst);
    core_fence_light() = compiler_fence(SeqCst);
}
