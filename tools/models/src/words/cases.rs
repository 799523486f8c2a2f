//! The runs of the words, and in which run each mistake is found.

use super::filter_cases::{by_filters, going, not_entered};
use super::memory::MOVES;
use super::model::{Bug, Words};
use crate::config::Op::{self, Get, Grow, Insert, Remove, TryInsert, Update};

pub(super) const GROW: Op = Grow(0);

/// Two keys that part at the first doubling, and a third that stays with the first.
pub(super) const KEYS: &[u8] = &[0b00, 0b10, 0b01];
/// Keys that never part.
pub(super) const TOGETHER: &[u8] = &[0, 0, 0, 0];

pub(super) fn run(
    name: &'static str,
    (slots, keys): (u8, &[u8]),
    moves: u8,
    present: &[u8],
    programs: &[&[Op]],
) -> Words {
    Words {
        name,
        slots,
        keys: keys.to_vec(),
        present: present.to_vec(),
        programs: programs.iter().map(|program| program.to_vec()).collect(),
        moves,
        at_once: [false; MOVES],
        filters: false,
        bug: None,
    }
}

/// The run with these tables copied.
pub(super) fn copied(at_once: [bool; MOVES], run: Words) -> Words {
    Words { at_once, ..run }
}

/// The first doubling is a copy.
pub(super) const FIRST: [bool; MOVES] = [true, false];
/// The second one is.
const SECOND: [bool; MOVES] = [false, true];

/// Runs of seconds in which tables are copied.
fn quick_copies() -> Vec<Words> {
    let copy = |name, present: &[u8], programs: &[&[Op]]| {
        copied(FIRST, run(name, (2, KEYS), 1, present, programs))
    };
    let two = |name, at_once, present: &[u8], programs: &[&[Op]]| {
        copied(at_once, run(name, (2, KEYS), 2, present, programs))
    };
    vec![
        copy(
            "words: a copy; inserts of a key",
            &[0],
            &[&[GROW], &[Insert(1)], &[TryInsert(1)]],
        ),
        copy(
            "words: a copy; update and remove; get",
            &[0, 1],
            &[&[GROW], &[Update(0), Remove(1)], &[Get(0), Get(1)]],
        ),
        copy(
            "words: a copy; remove and insert; insert",
            &[0, 1],
            &[&[GROW], &[Remove(0), Insert(0)], &[TryInsert(0)]],
        ),
        copy(
            "words: two copiers; replace; get",
            &[0],
            &[&[GROW], &[GROW], &[Insert(0), Get(0)]],
        ),
        copy(
            "words: a copy of a full line; insert behind a link; get",
            &[0, 2],
            &[&[GROW], &[Insert(1), Remove(0)], &[Get(2)]],
        ),
        two(
            "words: two doublings, the first a copy; insert; remove and get",
            FIRST,
            &[0],
            &[&[GROW, GROW], &[Insert(1)], &[Remove(0), Get(1)]],
        ),
        two(
            "words: two doublings, the second a copy; insert; remove and get",
            SECOND,
            &[0],
            &[&[GROW, GROW], &[Insert(1)], &[Remove(0), Get(1)]],
        ),
        two(
            "words: two copies of a full line; insert",
            [true; MOVES],
            &[0, 2],
            &[&[GROW, GROW], &[Insert(1)]],
        ),
    ]
}

