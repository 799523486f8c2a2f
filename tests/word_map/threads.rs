//! What threads may rely on while others write and tables grow and shrink.
use atomshard::{WordMap, WordSet};
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use evidence::seed::{rng, seeds, stress};
use evidence::watchdog::{Watchdog, step};
use evidence::words::Unmixed;
use std::collections::HashMap;
use std::panic::{catch_unwind, resume_unwind};
use std::sync::Barrier;
use std::thread;

const THREADS: u64 = 4;

fn limit(name: &'static str) -> Watchdog {
    Watchdog::new(name, Duration::from_secs(60 * stress()))
}

/// Runs `work` in threads that begin together, with their numbers; what they return, in order.
fn together<R: Send>(work: impl Fn(u64) -> R + Sync) -> Vec<R> {
    let barrier = Barrier::new(usize::try_from(THREADS).expect("few"));
    thread::scope(|scope| {
        let run = |number| {
            let (barrier, work) = (&barrier, &work);
            scope.spawn(move || {
                barrier.wait();
                work(number)
            })
        };
        let handles: Vec<_> = (0..THREADS).map(run).collect();
        let joined = handles.into_iter().map(thread::ScopedJoinHandle::join);
        joined
            .map(|end| end.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    })
}

/// Runs `work` while another thread does something again and again.
fn beside<R>(again: impl Fn() + Sync, work: impl FnOnce() -> R) -> R {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                again();
            }
        });
        let done = catch_unwind(AssertUnwindSafe(work));
        stop.store(true, Ordering::Relaxed);
        done.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// Runs `work` while tables grow and shrink by keys from `from` on.
fn while_tables_move<R>(map: &WordMap<u64, u64>, from: u64, work: impl FnOnce() -> R) -> R {
    let move_them = || {
        for key in from..from + 6_000 {
            step();
            map.insert(key, key);
        }
        for key in from..from + 6_000 {
            assert_eq!(map.remove(key), Some(key), "nobody else has it");
        }
        map.shrink_to_fit();
    };
    beside(move_them, work)
}

/// Each addition is given another old value, and none is lost, whatever moves meanwhile.
#[test]
fn additions_are_counted_one_by_one() {
    let _watchdog = limit("additions_are_counted_one_by_one");
    const KEYS: u64 = 50;
    let rounds = 2_000 * stress();
    let map: WordMap<u64, u64> = (0..KEYS).map(|key| (key, 0)).collect();
    let seen = while_tables_move(&map, KEYS, || {
        together(|number| {
            let add = |i| {
                map.fetch_add((i * 7 + number) % KEYS, 1)
                    .expect("it is there")
            };
            (0..KEYS * rounds / THREADS).map(add).collect::<Vec<u64>>()
        })
    });
    // Each thread meets each key as often, and for one key its values only rise.
    let mut all: Vec<u64> = seen.concat();
    all.sort_unstable();
    let each = |value: usize| all[value * 50..][..50].iter().all(|&is| is == value as u64);
    assert!(
        (0..all.len() / 50).all(each),
        "an old value twice, or never"
    );
    assert_eq!(map.values().sum::<u64>(), all.len() as u64);
    assert_eq!(map.len(), 50);
}

/// The same with keys that come as they are counted, in a map that begins without a table.
#[test]
fn what_is_counted_by_whoever_comes_is_counted_once() {
    let _watchdog = limit("what_is_counted_by_whoever_comes_is_counted_once");
    for round in 0..20 * stress() {
        let map = WordMap::new();
        together(|number| {
            for i in 0..4_000 {
                let key = (i + number * round) % 2_000;
                step();
                match (i + number) % 3 {
                    0 => assert!(map.update_or_insert(key, |n| n + 1, 1_u64) > 0),
                    1 => {
                        map.get_or_insert(key, 0);
                        assert!(map.fetch_update(key, |n| Some(n + 1)).is_ok());
                    }
                    _ => loop {
                        let now = map.get_or_insert_with(key, || 0);
                        if map.compare_exchange(key, now, now + 1).is_ok() {
                            break;
                        }
                    },
                }
            }
        });
        assert_eq!(map.len(), 2_000);
        assert!(map.iter().all(|(_, n)| n == 2 * THREADS), "round {round}");
    }
}

