//! `EntryRef`: an entry of a map, kept without a guard.
use super::ShardMap;
use super::raw::Held;
use core::fmt;
use core::hash::{BuildHasher, Hash};
use core::ops::Deref;
use equivalent::Equivalent;
use std::sync::Arc;

/// What an [`EntryRef`] keeps its map by: `&ShardMap`, or `Arc<ShardMap>`. Sealed.
pub trait MapHandle: sealed::Sealed {
    /// The keys of the map.
    type Key;
    /// The values of the map.
    type Value;
}

mod sealed {
    use super::super::raw::Keeper;

    /// The part of the trait that is not for users.
    #[expect(
        unnameable_types,
        reason = "sealed: nobody else implements `MapHandle`"
    )]
    pub trait Sealed: Keeper {}
}

impl<K, V, S> sealed::Sealed for &ShardMap<K, V, S> {}
impl<K, V, S> MapHandle for &ShardMap<K, V, S> {
    type Key = K;
    type Value = V;
}
impl<K, V, S> sealed::Sealed for Arc<ShardMap<K, V, S>> {}
impl<K, V, S> MapHandle for Arc<ShardMap<K, V, S>> {
    type Key = K;
    type Value = V;
}

/// An entry of a map, kept without a guard: made by [`ShardMap::hold`] and [`ShardMap::hold_arc`].
///
/// It leads to the value, and shows the entry that was there when it was made, also after others have
/// replaced or removed it. That one entry is not freed meanwhile; a guard would hold up all garbage. So it
/// may be kept as long as one likes, and across an `.await`. It is `Send` and `Sync` if the map may be
/// shared by threads, and `'static` with an `Arc` of the map, or a map that is `'static`.
///
/// ```
/// use atomshard::ShardMap;
/// use std::sync::Arc;
///
/// let map = Arc::new(ShardMap::from([("sizes", vec![1, 2])]));
/// let sizes = map.hold_arc("sizes").expect("it was put in above");
/// map.pin().insert("sizes", vec![3]);
/// let elsewhere = std::thread::spawn(move || sizes.len());
/// assert_eq!(elsewhere.join().unwrap(), 2);
/// ```
///
/// *Progress*: lock-free. *Cost*: two words; a look-up and a read-modify-write on the entry's line, another
/// one for a clone and for its end, and one on the count of an `Arc` each time. From the first one
/// on, a map looks at each entry that was removed before it frees it: a cold line each.
///
/// An entry that is removed while it is held is dropped after its last `EntryRef` has gone: with one of the
/// next batches of the thread that removed it, by [`Guard::flush`](crate::Guard::flush), or with the map.
/// One that was held 524,287 times at once, or by an `EntryRef` that was forgotten, stays until the map
/// ends.
pub struct EntryRef<M: MapHandle>(Held<M::Key, M::Value, M>);

impl<M: MapHandle> EntryRef<M> {
    /// The key as it is in the map.
    #[inline]
    pub fn key(this: &Self) -> &M::Key {
        &this.0.entry().key
    }

    /// The value, for as long as `this` is borrowed; also by dereferencing.
    #[inline]
    pub fn value(this: &Self) -> &M::Value {
        &this.0.entry().value
    }
}

impl<M: MapHandle> Deref for EntryRef<M> {
    type Target = M::Value;

    #[inline]
    fn deref(&self) -> &M::Value {
        Self::value(self)
    }
}

impl<M: MapHandle> Clone for EntryRef<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> fmt::Debug for EntryRef<M>
where
    M: MapHandle<Key: fmt::Debug, Value: fmt::Debug>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntryRef")
            .field("key", Self::key(self))
            .field("value", Self::value(self))
            .finish()
    }
}

impl<K, V, S> ShardMap<K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    /// Holds the entry of the key: an [`EntryRef`] that borrows the map, but no guard.
    ///
    /// *Consistency*: as [`get`](Self::get).
    ///
    /// ```
    /// let map = atomshard::ShardMap::from([(1, "a".to_owned())]);
    /// let held = map.hold(&1).expect("it was put in above");
    /// assert!(map.pin().remove(&1).is_some());
    /// assert_eq!(held.as_str(), "a");
    /// assert!(map.hold(&1).is_none());
    /// ```
    pub fn hold<Q>(&self, key: &Q) -> Option<EntryRef<&Self>>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        Held::find(self, |map| &map.raw, self.hash(key), key).map(EntryRef)
    }

    /// As [`hold`](Self::hold), with a share of the map: an [`EntryRef`] that borrows nothing.
    pub fn hold_arc<Q>(self: &Arc<Self>, key: &Q) -> Option<EntryRef<Arc<Self>>>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        let hash = self.hash(key);
        Held::find(Arc::clone(self), |map| &map.raw, hash, key).map(EntryRef)
    }
}
