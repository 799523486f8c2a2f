//! From what the maps of a case showed to a verdict on one of its checks.
use super::cases::{Case, Check, Rival, Twin, ops_of};
use super::{Bar, Effort};
use crate::contest::Lane;
use crate::engines::Entrant;
use measure::stats::{Interval, geometric_mean, paired_ratio, spread};

/// Judges one check.
pub(super) fn judge(case: &Case, check: &Check, lanes: &[Lane], effort: Effort) -> Bar {
    let mut bar = Bar::unmeasured(&case.name, &check.words(), String::new());
    bar.why_not = None;
    let of = |entrant: Entrant| lanes.iter().find(|lane| lane.entrant == entrant);
    let Some(ours) = of(check.ours) else {
        return bar;
    };
    let rival = match check.rival {
        Rival::One(entrant) => of(entrant),
        Rival::Best(all) => best(lanes, all),
        // Twins come behind the entrants.
        Rival::Twin => lanes.iter().rfind(|lane| lane.entrant == check.ours),
        Rival::P99 => {
            tail(&mut bar, check, lanes, ours, "p99", |lane| &lane.p99s);
            close(&mut bar, &[ours], effort);
            return bar;
        }
        Rival::P999 => {
            tail(&mut bar, check, lanes, ours, "p99.9", |lane| &lane.p999s);
            close(&mut bar, &[ours], effort);
            return bar;
        }
    };
    let Some(rival) = rival else { return bar };
    let label = match (check.rival, case.twin) {
        (Rival::Twin, Some(Twin::Calm)) => "with 2 threads on 2 cores",
        (Rival::Twin, _) => "on uniform keys",
        _ => rival.entrant.label(),
    };
    let ops = ops_of(case, rival.entrant);
    let shorter = if ops < case.ops {
        format!(" ({ops} operations a round, ours {})", case.ops)
    } else {
        String::new()
    };
    bar.ours = format!("{:.2} Mops/s", median(ours));
    bar.theirs = format!("{label} {:.2} Mops/s{shorter}", median(rival));
    bar.found = paired_ratio(&ours.rates, &rival.rates);
    bar.verdict = bar.found.map(|found| found.at_least(check.bar));
    close(&mut bar, &[ours, rival], effort);
    bar
}

fn median(lane: &Lane) -> f64 {
    spread(&lane.counted()).map_or(0.0, |spread| spread.median)
}

/// The one of these with the highest median.
fn best<'l>(lanes: &'l [Lane], all: &[Entrant]) -> Option<&'l Lane> {
    lanes
        .iter()
        .filter(|lane| all.contains(&lane.entrant))
        .max_by(|a, b| median(a).total_cmp(&median(b)))
}

/// A bar on the slowest operations; the rivals' are told beside.
fn tail(
    bar: &mut Bar,
    check: &Check,
    lanes: &[Lane],
    ours: &Lane,
    name: &str,
    values: fn(&Lane) -> &Vec<f64>,
) {
    let words = |found: Interval| format!("{name} {:.0} ns", found.estimate);
    bar.rests_on = "sampled rounds";
    bar.found = geometric_mean(values(ours));
    bar.verdict = bar.found.map(|found| found.at_most(check.bar));
    bar.ours = bar.found.map_or_else(String::new, words);
    let others = lanes.iter().filter(|lane| !lane.entrant.is_ours());
    let others: Vec<String> = others
        .filter_map(|lane| {
            let found = geometric_mean(values(lane))?;
            Some(format!("{} {:.0} ns", lane.entrant.label(), found.estimate))
        })
        .collect();
    bar.theirs = others.join(", ");
}

/// Takes the verdict back where too few rounds carry it, and says why they are few.
fn close(bar: &mut Bar, lanes: &[&Lane], effort: Effort) {
    let rounds = bar.found.map_or(0, |found| found.rounds);
    if rounds >= effort.least {
        return;
    }
    bar.verdict = None;
    let left = lanes.iter().find_map(|lane| lane.left.clone());
    bar.why_not = Some(left.unwrap_or_else(|| format!("{rounds} undisturbed rounds")));
}

