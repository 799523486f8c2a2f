//! The page: one file, nothing from the network.
use super::{Report, charts};
use crate::error::LabError;
use crate::machine::{Fact, Row};
use minijinja::value::Serde;
use minijinja::{Environment, context};
use std::path::Path;

/// Writes `report.html` into `folder`.
pub(crate) fn write_html(report: &Report, folder: &Path) -> Result<(), LabError> {
    let path = folder.join("report.html");
    std::fs::write(&path, page(report)?).map_err(LabError::at(path))
}

fn page(report: &Report) -> Result<String, LabError> {
    let failed = |error: minijinja::Error| LabError::Report(format!("{error:#}"));
    let mut charts: Vec<Vec<[String; 2]>> = Vec::new();
    for section in &report.sections {
        let drawn = section
            .cells
            .iter()
            .map(|cell| Ok([charts::throughput(cell)?, charts::latency(cell)?]));
        charts.push(drawn.collect::<Result<_, LabError>>()?);
    }
    let mut environment = Environment::new();
    environment
        .add_template("report.html", include_str!("template.html"))
        .map_err(failed)?;
    let words = |row: &Row| {
        (
            row.name.clone(),
            row.words(),
            matches!(row.fact, Fact::Is(_)),
        )
    };
    let facts: Vec<_> = report.machine.facts.iter().map(words).collect();
    let counters: Vec<_> = report.machine.counters.iter().map(words).collect();
    environment
        .get_template("report.html")
        .and_then(|template| {
            template.render(context! { report => Serde(report), charts, facts, counters })
        })
        .map_err(failed)
}
