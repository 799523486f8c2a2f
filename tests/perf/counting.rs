//! What becomes of each answer of the kernel: a value, or the reason why there is none.
use super::fake::{Fake, reading, server};
use atomshard::perf::{Host, Plan, Reason, Role, Table, Tally, Value};
use std::io;

const ENOENT: i32 = 2;
const EPERM: i32 = 1;
const EACCES: i32 = 13;
const EBUSY: i32 = 16;
const EINVAL: i32 = 22;
const EMFILE: i32 = 24;
const ENOSPC: i32 = 28;
const ENOSYS: i32 = 38;

/// One run of one group.
fn count(fake: Fake, host: &Host, roles: &[Role]) -> Vec<(Role, Value)> {
    let plan = Plan::new(&Table::shipped(), host, roles, 8);
    assert_eq!((plan.groups().len(), plan.missing()), (1, &[][..]));
    let mut group = plan.groups()[0].open(&fake, host);
    let (done, values) = group.count(|| 5);
    assert_eq!(done, 5, "the work is done whatever can be counted");
    let counted: Vec<Role> = values.iter().map(|(role, _)| *role).collect();
    assert_eq!(counted, roles, "each role has a value or a reason");
    values
}

/// The reason why the only role was not counted, and the remedy.
fn why(fake: Fake, host: &Host, role: Role) -> (Reason, String) {
    match count(fake, host, &[role]).remove(0).1 {
        Value::Unavailable(why) => {
            assert!(!why.remedy.is_empty() && why.to_string().contains(&why.remedy));
            (why.reason, why.remedy)
        }
        value => panic!("{value:?} was counted"),
    }
}

fn refusing(refuse: fn(&atomshard::perf::Attr, Option<usize>) -> Option<i32>) -> Fake {
    Fake {
        refuse,
        ..Fake::default()
    }
}

fn running(run: fn(usize) -> io::Result<atomshard::perf::Reading>) -> Fake {
    Fake {
        run,
        ..Fake::default()
    }
}

#[test]
fn a_value_is_what_one_run_has_added() {
    let host = server();
    let roles = [Role::Cycles, Role::Faults];
    let plan = Plan::new(&Table::shipped(), &host, &roles, 4);
    let mut group = plan.groups()[0].open(&Fake::default(), &host);
    for _ in 0..3 {
        let ((), values) = group.count(|| ());
        let counts = values
            .iter()
            .map(|(_, value)| value.measured().map(|m| m.count));
        assert_eq!(counts.collect::<Vec<_>>(), [Ok(100), Ok(200)]);
    }
}

#[test]
fn nothing_counted_is_not_the_same_as_not_counted() {
    let nothing = running(|_| Ok(reading(0, 1_000, 1_000)));
    let values = count(nothing, &server(), &[Role::Cycles]);
    assert_eq!(
        values[0].1.measured().map(|m| (m.count, m.is_scaled())),
        Ok((0, false))
    );
    let idle = running(|_| Ok(reading(0, 1_000, 0)));
    let (reason, _) = why(idle, &server(), Role::Cycles);
    assert_eq!(reason, Reason::NotScheduled { enabled_ns: 1_000 });
}

#[test]
fn a_shared_counter_is_scaled_and_below_nine_tenths_no_ratio_is_made() {
    let half = running(|_| Ok(reading(7, 1_000, 500)));
    let values = count(half, &server(), &[Role::Cycles]);
    let measured = *values[0].1.measured().expect("it was counted");
    assert_eq!((measured.count, measured.raw), (14, 7));
    assert!(measured.is_scaled());
    assert!((measured.running_ratio() - 0.5).abs() < 1e-9);
    let refused = measured.per(2).expect_err("half of the time is too little");
    let reason = Reason::Multiplexed {
        enabled_ns: 1_000,
        running_ns: 500,
    };
    assert_eq!(refused.reason, reason);
    let most = running(|_| Ok(reading(90, 1_000, 900)));
    let values = count(most, &server(), &[Role::Cycles]);
    let measured = values[0].1.measured().expect("it was counted");
    assert_eq!((measured.count, measured.per(50)), (100, Ok(2.0)));
    let reason = measured.per(0).map_err(|why| why.reason);
    assert_eq!(reason, Err(Reason::NoOperations));
}

