//! Maps whose shards have nodes: every page of every table is on the node of its shard, whoever filled it, and entries
//! are counted. What the crate reads back is compared with what the kernel tells the test.
#![expect(clippy::print_stdout, reason = "a test tells what the kernel refuses")]
#![expect(unsafe_code, reason = "asks the kernel directly")]

use super::applied::{apart, elsewhere, here, page_bytes, plan, refuses};
use atomshard::shard::{Node, Part, Place, Span, Spans};
use atomshard::topology::{
    Degradation, FoundMap, Machine, Memory, Outcome, Placement, Plan, Policy,
};
use atomshard::{ShardMap, WordMap};
use core::ptr::{null, without_provenance};
use std::collections::{BTreeMap, BTreeSet};

const SHARDS: usize = 32;
/// Few, since in an emulated machine each takes its time.
const KEYS: u64 = 3000;
/// Room that takes a shard's table several pages.
const ROOM: usize = 10_000;

/// What the tests do with a map of either kind.
trait Map: Spans + Sync {
    fn placed(place: &impl Place) -> Self;
    fn put(&self, key: u64);
    fn take(&self, key: u64);
    fn has(&self, key: u64) -> bool;
    fn reserve(&self, room: usize);
    fn shrink(&self);
}

/// What an entry has, so that most of the memory of entries is mapped and not the allocator's.
type Value = [u64; 250];

impl Map for ShardMap<u64, Value> {
    fn placed(place: &impl Place) -> Self {
        ShardMap::builder().placement(place).build()
    }
    fn put(&self, key: u64) {
        assert!(self.pin().insert(key, [key; 250]).is_none());
    }
    fn take(&self, key: u64) {
        assert_eq!(self.pin().remove(&key), Some(&[key; 250]));
    }
    fn has(&self, key: u64) -> bool {
        self.pin().get(&key) == Some(&[key; 250])
    }
    fn reserve(&self, room: usize) {
        self.pin().reserve(room);
    }
    fn shrink(&self) {
        self.pin().shrink_to_fit();
    }
}

impl Map for WordMap<u64, u64> {
    fn placed(place: &impl Place) -> Self {
        WordMap::builder().placement(place).build()
    }
    fn put(&self, key: u64) {
        assert_eq!(WordMap::insert(self, key, key), None);
    }
    fn take(&self, key: u64) {
        assert_eq!(WordMap::remove(self, key), Some(key));
    }
    fn has(&self, key: u64) -> bool {
        self.get(key) == Some(key)
    }
    fn reserve(&self, room: usize) {
        WordMap::reserve(self, room);
    }
    fn shrink(&self) {
        self.shrink_to_fit();
    }
}

/// A plan that has a shard on each node with a thread and memory, at least.
fn spread(machine: &Machine) -> Plan {
    plan(machine, Placement::new(Policy::Spread))
}

/// The pages that a piece of memory has a part of.
fn pages(span: &Span) -> impl Iterator<Item = usize> + use<> {
    let page = page_bytes();
    (span.start / page..=(span.start + span.bytes - 1) / page).map(move |number| number * page)
}

/// The node of each page, by the kernel; none, if it is not there.
fn nodes(pages: &[usize]) -> Vec<Option<usize>> {
    let addresses: Vec<*const u8> = pages.iter().map(|page| without_provenance(*page)).collect();
    let mut status = vec![i32::MIN; pages.len()];
    let none: *const i32 = null();
    // SAFETY: the kernel reads so many addresses and writes as many numbers.
    let result = unsafe {
        libc::syscall(
            libc::SYS_move_pages,
            0,
            pages.len(),
            addresses.as_ptr(),
            none,
            status.as_mut_ptr(),
            0,
        )
    };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    let is_absent = |status: i32| [libc::ENOENT, libc::EFAULT].contains(&-status);
    let node = |status: i32| {
        let node = (!is_absent(status)).then_some(status);
        node.map(|node| usize::try_from(node).expect("a node"))
    };
    status.into_iter().map(node).collect()
}

/// Asks the kernel of every page of every table whether it is on its shard's node; how many are there, and how many not.
fn each_table_is_on_its_node(plan: &Plan, map: &impl Spans) -> (usize, usize) {
    let (mut there, mut absent) = (0, 0);
    let mut shards = BTreeSet::new();
    map.each_span(&mut |span| {
        if span.part != Part::Table {
            return;
        }
        let shard = span.shard.expect("a table of a placed map is a shard's");
        assert_eq!(span.start % page_bytes(), 0, "a table has pages of its own");
        shards.insert(shard);
        let planned = plan.shards()[shard % plan.shards().len()];
        let pages: Vec<usize> = pages(span).collect();
        for (page, node) in nodes(&pages).into_iter().enumerate() {
            match node {
                None => absent += 1,
                Some(node) => {
                    assert_eq!(node, planned, "page {page} of a table of shard {shard}");
                    there += 1;
                }
            }
        }
    });
    assert_eq!(shards, (0..SHARDS).collect());
    (there, absent)
}

