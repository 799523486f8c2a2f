//! Under a seccomp filter, as containers have them: what cannot be applied or read back says so with a remedy, and
//! the rest of the crate goes on. Each test runs once more in a process of its own, which filters itself.
#![expect(clippy::print_stdout, reason = "a test tells what the kernel refuses")]
#![expect(unsafe_code, reason = "asks the kernel directly")]

use super::applied::Block;
use atomshard::sys::{Barrier, barrier_kind};
use atomshard::topology::{Degradation, Machine, Memory, Outcome, Placement, Plan, Policy};
use atomshard::{ShardMap, WordMap};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
use std::env;
use std::io;
use std::process::Command;
use std::thread;

/// The error that the filter in this process answers with.
const ORDER: &str = "ATOMSHARD_BLOCK";

/// Answers these system calls of this thread, and of those that it starts, with an error.
fn install(calls: &[libc::c_long], errno: i32) {
    let rules = calls.iter().map(|call| (*call, Vec::new())).collect();
    let errno_of = SeccompAction::Errno(errno.unsigned_abs());
    let machine = env::consts::ARCH.try_into().expect("seccomp knows it");
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, errno_of, machine);
    let program: BpfProgram = filter
        .and_then(BpfProgram::try_from)
        .expect("a filter of numbers");
    apply_filter(&program).expect("the kernel takes it");
    for &call in calls {
        // SAFETY: the filter answers before the kernel looks at the arguments.
        let result =
            unsafe { libc::syscall(call, 0_usize, 0_usize, 0_usize, 0_usize, 0_usize, 0_usize) };
        let answered = io::Error::last_os_error().raw_os_error();
        assert_eq!((result, answered), (-1, Some(errno)), "call {call}");
    }
}

/// Runs the test in processes with a filter for these calls, one for each error.
fn each(test: &str, calls: &[libc::c_long], check: fn(i32)) {
    if let Ok(errno) = env::var(ORDER) {
        let errno = errno.parse().expect("a number");
        install(calls, errno);
        return check(errno);
    }
    if cfg!(target_arch = "aarch64")
        && env::var_os("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER").is_some()
    {
        return println!("qemu-user installs no filter");
    }
    for errno in [libc::EPERM, libc::ENOSYS] {
        let child = Command::new(env::current_exe().expect("known"))
            .args([
                "--exact",
                &format!("topology::blocked::{test}"),
                "--nocapture",
            ])
            .env(ORDER, errno.to_string())
            .output()
            .expect("started");
        let told = String::from_utf8_lossy(&child.stdout);
        print!("{told}");
        let has_run = told.contains("1 passed");
        assert!(child.status.success() && has_run, "{errno}: {child:?}");
    }
}

fn plan() -> Plan {
    let machine = Machine::here().expect("this Linux shows its machine");
    let plan = Placement::new(Policy::Compact).plan(&machine);
    plan.expect("a plan")
}

/// The error, the call that was refused, and the remedy.
fn refused<F: core::fmt::Debug>(outcome: &Outcome<F>) -> (i32, &'static str, &'static str) {
    match outcome {
        Outcome::Degraded {
            why: Degradation::Refused(why),
            remedy,
            ..
        } => (why.errno.expect("a call was made"), why.reason, remedy),
        other => panic!("{other:?}"),
    }
}

#[test]
fn memory_barriers_and_counters_are_blocked() {
    let calls = [
        libc::SYS_mbind,
        libc::SYS_get_mempolicy,
        libc::SYS_move_pages,
        libc::SYS_membarrier,
        libc::SYS_perf_event_open,
    ];
    each(
        "memory_barriers_and_counters_are_blocked",
        &calls,
        |errno| {
            let plan = plan();
            let block = Block::of_pages(4);
            block.write(4);
            let pinned = plan.pin(0);
            assert!(pinned.is_applied(), "{pinned}");
            for memory in [
                Memory::FirstTouch,
                Memory::Preferred,
                Memory::Bind,
                Memory::Interleave,
                Memory::Weighted,
            ] {
                let is_set = memory != Memory::FirstTouch;
                let placed = plan.place(0, memory, block.whole());
                let verified = plan.verify_place(0, memory, block.whole());
                println!("{memory}: {placed}");
                for (outcome, call) in [(&placed, "mbind"), (&verified, "get_mempolicy")] {
                    let call = if is_set { call } else { "move_pages" };
                    let (found, reason, remedy) = refused(outcome);
                    assert_eq!((found, reason), (errno, &*format!("{call} was refused")));
                    assert!(remedy.contains("seccomp profile"), "{remedy}");
                    let says_kernel = remedy.contains("CONFIG_NUMA");
                    assert_eq!(says_kernel, errno == libc::ENOSYS, "{remedy}");
                    assert_eq!(outcome.found().unknown, 4);
                }
            }
            the_map_works(errno);
            placed_maps_work(&plan, errno, "mbind");
            #[cfg(feature = "perf")]
            nothing_is_counted();
        },
    );
}

