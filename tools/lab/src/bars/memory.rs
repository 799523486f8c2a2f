//! Bytes held per entry: counted, not timed, so there is no interval.
use super::{Bar, Effort};
use crate::alloc::{self, By};
use crate::engines::{
    Batch as _, Dash, Mutex64, PapayaPin, SccMap, ShardMapPin, Store, Worker as _,
};
use measure::stats::Interval;

/// Of the bars.
pub(super) const NAME: &str = "memory, ShardMap";

/// Measures them all.
pub(super) fn measure(effort: Effort, _: &[&str]) -> Vec<Bar> {
    let sizes = [8, 10, 12, 14, 16].map(|millions| millions * 1_000_000 / effort.divisor);
    let ours = sizes.map(per_entry::<ShardMapPin<u64>>);
    let theirs = [
        ("papaya", sizes.map(per_entry::<PapayaPin<u64>>)),
        ("dashmap", sizes.map(per_entry::<Dash<u64>>)),
        ("scc::HashMap", sizes.map(per_entry::<SccMap<u64>>)),
        ("64 x Mutex", sizes.map(per_entry::<Mutex64<u64>>)),
    ];
    let case = format!(
        "memory, {} entries, u64 to u64",
        sizes.map(|n| n.to_string()).join(", ")
    );
    let mean = |bytes: &[f64; 5]| bytes.iter().sum::<f64>() / 5.0;
    let worst = |bytes: &[f64; 5]| bytes.iter().copied().fold(0.0, f64::max);
    let line = |fold: &dyn Fn(&[f64; 5]) -> f64| {
        let all = theirs
            .iter()
            .map(|(name, bytes)| format!("{name} {:.1}", fold(bytes)));
        all.collect::<Vec<_>>().join(", ")
    };
    let all = ours.map(|bytes| format!("{bytes:.1}")).join(", ");
    let all = format!("each: {all}");
    let small = |entries: u32| {
        let held = held_by::<ShardMapPin<u64>>(entries);
        [
            held_by::<PapayaPin<u64>>(entries),
            held_by::<Dash<u64>>(entries),
            held,
        ]
    };
    let [papaya_0, dash_0, empty] = small(0);
    let [papaya_16, dash_16, few] = small(16).map(|bytes| bytes / 16.0);
    let [papaya_1000, dash_1000, some] = small(1000).map(|bytes| bytes / 1000.0);
    let rivals = |papaya: f64, dash: f64| format!("papaya {papaya:.1}, dashmap {dash:.1}");
    vec![
        bar(
            &case,
            "mean <= 48 bytes per entry",
            mean(&ours),
            48.0,
            line(&mean),
            &all,
        ),
        bar(
            &case,
            "worst <= 60 bytes per entry",
            worst(&ours),
            60.0,
            line(&worst),
            &all,
        ),
        // Less than 256.
        bar(
            "memory, empty map",
            "< 256 bytes",
            empty,
            255.0,
            rivals(papaya_0, dash_0),
            "",
        ),
        bar(
            "memory, 16 entries",
            "<= 100 bytes per entry",
            few,
            100.0,
            rivals(papaya_16, dash_16),
            "",
        ),
        bar(
            "memory, 1000 entries",
            "<= 64 bytes per entry",
            some,
            64.0,
            rivals(papaya_1000, dash_1000),
            "",
        ),
    ]
}

pub(super) fn bar(case: &str, asks: &str, found: f64, most: f64, theirs: String, all: &str) -> Bar {
    let found = Interval::exact(found);
    let all = if all.is_empty() {
        String::new()
    } else {
        format!(" ({all})")
    };
    Bar {
        case: case.to_owned(),
        asks: asks.to_owned(),
        ours: format!("{:.1} bytes{all}", found.estimate),
        theirs,
        found: Some(found),
        rests_on: "counted",
        verdict: Some(found.at_most(most)),
        why_not: None,
    }
}

fn per_entry<E: Store<u64>>(entries: u32) -> f64 {
    held_by::<E>(entries) / f64::from(entries)
}

/// Bytes held for a map of so many entries, grown from empty; the map itself on the stack
/// counts too.
fn held_by<E: Store<u64>>(entries: u32) -> f64 {
    // What a thread sets up on its first use of a map is the thread's.
    fill(&E::new(1), 1);
    let (store, held) = alloc::growth(By::Blocks, || {
        let store = E::new(1);
        fill(&store, entries);
        store
    });
    drop(store);
    // Blocks are always counted.
    held.unwrap_or(0) as f64 + size_of::<E>() as f64
}

fn fill<E: Store<u64>>(store: &E, entries: u32) {
    let mut worker = store.worker(0);
    for key in 0..u64::from(entries) {
        worker.batch().put(&key, key);
    }
}
