//! `src/map/shard_map/raw/insert.rs`: claim a slot, make sure that nobody else inserts the key, settle.

use crate::config::Bug;
use crate::find::{Found, Place};
use crate::memory::{At, Content, Line, Object, Word};
use crate::migration::MoveUnit;
use crate::thread::{Cell, Frame, Next, Run, Value};

/// Why `decide` stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// This call settled the claim.
    Settled,
    /// The claim is decided.
    Decided,
    /// The bucket is moving.
    Frozen,
}

/// `RawMap::attempt`, with `extend`, `is_alone`, `settle_claim` and `Fresh::resolve` (`entry.rs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    place: Place,
    claim: Word,
    at: At,
    pc: Attempts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Attempts {
    /// The exchange of the vacant slot, or of the last link word.
    Claim,
    /// `is_alone`: `may_stop_insert` of the line so far from the first, the first or the second pass, a
    /// slot.
    Alone(u8, bool, u8),
    /// `is_alone`: the link word.
    AloneLink(u8),
    /// `settle_claim`.
    Settle,
    /// `decide`.
    Deciding,
    /// `leave`, so that the fate of the claim is final.
    Leaving,
    /// `resolve`: `slot.load()`.
    Resolve,
    /// `resolve`: the exchange of this word for vacant.
    TakeBack(Word),
}

impl Attempt {
    pub(crate) fn of(place: Place, entry: u8, version: u8) -> Frame {
        let claim = Word::of(Content::Claim {
            entry,
            version,
            shut: false,
        });
        Frame::Attempt(Self {
            place,
            claim,
            at: At { depth: 0, slot: 0 },
            pc: Attempts::Claim,
        })
    }

    fn at(self, pc: Attempts) -> Next {
        Next::Stay(Frame::Attempt(Self { pc, ..self }))
    }

    fn cell(self) -> Cell {
        Cell::Slot(self.at.depth, self.at.slot)
    }

    pub(crate) fn is_foregone(self, run: &Run<'_>) -> bool {
        let table = self.place.table;
        match self.pc {
            Attempts::Alone(depth, _, slot) => run.peek(table, Cell::Slot(depth, slot)).frozen,
            Attempts::AloneLink(depth) => run.peek(table, Cell::Link(depth)).frozen,
            // A claim that has changed does not come back.
            Attempts::Settle => {
                run.peek(table, self.cell()) != self.claim && !run.has(Bug::ClaimComesBack)
            }
            Attempts::Resolve | Attempts::TakeBack(_) => run.peek(table, self.cell()).frozen,
            Attempts::Claim | Attempts::Deciding | Attempts::Leaving => false,
        }
    }

    pub(crate) fn step(mut self, run: &mut Run<'_>) -> Next {
        let table = self.place.table;
        match self.pc {
            Attempts::Claim => {
                let Found::Absent(free, (last, link)) = self.place.found else {
                    unreachable!("an attempt is made where the key is absent")
                };
                let claimed = match free {
                    Some((at, seen)) => {
                        self.at = at;
                        run.cas(table, self.cell(), seen, self.claim)
                    }
                    None => {
                        self.at = At {
                            depth: last + 1,
                            slot: 0,
                        };
                        self.extend(run, last, link)
                    }
                };
                if claimed.is_err() {
                    return Next::Return(Value::Inserted(false));
                }
                if run.has(Bug::SettleBlind) {
                    return self.at(Attempts::Settle);
                }
                self.alone(run, 0, false, 0)
            }
            Attempts::Alone(depth, second, slot) => {
                let word = run.load(table, Cell::Slot(depth, slot));
                let claims = second == run.has(Bug::MembersBeforeClaims);
                let stops = if claims {
                    word.claim().is_some()
                } else {
                    run.matching(word, run.hash()).is_some()
                };
                if stops {
                    self.pc = Attempts::Deciding;
                    let decide = Decide::of(self.place.table, self.at, self.claim);
                    return Next::Call(Frame::Attempt(self), decide);
                }
                self.alone(run, depth, second, slot + 1)
            }
            Attempts::AloneLink(depth) => {
                let link = run.load(table, Cell::Link(depth));
                if link.content == Content::Link {
                    return self.alone(run, depth + 1, false, 0);
                }
                self.at(Attempts::Settle)
            }
            Attempts::Settle => {
                let member = Word::of(Content::Member(run.own()));
                match run.cas(table, self.cell(), self.claim, member) {
                    Ok(()) => Next::Return(Value::Inserted(true)),
                    Err(_) => self.at(Attempts::Resolve),
                }
            }
            Attempts::Resolve => {
                let word = run.load(table, self.cell());
                self.resolve(word)
            }
            Attempts::TakeBack(word) => match run.cas(table, self.cell(), word, Word::VACANT) {
                Ok(()) => Next::Return(Value::Inserted(false)),
                Err(found) => {
                    run.retry();
                    self.resolve(found)
                }
            },
            Attempts::Deciding | Attempts::Leaving => unreachable!("waits for a call"),
        }
    }

