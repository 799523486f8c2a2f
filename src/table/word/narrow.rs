//! Words on 32-bit targets: a 64-bit integer, so that tag and version have the same room as on
//! 64-bit targets. The address keeps its provenance by exposing it.

use crate::sync::AtomicU64;

pub(super) type Repr = u64;
pub(super) type AtomicWord = AtomicU64;
pub(super) const ZERO: Repr = 0;

#[inline]
pub(super) fn bits(repr: Repr) -> u64 {
    repr
}

#[inline]
pub(super) fn with_bits(repr: Repr, f: impl FnOnce(u64) -> u64) -> Repr {
    f(repr)
}

#[inline]
pub(super) fn from_ptr(pointer: *mut u8) -> Repr {
    pointer.expose_provenance() as u64
}

#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the mask leaves an address"
)]
pub(super) fn address(repr: Repr, mask: u64) -> *mut u8 {
    core::ptr::with_exposed_provenance_mut((repr & mask) as usize)
}