#[test]
fn a_count_that_outgrows_the_word_stays_at_its_end() {
    let value = Value::of(u64::MAX / 2, u64::MAX, 1);
    assert_eq!(value.measured().map(|m| m.count), Ok(u64::MAX));
}

#[test]
fn a_short_read_spoils_its_own_role_alone() {
    let short = running(|index| match index {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(reading(3, 10, 10)),
    });
    let values = count(short, &server(), &[Role::Cycles, Role::L1Miss]);
    let reason = values[0].1.measured().map_err(|why| &why.reason);
    assert_eq!(reason, Err(&Reason::ShortRead));
    assert_eq!(values[1].1.measured().map(|m| m.count), Ok(3));
}

#[test]
fn no_access_names_the_level_and_what_would_do() {
    // As an ordinary user at level 2: only what counts in the kernel is refused.
    let user = refusing(|attr, _| attr.include_kernel.then_some(EACCES));
    let (reason, remedy) = why(user, &server(), Role::ContextSwitches);
    let forbidden = |paranoid, kernel| Reason::Forbidden {
        errno: EACCES,
        paranoid,
        kernel,
    };
    assert_eq!(reason, forbidden(Some(2), true));
    assert!(remedy.contains("perf_event_paranoid to 1") && remedy.contains("CAP_PERFMON"));
    let roles = [Role::Cycles, Role::Migrations, Role::Faults];
    let counted = count(user, &server(), &roles)
        .into_iter()
        .map(|(_, value)| value.measured().is_ok());
    assert_eq!(counted.collect::<Vec<_>>(), [true, false, true]);
    // Debian's level 3 refuses everything.
    let mut host = server();
    host.paranoid = Some(3);
    let (reason, remedy) = why(refusing(|_, _| Some(EACCES)), &host, Role::Cycles);
    assert_eq!(reason, forbidden(Some(3), false));
    assert!(remedy.contains("perf_event_paranoid to 2"));
    // The level is low enough: something else is in the way.
    host.paranoid = Some(-1);
    let (_, remedy) = why(refusing(|_, _| Some(EACCES)), &host, Role::Cycles);
    assert!(remedy.contains("security module"), "{remedy}");
}

#[test]
fn a_blocked_call_is_told_from_a_forbidden_one() {
    let denied = refusing(|_, _| Some(EPERM));
    let mut host = server();
    for (paranoid, blocked) in [(Some(2), true), (None, true), (Some(3), false)] {
        host.paranoid = paranoid;
        let (reason, _) = why(denied, &host, Role::Cycles);
        let seccomp = Reason::Seccomp { errno: EPERM };
        assert_eq!(reason == seccomp, blocked, "{paranoid:?}: {reason:?}");
    }
    let absent = refusing(|_, _| Some(ENOSYS));
    let (reason, remedy) = why(absent, &server(), Role::Faults);
    assert_eq!(reason, Reason::Seccomp { errno: ENOSYS });
    assert!(remedy.contains("seccomp"), "{remedy}");
}

#[test]
fn no_entry_means_no_unit_or_no_such_event() {
    let absent = refusing(|_, _| Some(ENOENT));
    let unsupported = Reason::Unsupported {
        errno: Some(ENOENT),
    };
    assert_eq!(why(absent, &server(), Role::Cycles).0, unsupported);
    let mut host = server();
    host.pmu = None;
    // Without the unit's number cycles are asked for by the kernel's name.
    assert_eq!(why(absent, &host, Role::Cycles).0, Reason::NoPmu);
    assert_eq!(why(absent, &host, Role::Faults).0, unsupported);
}