    /// `RawMap::extend`: links a line that holds the claim.
    fn extend(self, run: &mut Run<'_>, last: u8, link: Word) -> Result<(), Word> {
        let table = self.place.table;
        run.cas(table, Cell::Link(last), link, Word::of(Content::Link))?;
        let (bucket, slots) = (run.bucket(table), run.config.slots);
        let line = Line::overflow(&[self.claim], slots, Content::Vacant);
        run.memory.bucket_mut(table, bucket).push(line);
        Ok(())
    }

    /// The next slot of `is_alone` that is not the claim's own.
    fn alone(self, run: &Run<'_>, depth: u8, second: bool, slot: u8) -> Next {
        let own = self.at.depth == depth && self.at.slot == slot;
        let slot = slot + u8::from(own);
        if usize::from(slot) < run.config.slots {
            self.at(Attempts::Alone(depth, second, slot))
        } else if second {
            self.at(Attempts::AloneLink(depth))
        } else {
            self.alone(run, depth, true, 0)
        }
    }

    fn resolve(self, word: Word) -> Next {
        if word == self.claim.frozen() || word == self.claim.shut().frozen() {
            return Next::Return(Value::Inserted(false));
        }
        if word != self.claim && word != self.claim.shut() {
            return Next::Return(Value::Inserted(true));
        }
        self.at(Attempts::TakeBack(word))
    }

    pub(crate) fn resume(mut self, value: &Value, run: &mut Run<'_>) -> Next {
        match (self.pc, value) {
            (Attempts::Deciding, Value::Verdict(Verdict::Settled)) => {
                Next::Return(Value::Inserted(true))
            }
            (Attempts::Deciding, Value::Verdict(Verdict::Frozen)) => {
                self.pc = Attempts::Leaving;
                MoveUnit::leave(Frame::Attempt(self), self.place.table, run)
            }
            _ => self.at(Attempts::Resolve),
        }
    }
}

/// `RawMap::decide`: decides a claim, on behalf of whoever made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decide {
    table: u8,
    /// The claim's slot.
    at: At,
    claim: Word,
    /// The slot that is looked at.
    other: At,
    /// It is before the claim's.
    before: bool,
    pc: Decides,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Decides {
    /// `other.load()`.
    Look,
    /// A member has the key: the exchange that shuts the claim.
    ShutOwn,
    /// A later claim on the key: the exchange that shuts it.
    ShutOther(Word),
    /// An earlier one: `decide` that first.
    Nested,
    /// `line.link().load()`.
    Link,
    /// `settle_claim`.
    Settle,
}

impl Decide {
    fn of(table: u8, at: At, claim: Word) -> Frame {
        let decide = Self {
            table,
            at,
            claim,
            other: At { depth: 0, slot: 0 },
            before: true,
            pc: Decides::Look,
        };
        Frame::Decide(decide.without_own())
    }

    fn at(self, pc: Decides) -> Next {
        Next::Stay(Frame::Decide(Self { pc, ..self }))
    }

    /// Passes over the claim's own slot.
    fn without_own(mut self) -> Self {
        if self.other == self.at {
            self.before = false;
            self.other.slot += 1;
        }
        self
    }

