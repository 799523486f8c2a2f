//! The program from outside: exit codes, messages, and the files that it writes.
use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::{contains, diff};
use std::fs::{read_to_string, write};
use tempfile::{TempDir, tempdir};

fn lab() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("atomshard"))
}

fn folder_with(name: &str, text: &str) -> TempDir {
    let folder = tempdir().unwrap();
    write(folder.path().join(name), text).unwrap();
    folder
}

/// Runs a small job in the folder and returns its report.
fn report_of(folder: &TempDir, args: &[&str]) -> serde_json::Value {
    lab()
        .current_dir(folder)
        .args(args)
        .args(["--seconds", "1"])
        .assert()
        .success();
    let text = read_to_string(folder.path().join("report.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_bad_line_is_named_and_exits_with_2() {
    let folder = folder_with("bad.csv", "op,key\nget,a\nmove,b\n");
    lab()
        .current_dir(&folder)
        .args(["--trace", "bad.csv"])
        .assert()
        .code(2)
        .stdout("")
        .stderr(diff(
            "atomshard: bad.csv:3: expected op get, put or del, found \"move\"\n",
        ));
    assert!(!folder.path().join("report.json").exists());
}

#[test]
fn standard_input_is_a_trace_too() {
    let folder = tempdir().unwrap();
    lab()
        .current_dir(&folder)
        .args(["--trace", "-"])
        .write_stdin("a\n\n")
        .assert()
        .code(2)
        .stderr(diff(
            "atomshard: -:2: expected a key, found an empty line\n",
        ));
    lab()
        .current_dir(&folder)
        .args([
            "--trace",
            "-",
            "--threads",
            "1",
            "--maps",
            "dashmap,mutex64",
            "--seconds",
            "1",
        ])
        .write_stdin("a\nb\na\n".repeat(1000))
        .assert()
        .success()
        .stdout(contains("For the trace - with 1 thread").and(contains("dashmap")));
}

#[test]
fn files_and_options_that_make_no_sense_exit_with_2() {
    lab()
        .args(["--trace", "/nowhere/x"])
        .assert()
        .code(2)
        .stderr(contains("/nowhere/x: "));
    lab()
        .args(["--mix", "70/20/20"])
        .assert()
        .code(2)
        .stderr(contains("expected three shares that add up to 100"));
    lab().args(["--threads", "0"]).assert().code(2);
    lab()
        .args(["--maps", "wordmap", "--trace", "-"])
        .write_stdin("a\n")
        .assert()
        .code(2)
        .stderr(contains("--maps: expected a map with text keys"));
    lab()
        .args(["--maps", "treemap"])
        .assert()
        .code(2)
        .stderr(contains("possible values"));
    lab()
        .args(["--keys", "1", "--threads", "2", "--mix", "70/20/10"])
        .assert()
        .code(2)
        .stderr(contains("expected at least one key for each of 2 threads"));
    lab().args(["bars", "--quick", "--record"]).assert().code(2);
    lab()
        .args(["bars", "--rounds", "9"])
        .assert()
        .code(2)
        .stdout("")
        .stderr(contains("--rounds 9: expected at least 10"));
    lab()
        .args(["bars", "--only", "no such bar"])
        .assert()
        .code(2)
        .stderr(contains("none has it"));
    let folder = folder_with("not.zst", "text");
    lab()
        .current_dir(&folder)
        .args(["--trace", "not.zst"])
        .assert()
        .code(2)
        .stderr(contains("not.zst:1: expected zstd-compressed data"));
}

#[test]
fn a_mix_writes_both_reports() {
    let folder = tempdir().unwrap();
    let report = report_of(
        &folder,
        &["--mix", "70/20/10", "--keys", "4000", "--threads", "1"],
    );
    assert_eq!(report["schema"], 3);
    let sections = report["sections"].as_array().unwrap();
    assert_eq!(sections.len(), 2, "uniform and Zipf");
    for section in sections {
        let rows = section["cells"][0]["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 10);
        for row in rows {
            let bytes = row["bytes_per_entry"].as_f64().unwrap();
            // A key and a value are 16 bytes.
            assert!(
                (16.0..200.0).contains(&bytes),
                "{}: {bytes} bytes",
                row["label"]
            );
            assert!(row["mops"]["median"].as_f64().unwrap() > 0.0);
            // Without an undisturbed round there is none, on a busy machine.
            assert_ne!(row["latency_ns"]["p50"].as_u64(), Some(0));
            let counts = row["counts"].as_array().unwrap();
            assert_eq!(counts.len(), 13, "every role");
            for count in counts {
                let [value, reason, remedy] =
                    ["per_operation", "reason", "remedy"].map(|field| &count[field]);
                assert_ne!(value.is_number(), reason.is_string(), "{count}");
                assert_eq!(reason.is_string(), remedy.is_string(), "{count}");
            }
        }
    }
    let page = read_to_string(folder.path().join("report.html")).unwrap();
    // The template escapes slashes.
    let title = "70/20/10 Zipf".replace('/', "&#x2f;");
    assert!(page.contains("<svg") && page.contains("ShardMap") && page.contains(&title));
    assert!(page.contains("<td>local_hitm</td>"), "the counters' table");
    assert!(
        !page.contains("src=") && !page.contains("<link"),
        "nothing from elsewhere"
    );
    assert!(
        !page.contains("{{") && !page.contains("{%"),
        "the template is filled in"
    );
}

/// A run of which only the machine is looked at.
const SMALL: [&str; 8] = [
    "--mix",
    "95/5/0",
    "--keys",
    "100",
    "--threads",
    "1",
    "--maps",
    "papaya",
];

#[test]
fn counters_have_a_value_or_a_reason_never_zero() {
    let folder = tempdir().unwrap();
    let report = report_of(&folder, &SMALL);
    let counters = report["machine"]["counters"].as_array().unwrap();
    // Four that decide about counting, and the roles.
    assert_eq!(counters.len(), 17);
    for counter in counters {
        let fact = &counter["fact"];
        let value = fact["is"].as_str();
        let reason = fact["unavailable"]["reason"].as_str();
        assert!(value.is_some() != reason.is_some(), "{counter}");
        assert!(
            !value.is_some_and(|value| value.starts_with("0 ")),
            "{counter}"
        );
    }
}

#[test]
fn doctor_shows_what_the_reports_store() {
    let folder = tempdir().unwrap();
    let report = report_of(&folder, &SMALL);
    let json = lab().args(["doctor", "--json"]).output().unwrap();
    assert!(json.status.success());
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let names = |machine: &serde_json::Value| {
        let rows = ["facts", "counters"].map(|list| machine[list].as_array().unwrap().clone());
        let rows = rows.concat();
        rows.iter()
            .map(|row| row["name"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&json), names(&report["machine"]));
    lab()
        .arg("doctor")
        .assert()
        .success()
        .stdout(contains("| what ").and(contains("kernel.perf_event_paranoid")));
    lab().args(["doctor", "now"]).assert().code(2).stdout("");
}

#[test]
fn a_trace_of_ones_own_is_replayed_with_two_threads() {
    let text: String = (0..4000)
        .map(|n| format!("get,file{}\n", n % 300))
        .collect();
    let folder = folder_with("mine.csv", &format!("op,key\n{text}del,file7\nput,file7\n"));
    let report = report_of(&folder, &["--trace", "mine.csv", "--threads", "2"]);
    let rows = report["sections"][0]["cells"][0]["rows"]
        .as_array()
        .unwrap();
    assert_eq!(
        rows.len(),
        8,
        "the limit row shares nothing, and WordMap has no text keys: both are left out"
    );
}

#[test]
fn a_quick_bar_gives_a_verdict() {
    lab()
        .args(["bars", "get", "--quick", "--only", "get-only 10k, 1 thread"])
        .assert()
        .success()
        .stdout(contains("ShardMap >= 1.1x dashmap").and(contains("cannot tell or not measured")));
}

#[test]
fn bars_of_one_map_are_chosen_by_its_name() {
    lab()
        .args(["bars", "iteration", "--quick", "--only", "WordMap"])
        .assert()
        .success()
        .stdout(
            contains("iteration, 10000 entries: WordMap <= 4 ns per entry")
                .and(contains("ShardMap").not()),
        );
}

#[test]
fn versus_refuses_a_build_over_another_body_than_the_one_asked_for() {
    let folder = tempdir().unwrap();
    let itself = assert_cmd::cargo::cargo_bin!("atomshard");
    lab()
        .current_dir(&folder)
        .arg("versus")
        .arg(itself)
        .args(["--body", "another", "--quick", "--out", "."])
        .assert()
        .code(3)
        .stderr(contains("expected a build over \"another\", found "));
}

#[test]
fn a_plan_for_another_machine_is_made_here() {
    const MACHINE: &str = "--machine=synthetic:pack:2 numa:1 core:2 pu:2";
    let json = lab().args(["topo", MACHINE, "--json"]).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["cpus"].as_array().unwrap().len(), 8);
    assert_eq!(json["cpus"][7]["node"], 1);
    lab()
        .args(["place", MACHINE, "--threads=4", "--emit=json"])
        .assert()
        .success()
        .stdout("{\"policy\":\"spread\",\"threads\":[0,4,2,6],\"shards\":[0,1,0,1]}\n");
    lab()
        .args(["place", MACHINE, "--policy=0,4", "--emit=numactl"])
        .assert()
        .success()
        .stdout("numactl --physcpubind=0,4 --interleave=0-1\n");
    lab()
        .args(["place", MACHINE, "--reserve=0-3", "--explain"])
        .assert()
        .success()
        .stdout(contains("CPUs 0-3: reserved, as asked").and(contains("| one-per-l3 ")));
    let xml = concat!(
        "--machine=xml:",
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/topology/two_nodes.xml"
    );
    lab()
        .args(["place", xml, "--threads=4", "--emit=json"])
        .assert()
        .success()
        .stdout("{\"policy\":\"spread\",\"threads\":[0,1,4,5],\"shards\":[0,1,0,1]}\n");
}

#[test]
fn a_machine_or_a_policy_that_is_none_is_refused_with_its_place() {
    let refused = |args: &[&str], expected: &str| {
        lab()
            .args(args)
            .assert()
            .code(2)
            .stdout("")
            .stderr(contains(expected));
    };
    refused(
        &["topo", "--machine=here"],
        "expected synthetic:DESCRIPTION",
    );
    refused(
        &["topo", "--machine=synthetic:nuna:2"],
        "byte 0: found \"nuna\"",
    );
    refused(&["topo", "--machine=sysfs:/nowhere"], "/nowhere");
    refused(&["topo", "--machine=xml:/nowhere"], "No such file");
    let no_xml = concat!("--machine=xml:", env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    refused(&["topo", no_xml], "byte 0: found \"");
    if !cfg!(feature = "hwloc") {
        let by_hwloc = ["topo", "--machine=hwloc"];
        refused(
            &by_hwloc,
            "run tools/setup/hwloc, then `cargo run --release --features hwloc -- ..`",
        );
    }
    refused(
        &["place", "--policy=fastest"],
        "expected a policy (compact, ",
    );
    refused(&["place", "--reserve=0-"], "--reserve: ");
    refused(
        &["latency", "--cpus=60000"],
        "CPU 60000 is not there, offline or not allowed",
    );
    let list = ["place", "--machine=synthetic:core:2 pu:1", "--policy=0,7"];
    refused(&list, "CPU 7 cannot be used: the machine has no such CPU");
}
