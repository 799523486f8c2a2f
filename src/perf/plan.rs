//! Which runs count what: the event of each role on a CPU, in groups that fit its counters.

use super::event::Attr;
use super::host::Host;
use super::table::{Entry, Table};
use super::value::{Reason, Unavailable};
use super::{Role, ThreadGroup, group};

/// The events of some roles on one kind of CPU, split into groups; and the roles that have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    groups: Vec<GroupPlan>,
    missing: Vec<(Role, Unavailable)>,
}

/// Events that are counted together, in one run of the workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPlan {
    events: Vec<(Role, Attr)>,
}

impl Plan {
    /// The plan for these roles, each once, on a machine whose CPU has this many general counters free:
    /// 4 on Intel's cores for most of the events here, 6 on AMD's and on Neoverse, one less with the
    /// NMI watchdog. What the kernel counts needs none and is in the first group.
    ///
    /// A plan can be made for any machine on any machine.
    #[must_use]
    pub fn new(table: &Table, host: &Host, roles: &[Role], counters: usize) -> Self {
        let mut software = Vec::new();
        let mut hardware = Vec::new();
        let mut missing = Vec::new();
        for (index, role) in roles.iter().enumerate() {
            if roles[..index].contains(role) {
                continue;
            }
            match resolve(table, host, *role) {
                Err(reason) => missing.push((*role, reason.into())),
                Ok(attr) if attr.is_software() => software.push((*role, attr)),
                Ok(_) if counters == 0 => {
                    missing.push((*role, Reason::TooMany { errno: None }.into()));
                }
                Ok(attr) => hardware.push((*role, attr)),
            }
        }
        let groups = hardware.chunks(counters.max(1)).map(<[_]>::to_vec);
        let mut groups: Vec<GroupPlan> = groups.map(|events| GroupPlan { events }).collect();
        match groups.first_mut() {
            Some(first) => first.events.extend(software),
            None if software.is_empty() => {}
            None => groups.push(GroupPlan { events: software }),
        }
        Self { groups, missing }
    }

    /// The groups. Run the workload once for each of them.
    #[must_use]
    pub fn groups(&self) -> &[GroupPlan] {
        &self.groups
    }

    /// The roles that no run can count here, and why.
    #[must_use]
    pub fn missing(&self) -> &[(Role, Unavailable)] {
        &self.missing
    }
}

impl GroupPlan {
    /// The roles and the events for them.
    #[must_use]
    pub fn events(&self) -> &[(Role, Attr)] {
        &self.events
    }

    /// Opens the group for the calling thread. Pin the thread first: the events are those of one kind of
    /// CPU. The group counts this thread only, not those that it starts.
    ///
    /// What cannot be opened is unavailable, and the others are counted.
    ///
    /// *Cost*: one system call for each event and one for the group.
    #[must_use]
    pub fn open<S: group::System>(&self, system: &S, host: &Host) -> ThreadGroup<S::Group> {
        ThreadGroup::open(system, host, &self.events)
    }
}

/// The event for a role, or why there is none.
fn resolve(table: &Table, host: &Host, role: Role) -> Result<Attr, Reason> {
    if !host.linux {
        return Err(Reason::NotLinux);
    }
    let of_kernel = Attr::of_kernel(role);
    let Some(cpu) = host.cpu.as_ref().filter(|_| !role.is_software()) else {
        return of_kernel.ok_or(Reason::NotInTable);
    };
    let unit = host.pmu.as_ref();
    let Some(row) = table.row(cpu, unit.map(|unit| unit.name.as_str()), role) else {
        return of_kernel.ok_or(Reason::NotInTable);
    };
    match (&row.entry, unit) {
        (Entry::Cannot { why }, _) => Err(Reason::NoEvent {
            why: why.clone(),
            source: row.source.clone(),
        }),
        (Entry::Event { encoding, .. }, Some(unit)) => {
            if !unit.may_have(encoding.event) {
                return Err(Reason::Unsupported { errno: None });
            }
            Ok(Attr::raw(unit.type_id, *encoding, cpu.layout()))
        }
        // Without the unit's number its events have no name; the kernel may still know one.
        (Entry::Event { .. }, None) => of_kernel.ok_or(Reason::NoPmu),
    }
}
