//! The machine agrees with the meaning; a 16-byte word neither tears nor loses an update.

use super::generic::{
    match_bit as bit_meant, match_clear_sign as clear_sign_meant, match_high as high_meant,
    match_kinds as kinds_meant, match_lane as lane_meant,
};
use super::{
    AtomicU128, Kinds, LineWords, cycles, generic, machine, mask_bit, match_bit, match_clear_sign,
    match_high, match_kinds, match_lane, prefetch_read, prefetch_write, spin_hint,
};
use crate::sync::{AtomicU64, Ordering, unsync_load, unsync_store};
use core::time::Duration;
use std::sync::Barrier;
use std::thread;

/// One way of doing what an [`AtomicU128`] does.
pub(super) struct Body {
    pub(super) name: &'static str,
    pub(super) load: fn(&AtomicU128, Ordering) -> u128,
    pub(super) store: fn(&AtomicU128, u128, Ordering),
    pub(super) exchange: Exchange,
    /// Whether the processor promises that it does so in one piece. If not, it can still be seen to
    /// mean the same where nobody else looks.
    pub(super) whole: bool,
}

/// How a body exchanges.
pub(super) type Exchange = fn(&AtomicU128, u128, u128, Ordering, Ordering) -> Result<u128, u128>;

/// Every body that several threads may run at once here.
fn bodies() -> Vec<Body> {
    let mut bodies = all_bodies();
    bodies.retain(|body| body.whole);
    bodies
}

/// Every body that can run here, the meaning and the choice at run time included.
fn all_bodies() -> Vec<Body> {
    let mut bodies = machine::bodies();
    bodies.extend(generic::bodies());
    bodies.push(Body {
        name: "as chosen",
        load: AtomicU128::load,
        store: AtomicU128::store,
        exchange: AtomicU128::compare_exchange,
        whole: true,
    });
    bodies
}

const LOADS: [Ordering; 3] = [Ordering::Relaxed, Ordering::Acquire, Ordering::SeqCst];
const STORES: [Ordering; 3] = [Ordering::Relaxed, Ordering::Release, Ordering::SeqCst];
const EXCHANGES: [Ordering; 5] = [
    Ordering::Relaxed,
    Ordering::Acquire,
    Ordering::Release,
    Ordering::AcqRel,
    Ordering::SeqCst,
];

/// A value whose halves differ and determine each other.
fn pair(low: u64) -> u128 {
    u128::from(!low) << 64 | u128::from(low)
}

/// The number that made the pair, unless its halves are of two pairs.
fn low(pair_of: u128) -> u64 {
    let low = u64::try_from(pair_of & u128::from(u64::MAX)).expect("64 bits");
    assert_eq!(pair(low), pair_of, "torn: {pair_of:#034x}");
    low
}

#[test]
fn the_machine_agrees_with_the_meaning() {
    let mut seed = 7_u64;
    for _ in 0..2000 {
        let line = LineWords(core::array::from_fn(|_| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(99);
            // Few values, so that matches are frequent; the lower bits are noise.
            let sign = (seed >> 40 & 7 != 0) as u64;
            AtomicU64::new((seed >> 62) << 48 | sign << 63 | seed & 0xffff_ffff_ffff)
        }));
        let clear: u32 = (0_u32..)
            .zip(&line.0)
            .filter(|(_, word)| word.load(Ordering::Relaxed) >> 63 == 0)
            .map(|(i, _)| 1 << mask_bit(i))
            .sum();
        assert_eq!(clear_sign_meant(&line), clear);
        assert_eq!(match_clear_sign(&line), clear);
        let odd: u32 = (0_u32..)
            .zip(&line.0)
            .filter(|(_, word)| word.load(Ordering::Relaxed) >> 1 & 1 != 0)
            .map(|(i, _)| 1 << mask_bit(i))
            .sum();
        assert_eq!(bit_meant::<1>(&line), odd);
        assert_eq!(match_bit::<1>(&line), odd);
        assert_eq!(match_bit::<63>(&line), match_clear_sign(&line) ^ 0xaaaa);
        for high in 0x8000..0x8004 {
            let expected: u32 = (0_u32..)
                .zip(&line.0)
                .filter(|(_, word)| word.load(Ordering::Relaxed) >> 48 == u64::from(high))
                .map(|(i, _)| 1 << mask_bit(i))
                .sum();
            assert_eq!(high_meant(&line, high), expected);
            assert_eq!(match_high(&line, high), expected);
        }
    }
}

