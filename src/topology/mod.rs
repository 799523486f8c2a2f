//! Side branch: what the machine looks like, and which CPU and NUMA node should take what.
//!
//! ```text
//! sysfs, procfs --+
//! a copied tree --+
//! hwloc, its XML -+--> Machine --+
//! "pack:2 core:4"-+              +--> Placement::plan --> Plan { threads: CPUs, shards: nodes }
//!                     Policy ----+                                |
//!                                       pin, place: the kernel <--+--> read back: Outcome
//! ```
//!
//! | item | what |
//! |---|---|
//! | [`Machine`] | packages, NUMA nodes, L3 groups, cores, PUs; what the process may use of them |
//! | [`CpuSet`] | a set of CPU numbers; text in the kernel's list format, `0-3,8` |
//! | [`Policy`] | in which order CPUs take threads |
//! | [`Placement`] | a policy, how many threads and shards, what to leave free |
//! | [`Plan`] | the CPU of each thread, the node of each shard |
//! | [`NodePart`] | the threads and the shards of one node |
//! | [`Cost`] | how far threads are from shards, and what they share |
//! | [`Memory`] | on which node the kernel takes memory for a block |
//! | [`Bound`] | a plan whose shards lie on their nodes or nowhere |
//! | [`Outcome`] | what came of pinning and placing, as it was read back |
//! | [`Budget`] | the CPUs split among named pools, and the settings for each |
//!
//! Only `sysfs`, `cgroup` and hwloc's library read files, and only `apply`, `map` and `memory` make another system call: by
//! [`Plan::pin`], [`Plan::place`] and `verify_`. A plan is made for any machine on any machine, and is a proposal until
//! then. No map knows of it: a plan is a [`Place`](crate::shard::Place), of which maps take the
//! [nodes](crate::shard::Node) of their shards.
//!
//! *Errors*: what cannot be understood is a [`TopologyError`](crate::TopologyError) with the place, what
//! cannot be planned a [`PlanError`](crate::PlanError). No input panics.

mod apply;
mod budget;
mod cgroup;
mod cost;
mod cpu_set;
#[cfg(feature = "hwloc")]
mod hwloc;
mod machine;
mod map;
mod memory;
mod outcome;
mod parts;
mod plan;
mod policy;
#[cfg(feature = "serde")]
mod serde;
mod synthetic;
mod sysfs;
mod xml;

pub use budget::{Budget, Share};
pub use cost::Cost;
pub use cpu_set::CpuSet;
pub use machine::{Machine, NumaNode, ProcessingUnit, Quota};
pub use map::Bound;
pub use memory::Memory;
pub use outcome::{Degradation, FoundMap, FoundPages, FoundThread, Outcome};
pub use plan::{NodePart, Placement, Plan};
pub use policy::Policy;
