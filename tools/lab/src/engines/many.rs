//! Operations of one kind that follow one another, handed to the map in one call.
//!
//! The order of the operations stays, so every count and every value is what it is one by one. A stream of one
//! kind is handed over in groups of [`GROUP`]; where kinds alternate, groups are short.
use super::{Batch, Store, Words, Worker};
use crate::alloc::By;
use crate::ops::{Kind, Stream};
use crate::run::{Tally, step};
use core::borrow::Borrow as _;

/// Operations of a group, at most: 2 KiB of keys and 4 KiB of answers, which a first-level cache holds
/// beside what the map needs.
const GROUP: usize = 256;

/// What takes many keys in one call.
pub(crate) trait Many: Batch<u64> {
    /// Looks up.
    fn get_many(&mut self, keys: &[u64], values: &mut [Option<u64>]);

    /// Inserts or overwrites; what was there.
    fn put_many(&mut self, entries: &[(u64, u64)], old: &mut [Option<u64>]);

    /// Removes; what was there.
    fn del_many(&mut self, keys: &[u64], old: &mut [Option<u64>]);
}

/// All of a stream in groups.
pub(crate) fn drive<S: Stream<Key = u64>>(map: &mut impl Many, stream: &S) -> Tally {
    let mut tally = Tally::default();
    let mut keys = Vec::with_capacity(GROUP);
    let mut entries = Vec::with_capacity(GROUP);
    let mut answers = [None; GROUP];
    let mut index = 0;
    while index < stream.len() {
        let first = stream.at(index).0;
        keys.clear();
        entries.clear();
        while index < stream.len() && keys.len() < GROUP && entries.len() < GROUP {
            let (kind, key) = stream.at(index);
            if kind != first {
                break;
            }
            let key: &u64 = key.borrow();
            match kind {
                Kind::Get | Kind::Del => keys.push(*key),
                Kind::Put => entries.push((*key, stream.value(index))),
                Kind::Add | Kind::Load => step(map, stream, index, &mut tally),
            }
            index += 1;
        }
        let answers = &mut answers[..keys.len().max(entries.len())];
        match first {
            Kind::Get => {
                map.get_many(&keys, answers);
                for value in answers.iter().flatten() {
                    tally.hits += 1;
                    tally.sum = tally.sum.wrapping_add(*value);
                }
            }
            Kind::Put => {
                map.put_many(&entries, answers);
                tally.fresh += answers.iter().filter(|old| old.is_none()).count() as u64;
            }
            Kind::Del => {
                map.del_many(&keys, answers);
                tally.gone += answers.iter().flatten().count() as u64;
            }
            Kind::Add | Kind::Load => {}
        }
    }
    tally
}

/// `atomshard::WordMap`, many keys at once.
pub(crate) struct WordsMany(Words);

/// A thread's hold on a map that takes many keys in one call.
pub(crate) struct Grouped<M>(pub(crate) M);

impl Store<u64> for WordsMany {
    type Worker<'a> = Grouped<&'a Words>;

    const COUNTED: By = <Words as Store<u64>>::COUNTED;

    fn new(threads: usize) -> Self {
        Self(Words::new(threads))
    }

    fn worker(&self, _: usize) -> Grouped<&Words> {
        Grouped(&self.0)
    }

    fn each(&mut self, visit: impl FnMut(&u64, u64)) {
        self.0.each(visit);
    }
}

impl<M: Many + Copy> Worker<u64> for Grouped<M> {
    type Batch<'b>
        = M
    where
        Self: 'b;

    #[inline]
    fn batch(&mut self) -> M {
        self.0
    }

    #[inline]
    fn groups<S: Stream<Key = u64>>(&mut self, stream: &S) -> Option<Tally> {
        Some(drive(&mut self.0, stream))
    }
}
