//! `Serialize` and `Deserialize`: a set is a sequence of the format.
use super::{ShardSet, ShardSetRef};
use crate::map::believed_capacity;
use crate::reclaim::Guard;
use core::fmt;
use core::hash::{BuildHasher, Hash};
use core::marker::PhantomData;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

impl<K: Serialize, S, G: Guard> Serialize for ShardSetRef<'_, K, S, G> {
    fn serialize<Sr: Serializer>(&self, serializer: Sr) -> Result<Sr::Ok, Sr::Error> {
        serializer.collect_seq(self)
    }
}

impl<K: Serialize, S> Serialize for ShardSet<K, S> {
    /// *Consistency*: weak, as that of an iteration.
    fn serialize<Sr: Serializer>(&self, serializer: Sr) -> Result<Sr::Ok, Sr::Error> {
        self.pin().serialize(serializer)
    }
}

impl<'de, K, S> Deserialize<'de> for ShardSet<K, S>
where
    K: Deserialize<'de> + Hash + Eq,
    S: BuildHasher + Default,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(SetVisitor { makes: PhantomData })
    }
}

struct SetVisitor<K, S> {
    makes: PhantomData<ShardSet<K, S>>,
}

impl<'de, K, S> Visitor<'de> for SetVisitor<K, S>
where
    K: Deserialize<'de> + Hash + Eq,
    S: BuildHasher + Default,
{
    type Value = ShardSet<K, S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence of keys")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let capacity = believed_capacity(access.size_hint());
        let set = ShardSet::with_capacity_and_hasher(capacity, S::default());
        {
            let pinned = set.pin();
            while let Some(key) = access.next_element()? {
                pinned.insert(key);
            }
        }
        Ok(set)
    }
}
