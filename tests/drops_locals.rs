//! Maps in the end of a thread: used by destructors of its locals, and destroyed by them.
//!
//! The crate has a local of its own, the lease of the thread's record. Whether it goes before a user's
//! local or after it depends on which was used first, and on std; so each test has threads of both kinds.

use atomshard::{Guard as _, ShardMap};
use core::cell::RefCell;
use evidence::drops::{Ledger, Token, TokenKey};
use foldhash::fast::FixedState;
use std::collections::BTreeSet;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread;

type Map = ShardMap<TokenKey, Token, FixedState>;

/// More than two batches of entries with destructors.
const MANY: u64 = 300;

/// A local whose destructor uses a map in every way that needs a pin or retires something, and tells
/// whether the lease had gone, with the largest record that it has seen.
struct UsesMap {
    map: Arc<Map>,
    ledger: Arc<Ledger>,
    first_key: u64,
    report: Sender<(bool, usize)>,
}

impl Drop for UsesMap {
    fn drop(&mut self) {
        let (map, keys) = (&self.map, self.first_key..self.first_key + MANY);
        let insert = |id| {
            let key = TokenKey::new(id, &self.ledger);
            map.pin().insert(key, Token::new(&self.ledger)).is_none()
        };
        let (outer, inner) = (map.guard(), map.guard());
        // Without the lease each guard has a record of its own.
        let is_late = outer.thread_id() != inner.thread_id();
        let mut record = outer.thread_id().max(inner.thread_id());
        assert!(keys.clone().all(insert), "nobody else has these keys");
        assert!(!insert(self.first_key), "there by now");
        let seen = map.iter(&inner).filter(|(key, _)| keys.contains(&key.id));
        assert_eq!(seen.count() as u64, MANY);
        let first = map.get(&self.first_key, &outer);
        assert!(keys.clone().all(|id| map.pin().remove(&id).is_some()));
        map.shrink_to_fit(&outer);
        // What was removed stays for who came before.
        assert!(first.is_some_and(Token::is_alive));
        drop((outer, inner));
        let mut guard = map.owned_guard();
        guard.refresh();
        guard.flush();
        record = record.max(guard.thread_id());
        drop(guard);
        let mut guard = map.guard();
        guard.refresh();
        guard.flush();
        record = record.max(guard.thread_id());
        let _ = self.report.send((is_late, record));
    }
}

#[test]
fn a_map_is_used_while_a_threads_locals_go() {
    thread_local!(static LOCAL: RefCell<Option<UsesMap>> = const { RefCell::new(None) });
    const AT_ONCE: usize = 3;
    let ledger = Ledger::new(100_000);
    let map = Arc::new(Map::default());
    let (report, reports) = channel();
    for round in 0..10 {
        let all = Arc::new(Barrier::new(AT_ONCE));
        let threads: Vec<_> = (0..AT_ONCE)
            .map(|place| {
                let (map, ledger, report) = (Arc::clone(&map), Arc::clone(&ledger), report.clone());
                let all = Arc::clone(&all);
                thread::spawn(move || {
                    let local = UsesMap {
                        map: Arc::clone(&map),
                        ledger,
                        first_key: place as u64 * MANY,
                        report,
                    };
                    let pins_first = (round + place) % 2 == 0;
                    if pins_first {
                        drop(map.guard());
                    }
                    LOCAL.with(|place| *place.borrow_mut() = Some(local));
                    drop(map.guard());
                    all.wait();
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("no panic");
        }
    }
    drop(report);
    let (late, records): (BTreeSet<bool>, BTreeSet<usize>) = reports.iter().unzip();
    assert_eq!(late.len(), 2, "the lease went first, and last");
    // Three guards of each thread at most, and what another test has.
    assert!(records.last() < Some(&16), "{records:?}");
    map.guard().flush();
    drop(map);
    assert_eq!(ledger.made() as u64, 10 * AT_ONCE as u64 * (2 * MANY + 2));
    ledger.assert_live(0);
}

/// A map that is a local, with entries and garbage in it, goes with its thread; and what goes with it
/// may use a map that stays.
#[test]
fn a_map_goes_with_its_threads_locals() {
    /// A value that leaves a trace in another map when it is dropped.
    struct Leaves(Arc<ShardMap<usize, Token>>, Option<Token>);
    impl Drop for Leaves {
        fn drop(&mut self) {
            let stays = self.0.pin();
            let token = self.1.take().expect("dropped once");
            stays.insert(token.number(), token);
            stays.remove(&usize::MAX);
        }
    }
    thread_local!(static MAP: ShardMap<u64, Leaves> = ShardMap::new());
    let ledger = Ledger::new(10_000);
    let stays = Arc::new(ShardMap::new());
    for pins_first in [true, false, true, false] {
        let (ledger, stays) = (Arc::clone(&ledger), Arc::clone(&stays));
        let lives = move || {
            if pins_first {
                drop(stays.guard());
            }
            MAP.with(|map| {
                for key in 0..2 * MANY {
                    let value = Leaves(Arc::clone(&stays), Some(Token::new(&ledger)));
                    map.pin().insert(key % MANY, value);
                }
                assert_eq!(map.len() as u64, MANY);
            });
        };
        thread::spawn(lives).join().expect("no panic");
    }
    assert_eq!(stays.len() as u64, 4 * 2 * MANY, "a trace of each value");
    assert_eq!(ledger.live() as u64, 4 * 2 * MANY);
    drop(stays);
    ledger.assert_live(0);
}
