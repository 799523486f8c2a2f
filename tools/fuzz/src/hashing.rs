//! How the keys of an input are hashed, and how much of a resize its writers take on.

use arbitrary::{Arbitrary, Result, Unstructured};
use atomshard::ResizeMode;
use core::hash::{BuildHasher, Hasher};
use evidence::hashers::{Fixed, HighBits, Identity, OneHash, OneShard, TwoHash};
use foldhash::fast::FixedState;

/// How much of a running resize a write takes on.
pub(crate) fn mode(u: &mut Unstructured<'_>) -> Result<ResizeMode> {
    Ok(match u.int_in_range(0..=31)? {
        0 => ResizeMode::Blocking,
        units => ResizeMode::Incremental(units),
    })
}

/// How keys are hashed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hashing {
    Good(u64),
    Identity,
    OneHash,
    TwoHash,
    HighBits,
    OneShard,
}

impl<'a> Arbitrary<'a> for Hashing {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=7)? {
            0..2 => Self::Good(u.int_in_range(0..=255)?),
            2 => Self::Identity,
            3 => Self::OneHash,
            4 => Self::TwoHash,
            5 => Self::HighBits,
            _ => Self::OneShard,
        })
    }
}

/// The hasher of each.
pub(crate) enum Hashed {
    Good(<FixedState as BuildHasher>::Hasher),
    Fixed(Fixed),
}

impl BuildHasher for Hashing {
    type Hasher = Hashed;
    fn build_hasher(&self) -> Hashed {
        Hashed::Fixed(match self {
            Self::Good(seed) => return Hashed::Good(FixedState::with_seed(*seed).build_hasher()),
            Self::Identity => Identity.build_hasher(),
            Self::OneHash => OneHash(7).build_hasher(),
            Self::TwoHash => TwoHash.build_hasher(),
            Self::HighBits => HighBits.build_hasher(),
            Self::OneShard => OneShard.build_hasher(),
        })
    }
}

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        match self {
            Self::Good(hasher) => hasher.finish(),
            Self::Fixed(hasher) => hasher.finish(),
        }
    }
    fn write(&mut self, bytes: &[u8]) {
        match self {
            Self::Good(hasher) => hasher.write(bytes),
            Self::Fixed(hasher) => hasher.write(bytes),
        }
    }
    fn write_u64(&mut self, word: u64) {
        match self {
            Self::Good(hasher) => hasher.write_u64(word),
            Self::Fixed(hasher) => hasher.write_u64(word),
        }
    }
}
