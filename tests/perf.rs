//! Counters: a stand-in for the kernel that refuses and shares, plans for machines that are not here, the
//! table against its documents, damaged tables, and what this Linux and this CPU count.
#![cfg(feature = "perf")]

/// The files in `perf/`.
mod perf {
    mod counting;
    #[cfg(all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64")
    ))]
    mod cpu;
    mod fake;
    mod hosts;
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    mod kernel;
    mod mangled;
    mod plans;
    mod table;
}
