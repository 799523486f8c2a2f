//! Recorded XML of hwloc's, and what is said of it when it is wrong.
//!
//! `two_nodes.xml` is `lstopo --of xml -i` of [`SYNTHETIC`]. `odd_nodes.xml` was recorded in a test machine, with
//! `tools/vm/run --nodes 4 --cpus 6 --cpu-only 1 --memory-only 1 lstopo --of xml --no-io`; both by hwloc 2.9.0.
use atomshard::topology::{CpuSet, Machine, Placement, Policy};

const SYNTHETIC: &str = "pack:2 [numa(memory=8589934592)] l3:2 core:2 \
    pu:2(indexes=0,8,2,10,4,12,6,14,1,9,3,11,5,13,7,15)";
const TWO_NODES: &str = include_str!("two_nodes.xml");
const ODD_NODES: &str = include_str!("odd_nodes.xml");

#[test]
fn two_nodes_are_those_of_the_description() {
    let machine = Machine::from_xml(TWO_NODES);
    assert_eq!(machine, Machine::of_synthetic(SYNTHETIC));
}

#[test]
fn odd_nodes_are_as_they_were_built() {
    let machine = Machine::from_xml(ODD_NODES).expect("a machine");
    let places = |pu: &atomshard::topology::ProcessingUnit| {
        [pu.cpu, pu.package, pu.node, pu.l3, pu.core, pu.smt]
    };
    let places: Vec<_> = machine.pus().iter().map(places).collect();
    let expected = [
        [0, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 1, 0],
        [2, 1, 1, 1, 2, 0],
        [3, 1, 1, 1, 3, 0],
        [4, 2, 2, 2, 4, 0],
        [5, 2, 2, 2, 5, 0],
    ];
    assert_eq!(places, expected);
    let memory: Vec<_> = machine
        .nodes()
        .iter()
        .map(|node| node.memory_bytes)
        .collect();
    let expected = [
        None,
        Some(700_801_024),
        Some(703_963_136),
        Some(669_401_088),
    ];
    assert_eq!(memory, expected);
    assert_eq!(machine.line_bytes(), Some(64));
    assert_eq!(machine.allowed().to_string(), "0-5");
    assert_eq!(machine.allowed_nodes().to_string(), "1-3");
    assert_eq!(machine.offline(), &CpuSet::new());
    // hwloc's matrix is of the nodes with memory alone.
    assert_eq!(machine.distance(1, 2), None);
    let plan = Placement::new(Policy::Compact)
        .plan(&machine)
        .expect("a plan");
    assert_eq!(plan.shards(), [1, 1, 1, 1, 2, 2]);
}

/// A text with one piece put in the place of another.
fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[test]
fn distances_are_by_number_in_whatever_order_they_are_written() {
    let matrix = "<distances2 type=\"NUMANode\" nbobjs=\"2\" kind=\"5\" name=\"NUMALatency\" indexing=\"os\">\
        <indexes length=\"4\">1 0 </indexes><u64values length=\"6\">10 21 </u64values>\
        <u64values length=\"6\">17 11 </u64values></distances2>";
    let text = changed(TWO_NODES, "<support", &format!("{matrix}<support"));
    let machine = Machine::from_xml(&text).expect("a machine");
    let rows: Vec<_> = machine
        .nodes()
        .iter()
        .map(|node| &node.distances[..])
        .collect();
    assert_eq!(rows, [[11, 17], [21, 10]]);
    let bandwidth = changed(&text, "kind=\"5\"", "kind=\"9\"");
    assert_eq!(Machine::from_xml(&bandwidth), Machine::from_xml(TWO_NODES));
}

