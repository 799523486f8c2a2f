//! What holds of every plan, whatever the machine: properties, on machines of 1 to 4,096 CPUs.
use super::tree::{Cpu, Tree};
use atomshard::PlanError;
use atomshard::topology::{CpuSet, Machine, Placement, Plan, Policy};
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::sample::select;
use std::collections::BTreeMap;

/// Those whose shards follow the threads, round after round.
const FOLLOWING: [Policy; 5] = [
    Policy::Compact,
    Policy::Spread,
    Policy::PerNode,
    Policy::OnePerL3,
    Policy::CoresFirst,
];

/// Counts of packages, nodes in each, L3 groups in each, cores in each, PUs in each.
fn shape() -> impl Strategy<Value = [usize; 5]> {
    let small = (
        1..=3_usize,
        1..=3_usize,
        1..=3_usize,
        1..=6_usize,
        1..=3_usize,
    )
        .prop_map(|(packages, nodes, groups, cores, pus)| [packages, nodes, groups, cores, pus]);
    let flat = (1..=4_096_usize).prop_map(|cores| [1, 1, 1, cores, 1]);
    let large = Just([8, 2, 8, 16, 2]);
    prop_oneof![60 => small, 3 => flat, 1 => large]
}

fn described(shape: [usize; 5]) -> String {
    let [packages, nodes, groups, cores, pus] = shape;
    format!("pack:{packages} numa:{nodes} l3:{groups} core:{cores} pu:{pus}")
}

fn machine(text: &str) -> Machine {
    Machine::of_synthetic(text).expect("a machine")
}

/// The same machine without the CPUs at which `keep` says no; it is gone through again and again.
fn restricted(machine: Machine, keep: &[bool]) -> Machine {
    let pus = machine.pus().iter().zip(keep.iter().cycle());
    let kept: CpuSet = pus
        .filter(|(_, keep)| **keep)
        .map(|(pu, _)| pu.cpu)
        .collect();
    machine.with_allowed(&kept)
}

/// How many threads there are on each of these.
fn counts(keys: impl Iterator<Item = usize>, of: &[usize]) -> BTreeMap<usize, usize> {
    let mut counts: BTreeMap<usize, usize> = keys.map(|key| (key, 0)).collect();
    for key in of {
        *counts.get_mut(key).expect("a key that was listed") += 1;
    }
    counts
}

fn spread_of(counts: &BTreeMap<usize, usize>) -> usize {
    let least = counts.values().min().copied().unwrap_or(0);
    counts.values().max().copied().unwrap_or(0) - least
}

/// The node of each thread.
fn nodes(machine: &Machine, plan: &Plan) -> Vec<usize> {
    let node_of: BTreeMap<usize, usize> =
        machine.pus().iter().map(|pu| (pu.cpu, pu.node)).collect();
    plan.threads().iter().map(|cpu| node_of[cpu]).collect()
}

/// A permutation of `0..n` that is drawn by a number.
fn permutation(n: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut order);
    order
}

