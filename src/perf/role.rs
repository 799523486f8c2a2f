//! What is to be counted, by what it means and not by the name that a vendor gives it.

use core::fmt;

/// Something worth counting. Which event counts it depends on the CPU: see [`Table`](super::Table).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Cycles of the core while it was not halted, at whatever frequency.
    Cycles,
    /// Instructions retired.
    Instructions,
    /// Data that was not in the first-level cache.
    L1Miss,
    /// Data that was not in the last-level cache.
    LlcMiss,
    /// Loads that found their line modified in another core's cache of the same socket.
    LocalHitm,
    /// Loads that found their line modified in a cache of another socket.
    RemoteHitm,
    /// Requests for ownership that found the line modified in another core's cache: what stores do to
    /// each other, which no event of retired loads shows.
    RfoHitm,
    /// Lines that came from a cache further away than the own last-level cache.
    RemoteFill,
    /// Lines that came from the memory of another node.
    DramRemote,
    /// Atomic read-modify-write instructions.
    LockedOps,
    /// Switches away from the thread, by the kernel's count.
    ContextSwitches,
    /// Moves of the thread to another CPU, by the kernel's count.
    Migrations,
    /// Page faults that the thread took in user mode, by the kernel's count.
    Faults,
}

impl Role {
    /// Every role, those of the CPU before those of the kernel.
    pub const ALL: [Self; 13] = [
        Self::Cycles,
        Self::Instructions,
        Self::L1Miss,
        Self::LlcMiss,
        Self::LocalHitm,
        Self::RemoteHitm,
        Self::RfoHitm,
        Self::RemoteFill,
        Self::DramRemote,
        Self::LockedOps,
        Self::ContextSwitches,
        Self::Migrations,
        Self::Faults,
    ];

    /// Its name, as tables have it: `local_hitm`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cycles => "cycles",
            Self::Instructions => "instructions",
            Self::L1Miss => "l1_miss",
            Self::LlcMiss => "llc_miss",
            Self::LocalHitm => "local_hitm",
            Self::RemoteHitm => "remote_hitm",
            Self::RfoHitm => "rfo_hitm",
            Self::RemoteFill => "remote_fill",
            Self::DramRemote => "dram_remote",
            Self::LockedOps => "locked_ops",
            Self::ContextSwitches => "context_switches",
            Self::Migrations => "migrations",
            Self::Faults => "faults",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether the kernel counts it, without a counter of the CPU.
    #[must_use]
    pub const fn is_software(self) -> bool {
        matches!(
            self,
            Self::ContextSwitches | Self::Migrations | Self::Faults
        )
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
