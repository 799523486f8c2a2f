//! `papaya::HashMap`, in both pin styles.
//!
//! Values are immutable in the map, so counting goes through an atomic in the value.
use super::{Batch, Store, Worker, hasher};
use crate::keys::Key;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use foldhash::fast::FixedState;
use papaya::{HashMap, HashMapRef, LocalGuard};

type Map<K> = HashMap<K, AtomicU64, FixedState>;
type Pinned<'b, K> = HashMapRef<'b, K, AtomicU64, FixedState, LocalGuard<'b>>;

/// Pinned for each operation.
pub(crate) struct PapayaPin<K>(Map<K>);

/// Pinned once for [`BATCH`](super::BATCH) operations.
pub(crate) struct PapayaHeld<K>(Map<K>);

/// The map, not pinned.
pub(crate) struct Unpinned<'b, K>(&'b Map<K>);

fn each<K: Key>(map: &Map<K>, mut visit: impl FnMut(&K, u64)) {
    for (key, value) in &map.pin() {
        // Relaxed: nobody else works on the map here.
        visit(key, value.load(Relaxed));
    }
}

impl<K: Key> Store<K> for PapayaPin<K> {
    type Worker<'a> = &'a Self;

    fn new(_: usize) -> Self {
        Self(HashMap::with_hasher(hasher()))
    }

    fn worker(&self, _: usize) -> &Self {
        self
    }

    fn each(&mut self, visit: impl FnMut(&K, u64)) {
        each(&self.0, visit);
    }
}

impl<K: Key> Worker<K> for &PapayaPin<K> {
    type Batch<'b>
        = Unpinned<'b, K>
    where
        Self: 'b;

    #[inline]
    fn batch(&mut self) -> Unpinned<'_, K> {
        Unpinned(&self.0)
    }
}

impl<K: Key> Batch<K> for Unpinned<'_, K> {
    #[inline]
    fn get(&mut self, key: &K::View) -> Option<u64> {
        // Relaxed: the value stands alone; the map published the entry.
        HashMapRef::get(&self.0.pin(), key).map(|value| value.load(Relaxed))
    }

    #[inline]
    fn put(&mut self, key: &K::View, value: u64) -> bool {
        self.0.pin().put(key, value)
    }

    #[inline]
    fn del(&mut self, key: &K::View) -> bool {
        self.0.pin().del(key)
    }

    #[inline]
    fn add(&mut self, key: &K::View) {
        self.0.pin().add(key);
    }
}

impl<K: Key> Store<K> for PapayaHeld<K> {
    type Worker<'a> = &'a Self;

    fn new(_: usize) -> Self {
        Self(HashMap::with_hasher(hasher()))
    }

    fn worker(&self, _: usize) -> &Self {
        self
    }

    fn each(&mut self, visit: impl FnMut(&K, u64)) {
        each(&self.0, visit);
    }
}

impl<K: Key> Worker<K> for &PapayaHeld<K> {
    type Batch<'b>
        = Pinned<'b, K>
    where
        Self: 'b;

    #[inline]
    fn batch(&mut self) -> Pinned<'_, K> {
        self.0.pin()
    }
}

impl<K: Key> Batch<K> for Pinned<'_, K> {
    #[inline]
    fn get(&mut self, key: &K::View) -> Option<u64> {
        // Relaxed: the value stands alone; the map published the entry.
        HashMapRef::get(self, key).map(|value| value.load(Relaxed))
    }

    #[inline]
    fn put(&mut self, key: &K::View, value: u64) -> bool {
        self.insert(key.to_owned(), AtomicU64::new(value)).is_none()
    }

    #[inline]
    fn del(&mut self, key: &K::View) -> bool {
        self.remove(key).is_some()
    }

    #[inline]
    fn add(&mut self, key: &K::View) {
        let count = match HashMapRef::get(self, key) {
            Some(count) => count,
            None => self.get_or_insert_with(key.to_owned(), || AtomicU64::new(0)),
        };
        // Relaxed: only the sum matters, and it is read after the threads have been joined.
        count.fetch_add(1, Relaxed);
    }
}
