//! The model against traces worked by hand, and against a plain model of sets.
#![expect(clippy::expect_used, reason = "a test")]

use Touch::{Read, Write};
use coherence::{Event, Fill, Line, Model, Touch, Victim};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn lines(bytes: usize, start: usize) -> Line {
    Line::new(bytes, start).expect("a line")
}

/// The fills of a trace of `(cache, address, touch)` of 8 bytes each, one line each.
fn fills(line: Line, trace: &[(usize, usize, Touch)]) -> Vec<Fill> {
    let mut model = Model::new(4, line);
    let step = |(cache, address, touch): &(usize, usize, Touch)| {
        let events = model.access(*cache, *address, 8, *touch);
        assert_eq!(events.len(), 1, "one line");
        events[0].fill
    };
    trace.iter().map(step).collect()
}

#[test]
fn two_writers_on_one_line_move_it_each_time() {
    let trace = [(0, 0, Write), (1, 8, Write), (0, 0, Write), (1, 8, Write)];
    let moved = [Fill::Cold, Fill::Transfer, Fill::Transfer, Fill::Transfer];
    assert_eq!(fills(lines(64, 0), &trace), moved);
}

#[test]
fn writers_on_padded_lines_move_nothing() {
    let trace = [(0, 0, Write), (1, 64, Write), (0, 0, Write), (1, 64, Write)];
    let still = [Fill::Cold, Fill::Cold, Fill::Hit, Fill::Hit];
    assert_eq!(fills(lines(64, 0), &trace), still);
    // The same fields in lines of 128 bytes, or in lines that begin elsewhere.
    assert_eq!(fills(lines(128, 0), &trace)[3], Fill::Transfer);
    let near = [(0, 56, Write), (1, 64, Write), (0, 56, Write)];
    assert_eq!(fills(lines(64, 0), &near)[2], Fill::Hit);
    assert_eq!(fills(lines(64, 32), &near)[2], Fill::Transfer);
}

#[test]
fn readers_fetch_once_and_disturb_nobody() {
    let mut trace: Vec<_> = (0..4).map(|cache| (cache, 0, Read)).collect();
    trace.extend((0..12).map(|turn| (turn % 4, 8, Read)));
    let found = fills(lines(64, 0), &trace);
    assert_eq!(
        found[..4],
        [Fill::Cold, Fill::Clean, Fill::Clean, Fill::Clean]
    );
    assert_eq!(found[4..], [Fill::Hit; 12]);
}

#[test]
fn a_write_to_a_shared_copy_upgrades_and_the_reader_fetches_again() {
    let trace = [
        (0, 0, Write),
        (1, 0, Read),
        (0, 0, Write),
        (1, 0, Read),
        (2, 0, Read),
    ];
    let found = fills(lines(64, 0), &trace);
    let wanted = [
        Fill::Cold,
        Fill::Transfer,
        Fill::Upgrade,
        Fill::Transfer,
        Fill::Clean,
    ];
    assert_eq!(found, wanted);
}

#[test]
fn a_write_across_two_lines_takes_both() {
    let mut model = Model::new(2, lines(64, 0));
    model.access(1, 0, 8, Read);
    model.access(1, 64, 4, Read);
    let victim = |address, is_false| Victim {
        cache: 1,
        address,
        is_false,
    };
    let events = model.access(0, 60, 8, Write);
    let wanted = [(1, victim(0, true)), (2, victim(64, false))].map(|(line, victim)| Event {
        line,
        fill: Fill::Clean,
        victims: vec![victim],
    });
    assert_eq!(events, wanted);
    assert!(model.access(0, 60, 0, Read).is_empty(), "no byte, no line");
}

#[test]
fn a_share_is_false_only_if_no_byte_is_common() {
    let falsely = |used: (usize, usize), written: (usize, usize)| {
        let mut model = Model::new(2, lines(128, 0));
        model.access(0, used.0, used.1, Read);
        let events = model.access(1, written.0, written.1, Write);
        events[0].victims[0].is_false
    };
    assert!(falsely((0, 8), (8, 8)));
    assert!(falsely((120, 8), (0, 8)));
    assert!(!falsely((0, 8), (7, 8)));
    assert!(!falsely((0, 128), (127, 1)));
    // What was used before the copy ended is forgotten with it.
    let mut model = Model::new(2, lines(64, 0));
    model.access(0, 0, 8, Write);
    model.access(1, 8, 8, Write);
    model.access(0, 16, 8, Write);
    let events = model.access(1, 0, 8, Write);
    assert!(events[0].victims[0].is_false);
    assert_eq!(events[0].victims[0].address, 16);
}

