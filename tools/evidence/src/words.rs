//! `WordMap`, whose keys are chosen so that they share a line, a shard, or nothing.

use crate::history::{Op, Outcome, mix};
use crate::key::point;
use crate::subject::Subject;
use atomshard::WordMap;
use core::hash::{BuildHasher, Hasher};

/// Makes the map's mixing as good as none: the upper half of a key is that of its hash. Keys then decide by themselves
/// where they lie.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unmixed;

/// Answers the map's three questions.
#[derive(Debug, Default)]
pub struct Answer(u64);

/// What the map makes the mask 0 of, and what the factor 1: its finalizer, undone.
const ANSWERS: [u64; 3] = [
    0x61c8_8646_80b5_83eb,
    0xf836_4607_e9c9_49bd,
    0xf836_4607_e9c9_49bd,
];

impl Hasher for Answer {
    fn finish(&self) -> u64 {
        usize::try_from(self.0).map_or(0, |number| ANSWERS[number % ANSWERS.len()])
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("the map hashes numbers");
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

impl BuildHasher for Unmixed {
    type Hasher = Answer;
    fn build_hasher(&self) -> Answer {
        Answer(0)
    }
}

/// Where keys lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Anywhere.
    Anywhere,
    /// All in one shard, parted one by one as its table doubles.
    OneShard,
    /// All in one line, however large the table is.
    OneLine,
}

impl Lie {
    /// The key of the map for a number: of 36 bits, and four upper ones.
    #[must_use]
    pub fn place(self, number: u64) -> u64 {
        match self {
            Self::Anywhere | Self::OneLine => number,
            // Behind the five bits that choose the shard; the number itself below, where it parts nothing.
            Self::OneShard => {
                let itself = number & LOWER | number >> 60 << 36;
                number.reverse_bits() >> 5 & !BELOW | itself
            }
        }
    }

    /// And back.
    fn number(self, key: u64) -> u64 {
        match self {
            Self::Anywhere | Self::OneLine => key,
            Self::OneShard => key & LOWER | (key & BELOW) >> 36 << 60,
        }
    }
}

/// Where a key of one shard has its number.
const BELOW: u64 = (1 << 40) - 1;
/// And there the lower bits of it.
const LOWER: u64 = (1 << 36) - 1;

/// A map of words.
#[derive(Debug)]
pub struct Words<S> {
    map: WordMap<u64, u64, S>,
    lie: Lie,
}

impl<S: BuildHasher> Words<S> {
    /// An empty map whose keys lie anywhere.
    pub fn new(hasher: S) -> Self {
        Self {
            map: WordMap::with_hasher(hasher),
            lie: Lie::Anywhere,
        }
    }
}

impl Words<Unmixed> {
    /// An empty map whose keys lie there.
    #[must_use]
    pub fn that_lie(lie: Lie) -> Self {
        Self {
            map: WordMap::with_hasher(Unmixed),
            lie,
        }
    }
}

impl<S: Sync> Subject for Words<S> {
    fn apply(&self, key: u64, op: Op) -> Outcome {
        let (map, key) = (&self.map, self.lie.place(key));
        let of_remove_if = |done: Result<Option<u64>, u64>| match done {
            Ok(None) => Outcome::Seen(None),
            Ok(Some(value)) => Outcome::Taken(value),
            Err(value) => Outcome::Kept(value),
        };
        let mixed = |d: u64| {
            move |value| {
                point();
                mix(value, d)
            }
        };
        match op {
            Op::Get => Outcome::Seen(map.get(key)),
            Op::Contains => Outcome::Found(map.contains(key)),
            Op::Insert(value) => Outcome::Seen(map.insert(key, value)),
            Op::TryInsert(value) => match map.insert_if_absent(key, value) {
                Ok(()) => Outcome::Added(value),
                Err(current) => Outcome::Refused(current),
            },
            Op::Remove => Outcome::Seen(map.remove(key)),
            Op::RemoveIfEven => of_remove_if(map.remove_if(key, |value| {
                point();
                value % 2 == 0
            })),
            Op::RemoveExactly(exact) => of_remove_if(map.remove_if(key, |value| value == exact)),
            Op::Clear => {
                map.clear();
                Outcome::Found(true)
            }
            Op::Update(d) => {
                let old = map.fetch_update(key, |value| Some(mixed(d)(value)));
                Outcome::Seen(old.ok().map(|old| mix(old, d)))
            }
            Op::UpdateOrInsert(d) => Outcome::Seen(Some(map.update_or_insert(key, mixed(d), d))),
            Op::GetOrInsertWith(value) => Outcome::Seen(Some(map.get_or_insert_with(key, || {
                point();
                value
            }))),
            _ => unreachable!("{op:?} is not of words"),
        }
    }

    fn offered(&self, op: Op) -> Op {
        match op {
            Op::ComputeSet(d) | Op::Add(d) => Op::UpdateOrInsert(d),
            Op::ComputeToggle(_) | Op::Delete => Op::Remove,
            Op::ComputeAbort => Op::Get,
            op => op,
        }
    }

    fn each(&self, f: &mut dyn FnMut(u64, u64)) {
        for (key, value) in &self.map {
            f(self.lie.number(key), value);
        }
    }

    fn retain(&self, f: &mut dyn FnMut(u64, u64) -> bool) {
        self.map.retain(|key, value| f(self.lie.number(key), value));
    }

    fn clear(&self) {
        self.map.clear();
    }

    fn len(&self) -> usize {
        self.map.len()
    }

    fn capacity(&self) -> usize {
        self.map.capacity()
    }

    fn reserve(&self, additional: usize) {
        self.map.reserve(additional);
    }

    fn shrink(&self) {
        self.map.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::{Lie, Words};
    use crate::history::Op;
    use crate::subject::Subject as _;

    /// Were the map's finalizer another, keys would lie anywhere, and tests with them be weaker.
    #[test]
    fn keys_lie_where_they_are_to() {
        let capacity_with = |lie, keys| {
            let words = Words::that_lie(lie);
            for key in 0..keys {
                words.apply(key, Op::Insert(key));
            }
            words.capacity()
        };
        let one = capacity_with(Lie::OneLine, 1);
        assert!(
            capacity_with(Lie::OneLine, 4) == one,
            "one line of one shard"
        );
        assert!(capacity_with(Lie::OneShard, 4) == one, "one shard");
        let lie = Lie::OneShard;
        for number in [0, 1, 77, 1 << 20, 1 << 60 | 5] {
            assert_eq!(lie.number(lie.place(number)), number);
            assert_eq!(lie.place(number) >> 59, 0, "the first shard");
        }
        assert_ne!(lie.place(1) >> 57, lie.place(2) >> 57);
    }
}
