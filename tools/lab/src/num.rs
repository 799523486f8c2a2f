//! The conversion between floating point and integers, saturating, in one place.

/// The integer at or below a number that is neither negative nor huge.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and that is what is wanted"
)]
pub(crate) fn floor_u32(value: f64) -> u32 {
    value as u32
}