#[test]
fn lines_that_are_none_are_refused() {
    for (bytes, start) in [(48, 0), (0, 0), (256, 0), (64, 64)] {
        let said = Line::new(bytes, start).expect_err("no line").to_string();
        assert!(
            said.contains("expected a power of two of at most 128"),
            "{said}"
        );
    }
}

type Access = (usize, usize, usize, bool);

fn accesses() -> impl Strategy<Value = Vec<Access>> {
    let access = (0..4_usize, 0..600_usize, 1..40_usize, any::<bool>());
    prop::collection::vec(access, 1..200)
}

fn shapes() -> impl Strategy<Value = Line> {
    (0..5_u32, 0..128_usize).prop_map(|(log, start)| {
        let bytes = 8 << log;
        lines(bytes, start % bytes)
    })
}

fn touch(is_write: bool) -> Touch {
    if is_write { Write } else { Read }
}

/// Fills and victims, summed.
fn totals(line: Line, trace: &[Access]) -> BTreeMap<String, usize> {
    let mut model = Model::new(4, line);
    let mut totals = BTreeMap::new();
    for (cache, address, bytes, is_write) in trace {
        for event in model.access(*cache, *address, *bytes, touch(*is_write)) {
            *totals.entry(format!("{:?}", event.fill)).or_default() += 1;
            for victim in event.victims {
                *totals
                    .entry(format!("false {}", victim.is_false))
                    .or_default() += 1;
            }
        }
    }
    totals
}

proptest! {
    /// Who has a line, by sets: readers of a value that was last written by one.
    #[test]
    fn a_plain_model_agrees(line in shapes(), trace in accesses()) {
        let mut model = Model::new(4, line);
        let mut holders: BTreeMap<usize, (BTreeSet<usize>, bool)> = BTreeMap::new();
        for (cache, address, bytes, is_write) in trace {
            let events = model.access(cache, address, bytes, touch(is_write));
            let covered: Vec<usize> = line.covered(address, bytes).collect();
            // Each access counts in exactly the lines that it covers.
            prop_assert_eq!(&covered, &events.iter().map(|event| event.line).collect::<Vec<_>>());
            let by_bytes: BTreeSet<usize> =
                (address..address + bytes).flat_map(|at| line.covered(at, 1)).collect();
            prop_assert_eq!(&covered, &by_bytes.into_iter().collect::<Vec<_>>());
            for event in events {
                let (having, is_dirty) = holders.entry(event.line).or_default();
                let others = having.iter().filter(|other| **other != cache).count();
                let fill = match (having.contains(&cache), others) {
                    (true, 0) => Fill::Hit,
                    (true, _) if is_write => Fill::Upgrade,
                    (true, _) => Fill::Hit,
                    (false, 0) => Fill::Cold,
                    (false, _) if *is_dirty => Fill::Transfer,
                    (false, _) => Fill::Clean,
                };
                prop_assert_eq!(event.fill, fill);
                prop_assert_eq!(event.victims.len(), if is_write { others } else { 0 });
                if is_write {
                    *having = BTreeSet::from([cache]);
                    *is_dirty = true;
                } else if having.insert(cache) {
                    *is_dirty = false;
                }
            }
            // Who has it modified has it alone.
            let (modified, having) = model.holders(address);
            prop_assert!(modified.is_none_or(|owner| having == [owner]));
        }
    }

    #[test]
    fn padded_fields_never_share_falsely(trace in accesses()) {
        // Each cache has fields of its own line, and all read a common one that nobody writes.
        let padded = trace.iter().map(|(cache, address, _, is_write)| match is_write {
            true => (*cache, 1024 + cache * 64 + address % 8 * 8, 8, true),
            false => (*cache, address % 8 * 8, 8, false),
        });
        let totals = totals(lines(64, 0), &padded.collect::<Vec<_>>());
        prop_assert_eq!(totals.get("false true"), None);
        prop_assert_eq!(totals.get("false false"), None);
    }

    #[test]
    fn renaming_threads_changes_nothing(
        line in shapes(),
        trace in accesses(),
        names in Just([0_usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let renamed: Vec<Access> =
            trace.iter().map(|(cache, a, b, c)| (names[*cache], *a, *b, *c)).collect();
        prop_assert_eq!(totals(line, &trace), totals(line, &renamed));
    }
}
