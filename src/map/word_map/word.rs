//! What can be a key or a value of a `WordMap`.
#![expect(
    unsafe_code,
    reason = "a word becomes a value of the type that it was made from"
)]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the bits of a value are meant"
)]

use core::num::NonZero;

/// A type whose values are words of at most 8 bytes: what a [`WordMap`](crate::WordMap) holds.
///
/// Two keys are the same if their words are. For all types below but the floating-point numbers that is `==`; of
/// those, `0.0` and `-0.0` are two keys, and a NaN is found again by the same NaN.
///
/// For a type of one's own it is a matter of saying what it is made of:
///
/// ```
/// use atomshard::{Word, WordMap};
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// #[repr(transparent)]
/// struct Id(u32);
///
/// impl Word for Id {
///     type Primitive = u32;
///     fn into_primitive(self) -> u32 {
///         self.0
///     }
///     fn from_primitive(primitive: u32) -> Self {
///         Self(primitive)
///     }
/// }
///
/// let map = WordMap::<Id, Id>::new();
/// map.insert(Id(1), Id(2));
/// assert_eq!(map.get(Id(1)), Some(Id(2)));
/// ```
pub trait Word: Copy {
    /// What it is made of.
    type Primitive: Primitive;

    /// Takes it apart. Equal primitives are equal keys.
    fn into_primitive(self) -> Self::Primitive;

    /// Puts it together again from what [`into_primitive`](Self::into_primitive) returned.
    fn from_primitive(primitive: Self::Primitive) -> Self;
}

/// A primitive type of at most 8 bytes: integers, floating-point numbers, `bool`, `char`, `()`, the non-zero integers
/// and options of them, and pointers.
pub trait Primitive: Copy + sealed::Sealed {}

/// A primitive integer, for [`WordMap::fetch_add`](crate::WordMap::fetch_add) and its like.
pub trait Integer: Primitive + Word<Primitive = Self> + Ord {
    /// The sum, modulo the number of values.
    #[must_use]
    fn wrapping_add(self, other: Self) -> Self;
    /// The difference, modulo the number of values.
    #[must_use]
    fn wrapping_sub(self, other: Self) -> Self;
}

mod sealed {
    /// Words and back.
    #[expect(
        unnameable_types,
        reason = "sealed: nobody else implements `Primitive`"
    )]
    pub trait Sealed {
        /// The word.
        fn into_word(self) -> u64;
        /// The value.
        ///
        /// # Safety
        /// `word` is what `into_word` returned for a value of this type.
        unsafe fn from_word(word: u64) -> Self;
    }
}

/// The word of a value.
#[inline]
pub(crate) fn into_word<W: Word>(value: W) -> u64 {
    sealed::Sealed::into_word(value.into_primitive())
}

/// The value of a word.
///
/// # Safety
/// [`into_word`] has returned `word` for a value of type `W`.
#[inline]
pub(crate) unsafe fn from_word<W: Word>(word: u64) -> W {
    // SAFETY: the caller's contract: the word is one of the primitive's.
    W::from_primitive(unsafe { sealed::Sealed::from_word(word) })
}

/// A primitive is a word by itself; `$into` and `$from` say how its bits become one.
macro_rules! primitive {
    ($([$($generic:tt)*] $type:ty: |$value:ident| $into:expr, |$word:ident| $from:expr;)*) => {$(
        impl<$($generic)*> Primitive for $type {}
        impl<$($generic)*> sealed::Sealed for $type {
            #[inline]
            fn into_word(self) -> u64 {
                let $value = self;
                $into
            }
            #[inline]
            unsafe fn from_word($word: u64) -> Self {
                $from
            }
        }
        impl<$($generic)*> Word for $type {
            type Primitive = Self;
            #[inline]
            fn into_primitive(self) -> Self {
                self
            }
            #[inline]
            fn from_primitive(primitive: Self) -> Self {
                primitive
            }
        }
    )*};
}

/// An integer, the non-zero ones of its values, and an option of these.
macro_rules! integer {
    ($($type:ident)*) => {$(
        primitive! {
            [] $type: |value| value as u64, |word| word as $type;
            [] NonZero<$type>: |value| value.get() as u64,
                // SAFETY: the caller's contract: the word was made from one that is not zero.
                |word| unsafe { NonZero::new_unchecked(word as $type) };
            [] Option<NonZero<$type>>: |value| value.map_or(0, |value| value.get() as u64),
                |word| NonZero::new(word as $type);
        }
        impl Integer for $type {
            #[inline]
            fn wrapping_add(self, other: Self) -> Self {
                $type::wrapping_add(self, other)
            }
            #[inline]
            fn wrapping_sub(self, other: Self) -> Self {
                $type::wrapping_sub(self, other)
            }
        }
    )*};
}
integer!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

primitive! {
    [] f32: |value| u64::from(value.to_bits()), |word| Self::from_bits(word as u32);
    [] f64: |value| value.to_bits(), |word| Self::from_bits(word);
    [] bool: |value| u64::from(value), |word| word != 0;
    [] char: |value| u64::from(value), |word| {
        // SAFETY: the caller's contract: the word was made from a `char`.
        unsafe { Self::from_u32_unchecked(word as u32) }
    };
    [] (): |_value| 0, |_word| ();
    [T] *mut T: |value| value.expose_provenance() as u64,
        |word| core::ptr::with_exposed_provenance_mut(word as usize);
    [T] *const T: |value| value.expose_provenance() as u64,
        |word| core::ptr::with_exposed_provenance(word as usize);
}

#[cfg(test)]
mod tests {
    use super::{Word, from_word, into_word};
    use core::fmt::Debug;
    use core::num::NonZero;

    fn back<W: Word + PartialEq + Debug>(values: &[W]) {
        let words: Vec<u64> = values.iter().map(|&value| into_word(value)).collect();
        for (i, (&value, &word)) in values.iter().zip(&words).enumerate() {
            // SAFETY: the word was made above.
            assert_eq!(unsafe { from_word::<W>(word) }, value);
            assert!(
                !words[..i].contains(&word),
                "{value:?} has a word of its own"
            );
        }
    }

    #[test]
    fn words_are_as_many_as_values_and_lead_back() {
        back(&[0_u8, 1, u8::MAX]);
        back(&[i8::MIN, -1, 0, 1, i8::MAX]);
        back(&[i64::MIN, -1, 0, 1, i64::MAX]);
        back(&[0, 1, u64::MAX]);
        back(&[usize::MAX, 0]);
        back(&[-1_isize, 0]);
        back(&[0.0_f32, -0.0001, f32::INFINITY]);
        back(&[0.0_f64, -1.5, f64::MIN]);
        back(&[true, false]);
        back(&['\0', 'a', char::MAX]);
        back(&[()]);
        back(&[NonZero::new(-1_i16), NonZero::new(1), None]);
        back(&[NonZero::<u64>::MAX, NonZero::<u64>::MIN]);
        let place = 7;
        back(&[&raw const place, core::ptr::null()]);
        assert_ne!(into_word(0.0), into_word(-0.0));
    }
}
