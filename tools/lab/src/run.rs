//! One run: threads, a common start, the timed loop, and what each thread counted.
use crate::clock::Ticks;
use crate::engines::{BATCH, Batch, Store, Worker};
use crate::ops::{Kind, Stream};
use atomshard::perf::{GroupPlan, Kernel, Role, Value};
use core::borrow::Borrow as _;
use core::time::Duration;
use measure::counting::Counting;
use measure::crew::{Crew, Ran};

/// What a run is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum How<'c> {
    /// Its rate.
    Timed,
    /// Times of single operations.
    Sampled,
    /// The counters of this group.
    Counted(&'c Counting, &'c GroupPlan),
}

/// What one thread counted. Equal operations on an equal map must give an equal tally.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Look-ups that found the key.
    pub(crate) hits: u64,
    /// The wrapping sum of the values they found.
    pub(crate) sum: u64,
    /// The sum that the look-ups with a known value should have found.
    pub(crate) due: u64,
    /// Puts of a key that was absent.
    pub(crate) fresh: u64,
    /// Removals of a key that was present.
    pub(crate) gone: u64,
}

/// What one run gave.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    /// From the first thread's start to the last one's end.
    pub(crate) wall: Duration,
    /// Operations of all threads.
    pub(crate) ops: u64,
    /// By thread.
    pub(crate) tallies: Vec<Tally>,
    /// Durations of the sampled operations in ticks, if asked for.
    pub(crate) samples: Vec<u64>,
    /// By thread: its operations, and what was counted, if asked for.
    pub(crate) counted: Vec<(u64, Vec<(Role, Value)>)>,
    /// Whether the threads had their cores to themselves, at the same time.
    pub(crate) was_side_by_side: bool,
    /// Whether there were more threads than cores for them, on purpose.
    pub(crate) is_crowded: bool,
}

impl Turn {
    /// Million operations a second.
    #[must_use]
    pub(crate) fn mops(&self) -> f64 {
        self.ops as f64 / self.wall.as_secs_f64().max(1e-9) / 1e6
    }

    fn of(ran: Ran<Part>) -> Self {
        let (was_side_by_side, parts) = (ran.was_side_by_side(), ran.results);
        Self {
            wall: ran.wall,
            ops: parts.iter().map(|part| part.ops).sum(),
            was_side_by_side,
            is_crowded: ran.is_crowded,
            tallies: parts.iter().map(|part| part.tally).collect(),
            samples: parts
                .iter()
                .flat_map(|part| &part.samples)
                .copied()
                .collect(),
            counted: parts
                .into_iter()
                .map(|part| (part.ops, part.counted))
                .collect(),
        }
    }
}

/// What one thread did.
struct Part {
    ops: u64,
    tally: Tally,
    samples: Vec<u64>,
    counted: Vec<(Role, Value)>,
}

/// How often an operation is timed by itself. A prime: it meets every place in a batch.
pub(crate) const SAMPLE_EVERY: usize = 17;

/// All of it on the calling thread, one stream after the other, off the clock.
pub(crate) fn in_turn<S, E>(store: &E, streams: &[S]) -> Vec<Tally>
where
    S: Stream,
    E: Store<S::Key>,
{
    streams
        .iter()
        .enumerate()
        .map(|(thread, stream)| {
            drive::<S, _, false>(&mut store.worker(thread), stream, &mut Vec::new())
        })
        .collect()
}

/// Runs one stream on each thread, all at once, each pinned to a core if there are enough.
///
/// `worker` is called by each thread, with its number, before the clock starts; `crowd` is on how few cores to crowd them instead.
pub(crate) fn turn<S, W>(
    worker: impl Fn(usize) -> W + Sync,
    streams: &[S],
    crowd: Option<usize>,
    how: How<'_>,
) -> Turn
where
    S: Stream,
    W: Worker<S::Key>,
{
    let crew = Crew::new(streams.len(), crowd);
    let prepare = |thread: usize| {
        let stream = &streams[thread];
        let mut worker = worker(thread);
        warm_up(&mut worker, stream);
        let room = match how {
            How::Sampled => stream.len() / SAMPLE_EVERY + 1,
            How::Timed | How::Counted(..) => 0,
        };
        let counters = match how {
            How::Counted(counting, group) => Some(counting.open(group, &Kernel)),
            How::Timed | How::Sampled => None,
        };
        (stream, worker, Vec::with_capacity(room), counters)
    };
    let ran = crew.run(prepare, |(stream, worker, samples, counters)| {
        let timed = |worker, samples| drive::<S, _, false>(worker, stream, samples);
        let (tally, counted) = match (how, counters) {
            (How::Sampled, _) => (drive::<S, _, true>(worker, stream, samples), Vec::new()),
            (_, Some(counters)) => counters.count(|| timed(worker, samples)),
            (_, None) => (timed(worker, samples), Vec::new()),
        };
        Part {
            ops: stream.len() as u64,
            tally,
            samples: core::mem::take(samples),
            counted,
        }
    });
    Turn::of(ran)
}

/// One look-up, so that what a map sets up for a new thread is set up before the clock starts.
fn warm_up<S: Stream, W: Worker<S::Key>>(worker: &mut W, stream: &S) {
    if stream.len() > 0 {
        core::hint::black_box(worker.batch().get(stream.at(0).1.borrow()));
    }
}

/// The timed loop. Single operations are not timed where many are done in one call. Timed operations include what the end of a batch costs the next operation.
fn drive<S, W, const SAMPLED: bool>(worker: &mut W, stream: &S, samples: &mut Vec<u64>) -> Tally
where
    S: Stream,
    W: Worker<S::Key>,
{
    if let Some(tally) = worker.groups(stream) {
        return tally;
    }
    let mut tally = Tally::default();
    let ticks = Ticks::get();
    let mut batch = worker.batch();
    let mut until_sample = SAMPLE_EVERY;
    for index in 0..stream.len() {
        let mut started = None;
        if SAMPLED {
            until_sample -= 1;
            if until_sample == 0 {
                until_sample = SAMPLE_EVERY;
                started = Some(ticks.now());
            }
        }
        if index % BATCH == 0 && index > 0 {
            drop(batch);
            batch = worker.batch();
        }
        step(&mut batch, stream, index, &mut tally);
        if SAMPLED && let Some(started) = started {
            samples.push(ticks.now().saturating_sub(started));
        }
    }
    tally
}

/// One operation.
#[inline(always)]
pub(crate) fn step<S, B>(batch: &mut B, stream: &S, index: usize, tally: &mut Tally)
where
    S: Stream,
    B: Batch<S::Key>,
{
    let (kind, key) = stream.at(index);
    let key = key.borrow();
    match kind {
        Kind::Get => {
            if let Some(value) = batch.get(key) {
                tally.hits += 1;
                tally.sum = tally.sum.wrapping_add(value);
            }
        }
        Kind::Put => tally.fresh += u64::from(batch.put(key, stream.value(index))),
        Kind::Del => tally.gone += u64::from(batch.del(key)),
        Kind::Add => batch.add(key),
        Kind::Load => match batch.get(key) {
            Some(value) => {
                tally.hits += 1;
                tally.sum = tally.sum.wrapping_add(value);
                tally.due = tally.due.wrapping_add(stream.value(index));
            }
            None => tally.fresh += u64::from(batch.put(key, stream.value(index))),
        },
    }
}
