//! Operations on the whole map, recorded as what they say about each key.

use crate::history::{Fact, Op, Outcome, Recorder};
use crate::subject::Subject;
use std::collections::{HashMap, HashSet};

/// Iterates. A value that is yielded was there. A key that was there throughout, overwritten or not, is
/// yielded once; so one of `keys` that is not yielded, or more than once, was absent at some instant.
///
/// What is yielded counts if `is_recorded` says so of its key.
///
/// # Panics
/// If a value is yielded twice.
pub fn iterate<M: Subject>(
    map: &M,
    recorder: &mut Recorder<'_>,
    keys: impl IntoIterator<Item = u64>,
    is_recorded: impl Fn(u64) -> bool,
) {
    let start = recorder.now();
    let mut seen: HashMap<u64, Vec<u64>> = HashMap::new();
    map.each(&mut |key, value| {
        if is_recorded(key) {
            let values = seen.entry(key).or_default();
            assert!(
                !values.contains(&value),
                "{value} of key {key} iterated twice"
            );
            values.push(value);
            saw(recorder, key, Some(value), start);
        }
    });
    for key in keys {
        if seen.get(&key).map_or(0, Vec::len) != 1 {
            saw(recorder, key, None, start);
        }
    }
}

/// Retains what `is_kept` says of its value, of the keys that `is_recorded` names, and all of others. Each value asked
/// about was there, and each unwanted one is gone, by this call or by another. A key that goes and comes again
/// meanwhile may be asked about, and go, more than once; one of `keys` that is not asked about was absent at some instant.
pub fn retain<M: Subject>(
    map: &M,
    recorder: &mut Recorder<'_>,
    keys: impl IntoIterator<Item = u64>,
    is_recorded: impl Fn(u64) -> bool,
    is_kept: impl Fn(u64) -> bool,
) {
    let start = recorder.now();
    let mut asked = HashSet::new();
    let mut unwanted = Vec::new();
    map.retain(&mut |key, value| {
        if !is_recorded(key) {
            return true;
        }
        saw(recorder, key, Some(value), start);
        asked.insert(key);
        let is_kept = is_kept(value);
        if !is_kept {
            unwanted.push((key, value));
        }
        is_kept
    });
    for (key, value) in unwanted {
        recorder.push(key, Op::RemoveExactly(value), Fact::Unknown, start);
    }
    for key in keys {
        if !asked.contains(&key) {
            saw(recorder, key, None, start);
        }
    }
}

/// The key was in this state at some instant since `start`.
fn saw(recorder: &mut Recorder<'_>, key: u64, value: Option<u64>, start: u64) {
    recorder.push(key, Op::Get, Fact::Known(Outcome::Seen(value)), start);
}
