//! Accounts of long runs: every key and value that was made is dropped, none twice, and what waits to
//! be freed meanwhile is little.
//!
//! Each thread counts what it makes and drops, and adds up the stamps of both; the sums of all threads must
//! agree when the map has gone. A stamp is different for each object, so a leak and a second drop do not
//! make up for each other. An object dropped twice is also seen by its own mark, unless its memory was used again.

use atomshard::{Operation, ShardMap};
use core::borrow::Borrow;
use core::cell::Cell;
use core::hash::{Hash, Hasher};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use foldhash::fast::FixedState;
use hdrhistogram::Histogram;
use std::sync::{Barrier, Mutex};
use std::thread;

/// Threads of a run.
pub const THREADS: usize = 2;
/// What may wait for each thread while no guard is held longer than an operation.
pub const MOST_WAITING_BYTES: usize = 64 << 10;
/// Keys of a map that stays small, and of one that grows and shrinks.
const KEYS: [u64; 2] = [4096, 60_000];
/// Operations after which a thread goes from one number of keys to the other.
const TURN: u64 = 50_000;
/// Operations between two looks at what waits.
const LOOK: u64 = 64;
/// A thread that did fewer or more operations between two looks of the other one was stopped by the
/// system, or the other one was; perhaps with a guard. What goes unnoticed holds up some twenty removals.
const CALM: core::ops::RangeInclusive<u64> = LOOK / 2..=2 * LOOK;
/// What a thread adds to the count of its operations when it is about to hold a guard for longer.
const STOP: u64 = 1 << 20;
/// Looks without a stop after which whatever a stop has left was freed: the other thread has done a thousand
/// operations by then, which fill two batches.
const CALM_LOOKS: u32 = 32;

/// What was made and dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    made: u64,
    dropped: u64,
    /// Sum of the stamps made, less those dropped.
    stamps: u64,
    /// Drops of what was dropped already.
    twice: u64,
}

thread_local! {
    static SUMS: Cell<Sums> = const { Cell::new(Sums { made: 0, dropped: 0, stamps: 0, twice: 0 }) };
}

/// Adds up what this thread has made and dropped since it was asked last.
fn collect(sums: &Mutex<Sums>) {
    let mine = SUMS.take();
    let mut sums = sums.lock().expect("no panic under the lock");
    sums.made += mine.made;
    sums.dropped += mine.dropped;
    sums.stamps = sums.stamps.wrapping_add(mine.stamps);
    sums.twice += mine.twice;
}

/// An object that is counted.
#[derive(Debug)]
struct Counted {
    /// Different for each object; 0 when it was dropped. (An atomic, for the compiler leaves out a plain
    /// store to what goes.)
    stamp: AtomicU64,
}

