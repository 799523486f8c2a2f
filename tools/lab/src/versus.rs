//! This build of the lab against one over another body of reclamation, process by process.
//!
//! Two bodies cannot be in one process, so a pair is two processes, one after the other: A B, then B A, and
//! so on. Each runs the main job on one mix; what is compared is the median rate in its report.
use crate::cli::VersusArgs;
use crate::error::LabError;
use crate::report::BODY;
use measure::stats::{Interval, Verdict, paired_ratio, spread};
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A mix, and what is asked of this build.
struct Row {
    name: &'static str,
    mix: &'static str,
    threads: usize,
    /// How many times the other's rate.
    bar: f64,
}

/// Look-ups with a pin each must pay for the body; writes must not be slower for it.
const ROWS: [Row; 5] = {
    const fn row(name: &'static str, mix: &'static str, threads: usize, bar: f64) -> Row {
        Row {
            name,
            mix,
            threads,
            bar,
        }
    }
    [
        row("get-only", "100/0/0", 1, 1.15),
        row("70/20/10", "70/20/10", 1, 1.0),
        row("70/20/10", "70/20/10", 2, 1.0),
        row("95/5", "95/5/0", 1, 1.0),
        row("95/5", "95/5/0", 2, 1.0),
    ]
};

/// With fewer pairs there is no verdict.
const LEAST: usize = 10;

/// One of the two builds.
struct Side {
    program: PathBuf,
    /// The body that its reports must name.
    body: String,
    rates: Vec<Option<f64>>,
}

/// Runs the pairs of each row, prints ratios and verdicts.
pub(crate) fn run(args: &VersusArgs) -> Result<(), LabError> {
    let own = std::env::current_exe().map_err(LabError::at("the lab itself"))?;
    let keys = if args.quick { 100 } else { 10_000 };
    let pairs = if args.quick { 3 } else { args.pairs };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{BODY} against {}: {keys} keys, uniform, a pin for each operation, {pairs} pairs of processes",
        args.body
    )?;
    for row in &ROWS {
        let plural = if row.threads == 1 { "" } else { "s" };
        let title = format!("{}, {} thread{plural}", row.name, row.threads);
        if row.threads > processors {
            writeln!(
                out,
                "{title}: not measured: {processors} processors are too few"
            )?;
            continue;
        }
        let side = |program: &Path, body: &str| Side {
            program: program.to_owned(),
            body: body.to_owned(),
            rates: Vec::new(),
        };
        let mut sides = [side(&own, BODY), side(&args.other, &args.body)];
        for pair in 0..pairs {
            for place in 0..2 {
                let side = &mut sides[usize::from((pair + place) % 2)];
                let rate = side.rate(row, keys, &args.out)?;
                side.rates.push(rate);
            }
        }
        let [ours, theirs] = &sides;
        let found = paired_ratio(&ours.rates, &theirs.rates);
        let (ours, theirs) = (ours.median(), theirs.median());
        writeln!(
            out,
            "{title}: {ours} and {theirs} Mops, {}",
            judged(found, row.bar)
        )?;
        out.flush()?;
    }
    Ok(())
}

/// The ratio and the verdict, in words.
fn judged(found: Option<Interval>, bar: f64) -> String {
    let Some(found) = found else {
        return "fewer than three undisturbed pairs: cannot tell".to_owned();
    };
    let verdict = if found.rounds < LEAST {
        Verdict::CannotTell
    } else {
        found.at_least(bar)
    };
    format!(
        "ratio {:.2} ({:.2}-{:.2}), {} pairs, at least {bar}: {}",
        found.estimate,
        found.low,
        found.high,
        found.rounds,
        verdict.words()
    )
}

impl Side {
    /// One process; `None` if its threads did not run side by side.
    fn rate(&self, row: &Row, keys: u32, out: &Path) -> Result<Option<f64>, LabError> {
        let status = Command::new(&self.program)
            .args(["--maps", "shardmap", "--dist", "uniform", "--mix", row.mix])
            .args(["--threads", &row.threads.to_string()])
            .args(["--keys", &keys.to_string()])
            .arg("--out")
            .arg(out)
            .stdout(Stdio::null())
            .status()
            .map_err(LabError::at(&self.program))?;
        if !status.success() {
            let program = self.program.display();
            return Err(LabError::Report(format!("{program} ended with {status}")));
        }
        let path = out.join("report.json");
        let text = std::fs::read_to_string(&path).map_err(LabError::at(&path))?;
        rate_in(&text, &self.body).map_err(LabError::Report)
    }

    /// In millions of operations a second; a dash without an undisturbed run.
    fn median(&self) -> String {
        let counted: Vec<f64> = self.rates.iter().flatten().copied().collect();
        spread(&counted).map_or_else(|| "-".to_owned(), |spread| format!("{:.1}", spread.median))
    }
}

/// The rate of the one row of a report, which must be of this body.
fn rate_in(report: &str, body: &str) -> Result<Option<f64>, String> {
    let report: Value = serde_json::from_str(report).map_err(|error| error.to_string())?;
    let says = &report["method"]["body"];
    if says != body {
        return Err(format!("expected a build over \"{body}\", found {says}"));
    }
    let row = &report["sections"][0]["cells"][0]["rows"][0];
    if row["is_disturbed"] == true {
        return Ok(None);
    }
    let rate = row["mops"]["median"].as_f64();
    rate.map(Some)
        .ok_or_else(|| "the report has no rate".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{judged, rate_in};
    use measure::stats::Interval;

    #[test]
    fn a_verdict_needs_ten_pairs() {
        let found = |rounds| Interval {
            estimate: 1.3,
            low: 1.2,
            high: 1.4,
            rounds,
        };
        assert_eq!(
            judged(Some(found(10)), 1.15),
            "ratio 1.30 (1.20-1.40), 10 pairs, at least 1.15: met"
        );
        assert!(judged(Some(found(9)), 1.15).ends_with("cannot tell"));
        assert!(judged(Some(found(12)), 1.5).ends_with("missed"));
        assert!(judged(None, 1.0).ends_with("cannot tell"));
    }

    #[test]
    fn a_rate_is_of_the_body_that_was_asked_for() {
        let report = |body: &str, disturbed: bool| {
            let rows = format!(r#"[{{"is_disturbed":{disturbed},"mops":{{"median":2.5}}}}]"#);
            format!(
                r#"{{"method":{{"body":"{body}"}},"sections":[{{"cells":[{{"rows":{rows}}}]}}]}}"#
            )
        };
        assert_eq!(rate_in(&report("seize", false), "seize"), Ok(Some(2.5)));
        assert_eq!(rate_in(&report("seize", true), "seize"), Ok(None));
        assert!(rate_in(&report("own", false), "seize").is_err());
        assert!(rate_in(r#"{"method":{"body":"seize"}}"#, "seize").is_err());
        assert!(rate_in("", "seize").is_err());
    }
}
