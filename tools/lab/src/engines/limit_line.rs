//! One random line for each key: what is left of a map of words when it does nothing else.
//!
//! The limit of the rows of `WordMap`: a hash, and one word of one line in a table of as many bytes as `WordMap`'s
//! would have; one key after the other, or with the lines of the next keys on their way. Both, and the
//! table's size, were fixed before the map was tuned. It holds nothing, so it is checked in its own way: each look-up must
//! have read its line.
//!
//! # Invariants
//! - I1. Nothing here depends on the memory's content: hints and advice change how it is fetched and backed.
#![expect(unsafe_code, reason = "advice to the processor and to the kernel")]
use super::many::{Grouped, Many};
use super::{Batch, Entrant, Worker};
use crate::error::LabError;
use crate::ops::{Kind, Stream};
use crate::racer::Racer;
use crate::run::{How, Tally, Turn, turn};
use crate::work::Work;
use baselines::OneLine;
use baselines::one_line::Line;
use core::borrow::Borrow as _;
use std::sync::Arc;

/// Bytes of table for a key: a line for two.
const BYTES_PER_KEY: usize = 32;

/// Lines that are on their way, where many keys are asked for at once.
const AHEAD: usize = 16;

/// One of the two rows on one workload.
struct LineRacer<S: Stream> {
    entrant: Entrant,
    work: Arc<Work<S>>,
    table: OneLine,
    runs: usize,
}

/// The row of `entrant`: one key after the other, or many at once.
pub(crate) fn line_racer<S>(entrant: Entrant, work: &Arc<Work<S>>) -> Box<dyn Racer>
where
    S: Stream<Key = u64>,
{
    Box::new(LineRacer {
        entrant,
        work: Arc::clone(work),
        table: OneLine::new(1),
        runs: 0,
    })
}

impl<S: Stream<Key = u64>> LineRacer<S> {
    /// What a thread must count that has read every line.
    fn due(&self, stream: &S) -> Tally {
        let mut tally = Tally::default();
        for index in 0..stream.len() {
            let (kind, key) = stream.at(index);
            match kind {
                Kind::Get | Kind::Load => {
                    let key: &u64 = key.borrow();
                    tally.hits += 1;
                    tally.sum = tally.sum.wrapping_add(self.table.number(*key) as u64);
                    if kind == Kind::Load {
                        tally.due = tally.due.wrapping_add(stream.value(index));
                    }
                }
                Kind::Put | Kind::Del | Kind::Add => {}
            }
        }
        tally
    }
}

impl<S: Stream<Key = u64>> Racer for LineRacer<S> {
    fn entrant(&self) -> Entrant {
        self.entrant
    }

    fn prepare(&mut self) {
        let mut keys = 0_usize;
        match &self.work.fill {
            Some(fill) => {
                for thread in 0..self.work.threads {
                    fill(thread, &mut |_, _| keys += 1);
                }
            }
            None => keys = self.work.runs[0].iter().map(S::len).sum(),
        }
        let lines = keys * BYTES_PER_KEY / size_of::<Line>();
        let mut memory = Vec::with_capacity(lines.max(1));
        advise_huge(&mut memory);
        self.table = OneLine::within(memory, lines);
    }

    fn run(&mut self, how: How<'_>) -> Result<Option<Turn>, LabError> {
        let streams = match (&self.work.fill, self.work.runs.len()) {
            (None, count) => &self.work.runs[self.runs % count],
            (Some(_), count) if self.runs < count => &self.work.runs[self.runs],
            _ => return Ok(None),
        };
        let crowd = self.work.crowd;
        let turn = match self.entrant {
            Entrant::OneLineMany => turn(|_| Grouped(&self.table), streams, crowd, how),
            _ => turn(|_| &self.table, streams, crowd, how),
        };
        self.runs += 1;
        for (stream, found) in streams.iter().zip(&turn.tallies) {
            let due = self.due(stream);
            if *found != due {
                return Err(LabError::Wrong {
                    map: self.entrant.label().to_owned(),
                    work: self.work.name.clone(),
                    what: format!("counted {found:?}; correct is {due:?}"),
                });
            }
        }
        Ok(Some(turn))
    }

