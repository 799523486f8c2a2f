//! `Serialize` and `Deserialize`: a map is a map of the format.
use super::{Word, WordMap};
use crate::map::believed_capacity;
use core::fmt;
use core::hash::BuildHasher;
use core::marker::PhantomData;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

impl<K, V, S> Serialize for WordMap<K, V, S>
where
    K: Word + Serialize,
    V: Word + Serialize,
{
    /// *Consistency*: weak, as that of an iteration.
    fn serialize<Sr: Serializer>(&self, serializer: Sr) -> Result<Sr::Ok, Sr::Error> {
        // The entries are counted as they are written: the length may change meanwhile.
        serializer.collect_map(self)
    }
}

impl<'de, K, V, S> Deserialize<'de> for WordMap<K, V, S>
where
    K: Word + Deserialize<'de>,
    V: Word + Deserialize<'de>,
    S: BuildHasher + Default,
{
    /// Of equal keys the last one stays, as in std's map.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MapVisitor { makes: PhantomData })
    }
}

struct MapVisitor<K, V, S> {
    makes: PhantomData<WordMap<K, V, S>>,
}

impl<'de, K, V, S> Visitor<'de> for MapVisitor<K, V, S>
where
    K: Word + Deserialize<'de>,
    V: Word + Deserialize<'de>,
    S: BuildHasher + Default,
{
    type Value = WordMap<K, V, S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let map = WordMap::default();
        map.reserve(believed_capacity(access.size_hint()));
        while let Some((key, value)) = access.next_entry()? {
            map.insert(key, value);
        }
        Ok(map)
    }
}
