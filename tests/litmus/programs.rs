//! The programs: who stores and loads what, and which outcome is weak.

use super::world::{Arc, AtomicUsize, Mutex, Ordering, fence, mpsc, thread};
use crate::{Expect, Expected};
use atomshard::sys::{heavy_barrier, light_barrier};
use atomshard::{Padded, ShardCounter, ShardMap};
use core::sync::atomic::compiler_fence;
use evidence::hashers::Identity;

/// What a thread of a program has seen.
pub(crate) type Seen = [usize; 2];
/// A thread of a program.
pub(crate) type Thread = fn(&Arc<Cells>) -> Seen;

/// What the rounds of a batch share.
pub(crate) struct Shared {
    map: ShardMap<u64, u64, Identity>,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            map: ShardMap::with_hasher(Identity),
        }
    }
}

/// The memory of one round.
pub(crate) struct Cells {
    at: [Padded<AtomicUsize>; 2],
    locked: Mutex<bool>,
    counter: ShardCounter,
    shared: Arc<Shared>,
    key: u64,
}

impl Cells {
    pub(crate) fn new(shared: Arc<Shared>, key: u64) -> Self {
        Self {
            at: [0, 0].map(|zero| Padded::new(AtomicUsize::new(zero))),
            locked: Mutex::new(false),
            counter: ShardCounter::new(),
            shared,
            key,
        }
    }

    fn map(&self) -> &ShardMap<u64, u64, Identity> {
        &self.shared.map
    }

    fn store(&self, cell: usize, ordering: Ordering) {
        self.at[cell].store(1, ordering);
    }

    fn load(&self, cell: usize, ordering: Ordering) -> usize {
        self.at[cell].load(ordering)
    }

    /// Writes what another thread may see later.
    fn write(&self) {
        self.store(0, Ordering::Relaxed);
    }

    /// Says whether the other thread's sign was seen, and what is read then.
    fn read_if(&self, sign: bool) -> Seen {
        if sign {
            [1, self.load(0, Ordering::Relaxed)]
        } else {
            [0, 0]
        }
    }
}

/// A program.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) threads: &'static [Thread],
    pub(crate) setup: fn(&Cells),
    /// Whether what the threads saw is the weak outcome.
    pub(crate) weak: fn(&[Seen]) -> bool,
    pub(crate) expected: Expected,
}

/// How the accesses of a program are ordered.
trait Orders {
    const STORE: Ordering;
    const LOAD: Ordering;
    /// Between two accesses of one of the two sides.
    fn between(_side: usize) {}
}

struct Relaxed;
impl Orders for Relaxed {
    const STORE: Ordering = Ordering::Relaxed;
    const LOAD: Ordering = Ordering::Relaxed;
}

struct ReleaseAcquire;
impl Orders for ReleaseAcquire {
    const STORE: Ordering = Ordering::Release;
    const LOAD: Ordering = Ordering::Acquire;
}

struct SeqCst;
impl Orders for SeqCst {
    const STORE: Ordering = Ordering::SeqCst;
    const LOAD: Ordering = Ordering::SeqCst;
}

struct Fences;
impl Orders for Fences {
    const STORE: Ordering = Ordering::Relaxed;
    const LOAD: Ordering = Ordering::Relaxed;
    fn between(_side: usize) {
        fence(Ordering::SeqCst);
    }
}

/// The barriers of `src/sys/barrier.rs`, one on each side.
struct LightHeavy;
impl Orders for LightHeavy {
    const STORE: Ordering = Ordering::Relaxed;
    const LOAD: Ordering = Ordering::Relaxed;
    fn between(side: usize) {
        if side == 0 {
            light_barrier();
        } else {
            heavy_barrier().expect("nothing forbids the barrier");
        }
    }
}

/// The same without the heavy side.
struct LightAlone;
impl Orders for LightAlone {
    const STORE: Ordering = Ordering::Relaxed;
    const LOAD: Ordering = Ordering::Relaxed;
    fn between(side: usize) {
        if side == 0 {
            light_barrier();
        } else {
            compiler_fence(Ordering::SeqCst);
        }
    }
}

fn store_buffering<O: Orders, const ME: usize>(cells: &Arc<Cells>) -> Seen {
    cells.store(ME, O::STORE);
    O::between(ME);
    [cells.load(1 - ME, O::LOAD), 0]
}

fn load_buffering<O: Orders, const ME: usize>(cells: &Arc<Cells>) -> Seen {
    let seen = cells.load(1 - ME, O::LOAD);
    cells.store(ME, O::STORE);
    [seen, 0]
}

fn send<O: Orders>(cells: &Arc<Cells>) -> Seen {
    cells.write();
    cells.store(1, O::STORE);
    [0, 0]
}

