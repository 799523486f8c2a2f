//! `Serialize` and `Deserialize`: a map is a map of the format.
use super::{ShardMap, ShardMapRef};
use crate::map::believed_capacity;
use crate::reclaim::Guard;
use core::fmt;
use core::hash::{BuildHasher, Hash};
use core::marker::PhantomData;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

impl<K, V, S, G> Serialize for ShardMapRef<'_, K, V, S, G>
where
    K: Serialize,
    V: Serialize,
    G: Guard,
{
    fn serialize<Sr: Serializer>(&self, serializer: Sr) -> Result<Sr::Ok, Sr::Error> {
        // The entries are counted as they are written: the length may change meanwhile.
        serializer.collect_map(self)
    }
}

impl<K, V, S> Serialize for ShardMap<K, V, S>
where
    K: Serialize,
    V: Serialize,
{
    /// *Consistency*: weak, as that of an iteration.
    fn serialize<Sr: Serializer>(&self, serializer: Sr) -> Result<Sr::Ok, Sr::Error> {
        self.pin().serialize(serializer)
    }
}

impl<'de, K, V, S> Deserialize<'de> for ShardMap<K, V, S>
where
    K: Deserialize<'de> + Hash + Eq,
    V: Deserialize<'de>,
    S: BuildHasher + Default,
{
    /// Of equal keys the last one stays, as in std's map.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MapVisitor { makes: PhantomData })
    }
}

struct MapVisitor<K, V, S> {
    makes: PhantomData<ShardMap<K, V, S>>,
}

impl<'de, K, V, S> Visitor<'de> for MapVisitor<K, V, S>
where
    K: Deserialize<'de> + Hash + Eq,
    V: Deserialize<'de>,
    S: BuildHasher + Default,
{
    type Value = ShardMap<K, V, S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let capacity = believed_capacity(access.size_hint());
        let map = ShardMap::with_capacity_and_hasher(capacity, S::default());
        {
            let pinned = map.pin();
            while let Some((key, value)) = access.next_entry()? {
                pinned.insert(key, value);
            }
        }
        Ok(map)
    }
}
