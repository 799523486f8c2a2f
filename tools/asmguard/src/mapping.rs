//! The C/C++11 mapping table, as LLVM implements it.
//!
//! Sources: P. Sewell, J. Sevcik and others, "C/C++11 mappings to processors" (University of
//! Cambridge), rows x86 and `AArch64`; the Rust and LLVM manuals for what a compare-exchange with two
//! orderings means. Departures that LLVM makes from the first, each in the code below: a failure
//! ordering stronger than success strengthens the whole exchange, and a sequentially consistent
//! exchange of `aarch64` is its acquire-release form, which suffices there because `ldar` waits for
//! every earlier release store.

use crate::{Access, Allowed, Class, Expectation, Isa, Kind, Machine, Op, Order, Probe, Strength};

/// What the table says of a probe; `None` for what only a rule can judge.
#[must_use]
pub fn row(machine: &Machine, probe: &Probe) -> Option<Expectation> {
    let (what, alternatives, width) = match &probe.kind {
        Kind::Access(access) => {
            let rows = match machine.isa {
                Isa::X86_64 => x86_64(machine, *access)?,
                Isa::Aarch64 => aarch64(machine, *access)?,
            };
            (name(*access), rows, Some(access.width))
        }
        Kind::Fence(order) => {
            let barrier = fence(machine.isa, *order);
            let all =
                barrier.map_or_else(Allowed::default, |class| Allowed::exactly(&[(class, 1)]));
            (format!("fence, {order}"), vec![all], None)
        }
        Kind::LightFence => {
            let what = "fence for the compiler".to_owned();
            (what, vec![Allowed::default()], None)
        }
        Kind::Item => return None,
    };
    let ways: Vec<String> = alternatives.iter().map(ToString::to_string).collect();
    let features = features(machine);
    let fenced = alternatives.iter().any(|all| {
        let has = |class| all.classes.contains_key(&class);
        has(Class::Store) && has(Class::FullBarrier)
    });
    Some(Expectation {
        origin: format!(
            "mapping table: {}{features}, {what} -> {}",
            machine.isa.name(),
            ways.join("; or ")
        ),
        alternatives,
        width,
        plain: matches!(&probe.kind, Kind::Access(access) if !access.op.modifies()),
        // Where a store and a barrier make a store sequentially consistent, the barrier keeps later loads
        // behind the store.
        behind: fenced.then_some((Class::Store, Class::FullBarrier)),
        // A fence for the compiler is no instruction: what is left is the return.
        length: (probe.kind == Kind::LightFence).then_some(1),
        ..Expectation::default()
    })
}

fn name(access: Access) -> String {
    let Access {
        op,
        width,
        order,
        failure,
    } = access;
    let failure = failure.map(|failure| format!(" (failure {failure})"));
    let failure = failure.unwrap_or_default();
    format!("{} of {width} bytes, {order}{failure}", op.name())
}

fn features(machine: &Machine) -> String {
    let named = [
        (machine.lse, " +lse"),
        (machine.rcpc, " +rcpc"),
        (machine.outline, " +outline-atomics"),
        (machine.cx16, " +cx16"),
        (machine.avx, " +avx"),
    ];
    named
        .iter()
        .filter(|(has, _)| *has)
        .map(|(_, name)| *name)
        .collect()
}

const fn fence(isa: Isa, order: Order) -> Option<Class> {
    match (isa, order) {
        (_, Order::Relaxed) => None,
        // Total store order: only a store followed by a load is ever seen the other way round.
        (Isa::X86_64, Order::SeqCst) => Some(Class::FullBarrier),
        (Isa::X86_64, _) => None,
        (Isa::Aarch64, Order::Acquire) => Some(Class::LoadBarrier),
        (Isa::Aarch64, _) => Some(Class::FullBarrier),
    }
}

/// The ordering of a whole compare-exchange: what both of its outcomes need.
fn merged(access: Access) -> Order {
    let Some(failure) = access.failure else {
        return access.order;
    };
    match (access.order, failure) {
        (Order::SeqCst, _) | (_, Order::SeqCst) => Order::SeqCst,
        (success, failure) if failure.acquires() && !success.acquires() => {
            if success.releases() {
                Order::AcqRel
            } else {
                failure
            }
        }
        (success, _) => success,
    }
}

