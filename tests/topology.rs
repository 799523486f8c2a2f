//! The machine and plans for it: recorded trees, short descriptions, properties of every policy, and
//! damaged input.
#![cfg(feature = "topology")]

/// The files in `topology/`.
mod topology {
    mod budgets;
    mod built;
    mod machines;
    mod mangled;
    mod plans;
    #[cfg(feature = "serde")]
    mod serde;
    pub(super) mod tree;
}
