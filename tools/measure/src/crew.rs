//! Threads that do their parts at the same time, and the witnesses that they did.
//!
//! Two threads that the system runs one after the other share nothing, whatever they write to. So a run says how much
//! of it all threads were in, and how long one of them stood in the run queue.

use core::hint::spin_loop;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use core_affinity::CoreId;
use std::time::Instant;

/// Where threads run.
#[derive(Clone, Debug)]
pub struct Crew {
    threads: usize,
    cores: Vec<CoreId>,
    is_pinned: bool,
    is_crowded: bool,
}

impl Crew {
    /// So many threads, each on a core of its own if there are enough; with `crowd`, crowded on so many.
    #[must_use]
    pub fn new(threads: usize, crowd: Option<usize>) -> Self {
        let mut cores = core_affinity::get_core_ids().unwrap_or_default();
        cores.truncate(crowd.unwrap_or(usize::MAX));
        let most = if cores.is_empty() {
            std::thread::available_parallelism().map_or(1, usize::from)
        } else {
            cores.len()
        };
        Self {
            threads,
            is_pinned: !cores.is_empty() && (crowd.is_some() || threads <= cores.len()),
            is_crowded: threads > most,
            cores,
        }
    }

    /// How many threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The core of a thread, if it is pinned.
    #[must_use]
    pub fn core(&self, thread: usize) -> Option<usize> {
        let core = self
            .is_pinned
            .then(|| self.cores.get(thread % self.cores.len()));
        core.flatten().map(|core| core.id)
    }

    /// Lets each thread prepare its part, then all do theirs at once; only that is timed.
    ///
    /// # Panics
    /// If a thread does.
    pub fn run<W, R: Send>(
        &self,
        prepare: impl Fn(usize) -> W + Sync,
        work: impl Fn(&mut W) -> R + Sync,
    ) -> Ran<R> {
        let arrived = AtomicUsize::new(0);
        let parts: Vec<Part<R>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads)
                .map(|thread| {
                    let (arrived, prepare, work) = (&arrived, &prepare, &work);
                    scope.spawn(move || {
                        if self.is_pinned {
                            core_affinity::set_for_current(self.cores[thread % self.cores.len()]);
                        }
                        let mut own = prepare(thread);
                        let waited = run_queue_wait();
                        wait_for(arrived, self.threads);
                        let start = Instant::now();
                        let result = work(&mut own);
                        let end = Instant::now();
                        let queued = run_queue_wait().zip(waited).map(|(now, then)| now - then);
                        Part {
                            start,
                            end,
                            result,
                            queued,
                        }
                    })
                })
                .collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, Part<R>>| {
                let joined = thread.join();
                joined.unwrap_or_else(|payload| std::panic::resume_unwind(payload))
            };
            threads.into_iter().map(join).collect()
        });
        Ran::of(parts, self.is_crowded)
    }
}

/// What one thread did.
struct Part<R> {
    start: Instant,
    end: Instant,
    result: R,
    queued: Option<Duration>,
}

/// What one run gave.
#[derive(Clone, Debug)]
pub struct Ran<R> {
    /// From the first thread's start to the last one's end.
    pub wall: Duration,
    /// By thread.
    pub results: Vec<R>,
    /// The longest that a thread stood in the run queue, as a share of `wall`; `None` if the
    /// kernel does not say.
    pub queued: Option<f64>,
    /// The share of `wall` in which all threads ran.
    pub overlap: f64,
    /// Whether there were more threads than cores for them.
    pub is_crowded: bool,
}

impl<R> Ran<R> {
    fn of(parts: Vec<Part<R>>, is_crowded: bool) -> Self {
        let now = Instant::now();
        let first_start = parts.iter().map(|part| part.start).min().unwrap_or(now);
        let last_start = parts.iter().map(|part| part.start).max().unwrap_or(now);
        let first_end = parts.iter().map(|part| part.end).min().unwrap_or(now);
        let last_end = parts.iter().map(|part| part.end).max().unwrap_or(now);
        let wall = last_end - first_start;
        let share = |time: Duration| time.as_secs_f64() / wall.as_secs_f64().max(1e-9);
        let queued: Option<Vec<Duration>> = parts.iter().map(|part| part.queued).collect();
        Self {
            wall,
            overlap: share(first_end.saturating_duration_since(last_start)),
            queued: queued.map(|queued| share(queued.into_iter().max().unwrap_or_default())),
            is_crowded,
            results: parts.into_iter().map(|part| part.result).collect(),
        }
    }

    /// Whether the threads ran side by side and had their cores to themselves: if not, the rate says something
    /// about the scheduler, not about what was measured.
    #[must_use]
    pub fn was_side_by_side(&self) -> bool {
        self.overlap >= 0.75 && self.queued.is_none_or(|queued| queued <= 0.05)
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
    let waited = stat.split_whitespace().nth(1)?.parse().ok();
    waited.map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::{Crew, Part, Ran};
    use core::time::Duration;
    use std::time::Instant;

    fn part(start: Instant, [from, to, queued]: [u64; 3]) -> Part<()> {
        Part {
            start: start + Duration::from_millis(from),
            end: start + Duration::from_millis(to),
            result: (),
            queued: Some(Duration::from_millis(queued)),
        }
    }

    #[test]
    fn threads_one_after_the_other_are_not_side_by_side() {
        let start = Instant::now();
        let ran = |parts: [[u64; 3]; 2]| Ran::of(parts.map(|of| part(start, of)).into(), false);
        let together = ran([[0, 100, 0], [5, 98, 1]]);
        assert!(together.was_side_by_side(), "{together:?}");
        assert_eq!(together.wall, Duration::from_millis(100));
        assert!(!ran([[0, 100, 0], [100, 200, 0]]).was_side_by_side());
        assert!(!ran([[0, 100, 0], [0, 100, 20]]).was_side_by_side());
    }

    #[test]
    fn each_thread_prepares_its_own_part() {
        let ran = Crew::new(3, None).run(|thread| thread * 10, |own| *own + 1);
        assert_eq!(ran.results, [1, 11, 21]);
    }

    #[test]
    fn a_crowd_is_known_as_one() {
        assert!(Crew::new(2, Some(1)).run(|_| (), |()| ()).is_crowded);
        assert!(!Crew::new(1, None).run(|_| (), |()| ()).is_crowded);
    }
}
