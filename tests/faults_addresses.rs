//! A system that gives no more addresses: tables that would lie side by side get memory one by one. The limit is the process's, so
//! this test has one of its own.
#![expect(unsafe_code, reason = "the limit is the system's")]
#![cfg(all(target_os = "linux", not(miri)))]

use atomshard::WordMap;
use atomshard::shard::{Part, Spans as _};
use foldhash::fast::FixedState;
use std::fs;

/// The present limit of the process's addresses.
fn limit() -> libc::rlimit {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the limit is written to a place that is there.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) };
    assert_eq!(result, 0);
    limit
}

fn set(limit: &libc::rlimit) {
    // SAFETY: the limit is read from a place that is there.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, limit) }, 0);
}

/// Bytes of addresses that the process has.
fn addresses() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages = statm
        .split(' ')
        .next()
        .and_then(|pages| pages.parse::<u64>().ok());
    // SAFETY: `sysconf` takes a number.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    pages.expect("a number of pages") * u64::try_from(page).expect("a number of bytes")
}

/// Start and bytes of each table of at least so many bytes, shard by shard.
fn tables(map: &WordMap<u64, u64, FixedState>, least: usize) -> Vec<(usize, usize)> {
    let mut tables = Vec::new();
    map.each_span(&mut |span| {
        if span.part == Part::Table && span.bytes >= least {
            tables.push((span.start, span.bytes));
        }
    });
    tables
}

/// Tables of 128 to 248 KiB, whose arena has 5.9 MiB; the last shards are about to have them.
const ENTRIES: u64 = 200_000;
/// The next ones have 256 KiB at least, and an arena of 11.75 MiB.
const LARGE: usize = 256 << 10;
/// More addresses than some of these need, and fewer than all.
const ROOM: u64 = 10 << 20;

#[test]
fn words_grow_where_the_system_has_no_room_for_an_arena() {
    let map = WordMap::with_hasher(FixedState::with_seed(1));
    for key in 0..ENTRIES {
        map.insert(key, key);
    }
    let before = tables(&map, 0);
    assert_eq!(before.len(), 32, "a table for each shard, and none moves");
    let is_apart = |pair: &&[(usize, usize)]| pair[0].0 + pair[0].1 != pair[1].0;
    let apart = before.windows(2).filter(is_apart).count();
    assert!(
        apart <= 1,
        "those of one size lie side by side: {before:x?}"
    );

    let old = limit();
    set(&libc::rlimit {
        rlim_cur: addresses() + ROOM,
        ..old
    });
    let mut entries = ENTRIES;
    while tables(&map, LARGE).len() < 8 && entries < 2 * ENTRIES {
        for _ in 0..10_000 {
            map.insert(entries, entries);
            entries += 1;
        }
    }
    set(&old);
    let large = tables(&map, LARGE);
    assert!(large.len() >= 8, "{entries} entries, {large:x?}");
    assert!((0..entries).all(|key| map.get(key) == Some(key)));
    assert_eq!(map.len() as u64, entries);
}
