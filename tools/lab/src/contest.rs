//! Interleaved rounds: in each round every map runs once, in an order that rotates.
use crate::alloc;
use crate::clock::Ticks;
use crate::counted;
use crate::engines::{
    Batch as _, Dash, Entrant, Limit, Mutex64, PapayaHeld, PapayaPin, SccIndex, SccMap,
    ShardMapHeld, ShardMapPin, Store, Worker as _,
};
use crate::error::LabError;
use crate::keys::Key as _;
use crate::ops::Stream;
use crate::run::{How, Tally, Turn, in_turn, turn};
use crate::work::Work;
use core::marker::PhantomData;
use core::time::Duration;
use hdrhistogram::Histogram;
use measure::counting::Count;
use std::sync::Arc;
use std::time::Instant;

/// One map on one workload.
pub(crate) trait Racer {
    fn entrant(&self) -> Entrant;
    /// Makes the map and its first content; nothing is timed.
    fn prepare(&mut self);
    /// One run, checked. `None` when the workload has no more runs.
    fn run(&mut self, how: How<'_>) -> Result<Option<Turn>, LabError>;
    /// The last check: what the map holds after all runs. Then drops it.
    fn finish(&mut self) -> Result<(), LabError>;
    fn bytes_per_entry(&self) -> Option<f64>;
}

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
    /// In ns, by sampled round.
    pub(crate) p99s: Vec<f64>,
    pub(crate) p999s: Vec<f64>,
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
            p99s: Vec::new(),
            p999s: Vec::new(),
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

