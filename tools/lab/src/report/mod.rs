//! What a run found, as data: the table, the JSON and the page are made from it.
mod advice;
mod charts;
mod html;
mod table;

pub(crate) use html::write_html;
pub(crate) use table::{print_cell, print_machine, print_reasons};

use crate::contest::Lane;
use crate::engines::Entrant;
use crate::error::LabError;
use crate::machine::Machine;
use measure::counting::{Count, Named};
use measure::stats::{Interval, Spread, paired_ratio, spread};
use serde::Serialize;
use std::path::Path;

/// All of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) schema: u32,
    pub(crate) version: &'static str,
    pub(crate) command: String,
    pub(crate) date: String,
    pub(crate) seconds: f64,
    pub(crate) machine: Machine,
    pub(crate) method: Method,
    pub(crate) sections: Vec<Section>,
}

/// The body of reclamation that this build's maps are over.
pub(crate) const BODY: &str = if cfg!(atomshard_seize) {
    "seize"
} else {
    "own"
};

/// What is the same for all maps.
#[derive(Debug, Serialize)]
pub(crate) struct Method {
    /// The body of reclamation of our maps.
    pub(crate) body: &'static str,
    pub(crate) hasher: &'static str,
    pub(crate) allocator: &'static str,
    pub(crate) bytes: &'static str,
    pub(crate) sample_every: usize,
    pub(crate) clock_overhead_ns: u64,
}

/// A workload.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) about: String,
    pub(crate) cells: Vec<Cell>,
}

/// A workload with so many threads.
#[derive(Debug, Serialize)]
pub(crate) struct Cell {
    pub(crate) threads: usize,
    /// What the ratios are to.
    pub(crate) best_rival: Option<String>,
    pub(crate) rows: Vec<Row>,
    pub(crate) advice: String,
}

/// A map in it.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) entrant: Entrant,
    pub(crate) label: &'static str,
    pub(crate) note: Option<&'static str>,
    pub(crate) mops: Option<Spread>,
    /// Whether `mops` is of rounds whose threads did not run side by side, for want of others.
    pub(crate) is_disturbed: bool,
    /// By round; `null` where it sat out.
    pub(crate) rates: Vec<Option<f64>>,
    /// To the best rival, by pairs of rounds.
    pub(crate) ratio: Option<Interval>,
    pub(crate) latency_ns: Option<Latency>,
    pub(crate) bytes_per_entry: Option<f64>,
    pub(crate) rejected_rounds: usize,
    /// Every role, an operation or why not; empty if it left the race before.
    pub(crate) counts: Vec<Count>,
}

/// Latencies of single operations.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
    pub(crate) max: u64,
    pub(crate) samples: u64,
}

impl Cell {
    /// The maps that were counted.
    fn counted(&self) -> Vec<Named<'_>> {
        let counted = self.rows.iter().filter(|row| !row.counts.is_empty());
        counted
            .map(|row| (row.label, row.counts.as_slice()))
            .collect()
    }

    /// Compares the lanes of one race. `what` is the workload, for the advice.
    #[must_use]
    pub(crate) fn new(threads: usize, what: &str, lanes: &[Lane]) -> Self {
        let median = |lane: &Lane| spread(&lane.counted()).map_or(0.0, |spread| spread.median);
        let reference = lanes
            .iter()
            .filter(|lane| lane.entrant.is_contender() && !lane.entrant.is_ours())
            .max_by(|a, b| median(a).total_cmp(&median(b)));
        let has_too_few = |lane: &Lane| lane.counted().len() < 3 && !lane.disturbed.is_empty();
        let rows: Vec<Row> = lanes
            .iter()
            .map(|lane| Row {
                entrant: lane.entrant,
                label: lane.entrant.label(),
                note: lane.entrant.note(),
                mops: if has_too_few(lane) {
                    spread(&lane.disturbed)
                } else {
                    spread(&lane.counted())
                },
                is_disturbed: has_too_few(lane),
                rates: lane.rates.clone(),
                ratio: reference
                    .filter(|best| best.entrant != lane.entrant)
                    .and_then(|best| paired_ratio(&lane.rates, &best.rates)),
                latency_ns: (!lane.latency.is_empty()).then(|| Latency {
                    p50: lane.latency.value_at_quantile(0.5),
                    p99: lane.latency.value_at_quantile(0.99),
                    p999: lane.latency.value_at_quantile(0.999),
                    max: lane.latency.max(),
                    samples: lane.latency.len(),
                }),
                bytes_per_entry: lane.bytes_per_entry,
                rejected_rounds: lane.disturbed.len(),
                counts: lane.counts.clone(),
            })
            .collect();
        let advice = advice::sentence(threads, what, &rows);
        let best_rival = reference.map(|lane| lane.entrant.label().to_owned());
        Self {
            threads,
            best_rival,
            rows,
            advice,
        }
    }
}

/// Writes `report.json` into `folder`.
pub(crate) fn write_json(report: &Report, folder: &Path) -> Result<(), LabError> {
    let path = folder.join("report.json");
    std::fs::write(&path, json(report)?).map_err(LabError::at(path))
}

/// As JSON, for people to read too.
pub(crate) fn json(what: &impl Serialize) -> Result<String, LabError> {
    serde_json::to_string_pretty(what).map_err(|error| LabError::Report(error.to_string()))
}
