//! Interleaved rounds: in each round every map runs once, in an order that rotates.
use crate::alloc;
use crate::clock::Ticks;
use crate::counted;
use crate::engines::Entrant;
use crate::error::LabError;
use crate::racer::Racer;
use crate::run::{How, Turn};
use core::time::Duration;
use hdrhistogram::Histogram;
use measure::counting::Count;
use std::time::Instant;

/// How long a race is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Rounds that count for the rate.
    pub(crate) rounds: usize,
    /// Stop early when so much time has gone, but not before round [`LEAST_ROUNDS`]; with half
    /// as much again, not before the third; with three times as much, after any.
    pub(crate) budget: Option<Duration>,
    pub(crate) samples: Samples,
    /// Whether each map has a run for each group of counters, after the rounds.
    pub(crate) is_counted: bool,
    /// When the process holds more, the map that has grown most leaves the race.
    pub(crate) most_bytes: u64,
}

/// In which rounds single operations are timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Samples {
    Never,
    /// One round more for three that count.
    Few,
    /// As many rounds more as count.
    Many,
    /// In every round, which counts for the rate too.
    Always,
}

impl Pace {
    /// How many runs a workload must hold: the rounds, those with samples, one to warm up, some to repeat, and
    /// those that are counted.
    #[must_use]
    pub(crate) fn runs_needed(&self) -> usize {
        let counted = if self.is_counted {
            counted::here().groups().len()
        } else {
            0
        };
        1 + self.steps() + REPEATS + counted
    }

    fn is_late(&self, elapsed: Duration) -> bool {
        self.budget.is_some_and(|budget| elapsed >= budget)
    }

    fn is_over(&self, rounds: usize, elapsed: Duration) -> bool {
        self.budget.is_some_and(|budget| {
            elapsed >= budget && rounds >= LEAST_ROUNDS
                || elapsed >= budget * 3 / 2 && rounds >= 3
                || elapsed >= budget * 3
        })
    }

    fn steps(&self) -> usize {
        match self.samples {
            Samples::Never | Samples::Always => self.rounds,
            Samples::Few => self.rounds + self.rounds / 3 + 1,
            Samples::Many => 2 * self.rounds,
        }
    }

    /// Whether this step samples, and whether its rate counts.
    fn step(&self, step: usize) -> (bool, bool) {
        match self.samples {
            Samples::Never => (false, true),
            Samples::Few => (step % 4 == 2, step % 4 != 2),
            Samples::Many => (step % 2 == 1, step.is_multiple_of(2)),
            Samples::Always => (true, true),
        }
    }
}

/// So few rounds are run whatever the time.
const LEAST_ROUNDS: usize = 6;

/// How often a map may repeat a round in which its threads did not run side by side.
const REPEATS: usize = 12;

/// What a race may hold: 15 GiB, so that it fits a machine of 16, or 80 % of what is free now.
#[must_use]
pub(crate) fn most_bytes() -> u64 {
    const MOST: u64 = 15 << 30;
    let Ok(mut system) = sysinfo::System::new() else {
        return MOST;
    };
    system.refresh_memory();
    (alloc::process_bytes() + system.available_memory() / 5 * 4).min(MOST)
}

/// The slowest operations of a round, in ns.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tail {
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) p9999: f64,
}

/// What a race showed of one map.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub(crate) entrant: Entrant,
    /// By round; `None` where it sat out or did not run side by side.
    pub(crate) rates: Vec<Option<f64>>,
    /// Rates of the rounds that were thrown away: shown only if there is nothing better.
    pub(crate) disturbed: Vec<f64>,
    /// In ns.
    pub(crate) latency: Histogram<u64>,
    /// By sampled round; `None` where it did not run side by side, or timed no single operations.
    pub(crate) tails: Vec<Option<Tail>>,
    pub(crate) bytes_per_entry: Option<f64>,
    /// Every role, if the race is counted.
    pub(crate) counts: Vec<Count>,
    /// Why it left the race before its end.
    pub(crate) left: Option<String>,
}

impl Lane {
    pub(crate) fn new(entrant: Entrant) -> Self {
        Self {
            entrant,
            rates: Vec::new(),
            disturbed: Vec::new(),
            latency: latencies(),
            tails: Vec::new(),
            bytes_per_entry: None,
            counts: Vec::new(),
            left: None,
        }
    }

    /// The rates that count.
    #[must_use]
    pub(crate) fn counted(&self) -> Vec<f64> {
        self.rates.iter().flatten().copied().collect()
    }

    fn keep_samples(&mut self, samples: &[u64]) {
        let ticks = Ticks::get();
        let mut round = latencies();
        for sample in samples {
            round.saturating_record(ticks.ns(*sample).max(1));
        }
        let slowest = |part| round.value_at_quantile(part) as f64;
        self.tails.push((!round.is_empty()).then(|| Tail {
            p99: slowest(0.99),
            p999: slowest(0.999),
            p9999: slowest(0.9999),
        }));
        // Same bounds, so it cannot fail.
        self.latency += round;
    }
}

/// Room for times from a nanosecond to a minute.
pub(crate) fn latencies() -> Histogram<u64> {
    const MINUTE_NS: u64 = 60_000_000_000;
    match Histogram::new_with_bounds(1, MINUTE_NS, 3) {
        Ok(histogram) => histogram,
        Err(_) => unreachable!("the bounds are constants within the crate's limits"),
    }
}

