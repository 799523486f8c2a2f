//! How a hash is read, in constant shifts from the top:
//!
//! ```text
//! | shard, 5 bits | line number, line_bits bits, of any length ...                 |
//!                 |  11 bits    | tag, 15 bits |                                      |
//! ```
//!
//! The tag's place is fixed. Tables of 2^11 to 2^25 lines find the bit by which they double in
//! the tag, without a look at the entry; smaller tables look, and have their entries in the cache.

use crate::sync::MODEL;

/// Hash bits that choose the shard. Few under Miri, where tens of entries are to fan a map out.
pub(crate) const SHARD_BITS: u32 = match (MODEL, cfg!(miri)) {
    (true, _) => 1,
    (false, true) => 2,
    (false, false) => 5,
};
/// Bits of hash kept in a member word.
pub(crate) const TAG_BITS: u32 = 15;
/// Bits between the shard's and the tag's.
const TAG_START: u32 = 11;
/// Most lines of a table, as a power of two.
pub(crate) const MAX_LINE_BITS: u32 = 40;

/// The shard of `hash`.
#[inline]
pub(crate) fn shard(hash: u64) -> usize {
    (hash >> (64 - SHARD_BITS)) as usize
}

/// The bits of `hash` after the shard's, at the upper end.
#[inline]
pub(crate) fn rest(hash: u64) -> u64 {
    hash << SHARD_BITS
}

/// The uppermost `bits` bits, none included.
#[inline]
pub(crate) fn top_bits(value: u64, bits: u32) -> u64 {
    (value >> 1) >> (63 - bits)
}

/// The tag of `hash`.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "masked to 15 bits")]
pub(crate) fn tag(hash: u64) -> u16 {
    (hash >> (64 - SHARD_BITS - TAG_START - TAG_BITS)) as u16 & ((1 << TAG_BITS) - 1)
}

/// The bits of line number that a table of `2^into` lines has more than one of `2^from`, from the
/// tag; `None` if the tag does not hold them.
#[inline]
pub(crate) fn grown_bits(tag: u16, from: u32, into: u32) -> Option<u64> {
    if from < TAG_START || into > TAG_START + TAG_BITS {
        return None;
    }
    let grown = into.checked_sub(from)?;
    Some(u64::from(tag) >> (TAG_START + TAG_BITS - into) & ((1 << grown) - 1))
}

#[cfg(test)]
mod tests {
    use super::{MAX_LINE_BITS, grown_bits, rest, tag, top_bits};

    #[test]
    fn grown_bits_are_those_of_the_line_number() {
        let mut hash = 5_u64;
        for _ in 0..200 {
            hash = hash
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963);
            for from in 0..MAX_LINE_BITS {
                for into in from..(from + 8).min(MAX_LINE_BITS) {
                    let number = |bits| top_bits(rest(hash), bits);
                    let expected = number(into) ^ number(from) << (into - from);
                    if let Some(bits) = grown_bits(tag(hash), from, into) {
                        assert_eq!(bits, expected, "{from} to {into} of {hash:#x}");
                    } else {
                        assert!(from < 11 || into > 26, "the tag holds {from} to {into}");
                    }
                }
            }
        }
    }
}