fn x86_64(machine: &Machine, access: Access) -> Option<Vec<Allowed>> {
    let Access {
        op, width, order, ..
    } = access;
    if width == 16 {
        return x86_64_wide(machine, access);
    }
    let rmw = Allowed::exactly(&[(Class::LockedRmw, 1)]);
    Some(match (op, order) {
        (Op::Load, _) => vec![Allowed::exactly(&[(Class::Load, 1)])],
        (Op::Store, Order::SeqCst) => vec![
            rmw,
            Allowed::exactly(&[(Class::Store, 1), (Class::FullBarrier, 1)]),
        ],
        (Op::Store, _) => vec![Allowed::exactly(&[(Class::Store, 1)])],
        // There is no fetching form of these: if the old value is wanted, they are a loop.
        (Op::And | Op::Or | Op::Xor, _) => vec![
            rmw,
            Allowed::exactly(&[
                (Class::LockedRmw, 1),
                (Class::Load, 1),
                (Class::BackEdge, 1),
            ]),
        ],
        _ => vec![rmw],
    })
}

/// 16 bytes: the exchange saves `rbx`, which it needs, and gives its result through memory.
fn x86_64_wide(machine: &Machine, access: Access) -> Option<Vec<Allowed>> {
    let exchange = Allowed::exactly(&[(Class::LockedRmw, 1)])
        .and_at_most(Class::StackSpill, 1)
        .and_at_most(Class::Store, 3);
    match access.op {
        Op::Cas | Op::CasWeak if machine.cx16 => Some(vec![exchange]),
        Op::Load if machine.avx => Some(vec![Allowed::exactly(&[(Class::Load, 1)])]),
        Op::Store if machine.avx => {
            let store = Allowed::exactly(&[(Class::Store, 1)]);
            let fenced = Allowed::exactly(&[(Class::Store, 1), (Class::FullBarrier, 1)]);
            Some(vec![if access.order == Order::SeqCst {
                fenced
            } else {
                store
            }])
        }
        _ => None,
    }
}

fn aarch64(machine: &Machine, access: Access) -> Option<Vec<Allowed>> {
    let one = |class| vec![Allowed::exactly(&[(class, 1)])];
    Some(match access.op {
        // Which of several ways there is, is a choice of the crate and at run time.
        Op::Load | Op::Store if access.width == 16 => return None,
        Op::Load => one(match access.order {
            Order::Relaxed => Class::Load,
            Order::Acquire if machine.rcpc => Class::AcqPcLoad,
            _ => Class::AcqLoad,
        }),
        Op::Store if access.order == Order::Relaxed => one(Class::Store),
        Op::Store => one(Class::RelStore),
        op => exchange(machine, op, access.width, merged(access)),
    })
}

/// A read-modify-write of `aarch64`: one instruction, a call that chooses it, or a pair.
fn exchange(machine: &Machine, op: Op, width: u8, order: Order) -> Vec<Allowed> {
    let strength = match (order.acquires(), order.releases()) {
        (false, false) => Strength::Relaxed,
        (true, false) => Strength::Acquire,
        (false, true) => Strength::Release,
        (true, true) => Strength::AcqRel,
    };
    if machine.lse {
        let all = Allowed::exactly(&[(Class::LseRmw(strength), 1)]);
        return vec![through_memory(all, width)];
    }
    if machine.outline {
        // The frame of the call, and what must survive it.
        let all = Allowed::exactly(&[(Class::OutlineCall(strength), 1)]);
        let all = all.and_at_most(Class::StackSpill, 3);
        return vec![through_memory(all, width)];
    }
    let load = if order.acquires() {
        Strength::Acquire
    } else {
        Strength::Relaxed
    };
    let store = if order.releases() {
        Strength::Release
    } else {
        Strength::Relaxed
    };
    let mut classes = vec![(Class::ExclLoad(load), 1), (Class::ExclStore(store), 1)];
    // A pair may fail for no reason: only the weak exchange gives that on.
    if op != Op::CasWeak {
        classes.push((Class::BackEdge, 1));
    }
    vec![through_memory(Allowed::exactly(&classes), width)]
}

/// The result of a 16-byte exchange does not fit into registers together with its verdict.
fn through_memory(all: Allowed, width: u8) -> Allowed {
    if width == 16 {
        all.and_at_most(Class::Store, 3)
    } else {
        all
    }
}

#[cfg(test)]
mod tests {
    use super::row;
    use crate::{Code, Isa, Machine, Probe, classify};

    fn problems(machine: &Machine, probe: &str, lines: &[&str]) -> Vec<String> {
        let code = Code::parse(probe, lines.iter().copied(), machine.isa).expect("code");
        let row = row(machine, &Probe::parse(probe).expect("a name")).expect("a row");
        row.check(&code, &classify(&code, machine.isa))
    }

    const X86: Machine = Machine::plain(Isa::X86_64);
    const LLSC: Machine = Machine::plain(Isa::Aarch64);
    const RCPC: Machine = Machine {
        lse: true,
        rcpc: true,
        ..LLSC
    };

