//! The maps that a test can run on, behind one trait.

use crate::history::{Op, Outcome, State, mix};
use crate::key::{Key, point};
use atomshard::{Compute, Detached, Operation, ResizeMode, ShardMap};
use core::fmt::Debug;
use core::hash::BuildHasher;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A concurrent map from numbers to numbers.
#[expect(
    clippy::len_without_is_empty,
    reason = "a subject is counted, and not asked more than that"
)]
pub trait Subject: Sync {
    /// Performs one operation, which it offers, and says what it returned.
    fn apply(&self, key: u64, op: Op) -> Outcome;
    /// What it offers of these operations: the operation itself, or the one that comes nearest.
    fn offered(&self, op: Op) -> Op {
        op
    }
    /// Hands each entry to `f`, with the iteration that the map offers.
    fn each(&self, f: &mut dyn FnMut(u64, u64));
    /// Removes the entries for which `f` is false.
    fn retain(&self, f: &mut dyn FnMut(u64, u64) -> bool);
    /// Removes every entry.
    fn clear(&self);
    /// The number of entries.
    fn len(&self) -> usize;
    /// For how many entries there is room.
    fn capacity(&self) -> usize;
    /// Makes room.
    fn reserve(&self, additional: usize);
    /// Gives room back.
    fn shrink(&self);
}

/// One lock around std's map: right by construction.
#[derive(Debug, Default)]
pub struct Reference {
    map: Mutex<HashMap<u64, u64>>,
}

