//! A bucket that moves: a key that is present throughout is found, and no write is lost.

use super::{get, map, put, remove, reserve};
use loom::sync::Arc;
use loom::thread;

#[test]
fn loom_moves_a_reader_finds_a_key_while_its_bucket_moves() {
    loom::model(|| {
        let shared = Arc::new(map());
        put(&shared, 1 << 63, 7, 1);
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || get(&shared, 1 << 63, 7))
        };
        reserve(&shared);
        assert_eq!(put(&shared, 1 << 63, 7, 2), Some(1));
        let seen = reader.join().expect("the reader does not panic");
        assert!(
            seen == Some(1) || seen == Some(2),
            "present throughout, got {seen:?}"
        );
        assert_eq!(get(&shared, 1 << 63, 7), Some(2));
    });
}

#[test]
fn loom_moves_a_reader_does_not_miss_what_came_after_the_move() {
    loom::model(|| {
        let shared = Arc::new(map());
        put(&shared, 1, 7, 1);
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || (get(&shared, 1 << 63, 8), get(&shared, 1, 7)))
        };
        reserve(&shared);
        assert_eq!(remove(&shared, 1, 7), Some(1));
        put(&shared, 1 << 63, 8, 2);
        put(&shared, 1, 7, 3);
        let (eight, seven) = reader.join().expect("the reader does not panic");
        assert!(eight.is_none() || eight == Some(2), "got {eight:?}");
        assert!(
            seven.is_none() || seven == Some(1) || seven == Some(3),
            "got {seven:?}"
        );
        assert!(
            eight.is_none() || seven != Some(1),
            "the writer's order is kept"
        );
    });
}

#[test]
fn loom_moves_a_write_is_not_lost_while_its_bucket_moves() {
    loom::model(|| {
        let shared = Arc::new(map());
        put(&shared, 1, 7, 1);
        let mover = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                reserve(&shared);
            })
        };
        assert_eq!(put(&shared, 1, 7, 2), Some(1));
        put(&shared, 1 << 63, 8, 3);
        mover.join().expect("the mover does not panic");
        assert_eq!(
            (get(&shared, 1, 7), get(&shared, 1 << 63, 8)),
            (Some(2), Some(3))
        );
        assert_eq!(remove(&shared, 1, 7), Some(2));
        assert_eq!(shared.len(), 1);
    });
}
