//! Inserting into a bucket that is full: claim a vacant slot, make sure that nobody else inserts the key, settle.
//!
//! ```text
//! claim:   exchange a vacant slot for claim(key, ticket)              -- readers skip it
//! decide:  for every other slot of the bucket, in order:
//!            a live pair with the key      -> take the claim back
//!            a claim on the key, earlier   -> take it back, and decide that one
//!            a claim on the key, later     -> take that one away
//!          exchange the claim for the live pair                       -- the insert takes place
//! ```
//! Anyone may decide any claim, *with his own value*: the insert that he came for takes place there, and the
//! claim's owner, whose exchange fails, finds the key. Two claims on a key cannot both settle: each was in its
//! slot before the other's last look at that slot, or the other way round, and whoever looked second
//! met a live pair, an earlier claim or a later one. (A bucket of one line or two is looked through by filters first, in any
//! order; who meets something then looks in order.) The exchange that settles is from a pair that never comes back,
//! for no claim has the ticket twice.
//!
//! Lock-freedom: who decides a claim that is gone, settled, taken away or behind a link by now, begins anew, and whoever
//! begins and meets a claim on his key decides that one instead of making another. (An insert that begins by filters makes one
//! without a look, once.) So while a claim takes later ones away it is there, and no new ones come without end. The earliest is
//! taken back only because the key is in the map or the bucket moves, and anyone can settle it; so of the inserts of one key
//! somebody's completes whoever sleeps.
//!
//! A bucket that has no vacant slot either goes on in a new line. Its last slot becomes a link by one exchange; what
//! was there, a member or a claim, is in the new line's first slot by then, and the own claim in the second, and both are entered in the link.
//! Before a claim goes behind a link that is there, its key is entered in it, which signs and counts it: so who decides a claim before the link, his
//! own or another's, and finds its key not signed there afterwards, has come before whoever will claim it behind.
//!
//! Whoever takes a claim or a member out from behind a link counts it off afterwards, and with the last one the link becomes vacant. A claim that
//! is not made after all is counted off by who would have made it. So the count is never less than the keys behind, and the link goes only when
//! nobody is there, nor about to be.
//!
//! Invariants: I2 of the [parent module](super).

use super::RawWords;
use crate::arch::{Access, Asking};
use crate::reclaim::LocalGuard;
use crate::table::pairs::{Line, Pair, Slot, Table};
use core::ptr;

/// A slot that is or can be claimed, what it holds, and how many lines it is from the bucket's first.
pub(super) type Claim<'g> = (&'g Slot, Pair, usize);

/// Why a look at the other slots has ended.
enum Seen<'g> {
    /// No slot is in the way.
    Alone,
    /// The claim is gone, the key is in the map, or the bucket moves.
    Vain,
    /// Another claim is earlier.
    Earlier(Claim<'g>),
}

