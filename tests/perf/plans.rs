//! Plans for machines that are not here: which event, of which unit, in which run.
use super::fake::server;
use atomshard::perf::{Attr, Cpu, Host, Plan, Pmu, Reason, Role, Table};

fn on(cpu: Cpu, unit: Option<(&str, u32)>) -> Host {
    let mut host = server();
    host.cpu = Some(cpu);
    host.pmu = unit.map(|(name, type_id)| Pmu {
        name: name.to_owned(),
        type_id,
        listed: None,
    });
    host
}

fn x86(vendor: &str, family: u32, model: u32) -> Cpu {
    Cpu::X86 {
        vendor: vendor.to_owned(),
        family,
        model,
    }
}

fn neoverse(part: u32) -> Cpu {
    Cpu::Arm {
        implementer: 0x41,
        part,
    }
}

/// The event for one role, or why there is none.
fn event(host: &Host, role: Role) -> Result<Attr, Reason> {
    let plan = Plan::new(&Table::shipped(), host, &[role], 4);
    match plan.missing() {
        [] => Ok(plan.groups()[0].events()[0].1),
        [(missing, why)] => {
            assert_eq!((*missing, plan.groups()), (role, &[][..]));
            assert!(!why.remedy.is_empty());
            Err(why.reason.clone())
        }
        more => panic!("{more:?}"),
    }
}

fn raw(type_id: u32, config: u64, config1: u64) -> Result<Attr, Reason> {
    Ok(Attr {
        type_id,
        config,
        config1,
        include_kernel: false,
    })
}

#[test]
fn events_are_packed_as_the_vendor_does_and_go_to_the_unit_of_sysfs() {
    let intel = on(x86("GenuineIntel", 6, 0x8f), Some(("cpu", 4)));
    assert_eq!(event(&intel, Role::LocalHitm), raw(4, 0x04d2, 0));
    assert_eq!(event(&intel, Role::RemoteHitm), raw(4, 0x04d3, 0));
    assert_eq!(event(&intel, Role::RfoHitm), raw(4, 0x012a, 0x10_003c_0002));
    let older = on(x86("GenuineIntel", 6, 0x6a), Some(("cpu", 4)));
    assert_eq!(event(&older, Role::RfoHitm), raw(4, 0x01b7, 0x10_003c_0002));
    let amd = on(x86("AuthenticAMD", 0x1a, 2), Some(("cpu", 4)));
    assert_eq!(event(&amd, Role::RemoteFill), raw(4, 0x1443, 0));
    assert_eq!(event(&amd, Role::LockedOps), raw(4, 0x1f25, 0));
    let arm = on(neoverse(0xd0c), Some(("armv8_pmuv3_0", 8)));
    assert_eq!(event(&arm, Role::RemoteFill), raw(8, 0x31, 0));
}

#[test]
fn cores_of_two_kinds_have_their_own_rows() {
    let model = x86("GenuineIntel", 6, 0x97);
    let large = on(model.clone(), Some(("cpu_core", 4)));
    assert_eq!(event(&large, Role::LocalHitm), raw(4, 0x04d2, 0));
    let small = on(model, Some(("cpu_atom", 10)));
    assert_eq!(event(&small, Role::LocalHitm), Err(Reason::NotInTable));
    // The kernel's own names are left, which are no raw events.
    assert_eq!(event(&small, Role::Cycles), raw(0, 0, 0));
}

