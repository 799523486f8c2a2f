//! One slot of a bucket: a 64-bit word that is a tagged pointer.
//!
//! ```text
//! bit   63        62 .. 48     47 .. 3     2      1       0
//!     member   tag / version   address   shut   claim   frozen
//! ```
//!
//! | word | meaning |
//! |---|---|
//! | `0` | unborn in a table that is being filled; vacant everywhere else |
//! | [`VACANT`](Word::VACANT) | no entry; may be claimed |
//! | member, tag, address | the entry is in the map |
//! | claim, version, address | an insert owns the slot and is not decided yet; readers skip it |
//! | claim + shut | that insert lost; only its owner gives the slot back |
//! | address alone (link word) | the next line of the bucket |
//! | any + frozen | the word never changes again; the bucket is moving to the next table |
//!
//! Invariants of every word:
//! - I1. A word that carries an address was built by [`Word::member`], [`Word::claim`] or
//!   [`Word::link`] from a live allocation aligned to 8 bytes below 2^48, and its flags and tag are
//!   cleared before the address is used.
//! - I2. A frozen word is final.
//!
//! Source: the states *inserting / member / busy* per slot are those of Purcell and Harris,
//! "Non-blocking hashtables with open addressing" (DISC 2005). Departures: a claim carries a
//! version, so that a helper may decide it; tags live in the pointer, so that a line needs no header.

use super::hash::TAG_BITS;
use crate::sync::{Ordering, never_split};

#[cfg(not(target_pointer_width = "64"))]
mod narrow;
#[cfg(target_pointer_width = "64")]
mod wide;

#[cfg(not(target_pointer_width = "64"))]
use narrow as repr;
#[cfg(target_pointer_width = "64")]
use wide as repr;

const FROZEN: u64 = 1;
/// Number of the bit that only claims have.
pub(super) const CLAIM_BIT: u32 = 1;
const CLAIM: u64 = 1 << CLAIM_BIT;
const SHUT: u64 = 1 << 2;
/// Shut, but no claim.
const VACANT: u64 = SHUT;
const MEMBER: u64 = 1 << 63;
const ADDRESS: u64 = 0x0000_ffff_ffff_fff8;
const HIGH_SHIFT: u32 = 48;

/// Versions a claim can carry before its entry needs a new address.
pub(crate) const VERSIONS: u16 = 1 << 15;
/// Alignment an allocation needs before a word can carry its address.
pub(crate) const ALIGN: usize = 8;

/// The value of one slot at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Word(repr::Repr);

impl PartialEq for Word {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}

impl core::fmt::Debug for Word {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Word({:#x})", self.bits())
    }
}

impl Word {
    /// The all-zero word.
    pub(crate) const ZERO: Self = Self(repr::ZERO);

    /// A slot without an entry.
    #[inline]
    pub(crate) fn vacant() -> Self {
        Self(repr::with_bits(repr::ZERO, |_| VACANT))
    }

    /// The entry at `address`, in the map, with `tag` of [`TAG_BITS`] bits.
    #[inline]
    pub(crate) fn member(address: *mut u8, tag: u16) -> Self {
        Self::carry(address, MEMBER | u64::from(tag) << HIGH_SHIFT)
    }

    /// The entry at `address`, asking to be inserted for the `version`-th time.
    #[inline]
    pub(crate) fn claim(address: *mut u8, version: u16) -> Self {
        debug_assert!(version < VERSIONS, "a claim's version has 15 bits");
        Self::carry(address, CLAIM | u64::from(version) << HIGH_SHIFT)
    }

    /// The next line of a bucket.
    #[inline]
    pub(crate) fn link(address: *mut u8) -> Self {
        Self::carry(address, 0)
    }

    #[inline]
    fn carry(address: *mut u8, high_and_flags: u64) -> Self {
        let word = Self(repr::from_ptr(address));
        if word.bits() & !ADDRESS != 0 {
            unusable_address(address);
        }
        Self(repr::with_bits(word.0, |bits| bits | high_and_flags))
    }

    /// The upper half-word that [`member`](Self::member) with `tag` has.
    #[inline]
    pub(crate) fn member_high(tag: u16) -> u16 {
        1 << TAG_BITS | tag
    }

    /// The address, if this is a member with `member_high` and not frozen: then nothing is left
    /// of the word but the address when the upper half-word is taken away.
    #[inline]
    pub(crate) fn live_address(self, member_high: u16) -> Option<*mut u8> {
        let rest = Self(repr::flipped(self.0, u64::from(member_high) << HIGH_SHIFT));
        (rest.bits() & !ADDRESS == 0).then(|| repr::address(rest.0, u64::MAX))
    }

    /// The bits, for comparison and tests of single bits.
    #[inline]
    pub(crate) fn bits(self) -> u64 {
        repr::bits(self.0)
    }

    /// The address, without tag and flags.
    #[inline]
    pub(crate) fn address(self) -> *mut u8 {
        repr::address(self.0, ADDRESS)
    }

    /// Member bit and tag, or the version.
    #[inline]
    pub(crate) fn high(self) -> u16 {
        (self.bits() >> HIGH_SHIFT) as u16
    }

    /// The tag of a member.
    #[inline]
    pub(crate) fn tag(self) -> u16 {
        self.high() & (VERSIONS - 1)
    }

    /// An insert that is not settled, decided or not, frozen or not.
    #[inline]
    pub(crate) fn is_claim(self) -> bool {
        self.bits() & CLAIM != 0
    }

    /// Neither entry nor frozen: zero or vacant.
    #[inline]
    pub(crate) fn is_vacant(self) -> bool {
        self.bits() & !VACANT == 0
    }

