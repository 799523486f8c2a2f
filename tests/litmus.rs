//! The litmus tests of the memory model, written once and run in three worlds: threads of the machine, Miri,
//! and loom (`RUSTFLAGS='--cfg loom'`).
//!
//! Each row is a small program with one *weak* outcome, which no interleaving of its steps explains. Where
//! Rust's model forbids it, no world may show it, but for the gaps of loom that a row names. Where
//! it is allowed and a world can show it, it must be seen there: a harness that never shows anything weak shows nothing.
//! docs/article.md (§2.4) has the table, with what Java and Go say.

/// The files in `litmus/`.
mod litmus {
    pub(super) mod programs;
    pub(super) mod world;
}

use litmus::programs::rows;
use litmus::world::{Tally, explore};

/// What a world has to show of an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Never.
    Never,
    /// It must be seen.
    Seen,
    /// It is allowed, and this world does not show it, or not for sure.
    Unseen,
    /// The world shows it although it is forbidden: a gap that its documentation names.
    Gap,
}

/// What the three worlds have to show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) x86_64: Expect,
    pub(crate) miri: Expect,
    pub(crate) loom: Expect,
}

impl Expected {
    /// Of the world that this is.
    fn here(self) -> Expect {
        if cfg!(loom) {
            self.loom
        } else if cfg!(miri) {
            self.miri
        } else if self.x86_64 == Expect::Never || cfg!(target_arch = "x86_64") {
            self.x86_64
        } else {
            // What an AArch64 shows beyond that depends on the machine.
            Expect::Unseen
        }
    }
}

#[test]
fn miri_every_outcome_is_as_the_memory_model_says() {
    let mut wrong = Vec::new();
    for row in rows() {
        let expect = row.expected.here();
        let Tally { runs, weak } = explore(&row, expect);
        println!("{:<52} {expect:<7?} {weak:>8} weak of {runs:>8}", row.name);
        let right = match expect {
            Expect::Never => weak == 0,
            Expect::Seen | Expect::Gap => weak > 0,
            Expect::Unseen => true,
        };
        if !right || runs == 0 {
            wrong.push((row.name, expect, weak, runs));
        }
    }
    assert!(wrong.is_empty(), "name, expected, weak, runs: {wrong:#?}");
}
