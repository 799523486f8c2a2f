//! Counters in a measurement: every role, in runs of their own, and how it is shown what came of it.
//!
//! ```text
//! cycles, local_hitm, .. : unavailable: reason: remedy      roles of which no subject has a value, by reason
//! | subject | faults | .. |                                  the others, an operation
//! ```

use atomshard::perf::{
    GroupPlan, Host, Plan, Role, System, Table, Tally, ThreadGroup, Unavailable,
};
use comfy_table::presets;
use serde::Serialize;

/// Counters that a CPU has for any event, with the NMI watchdog on: the least of those in the table.
const COUNTERS: usize = 3;

/// Which runs count what on this machine.
#[derive(Debug)]
pub struct Counting {
    host: Host,
    plan: Plan,
}

impl Counting {
    /// Every role, by the events of the CPU of this number.
    #[must_use]
    pub fn here(cpu: usize) -> Self {
        let host = Host::here(cpu);
        let plan = Plan::new(&Table::shipped(), &host, &Role::ALL, COUNTERS);
        Self { host, plan }
    }

    /// The groups: one run for each.
    #[must_use]
    pub fn groups(&self) -> &[GroupPlan] {
        self.plan.groups()
    }

    /// Opens a group for the calling thread, which should be where it stays.
    pub fn open<S: System>(&self, group: &GroupPlan, system: &S) -> ThreadGroup<S::Group> {
        group.open(system, &self.host)
    }

    /// No values yet.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally::new(&self.plan)
    }
}

/// What was counted of a role: a number, or the reason why there is none and the remedy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Count {
    /// The role's name.
    pub role: &'static str,
    /// Events in an operation, over all threads.
    pub per_operation: Option<f64>,
    /// Why there is no number.
    pub reason: Option<String>,
    /// What would change that.
    pub remedy: Option<String>,
}

impl Count {
    fn of(role: Role, value: Result<f64, Unavailable>) -> Self {
        let (per_operation, why) = match value {
            Ok(value) => (Some(value), None),
            Err(why) => (None, Some(why)),
        };
        Self {
            role: role.name(),
            per_operation,
            reason: why.as_ref().map(|why| why.reason.to_string()),
            remedy: why.map(|why| why.remedy),
        }
    }
}

/// Every role.
#[must_use]
pub fn counts(tally: &Tally) -> Vec<Count> {
    let count = |role| Count::of(role, tally.per_operation(role));
    Role::ALL.into_iter().map(count).collect()
}

/// A subject by name, with every role in the same order as all others.
pub type Named<'n> = (&'n str, &'n [Count]);

/// Places of the roles of which some subject has a value, and of the others.
fn parted(subjects: &[Named<'_>]) -> (Vec<usize>, Vec<usize>) {
    let has_value = |place: &usize| {
        let mut of = subjects.iter().filter_map(|(_, counts)| counts.get(*place));
        of.any(|count| count.per_operation.is_some())
    };
    let roles = subjects.first().map_or(0, |(_, counts)| counts.len());
    (0..roles).partition(has_value)
}

/// The roles of which no subject has a value, those with the same reason in one line. Empty if there is none.
#[must_use]
pub fn reasons(subjects: &[Named<'_>]) -> String {
    let mut left = parted(subjects).1;
    let mut text = String::new();
    let Some((_, counts)) = subjects.first() else {
        return text;
    };
    let why = |place: &usize| {
        let words = |word: &Option<String>| word.clone().unwrap_or_default();
        format!(
            "{}: {}",
            words(&counts[*place].reason),
            words(&counts[*place].remedy)
        )
    };
    while let Some(reason) = left.first().map(why) {
        let (same, others): (Vec<usize>, Vec<usize>) =
            left.into_iter().partition(|place| why(place) == reason);
        let roles: Vec<&str> = same.iter().map(|place| counts[*place].role).collect();
        text += &format!("{}: unavailable: {reason}\n", roles.join(", "));
        left = others;
    }
    text
}

/// The roles of which some subject has a value: events in an operation. `None` if there is none.
#[must_use]
pub fn table(subjects: &[Named<'_>]) -> Option<comfy_table::Table> {
    let counted = parted(subjects).0;
    let (_, first) = subjects.first().filter(|_| !counted.is_empty())?;
    let mut table = comfy_table::Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    let roles = counted.iter().map(|place| first[*place].role.to_owned());
    table.set_header(core::iter::once("counted in an operation".to_owned()).chain(roles));
    for (name, counts) in subjects {
        let values = counted
            .iter()
            .filter_map(|place| counts.get(*place).map(cell));
        table.add_row(core::iter::once((*name).to_owned()).chain(values));
    }
    Some(table)
}

fn cell(count: &Count) -> String {
    match count.per_operation {
        Some(value) if value == 0.0 || value >= 0.01 => format!("{value:.2}"),
        Some(value) => format!("{value:.1e}"),
        None => format!(
            "unavailable: {}",
            count.reason.as_deref().unwrap_or_default()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{Count, Counting, counts, reasons, table};
    use atomshard::perf::{Role, Tally, Value};

    /// Of two roles a subject has one, and the other has both.
    fn two() -> [Vec<Count>; 2] {
        let mut tally = Tally::default();
        tally.record(0, 1_000, vec![(Role::Faults, Value::of(2_500, 1, 1))]);
        let one = counts(&tally);
        tally.record(0, 1_000, vec![(Role::Cycles, Value::of(1, 1, 1))]);
        [one, counts(&tally)]
    }

    #[test]
    fn what_nobody_has_is_said_once_and_what_some_have_is_a_column() {
        let [one, both] = two();
        let subjects = [("one", one.as_slice()), ("both", both.as_slice())];
        let why = reasons(&subjects);
        assert_eq!(why.lines().count(), 1, "{why}");
        assert!(why.starts_with("instructions, l1_miss, "), "{why}");
        assert!(
            why.contains(": unavailable: no run has counted it: run the workload"),
            "{why}"
        );
        let text = table(&subjects).map_or_else(String::new, |table| table.to_string());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(
            lines[0].contains("cycles") && lines[0].contains("faults"),
            "{text}"
        );
        assert!(
            lines[2].contains("unavailable: no run") && lines[2].contains("2.50"),
            "{text}"
        );
        assert!(
            lines[3].contains("1.0e-3") && lines[3].contains("2.50"),
            "{text}"
        );
        assert!(table(&[]).is_none() && reasons(&[]).is_empty());
    }

    #[test]
    fn every_role_is_counted_or_says_why_not() {
        let counting = Counting::here(0);
        let counts = counts(&counting.tally());
        assert_eq!(counts.len(), Role::ALL.len());
        for count in counts {
            assert!(
                count.per_operation.is_none() && count.reason.is_some(),
                "{count:?}"
            );
        }
    }
}
