//! W3: whoever comes to new memory, through a header or a shard's word, sees it as it was made.

use super::words::{RIGHT, count, get, put, reserve, words};
use loom::sync::Arc;
use loom::thread;

#[test]
fn loom_w3_a_look_up_finds_in_the_new_memory_what_was_in_the_old() {
    loom::model(|| {
        let shared = Arc::new(words());
        put(&shared, RIGHT | 7, 1);
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || (get(&shared, RIGHT | 7), get(&shared, RIGHT | 7)))
        };
        reserve(&shared);
        let seen = reader.join().expect("the reader does not panic");
        assert_eq!(seen, (Some(1), Some(1)), "present throughout");
    });
}

#[test]
fn loom_w3_a_writer_that_meets_a_move_writes_where_it_leads() {
    loom::model(|| {
        let shared = Arc::new(words());
        put(&shared, 7, 1);
        let writer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || put(&shared, 7, 2))
        };
        reserve(&shared);
        let old = writer.join().expect("the writer does not panic");
        assert_eq!(old, Some(1), "present throughout");
        assert_eq!((get(&shared, 7), count(&shared, 7)), (Some(2), 1));
    });
}

#[test]
fn loom_w3_two_first_inserts_meet_in_one_table() {
    loom::model(|| {
        let shared = Arc::new(words());
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || put(&shared, 7, 1))
        };
        put(&shared, 8, 2);
        other.join().expect("the other does not panic");
        assert_eq!((get(&shared, 7), get(&shared, 8)), (Some(1), Some(2)));
    });
}
