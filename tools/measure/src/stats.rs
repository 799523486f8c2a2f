//! Medians, spread, and paired ratios with their interval.
//!
//! Two maps are compared by the rounds in which both ran. Each such round gives one ratio; the
//! interval is Student's for the mean of the ratios' logarithms, two-sided, 95 %. So what slows
//! the whole machine for a while cancels, and one bad round widens the interval instead of
//! deciding.
use serde::Serialize;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// An estimate and where it lies with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The best guess.
    pub estimate: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
    /// How many rounds it rests on.
    pub rounds: usize,
}

/// A comparison with a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All of the interval is on the right side.
    Met,
    /// None of it is.
    Missed,
    /// The bar is within it.
    CannotTell,
}

impl Verdict {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::CannotTell => "cannot tell",
        }
    }
}

impl Interval {
    /// Whether it is at least `bar`: met if all of the interval is, missed if none is.
    #[must_use]
    pub fn at_least(&self, bar: f64) -> Verdict {
        if self.low >= bar {
            Verdict::Met
        } else if self.high < bar {
            Verdict::Missed
        } else {
            Verdict::CannotTell
        }
    }

    /// Whether it is at most `bar`.
    #[must_use]
    pub fn at_most(&self, bar: f64) -> Verdict {
        if self.high <= bar {
            Verdict::Met
        } else if self.low > bar {
            Verdict::Missed
        } else {
            Verdict::CannotTell
        }
    }

    /// A number that is counted, not measured: no interval.
    #[must_use]
    pub fn exact(value: f64) -> Self {
        Self {
            estimate: value,
            low: value,
            high: value,
            rounds: 1,
        }
    }
}

/// The mean of positive numbers on a logarithmic scale, with its interval. `None` with fewer
/// than three, which say nothing about their spread.
#[must_use]
pub fn geometric_mean(values: &[f64]) -> Option<Interval> {
    let logs: Vec<f64> = values
        .iter()
        .filter(|v| **v > 0.0)
        .map(|v| v.ln())
        .collect();
    if logs.len() < 3 {
        return None;
    }
    let count = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / count;
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let quantile = StudentsT::new(0.0, 1.0, count - 1.0)
        .ok()?
        .inverse_cdf(0.975);
    let half = quantile * (variance / count).sqrt();
    Some(Interval {
        estimate: mean.exp(),
        low: (mean - half).exp(),
        high: (mean + half).exp(),
        rounds: logs.len(),
    })
}

/// The ratio of `ours` to `theirs` over the rounds in which both ran.
#[must_use]
pub fn paired_ratio(ours: &[Option<f64>], theirs: &[Option<f64>]) -> Option<Interval> {
    let ratios: Vec<f64> = ours
        .iter()
        .zip(theirs)
        .filter_map(|(a, b)| Some(((*a)?, (*b)?)))
        .filter(|(_, b)| *b > 0.0)
        .map(|(a, b)| a / b)
        .collect();
    geometric_mean(&ratios)
}

/// Median and the range of the middle half.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Half are below.
    pub median: f64,
    /// A quarter is below.
    pub lower_quartile: f64,
    /// Three quarters are below.
    pub upper_quartile: f64,
    /// How many there are.
    pub rounds: usize,
}

/// Median and quartiles, linear between neighbours; `None` of nothing.
#[must_use]
pub fn spread(values: &[f64]) -> Option<Spread> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (sorted.len() - 1) as f64;
        let below = floor_index(place);
        let above = (below + 1).min(sorted.len() - 1);
        sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
    };
    (!sorted.is_empty()).then(|| Spread {
        median: at(0.5),
        lower_quartile: at(0.25),
        upper_quartile: at(0.75),
        rounds: sorted.len(),
    })
}

/// The integer at or below a number that is neither negative nor huge.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and that is what is wanted"
)]
fn floor_index(value: f64) -> usize {
    value as usize
}

#[cfg(test)]
mod tests {
    use super::{Interval, Verdict, geometric_mean, paired_ratio, spread};

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9 * b.abs().max(1.0)
    }

    #[test]
    fn quartiles_of_hand_made_numbers() {
        let s = spread(&[5.0, 1.0, 3.0, 2.0, 4.0]).unwrap();
        assert_eq!(
            (s.lower_quartile, s.median, s.upper_quartile),
            (2.0, 3.0, 4.0)
        );
        let s = spread(&[1.0, 2.0]).unwrap();
        assert_eq!(
            (s.lower_quartile, s.median, s.upper_quartile),
            (1.25, 1.5, 1.75)
        );
        assert!(spread(&[]).is_none());
    }

    #[test]
    fn a_constant_ratio_has_no_width_whatever_the_machine_does() {
        let theirs = [Some(1.0), Some(10.0), Some(3.0), Some(0.1)];
        let ours = theirs.map(|x| x.map(|x| 2.0 * x));
        let ratio = paired_ratio(&ours, &theirs).unwrap();
        assert!(close(ratio.estimate, 2.0) && close(ratio.low, 2.0) && close(ratio.high, 2.0));
        assert_eq!(ratio.rounds, 4);
    }

    #[test]
    fn the_interval_is_students() {
        // Logs 0, 1, 2: mean 1, standard deviation 1, t(2 degrees, 97.5 %) = 4.302652...
        let values = [1.0, 1_f64.exp(), 2_f64.exp()];
        let mean = geometric_mean(&values).unwrap();
        let half = 4.302_652_729_911_275 / 3_f64.sqrt();
        assert!(close(mean.estimate.ln(), 1.0));
        assert!(
            (mean.low.ln() - (1.0 - half)).abs() < 1e-6,
            "{}",
            mean.low.ln()
        );
        assert!(
            (mean.high.ln() - (1.0 + half)).abs() < 1e-6,
            "{}",
            mean.high.ln()
        );
    }

    #[test]
    fn rounds_that_one_of_the_two_sat_out_do_not_count() {
        let ours = [Some(2.0), None, Some(2.0), Some(2.0), Some(9.0)];
        let theirs = [Some(1.0), Some(7.0), Some(1.0), Some(1.0), None];
        let ratio = paired_ratio(&ours, &theirs).unwrap();
        assert!(close(ratio.estimate, 2.0));
        assert_eq!(ratio.rounds, 3);
        assert!(
            paired_ratio(&ours[..3], &theirs[..3]).is_none(),
            "two rounds say nothing"
        );
    }

    #[test]
    fn verdicts_have_three_outcomes() {
        let interval = Interval {
            estimate: 1.3,
            low: 1.2,
            high: 1.4,
            rounds: 10,
        };
        assert_eq!(interval.at_least(1.2), Verdict::Met);
        assert_eq!(interval.at_least(1.3), Verdict::CannotTell);
        assert_eq!(interval.at_least(1.5), Verdict::Missed);
        assert_eq!(interval.at_most(1.4), Verdict::Met);
        assert_eq!(interval.at_most(1.3), Verdict::CannotTell);
        assert_eq!(interval.at_most(1.1), Verdict::Missed);
    }
}