    /// Looks at the slot in hand, or if the line is over, at its link word.
    fn look(self, run: &Run<'_>) -> Next {
        let this = self.without_own();
        if usize::from(this.other.slot) < run.config.slots {
            this.at(Decides::Look)
        } else {
            this.at(Decides::Link)
        }
    }

    pub(crate) fn is_foregone(self, run: &Run<'_>) -> bool {
        let is_now = |at: At, word| run.peek(self.table, Cell::Slot(at.depth, at.slot)) == word;
        let comes_back = run.has(Bug::ClaimComesBack);
        match self.pc {
            Decides::Look if usize::from(self.other.slot) < run.config.slots => {
                let other = Cell::Slot(self.other.depth, self.other.slot);
                run.peek(self.table, other).frozen
            }
            Decides::Look | Decides::Link => {
                run.peek(self.table, Cell::Link(self.other.depth)).frozen
            }
            // A claim that has changed does not come back.
            Decides::ShutOwn | Decides::Settle => !is_now(self.at, self.claim) && !comes_back,
            Decides::ShutOther(seen) => !is_now(self.other, seen) && !comes_back,
            Decides::Nested => false,
        }
    }

    pub(crate) fn step(mut self, run: &mut Run<'_>) -> Next {
        let frozen = Next::Return(Value::Verdict(Verdict::Frozen));
        let decided = Next::Return(Value::Verdict(Verdict::Decided));
        if usize::from(self.other.slot) == run.config.slots && self.pc == Decides::Look {
            // The claim is in the only slot of the first line.
            self.pc = Decides::Link;
        }
        let own = Cell::Slot(self.at.depth, self.at.slot);
        let other = Cell::Slot(self.other.depth, self.other.slot);
        match self.pc {
            Decides::Look => {
                let seen = run.load(self.table, other);
                if seen.frozen {
                    return frozen;
                }
                if seen.member().is_some() {
                    if let Some(entry) = run.matching(seen, run.hash())
                        && run.is_key(entry)
                    {
                        return self.at(Decides::ShutOwn);
                    }
                } else if let Some(entry) = seen.open_claim()
                    && run.is_key(entry)
                {
                    if !self.before {
                        return self.at(Decides::ShutOther(seen));
                    }
                    self.pc = Decides::Nested;
                    let nested = Self::of(self.table, self.other, seen);
                    return Next::Call(Frame::Decide(self), nested);
                }
                self.other.slot += 1;
                self.look(run)
            }
            Decides::ShutOwn => {
                let _decided = run.cas(self.table, own, self.claim, self.claim.shut());
                decided
            }
            Decides::ShutOther(seen) => {
                let _changed = run.cas(self.table, other, seen, seen.shut());
                run.retry();
                self.at(Decides::Look)
            }
            Decides::Link => {
                let link = run.load(self.table, Cell::Link(self.other.depth));
                if link.frozen {
                    return frozen;
                }
                if link.content == Content::Link {
                    self.other = At {
                        depth: self.other.depth + 1,
                        slot: 0,
                    };
                    return self.look(run);
                }
                self.at(Decides::Settle)
            }
            Decides::Settle => {
                let Some(entry) = self.claim.claim() else {
                    unreachable!("only claims are decided")
                };
                let member = Word::of(Content::Member(entry));
                match run.cas(self.table, own, self.claim, member) {
                    Ok(()) => Next::Return(Value::Verdict(Verdict::Settled)),
                    Err(_) => decided,
                }
            }
            Decides::Nested => unreachable!("waits for a call"),
        }
    }

    pub(crate) fn resume(self, value: &Value, run: &mut Run<'_>) -> Next {
        if *value == Value::Verdict(Verdict::Frozen) {
            return Next::Return(Value::Verdict(Verdict::Frozen));
        }
        run.retry();
        self.at(Decides::Look)
    }
}

/// An insert that gives up retires its entry: others may have met its claim.
pub(crate) fn abandon(run: &mut Run<'_>) {
    let own = run.own();
    run.retire(Object::Entry(own));
}
