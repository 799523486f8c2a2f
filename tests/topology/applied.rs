//! Plans applied on this machine, and what is read back: against the kernel's own account of threads, and on memory
//! whose pages are touched one by one.
#![expect(clippy::print_stdout, reason = "a test tells what the kernel refuses")]
#![expect(unsafe_code, reason = "maps memory, and asks the kernel directly")]

use atomshard::topology::{
    CpuSet, Degradation, FoundPages, FoundThread, Machine, Memory, Outcome, Placement, Plan, Policy,
};
use core::ptr::{null, null_mut};
use std::collections::BTreeMap;
use std::io;
use std::thread;

/// Every memory policy.
const ALL: [Memory; 5] = [
    Memory::FirstTouch,
    Memory::Preferred,
    Memory::Bind,
    Memory::Interleave,
    Memory::Weighted,
];

pub(super) fn here() -> Machine {
    Machine::here().expect("this Linux shows its machine")
}

pub(super) fn plan(machine: &Machine, placement: Placement) -> Plan {
    placement.plan(machine).expect("a plan")
}

/// The plan of one thread on the CPU of this number and of one shard on the node of this number, whether they
/// are here or not.
pub(super) fn elsewhere(number: usize) -> Plan {
    let text = format!("numa:{} pu:1", number + 1);
    let machine = Machine::of_synthetic(&text).expect("a machine");
    let plan = plan(&machine, Placement::new(Policy::List(vec![number])));
    assert_eq!(
        (plan.threads(), plan.shards()),
        (&[number][..], &[number][..])
    );
    plan
}

/// Runs it in a thread of its own: pins end with their thread.
pub(super) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let result = thread::scope(|scope| scope.spawn(work).join());
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What the kernel's file says of the calling thread.
fn allowed_of_status() -> CpuSet {
    let status = std::fs::read_to_string("/proc/thread-self/status").expect("it is there");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    line.expect("the line").parse().expect("a list")
}

/// Bytes of a page.
pub(super) fn page_bytes() -> usize {
    // SAFETY: `sysconf` touches no memory of ours.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).expect("a size")
}

/// A mapping of its own.
pub(super) struct Block {
    start: *mut u8,
    bytes: usize,
}

// SAFETY: the bytes are reached through this value alone, and the tests' threads use it one after the other.
unsafe impl Sync for Block {}

impl Block {
    pub(super) fn of_pages(pages: usize) -> Self {
        let bytes = pages * page_bytes();
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a mapping at an address of the kernel's choice takes the place of no other.
        let start = unsafe { libc::mmap(null_mut(), bytes, protection, flags, -1, 0) };
        assert_ne!(start, libc::MAP_FAILED);
        let start = start.cast();
        Self { start, bytes }
    }

    /// Bytes `from` to `to`.
    fn part(&self, from: usize, to: usize) -> *const [u8] {
        assert!(from <= to && to <= self.bytes);
        core::ptr::slice_from_raw_parts(self.start.wrapping_add(from), to - from)
    }

    pub(super) fn whole(&self) -> *const [u8] {
        self.part(0, self.bytes)
    }

    /// Writes to the first pages, as many as asked for.
    pub(super) fn write(&self, pages: usize) {
        for page in 0..pages {
            assert!(page * page_bytes() < self.bytes);
            // SAFETY: the page is in the mapping, which nobody else uses.
            unsafe {
                self.start
                    .wrapping_add(page * page_bytes())
                    .write_volatile(1);
            };
        }
    }

    /// Reads a page.
    fn read(&self, page: usize) -> u8 {
        assert!(page * page_bytes() < self.bytes);
        // SAFETY: the page is in the mapping, which is initialised: the kernel gives zeros.
        unsafe { self.start.wrapping_add(page * page_bytes()).read_volatile() }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nobody uses it from now on.
        let result = unsafe { libc::munmap(self.start.cast(), self.bytes) };
        assert_eq!(result, 0);
    }
}

