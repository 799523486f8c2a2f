//! Lines one behind another: built for a new table, and retired with an old one.
//!
//! Invariants: I3 of the [parent module](super).

use super::line::{Line, SLOTS};
use super::pair::{Behind, Pair};
use crate::reclaim::{Domain, Guard};
use core::ptr::NonNull;

/// Builds lines for behind a link; returns the first.
pub(super) fn build(pairs: &[Pair], domain: &Domain<Line>, guard: &impl Guard) -> NonNull<Line> {
    let mut parts = pairs.chunks(SLOTS - 1).rev();
    let first = parts.next().unwrap_or_default();
    parts.fold(Line::behind(first, domain, guard), |next, part| {
        let line = Line::behind(part, domain, guard);
        // SAFETY: I3: made above, and nobody else sees it yet.
        let last = unsafe { line.as_ref() }.last();
        let link = Pair::link(next.as_ptr().cast(), Behind::of(part));
        last.store_private(link);
        line
    })
}

/// Calls `f` with each line behind this one, for who has the table alone; nobody follows the link afterwards.
pub(super) fn take_behind(line: &Line, f: impl FnMut(NonNull<Line>)) {
    each_behind(line.last().load(), f);
}

/// Retires the lines behind a frozen one, whose unit is born.
pub(super) fn retire_behind(line: &Line, domain: &Domain<Line>, guard: &impl Guard) {
    retire_chain(line.last().load(), domain, guard);
}

/// Retires the lines behind a link, for the one who does.
pub(super) fn retire_chain(link: Pair, domain: &Domain<Line>, guard: &impl Guard) {
    // SAFETY: I3: who comes later does not follow the link; one mover retires the lines of a step, and who has exchanged a link those behind it.
    each_behind(link, |line| unsafe { domain.retire(line, guard) });
}

/// Calls `f` with each line behind a link, which then is its own.
pub(super) fn each_behind(link: Pair, mut f: impl FnMut(NonNull<Line>)) {
    let mut next = link.next();
    while let Some(line) = next.and_then(NonNull::new).map(NonNull::<u8>::cast) {
        // SAFETY: I3: it lives until `f` is called.
        next = unsafe { line.as_ref() as &Line }.last().load().next();
        f(line);
    }
}