/// Reads back, and compares with the kernel's answers.
fn verified(plan: &Plan, memory: Memory, map: &impl Spans) -> FoundMap {
    let outcome = plan.verify_map(memory, map);
    assert!(outcome.is_applied(), "{memory}: {outcome}");
    let found = outcome.found().clone();
    let (there, absent) = each_table_is_on_its_node(plan, map);
    assert_eq!(found.tables.pages, there + absent);
    assert_eq!(found.tables.nodes.values().sum::<usize>(), there);
    assert_eq!(
        (found.tables.untouched, found.tables.misplaced),
        (absent, 0)
    );
    found
}

/// Whether this kernel refuses to place; then it is told.
fn is_refused(memory: Memory) -> bool {
    let refused = refuses(memory);
    if let Some(errno) = refused {
        println!("{memory}: the kernel answers {errno}");
    }
    refused.is_some()
}

/// One thread on one CPU fills and empties the map, so that its node alone would be touched.
fn tables_stay_on_their_nodes<M: Map>() {
    for memory in [Memory::Preferred, Memory::Bind] {
        if is_refused(memory) {
            continue;
        }
        let plan = spread(&here());
        let map = match memory {
            Memory::Bind => M::placed(&plan.bound()),
            _ => M::placed(&plan),
        };
        apart(|| {
            assert!(plan.pin(0).is_applied());
            let begun = verified(&plan, memory, &map);
            assert_eq!((begun.tables.pages, begun.entries.pages), (SHARDS, 0));
            let rounds = if memory == Memory::Bind { 1 } else { 2 };
            for round in 0..rounds {
                (0..KEYS).for_each(|key| map.put(key));
                verified(&plan, memory, &map);
                // Small tables are copied at once, larger ones moved in steps.
                map.reserve(ROOM);
                verified(&plan, memory, &map);
                map.reserve(3 * ROOM);
                let grown = verified(&plan, memory, &map);
                let (pages, on) = (grown.tables.pages, &grown.tables.nodes);
                println!("{memory}: {pages} pages of tables by node: {on:?}");
                assert!(pages >= 3 * SHARDS, "{pages}");
                let planned: BTreeSet<usize> = plan.shards().iter().copied().collect();
                assert_eq!(on.keys().copied().collect::<BTreeSet<_>>(), planned);
                assert!((0..KEYS).all(|key| map.has(key)), "round {round}");
                (0..KEYS).for_each(|key| map.take(key));
                map.shrink();
                let shrunk = verified(&plan, memory, &map);
                assert!(shrunk.tables.pages < pages, "{}", shrunk.tables.pages);
            }
        });
    }
}

#[test]
fn tables_of_shard_map_stay_on_their_nodes() {
    tables_stay_on_their_nodes::<ShardMap<u64, Value>>();
}

#[test]
fn tables_of_word_map_stay_on_their_nodes() {
    tables_stay_on_their_nodes::<WordMap<u64, u64>>();
}

/// Every page that an entry has a part of is counted once; that many of eight are on the node of the thread that inserted
/// them. Small chunks come from the allocator, which may have had them of another thread.
fn entries_are_counted<M: Map>(least_pages: usize, near_of_8: usize) {
    let memory = Memory::Preferred;
    if is_refused(memory) {
        return;
    }
    let machine = here();
    let plan = spread(&machine);
    let mut seen = BTreeSet::new();
    for (thread, (&cpu, &node)) in plan.threads().iter().zip(plan.shards()).enumerate() {
        let is_local = machine.pu(cpu).is_some_and(|pu| pu.node == node);
        if !is_local || !seen.insert(node) {
            continue;
        }
        let map = M::placed(&plan);
        let found = apart(|| {
            assert!(plan.pin(thread).is_applied());
            (0..KEYS).for_each(|key| map.put(key));
            verified(&plan, memory, &map).entries
        });
        let mut of_entries = BTreeSet::new();
        map.each_span(&mut |span| {
            if span.part == Part::Entry {
                of_entries.extend(pages(span));
            }
        });
        let of_entries: Vec<usize> = of_entries.into_iter().collect();
        let mut by_node = BTreeMap::new();
        for node in nodes(&of_entries) {
            *by_node.entry(node.expect("written")).or_insert(0) += 1;
        }
        println!("node {node}: entries by node: {:?}", found.nodes);
        assert_eq!((found.pages, &found.nodes), (of_entries.len(), &by_node));
        assert!(found.pages >= least_pages, "{}", found.pages);
        let near = found.nodes.get(&node).copied().unwrap_or(0);
        assert!(near * 8 >= found.pages * near_of_8, "{found:?}");
    }
}