/// Each lane alone: one that is equal in another place of its slot must not match.
#[test]
fn a_match_is_of_the_lane_that_is_asked_for() {
    const VALUE: u32 = 0x9abc_def0;
    for place in 0..16 {
        let line = LineWords(core::array::from_fn(|i| {
            AtomicU64::new(match i == place / 2 {
                true => u64::from(VALUE) << (place % 2 * 32),
                false => 0,
            })
        }));
        let expected = |lane| u32::from(place % 4 == lane) << (place / 4);
        for (lane, found) in [
            match_lane::<0>(&line, VALUE),
            match_lane::<1>(&line, VALUE),
            match_lane::<2>(&line, VALUE),
            match_lane::<3>(&line, VALUE),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(found, expected(lane), "lane {lane}, value at {place}");
        }
        assert_eq!(lane_meant::<1>(&line, VALUE), expected(1));
        assert_eq!(lane_meant::<2>(&line, 0), match_lane::<2>(&line, 0));
    }
}

/// Two kinds and the uppermost bit, each in every slot; other bits of the lane, and other lanes, do not count.
#[test]
fn kinds_are_told_by_the_bits_that_count() {
    const KINDS: Kinds = Kinds::new(0x7800_0000, [0x0800_0000, 0x2000_0000]);
    let mut random = 1_u64;
    for round in 0..1_000 {
        let line = LineWords(core::array::from_fn(|_| {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            AtomicU64::new(random.rotate_left(29))
        }));
        let mut expected = [0; 3];
        for slot in 0..4 {
            let word = line.0[2 * slot].load(Ordering::Relaxed);
            let (kind, is_negative) = (word >> 59 & 15, word >> 63 != 0);
            for (mask, is_so) in expected.iter_mut().zip([kind == 1, kind == 4, is_negative]) {
                *mask |= u32::from(is_so) << slot;
            }
        }
        assert_eq!(kinds_meant::<1>(&line, &KINDS), expected, "round {round}");
        assert_eq!(match_kinds::<1>(&line, &KINDS), expected, "round {round}");
        assert_eq!(
            kinds_meant::<2>(&line, &KINDS),
            match_kinds::<2>(&line, &KINDS)
        );
    }
}

/// Each half-word alone: a lower one that is equal must not match, in any of the 32 places.
#[test]
fn a_match_is_of_the_upper_half_word_alone() {
    for place in 0..32 {
        let (word, shift) = (place / 4, place % 4 * 16);
        let line = LineWords(core::array::from_fn(|i| {
            AtomicU64::new(if i == word { 0x9abc << shift } else { 0 })
        }));
        let bit = 1 << mask_bit(u32::try_from(word).expect("small"));
        let expected = if shift == 48 { bit } else { 0 };
        assert_eq!(match_high(&line, 0x9abc), expected, "half-word {place}");
        assert_eq!(
            match_clear_sign(&line),
            0xaaaa & !expected,
            "half-word {place}"
        );
    }
}

#[test]
fn miri_hints_go_anywhere() {
    for address in [0_usize, 1, 4096, usize::MAX] {
        prefetch_read(core::ptr::without_provenance::<u64>(address));
        prefetch_write(core::ptr::without_provenance::<u64>(address));
    }
    spin_hint();
}

#[test]
fn miri_the_counter_runs() {
    let before = cycles();
    thread::sleep(Duration::from_millis(5));
    let after = cycles();
    assert!(after > before, "{before}, then {after}");
}

