//! The oracle must catch a map that is wrong.
mod broken;