/// A map in a race, with what it has shown.
struct Seat {
    /// `None` once it has left.
    racer: Option<Box<dyn Racer>>,
    lane: Lane,
    /// How long the first run took.
    cost: Duration,
    /// How much the process has grown in its preparation and its runs.
    grown: u64,
}

impl Seat {
    /// Does something with the map and adds up how much the process grows by it.
    fn weighed<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = alloc::process_bytes();
        let made = work(self);
        self.grown += alloc::process_bytes().saturating_sub(before);
        made
    }

    fn warm_up(&mut self) -> Result<(), LabError> {
        let Some(racer) = &mut self.racer else {
            return Ok(());
        };
        racer.prepare();
        let start = Instant::now();
        racer.run(How::Timed)?;
        self.cost = start.elapsed();
        self.lane.bytes_per_entry = racer.bytes_per_entry();
        Ok(())
    }
}

/// Runs the rounds. `on_step` hears of each map's run, for a progress bar.
pub(crate) fn race(
    racers: Vec<Box<dyn Racer>>,
    pace: Pace,
    on_step: &mut dyn FnMut(Entrant),
) -> Result<Vec<Lane>, LabError> {
    let began = Instant::now();
    let seat = |racer: Box<dyn Racer>| Seat {
        lane: Lane::new(racer.entrant()),
        racer: Some(racer),
        cost: Duration::ZERO,
        grown: 0,
    };
    let mut seats: Vec<Seat> = racers.into_iter().map(seat).collect();
    let count = seats.len();
    for who in 0..count {
        on_step(seats[who].lane.entrant);
        seats[who].weighed(Seat::warm_up)?;
        keep_within(&mut seats, pace.most_bytes);
    }
    let costs: Vec<Duration> = seats.iter().map(|seat| seat.cost).collect();
    let rests = rests(&costs, pace);
    let mut rounds = 0;
    for step in 0..pace.steps() {
        let (is_sampled, counts) = pace.step(step);
        for place in 0..count {
            let who = (place + step) % count;
            // Samples are few enough as it is: nobody rests in a sampled round.
            let is_due = is_sampled || rounds % rests[who] == 0;
            // Late already: what is disturbed is not repeated.
            let tries = if pace.is_late(began.elapsed()) { 1 } else { 3 };
            let turn = seats[who].weighed(|seat| match &mut seat.racer {
                Some(racer) if is_due => {
                    on_step(seat.lane.entrant);
                    side_by_side(racer.as_mut(), &mut seat.lane, is_sampled, tries)
                }
                _ => Ok(None),
            })?;
            let lane = &mut seats[who].lane;
            if is_sampled {
                lane.keep_samples(turn.as_ref().map_or(&[][..], |turn| &turn.samples[..]));
            }
            if counts {
                lane.rates.push(turn.as_ref().map(Turn::mops));
            }
            keep_within(&mut seats, pace.most_bytes);
        }
        rounds += usize::from(counts);
        if pace.is_over(rounds, began.elapsed()) {
            break;
        }
    }
    if pace.is_counted {
        let counting = counted::here();
        for seat in &mut seats {
            if let Some(racer) = &mut seat.racer {
                seat.lane.counts = counted::count(racer.as_mut(), &counting)?;
            }
        }
    }
    for racer in seats.iter_mut().filter_map(|seat| seat.racer.as_mut()) {
        racer.finish()?;
    }
    Ok(seats.into_iter().map(|seat| seat.lane).collect())
}

/// Where the process holds too much, the map that has grown most leaves, unchecked.
fn keep_within(seats: &mut [Seat], most: u64) {
    let held = alloc::process_bytes();
    if held <= most {
        return;
    }
    let still_there = seats.iter_mut().filter(|seat| seat.racer.is_some());
    if let Some(seat) = still_there.max_by_key(|seat| seat.grown) {
        seat.racer = None;
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        seat.lane.left = Some(format!(
            "needs {:.1} GiB: {} alone has taken {:.1}, {:.1} may be used",
            gib(held),
            seat.lane.entrant.label(),
            gib(seat.grown),
            gib(most)
        ));
    }
}

/// One run, repeated while its threads do not run side by side.
fn side_by_side(
    racer: &mut dyn Racer,
    lane: &mut Lane,
    is_sampled: bool,
    tries: usize,
) -> Result<Option<Turn>, LabError> {
    for _ in 0..tries {
        let how = if is_sampled { How::Sampled } else { How::Timed };
        let Some(turn) = racer.run(how)? else {
            return Ok(None);
        };
        if turn.is_crowded || turn.was_side_by_side {
            return Ok(Some(turn));
        }
        lane.disturbed.push(turn.mops());
        if lane.disturbed.len() > REPEATS {
            return Ok(None);
        }
    }
    Ok(None)
}

/// Every how many rounds each map runs. Where time is short, one that takes more than three
/// times as long as the middle one sits out every other round.
fn rests(costs: &[Duration], pace: Pace) -> Vec<usize> {
    let mut sorted = costs.to_vec();
    sorted.sort_unstable();
    let middle = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
    let is_slow = |cost: &Duration| pace.budget.is_some() && *cost > 3 * middle;
    costs
        .iter()
        .map(|cost| if is_slow(cost) { 2 } else { 1 })
        .collect()
}
