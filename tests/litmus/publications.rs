//! The programs of the article's table: what one thread wrote in plain memory is read by another that has
//! seen a sign, whatever the sign is.
//!
//! That the read is no race is half of what these rows say, and Miri and loom watch it.

use super::cells::{Cells, Row, Seen};
#[cfg(any(loom, miri))]
use super::programs::Relaxed;
use super::programs::{Orders, ReleaseAcquire, SeqCst, both_missed, sign_without_data, two_orders};
use super::world::{Arc, Ordering, fence, mpsc, thread};
use crate::World::{Loom, Miri};

/// Preemptions of an execution that loom tries, where it would take minutes to try them all.
const FEW: Option<usize> = Some(2);

/// The rows.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = signs();
    rows.extend(maps());
    rows.push(Row::allowed(
        "counter: increment, sum",
        &[count, sum],
        sign_without_data,
        &[Miri, Loom],
    ));
    rows
}

/// A row that breaks the rule: a sign that orders nothing. Its behaviour is undefined, so that only
/// who reports a race may run it.
#[cfg(any(loom, miri))]
pub(crate) fn race() -> Row {
    Row::allowed(
        "plain data, a relaxed flag",
        &[flag_set::<Relaxed>, flag_seen::<Relaxed>],
        sign_without_data,
        &[Miri, Loom],
    )
}

fn signs() -> Vec<Row> {
    vec![
        Row::forbidden(
            "flag: release, acquire",
            &[flag_set::<ReleaseAcquire>, flag_seen::<ReleaseAcquire>],
            sign_without_data,
        ),
        Row::forbidden(
            "volatile: a SeqCst flag",
            &[flag_set::<SeqCst>, flag_seen::<SeqCst>],
            sign_without_data,
        ),
        Row::forbidden(
            "lock: unlock, lock",
            &[lock_and_set, lock_and_look],
            sign_without_data,
        ),
        Row::forbidden("thread: start", &[before_start], sign_without_data),
        Row::forbidden("thread: end, join", &[after_join], sign_without_data),
        Row::forbidden(
            "channel: send, receive",
            &[after_receive],
            sign_without_data,
        ),
    ]
}

/// On a map that has its first table, but for the last row: what makes the table would be a sign too.
fn maps() -> Vec<Row> {
    let mut rows = vec![
        Row::forbidden("map: insert, get", &[insert, get], sign_without_data),
        Row::forbidden(
            "map: insert, the value that remove returns",
            &[insert, remove],
            sign_without_data,
        ),
        Row::forbidden(
            "map: insert, the value that insert replaces",
            &[insert, replace],
            sign_without_data,
        ),
        Row::forbidden(
            "map: insert, get, insert, get (WRC)",
            &[insert, pass_on, get_passed_on],
            sign_without_data,
        ),
        Row {
            not_on_x86_64: true,
            ..Row::allowed(
                "map: SB by insert and get",
                &[insert_and_miss::<0>, insert_and_miss::<1>],
                both_missed,
                &[Miri, Loom],
            )
        },
        Row::forbidden(
            "map: SB by insert, SeqCst fence, get",
            &[insert_fence_and_miss::<0>, insert_fence_and_miss::<1>],
            both_missed,
        ),
        Row {
            not_on_x86_64: true,
            ..Row::allowed(
                "map: IRIW by insert and get",
                &[
                    insert_one::<0>,
                    insert_one::<1>,
                    get_both::<0, 1>,
                    get_both::<1, 0>,
                ],
                two_orders,
                &[Loom],
            )
        },
    ];
    for row in &mut rows {
        row.setup = make_table;
        row.preemptions = if row.threads.len() > 3 { Some(0) } else { FEW };
    }
    rows.push(Row {
        setup: has_key,
        preemptions: FEW,
        ..Row::forbidden(
            "map: insert in place of a value, get",
            &[insert, get_new],
            sign_without_data,
        )
    });
    rows.push(Row {
        setup: has_key,
        ..Row::allowed(
            "map: remove, a get that finds nothing",
            &[remove_after_write, miss],
            sign_without_data,
            &[Loom],
        )
    });
    rows.push(Row {
        preemptions: FEW,
        ..Row::forbidden(
            "map: the first insert, get",
            &[insert, get],
            sign_without_data,
        )
    });
    rows
}

