//! One run: threads, a common start, the timed loop, and what each thread counted.
use crate::clock::Ticks;
use crate::engines::{BATCH, Batch, Store, Worker};
use crate::ops::{Kind, Stream};
use core::borrow::Borrow as _;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use std::time::Instant;

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
    /// The longest that a thread stood in the run queue, as a share of `wall`; `None` if the
    /// kernel does not say.
    pub(crate) queued: Option<f64>,
    /// The share of `wall` in which all threads ran.
    pub(crate) overlap: f64,
    /// Whether there were more threads than cores for them, on purpose.
    pub(crate) is_crowded: bool,
}

impl Turn {
    /// Million operations a second.
    #[must_use]
    pub(crate) fn mops(&self) -> f64 {
        self.ops as f64 / self.wall.as_secs_f64().max(1e-9) / 1e6
    }

    /// Whether the threads ran side by side and had their cores to themselves: if not, the rate says something about the
    /// scheduler, not about the map.
    #[must_use]
    pub(crate) fn was_side_by_side(&self) -> bool {
        self.overlap >= 0.75 && self.queued.is_none_or(|queued| queued <= 0.05)
    }
}

/// How often an operation is timed by itself. A prime: it meets every place in a batch.
pub(crate) const SAMPLE_EVERY: usize = 17;

struct Part {
    start: Instant,
    end: Instant,
    tally: Tally,
    samples: Vec<u64>,
    queued: Option<Duration>,
}

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
/// `crowd` is on how few cores to crowd them instead.
pub(crate) fn turn<S, E>(store: &E, streams: &[S], crowd: Option<usize>, sampled: bool) -> Turn
where
    S: Stream,
    E: Store<S::Key>,
{
    let mut cores = core_affinity::get_core_ids().unwrap_or_default();
    cores.truncate(crowd.unwrap_or(usize::MAX));
    let is_crowded = streams.len()
        > if cores.is_empty() {
            std::thread::available_parallelism().map_or(1, usize::from)
        } else {
            cores.len()
        };
    let is_pinned = !cores.is_empty() && (crowd.is_some() || streams.len() <= cores.len());
    let arrived = AtomicUsize::new(0);
    let parts: Vec<Part> = std::thread::scope(|scope| {
        let threads: Vec<_> = streams
            .iter()
            .enumerate()
            .map(|(thread, stream)| {
                let (arrived, cores) = (&arrived, &cores);
                scope.spawn(move || {
                    if is_pinned {
                        core_affinity::set_for_current(cores[thread % cores.len()]);
                    }
                    let mut worker = store.worker(thread);
                    warm_up(&mut worker, stream);
                    let room = if sampled {
                        stream.len() / SAMPLE_EVERY + 1
                    } else {
                        0
                    };
                    let mut samples = Vec::with_capacity(room);
                    let waited = run_queue_wait();
                    wait_for(arrived, streams.len());
                    let start = Instant::now();
                    let tally = if sampled {
                        drive::<S, _, true>(&mut worker, stream, &mut samples)
                    } else {
                        drive::<S, _, false>(&mut worker, stream, &mut samples)
                    };
                    let end = Instant::now();
                    let queued = run_queue_wait().zip(waited).map(|(now, then)| now - then);
                    Part {
                        start,
                        end,
                        tally,
                        samples,
                        queued,
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(panic_on))
            .collect()
    });
    let ops = streams.iter().map(|stream| stream.len() as u64).sum();
    summed(parts, ops, is_crowded)
}

fn panic_on(payload: Box<dyn core::any::Any + Send>) -> Part {
    std::panic::resume_unwind(payload)
}

fn summed(parts: Vec<Part>, ops: u64, is_crowded: bool) -> Turn {
    let now = Instant::now();
    let first_start = parts.iter().map(|part| part.start).min().unwrap_or(now);
    let last_start = parts.iter().map(|part| part.start).max().unwrap_or(now);
    let first_end = parts.iter().map(|part| part.end).min().unwrap_or(now);
    let last_end = parts.iter().map(|part| part.end).max().unwrap_or(now);
    let wall = last_end - first_start;
    let share = |time: Duration| time.as_secs_f64() / wall.as_secs_f64().max(1e-9);
    let queued: Option<Vec<Duration>> = parts.iter().map(|part| part.queued).collect();
    Turn {
        wall,
        ops,
        overlap: share(first_end.saturating_duration_since(last_start)),
        queued: queued.map(|queued| share(queued.into_iter().max().unwrap_or_default())),
        tallies: parts.iter().map(|part| part.tally).collect(),
        is_crowded,
        samples: parts.into_iter().flat_map(|part| part.samples).collect(),
    }
}

/// One look-up, so that what a map sets up for a new thread is set up before the clock starts.
fn warm_up<S: Stream, W: Worker<S::Key>>(worker: &mut W, stream: &S) {
    if stream.len() > 0 {
        core::hint::black_box(worker.batch().get(stream.at(0).1.borrow()));
    }
}

/// Waits until all threads are here. Relaxed: it only counts, nothing is published through it.
fn wait_for(arrived: &AtomicUsize, threads: usize) {
    arrived.fetch_add(1, Relaxed);
    let mut spins = 0_u32;
    while arrived.load(Relaxed) < threads {
        spins += 1;
        if spins < 10_000 {
            spin_loop();
        } else {
            std::thread::yield_now();
        }
    }
}

/// How long this thread has been runnable without running, by the kernel's account.
fn run_queue_wait() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split_whitespace()
        .nth(1)?
        .parse()
        .ok()
        .map(Duration::from_nanos)
}

/// The timed loop. Timed operations include what the end of a batch costs the next operation.
fn drive<S, W, const SAMPLED: bool>(worker: &mut W, stream: &S, samples: &mut Vec<u64>) -> Tally
where
    S: Stream,
    W: Worker<S::Key>,
{
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

#[inline(always)]
fn step<S, B>(batch: &mut B, stream: &S, index: usize, tally: &mut Tally)
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
