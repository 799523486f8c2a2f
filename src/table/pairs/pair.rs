//! What a slot of 16 bytes says: a key word, which carries the state, and a value word.
//!
//! ```text
//! key word:   | frozen 1 | kind 4 | rest of the mixed key, 59 bits |    value word
//! ```
//!
//! | kind | value word | meaning |
//! |---|---|---|
//! | empty | 0; 1 in a line's last slot | never used since the line was born; in the last slot 0 is *unborn* |
//! | live | the value | the key is in the map |
//! | claim | a ticket | an insert that is not decided; no claim has the ticket twice |
//! | vacant | 0 | was used |
//! | link | an address | the bucket goes on there; in a line's last slot only. In place of a key it says what is behind |
//! | each, frozen | as before | the pair never changes again |
//!
//! The words of a key are the same in every line of its shard. So a live pair that is not frozen is true
//! wherever it stands, and who has read it may exchange it.
//!
//! The link of a bucket's first line says what is behind it, in place of a key:
//!
//! ```text
//! | frozen 1 | kind 4 | count 27 | signatures 32 |
//! ```
//!
//! The *count* is of the keys that are behind, claims too, and of those that are about to go there: a key is counted before. Who takes one out counts
//! it off afterwards; with the last one the link is exchanged for vacant, and what was behind goes. So nobody is behind a link that is not there.
//! A count that has reached the end of its bits stays there.
//!
//! A key's *signature* is one of 32 bits. The link has those of all keys that are behind it or have been, set with the count; a bit that is set stays
//! as long as the link. So a key whose bit is clear in a link that was read had not been behind it by then, and nobody has to look. Other links of a
//! bucket are not asked.
//!
//! Source of signatures: Bloom, "Space/Time Trade-offs in Hash Coding with Allowable Errors" (CACM 1970), with one hash function.

use crate::arch::{Access, Asking, AtomicU128, Kinds};
use crate::sync::{Ordering, never_split};

/// Bits of a mixed key that a pair carries; the others choose the shard.
pub(crate) const REST_BITS: u32 = 59;
/// Those bits.
pub(super) const REST: u64 = (1 << REST_BITS) - 1;
const FROZEN: u64 = 1 << 63;
const LIVE: u64 = 1 << REST_BITS;
const CLAIM: u64 = 2 << REST_BITS;
const VACANT: u64 = 3 << REST_BITS;
const LINK: u64 = 4 << REST_BITS;
const KIND: u64 = !(REST | FROZEN);
/// Of a link.
const COUNT: u64 = REST & !(u32::MAX as u64);
/// One in a link's count.
const ONE: u64 = 1 << 32;

/// The content of one slot at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    key: u64,
    /// The value, a ticket, or an address.
    value: u64,
}

impl Pair {
    /// Empty, or unborn.
    pub(crate) const ZERO: Self = Self { key: 0, value: 0 };
    /// Empty in the last slot of a line that is born.
    pub(crate) const BORN: Self = Self { key: 0, value: 1 };
    /// Was used.
    pub(crate) const VACANT: Self = Self {
        key: VACANT,
        value: 0,
    };

    /// A member.
    #[inline]
    pub(crate) fn live(rest: u64, value: u64) -> Self {
        debug_assert!(rest <= REST, "{rest:#x} has more than 59 bits");
        let key = LIVE | rest;
        Self { key, value }
    }

    /// An insert that is not decided.
    pub(crate) fn claim(rest: u64, ticket: u64) -> Self {
        let key = CLAIM | rest;
        Self { key, value: ticket }
    }

    /// The next line of a bucket, and what is behind it.
    pub(super) fn link(address: *mut u8, behind: Behind) -> Self {
        let key = LINK | behind.0;
        let value = address.expose_provenance() as u64;
        Self { key, value }
    }

    /// This link, with one key more behind it.
    pub(super) fn with(self, rest: u64) -> Self {
        let key = Behind(self.key).with(rest).0;
        Self { key, ..self }
    }

    /// This link, with one key less behind it; vacant, if that was the last one.
    pub(super) fn with_one_less(self) -> Self {
        debug_assert!(self.key & COUNT != 0, "nobody is behind it");
        match self.key & COUNT {
            ONE => Self::VACANT,
            COUNT => self,
            _ => Self {
                key: self.key - ONE,
                ..self
            },
        }
    }

    /// The value of a member, or the ticket of a claim.
    #[inline]
    pub(crate) fn value(self) -> u64 {
        self.value
    }

    /// What a member or a claim has of the mixed key.
    #[inline]
    pub(crate) fn rest(self) -> u64 {
        self.key & REST
    }

    /// The key is in the map with this pair's value; the pair is not frozen.
    #[inline]
    pub(crate) fn is_live_of(self, rest: u64) -> bool {
        self.key == LIVE | rest
    }

    /// An undecided insert of the key, not frozen.
    pub(crate) fn is_claim_of(self, rest: u64) -> bool {
        self.key == CLAIM | rest
    }

