//! Maps that are wrong on purpose, each in one way, and the messages that catch them.
use crate::contest::{Pace, Samples, race};
use crate::engines::many::{Grouped, Many};
use crate::engines::{Batch, Entrant, Limit, Store, Words, Worker};
use crate::keys::Key;
use crate::mixes::{Dist, Mix, MixPlan, growth};
use crate::ops::{IntOps, Stream};
use crate::racer::{Racer, racers, runner};
use crate::run::How;
use crate::trace::parse;
use crate::work::Work;
use std::sync::Arc;

const LOSES_A_KEY: u8 = 0;
const COUNTS_TWICE: u8 = 1;
const FORGETS_AN_OVERWRITE: u8 = 2;
const KEEPS_THE_REMOVED: u8 = 3;
const HONEST: u8 = 4;

/// Those that bars have besides.
const IN_BARS: [Entrant; 3] = [Entrant::WordmapMany, Entrant::OneLine, Entrant::OneLineMany];

/// A correct map, with one fault in each run.
struct Broken<E, const FAULT: u8>(E);

struct BrokenWorker<W, const FAULT: u8>(W, u64);

struct BrokenBatch<'b, B, const FAULT: u8>(B, &'b mut u64);

impl<K: Key, E: Store<K>, const FAULT: u8> Store<K> for Broken<E, FAULT> {
    type Worker<'a>
        = BrokenWorker<E::Worker<'a>, FAULT>
    where
        Self: 'a;

    fn new(threads: usize) -> Self {
        Self(E::new(threads))
    }

    fn worker(&self, thread: usize) -> Self::Worker<'_> {
        BrokenWorker(self.0.worker(thread), 0)
    }

    fn each(&mut self, visit: impl FnMut(&K, u64)) {
        self.0.each(visit);
    }
}

impl<K: Key, W: Worker<K>, const FAULT: u8> Worker<K> for BrokenWorker<W, FAULT> {
    type Batch<'b>
        = BrokenBatch<'b, W::Batch<'b>, FAULT>
    where
        Self: 'b;

    fn batch(&mut self) -> Self::Batch<'_> {
        BrokenBatch(self.0.batch(), &mut self.1)
    }
}

impl<B, const FAULT: u8> BrokenBatch<'_, B, FAULT> {
    /// At the 300th chance in a run; some faults, which a later write can hide, again and again.
    fn strikes(&mut self, fault: u8) -> bool {
        *self.1 += u64::from(FAULT == fault);
        let strikes_again = fault == FORGETS_AN_OVERWRITE && self.1.is_multiple_of(10);
        FAULT == fault && (*self.1 == 300 || *self.1 > 300 && strikes_again)
    }
}

impl<K: Key, B: Batch<K>, const FAULT: u8> Batch<K> for BrokenBatch<'_, B, FAULT> {
    fn get(&mut self, key: &K::View) -> Option<u64> {
        self.0.get(key)
    }

    fn put(&mut self, key: &K::View, value: u64) -> bool {
        if self.strikes(LOSES_A_KEY) {
            // Says that it was new, and drops it.
            return self.0.get(key).is_none();
        }
        if self.0.get(key).is_some() && self.strikes(FORGETS_AN_OVERWRITE) {
            return false;
        }
        self.0.put(key, value)
    }

    fn del(&mut self, key: &K::View) -> bool {
        if self.0.get(key).is_some() && self.strikes(KEEPS_THE_REMOVED) {
            return true;
        }
        self.0.del(key)
    }

    fn add(&mut self, key: &K::View) {
        if self.strikes(COUNTS_TWICE) {
            self.0.add(key);
        }
        self.0.add(key);
    }
}

fn outcome<const FAULT: u8, S: Stream>(work: Work<S>) -> Result<(), String> {
    let work = Arc::new(work);
    let racer = runner::<S, Broken<Limit<S::Key>, FAULT>>(Entrant::Hashbrown, &work);
    all_runs(racer, work.runs.len())
}

/// The same with the map of words.
fn outcome_of_words<const FAULT: u8>(work: Work<IntOps>) -> Result<(), String> {
    let work = Arc::new(work);
    let racer = runner::<IntOps, Broken<Words, FAULT>>(Entrant::Wordmap, &work);
    all_runs(racer, work.runs.len())
}

fn all_runs(mut racer: Box<dyn Racer>, runs: usize) -> Result<(), String> {
    racer.prepare();
    for _ in 0..runs {
        racer.run(How::Timed).map_err(|error| error.to_string())?;
    }
    racer.finish().map_err(|error| error.to_string())
}

fn plan() -> MixPlan {
    MixPlan {
        mix: Mix::new(50, 30, 20),
        dist: Dist::Uniform,
        keys: 500,
        threads: 1,
        ops: 5000,
        runs: 2,
        crowd: None,
    }
}

