//! Keys to hashes, one to one, and back.
//!
//! ```text
//! mixed = ((key ^ mask) * first, its upper half added to the lower by exclusive or) * second
//! ```
//! The upper bits of the first product depend on all bits of the key, and those of the second on all of the first. Both
//! factors are odd, so each step can be undone: two keys never have one hash, and the hash is all that is stored.
//!
//! Source: Knuth, The Art of Computer Programming, volume 3, section 6.4 (multiplication); the shape of the
//! finalizer of Appleby's MurmurHash3, with one step less and with a key.

/// A keyed bijection of words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mixer {
    mask: u64,
    factors: [u64; 2],
    inverses: [u64; 2],
}

impl Mixer {
    /// The one of these seeds.
    pub(crate) fn new(seeds: [u64; 3]) -> Self {
        let [mask, first, second] = seeds.map(spread);
        let factors = [first | 1, second | 1];
        let inverses = factors.map(inverse);
        Self {
            mask,
            factors,
            inverses,
        }
    }

    /// The hash of a key.
    #[inline]
    pub(crate) fn mix(&self, key: u64) -> u64 {
        let product = (key ^ self.mask).wrapping_mul(self.factors[0]);
        (product ^ product >> 32).wrapping_mul(self.factors[1])
    }

    /// The key of a hash.
    #[inline]
    pub(crate) fn unmix(&self, mixed: u64) -> u64 {
        let folded = mixed.wrapping_mul(self.inverses[1]);
        (folded ^ folded >> 32).wrapping_mul(self.inverses[0]) ^ self.mask
    }
}

/// The number with which an odd one has the product 1: each step doubles the bits that are right, of which there
/// are three at first.
fn inverse(odd: u64) -> u64 {
    (0..5).fold(odd, |inverse, _| {
        inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)))
    })
}

/// Makes a seed of any quality one whose bits are as good as random: a hasher may be no hasher at all.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014), the finalizer of SplitMix64.
fn spread(seed: u64) -> u64 {
    let seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let seed = (seed ^ seed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ seed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ seed >> 31
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Mixer;

    #[test]
    fn miri_every_key_comes_back() {
        for seed in 0..20 {
            let mixer = Mixer::new([seed, seed ^ 7, 3 * seed]);
            let keys = (0..64).flat_map(|bit| [1_u64 << bit, !(1 << bit), (1 << bit) - 1]);
            for key in keys {
                assert_eq!(mixer.unmix(mixer.mix(key)), key, "seed {seed}");
            }
        }
    }

    /// Regular keys fill shards and lines as random ones do: the sum of squares over 2^12 places, of which each
    /// expects 16, is 2^16 * 17 for random ones, with a deviation of 2^16 * 16 * sqrt(2 / 2^12).
    #[test]
    fn regular_keys_are_spread_over_the_upper_bits() {
        const KEYS: u64 = 1 << 16;
        let mixer = Mixer::new([1, 2, 3]);
        let strides = [
            1,
            8,
            64,
            4096,
            1 << 20,
            1 << 32,
            1 << 44,
            0x0001_0001_0001_0001,
        ];
        for stride in strides {
            let mut places = vec![0_u64; 1 << 12];
            for i in 0..KEYS {
                let mixed = mixer.mix(stride * i);
                places[usize::try_from(mixed >> 52).expect("12 bits")] += 1;
            }
            let squares: u64 = places.iter().map(|count| count * count).sum();
            let limit = (KEYS * 17) + 8 * (KEYS * 16 / 45);
            assert!(
                squares < limit,
                "stride {stride:#x}: {squares}, over {limit}"
            );
        }
    }
}
