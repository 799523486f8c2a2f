//! What an instruction means for ordering and for cost.

mod aarch64;
mod x86_64;

use crate::{Code, Isa, Line};
use core::fmt;
use std::collections::BTreeMap;

/// How strongly an instruction orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of the orderings")]
pub enum Strength {
    Relaxed,
    Acquire,
    Release,
    AcqRel,
}

/// A class of instructions. What is in none of them neither orders nor costs more than its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A plain load from memory that is not the stack.
    Load,
    /// A plain store to memory that is not the stack.
    Store,
    /// A store to the stack: a spill, a saved register, a result that did not fit.
    StackSpill,
    /// `ldar`.
    AcqLoad,
    /// `ldapr`: an acquire load that an earlier release store need not precede.
    AcqPcLoad,
    /// `stlr`.
    RelStore,
    /// `x86_64`: a read-modify-write with `lock`, or `xchg` with memory.
    LockedRmw,
    /// `ldxr`, `ldaxr` and their pairs.
    ExclLoad(Strength),
    /// `stxr`, `stlxr` and their pairs.
    ExclStore(Strength),
    /// `cas`, `swp`, `ldadd` and their kin.
    LseRmw(Strength),
    /// A call of `__aarch64_*`, which takes the LSE instruction if there is one.
    OutlineCall(Strength),
    /// `mfence`, a locked instruction on the stack, `dmb ish`.
    FullBarrier,
    /// `lfence`, `dmb ishld`.
    LoadBarrier,
    /// `sfence`, `dmb ishst`.
    StoreBarrier,
    /// What waits for more than other cores can see: `dsb`, `isb`, `dmb sy`, `cpuid`.
    SystemBarrier,
    /// A call, also one in the last place.
    Call,
    /// A call of the panic machinery.
    Panic,
    /// A branch upwards.
    BackEdge,
    /// A locked access whose displacement is no multiple of its width: it can straddle two lines.
    SplitLine,
}

impl Class {
    /// All classes.
    #[must_use]
    pub fn all() -> Vec<Self> {
        use Strength::{AcqRel, Acquire, Relaxed, Release};
        let mut all = vec![
            Self::Load,
            Self::Store,
            Self::StackSpill,
            Self::AcqLoad,
            Self::AcqPcLoad,
            Self::RelStore,
            Self::LockedRmw,
            Self::ExclLoad(Relaxed),
            Self::ExclLoad(Acquire),
            Self::ExclStore(Relaxed),
            Self::ExclStore(Release),
            Self::FullBarrier,
            Self::LoadBarrier,
            Self::StoreBarrier,
            Self::SystemBarrier,
            Self::Call,
            Self::Panic,
            Self::BackEdge,
            Self::SplitLine,
        ];
        for strength in [Relaxed, Acquire, Release, AcqRel] {
            all.extend([Self::LseRmw(strength), Self::OutlineCall(strength)]);
        }
        all
    }

    /// The class of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all()
            .into_iter()
            .find(|class| class.to_string() == name)
    }

    /// True of the accesses whose width is that of the atomic itself.
    pub(crate) const fn is_atomic(self) -> bool {
        matches!(
            self,
            Self::AcqLoad
                | Self::AcqPcLoad
                | Self::RelStore
                | Self::LockedRmw
                | Self::ExclLoad(_)
                | Self::ExclStore(_)
                | Self::LseRmw(_)
                | Self::OutlineCall(_)
        )
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, strength) = match *self {
            Self::Load => ("load", None),
            Self::Store => ("store", None),
            Self::StackSpill => ("stack_spill", None),
            Self::AcqLoad => ("acq_load", None),
            Self::AcqPcLoad => ("acq_load.pc", None),
            Self::RelStore => ("rel_store", None),
            Self::LockedRmw => ("locked_rmw", None),
            Self::ExclLoad(strength) => ("excl_load", Some(strength)),
            Self::ExclStore(strength) => ("excl_store", Some(strength)),
            Self::LseRmw(strength) => ("lse_rmw", Some(strength)),
            Self::OutlineCall(strength) => ("outline_call", Some(strength)),
            Self::FullBarrier => ("full_barrier", None),
            Self::LoadBarrier => ("load_barrier", None),
            Self::StoreBarrier => ("store_barrier", None),
            Self::SystemBarrier => ("system_barrier", None),
            Self::Call => ("call", None),
            Self::Panic => ("panic", None),
            Self::BackEdge => ("back_edge", None),
            Self::SplitLine => ("split_line", None),
        };
        f.write_str(name)?;
        f.write_str(match strength {
            None => "",
            Some(Strength::Relaxed) => ".relaxed",
            Some(Strength::Acquire) => ".acq",
            Some(Strength::Release) => ".rel",
            Some(Strength::AcqRel) => ".acq_rel",
        })
    }
}

