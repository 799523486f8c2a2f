//! Drawn inputs of the target `topology`: each way of describing a machine comes to machines and to errors.

use arbitrary::{Arbitrary as _, Unstructured};
use fuzz::topology::{Input, is_machine};
use std::collections::BTreeMap;

#[test]
fn mangled_descriptions_are_machines_with_plans_or_errors_with_a_place() {
    let mut seen: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for seed in 0..250 {
        let mut random = fastrand::Rng::with_seed(seed);
        let bytes: Vec<u8> = (0..200).map(|_| random.u8(..)).collect();
        let input = Input::arbitrary_take_rest(Unstructured::new(&bytes)).expect("any bytes do");
        let (refused, read) = (0, 1);
        let which = if is_machine(&input) { read } else { refused };
        seen.entry(input.kind()).or_default()[which] += 1;
    }
    let is_both = |counts: &[usize; 2]| counts.iter().all(|count| *count >= 3);
    assert!(seen.len() == 3 && seen.values().all(is_both), "{seen:?}");
}
