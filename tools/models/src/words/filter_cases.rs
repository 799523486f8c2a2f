//! The runs in which operations begin by filters, as the code does.

use super::cases::{FIRST, GROW, KEYS, TOGETHER, copied, run};
use super::memory::MOVES;
use super::model::{Bug, Words};
use crate::config::Op::{self, Get, Insert, Remove, TryInsert, Update};

/// Runs of seconds in which operations begin by filters.
pub(super) fn by_filters() -> Vec<Words> {
    let full = |name, programs: &[&[Op]]| run(name, (2, TOGETHER), 0, &[1, 2], programs);
    let mut runs = vec![
        run(
            "words: by filters: inserts of a key, removed between",
            (2, TOGETHER),
            0,
            &[1],
            &[&[Insert(0)], &[TryInsert(0), Remove(0)], &[Get(0)]],
        ),
        full(
            "words: by filters: claims of a key in a full line",
            &[&[Remove(1)], &[Insert(0)], &[TryInsert(0)]],
        ),
        full(
            "words: by filters: claims of a key, in its last slot too",
            &[&[Remove(2), Remove(1)], &[Insert(0)], &[TryInsert(0)]],
        ),
        full(
            "words: by filters: a full line: remove and insert; insert; get",
            &[&[Remove(1), Insert(1)], &[Insert(0)], &[Get(1)]],
        ),
        run(
            "words: by filters: a doubling of a used line; remove and insert; insert",
            (2, KEYS),
            1,
            &[0, 2],
            &[&[GROW], &[Remove(0), Insert(0)], &[TryInsert(1)]],
        ),
        copied(
            FIRST,
            run(
                "words: by filters: a copy of a used line; remove and insert; insert",
                (2, KEYS),
                1,
                &[0, 2],
                &[&[GROW], &[Remove(0), Insert(0)], &[TryInsert(1)]],
            ),
        ),
        run(
            "words: by filters: three slots, a doubling; insert; insert and remove",
            (3, KEYS),
            1,
            &[0],
            &[&[GROW], &[TryInsert(0)], &[Insert(2)]],
        ),
    ];
    runs.extend(behind());
    runs.extend(going());
    runs.iter_mut().for_each(|run| run.filters = true);
    runs
}

/// Runs by filters in a bucket that goes on behind a link.
fn behind() -> Vec<Words> {
    let two_lines = |name, programs: &[&[Op]]| run(name, (2, TOGETHER), 0, &[1, 2, 3], programs);
    let moved = |name, programs: &[&[Op]]| run(name, (2, KEYS), 1, &[0, 2, 1], programs);
    vec![
        two_lines(
            "words: by filters: claims of a key behind a link",
            &[&[Remove(3)], &[Insert(0)], &[TryInsert(0)]],
        ),
        two_lines(
            "words: by filters: claims of a key before and behind a link",
            &[&[Remove(3), Remove(1)], &[Insert(0)], &[TryInsert(0)]],
        ),
        two_lines(
            "words: by filters: update and remove behind a link; remove and insert before it; get",
            &[
                &[Update(3), Remove(3)],
                &[Remove(1), Insert(1)],
                &[Get(3), Get(1)],
            ],
        ),
        two_lines(
            "words: by filters: insert behind a link of a key that was not there; gets",
            &[&[Remove(3)], &[Insert(0)], &[Get(0), Get(0)]],
        ),
        run(
            "words: by filters: a doubling of two lines; insert behind the link of a key that was not there; get",
            (2, TOGETHER),
            1,
            &[1, 2, 3],
            &[&[GROW], &[Remove(3), Insert(0)], &[Get(0)]],
        ),
        moved(
            "words: by filters: a doubling of two lines; remove and insert behind the link; insert",
            &[&[GROW], &[Remove(1), Insert(1)], &[TryInsert(1)]],
        ),
        copied(
            FIRST,
            moved(
                "words: by filters: a copy of two lines; remove and insert behind the link; get",
                &[&[GROW], &[Remove(1), Insert(1)], &[Get(1)]],
            ),
        ),
    ]
}

/// Runs in which nobody is behind a link any more: in order too, by [`full`](super::cases::full).
pub(super) fn going() -> Vec<Words> {
    let two_lines = |name, programs: &[&[Op]]| run(name, (2, TOGETHER), 0, &[1, 2, 3], programs);
    let moved = |name, programs: &[&[Op]]| run(name, (2, KEYS), 1, &[0, 2, 1], programs);
    vec![
        two_lines(
            "words: a link goes; inserts of a key",
            &[&[Remove(2), Remove(3)], &[Insert(0)], &[TryInsert(0)]],
        ),
        two_lines(
            "words: a link goes, and another comes; insert",
            &[
                &[Remove(2), Remove(3), Insert(2), Insert(3)],
                &[TryInsert(0)],
            ],
        ),
        two_lines(
            "words: a link goes, and another comes; gets",
            &[
                &[Remove(2), Remove(3), Insert(3), Insert(2)],
                &[Get(3), Get(2)],
            ],
        ),
        two_lines(
            "words: two who take out the last ones behind a link; insert and get",
            &[&[Remove(2)], &[Remove(3)], &[Insert(0), Get(0)]],
        ),
        copied(
            FIRST,
            moved(
                "words: a copy; a link goes; insert",
                &[&[GROW], &[Remove(1), Remove(2)], &[Insert(1)]],
            ),
        ),
    ]
}

/// Mistakes of links, in runs in which they are found.
pub(super) fn not_entered() -> Vec<(Bug, Words)> {
    let run = |keys: &[u8], moves, present: &[u8], programs: &[&[Op]]| Words {
        filters: true,
        ..run("words", (2, keys), moves, present, programs)
    };
    let five = |at_once| {
        let five = run(&[0; 5], 1, &[4, 0, 1, 2], &[&[GROW], &[Get(2)]]);
        copied(at_once, five)
    };
    let behind: &[&[Op]] = &[&[Remove(3)], &[Insert(0)], &[Get(0)]];
    let moved: &[&[Op]] = &[&[GROW], &[Remove(3), Insert(0)], &[Get(4)]];
    let goes: &[&[Op]] = &[&[Remove(2), Remove(3)], &[Insert(0)], &[TryInsert(0)]];
    let comes: &[&[Op]] = &[&[Remove(2), Remove(3), Insert(2), Insert(3)], &[Insert(0)]];
    let two_lines = |programs| run(TOGETHER, 0, &[1, 2, 3], programs);
    vec![
        (
            Bug::LinkUnsigned,
            run(TOGETHER, 0, &[1, 2], &[&[Insert(0)], &[Get(2)]]),
        ),
        (Bug::EnteredLate, two_lines(behind)),
        (Bug::EntersAny, two_lines(comes)),
        (Bug::SignedOnly, two_lines(behind)),
        (Bug::CountedOnly, two_lines(behind)),
        (Bug::StaysCounted, two_lines(goes)),
        (Bug::CountedTwice, two_lines(goes)),
        (Bug::GoesUncounted, two_lines(goes)),
        (Bug::EntersBlind, run(&[0; 5], 1, &[4, 2, 3], moved)),
        (Bug::ChainUnsigned, five([false; MOVES])),
        (Bug::CopyUnsigned, five(FIRST)),
    ]
}