/// Runs of seconds.
#[must_use]
pub fn quick() -> Vec<Words> {
    let mut runs = vec![
        run(
            "words: three inserts of a key, one removed between",
            (3, TOGETHER),
            0,
            &[1, 2],
            &[&[Insert(0)], &[TryInsert(0), Remove(0)], &[Insert(0)]],
        ),
        run(
            "words: inserts into a full line, a removal",
            (2, TOGETHER),
            0,
            &[1, 2],
            &[&[Insert(0)], &[TryInsert(0)], &[Remove(1)]],
        ),
        run(
            "words: a full line: removal; insert; insert and get",
            (2, TOGETHER),
            0,
            &[1, 2],
            &[&[Remove(1)], &[Insert(0)], &[TryInsert(0), Get(0)]],
        ),
        run(
            "words: a doubling; inserts of a key",
            (2, KEYS),
            1,
            &[0],
            &[&[GROW], &[Insert(1)], &[TryInsert(1)]],
        ),
        run(
            "words: a doubling; update and remove; get",
            (2, KEYS),
            1,
            &[0, 1],
            &[&[GROW], &[Update(0), Remove(1)], &[Get(0), Get(1)]],
        ),
        run(
            "words: two doublings; insert into a full line",
            (2, KEYS),
            2,
            &[0, 2],
            &[&[GROW, GROW], &[Insert(1)]],
        ),
        run(
            "words: two doublings; insert; remove and get",
            (2, KEYS),
            2,
            &[0],
            &[&[GROW, GROW], &[Insert(1)], &[Remove(0), Get(1)]],
        ),
        run(
            "words: two doublers; replace; get",
            (2, KEYS),
            1,
            &[0],
            &[&[GROW], &[GROW], &[Insert(0), Get(0)]],
        ),
        run(
            "words: two doublers; insert, remove, insert into slots that got no member",
            (3, KEYS),
            1,
            &[0],
            &[&[GROW], &[GROW], &[Insert(2), Remove(0), Insert(0)]],
        ),
        run(
            "words: a full line: claims of a key in its last slot",
            (2, TOGETHER),
            0,
            &[1, 2],
            &[&[Remove(2)], &[Insert(0)], &[TryInsert(0)]],
        ),
        run(
            "words: a full line: claims of two keys; lines behind them",
            (2, TOGETHER),
            0,
            &[1, 2],
            &[&[Remove(2), Insert(2)], &[Insert(0), Remove(0)]],
        ),
        run(
            "words: a full line: remove and insert, twice; insert of another key",
            (2, TOGETHER),
            0,
            &[1, 2],
            &[
                &[Remove(1), Insert(0)],
                &[Remove(2), Insert(0)],
                &[Insert(3)],
            ],
        ),
    ];
    runs.extend(quick_copies());
    runs.extend(by_filters());
    runs
}

/// Runs of minutes, and some of seconds that the quick ones have by filters.
#[must_use]
pub fn full() -> Vec<Words> {
    let mut runs = going();
    runs.extend(long());
    runs
}

