//! `WordMap`
pub(crate) mod raw;