#[cfg(test)]
mod tests {
    use super::super::cases::{self, Case};
    use super::{Bar, Effort, Lane, judge};
    use crate::cli::BarGroup;
    use measure::stats::Verdict;

    const EFFORT: Effort = Effort {
        rounds: 12,
        least: 10,
        divisor: 1,
    };

    /// A case and its lanes, all at the rate 1 in every round, ours at 3.
    fn race(group: BarGroup, name: &str) -> (Case, Vec<Lane>) {
        let mut all = cases::of(group, EFFORT).into_iter();
        let case = all.find(|case| case.name.contains(name)).unwrap();
        let lane = |entrant| {
            let mut lane = Lane::new(entrant);
            lane.rates = vec![Some(1.0); 12];
            lane
        };
        let mut lanes: Vec<Lane> = case
            .entrants
            .iter()
            .copied()
            .chain(case.twins())
            .map(lane)
            .collect();
        lanes[0].rates = vec![Some(3.0); 12];
        (case, lanes)
    }

    fn bars(case: &Case, lanes: &[Lane]) -> Vec<Bar> {
        let checks = case.checks.iter();
        checks
            .map(|check| judge(case, check, lanes, EFFORT))
            .collect()
    }

    #[test]
    fn nine_pairs_are_no_verdict_and_ten_are() {
        let (case, mut lanes) = race(BarGroup::Get, "get-only 10k, 1 thread");
        lanes[2].rates[..2].fill(None);
        let bar = &bars(&case, &lanes)[0];
        assert_eq!(bar.verdict, Some(Verdict::Met));
        assert_eq!(bar.finding(), "3.00 (3.00-3.00), 10 pairs");
        lanes[0].rates[11] = None;
        let bar = &bars(&case, &lanes)[0];
        assert_eq!(bar.verdict, None);
        assert_eq!(bar.outcome(), "not measured: 9 undisturbed rounds");
    }

    #[test]
    fn a_rival_that_left_is_the_reason() {
        let (case, mut lanes) = race(BarGroup::Churn, "Zipf 0.99 10M, 1 thread");
        lanes[1].rates[3..].fill(None);
        lanes[1].left = Some("needs 17 GiB".to_owned());
        let bars = bars(&case, &lanes);
        assert_eq!(bars[0].outcome(), "not measured: needs 17 GiB");
        assert!(
            bars[0]
                .theirs
                .contains("papaya 1.00 Mops/s (50000 operations a round")
        );
        // The others are measured all the same.
        assert_eq!(bars[1].verdict, Some(Verdict::Met));
    }

    #[test]
    fn a_twin_is_paired_by_round() {
        let (case, mut lanes) = race(BarGroup::Churn, "Zipf 0.99 10k, 2 threads");
        // The machine slows down and up again; the ratio stays.
        let (first, last) = (0, lanes.len() - 1);
        for round in 0..12 {
            let speed = 1.0 + (round % 3) as f64;
            lanes[first].rates[round] = Some(speed);
            lanes[last].rates[round] = Some(2.0 * speed);
        }
        let bars = bars(&case, &lanes);
        let bar = bars.iter().find(|bar| bar.asks.contains("its own rate"));
        let bar = bar.unwrap();
        assert_eq!(bar.finding(), "0.50 (0.50-0.50), 12 pairs");
        assert_eq!(bar.verdict, Some(Verdict::Met));
        assert!(bar.theirs.starts_with("on uniform keys"));
    }

    #[test]
    fn a_tail_rests_on_ten_rounds() {
        let (case, mut lanes) = race(BarGroup::Crowd, "8 threads");
        lanes[0].p999s = vec![40_000.0; 9];
        let outcome = |lanes: &[Lane]| bars(&case, lanes)[1].outcome();
        assert_eq!(outcome(&lanes), "not measured: 9 undisturbed rounds");
        lanes[0].p999s.push(40_000.0);
        assert_eq!(outcome(&lanes), "met");
    }
}
