//! The three witnesses of a verdict: counters, clock, and the model of the caches.

use crate::counted::Counted;
use crate::subject::Account;
use crate::verdict::{Lines, Witness};
use atomshard::perf::Unavailable;
use coherence::Snapshot;
use measure::stats::Interval;
use std::path::Path;

/// How many times as slow company must make a subject, beside its control, for its lines to be moving.
const SLOWER: f64 = 1.2;
/// Lines an operation takes from another core, from which on they are moving: one in twenty operations.
const LINES: f64 = 0.05;

/// The clock's word. `controls` is the ratio of the two controls, which it has to tell apart.
pub(crate) fn clock(
    ratio: Option<Interval>,
    controls: Option<Interval>,
    has_twin: bool,
) -> Witness {
    let (lines, evidence) = match (ratio, controls) {
        (_, None) | (None, _) => (None, "too few rounds side by side".to_owned()),
        (Some(_), Some(controls)) if controls.low < SLOWER => {
            let controls = words(controls);
            (
                None,
                format!(
                    "cannot tell the controls apart: {controls}; this host cannot measure false sharing by time"
                ),
            )
        }
        (Some(ratio), Some(_)) => {
            let lines = match (ratio.low >= SLOWER, ratio.high < SLOWER, has_twin) {
                (true, _, true) => Some(Lines::MoveFalsely),
                (true, _, false) => Some(Lines::Move),
                (_, true, _) => Some(Lines::Stay),
                _ => None,
            };
            (lines, words(ratio))
        }
    };
    Witness {
        name: "clock",
        lines,
        evidence,
    }
}

fn words(ratio: Interval) -> String {
    let Interval {
        estimate,
        low,
        high,
        rounds,
    } = ratio;
    format!("{estimate:.2} ({low:.2}-{high:.2}, {rounds} rounds) times as slowed")
}

/// The counters' word. `control` are the counts of the subject that this one is compared with, `controls` those of the
/// two controls.
pub(crate) fn counters(
    counted: &Counted,
    control: &Counted,
    [together, apart]: [&Counted; 2],
    has_twin: bool,
) -> Witness {
    let taken = |counted: &Counted| counted.taken_lines();
    let all = (|| -> Result<[f64; 4], Unavailable> {
        Ok([
            taken(counted)?,
            taken(control)?,
            taken(together)?,
            taken(apart)?,
        ])
    })();
    let (lines, evidence) = match all {
        Err(_) => (None, "unavailable, see below".to_owned()),
        Ok([_, _, together, apart]) if together < LINES || together < 10.0 * apart => {
            let counts = format!("{together:.3} and {apart:.3} lines an operation");
            (
                None,
                format!(
                    "cannot tell the controls apart: {counts}; this host cannot measure false sharing by counters"
                ),
            )
        }
        Ok([own, control, ..]) => {
            let more = own - control;
            let lines = match (more >= LINES, has_twin) {
                (true, true) => Lines::MoveFalsely,
                (true, false) => Lines::Move,
                (false, _) => Lines::Stay,
            };
            (Some(lines), format!("{more:+.3} lines an operation"))
        }
    };
    Witness {
        name: "counters",
        lines,
        evidence,
    }
}

/// The model's word: its account of two threads, as it is recorded.
pub(crate) fn model(account: Option<Account>, folder: &Path) -> Witness {
    let (lines, evidence) = match account.map(|account| of_account(account, folder)) {
        None => (None, "no account: not compiled with the tracer".to_owned()),
        Some(Err(why)) => (None, why),
        Some(Ok((lines, evidence))) => (Some(lines), evidence),
    };
    Witness {
        name: "model",
        lines,
        evidence,
    }
}

