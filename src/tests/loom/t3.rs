//! T3: whoever comes to new memory, through a header or the directory, sees it as it was made: lines
//! unborn until they are born, never of another time. (That old memory stays while it is pinned is
//! for Miri: nothing is freed in the model.)

use super::{count, get, map, put, reserve};
use loom::sync::Arc;
use loom::thread;

#[test]
fn loom_t3_a_reader_finds_in_the_new_memory_what_was_in_the_old() {
    loom::model(|| {
        let shared = Arc::new(map());
        put(&shared, 1 << 63, 7, 1);
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || (get(&shared, 1 << 63, 7), get(&shared, 1 << 63, 7)))
        };
        reserve(&shared);
        let seen = reader.join().expect("the reader does not panic");
        assert_eq!(seen, (Some(1), Some(1)), "present throughout");
    });
}

#[test]
fn loom_t3_a_writer_that_meets_a_move_writes_where_it_leads() {
    loom::model(|| {
        let shared = Arc::new(map());
        put(&shared, 1, 7, 1);
        let writer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || put(&shared, 1, 7, 2))
        };
        reserve(&shared);
        let old = writer.join().expect("the writer does not panic");
        assert_eq!(old, Some(1), "present throughout");
        assert_eq!((get(&shared, 1, 7), count(&shared, 7)), (Some(2), 1));
    });
}
