//! Traces short enough to be worked out by hand, and what the model has to say of them.

use coherence::{Event, Fill, Line, Model, Touch, Victim};

const BASE: usize = 4096;

fn line(bytes: usize, start: usize) -> Line {
    Line::new(bytes, start).expect("lines that there are")
}

fn model(caches: usize) -> Model {
    Model::new(caches, Line::default())
}

/// The one event of an access of eight bytes that stays in its line.
fn word(model: &mut Model, cache: usize, address: usize, touch: Touch) -> Event {
    let mut events = model.access(cache, address, 8, touch);
    let event = events.pop().expect("a byte lies in a line");
    assert!(events.is_empty(), "eight bytes in two lines");
    event
}

fn lost(cache: usize, address: usize, is_false: bool) -> Vec<Victim> {
    vec![Victim {
        cache,
        address,
        is_false,
    }]
}

#[test]
fn two_writers_on_one_line_move_it_with_every_write() {
    let mut model = model(2);
    let cells = [BASE, BASE + 8];
    let first = word(&mut model, 0, cells[0], Touch::Write);
    assert_eq!((first.fill, first.victims), (Fill::Cold, vec![]));
    for round in 1..20 {
        let (me, other) = (round % 2, (round + 1) % 2);
        let event = word(&mut model, me, cells[me], Touch::Write);
        assert_eq!(event.fill, Fill::Transfer, "write {round}");
        assert_eq!(event.victims, lost(other, cells[other], true));
    }
}

#[test]
fn two_padded_writers_fetch_once_and_never_meet() {
    let mut model = model(2);
    let cells = [BASE, BASE + 64];
    for round in 0..20 {
        let me = round % 2;
        let event = word(&mut model, me, cells[me], Touch::Write);
        let expected = if round < 2 { Fill::Cold } else { Fill::Hit };
        assert_eq!((event.fill, event.victims), (expected, vec![]));
    }
}

#[test]
fn a_written_line_that_is_then_only_read_is_moved_once_and_hit_ever_after() {
    let mut model = model(4);
    word(&mut model, 0, BASE, Touch::Write);
    // The first reader takes it from the writer; the others find it clean.
    let fills = [Fill::Transfer, Fill::Clean, Fill::Clean];
    for (reader, fill) in (1..4).zip(fills) {
        let event = word(&mut model, reader, BASE, Touch::Read);
        assert_eq!((event.fill, event.victims), (fill, vec![]));
    }
    for round in 0..40 {
        let event = word(&mut model, round % 4, BASE, Touch::Read);
        assert_eq!((event.fill, event.victims), (Fill::Hit, vec![]));
    }
}

#[test]
fn clean_lines_are_shared_by_all_without_transfer_or_invalidation() {
    let mut model = model(8);
    for round in 0..3 {
        for cache in 0..8 {
            let event = word(&mut model, cache, BASE + 8 * cache, Touch::Read);
            let expected = match (round, cache) {
                (0, 0) => Fill::Cold,
                (0, _) => Fill::Clean,
                _ => Fill::Hit,
            };
            assert_eq!((event.fill, event.victims), (expected, vec![]));
        }
    }
    assert_eq!(model.holders(BASE), (None, (0..8).collect()));
}

#[test]
fn a_write_to_an_exclusive_copy_asks_nobody() {
    let mut model = model(2);
    assert_eq!(word(&mut model, 0, BASE, Touch::Read).fill, Fill::Cold);
    let event = word(&mut model, 0, BASE, Touch::Write);
    assert_eq!((event.fill, event.victims), (Fill::Hit, vec![]));
    assert_eq!(model.holders(BASE), (Some(0), vec![0]));
}

#[test]
fn a_reader_downgrades_the_writer_whose_next_write_is_an_upgrade() {
    let mut model = model(2);
    word(&mut model, 0, BASE, Touch::Write);
    assert_eq!(word(&mut model, 1, BASE, Touch::Read).fill, Fill::Transfer);
    assert_eq!(model.holders(BASE), (None, vec![0, 1]));
    let event = word(&mut model, 0, BASE, Touch::Write);
    assert_eq!(event.fill, Fill::Upgrade);
    assert_eq!(event.victims, lost(1, BASE, false));
    assert_eq!(model.holders(BASE), (Some(0), vec![0]));
}

/// A compare-exchange that fails stores nothing and yet asks for the line as a write does, so each of
/// two that fail by turns takes the line from the other.
#[test]
fn failed_exchanges_take_the_line_by_turns() {
    let mut model = model(2);
    word(&mut model, 0, BASE, Touch::Write);
    for round in 1..10 {
        let event = word(&mut model, round % 2, BASE, Touch::Write);
        assert_eq!(event.fill, Fill::Transfer);
        assert_eq!(event.victims, lost((round + 1) % 2, BASE, false));
        assert_eq!(model.holders(BASE), (Some(round % 2), vec![round % 2]));
    }
}

