//! The classes of `aarch64`.
//!
//! Source: Arm Architecture Reference Manual for A-profile, C6.2 (the instructions) and B2.3 (which
//! of them acquire and release); the names of the out-of-line calls are those of libgcc.

use super::{Class, Hit, Strength, is_fixed, is_inside};

/// Adds the classes of one instruction.
pub(super) fn classify(mnemonic: &str, operands: &str, hits: &mut Vec<Hit>) {
    if let Some(hit) = control(mnemonic, operands).or_else(|| barrier(mnemonic, operands)) {
        hits.push(hit);
        return;
    }
    let found = acquiring(mnemonic)
        .or_else(|| exclusive(mnemonic))
        .or_else(|| lse(mnemonic));
    if let Some(class) = found {
        hits.push(Hit::new(class, width(mnemonic, operands)));
        return;
    }
    if is_fixed(operands) {
        return;
    }
    let stack = operands.contains("[sp");
    let class = match (mnemonic, stack) {
        _ if mnemonic.starts_with("ldr")
            || mnemonic.starts_with("ldur")
            || is_pair(mnemonic, "ld")
            || is_vector(mnemonic, "ld") =>
        {
            (!stack).then_some(Class::Load)
        }
        _ if mnemonic.starts_with("str")
            || mnemonic.starts_with("stur")
            || is_pair(mnemonic, "st")
            || is_vector(mnemonic, "st") =>
        {
            Some(if stack {
                Class::StackSpill
            } else {
                Class::Store
            })
        }
        _ => None,
    };
    hits.extend(class.map(|class| Hit::new(class, width(mnemonic, operands))));
}

fn is_pair(mnemonic: &str, kind: &str) -> bool {
    let rest = mnemonic.strip_prefix(kind);
    matches!(rest, Some("p" | "np" | "psw"))
}

/// `ld1` to `ld4`, also to every lane (`ld1r`), and `st1` to `st4`.
fn is_vector(mnemonic: &str, kind: &str) -> bool {
    let rest = mnemonic
        .strip_prefix(kind)
        .map(|rest| rest.trim_end_matches('r'));
    matches!(rest, Some("1" | "2" | "3" | "4"))
}

fn control(mnemonic: &str, operands: &str) -> Option<Hit> {
    let leaves = match mnemonic {
        "bl" | "blr" | "br" => true,
        "b" => !is_inside(operands),
        _ => false,
    };
    if !leaves {
        return None;
    }
    let Some(name) = operands.strip_prefix("__aarch64_") else {
        return Some(Hit::call(operands));
    };
    let (action, order) = name.split_once('_')?;
    let strength = match order {
        "relax" => Strength::Relaxed,
        "acq" => Strength::Acquire,
        "rel" => Strength::Release,
        "acq_rel" => Strength::AcqRel,
        // `sync` is stronger than any ordering of the language: a call like any other.
        _ => return Some(Hit::call(operands)),
    };
    let digits = action.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    Some(Hit::new(Class::OutlineCall(strength), digits.parse().ok()))
}

fn barrier(mnemonic: &str, operands: &str) -> Option<Hit> {
    let class = match (mnemonic, operands) {
        ("dmb", "ish") => Class::FullBarrier,
        ("dmb", "ishld") => Class::LoadBarrier,
        ("dmb", "ishst") => Class::StoreBarrier,
        // These order nothing between cores, so they stand for no barrier.
        ("dmb", "nsh" | "nshld" | "nshst") => return None,
        ("dmb" | "dsb" | "isb", _) => Class::SystemBarrier,
        _ => return None,
    };
    Some(Hit::new(class, None))
}

fn acquiring(mnemonic: &str) -> Option<Class> {
    match mnemonic {
        "ldar" | "ldarb" | "ldarh" => Some(Class::AcqLoad),
        "stlr" | "stlrb" | "stlrh" => Some(Class::RelStore),
        _ if mnemonic.starts_with("ldap") => Some(Class::AcqPcLoad),
        _ if mnemonic.starts_with("stlur") => Some(Class::RelStore),
        _ => None,
    }
}

fn exclusive(mnemonic: &str) -> Option<Class> {
    match mnemonic {
        "ldxr" | "ldxrb" | "ldxrh" | "ldxp" => Some(Class::ExclLoad(Strength::Relaxed)),
        "ldaxr" | "ldaxrb" | "ldaxrh" | "ldaxp" => Some(Class::ExclLoad(Strength::Acquire)),
        "stxr" | "stxrb" | "stxrh" | "stxp" => Some(Class::ExclStore(Strength::Relaxed)),
        "stlxr" | "stlxrb" | "stlxrh" | "stlxp" => Some(Class::ExclStore(Strength::Release)),
        _ => None,
    }
}

fn lse(mnemonic: &str) -> Option<Class> {
    // `casp` before `cas`, so that the `p` is not taken for a suffix.
    const STEMS: [&str; 21] = [
        "casp", "cas", "swpp", "swp", "ldadd", "ldclrp", "ldclr", "ldeor", "ldsetp", "ldset",
        "ldsmax", "ldsmin", "ldumax", "ldumin", "stadd", "stclr", "steor", "stset", "stsmax",
        "stumax", "stumin",
    ];
    let rest = STEMS.iter().find_map(|stem| mnemonic.strip_prefix(stem))?;
    let strength = match rest.trim_end_matches(['b', 'h']) {
        "" => Strength::Relaxed,
        "a" => Strength::Acquire,
        "l" => Strength::Release,
        "al" => Strength::AcqRel,
        _ => return None,
    };
    Some(Class::LseRmw(strength))
}

