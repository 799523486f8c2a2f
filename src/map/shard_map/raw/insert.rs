//! Inserting an absent key: claim a slot, make sure that nobody else inserts the key, settle.
//!
//! ```text
//! claim:   exchange a vacant slot for claim(entry, version)          -- readers skip it
//! decide:  for every other slot of the bucket, in order:
//!            a member with the key         -> shut the claim; the insert lost
//!            a claim on the key, earlier   -> decide that one first, then look again
//!            a claim on the key, later     -> shut it
//!          exchange the claim for the member                         -- the insert takes place
//! ```
//! Anyone may run `decide` on any claim. Two claims on one key cannot both settle: each was in its
//! slot before the other's last look at that slot, or the other way round, and whoever looked
//! second met a member (and lost), an earlier claim (and decided it first) or a later one (and shut
//! it). The exchange that settles is from the exact claim word, which never comes back: an entry's
//! claims carry rising versions, and an entry's address is not used again while a guard may hold it.
//!
//! Lock-freedom: the earliest claim on a key can be shut only because the key is a member, and
//! anyone can settle it; so of the inserts of one key, one completes whoever sleeps.
//!
//! Invariants: I3 of the [parent module](super).

use super::entry::{Fate, Fresh};
use super::find::{Found, Place};
use super::{Entry, RawMap};
use crate::reclaim::Guard;
use crate::sync::{fence_after_rmw, note_read};
use crate::table::hash::tag;
use crate::table::{Line, Slot, Table, Word};
use core::panic::AssertUnwindSafe;
use core::ptr;
use equivalent::Equivalent as _;
use std::panic::{catch_unwind, resume_unwind};

/// Why `decide` stopped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// This call settled the claim.
    Settled,
    /// The claim is decided, by this call or another.
    Decided,
    /// The bucket is moving.
    Frozen,
}

