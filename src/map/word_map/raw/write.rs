//! Every write: read the pair of a key, let the caller decide, make one exchange.
//!
//! Replacing linearizes at the exchange of the slot from the old pair to the new one, removing at the exchange to
//! vacant; both are from the exact pair that was read, so the old value handed out is the one that was there. An
//! insert linearizes at the exchange of the line's first empty slot.
//!
//! Why by one exchange: an empty slot does not come back in a table, so the slots before the first one have the keys that they will
//! have until it is taken. The first empty slot is found *before* they are looked through for the key. So
//! of two inserts of a key, both want the same slot, or one meets the other's pair.
//!
//! Invariants: I1 and I2 of the [parent module](super).

use super::RawWords;
use super::find::Walked;
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

/// What has become of a key: its value before, and the change that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    /// The value before.
    pub(crate) old: Option<u64>,
    /// The change that was made; to remove an absent key is none.
    pub(crate) change: Change,
}

impl RawWords {
    /// Changes a key as `decide` says, given its value; `decide` is asked again if the key has changed meanwhile.
    #[inline]
    pub(crate) fn change(
        &self,
        key: u64,
        decide: impl FnMut(Option<u64>) -> Change,
        guard: &LocalGuard<'_>,
    ) -> Changed {
        self.change_mixed(self.mixer().mix(key), decide, guard)
    }

    /// As above, of a mixed key.
    #[inline]
    pub(super) fn change_mixed(
        &self,
        mixed: u64,
        mut decide: impl FnMut(Option<u64>) -> Change,
        guard: &LocalGuard<'_>,
    ) -> Changed {
        if let Some(table) = self.table_for_write(mixed, guard) {
            let line = table.line_of(rest(mixed));
            let changed = self.change_in_line(table, line, mixed, &mut decide, guard);
            if let Some(changed) = changed {
                return changed;
            }
        }
        self.change_slow(mixed, decide, guard)
    }

    /// The usual case: the key is in its line, or can be put there by one exchange. `None` otherwise, and if the exchange
    /// fails.
    #[inline(always)] // Twice the code of the decision, but no call and no place in memory for what it says.
    pub(super) fn change_in_line(
        &self,
        table: Table<'_>,
        line: &Line,
        mixed: u64,
        decide: &mut impl FnMut(Option<u64>) -> Change,
        guard: &LocalGuard<'_>,
    ) -> Option<Changed> {
        // Where the first one is, is asked when it is needed: a branch would be guessed wrong every second time.
        let empties = line.empties();
        // ORD: Acquire — pairs with the SeqCst exchange in cas [W1]; orders the look for empty slots before that for
        // the key.
        fence(Ordering::Acquire);
        let mut matching = line.matching(mixed);
        while let Some(slot) = matching.first() {
            let pair = slot.load();
            if pair.is_live_of(rest(mixed)) {
                let change = decide(Some(pair.value()));
                return self.exchange(table, (slot, pair, 0), change, mixed, guard);
            }
            // The key may be here, and the empty slot not be frozen yet.
            if pair.is_frozen() {
                return None;
            }
            matching.skip_first();
        }
        let change = match decide(None) {
            Change::Put(value) => Change::Put(value),
            // Absent for sure only if the line has not moved: `change_slow` finds out, and asks again.
            Change::Remove | Change::Keep if !line.last().load().ends_bucket() => return None,
            Change::Remove | Change::Keep => Change::Keep,
        };
        if let Change::Put(value) = change {
            let is_done = match empties.first() {
                Some(slot) => slot.cas(line.empty_in(slot), Pair::live(rest(mixed), value)),
                None => self.insert_into_vacant(line, rest(mixed), value, guard),
            };
            if !is_done {
                return None;
            }
            self.domain.count(1, guard);
        }
        let old = None;
        Some(Changed { old, change })
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
    ) -> Option<Changed> {
        let old = Some(pair.value());
        let is_done = match change {
            Change::Keep => true,
            Change::Put(value) => slot.cas(pair, Pair::live(rest(mixed), value)),
            Change::Remove => slot.cas(pair, Pair::VACANT),
        };
        if !is_done {
            return None;
        }
        if change == Change::Remove {
            self.domain.count(-1, guard);
            if depth == 1 {
                table.spill(-1);
            }
            self.shrink_if_sparse(mixed, table, guard);
        }
        Some(Changed { old, change })
    }

    /// In a bucket that has a link, moves, or changes all the time; and in a shard without a table.
    #[cold]
    #[inline(never)]
    fn change_slow(
        &self,
        mixed: u64,
        mut decide: impl FnMut(Option<u64>) -> Change,
        guard: &LocalGuard<'_>,
    ) -> Changed {
        let absent = Changed {
            old: None,
            change: Change::Keep,
        };
        loop {
            let Some(table) = self.table_to_write(mixed, guard) else {
                match decide(None) {
                    Change::Put(_) => self.init(mixed),
                    _ => return absent,
                }
                continue;
            };
            match Self::walk(table, rest(mixed), guard) {
                // It is being left since the table was asked.
                Walked::Frozen => {}
                Walked::Live { slot, pair, depth } => {
                    let change = decide(Some(pair.value()));
                    let place = (slot, pair, depth);
                    if let Some(changed) = self.exchange(table, place, change, mixed, guard) {
                        return changed;
                    }
                }
                absent_in => {
                    let Change::Put(value) = decide(None) else {
                        return absent;
                    };
                    if self.insert(table, absent_in, mixed, value, guard) {
                        let change = Change::Put(value);
                        return Changed { change, ..absent };
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
        let depth = match walked {
            Walked::Empty { slot, pair } => {
                slot.cas(pair, Pair::live(rest(mixed), value)).then_some(0)
            }
            Walked::Full {
                vacant,
                rival,
                last,
            } => rival
                .or_else(|| self.claim(table, rest(mixed), vacant, last, guard))
                .and_then(|claim| {
                    Self::decide(table.line_of(rest(mixed)), claim, rest(mixed), value, guard)
                }),
            Walked::Live { .. } | Walked::Frozen => None,
        };
        let Some(depth) = depth else {
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
