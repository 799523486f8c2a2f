//! A workload ready to run, and what a correct map must show after it.
use crate::engines::{Store, hasher};
use crate::keys::Key;
use crate::ops::Stream;
use crate::run::Tally;
use core::hash::BuildHasher as _;
use std::collections::{HashMap, HashSet};

/// Shows each entry of a thread's share of the first content, with its value.
pub(crate) type Fill<K> = Box<dyn Fn(usize, &mut dyn FnMut(&<K as Key>::View, u64)) + Send + Sync>;

/// A workload: the first content, then runs of one stream per thread.
pub(crate) struct Work<S: Stream> {
    /// For messages.
    pub(crate) name: String,
    pub(crate) threads: usize,
    /// On how few cores to crowd the threads, if that is the point.
    pub(crate) crowd: Option<usize>,
    /// The content before the first run; `None` if every run starts with an empty map.
    pub(crate) fill: Option<Fill<S::Key>>,
    /// `runs[run][thread]`. With `fill` they follow one another on one map and end when they
    /// are used up; without, they are repeated.
    pub(crate) runs: Vec<Vec<S>>,
    /// What must be true after each of them.
    pub(crate) expected: Vec<Expected>,
    /// Whether the content is read and checked at the end as well.
    pub(crate) is_read: bool,
}

/// The content of a map in two numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) entries: u64,
    /// The wrapping sum of [`print_of`] over all entries: it does not depend on their order.
    pub(crate) print: u64,
}

impl Content {
    pub(crate) fn add<V: core::hash::Hash + ?Sized>(&mut self, key: &V, value: u64) {
        self.entries = self.entries.wrapping_add(1);
        self.print = self.print.wrapping_add(print_of(key, value));
    }

    pub(crate) fn take<V: core::hash::Hash + ?Sized>(&mut self, key: &V, value: u64) {
        self.entries = self.entries.wrapping_sub(1);
        self.print = self.print.wrapping_sub(print_of(key, value));
    }
}

/// A fingerprint of one entry.
fn print_of<V: core::hash::Hash + ?Sized>(key: &V, value: u64) -> u64 {
    hasher().hash_one((hasher().hash_one(key), value))
}

/// What must be true after a run.
#[derive(Debug)]
pub(crate) enum Expected {
    /// Each thread had keys of its own: every count and the content are known.
    Exact {
        tallies: Vec<Tally>,
        content: Content,
    },
    /// The threads added to shared counts: the totals are known, whatever the order.
    Totals { content: Content },
    /// The threads shared a cache whose values are their keys' lengths: what is put and not
    /// removed is there, once, with the right value; what was never removed is there.
    Cache {
        loads: u64,
        known: HashSet<String>,
        kept: HashSet<String>,
    },
}

impl Expected {
    /// Checks what the threads counted.
    pub(crate) fn check_tallies(&self, found: &[Tally]) -> Result<(), String> {
        match self {
            Self::Exact { tallies, .. } => {
                for (thread, (found, due)) in found.iter().zip(tallies).enumerate() {
                    if found != due {
                        return Err(format!(
                            "thread {thread} counted hits {}, sum of values {:#x}, new {}, \
                             removed {}; correct is {}, {:#x}, {}, {}",
                            found.hits,
                            found.sum,
                            found.fresh,
                            found.gone,
                            due.hits,
                            due.sum,
                            due.fresh,
                            due.gone
                        ));
                    }
                }
            }
            Self::Totals { .. } => {}
            Self::Cache { loads, known, .. } => {
                let total = |part: fn(&Tally) -> u64| found.iter().map(part).sum::<u64>();
                if found.iter().any(|tally| tally.sum != tally.due) {
                    return Err("a look-up found the value of another key".to_owned());
                }
                let (hits, fresh) = (total(|t| t.hits), total(|t| t.fresh));
                if hits > *loads || fresh < known.len() as u64 {
                    return Err(format!(
                        "{hits} hits in {loads} look-ups and {fresh} insertions; there are {} \
                         different keys, each of which is absent at first",
                        known.len()
                    ));
                }
            }
        }
        Ok(())
    }

    /// Checks what the map holds, given what the threads counted last.
    pub(crate) fn check_content<K: Key, E: Store<K>>(
        &self,
        store: &mut E,
        found: &[Tally],
    ) -> Result<(), String> {
        match self {
            Self::Exact { content: due, .. } | Self::Totals { content: due } => {
                let mut content = Content::default();
                store.each(|key, value| content.add::<K::View>(key.borrow(), value));
                if content.entries != due.entries {
                    return Err(format!(
                        "the map holds {} entries; correct is {}",
                        content.entries, due.entries
                    ));
                }
                if content.print != due.print {
                    return Err(format!(
                        "the map holds {} entries, as it should, but some are wrong",
                        due.entries
                    ));
                }
                Ok(())
            }
            Self::Cache { known, kept, .. } => check_cache(store, found, known, kept),
        }
    }
}

fn check_cache<K: Key, E: Store<K>>(
    store: &mut E,
    found: &[Tally],
    known: &HashSet<String>,
    kept: &HashSet<String>,
) -> Result<(), String> {
    let mut times: HashMap<u64, u64> = HashMap::new();
    let mut entries = 0_u64;
    store.each(|key, value| {
        entries += 1;
        let view: &K::View = key.borrow();
        *times.entry(print_of(view, value)).or_default() += 1;
    });
    let print = |key: &String| print_of(key.as_str(), key.len() as u64);
    let right: u64 = known
        .iter()
        .map(|key| times.get(&print(key)).copied().unwrap_or(0))
        .sum();
    if right != entries {
        return Err(format!(
            "{} of {entries} entries were never put",
            entries - right
        ));
    }
    if let Some(twice) = known
        .iter()
        .find(|key| times.get(&print(key)).is_some_and(|n| *n > 1))
    {
        return Err(format!("the key {twice:?} is there more than once"));
    }
    if let Some(lost) = kept.iter().find(|key| !times.contains_key(&print(key))) {
        return Err(format!(
            "the key {lost:?} was put, never removed, and is not there"
        ));
    }
    let fresh: u64 = found.iter().map(|tally| tally.fresh).sum();
    let gone: u64 = found.iter().map(|tally| tally.gone).sum();
    if fresh.wrapping_sub(gone) != entries {
        return Err(format!(
            "{fresh} keys were inserted and {gone} removed, but the map holds {entries} entries"
        ));
    }
    Ok(())
}