fn receive<O: Orders>(cells: &Arc<Cells>) -> Seen {
    let sign = cells.load(1, O::LOAD) != 0;
    cells.read_if(sign)
}

fn write<O: Orders, const CELL: usize>(cells: &Arc<Cells>) -> Seen {
    cells.store(CELL, O::STORE);
    [0, 0]
}

fn read_both<O: Orders, const FIRST: usize, const SECOND: usize>(cells: &Arc<Cells>) -> Seen {
    [cells.load(FIRST, O::LOAD), cells.load(SECOND, O::LOAD)]
}

/// Both missed the other's store.
fn both_missed(seen: &[Seen]) -> bool {
    seen[0][0] == 0 && seen[1][0] == 0
}

/// Both loaded what the other stored after its own load.
fn both_foresaw(seen: &[Seen]) -> bool {
    seen[0][0] == 1 && seen[1][0] == 1
}

/// The last thread saw the sign, or the later value, and then what was there before.
fn sign_without_data(seen: &[Seen]) -> bool {
    seen.last() == Some(&[1, 0])
}

/// The readers saw the two writes in different orders.
fn two_orders(seen: &[Seen]) -> bool {
    seen[2] == [1, 0] && seen[3] == [1, 0]
}

fn nothing(_: &Cells) {}

const FORBIDDEN: Expected = Expected {
    x86_64: Expect::Never,
    miri: Expect::Never,
    loom: Expect::Never,
};

fn row(
    name: &'static str,
    threads: &'static [Thread],
    weak: fn(&[Seen]) -> bool,
    expected: Expected,
) -> Row {
    Row {
        name,
        threads,
        setup: nothing,
        weak,
        expected,
    }
}

fn allowed(x86_64: Expect, miri: Expect, loom: Expect) -> Expected {
    Expected { x86_64, miri, loom }
}

/// Every row, those on plain cells first.
pub(crate) fn rows() -> Vec<Row> {
    use Expect::{Gap, Seen, Unseen};
    let seq_cst_in_loom = Expected {
        loom: Gap,
        ..FORBIDDEN
    };
    let mut rows = vec![
        row(
            "MP relaxed",
            &[send::<Relaxed>, receive::<Relaxed>],
            sign_without_data,
            allowed(Unseen, Seen, Seen),
        ),
        row(
            "MP release, acquire",
            &[send::<ReleaseAcquire>, receive::<ReleaseAcquire>],
            sign_without_data,
            FORBIDDEN,
        ),
        row(
            "MP SeqCst",
            &[send::<SeqCst>, receive::<SeqCst>],
            sign_without_data,
            FORBIDDEN,
        ),
        row(
            "SB relaxed",
            &[store_buffering::<Relaxed, 0>, store_buffering::<Relaxed, 1>],
            both_missed,
            allowed(Seen, Seen, Seen),
        ),
        row(
            "SB release, acquire",
            &[
                store_buffering::<ReleaseAcquire, 0>,
                store_buffering::<ReleaseAcquire, 1>,
            ],
            both_missed,
            allowed(Seen, Seen, Seen),
        ),
        row(
            "SB SeqCst",
            &[store_buffering::<SeqCst, 0>, store_buffering::<SeqCst, 1>],
            both_missed,
            seq_cst_in_loom,
        ),
        row(
            "SB relaxed, SeqCst fences",
            &[store_buffering::<Fences, 0>, store_buffering::<Fences, 1>],
            both_missed,
            FORBIDDEN,
        ),
        row(
            "SB light and heavy barrier (B1)",
            &[
                store_buffering::<LightHeavy, 0>,
                store_buffering::<LightHeavy, 1>,
            ],
            both_missed,
            FORBIDDEN,
        ),
        row(
            "SB light barrier alone",
            &[
                store_buffering::<LightAlone, 0>,
                store_buffering::<LightAlone, 1>,
            ],
            both_missed,
            allowed(Seen, Seen, Seen),
        ),
        row(
            "LB relaxed",
            &[load_buffering::<Relaxed, 0>, load_buffering::<Relaxed, 1>],
            both_foresaw,
            allowed(Unseen, Unseen, Unseen),
        ),
        row(
            "LB release, acquire",
            &[
                load_buffering::<ReleaseAcquire, 0>,
                load_buffering::<ReleaseAcquire, 1>,
            ],
            both_foresaw,
            FORBIDDEN,
        ),
        row(
            "CoRR relaxed",
            &[write::<Relaxed, 0>, read_both::<Relaxed, 0, 0>],
            sign_without_data,
            FORBIDDEN,
        ),
        row(
            "IRIW relaxed",
            &[
                write::<Relaxed, 0>,
                write::<Relaxed, 1>,
                read_both::<Relaxed, 0, 1>,
                read_both::<Relaxed, 1, 0>,
            ],
            two_orders,
            allowed(Unseen, Seen, Seen),
        ),
        row(
            "IRIW release, acquire",
            &[
                write::<ReleaseAcquire, 0>,
                write::<ReleaseAcquire, 1>,
                read_both::<ReleaseAcquire, 0, 1>,
                read_both::<ReleaseAcquire, 1, 0>,
            ],
            two_orders,
            allowed(Unseen, Seen, Seen),
        ),
        row(
            "IRIW SeqCst",
            &[
                write::<SeqCst, 0>,
                write::<SeqCst, 1>,
                read_both::<SeqCst, 0, 1>,
                read_both::<SeqCst, 1, 0>,
            ],
            two_orders,
            seq_cst_in_loom,
        ),
    ];
    rows.extend(publications());
    rows
}

