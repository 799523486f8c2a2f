//! Plans, applied and verified: threads are pinned, memory gets its policy, and the kernel is asked what came of it.
//!
//! ```text
//! pin      sched_setaffinity { CPU }    then verify: sched_getaffinity = { CPU }, getcpu = CPU
//! place    mbind policy over nodes      then verify: get_mempolicy = policy over nodes,
//!                                                    move_pages: the node of each page
//! ```
//!
//! An answer of the kernel to a request is not believed: it leaves nodes and CPUs out of a set that a cpuset
//! forbids, and falls back where memory is short, without an error.

use super::CpuSet;
use super::memory::{Memory, Pages};
use super::outcome::{Degradation, FoundPages, FoundThread, Outcome};
use super::plan::Plan;
use crate::sys::Unavailable;
use crate::sys::placement::{self, CPU_WORDS};

impl Plan {
    /// Pins the calling thread to the CPU of the plan's thread `thread`, and reads back what came of it.
    ///
    /// - *Consistency*: of the moment. A cpuset that shrinks or a CPU that goes offline later moves the thread;
    ///   [`verify_pin`](Self::verify_pin) finds it out.
    /// - *Progress*: system calls; the first one waits until the thread has been moved.
    /// - *Cost*: three system calls, once for each thread. Allocates.
    /// - *Errors*: none; what was refused or came out otherwise is [`Outcome::Degraded`].
    /// - *Source*: `sched_setaffinity(2)`, `getcpu(2)`.
    ///
    /// Threads that this one starts later begin with its mask. [`Machine::here`](super::Machine::here) asks for the
    /// first thread's: make plans before that thread is pinned.
    ///
    /// ```
    /// use atomshard::topology::{Machine, Placement, Policy};
    ///
    /// let Ok(machine) = Machine::here() else { return };
    /// let plan = Placement::new(Policy::CoresFirst).plan(&machine).unwrap();
    /// std::thread::scope(|scope| {
    ///     for thread in 0..plan.threads().len() {
    ///         let plan = &plan;
    ///         scope.spawn(move || println!("thread {thread}: {}", plan.pin(thread)));
    ///     }
    /// });
    /// ```
    pub fn pin(&self, thread: usize) -> Outcome<FoundThread> {
        self.thread(thread, placement::set_affinity)
    }

    /// Whether the calling thread is where the plan has the thread `thread`. Changes nothing.
    ///
    /// - *Consistency*, *Progress*, *Errors*: as [`pin`](Self::pin).
    /// - *Cost*: two system calls. Allocates.
    pub fn verify_pin(&self, thread: usize) -> Outcome<FoundThread> {
        self.thread(thread, |_| Ok(()))
    }

    fn thread(
        &self,
        thread: usize,
        pin: impl FnOnce(&[u64]) -> Result<(), Unavailable>,
    ) -> Outcome<FoundThread> {
        let Some(&cpu) = self.threads.get(thread) else {
            let why = not_planned(thread, &self.threads);
            return Outcome::of_thread(Some(why), FoundThread::default());
        };
        let mut found = FoundThread::default();
        let planned = match set_of(&[cpu]) {
            Ok(planned) => planned,
            Err(why) => return Outcome::of_thread(Some(why), found),
        };
        let done = pin(planned.words());
        let read = read_thread(&mut found);
        let why = match done.and(read) {
            Err(why) => Some(Degradation::Refused(why)),
            Ok(()) if found.allowed == planned && found.cpu == Some(cpu) => None,
            Ok(()) => Some(Degradation::Elsewhere {
                planned: cpu,
                allowed: found.allowed.clone(),
            }),
        };
        Outcome::of_thread(why, found)
    }