/// The error of the system call that this kernel refuses, of those that place memory: asked directly.
pub(super) fn refuses(memory: Memory) -> Option<i32> {
    let block = Block::of_pages(1);
    let last = |result: libc::c_long| {
        let error = io::Error::last_os_error();
        (result != 0).then(|| error.raw_os_error().expect("a number"))
    };
    let none: *const u64 = null();
    let [default, no_flag, no_bits] = [0_usize; 3];
    // SAFETY: the kernel reads no node, and changes how it backs a mapping that is ours.
    let bound = last(unsafe {
        libc::syscall(
            libc::SYS_mbind,
            block.start,
            block.bytes,
            default,
            none,
            no_bits,
            no_flag,
        )
    });
    let mut status = 0_i32;
    // SAFETY: the kernel reads one address and writes one number.
    let asked = last(unsafe {
        libc::syscall(
            libc::SYS_move_pages,
            0,
            1_usize,
            &raw const block.start,
            none,
            &raw mut status,
            0,
        )
    });
    // What a first touch came to is asked, and nothing else.
    let bound = bound.filter(|_| memory != Memory::FirstTouch);
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("it is there");
    let mut numbers = release.split(['.', '-']).map(str::parse::<u32>);
    let mut next = || numbers.next().and_then(Result::ok).unwrap_or(0);
    let is_old = (next(), next()) < (6, 9);
    let weighted = (memory == Memory::Weighted && is_old).then_some(libc::EINVAL);
    bound.or(weighted).or(asked)
}

/// What was found; `None` where this kernel refuses such calls, and then the outcome says so.
fn applied(memory: Memory, outcome: Outcome<FoundPages>) -> Option<FoundPages> {
    let Some(errno) = refuses(memory) else {
        assert!(outcome.is_applied(), "{memory}: {outcome}");
        return Some(outcome.found().clone());
    };
    match outcome {
        Outcome::Degraded {
            why: Degradation::Refused(why),
            remedy,
            ..
        } if why.errno == Some(errno) => {
            println!("{memory}: {why}: {remedy}");
            None
        }
        other => panic!("{memory}: the kernel answers {errno}: {other:?}"),
    }
}

#[test]
fn pinned_threads_are_where_the_plan_says() {
    let machine = here();
    for policy in [Policy::Compact, Policy::Spread] {
        let plan = plan(&machine, Placement::new(policy));
        assert!(!plan.threads().is_empty());
        for (thread, &cpu) in plan.threads().iter().enumerate() {
            let check = |outcome: Outcome<FoundThread>| {
                assert!(outcome.is_applied(), "{outcome}");
                let found = outcome.found();
                assert_eq!(found.allowed, CpuSet::from_iter([cpu]));
                assert_eq!(found.cpu, Some(cpu));
                assert_eq!(found.node, machine.pu(cpu).map(|pu| pu.node));
            };
            apart(|| {
                check(plan.pin(thread));
                assert_eq!(allowed_of_status(), CpuSet::from_iter([cpu]));
                check(plan.verify_pin(thread));
            });
        }
    }
}

#[test]
fn a_thread_on_another_cpu_is_found_out() {
    let machine = here();
    let plan = plan(&machine, Placement::new(Policy::Compact));
    let cpu = plan.threads()[0];
    let other = elsewhere(cpu + 1);
    let outcome = apart(|| {
        assert!(plan.pin(0).is_applied());
        other.verify_pin(0)
    });
    let Outcome::Degraded { why, remedy, found } = outcome else {
        panic!("{outcome:?}");
    };
    let allowed = CpuSet::from_iter([cpu]);
    let expected = Degradation::Elsewhere {
        planned: cpu + 1,
        allowed: allowed.clone(),
    };
    assert_eq!(
        (why, found.allowed, found.cpu),
        (expected, allowed, Some(cpu))
    );
    assert!(remedy.starts_with("pin the thread"), "{remedy}");
}

/// A library's fixed mask would end the process, or pin to another CPU.
#[test]
fn cpus_that_are_not_here_are_refused_whatever_their_number() {
    let machine = here();
    let large = Machine::of_synthetic("pu:65536").expect("a machine");
    for cpu in [1023, 1024, 1500, 65_535] {
        assert!(machine.pu(cpu).is_none(), "this machine is large");
        let plan = plan(&large, Placement::new(Policy::List(vec![cpu])));
        let (before, outcome) = apart(|| (allowed_of_status(), plan.pin(0)));
        let Outcome::Degraded { why, remedy, found } = outcome else {
            panic!("CPU {cpu}: {outcome:?}");
        };
        let errno = match why {
            Degradation::Refused(why) => why.errno,
            other => panic!("CPU {cpu}: {other}"),
        };
        assert_eq!(errno, Some(libc::EINVAL), "CPU {cpu}");
        assert!(remedy.starts_with("plan again"), "{remedy}");
        // It runs where it did.
        assert_eq!(found.allowed, before);
        assert!(found.cpu.is_some_and(|cpu| before.contains(cpu)));
    }
}

