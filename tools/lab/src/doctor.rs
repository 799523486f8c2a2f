//! `atomshard doctor`: what this machine can count, what disturbs a run, and what to change.
//!
//! It is a view on [`Machine`], which every report has in it.
use crate::cli::DoctorArgs;
use crate::error::LabError;
use crate::machine::{Machine, Row};
use crate::report;
use comfy_table::{ContentArrangement, Table, presets};
use std::io::Write as _;

/// Prints a table, or the JSON of the reports.
pub(crate) fn run(args: &DoctorArgs) -> Result<(), LabError> {
    let machine = Machine::discover();
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", report::json(&machine)?)?;
    } else {
        writeln!(out, "{}, {} processors", machine.cpu, machine.processors)?;
        writeln!(out, "{}", table(&machine))?;
    }
    Ok(())
}

/// A row for each thing that may disturb; what only describes the machine is left out.
pub(crate) fn table(machine: &Machine) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["what", "state", "disturbs", "remedy"]);
    let cells = |row: &Row| {
        let disturbs = row.disturbs?;
        let (name, remedy) = (row.name.clone(), row.remedy.clone());
        Some([name, row.state(), disturbs.words().to_owned(), remedy])
    };
    table.add_rows(machine.rows().filter_map(cells));
    table
}

#[cfg(test)]
mod tests {
    use super::table;
    use crate::machine::{Disturbs, Fact, Machine, Row};

    fn row(name: &str, fact: Fact, disturbs: Option<Disturbs>, remedy: &str) -> Row {
        Row {
            name: name.to_owned(),
            fact,
            disturbs,
            remedy: remedy.to_owned(),
        }
    }

    fn machine() -> Machine {
        let is = |state: &str| Fact::Is(state.to_owned());
        let reason = "there is no unit".to_owned();
        Machine {
            cpu: "a CPU".to_owned(),
            processors: 2,
            facts: vec![
                row("caches", is("small"), None, ""),
                row("SMT", is("on"), Some(Disturbs::Measuring), "turn it off"),
            ],
            counters: vec![
                row(
                    "PMU",
                    Fact::Unavailable { reason },
                    Some(Disturbs::Counting),
                    "ask the host",
                ),
                row("faults", is("7"), Some(Disturbs::Nothing), ""),
            ],
        }
    }

    #[test]
    fn the_table_has_what_may_disturb() {
        let expected = "\
| what   | state                         | disturbs  | remedy       |
|--------|-------------------------------|-----------|--------------|
| SMT    | on                            | measuring | turn it off  |
| PMU    | unavailable: there is no unit | counting  | ask the host |
| faults | 7                             | nothing   |              |";
        assert_eq!(table(&machine()).force_no_tty().to_string(), expected);
    }

    #[test]
    fn the_json_has_every_row() {
        let expected = serde_json::json!({
            "cpu": "a CPU",
            "processors": 2,
            "facts": [
                { "name": "caches", "fact": { "is": "small" }, "disturbs": null, "remedy": "" },
                { "name": "SMT", "fact": { "is": "on" }, "disturbs": "measuring", "remedy": "turn it off" },
            ],
            "counters": [
                {
                    "name": "PMU",
                    "fact": { "unavailable": { "reason": "there is no unit" } },
                    "disturbs": "counting",
                    "remedy": "ask the host",
                },
                { "name": "faults", "fact": { "is": "7" }, "disturbs": "nothing", "remedy": "" },
            ],
        });
        assert_eq!(serde_json::to_value(machine()).unwrap(), expected);
    }
}
