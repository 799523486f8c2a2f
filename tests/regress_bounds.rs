//! What may cross threads: the bounds of the types, checked by the compiler.
//!
//! papaya #41, #42: variance of keys and values, and `Sync` bounds that were too weak. The
//! variance is checked by the `compile_fail` examples of the documentation of `ShardMap` and `WordMap`; what follows
//! are their bounds, in both directions.

use atomshard::{LocalGuard, OwnedGuard, ShardMap, ShardMapRef, Word, WordMap, WordSet};
use core::cell::Cell;
use core::marker::PhantomData;
use static_assertions::{assert_impl_all, assert_not_impl_any};
use std::collections::hash_map::RandomState;
use std::rc::Rc;
use std::sync::{Arc, MutexGuard};

/// `Send`, not `Sync`.
type SendOnly = Cell<u8>;
/// `Sync`, not `Send`.
type SyncOnly = MutexGuard<'static, u8>;
/// Neither.
type Neither = Rc<u8>;

/// A hasher that must not be shared.
#[derive(Clone, Default)]
struct Unshared(PhantomData<Neither>);

assert_impl_all!(ShardMap<u64, String>: Send, Sync, Unpin);
assert_impl_all!(ShardMap<Arc<u8>, Vec<u8>>: Send, Sync);

// To own one thread at a time, `Send` is enough; to share, it needs both.
assert_impl_all!(ShardMap<u8, SendOnly>: Send);
assert_not_impl_any!(ShardMap<u8, SendOnly>: Sync);
assert_impl_all!(ShardMap<SendOnly, u8>: Send);
assert_not_impl_any!(ShardMap<SendOnly, u8>: Sync);

// An entry is dropped by whoever removes it: `Sync` alone is not enough for anything.
assert_not_impl_any!(ShardMap<u8, SyncOnly>: Send, Sync);
assert_not_impl_any!(ShardMap<SyncOnly, u8>: Send, Sync);
assert_not_impl_any!(ShardMap<u8, Neither>: Send, Sync);
assert_not_impl_any!(ShardMap<Neither, u8>: Send, Sync);
assert_not_impl_any!(ShardMap<u8, u8, Unshared>: Send, Sync);

// A pin belongs to its thread, unless it was made to move.
assert_not_impl_any!(LocalGuard<'static>: Send);
assert_impl_all!(OwnedGuard<'static>: Send, Sync);
type Pinned<G> = ShardMapRef<'static, u64, u64, RandomState, G>;
assert_not_impl_any!(Pinned<LocalGuard<'static>>: Send);
assert_impl_all!(Pinned<OwnedGuard<'static>>: Send, Sync);
type PinnedUnshared<V> = ShardMapRef<'static, u64, V, RandomState, OwnedGuard<'static>>;
assert_not_impl_any!(PinnedUnshared<SendOnly>: Send, Sync);
assert_not_impl_any!(PinnedUnshared<SyncOnly>: Send, Sync);

// What an iterator hands out is shared.
type Iter<K, V, G> = atomshard::map::shard_map::Iter<'static, K, V, G>;
assert_not_impl_any!(Iter<u64, SendOnly, OwnedGuard<'static>>: Send, Sync);
assert_not_impl_any!(Iter<SendOnly, u64, OwnedGuard<'static>>: Send, Sync);
type IntoIter<K, V> = atomshard::map::shard_map::IntoIter<K, V>;
assert_impl_all!(IntoIter<u64, SendOnly>: Send);
assert_not_impl_any!(IntoIter<u64, Neither>: Send);

/// A word that may be sent and shared as `T` may.
#[derive(Clone, Copy)]
struct Like<T>(u8, PhantomData<T>);

impl<T: Copy> Word for Like<T> {
    type Primitive = u8;
    fn into_primitive(self) -> u8 {
        self.0
    }
    fn from_primitive(primitive: u8) -> Self {
        Self(primitive, PhantomData)
    }
}

// Words are copied from thread to thread, never shared: `Send` is enough for everything, `Sync` for nothing.
assert_impl_all!(WordMap<u64, f32>: Send, Sync, Unpin);
assert_impl_all!(WordMap<Like<SendOnly>, Like<SendOnly>>: Send, Sync);
assert_impl_all!(WordSet<Like<SendOnly>>: Send, Sync, Unpin);
assert_not_impl_any!(WordMap<u8, Like<SyncOnly>>: Send, Sync);
assert_not_impl_any!(WordMap<Like<SyncOnly>, u8>: Send, Sync);
assert_not_impl_any!(WordMap<u8, Like<Neither>>: Send, Sync);
assert_not_impl_any!(WordMap<*const u8, u8>: Send, Sync);
assert_not_impl_any!(WordSet<*mut u8>: Send, Sync);
assert_not_impl_any!(WordMap<u8, u8, Unshared>: Send, Sync);
assert_not_impl_any!(WordSet<u8, Unshared>: Send, Sync);
// The iterators pin their thread.
assert_not_impl_any!(atomshard::map::word_map::Iter<'static, u8, u8, RandomState>: Send);
assert_not_impl_any!(atomshard::map::word_map::Keys<'static, u8, u8, RandomState>: Send);
assert_not_impl_any!(atomshard::map::word_map::Values<'static, u8, u8, RandomState>: Send);
assert_not_impl_any!(atomshard::map::word_set::Iter<'static, u8, RandomState>: Send);

/// A map of values that may only be sent can be used by one thread after another.
#[test]
fn a_map_of_unshareable_values_can_move() {
    let map: ShardMap<u8, SendOnly> = ShardMap::new();
    map.pin().insert(1, Cell::new(1));
    let map = std::thread::spawn(move || {
        map.pin().get(&1).expect("there").set(2);
        map.pin().insert(2, Cell::new(3));
        map
    })
    .join()
    .expect("no panic");
    let sum: u8 = map.pin().values().map(Cell::get).sum();
    assert_eq!(sum, 5);
}
