//! Plans in files: JSON and TOML, there and back, and what is refused.
use atomshard::topology::{Machine, Placement, Plan, Policy};

fn plan(policy: &str) -> Plan {
    let machine = Machine::of_synthetic("pack:2 numa:1 core:2 pu:2").expect("a machine");
    let placement = Placement::new(policy.parse().expect("a policy")).shards(3);
    placement.plan(&machine).expect("a plan")
}

#[test]
fn a_plan_survives_json_and_toml() {
    let policies = Policy::NAMED.iter().map(Policy::to_string);
    for policy in policies.chain(["7,0-3".to_owned()]) {
        let plan = plan(&policy);
        let json = serde_json::to_string(&plan).expect("JSON is written");
        assert_eq!(serde_json::from_str::<Plan>(&json).expect("and read"), plan);
        let text = toml::to_string(&plan).expect("TOML is written");
        assert_eq!(toml::from_str::<Plan>(&text).expect("and read"), plan);
    }
}

#[test]
fn the_text_is_short_and_readable() {
    let json = serde_json::to_string(&plan("7,0-3")).expect("JSON is written");
    assert_eq!(
        json,
        r#"{"policy":"7,0-3","threads":[7,0,1,2,3],"shards":[0,0,1]}"#
    );
    let text = toml::to_string(&plan("one-per-l3")).expect("TOML is written");
    assert_eq!(
        text,
        "policy = \"one-per-l3\"\nthreads = [0, 4]\nshards = [0, 1, 0]\n"
    );
}

#[test]
fn what_is_no_plan_is_refused_with_its_place() {
    for (text, says) in [
        (
            r#"{"policy":"compact","threads":[0]}"#,
            "missing field `shards` at line 1 column 34",
        ),
        (
            r#"{"policy":"compact","cores":[0]}"#,
            "unknown field `cores`",
        ),
        (
            r#"{"policy":"compact","policy":"spread"}"#,
            "duplicate field `policy`",
        ),
        (
            r#"{"policy":"close","threads":[],"shards":[]}"#,
            "byte 0: found \"close\"",
        ),
        (r#"{"policy":"compact","threads":[-1]}"#, "expected usize"),
        ("[]", "expected a table with policy, threads and shards"),
    ] {
        let error = serde_json::from_str::<Plan>(text)
            .expect_err(text)
            .to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn a_plan_of_another_machine_is_found_out() {
    let plan: Plan = serde_json::from_str(r#"{"policy":"compact","threads":[0,9],"shards":[0]}"#)
        .expect("a plan");
    assert_eq!(plan.policy(), &Policy::Compact);
    let machine = Machine::of_synthetic("core:4 pu:2").expect("a machine");
    let why = plan.check(&machine).expect_err("no CPU 9").to_string();
    assert_eq!(why, "CPU 9 cannot be used: the machine has no such CPU");
}
