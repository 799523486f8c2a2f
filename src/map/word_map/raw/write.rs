//! Every write: read the pair of a key, let the caller decide, make one exchange.
//!
//! Replacing linearizes at the exchange of the slot from the old pair to the new one, removing at the exchange to
//! vacant; both are from the exact pair that was read, so the old value handed out is the one that was there. An
//! insert linearizes at the exchange of the line's first empty slot.
//!
//! Why by one exchange: an empty slot does not come back in a table, so the slots before the first one have the keys that they will
//! have until it is taken. (So has the last one, if a move has put a member there: nobody claims a slot of a line that has an empty one.) The
//! first empty slot is found *before* they are looked through for the key. So of two inserts of a key, both want the same slot, or one meets the
//! other's pair.
//!
//! Invariants: I1 and I2 of the [parent module](super).

use super::RawWords;
use super::claim::Claim;
use super::find::Walked;
use crate::arch::{self, Access, Asking};
use crate::reclaim::LocalGuard;
use crate::sync::{Ordering, fence};
use crate::table::pairs::{Line, Pair, Slot, Table, rest};

/// What is to become of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It has this value.
    Put(u64),
    /// It is not in the map.
    Remove,
    /// It stays as it is.
    Keep,
}

/// The short way has not led anywhere, and nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unchanged;

impl RawWords {
    /// Changes a key as `decide` says, given its value; returns that. `decide` is asked again if the key has changed
    /// meanwhile; to remove an absent key is to keep it.
    #[inline]
    pub(crate) fn change(
        &self,
        key: u64,
        decide: impl FnMut(Option<u64>) -> Change,
        guard: &LocalGuard<'_>,
    ) -> Option<u64> {
        self.change_mixed(self.mixer().mix(key), decide, guard)
    }

    /// As above, of a mixed key.
    #[inline]
    pub(super) fn change_mixed(
        &self,
        mixed: u64,
        mut decide: impl FnMut(Option<u64>) -> Change,
        guard: &LocalGuard<'_>,
    ) -> Option<u64> {
        let (Some(by), Some(table)) = (arch::whole(), self.table_if_stays(mixed)) else {
            return self.change_otherwise(mixed, decide, guard);
        };
        match self.change_in_line(table, mixed, &mut decide, guard, by) {
            Ok(old) => old,
            Err(Unchanged) => self.change_slow(mixed, decide, guard),
        }
    }

    /// In a shard that has no table or whose table is being left, while any other moves, and where each access has to ask how it is
    /// done.
    #[cold]
    #[inline(never)]
    pub(super) fn change_otherwise(
        &self,
        mixed: u64,
        mut decide: impl FnMut(Option<u64>) -> Change,
        guard: &LocalGuard<'_>,
    ) -> Option<u64> {
        let table = self.table_after_step(mixed, guard);
        let changed = match (arch::whole(), table) {
            (Some(by), Some(table)) => self.change_in_line(table, mixed, &mut decide, guard, by),
            (None, Some(table)) => self.change_in_line(table, mixed, &mut decide, guard, Asking),
            (_, None) => Err(Unchanged),
        };
        match changed {
            Ok(old) => old,
            Err(Unchanged) => self.change_slow(mixed, decide, guard),
        }
    }