impl Counted {
    fn new() -> Self {
        static THREADS: AtomicU64 = AtomicU64::new(1);
        thread_local!(static NEXT: Cell<u64> = Cell::new(THREADS.fetch_add(1, Relaxed) << 40));
        let stamp = NEXT.get();
        NEXT.set(stamp + 1);
        let mut sums = SUMS.get();
        sums.made += 1;
        sums.stamps = sums.stamps.wrapping_add(stamp);
        SUMS.set(sums);
        Self {
            stamp: AtomicU64::new(stamp),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let stamp = self.stamp.load(Relaxed);
        self.stamp.store(0, Relaxed);
        let mut sums = SUMS.get();
        sums.dropped += 1;
        sums.stamps = sums.stamps.wrapping_sub(stamp);
        sums.twice += u64::from(stamp == 0);
        SUMS.set(sums);
    }
}

struct Key {
    number: u64,
    _counted: Counted,
}

impl Key {
    fn new(number: u64) -> Self {
        let _counted = Counted::new();
        Self { number, _counted }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

impl Borrow<u64> for Key {
    fn borrow(&self) -> &u64 {
        &self.number
    }
}

/// A value of this size besides what it is counted by.
struct Value<const BYTES: usize> {
    _counted: Counted,
    bytes: [u8; BYTES],
}

impl<const BYTES: usize> Value<BYTES> {
    fn new() -> Self {
        Self {
            _counted: Counted::new(),
            bytes: [0; BYTES],
        }
    }
}

type Map<const BYTES: usize> = ShardMap<Key, Value<BYTES>, FixedState>;

/// An operation of a mix: of ten, seven look, two write and one removes.
fn operate<const BYTES: usize>(map: &Map<BYTES>, rng: &mut fastrand::Rng, keys: u64) {
    let number = rng.u64(0..keys);
    let (key, value) = (|| Key::new(number), Value::<BYTES>::new);
    match rng.u32(0..60) {
        0..30 => drop(map.pin().get(&number).is_some()),
        30..42 => drop(map.pin().contains_key(&number)),
        42..46 => drop(map.pin().insert(key(), value()).is_some()),
        46..48 => drop(map.pin().try_insert(key(), value()).is_ok()),
        48..50 => drop(map.pin().get_or_insert_with(key(), value).bytes[0]),
        50..52 => drop(map.pin().update(key(), |_| value()).is_some()),
        52..54 => drop(map.pin().compute(key(), |entry| match entry {
            Some(_) => Operation::<_, ()>::Remove,
            None => Operation::Insert(value()),
        })),
        54..58 => drop(map.pin().remove(&number).is_some()),
        _ => drop(map.pin().remove_if(&number, |_, _| true).is_ok()),
    }
}

/// What is done when the number of keys changes: tables grow and shrink, and the map is emptied.
fn turn<const BYTES: usize>(map: &Map<BYTES>, turn: u64) {
    let map = map.pin();
    match turn % 5 {
        0 => map.reserve(50_000),
        1 => map.retain(|key, _| key.number % 2 == 0),
        2 => map.shrink_to_fit(),
        3 => map.clear(),
        _ => drop(map.iter().map(|(key, _)| key.number).max()),
    }
}

/// What waited, by looks at it, in KiB.
struct Waiting(Histogram<u64>);

impl Waiting {
    fn new() -> Self {
        match Histogram::new_with_max(1 << 30, 3) {
            Ok(looks) => Self(looks),
            Err(_) => unreachable!("the bounds are constants within the crate's limits"),
        }
    }

    fn note(&mut self, bytes: usize) {
        self.0.saturating_record(bytes.div_ceil(1024) as u64);
    }

    /// The KiB that this share of the looks has not seen exceeded.
    fn kib(&self, share: f64) -> u64 {
        self.0.value_at_quantile(share)
    }
}

/// The account of a run that was in order.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    /// Keys and values that were made, and dropped.
    pub objects: u64,
    /// Looks at what waited while nobody was stopped, and in all.
    pub looks: [u64; 2],
    /// The most KiB of all threads that these looks found.
    pub most_kib: u64,
    /// What 99 % of all looks found at most, and the most.
    pub all_kib: [u64; 2],
}

/// Runs so many operations on a map whose values have so many bytes, and as many again as long as the
/// threads did not run side by side.
///
/// # Errors
/// What does not balance, how much waited, or that the threads never ran side by side.
///
/// # Panics
/// If a thread does.
pub fn run<const BYTES: usize>(operations: u64, seed: u64) -> Result<Account, String> {
    const TRIES: u64 = 20;
    let mut objects = 0;
    for number in 0..TRIES {
        let mut account = run_once::<BYTES>(operations, seed + number)?;
        objects += account.objects;
        account.objects = objects;
        if account.looks[0] != 0 {
            return Ok(account);
        }
    }
    Err(format!(
        "two threads never ran side by side, in {TRIES} tries"
    ))
}

/// Runs so many operations.
fn run_once<const BYTES: usize>(operations: u64, seed: u64) -> Result<Account, String> {
    let map = Map::<BYTES>::default();
    let sums = Mutex::new(Sums::default());
    SUMS.take();
    let done: [AtomicU64; THREADS] = Default::default();
    let waiting = Mutex::new([Waiting::new(), Waiting::new()]);
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (map, sums, done, waiting, start) = (&map, &sums, &done, &waiting, &start);
            scope.spawn(move || {
                let mut rng = fastrand::Rng::with_seed(seed.wrapping_add(number as u64));
                let other = &done[(number + 1) % THREADS];
                let mut seen = [Waiting::new(), Waiting::new()];
                let (mut last, mut calm) = (0, 0);
                start.wait();
                for step in 0..operations / THREADS as u64 {
                    let turns = step / TURN;
                    if step % TURN == TURN - 1 {
                        // Its guard stays for more than an operation: a stop, to the other thread.
                        done[number].store(step + (turns + 1) * STOP, Relaxed);
                        turn(map, turns + number as u64);
                        calm = 0;
                    }
                    operate(map, &mut rng, KEYS[(turns % 2) as usize]);
                    // Relaxed: says that the thread goes on, and nothing else.
                    done[number].store(step + (step + 1) / TURN * STOP, Relaxed);
                    if step % LOOK == 0 {
                        let now = other.load(Relaxed);
                        let is_calm = CALM.contains(&(now - last));
                        (last, calm) = (now, if is_calm { calm + 1 } else { 0 });
                        let bytes = map.retired_bytes();
                        seen[1].note(bytes);
                        if calm > CALM_LOOKS {
                            seen[0].note(bytes);
                        }
                    }
                }
                collect(sums);
                let mut waiting = waiting.lock().expect("no panic under the lock");
                for (sum, more) in waiting.iter_mut().zip(&seen) {
                    // Same bounds, so it cannot fail.
                    sum.0 += &more.0;
                }
            });
        }
    });
    drop(map);
    collect(&sums);
    let sums = sums.into_inner().expect("no panic under the lock");
    let [judged, all] = waiting.into_inner().expect("no panic under the lock");
    if sums.made != sums.dropped || sums.stamps != 0 || sums.twice != 0 {
        return Err(format!("made and dropped do not balance: {sums:?}"));
    }
    let account = Account {
        objects: sums.made,
        looks: [judged.0.len(), all.0.len()],
        most_kib: judged.kib(1.0),
        all_kib: [all.kib(0.99), all.kib(1.0)],
    };
    if account.most_kib > (THREADS * MOST_WAITING_BYTES / 1024) as u64 {
        return Err(format!("too much waits to be freed: {account:?}"));
    }
    Ok(account)
}