#[test]
fn one_write_over_two_lines_touches_each_with_its_own_bytes() {
    let mut model = model(3);
    // Seven bytes of the first line and nine of the second.
    let address = BASE + 57;
    word(&mut model, 1, BASE, Touch::Read);
    word(&mut model, 2, BASE + 64, Touch::Read);
    let events = model.access(0, address, 16, Touch::Write);
    let [first, second] = &events[..] else {
        panic!("two lines, not {events:?}");
    };
    assert_eq!(second.line, first.line + 1);
    assert_eq!((first.fill, second.fill), (Fill::Clean, Fill::Clean));
    // The first victim used bytes 0..8 of its line, the writer 57..64; the second used 0..8, the writer 0..9.
    assert_eq!(first.victims, lost(1, BASE, true));
    assert_eq!(second.victims, lost(2, BASE + 64, false));
}

#[test]
fn one_byte_in_common_makes_a_share_a_true_one() {
    for (used, is_false) in [(BASE, true), (BASE + 1, false), (BASE + 16, true)] {
        let mut model = model(2);
        word(&mut model, 1, used, Touch::Read);
        let event = word(&mut model, 0, BASE + 8, Touch::Write);
        assert_eq!(event.victims, lost(1, used, is_false), "used from {used}");
    }
}

#[test]
fn what_was_used_of_an_earlier_copy_does_not_count() {
    let mut model = model(2);
    word(&mut model, 1, BASE, Touch::Read);
    assert!(!word(&mut model, 0, BASE, Touch::Write).victims[0].is_false);
    // The new copy is used elsewhere only.
    word(&mut model, 1, BASE + 32, Touch::Read);
    let event = word(&mut model, 0, BASE, Touch::Write);
    assert_eq!(event.victims, lost(1, BASE + 32, true));
}

#[test]
fn all_that_a_copy_was_used_for_counts_and_the_last_use_is_named() {
    let mut model = model(2);
    word(&mut model, 1, BASE, Touch::Read);
    word(&mut model, 1, BASE + 32, Touch::Read);
    let event = word(&mut model, 0, BASE, Touch::Write);
    assert_eq!(event.victims, lost(1, BASE + 32, false));
}

#[test]
fn the_start_of_the_lines_moves_the_split() {
    // Two words that one line holds, and that a line which begins between them parts.
    for (start, victims) in [(0, 1), (8, 0), (16, 1)] {
        let mut model = Model::new(2, line(64, start));
        word(&mut model, 1, BASE, Touch::Write);
        let event = word(&mut model, 0, BASE + 8, Touch::Write);
        assert_eq!(event.victims.len(), victims, "lines from {start}");
    }
    // And one word that lies in one line or in two.
    for (start, lines) in [(0, 1), (4, 2), (8, 1)] {
        let mut model = Model::new(1, line(64, start));
        let events = model.access(0, BASE, 8, Touch::Read);
        assert_eq!(events.len(), lines, "lines from {start}");
    }
}

#[test]
fn lines_of_128_bytes_share_falsely_what_lines_of_64_keep_apart() {
    for (bytes, is_shared) in [(64, false), (128, true)] {
        let mut model = Model::new(2, line(bytes, 0));
        word(&mut model, 1, BASE + 64, Touch::Write);
        let event = word(&mut model, 0, BASE, Touch::Write);
        let expected = if is_shared {
            (Fill::Transfer, lost(1, BASE + 64, true))
        } else {
            (Fill::Cold, vec![])
        };
        assert_eq!((event.fill, event.victims), expected, "lines of {bytes}");
    }
}

#[test]
fn no_byte_touches_no_line() {
    let mut model = model(1);
    assert_eq!(model.access(0, BASE, 0, Touch::Write), vec![]);
    assert_eq!(model.holders(BASE), (None, vec![]));
}

#[test]
fn lines_that_there_are_not_are_refused_with_what_was_expected() {
    for (bytes, start) in [(0, 0), (48, 0), (256, 0), (64, 64), (64, 100)] {
        let error = Line::new(bytes, start)
            .expect_err("no such lines")
            .to_string();
        for part in [
            &bytes.to_string(),
            &start.to_string(),
            "a power of two of at most 128",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }
}

/// The copy of the second line was used from that line's first byte on, not from where the access began.
#[test]
fn a_use_over_two_lines_is_named_in_each_by_its_bytes_there() {
    let mut model = model(2);
    model.access(1, BASE + 56, 16, Touch::Read);
    let event = word(&mut model, 0, BASE + 64 + 32, Touch::Write);
    assert_eq!(event.victims, lost(1, BASE + 64, true));
    let event = word(&mut model, 0, BASE, Touch::Write);
    assert_eq!(event.victims, lost(1, BASE + 56, true));
}
