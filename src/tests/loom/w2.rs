//! W2: a claim is in its slot before its owner looks for others, so of two inserts of one key into a full line one
//! sees the other. The two must use different slots: one thread frees the first slot, then inserts.

use super::words::{count, get, put, put_new, remove, words};
use crate::map::word_map::raw::RawWords;
use loom::sync::Arc;
use loom::thread;

/// Two inserts of an absent key, one after its thread has removed the key 7: one of them makes the entry, and so many are left.
fn one_of_two_inserts(shared: Arc<RawWords>, key: u64, left: usize) {
    let other = {
        let shared = Arc::clone(&shared);
        thread::spawn(move || put_new(&shared, key, 20))
    };
    assert_eq!(remove(&shared, 7), Some(1));
    let mine = put_new(&shared, key, 10);
    let theirs = other.join().expect("the other insert does not panic");
    assert!(mine ^ theirs, "one wins: mine {mine}, theirs {theirs}");
    assert_eq!(count(&shared, key), 1);
    assert_eq!(get(&shared, key), Some(if mine { 10 } else { 20 }));
    assert_eq!(shared.len(), left);
}

#[test]
fn loom_w2_two_inserts_of_one_key_into_a_full_line_make_one_entry() {
    loom::model(|| {
        let shared = Arc::new(words());
        put(&shared, 7, 1);
        put(&shared, 8, 2);
        assert_eq!(remove(&shared, 8), Some(2));
        one_of_two_inserts(shared, 9, 1);
    });
}

/// The same in a line whose link does not have the key's signature: one inserts before the link, where nobody looks behind it, and
/// one behind, where the key is signed before.
#[test]
fn loom_w2_two_inserts_of_one_key_before_and_behind_a_link_make_one_entry() {
    loom::model(|| {
        let shared = Arc::new(words());
        put(&shared, 7, 1);
        put(&shared, 8, 2);
        put(&shared, 9, 3);
        assert_eq!(remove(&shared, 9), Some(3));
        one_of_two_inserts(shared, 10, 2);
    });
}

/// The last key behind a link is removed while another comes: that is counted before it goes behind, so the link stays, or it meets another
/// end of the bucket.
#[test]
fn loom_w2_a_link_goes_while_a_key_comes_behind_it() {
    loom::model(|| {
        let shared = Arc::new(words());
        for key in [7, 8, 9] {
            put(&shared, key, key);
        }
        assert_eq!(remove(&shared, 9), Some(9));
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || put_new(&shared, 10, 20))
        };
        assert_eq!(remove(&shared, 8), Some(8));
        assert!(other.join().expect("the other insert does not panic"));
        assert_eq!(
            [7, 8, 10].map(|key| get(&shared, key)),
            [Some(7), None, Some(20)]
        );
        assert_eq!((count(&shared, 10), shared.len()), (1, 2));
    });
}

#[test]
fn loom_w2_two_inserts_of_one_key_take_the_first_empty_slot() {
    loom::model(|| {
        let shared = Arc::new(words());
        put(&shared, 7, 1);
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || put_new(&shared, 9, 20))
        };
        let mine = put_new(&shared, 9, 10);
        let theirs = other.join().expect("the other insert does not panic");
        assert!(mine ^ theirs, "one wins: mine {mine}, theirs {theirs}");
        assert_eq!((count(&shared, 9), shared.len()), (1, 2));
    });
}