/// Without membarrier readers run a fence; the map is the same.
fn the_map_works(errno: i32) {
    match barrier_kind() {
        Barrier::Fence { why } => assert_eq!(why.errno, Some(errno)),
        other => panic!("{other:?}"),
    }
    const KEYS: u64 = 2000;
    let map = ShardMap::new();
    thread::scope(|scope| {
        for part in 0..2 {
            let map = &map;
            scope.spawn(move || {
                let map = map.pin();
                for key in (part..KEYS).step_by(2) {
                    assert_eq!(map.insert(key, key), None);
                    assert_eq!(map.insert(key, !key), Some(&key));
                    if key % 3 == 0 {
                        assert_eq!(map.remove(&key), Some(&!key));
                    }
                }
            });
        }
    });
    let map = map.pin();
    for key in 0..KEYS {
        let wanted = (key % 3 != 0).then_some(!key);
        assert_eq!(map.get(&key).copied(), wanted, "key {key}");
    }
}

/// Each table says with which error it was refused.
fn placed_maps_work(plan: &Plan, errno: i32, call: &str) {
    let map = ShardMap::builder().placement(plan).build();
    let words = WordMap::builder().placement(&plan.bound()).build();
    for key in 0..1000_u64 {
        assert_eq!(map.pin().insert(key, !key), None);
        assert_eq!(words.insert(key, !key), None);
    }
    let has = |key: u64| map.pin().get(&key) == Some(&!key) && words.get(key) == Some(!key);
    assert!((0..1000).all(has));
    let of_map = plan.verify_map(Memory::Preferred, &map);
    let of_words = plan.verify_map(Memory::Bind, &words);
    for outcome in [of_map, of_words] {
        let (found, reason, remedy) = refused(&outcome);
        println!("a placed map: {outcome}");
        assert_eq!((found, reason), (errno, &*format!("{call} was refused")));
        assert!(remedy.contains("seccomp profile"), "{remedy}");
        let pages = outcome.found();
        assert!(
            pages.tables.pages >= 32 && pages.entries.pages > 0,
            "{pages:?}"
        );
    }
}

/// The policy of a table can be asked for, and is not the one that the map was told.
#[test]
fn placing_is_blocked_and_reading_back_is_not() {
    let calls = [libc::SYS_mbind];
    let test = "placing_is_blocked_and_reading_back_is_not";
    each(test, &calls, |errno| {
        placed_maps_work(&plan(), errno, "mbind");
    });
}

/// Each role is a reason with a remedy.
#[cfg(feature = "perf")]
fn nothing_is_counted() {
    use atomshard::perf::{Host, Kernel, Plan, Role, Table, Tally, Value};
    let host = Host::here(0);
    let plan = Plan::new(&Table::shipped(), &host, &Role::ALL, 4);
    let mut tally = Tally::new(&plan);
    for group in plan.groups() {
        let (_, values) = group.open(&Kernel, &host).count(|| ());
        tally.record(0, 1, values);
    }
    for role in Role::ALL {
        match tally.total(role) {
            Value::Unavailable(why) => assert!(!why.remedy.is_empty(), "{role}: {why}"),
            Value::Measured(measured) => panic!("{role}: {measured:?}"),
        }
    }
}

#[test]
fn pinning_is_blocked() {
    let calls = [libc::SYS_sched_setaffinity];
    each("pinning_is_blocked", &calls, |errno| {
        let outcome = plan().pin(0);
        let (found, reason, remedy) = refused(&outcome);
        assert_eq!((found, reason), (errno, "sched_setaffinity was refused"));
        assert!(remedy.contains("seccomp profile"), "{remedy}");
        // Where it is, is known all the same.
        assert!(outcome.found().cpu.is_some());
    });
}

#[test]
fn reading_back_is_blocked() {
    let calls = [libc::SYS_getcpu, libc::SYS_move_pages];
    each("reading_back_is_blocked", &calls, |errno| {
        let (plan, block) = (plan(), Block::of_pages(1));
        let outcome = plan.pin(0);
        let (found, reason, _) = refused(&outcome);
        assert_eq!((found, reason), (errno, "getcpu was refused"));
        assert_eq!(outcome.found().allowed.len(), 1, "it is pinned");
        let outcome = plan.place(0, Memory::Preferred, block.whole());
        let (found, reason, _) = refused(&outcome);
        assert_eq!((found, reason), (errno, "move_pages was refused"));
        placed_maps_work(&plan, errno, "move_pages");
    });
}
