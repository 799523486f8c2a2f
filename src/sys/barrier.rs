//! The asymmetric barrier: light for those who come often, heavy for the one who comes rarely.
//!
//! ```text
//! often:   store A   light_barrier   load B
//! rarely:  store B   heavy_barrier   load A
//! ```
//!
//! At least one of the two loads sees the other side's store. That is what `fence(SeqCst)` in both
//! places would give. With `membarrier(2)` the kernel runs a full barrier on every running thread of
//! the process on behalf of the heavy side, and the light side only has to keep the compiler from
//! reordering.
//!
//! # Which one runs
//!
//! ```text
//! DECISION   none --registration accepted--> Membarrier   light: compiler fence   heavy: membarrier
//!                 --registration refused---> Fence        light: fence(SeqCst)    heavy: fence(SeqCst)
//! ```
//!
//! # Invariants
//!
//! - **I1.** `DECISION` is set once and never changes.
//! - **I2.** A heavy side never runs without a decision: it decides first.
//! - **I3.** `EXPEDITED` is true only after the decision for `Membarrier`. So a light side that reads
//!   false uses the full fence, which pairs with either heavy side, and one that reads true uses the
//!   compiler fence and meets `membarrier` only. A compiler fence never meets a plain fence.
//!
//! # Orderings
//!
//! - **B1** light fence against heavy fence or `membarrier`: the store before each against the load
//!   after the other. `EXPEDITED` itself needs no ordering: by I3 a stale false is only slower.
//!
//! # Progress
//!
//! Light: wait-free. Heavy: wait-free, one system call; the first one of the process also registers,
//! which may take the kernel some milliseconds when other threads already run.
//!
//! # When the kernel refuses later
//!
//! A process may forbid itself the call after it has registered (seccomp), or the kernel may be out
//! of memory. Then [`heavy_barrier`] fails, and the heavy side must not act on what it reads: it
//! keeps its garbage and tries again later. Falling back to fences would not be sound, because
//! light sides have already run without one.
//!
//! # Source
//!
//! `membarrier(2)`; the mapping onto fences follows Jeehoon Kang's membarrier-rs, crate documentation.

use super::{Unavailable, os};
use crate::sync::{MODEL, Ordering, StaticBool, compiler_fence, fence, note_process_barrier};
use crossbeam_utils::CachePadded;
use std::sync::OnceLock;

/// How this process orders its rare side against its frequent side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Barrier {
    /// By `membarrier(2)`: the frequent side executes no fence.
    Membarrier,
    /// By a sequentially consistent fence on both sides.
    Fence {
        /// Why `membarrier` is not used.
        why: Unavailable,
    },
}

static DECISION: OnceLock<Barrier> = OnceLock::new();
/// Lines of its own, for each pin reads it.
static EXPEDITED: CachePadded<StaticBool> = CachePadded::new(StaticBool::new(false));

/// Which barrier this process uses. Decides it, if that has not happened yet.
///
/// The answer holds until the process ends.
///
/// *Cost*: one load; the first call registers with the kernel.
///
/// ```
/// use atomshard::sys::{Barrier, barrier_kind};
///
/// match barrier_kind() {
///     Barrier::Membarrier => println!("readers run without fences"),
///     Barrier::Fence { why } => println!("readers run a fence each: {why}"),
///     _ => {}
/// }
/// assert_eq!(barrier_kind(), barrier_kind());
/// ```
#[must_use]
pub fn barrier_kind() -> Barrier {
    if let Some(decision) = DECISION.get() {
        return *decision;
    }
    decide()
}

#[cold]
fn decide() -> Barrier {
    let registered = if MODEL {
        Err(Unavailable::here("the model knows fences only"))
    } else {
        os::register_process_barrier()
    };
    let proposal = match registered {
        Ok(()) => Barrier::Membarrier,
        Err(why) => Barrier::Fence { why },
    };
    let decision = *DECISION.get_or_init(|| proposal);
    if decision == Barrier::Membarrier {
        // ORD: Relaxed — I3: who misses it uses the full fence.
        EXPEDITED.store(true, Ordering::Relaxed);
    }
    decision
}

/// The frequent side: orders the caller's earlier stores before its later loads, against a
/// [`heavy_barrier`] of another thread.
///
/// Of two threads, one that stores, runs this and loads, and one that does the same with
/// [`heavy_barrier`], at least one sees the other's store.
///
/// - *Consistency*: as `fence(SeqCst)`, but only against [`heavy_barrier`]. Two light sides order
///   nothing between them.
/// - *Progress*: wait-free.
/// - *Cost*: one load of a line that is written once, and a fence unless [`barrier_kind`] is
///   [`Barrier::Membarrier`].
///
/// ```
/// use atomshard::sys::{heavy_barrier, light_barrier};
/// use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
///
/// static READING: AtomicBool = AtomicBool::new(false);
/// static CLOSED: AtomicBool = AtomicBool::new(false);
///
/// // Often: announce, then look.
/// READING.store(true, Relaxed);
/// light_barrier();
/// let may_read = !CLOSED.load(Relaxed);
///
/// // Rarely: close, then look for those who announced themselves.
/// CLOSED.store(true, Relaxed);
/// heavy_barrier()?;
/// let somebody_reads = READING.load(Relaxed);
/// assert!(!may_read || somebody_reads);
/// # Ok::<(), atomshard::sys::Unavailable>(())
/// ```
#[inline]
pub fn light_barrier() {
    // ORD: Relaxed — I3: a stale false costs a fence, and true is never wrong.
    if EXPEDITED.load(Ordering::Relaxed) {
        light_barrier_of_membarrier();
    } else {
        // ORD: SeqCst — pairs with the fence or the membarrier in heavy_barrier [B1]; orders the
        // caller's store before its load.
        fence(Ordering::SeqCst);
    }
}

