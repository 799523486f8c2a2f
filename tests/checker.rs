//! The linearizability checker on trial: hand-made histories that are right or wrong, random
//! small histories against the definition, and maps with bugs put in on purpose.

use evidence::checker::{check, check_by_definition};
use evidence::history::Op::{
    Clear, ComputeAbort, ComputeSet, ComputeToggle, Contains, Get, GetOrInsertWith, Insert, Remove,
    RemoveIfEven, TryInsert, Update, UpdateOrInsert,
};
use evidence::history::Outcome::{Added, Found, Kept, Refused, Replaced, Seen, Taken};
use evidence::history::{Event, Fact, Op, Outcome, mix};
use evidence::seed::seeds;

/// An event on key 0: operation, outcome, first and last instant.
fn e(op: Op, outcome: Outcome, start: u64, end: u64) -> Event {
    Event {
        key: 0,
        op,
        fact: Fact::Known(outcome),
        start,
        end,
        thread: 0,
    }
}

fn with(fact: Fact, mut event: Event) -> Event {
    event.fact = fact;
    event
}

fn on_key(key: u64, mut event: Event) -> Event {
    event.key = key;
    event
}

#[track_caller]
fn good(events: &[Event]) {
    if let Err(violation) = check(events) {
        panic!("a good history was refused: {violation}");
    }
}

#[track_caller]
fn bad(events: &[Event]) {
    assert!(
        check(events).is_err(),
        "a bad history was accepted: {events:?}"
    );
}

const NONE: Outcome = Seen(None);
const fn seen(v: u64) -> Outcome {
    Seen(Some(v))
}
const NEVER: u64 = u64::MAX;

#[test]
fn good_empty_and_absent() {
    good(&[]);
    good(&[
        e(Get, NONE, 0, 1),
        e(Remove, NONE, 2, 3),
        e(Contains, Found(false), 4, 5),
    ]);
}

#[test]
fn good_one_after_the_other() {
    good(&[
        e(Insert(1), NONE, 0, 1),
        e(Get, seen(1), 2, 3),
        e(Insert(2), seen(1), 4, 5),
        e(Remove, seen(2), 6, 7),
        e(Get, NONE, 8, 9),
    ]);
}

#[test]
fn good_get_during_insert_sees_either() {
    good(&[
        e(Insert(1), NONE, 0, 9),
        e(Get, NONE, 1, 2),
        e(Get, seen(1), 3, 4),
    ]);
}

#[test]
fn good_overlapping_inserts_in_either_order() {
    good(&[
        e(Insert(1), NONE, 0, 9),
        e(Insert(2), seen(1), 1, 8),
        e(Get, seen(2), 10, 11),
    ]);
    good(&[
        e(Insert(1), seen(2), 0, 9),
        e(Insert(2), NONE, 1, 8),
        e(Get, seen(1), 10, 11),
    ]);
}

#[test]
fn good_order_not_by_start() {
    // The one that starts last takes effect first.
    good(&[
        e(Insert(1), seen(2), 0, 9),
        e(Remove, seen(1), 1, 10),
        e(Insert(2), NONE, 2, 8),
        e(Get, NONE, 11, 12),
    ]);
}

#[test]
fn good_long_chain_of_overlapping_updates() {
    let (a, b) = (mix(5, 1), mix(mix(5, 1), 2));
    good(&[
        e(Insert(5), NONE, 0, 1),
        e(Update(2), seen(b), 2, 20),
        e(Update(1), seen(a), 3, 19),
        e(
            ComputeSet(3),
            Replaced {
                old: b,
                new: mix(b, 3),
            },
            4,
            18,
        ),
        e(Get, seen(mix(b, 3)), 21, 22),
    ]);
}

#[test]
fn good_conditional_operations() {
    good(&[
        e(TryInsert(3), Added(3), 0, 1),
        e(TryInsert(4), Refused(3), 2, 3),
        e(RemoveIfEven, Kept(3), 4, 5),
        e(Insert(4), seen(3), 6, 7),
        e(RemoveIfEven, Taken(4), 8, 9),
        e(GetOrInsertWith(6), seen(6), 10, 11),
        e(GetOrInsertWith(7), seen(6), 12, 13),
        e(ComputeToggle(8), Taken(6), 14, 15),
        e(ComputeToggle(9), Added(9), 16, 17),
        e(ComputeAbort, seen(9), 18, 19),
        e(UpdateOrInsert(1), seen(mix(9, 1)), 20, 21),
    ]);
}

