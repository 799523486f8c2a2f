//! The layouts against std's map, and two threads that insert the same keys.

use crate::Layout;
use crate::header::{Apart, Headed, Together};
use crate::quotient::Quotient;
use std::collections::HashMap;
use std::thread;

fn agrees_with_std<L: Layout>() {
    let table = L::new(128);
    let mut model = HashMap::new();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..200_000 {
        let (key, value) = (random.u64(..300), random.u64(..));
        match random.u8(..3) {
            0 => assert_eq!(table.get(key), model.get(&key).copied()),
            1 if model.len() < 250 => {
                assert_eq!(table.insert(key, value), model.insert(key, value))
            }
            _ => assert_eq!(table.remove(key), model.remove(&key)),
        }
    }
}

fn each_key_has_one_first<L: Layout>() {
    for round in 0..200 {
        let table = L::new(128);
        let first = |thread: u64| {
            let insert = |key: u64| u64::from(table.insert(key * 977 + round, thread).is_none());
            (0..150).map(insert).sum::<u64>()
        };
        let firsts: u64 = thread::scope(|scope| {
            let other = scope.spawn(|| first(1));
            first(0) + other.join().expect("it does not panic")
        });
        assert_eq!(firsts, 150, "round {round}");
    }
}

#[test]
fn header_agrees_with_std() {
    agrees_with_std::<Headed<Together>>();
}

#[test]
fn header_has_one_first_insert_of_a_key() {
    each_key_has_one_first::<Headed<Together>>();
}

#[test]
fn apart_agrees_with_std() {
    agrees_with_std::<Headed<Apart>>();
}

#[test]
fn apart_has_one_first_insert_of_a_key() {
    each_key_has_one_first::<Headed<Apart>>();
}

#[test]
fn chain_agrees_with_std() {
    agrees_with_std::<Quotient<true>>();
}

#[test]
fn chain_has_one_first_insert_of_a_key() {
    each_key_has_one_first::<Quotient<true>>();
}

#[test]
fn next_agrees_with_std() {
    agrees_with_std::<Quotient<false>>();
}

#[test]
fn next_has_one_first_insert_of_a_key() {
    each_key_has_one_first::<Quotient<false>>();
}
