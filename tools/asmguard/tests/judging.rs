//! Judging: contract, readers, snapshots, exit codes, and what is said of them.

use asmguard::read::{Listing, shown};
use asmguard::{
    Change, Header, Isa, Machine, Probes, Recording, Report, Rules, Snapshots, Variant, judge,
};
use std::collections::BTreeMap;

const GOOD: &str = "k::ours_store_u64_seqcst:\n\txchg\tqword ptr [rdi], rsi\n\tret\n\
                    k::core_store_u64_seqcst:\n\tmov rax, rsi\n\txchg\tqword ptr [rdi], rax\n\tret\n\
                    k::ours_hint:\n\tpause\n\tret\n";
const RULES: &str =
    "[[rule]]\nprobe = \"ours_hint\"\nwhy = \"one\"\ninstructions = { pause = 1 }\n";

fn header(rustc: &str) -> Header {
    let text = |text: &str| text.to_owned();
    Header {
        rustc: text(rustc),
        llvm: text("1"),
        target: text("t"),
        flags: text("none"),
        tool: text("x"),
    }
}

struct Case {
    sources: BTreeMap<String, (String, usize)>,
    rustc: &'static str,
    pinned: bool,
    rules: &'static str,
}

impl Case {
    fn new() -> Self {
        let place = ("probes.rs".to_owned(), 7);
        Self {
            sources: [("ours_store_u64_seqcst".to_owned(), place)].into(),
            rustc: "rustc 2",
            pinned: false,
            rules: RULES,
        }
    }

    fn variant(&self) -> Variant<'_> {
        Variant {
            name: "v",
            machine: Machine::plain(Isa::X86_64),
            krate: "k",
            header: header(self.rustc),
            pinned: self.pinned,
            sources: &self.sources,
        }
    }

    fn probes(&self, text: &str) -> Probes {
        let listing: Listing = shown::read(text);
        Probes::find(&self.variant(), &listing).expect("probes")
    }

    fn recorded(&self, text: &str) -> Snapshots {
        self.probes(text).record(&header("rustc 2"))
    }

    fn judge(&self, text: &str, second: Option<&str>, snapshots: &Snapshots) -> Report {
        let rules = Rules::parse("rules.toml", self.rules, &["v"]).expect("rules");
        let second = second.map(|text| self.probes(text));
        let probes = self.probes(text);
        let group = judge(&self.variant(), &probes, second.as_ref(), &rules, snapshots);
        Report {
            variants: vec![group.expect("judged")],
            missing: Vec::new(),
        }
    }
}

#[test]
fn what_is_as_recorded_and_as_asked_is_0() {
    let case = Case::new();
    let report = case.judge(GOOD, Some(GOOD), &case.recorded(GOOD));
    assert_eq!(report.exit_code(), 0, "{}", report.text(true));
    assert!(report.annotations().is_empty());
    let ours = report.variants[0].verdicts.iter();
    let mut ours = ours.filter(|verdict| verdict.probe == "ours_store_u64_seqcst");
    assert_eq!(ours.next().expect("judged").than_core, Some(-1));
    assert!(
        report
            .text(false)
            .contains("ours_store_u64_seqcst: -1 instructions than core's")
    );
}

#[test]
fn a_broken_contract_is_1_and_names_the_source() {
    let case = Case::new();
    let weak = GOOD.replacen("xchg\tqword ptr [rdi], rsi", "mov qword ptr [rdi], rsi", 1);
    let report = case.judge(&weak, None, &case.recorded(&weak));
    assert_eq!(report.exit_code(), 1);
    let text = report.text(false);
    assert!(
        text.contains("v/ours_store_u64_seqcst: contract (probes.rs:7)"),
        "{text}"
    );
    assert!(text.contains("full_barrier: 0, expected 1"), "{text}");
    let annotations = report.annotations();
    let start = "::error file=probes.rs,line=7,title=v/ours_store_u64_seqcst::full_barrier";
    assert!(annotations.starts_with(start), "{annotations}");
    assert_eq!(
        annotations.lines().count(),
        1,
        "a message has no line ends of its own"
    );
}

