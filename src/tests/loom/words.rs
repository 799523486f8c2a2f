//! Models of words: what the files `w1.rs` to `w5.rs` share, and a bucket that moves. A line has two slots, a
//! map one shard, whose first table has one line (`crate::sync::MODEL`).

use crate::map::word_map::raw::{Change, Mixer, RawWords};
use loom::sync::Arc;
use loom::thread;

/// The bit by which the first doubling parts keys.
pub(super) const RIGHT: u64 = 1 << 58;

pub(super) fn words() -> RawWords {
    RawWords::new(0, Mixer::new([1, 2, 3]))
}

/// Changes the key with this hash; its old value.
fn change(map: &RawWords, mixed: u64, decide: impl FnMut(Option<u64>) -> Change) -> Option<u64> {
    map.change(map.mixer().unmix(mixed), decide, &map.pin())
}

pub(super) fn put(map: &RawWords, mixed: u64, value: u64) -> Option<u64> {
    change(map, mixed, |_| Change::Put(value))
}

/// Inserts if absent; whether it did.
pub(super) fn put_new(map: &RawWords, mixed: u64, value: u64) -> bool {
    let decide = |old: Option<u64>| old.map_or(Change::Put(value), |_| Change::Keep);
    change(map, mixed, decide).is_none()
}

pub(super) fn remove(map: &RawWords, mixed: u64) -> Option<u64> {
    change(map, mixed, |_| Change::Remove)
}

pub(super) fn get(map: &RawWords, mixed: u64) -> Option<u64> {
    map.get(map.mixer().unmix(mixed))
}

/// How often an iteration meets the key with this hash.
pub(super) fn count(map: &RawWords, mixed: u64) -> usize {
    let key = map.mixer().unmix(mixed);
    map.iter().filter(|(met, _)| *met == key).count()
}

/// Moves the map's entries to a larger table.
pub(super) fn reserve(map: &RawWords) {
    map.try_reserve(2).expect("two small tables");
}

#[test]
fn loom_words_a_look_up_finds_a_key_while_its_line_moves() {
    loom::model(|| {
        let shared = Arc::new(words());
        put(&shared, RIGHT | 7, 1);
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || get(&shared, RIGHT | 7))
        };
        reserve(&shared);
        assert_eq!(put(&shared, RIGHT | 7, 2), Some(1));
        let seen = reader.join().expect("the reader does not panic");
        assert!(seen == Some(1) || seen == Some(2), "present, got {seen:?}");
        assert_eq!(get(&shared, RIGHT | 7), Some(2));
    });
}

#[test]
fn loom_words_a_write_is_not_lost_while_its_line_moves() {
    loom::model(|| {
        let shared = Arc::new(words());
        put(&shared, 7, 1);
        let mover = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || reserve(&shared))
        };
        assert_eq!(put(&shared, 7, 2), Some(1));
        put(&shared, RIGHT | 8, 3);
        mover.join().expect("the mover does not panic");
        assert_eq!(get(&shared, 7), Some(2));
        assert_eq!(get(&shared, RIGHT | 8), Some(3));
        assert_eq!(remove(&shared, 7), Some(2));
        assert_eq!(shared.len(), 1);
    });
}

/// A line that was full: the key in its last slot goes behind a link, and is found all the time.
#[test]
fn loom_words_a_key_is_found_while_it_goes_behind_a_link() {
    loom::model(|| {
        let shared = Arc::new(words());
        put(&shared, 7, 1);
        put(&shared, 8, 2);
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || (get(&shared, 8), get(&shared, 9)))
        };
        assert_eq!(put(&shared, 9, 3), None);
        let (eight, nine) = reader.join().expect("the reader does not panic");
        assert_eq!(eight, Some(2), "present throughout");
        assert!(nine.is_none() || nine == Some(3), "got {nine:?}");
        assert_eq!((count(&shared, 8), count(&shared, 9)), (1, 1));
    });
}
