//! The machine that this runs on, against what was built: node by node, in the test machine of `tools/vm`.
use atomshard::topology::{CpuSet, Machine, Placement, Policy};

/// What tools/vm/run says of a node that it built.
struct Node {
    cpus: CpuSet,
    bytes: u64,
    distances: Vec<u32>,
}

/// A word for each node, in order: its CPUs, its megabytes, its distance to each node.
fn built() -> Vec<Node> {
    let words = std::env::var("VM_NODES").expect("tools/vm/run sets VM_NODES");
    let node = |word: &str| {
        let parts: Vec<&str> = word.split('/').collect();
        let [cpus, mib, distances] = parts[..] else {
            panic!("CPUS/MIB/DISTANCES, not {word}");
        };
        let mib: u64 = mib.parse().expect("megabytes");
        Node {
            cpus: cpus.parse().expect("a list of CPUs"),
            bytes: mib << 20,
            distances: distances
                .split(',')
                .map(|distance| distance.parse().expect("a distance"))
                .collect(),
        }
    };
    words.split_whitespace().map(node).collect()
}

/// The node of a CPU.
fn home(built: &[Node], cpu: usize) -> usize {
    let home = built.iter().position(|node| node.cpus.contains(cpu));
    home.unwrap_or_else(|| panic!("CPU {cpu} was not built"))
}

#[test]
#[ignore = "needs a machine that was built for it: `cargo xtask vm numa`"]
fn the_machine_is_as_it_was_built() {
    let built = built();
    assert!(built.len() > 1, "one node shows nothing");
    let machine = Machine::here().expect("a machine");
    let ids: Vec<usize> = machine.nodes().iter().map(|node| node.id).collect();
    assert_eq!(ids, (0..built.len()).collect::<Vec<_>>());
    for (node, built) in machine.nodes().iter().zip(&built) {
        assert_eq!(node.distances, built.distances, "node {}", node.id);
        let pus = machine.pus().iter().filter(|pu| pu.node == node.id);
        let mut cpus: Vec<usize> = pus.map(|pu| pu.cpu).collect();
        cpus.sort_unstable();
        assert_eq!(cpus, built.cpus.iter().collect::<Vec<_>>(), "{}", node.id);
        // The kernel takes what it needs before it counts.
        let bytes = node.memory_bytes.expect("the kernel says it");
        let least = built.bytes / 4 * 3;
        assert!(
            (least..=built.bytes).contains(&bytes),
            "node {}: {bytes} of {}",
            node.id,
            built.bytes
        );
    }
    let cpus = built.iter().map(|node| node.cpus.len()).sum();
    assert_eq!((machine.pus().len(), machine.cores()), (cpus, cpus));
    let with_cpus = built.iter().filter(|node| !node.cpus.is_empty()).count();
    assert_eq!(machine.packages(), with_cpus);
    println!("{} nodes, {cpus} CPUs: {:?}", built.len(), machine.nodes());
}

/// The distances of each row differ, so there is one nearest node with memory.
#[test]
#[ignore = "needs a machine that was built for it: `cargo xtask vm numa`"]
fn each_policy_has_a_plan_with_memory_at_the_nearest_node() {
    let built = built();
    let machine = Machine::here().expect("a machine");
    let all: Vec<usize> = built.iter().flat_map(|node| node.cpus.iter()).collect();
    let backwards = all.iter().rev().copied().collect();
    let policies = Policy::NAMED.iter().cloned();
    for policy in policies.chain([Policy::List(backwards)]) {
        let placement = Placement::new(policy.clone()).threads(all.len());
        let plan = placement.shards(all.len()).plan(&machine);
        let plan = plan.unwrap_or_else(|error| panic!("{policy}: {error}"));
        assert_eq!(plan.check(&machine), Ok(()), "{policy}");
        let mut threads = plan.threads().to_vec();
        threads.sort_unstable();
        assert_eq!(threads, all, "{policy}");
        let nearest = plan.threads().iter().map(|&cpu| {
            let own = &built[home(&built, cpu)];
            let with_memory = (0..built.len()).filter(|&node| built[node].bytes > 0);
            with_memory
                .min_by_key(|&node| own.distances[node])
                .expect("a node with memory")
        });
        let mut nearest: Vec<usize> = nearest.collect();
        if policy == Policy::NodeLocal {
            nearest.sort_unstable();
        }
        if policy == Policy::Interleave {
            let with_memory = (0..built.len()).filter(|&node| built[node].bytes > 0);
            nearest = with_memory.cycle().take(all.len()).collect();
        }
        assert_eq!(plan.shards(), nearest, "{policy}");
    }
}
