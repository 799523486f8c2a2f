//! CPUs split among pools: what is asked for, or in proportion; disjoint, and never more than there are.
use atomshard::PlanError;
use atomshard::topology::{Budget, CpuSet, Machine};
use proptest::collection::vec;
use proptest::prelude::proptest;

fn sixteen() -> Machine {
    Machine::of_synthetic("pack:2 core:8 pu:1").expect("a machine")
}

#[test]
fn pools_that_fit_get_what_they_ask_for() {
    let budget = Budget::new().pool("jvm", 4).pool("go", 10).pool("none", 0);
    let shares = budget
        .reserve("0-1".parse().expect("a list"))
        .split(&sixteen());
    let shares = shares.expect("14 of 14");
    let lists = shares
        .iter()
        .map(|share| (share.name(), share.cpus().to_string()));
    let expected = [("jvm", "2-5"), ("go", "6-15"), ("none", "")];
    assert!(lists.eq(expected.map(|(name, cpus)| (name, cpus.to_owned()))));
    assert_eq!(shares[2].jvm() + &shares[2].go(), "");
}

/// The collector's threads as HotSpot counts them: 13 and 3 on sixteen CPUs.
#[test]
fn a_pool_of_the_whole_machine_has_the_defaults_of_hotspot() {
    let shares = Budget::new()
        .pool("jvm", 16)
        .split(&sixteen())
        .expect("16 of 16");
    let command = "taskset -c 0-15 java -XX:ParallelGCThreads=13 -XX:ConcGCThreads=3";
    assert_eq!(shares[0].jvm(), command);
}

#[test]
fn a_small_pool_keeps_a_cpu_and_too_many_pools_are_refused() {
    let machine = Machine::of_synthetic("core:4 pu:1").expect("a machine");
    let budget = Budget::new().pool("a", 1_000).pool("b", 1).pool("c", 1);
    let counts = |budget: &Budget| -> Vec<usize> {
        let shares = budget.scaled(&machine).expect("shares");
        shares.iter().map(|share| share.cpus().len()).collect()
    };
    assert_eq!(counts(&budget), [2, 1, 1]);
    let budget = budget.pool("d", usize::MAX);
    assert_eq!(counts(&budget), [1, 1, 1, 1]);
    let (asked, available) = (5, 4);
    let refused = budget.pool("e", 1).scaled(&machine);
    assert_eq!(refused, Err(PlanError::OverBudget { asked, available }));
}

proptest! {
    #[test]
    fn shares_are_disjoint_and_all_cpus_are_given(
        cores in 1..64_usize,
        pools in vec(0..40_usize, 1..9),
    ) {
        let machine = Machine::of_synthetic(&format!("core:{cores} pu:2")).expect("a machine");
        let named = pools.iter().enumerate().map(|(index, cpus)| (index.to_string(), *cpus));
        let budget = named.fold(Budget::new(), |budget, (name, cpus)| budget.pool(name, cpus));
        let asked: usize = pools.iter().sum();
        let available = 2 * cores;
        assert_eq!(budget.split(&machine).is_ok(), asked <= available);
        let Ok(shares) = budget.scaled(&machine) else {
            assert!(pools.iter().filter(|cpus| **cpus > 0).count() > available);
            return Ok(());
        };
        let all: Vec<usize> = shares.iter().flat_map(|share| share.cpus().iter()).collect();
        assert_eq!(all.len(), asked.min(available));
        let set: CpuSet = all.iter().copied().collect();
        assert_eq!(set.len(), all.len());
        for (share, asked) in shares.iter().zip(&pools) {
            assert!(share.cpus().len() <= *asked);
            assert_eq!(share.cpus().is_empty(), *asked == 0);
        }
    }
}
