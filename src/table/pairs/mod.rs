//! Tables whose slots hold a key and a value of one word each.
//!
//! ```text
//! map --> Directory                     64-byte line (bucket)
//!         | shard word | --> Table       +---------+---------+---------+---------+
//!         | moves      |     | header  | | k  v    | k  v    | k  v    | k  v    |
//!         |    ..      |     | line 0  | +---------+---------+---------+-- or ---+
//!                            | line 1  |                                 | link    |--> line --> ..
//!                            |   ..    |                                 +---------+
//! ```
//!
//! [`pair`] what a slot says · [`line`] a bucket's first line, [`chain`] the further ones · [`store`] tables · [`home`] where they come from and go to:
//! [`arena`] of most sizes, [`spares`] others · [`directory`] the shards' words · [`moving`] the move to another size, in steps · [`copying`] the same
//! at once · for both, [`freezing`] what is old and [`unit`] which lines become which.
//!
//! # Look-ups have no guard
//! Look-ups read lines of tables without a guard; links they follow under one. A table that is out of use stays
//! allocated, and is used for the same shard again. So what a look-up reads there is a pair of this shard: one
//! that is live and not frozen is true (see [`pair`]), and from the others nothing follows until the shard's
//! count of moves has been seen to be what it was before.
//!
//! # Invariants
//! - I1. A slot is accessed in one piece of 16 bytes; what reads a part of it only filters (`arch`).
//! - I2. A table stays allocated as long as its map, at one address, with the lines that its word states. It is
//!   put aside after it was unlinked and the guards of that moment have ended; from then on its header is read
//!   and written only by who takes it again, and its lines hold zeros when they are used again.
//! - I3. A line behind a link is retired after its home line's unit was born in the next table, or by who has exchanged the link for vacant; that is
//!   done when nobody is counted in it, and so nobody is behind or about to be. A frozen link is followed only by who has,
//!   under his guard, seen the unit unborn: then it is retired later than the guard began. Any other link is followed by who has read it under his guard.
//! - I4. Memory of a table is allocated and freed with the layout that its word and its scale state, or is a place of so
//!   many bytes in an arena, which is one piece of memory from the first place to the end of the map. A header stands before the first line.
//! - I5. A line to which a move leads goes from zero to its content once, last slot last. Nobody exchanges a slot of a
//!   line that is not born, but movers; nobody that of a copy, before a word leads to it.
//! - I6. Who pins after a table has begun to be left does not write to it.
//!
//! # Orderings
//! W1 lines, births, and what a writer did before; W2 a claim and its owner's look at the others (store, then load);
//! W3 tables and pins; W4 the count of moves against lines that are used again; W5 tables out of use. T5 is the
//! completion of a move.
#![expect(
    unsafe_code,
    reason = "owns the raw memory of tables; every block argues by I1 to I6"
)]

mod arena;
mod chain;
mod copying;
mod directory;
mod freezing;
mod home;
mod line;
mod moving;
mod pair;
mod spares;
mod store;
mod unit;

pub(crate) use copying::{COPY_SIZES, copy, discard, retire_lines};
pub(crate) use directory::{Directory, SHARDS, rest, shard};
#[cfg(test)]
pub(crate) use freezing::Finality;
#[cfg(all(test, loom))]
pub(crate) use freezing::freeze;
pub(crate) use home::put_aside;
pub(crate) use line::{Line, SLOTS};
pub(crate) use moving::Move;
pub(crate) use pair::{Pair, REST_BITS, Slot};
pub(crate) use store::{Leaving, MAX_SIZE, MIN_SIZE, Scale, Table};
