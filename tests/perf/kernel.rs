//! What this Linux counts. Where it forbids something, the reason must be the one that the level gives.
use atomshard::perf::{
    Attr, Host, Kernel, Members as _, Plan, Reason, Role, System as _, Table, Tally, Value,
};
use core::hint::black_box;
use core::time::Duration;
use std::thread;

/// Sleeps of each worker; each is a switch away from it.
const SLEEPS: u64 = 20;

fn sleep(times: u64) {
    for _ in 0..times {
        thread::sleep(Duration::from_millis(1));
    }
}

/// The count, or `None` where this process may not count it.
fn allowed(host: &Host, role: Role, value: &Value) -> Option<u64> {
    match value {
        Value::Measured(measured) => {
            assert!(measured.running_ns > 0, "{role}: {measured:?}");
            Some(measured.count)
        }
        Value::Unavailable(why) => {
            let high = match &why.reason {
                Reason::Forbidden { kernel, .. } => host
                    .paranoid
                    .is_some_and(|level| level > if *kernel { 1 } else { 2 }),
                Reason::Seccomp { .. } => true,
                _ => false,
            };
            assert!(high, "{role}: {why}");
            None
        }
    }
}

#[test]
fn sleeps_and_page_faults_are_counted_by_the_thread_that_has_them() {
    let host = Host::here(0);
    let roles = [Role::ContextSwitches, Role::Faults];
    let plan = Plan::new(&Table::shipped(), &host, &roles, 4);
    let (plan, host) = (&plan, &host);
    let worker = move |sleeps| {
        let mut group = plan.groups()[0].open(&Kernel, host);
        let (_, values) = group.count(|| {
            sleep(sleeps);
            // Fresh pages of the system: each is missing when it is touched first. With huge pages
            // there are two at least.
            let mut pages = vec![0_u8; 8 << 20];
            pages.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
            black_box(pages.len())
        });
        (sleeps, values)
    };
    let mut tally = Tally::new(plan);
    thread::scope(|scope| {
        let workers = [1, 2].map(|rounds| scope.spawn(move || worker(rounds * SLEEPS)));
        for (index, worker) in workers.into_iter().enumerate() {
            let (sleeps, values) = worker.join().expect("a worker ends");
            tally.record(index, sleeps, values);
        }
    });
    for sample in tally.of(Role::ContextSwitches) {
        let switches = allowed(host, sample.role, &sample.value);
        assert!(
            switches.is_none_or(|count| count >= sample.operations),
            "{sample:?}"
        );
    }
    for sample in tally.of(Role::Faults) {
        let faults = allowed(host, sample.role, &sample.value);
        assert!(faults.is_none_or(|count| count > 0), "{sample:?}");
    }
    if let Some(total) = allowed(
        host,
        Role::ContextSwitches,
        &tally.total(Role::ContextSwitches),
    ) {
        assert!(total >= 3 * SLEEPS);
        let each = tally
            .per_operation(Role::ContextSwitches)
            .expect("both were counted");
        assert!(each >= 1.0, "{each} switches a sleep");
    }
}

#[test]
fn a_second_run_of_a_group_counts_from_its_own_start() {
    let host = Host::here(0);
    let plan = Plan::new(&Table::shipped(), &host, &[Role::ContextSwitches], 1);
    let mut group = plan.groups()[0].open(&Kernel, &host);
    let (_, first) = group.count(|| sleep(50 * SLEEPS));
    let (_, second) = group.count(|| sleep(SLEEPS));
    let counts =
        [&first[0].1, &second[0].1].map(|value| allowed(&host, Role::ContextSwitches, value));
    if let [Some(first), Some(second)] = counts {
        assert!(first >= 50 * SLEEPS && second >= SLEEPS);
        // Preempted or not, it is nowhere near the sum.
        assert!(
            second < first,
            "{second} in the second run, {first} in the first"
        );
    }
}

/// Why the events of switches include the kernel: without it they are opened, run, and read 0.
#[test]
fn without_the_kernel_switches_read_zero() {
    let mut attr = Attr::of_kernel(Role::ContextSwitches).expect("the kernel counts it");
    assert!(attr.include_kernel);
    attr.include_kernel = false;
    let Ok(mut group) = Kernel.group() else {
        return println!("this process may not count");
    };
    if group.add(&attr).is_err() {
        return println!("this process may not count");
    }
    group.start().expect("it starts");
    sleep(SLEEPS);
    group.stop().expect("it stops");
    let read = group.read(0).expect("it is read");
    assert_eq!(read.count, 0, "then `of_kernel` need not include it");
    assert!(read.running_ns > 0);
    assert!(group.read(1).is_err(), "there is no such member");
}

#[test]
fn every_role_is_counted_here_or_says_why_not() {
    let host = Host::here(0);
    let plan = Plan::new(&Table::shipped(), &host, &Role::ALL, 4);
    let mut tally = Tally::new(&plan);
    for group in plan.groups() {
        let (_, values) = group.open(&Kernel, &host).count(|| sleep(1));
        tally.record(0, 1, values);
    }
    for role in Role::ALL {
        match tally.total(role) {
            Value::Measured(measured) => println!("{role}: {measured:?}"),
            Value::Unavailable(why) => {
                println!("{role}: {why}");
                assert_ne!(why.reason, Reason::NoRun, "{role}");
                assert!(!why.remedy.is_empty(), "{role}");
            }
        }
    }
    // A sandbox may hide the unit and still count.
    if host.pmu.is_none() {
        let fine = match tally.total(Role::Cycles) {
            Value::Measured(measured) => measured.count > 0,
            Value::Unavailable(why) => matches!(
                why.reason,
                Reason::NoPmu | Reason::Forbidden { .. } | Reason::Seccomp { .. }
            ),
        };
        assert!(fine, "{:?}", tally.total(Role::Cycles));
    }
}
