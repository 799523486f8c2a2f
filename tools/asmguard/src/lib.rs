//! Puts the machine code of a crate's atomics under contract and under version control.
//!
//! A crate of *probes* holds one small function for each operation, width and ordering. Their names
//! say what they are ([`Probe`]). Two readers ([`read`]) find their code in what the compiler wrote;
//! [`Code`] is that code without what differs between two builds of the same source; [`Class`]
//! says what an instruction means for ordering and cost. A probe is then held against
//!
//! - the **contract**: the row of the C/C++11 mapping table ([`mapping`]) for its operation and
//!   orderings, or a rule that was written for it ([`Rules`]). The row is closed: what it does not
//!   allow is an error, so code is neither weaker nor stronger than what was asked for;
//! - the **snapshot** ([`Snapshots`]): the text itself, exactly, with the compiler that recorded it.
//!
//! [`Report`] says what came of it: as text, JSON, annotations for a hosted runner, Markdown.
//!
//! Not for: object formats other than ELF, instruction sets other than `x86_64` and `aarch64`, and
//! the order in which plain accesses stand around an atomic one, which the snapshot alone shows.

mod class;
mod contract;
mod error;
mod header;
mod judge;
mod machine;
pub mod mapping;
mod normal;
mod probe;
pub mod read;
mod report;
mod rules;
mod snapshot;

pub use class::{Class, Counts, Hit, Strength, classify};
pub use contract::{Allowed, Bound, Expectation};
pub use error::GuardError;
pub use header::Header;
pub use judge::{Probes, Variant, expectation, judge};
pub use machine::{Isa, Machine};
pub use normal::{Code, Line};
pub use probe::{Access, Kind, Op, Order, Probe, Set, distinct};
pub use report::{Change, Group, Recording, Report, Verdict};
pub use rules::{Rule, Rules};
pub use snapshot::{HEADER, Snapshots};
