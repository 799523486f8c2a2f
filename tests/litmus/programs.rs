//! The programs on plain atomics: who stores and loads what, and which outcome is weak.

use super::cells::{Cells, Row, Seen, Thread};
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

/// Message passing: one sends, the other receives.
const fn mp<O: Orders>() -> &'static [Thread] {
    const { &[send::<O>, receive::<O>] }
}

/// Store buffering.
const fn sb<O: Orders>() -> &'static [Thread] {
    const { &[store_buffering::<O, 0>, store_buffering::<O, 1>] }
}

/// Load buffering.
const fn lb<O: Orders>() -> &'static [Thread] {
    const { &[load_buffering::<O, 0>, load_buffering::<O, 1>] }
}

/// Independent reads of independent writes.
const fn iriw<O: Orders>() -> &'static [Thread] {
    const {
        &[
            write::<O, 0>,
            write::<O, 1>,
            read_both::<O, 0, 1>,
            read_both::<O, 1, 0>,
        ]
    }
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
            mp::<Relaxed>(),
            sign_without_data,
            &[Miri, Loom],
        ),
        Row::forbidden(
            "MP release, acquire",
            mp::<ReleaseAcquire>(),
            sign_without_data,
        ),
        Row::forbidden("MP SeqCst", mp::<SeqCst>(), sign_without_data),
        Row::allowed(
            "SB relaxed",
            sb::<Relaxed>(),
            both_missed,
            &[Machine, Miri, Loom],
        ),
        Row::allowed(
            "SB release, acquire",
            sb::<ReleaseAcquire>(),
            both_missed,
            &[Machine, Miri, Loom],
        ),
        Row {
            shown_by: &[Loom],
            ..Row::forbidden("SB SeqCst", sb::<SeqCst>(), both_missed)
        },
        Row::forbidden("SB relaxed, SeqCst fences", sb::<Fences>(), both_missed),
        Row::forbidden(
            "SB light and heavy barrier",
            sb::<LightHeavy>(),
            both_missed,
        ),
        Row::allowed(
            "SB light barrier alone",
            sb::<LightAlone>(),
            both_missed,
            &[Machine, Miri, Loom],
        ),
        Row::allowed("LB relaxed", lb::<Relaxed>(), both_foresaw, &[]),
        Row::forbidden("LB release, acquire", lb::<ReleaseAcquire>(), both_foresaw),
        Row::forbidden(
            "CoRR relaxed",
            &[write::<Relaxed, 0>, read_both::<Relaxed, 0, 0>],
            sign_without_data,
        ),
        Row {
            preemptions: Some(1),
            ..Row::allowed("IRIW relaxed", iriw::<Relaxed>(), two_orders, &[Loom])
        },
        Row {
            preemptions: Some(1),
            ..Row::allowed(
                "IRIW release, acquire",
                iriw::<ReleaseAcquire>(),
                two_orders,
                &[Loom],
            )
        },
        Row {
            preemptions: Some(1),
            shown_by: &[Loom],
            ..Row::forbidden("IRIW SeqCst", iriw::<SeqCst>(), two_orders)
        },
    ]
}
