//! The page: one file, nothing from the network.
use super::{Report, charts};
use crate::error::LabError;
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
    let facts: Vec<(String, String, bool)> = report
        .machine
        .facts
        .iter()
        .map(|(name, fact)| (name.clone(), fact.words(), is_known(fact)))
        .collect();
    let counters: Vec<(String, String, bool)> = report
        .machine
        .counters
        .iter()
        .map(|counter| {
            (
                counter.name.clone(),
                counter.fact.words(),
                is_known(&counter.fact),
            )
        })
        .collect();
    environment
        .get_template("report.html")
        .and_then(|template| {
            template.render(context! { report => Serde(report), charts, facts, counters })
        })
        .map_err(failed)
}

fn is_known(fact: &crate::machine::Fact) -> bool {
    matches!(fact, crate::machine::Fact::Is(_))
}