/// The width of an access: by the suffix, else by the registers.
fn width(mnemonic: &str, operands: &str) -> Option<u8> {
    let first = operands.split(", ").next()?;
    // A store-exclusive names first where it says whether it succeeded.
    let store = mnemonic.starts_with("stx") || mnemonic.starts_with("stlx");
    let data = if store {
        operands.split(", ").nth(1)?
    } else {
        first
    };
    let one = match data.chars().next()? {
        'w' | 's' => 4,
        'x' | 'd' => 8,
        'q' => 16,
        _ => return None,
    };
    // No stem of two bytes ends in `b` or `h`, save the barriers, which have no width.
    match mnemonic.chars().last()? {
        'b' => Some(1),
        'h' => Some(2),
        _ => {
            let pairs = [
                "ldp", "stp", "ldnp", "stnp", "ldxp", "ldaxp", "stxp", "stlxp",
            ];
            let pair = pairs.contains(&mnemonic)
                || ["casp", "swpp", "ldclrp", "ldsetp"]
                    .iter()
                    .any(|stem| mnemonic.starts_with(stem));
            Some(if pair { 2 * one } else { one })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, Hit, Strength, classify};
    use Strength::{AcqRel, Acquire, Relaxed, Release};

    fn class(line: &str) -> Option<(Class, Option<u8>)> {
        let (mnemonic, operands) = line.split_once(' ').unwrap_or((line, ""));
        let mut hits: Vec<Hit> = Vec::new();
        classify(mnemonic, operands, &mut hits);
        assert!(hits.len() < 2, "{line}");
        hits.first().map(|hit| (hit.class, hit.width))
    }

    #[test]
    fn each_instruction_is_in_its_class() {
        for (line, expected) in [
            ("ldar x0, [x0]", (Class::AcqLoad, Some(8))),
            ("ldaprb w0, [x0]", (Class::AcqPcLoad, Some(1))),
            ("stlr w1, [x0]", (Class::RelStore, Some(4))),
            ("ldaxr x0, [x8]", (Class::ExclLoad(Acquire), Some(8))),
            ("ldxrb w8, [x0]", (Class::ExclLoad(Relaxed), Some(1))),
            ("ldaxp x8, x9, [x0]", (Class::ExclLoad(Acquire), Some(16))),
            ("stlxr w10, x9, [x8]", (Class::ExclStore(Release), Some(8))),
            (
                "stxp w10, x8, x9, [x0]",
                (Class::ExclStore(Relaxed), Some(16)),
            ),
            ("casal x1, x2, [x0]", (Class::LseRmw(AcqRel), Some(8))),
            ("cas x1, x2, [x0]", (Class::LseRmw(Relaxed), Some(8))),
            (
                "caspa x2, x3, x4, x5, [x0]",
                (Class::LseRmw(Acquire), Some(16)),
            ),
            ("swplb w1, w0, [x0]", (Class::LseRmw(Release), Some(1))),
            ("ldaddal w1, w0, [x0]", (Class::LseRmw(AcqRel), Some(4))),
            (
                "bl __aarch64_cas16_acq_rel",
                (Class::OutlineCall(AcqRel), Some(16)),
            ),
            (
                "b __aarch64_ldadd8_relax",
                (Class::OutlineCall(Relaxed), Some(8)),
            ),
            ("dmb ish", (Class::FullBarrier, None)),
            ("dmb ishld", (Class::LoadBarrier, None)),
            ("dmb sy", (Class::SystemBarrier, None)),
            ("dsb ish", (Class::SystemBarrier, None)),
            ("isb", (Class::SystemBarrier, None)),
            ("bl __aarch64_cas8_sync", (Class::Call, None)),
            ("ldr x0, [x0]", (Class::Load, Some(8))),
            ("ldp x0, x1, [x0]", (Class::Load, Some(16))),
            ("str x1, [x0, #8]", (Class::Store, Some(8))),
            ("ld1r { v0.2d }, [x0]", (Class::Load, None)),
            ("st1 { v0.16b, v1.16b }, [x0]", (Class::Store, None)),
            ("stp x29, x30, [sp, #-16]!", (Class::StackSpill, Some(16))),
            ("blr x8", (Class::Call, None)),
            ("b q::slow", (Class::Call, None)),
            ("bl core::panicking::panic", (Class::Panic, None)),
        ] {
            assert_eq!(class(line), Some(expected), "{line}");
        }
        for line in [
            "ldr x19, [sp, #16]",
            "b L0",
            "clrex",
            "ldr x8, [x8, :got_lo12:q::FLAG]",
            "ldr q0, [x8, :lo12:CONST0]",
            "dmb nsh",
            "prfm pldl1keep, [x0]",
        ] {
            assert_eq!(class(line), None, "{line}");
        }
    }
}
