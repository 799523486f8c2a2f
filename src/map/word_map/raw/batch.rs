//! Many keys at once: the lines of the next keys are fetched while one key is looked at, so that their misses
//! overlap.

use super::RawWords;
use super::write::Change;
use crate::table::pairs::{Line, rest, shard};

/// Keys whose lines are on their way: as many as a core keeps misses in flight, or a little more.
const AHEAD: usize = 16;

impl RawWords {
    /// Looks up `count` keys; `found` is called with each number and value, in order.
    pub(crate) fn get_many(
        &self,
        count: usize,
        key: impl Fn(usize) -> u64,
        mut found: impl FnMut(usize, Option<u64>),
    ) {
        self.ahead(count, key, Line::prefetch_read, |number, mixed| {
            found(number, self.get_mixed(mixed));
        });
    }

    /// Changes `count` keys, each as `decide` says, in order; under one guard. `changed` is called with each number and old value.
    pub(crate) fn change_many(
        &self,
        count: usize,
        key: impl Fn(usize) -> u64,
        decide: impl Fn(usize, Option<u64>) -> Change,
        mut changed: impl FnMut(usize, Option<u64>),
    ) {
        let guard = self.pin();
        self.ahead(count, key, Line::prefetch_write, |number, mixed| {
            let decide = |old| decide(number, old);
            changed(number, self.change_mixed(mixed, decide, &guard));
        });
    }

    /// Calls `f` with the number and the mixed form of each key, some time after `prefetch` with its line.
    #[inline(always)] // The three closures become one loop.
    fn ahead(
        &self,
        count: usize,
        key: impl Fn(usize) -> u64,
        prefetch: fn(&Line),
        mut f: impl FnMut(usize, u64),
    ) {
        let coming = |number| {
            let mixed = self.mixer().mix(key(number));
            let table = self
                .directory()
                .and_then(|directory| directory.table(shard(mixed)));
            if let Some(table) = table {
                prefetch(table.line_of(rest(mixed)));
            }
            mixed
        };
        let mut ring = [0; AHEAD];
        for (number, place) in ring.iter_mut().enumerate().take(count) {
            *place = coming(number);
        }
        for number in 0..count {
            let place = &mut ring[number % AHEAD];
            let mixed = *place;
            if number + AHEAD < count {
                *place = coming(number + AHEAD);
            }
            f(number, mixed);
        }
    }
}
