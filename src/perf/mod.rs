//! Side branch: what the CPU and the kernel count of each thread, and why not where they do not.
//!
//! ```text
//! events.toml ---+
//! rows of yours -+--> Table --+
//!                             +--> Plan --> groups, one run of the workload for each
//! sysfs, procfs ------> Host -+     |         each thread: pinned, open, count --> values
//!                                   |                                               |
//!                                   +--> roles that cannot be counted, why --> Tally: per thread,
//!                                                                              per operation
//! ```
//!
//! | item | what |
//! |---|---|
//! | [`Role`] | what is to be counted: `local_hitm`, `locked_ops`, `context_switches` |
//! | [`Table`] | the event of each role by CPU, with its source and what it counts beside it |
//! | [`Host`] | the CPU, its counting unit, what the kernel allows; plain data |
//! | [`Plan`] | the events for some roles on a host, in groups that fit the counters |
//! | [`ThreadGroup`] | one group of one thread, over [`Kernel`] or another [`System`] |
//! | [`Value`] | [`Measured`], or [`Unavailable`] with the reason and a remedy; never 0 for "not counted" |
//! | [`Tally`] | the values of all threads and runs |
//!
//! ```
//! use atomshard::perf::{Host, Kernel, Plan, Role, Table, Tally, Value};
//!
//! let host = Host::here(0);
//! let roles = [Role::Instructions, Role::LocalHitm, Role::Faults];
//! let plan = Plan::new(&Table::shipped(), &host, &roles, 4);
//! let mut tally = Tally::new(&plan);
//! for group in plan.groups() {
//!     // In each worker, after it was pinned:
//!     let mut counters = group.open(&Kernel, &host);
//!     let (sum, values) = counters.count(|| (0..1_000_u64).sum::<u64>());
//!     assert_eq!(sum, 499_500);
//!     tally.record(0, 1_000, values);
//! }
//! for role in roles {
//!     match tally.total(role) {
//!         Value::Measured(measured) => println!("{role}: {}", measured.count),
//!         Value::Unavailable(why) => println!("{role}: {why}"),
//!     }
//! }
//! ```
//!
//! Groups are not multiplexed: events that do not fit together are counted in runs of their own. Where the
//! kernel shares the hardware with others all the same, a value is scaled, says so, and below nine tenths
//! of the time no ratio is made of it.
//!
//! *Not for*: telling false sharing from true sharing. No counter does; a control layout can.
//!
//! *Source*: perf_event_open(2); the event files of the Linux kernel, named by each row.

mod event;
mod group;
mod host;
mod kernel;
mod parse;
mod plan;
mod role;
mod table;
mod tally;
mod value;

pub use event::{Attr, Encoding, Layout};
pub use group::{Members, Reading, System, ThreadGroup};
pub use host::{Cpu, Host, Pmu};
pub use kernel::{Kernel, KernelGroup};
pub use plan::{GroupPlan, Plan};
pub use role::Role;
pub use table::{Entry, Row, Table};
pub use tally::{Sample, Tally};
pub use value::{Measured, Reason, Unavailable, Value};