    /// The usual case: the key is in its line, or can be put there by one exchange. The value before.
    ///
    /// # Errors
    /// It is another case, or the exchange fails.
    #[inline(always)] // Twice the code of the decision, but no call and no place in memory for what it says.
    pub(super) fn change_in_line(
        &self,
        table: Table<'_>,
        mixed: u64,
        decide: &mut impl FnMut(Option<u64>) -> Change,
        guard: &LocalGuard<'_>,
        by: impl Access,
    ) -> Result<Option<u64>, Unchanged> {
        let line = table.line_of(rest(mixed));
        // Where the first one is, is asked when it is needed: a branch would be guessed wrong every second time.
        let empties = line.empties();
        // ORD: Acquire — pairs with the SeqCst exchange in cas [W1]; orders the look for empty slots before that for
        // the key.
        fence(Ordering::Acquire);
        if let Some((slot, pair)) = meet(line, mixed, by)? {
            let change = decide(Some(pair.value()));
            return self.exchange(table, (slot, pair, 0), change, mixed, guard, by);
        }
        let Some(slot) = empties.first() else {
            return self.change_in_used(table, mixed, decide, guard, by);
        };
        let is_done = match decide(None) {
            Change::Put(value) => {
                let pair = Pair::live(rest(mixed), value);
                let is_put = slot.by(by).cas(line.empty_in(slot), pair);
                self.domain.count(isize::from(is_put), guard);
                is_put
            }
            // Absent for sure only if the line has not moved: `change_slow` finds out, and asks again.
            Change::Remove | Change::Keep => line.last().by(by).load().ends_bucket(),
        };
        if is_done { Ok(None) } else { Err(Unchanged) }
    }

    /// In a line that has been used up, which did not have the key a moment ago, and, if the key may be there, in the one behind its
    /// link. By filters, not slot by slot, for so are most inserts into a map of constant size, and many of those into one that grows.
    ///
    /// # Errors
    /// As above.
    #[inline(never)]
    fn change_in_used(
        &self,
        table: Table<'_>,
        mixed: u64,
        decide: &mut impl FnMut(Option<u64>) -> Change,
        guard: &LocalGuard<'_>,
        by: impl Access,
    ) -> Result<Option<u64>, Unchanged> {
        let first = table.line_of(rest(mixed));
        let link = first.last().by(by).load();
        let behind = first.follow(link).filter(|_| !link.is_frozen());
        if !link.ends_bucket_of(rest(mixed)) {
            let behind = behind.ok_or(Unchanged)?;
            if let Some((slot, pair)) = meet(behind, mixed, by)? {
                let change = decide(Some(pair.value()));
                return self.exchange(table, (slot, pair, 1), change, mixed, guard, by);
            }
            if !behind.last().by(by).load().ends_bucket() {
                return Err(Unchanged);
            }
        }
        let Change::Put(value) = decide(None) else {
            return Ok(None);
        };
        let (mut vacant, mut last) = (vacant_in(first, 0), (first, link, 0));
        if vacant.is_none()
            && let Some(behind) = behind
        {
            vacant = vacant_in(behind, 1);
            last = (behind, behind.last().by(by).load(), 1);
            if !last.1.ends_bucket() {
                return Err(Unchanged);
            }
        }
        let claim = self.claim(table, rest(mixed), vacant, last, link, guard);
        let claim = claim.ok_or(Unchanged)?;
        let is_put = self.settle_claim(table, claim, mixed, value, guard, by);
        if is_put { Ok(None) } else { Err(Unchanged) }
    }

    /// Changes a pair that was met, if it still is there.
    #[inline(always)] // As above.
    fn exchange(
        &self,
        table: Table<'_>,
        (slot, pair, depth): (&Slot, Pair, usize),
        change: Change,
        mixed: u64,
        guard: &LocalGuard<'_>,
        by: impl Access,
    ) -> Result<Option<u64>, Unchanged> {
        let is_done = match change {
            Change::Keep => true,
            Change::Put(value) => slot.by(by).cas(pair, Pair::live(rest(mixed), value)),
            Change::Remove => slot.by(by).cas(pair, Pair::VACANT),
        };
        if !is_done {
            return Err(Unchanged);
        }
        if change == Change::Remove {
            self.domain.count(-1, guard);
            if depth != 0 {
                self.count_off(table, mixed, depth, guard);
            }
            self.shrink_if_sparse(mixed, table, guard);
        }
        Ok(Some(pair.value()))
    }

