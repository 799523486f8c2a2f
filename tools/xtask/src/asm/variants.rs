//! The variants: for which machines the probes are compiled, and with which flags.

use asmguard::{Isa, Machine};

/// One machine.
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    /// Flags for every crate of the target, not only for the probes.
    pub(crate) flags: &'static [&'static str],
    pub(crate) machine: Machine,
}

const X86_64: &str = "x86_64-unknown-linux-gnu";
const AARCH64: &str = "aarch64-unknown-linux-gnu";

/// All variants, the plain ones first.
pub(crate) const ALL: &[Variant] = &[
    Variant {
        name: "x86_64",
        target: X86_64,
        flags: &[],
        machine: Machine::plain(Isa::X86_64),
    },
    Variant {
        name: "x86_64_v3",
        target: X86_64,
        flags: &["-Ctarget-cpu=x86-64-v3"],
        machine: Machine {
            cx16: true,
            avx: true,
            ..Machine::plain(Isa::X86_64)
        },
    },
    Variant {
        name: "aarch64_llsc",
        target: AARCH64,
        // Stable compilers warn that the name of this feature may change.
        flags: &["-Ctarget-feature=-outline-atomics"],
        machine: Machine::plain(Isa::Aarch64),
    },
    Variant {
        name: "aarch64_lse",
        target: AARCH64,
        flags: &["-Ctarget-feature=+lse"],
        machine: Machine {
            lse: true,
            ..Machine::plain(Isa::Aarch64)
        },
    },
    Variant {
        name: "aarch64_lse_rcpc",
        target: AARCH64,
        flags: &["-Ctarget-feature=+lse,+rcpc"],
        machine: Machine {
            lse: true,
            rcpc: true,
            ..Machine::plain(Isa::Aarch64)
        },
    },
    Variant {
        name: "aarch64_outline",
        target: AARCH64,
        flags: &[],
        machine: Machine {
            outline: true,
            ..Machine::plain(Isa::Aarch64)
        },
    },
];

/// The names of all variants.
pub(crate) fn names() -> Vec<&'static str> {
    ALL.iter().map(|variant| variant.name).collect()
}
