//! The machine that code was compiled for, as far as the mapping table asks.

/// An instruction set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub enum Isa {
    /// AMD64, in Intel syntax.
    #[serde(rename = "x86_64")]
    X86_64,
    /// `AArch64`.
    #[serde(rename = "aarch64")]
    Aarch64,
}

impl Isa {
    /// The name that the compiler gives it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }
}

/// An instruction set and those of its features that change which instructions an atomic becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// The instruction set.
    pub isa: Isa,
    /// `aarch64`: single-instruction read-modify-writes (`FEAT_LSE`).
    pub lse: bool,
    /// `aarch64`: acquire loads of processor consistency (`FEAT_LRCPC`).
    pub rcpc: bool,
    /// `aarch64` without LSE: read-modify-writes are calls that choose at run time.
    pub outline: bool,
    /// `x86_64`: the 16-byte exchange (`CMPXCHG16B`).
    pub cx16: bool,
    /// `x86_64`: 16-byte vector accesses that come in one piece (`AVX`).
    pub avx: bool,
}

impl Machine {
    /// A machine of this instruction set with none of the features.
    #[must_use]
    pub const fn plain(isa: Isa) -> Self {
        Self {
            isa,
            lse: false,
            rcpc: false,
            outline: false,
            cx16: false,
            avx: false,
        }
    }
}