    #[test]
    fn what_is_asked_passes() {
        for (machine, probe, lines) in [
            (
                X86,
                "ours_store_u64_seqcst",
                &["xchg qword ptr [rdi], rsi", "ret"][..],
            ),
            (
                X86,
                "ours_store_u64_seqcst",
                &["mov qword ptr [rdi], rsi", "mfence", "ret"],
            ),
            (
                X86,
                "ours_load_u8_seqcst",
                &["movzx eax, byte ptr [rdi]", "ret"],
            ),
            (X86, "core_fence_acqrel", &["ret"]),
            (RCPC, "ours_load_u64_acquire", &["ldapr x0, [x0]", "ret"]),
            (RCPC, "ours_load_u64_seqcst", &["ldar x0, [x0]", "ret"]),
            (
                RCPC,
                "ours_cas_u64_release_acquire",
                &["casal x1, x2, [x0]", "ret"],
            ),
            (
                RCPC,
                "ours_cas_u64_release_relaxed",
                &["casl x1, x2, [x0]", "ret"],
            ),
            (
                LLSC,
                "ours_swap_u32_release",
                &[
                    ".L1:",
                    "ldxr w8, [x0]",
                    "stlxr w9, w1, [x0]",
                    "cbnz w9, .L1",
                    "ret",
                ],
            ),
        ] {
            let none: [&str; 0] = [];
            assert_eq!(problems(&machine, probe, lines), none, "{probe}");
        }
    }

    #[test]
    fn weaker_and_stronger_and_other_code_is_refused() {
        for (machine, probe, lines, said) in [
            (
                X86,
                "ours_store_u64_seqcst",
                &["mov qword ptr [rdi], rsi", "ret"][..],
                "full_barrier: 0, expected 1",
            ),
            (
                X86,
                "ours_store_u64_seqcst",
                &["mfence", "mov qword ptr [rdi], rsi", "ret"],
                "full_barrier in front of store, expected behind it",
            ),
            (
                X86,
                "ours_store_u64_release",
                &["xchg qword ptr [rdi], rsi", "ret"],
                "locked_rmw: 1, expected none",
            ),
            (
                X86,
                "ours_add_u64_relaxed",
                &["lock xadd dword ptr [rdi], esi", "ret"],
                "locked_rmw of 4 bytes, expected 8",
            ),
            (
                X86,
                "ours_load_u64_acquire",
                &["mov eax, dword ptr [rdi]", "ret"],
                "load of 4 bytes, expected 8",
            ),
            (
                RCPC,
                "ours_load_u64_acquire",
                &["ldar x0, [x0]", "ret"],
                "acq_load: 1, expected none",
            ),
            (
                RCPC,
                "ours_load_u64_acquire",
                &["ldr x0, [x0]", "ret"],
                "acq_load.pc: 0, expected 1",
            ),
            (
                RCPC,
                "ours_add_u64_relaxed",
                &["ldaddal x1, x0, [x0]", "ret"],
                "lse_rmw.acq_rel: 1, expected none",
            ),
            (
                LLSC,
                "ours_swap_u32_release",
                &["ldxr w8, [x0]", "stlxr w9, w1, [x0]", "ret"],
                "back_edge: 0, expected 1",
            ),
            (
                LLSC,
                "ours_fence_light",
                &["nop", "ret"],
                "2 instructions, expected at most 1",
            ),
        ] {
            let found = problems(&machine, probe, lines);
            assert!(found.iter().any(|text| text == said), "{probe}: {found:?}");
        }
    }

    /// The code of each ordering passes the rows of exactly those orderings that become the same code.
    #[test]
    fn no_ordering_passes_for_another() {
        let lse = [
            ("relaxed", "ldadd"),
            ("acquire", "ldadda"),
            ("release", "ldaddl"),
            ("acqrel", "ldaddal"),
            ("seqcst", "ldaddal"),
        ];
        let pairs = [
            ("relaxed", "ldxr stxr"),
            ("acquire", "ldaxr stxr"),
            ("release", "ldxr stlxr"),
            ("acqrel", "ldaxr stlxr"),
            ("seqcst", "ldaxr stlxr"),
        ];
        for (_, code) in lse {
            for (order, own) in lse {
                let probe = format!("ours_add_u64_{order}");
                let line = format!("{code} x1, x0, [x0]");
                let passes = problems(&RCPC, &probe, &[&line, "ret"]).is_empty();
                assert_eq!(passes, code == own, "{code} as {order}");
            }
        }
        for (_, code) in pairs {
            for (order, own) in pairs {
                let probe = format!("ours_swap_u64_{order}");
                let (load, store) = code.split_once(' ').expect("a pair");
                let load = format!("{load} x8, [x0]");
                let store = format!("{store} w9, x1, [x0]");
                let lines = ["L0:", &load, &store, "cbnz w9, L0", "ret"];
                let passes = problems(&LLSC, &probe, &lines).is_empty();
                assert_eq!(passes, code == own, "{code} as {order}");
            }
        }
    }
}