impl Reference {
    /// The map itself.
    pub fn lock(&self) -> MutexGuard<'_, HashMap<u64, u64>> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts a state of one key into a plain map.
pub fn store(map: &mut HashMap<u64, u64>, key: u64, state: State) {
    match state {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

impl Subject for Reference {
    fn apply(&self, key: u64, op: Op) -> Outcome {
        let mut map = self.lock();
        let (next, outcome) = op.step(map.get(&key).copied());
        store(&mut map, key, next);
        outcome
    }
    fn each(&self, f: &mut dyn FnMut(u64, u64)) {
        for (key, value) in self.lock().clone() {
            f(key, value);
        }
    }
    fn retain(&self, f: &mut dyn FnMut(u64, u64) -> bool) {
        self.lock().retain(|key, value| f(*key, *value));
    }
    fn clear(&self) {
        self.lock().clear();
    }
    fn len(&self) -> usize {
        self.lock().len()
    }
    fn capacity(&self) -> usize {
        self.lock().capacity()
    }
    fn reserve(&self, additional: usize) {
        self.lock().reserve(additional);
    }
    fn shrink(&self) {
        self.lock().shrink_to_fit();
    }
}

/// What a subject stores for a number.
pub trait Payload: Send + Sync + Debug + 'static {
    /// Stands for this number.
    fn of(value: u64) -> Self;
    /// The number; panics if the memory has been dropped or mixed up.
    fn read(&self) -> u64;
}

impl Payload for u64 {
    fn of(value: u64) -> Self {
        value
    }
    fn read(&self) -> u64 {
        *self
    }
}

/// A number that knows when it has been dropped. Has drop glue, and is larger than a word.
#[derive(Debug)]
pub struct Checked {
    value: u64,
    complement: u64,
}

impl Payload for Checked {
    fn of(value: u64) -> Self {
        Self {
            value,
            complement: !value,
        }
    }
    fn read(&self) -> u64 {
        assert_eq!(
            self.complement, !self.value,
            "a value is read after its drop, or half"
        );
        self.value
    }
}

impl Drop for Checked {
    fn drop(&mut self) {
        let value = self.read();
        // Kept from being optimized away: a reader of freed memory is to see it.
        self.complement = core::hint::black_box(value);
    }
}

/// `ShardMap` with a payload and a hasher.
#[derive(Debug)]
pub struct Sharded<V, S> {
    /// The map.
    pub map: ShardMap<Key, V, S>,
    access: Access,
}

/// How operations reach entries.
#[derive(Clone, Copy, Debug)]
enum Access {
    /// By guards of their thread.
    Pinned,
    /// By guards that may move between threads.
    OwnedGuards,
    /// As `Pinned`, but `get` holds the entry and `remove` detaches it.
    Kept,
}

impl<V, S> Sharded<V, S> {
    /// An empty map.
    pub fn new(hasher: S) -> Self {
        Self {
            map: ShardMap::with_capacity_and_hasher(0, hasher),
            access: Access::Pinned,
        }
    }

    /// An empty map that moves its tables in this way.
    pub fn with_mode(hasher: S, mode: ResizeMode) -> Self {
        let map = ShardMap::builder().hasher(hasher).resize_mode(mode).build();
        Self {
            map,
            access: Access::Pinned,
        }
    }

    /// Pinned by guards that may move between threads.
    pub fn with_owned_guards(mut self) -> Self {
        self.access = Access::OwnedGuards;
        self
    }

    /// With entries that are read by holding them, and removed by detaching them.
    pub fn with_kept_entries(mut self) -> Self {
        self.access = Access::Kept;
        self
    }
}

/// The operations under one kind of pin. Each reads what it returns before it unpins.
macro_rules! apply_pinned {
    ($map:expr, $key:expr, $op:expr) => {{
        let (map, key) = ($map, Key($key));
        match $op {
            Op::Get => Outcome::Seen(map.get(&key).map(V::read)),
            Op::Contains => Outcome::Found(map.contains_key(&key)),
            Op::Insert(v) => Outcome::Seen(map.insert(key, V::of(v)).map(V::read)),
            Op::TryInsert(v) => match map.try_insert(key, V::of(v)) {
                Ok(new) => Outcome::Added(new.read()),
                Err(e) => {
                    assert_eq!(e.not_inserted.read(), v, "try_insert returns another value");
                    Outcome::Refused(e.current.read())
                }
            },
            Op::Remove => Outcome::Seen(map.remove(&key).map(V::read)),
            Op::RemoveIfEven => of_remove_if(map.remove_if(&key, |_, v| {
                point();
                v.read() % 2 == 0
            })),
            Op::RemoveExactly(x) => of_remove_if(map.remove_if(&key, |_, v| {
                point();
                v.read() == x
            })),
            Op::Clear => {
                map.clear();
                Outcome::Found(true)
            }
            Op::Update(d) => {
                let mixed = |v: &V| {
                    point();
                    V::of(mix(v.read(), d))
                };
                Outcome::Seen(map.update(key, mixed).map(V::read))
            }
            Op::UpdateOrInsert(d) => {
                let mixed = |v: &V| {
                    point();
                    V::of(mix(v.read(), d))
                };
                Outcome::Seen(Some(map.update_or_insert(key, mixed, V::of(d)).read()))
            }
            Op::GetOrInsertWith(v) => {
                let made = || {
                    point();
                    V::of(v)
                };
                Outcome::Seen(Some(map.get_or_insert_with(key, made).read()))
            }
            Op::ComputeSet(d) => of_compute(map.compute(key, |entry| {
                point();
                Operation::<V, State>::Insert(V::of(entry.map_or(d, |(_, v)| mix(v.read(), d))))
            })),
            Op::ComputeToggle(d) => of_compute(map.compute(key, |entry| {
                point();
                match entry {
                    None => Operation::<V, State>::Insert(V::of(d)),
                    Some(_) => Operation::Remove,
                }
            })),
            Op::ComputeAbort => of_compute(map.compute(key, |entry| {
                point();
                Operation::<V, State>::Abort(entry.map(|(_, v)| v.read()))
            })),
            Op::Add(_) | Op::Delete => unreachable!("operations of sets"),
        }
    }};
}

/// What `remove_if` returns.
type RemoveIf<'g, V> = Result<Option<(&'g Key, &'g V)>, (&'g Key, &'g V)>;

fn of_remove_if<V: Payload>(done: RemoveIf<'_, V>) -> Outcome {
    match done {
        Ok(None) => Outcome::Seen(None),
        Ok(Some((_, v))) => Outcome::Taken(v.read()),
        Err((_, v)) => Outcome::Kept(v.read()),
    }
}

fn of_compute<V: Payload>(done: Compute<'_, Key, V, State>) -> Outcome {
    match done {
        Compute::Inserted(_, v) => Outcome::Added(v.read()),
        Compute::Updated {
            old: (_, old),
            new: (_, new),
        } => Outcome::Replaced {
            old: old.read(),
            new: new.read(),
        },
        Compute::Removed(_, v) => Outcome::Taken(v.read()),
        Compute::Aborted(seen) => Outcome::Seen(seen),
    }
}

impl<V: Payload, S: BuildHasher + Sync> Subject for Sharded<V, S> {
    fn apply(&self, key: u64, op: Op) -> Outcome {
        match (self.access, op) {
            (Access::Kept, Op::Get) => {
                let held = self.map.hold(&Key(key));
                point();
                Outcome::Seen(held.map(|value| value.read()))
            }
            (Access::Kept, Op::Remove) => {
                let detached = self.map.detach(&Key(key)).map(Detached::try_into_inner);
                Outcome::Seen(detached.map(|entry| match entry {
                    Ok((_, value)) => value.read(),
                    Err(shared) => shared.value().read(),
                }))
            }
            (Access::OwnedGuards, _) => apply_pinned!(self.map.pin_owned(), key, op),
            (Access::Pinned | Access::Kept, _) => apply_pinned!(self.map.pin(), key, op),
        }
    }
    fn each(&self, f: &mut dyn FnMut(u64, u64)) {
        for (key, value) in &self.map.pin() {
            f(key.0, value.read());
        }
    }
    fn retain(&self, f: &mut dyn FnMut(u64, u64) -> bool) {
        self.map.pin().retain(|key, value| {
            point();
            f(key.0, value.read())
        });
    }
    fn clear(&self) {
        self.map.pin().clear();
    }
    fn len(&self) -> usize {
        self.map.len()
    }
    fn capacity(&self) -> usize {
        self.map.capacity()
    }
    fn reserve(&self, additional: usize) {
        self.map.pin().reserve(additional);
    }
    fn shrink(&self) {
        self.map.pin().shrink_to_fit();
    }
}
