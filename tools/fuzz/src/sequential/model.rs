//! std's map, the lives of values, and what open iterators must yield.

use core::fmt;
use foldhash::fast::FixedState;
use std::collections::{HashMap, HashSet};

/// From keys to numbers. Hashed alike in each run, so that a run can be repeated.
pub(super) type Numbers = HashMap<u64, u64, FixedState>;

/// What the map must hold, and what it held.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// The number of each key's value.
    pub(super) now: Numbers,
    /// By number of a value.
    lives: Vec<Life>,
    /// Counts the changes.
    changes: u64,
    /// The last change by which a key that was absent came.
    came: Numbers,
    /// The last change by which a key went.
    went: Numbers,
}

/// The key of a value, and the changes that put it in and took it out.
#[derive(Debug)]
struct Life {
    key: u64,
    since: Option<u64>,
    until: Option<u64>,
}

impl Model {
    /// The number of a new value for the key.
    pub(super) fn number(&mut self, key: u64) -> u64 {
        let number = self.lives.len();
        self.lives.push(Life {
            key,
            since: None,
            until: None,
        });
        u64::try_from(number).expect("few values")
    }

    fn life(&mut self, number: u64) -> &mut Life {
        let index = usize::try_from(number).expect("a number is an index");
        &mut self.lives[index]
    }

    /// The value is now the key's; returns the one that it replaces.
    pub(super) fn put(&mut self, key: u64, number: u64) -> Option<u64> {
        self.changes += 1;
        let change = self.changes;
        let old = self.now.insert(key, number);
        match old {
            Some(old) => self.life(old).until = Some(change),
            None => drop(self.came.insert(key, change)),
        }
        let life = self.life(number);
        assert_eq!(life.key, key, "whose value it is");
        assert_eq!(life.since, None, "a value was in the map before");
        life.since = Some(change);
        old
    }

    /// The key is now absent; returns the value that it had.
    pub(super) fn take(&mut self, key: u64) -> Option<u64> {
        let old = self.now.remove(&key)?;
        self.changes += 1;
        self.life(old).until = Some(self.changes);
        self.went.insert(key, self.changes);
        Some(old)
    }

    pub(super) fn get(&self, key: u64) -> Option<u64> {
        self.now.get(&key).copied()
    }

    /// Starts to watch somebody who is to see all entries.
    pub(super) fn watch(&self) -> Watch {
        Watch {
            begun: self.changes,
            keys: self.now.keys().map(|key| (*key, 0)).collect(),
            numbers: HashSet::default(),
        }
    }
}

/// What somebody who looks at all entries has seen.
#[derive(Debug)]
pub(super) struct Watch {
    begun: u64,
    /// How often each key was seen, of those that were there at the beginning.
    keys: Numbers,
    numbers: HashSet<u64, FixedState>,
}

impl Watch {
    /// Sees a value; returns its key.
    pub(super) fn sees(&mut self, model: &mut Model, number: u64) -> u64 {
        let begun = self.begun;
        let life = model.life(number);
        let key = life.key;
        assert!(
            life.since.is_some(),
            "value {number} of {key} never was in the map"
        );
        assert!(
            life.until.is_none_or(|until| until > begun),
            "value {number} of {key} was gone before"
        );
        assert!(
            self.numbers.insert(number),
            "value {number} of {key} is seen twice"
        );
        self.sees_key(model, key);
        key
    }

    pub(super) fn sees_key(&mut self, model: &Model, key: u64) {
        match self.keys.get_mut(&key) {
            Some(seen) => *seen += 1,
            None => assert!(
                model.came.get(&key).is_some_and(|came| *came > self.begun),
                "key {key} is seen, which was absent"
            ),
        }
    }

    /// All has been seen: each key that was there throughout, once.
    pub(super) fn finish(self, model: &Model) {
        for (key, seen) in self.keys {
            if model.went.get(&key).is_none_or(|went| *went <= self.begun) {
                assert_eq!(
                    seen, 1,
                    "how often key {key} is seen, which was there throughout"
                );
            }
        }
    }
}

/// What an iterator yields: of an entry all, or a part.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    Entry(u64, u64),
    Key(u64),
    Value(u64),
}

/// An iterator that is open, and what it has yielded.
pub(super) struct Walk<'g> {
    items: Box<dyn Iterator<Item = Item> + 'g>,
    watch: Watch,
}

impl<'g> Walk<'g> {
    /// Begins with an iterator that was made just now.
    pub(super) fn new(items: impl Iterator<Item = Item> + 'g, model: &Model) -> Self {
        Self {
            items: Box::new(items),
            watch: model.watch(),
        }
    }

    /// Takes a step; false at the end.
    pub(super) fn step(&mut self, model: &mut Model) -> bool {
        let item = self.items.next();
        match item {
            Some(Item::Entry(key, number)) => {
                assert_eq!(
                    self.watch.sees(model, number),
                    key,
                    "whose value {number} is"
                );
            }
            Some(Item::Key(key)) => self.watch.sees_key(model, key),
            Some(Item::Value(number)) => {
                self.watch.sees(model, number);
            }
            None => {}
        }
        item.is_some()
    }

    /// Goes to the end, where each key that was there throughout has been seen.
    pub(super) fn finish(mut self, model: &mut Model) {
        while self.step(model) {}
        self.watch.finish(model);
    }
}

impl fmt::Debug for Walk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk")
            .field("watch", &self.watch)
            .finish_non_exhaustive()
    }
}