fn token_trace() -> Work<crate::ops::TextOps> {
    let text: String = (0..3000).map(|n| format!("key{}\n", n % 77)).collect();
    parse(text.as_bytes(), "t").unwrap().work(1)
}

fn cache_trace() -> Work<crate::ops::TextOps> {
    let mut text = "op,key\n".to_owned();
    for n in 0..4000 {
        // Each key is looked up, and every fourth is removed again.
        text += &format!(
            "{},k{}\n",
            if n % 4 == 3 { "del" } else { "get" },
            n * 7 % 1999
        );
    }
    parse(text.as_bytes(), "t").unwrap().work(1)
}

#[test]
fn a_correct_map_passes() {
    assert_eq!(outcome::<HONEST, _>(plan().ints()), Ok(()));
    assert_eq!(outcome::<HONEST, _>(plan().texts()), Ok(()));
    assert_eq!(outcome::<HONEST, _>(token_trace()), Ok(()));
    assert_eq!(outcome::<HONEST, _>(cache_trace()), Ok(()));
    assert_eq!(outcome::<HONEST, _>(growth(3000, 1)), Ok(()));
}

#[test]
fn a_lost_key_is_caught() {
    let message = outcome::<LOSES_A_KEY, _>(plan().ints()).unwrap_err();
    assert!(message.starts_with("WRONG RESULT: hashbrown on 50/30/20 uniform over 500 keys"));
    assert!(outcome::<LOSES_A_KEY, _>(plan().texts()).is_err());
    let message = outcome::<LOSES_A_KEY, _>(growth(3000, 1)).unwrap_err();
    assert!(
        message.ends_with("the map holds 2999 entries; correct is 3000"),
        "{message}"
    );
    let message = outcome::<LOSES_A_KEY, _>(cache_trace()).unwrap_err();
    assert!(message.contains("WRONG RESULT"), "{message}");
}

#[test]
fn a_double_count_is_caught() {
    let message = outcome::<COUNTS_TWICE, _>(token_trace()).unwrap_err();
    assert!(message.ends_with("the map holds 77 entries, as it should, but some are wrong"));
}

#[test]
fn a_lost_overwrite_and_a_kept_removal_are_caught() {
    assert!(outcome::<FORGETS_AN_OVERWRITE, _>(plan().ints()).is_err());
    assert!(outcome::<KEEPS_THE_REMOVED, _>(plan().ints()).is_err());
    assert!(outcome::<KEEPS_THE_REMOVED, _>(cache_trace()).is_err());
}

#[test]
fn a_map_of_words_is_caught_as_any_other() {
    assert_eq!(outcome_of_words::<HONEST>(plan().ints()), Ok(()));
    let message = outcome_of_words::<LOSES_A_KEY>(plan().ints()).unwrap_err();
    assert!(message.starts_with("WRONG RESULT: WordMap on 50/30/20"));
    let message = outcome_of_words::<LOSES_A_KEY>(growth(3000, 1)).unwrap_err();
    assert!(message.ends_with("the map holds 2999 entries; correct is 3000"));
    assert!(outcome_of_words::<FORGETS_AN_OVERWRITE>(plan().ints()).is_err());
    assert!(outcome_of_words::<KEEPS_THE_REMOVED>(plan().ints()).is_err());
}

/// A map of words of which many keys at once are asked wrongly.
struct Hasty<const FAULT: u8>(Words);

#[derive(Clone, Copy)]
struct HastyHold<'a, const FAULT: u8>(&'a Words);

impl<const FAULT: u8> Store<u64> for Hasty<FAULT> {
    type Worker<'a> = Grouped<HastyHold<'a, FAULT>>;

    fn new(threads: usize) -> Self {
        Self(Words::new(threads))
    }

    fn worker(&self, _: usize) -> Self::Worker<'_> {
        Grouped(HastyHold(&self.0))
    }

    fn each(&mut self, visit: impl FnMut(&u64, u64)) {
        self.0.each(visit);
    }
}

impl<const FAULT: u8> Batch<u64> for HastyHold<'_, FAULT> {
    fn get(&mut self, key: &u64) -> Option<u64> {
        self.0.get(key)
    }

    fn put(&mut self, key: &u64, value: u64) -> bool {
        self.0.put(key, value)
    }

    fn del(&mut self, key: &u64) -> bool {
        self.0.del(key)
    }

    fn add(&mut self, key: &u64) {
        self.0.add(key);
    }
}