fn long() -> Vec<Words> {
    let goes = |name| {
        let programs: [&[Op]; 3] = [&[GROW], &[Remove(1), Remove(2)], &[Insert(1)]];
        run(name, (2, KEYS), 1, &[0, 2, 1], &programs)
    };
    vec![
        run(
            "words: a full line: removals; insert; insert and get",
            (2, TOGETHER),
            0,
            &[1, 2],
            &[
                &[Remove(1), Insert(1)],
                &[Insert(0)],
                &[TryInsert(0), Get(0)],
            ],
        ),
        run(
            "words: a doubling of a full line; insert; insert and remove",
            (2, KEYS),
            1,
            &[0, 2],
            &[&[GROW], &[Insert(1)], &[TryInsert(1), Remove(0)]],
        ),
        run(
            "words: two doublings of a full line; insert; insert and get",
            (2, KEYS),
            2,
            &[0, 2],
            &[&[GROW, GROW], &[Insert(1)], &[TryInsert(1), Get(2)]],
        ),
        run(
            "words: a full line: claims of two keys, one twice; lines behind them",
            (2, TOGETHER),
            0,
            &[1, 2],
            &[&[Remove(2), Insert(2)], &[Insert(0)], &[TryInsert(0)]],
        ),
        run(
            "words: two doublers of a line with a claim at its end; insert",
            (2, KEYS),
            1,
            &[0, 2],
            &[&[GROW], &[Remove(2), Insert(2)], &[Insert(1), Get(1)]],
        ),
        run(
            "words: a full line: two keys, removed and inserted; inserts of two more",
            (2, TOGETHER),
            0,
            &[1, 2],
            &[
                &[Remove(1), Insert(0), Remove(0), Insert(1)],
                &[Remove(2), Insert(0), Insert(2)],
                &[Insert(3), TryInsert(0), Remove(3)],
            ],
        ),
        run(
            "words: a full line of three: each thread removes, inserts and removes",
            (3, TOGETHER),
            0,
            &[1, 2, 3],
            &[
                &[Remove(1), Insert(0), Remove(0)],
                &[Remove(2), TryInsert(0), Insert(2)],
                &[Remove(3), Insert(0), Insert(3)],
            ],
        ),
        run(
            "words: two doublings of a full line; three keys, removed and inserted",
            (2, KEYS),
            2,
            &[0, 2],
            &[
                &[GROW, GROW],
                &[Insert(1), Remove(0), Insert(0)],
                &[TryInsert(1), Remove(2), Insert(2)],
            ],
        ),
        goes("words: a doubling; a link goes; insert"),
        run(
            "words: a link goes, and another comes; inserts of a key",
            (2, TOGETHER),
            0,
            &[1, 2, 3],
            &[
                &[Remove(2), Remove(3), Insert(2), Insert(3)],
                &[Insert(0)],
                &[TryInsert(0)],
            ],
        ),
        Words {
            filters: true,
            ..goes("words: by filters: a doubling; a link goes; insert")
        },
        Words {
            filters: true,
            ..run(
                "words: by filters: a link goes, and another comes; insert; gets",
                (2, TOGETHER),
                0,
                &[1, 2, 3],
                &[
                    &[Remove(2), Remove(3), Insert(2), Insert(3)],
                    &[Insert(0), Remove(0)],
                    &[Get(0), Get(3)],
                ],
            )
        },
        copied(
            FIRST,
            run(
                "words: a copy of a line with a claim at its end; insert",
                (2, KEYS),
                1,
                &[0, 2],
                &[&[GROW], &[Remove(2), Insert(2)], &[Insert(1), Get(1)]],
            ),
        ),
        copied(
            [true; MOVES],
            run(
                "words: two copies of a full line; insert; insert and get",
                (2, KEYS),
                2,
                &[0, 2],
                &[&[GROW, GROW], &[Insert(1)], &[TryInsert(1), Get(2)]],
            ),
        ),
    ]
}

/// Runs of copies without the question whether the shard's word still leads to a table whose words are frozen. Nothing is wrong in
/// them: what is frozen was the truth until the word was exchanged, and the look-up has read the word before.
#[must_use]
pub fn unasked() -> Vec<Words> {
    let unasked = |run| Words {
        bug: Some(Bug::AnswerCopied),
        ..run
    };
    quick_copies().into_iter().map(unasked).collect()
}

