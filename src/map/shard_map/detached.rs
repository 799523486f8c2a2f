//! `Detached`: an entry that was taken out of its map as a whole.
use super::ShardMap;
use super::raw::{self, Entry};
use core::fmt;
use core::hash::{BuildHasher, Hash};
use equivalent::Equivalent;

/// An entry that was removed and is the caller's: made by [`ShardMap::detach`].
///
/// Others who found it before may still read it. When the last of them has gone,
/// [`try_into_inner`](Self::try_into_inner) gives out the key and the value themselves. If it is
/// dropped, the entry goes as one that was removed.
///
/// What is forgotten is dropped never.
#[must_use = "an entry that is dropped was merely removed"]
pub struct Detached<'map, K, V>(raw::Detached<'map, K, V>);

impl<K, V> Detached<'_, K, V> {
    /// The key as it was in the map.
    #[must_use]
    pub fn key(&self) -> &K {
        &self.0.entry().key
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &V {
        &self.0.entry().value
    }

    /// The key and the value, if nobody else can see them any more.
    ///
    /// Who could see them is decided by the first call: the guards that are alive then, of any map, and who
    /// [holds](ShardMap::hold) the entry. So a caller that has a guard of its own gets them after it has
    /// gone.
    ///
    /// *Progress*: lock-free; it never waits. *Cost*: the first call is a barrier on all threads of the
    /// process and one load for each that uses maps; another call is one load for each guard that is still
    /// awaited.
    ///
    /// # Errors
    /// The entry itself: somebody may still see it, or the kernel has refused the barrier. Try
    /// again later, or let it go.
    pub fn try_into_inner(self) -> Result<(K, V), Self> {
        let Entry { key, value, .. } = self.0.try_read_out().map_err(Self)?;
        Ok((key, value))
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Detached<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detached")
            .field("key", self.key())
            .field("value", self.value())
            .finish()
    }
}

impl<K, V, S> ShardMap<K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    /// Removes the key and hands out its entry as a whole: the way to a value that one owns.
    ///
    /// *Consistency, progress, cost*: as [`remove`](Self::remove), which is to be preferred where a reference
    /// to the value is enough.
    ///
    /// ```
    /// let map = atomshard::ShardMap::from([("job", vec![1, 2])]);
    /// let job = map.detach("job").expect("it was put in above");
    /// assert!(map.is_empty());
    /// match job.try_into_inner() {
    ///     Ok((_, mut owned)) => owned.push(3),
    ///     Err(shared) => assert_eq!(shared.value().len(), 2),
    /// }
    /// ```
    pub fn detach<Q>(&self, key: &Q) -> Option<Detached<'_, K, V>>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.raw.detach(self.hash(key), key).map(Detached)
    }
}
