//! The operations on a set, compared with std's.

use super::input::{End, Input, Op, Wave};
use crate::hashing::Hashing;
use atomshard::{Guard as _, LocalGuard, ShardSet};
use evidence::drops::{Ledger, TokenKey};
use foldhash::fast::FixedState;
use std::collections::HashSet;
use std::sync::Arc;

type Set = ShardSet<TokenKey, Hashing>;
type Model = HashSet<u64, FixedState>;

/// Runs an input on a set: of operations on a map, the part that concerns keys.
pub(super) fn run(input: &Input, ledger: &Arc<Ledger>) {
    let setting = &input.setting;
    let set = ShardSet::builder()
        .hasher(setting.hashing)
        .resize_mode(setting.mode)
        .capacity(setting.capacity)
        .build();
    let mut model = Model::default();
    let mut guard = set.guard();
    for op in &input.ops {
        match op {
            Op::Refresh => guard.refresh(),
            Op::Renew => guard = set.guard(),
            op => Pair {
                set: &set,
                guard: &guard,
                ledger,
                model: &mut model,
            }
            .step(op),
        }
        assert_eq!(set.len(), model.len(), "the length after {op:?}");
    }
    compare(&set, &guard, &model);
    for key in 0..setting.keys {
        assert_eq!(
            set.contains(&key, &guard),
            model.contains(&key),
            "contains({key})"
        );
    }
    drop(guard);
    match setting.end {
        End::Drop => drop(set),
        End::IntoIter => assert_eq!(taken_apart(set, usize::MAX), model),
        End::IntoSome(most) => {
            let some = taken_apart(set, most);
            assert_eq!(some.len(), most.min(model.len()));
            assert!(some.is_subset(&model), "{some:?} came out of {model:?}");
        }
    }
}

/// A set beside its model.
struct Pair<'a> {
    set: &'a Set,
    guard: &'a LocalGuard<'a>,
    ledger: &'a Arc<Ledger>,
    model: &'a mut Model,
}

impl Pair<'_> {
    fn step(&mut self, op: &Op) {
        let (set, guard) = (self.set, self.guard);
        match op {
            Op::Insert(key)
            | Op::TryInsert(key)
            | Op::TryInsertWith(key, _)
            | Op::GetOrInsert(key)
            | Op::GetOrInsertWith(key, _)
            | Op::Update(key, _)
            | Op::UpdateOrInsert(key, _) => self.insert(*key),
            Op::Remove(key) | Op::RemoveEntry(key) | Op::RemoveIf(key, ..) => self.remove(*key),
            Op::Look(key) | Op::Hold(key) | Op::Compute { key, .. } => {
                let found = set.get(key, guard).map(|key| key.id);
                assert_eq!(found, self.model.get(key).copied(), "{op:?}");
                assert_eq!(set.contains(key, guard), found.is_some(), "{op:?}");
            }
            Op::Up(Wave(keys), _) => keys.clone().for_each(|key| self.insert(key)),
            Op::Down(Wave(keys)) => keys.clone().for_each(|key| self.remove(key)),
            Op::Extend(Wave(keys)) => {
                let mut target = set;
                target.extend(keys.clone().map(|key| TokenKey::new(key, self.ledger)));
                self.model.extend(keys.clone());
            }
            Op::Retain(rest, divisor, _) => {
                set.retain(|key| key.id % divisor != *rest, guard);
                self.model.retain(|key| key % divisor != *rest);
            }
            Op::Clear => {
                set.clear(guard);
                self.model.clear();
            }
            Op::Reserve(room) => {
                set.reserve(*room, guard);
                assert!(set.capacity() >= self.model.len() + room, "{op:?}");
            }
            Op::TryReserve(room) => assert_eq!(set.try_reserve(*room, guard), Ok(()), "{op:?}"),
            Op::ReserveTooMuch => assert!(set.try_reserve(usize::MAX, guard).is_err(), "{op:?}"),
            Op::Shrink => set.shrink_to_fit(guard),
            Op::Flush => guard.flush(),
            Op::Open(_) | Op::Walk(..) | Op::Compare => compare(set, guard, self.model),
            Op::Clone => {
                let copy = set.clone();
                assert!(copy == *set, "a clone is not equal");
                assert_eq!(taken_apart(copy, usize::MAX), *self.model, "a clone");
            }
            Op::Refresh | Op::Renew => unreachable!("a guard does not end in an operation"),
        }
    }

    fn insert(&mut self, key: u64) {
        let is_new = self.set.insert(TokenKey::new(key, self.ledger), self.guard);
        assert_eq!(is_new, self.model.insert(key), "insert({key})");
    }

    fn remove(&mut self, key: u64) {
        let was_there = self.set.remove(&key, self.guard);
        assert_eq!(was_there, self.model.remove(&key), "remove({key})");
    }
}

fn compare(set: &Set, guard: &LocalGuard<'_>, model: &Model) {
    let keys = collected(set.iter(guard).map(|key| key.id));
    assert_eq!(keys, *model, "what the iterator yields");
    assert_eq!(set.is_empty(), model.is_empty());
}

/// The keys of a set that ends, at most so many.
fn taken_apart(set: Set, most: usize) -> Model {
    let keys = set.into_iter().take(most);
    collected(keys.map(|key| key.id))
}

/// Keys, none of which comes twice.
fn collected(keys: impl Iterator<Item = u64>) -> Model {
    let mut all = Model::default();
    for key in keys {
        assert!(all.insert(key), "key {key} comes twice");
    }
    all
}
