//! The operations on one key: done to the map, compared with the model, and done to the model.

use super::Section;
use super::input::{Answer, Op};
use super::values::Value;
use atomshard::{Compute, Guard as _, Operation};
use core::cell::Cell;

impl Section<'_> {
    /// Does one operation.
    pub(super) fn step(&self, op: &Op) {
        let (map, guard) = (self.run.map, self.guard);
        match op {
            Op::Insert(key) => self.insert(*key),
            Op::TryInsert(key) => self.try_insert(*key),
            Op::GetOrInsert(key) => {
                let (value, number) = self.value(*key);
                let got = map.get_or_insert(self.key(*key), value, guard).number();
                assert_eq!(got, self.or_put(*key, number), "{op:?}");
            }
            Op::TryInsertWith(key, meanwhile) | Op::GetOrInsertWith(key, meanwhile) => {
                self.insert_with(*key, meanwhile, matches!(op, Op::TryInsertWith(..)));
            }
            Op::Update(key, meanwhile) => self.update(*key, meanwhile),
            Op::UpdateOrInsert(key, meanwhile) => self.update_or_insert(*key, meanwhile),
            Op::Compute { .. } => self.compute(op),
            Op::Remove(key) => self.remove(*key),
            Op::RemoveEntry(key) => {
                let removed = map.remove_entry(key, guard);
                let expected = self.model().take(*key).map(|number| (*key, number));
                let removed = removed.map(|(key, value)| (key.id, value.number()));
                assert_eq!(removed, expected, "{op:?}");
            }
            Op::RemoveIf(key, rest, meanwhile) => self.remove_if(*key, *rest, meanwhile),
            Op::Look(key) => self.look(*key),
            Op::Hold(key) => {
                let value = map.get(key, guard);
                let number = self.model().get(*key);
                assert_eq!(value.map(Value::number), number, "{op:?}");
                self.held.borrow_mut().extend(value.zip(number));
            }
            Op::Flush => guard.flush(),
            Op::Refresh | Op::Renew => unreachable!("a guard does not end in an operation"),
            whole => self.step_whole(whole),
        }
        assert_eq!(map.len(), self.model().now.len(), "the length after {op:?}");
    }

    pub(super) fn insert(&self, key: u64) {
        let (value, number) = self.value(key);
        let old = self.run.map.insert(self.key(key), value, self.guard);
        let expected = self.model().put(key, number);
        assert_eq!(
            old.map(Value::number),
            expected,
            "insert({key}) of {number}"
        );
    }

    pub(super) fn remove(&self, key: u64) {
        let removed = self.run.map.remove(&key, self.guard);
        let expected = self.model().take(key);
        assert_eq!(removed.map(Value::number), expected, "remove({key})");
    }

    /// What is now the key's value: the present one, or this.
    fn or_put(&self, key: u64, number: u64) -> u64 {
        let mut model = self.model();
        model.get(key).unwrap_or_else(|| {
            model.put(key, number);
            number
        })
    }

    fn try_insert(&self, key: u64) {
        let (value, number) = self.value(key);
        let tried = self.run.map.try_insert(self.key(key), value, self.guard);
        let tried = tried
            .map(Value::number)
            .map_err(|refused| (refused.current.number(), refused.not_inserted.number()));
        let present = self.model().get(key);
        let expected = present.map_or(Ok(number), |present| Err((present, number)));
        assert_eq!(tried, expected, "try_insert({key})");
        self.or_put(key, number);
    }

    /// `try_insert_with` or `get_or_insert_with`.
    fn insert_with(&self, key: u64, meanwhile: &[Op], tries: bool) {
        let once = Meanwhile::new(meanwhile);
        let made = Cell::new(None);
        let make = || {
            assert_eq!(
                self.model().get(key),
                None,
                "asked for a value of {key}, which has one"
            );
            once.run(self);
            let (value, number) = self.value(key);
            made.set(Some(number));
            value
        };
        let (map, token) = (self.run.map, self.key(key));
        let (is_new, got) = if tries {
            match map.try_insert_with(token, make, self.guard) {
                Ok(new) => (Some(true), new.number()),
                Err(present) => (Some(false), present.number()),
            }
        } else {
            (
                None,
                map.get_or_insert_with(token, make, self.guard).number(),
            )
        };
        let present = self.model().get(key);
        assert!(
            is_new.is_none_or(|is_new| is_new == present.is_none()),
            "try_insert_with({key})"
        );
        let Some(expected) = present.or_else(|| made.get()) else {
            panic!("insert of {key}, which is absent, without asking for a value");
        };
        assert_eq!(
            got,
            self.or_put(key, expected),
            "insert of {key} with a closure"
        );
    }

    /// The closure of an update: what it saw and made last is left in `last`.
    fn updated(
        &self,
        key: u64,
        old: &Value,
        once: &Meanwhile<'_>,
        last: &Cell<Option<(u64, u64)>>,
    ) -> Value {
        let seen = old.number();
        assert_eq!(
            Some(seen),
            self.model().get(key),
            "update({key}) of another value"
        );
        once.run(self);
        let (value, number) = self.value(key);
        last.set(Some((seen, number)));
        value
    }

    /// What an update leaves, of the present value `seen`.
    fn put_updated(&self, key: u64, present: u64, last: Option<(u64, u64)>) -> u64 {
        let Some((seen, number)) = last else {
            panic!("update({key}), which is present, without asking for a value");
        };
        assert_eq!(
            seen, present,
            "update({key}) on an old value: an update is lost"
        );
        self.model().put(key, number);
        number
    }

    fn update(&self, key: u64, meanwhile: &[Op]) {
        let (once, last) = (Meanwhile::new(meanwhile), Cell::new(None));
        let new = self.run.map.update(
            self.key(key),
            |old| self.updated(key, old, &once, &last),
            self.guard,
        );
        let present = self.model().get(key);
        let expected = present.map(|present| self.put_updated(key, present, last.get()));
        assert_eq!(new.map(Value::number), expected, "update({key})");
    }

    fn update_or_insert(&self, key: u64, meanwhile: &[Op]) {
        let (once, last) = (Meanwhile::new(meanwhile), Cell::new(None));
        let made = Cell::new(None);
        let new = self.run.map.update_or_insert_with(
            self.key(key),
            |old| self.updated(key, old, &once, &last),
            || {
                once.run(self);
                let (value, number) = self.value(key);
                assert_eq!(
                    made.replace(Some(number)),
                    None,
                    "asked twice for a value of {key}"
                );
                value
            },
            self.guard,
        );
        let present = self.model().get(key);
        let expected = match (present, made.get()) {
            (Some(present), _) => self.put_updated(key, present, last.get()),
            (None, Some(made)) => self.or_put(key, made),
            (None, None) => panic!("insert of {key}, which is absent, without asking for a value"),
        };
        assert_eq!(new.number(), expected, "update_or_insert({key})");
    }

    fn remove_if(&self, key: u64, rest: u64, meanwhile: &[Op]) {
        let once = Meanwhile::new(meanwhile);
        let last = Cell::new(None);
        let removes = |number: u64| number % 2 == rest;
        let condition = |_: &_, value: &Value| {
            let seen = value.number();
            assert_eq!(
                Some(seen),
                self.model().get(key),
                "remove_if({key}) of another value"
            );
            once.run(self);
            last.set(Some(seen));
            removes(seen)
        };
        let removed = self.run.map.remove_if(&key, condition, self.guard);
        let removed = removed
            .map(|removed| removed.map(|(_, value)| value.number()))
            .map_err(|(_, value)| value.number());
        // What it wants kept is what it saw, whatever happened then; what it removes is there.
        let expected = match last.get() {
            Some(seen) if !removes(seen) => Err(seen),
            _ => Ok(self.model().take(key)),
        };
        assert_eq!(removed, expected, "remove_if({key})");
        assert!(
            !matches!(removed, Ok(Some(_))) || removed == Ok(last.get()),
            "remove_if({key}) of what it has not asked about"
        );
    }

    fn compute(&self, op: &Op) {
        let Op::Compute {
            key,
            absent,
            present,
            meanwhile,
        } = op
        else {
            unreachable!("a compute");
        };
        let key = *key;
        let once = Meanwhile::new(meanwhile);
        // What the closure saw, answered and made last.
        let last = Cell::new(None);
        let done = self.run.map.compute(
            self.key(key),
            |entry| {
                let seen = entry.map(|(_, value)| value.number());
                assert_eq!(seen, self.model().get(key), "{op:?}: sees another value");
                once.run(self);
                let (value, number) = self.value(key);
                let answer = match (seen, absent, present) {
                    (None, Answer::Remove, _) => Answer::Abort,
                    (None, answer, _) | (Some(_), _, answer) => *answer,
                };
                last.set(Some((seen, answer, number)));
                match answer {
                    Answer::Insert => Operation::Insert(value),
                    Answer::Remove => Operation::Remove,
                    Answer::Abort => Operation::Abort(seen),
                }
            },
            self.guard,
        );
        let Some((seen, answer, number)) = last.get() else {
            panic!("{op:?}: without asking");
        };
        let now = self.model().get(key);
        match (answer, done) {
            (Answer::Abort, Compute::Aborted(saw)) => assert_eq!(saw, seen, "{op:?}"),
            (Answer::Insert, Compute::Inserted(_, new)) => {
                assert_eq!((now, seen, new.number()), (None, None, number), "{op:?}");
                self.model().put(key, number);
            }
            (
                Answer::Insert,
                Compute::Updated {
                    old: (_, old),
                    new: (_, new),
                },
            ) => {
                assert_eq!((now, seen), (Some(old.number()), now), "{op:?}");
                assert_eq!(new.number(), number, "{op:?}");
                self.model().put(key, number);
            }
            (Answer::Remove, Compute::Removed(_, old)) => {
                assert_eq!((now, seen), (Some(old.number()), now), "{op:?}");
                self.model().take(key);
            }
            (_, done) => panic!("{op:?}: answered {answer:?}, and was {done:?}"),
        }
    }

    /// Every way to look a key up.
    pub(super) fn look(&self, key: u64) {
        let (map, guard) = (self.run.map, self.guard);
        let expected = self.model().get(key);
        assert_eq!(
            map.get(&key, guard).map(Value::number),
            expected,
            "get({key})"
        );
        assert_eq!(
            map.contains_key(&key, guard),
            expected.is_some(),
            "contains_key({key})"
        );
        let entry = map.get_key_value(&key, guard);
        let entry = entry.map(|(key, value)| (key.id, value.number()));
        assert_eq!(
            entry,
            expected.map(|number| (key, number)),
            "get_key_value({key})"
        );
    }
}

/// What happens in the middle of an operation: once, in the first call of one of its closures.
pub(super) struct Meanwhile<'o>(Cell<&'o [Op]>);

impl<'o> Meanwhile<'o> {
    pub(super) fn new(ops: &'o [Op]) -> Self {
        Self(Cell::new(ops))
    }

    pub(super) fn run(&self, section: &Section<'_>) {
        for op in self.0.take() {
            section.step(op);
        }
    }
}