/// As [`light_barrier`], for a caller that has [`Barrier::Membarrier`] as the answer of
/// [`barrier_kind`]: nothing but a word to the compiler.
#[inline]
pub(crate) fn light_barrier_of_membarrier() {
    // ORD: SeqCst (compiler) — pairs with the membarrier in heavy_barrier [B1]; orders the
    // caller's store before its load in the instructions; the kernel does the rest.
    compiler_fence(Ordering::SeqCst);
}

/// The rare side: orders the caller's earlier stores before its later loads, against a
/// [`light_barrier`] of another thread.
///
/// - *Consistency*: as `fence(SeqCst)` here and in every other thread that runs at this moment.
/// - *Progress*: wait-free, one system call. The first call of the process also registers.
/// - *Cost*: a system call that interrupts every core running this process, or a fence.
///
/// # Errors
///
/// The kernel refused the call after it had accepted the registration. Nothing has been ordered:
/// the caller must not act on what it reads and may try again later.
pub fn heavy_barrier() -> Result<(), Unavailable> {
    match barrier_kind() {
        Barrier::Membarrier => {
            note_process_barrier();
            // A forked child may have lost the registration: register again and retry once.
            os::process_barrier().or_else(|_| {
                os::register_process_barrier()?;
                os::process_barrier()
            })
        }
        _ => {
            // ORD: SeqCst — pairs with the fence in light_barrier [B1]; orders the caller's store
            // before its load.
            fence(Ordering::SeqCst);
            Ok(())
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::sync::AtomicUsize;
    use std::sync::Barrier as Start;
    use std::thread;

    #[test]
    fn miri_the_decision_stays_and_has_a_reason() {
        let first = barrier_kind();
        assert_eq!(first, barrier_kind());
        if let Barrier::Fence { why } = first {
            assert!(!why.to_string().is_empty());
        }
        if cfg!(miri) {
            assert!(matches!(first, Barrier::Fence { .. }));
        }
        heavy_barrier().expect("nothing forbids the barrier between registration and use");
    }

    /// Store buffering on the real machine: never may both sides miss the other's store.
    #[test]
    fn miri_b1_light_and_heavy_never_both_miss() {
        let rounds = if cfg!(miri) { 20 } else { 3_000 };
        let cells: Vec<[AtomicUsize; 2]> = (0..rounds)
            .map(|_| [AtomicUsize::new(0), AtomicUsize::new(0)])
            .collect();
        let start = Start::new(2);
        let (light, heavy) = thread::scope(|scope| {
            let light = scope.spawn(|| {
                let mut seen = Vec::with_capacity(rounds);
                for [a, b] in &cells {
                    start.wait();
                    a.store(1, Ordering::Relaxed);
                    light_barrier();
                    seen.push(b.load(Ordering::Relaxed));
                }
                seen
            });
            let mut seen = Vec::with_capacity(rounds);
            for [a, b] in &cells {
                start.wait();
                b.store(1, Ordering::Relaxed);
                heavy_barrier().expect("nothing forbids the barrier");
                seen.push(a.load(Ordering::Relaxed));
            }
            (light.join().expect("the light side ends"), seen)
        });
        for (round, (light, heavy)) in light.into_iter().zip(heavy).enumerate() {
            assert!(light + heavy > 0, "both sides missed in round {round}");
        }
    }
}

#[cfg(all(test, loom))]
mod b1 {
    use super::{heavy_barrier, light_barrier};
    use crate::sync::{AtomicUsize, Ordering};
    use std::sync::Arc;

    /// Fails if either barrier is weakened below a `SeqCst` fence (tried for both sides).
    #[test]
    fn light_and_heavy_never_both_miss() {
        loom::model(|| {
            let a = Arc::new(AtomicUsize::new(0));
            let b = Arc::new(AtomicUsize::new(0));
            let light = {
                let (a, b) = (Arc::clone(&a), Arc::clone(&b));
                loom::thread::spawn(move || {
                    a.store(1, Ordering::Relaxed);
                    light_barrier();
                    b.load(Ordering::Relaxed)
                })
            };
            b.store(1, Ordering::Relaxed);
            heavy_barrier().expect("the model's barrier is a fence");
            let heavy = a.load(Ordering::Relaxed);
            assert!(light.join().expect("the light side ends") + heavy > 0);
        });
    }
}
