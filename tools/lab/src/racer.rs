//! One map on one workload: it is filled, run, checked and weighed.
use crate::alloc;
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
use std::sync::Arc;

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
        Entrant::Wordmap | Entrant::WordmapMany | Entrant::OneLine | Entrant::OneLineMany => {
            return K::<S>::words(entrant, work);
        }
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
        let turn = turn(|thread| store.worker(thread), streams, self.work.crowd, how);
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
        let (mut store, held) = alloc::growth(E::COUNTED, || {
            let store = E::new(self.work.threads);
            in_turn(&store, streams);
            store
        });
        let mut entries = 0_u32;
        store.each(|_, _| entries += 1);
        self.bytes_per_entry = held.map(|held| held as f64 / f64::from(entries.max(1)));
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
        let (store, held) = alloc::growth(E::COUNTED, || {
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
        self.bytes_per_entry = held.map(|held| held as f64 / f64::from(entries.max(1)));
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
                let turn = turn(|thread| store.worker(thread), streams, work.crowd, how);
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
