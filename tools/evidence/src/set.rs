//! `ShardSet`, of elements that are equal by their key and carry a value, which tells which of them is there.

use crate::history::{Op, Outcome};
use crate::key::Key;
use crate::subject::Subject;
use atomshard::ShardSet;
use core::borrow::Borrow;
use core::hash::{BuildHasher, Hash, Hasher};

/// An element: equal to each of the same key.
#[derive(Debug)]
struct Element {
    key: Key,
    value: u64,
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Element {}

impl Hash for Element {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl Borrow<Key> for Element {
    fn borrow(&self) -> &Key {
        &self.key
    }
}

/// A set.
#[derive(Debug)]
pub struct Elements<S> {
    set: ShardSet<Element, S>,
}

impl<S> Elements<S> {
    /// An empty set.
    pub fn new(hasher: S) -> Self {
        Self {
            set: ShardSet::with_capacity_and_hasher(0, hasher),
        }
    }
}

impl<S: BuildHasher + Sync> Subject for Elements<S> {
    fn apply(&self, key: u64, op: Op) -> Outcome {
        let (set, key) = (self.set.pin(), Key(key));
        match op {
            Op::Get => Outcome::Seen(set.get(&key).map(|element| element.value)),
            Op::Contains => Outcome::Found(set.contains(&key)),
            Op::Add(value) => Outcome::Found(set.insert(Element { key, value })),
            Op::Delete => Outcome::Found(set.remove(&key)),
            _ => unreachable!("{op:?} is of maps"),
        }
    }

    fn offered(&self, op: Op) -> Op {
        match op {
            Op::Get | Op::Contains | Op::Clear | Op::Add(_) | Op::Delete => op,
            Op::ComputeAbort => Op::Get,
            Op::Insert(value)
            | Op::TryInsert(value)
            | Op::Update(value)
            | Op::UpdateOrInsert(value)
            | Op::GetOrInsertWith(value)
            | Op::ComputeSet(value) => Op::Add(value),
            Op::Remove | Op::RemoveIfEven | Op::RemoveExactly(_) | Op::ComputeToggle(_) => {
                Op::Delete
            }
        }
    }

    fn each(&self, f: &mut dyn FnMut(u64, u64)) {
        for element in &self.set.pin() {
            f(element.key.0, element.value);
        }
    }

    fn retain(&self, f: &mut dyn FnMut(u64, u64) -> bool) {
        self.set
            .pin()
            .retain(|element| f(element.key.0, element.value));
    }

    fn clear(&self) {
        self.set.pin().clear();
    }

    fn len(&self) -> usize {
        self.set.len()
    }

    fn capacity(&self) -> usize {
        self.set.capacity()
    }

    fn reserve(&self, additional: usize) {
        self.set.pin().reserve(additional);
    }

    fn shrink(&self) {
        self.set.pin().shrink_to_fit();
    }
}