#[test]
fn readers_that_disagree_break_the_contract() {
    let case = Case::new();
    let other = GOOD.replace("pause", "nop\n\tpause");
    let report = case.judge(GOOD, Some(&other), &case.recorded(GOOD));
    assert_eq!(report.exit_code(), 1);
    assert!(report.text(false).contains("the two readers disagree"));
    let fewer = GOOD.split("k::ours_hint").next().expect("the first part");
    let report = case.judge(GOOD, Some(fewer), &case.recorded(GOOD));
    assert!(
        report
            .text(false)
            .contains("only the first reader finds it")
    );
}

#[test]
fn a_snapshot_that_differs_is_2_and_the_meaning_comes_first() {
    let case = Case::new();
    let old = GOOD.replace("pause", "mfence\n\tpause");
    let report = case.judge(GOOD, Some(GOOD), &case.recorded(&old));
    assert_eq!(report.exit_code(), 2);
    let text = report.text(true);
    assert!(
        text.contains("v/ours_hint: snapshot: -1 full_barrier\n"),
        "{text}"
    );
    assert!(text.contains("-    mfence"), "{text}");
    assert!(!report.text(false).contains("-    mfence"));
    assert!(
        report
            .markdown()
            .contains("`v/ours_hint` changed: -1 full_barrier")
    );
    let json: serde_json::Value = serde_json::from_str(&report.json()).expect("JSON");
    assert_eq!(json["exit_code"], 2);
}

#[test]
fn a_snapshot_that_is_no_code_differs() {
    let case = Case::new();
    for text in ["", "# no code\n"] {
        let mut snapshots = case.recorded(GOOD);
        snapshots.probes.insert("ours_hint".into(), text.into());
        let report = case.judge(GOOD, None, &snapshots);
        assert_eq!(report.exit_code(), 2);
        let text = report.text(true);
        assert!(text.contains("+    pause"), "{text}");
    }
}

#[test]
fn a_probe_without_a_snapshot_and_a_snapshot_without_a_probe_differ() {
    let case = Case::new();
    let mut snapshots = case.recorded(GOOD);
    let text = snapshots.probes.remove("ours_hint").expect("recorded");
    snapshots.probes.insert("ours_gone".to_owned(), text);
    let report = case.judge(GOOD, None, &snapshots);
    assert_eq!(report.exit_code(), 2);
    let changes = report.variants[0].verdicts.iter();
    let changes: Vec<_> = changes
        .map(|verdict| (&*verdict.probe, &verdict.change))
        .collect();
    assert!(changes.contains(&("ours_hint", &Change::New)));
    assert!(changes.contains(&("ours_gone", &Change::Gone)));
    let summary = report.markdown();
    assert!(
        summary.contains("`v/ours_hint` is not recorded yet"),
        "{summary}"
    );
    assert!(
        summary.contains("`v/ours_gone` is recorded, and there is no such probe"),
        "{summary}"
    );
}

#[test]
fn another_compiler_skips_snapshots_aloud_but_not_the_contract() {
    let mut case = Case::new();
    let snapshots = case.recorded(GOOD);
    case.rustc = "rustc 3";
    let longer = GOOD.replace("\tpause", "\tmov eax, eax\n\tpause");
    let report = case.judge(&longer, None, &snapshots);
    assert_eq!(report.exit_code(), 0, "{}", report.text(true));
    let text = report.text(false);
    assert!(
        text.contains("v: snapshot skipped: recorded with rustc 2"),
        "{text}"
    );
    assert!(text.ends_with(
        "asm: ok: the contract holds; not all snapshots were compared
"
    ));
    let weak = longer.replace("pause", "nop");
    assert_eq!(case.judge(&weak, None, &snapshots).exit_code(), 1);
    // The pinned compiler never skips: a header that it did not write is stale.
    case.pinned = true;
    let report = case.judge(&longer, None, &snapshots);
    assert_eq!(report.exit_code(), 2);
    assert!(matches!(report.variants[0].recording, Recording::Stale(_)));
    let said = report.annotations();
    assert!(
        said.starts_with("::error title=v::the header is stale%0A"),
        "{said}"
    );
    let summary = report.markdown();
    assert!(
        summary.contains("`v`: the header is stale\n```diff\n"),
        "{summary}"
    );
}

