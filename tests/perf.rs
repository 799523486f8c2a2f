//! Counters: a stand-in for the kernel that refuses and shares, plans for machines that are not here, the
//! table against its documents, damaged tables, and what this Linux counts.
#![cfg(feature = "perf")]

/// The files in `perf/`.
mod perf {
    mod counting;
    mod fake;
    mod hosts;
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    mod kernel;
    mod mangled;
    mod plans;
    mod table;
}
