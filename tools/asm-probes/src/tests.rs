//! The names: what tools rely on when they look a probe up.

use std::collections::BTreeSet;

/// The names in the sources: whether or not the set is compiled here.
fn names() -> Vec<String> {
    let sources = [
        include_str!("core_set.rs"),
        include_str!("ours.rs"),
        include_str!("hot.rs"),
    ];
    let lines = sources.iter().flat_map(|source| source.lines());
    let names = lines.filter_map(|line| line.strip_prefix("    ")?.split_once('('));
    let sets = ["core_", "ours_", "hot_"];
    let names = names.filter(|(name, _)| sets.iter().any(|set| name.starts_with(set)));
    names.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn no_name_begins_with_another() {
    let names = names();
    assert!(names.len() > 100, "{} probes found", names.len());
    assert_eq!(
        names.iter().collect::<BTreeSet<_>>().len(),
        names.len(),
        "a name is there twice"
    );
    for name in &names {
        for other in names.iter().filter(|other| *other != name) {
            assert!(
                !other.starts_with(name.as_str()),
                "{other} begins with {name}"
            );
        }
    }
}

#[test]
fn each_name_says_operation_type_and_orderings() {
    const OTHERS: [&str; 9] = [
        "spin_hint",
        "prefetch_read",
        "prefetch_write",
        "cycles",
        "match_high",
        "match_bit",
        "match_clear_sign",
        "match_lane",
        "match_kinds",
    ];
    const OPERATIONS: [&str; 8] = ["load", "store", "swap", "add", "sub", "and", "or", "xor"];
    const TYPES: [&str; 4] = ["u8", "u64", "u128", "ptr"];
    const ORDERINGS: [&str; 5] = ["relaxed", "acquire", "release", "acqrel", "seqcst"];
    const FAILURES: [&str; 3] = ["relaxed", "acquire", "seqcst"];
    for name in names() {
        let Some((set, rest)) = name.split_once('_').filter(|(set, _)| *set != "hot") else {
            continue;
        };
        let parts: Vec<&str> = rest.split('_').collect();
        let well_formed = match parts.as_slice() {
            ["fence", "light"] => true,
            ["fence", ordering] => ORDERINGS[1..].contains(ordering),
            ["load", kind, ordering] => TYPES.contains(kind) && FAILURES.contains(ordering),
            [operation, kind, ordering] if OPERATIONS.contains(operation) => {
                TYPES.contains(kind) && ORDERINGS.contains(ordering)
            }
            ["cas" | "casweak", kind, success, failure] => {
                TYPES.contains(kind) && ORDERINGS.contains(success) && FAILURES.contains(failure)
            }
            _ => set == "ours" && OTHERS.contains(&rest),
        };
        assert!(well_formed, "{name}");
    }
}

/// Core's set is what ours is compared with: each probe of ours that core can have, it has.
#[test]
fn ours_stands_beside_core() {
    let names = names();
    let of = |set: &str| -> BTreeSet<String> {
        let own = names.iter().filter_map(|name| name.strip_prefix(set));
        let core_has = |rest: &&str| {
            rest.contains("fence")
                || ["_u8_", "_u64_", "_ptr_"]
                    .iter()
                    .any(|kind| rest.contains(kind))
        };
        own.filter(core_has).map(str::to_owned).collect()
    };
    assert_eq!(of("core_"), of("ours_"));
}
