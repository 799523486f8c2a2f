//! The litmus tests of the memory model, written once and run in three worlds: threads of the machine, Miri,
//! and loom (`RUSTFLAGS='--cfg loom'`).
//!
//! Each row is a small program with one *weak* outcome, which no interleaving of its steps explains. Rust's
//! model allows that outcome or forbids it. No world may show what is forbidden, but for the gaps of loom that a row
//! names. What is allowed must be seen where a world can show it: a harness that never shows
//! anything weak shows nothing. `cargo xtask evidence --only litmus` runs the worlds and prints one table;
//! docs/article.md (§2.4) has it, with what Java and Go say.

/// The files in `litmus/`.
mod litmus {
    pub(super) mod cells;
    pub(super) mod programs;
    pub(super) mod publications;
    pub(super) mod world;
}

use core::fmt;
use litmus::cells::Row;
use litmus::world::{Tally, explore};
use litmus::{programs, publications};

/// What Rust's memory model says of a weak outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Forbidden,
    Allowed,
}

/// Where a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    Machine,
    Miri,
    Loom,
}

impl World {
    /// The one that this is compiled for.
    const HERE: Self = if cfg!(loom) {
        Self::Loom
    } else if cfg!(miri) {
        Self::Miri
    } else {
        Self::Machine
    };
}

/// What this world has to show of a weak outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// It is never seen.
    Never,
    /// It must be seen.
    Seen,
    /// It is allowed, and this world does not show it, or not for sure.
    Either,
    /// It is forbidden and seen all the same: a gap of the world that its documentation names.
    Gap,
}

/// Whether cargo was told to run programs in an emulator (`cargo xtask aarch64`).
fn is_emulated() -> bool {
    let runner = "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER";
    World::HERE == World::Machine
        && cfg!(target_arch = "aarch64")
        && std::env::var_os(runner).is_some()
}

impl Expect {
    /// Of a row's outcome.
    fn here(row: &Row) -> Self {
        // What an AArch64 shows beyond the rule depends on the processor, and an emulator shows little of it.
        let is_x86_64 = World::HERE == World::Machine && cfg!(target_arch = "x86_64");
        let is_known = World::HERE != World::Machine || is_x86_64;
        match (row.rule, row.shown_by.contains(&World::HERE) && is_known) {
            // What `SeqCst` accesses alone forbid, loom shows; so does the emulator: qemu 7.2 lets a load that
            // acquires (`ldar`) go before an earlier store that releases (`stlr`), as x86-64 does with plain ones.
            (Rule::Forbidden, false) if is_emulated() && row.shown_by.contains(&World::Loom) => {
                Self::Either
            }
            (Rule::Forbidden, false) => Self::Never,
            (Rule::Forbidden, true) => Self::Gap,
            (Rule::Allowed, _) if row.not_on_x86_64 && is_x86_64 => Self::Never,
            (Rule::Allowed, false) => Self::Either,
            (Rule::Allowed, true) => Self::Seen,
        }
    }

    fn judge(self, tally: Tally) -> Verdict {
        match (self, tally.weak > 0) {
            _ if tally.runs == 0 => Verdict::Wrong,
            (Self::Never, false) | (Self::Either, _) | (Self::Seen | Self::Gap, true) => {
                Verdict::Right
            }
            (Self::Seen, false) if !tally.may_overlap() => Verdict::Apart,
            (Self::Never, true) | (Self::Seen | Self::Gap, false) => Verdict::Wrong,
        }
    }
}

/// Whether what was seen is what had to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Right,
    /// The threads hardly ran at the same time, so that nothing weak could be seen.
    Apart,
    Wrong,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Right => "right",
            Self::Apart => "apart",
            Self::Wrong => "WRONG",
        })
    }
}

/// How often a machine is asked again for what it has to show. What must never be seen is asked for once.
const PATIENCE: u32 = 20;

/// `cargo xtask evidence --only litmus` reads what this prints, and is what runs it under Miri and loom.
#[test]
fn every_outcome_is_as_the_memory_model_says() {
    let mut wrong = Vec::new();
    // (The test runner has begun a line.)
    println!();
    for row in programs::rows().into_iter().chain(publications::rows()) {
        let expect = Expect::here(&row);
        let mut tally = explore(&row, expect);
        // What a machine shows seldom, it may not show at once.
        for _ in 0..PATIENCE {
            let is_to_be_seen = matches!(expect, Expect::Seen | Expect::Gap) && tally.weak == 0;
            if World::HERE != World::Machine || !is_to_be_seen {
                break;
            }
            tally = explore(&row, expect);
        }
        let Tally { runs, weak, .. } = tally;
        let verdict = expect.judge(tally);
        let line = format!(
            "litmus | {:?} | {} | {:?} | {expect:?} | {weak} | {runs} | {verdict}",
            World::HERE,
            row.name,
            row.rule
        );
        println!("{line}");
        if verdict == Verdict::Wrong {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The other side of every row with plain data that passes: a race is reported.
#[cfg(loom)]
#[test]
#[should_panic(expected = "Causality violation")]
fn a_race_is_reported() {
    explore(&publications::race(), Expect::Seen);
}

/// The other side of every row with plain data that passes: Miri must refuse to go on.
#[cfg(miri)]
#[test]
#[ignore = "a race, on purpose: `cargo xtask evidence --only litmus` wants Miri's report of it"]
fn a_race_is_reported() {
    explore(&publications::race(), Expect::Seen);
}