impl<K, V> RawMap<K, V> {
    /// The key of the entry that a claim carries.
    pub(super) fn entry_key<'g>(word: Word, _guard: &'g impl Guard) -> &'g K
    where
        V: 'g,
    {
        // SAFETY: I3: the word was loaded from a slot under the guard; the key was written before.
        let key = unsafe { &(*word.address().cast::<Entry<K, V>>()).key };
        note_read(key);
        key
    }

    /// Tries to insert `fresh` where a scan found its key absent. `None` if the bucket has changed.
    #[inline(always)] // As `locate`.
    pub(super) fn attempt<'g, G: Guard>(
        &self,
        hash: u64,
        place: &Place<'g, K, V>,
        fresh: &mut Fresh<'_, 'g, K, V, G>,
        guard: &'g G,
    ) -> Option<&'g Entry<K, V>>
    where
        K: Eq,
    {
        let Found::Absent { free, last } = &place.found else {
            return None;
        };
        // SAFETY: I3: the reference is used in this function only, while `fresh` is there.
        let key: &'g K = unsafe { fresh.key() };
        let claim = fresh.next_claim();
        let (slot, depth) = match *free {
            Some((slot, seen, depth)) => match slot.cas(seen, claim) {
                Ok(()) => (slot, depth),
                Err(_) => return None,
            },
            None => match Self::extend(last.0, last.1, claim) {
                Some(slot) => (slot, last.2 + 1),
                None => return None,
            },
        };
        fresh.claimed(slot, claim);
        let tag = tag(hash);
        let verdict = if Self::is_alone(place.line, slot, tag) {
            Self::settle_claim(slot, claim, tag)
        } else {
            let decide = || Self::decide(place.line, key, slot, claim, guard);
            // Unwind safe: a panic in `Eq` goes on, and only the claim has to be seen to before.
            match catch_unwind(AssertUnwindSafe(decide)) {
                Ok(verdict) => verdict,
                Err(panic) => {
                    if fresh.resolve() == Fate::Won {
                        // Somebody else has settled the claim: the insert took place.
                        fresh.publish();
                        self.count(place.table, depth, guard);
                    }
                    resume_unwind(panic)
                }
            }
        };
        if verdict != Verdict::Settled {
            if verdict == Verdict::Frozen {
                // Freeze the slot, so that the fate of the claim is final.
                Self::leave(place.table, hash);
            }
            if fresh.resolve() == Fate::Lost {
                return None;
            }
        }
        let entry = fresh.publish();
        let spilled = self.count(place.table, depth, guard);
        // Deeper lines do not count, but whoever meets them looks: a move may have filled the
        // first overflow lines of a table that is too small already.
        self.grow_if_spilled(hash, place.table, spilled, guard);
        Some(entry)
    }

    /// Counts an entry that has become a member `depth` lines from the first of its bucket; returns
    /// what is spilled, or 0 in a first line.
    fn count(&self, table: Table<'_>, depth: usize, guard: &impl Guard) -> isize {
        self.domain.count(1, guard);
        if depth == 0 {
            return 0;
        }
        table.spill(isize::from(depth == 1))
    }

    /// Adds an overflow line that holds `claim` to a bucket whose last line is `last`.
    fn extend(last: &'_ Line, seen: Word, claim: Word) -> Option<&Slot> {
        let line = Box::into_raw(Line::overflow(&[claim])).cast::<u8>();
        let link = Word::link(line);
        if last.link().cas(seen, link).is_ok() {
            return last.follow(link).map(|line| &line.slots()[0]);
        }
        // SAFETY: I3: the line was not linked.
        unsafe { crate::table::free_chain(link) };
        None
    }

    /// Whether there is nothing in the bucket but members with other tags, besides the claim in
    /// `own`: the usual case. (Frozen words do not matter: who settles finds `own` frozen or not.)
    #[inline]
    fn is_alone(first: &Line, own: &Slot, tag: u16) -> bool {
        // The claim is in its slot; everything below is read after it (T2).
        fence_after_rmw();
        let high = Word::member_high(tag);
        let mut line = first;
        loop {
            if line.may_stop_insert(own, high) {
                return false;
            }
            match line.follow(line.link().load()) {
                Some(next) => line = next,
                None => return true,
            }
        }
    }

    fn settle_claim(slot: &Slot, claim: Word, tag: u16) -> Verdict {
        match slot.cas(claim, claim.settled(tag)) {
            Ok(()) => Verdict::Settled,
            Err(_) => Verdict::Decided,
        }
    }

    /// Decides the claim `word` on `key` in `slot`, on behalf of whoever made it.
    #[cold]
    fn decide(first: &Line, key: &K, slot: &Slot, word: Word, guard: &impl Guard) -> Verdict
    where
        K: Eq,
    {
        // ORD: Barrier — pairs with the SeqCst exchange in cas [T2]; orders the claim, which is in
        // its slot, before everything that is read below. Outside the model the SeqCst accesses do.
        fence_after_rmw();
        // SAFETY: I3: the claim's entry was seen in a slot under the guard.
        let tag = tag(unsafe { super::hash_of::<K, V>(word.address()) });
        let high = Word::member_high(tag);
        let mut before = true;
        let mut next = Some(first);
        while let Some(line) = next {
            for other in line.slots() {
                if ptr::eq(other, slot) {
                    before = false;
                    continue;
                }
                loop {
                    let seen = other.load();
                    if seen.is_frozen() {
                        return Verdict::Frozen;
                    }
                    if seen.is_member() {
                        if seen.high() == high && key.equivalent(Self::entry_key(seen, guard)) {
                            let _decided_by_another = slot.cas(word, word.shut());
                            return Verdict::Decided;
                        }
                        break;
                    }
                    if !Self::is_rival(seen, key, guard) {
                        break;
                    }
                    if !before {
                        let _changed = other.cas(seen, seen.shut());
                    } else if Self::decide(first, key, other, seen, guard) == Verdict::Frozen {
                        return Verdict::Frozen;
                    }
                }
            }
            let link = line.link().load();
            if link.is_frozen() {
                return Verdict::Frozen;
            }
            next = line.follow(link);
        }
        Self::settle_claim(slot, word, tag)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::{Inserted, RawMap};
    use crate::map::ResizeMode;
    use crate::reclaim::LocalGuard;
    use crate::sync::{AtomicBool, Ordering};
    use std::thread;

    /// Two tags in one bucket.
    const OTHER_HASH: u64 = 1 << 40;
    const HASH: u64 = 2 << 40;

    /// Spins until the flag is up. Relaxed: what follows is ordered by nothing but its own accesses.
    fn wait_for(flag: &AtomicBool) {
        // ORD: Relaxed — see above.
        while !flag.load(Ordering::Relaxed) {
            thread::yield_now();
        }
    }

    /// One insert has gone by, into a slot that it emptied before, when another begins that has been
    /// pinned all the time. The interpreter may show the second the slot as it was; the order of the
    /// exchanges and loads alone lets it meet the first (T2).
    #[test]
    fn miri_t2_an_insert_meets_one_whose_slot_it_saw_taken() {
        let rounds = if cfg!(miri) { 6 } else { 1_000 };
        for round in 0..rounds {
            let map = RawMap::<u64, u64>::new(0, ResizeMode::default(), None);
            let put = |hash, key, guard: &LocalGuard<'_>| {
                matches!(map.insert(hash, key, round, false, guard), Inserted::New(_))
            };
            assert!(put(OTHER_HASH, 100, &map.domain().pin()));
            let (pinned, gone) = (AtomicBool::new(false), AtomicBool::new(false));
            let (first, second) = thread::scope(|scope| {
                let second = scope.spawn(|| {
                    let guard = map.domain().pin();
                    // ORD: Relaxed — as in `wait_for`.
                    pinned.store(true, Ordering::Relaxed);
                    wait_for(&gone);
                    // Under the guard from before: a pin of its own would be a fence.
                    put(HASH, 7, &guard)
                });
                let guard = map.domain().pin();
                wait_for(&pinned);
                let removed = map.remove_if(OTHER_HASH, &100, |_, _| true, &guard);
                assert!(removed.is_ok_and(|entry| entry.is_some()));
                let first = put(HASH, 7, &guard);
                // ORD: Relaxed — as in `wait_for`.
                gone.store(true, Ordering::Relaxed);
                (
                    first,
                    second.join().expect("the second insert does not panic"),
                )
            });
            assert!(first ^ second, "one insert wins: {first}, {second}");
            let guard = map.domain().pin();
            assert_eq!(map.iter(&guard).filter(|entry| entry.key == 7).count(), 1);
        }
    }
}
