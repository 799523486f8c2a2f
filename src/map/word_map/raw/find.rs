//! Looking a key up: `get` without a guard, and the walk through a bucket on which the rest builds.
//!
//! A hit linearizes at the load of its slot: a live pair that is not frozen is true. A miss in a line, at the load
//! of its last slot. That was not frozen then, so the bucket had not moved; it was no link, or one without the key's signature, so the
//! key was in this line or nowhere; and the count of moves shows that the line was this bucket's all the time. A key that
//! was present throughout stayed in its slot, so it was met in whatever order the slots were read; from the
//! last slot it goes behind a link that has its signature, which ends the short way.
//!
//! Invariants: I1 and I2 of the [parent module](super).

use super::RawWords;
use crate::arch::{self, Access, Asking};
use crate::reclaim::Guard;
use crate::table::pairs::{Line, Pair, Slot, Table, rest, shard};

/// The live pair of a key in a line.
#[inline]
pub(super) fn live_in(line: &Line, mixed: u64, by: impl Access) -> Option<Pair> {
    let mut matching = line.matching(mixed);
    // Not as an iterator, which would be at the next slot before the first is known to be wrong.
    while let Some(slot) = matching.first() {
        let pair = slot.by(by).load();
        if pair.is_live_of(rest(mixed)) {
            return Some(pair);
        }
        matching.skip_first();
    }
    None
}

/// The value of a key in a bucket that does not move and has two lines, as most buckets with a link have, or none if it is not there;
/// `None` in other buckets. By filters, not slot by slot. The bucket's line was found under the guard.
#[inline]
fn in_two_lines(
    line: &Line,
    mixed: u64,
    by: impl Access,
    _guard: &impl Guard,
) -> Option<Option<u64>> {
    let link = line.last().by(by).load();
    if link.is_frozen() {
        return None;
    }
    let next = line.follow(link)?;
    let found = live_in(next, mixed, by).or_else(|| live_in(line, mixed, by));
    if let Some(pair) = found {
        return Some(Some(pair.value()));
    }
    // The last slot is seen unfrozen after all the others were read, so the bucket had not moved.
    let is_all = next.last().by(by).load().ends_bucket() && !line.last().by(by).load().is_frozen();
    is_all.then_some(None)
}