    /// Gives the pages of a block the policy `memory` over the node of the plan's shard `shard` (those that spread:
    /// over the nodes of all shards), moves those that lie elsewhere, and reads back what came of it.
    ///
    /// Only pages that lie in the block as a whole are placed and counted; those at its edges are shared with
    /// others. The pointer is never followed, so any may be given: a reference, a vector's spare room, a
    /// mapping. It says nothing of pages that nobody has written to: [verify](Self::verify_place) them when they are
    /// full.
    ///
    /// - *Consistency*: of the moment. Automatic balancing (`kernel.numa_balancing`) leaves pages with a policy alone;
    ///   a change of `cpuset.mems` moves the policy, and perhaps the pages.
    /// - *Progress*: system calls. Pages are copied that have to move, and who uses them meanwhile waits.
    /// - *Cost*: one system call for each 512 pages, and two. Allocates.
    /// - *Errors*: none; what was refused or came out otherwise is [`Outcome::Degraded`].
    /// - *Source*: `mbind(2)` with `MPOL_MF_MOVE`, `get_mempolicy(2)`, `move_pages(2)`.
    ///
    /// The policy stays with the pages, also after the allocator has given them to somebody else. So place blocks that
    /// live as long as the program, or mappings of their own.
    ///
    /// ```
    /// use atomshard::topology::{Machine, Memory, Placement, Policy};
    ///
    /// let Ok(machine) = Machine::here() else { return };
    /// let plan = Placement::new(Policy::Spread).plan(&machine).unwrap();
    /// let mut block: Vec<u8> = Vec::with_capacity(1 << 20);
    /// let before = plan.place(0, Memory::Preferred, block.spare_capacity_mut());
    /// block.resize(block.capacity(), 1);
    /// let after = plan.verify_place(0, Memory::Preferred, &block[..]);
    /// println!("{before}; {after}, by node: {:?}", after.found().nodes);
    /// ```
    pub fn place<T>(&self, shard: usize, memory: Memory, block: *const [T]) -> Outcome<FoundPages> {
        self.block(shard, memory, block, Pages::set)
    }

    /// Whether the pages of a block are where [`place`](Self::place) with the same arguments puts them. Changes
    /// nothing.
    ///
    /// - *Consistency*, *Errors*: as [`place`](Self::place).
    /// - *Progress*: system calls.
    /// - *Cost*: one system call for each 512 pages, and one. Allocates.
    pub fn verify_place<T>(
        &self,
        shard: usize,
        memory: Memory,
        block: *const [T],
    ) -> Outcome<FoundPages> {
        self.block(shard, memory, block, |_, _, _| Ok(()))
    }

    fn block<T>(
        &self,
        shard: usize,
        memory: Memory,
        block: *const [T],
        set: impl FnOnce(&Pages, Memory, &CpuSet) -> Result<(), Unavailable>,
    ) -> Outcome<FoundPages> {
        let Some(node) = self.shards.get(shard..=shard) else {
            let why = not_planned(shard, &self.shards);
            return Outcome::of_memory(Some(why), FoundPages::default(), memory);
        };
        let planned = match set_of(if memory.is_spread() {
            &self.shards
        } else {
            node
        }) {
            Ok(planned) => planned,
            Err(why) => return Outcome::of_memory(Some(why), FoundPages::default(), memory),
        };
        let pages = Pages::of(block);
        let done = set(&pages, memory, &planned);
        let (why, found) = pages.read(memory, &planned, done);
        Outcome::of_memory(why, found, memory)
    }
}

/// Asks the kernel where the calling thread is.
fn read_thread(found: &mut FoundThread) -> Result<(), Unavailable> {
    let mut words = vec![0; CPU_WORDS];
    placement::affinity(&mut words)?;
    found.allowed = CpuSet::trimmed(words);
    let (cpu, node) = placement::cpu_and_node()?;
    (found.cpu, found.node) = (Some(cpu), Some(node));
    Ok(())
}

/// The set of these numbers, if a set can hold them.
pub(super) fn set_of(numbers: &[usize]) -> Result<CpuSet, Degradation> {
    match numbers.iter().find(|number| **number >= CpuSet::LIMIT) {
        Some(&number) => Err(Degradation::NoSuchNumber { number }),
        None => Ok(numbers.iter().copied().collect()),
    }
}

pub(super) fn not_planned(asked: usize, plan: &[usize]) -> Degradation {
    Degradation::NotPlanned {
        asked,
        planned: plan.len(),
    }
}