#[test]
fn miri_each_body_means_the_same_in_each_ordering() {
    const A: u128 = 0x0123_4567_89ab_cdef_0011_2233_4455_6677;
    const B: u128 = !A;
    for body in all_bodies() {
        let word = AtomicU128::new(A);
        for ordering in LOADS {
            assert_eq!(
                (body.load)(&word, ordering),
                A,
                "{} {ordering:?}",
                body.name
            );
        }
        for ordering in STORES {
            (body.store)(&word, B, ordering);
            assert_eq!((body.load)(&word, Ordering::Relaxed), B, "{}", body.name);
            (body.store)(&word, A, ordering);
            assert_eq!((body.load)(&word, Ordering::Relaxed), A, "{}", body.name);
        }
        for success in EXCHANGES {
            for failure in LOADS {
                let exchange =
                    |current, new| (body.exchange)(&word, current, new, success, failure);
                let about = format!("{} {success:?} {failure:?}", body.name);
                assert_eq!(exchange(A, B), Ok(A), "{about}");
                assert_eq!(exchange(A, 0), Err(B), "{about}");
                // One half equal is not enough, whichever it is.
                let (high, low) = (B >> 64 << 64, B & u128::from(u64::MAX));
                assert_eq!(exchange(high | 1, 0), Err(B), "{about}");
                assert_eq!(exchange(low | 1 << 64, 0), Err(B), "{about}");
                assert_eq!(exchange(B, B), Ok(B), "{about}");
                assert_eq!(exchange(B, A), Ok(B), "{about}");
            }
        }
        // Of 0 the exchange that stands for a load would write 0 over 0.
        (body.store)(&word, 0, Ordering::Relaxed);
        assert_eq!((body.load)(&word, Ordering::SeqCst), 0, "{}", body.name);
        assert_eq!(
            (body.exchange)(&word, 0, A, Ordering::AcqRel, Ordering::Acquire),
            Ok(0),
            "{}",
            body.name
        );
    }
}

#[test]
fn miri_an_owner_reads_and_writes_plainly() {
    static ZERO: AtomicU128 = AtomicU128::new(0);
    assert_eq!(ZERO.load(Ordering::Relaxed), 0);
    let mut word = AtomicU128::new(pair(5));
    assert_eq!(unsync_load(&mut word), pair(5));
    unsync_store(&mut word, pair(6));
    assert_eq!(word.load(Ordering::Relaxed), pair(6));
    assert_eq!(format!("{word:?}"), format!("{}", pair(6)));
    assert_eq!(AtomicU128::default().load(Ordering::Relaxed), 0);
}

/// Threads add 1 to both halves by exchanges, another only looks: the sum is exact, no value is torn.
#[test]
fn miri_no_update_is_lost_and_no_value_torn() {
    let (adders, each) = if cfg!(miri) { (2, 20) } else { (3, 40_000) };
    for body in bodies() {
        let word = AtomicU128::new(pair(0));
        let start = Barrier::new(adders + 1);
        thread::scope(|scope| {
            for _ in 0..adders {
                scope.spawn(|| {
                    start.wait();
                    for _ in 0..each {
                        // Relaxed: that no update is lost does not depend on an ordering.
                        let mut seen = (body.load)(&word, Ordering::Relaxed);
                        while let Err(other) = (body.exchange)(
                            &word,
                            seen,
                            pair(low(seen) + 1),
                            Ordering::Relaxed,
                            Ordering::Relaxed,
                        ) {
                            seen = other;
                        }
                    }
                });
            }
            start.wait();
            let mut last = 0;
            for _ in 0..each {
                let now = low((body.load)(&word, Ordering::Relaxed));
                assert!(now >= last, "{}: {now} after {last}", body.name);
                last = now;
            }
        });
        let sum = low((body.load)(&word, Ordering::Relaxed));
        assert_eq!(sum, adders as u64 * each, "{}", body.name);
    }
}

/// Stores of whole pairs from two threads, looked at and exchanged by a third.
#[test]
fn miri_a_store_is_whole() {
    let rounds = if cfg!(miri) { 20 } else { 60_000 };
    for body in bodies() {
        let word = AtomicU128::new(pair(0));
        let start = Barrier::new(3);
        thread::scope(|scope| {
            for base in [1 << 32, 1 << 48] {
                let (body, word, start) = (&body, &word, &start);
                scope.spawn(move || {
                    start.wait();
                    for i in 0..rounds {
                        (body.store)(word, pair(base + i), Ordering::Release);
                    }
                });
            }
            start.wait();
            for i in 0..rounds {
                let seen = (body.load)(&word, Ordering::Acquire);
                low(seen);
                let result =
                    (body.exchange)(&word, seen, pair(i), Ordering::AcqRel, Ordering::Acquire);
                low(result.unwrap_or_else(|other| other));
            }
        });
    }
}

