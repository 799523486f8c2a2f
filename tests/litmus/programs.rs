//! The programs on plain atomics: who stores and loads what, and which outcome is weak.

use super::cells::{Cells, Row, Seen};
use super::world::{Arc, Ordering, fence};
use crate::World::{Loom, Machine, Miri};
use atomshard::sys::{heavy_barrier, light_barrier};
use core::sync::atomic::compiler_fence;

/// How the accesses of a program are ordered.
pub(crate) trait Orders {
    const STORE: Ordering;
    const LOAD: Ordering;
    /// Between two accesses of one of the two sides.
    fn between(_side: usize) {}
}

pub(crate) struct Relaxed;
impl Orders for Relaxed {
    const STORE: Ordering = Ordering::Relaxed;
    const LOAD: Ordering = Ordering::Relaxed;
}

pub(crate) struct ReleaseAcquire;
impl Orders for ReleaseAcquire {
    const STORE: Ordering = Ordering::Release;
    const LOAD: Ordering = Ordering::Acquire;
}

pub(crate) struct SeqCst;
impl Orders for SeqCst {
    const STORE: Ordering = Ordering::SeqCst;
    const LOAD: Ordering = Ordering::SeqCst;
}

struct Fences;
impl Orders for Fences {
    const STORE: Ordering = Ordering::Relaxed;
    const LOAD: Ordering = Ordering::Relaxed;
    fn between(_side: usize) {
        fence(Ordering::SeqCst);
    }
}

/// The barriers of `src/sys/barrier.rs`, one on each side.
struct LightHeavy;
impl Orders for LightHeavy {
    const STORE: Ordering = Ordering::Relaxed;
    const LOAD: Ordering = Ordering::Relaxed;
    fn between(side: usize) {
        if side == 0 {
            light_barrier();
        } else {
            heavy_barrier().expect("nothing forbids the barrier");
        }
    }
}

/// The same without the heavy side.
struct LightAlone;
impl Orders for LightAlone {
    const STORE: Ordering = Ordering::Relaxed;
    const LOAD: Ordering = Ordering::Relaxed;
    fn between(side: usize) {
        if side == 0 {
            light_barrier();
        } else {
            compiler_fence(Ordering::SeqCst);
        }
    }
}

fn store_buffering<O: Orders, const ME: usize>(cells: &Arc<Cells>) -> Seen {
    cells.store(ME, O::STORE);
    O::between(ME);
    [cells.load(1 - ME, O::LOAD), 0]
}

fn load_buffering<O: Orders, const ME: usize>(cells: &Arc<Cells>) -> Seen {
    let seen = cells.load(1 - ME, O::LOAD);
    cells.store(ME, O::STORE);
    [seen, 0]
}

fn send<O: Orders>(cells: &Arc<Cells>) -> Seen {
    cells.write_relaxed();
    cells.store(1, O::STORE);
    [0, 0]
}

fn receive<O: Orders>(cells: &Arc<Cells>) -> Seen {
    let sign = cells.load(1, O::LOAD) != 0;
    cells.read_relaxed_if(sign)
}

fn write<O: Orders, const CELL: usize>(cells: &Arc<Cells>) -> Seen {
    cells.store(CELL, O::STORE);
    [0, 0]
}

fn read_both<O: Orders, const FIRST: usize, const SECOND: usize>(cells: &Arc<Cells>) -> Seen {
    [cells.load(FIRST, O::LOAD), cells.load(SECOND, O::LOAD)]
}

/// Both missed the other's store.
pub(crate) fn both_missed(seen: &[Seen]) -> bool {
    seen[0][0] == 0 && seen[1][0] == 0
}

/// Both loaded what the other stored after its own load.
fn both_foresaw(seen: &[Seen]) -> bool {
    seen[0][0] == 1 && seen[1][0] == 1
}

/// The last thread saw the sign, or the later value, and then what was there before.
pub(crate) fn sign_without_data(seen: &[Seen]) -> bool {
    seen.last() == Some(&[1, 0])
}

