//! Values that know when they were dropped, and the hashing of keys that the input chooses.

use core::hash::{BuildHasher, Hasher};
use evidence::drops::{Ledger, Token};
use evidence::hashers::{Fixed, HighBits, Identity, OneHash, OneShard, TwoHash};
use evidence::subject::{Checked, Payload as _};
use foldhash::fast::FixedState;
use std::sync::Arc;

/// A number that no other value of the run has. Its drop is entered in the ledger, and a read after it panics.
#[derive(Debug)]
pub(super) struct Value {
    number: Checked,
    token: Token,
}

impl Value {
    pub(super) fn new(number: u64, ledger: &Arc<Ledger>) -> Self {
        Self {
            number: Checked::of(number),
            token: Token::new(ledger),
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.number.read()
    }
}

impl Clone for Value {
    fn clone(&self) -> Self {
        Self {
            number: Checked::of(self.number()),
            token: self.token.clone(),
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.number() == other.number()
    }
}

/// How keys are hashed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hashing {
    Good(u64),
    Identity,
    OneHash,
    TwoHash,
    HighBits,
    OneShard,
}

/// The hasher of each.
pub(super) enum Hashed {
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