    fn keep_samples(&mut self, turn: &Turn) {
        let ticks = Ticks::get();
        let mut round = latencies();
        for sample in &turn.samples {
            round.saturating_record(ticks.ns(*sample).max(1));
        }
        self.p99s.push(round.value_at_quantile(0.99) as f64);
        self.p999s.push(round.value_at_quantile(0.999) as f64);
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

/// Sets `entrants` up on `work`; who has no map with such keys is left out.
pub(crate) fn racers<S: Stream>(entrants: &[Entrant], work: &Arc<Work<S>>) -> Vec<Box<dyn Racer>> {
    entrants
        .iter()
        .filter_map(|entrant| racer(*entrant, work))
        .collect()
}

fn racer<S: Stream>(entrant: Entrant, work: &Arc<Work<S>>) -> Option<Box<dyn Racer>> {
    type K<S> = <S as Stream>::Key;
    Some(match entrant {
        Entrant::Shardmap => runner::<S, ShardMapPin<K<S>>>(entrant, work),
        Entrant::ShardmapHeld => runner::<S, ShardMapHeld<K<S>>>(entrant, work),
        Entrant::Wordmap => return K::<S>::words(work),
        Entrant::Papaya => runner::<S, PapayaPin<K<S>>>(entrant, work),
        Entrant::PapayaHeld => runner::<S, PapayaHeld<K<S>>>(entrant, work),
        Entrant::Dashmap => runner::<S, Dash<K<S>>>(entrant, work),
        Entrant::SccMap => runner::<S, SccMap<K<S>>>(entrant, work),
        Entrant::SccIndex => runner::<S, SccIndex<K<S>>>(entrant, work),
        Entrant::Mutex64 => runner::<S, Mutex64<K<S>>>(entrant, work),
        Entrant::Hashbrown => runner::<S, Limit<K<S>>>(entrant, work),
    })
}

pub(crate) fn runner<S, E>(entrant: Entrant, work: &Arc<Work<S>>) -> Box<dyn Racer>
where
    S: Stream,
    E: Store<S::Key> + 'static,
{
    Box::new(Runner::<S, E> {
        entrant,
        work: Arc::clone(work),
        store: None,
        runs: 0,
        last: Vec::new(),
        bytes_per_entry: None,
        key: PhantomData,
    })
}

struct Runner<S: Stream, E> {
    entrant: Entrant,
    work: Arc<Work<S>>,
    store: Option<E>,
    runs: usize,
    last: Vec<Tally>,
    bytes_per_entry: Option<f64>,
    key: PhantomData<S>,
}

/// After this many operations on a fresh map, it is read through in its first run only.
const READ_THROUGH: u64 = 2_000_000;

impl<S: Stream, E: Store<S::Key>> Runner<S, E> {
    fn wrong(&self, what: String) -> LabError {
        LabError::Wrong {
            map: self.entrant.label().to_owned(),
            work: self.work.name.clone(),
            what,
        }
    }

    /// A run on a map of its own, read through at the end, and dropped off the clock.
    fn fresh_run(&mut self, streams: &[S], how: How<'_>) -> Result<Turn, LabError> {
        let expected = &self.work.expected[self.runs % self.work.expected.len()];
        let mut store = E::new(self.work.threads);
        let turn = turn(&store, streams, self.work.crowd, how);
        expected
            .check_tallies(&turn.tallies)
            .map_err(|what| self.wrong(what))?;
        if self.runs == 0 || turn.ops < READ_THROUGH {
            expected
                .check_content(&mut store, &turn.tallies)
                .map_err(|what| self.wrong(what))?;
        }
        Ok(turn)
    }

    /// The bytes of a fresh map after the first run's operations, on this thread alone.
    fn weigh(&mut self) {
        let Some(streams) = self.work.runs.first() else {
            return;
        };
        let (mut store, held) = alloc::growth(|| {
            let store = E::new(self.work.threads);
            in_turn(&store, streams);
            store
        });
        let mut entries = 0_u32;
        store.each(&mut |_, _| entries += 1);
        self.bytes_per_entry = Some(held as f64 / f64::from(entries.max(1)));
    }
}

impl<S: Stream, E: Store<S::Key>> Racer for Runner<S, E> {
    fn entrant(&self) -> Entrant {
        self.entrant
    }

    fn prepare(&mut self) {
        let work = Arc::clone(&self.work);
        let Some(fill) = &work.fill else {
            return self.weigh();
        };
        let mut entries = 0_u32;
        let (store, held) = alloc::growth(|| {
            let store = E::new(work.threads);
            for thread in 0..work.threads {
                let mut worker = store.worker(thread);
                fill(thread, &mut |key, value| {
                    // A batch each, so that no pin is held while tables are replaced.
                    worker.batch().put(key, value);
                    entries += 1;
                });
            }
            store
        });
        self.bytes_per_entry = Some(held as f64 / f64::from(entries.max(1)));
        self.store = Some(store);
    }

    fn run(&mut self, how: How<'_>) -> Result<Option<Turn>, LabError> {
        let work = Arc::clone(&self.work);
        let turn = match &self.store {
            None => {
                let streams = &work.runs[self.runs % work.runs.len()];
                self.fresh_run(streams, how)?
            }
            Some(store) => {
                let Some(streams) = work.runs.get(self.runs) else {
                    return Ok(None);
                };
                let turn = turn(store, streams, work.crowd, how);
                work.expected[self.runs]
                    .check_tallies(&turn.tallies)
                    .map_err(|what| self.wrong(what))?;
                turn
            }
        };
        self.runs += 1;
        self.last.clone_from(&turn.tallies);
        Ok(Some(turn))
    }

    fn finish(&mut self) -> Result<(), LabError> {
        let Some(mut store) = self.store.take() else {
            return Ok(());
        };
        let Some(run) = self.runs.checked_sub(1).filter(|_| self.work.is_read) else {
            return Ok(());
        };
        self.work.expected[run]
            .check_content(&mut store, &self.last)
            .map_err(|what| self.wrong(what))
    }

    fn bytes_per_entry(&self) -> Option<f64> {
        self.bytes_per_entry
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
            let rate = seats[who].weighed(|seat| match &mut seat.racer {
                Some(racer) if is_due => {
                    on_step(seat.lane.entrant);
                    side_by_side(racer.as_mut(), &mut seat.lane, is_sampled, tries)
                }
                _ => Ok(None),
            })?;
            if counts {
                seats[who].lane.rates.push(rate);
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
) -> Result<Option<f64>, LabError> {
    for _ in 0..tries {
        let how = if is_sampled { How::Sampled } else { How::Timed };
        let Some(turn) = racer.run(how)? else {
            return Ok(None);
        };
        if turn.is_crowded || turn.was_side_by_side {
            if is_sampled {
                lane.keep_samples(&turn);
            }
            return Ok(Some(turn.mops()));
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
