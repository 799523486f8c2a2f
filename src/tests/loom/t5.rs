//! T5: whoever completes the last step of a move sees every birth before it leads the map to the
//! new memory.

use super::{count, get, map, put, reserve};
use loom::sync::Arc;
use loom::thread;

#[test]
fn loom_t5_two_movers_complete_one_move() {
    loom::model(|| {
        let shared = Arc::new(map());
        put(&shared, 1, 7, 1);
        put(&shared, 1 << 63, 8, 2);
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || reserve(&shared))
        };
        reserve(&shared);
        assert_eq!(
            (get(&shared, 1, 7), get(&shared, 1 << 63, 8)),
            (Some(1), Some(2))
        );
        other.join().expect("the other mover does not panic");
        assert_eq!((count(&shared, 7), count(&shared, 8)), (1, 1));
    });
}

/// One key in each of the two steps, so that each mover needs the births of the other's.
#[test]
fn loom_t5_who_completes_sees_the_births_of_every_step() {
    loom::model(|| {
        let shared = Arc::new(map());
        put(&shared, 1, 7, 1);
        put(&shared, 1 << 62, 9, 2);
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || reserve(&shared))
        };
        reserve(&shared);
        assert_eq!(
            (get(&shared, 1, 7), get(&shared, 1 << 62, 9)),
            (Some(1), Some(2))
        );
        other.join().expect("the other mover does not panic");
    });
}
