//! The protocol of words as a state machine: the single exchange into an empty slot, claims, links and doublings of
//! a shard of `WordMap`, as docs/decisions/word-map.md has it.
//!
//! *Zero is empty.* In every slot of a table's line but the last, unborn and empty are one word. A mover writes only the members, each by
//! an exchange from zero into its slot, then the last slot; the old bucket is frozen, so all movers write the same. When the last slot
//! is born, each slot that got a member is not zero and never will be again, so a late mover's exchanges fail; a slot that got none is
//! no mover's to write, so whatever an insert puts there stays.
//!
//! *Claims in the last slot.* Lengthening takes a claim along, with its stamp, in the exchange that makes the link. The places of a bucket
//! are looked at in order and a claim goes forward only, so who looks meets it before or after; the exchanges at its old place
//! fail, for the link is there and no claim comes back. A claim that is in nobody's hands any more harms nobody: it is a wish, and who
//! decides it brings his own insert.
//!
//! *Lengthening claims.* The own claim is in the new line's second slot when the link is there. It is decided like any other, for
//! whoever looked at the bucket's end before the link may have settled the key, or is about to, in a slot that was vacated meanwhile.
//!
//! *Who comes decides.* An insert whose walk meets a claim on its key, and no live pair, decides that one and puts none beside it.
//!
//! *A look ends with its claim.* Who looks for a claim that has gone behind a link would go on to take later claims away, and could meet a new one in the
//! same slot each time (the mistake `ShutsOn`, found by [`crate::progress`] in the map as it was first written). So he asks for his own claim before each that
//! he takes away.
//!
//! *Rule of writers.* Who begins a write when a table is being left does not write to it: he moves his unit, or makes a copy, and writes to
//! the next table. A grace period begins after the header has said so; when it is over, everybody who may write to the old slots has
//! ended, and movers make them final by a load and a store. They all store the same, for nobody else changes what they load.
//!
//! *Copies.* A copy is seen by nobody before the shard's word leads to it, so it is made in the exchange of the word; until then
//! its members are the copier's. There is one table of each size, for one exchange from a table succeeds.
//!
//! *Frozen words of a copied table need no question.* A look-up that has come by the shard's word may answer from what is frozen: that was the
//! truth until the word was exchanged, which was after the look-up had read it. The code asks whether the word still leads to the
//! table, and so does the model; `cases::unasked` are the same runs without that. (In a move by steps the question is needed: there
//! the word leads to the old table while lines of the new one are written.)
//!
//! *What a link says.* Of each key, by a bit that two keys share, whether it is behind or has been; and how many keys are behind, claims too, or about to go
//! there. It has those with which it is made; later a key is entered by an exchange of the link before its claim goes behind, for whoever meets the
//! claim there may decide it. Who takes a key out counts it off, and with the last one the link is exchanged for vacant: then nobody is behind, nor about to
//! be, for that is counted. The line behind is left as it is, vacant, as long as somebody may read it. Who reads a link in which his key is
//! not signed need not look behind: a look-up, for the key was not there by then; an insert whose claim is before the link, for
//! who claims behind it later looks later. (Looks slot by slot do not ask.)
//!
//! *Filters.* By default an operation goes through a bucket slot by slot, as in the code when the usual case has failed. With
//! [`Words::filters`] it begins as the code does: the slots of its line are read in any order, then those behind a link; and so does a look for
//! what stands in the way of a claim.
//!
//! *Names of stamps.* A new claim's stamp is one that neither a slot nor a thread has. After each access stamps are numbered in the order in
//! which they are found, so states that differ by these names only are one.
//!
//! # Files
//! [`memory`] words and lines · [`thread`] an operation · [`filters`] its usual case · [`claiming`] claims · [`entering`] what a link says of who is behind · [`freezing`] a bucket that becomes final · [`moving`] a unit
//! that moves · [`copying`] a table that is copied · [`doubling`] a doubling as an operation · [`model`] what must hold, and the mistakes that
//! can be put in · [`cases`] and `filter_cases` the runs.

pub mod cases;
pub mod claiming;
pub mod copying;
pub mod doubling;
pub mod entering;
mod filter_cases;
pub mod filters;
pub mod freezing;
pub mod memory;
pub mod model;
pub mod moving;
pub mod thread;

pub use model::{Bug, Words};
