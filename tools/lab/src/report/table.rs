//! The tables on the terminal.
use super::{Cell, Report, Row};
use crate::machine::Machine;
use comfy_table::{CellAlignment, Table, presets};
use measure::counting;
use std::io::{self, Write};

/// What machine this is.
pub(crate) fn print_machine(out: &mut dyn Write, machine: &Machine) -> io::Result<()> {
    writeln!(out, "{}", machine.cpu)?;
    for row in &machine.facts {
        writeln!(out, "  {:<24} {}", row.name, row.words())?;
    }
    writeln!(out, "  counters")?;
    for row in &machine.counters {
        writeln!(out, "    {:<26} {}", row.name, row.words())?;
    }
    Ok(())
}

/// One race.
pub(crate) fn print_cell(out: &mut dyn Write, title: &str, cell: &Cell) -> io::Result<()> {
    let threads = if cell.threads == 1 {
        "thread"
    } else {
        "threads"
    };
    writeln!(out, "\n{title}, {} {threads}", cell.threads)?;
    let mut table = Table::new();
    let ratio = match &cell.best_rival {
        Some(best) => format!("ratio to {best}"),
        None => "ratio".to_owned(),
    };
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header([
        "map",
        "Mops/s",
        "middle half",
        &ratio,
        "p50 ns",
        "p99",
        "p99.9",
        "max",
        "B/entry",
    ]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for row in &cell.rows {
        table.add_row(line(row, cell.best_rival.as_deref()));
    }
    writeln!(out, "{table}")?;
    writeln!(out, "{}", cell.advice)?;
    if let Some(table) = counting::table(&cell.counted()) {
        writeln!(out, "{table}")?;
    }
    let rejected: usize = cell.rows.iter().map(|row| row.rejected_rounds).sum();
    if rejected > 0 {
        writeln!(
            out,
            "({rejected} rounds thrown away: the threads did not run side by side)"
        )?;
    }
    if cell.rows.iter().any(|row| row.is_disturbed) {
        writeln!(out, "(~ there were no others; compare nothing with these)")?;
    }
    Ok(())
}

/// The roles that were not counted on any map, and why.
pub(crate) fn print_reasons(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let mut cells = report.sections.iter().flat_map(|section| &section.cells);
    let reasons = cells.next().map(|cell| counting::reasons(&cell.counted()));
    match reasons {
        Some(reasons) if !reasons.is_empty() => write!(out, "\nnot counted:\n{reasons}"),
        _ => Ok(()),
    }
}

fn line(row: &Row, best: Option<&str>) -> [String; 9] {
    let dash = || "-".to_owned();
    let latency = |part: fn(&super::Latency) -> u64| {
        row.latency_ns
            .as_ref()
            .map_or_else(dash, |latency| part(latency).to_string())
    };
    let ratio = match row.ratio {
        Some(ratio) => format!("{:.2} ({:.2}-{:.2})", ratio.estimate, ratio.low, ratio.high),
        None if best == Some(row.label) => "1, the best rival".to_owned(),
        None => dash(),
    };
    let mark = if row.entrant.is_contender() { "" } else { " *" };
    [
        format!("{}{mark}", row.label),
        row.mops.map_or_else(dash, |mops| {
            format!(
                "{}{:.2}",
                if row.is_disturbed { "~" } else { "" },
                mops.median
            )
        }),
        row.mops.map_or_else(dash, |mops| {
            format!("{:.2}-{:.2}", mops.lower_quartile, mops.upper_quartile)
        }),
        ratio,
        latency(|latency| latency.p50),
        latency(|latency| latency.p99),
        latency(|latency| latency.p999),
        latency(|latency| latency.max),
        row.bytes_per_entry
            .map_or_else(dash, |bytes| format!("{bytes:.1}")),
    ]
}
