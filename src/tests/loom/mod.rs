//! Models of the map's protocols. Lines have two slots, a map fans out into two shards as soon as
//! it grows, and a step of a move is one unit (`crate::sync::MODEL`).
//!
//! Readers run on the spawned thread and writers on the main one: loom 0.7 remembers one last
//! access of an atomic, and a writer's own load before its exchange hides the reader's load from
//! it, so that a reader on the main thread would be run in one order only.
//!
//! The parts of reclamation have models of their own (R1 to R5). In the models of the map nothing is
//! pinned or freed, so that half of T3 is tested under Miri. What loom does not see at all: load
//! buffering. It takes a `SeqCst` access for `AcqRel`; where the protocol needs
//! more, `fence_after_rmw` is a real fence in the model.

mod moves;
mod r1;
mod r2;
mod r3;
mod r4;
mod r5;
mod t1;
mod t2;
mod t3;
mod t5;
mod t7;
mod w1;
mod w2;
mod w3;
mod words;

use crate::map::ResizeMode;
use crate::map::shard_map::raw::{Inserted, RawMap};
use loom::cell::UnsafeCell;

/// A value whose reads loom checks against its writing.
pub(super) struct Tracked(UnsafeCell<u64>);

// SAFETY: loom's cell checks at run time what `Sync` promises: a race fails the model.
#[expect(unsafe_code, reason = "loom's cell is the checker of the race itself")]
unsafe impl Sync for Tracked {}

impl Tracked {
    pub(super) fn new(value: u64) -> Self {
        let cell = UnsafeCell::new(0);
        // SAFETY: the cell is not shared yet.
        #[expect(unsafe_code, reason = "loom's cell hands out raw pointers")]
        cell.with_mut(|place| unsafe { *place = value });
        Self(cell)
    }

    pub(super) fn get(&self) -> u64 {
        // SAFETY: written before it was published; loom checks that.
        #[expect(unsafe_code, reason = "loom's cell hands out raw pointers")]
        self.0.with(|place| unsafe { *place })
    }
}

pub(super) type Map = RawMap<u64, Tracked>;

pub(super) fn map() -> Map {
    RawMap::new(0, ResizeMode::default(), None)
}

/// Inserts or replaces; the old value.
pub(super) fn put(map: &Map, hash: u64, key: u64, value: u64) -> Option<u64> {
    let guard = map.domain().pin();
    match map.insert(hash, key, Tracked::new(value), true, &guard) {
        Inserted::New(_) => None,
        Inserted::Replaced { old, .. } => Some(old.value.get()),
        Inserted::Occupied { .. } => unreachable!("this insert replaces"),
    }
}

/// Inserts if absent; whether it did.
pub(super) fn put_new(map: &Map, hash: u64, key: u64, value: u64) -> bool {
    let guard = map.domain().pin();
    matches!(
        map.insert(hash, key, Tracked::new(value), false, &guard),
        Inserted::New(_)
    )
}

pub(super) fn get(map: &Map, hash: u64, key: u64) -> Option<u64> {
    let guard = map.domain().pin();
    map.get(hash, &key, &guard).map(|entry| entry.value.get())
}

pub(super) fn remove(map: &Map, hash: u64, key: u64) -> Option<u64> {
    let guard = map.domain().pin();
    map.remove_if(hash, &key, |_, _| true, &guard)
        .ok()
        .flatten()
        .map(|entry| entry.value.get())
}

/// How often an iteration meets `key`.
pub(super) fn count(map: &Map, key: u64) -> usize {
    let guard = map.domain().pin();
    map.iter(&guard).filter(|entry| entry.key == key).count()
}

/// Moves the map's entries to larger tables.
pub(super) fn reserve(map: &Map) {
    let guard = map.domain().pin();
    map.try_reserve(2, &guard).expect("two small tables");
}