#[test]
fn an_invalid_event_is_told_from_one_that_does_not_fit() {
    let unknown = refusing(|attr, _| (attr.config == 0x08d1).then_some(EINVAL));
    let full = refusing(|_, place| place.is_some_and(|index| index >= 2).then_some(EINVAL));
    let roles = [Role::Cycles, Role::Instructions, Role::L1Miss];
    for (fake, expected) in [
        (
            unknown,
            Reason::Unsupported {
                errno: Some(EINVAL),
            },
        ),
        (
            full,
            Reason::TooMany {
                errno: Some(EINVAL),
            },
        ),
    ] {
        let values = count(fake, &server(), &roles);
        assert!(
            values[..2]
                .iter()
                .all(|(_, value)| value.measured().is_ok())
        );
        let reason = values[2].1.measured().map_err(|why| &why.reason);
        assert_eq!(reason, Err(&expected));
    }
    let (reason, _) = why(unknown, &server(), Role::L1Miss);
    assert_eq!(
        reason,
        Reason::Unsupported {
            errno: Some(EINVAL)
        }
    );
}

#[test]
fn too_many_files_or_counters_is_said() {
    for (errno, fake, hint) in [
        (EMFILE, refusing(|_, _| Some(EMFILE)), "ulimit"),
        (ENOSPC, refusing(|_, _| Some(ENOSPC)), "watchdog"),
    ] {
        let (reason, remedy) = why(fake, &server(), Role::Cycles);
        let expected = Reason::TooMany { errno: Some(errno) };
        assert_eq!(reason, expected);
        assert!(remedy.contains(hint), "{remedy}");
    }
}

#[test]
fn a_group_that_cannot_be_opened_or_started_has_no_values() {
    let unopened = Fake {
        group: Some(EMFILE),
        ..Fake::default()
    };
    let unstarted = Fake {
        start: Some(EBUSY),
        ..Fake::default()
    };
    for (fake, expected) in [
        (
            unopened,
            Reason::TooMany {
                errno: Some(EMFILE),
            },
        ),
        (unstarted, Reason::Refused { errno: Some(EBUSY) }),
    ] {
        for (role, value) in count(fake, &server(), &[Role::Cycles, Role::Faults]) {
            let reason = value.measured().map_err(|why| &why.reason);
            assert_eq!(reason, Err(&expected), "{role}");
        }
    }
}

#[test]
fn figures_are_per_thread_and_per_operation() {
    let host = server();
    let roles = [Role::L1Miss, Role::RemoteHitm];
    let plan = Plan::new(&Table::shipped(), &host, &roles, 1);
    let mut tally = Tally::new(&plan);
    for group in plan.groups() {
        for (thread, operations) in [(0, 50), (1, 150)] {
            let (_, values) = group.open(&Fake::default(), &host).count(|| ());
            tally.record(thread, operations, values);
        }
    }
    let each: Vec<_> = tally
        .of(Role::L1Miss)
        .map(|s| (s.thread, s.per_operation()))
        .collect();
    assert_eq!(each, [(0, Ok(2.0)), (1, Ok(100.0 / 150.0))]);
    assert_eq!(
        tally.total(Role::RemoteHitm).measured().map(|m| m.count),
        Ok(200)
    );
    assert_eq!(tally.per_operation(Role::RemoteHitm), Ok(1.0));
    let reason = tally.per_operation(Role::Cycles).map_err(|why| why.reason);
    assert_eq!(reason, Err(Reason::NoRun));
}

#[test]
fn one_thread_without_a_value_leaves_the_sum_without_one() {
    let mut tally = Tally::default();
    tally.record(0, 10, vec![(Role::Cycles, Value::of(10, 100, 100))]);
    tally.record(1, 10, vec![(Role::Cycles, Value::of(10, 100, 50))]);
    assert_eq!(
        tally.total(Role::Cycles).measured().map(|m| m.count),
        Ok(30)
    );
    // Three quarters of all the time, but half of one thread's.
    let reason = tally.per_operation(Role::Cycles).map_err(|why| why.reason);
    assert!(matches!(
        reason,
        Err(Reason::Multiplexed { running_ns: 50, .. })
    ));
    tally.record(2, 10, vec![(Role::Cycles, Value::of(0, 100, 0))]);
    assert!(tally.total(Role::Cycles).measured().is_err());
    // A thread that did nothing is no reason: the others have operations.
    let mut tally = Tally::default();
    tally.record(0, 10, vec![(Role::Faults, Value::of(20, 100, 100))]);
    tally.record(1, 0, vec![(Role::Faults, Value::of(0, 100, 100))]);
    assert_eq!(tally.per_operation(Role::Faults), Ok(2.0));
}