/// An instruction that is in a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The class.
    pub class: Class,
    /// How many bytes it accesses, where the text says so.
    pub width: Option<u8>,
    /// What a call calls.
    pub callee: Option<String>,
}

impl Hit {
    fn new(class: Class, width: Option<u8>) -> Self {
        Self {
            class,
            width,
            callee: None,
        }
    }

    /// A call by name, also when the address comes from the linker's table.
    fn call(callee: &str) -> Self {
        const PANICS: [&str; 4] = [
            "core::panicking::",
            "core::option::",
            "core::result::unwrap_failed",
            "core::slice::index::",
        ];
        let callee = callee.split('@').next().unwrap_or(callee);
        let callee = callee.rsplit("[rip + ").next().unwrap_or(callee);
        let panics = PANICS.iter().any(|path| callee.contains(path));
        Self {
            class: if panics { Class::Panic } else { Class::Call },
            width: None,
            callee: Some(callee.to_owned()),
        }
    }
}

/// How many instructions of each class there are; a class that is absent has none.
pub type Counts = BTreeMap<Class, usize>;

/// Finds the instructions that are in a class. One instruction may be in two.
#[must_use]
pub fn classify(code: &Code, isa: Isa) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut above = Vec::new();
    for line in code.lines() {
        match line {
            Line::Label(label) => above.push(format!("L{label}")),
            Line::Instruction { mnemonic, operands } => {
                if isa.branches(mnemonic) && above.iter().any(|label| last(operands) == label) {
                    hits.push(Hit::new(Class::BackEdge, None));
                }
                match isa {
                    Isa::X86_64 => x86_64::classify(mnemonic, operands, &mut hits),
                    Isa::Aarch64 => aarch64::classify(mnemonic, operands, &mut hits),
                }
            }
        }
    }
    hits
}

fn last(operands: &str) -> &str {
    operands.rsplit(", ").next().unwrap_or(operands)
}

/// True when an address is that of a constant or in a table of the linker: what is there never changes,
/// so loading it is no access to memory that is shared.
fn is_fixed(address: &str) -> bool {
    const FIXED: [&str; 5] = ["@GOT", ":got", ":tlsdesc", "CONST", ":gottprel"];
    FIXED.iter().any(|name| address.contains(name))
}

/// True when a branch goes to a label of its own function.
fn is_inside(target: &str) -> bool {
    let digits = target.strip_prefix('L').unwrap_or_default();
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
}

impl Isa {
    /// What begins a comment.
    pub(crate) const fn comment(self) -> &'static str {
        match self {
            Self::X86_64 => "#",
            Self::Aarch64 => "//",
        }
    }

    /// True when the last operand of such an instruction is a place in the code.
    pub(crate) fn branches(self, mnemonic: &str) -> bool {
        match self {
            Self::X86_64 => mnemonic.starts_with('j') || mnemonic.starts_with("loop"),
            Self::Aarch64 => {
                matches!(mnemonic, "b" | "cbz" | "cbnz" | "tbz" | "tbnz")
                    || mnemonic.starts_with("b.")
            }
        }
    }
}
