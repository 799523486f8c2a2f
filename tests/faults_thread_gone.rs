//! A thread that has gone with its guard forgotten pins for good; so it has a process of its own.

use atomshard::{Guard as _, ShardMap};
use evidence::drops::{Ledger, Token, TokenKey};
use foldhash::fast::FixedState;
use std::collections::BTreeSet;
use std::thread;

/// Its record, 128 bytes, is never given to another thread; everything removed from then on, of each
/// map, stays until its map goes. Nothing else: the others get on.
#[test]
#[cfg_attr(
    atomshard_seize,
    ignore = "`seize` never drops what a forgotten guard holds up"
)]
fn a_thread_that_has_gone_with_its_guard_holds_everything_removed_since() {
    let ledger = Ledger::new(20_000);
    let map: ShardMap<TokenKey, Token, FixedState> = ShardMap::default();
    let gone: BTreeSet<usize> = (0..3)
        .map(|_| {
            thread::scope(|scope| {
                let dies = scope.spawn(|| {
                    let guard = map.guard();
                    let record = guard.thread_id();
                    core::mem::forget(guard);
                    record
                });
                dies.join().expect("no panic")
            })
        })
        .collect();
    assert_eq!(
        gone.len(),
        3,
        "a record that is pinned for good was leased again"
    );
    let mut removed = 0;
    for round in 0..10 {
        let used = thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for id in 0..200 {
                    let (key, value) = (TokenKey::new(id, &ledger), Token::new(&ledger));
                    assert!(map.pin().insert(key, value).is_none());
                }
                for id in 0..200 {
                    assert!(map.pin().remove(&id).is_some());
                }
                map.guard().flush();
                map.guard().thread_id()
            });
            writer.join().expect("no panic")
        });
        assert!(!gone.contains(&used), "a record that is pinned for good");
        removed += 200;
        assert_eq!(
            ledger.live(),
            2 * removed,
            "round {round}: a key and a value each"
        );
    }
    assert!(map.is_empty());
    drop(map);
    ledger.assert_live(0);
}