impl RawWords {
    /// Decides a claim on a key by inserting the value there. How deep the key is then, or `None` if the bucket
    /// has to be looked through again.
    pub(super) fn decide<'g>(
        &self,
        line: &'g Line,
        (slot, pair, depth): Claim<'g>,
        rest: u64,
        value: u64,
        by: impl Access,
        guard: &'g LocalGuard<'_>,
    ) -> Option<usize> {
        if !line.is_alone(slot, rest, by) {
            return self.decide_in_order(line, (slot, pair, depth), rest, value, guard);
        }
        let settled = slot.by(by).cas(pair, Pair::live(rest, value));
        settled.then_some(depth)
    }

    /// As above, slot by slot.
    #[inline(never)]
    fn decide_in_order<'g>(
        &self,
        line: &'g Line,
        mut claim: Claim<'g>,
        rest: u64,
        value: u64,
        guard: &'g LocalGuard<'_>,
    ) -> Option<usize> {
        loop {
            let (slot, pair, depth) = claim;
            match self.look(line, (slot, pair), rest, guard) {
                Seen::Alone => {
                    let settled = slot.cas(pair, Pair::live(rest, value));
                    return settled.then_some(depth);
                }
                Seen::Vain => {
                    self.withdraw(line, claim, guard);
                    return None;
                }
                Seen::Earlier(other) => {
                    self.withdraw(line, claim, guard);
                    claim = other;
                }
            }
        }
    }

    /// Looks at all slots of a bucket but that of a claim, and takes later claims on the key away as long as the claim is
    /// there: then whoever begins meets it and makes none. (Else two could take each other's away for ever.)
    fn look<'g>(
        &self,
        first: &'g Line,
        (claim, own): (&Slot, Pair),
        rest: u64,
        guard: &'g LocalGuard<'_>,
    ) -> Seen<'g> {
        let (mut line, mut depth, mut is_before) = (first, 0, true);
        loop {
            let mut last = Pair::ZERO;
            for slot in line.slots() {
                let is_own = ptr::eq(slot, claim);
                is_before &= !is_own;
                last = loop {
                    let pair = slot.by(Asking).load_after_claim();
                    let is_gone = is_own && pair != own;
                    if is_gone || pair.is_frozen() || !is_own && pair.is_live_of(rest) {
                        return Seen::Vain;
                    }
                    if is_own || !pair.is_claim_of(rest) {
                        break pair;
                    }
                    if is_before {
                        return Seen::Earlier((slot, pair, depth));
                    }
                    if claim.by(Asking).load_after_claim() != own {
                        return Seen::Vain;
                    }
                    // Whatever is there afterwards is looked at once more.
                    self.withdraw(first, (slot, pair, depth), guard);
                };
            }
            match line.follow(last) {
                Some(next) => line = next,
                None => return Seen::Alone,
            }
            depth += 1;
        }
    }

    /// Takes a claim out of its slot, unless another has decided it.
    fn withdraw(&self, first: &Line, (slot, pair, depth): Claim<'_>, guard: &LocalGuard<'_>) {
        if slot.cas(pair, Pair::VACANT) && depth != 0 {
            first.leave_behind(&self.domain, guard);
        }
    }

    /// Claims a slot of a bucket that was found full: a vacant one, or one in a new line. Behind the bucket's `link` the key is entered first.
    pub(super) fn claim<'g>(
        &self,
        table: Table<'_>,
        rest: u64,
        vacant: Option<Claim<'g>>,
        (line, last, depth): (&'g Line, Pair, usize),
        link: Pair,
        guard: &'g LocalGuard<'_>,
    ) -> Option<Claim<'g>> {
        let claim = Pair::claim(rest, self.domain.ticket(guard));
        let first = table.line_of(rest);
        let is_behind = vacant.map_or(depth, |(.., depth)| depth) != 0;
        if is_behind && !first.enter_behind(link, rest) {
            return None;
        }
        let claimed = match vacant {
            Some((slot, vacant, depth)) => slot.cas(vacant, claim).then_some((slot, claim, depth)),
            None => {
                let slot = line.lengthen(last, claim, &self.domain, guard);
                slot.map(|slot| (slot, claim, depth + 1))
            }
        };
        if claimed.is_none() && is_behind {
            first.leave_behind(&self.domain, guard);
        }
        if claimed.is_some() && vacant.is_none() && depth == 0 && last.is_member() {
            table.spill(1);
        }
        claimed
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::{Change, Mixer, RawWords};
    use crate::table::pairs::Line;

    /// A map whose tables have so many lines that none doubles here.
    fn map() -> RawWords {
        RawWords::new(2000, Mixer::new([1, 2, 3]))
    }

    /// The line of small mixed keys, once one has been put.
    fn line(map: &RawWords) -> &Line {
        let table = map.directory().and_then(|directory| directory.table(0));
        table.expect("a key was put").line_of(1)
    }

    /// Keys of one line, the last two behind its link.
    #[test]
    fn a_link_goes_with_the_last_key_behind_it() {
        let map = map();
        let change = |mixed, change| map.change_mixed(mixed, |_| change, &map.pin());
        let ends = || line(&map).last().load().ends_bucket();
        for round in 1..4 {
            for mixed in 1..=5 {
                assert_eq!(change(mixed, Change::Put(round)), None, "{mixed}");
                assert_eq!(ends(), mixed < 5, "{mixed}");
            }
            for mixed in [4, 2, 5] {
                assert!(!ends(), "{mixed} is still there");
                assert_eq!(change(mixed, Change::Remove), Some(round), "{mixed}");
            }
            assert!(ends(), "nobody is behind");
            let found = [1, 2, 3, 4, 5].map(|mixed| map.get_mixed(mixed));
            assert_eq!(found, [Some(round), None, Some(round), None, None]);
            assert_eq!(change(1, Change::Remove), Some(round));
            assert_eq!(change(3, Change::Remove), Some(round));
        }
        assert_eq!(map.len(), 0);
    }

    /// A slot for a claim is found behind one link; who is entered in another one would claim it in a line that is not linked.
    #[test]
    fn nobody_is_entered_in_another_link_than_he_has_read() {
        let map = map();
        let change = |mixed, change| map.change_mixed(mixed, |_| change, &map.pin());
        let put = || (1..=5).for_each(|mixed| _ = change(mixed, Change::Put(0)));
        put();
        let guard = map.pin();
        let read = line(&map).last().load();
        (4..=5).for_each(|mixed| _ = change(mixed, Change::Remove));
        assert!(!line(&map).enter_behind(read, 6), "there is none");
        put();
        assert!(line(&map).last().load().is_link());
        assert!(!line(&map).enter_behind(read, 6), "there is another one");
        assert!(line(&map).enter_behind(line(&map).last().load(), 6));
        line(&map).leave_behind(&map.domain, &guard);
        (1..=5).for_each(|mixed| _ = change(mixed, Change::Remove));
        assert!(line(&map).last().load().ends_bucket());
    }
}

