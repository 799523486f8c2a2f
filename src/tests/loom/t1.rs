//! T1: an entry is published by the exchange that makes it a member.

use super::{get, map, put};
use loom::sync::Arc;
use loom::thread;

#[test]
fn loom_t1_a_reader_sees_the_whole_entry() {
    loom::model(|| {
        let shared = Arc::new(map());
        put(&shared, 1, 1, 10);
        let reader = {
            let shared = Arc::clone(&shared);
            // The values are read through loom's cell: an unordered read fails the model.
            thread::spawn(move || (get(&shared, 1, 1), get(&shared, 2, 2)))
        };
        put(&shared, 2, 2, 20);
        assert_eq!(put(&shared, 1, 1, 11), Some(10));
        let (first, second) = reader.join().expect("the reader does not panic");
        assert!(
            first == Some(10) || first == Some(11),
            "present throughout, got {first:?}"
        );
        assert!(second.is_none() || second == Some(20), "got {second:?}");
        assert!(
            first == Some(10) || second == Some(20),
            "the writer's order is kept"
        );
        assert_eq!(
            (get(&shared, 1, 1), get(&shared, 2, 2)),
            (Some(11), Some(20))
        );
    });
}
