//! `Serialize` and `Deserialize`: a set is a sequence of the format.
use super::WordSet;
use crate::map::{Word, believed_capacity};
use core::fmt;
use core::hash::BuildHasher;
use core::marker::PhantomData;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

impl<K: Word + Serialize, S> Serialize for WordSet<K, S> {
    /// *Consistency*: weak, as that of an iteration.
    fn serialize<Sr: Serializer>(&self, serializer: Sr) -> Result<Sr::Ok, Sr::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de, K, S> Deserialize<'de> for WordSet<K, S>
where
    K: Word + Deserialize<'de>,
    S: BuildHasher + Default,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(SetVisitor { makes: PhantomData })
    }
}

struct SetVisitor<K, S> {
    makes: PhantomData<WordSet<K, S>>,
}

impl<'de, K, S> Visitor<'de> for SetVisitor<K, S>
where
    K: Word + Deserialize<'de>,
    S: BuildHasher + Default,
{
    type Value = WordSet<K, S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence of keys")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let set = WordSet::default();
        set.reserve(believed_capacity(access.size_hint()));
        while let Some(key) = access.next_element()? {
            set.insert(key);
        }
        Ok(set)
    }
}
