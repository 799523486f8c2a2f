//! The operations on all keys, and the end of a map.

use super::input::{End, Op, Order};
use super::model::{Item, Model, Numbers, Walk};
use super::step::Meanwhile;
use super::values::Value;
use super::{Map, Section};
use atomshard::TryReserveError;
use std::collections::HashSet;

impl<'g> Section<'g> {
    pub(super) fn step_whole(&self, op: &Op) {
        let (map, guard) = (self.run.map, self.guard);
        match op {
            Op::Up(wave, owned) => {
                for key in wave.0.clone() {
                    if *owned {
                        self.insert_owned(key);
                    } else {
                        self.insert(key);
                    }
                }
            }
            Op::Down(wave) => wave.0.clone().for_each(|key| self.remove(key)),
            Op::Extend(wave) => {
                let mut numbers = Vec::new();
                let entries = wave.0.clone().map(|key| {
                    let (value, number) = self.value(key);
                    numbers.push((key, number));
                    (self.key(key), value)
                });
                let mut target = map;
                target.extend(entries);
                for (key, number) in numbers {
                    self.model().put(key, number);
                }
            }
            Op::Open(order) => {
                let walk = self.walk(*order);
                let mut walks = self.walks.borrow_mut();
                if walks.len() == MOST_WALKS {
                    walks.remove(0).finish(&mut self.model());
                }
                walks.push(walk);
            }
            Op::Walk(which, steps) => {
                let mut walks = self.walks.borrow_mut();
                if let Some(walk) = walks.get_mut(*which)
                    && !(0..*steps).all(|_| walk.step(&mut self.model()))
                {
                    walks.remove(*which).finish(&mut self.model());
                }
            }
            Op::Retain(rest, divisor, meanwhile) => self.retain(*rest, *divisor, meanwhile),
            Op::Clear => {
                map.clear(guard);
                let keys: Vec<u64> = self.model().now.keys().copied().collect();
                for key in keys {
                    self.model().take(key);
                }
            }
            Op::Reserve(room) | Op::TryReserve(room) => {
                if matches!(op, Op::Reserve(_)) {
                    map.reserve(*room, guard);
                } else {
                    assert_eq!(map.try_reserve(*room, guard), Ok(()), "{op:?}");
                }
                let needed = self.model().now.len() + room;
                assert!(
                    map.capacity() >= needed,
                    "{op:?}: room for {}",
                    map.capacity()
                );
            }
            Op::ReserveTooMuch => assert!(
                matches!(
                    map.try_reserve(usize::MAX, guard),
                    Err(TryReserveError::CapacityOverflow { .. })
                ),
                "{op:?}"
            ),
            Op::Shrink => map.shrink_to_fit(guard),
            Op::Compare => self.compare(),
            Op::Clone => {
                let copy = map.clone();
                assert!(copy == *map, "a clone is not equal");
                assert_eq!(taken_apart(copy, usize::MAX), self.model().now, "a clone");
            }
            other => unreachable!("{other:?} is no operation on all keys"),
        }
    }

    /// Opens an iterator.
    fn walk(&self, order: Order) -> Walk<'g> {
        let (map, guard, model) = (self.run.map, self.guard, self.model());
        match order {
            Order::Entries => {
                let entries = map.iter(guard);
                Walk::new(
                    entries.map(|(key, value)| Item::Entry(key.id, value.number())),
                    &model,
                )
            }
            Order::Keys => Walk::new(map.keys(guard).map(|key| Item::Key(key.id)), &model),
            Order::Values => {
                let values = map.values(guard);
                Walk::new(values.map(|value| Item::Value(value.number())), &model)
            }
        }
    }

    /// As `insert`, with a guard that may leave its thread.
    fn insert_owned(&self, key: u64) {
        let (value, number) = self.value(key);
        let pinned = self.run.map.pin_owned();
        let old = pinned.insert(self.key(key), value);
        let old = old.map(Value::number);
        assert_eq!(
            old,
            self.model().put(key, number),
            "insert({key}) of {number}, owned"
        );
    }

    fn retain(&self, rest: u64, divisor: u64, meanwhile: &[Op]) {
        let once = Meanwhile::new(meanwhile);
        let goes = |number: u64| number % divisor == rest;
        // What must be asked about if it stays.
        let mut due = self.model().now.clone();
        let mut asked = HashSet::new();
        self.run.map.retain(
            |key, value| {
                let (key, number) = (key.id, value.number());
                once.run(self);
                asked.insert(number);
                let mut model = self.model();
                match model.get(key).filter(|_| goes(number)) {
                    Some(now) if now == number => {
                        model.take(key);
                    }
                    // Replaced meanwhile, and what it was is to go: then it is asked again.
                    Some(now) => {
                        due.insert(key, now);
                    }
                    None => {}
                }
                !goes(number)
            },
            self.guard,
        );
        let model = self.model();
        for (key, number) in due {
            if model.get(key) == Some(number) {
                assert!(asked.contains(&number), "retain has not asked about {key}");
            }
        }
    }

    /// Looks at everything in every way.
    pub(super) fn compare(&self) {
        let map = self.run.map;
        for order in [Order::Entries, Order::Keys, Order::Values] {
            self.walk(order).finish(&mut self.model());
        }
        let now = self.model().now.clone();
        let some_absent = 0..self.run.setting.keys.min(16);
        let keys = now.keys().copied().chain(some_absent);
        keys.for_each(|key| self.look(key));
        assert_eq!((map.len(), map.is_empty()), (now.len(), now.is_empty()));
    }
}

const MOST_WALKS: usize = 3;

/// The entries of a map that ends, at most so many.
fn taken_apart(map: Map, most: usize) -> Numbers {
    let expected = map.len();
    let entries = map.into_iter();
    assert_eq!(entries.len(), expected, "entries by value");
    let numbers: Vec<_> = entries
        .take(most)
        .map(|(key, value)| (key.id, value.number()))
        .collect();
    let count = numbers.len();
    let numbers: Numbers = numbers.into_iter().collect();
    assert_eq!(numbers.len(), count, "a key comes out twice");
    numbers
}

/// Ends the map.
pub(super) fn end(map: Map, model: &Model, end: End) {
    match end {
        End::Drop => drop(map),
        End::IntoIter => assert_eq!(taken_apart(map, usize::MAX), model.now),
        End::IntoSome(most) => {
            let some = taken_apart(map, most);
            assert_eq!(some.len(), most.min(model.now.len()));
            let same = some
                .iter()
                .all(|(key, number)| model.get(*key) == Some(*number));
            assert!(same, "{some:?} came out of {:?}", model.now);
        }
    }
}