    /// Counts a key off that was behind a link.
    #[cold]
    fn count_off(&self, table: Table<'_>, mixed: u64, depth: usize, guard: &LocalGuard<'_>) {
        if depth == 1 {
            table.spill(-1);
        }
        let first = table.line_of(rest(mixed));
        first.leave_behind(&self.domain, guard);
    }

    /// In a bucket that has a link, moves, or changes all the time; and in a shard without a table.
    #[cold]
    #[inline(never)]
    fn change_slow(
        &self,
        mixed: u64,
        mut decide: impl FnMut(Option<u64>) -> Change,
        guard: &LocalGuard<'_>,
    ) -> Option<u64> {
        loop {
            let Some(table) = self.table_to_write(mixed, guard) else {
                match decide(None) {
                    Change::Put(_) => self.init(mixed),
                    _ => return None,
                }
                continue;
            };
            match Self::walk(table, rest(mixed), guard) {
                // It is being left since the table was asked.
                Walked::Frozen => {}
                Walked::Live { slot, pair, depth } => {
                    let change = decide(Some(pair.value()));
                    let place = (slot, pair, depth);
                    let exchanged = self.exchange(table, place, change, mixed, guard, Asking);
                    if let Ok(old) = exchanged {
                        return old;
                    }
                }
                absent_in => {
                    let Change::Put(value) = decide(None) else {
                        return None;
                    };
                    if self.insert(table, absent_in, mixed, value, guard) {
                        return None;
                    }
                }
            }
        }
    }

    /// Inserts a key that a walk has not met, unless the bucket has changed; whether it did.
    fn insert(
        &self,
        table: Table<'_>,
        walked: Walked<'_>,
        mixed: u64,
        value: u64,
        guard: &LocalGuard<'_>,
    ) -> bool {
        match walked {
            Walked::Empty { slot, pair } => {
                let is_put = slot.cas(pair, Pair::live(rest(mixed), value));
                self.domain.count(isize::from(is_put), guard);
                is_put
            }
            Walked::Full {
                vacant,
                rival,
                last,
                link,
            } => rival
                .or_else(|| self.claim(table, rest(mixed), vacant, last, link, guard))
                .is_some_and(|claim| self.settle_claim(table, claim, mixed, value, guard, Asking)),
            Walked::Live { .. } | Walked::Frozen => false,
        }
    }

    /// Decides a claim on a key with the value; whether that was inserted. Has the table grow if too much is behind links.
    fn settle_claim(
        &self,
        table: Table<'_>,
        claim: Claim<'_>,
        mixed: u64,
        value: u64,
        guard: &LocalGuard<'_>,
        by: impl Access,
    ) -> bool {
        let line = table.line_of(rest(mixed));
        let Some(depth) = self.decide(line, claim, rest(mixed), value, by, guard) else {
            return false;
        };
        self.domain.count(1, guard);
        if depth != 0 {
            let spilled = table.spill(isize::from(depth == 1));
            self.grow_if_spilled(mixed, table, spilled, guard);
        }
        true
    }
}

/// A vacant slot of a line that is so many lines from its bucket's first.
#[inline]
fn vacant_in(line: &Line, depth: usize) -> Option<Claim<'_>> {
    let slot = line.first_vacant()?;
    Some((slot, Pair::VACANT, depth))
}

/// The live pair of a key in a line, and its slot.
///
/// # Errors
/// The key may be there, frozen: then an empty slot that was met before may not be frozen yet.
#[inline(always)]
fn meet(line: &Line, mixed: u64, by: impl Access) -> Result<Option<(&Slot, Pair)>, Unchanged> {
    let mut matching = line.matching(mixed);
    while let Some(slot) = matching.first() {
        let pair = slot.by(by).load();
        if pair.is_live_of(rest(mixed)) {
            return Ok(Some((slot, pair)));
        }
        if pair.is_frozen() {
            return Err(Unchanged);
        }
        matching.skip_first();
    }
    Ok(None)
}