/// Rows in which something else than a cell is the sign.
fn publications() -> Vec<Row> {
    use Expect::{Seen, Unseen};
    vec![
        row(
            "lock: unlock, lock",
            &[lock_and_set, lock_and_look],
            sign_without_data,
            FORBIDDEN,
        ),
        row(
            "thread: start",
            &[before_start],
            sign_without_data,
            FORBIDDEN,
        ),
        row(
            "thread: end, join",
            &[after_join],
            sign_without_data,
            FORBIDDEN,
        ),
        row(
            "channel: send, receive",
            &[after_receive],
            sign_without_data,
            FORBIDDEN,
        ),
        row(
            "map: insert, get",
            &[insert, get],
            sign_without_data,
            FORBIDDEN,
        ),
        row(
            "map: insert, the value that remove returns",
            &[insert, remove],
            sign_without_data,
            FORBIDDEN,
        ),
        row(
            "map: insert, the value that insert replaces",
            &[insert, replace],
            sign_without_data,
            FORBIDDEN,
        ),
        Row {
            setup: |cells| {
                cells.map().pin().insert(cells.key, 0);
            },
            ..row(
                "map: remove, a get that finds nothing",
                &[remove_after_write, miss],
                sign_without_data,
                allowed(Unseen, Unseen, Unseen),
            )
        },
        row(
            "counter: increment, sum",
            &[count, sum],
            sign_without_data,
            allowed(Unseen, Seen, Seen),
        ),
    ]
}

fn lock_and_set(cells: &Arc<Cells>) -> Seen {
    cells.write();
    *cells.locked.lock().expect("no thread panics") = true;
    [0, 0]
}

fn lock_and_look(cells: &Arc<Cells>) -> Seen {
    let sign = *cells.locked.lock().expect("no thread panics");
    cells.read_if(sign)
}

fn before_start(cells: &Arc<Cells>) -> Seen {
    cells.write();
    let child = Arc::clone(cells);
    let child = thread::spawn(move || child.read_if(true));
    child.join().expect("no thread panics")
}

fn after_join(cells: &Arc<Cells>) -> Seen {
    let child = Arc::clone(cells);
    let child = thread::spawn(move || child.write());
    child.join().expect("no thread panics");
    cells.read_if(true)
}

fn after_receive(cells: &Arc<Cells>) -> Seen {
    let (sender, receiver) = mpsc::channel();
    let child = Arc::clone(cells);
    let child = thread::spawn(move || {
        child.write();
        sender.send(()).expect("somebody receives");
    });
    receiver.recv().expect("somebody sends");
    let seen = cells.read_if(true);
    child.join().expect("no thread panics");
    seen
}

fn insert(cells: &Arc<Cells>) -> Seen {
    cells.write();
    cells.map().pin().insert(cells.key, 1);
    [0, 0]
}

fn get(cells: &Arc<Cells>) -> Seen {
    let sign = cells.map().pin().get(&cells.key).is_some();
    cells.read_if(sign)
}

fn remove(cells: &Arc<Cells>) -> Seen {
    let sign = cells.map().pin().remove(&cells.key).is_some();
    cells.read_if(sign)
}

fn replace(cells: &Arc<Cells>) -> Seen {
    let sign = cells.map().pin().insert(cells.key, 2).is_some();
    cells.read_if(sign)
}

fn remove_after_write(cells: &Arc<Cells>) -> Seen {
    cells.write();
    cells.map().pin().remove(&cells.key);
    [0, 0]
}

fn miss(cells: &Arc<Cells>) -> Seen {
    cells.read_if(cells.map().pin().get(&cells.key).is_none())
}

fn count(cells: &Arc<Cells>) -> Seen {
    cells.write();
    cells.counter.increment();
    [0, 0]
}

fn sum(cells: &Arc<Cells>) -> Seen {
    cells.read_if(cells.counter.sum() > 0)
}
