//! Words on 64-bit targets: the pointer itself, with provenance, tag and flags in its spare bits.

use crate::sync::AtomicPtr;

pub(super) type Repr = *mut u8;
pub(super) type AtomicWord = AtomicPtr<u8>;
pub(super) const ZERO: Repr = core::ptr::null_mut();

#[inline]
pub(super) fn bits(repr: Repr) -> u64 {
    repr.addr() as u64
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "usize has 64 bits here")]
pub(super) fn with_bits(repr: Repr, f: impl FnOnce(u64) -> u64) -> Repr {
    repr.map_addr(|address| f(address as u64) as usize)
}

#[inline]
pub(super) fn from_ptr(pointer: *mut u8) -> Repr {
    pointer.expose_provenance();
    pointer
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "usize has 64 bits here")]
pub(super) fn address(repr: Repr, mask: u64) -> *mut u8 {
    super::masked(repr, mask as usize)
}