    /// A member, frozen or not.
    #[inline]
    pub(crate) fn is_member(self) -> bool {
        self.key & KIND == LIVE
    }

    /// A member or a claim, not frozen.
    fn has_key(self) -> bool {
        matches!(self.key & !REST, LIVE | CLAIM)
    }

    /// A member with this key, frozen or not.
    pub(crate) fn is_member_of(self, rest: u64) -> bool {
        self.key & !FROZEN == LIVE | rest
    }

    /// By the upper half of the key word: members, links, and what is frozen.
    pub(super) const KINDS: Kinds = {
        const fn upper(key: u64) -> u32 {
            Pair { key, value: 0 }.upper()
        }
        Kinds::new(upper(KIND), [upper(LIVE), upper(LINK)])
    };

    /// The upper half of the key word.
    #[inline]
    pub(super) const fn upper(self) -> u32 {
        (self.key >> 32) as u32
    }

    /// Never used, not frozen. In a last slot this says that the line is born; `ZERO` there, that it is not.
    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.key == 0
    }

    /// Final.
    #[inline]
    pub(crate) fn is_frozen(self) -> bool {
        self.key & FROZEN != 0
    }

    /// In a last slot: the line is the last of its bucket, and does not move.
    #[inline]
    pub(crate) fn ends_bucket(self) -> bool {
        self.key < LINK
    }

    /// In the last slot of a bucket's first line: the key is not behind it, and the line does not move.
    #[inline]
    pub(crate) fn ends_bucket_of(self, rest: u64) -> bool {
        let is_link = || self.key >> REST_BITS == LINK >> REST_BITS;
        self.ends_bucket() || is_link() && self.key & signature(rest) == 0
    }

    /// Leads to the next line, frozen or not.
    #[inline]
    pub(crate) fn is_link(self) -> bool {
        self.key & KIND == LINK
    }

    /// The address of the next line, frozen or not.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "made from a pointer")]
    pub(super) fn next(self) -> Option<*mut u8> {
        self.is_link()
            .then(|| core::ptr::with_exposed_provenance_mut(self.value as usize))
    }

    /// This pair, final.
    pub(crate) fn frozen(self) -> Self {
        let key = self.key | FROZEN;
        Self { key, ..self }
    }

    /// This pair as it was before it became final.
    pub(crate) fn thawed(self) -> Self {
        let key = self.key & !FROZEN;
        Self { key, ..self }
    }

    #[inline]
    fn word(self) -> u128 {
        u128::from(self.value) << 64 | u128::from(self.key)
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the halves are meant")]
    fn of(word: u128) -> Self {
        Self {
            key: word as u64,
            value: (word >> 64) as u64,
        }
    }
}

/// The bit of a key in the link of its bucket. The lowest bits of a hash depend on fewer of the key than those above them.
#[inline]
fn signature(rest: u64) -> u64 {
    1 << ((rest ^ rest >> 27) % u64::from(u32::BITS))
}

/// What a link says of what is behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behind(u64);

impl Behind {
    /// These, as far as they are members and claims.
    pub(super) fn of(pairs: &[Pair]) -> Self {
        let keys = pairs.iter().filter(|pair| pair.has_key());
        keys.fold(Self(0), |behind, pair| behind.with(pair.rest()))
    }

    fn with(self, rest: u64) -> Self {
        let one = if self.0 & COUNT == COUNT { 0 } else { ONE };
        Self((self.0 + one) | signature(rest))
    }
}

/// The atomic cell that holds a [`Pair`]. It is read and exchanged in one piece.
#[repr(transparent)]
pub(crate) struct Slot(AtomicU128);
never_split!(Slot: 0);

impl Slot {
    /// A cell that holds this.
    pub(super) fn new(pair: Pair) -> Self {
        Self(AtomicU128::new(pair.word()))
    }

    /// The cell, for accesses of this kind.
    #[inline]
    pub(crate) fn by<A: Access>(&self, access: A) -> Accessed<'_, A> {
        Accessed {
            slot: self,
            by: access,
        }
    }

    /// As by [`Accessed::load`].
    #[inline]
    pub(crate) fn load(&self) -> Pair {
        self.by(Asking).load()
    }

    /// As by [`Accessed::cas`].
    #[inline]
    pub(crate) fn cas(&self, current: Pair, new: Pair) -> bool {
        self.by(Asking).cas(current, new)
    }

    /// Reads the pair as a hint: nothing may be concluded from it alone.
    #[inline]
    pub(super) fn peek(&self) -> Pair {
        // ORD: Relaxed — the value only filters; what is concluded rests on `load` and on the callers' fences.
        Pair::of(self.0.load(Ordering::Relaxed))
    }

    /// As by [`Accessed::store_private`].
    pub(super) fn store_private(&self, pair: Pair) {
        self.by(Asking).store_private(pair);
    }
}

