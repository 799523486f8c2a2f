//! The copy of a shard's whole table into another, for tables so small that steps cost more than they spread.
//!
//! The table is frozen, whereupon it does not change any more, and copied to a new one that nobody else sees. Then the shard's
//! word is exchanged; who comes too late throws his copy away. So nothing is written by exchanges but the word and,
//! while others may still write to the old table, its slots.
//!
//! Invariants: I2 to I4 of the [parent module](super).

use super::line::Line;
use super::moving::{Finality, bear, freeze, retire_behind, take_behind};
use super::store::Table;
use crate::arch::Asking;
use crate::reclaim::{Domain, Grace, Guard};

/// Fills `new`, which nobody else sees yet, with the members of `old`, which is being left at once.
pub(crate) fn copy(
    old: Table<'_>,
    new: Table<'_>,
    grace: Option<&Grace>,
    domain: &Domain<Line>,
    guard: &impl Guard,
) {
    let finality = Finality::after(grace);
    new.each_line(bear);
    old.each_line(|line| {
        freeze(line, finality, Asking, |pair| {
            if !pair.is_member() {
                return;
            }
            let line = new.line_of(pair.rest());
            let spilled = line.append(pair.thawed(), domain, guard);
            if spilled != 0 {
                new.spill(spilled);
            }
        });
    });
}

/// Retires what is behind the lines of a table that no word leads to any more.
pub(crate) fn retire_lines(old: Table<'_>, domain: &Domain<Line>, guard: &impl Guard) {
    old.each_line(|line| retire_behind(line, domain, guard));
}

/// Throws a copy away that nobody else has seen.
pub(crate) fn discard(new: Table<'_>, domain: &Domain<Line>, guard: &impl Guard) {
    new.each_line(|line| take_behind(line, |line| domain.give_back(line, guard)));
    // SAFETY: I2: no word has led to it.
    unsafe { new.put_aside() };
}
