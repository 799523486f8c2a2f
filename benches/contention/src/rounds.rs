//! Interleaved rounds: in each, every subject runs with one thread and with all.

use crate::Subject;
use core::time::Duration;
use measure::crew::Crew;
use measure::stats::{Interval, Spread, paired_ratio, spread};

/// Rounds; a ratio is taken within each.
const ROUNDS: usize = 12;
/// A run is to take so long: many times what a thread needs to start.
const RUN: Duration = Duration::from_millis(15);
/// Operations of the run from which the length of the others is reckoned.
const TRIAL: u64 = 20_000;
/// How often a run is repeated whose threads did not run side by side.
const TRIES: usize = 5;

/// The times of a subject, in nanoseconds an operation of each thread, by round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    /// With one thread.
    alone: Vec<Option<f64>>,
    /// With all threads.
    together: Vec<Option<f64>>,
}

impl Times {
    /// Median and quartiles with one thread and with all.
    pub(crate) fn spreads(&self) -> [Option<Spread>; 2] {
        let counted = |times: &[Option<f64>]| times.iter().flatten().copied().collect::<Vec<_>>();
        [&self.alone, &self.together].map(|times| spread(&counted(times)))
    }

    /// By round, how many times as long an operation takes with all threads.
    fn slowdowns(&self) -> Vec<Option<f64>> {
        let rounds = self.alone.iter().zip(&self.together);
        rounds
            .map(|(alone, together)| Some((*together)? / (*alone)?))
            .collect()
    }

    /// How many times as much company slows this down as it does `control`.
    pub(crate) fn against(&self, control: &Self) -> Option<Interval> {
        paired_ratio(&self.slowdowns(), &control.slowdowns())
    }
}

/// Runs the rounds; the times of each subject, and how many operations make a run with all threads.
pub(crate) fn run(subjects: &[Subject], threads: usize) -> Vec<(Times, u64)> {
    let (one, all) = (Crew::new(1, None), Crew::new(threads, None));
    let lengths = subjects
        .iter()
        .map(|subject| [&one, &all].map(|crew| length(subject, crew)));
    let lengths: Vec<[u64; 2]> = lengths.collect();
    let mut times = vec![Times::default(); subjects.len()];
    for round in 0..ROUNDS {
        for place in 0..subjects.len() {
            let which = (place + round) % subjects.len();
            let [alone, together] = lengths[which];
            let subject = &subjects[which];
            times[which].alone.push(side_by_side(subject, &one, alone));
            times[which]
                .together
                .push(side_by_side(subject, &all, together));
        }
    }
    let lengths = lengths.iter().map(|[_, together]| *together);
    times.into_iter().zip(lengths).collect()
}

/// Operations of each thread that take about as long as a run is to.
fn length(subject: &Subject, crew: &Crew) -> u64 {
    let taken = timed(subject, crew, TRIAL).0.as_secs_f64();
    let times = RUN.as_secs_f64() / taken.max(1e-9);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, and that is what is wanted"
    )]
    let length = (TRIAL as f64 * times) as u64;
    length.max(TRIAL)
}

/// Nanoseconds an operation, of a run whose threads ran side by side.
fn side_by_side(subject: &Subject, crew: &Crew, times: u64) -> Option<f64> {
    (0..TRIES).find_map(|_| {
        let (taken, is_good) = timed(subject, crew, times);
        is_good.then(|| taken.as_nanos() as f64 / times as f64)
    })
}

/// How long a run takes, and whether its threads ran side by side.
pub(crate) fn timed(subject: &Subject, crew: &Crew, times: u64) -> (Duration, bool) {
    let operate = (subject.make)(crew.threads());
    let ran = crew.run(|thread| thread, |thread| operate(*thread, times));
    (ran.wall, ran.was_side_by_side())
}

#[cfg(test)]
mod tests {
    use super::Times;

    #[test]
    fn what_slows_all_down_alike_is_no_difference() {
        let times = |alone: [f64; 3], together: [f64; 3]| Times {
            alone: alone.map(Some).to_vec(),
            together: together.map(Some).to_vec(),
        };
        let control = times([1.0, 2.0, 1.5], [1.0, 2.0, 1.5]);
        let same = times([10.0, 20.0, 15.0], [10.0, 20.0, 15.0]);
        let ratio = same.against(&control).expect("three rounds");
        assert!((ratio.estimate - 1.0).abs() < 1e-9, "{ratio:?}");
        let slower = times([1.0, 2.0, 1.5], [5.0, 10.0, 7.5]);
        let ratio = slower.against(&control).expect("three rounds");
        assert!((ratio.estimate - 5.0).abs() < 1e-9, "{ratio:?}");
    }
}