/// A cell, with how it is accessed.
#[derive(Clone, Copy)]
pub(crate) struct Accessed<'l, A> {
    slot: &'l Slot,
    by: A,
}

impl<A: Access> Accessed<'_, A> {
    /// Reads the pair, and what was done before it was put there.
    ///
    /// *Cost*: a load; a compare-exchange on processors that have no load of 16 bytes.
    #[inline]
    pub(crate) fn load(self) -> Pair {
        // ORD: Acquire — pairs with the SeqCst exchange in cas [W1]; sees the line or the birth behind the pair,
        // and what its writer did before.
        Pair::of(self.by.load(&self.slot.0, Ordering::Acquire))
    }

    /// Reads the pair after an own claim.
    pub(crate) fn load_after_claim(self) -> Pair {
        // ORD: SeqCst — pairs with the SeqCst exchange in cas [W2]; sees each claim that was made before the own one.
        Pair::of(self.by.load(&self.slot.0, Ordering::SeqCst))
    }

    /// Replaces `current` by `new`; says whether it was there.
    #[inline]
    pub(crate) fn cas(self, current: Pair, new: Pair) -> bool {
        // ORD: SeqCst — pairs with the Acquire load in load [W1]; publishes the line or birth that `new` leads
        // to, and what was done before.
        // ORD: SeqCst — pairs with the SeqCst load in load_after_claim [W2]; publishes a claim before its owner
        // looks for others: of two claims on one key, one owner or both meet the other's.
        // ORD: Relaxed — what a failure finds is not used; whoever goes on loads it.
        self.by
            .compare_exchange(
                &self.slot.0,
                [current.word(), new.word()],
                Ordering::SeqCst,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// Writes a slot that nobody else exchanges: of a line that is not linked yet, or of a table that nobody else sees or that is out of use.
    #[inline]
    pub(super) fn store_private(self, pair: Pair) {
        // ORD: Relaxed — published later by the exchange that links the line or leads to the table.
        self.by.store(&self.slot.0, pair.word(), Ordering::Relaxed);
    }

    /// Writes a slot that nobody exchanges any more, and into which all others write the same.
    #[inline]
    pub(super) fn store_final(self, pair: Pair) {
        // ORD: Release — pairs with the Acquire load in load [W1]; publishes that the last slot of the bucket is final: who
        // finds this one final does not take the line for one that stays.
        self.by.store(&self.slot.0, pair.word(), Ordering::Release);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Behind, COUNT, ONE, Pair, signature};

    #[test]
    fn a_link_excludes_who_is_not_signed_until_it_is_frozen() {
        // Keys with one signature each, and a word that is nobody's address.
        let rest = |number: u64| number << 40 | number;
        assert_ne!(signature(rest(1)), signature(rest(2)));
        let behind = [Pair::live(rest(1), 10), Pair::claim(rest(3), 20)];
        let link = Pair::link(core::ptr::null_mut(), Behind::of(&behind));
        let excluded = |link: Pair| [1, 2, 3].map(|number| link.ends_bucket_of(rest(number)));
        assert_eq!(excluded(link), [false, true, false]);
        assert!(link.is_link() && !link.ends_bucket());
        let signed = link.with(rest(2));
        assert_eq!(excluded(signed), [false; 3]);
        assert_eq!(excluded(link.frozen()), [false; 3]);
        assert_eq!(link.frozen().thawed(), link);
        assert_eq!(signed.next(), link.next());
        assert_eq!(excluded(Pair::VACANT), [true; 3]);
        assert_eq!(excluded(Pair::live(rest(1), 0)), [true; 3]);
        assert_eq!(excluded(Pair::VACANT.frozen()), [false; 3]);
    }

    #[test]
    fn a_link_counts_who_is_behind_and_goes_with_the_last() {
        let pairs = [Pair::VACANT, Pair::live(7, 10), Pair::claim(8, 20)];
        let link = Pair::link(core::ptr::null_mut(), Behind::of(&pairs));
        let more = link.with(9);
        let less = more.with_one_less();
        assert_eq!(less.key & COUNT, link.key & COUNT);
        assert!(!less.ends_bucket_of(9), "signatures stay");
        assert_eq!(less.next(), link.next());
        assert_eq!(less.with_one_less().with_one_less(), Pair::VACANT);
    }

    #[test]
    fn a_count_that_has_come_to_its_end_stays() {
        let link = Pair::link(core::ptr::null_mut(), Behind(COUNT - ONE));
        let full = link.with(7);
        assert_eq!(full.key & COUNT, COUNT);
        assert_eq!(full.with(7), full);
        assert_eq!(full.with_one_less(), full);
    }

    /// By the lowest bits and by those above, whichever differ.
    #[test]
    fn signatures_are_spread() {
        for shift in [0, 27] {
            let seen = (0..32).fold(0, |seen, number| seen | signature(number << shift));
            assert_eq!(seen, u64::from(u32::MAX), "numbers shifted by {shift}");
        }
    }
}
