//! What lies where: layouts by which the tracer names the fields that it sees accesses to.
//!
//! [`layout!`] names the fields of a type. Where memory for such objects is made, `note_objects` tells
//! the tracer; in the other bodies that is nothing.
#![cfg_attr(
    not(all(atomshard_traced, not(loom))),
    expect(unreachable_pub, reason = "public with the tracer")
)]

/// What an object consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    /// Name of the type.
    pub name: &'static str,
    /// Size of an object in bytes.
    pub bytes: usize,
    /// The fields that are named.
    pub fields: &'static [Field],
}

/// A field of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Name of the field.
    pub name: &'static str,
    /// Bytes before it in the object.
    pub offset: usize,
    /// Size in bytes.
    pub bytes: usize,
}

impl Layout {
    /// Gives the layout back, if its fields lie in the object and have names.
    ///
    /// # Panics
    /// If one does not; when compiling, as [`layout!`] uses it.
    #[must_use]
    pub const fn checked(&'static self) -> &'static Self {
        assert!(!self.name.is_empty(), "a layout has a name");
        let mut i = 0;
        while i < self.fields.len() {
            let field = &self.fields[i];
            let is_inside = field.offset + field.bytes <= self.bytes;
            assert!(
                is_inside && !field.name.is_empty(),
                "a field has a name and lies in its object"
            );
            i += 1;
        }
        self
    }
}

/// The size of the field that the closure names.
#[must_use]
pub const fn field_bytes<Owner, Field>(_field: fn(&Owner) -> &Field) -> usize {
    size_of::<Field>()
}

/// A type whose layout the tracer is told.
pub trait HasLayout {
    /// The layout.
    const LAYOUT: &'static Layout;
}

/// Gives a struct its [`HasLayout`]: `layout!(Entry<K, V>: key, value; K, V);` beside the struct. The
/// layout is named as the type is written.
///
/// In the traced body it is public, for users' structures.
#[cfg_attr(all(atomshard_traced, not(loom)), macro_export)]
macro_rules! layout {
    ($owner:ty: $($field:tt),* $(; $($parameter:ident),+)?) => {
        impl<$($($parameter),+)?> $crate::trace::HasLayout for $owner {
            const LAYOUT: &'static $crate::trace::Layout = (&$crate::trace::Layout {
                name: stringify!($owner),
                bytes: size_of::<$owner>(),
                fields: &[$($crate::trace::Field {
                    name: stringify!($field),
                    offset: core::mem::offset_of!($owner, $field),
                    bytes: $crate::trace::field_bytes(|owner: &$owner| &owner.$field),
                }),*],
            })
            .checked();
        }
    };
}
pub(crate) use layout;