/// Of those who put one key in, one does; of those who take it out, one does.
#[test]
fn of_many_one_inserts_and_one_removes() {
    let _watchdog = limit("of_many_one_inserts_and_one_removes");
    const KEYS: u64 = 3_000;
    for round in 0..10 * stress() {
        let (set, map) = (WordSet::new(), WordMap::new());
        let all: Vec<u64> = (0..KEYS).collect();
        let counts = together(|number| {
            let mut flags = vec![false; all.len()];
            if (number + round) % 2 == 0 {
                all.iter()
                    .zip(&mut flags)
                    .for_each(|(&key, is)| *is = set.insert(key));
            } else {
                set.insert_many(&all, &mut flags);
            }
            let inserted = flags.iter().filter(|&&is| is).count();
            let agreed: Vec<u64> = all
                .iter()
                .map(|&key| map.get_or_insert(key, number))
                .collect();
            let removed = if (number + round) % 2 == 0 {
                0
            } else {
                set.remove_many(&all, &mut flags);
                flags.iter().filter(|&&is| is).count()
            };
            (inserted, removed, agreed)
        });
        let inserted: usize = counts.iter().map(|(inserted, _, _)| inserted).sum();
        let removed: usize = counts.iter().map(|(_, removed, _)| removed).sum();
        assert_eq!(inserted, removed + set.len(), "round {round}");
        assert_eq!(set.iter().count(), set.len(), "round {round}");
        for (_, _, agreed) in &counts {
            assert!(
                all.iter()
                    .zip(agreed)
                    .all(|(&key, &value)| map.get(key) == Some(value))
            );
        }
    }
}

/// Random operations on few keys by all threads: of each key as many were put in as were taken out or are
/// there, as the answers tell.
#[test]
fn the_answers_of_all_threads_add_up() {
    let _watchdog = limit("the_answers_of_all_threads_add_up");
    for seed in seeds(10 * stress()) {
        answers_add_up(&WordMap::new(), seed);
    }
}

/// The same where all keys are of one line, and most of them behind links.
#[test]
fn the_answers_of_all_threads_add_up_in_one_line() {
    let _watchdog = limit("the_answers_of_all_threads_add_up_in_one_line");
    for seed in seeds(10 * stress()) {
        answers_add_up(&WordMap::with_hasher(Unmixed), seed);
    }
}

fn answers_add_up<S: Sync>(map: &WordMap<u64, u64, S>, seed: u64) {
    const KEYS: u64 = 40;
    let balances = together(|number| {
        let mut rng = rng(seed, usize::try_from(number).expect("few"));
        // Of each key: how often it came minus how often it went; and the values put in minus taken out.
        let mut balance = vec![(0_i64, 0_u64); 40];
        let mut fresh = number << 32;
        for _ in 0..8_000 {
            step();
            let key = rng.u64(0..KEYS);
            let (came, sum) = &mut balance[usize::try_from(key).expect("few")];
            fresh += 1;
            let (put, old) = match rng.u32(0..9) {
                0 => (Some(fresh), map.insert(key, fresh)),
                1 => match map.insert_if_absent(key, fresh) {
                    Ok(()) => (Some(fresh), None),
                    Err(_) => continue,
                },
                2 => match map.replace(key, fresh) {
                    Some(old) => (Some(fresh), Some(old)),
                    None => continue,
                },
                3 => match map.fetch_add(key, 1) {
                    Some(old) => (Some(old + 1), Some(old)),
                    None => continue,
                },
                4 => match map.remove_if(key, |value| value % 2 == 0) {
                    Ok(old) => (None, old),
                    Err(kept) => {
                        assert!(kept % 2 == 1, "it was to go");
                        continue;
                    }
                },
                5 => {
                    let mut old = [None];
                    map.insert_many(&[(key, fresh)], &mut old);
                    (Some(fresh), old[0])
                }
                6 => {
                    let mut old = [None];
                    map.remove_many(&[key], &mut old);
                    (None, old[0])
                }
                _ => (None, map.remove(key)),
            };
            *came += i64::from(put.is_some()) - i64::from(old.is_some());
            *sum = sum
                .wrapping_add(put.unwrap_or(0))
                .wrapping_sub(old.unwrap_or(0));
        }
        balance
    });
    let mut present = 0;
    for key in 0..KEYS {
        let of_key = || {
            balances
                .iter()
                .map(|balance| balance[usize::try_from(key).expect("few")])
        };
        let came: i64 = of_key().map(|(came, _)| came).sum();
        let sum = of_key().fold(0_u64, |sum, (_, of)| sum.wrapping_add(of));
        let value = map.get(key);
        assert_eq!(came, i64::from(value.is_some()), "key {key}");
        assert_eq!(sum, value.unwrap_or(0), "key {key}");
        present += usize::from(value.is_some());
    }
    assert_eq!((map.len(), map.iter().count()), (present, present));
}

