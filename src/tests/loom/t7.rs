//! T7: a map's directory is made once, whoever inserts first.

use super::{get, map, put};
use loom::sync::Arc;
use loom::thread;

#[test]
fn loom_t7_two_first_inserts_meet_in_one_directory() {
    loom::model(|| {
        let shared = Arc::new(map());
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || put(&shared, 1, 7, 1))
        };
        assert_eq!(put(&shared, 2, 8, 2), None);
        assert_eq!(other.join().expect("the other insert does not panic"), None);
        assert_eq!((get(&shared, 1, 7), get(&shared, 2, 8)), (Some(1), Some(2)));
        assert_eq!(shared.len(), 2);
    });
}