    fn finish(&mut self) -> Result<(), LabError> {
        Ok(())
    }

    fn bytes_per_entry(&self) -> Option<f64> {
        Some(BYTES_PER_KEY as f64)
    }
}

impl Worker<u64> for &OneLine {
    type Batch<'b>
        = Self
    where
        Self: 'b;

    #[inline]
    fn batch(&mut self) -> Self {
        self
    }
}

impl Batch<u64> for &OneLine {
    #[inline]
    fn get(&mut self, key: &u64) -> Option<u64> {
        Some(self.line(*key).number())
    }

    #[inline]
    fn put(&mut self, key: &u64, value: u64) -> bool {
        self.line(*key).write(value);
        false
    }

    #[inline]
    fn del(&mut self, key: &u64) -> bool {
        self.line(*key).write(0);
        false
    }

    #[inline]
    fn add(&mut self, key: &u64) {
        self.line(*key).write(1);
    }
}

/// Calls `f` with each number and its line, some time after the line has been asked for.
#[inline(always)] // With its closures it is one loop.
fn ahead(
    table: &OneLine,
    count: usize,
    key: impl Fn(usize) -> u64,
    mut f: impl FnMut(usize, &Line),
) {
    let coming = |number| {
        let line = table.line(key(number));
        prefetch(line);
        line
    };
    let mut ring: [Option<&Line>; AHEAD] =
        core::array::from_fn(|number| (number < count).then(|| coming(number)));
    for number in 0..count {
        let place = &mut ring[number % AHEAD];
        let Some(line) = *place else { return };
        if number + AHEAD < count {
            *place = Some(coming(number + AHEAD));
        }
        f(number, line);
    }
}

impl Many for &OneLine {
    #[inline]
    fn get_many(&mut self, keys: &[u64], values: &mut [Option<u64>]) {
        ahead(
            self,
            keys.len(),
            |number| keys[number],
            |number, line| {
                values[number] = Some(line.number());
            },
        );
    }

    #[inline]
    fn put_many(&mut self, entries: &[(u64, u64)], old: &mut [Option<u64>]) {
        ahead(
            self,
            entries.len(),
            |number| entries[number].0,
            |number, line| {
                line.write(entries[number].1);
                old[number] = Some(0);
            },
        );
    }

    #[inline]
    fn del_many(&mut self, keys: &[u64], old: &mut [Option<u64>]) {
        ahead(
            self,
            keys.len(),
            |number| keys[number],
            |number, line| {
                line.write(0);
                old[number] = None;
            },
        );
    }
}

/// Says that the line will be read soon.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn prefetch(line: &Line) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: I1: SSE is part of x86-64, and the hint touches nothing.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(line).cast()) };
}

/// As above.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn prefetch(line: &Line) {
    let line = core::ptr::from_ref(line);
    // SAFETY: I1: the hint touches nothing.
    unsafe {
        core::arch::asm!("prfm pldl1keep, [{line}]", line = in(reg) line, options(nostack, readonly, preserves_flags));
    }
}

/// Nothing can be said here; the row is then the one without.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn prefetch(_: &Line) {}

/// Asks for huge pages, as `WordMap` does for its tables.
#[cfg(target_os = "linux")]
fn advise_huge(memory: &mut Vec<Line>) {
    const PAGE_BYTES: usize = 4096;
    let room = memory.spare_capacity_mut();
    let bytes = size_of_val(room);
    let before = room.as_ptr().addr().wrapping_neg() % PAGE_BYTES;
    if bytes < before + PAGE_BYTES {
        return;
    }
    let start = room.as_mut_ptr().wrapping_byte_add(before);
    // SAFETY: I1: whole pages of memory that is this vector's; the advice changes how the kernel backs them, not what is
    // in them. If it is refused, the pages are small ones.
    unsafe { libc::madvise(start.cast(), bytes - before, libc::MADV_HUGEPAGE) };
}

/// Nobody to ask.
#[cfg(not(target_os = "linux"))]
fn advise_huge(_: &mut Vec<Line>) {}