fn of_account(account: Account, folder: &Path) -> Result<(Lines, String), String> {
    let file = format!("{}.toml", account.structure);
    let text = std::fs::read_to_string(folder.join(&file));
    let text = text.map_err(|error| format!("cannot read {file}: {error}"))?;
    let snapshot = Snapshot::parse(&text).map_err(|error| format!("{file}: {error}"))?;
    let name = format!("{}, 2 threads", account.operation);
    let Some(case) = snapshot.cases.get(&name) else {
        return Err(format!("{file} has no `{name}`"));
    };
    // The sum of no floating-point numbers is -0, which would be shown so.
    let falsely = case.false_shares.values().sum::<f64>() + 0.0;
    let evidence = format!(
        "{:.3} lines an operation, {falsely:.3} falsely",
        case.transfers
    );
    let lines = if falsely >= LINES {
        Lines::MoveFalsely
    } else if case.transfers >= LINES {
        Lines::MoveTruly
    } else {
        Lines::Stay
    };
    Ok((lines, evidence))
}

#[cfg(test)]
mod tests {
    use super::{Account, Counted, Interval, Lines, clock, counters, model};
    use std::path::Path;

    fn interval(low: f64, high: f64) -> Interval {
        Interval {
            estimate: (low * high).sqrt(),
            low,
            high,
            rounds: 12,
        }
    }

    #[test]
    fn the_clock_speaks_only_where_it_tells_the_controls_apart() {
        let good = Some(interval(4.0, 5.0));
        assert_eq!(
            clock(Some(interval(2.0, 3.0)), good, true).lines,
            Some(Lines::MoveFalsely)
        );
        assert_eq!(
            clock(Some(interval(2.0, 3.0)), good, false).lines,
            Some(Lines::Move)
        );
        assert_eq!(
            clock(Some(interval(0.9, 1.1)), good, true).lines,
            Some(Lines::Stay)
        );
        assert_eq!(clock(Some(interval(0.9, 1.5)), good, true).lines, None);
        let bad = clock(Some(interval(2.0, 3.0)), Some(interval(0.9, 1.4)), true);
        assert_eq!(bad.lines, None);
        assert!(
            bad.evidence.contains("this host cannot measure"),
            "{}",
            bad.evidence
        );
        assert_eq!(clock(None, good, true).lines, None);
    }

    #[test]
    fn the_counters_speak_only_where_they_tell_the_controls_apart() {
        let counted = |lines| Counted::of_lines(lines, 1_000);
        let said = |own, control, together, apart, has_twin| {
            let [own, control, together, apart] = [own, control, together, apart].map(counted);
            counters(&own, &control, [&together, &apart], has_twin)
        };
        let falsely = Some(Lines::MoveFalsely);
        assert_eq!(
            said(Some(400), Some(2), Some(500), Some(0), true).lines,
            falsely
        );
        assert_eq!(
            said(Some(400), Some(2), Some(500), Some(0), false).lines,
            Some(Lines::Move)
        );
        assert_eq!(
            said(Some(3), Some(2), Some(500), Some(0), true).lines,
            Some(Lines::Stay)
        );
        let blind = said(Some(400), Some(2), Some(20), Some(0), true);
        assert_eq!(blind.lines, None);
        assert!(
            blind.evidence.contains("this host cannot measure"),
            "{}",
            blind.evidence
        );
        let none = said(Some(400), None, Some(500), Some(0), true);
        assert_eq!(
            (none.lines, none.evidence.as_str()),
            (None, "unavailable, see below")
        );
    }

    #[test]
    fn the_model_reads_its_accounts() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../coherence");
        let account = |structure, operation| {
            model(
                Some(Account {
                    structure,
                    operation,
                }),
                &folder,
            )
        };
        assert_eq!(
            account("striped_counter_0", "add").lines,
            Some(Lines::MoveFalsely)
        );
        assert_eq!(
            account("striped_counter_128", "add").lines,
            Some(Lines::Stay)
        );
        assert_eq!(
            account("shared_counter", "add").lines,
            Some(Lines::MoveTruly)
        );
        let missing = account("shared_counter", "subtract");
        assert_eq!(missing.lines, None);
        assert!(
            missing.evidence.ends_with("has no `subtract, 2 threads`"),
            "{}",
            missing.evidence
        );
    }
}
