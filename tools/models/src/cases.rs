//! The runs: what is explored to the last state, and in which run each mistake is found.

use crate::config::{Bug, Config, Key, Op};
use crate::memory::Kind;

/// Lines and keys of a run.
#[derive(Clone, Copy)]
struct Shape {
    slots: usize,
    shards: usize,
    first: (Kind, u8),
    keys: &'static [Key],
}

/// A table of one line. The keys part at the first doubling, and look alike.
const ONE_LINE: Shape = Shape {
    slots: 1,
    shards: 1,
    first: (Kind::Shard, 0),
    keys: &[Key::new(0, 0, 1), Key::new(0, 3, 1)],
};

/// Two keys that share a line, whatever its table's size, and so an overflow line.
const SHARED_LINE: Shape = Shape {
    keys: &[Key::new(0, 0, 1), Key::new(0, 0, 1)],
    ..ONE_LINE
};

/// A table of one line of two slots.
const TWO_SLOTS: Shape = Shape {
    slots: 2,
    ..ONE_LINE
};

/// A table of two lines.
const TWO_LINES: Shape = Shape {
    first: (Kind::Shard, 1),
    ..ONE_LINE
};

/// A root of one line, and two shards.
const ROOT: Shape = Shape {
    shards: 2,
    first: (Kind::Root, 0),
    keys: &[Key::new(0, 0, 1), Key::new(1, 3, 1)],
    ..ONE_LINE
};

const TWICE: Op = Op::Reserve { line_bits: 2 };
const ONCE: Op = Op::Reserve { line_bits: 1 };
const BACK: Op = Op::Shrink { line_bits: 0 };
const GROW: Op = Op::Grow(0);

fn run(
    name: &'static str,
    shape: Shape,
    moves: usize,
    present: &[u8],
    programs: &[&[Op]],
) -> Config {
    Config {
        name,
        slots: shape.slots,
        shards: shape.shards,
        first: shape.first,
        keys: shape.keys.to_vec(),
        present: present.to_vec(),
        programs: programs.iter().map(|ops| ops.to_vec()).collect(),
        moves,
        any_order: false,
        bug: None,
    }
}

/// Runs of seconds.
#[must_use]
pub fn quick() -> Vec<Config> {
    use Op::{Get, Insert, Remove, TryInsert, Update};
    let any_order = run(
        "doubling, a filter in any order: insert and remove; gets",
        TWO_SLOTS,
        1,
        &[0],
        &[&[GROW], &[Insert(1), Remove(0)], &[Get(0), Get(1)]],
    );
    vec![
        run(
            "two doublings: replace; get",
            ONE_LINE,
            2,
            &[0],
            &[&[TWICE], &[Insert(0)], &[Get(0)]],
        ),
        run(
            "two doublings: remove; insert",
            ONE_LINE,
            2,
            &[0],
            &[&[TWICE], &[Remove(0)], &[TryInsert(0)]],
        ),
        run(
            "two doublings left begun: remove; update and get",
            ONE_LINE,
            2,
            &[0, 1],
            &[&[GROW, GROW], &[Remove(0)], &[Update(0), Get(0)]],
        ),
        run(
            "doubling and halving: remove and insert; get",
            ONE_LINE,
            2,
            &[0, 1],
            &[&[ONCE, BACK], &[Remove(0), Insert(0)], &[Get(0)]],
        ),
        run(
            "fan-out and doubling: replace; get",
            ROOT,
            2,
            &[0, 1],
            &[&[ONCE, GROW], &[Insert(0)], &[Get(1)]],
        ),
        run(
            "doubling: two inserts of one key",
            ONE_LINE,
            1,
            &[],
            &[&[GROW], &[Insert(0)], &[TryInsert(0)]],
        ),
        run(
            "doubling of an overflowing line: remove and insert; get",
            SHARED_LINE,
            1,
            &[0, 1],
            &[&[GROW], &[Remove(0), Insert(0)], &[Get(1)]],
        ),
        Config {
            any_order: true,
            ..any_order
        },
    ]
}

/// Runs of minutes besides the quick ones: two threads move one table. (Where both go on to a second
/// move, or one back, it is more states than 24 GB hold.)
#[must_use]
pub fn full() -> Vec<Config> {
    use Op::{Get, Insert, Remove, TryInsert};
    vec![
        run(
            "doubling by two threads: replace and get",
            ONE_LINE,
            1,
            &[0],
            &[&[ONCE], &[ONCE], &[Insert(0), Get(0)]],
        ),
        run(
            "halving by two threads: remove and insert",
            TWO_LINES,
            1,
            &[0, 1],
            &[&[BACK], &[BACK], &[Remove(0), Insert(0)]],
        ),
        run(
            "fan-out by two threads, and doubling: remove; insert",
            ROOT,
            2,
            &[0, 1],
            &[&[ONCE, GROW], &[ONCE, Remove(0)], &[TryInsert(0)]],
        ),
        run(
            "no move: inserts of one key; insert and remove",
            TWO_SLOTS,
            0,
            &[],
            &[&[Insert(0)], &[Insert(0)], &[Insert(0), Remove(0)]],
        ),
    ]
}

/// Three inserts of one key, a removal between two of them. Too many states to see all of: without a mistake
/// nothing was found in 22 minutes of a processor, which was not the end.
fn claims() -> Config {
    use Op::{Insert, Remove};
    run(
        "no move: inserts of one key; insert, remove and insert",
        TWO_SLOTS,
        0,
        &[],
        &[
            &[Insert(0)],
            &[Insert(0)],
            &[Insert(0), Remove(0), Insert(0)],
        ],
    )
}

/// The mistake that needs 75 accesses to show, and fifteen million states to be found.
#[must_use]
pub fn seeded_deep() -> Vec<Config> {
    vec![Config {
        bug: Some(Bug::ClaimComesBack),
        ..claims()
    }]
}

/// Every other mistake, with the run that finds it.
#[must_use]
pub fn seeded() -> Vec<Config> {
    let quick = quick();
    let of = |number: usize, bug| Config {
        bug: Some(bug),
        ..quick[number].clone()
    };
    vec![
        of(0, Bug::SkipGeneration),
        of(0, Bug::CompleteEarly),
        of(0, Bug::CompleteWhenHanded),
        of(0, Bug::WaitForMover),
        of(0, Bug::WriteFrozen),
        of(0, Bug::ReadUnborn),
        of(0, Bug::ReadFrozen),
        of(0, Bug::BirthByStore),
        of(0, Bug::BornFirst),
        of(0, Bug::RetireTwice),
        of(4, Bug::RetireEarly),
        of(5, Bug::ClaimNotFrozen),
        of(5, Bug::SlotsBeforeLinks),
        of(5, Bug::SettleBlind),
        of(5, Bug::MembersBeforeClaims),
    ]
}
