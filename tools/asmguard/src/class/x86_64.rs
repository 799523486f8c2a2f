//! The classes of `x86_64`, in Intel syntax.
//!
//! Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2 (the instructions)
//! and volume 3, 9.2 (a locked instruction orders like `MFENCE` for ordinary memory).

use super::{Class, Hit, is_fixed, is_inside};

/// Adds the classes of one instruction.
pub(super) fn classify(mnemonic: &str, operands: &str, hits: &mut Vec<Hit>) {
    match mnemonic {
        "mfence" => hits.push(Hit::new(Class::FullBarrier, None)),
        "lfence" => hits.push(Hit::new(Class::LoadBarrier, None)),
        "sfence" => hits.push(Hit::new(Class::StoreBarrier, None)),
        "cpuid" | "serialize" => hits.push(Hit::new(Class::SystemBarrier, None)),
        "call" => hits.push(Hit::call(operands)),
        _ if mnemonic.starts_with('j') && !is_inside(operands) => hits.push(Hit::call(operands)),
        "push" => hits.push(Hit::new(Class::StackSpill, Some(8))),
        // These name an address and do not go there, or go there for instructions.
        _ if mnemonic.starts_with("lea")
            || mnemonic.starts_with("prefetch")
            || mnemonic.starts_with("nop")
            || mnemonic.starts_with('j') => {}
        _ => memory(mnemonic, operands, hits),
    }
}

fn memory(mnemonic: &str, operands: &str, hits: &mut Vec<Hit>) {
    let Some((address, first)) = address(operands) else {
        return;
    };
    if is_fixed(address) {
        return;
    }
    let wide = mnemonic.ends_with("cmpxchg16b").then_some(16);
    let width = wide.or_else(|| width(operands));
    // Without frame pointers `rbp` is a register like any other.
    let stack = address.contains("rsp");
    if mnemonic.starts_with("lock ") || mnemonic == "xchg" {
        let class = if stack {
            Class::FullBarrier
        } else {
            Class::LockedRmw
        };
        hits.push(Hit::new(class, width));
        if straddles(address, width) {
            hits.push(Hit::new(Class::SplitLine, width));
        }
        return;
    }
    let reads = !first || !moves(mnemonic);
    let writes = first && !only_reads(mnemonic);
    match (stack, reads, writes) {
        (true, _, true) => hits.push(Hit::new(Class::StackSpill, width)),
        (true, _, false) => {}
        (false, reads, writes) => {
            hits.extend(reads.then(|| Hit::new(Class::Load, width)));
            hits.extend(writes.then(|| Hit::new(Class::Store, width)));
        }
    }
}

/// The text between the brackets, and whether it stands in the first operand.
fn address(operands: &str) -> Option<(&str, bool)> {
    let (before, rest) = operands.split_once('[')?;
    let (address, _) = rest.split_once(']')?;
    Some((address, !before.contains(',')))
}

fn moves(mnemonic: &str) -> bool {
    mnemonic.starts_with("mov") || mnemonic.starts_with("vmov") || mnemonic.starts_with("set")
}

fn only_reads(mnemonic: &str) -> bool {
    const READ: [&str; 9] = [
        "cmp", "test", "bt", "mul", "imul", "div", "idiv", "comiss", "comisd",
    ];
    READ.contains(&mnemonic)
}

fn width(operands: &str) -> Option<u8> {
    // Longer names first: each but the first ends in the next.
    const WIDTHS: [(&str, u8); 7] = [
        ("zmmword", 64),
        ("ymmword", 32),
        ("xmmword", 16),
        ("qword", 8),
        ("dword", 4),
        ("word", 2),
        ("byte", 1),
    ];
    let found = WIDTHS.iter().find(|(name, _)| operands.contains(name));
    found.map(|(_, width)| *width)
}

/// A displacement that the base's alignment cannot make up for.
fn straddles(address: &str, width: Option<u8>) -> bool {
    let Some(width) = width else {
        return false;
    };
    let displacement = last_number(address);
    displacement.is_some_and(|number| number % u64::from(width) != 0)
}

fn last_number(address: &str) -> Option<u64> {
    let at = address.rfind(['+', '-'])?;
    address[at + 1..].trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Class, Hit, classify};

    fn classes(line: &str) -> Vec<(Class, Option<u8>)> {
        let (mnemonic, operands) = match line.strip_prefix("lock ") {
            Some(rest) => {
                let (second, operands) = rest.split_once(' ').expect("operands");
                (format!("lock {second}"), operands)
            }
            None => {
                let (first, operands) = line.split_once(' ').unwrap_or((line, ""));
                (first.to_owned(), operands)
            }
        };
        let mut hits: Vec<Hit> = Vec::new();
        classify(&mnemonic, operands, &mut hits);
        hits.iter().map(|hit| (hit.class, hit.width)).collect()
    }

    #[test]
    fn each_instruction_is_in_its_class() {
        for (line, expected) in [
            (
                "lock xadd qword ptr [rdi], rax",
                vec![(Class::LockedRmw, Some(8))],
            ),
            ("lock cmpxchg16b [rdi]", vec![(Class::LockedRmw, Some(16))]),
            ("xchg byte ptr [rdi], al", vec![(Class::LockedRmw, Some(1))]),
            ("xchg rbx, rsi", vec![]),
            (
                "lock or dword ptr [rsp - 64], 0",
                vec![(Class::FullBarrier, Some(4))],
            ),
            ("mfence", vec![(Class::FullBarrier, None)]),
            ("cpuid", vec![(Class::SystemBarrier, None)]),
            ("mov qword ptr [rbp], rax", vec![(Class::Store, Some(8))]),
            ("mov rax, qword ptr [rdi]", vec![(Class::Load, Some(8))]),
            (
                "mov dword ptr [rdi + 8], esi",
                vec![(Class::Store, Some(4))],
            ),
            ("cmp qword ptr [rdi], rax", vec![(Class::Load, Some(8))]),
            (
                "inc qword ptr [rdi]",
                vec![(Class::Load, Some(8)), (Class::Store, Some(8))],
            ),
            (
                "vmovdqa xmm0, xmmword ptr [rdi]",
                vec![(Class::Load, Some(16))],
            ),
            (
                "mov qword ptr [rsp + 8], rax",
                vec![(Class::StackSpill, Some(8))],
            ),
            ("mov rax, qword ptr [rsp + 8]", vec![]),
            ("push rbx", vec![(Class::StackSpill, Some(8))]),
            ("lea rax, [rdi + 8]", vec![]),
            ("prefetcht0 byte ptr [rdi]", vec![]),
            ("jmp L0", vec![]),
            ("jmp q::slow", vec![(Class::Call, None)]),
            ("jne L0", vec![]),
            ("jne q::slow", vec![(Class::Call, None)]),
            ("mov rax, qword ptr [rip + q::FLAG@GOTPCREL]", vec![]),
            ("movaps xmm0, xmmword ptr [rip + CONST0]", vec![]),
            (
                "call qword ptr [rip + q::slow@GOTPCREL]",
                vec![(Class::Call, None)],
            ),
            ("call core::panicking::panic", vec![(Class::Panic, None)]),
            (
                "lock add qword ptr [rdi + 60], 1",
                vec![(Class::LockedRmw, Some(8)), (Class::SplitLine, Some(8))],
            ),
            (
                "lock add qword ptr [rdi + 64], 1",
                vec![(Class::LockedRmw, Some(8))],
            ),
        ] {
            assert_eq!(classes(line), expected, "{line}");
        }
    }
}
