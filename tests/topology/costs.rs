//! What plans cost: counted by hand on small machines.
use super::tree::Tree;
use atomshard::PlanError;
use atomshard::topology::{Cost, Machine, Placement, Policy};
use core::time::Duration;
use std::time::Instant;

fn two_nodes() -> Machine {
    Tree::two_nodes().read().expect("a machine")
}

fn cost(machine: &Machine, policy: Policy, threads: usize, shards: usize) -> Cost {
    let placement = Placement::new(policy).threads(threads).shards(shards);
    let plan = placement.plan(machine).expect("the machine has CPUs");
    plan.cost(machine).expect("the plan is for this machine")
}

/// What is remote, and the distances, each hashed and own. They were made by few divisions.
#[track_caller]
fn is(cost: &Cost, remote: [f64; 2], distances: Option<[f64; 2]>) {
    let near = |found: f64, right: f64| assert!((found - right).abs() < 1e-9, "{cost:?}");
    near(cost.remote_hashed, remote[0]);
    near(cost.remote_own, remote[1]);
    match (cost.distance_hashed.zip(cost.distance_own), distances) {
        (Some(found), Some([hashed, own])) => {
            near(found.0, hashed);
            near(found.1, own);
        }
        (found, expected) => assert_eq!((found, expected), (None, None), "{cost:?}"),
    }
}

#[test]
fn a_hash_reaches_every_node_and_an_own_shard_stays_at_home() {
    let spread = cost(&two_nodes(), Policy::Spread, 4, 4);
    // Half of the look-ups at 10, half at 21.
    is(&spread, [0.5, 0.0], Some([1.55, 1.0]));
    let shared = (spread.nodes, spread.l3_groups, spread.shared_cores);
    assert_eq!(shared, (2, 4, 0));
}

#[test]
fn threads_close_together_share_cores_and_reach_nothing_far() {
    let compact = cost(&two_nodes(), Policy::Compact, 4, 4);
    is(&compact, [0.0, 0.0], Some([1.0, 1.0]));
    let shared = (compact.nodes, compact.l3_groups, compact.shared_cores);
    assert_eq!(shared, (1, 1, 2));
}

/// By its number, thread 2 would have shard 2, which is on node 0 with six of the twelve.
#[test]
fn a_node_local_thread_has_every_shard_of_its_node() {
    let local = cost(&two_nodes(), Policy::NodeLocal, 4, 12);
    is(&local, [0.5, 0.0], Some([1.55, 1.0]));
}

#[test]
fn one_shard_for_all_is_far_from_half_of_them() {
    let one = cost(&two_nodes(), Policy::Spread, 4, 1);
    is(&one, [0.5, 0.5], Some([1.55, 1.55]));
}

#[test]
fn without_declared_distances_there_are_counts_alone() {
    let machine = Machine::of_synthetic("pack:2 numa:1 core:2 pu:1").expect("a machine");
    is(&cost(&machine, Policy::Spread, 4, 4), [0.5, 0.0], None);
}

#[test]
fn a_plan_for_another_machine_has_no_cost() {
    let large = Machine::of_synthetic("pack:2 numa:1 core:2 pu:1").expect("a machine");
    let small = Machine::of_synthetic("core:2 pu:1").expect("a machine");
    let plan = Placement::new(Policy::Compact)
        .plan(&large)
        .expect("a plan");
    assert!(matches!(
        plan.cost(&small),
        Err(PlanError::Cpu { cpu: 2, .. })
    ));
}

/// With eight times as many CPUs it takes about eight times as long, where the square is 64 times.
#[test]
fn costs_are_counted_in_proportion_to_the_cpus() {
    let least = |cores: usize| {
        let machine = format!("pack:2 numa:4 l3:2 core:{cores} pu:2");
        let machine = Machine::of_synthetic(&machine).expect("a machine");
        let plan = Placement::new(Policy::NodeLocal).plan(&machine);
        let plan = plan.expect("a plan");
        assert_eq!(plan.threads().len(), 32 * cores);
        let times = (0..5).map(|_| {
            let begun = Instant::now();
            assert!(plan.cost(&machine).is_ok());
            begun.elapsed()
        });
        times.min().unwrap_or(Duration::MAX)
    };
    // A busy machine can spoil a round, but hardly all of them; the square would be in each.
    let rounds: Vec<_> = (0..4).map(|_| (least(16), least(128))).collect();
    let is_in_proportion = |(few, many): &(Duration, Duration)| *many < 24 * *few;
    assert!(
        rounds.iter().any(is_in_proportion),
        "512 CPUs and 4,096: {rounds:?}"
    );
}
