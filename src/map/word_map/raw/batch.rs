//! Many keys at once: the lines of the next keys are fetched while one key is looked at, so that their misses
//! overlap.

use super::RawWords;
use super::write::Change;
use crate::arch::{self, Access, Asking};
use crate::reclaim::LocalGuard;
use crate::table::pairs::{Line, rest, shard};

/// Keys whose lines are on their way: twice as many as a core keeps misses in flight.
const AHEAD: usize = 32;
/// So many keys before it is looked at, a line is there; then what is behind its link is asked for.
const BEHIND_AHEAD: usize = 8;

impl RawWords {
    /// Looks up `count` keys, under one guard; `found` is called with each number and value, in order.
    pub(crate) fn get_many(
        &self,
        count: usize,
        key: impl Fn(usize) -> u64,
        found: impl FnMut(usize, Option<u64>),
    ) {
        let guard = self.pin();
        match arch::whole() {
            Some(by) => self.get_many_by(count, key, found, by, &guard),
            None => self.get_many_by(count, key, found, Asking, &guard),
        }
    }

    fn get_many_by(
        &self,
        count: usize,
        key: impl Fn(usize) -> u64,
        mut found: impl FnMut(usize, Option<u64>),
        by: impl Access,
        guard: &LocalGuard<'_>,
    ) {
        let coming = |number| {
            let (mixed, line) = self.line_ahead(key(number));
            if let Some(line) = line {
                line.prefetch_read();
            }
            (mixed, line)
        };
        let arrived = |(mixed, line): Ahead<'_>| {
            if let Some(line) = line {
                line.prefetch_behind(rest(mixed), by);
            }
        };
        ahead(count, coming, arrived, |number, (mixed, line)| {
            let value = line.and_then(|line| self.get_in(line, mixed, by, guard));
            found(number, value);
        });
    }

    /// The mixed form of a key, and its line now.
    #[inline]
    fn line_ahead(&self, key: u64) -> Ahead<'_> {
        let mixed = self.mixer().mix(key);
        let table = self
            .directory()
            .and_then(|directory| directory.table(shard(mixed)));
        (mixed, table.map(|table| table.line_of(rest(mixed))))
    }

    /// Changes `count` keys, each as `decide` says, in order; under one guard. `changed` is called with each number and old value.
    pub(crate) fn change_many(
        &self,
        count: usize,
        key: impl Fn(usize) -> u64,
        decide: impl Fn(usize, Option<u64>) -> Change,
        changed: impl FnMut(usize, Option<u64>),
    ) {
        let guard = self.pin();
        match arch::whole() {
            Some(by) => self.change_many_by(count, key, decide, changed, by, &guard),
            None => self.change_many_by(count, key, decide, changed, Asking, &guard),
        }
    }

    fn change_many_by(
        &self,
        count: usize,
        key: impl Fn(usize) -> u64,
        decide: impl Fn(usize, Option<u64>) -> Change,
        mut changed: impl FnMut(usize, Option<u64>),
        by: impl Access,
        guard: &LocalGuard<'_>,
    ) {
        let coming = |number| {
            let (mixed, line) = self.line_ahead(key(number));
            if let Some(line) = line {
                line.prefetch_write();
            }
            (mixed, line)
        };
        let arrived = |(_, line): Ahead<'_>| {
            if let Some(line) = line {
                line.prefetch_link(by);
            }
        };
        ahead(count, coming, arrived, |number, (mixed, _)| {
            let decide = |old| decide(number, old);
            changed(number, self.change_mixed(mixed, decide, guard));
        });
    }
}

/// Where a key of a batch will be looked for.
type Ahead<'g> = (u64, Option<&'g Line>);

/// Calls `f` with each number below `count` and what `coming` made of it some numbers before, and `arrived` between.
#[inline(always)] // The closures become one loop.
fn ahead<'g>(
    count: usize,
    coming: impl Fn(usize) -> Ahead<'g>,
    arrived: impl Fn(Ahead<'g>),
    mut f: impl FnMut(usize, Ahead<'g>),
) {
    if count == 0 {
        return;
    }
    let mut ring = [coming(0); AHEAD];
    for (number, place) in ring.iter_mut().enumerate().take(count).skip(1) {
        *place = coming(number);
    }
    for number in 0..count {
        let now = ring[number % AHEAD];
        if number + AHEAD < count {
            ring[number % AHEAD] = coming(number + AHEAD);
        }
        arrived(ring[(number + BEHIND_AHEAD) % AHEAD]);
        f(number, now);
    }
}