#[cfg(feature = "serde")]
#[test]
fn numbers_that_no_set_holds_are_refused() {
    let number = 65_536_usize;
    let text = format!(r#"{{"policy":"compact","threads":[{number}],"shards":[{number},0]}}"#);
    let plan: Plan = serde_json::from_str(&text).expect("a plan");
    let block = Block::of_pages(1);
    let why = Degradation::NoSuchNumber { number };
    let says = "no system has a CPU or a node of number 65536: plan again for this machine";
    let pinned = plan.pin(0);
    assert_eq!(pinned.to_string(), says);
    assert!(matches!(pinned, Outcome::Degraded { why: it, .. } if it == why));
    assert_eq!(plan.place(0, Memory::Bind, block.whole()).to_string(), says);
    // Those that spread take the nodes of all shards.
    assert_eq!(
        plan.verify_place(1, Memory::Interleave, block.whole())
            .to_string(),
        says
    );
}

#[test]
fn what_is_not_in_the_plan_is_degraded() {
    let plan = plan(
        &here(),
        Placement::new(Policy::Compact).threads(1).shards(2),
    );
    let block = Block::of_pages(1);
    assert_eq!(
        plan.verify_pin(1).to_string(),
        "number 1 is asked for, the plan has 1: make a plan with as many"
    );
    assert_eq!(
        plan.place(2, Memory::Bind, block.whole()).to_string(),
        "number 2 is asked for, the plan has 2: make a plan with as many"
    );
}

#[test]
fn pages_are_on_the_planned_node_once_they_are_there() {
    const PAGES: usize = 1500; // Three batches, the last one not full.
    const WRITTEN: usize = 700;
    let machine = here();
    for memory in ALL {
        // A thread and a shard for each node with CPUs and memory: then each thread is on its shard's node.
        let plan = plan(&machine, Placement::new(Policy::Spread));
        let mut seen = CpuSet::new();
        for (shard, &node) in plan.shards().iter().enumerate() {
            let is_local = machine
                .pu(plan.threads()[shard])
                .is_some_and(|pu| pu.node == node);
            if !is_local && memory == Memory::FirstTouch || !seen.insert(node) {
                continue;
            }
            let block = Block::of_pages(PAGES);
            // Memory of one policy comes in small pages only.
            // SAFETY: advice for a mapping that is ours.
            unsafe { libc::madvise(block.start.cast(), block.bytes, libc::MADV_NOHUGEPAGE) };
            let placed = apart(|| plan.place(shard, memory, block.whole()));
            let Some(before) = applied(memory, placed) else {
                continue;
            };
            assert_eq!((before.pages, before.untouched), (PAGES, PAGES), "{memory}");
            assert!(before.nodes.is_empty());
            // A page that is only read is the kernel's page of zeros.
            assert_eq!(block.read(PAGES - 1), 0);
            apart(|| {
                assert!(plan.pin(shard).is_applied());
                block.write(WRITTEN);
            });
            let found = applied(memory, plan.verify_place(shard, memory, block.whole()));
            let found = found.expect("it was not refused before");
            let expected = match memory {
                Memory::Interleave | Memory::Weighted => found.nodes.clone(),
                _ => BTreeMap::from([(node, WRITTEN)]),
            };
            assert_eq!(found.nodes, expected, "{memory}");
            assert_eq!(found.nodes.values().sum::<usize>(), WRITTEN, "{memory}");
            assert_eq!(
                (found.untouched, found.unknown),
                (PAGES - WRITTEN, 0),
                "{memory}"
            );
            let planned: CpuSet = plan.shards().iter().copied().collect();
            if memory == Memory::Interleave {
                let on: CpuSet = found.nodes.keys().copied().collect();
                assert_eq!(on, planned);
                let (least, most) = (found.nodes.values().min(), found.nodes.values().max());
                assert!(most <= least.map(|least| least + 1).as_ref(), "{found:?}");
            }
        }
    }
}

#[test]
fn pages_that_are_there_move_to_the_planned_node() {
    const PAGES: usize = 20;
    let machine = here();
    let nodes = machine.allowed_nodes().len();
    let plan = plan(&machine, Placement::new(Policy::Spread));
    let block = Block::of_pages(PAGES);
    block.write(PAGES);
    for memory in [Memory::Preferred, Memory::Bind] {
        for (shard, &node) in plan.shards().iter().enumerate() {
            let Some(found) = applied(memory, plan.place(shard, memory, block.whole())) else {
                continue;
            };
            println!("{memory}, shard {shard} on node {node} of {nodes}");
            assert_eq!(found.nodes, BTreeMap::from([(node, PAGES)]));
        }
    }
    assert_eq!(block.read(PAGES - 1), 1);
}

#[test]
fn pages_on_another_node_are_misplaced() {
    const PAGES: usize = 3;
    let block = Block::of_pages(PAGES);
    block.write(PAGES - 1);
    let nowhere = elsewhere(1000);
    let outcome = nowhere.verify_place(0, Memory::FirstTouch, block.whole());
    if let Some(errno) = refuses(Memory::FirstTouch) {
        return println!("the kernel answers {errno}: {outcome}");
    }
    let Outcome::Degraded { why, remedy, found } = outcome else {
        panic!("{outcome:?}");
    };
    let planned = CpuSet::from_iter([1000]);
    let pages = PAGES - 1;
    assert_eq!(why, Degradation::Misplaced { pages, planned });
    assert_eq!(why.to_string(), "pages on other nodes than 1000: 2");
    assert!(remedy.contains("touch the pages first"), "{remedy}");
    assert_eq!((found.misplaced, found.untouched), (pages, 1));
    let on: CpuSet = found.nodes.keys().copied().collect();
    assert!(!on.is_empty() && on.is_subset(here().allowed_nodes()));
}

#[test]
fn a_node_that_is_not_here_is_refused_and_the_pages_stay() {
    let block = Block::of_pages(2);
    block.write(2);
    for node in [63, 1000, 40_000] {
        let plan = elsewhere(node);
        for memory in ALL
            .into_iter()
            .filter(|memory| *memory != Memory::FirstTouch)
        {
            let outcome = plan.place(0, memory, block.whole());
            let Outcome::Degraded { why, remedy, found } = &outcome else {
                panic!("{memory} on node {node}: {outcome:?}");
            };
            let Degradation::Refused(why) = why else {
                panic!("{memory} on node {node}: {why}");
            };
            let expected = refuses(memory).unwrap_or(libc::EINVAL);
            assert_eq!(why.errno, Some(expected), "{memory} on node {node}");
            assert!(!remedy.is_empty());
            if expected == libc::EINVAL {
                assert!(remedy.contains("plan again"), "{remedy}");
                assert_eq!(found.nodes.values().sum::<usize>(), 2);
            }
        }
    }
}

#[test]
fn another_policy_than_the_planned_one_is_found_out() {
    let plan = plan(&here(), Placement::new(Policy::Compact).shards(1));
    let block = Block::of_pages(1);
    let Some(_) = applied(
        Memory::Preferred,
        plan.place(0, Memory::Preferred, block.whole()),
    ) else {
        return;
    };
    let outcome = plan.verify_place(0, Memory::Bind, block.whole());
    let node = plan.shards()[0];
    let nodes = CpuSet::from_iter([node]);
    let expected = Degradation::OtherPolicy {
        planned: (Memory::Bind, nodes.clone()),
        found: (Some(Memory::Preferred), nodes),
    };
    assert!(
        matches!(&outcome, Outcome::Degraded { why, .. } if *why == expected),
        "{outcome:?}"
    );
    let fresh = Block::of_pages(1);
    let outcome = plan.verify_place(0, Memory::Bind, fresh.whole());
    let says = format!(
        "the kernel's policy for the block is another one over nodes [], planned is bind over [{node}]: plan again"
    );
    assert!(outcome.to_string().starts_with(&says), "{outcome}");
}

#[test]
fn pages_at_the_edges_are_left_alone() {
    let plan = plan(&here(), Placement::new(Policy::Compact).shards(1));
    let page = page_bytes();
    let block = Block::of_pages(4);
    block.write(4);
    let pages = |from, to| {
        let outcome = plan.verify_place(0, Memory::FirstTouch, block.part(from, to));
        (outcome.found().pages, outcome.to_string())
    };
    assert_eq!(pages(0, 4 * page).0, 4);
    assert_eq!(pages(1, 4 * page).0, 3);
    assert_eq!(pages(1, 4 * page - 1).0, 2);
    assert_eq!(pages(page, 2 * page).0, 1);
    for (from, to) in [(1, 2 * page - 1), (page, 2 * page - 1), (5, 5)] {
        let (count, says) = pages(from, to);
        assert_eq!(count, 0);
        let expected = format!("the block holds no whole page of {page} bytes: ");
        assert!(says.starts_with(&expected), "{says}");
    }
    // No block is as long as this; nothing overflows.
    let end = core::ptr::slice_from_raw_parts(null::<u8>().with_addr(usize::MAX), 9);
    assert_eq!(plan.place(0, Memory::Bind, end).found().pages, 0);
}
