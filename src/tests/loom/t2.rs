//! T2: a claim is in its slot before its owner looks for others, so of two inserts of one key one
//! sees the other. The two must use different slots: one thread frees the first slot, then inserts.

use super::{count, get, map, put, put_new, remove};
use loom::sync::Arc;
use loom::thread;

#[test]
fn loom_t2_two_inserts_of_one_key_make_one_entry() {
    loom::model(|| {
        let shared = Arc::new(map());
        put(&shared, 1, 100, 0);
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || put_new(&shared, 2, 7, 20))
        };
        assert_eq!(remove(&shared, 1, 100), Some(0));
        let mine = put_new(&shared, 2, 7, 10);
        let theirs = other.join().expect("the other insert does not panic");
        assert!(
            mine ^ theirs,
            "one insert wins: mine {mine}, theirs {theirs}"
        );
        assert_eq!(count(&shared, 7), 1);
        assert_eq!(get(&shared, 2, 7), Some(if mine { 10 } else { 20 }));
        assert_eq!(shared.len(), 1);
    });
}

#[test]
fn loom_t2_an_insert_and_a_remove_agree() {
    loom::model(|| {
        let shared = Arc::new(map());
        put(&shared, 2, 7, 1);
        let remover = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || remove(&shared, 2, 7))
        };
        let old = put(&shared, 2, 7, 2);
        let removed = remover.join().expect("the remove does not panic");
        match (old, removed) {
            (Some(1), Some(2)) => assert_eq!(get(&shared, 2, 7), None),
            (None, Some(1)) => assert_eq!(get(&shared, 2, 7), Some(2)),
            other => panic!("no order of the two explains {other:?}"),
        }
    });
}
