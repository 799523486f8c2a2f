//! The machine and plans for it: recorded trees, short descriptions, properties of every policy, and
//! damaged input.
#![cfg(feature = "topology")]

/// The files in `topology/`.
mod topology {
    #[cfg(target_os = "linux")]
    mod applied;
    #[cfg(target_os = "linux")]
    mod blocked;
    mod budgets;
    mod built;
    mod costs;
    #[cfg(feature = "hwloc")]
    mod hwloc;
    mod machines;
    mod mangled;
    #[cfg(target_os = "linux")]
    mod maps;
    mod plans;
    #[cfg(feature = "serde")]
    mod serde;
    pub(super) mod tree;
    mod xml;
}