/// Where a key is, or could be, in its bucket.
pub(super) enum Walked<'g> {
    /// The key is in the map.
    Live {
        slot: &'g Slot,
        pair: Pair,
        depth: usize,
    },
    /// It is not, and an insert can take the first empty slot, for no line is behind this one.
    Empty { slot: &'g Slot, pair: Pair },
    /// It is not, and the bucket is full.
    Full {
        /// The first vacant slot, and how many lines it is from the first.
        vacant: Option<(&'g Slot, Pair, usize)>,
        /// An insert of the key that is not decided.
        rival: Option<(&'g Slot, Pair, usize)>,
        /// The last line, what its last slot holds, and how far it is from the first.
        last: (&'g Line, Pair, usize),
        /// What the last slot of the first line holds.
        link: Pair,
    },
    /// The bucket moves, or has moved.
    Frozen,
}

impl RawWords {
    /// The value of a key. Wait-free but behind links and in moves; one cold line, two if the key may be behind a link.
    #[inline]
    pub(crate) fn get(&self, key: u64) -> Option<u64> {
        self.get_mixed(self.mixer().mix(key))
    }

    /// As above, of a mixed key.
    #[inline]
    pub(super) fn get_mixed(&self, mixed: u64) -> Option<u64> {
        match arch::whole() {
            Some(by) => self.get_unpinned(mixed, by),
            None => self.get_asking(mixed),
        }
    }

    /// Apart, for calls in the middle cost registers.
    #[cold]
    #[inline(never)]
    pub(super) fn get_asking(&self, mixed: u64) -> Option<u64> {
        self.get_unpinned(mixed, Asking)
    }

    #[inline]
    fn get_unpinned(&self, mixed: u64, by: impl Access) -> Option<u64> {
        let directory = self.directory()?;
        let words = directory.shard(shard(mixed));
        let moves = words.moves();
        let line = directory.table(shard(mixed))?.line_of(rest(mixed));
        if let Some(pair) = live_in(line, mixed, by) {
            return Some(pair.value());
        }
        let last = line.last().by(by).load();
        if last.is_live_of(rest(mixed)) {
            return Some(last.value());
        }
        if last.ends_bucket_of(rest(mixed)) && words.is_unmoved(moves) {
            return None;
        }
        self.get_guarded(mixed)
    }

    /// As `get`, in the line that a key had under this guard, which may have been found long ago.
    #[inline]
    pub(super) fn get_in(
        &self,
        line: &Line,
        mixed: u64,
        by: impl Access,
        guard: &impl Guard,
    ) -> Option<u64> {
        if let Some(pair) = live_in(line, mixed, by) {
            return Some(pair.value());
        }
        let last = line.last().by(by).load();
        if last.is_live_of(rest(mixed)) {
            return Some(last.value());
        }
        // The guard says that the line has not been used for another table.
        if last.ends_bucket_of(rest(mixed)) {
            return None;
        }
        let found = in_two_lines(line, mixed, by, guard);
        found.unwrap_or_else(|| self.get_guarded(mixed))
    }

    /// `get` of a key that may be behind a link, or whose bucket is moving.
    #[cold]
    #[inline(never)]
    fn get_guarded(&self, mixed: u64) -> Option<u64> {
        let guard = self.pin();
        let directory = self.directory()?;
        let present = directory.table(shard(mixed))?;
        let line = present.line_of(rest(mixed));
        let found = match arch::whole() {
            Some(by) => in_two_lines(line, mixed, by, &guard),
            None => in_two_lines(line, mixed, Asking, &guard),
        };
        if let Some(found) = found {
            return found;
        }
        let mut table = present;
        let found = loop {
            match self.read(table, mixed, &guard) {
                Ok(found) => break found,
                Err(new) => table = new,
            }
        };
        if table != present {
            // A map that is filled and then only read would stay in the middle of its moves.
            self.help(directory, shard(mixed), present, &guard);
        }
        found.map(Pair::value)
    }

    /// The pair of a key in its bucket, frozen or not, unless the bucket has moved: then the table to go on with.
    fn read<'g>(
        &'g self,
        table: Table<'g>,
        mixed: u64,
        _guard: &'g impl Guard,
    ) -> Result<Option<Pair>, Table<'g>> {
        let (shard, rest) = (shard(mixed), rest(mixed));
        let moved = || {
            let position = table.scale().position(rest);
            self.directory()?.successor(shard, table, position)
        };
        let mut line = table.line_of(rest);
        loop {
            let mut pair = Pair::ZERO;
            for slot in line.slots() {
                pair = slot.load();
                // Asked after the slot was read: while there is none, what is frozen is the truth.
                if pair.is_frozen()
                    && let Some(new) = moved()
                {
                    return Err(new);
                }
                if pair.is_member_of(rest) {
                    return Ok(Some(pair));
                }
            }
            match line.follow(pair) {
                Some(next) => line = next,
                None => return Ok(None),
            }
        }
    }

    /// Looks through a bucket for a key, in order.
    pub(super) fn walk<'g>(table: Table<'g>, rest: u64, _guard: &'g impl Guard) -> Walked<'g> {
        let mut line = table.line_of(rest);
        let (mut vacant, mut rival, mut link, mut depth) = (None, None, None, 0);
        loop {
            let (mut empty, mut last) = (None, Pair::ZERO);
            for slot in line.slots() {
                let pair = slot.load();
                if pair.is_frozen() {
                    return Walked::Frozen;
                }
                if pair.is_live_of(rest) {
                    return Walked::Live { slot, pair, depth };
                }
                if pair.is_empty() {
                    // The slots behind it are empty too, but for the last, which a move may have given a member.
                    empty = empty.or(Some((slot, pair)));
                }
                let place = Some((slot, pair, depth));
                if pair == Pair::VACANT {
                    vacant = vacant.or(place);
                } else if pair.is_claim_of(rest) {
                    rival = rival.or(place);
                }
                last = pair;
            }
            if let Some((slot, pair)) = empty {
                return Walked::Empty { slot, pair };
            }
            let link = *link.get_or_insert(last);
            match line.follow(last) {
                Some(next) => line = next,
                None => {
                    let last = (line, last, depth);
                    return Walked::Full {
                        vacant,
                        rival,
                        last,
                        link,
                    };
                }
            }
            depth += 1;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::{Mixer, RawWords};
    use super::{Pair, Walked};

    /// As a move leaves a line that gets one member.
    #[test]
    fn a_key_in_the_last_slot_is_met_behind_empty_ones() {
        let map = RawWords::new(0, Mixer::new([1, 2, 3]));
        map.init(7);
        let table = map.directory().and_then(|directory| directory.table(0));
        let table = table.expect("made above");
        let last = table.line_of(7).last();
        assert!(last.cas(Pair::BORN, Pair::live(7, 1)));
        let guard = map.pin();
        let walked = RawWords::walk(table, 7, &guard);
        assert!(matches!(walked, Walked::Live { depth: 0, .. }));
        let other = RawWords::walk(table, 8, &guard);
        assert!(matches!(
            other,
            Walked::Empty {
                pair: Pair::ZERO,
                ..
            }
        ));
    }
}