#[test]
fn what_is_missing_has_a_meaning() {
    let whole = Machine::from_xml(TWO_NODES).expect("a machine");
    let same = |from: &str, to: &str| {
        let text = TWO_NODES.replace(from, to);
        assert_ne!(text, TWO_NODES);
        Machine::from_xml(&text).expect("a machine")
    };
    assert_eq!(same("type=\"L3Cache\"", "type=\"L2Cache\"").l3_groups(), 2);
    assert_eq!(same("type=\"Core\"", "type=\"Group\"").cores(), 16);
    assert_eq!(same("type=\"Package\"", "type=\"Group\"").packages(), 1);
    let sparse = same(" local_memory=\"8589934592\"", "");
    assert!(
        sparse
            .nodes()
            .iter()
            .all(|node| node.memory_bytes.is_none())
    );
    assert_eq!(same("<info ", "<!-- &amp; <b> --><info x=\"&lt;\" "), whole);
    let allowed = same(
        "allowed_cpuset=\"0x0000ffff\"",
        "allowed_cpuset=\"0x0000f0f0\"",
    );
    assert_eq!(allowed.allowed().to_string(), "4-7,12-15");
    let offline = same(
        " complete_cpuset=\"0x0000ffff\"",
        " complete_cpuset=\"0x1,,0x0000ffff\"",
    );
    assert_eq!(offline.offline().to_string(), "64");
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (from, to, found, expected) in [
        (
            "version=\"2.0\"",
            "version=\"1.0\"",
            "\"1.0\"",
            "`topology` of version 2, as hwloc writes it since 2.0",
        ),
        (
            "<topology version=\"2.0\">",
            "<topology>",
            "\"<topology>",
            "an attribute `version`",
        ),
        (
            "type=\"Machine\"",
            "type=\"System\"",
            "\"<topology version",
            "an object `Machine`",
        ),
        (
            "allowed_cpuset=\"0x0000ffff\"",
            "allowed_cpuset=\"0xf...f\"",
            "\"0xf...f\"",
            "a set of numbers below 65536",
        ),
        (
            " allowed_nodeset=\"0x00000003\"",
            "",
            "\"<object type=",
            "an attribute `allowed_nodeset`",
        ),
        (
            "type=\"PU\" os_index=\"8\"",
            "type=\"PU\" os_index=\"0\"",
            "\"<object type=\\\"PU",
            "a number that no other PU has",
        ),
        (
            "type=\"PU\" os_index=\"8\"",
            "type=\"PU\" os_index=\"65536\"",
            "\"65536\"",
            "a number below 65536",
        ),
        (
            "type=\"PU\" os_index=\"8\"",
            "type=\"PU\"",
            "\"<object type=\\\"PU",
            "an attribute `os_index`",
        ),
        (
            "type=\"PU\" os_index=\"8\"",
            "type=\"Core\" os_index=\"8\"",
            "\"Core\"",
            "nothing but PUs and their caches in a core",
        ),
        (
            "type=\"NUMANode\" os_index=\"1\"",
            "type=\"NUMANode\" os_index=\"0\"",
            "\"<object type=\\\"NUMANode",
            "a number that no other node has",
        ),
        (
            "type=\"NUMANode\" os_index=\"1\"",
            "type=\"Group\" os_index=\"1\"",
            "\"<object type=\\\"PU",
            "an object `NUMANode` beside it or around it",
        ),
        (
            "local_memory=\"8589934592\"",
            "local_memory=\"8 GB\"",
            "\"8 GB\"",
            "a number",
        ),
        (
            "</object>",
            "</objec>",
            "",
            "XML: expected 'object' tag, not 'objec' at 12:7",
        ),
        (
            "<support",
            "<distances2 type=\"NUMANode\" kind=\"5\" indexing=\"os\"><indexes>0 1</indexes></distances2><support",
            "\"<distances2 ",
            "a distance from each of 2 nodes to each, not 0",
        ),
        (
            "<support",
            "<distances2 type=\"NUMANode\" kind=\"5\" indexing=\"os\"><indexes>0 x</indexes></distances2><support",
            "\"<indexes>",
            "numbers, and not \"x\"",
        ),
    ] {
        let text = changed(TWO_NODES, from, to);
        let error = Machine::from_xml(&text).expect_err(to);
        assert_eq!(error.expected, expected, "{to}: {error}");
        assert!(error.found.starts_with(found), "{to}: {error}");
        // It is found where it says, or ends.
        let there = error
            .found
            .trim_matches('"')
            .trim_end_matches("..")
            .replace("\\\"", "\"");
        let there = there.replace("\\n", "\n");
        assert!(text[error.at..].starts_with(&there), "{to}: {error}");
    }
    for text in [
        "",
        "<",
        "pack:2 pu:2",
        "\u{e9}<a/>\u{e9}",
        "<topology version=\"2.0\"/>",
    ] {
        let error = Machine::from_xml(text).expect_err(text);
        assert!(
            error.at <= text.len() && text.is_char_boundary(error.at),
            "{error}"
        );
    }
}