#[test]
fn entries_of_shard_map_are_counted() {
    let keys = usize::try_from(KEYS).expect("few");
    entries_are_counted::<ShardMap<u64, Value>>(keys * size_of::<Value>() / page_bytes(), 6);
}

/// All of them are in small chunks.
#[test]
fn lines_behind_links_of_word_map_are_counted() {
    entries_are_counted::<WordMap<u64, u64>>(1, 0);
}

/// The values that a look-up hands out are in the pages that are counted.
#[test]
fn each_value_is_in_a_page_that_is_counted() {
    let map: ShardMap<u64, Value> = ShardMap::new();
    (0..KEYS).for_each(|key| map.put(key));
    let mut counted = BTreeSet::new();
    map.each_span(&mut |span| counted.extend(pages(span)));
    let map = map.pin();
    let mut values = map.iter().map(|(_, value)| value.as_ptr().addr());
    assert!(values.all(|at| counted.contains(&(at / page_bytes() * page_bytes()))));
}

/// A young map has one table for all shards, in memory that it shares with others.
#[test]
fn a_map_without_a_placement_is_found_out() {
    let plan = spread(&here());
    let map: ShardMap<u64, u64> = ShardMap::new();
    assert!(
        plan.verify_map(Memory::Preferred, &map).is_applied(),
        "it has no memory"
    );
    map.pin().insert(1, 1);
    let words: WordMap<u64, u64> = WordMap::new();
    words.insert(1, 1);
    let refused = is_refused(Memory::Preferred);
    for outcome in [
        plan.verify_map(Memory::Preferred, &map),
        plan.verify_map(Memory::Preferred, &words),
    ] {
        let Outcome::Degraded { why, remedy, found } = outcome else {
            panic!("{outcome:?}");
        };
        // Of 192 bytes.
        assert!((1..=2).contains(&found.tables.pages));
        assert_eq!(matches!(why, Degradation::Refused(_)), refused, "{why}");
        let is_other = matches!(why, Degradation::OtherPolicy { .. });
        assert!(
            refused || is_other && remedy.starts_with("build the map"),
            "{why}: {remedy}"
        );
    }
}

/// The policy that was asked for is not the one that is verified.
#[test]
fn a_map_that_prefers_is_not_bound() {
    if is_refused(Memory::Preferred) {
        return;
    }
    let plan = spread(&here());
    let map = <WordMap<u64, u64> as Map>::placed(&plan);
    let outcome = plan.verify_map(Memory::Bind, &map);
    let Outcome::Degraded { why, remedy, .. } = outcome else {
        panic!("{outcome:?}");
    };
    let found = matches!(
        &why,
        Degradation::OtherPolicy {
            found: (Some(Memory::Preferred), _),
            ..
        }
    );
    assert!(
        found && remedy.starts_with("build the map"),
        "{why}: {remedy}"
    );
}

/// Entries that are where no shard is are misplaced, also if all tables are right.
#[test]
fn entries_on_a_node_of_no_shard_are_misplaced() {
    let machine = here();
    let all = spread(&machine);
    let near = |pu: usize| machine.pu(pu).map(|pu| pu.node);
    let first = all.shards()[0];
    let other = (0..all.threads().len()).find(|&thread| {
        let node = near(all.threads()[thread]);
        node == Some(all.shards()[thread]) && node != Some(first)
    });
    let Some(other) = other.filter(|_| !is_refused(Memory::Preferred)) else {
        return println!("needs two nodes with CPUs and memory, and leave to place");
    };
    let one = plan(&machine, Placement::new(Policy::Spread).threads(1));
    assert_eq!(one.shards(), [first]);
    let map = <ShardMap<u64, Value> as Map>::placed(&one);
    apart(|| {
        assert!(all.pin(other).is_applied());
        (0..KEYS).for_each(|key| map.put(key));
    });
    let outcome = one.verify_map(Memory::Preferred, &map);
    let Outcome::Degraded { why, remedy, found } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(matches!(why, Degradation::Misplaced { .. }), "{why}");
    assert!(
        remedy.starts_with("insert by threads that are pinned"),
        "{remedy}"
    );
    assert_eq!(found.tables.misplaced, 0);
    assert!(
        found.entries.misplaced * 8 >= found.entries.pages * 4,
        "{found:?}"
    );
}

