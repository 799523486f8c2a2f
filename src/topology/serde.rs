//! `Serialize` and `Deserialize`: a policy is its text, a plan is a table of three keys.
use super::{Plan, Policy};
use core::fmt;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeStruct as _, Serializer};

/// The keys of a plan, in order.
const KEYS: [&str; 3] = ["policy", "threads", "shards"];

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut table = serializer.serialize_struct("Plan", KEYS.len())?;
        table.serialize_field(KEYS[0], &self.policy)?;
        table.serialize_field(KEYS[1], &self.threads)?;
        table.serialize_field(KEYS[2], &self.shards)?;
        table.end()
    }
}

impl<'de> Deserialize<'de> for Plan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Plan", &KEYS, PlanVisitor)
    }
}

/// The place of a key in [`KEYS`]. It refuses other keys itself, since then the format knows the line.
struct Key(usize);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = String::deserialize(deserializer)?;
        let place = KEYS.iter().position(|known| *known == key);
        place
            .map(Self)
            .ok_or_else(|| D::Error::unknown_field(&key, &KEYS))
    }
}

struct PlanVisitor;

impl<'de> Visitor<'de> for PlanVisitor {
    type Value = Plan;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table with policy, threads and shards")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut table: M) -> Result<Plan, M::Error> {
        let (mut policy, mut threads, mut shards) = (None, None, None);
        while let Some(Key(key)) = table.next_key()? {
            match key {
                0 => once(&mut policy, KEYS[0], table.next_value()?)?,
                1 => once(&mut threads, KEYS[1], table.next_value()?)?,
                _ => once(&mut shards, KEYS[2], table.next_value()?)?,
            }
        }
        Ok(Plan {
            policy: policy.ok_or_else(|| M::Error::missing_field(KEYS[0]))?,
            threads: threads.ok_or_else(|| M::Error::missing_field(KEYS[1]))?,
            shards: shards.ok_or_else(|| M::Error::missing_field(KEYS[2]))?,
        })
    }
}

fn once<T, E: Error>(slot: &mut Option<T>, key: &'static str, value: T) -> Result<(), E> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::duplicate_field(key)),
    }
}