#[cfg(test)]
mod tests {
    use super::{Counted, Key, SUMS, Sums, Value, Waiting, run};

    #[test]
    fn a_run_balances() {
        let account = run::<8>(200_000, 1).expect("the account balances");
        assert!(account.objects > 50_000, "{account:?}");
    }

    #[test]
    fn what_is_leaked_is_in_the_sums() {
        SUMS.take();
        drop((Key::new(1), Value::<8>::new()));
        assert_eq!((SUMS.get().made, SUMS.take().stamps), (2, 0));
        core::mem::forget(Counted::new());
        drop(Counted::new());
        let Sums {
            made,
            dropped,
            stamps,
            ..
        } = SUMS.take();
        assert_eq!((made, dropped), (2, 1));
        assert_ne!(stamps, 0);
    }

    #[test]
    fn a_second_drop_is_seen_by_the_mark_of_the_first() {
        let mut object = Counted::new();
        *object.stamp.get_mut() = 0;
        SUMS.take();
        drop(object);
        assert_eq!(SUMS.take().twice, 1);
    }

    #[test]
    fn shares_of_looks_are_in_kib() {
        let mut waiting = Waiting::new();
        assert_eq!(waiting.kib(1.0), 0);
        (0..99).for_each(|_| waiting.note(1024));
        waiting.note(5000);
        assert_eq!(
            (waiting.kib(0.99), waiting.kib(0.991), waiting.kib(1.0)),
            (1, 5, 5)
        );
    }
}
