//! The runs: what is explored to the end, and in which run each mistake is found.

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

fn run(name: &'static str, shape: Shape, present: &[u8], programs: &[&[Op]]) -> Config {
    Config {
        name,
        slots: shape.slots,
        shards: shape.shards,
        first: shape.first,
        keys: shape.keys.to_vec(),
        present: present.to_vec(),
        programs: programs.iter().map(|ops| ops.to_vec()).collect(),
        any_order: false,
        bug: None,
    }
}

const TWICE: Op = Op::Reserve { line_bits: 2 };
const ONCE: Op = Op::Reserve { line_bits: 1 };
const BACK: Op = Op::Shrink { line_bits: 0 };

fn replace_and_read() -> Config {
    run(
        "two doublings: replace, get",
        ONE_LINE,
        &[0],
        &[&[TWICE], &[Op::Insert(0)], &[Op::Get(0)]],
    )
}

fn remove_and_insert() -> Config {
    run(
        "two doublings: remove, insert",
        ONE_LINE,
        &[0],
        &[&[TWICE], &[Op::Remove(0)], &[Op::TryInsert(0)]],
    )
}

fn two_movers() -> Config {
    run(
        "two doublings by two movers: remove and insert",
        ONE_LINE,
        &[0],
        &[&[TWICE], &[TWICE], &[Op::Remove(0), Op::Insert(0)]],
    )
}

fn started_twice() -> Config {
    run(
        "a doubling that is left begun, and another: remove, update and get",
        ONE_LINE,
        &[0, 1],
        &[
            &[Op::Grow(0), Op::Grow(0)],
            &[Op::Remove(0)],
            &[Op::Update(0), Op::Get(0)],
        ],
    )
}

fn there_and_back() -> Config {
    run(
        "a doubling and a halving: remove and insert, get",
        ONE_LINE,
        &[0, 1],
        &[
            &[ONCE, BACK],
            &[Op::Remove(0), Op::Insert(0)],
            &[Op::Get(0)],
        ],
    )
}

fn back_and_there() -> Config {
    run(
        "a halving and a doubling: replace, get",
        TWO_LINES,
        &[0, 1],
        &[&[BACK], &[ONCE], &[Op::Insert(0), Op::Get(1)]],
    )
}

fn fan_out() -> Config {
    run(
        "the fan-out, then a doubling: replace, get",
        ROOT,
        &[0, 1],
        &[
            &[Op::Reserve { line_bits: 1 }, Op::Grow(0)],
            &[Op::Insert(0)],
            &[Op::Get(1)],
        ],
    )
}

fn inserts() -> Config {
    run(
        "a doubling: two inserts of one key",
        ONE_LINE,
        &[],
        &[&[Op::Grow(0)], &[Op::Insert(0)], &[Op::TryInsert(0)]],
    )
}

fn overflow() -> Config {
    run(
        "a doubling of an overflowing line: remove and insert, get",
        SHARED_LINE,
        &[0, 1],
        &[
            &[Op::Grow(0)],
            &[Op::Remove(0), Op::Insert(0)],
            &[Op::Get(1)],
        ],
    )
}

fn any_order() -> Config {
    let config = run(
        "a doubling: a filter in any order",
        TWO_SLOTS,
        &[0],
        &[
            &[Op::Grow(0)],
            &[Op::Insert(1), Op::Remove(0)],
            &[Op::Get(0), Op::Get(1)],
        ],
    );
    Config {
        any_order: true,
        ..config
    }
}

fn claims() -> Config {
    run(
        "no move: three inserts of one key and a removal",
        TWO_SLOTS,
        &[],
        &[
            &[Op::Insert(0)],
            &[Op::Insert(0)],
            &[Op::Insert(0), Op::Remove(0), Op::Insert(0)],
        ],
    )
}

/// Runs that take a minute together.
#[must_use]
pub fn quick() -> Vec<Config> {
    vec![
        replace_and_read(),
        remove_and_insert(),
        two_movers(),
        started_twice(),
        there_and_back(),
        back_and_there(),
        fan_out(),
        inserts(),
        overflow(),
        any_order(),
        claims(),
    ]
}

/// Bugs.
#[must_use]
pub fn bugs() -> Vec<Bug> {
    use crate::config::Bug::*;
    vec![ClaimComesBack, RetireEarly, BeginUnsettled]
}