/// What was written before a release is there after the acquire that saw it.
#[test]
fn miri_a_release_publishes_what_came_before() {
    let rounds = if cfg!(miri) { 10 } else { 20_000 };
    for body in bodies() {
        let cells: Vec<(AtomicU64, AtomicU128)> = (0..rounds)
            .map(|_| (AtomicU64::new(0), AtomicU128::new(0)))
            .collect();
        thread::scope(|scope| {
            scope.spawn(|| {
                for (data, flag) in &cells {
                    data.store(7, Ordering::Relaxed);
                    (body.store)(flag, pair(1), Ordering::Release);
                }
            });
            for (data, flag) in &cells {
                if (body.load)(flag, Ordering::Acquire) == pair(1) {
                    assert_eq!(data.load(Ordering::Relaxed), 7, "{}", body.name);
                }
            }
        });
    }
}

/// Two threads meet here and go on together, so that what they do next overlaps.
fn meet(arrived: &AtomicU64, round: usize) {
    arrived.fetch_add(1, Ordering::AcqRel);
    let mut turns = 0_u32;
    while arrived.load(Ordering::Acquire) < 2 * (round as u64 + 1) {
        turns += 1;
        if turns.is_multiple_of(1000) {
            thread::yield_now();
        }
        spin_hint();
    }
}

/// Store buffering: of two threads that each store and then load the other's place, all `SeqCst`, one
/// sees the other's store. One place is of 16 bytes, the other of 8, in lines of their own.
#[test]
fn miri_seqcst_accesses_stand_in_one_order() {
    #[repr(align(128))]
    struct Apart<T>(T);
    let rounds = if cfg!(miri) { 30 } else { 20_000 };
    for body in bodies() {
        let cells: Vec<_> = (0..rounds)
            .map(|_| (Apart(AtomicU128::new(0)), Apart(AtomicU64::new(0))))
            .collect();
        let arrived = AtomicU64::new(0);
        let (wide, narrow) = thread::scope(|scope| {
            let wide = scope.spawn(|| {
                let mut seen = Vec::with_capacity(rounds);
                for (round, (wide, narrow)) in cells.iter().enumerate() {
                    meet(&arrived, round);
                    (body.store)(&wide.0, 1, Ordering::SeqCst);
                    seen.push(narrow.0.load(Ordering::SeqCst));
                }
                seen
            });
            let mut seen = Vec::with_capacity(rounds);
            for (round, (wide, narrow)) in cells.iter().enumerate() {
                meet(&arrived, round);
                narrow.0.store(1, Ordering::SeqCst);
                seen.push((body.load)(&wide.0, Ordering::SeqCst));
            }
            (wide.join().expect("the other side ends"), seen)
        });
        for (round, (wide, narrow)) in wide.into_iter().zip(narrow).enumerate() {
            let about = format!("{}: both missed in round {round}", body.name);
            assert!(u128::from(wide) + narrow > 0, "{about}");
        }
    }
}

/// Each access to a 16-byte word is heard of once, as one of 16 bytes, and with the caller's line.
#[cfg(atomshard_traced)]
#[test]
fn the_tracer_hears_of_one_access_of_16_bytes() {
    use crate::sync::recorder::recorded;
    use crate::trace::{Access, Kind};
    let word = AtomicU128::new(pair(1));
    let start = core::ptr::from_ref(&word).addr();
    let seen = recorded(|| {
        assert_eq!(word.load(Ordering::Acquire), pair(1));
        word.store(pair(2), Ordering::Release);
        let failed = word.compare_exchange(0, 0, Ordering::AcqRel, Ordering::Relaxed);
        assert_eq!(failed, Err(pair(2)));
    });
    // What the detection reads lies elsewhere.
    let own: Vec<&Access> = seen
        .iter()
        .filter(|access| access.address == start)
        .collect();
    let shapes: Vec<_> = own
        .iter()
        .map(|access| (access.kind, access.size, access.ordering))
        .collect();
    assert_eq!(
        shapes,
        [
            (Kind::Load, 16, Ordering::Acquire),
            (Kind::Store, 16, Ordering::Release),
            (Kind::Rmw, 16, Ordering::AcqRel),
            (Kind::RmwFailed, 16, Ordering::Relaxed),
        ]
    );
    assert!(
        own.iter()
            .all(|access| access.location.file().ends_with("tests.rs"))
    );
}