/// Two nodes, of one L3 group with two cores of two PUs each: the picture in `policy`.
#[test]
fn the_orders_are_those_of_the_picture() {
    let machine = machine("pack:2 numa:1 l3:1 core:2 pu:2");
    for (policy, order) in [
        ("compact", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("cores-first", [0, 2, 4, 6, 1, 3, 5, 7]),
        ("spread", [0, 4, 2, 6, 1, 5, 3, 7]),
        ("per-node", [0, 2, 1, 3, 4, 6, 5, 7]),
        ("one-per-l3", [0, 4, 2, 6, 1, 5, 3, 7]),
        ("node-local", [0, 2, 1, 3, 4, 6, 5, 7]),
        ("interleave", [0, 4, 2, 6, 1, 5, 3, 7]),
        ("7,0-6", [7, 0, 1, 2, 3, 4, 5, 6]),
    ] {
        let policy: Policy = policy.parse().expect("a policy");
        let plan = Placement::new(policy.clone()).threads(8).plan(&machine);
        assert_eq!(plan.expect("a plan").threads(), order, "{policy}");
    }
    let groups = Placement::new(Policy::OnePerL3)
        .plan(&machine)
        .expect("a plan");
    assert_eq!(groups.threads(), [0, 4]);
    let half = Placement::new(Policy::PerNode)
        .threads(4)
        .plan(&machine)
        .expect("a plan");
    assert_eq!(half.threads(), [0, 2, 4, 6]);
}

/// Packages alternate, so that two threads on four nodes of two packages have a package each.
#[test]
fn nodes_of_different_packages_alternate() {
    let machine = machine("pack:2 numa:2 core:1 pu:1");
    let plan = Placement::new(Policy::Spread)
        .plan(&machine)
        .expect("a plan");
    assert_eq!(plan.threads(), [0, 2, 1, 3]);
}

#[test]
fn shards_without_threads_follow_the_order() {
    let machine = machine("numa:2 core:2 pu:1");
    let plan = Placement::new(Policy::Spread)
        .threads(0)
        .shards(5)
        .plan(&machine);
    let plan = plan.expect("a plan");
    assert!(plan.threads().is_empty());
    assert_eq!(plan.shards(), [0, 1, 0, 1, 0]);
}

fn planned(policy: &Policy, threads: usize, shards: usize, machine: &Machine) -> Plan {
    let placement = Placement::new(policy.clone());
    let plan = placement.threads(threads).shards(shards).plan(machine);
    plan.unwrap_or_else(|error| panic!("{policy}: {error}"))
}

/// Of three threads two are on node 0. Of the eight shards that makes five and three.
#[test]
fn node_local_shards_lie_in_one_piece_beside_their_threads() {
    let machine = machine("numa:2 core:2 pu:1");
    let plan = planned(&Policy::NodeLocal, 3, 8, &machine);
    assert_eq!(plan.threads(), [0, 1, 2]);
    assert_eq!(plan.shards(), [0, 0, 0, 0, 0, 1, 1, 1]);
    let parts = plan.by_node(&machine).expect("a plan for it");
    let parts = parts
        .iter()
        .map(|part| (part.node, part.threads.clone(), part.shards.clone()));
    let expected = [
        (0, vec![0, 1], vec![0, 1, 2, 3, 4]),
        (1, vec![2], vec![5, 6, 7]),
    ];
    assert_eq!(parts.collect::<Vec<_>>(), expected);
}

/// Node 1 has two threads and no memory, and node 4, where it is nearest to, memory and no thread.
#[test]
fn threads_without_memory_are_at_home_on_the_nearest_node() {
    let machine = Tree::odd_nodes().read().expect("a machine");
    let plan = planned(&Policy::NodeLocal, 4, 4, &machine);
    assert_eq!(plan.threads(), [0, 2, 1_028, 1_029]);
    assert_eq!(plan.shards(), [0, 0, 4, 4]);
    let parts = plan.by_node(&machine).expect("a plan for it");
    let threads: Vec<_> = parts
        .into_iter()
        .map(|part| (part.node, part.threads))
        .collect();
    assert_eq!(threads, [(0, vec![0, 1]), (4, vec![2, 3])]);
}

/// Of three CPUs of node 0 and one of node 1, two shards in proportion would both be on node 0.
#[test]
fn each_node_with_threads_has_a_shard_or_the_number_is_refused() {
    let whole = machine("numa:3 core:8 pu:1");
    let machine = whole.with_allowed(&"0-7,8,16".parse().expect("a list"));
    let policy = Policy::NodeLocal;
    assert_eq!(planned(&policy, 10, 3, &machine).shards(), [0, 1, 2]);
    assert_eq!(planned(&policy, 10, 4, &machine).shards(), [0, 0, 1, 2]);
    assert_eq!(planned(&policy, 10, 0, &machine).shards(), [0; 0]);
    let refused = Placement::new(policy).threads(10).shards(2).plan(&machine);
    assert_eq!(refused, Err(PlanError::FewShards { asked: 2, nodes: 3 }));
    assert_eq!(
        refused.expect_err("too few").to_string(),
        "2 shards cannot be divided among 3 nodes with threads; at least 3, or none"
    );
}

/// Node 4 has memory and no CPU; node 1 has none.
#[test]
fn interleaved_shards_are_on_all_nodes_with_memory_wherever_threads_are() {
    let odd = Tree::odd_nodes().read().expect("a machine");
    assert_eq!(
        planned(&Policy::Interleave, 1, 5, &odd).shards(),
        [0, 4, 0, 4, 0]
    );
    let forbidden = odd.with_allowed_nodes(&"4".parse().expect("a list"));
    assert_eq!(
        planned(&Policy::Interleave, 1, 2, &forbidden).shards(),
        [4, 4]
    );
}

proptest! {
    #[test]
    fn a_plan_uses_allowed_cpus_only_and_each_as_often_as_any(
        shape in shape(),
        keep in vec(any::<bool>(), 1..40),
        reserved in vec(0..64_usize, 0..8),
        policy in select(Policy::NAMED),
        threads in 0..600_usize,
        shards in 0..600_usize,
    ) {
        let machine = restricted(machine(&described(shape)), &keep);
        let reserved: CpuSet = reserved.into_iter().collect();
        let usable = machine.allowed().difference(&reserved);
        let placement = Placement::new(policy.clone()).threads(threads).shards(shards);
        let plan = placement.reserve(reserved).plan(&machine);
        if let Err(PlanError::FewShards { asked, nodes }) = plan {
            assert_eq!((policy, asked), (Policy::NodeLocal, shards));
            assert!(0 < asked && asked < nodes && nodes <= machine.nodes().len());
            return Ok(());
        }
        assert_eq!(plan.is_ok(), !usable.is_empty());
        let Ok(plan) = plan else { return Ok(()) };
        assert_eq!((plan.threads().len(), plan.shards().len()), (threads, shards));
        // Fails in `counts` if a CPU is not usable.
        let used = counts(usable.iter(), plan.threads());
        assert!(spread_of(&used) <= 1, "{policy}: {used:?}");
        assert_eq!(plan.check(&machine), Ok(()));
    }

    #[test]
    fn spread_puts_as_many_on_each_node_and_siblings_last(
        shape in shape(),
        keep_node in vec(any::<bool>(), 9),
        threads in 0..600_usize,
    ) {
        // Packages differ in how many nodes are left, nodes do not.
        let whole = machine(&described(shape));
        let kept = |node: usize| keep_node.get(node).is_some_and(|keep| *keep) || node == 0;
        let pus = whole.pus().iter().filter(|pu| kept(pu.node));
        let cpus: CpuSet = pus.map(|pu| pu.cpu).collect();
        let machine = whole.with_allowed(&cpus);
        let pus: Vec<_> = machine.pus().iter().filter(|pu| kept(pu.node)).collect();
        let plan = Placement::new(Policy::Spread).threads(threads).plan(&machine);
        let plan = plan.expect("a plan");
        let on_nodes = nodes(&machine, &plan);
        let per_node = counts(pus.iter().map(|pu| pu.node), &on_nodes);
        assert!(spread_of(&per_node) <= 1, "{per_node:?}");

        // A core takes a second thread only when each core of the node has one.
        let core_of: BTreeMap<usize, usize> = pus.iter().map(|pu| (pu.cpu, pu.core)).collect();
        let cores: Vec<usize> = plan.threads().iter().map(|cpu| core_of[cpu]).collect();
        let per_core = counts(pus.iter().map(|pu| pu.core), &cores);
        for node in per_node.keys() {
            let here = pus.iter().filter(|pu| pu.node == *node);
            let here: BTreeMap<usize, usize> = here.map(|pu| (pu.core, per_core[&pu.core])).collect();
            assert!(spread_of(&here) <= 1, "node {node}: {here:?}");
        }

        // The same numbers for each node, in one piece.
        let blocks = Placement::new(Policy::PerNode).threads(threads).plan(&machine);
        let blocks = nodes(&machine, &blocks.expect("a plan"));
        assert!(blocks.is_sorted());
        assert_eq!(counts(pus.iter().map(|pu| pu.node), &blocks), per_node);
    }

    #[test]
    fn node_local_shards_are_sorted_and_in_proportion_and_no_node_goes_without(
        shape in shape(),
        keep in vec(any::<bool>(), 1..40),
        threads in 1..300_usize,
        more in 0..600_usize,
    ) {
        let machine = restricted(machine(&described(shape)), &keep);
        if machine.allowed().is_empty() {
            return Ok(());
        }
        let shards = machine.nodes().len() + more;
        let plan = planned(&Policy::NodeLocal, threads, shards, &machine);
        assert!(plan.shards().is_sorted());
        assert_eq!(plan.shards().len(), shards);
        let on_nodes = nodes(&machine, &plan);
        let parts = plan.by_node(&machine).expect("a plan for it");
        let mut least = usize::MAX;
        let mut given = 0;
        for part in &parts {
            assert!(!part.threads.is_empty() && !part.shards.is_empty(), "{part:?}");
            assert!(part.threads.iter().all(|thread| on_nodes[*thread] == part.node));
            assert!(part.shards.iter().all(|shard| plan.shards()[*shard] == part.node));
            least = least.min(part.threads.len() * shards / threads);
            given += usize::from(part.threads.len() * shards < 2 * threads);
        }
        // A shard that a node has for want of one, another gives.
        for part in &parts {
            let apart = (part.shards.len() * threads).abs_diff(part.threads.len() * shards);
            assert!(apart <= threads * (1 + given), "{part:?} of {shards} for {threads}");
            assert!(least == 0 || apart <= threads, "{part:?} of {shards} for {threads}");
        }
        let cost = plan.cost(&machine).expect("a plan for it");
        assert!(cost.remote_own.abs() < 1e-9, "{cost:?}");
    }

    #[test]
    fn shards_are_in_proportion_to_the_threads(
        shape in shape(),
        policy in select(&FOLLOWING[..]),
        threads in 1..300_usize,
        shards in 0..600_usize,
    ) {
        let machine = machine(&described(shape));
        let placement = Placement::new(policy).threads(threads).shards(shards);
        let plan = placement.plan(&machine).expect("a plan");
        let on_nodes = nodes(&machine, &plan);
        let ids = || machine.nodes().iter().map(|node| node.id);
        let (threads_on, shards_on) = (counts(ids(), &on_nodes), counts(ids(), plan.shards()));
        for node in ids() {
            let apart = (shards_on[&node] * threads).abs_diff(threads_on[&node] * shards);
            assert!(apart <= threads, "node {node}: {shards_on:?} {threads_on:?}");
        }
        // In whole rounds each thread's shard is where the thread is.
        for shard in 0..shards - shards % threads {
            assert_eq!(plan.shards()[shard], on_nodes[shard % threads]);
        }
    }

    #[test]
    fn other_numbers_for_the_cpus_give_the_same_plan_under_those_numbers(
        shape in shape(),
        keep in vec(any::<bool>(), 1..40),
        policy in select(Policy::NAMED),
        threads in 0..200_usize,
        seed in any::<u64>(),
    ) {
        let text = described(shape);
        let plain = machine(&text);
        let names = permutation(plain.pus().len(), seed);
        let list = names.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let renamed = restricted(machine(&format!("{text}(indexes={list})")), &keep);
        let plain = restricted(plain, &keep);
        let placement = Placement::new(policy).threads(threads);
        let (plain, renamed) = (placement.plan(&plain), placement.plan(&renamed));
        assert_eq!(plain.is_ok(), renamed.is_ok());
        let (Ok(plain), Ok(renamed)) = (plain, renamed) else { return Ok(()) };
        let expected: Vec<usize> = plain.threads().iter().map(|cpu| names[*cpu]).collect();
        assert_eq!(renamed.threads(), expected);
        assert_eq!(renamed.shards(), plain.shards());
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// The same through sysfs, where the siblings of a core have no names but their numbers.
    #[test]
    fn other_numbers_in_sysfs_give_the_same_cores(
        policy in select(Policy::NAMED),
        threads in 0..40_usize,
        seed in any::<u64>(),
    ) {
        let cores = |names: &[usize]| {
            let cpus = names.iter().enumerate().map(|(place, id)| Cpu {
                id: *id,
                package: i64::from(place >= 4),
                node: place / 4,
                l3: place / 4,
                core: place / 2,
            });
            let cpus: Vec<Cpu> = cpus.collect();
            let tree = Tree::new(&cpus, &[(0, 8), (1, 8)], &["10 20", "20 10"]);
            let machine = tree.read().expect("a machine");
            let plan = Placement::new(policy.clone()).threads(threads).plan(&machine);
            let plan = plan.expect("a plan");
            let core = |cpu: &usize| machine.pu(*cpu).map(|pu| (pu.node, pu.l3, pu.core, pu.smt));
            plan.threads().iter().map(core).collect::<Vec<_>>()
        };
        let plain: Vec<usize> = (0..8).collect();
        assert_eq!(cores(&plain), cores(&permutation(8, seed)));
    }
}

/// Every number of CPUs from 1 to 4,096, as many threads, and one more.
#[test]
fn every_number_of_cpus_works() {
    for cpus in (1..=64)
        .chain((65..=4_096).step_by(97))
        .chain([4_095, 4_096])
    {
        let machine = machine(&format!("core:{cpus} pu:1"));
        for policy in Policy::NAMED {
            let plan = planned(policy, cpus + 1, 1, &machine);
            let used = counts(0..cpus, plan.threads());
            assert_eq!(used.values().filter(|times| **times == 2).count(), 1);
        }
    }
}