/// A key present throughout is met exactly once by every way to visit all, and found by every look-up.
#[test]
fn what_stays_is_met_exactly_once() {
    let _watchdog = limit("what_stays_is_met_exactly_once");
    const STABLE: u64 = 700;
    let map: WordMap<u64, u64> = (0..STABLE).map(|key| (key, key)).collect();
    let stable: Vec<u64> = (0..STABLE).collect();
    while_tables_move(&map, STABLE, || {
        together(|number| {
            for round in 0..60 * stress() {
                step();
                if number == 0 {
                    // Overwrites what the others meet.
                    for &key in &stable {
                        assert!(map.insert(key, round << 32 | key).is_some());
                    }
                    continue;
                }
                let mut met = HashMap::<u64, u32>::new();
                let mut meet = |key: u64, value: u64| {
                    assert_eq!(value & u64::from(u32::MAX), key, "another key's value");
                    *met.entry(key).or_default() += 1;
                };
                match round % 4 {
                    0 => map.for_each(meet),
                    1 => map.keys().for_each(|key| meet(key, key)),
                    2 => {
                        for (i, (key, value)) in map.iter().enumerate() {
                            meet(key, value);
                            if i % 16 == 0 {
                                thread::yield_now();
                            }
                        }
                    }
                    _ => map.clone().for_each(meet),
                }
                for key in &stable {
                    assert_eq!(met.get(key), Some(&1), "key {key} in round {round}");
                }
                let mut values = vec![None; stable.len()];
                map.get_many(&stable, &mut values);
                for (key, value) in stable.iter().zip(values) {
                    let value = value.expect("it is there");
                    assert_eq!(value & u64::from(u32::MAX), *key);
                }
            }
        });
    });
    assert_eq!(map.len() as u64, STABLE);
}

/// `retain` never takes an entry that its closure wants kept, however it changes meanwhile, and takes one that stays
/// unwanted.
#[test]
fn retain_takes_only_what_is_unwanted() {
    let _watchdog = limit("retain_takes_only_what_is_unwanted");
    const KEYS: u64 = 300;
    const QUIET: u64 = 1 << 40;
    // Quiet keys of which half are wanted, and keys that their owners make wanted and unwanted by turns.
    let map: WordMap<u64, u64> = (QUIET..QUIET + 200).map(|key| (key, key)).collect();
    let retain = || map.retain(|_, value| value % 2 == 0);
    let write = || {
        together(|number| {
            let mut taken = 0_u64;
            for round in 0..400 * stress() {
                step();
                for key in (number..KEYS).step_by(usize::try_from(THREADS).expect("few")) {
                    let old = map.insert(key, 2 * round);
                    taken += u64::from(round > 0 && old.is_none());
                    let is_own = old.is_none_or(|old| old + 1 == 2 * round);
                    assert!(is_own, "key {key}: {old:?}");
                    assert_eq!(map.get(key), Some(2 * round), "key {key} was wanted");
                    assert_eq!(map.insert(key, 2 * round + 1), Some(2 * round), "key {key}");
                }
            }
            taken
        })
    };
    // On a busy machine the two may not run side by side.
    let is_taken = (0..100).any(|_| {
        map.retain(|key, _| key >= QUIET);
        beside(retain, write).into_iter().sum::<u64>() > 0
    });
    assert!(is_taken, "nothing was retained meanwhile");
    retain();
    let mut left: Vec<u64> = map.keys().collect();
    left.sort_unstable();
    assert!(left.into_iter().eq((QUIET..QUIET + 200).step_by(2)));
}

/// `clear` takes what is present throughout, while tables grow.
#[test]
fn clear_takes_what_stays() {
    let _watchdog = limit("clear_takes_what_stays");
    let map = WordMap::new();
    for round in 0..20 * stress() {
        (&map).extend((0..500_u64).map(|key| (key, key)));
        thread::scope(|scope| {
            let clearer = scope.spawn(|| map.clear());
            let mut key = 500;
            while !clearer.is_finished() {
                step();
                assert_eq!(map.insert(key, key), None);
                key += 1;
            }
        });
        assert!((0..500).all(|key| !map.contains(key)), "round {round}");
        map.clear();
        assert_eq!((map.len(), map.iter().count()), (0, 0));
    }
}