#[test]
fn a_probe_that_left_no_code_breaks_the_contract() {
    let mut case = Case::new();
    let place = ("probes.rs".to_owned(), 9);
    case.sources.insert("ours_vanished".to_owned(), place);
    let report = case.judge(GOOD, None, &case.recorded(GOOD));
    assert_eq!(report.exit_code(), 1);
    let text = report.text(false);
    let said = "v/ours_vanished: contract (probes.rs:9)\n    it is written, and the compiler left";
    assert!(text.contains(said), "{text}");
}

#[test]
fn nothing_judged_or_something_missing_is_3() {
    assert_eq!(Report::default().exit_code(), 3);
    let case = Case::new();
    let mut report = case.judge(GOOD, None, &case.recorded(GOOD));
    report.missing.push("a tool".to_owned());
    assert_eq!(report.exit_code(), 3);
    assert!(report.text(false).contains("missing: a tool"));
}

#[test]
fn a_probe_that_no_row_and_no_rule_is_for_fails() {
    let mut case = Case::new();
    case.rules = "";
    let report = case.judge(GOOD, None, &case.recorded(GOOD));
    assert!(
        report
            .text(false)
            .contains("the mapping table has no row for it")
    );
    assert_eq!(report.exit_code(), 1);
}

#[test]
fn snapshots_survive_the_disk() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("snapshots");
    let case = Case::new();
    let snapshots = case.recorded(GOOD);
    snapshots.write(&folder).expect("written");
    std::fs::write(folder.join("ours_old.s"), "    ret\n").expect("written");
    snapshots.write(&folder).expect("written again");
    let read = Snapshots::read(&folder).expect("read");
    assert_eq!(
        (&read.header, &read.probes),
        (&snapshots.header, &snapshots.probes)
    );
    std::fs::write(folder.join("notes.txt"), "x").expect("written");
    assert!(Snapshots::read(&folder).is_err());
}

#[test]
fn a_rule_that_is_none_is_named_by_its_line() {
    let error = |text: &str| {
        let error = Rules::parse("rules.toml", text, &["v"]).expect_err("bad");
        error.to_string()
    };
    let rule = |rest: &str| format!("\n[[rule]]\nprobe = \"p\"\nwhy = \"w\"\n{rest}\n");
    for (text, said) in [
        (
            rule("classes = { lode = 1 }"),
            "rules.toml:5: `lode` is no class; there are load,",
        ),
        (
            rule("classes = { load = \"2..1\" }"),
            "rules.toml:5: `2..1` is no count",
        ),
        (
            rule("classes = { load = true }"),
            "rules.toml:5: expected 3, \"0..=2\" or \"any\"",
        ),
        (
            rule("on = [\"w\"]"),
            "rules.toml:5: `w` is none of the variants v",
        ),
        (rule("klasses = 1"), "rules.toml:5: unknown field `klasses`"),
        (
            "[[rule]]\nprobe = \"p\"\nwhy = \"\"\n".to_owned(),
            "rules.toml:3: a rule says why",
        ),
        ("x = [".to_owned(), "rules.toml:1: "),
    ] {
        let found = error(&text);
        assert!(found.starts_with(said), "{found}");
    }
    let twice = format!("{}{}", rule(""), rule("isa = \"x86_64\""));
    let rules = Rules::parse("rules.toml", &twice, &["v"]).expect("rules");
    assert!(rules.find("p", "v", Isa::X86_64).is_err());
    assert!(rules.find("p", "v", Isa::Aarch64).expect("one").is_some());
    assert_eq!(rules.unused(["q"]).len(), 2);
}