/// What is not here is refused; the map works, and the refusal is told.
#[test]
fn a_map_on_a_node_that_is_not_here_works() {
    for number in [63, 1000, 1024, 40_000] {
        let plan = elsewhere(number);
        let map = <ShardMap<u64, Value> as Map>::placed(&plan.bound());
        let words = <WordMap<u64, u64> as Map>::placed(&plan);
        (0..500).for_each(|key| {
            map.put(key);
            words.put(key);
        });
        assert!((0..500).all(|key| map.has(key) && words.has(key)));
        for outcome in [
            plan.verify_map(Memory::Bind, &map),
            plan.verify_map(Memory::Preferred, &words),
        ] {
            let Outcome::Degraded { why, remedy, .. } = outcome else {
                panic!("node {number}: {outcome:?}");
            };
            println!("node {number}: {why}: {remedy}");
            if number >= 1024 {
                // No set that the kernel takes has the number, so it was not asked.
                assert_eq!(why, Degradation::NoSuchNumber { number });
                assert_eq!(remedy, "plan again for this machine");
                continue;
            }
            let Degradation::Refused(why) = why else {
                panic!("node {number}: {why}");
            };
            let errno = why.errno;
            assert_eq!(errno, refuses(Memory::Bind).or(Some(libc::EINVAL)));
            assert!(remedy.contains("plan again") || errno != Some(libc::EINVAL));
        }
    }
}

/// Each table is read by itself, and what is told is the sum.
#[test]
fn misplaced_pages_are_told_of_all_tables_together() {
    if is_refused(Memory::FirstTouch) {
        return;
    }
    let plan = elsewhere(63);
    let words: WordMap<u64, u64> = WordMap::new();
    (0..KEYS).for_each(|key| words.put(key));
    let Outcome::Degraded { why, found, .. } = plan.verify_map(Memory::FirstTouch, &words) else {
        panic!("nothing lies on node 63");
    };
    let (pages, planned) = (found.tables.misplaced, [63].into_iter().collect());
    assert!(pages >= SHARDS, "{pages}");
    assert_eq!(why, Degradation::Misplaced { pages, planned });
}

#[test]
fn a_plan_is_a_place_round_after_round() {
    let machine = Machine::of_synthetic("numa:3 pu:1").expect("a machine");
    let plan = plan(&machine, Placement::new(Policy::Compact));
    assert_eq!(plan.shards(), [0, 1, 2]);
    let nodes = [0, 2, 3, 31].map(|shard| (plan.node(shard), plan.bound().node(shard)));
    let expected = [0, 2, 0, 1];
    assert_eq!(
        nodes,
        expected.map(|node| (Some(Node::Preferred(node)), Some(Node::Bound(node))))
    );
}

/// As without a placement.
#[test]
fn more_room_than_there_is_panics_as_always() {
    let plan = spread(&here());
    let map = std::panic::catch_unwind(|| {
        let builder = ShardMap::<u64, u64>::builder();
        builder.placement(&plan).capacity(usize::MAX).build().len()
    });
    let words = std::panic::catch_unwind(|| {
        let builder = WordMap::<u64, u64>::builder();
        builder.placement(&plan).capacity(usize::MAX).build().len()
    });
    for panic in [map, words] {
        let panic = panic.expect_err("it does not fit");
        let says = panic.downcast::<String>().expect("a message");
        assert!(says.ends_with("exceeds the address space"), "{says}");
    }
}

/// Room that is made at once is made where it is to be.
#[test]
fn room_is_made_on_the_nodes() {
    if is_refused(Memory::Preferred) {
        return;
    }
    let plan = spread(&here());
    let map = ShardMap::<u64, Value>::builder();
    let map = map.placement(&plan).capacity(ROOM).build();
    let words = WordMap::<u64, u64>::builder();
    let words = words.placement(&plan).capacity(ROOM).build();
    let of_map = verified(&plan, Memory::Preferred, &map).tables.pages;
    let of_words = verified(&plan, Memory::Preferred, &words).tables.pages;
    assert!(of_map > 2 * SHARDS && of_words > 2 * SHARDS);
    // It is not made once more.
    let capacities = (map.capacity(), words.capacity());
    assert!(capacities.0 >= ROOM && capacities.1 >= ROOM);
    (0..KEYS).for_each(|key| {
        map.put(key);
        words.put(key);
    });
    assert_eq!((map.capacity(), words.capacity()), capacities);
}