impl<const FAULT: u8> Many for HastyHold<'_, FAULT> {
    fn get_many(&mut self, keys: &[u64], values: &mut [Option<u64>]) {
        self.0.get_many(keys, values);
    }

    fn put_many(&mut self, entries: &[(u64, u64)], old: &mut [Option<u64>]) {
        // The last one of a group is said to be new, and dropped.
        let done = entries.len() - usize::from(FAULT == LOSES_A_KEY);
        self.0.put_many(&entries[..done], &mut old[..done]);
        old[done..].fill(None);
    }

    fn del_many(&mut self, keys: &[u64], old: &mut [Option<u64>]) {
        self.0.del_many(keys, old);
        if FAULT == KEEPS_THE_REMOVED {
            for (key, old) in keys.iter().zip(old) {
                if let Some(value) = old {
                    self.0.put(key, *value);
                }
            }
        }
    }
}

fn outcome_of_many<const FAULT: u8>(work: Work<IntOps>) -> Result<(), String> {
    let work = Arc::new(work);
    let racer = runner::<IntOps, Hasty<FAULT>>(Entrant::WordmapMany, &work);
    all_runs(racer, work.runs.len())
}

#[test]
fn many_keys_at_once_are_checked_one_by_one() {
    assert_eq!(outcome_of_many::<HONEST>(plan().ints()), Ok(()));
    assert_eq!(outcome_of_many::<HONEST>(growth(3000, 1)), Ok(()));
    let message = outcome_of_many::<LOSES_A_KEY>(growth(3000, 1)).unwrap_err();
    // Groups of 256.
    assert!(
        message.ends_with("the map holds 2988 entries; correct is 3000"),
        "{message}"
    );
    assert!(outcome_of_many::<LOSES_A_KEY>(plan().ints()).is_err());
    assert!(outcome_of_many::<KEEPS_THE_REMOVED>(plan().ints()).is_err());
}

#[test]
fn text_keys_have_no_map_of_words() {
    assert_eq!(
        racers(&[Entrant::Wordmap], &Arc::new(plan().ints())).len(),
        1
    );
    assert!(racers(&[Entrant::Wordmap], &Arc::new(plan().texts())).is_empty());
    assert!(racers(&[Entrant::Wordmap], &Arc::new(token_trace())).is_empty());
}

#[test]
fn every_map_passes_everything() {
    for threads in [1, 2, 3] {
        let work = MixPlan { threads, ..plan() };
        let mut all = racers(&Entrant::ALL, &Arc::new(work.ints()));
        all.extend(racers(&IN_BARS, &Arc::new(work.ints())));
        all.extend(racers(&Entrant::ALL, &Arc::new(work.texts())));
        let zipf = MixPlan {
            dist: Dist::Zipf,
            ..work
        };
        all.extend(racers(&Entrant::ALL, &Arc::new(zipf.ints())));
        all.extend(racers(&Entrant::ALL, &Arc::new(growth(20_000, threads))));
        all.extend(racers(&IN_BARS, &Arc::new(growth(20_000, threads))));
        for racer in &mut all {
            racer.prepare();
            while racer
                .run(How::Timed)
                .unwrap()
                .is_some_and(|turn| turn.ops < 20_000)
            {}
            racer.finish().unwrap();
        }
    }
}

#[test]
fn traces_come_out_right_on_shared_keys() {
    let shared = |entrant: &Entrant| *entrant != Entrant::Hashbrown;
    let entrants: Vec<Entrant> = Entrant::ALL.into_iter().filter(shared).collect();
    let text: String = (0..9000).map(|n| format!("key{}\n", n % 7)).collect();
    let trace = parse(text.as_bytes(), "t").unwrap();
    for racer in &mut racers(&entrants, &Arc::new(trace.work(3))) {
        racer.prepare();
        let turn = racer.run(How::Sampled).unwrap().unwrap();
        assert_eq!(turn.ops, 9000);
        assert_eq!(turn.samples.len(), 3 * (3000 / crate::run::SAMPLE_EVERY));
    }
}

#[test]
fn a_map_that_takes_too_much_leaves_and_the_race_goes_on() {
    let work = Arc::new(plan().ints());
    let pace = |most_bytes| Pace {
        rounds: 1,
        budget: None,
        samples: Samples::Never,
        is_counted: false,
        most_bytes,
    };
    let entrants = [Entrant::Shardmap, Entrant::Mutex64];
    let left = |most_bytes| {
        let lanes = race(racers(&entrants, &work), pace(most_bytes), &mut |_| {}).unwrap();
        lanes.into_iter().map(|lane| lane.left).collect::<Vec<_>>()
    };
    assert_eq!(left(u64::MAX), [None, None]);
    if crate::alloc::process_bytes() > 0 {
        let reasons = left(1);
        let told = |reason: &Option<String>| reason.as_ref().is_some_and(|r| r.contains("GiB"));
        assert!(reasons.iter().all(told), "{reasons:?}");
    }
}