#[cfg(all(test, loom))]
mod w2 {
    use super::super::{Change, Mixer, RawWords};
    use super::{Asking, Pair, Table};
    use loom::sync::Arc;
    use loom::thread;

    const KEY: u64 = 9;

    /// The table, whose one line has been used up and is vacant.
    fn table(map: &RawWords) -> Table<'_> {
        map.present(KEY).expect("made below")
    }

    /// Claims a slot and decides the claim; whether the key was inserted there.
    fn insert(map: &RawWords, slot: usize) -> bool {
        let guard = map.pin();
        let table = table(map);
        let slot = &table.line_of(KEY).slots()[slot];
        let claim = Pair::claim(KEY, map.domain.ticket(&guard));
        assert!(slot.cas(Pair::VACANT, claim), "the slot is its own");
        let line = table.line_of(KEY);
        map.decide(line, (slot, claim, 0), KEY, 1, Asking, &guard)
            .is_some()
    }

    /// Two claims in two slots: of two owners that look for others, one sees the other's.
    #[test]
    fn loom_w2_of_two_claims_on_a_key_one_settles() {
        loom::model(|| {
            let map = Arc::new(RawWords::new(0, Mixer::new([1, 2, 3])));
            for change in [Change::Put(0), Change::Remove] {
                for mixed in [1, 2] {
                    map.change_mixed(mixed, |_| change, &map.pin());
                }
            }
            let other = {
                let map = Arc::clone(&map);
                thread::spawn(move || insert(&map, 1))
            };
            let mine = insert(&map, 0);
            let theirs = other.join().expect("the other does not panic");
            assert!(!(mine && theirs), "both settled");
            let line = table(&map).line_of(KEY);
            let live = line.slots().iter().map(super::Slot::load);
            let live = live.filter(|pair| pair.is_live_of(KEY)).count();
            assert_eq!(live, usize::from(mine || theirs));
        });
    }
}