/// Makes a map's first table, once for all rounds.
fn make_table(cells: &Cells) {
    if cells.map().is_empty() {
        cells.map().pin().insert(u64::MAX, 0);
    }
}

fn has_key(cells: &Cells) {
    cells.map().pin().insert(cells.keys[0], 0);
}

fn flag_set<O: Orders>(cells: &Arc<Cells>) -> Seen {
    cells.write();
    cells.store(1, O::STORE);
    [0, 0]
}

fn flag_seen<O: Orders>(cells: &Arc<Cells>) -> Seen {
    let sign = cells.load(1, O::LOAD) != 0;
    cells.read_if(sign)
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
    cells.map().pin().insert(cells.keys[0], 1);
    [0, 0]
}

fn get(cells: &Arc<Cells>) -> Seen {
    let sign = cells.map().pin().get(&cells.keys[0]).is_some();
    cells.read_if(sign)
}

fn get_new(cells: &Arc<Cells>) -> Seen {
    let sign = cells.map().pin().get(&cells.keys[0]) == Some(&1);
    cells.read_if(sign)
}

fn remove(cells: &Arc<Cells>) -> Seen {
    let sign = cells.map().pin().remove(&cells.keys[0]).is_some();
    cells.read_if(sign)
}

fn replace(cells: &Arc<Cells>) -> Seen {
    let sign = cells.map().pin().insert(cells.keys[0], 2).is_some();
    cells.read_if(sign)
}

fn pass_on(cells: &Arc<Cells>) -> Seen {
    let map = cells.map().pin();
    if map.get(&cells.keys[0]).is_some() {
        map.insert(cells.keys[1], 1);
    }
    [0, 0]
}

fn get_passed_on(cells: &Arc<Cells>) -> Seen {
    let sign = cells.map().pin().get(&cells.keys[1]).is_some();
    cells.read_if(sign)
}

fn insert_and_miss<const ME: usize>(cells: &Arc<Cells>) -> Seen {
    let map = cells.map().pin();
    map.insert(cells.keys[ME], 1);
    let has_other = map.get(&cells.keys[1 - ME]).is_some();
    [usize::from(has_other), 0]
}

fn insert_fence_and_miss<const ME: usize>(cells: &Arc<Cells>) -> Seen {
    let map = cells.map().pin();
    map.insert(cells.keys[ME], 1);
    fence(Ordering::SeqCst);
    let has_other = map.get(&cells.keys[1 - ME]).is_some();
    [usize::from(has_other), 0]
}

fn insert_one<const WHICH: usize>(cells: &Arc<Cells>) -> Seen {
    cells.map().pin().insert(cells.keys[WHICH], 1);
    [0, 0]
}

fn get_both<const FIRST: usize, const SECOND: usize>(cells: &Arc<Cells>) -> Seen {
    let map = cells.map().pin();
    [FIRST, SECOND].map(|which| usize::from(map.get(&cells.keys[which]).is_some()))
}

fn remove_after_write(cells: &Arc<Cells>) -> Seen {
    cells.write_relaxed();
    cells.map().pin().remove(&cells.keys[0]);
    [0, 0]
}

fn miss(cells: &Arc<Cells>) -> Seen {
    cells.read_relaxed_if(cells.map().pin().get(&cells.keys[0]).is_none())
}

fn count(cells: &Arc<Cells>) -> Seen {
    cells.write_relaxed();
    cells.counter.increment();
    [0, 0]
}

fn sum(cells: &Arc<Cells>) -> Seen {
    cells.read_relaxed_if(cells.counter.sum() > 0)
}
