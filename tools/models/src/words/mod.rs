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
//! *Names of stamps.* A new claim's stamp is one that neither a slot nor a thread has. After each access stamps are numbered in the order in
//! which they are found, so states that differ by these names only are one.
//!
//! # Files
//! [`memory`] words and lines · [`thread`] an operation · [`moving`] a unit that moves · [`model`] what must hold, and the mistakes
//! that can be put in · [`cases`] the runs.

pub mod cases;
pub mod memory;
pub mod model;
pub mod moving;
pub mod thread;

pub use model::{Bug, Words};
