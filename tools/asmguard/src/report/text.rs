//! The report as text: first what the instructions mean, then the lines.

use super::{Change, Group, Recording, Report, Verdict};
use core::fmt::Write as _;

impl Report {
    /// The report for a terminal; `lines` shows the text of what differs.
    #[must_use]
    pub fn text(&self, lines: bool) -> String {
        let mut text = String::new();
        for group in &self.variants {
            for verdict in &group.verdicts {
                probe(&mut text, &group.variant, verdict, lines);
            }
            summary(&mut text, group);
        }
        for missing in &self.missing {
            let _ = writeln!(text, "missing: {missing}");
        }
        let verdict = match self.exit_code() {
            0 if self.variants.iter().all(|group| group.recording.compares()) => {
                "ok: contract and snapshots hold"
            }
            0 => "ok: the contract holds; not all snapshots were compared",
            1 => "FAILED: a contract is broken",
            2 => "FAILED: a snapshot differs",
            _ => "FAILED: something that is needed is missing",
        };
        let _ = writeln!(text, "asm: {verdict}");
        text
    }
}

// Writing to a String cannot fail, here and below.
fn probe(text: &mut String, variant: &str, verdict: &Verdict, lines: bool) {
    let name = &verdict.probe;
    if !verdict.contract.is_empty() {
        let place = verdict.source.as_ref();
        let place = place.map(|(file, line)| format!(" ({file}:{line})"));
        let _ = writeln!(
            text,
            "{variant}/{name}: contract{}",
            place.unwrap_or_default()
        );
        for problem in &verdict.contract {
            let _ = writeln!(text, "    {}", problem.replace('\n', "\n        "));
        }
    }
    match &verdict.change {
        Change::Skipped | Change::Same => {}
        Change::New => {
            let _ = writeln!(text, "{variant}/{name}: snapshot: not recorded yet");
        }
        Change::Gone => {
            let _ = writeln!(text, "{variant}/{name}: snapshot: there is no such probe");
        }
        Change::Different {
            classes,
            text: diff,
        } => {
            let moved = if classes.is_empty() {
                "no class moved".to_owned()
            } else {
                classes.join(", ")
            };
            let _ = writeln!(text, "{variant}/{name}: snapshot: {moved}");
            if lines {
                for line in diff.lines() {
                    let _ = writeln!(text, "    {line}");
                }
            }
        }
    }
}

fn summary(text: &mut String, group: &Group) {
    let variant = &group.variant;
    match &group.recording {
        Recording::Same => {}
        Recording::Stale(diff) => {
            let diff = diff.replace('\n', "\n    ");
            let _ = writeln!(text, "{variant}: the header is stale\n    {diff}");
        }
        Recording::Other(recorded) => {
            let _ = writeln!(
                text,
                "{variant}: snapshot skipped: recorded with {recorded}"
            );
        }
        Recording::None => {
            let _ = writeln!(text, "{variant}: nothing is recorded");
        }
    }
    let _ = writeln!(text, "{variant}: {}{}", counts(group), core(group));
}

fn counts(group: &Group) -> String {
    let (probes, broken) = (group.verdicts.len(), group.broken());
    let snapshots = if group.recording.compares() {
        format!("{} snapshots differ", group.different())
    } else {
        "snapshots not compared".to_owned()
    };
    let seconds = group.seconds;
    format!("{probes} probes, {broken} contracts broken, {snapshots}, {seconds:.1} s")
}

/// Which of ours are longer or shorter than the same operation of core.
fn core(group: &Group) -> String {
    let deltas: Vec<_> = group
        .verdicts
        .iter()
        .filter_map(|verdict| Some((&verdict.probe, verdict.than_core?)))
        .collect();
    if deltas.is_empty() {
        return String::new();
    }
    let others: Vec<_> = deltas.iter().filter(|(_, delta)| *delta != 0).collect();
    let mut text = format!(
        "; {} of {} as long as core's",
        deltas.len() - others.len(),
        deltas.len()
    );
    for (probe, delta) in others {
        let _ = write!(text, "\n    {probe}: {delta:+} instructions than core's");
    }
    text
}
