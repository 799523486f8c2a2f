//! Hashers that a map must survive.

use core::hash::{BuildHasher, Hasher};

/// Every key has this hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct OneHash(pub u64);

/// Keys have one of two hashes, by their lowest bit.
#[derive(Clone, Copy, Debug, Default)]
pub struct TwoHash;

/// The key is its hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity;

/// Only the 16 highest bits of the hash differ.
#[derive(Clone, Copy, Debug, Default)]
pub struct HighBits;

/// Bits of the middle only: neither the highest 16 nor the lowest 16 differ.
#[derive(Clone, Copy, Debug, Default)]
pub struct MiddleBits;

/// Spreads keys well, but over one shard only: what the map does to a hash first is undone, and
/// the bits that choose the shard are zero. The table of that shard is then large for few keys, so that its
/// moves take many steps, and operations meet it half moved.
#[derive(Clone, Copy, Debug, Default)]
pub struct OneShard;

/// The factor by which the map multiplies hashes, and its inverse modulo 2^64. (Were the factor
/// another, [`OneShard`] would be a hasher like any other, and tests with it weaker.)
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
const INVERSE: u64 = {
    // Newton's iteration: each step doubles the number of right bits.
    let mut inverse: u64 = FACTOR;
    let mut step = 0;
    while step < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(FACTOR.wrapping_mul(inverse)));
        step += 1;
    }
    assert!(FACTOR.wrapping_mul(inverse) == 1);
    inverse
};

/// Bits of the hash that choose the shard.
const SHARD_BITS: u32 = if cfg!(miri) { 2 } else { 5 };

/// A hash of `word` by which the map takes it to its first shard.
#[must_use]
pub fn in_first_shard(word: u64) -> u64 {
    let mixed = (word ^ word >> 31).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    let mixed = (mixed ^ mixed >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (mixed >> SHARD_BITS).wrapping_mul(INVERSE)
}

/// Holds the last word written and hashes it by a function without state.
#[derive(Debug)]
pub struct Fixed {
    word: u64,
    of: fn(u64, u64) -> u64,
    with: u64,
}

impl Hasher for Fixed {
    fn finish(&self) -> u64 {
        (self.of)(self.word, self.with)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.word = self.word.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.word = word;
    }
}

impl BuildHasher for OneHash {
    type Hasher = Fixed;
    fn build_hasher(&self) -> Fixed {
        Fixed {
            word: 0,
            of: |_, with| with,
            with: self.0,
        }
    }
}

impl BuildHasher for TwoHash {
    type Hasher = Fixed;
    fn build_hasher(&self) -> Fixed {
        Fixed {
            word: 0,
            of: |w, _| {
                if w % 2 == 0 {
                    0x0123_4567_89AB_CDEF
                } else {
                    77
                }
            },
            with: 0,
        }
    }
}

impl BuildHasher for Identity {
    type Hasher = Fixed;
    fn build_hasher(&self) -> Fixed {
        Fixed {
            word: 0,
            of: |w, _| w,
            with: 0,
        }
    }
}

impl BuildHasher for HighBits {
    type Hasher = Fixed;
    fn build_hasher(&self) -> Fixed {
        Fixed {
            word: 0,
            of: |w, _| w << 48,
            with: 0,
        }
    }
}

impl BuildHasher for OneShard {
    type Hasher = Fixed;
    fn build_hasher(&self) -> Fixed {
        Fixed {
            word: 0,
            of: |w, _| in_first_shard(w),
            with: 0,
        }
    }
}

impl BuildHasher for MiddleBits {
    type Hasher = Fixed;
    fn build_hasher(&self) -> Fixed {
        Fixed {
            word: 0,
            of: |w, _| (w & 0xFFFF_FFFF) << 16,
            with: 0,
        }
    }
}
