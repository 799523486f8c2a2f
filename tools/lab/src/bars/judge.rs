//! From what the maps of a case showed to a verdict on one of its checks.
use super::cases::{Case, Twin, ops_of};
use super::check::{Check, Part, Rival};
use super::{Bar, Effort};
use crate::contest::{Lane, Tail};
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
        Rival::Tail(part) => {
            tail(&mut bar, check, lanes, ours, part);
            close(&mut bar, &[ours], effort);
            return bar;
        }
        Rival::BestTail(part, all) => {
            let Some(rival) = calmest(lanes, all, part) else {
                return bar;
            };
            tail_against(&mut bar, check, ours, rival, part);
            close(&mut bar, &[ours, rival], effort);
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
    if rival.entrant.is_limit() {
        let others = lanes.iter().filter(|lane| lane.entrant.is_limit());
        for other in others.filter(|lane| lane.entrant != rival.entrant) {
            bar.theirs += &format!(", {} {:.2}", other.entrant.label(), median(other));
        }
    }
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

/// One part of the slowest operations, by sampled round.
fn values(lane: &Lane, part: Part) -> Vec<Option<f64>> {
    let value = |tail: &Tail| part.of(tail);
    let values = lane.tails.iter();
    values.map(|tail| tail.as_ref().map(value)).collect()
}

fn mean(lane: &Lane, part: Part) -> Option<Interval> {
    let values: Vec<f64> = values(lane, part).into_iter().flatten().collect();
    geometric_mean(&values)
}

fn told(lane: &Lane, part: Part) -> Option<String> {
    let found = mean(lane, part)?;
    Some(format!("{} {:.0} ns", lane.entrant.label(), found.estimate))
}

/// The one of these whose slowest operations are the least slow.
fn calmest<'l>(lanes: &'l [Lane], all: &[Entrant], part: Part) -> Option<&'l Lane> {
    let timed = lanes.iter().filter(|lane| all.contains(&lane.entrant));
    let timed = timed.filter_map(|lane| Some((lane, mean(lane, part)?.estimate)));
    let least = timed.min_by(|a, b| a.1.total_cmp(&b.1));
    least.map(|(lane, _)| lane)
}

/// A bar on the slowest operations; the rivals' are told beside.
fn tail(bar: &mut Bar, check: &Check, lanes: &[Lane], ours: &Lane, part: Part) {
    let words = |found: Interval| format!("{part} {:.0} ns", found.estimate);
    bar.rests_on = "sampled rounds";
    bar.found = mean(ours, part);
    bar.verdict = bar.found.map(|found| found.at_most(check.bar));
    bar.ours = bar.found.map_or_else(String::new, words);
    let others = lanes.iter().filter(|lane| !lane.entrant.is_ours());
    let others: Vec<String> = others.filter_map(|lane| told(lane, part)).collect();
    bar.theirs = others.join(", ");
}

/// A bar on ours in times of theirs.
fn tail_against(bar: &mut Bar, check: &Check, ours: &Lane, rival: &Lane, part: Part) {
    bar.found = paired_ratio(&values(ours, part), &values(rival, part));
    bar.verdict = bar.found.map(|found| found.at_most(check.bar));
    bar.ours = mean(ours, part).map_or_else(String::new, |found| {
        format!("{part} {:.0} ns", found.estimate)
    });
    bar.theirs = told(rival, part).unwrap_or_default();
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
    use super::{Bar, Effort, Lane, Tail, judge};
    use crate::cli::BarGroup;
    use crate::engines::Entrant;
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
        let slow = Some(Tail {
            p999: 40_000.0,
            ..Tail::default()
        });
        lanes[0].tails = vec![slow; 9];
        let outcome = |lanes: &[Lane]| bars(&case, lanes)[1].outcome();
        assert_eq!(outcome(&lanes), "not measured: 9 undisturbed rounds");
        lanes[0].tails.push(slow);
        assert_eq!(outcome(&lanes), "met");
    }

    #[test]
    fn a_tail_is_compared_with_the_calmest_rival_round_by_round() {
        let (case, mut lanes) = race(BarGroup::Growth, "growth to 10M, 1 thread");
        let slow = |p99: f64| {
            let tail = Tail {
                p99,
                ..Tail::default()
            };
            vec![Some(tail); 12]
        };
        for lane in &mut lanes {
            // A map that calls for many keys at once has no times of single operations.
            lane.tails = match lane.entrant {
                Entrant::WordmapMany => vec![None; 12],
                Entrant::Wordmap => slow(500.0),
                Entrant::Dashmap => slow(400.0),
                _ => slow(800.0),
            };
        }
        let find = |lanes: &[Lane]| {
            let all = bars(&case, lanes);
            let bar = all
                .into_iter()
                .find(|bar| bar.asks.contains("the best rival's"));
            bar.unwrap()
        };
        let bar = find(&lanes);
        assert_eq!(bar.finding(), "1.25 (1.25-1.25), 12 pairs");
        assert_eq!(bar.theirs, "dashmap 400 ns");
        assert_eq!(bar.verdict, Some(Verdict::Missed));
        let ours = lanes
            .iter_mut()
            .find(|lane| lane.entrant == Entrant::Wordmap);
        ours.unwrap().tails = slow(400.0);
        assert_eq!(find(&lanes).verdict, Some(Verdict::Met));
    }

    #[test]
    fn many_at_once_are_judged_by_the_limit() {
        let (case, mut lanes) = race(BarGroup::Get, "get-only 14M, 2 threads");
        for lane in &mut lanes {
            lane.rates = match lane.entrant {
                Entrant::WordmapMany => vec![Some(6.0); 12],
                Entrant::OneLineMany => vec![Some(10.0); 12],
                Entrant::Hashbrown => vec![Some(5.0); 12],
                _ => vec![Some(2.0); 12],
            };
        }
        let all = bars(&case, &lanes);
        let find = |part: &str| all.iter().find(|bar| bar.asks.contains(part)).unwrap();
        let limit = find("0.55x one line, 16 ahead");
        assert_eq!(limit.finding(), "0.60 (0.60-0.60), 12 pairs");
        assert_eq!(limit.verdict, Some(Verdict::Met));
        assert!(
            limit.theirs.ends_with(", hashbrown 5.00, one line 2.00"),
            "{}",
            limit.theirs
        );
        let rival = find("many at once >= 2.5x the best rival");
        assert_eq!(rival.finding(), "3.00 (3.00-3.00), 12 pairs");
    }

    #[test]
    fn a_case_keeps_what_is_asked_for() {
        let cases = cases::of(BarGroup::Crowd, EFFORT);
        let case = cases[0].clone().only("WordMap").unwrap();
        assert_eq!(case.twins(), [Entrant::Wordmap]);
        assert!(!case.entrants.contains(&Entrant::Shardmap));
        assert!(
            case.checks
                .iter()
                .all(|check| check.ours == Entrant::Wordmap)
        );
        let tail = cases[0].clone().only("WordMap p99.9").unwrap();
        assert_eq!((tail.twin, tail.checks.len()), (None, 1));
        assert!(cases[0].clone().only("no such bar").is_none());
    }
}
