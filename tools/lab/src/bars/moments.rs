//! Bytes held per entry at every moment of the growth, and after shrinking: pages that the process has.
//!
//! A map that keeps the old table beside the new one while it moves, or makes a table of twice the size at once, is at
//! its worst between the sizes that one would ask for. And a map that gives pages back and keeps their addresses is
//! seen by its pages alone; so they are counted, of all maps alike.
use super::memory::bar;
use super::{Bar, Effort};
use crate::alloc;
use crate::engines::{Batch as _, Dash, Mutex64, PapayaPin, SccMap, Store, Words, Worker as _};

/// Of the bars.
pub(super) const NAME: &str = "memory, WordMap";

/// Where the growth is looked at from, and where it ends: an octave, in which every table doubles once.
const FROM: u32 = 8_000_000;
const TO: u32 = 16_000_000;
/// How often it is looked at.
const LOOKS: u32 = 256;
/// Sizes that are told.
const SIZES: usize = 5;
/// The most bytes an entry.
const MOST: f64 = 34.0;
/// One entry in so many is left when the map is shrunk.
const LEFT: u32 = 16;

/// What a growth has shown.
struct Growth<E> {
    store: E,
    /// Pages of the process before it, in bytes.
    before: i64,
    /// The most bytes an entry, and with how many entries.
    worst: (f64, u32),
    /// At the sizes that are told.
    sizes: [f64; SIZES],
}

/// Grows all maps.
pub(super) fn measure(effort: Effort, _: &[&str]) -> Vec<Bar> {
    let [from, to] = [FROM, TO].map(|size| size / effort.divisor);
    let case = format!("memory, every moment from {from} to {to} entries, u64 to u64");
    let asks = format!("WordMap worst <= {MOST} bytes per entry");
    let left = to / LEFT;
    let case_left = format!("memory, {to} entries, then {left} and shrunk, u64 to u64");
    let asks_left = format!("WordMap <= {MOST} bytes per entry left");
    let Some(ours) = grown::<Words>(from, to) else {
        let why = "the system does not say how many pages the process has";
        let unmeasured = |case: &str, asks: &str| Bar::unmeasured(case, asks, why.to_owned());
        return vec![unmeasured(&case, &asks), unmeasured(&case_left, &asks_left)];
    };
    let shrunk = shrunk(&ours, left, to);
    drop(ours.store);
    let theirs = [
        ("papaya", worst::<PapayaPin<u64>>(from, to)),
        ("dashmap", worst::<Dash<u64>>(from, to)),
        ("scc::HashMap", worst::<SccMap<u64>>(from, to)),
        ("64 x Mutex", worst::<Mutex64<u64>>(from, to)),
    ];
    let theirs = theirs.map(|(name, worst)| format!("{name} {worst:.1}"));
    let told = ours.sizes.map(|bytes| format!("{bytes:.1}")).join(", ");
    let (worst, at) = ours.worst;
    let told = format!("{told} on the way; worst at {at}");
    let at_first = format!("{:.1} before", ours.sizes[SIZES - 1]);
    vec![
        bar(&case, &asks, worst, MOST, theirs.join(", "), &told),
        bar(
            &case_left,
            &asks_left,
            shrunk,
            MOST,
            String::new(),
            &at_first,
        ),
    ]
}

fn worst<E: Store<u64>>(from: u32, to: u32) -> f64 {
    grown::<E>(from, to).map_or(0.0, |growth| growth.worst.0)
}

/// A map of `to` entries, looked at [`LOOKS`] times since it had `from`; `None` where pages cannot be counted.
fn grown<E: Store<u64>>(from: u32, to: u32) -> Option<Growth<E>> {
    // What a thread sets up on its first use of a map is the thread's.
    E::new(1).worker(0).batch().put(&0, 0);
    alloc::give_back_what_is_free();
    let before = alloc::pages_bytes()?;
    let store = E::new(1);
    let mut worst = (0.0, 0);
    let mut sizes = [0.0; SIZES];
    let mut worker = store.worker(0);
    let step = ((to - from) / LOOKS).max(1);
    for entries in 1..=to {
        worker.batch().put(&u64::from(entries), u64::from(entries));
        let since = entries.wrapping_sub(from);
        if entries < from || !since.is_multiple_of(step) && entries < to {
            continue;
        }
        let held = (alloc::pages_bytes()? - before) as f64 / f64::from(entries);
        if held > worst.0 {
            worst = (held, entries);
        }
        // The last look at or before each of them stays.
        let place = f64::from(since) / f64::from(to - from) * (SIZES - 1) as f64;
        sizes[usize::try_from(crate::num::floor_u32(place)).unwrap_or(0)] = held;
    }
    drop(worker);
    Some(Growth {
        store,
        before,
        worst,
        sizes,
    })
}

/// Removes all but `left` entries, shrinks, and returns the bytes held for each that is left.
fn shrunk(grown: &Growth<Words>, left: u32, to: u32) -> f64 {
    let mut worker = grown.store.worker(0);
    for key in left + 1..=to {
        worker.batch().del(&u64::from(key));
    }
    grown.store.shrink();
    let held = alloc::pages_bytes().unwrap_or(0) - grown.before;
    held as f64 / f64::from(left.max(1))
}