#[test]
fn good_never_returned_may_have_happened_or_not() {
    let pending = with(Fact::Maybe, e(Insert(1), NONE, 0, NEVER));
    good(&[pending, e(Get, NONE, 1, 2)]);
    good(&[pending, e(Get, NONE, 1, 2), e(Get, seen(1), 3, 4)]);
}

#[test]
fn good_any_number_of_times() {
    let twice = [
        e(Insert(1), NONE, 0, 1),
        with(Fact::AnyTimes, e(Clear, Found(true), 2, 9)),
        e(Insert(2), NONE, 3, 4),
        e(Insert(3), NONE, 5, 6),
    ];
    good(&twice);
    good(&[&twice[..], &[e(Get, seen(3), 7, 10)]].concat());
    good(&[&twice[..], &[e(Get, NONE, 10, 11)]].concat());
    bad(&[&twice[..], &[e(Get, seen(2), 10, 11)]].concat());
    bad(&[&twice[..], &[e(Get, seen(3), 10, 11), e(Get, NONE, 12, 13)]].concat());
}

#[test]
fn good_unknown_result() {
    good(&[
        e(Insert(1), NONE, 0, 1),
        with(Fact::Unknown, e(Remove, NONE, 2, 9)),
        e(Get, seen(1), 3, 4),
        e(Get, NONE, 5, 6),
    ]);
}

#[test]
fn good_keys_are_independent() {
    good(&[
        e(Insert(1), NONE, 0, 1),
        on_key(1, e(Get, NONE, 2, 3)),
        e(Get, seen(1), 4, 5),
        on_key(1, e(Insert(2), NONE, 6, 7)),
    ]);
}

#[test]
fn good_touching_intervals_overlap() {
    good(&[
        e(Insert(1), NONE, 0, 5),
        e(Get, NONE, 5, 6),
        e(Get, seen(1), 6, 7),
    ]);
}

#[test]
fn good_many_at_once() {
    // 100 reads and one insert in the middle of them.
    let mut events: Vec<Event> = (0..100)
        .map(|i| e(Get, if i % 2 == 0 { NONE } else { seen(1) }, i, 1000 + i))
        .collect();
    events.push(e(Insert(1), NONE, 500, 501));
    good(&events);
}

#[test]
fn bad_read_of_a_value_never_written() {
    bad(&[e(Insert(1), NONE, 0, 1), e(Get, seen(2), 2, 3)]);
}

#[test]
fn bad_stale_read() {
    bad(&[
        e(Insert(1), NONE, 0, 1),
        e(Insert(2), seen(1), 2, 3),
        e(Get, seen(1), 4, 5),
    ]);
}

#[test]
fn bad_reads_go_back_in_time() {
    bad(&[
        e(Insert(1), NONE, 0, 9),
        e(Get, seen(1), 1, 2),
        e(Get, NONE, 3, 4),
    ]);
}

#[test]
fn bad_missed_key() {
    bad(&[
        e(Insert(1), NONE, 0, 1),
        e(Insert(2), seen(1), 2, 9),
        e(Get, NONE, 3, 4),
    ]);
    bad(&[e(Insert(1), NONE, 0, 1), e(Contains, Found(false), 2, 3)]);
}

#[test]
fn bad_stale_old_value() {
    // Both inserts say that they replaced the same value.
    bad(&[
        e(Insert(1), NONE, 0, 1),
        e(Insert(2), seen(1), 2, 5),
        e(Insert(3), seen(1), 3, 4),
    ]);
}

#[test]
fn bad_lost_update() {
    bad(&[
        e(Insert(8), NONE, 0, 1),
        e(Update(1), seen(mix(8, 1)), 2, 9),
        e(Update(2), seen(mix(8, 2)), 3, 8),
    ]);
}

#[test]
fn bad_removed_twice() {
    bad(&[
        e(Insert(1), NONE, 0, 1),
        e(Remove, seen(1), 2, 9),
        e(Remove, seen(1), 3, 8),
    ]);
}

#[test]
fn bad_put_and_delete_hand_out_the_same_value() {
    bad(&[
        e(Insert(1), NONE, 0, 1),
        e(Insert(2), seen(1), 2, 9),
        e(Remove, seen(1), 3, 8),
    ]);
}