/// The kernel opens it all the same, and it reads 0.
#[test]
fn a_common_event_that_an_arm_unit_does_not_list_is_not_counted() {
    let mut host = on(neoverse(0xd0c), Some(("armv8_pmuv3", 8)));
    assert_eq!(event(&host, Role::L1Miss), raw(8, 0x03, 0));
    let unit = host.pmu.as_mut().expect("it has one");
    unit.listed = Some([0x08, 0x11].into());
    assert_eq!(event(&host, Role::Cycles), raw(8, 0x11, 0));
    let absent = Err(Reason::Unsupported { errno: None });
    assert_eq!(event(&host, Role::L1Miss), absent);
    // Of what is not common the unit lists nothing.
    let own = "[[row]]\ncpus = [\"neoverse-n1\"]\nrole = \"l1_miss\"\nname = \"ITS_OWN\"\nevent = 0xc1\nsource = \"x\"\n";
    let table = Table::shipped().with_rows(own).expect("a row");
    let plan = Plan::new(&table, &host, &[Role::L1Miss], 4);
    assert_eq!(plan.missing(), []);
}

#[test]
fn what_a_vendor_cannot_count_says_why() {
    for (host, role, words) in [
        (
            on(x86("AuthenticAMD", 0x19, 1), Some(("cpu", 4))),
            Role::LocalHitm,
            "IBS",
        ),
        (
            on(neoverse(0xd4f), Some(("armv8_pmuv3_0", 8))),
            Role::RfoHitm,
            "SPE",
        ),
        (
            on(x86("GenuineIntel", 6, 0x9e), Some(("cpu", 4))),
            Role::RemoteHitm,
            "one socket",
        ),
    ] {
        match event(&host, role) {
            Err(Reason::NoEvent { why, source }) => {
                assert!(why.contains(words) && !source.is_empty(), "{why}");
            }
            other => panic!("{role}: {other:?}"),
        }
    }
}

#[test]
fn without_a_unit_only_what_the_kernel_knows_is_tried() {
    let guest = on(x86("GenuineIntel", 6, 0xcf), None);
    assert_eq!(event(&guest, Role::L1Miss), Err(Reason::NoPmu));
    assert_eq!(event(&guest, Role::Instructions), raw(0, 1, 0));
    let unknown = on(neoverse(0xd07), Some(("armv8_pmuv3", 8)));
    assert_eq!(event(&unknown, Role::L1Miss), Err(Reason::NotInTable));
    assert_eq!(event(&unknown, Role::Cycles), raw(0, 0, 0));
    let mut elsewhere = guest;
    elsewhere.linux = false;
    for role in Role::ALL {
        assert_eq!(event(&elsewhere, role), Err(Reason::NotLinux), "{role}");
    }
}

#[test]
fn groups_fit_the_counters_and_have_each_role_once() {
    let twice = [Role::ALL, Role::ALL].concat();
    for counters in 1..12 {
        let plan = Plan::new(&Table::shipped(), &server(), &twice, counters);
        assert!(plan.missing().is_empty());
        let mut seen = Vec::new();
        for (index, group) in plan.groups().iter().enumerate() {
            let events = group.events();
            let own = events.iter().filter(|(_, attr)| !attr.is_software());
            assert!(own.count() <= counters);
            let software = events.iter().any(|(_, attr)| attr.is_software());
            assert_eq!(software, index == 0, "software is in the first run");
            seen.extend(events.iter().map(|(role, _)| *role));
        }
        assert_eq!(plan.groups().len(), 10_usize.div_ceil(counters));
        seen.sort_unstable();
        assert_eq!(seen, Role::ALL);
    }
}

#[test]
fn without_a_counter_the_kernel_still_counts() {
    let plan = Plan::new(&Table::shipped(), &server(), &Role::ALL, 0);
    let counted: Vec<Role> = plan.groups()[0]
        .events()
        .iter()
        .map(|(role, _)| *role)
        .collect();
    assert_eq!(
        counted,
        [Role::ContextSwitches, Role::Migrations, Role::Faults]
    );
    assert_eq!(plan.missing().len(), 10);
    let none = Reason::TooMany { errno: None };
    assert!(plan.missing().iter().all(|(_, why)| why.reason == none));
    let nothing = Plan::new(&Table::shipped(), &server(), &[], 4);
    assert!(nothing.groups().is_empty() && nothing.missing().is_empty());
}