/// The readers saw the two writes in different orders.
pub(crate) fn two_orders(seen: &[Seen]) -> bool {
    seen[2] == [1, 0] && seen[3] == [1, 0]
}

/// The rows. Loom takes a `SeqCst` access for `AcqRel`, so it shows what `SeqCst` forbids; it never
/// shows load buffering, nor does Miri. IRIW is rare under Miri, and too large for loom without a bound.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::allowed(
            "MP relaxed",
            &[send::<Relaxed>, receive::<Relaxed>],
            sign_without_data,
            &[Miri, Loom],
        ),
        Row::forbidden(
            "MP release, acquire",
            &[send::<ReleaseAcquire>, receive::<ReleaseAcquire>],
            sign_without_data,
        ),
        Row::forbidden(
            "MP SeqCst",
            &[send::<SeqCst>, receive::<SeqCst>],
            sign_without_data,
        ),
        Row::allowed(
            "SB relaxed",
            &[store_buffering::<Relaxed, 0>, store_buffering::<Relaxed, 1>],
            both_missed,
            &[Machine, Miri, Loom],
        ),
        Row::allowed(
            "SB release, acquire",
            &[
                store_buffering::<ReleaseAcquire, 0>,
                store_buffering::<ReleaseAcquire, 1>,
            ],
            both_missed,
            &[Machine, Miri, Loom],
        ),
        Row {
            shown_by: &[Loom],
            ..Row::forbidden(
                "SB SeqCst",
                &[store_buffering::<SeqCst, 0>, store_buffering::<SeqCst, 1>],
                both_missed,
            )
        },
        Row::forbidden(
            "SB relaxed, SeqCst fences",
            &[store_buffering::<Fences, 0>, store_buffering::<Fences, 1>],
            both_missed,
        ),
        Row::forbidden(
            "SB light and heavy barrier",
            &[
                store_buffering::<LightHeavy, 0>,
                store_buffering::<LightHeavy, 1>,
            ],
            both_missed,
        ),
        Row::allowed(
            "SB light barrier alone",
            &[
                store_buffering::<LightAlone, 0>,
                store_buffering::<LightAlone, 1>,
            ],
            both_missed,
            &[Machine, Miri, Loom],
        ),
        Row::allowed(
            "LB relaxed",
            &[load_buffering::<Relaxed, 0>, load_buffering::<Relaxed, 1>],
            both_foresaw,
            &[],
        ),
        Row::forbidden(
            "LB release, acquire",
            &[
                load_buffering::<ReleaseAcquire, 0>,
                load_buffering::<ReleaseAcquire, 1>,
            ],
            both_foresaw,
        ),
        Row::forbidden(
            "CoRR relaxed",
            &[write::<Relaxed, 0>, read_both::<Relaxed, 0, 0>],
            sign_without_data,
        ),
        Row {
            preemptions: Some(1),
            ..Row::allowed(
                "IRIW relaxed",
                &[
                    write::<Relaxed, 0>,
                    write::<Relaxed, 1>,
                    read_both::<Relaxed, 0, 1>,
                    read_both::<Relaxed, 1, 0>,
                ],
                two_orders,
                &[Loom],
            )
        },
        Row {
            preemptions: Some(1),
            ..Row::allowed(
                "IRIW release, acquire",
                &[
                    write::<ReleaseAcquire, 0>,
                    write::<ReleaseAcquire, 1>,
                    read_both::<ReleaseAcquire, 0, 1>,
                    read_both::<ReleaseAcquire, 1, 0>,
                ],
                two_orders,
                &[Loom],
            )
        },
        Row {
            preemptions: Some(1),
            shown_by: &[Loom],
            ..Row::forbidden(
                "IRIW SeqCst",
                &[
                    write::<SeqCst, 0>,
                    write::<SeqCst, 1>,
                    read_both::<SeqCst, 0, 1>,
                    read_both::<SeqCst, 1, 0>,
                ],
                two_orders,
            )
        },
    ]
}