#[test]
fn bad_phantom() {
    // `try_insert` refuses because of a value whose own insert was refused.
    bad(&[
        e(TryInsert(1), Added(1), 0, 1),
        e(TryInsert(2), Refused(1), 2, 3),
        e(TryInsert(3), Refused(2), 2, 3),
    ]);
}

#[test]
fn bad_two_inserts_succeed() {
    bad(&[
        e(TryInsert(1), Added(1), 0, 9),
        e(TryInsert(2), Added(2), 1, 8),
    ]);
}

#[test]
fn bad_resurrection() {
    bad(&[
        e(Insert(1), NONE, 0, 1),
        e(Insert(2), seen(1), 2, 3),
        e(Remove, seen(2), 4, 5),
        e(Get, seen(1), 6, 7),
    ]);
}

#[test]
fn bad_unknown_result_still_took_effect() {
    bad(&[
        e(Insert(1), NONE, 0, 1),
        with(Fact::Unknown, e(Remove, NONE, 2, 3)),
        e(Get, seen(1), 4, 5),
    ]);
}

#[test]
fn bad_never_returned_but_undone() {
    let pending = with(Fact::Maybe, e(Insert(1), NONE, 0, NEVER));
    bad(&[pending, e(Get, seen(1), 1, 2), e(Get, NONE, 3, 4)]);
}

#[test]
fn bad_compute_disagrees_with_get() {
    bad(&[e(Insert(1), NONE, 0, 1), e(ComputeAbort, NONE, 2, 3)]);
    bad(&[
        e(Insert(1), NONE, 0, 1),
        e(ComputeToggle(2), Added(2), 2, 3),
    ]);
    bad(&[e(Insert(2), NONE, 0, 1), e(RemoveIfEven, Kept(2), 2, 3)]);
}

#[test]
fn bad_on_one_key_of_many() {
    let mut events = Vec::new();
    for key in 0..50 {
        events.push(on_key(
            key,
            e(Insert(key + 1), NONE, key * 10, key * 10 + 1),
        ));
        events.push(on_key(
            key,
            e(Get, seen(key + 1), key * 10 + 2, key * 10 + 3),
        ));
    }
    good(&events);
    events.push(on_key(33, e(Get, NONE, 1000, 1001)));
    let violation = check(&events).expect_err("the last read is wrong");
    assert_eq!(violation.key, 33);
    assert!(violation.to_string().contains("key 33"), "{violation}");
}

/// Random histories of up to seven events on one key, most of them nearly right.
fn random_history(rng: &mut fastrand::Rng) -> Vec<Event> {
    let mut state = None;
    let mut events = Vec::new();
    for i in 0..rng.u64(2..=7) {
        let v = rng.u64(1..4);
        let op = match rng.u32(0..10) {
            0 | 1 => Get,
            2 => Insert(v),
            3 => TryInsert(v),
            4 => Remove,
            5 => RemoveIfEven,
            6 => Update(v),
            7 => ComputeToggle(v),
            8 => Clear,
            _ => GetOrInsertWith(v),
        };
        let (next, outcome) = op.step(state);
        state = next;
        // The operation took effect at 10 * i; its interval is wider than that.
        let at = 100 + 10 * i;
        let mut event = e(op, outcome, at - rng.u64(0..25), at + rng.u64(0..25));
        match rng.u32(0..12) {
            0 => event.fact = Fact::Known(op.step(rng.bool().then_some(v)).1),
            1 => event.fact = Fact::Unknown,
            2 => event.fact = Fact::Maybe,
            3 => event.end = event.start,
            4 => event.start = at,
            _ => {}
        }
        if op == Clear && rng.bool() {
            event.fact = Fact::AnyTimes;
        }
        events.push(event);
    }
    events
}

#[test]
fn agrees_with_the_definition_on_random_histories() {
    let (mut right, mut wrong) = (0, 0);
    for seed in seeds(1) {
        let mut rng = fastrand::Rng::with_seed(seed);
        for _ in 0..20_000 {
            let events = random_history(&mut rng);
            let expected = check_by_definition(&events);
            let found = check(&events).is_ok();
            assert_eq!(found, expected, "ATOMSHARD_SEED={seed}: {events:#?}");
            if expected { right += 1 } else { wrong += 1 }
        }
    }
    assert!(
        right > 1000 && wrong > 1000,
        "{right} right, {wrong} wrong: too one-sided"
    );
}
