//! Do threads with keys of their own disturb each other in a map?

use atomshard::ShardMap;
use baselines::SegmentMap;
use contention::{Account, Operate, Question, Subject};
use core::hint::black_box;
use foldhash::fast::FixedState;
use std::process::ExitCode;

/// Keys of each thread.
const KEYS: u64 = 1024;

/// The key for a turn of a thread: nobody else's.
fn key(thread: usize, turn: u64) -> u64 {
    ((thread as u64) << 32) + turn % KEYS
}

type Map = ShardMap<u64, u64, FixedState>;

fn shard_map(threads: usize, operate: fn(&Map, u64)) -> Operate {
    let map = ShardMap::with_hasher(FixedState::with_seed(0x5eed));
    for thread in 0..threads {
        (0..KEYS).for_each(|turn| {
            map.pin().insert(key(thread, turn), turn);
        });
    }
    Box::new(move |thread, times| (0..times).for_each(|turn| operate(&map, key(thread, turn))))
}

type Segments = SegmentMap<u64, u64, FixedState>;

fn segment_map(threads: usize, operate: fn(&Segments, u64)) -> Operate {
    let map = SegmentMap::new(16, 1024, FixedState::with_seed(0x5eed));
    for thread in 0..threads {
        (0..KEYS).for_each(|turn| {
            map.insert(key(thread, turn), turn);
        });
    }
    Box::new(move |thread, times| (0..times).for_each(|turn| operate(&map, key(thread, turn))))
}

fn main() -> ExitCode {
    let subject = |name, make, structure, operation| Subject {
        name,
        make,
        twin: None,
        account: Some(Account {
            structure,
            operation,
        }),
    };
    let question = Question {
        name: "maps",
        words: "do threads with keys of their own disturb each other in a map?",
        subjects: vec![
            subject(
                "ShardMap, get",
                |threads| {
                    shard_map(threads, |map, key| {
                        black_box(map.pin().get(&key));
                    })
                },
                "shard_map",
                "get, present",
            ),
            subject(
                "ShardMap, insert again",
                |threads| {
                    shard_map(threads, |map, key| {
                        black_box(map.pin().insert(key, key));
                    })
                },
                "shard_map",
                "insert, present",
            ),
            subject(
                "SegmentMap, get",
                |threads| {
                    segment_map(threads, |map, key| {
                        black_box(map.get(&key));
                    })
                },
                "segment_map",
                "get, present",
            ),
            subject(
                "SegmentMap, insert again",
                |threads| {
                    segment_map(threads, |map, key| {
                        black_box(map.insert(key, key));
                    })
                },
                "segment_map",
                "insert, present",
            ),
        ],
    };
    question.ask()
}
