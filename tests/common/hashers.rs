//! Hashers that a map must survive.

use core::hash::{BuildHasher, Hasher};

/// Every key has this hash.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OneHash(pub(crate) u64);

/// Keys have one of two hashes, by their lowest bit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TwoHash;

/// The key is its hash.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Identity;

/// Only the 16 highest bits of the hash differ.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HighBits;

/// Bits of the middle only: neither the highest 16 nor the lowest 16 differ.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MiddleBits;

/// Holds the last word written and hashes it by a function without state.
#[derive(Debug)]
pub(crate) struct Fixed {
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
