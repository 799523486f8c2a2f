//! No atomic lies across two cache lines: a locked instruction there would lock the bus (or fault).
//!
//! An atomic is as large as its alignment, a power of two no larger than a line. So one that lies at
//! a multiple of its alignment lies in one line, whatever line that is. The language puts it there in
//! statics, locals, arrays and boxes; in a struct it does so unless the struct is packed. Each struct
//! that holds atomics asserts its own by [`never_split`], and `cargo xtask tidy` finds one that does
//! not. Structs of such structs follow: their alignment is no smaller.

use super::{AtomicBool, AtomicI64, AtomicIsize, AtomicPtr, AtomicU64, AtomicUsize, MODEL};

/// The shortest line of a machine that the crate knows.
const LINE_BYTES: usize = 64;

/// Whether the size of an atomic is its alignment, and fits a line.
const fn is_natural<A>() -> bool {
    // Loom's atomics are a description of one.
    MODEL || size_of::<A>() == align_of::<A>() && size_of::<A>() <= LINE_BYTES
}

const _: () = assert!(
    is_natural::<AtomicBool>()
        && is_natural::<AtomicI64>()
        && is_natural::<AtomicIsize>()
        && is_natural::<AtomicPtr<u8>>()
        && is_natural::<AtomicU64>()
        && is_natural::<AtomicUsize>(),
    "an atomic is smaller or larger than its alignment"
);

/// Whether a field at this offset of its owner lies at a multiple of its own alignment, wherever the
/// owner lies. The closure names the field, for its type.
pub(crate) const fn is_whole<Owner, Field>(offset: usize, _field: fn(&Owner) -> &Field) -> bool {
    offset.is_multiple_of(align_of::<Field>())
        && align_of::<Owner>().is_multiple_of(align_of::<Field>())
}

/// Asserts when compiling that these fields, which are or hold atomics, are never split.
///
/// `never_split!(Record: state, leased);` beside the struct. A generic struct is asserted for one
/// type.
macro_rules! never_split {
    ($owner:ty: $($field:tt),+) => {
        $(const _: () = assert!(
            $crate::sync::is_whole(core::mem::offset_of!($owner, $field), |owner: &$owner| &owner.$field),
            concat!("`", stringify!($field), "` could lie across two lines"),
        );)+
    };
}
pub(crate) use never_split;

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[repr(C, packed(4))]
    struct Packed {
        _before: u32,
        word: [u8; 8],
        behind: u32,
    }

    #[repr(C)]
    struct Plain {
        before: u8,
        word: u64,
    }

    #[test]
    fn a_field_is_whole_at_its_alignment_in_an_owner_that_keeps_it() {
        assert!(is_whole(8, |owner: &Plain| &owner.word));
        assert!(!is_whole(4, |owner: &Plain| &owner.word));
        assert!(is_whole(0, |owner: &Plain| &owner.before));
        // The owner is aligned to 4: a field that wants 8 is whole by chance only.
        assert!(!is_whole(8, |_: &Packed| &0_u64));
        assert!(is_whole(4, |owner: &Packed| &owner.word));
        assert_eq!(core::mem::offset_of!(Packed, behind), 12);
    }
}