/// Every mistake in a run in which it is found; two of a move by steps and of a copy, which tell each for itself what is over.
#[must_use]
pub fn seeded() -> Vec<Words> {
    let line = |programs: &[&[Op]]| run("words", (3, TOGETHER), 0, &[1], programs);
    let full = |programs: &[&[Op]]| run("words", (2, TOGETHER), 0, &[1, 2], programs);
    let vacated = |programs: &[&[Op]]| run("words", (3, TOGETHER), 0, &[1, 2], programs);
    let moved = |programs: &[&[Op]]| run("words", (2, KEYS), 1, &[0, 1], programs);
    let copy = |programs: &[&[Op]]| copied(FIRST, moved(programs));
    let filtered = |run: Words| Words {
        filters: true,
        ..run
    };
    let seeded = [
        (Bug::TwoPasses, line(&[&[Insert(0)], &[Insert(0)]])),
        (
            Bug::EmptyAgain,
            vacated(&[&[Insert(0)], &[Remove(1), Insert(0)]]),
        ),
        (
            Bug::VacantFirst,
            vacated(&[&[Insert(0)], &[Remove(1), Insert(0)]]),
        ),
        (
            Bug::SettleBlind,
            full(&[&[Insert(0)], &[Insert(0)], &[Remove(1)]]),
        ),
        (
            Bug::ClaimsMissed,
            full(&[&[Insert(0)], &[Insert(0)], &[Remove(1)]]),
        ),
        (
            Bug::NoStamps,
            run(
                "words",
                (2, TOGETHER),
                0,
                &[1, 2],
                &[
                    &[Insert(0)],
                    &[Remove(1), Insert(0), Remove(0), Insert(0)],
                    &[Insert(0)],
                ],
            ),
        ),
        (Bug::LinkForgets, full(&[&[Insert(0)]])),
        (
            Bug::LinkBlind,
            full(&[&[Insert(0)], &[Remove(2), TryInsert(2)]]),
        ),
        (
            Bug::ShutBlind,
            full(&[&[Insert(0)], &[Insert(0)], &[Remove(1)]]),
        ),
        (
            Bug::ClaimsTaken,
            full(&[&[Remove(2), Insert(2)], &[Insert(0)]]),
        ),
        (
            Bug::EmptyBehind,
            run(
                "words",
                (3, TOGETHER),
                0,
                &[1, 2, 3],
                &[&[Insert(0)], &[Insert(0)], &[Remove(1)]],
            ),
        ),
        (
            Bug::LinkSettles,
            full(&[&[Insert(0)], &[Insert(0)], &[Remove(1)]]),
        ),
        (
            Bug::LinksLast,
            moved(&[&[GROW], &[TryInsert(2)], &[Update(1)]]),
        ),
        (
            Bug::EmptyStays,
            run("words", (2, KEYS), 1, &[], &[&[GROW], &[Insert(1)]]),
        ),
        (
            Bug::BornEarly,
            run("words", (2, KEYS), 1, &[0, 2], &[&[GROW], &[Get(0)]]),
        ),
        (Bug::BornByStore, moved(&[&[GROW], &[Update(0), Update(0)]])),
        (
            Bug::BornAnywhere,
            run("words", (3, KEYS), 1, &[0, 2], &[&[GROW], &[Update(0)]]),
        ),
        (
            Bug::EndsAtEmpty,
            run("words", (2, KEYS), 1, &[0], &[&[GROW], &[Insert(0)]]),
        ),
        (
            Bug::EmptyStored,
            run("words", (3, KEYS), 1, &[0], &[&[GROW], &[Insert(2)]]),
        ),
        (
            Bug::AnswerFrozen,
            moved(&[&[GROW], &[Update(0)], &[Get(0)]]),
        ),
        (
            Bug::ShutsOn,
            full(&[&[Remove(2), Insert(2)], &[Insert(0)], &[TryInsert(0)]]),
        ),
        (Bug::WaitForMover, moved(&[&[GROW], &[Update(0)]])),
        (Bug::StoredEarly, moved(&[&[GROW], &[Update(0)]])),
        (Bug::OldLine, moved(&[&[GROW], &[Update(0)]])),
        (Bug::StoredEarly, copy(&[&[GROW], &[Update(0)]])),
        (Bug::OldLine, copy(&[&[GROW], &[Update(0)]])),
        (Bug::CopiedOver, copy(&[&[GROW], &[GROW], &[Update(0)]])),
        (Bug::CopiedUnfrozen, copy(&[&[GROW], &[Update(0)]])),
        (Bug::WaitForCopier, copy(&[&[GROW], &[Update(0)]])),
        (Bug::KeyFirst, filtered(line(&[&[Insert(0)], &[Insert(0)]]))),
        (
            Bug::FrozenSkipped,
            filtered(run(
                "words",
                (3, KEYS),
                1,
                &[0],
                &[&[GROW], &[TryInsert(0)]],
            )),
        ),
        (
            Bug::EndUnseen,
            filtered(full(&[&[Remove(1)], &[Insert(0)], &[Insert(0)]])),
        ),
        (
            Bug::BehindUnseen,
            filtered(run(
                "words",
                (2, TOGETHER),
                0,
                &[1, 2, 3],
                &[&[Remove(3), Remove(1)], &[Insert(0)], &[Insert(0)]],
            )),
        ),
    ];
    let seeded = seeded.into_iter().chain(not_entered());
    seeded
        .map(|(bug, run)| Words {
            bug: Some(bug),
            ..run
        })
        .collect()
}