    /// All bits zero.
    #[inline]
    pub(crate) fn is_zero(self) -> bool {
        self.bits() == 0
    }

    /// In the map, frozen or not.
    #[inline]
    pub(crate) fn is_member(self) -> bool {
        self.bits() & MEMBER != 0
    }

    /// An undecided insert, not frozen.
    #[inline]
    pub(crate) fn is_open_claim(self) -> bool {
        self.bits() & (MEMBER | CLAIM | SHUT | FROZEN) == CLAIM
    }

    /// Final.
    #[inline]
    pub(crate) fn is_frozen(self) -> bool {
        self.bits() & FROZEN != 0
    }

    /// A link word that leads to another line, frozen or not.
    #[inline]
    pub(crate) fn is_link(self) -> bool {
        self.bits() & !(FROZEN | VACANT) != 0
    }

    /// This word, final.
    #[inline]
    pub(crate) fn frozen(self) -> Self {
        Self(repr::with_bits(self.0, |bits| bits | FROZEN))
    }

    /// This word as it was before it became final.
    #[inline]
    pub(crate) fn thawed(self) -> Self {
        Self(repr::with_bits(self.0, |bits| bits & !FROZEN))
    }

    /// This claim, lost.
    #[inline]
    pub(crate) fn shut(self) -> Self {
        Self(repr::with_bits(self.0, |bits| bits | SHUT))
    }

    /// This claim, won: the same entry as a member with `tag`.
    #[inline]
    pub(crate) fn settled(self, tag: u16) -> Self {
        Self::member(self.address(), tag)
    }
}

/// `pointer` at another address of its allocation, which was exposed when the bits were added.
///
/// One instruction, which `with_addr` is not. Miri checks the strict form.
#[inline]
pub(super) fn at(pointer: *mut u8, address: usize) -> *mut u8 {
    if cfg!(miri) {
        pointer.with_addr(address)
    } else {
        core::ptr::with_exposed_provenance_mut(address)
    }
}

#[cold]
#[inline(never)]
fn unusable_address(address: *mut u8) -> ! {
    panic!(
        "the allocator returned {address:p}; atomshard keeps 16 bits of hash in the upper bits of a \
         pointer and needs addresses below 2^48 aligned to {ALIGN} bytes"
    )
}

/// The atomic cell that holds a [`Word`].
pub(crate) struct Slot(repr::AtomicWord);
never_split!(Slot: 0);

impl Slot {
    /// A cell that holds zero.
    pub(crate) fn zero() -> Self {
        Self(repr::AtomicWord::new(repr::ZERO))
    }

    /// A cell that holds `word`.
    pub(crate) fn new(word: Word) -> Self {
        Self(repr::AtomicWord::new(word.0))
    }

    /// Reads the word as a hint: nothing may be dereferenced or concluded from it alone.
    #[inline]
    pub(crate) fn peek(&self) -> Word {
        // ORD: Relaxed — the value only filters; a hit is read again by `load`, and a miss needs no
        // order (docs/design/shard-map.md, "Why a miss may read in any order").
        Word(self.0.load(Ordering::Relaxed))
    }

    /// Reads the word.
    #[inline]
    pub(crate) fn load(&self) -> Word {
        // ORD: SeqCst — pairs with the SeqCst exchange in cas [T1]; sees the entry, line or birth
        // behind the word.
        // ORD: SeqCst — pairs with the SeqCst exchange in cas [T2]; sees each claim that was
        // made before an own one, in the rescan after that.
        // ORD: SeqCst — pairs with the SeqCst exchange in cas [T3]; orders a pin before what is
        // read under it.
        Word(self.0.load(Ordering::SeqCst))
    }

    /// Writes the word of a slot that nobody else sees yet.
    pub(crate) fn store_private(&self, word: Word) {
        // ORD: Relaxed — published later by the exchange that links the slot's line.
        self.0.store(word.0, Ordering::Relaxed);
    }

    /// Replaces `current` by `new`.
    #[inline]
    pub(crate) fn cas(&self, current: Word, new: Word) -> Result<(), Word> {
        // ORD: SeqCst — pairs with the SeqCst load in load [T1]; publishes the entry, line
        // or birth that `new` leads to.
        // ORD: SeqCst — pairs with the SeqCst load in load [T2]; publishes a claim before its owner
        // looks for others: of two claims on one key, one owner or both meet the other's.
        // ORD: SeqCst — pairs with the SeqCst load in load [T3]; orders an unlinking before the
        // retiring look at the pins.
        match self
            .0
            .compare_exchange(current.0, new.0, Ordering::SeqCst, Ordering::SeqCst)
        {
            Ok(_) => Ok(()),
            Err(found) => Err(Word(found)),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Slot, Word};
    use std::thread;

    /// Store buffering over two slots, which T2 forbids: of two threads that each make a claim and then look
    /// at the other's slot, one sees the other's. The accesses themselves have to do it.
    #[test]
    fn miri_t2_of_two_claims_one_is_seen() {
        let rounds = if cfg!(miri) { 20 } else { 1_000 };
        for _ in 0..rounds {
            let slots = [Slot::zero(), Slot::zero()];
            let side = |own: &Slot, other: &Slot| {
                assert_eq!(own.cas(Word::ZERO, Word::vacant()), Ok(()));
                !other.load().is_zero()
            };
            let (first, second) = thread::scope(|scope| {
                let first = scope.spawn(|| side(&slots[0], &slots[1]));
                let second = side(&slots[1], &slots[0]);
                (first.join().expect("no exchange fails"), second)
            });
            assert!(first || second, "neither claim was seen");
        }
    }
}
