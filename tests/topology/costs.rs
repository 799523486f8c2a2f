//! What plans cost: counted by hand on small machines.
use super::tree::Tree;
use atomshard::PlanError;
use atomshard::topology::{Cost, Machine, Placement, Policy};

fn cost(machine: &Machine, policy: Policy, threads: usize, shards: usize) -> Cost {
    let placement = Placement::new(policy).threads(threads).shards(shards);
    let plan = placement.plan(machine).expect("the machine has CPUs");
    plan.cost(machine).expect("the plan is for this machine")
}

/// Numbers that were made by few divisions.
fn is_near(left: f64, right: f64) -> bool {
    (left - right).abs() < 1e-9
}

#[test]
fn a_hash_reaches_every_node_and_an_own_shard_stays_at_home() {
    let machine = Tree::two_nodes().read().expect("a machine");
    let spread = cost(&machine, Policy::Spread, 4, 4);
    assert!(is_near(spread.remote_hashed, 0.5), "{spread:?}");
    assert!(is_near(spread.remote_own, 0.0), "{spread:?}");
    // Half of the look-ups at 10, half at 21.
    assert!(
        is_near(spread.distance_hashed.expect("declared"), 1.55),
        "{spread:?}"
    );
    assert!(
        is_near(spread.distance_own.expect("declared"), 1.0),
        "{spread:?}"
    );
    assert_eq!(
        (spread.nodes, spread.l3_groups, spread.shared_cores),
        (2, 4, 0)
    );
}

#[test]
fn threads_close_together_share_cores_and_reach_nothing_far() {
    let machine = Tree::two_nodes().read().expect("a machine");
    let compact = cost(&machine, Policy::Compact, 4, 4);
    assert!(is_near(compact.remote_hashed, 0.0), "{compact:?}");
    assert_eq!(
        (compact.nodes, compact.l3_groups, compact.shared_cores),
        (1, 1, 2)
    );
}

/// By its number, thread 2 would have shard 2, which is on node 0 with six of the twelve.
#[test]
fn a_node_local_thread_has_every_shard_of_its_node() {
    let machine = Tree::two_nodes().read().expect("a machine");
    let local = cost(&machine, Policy::NodeLocal, 4, 12);
    assert!(is_near(local.remote_own, 0.0), "{local:?}");
    assert!(
        is_near(local.distance_own.expect("declared"), 1.0),
        "{local:?}"
    );
    assert!(is_near(local.remote_hashed, 0.5), "{local:?}");
}

#[test]
fn one_shard_for_all_is_far_from_half_of_them() {
    let machine = Tree::two_nodes().read().expect("a machine");
    let one = cost(&machine, Policy::Spread, 4, 1);
    assert!(is_near(one.remote_own, 0.5), "{one:?}");
    assert!(
        is_near(one.distance_own.expect("declared"), 1.55),
        "{one:?}"
    );
}

#[test]
fn without_declared_distances_there_are_counts_alone() {
    let machine = Machine::of_synthetic("pack:2 numa:1 core:2 pu:1").expect("a machine");
    let spread = cost(&machine, Policy::Spread, 4, 4);
    assert_eq!((spread.distance_hashed, spread.distance_own), (None, None));
    assert!(is_near(spread.remote_hashed, 0.5), "{spread:?}");
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
