//! The machine and plans for it: recorded trees, XML, short descriptions, and properties of every policy. Damaged input is
//! tools/fuzz's.
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
    #[cfg(target_os = "linux")]
    mod maps;
    mod plans;
    #[cfg(feature = "serde")]
    mod serde;
    pub(super) mod tree;
    mod xml;
}
