//! A CPU that counts: a loop whose instructions are known, and what the CPU has no event for.
#![expect(
    unsafe_code,
    reason = "in assembly a loop has the same instructions at every level of optimisation"
)]
use atomshard::perf::{Host, Kernel, Measured, Plan, Role, Table, Tally, Value};
use core::arch::asm;
use core::hint::black_box;

/// The first run's rounds; the second run has twice as many.
const ROUNDS: u64 = 1_000_000;

/// Each round counts down and jumps.
const INSTRUCTIONS: u64 = 2;

/// Runs a loop of two instructions a round, which has to run at least once.
fn rounds(rounds: u64) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the loop writes the register that it is given, and the flags, which asm! may; it
    // touches no memory, and it ends when the register is 0.
    unsafe {
        asm!("2:", "dec {0}", "jnz 2b", inout(reg) rounds => _, options(nomem, nostack));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the loop writes the register that it is given, and the flags, which asm! may; it
    // touches no memory, and it ends when the register is 0.
    unsafe {
        asm!("2:", "subs {0}, {0}, #1", "b.ne 2b", inout(reg) rounds => _, options(nomem, nostack));
    }
}

/// What is counted of these roles, together, while `work` runs.
fn counted<const N: usize>(host: &Host, roles: [Role; N], work: impl FnOnce()) -> [Value; N] {
    let plan = Plan::new(&Table::shipped(), host, &roles, N);
    let mut tally = Tally::new(&plan);
    if let [group] = plan.groups() {
        let ((), values) = group.open(&Kernel, host).count(work);
        tally.record(0, 1, values);
    }
    roles.map(|role| tally.total(role))
}

fn measured(value: &Value) -> Measured {
    let measured = value.measured();
    *measured.unwrap_or_else(|why| panic!("{why}"))
}

#[test]
#[ignore = "needs a CPU that counts: `cargo xtask vm pmu`, or a machine that is not a guest"]
fn cycles_and_instructions_are_those_of_a_known_loop() {
    let host = Host::here(0);
    println!("{host:?}");
    for length in [ROUNDS, 2 * ROUNDS] {
        let roles = [Role::Cycles, Role::Instructions];
        let values = counted(&host, roles, || rounds(length));
        let [cycles, instructions] = values.each_ref().map(measured);
        let known = length * INSTRUCTIONS;
        println!(
            "{length} rounds: {} cycles, {} instructions, {known} of the loop",
            cycles.raw, instructions.raw
        );
        assert!(cycles.raw > 0, "{cycles:?}");
        // Starting and stopping the group costs some instructions too.
        let near = known..=known + known / 100;
        assert!(near.contains(&instructions.raw), "{instructions:?}");
    }
}

/// The kernel opens an event that an Arm CPU does not have, and reads 0.
#[test]
#[ignore = "needs a CPU that counts: `cargo xtask vm pmu`, or a machine that is not a guest"]
fn misses_are_counted_or_unavailable_and_never_0() {
    let host = Host::here(0);
    let [value] = counted(&host, [Role::L1Miss], || {
        // More than any first level holds, in pages that no cache has.
        let mut pages = vec![0_u8; 8 << 20];
        pages.iter_mut().step_by(64).for_each(|byte| *byte = 1);
        black_box(pages.len());
    });
    println!("{value:?}");
    match value {
        Value::Measured(measured) => assert!(measured.count > 0, "{measured:?}"),
        Value::Unavailable(why) => assert!(!why.remedy.is_empty(), "{why}"),
    }
}
