//! Each check on a good sample and on broken ones: the exact findings, line by line.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn xtask(root: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .arg("--root")
        .arg(root)
        .args(arguments)
        .output()
        .expect("xtask starts")
}

/// Runs the check that the sample's folder is named after and compares all that it prints.
fn expect(name: &str, code: i32, lines: &[&str]) {
    let check = name
        .split('/')
        .next()
        .expect("a sample lies in the folder of its check");
    let output = xtask(&sample(name), &[check]);
    let said = String::from_utf8(output.stdout).expect("xtask prints UTF-8");
    assert_eq!(said.lines().collect::<Vec<_>>(), lines, "{name}");
    assert_eq!(output.status.code(), Some(code), "{name}");
}

/// An empty folder of this name.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("the old scratch folder can be removed");
    }
    std::fs::create_dir_all(&folder).expect("a scratch folder can be made");
    folder
}

#[test]
fn good_samples_pass() {
    expect("tidy/good", 0, &["tidy: ok, 0 findings in 7 files"]);
    expect("layers/good", 0, &["layers: ok, 0 findings in 8 imports"]);
    expect(
        "orders/good",
        0,
        &[
            "orders: ok, 0 findings in 5 strong orderings",
            "orders: 7 killed, 1 argued",
        ],
    );
    expect(
        "safety/good",
        0,
        &["safety: ok, 0 findings in 6 unsafe sites"],
    );
}

#[test]
fn tidy_wants_atomics_from_the_facade() {
    expect(
        "tidy/bad_atomics",
        1,
        &[
            "src/lib.rs:2: `core::sync::atomic::AtomicU64` outside of src/sync",
            "src/lib.rs:3: `std::sync::atomic` outside of src/sync",
            "src/lib.rs:4: `std::sync` outside of src/sync",
            "src/lib.rs:7: `core::sync::atomic::AtomicU8::new` outside of src/sync",
            "src/lib.rs:8: `std::sync::atomic::AtomicBool::new` outside of src/sync",
            "src/lib.rs:9: `loom::thread::yield_now` outside of src/sync",
            "tidy: FAILED, 6 findings in 2 files",
        ],
    );
}

#[test]
fn tidy_wants_edits_that_can_be_made() {
    expect(
        "tidy/bad_edits",
        1,
        &[
            "tools/mutants.toml:6: its text to replace occurs 0 times in src/lib.rs, expected once",
            "tools/mutants.toml:10: its text to replace occurs 2 times in src/lib.rs, expected once",
            "tools/mutants.toml:14: src/gone.rs cannot be read",
            "tidy: FAILED, 3 findings in 3 files",
        ],
    );
}

#[test]
fn tidy_follows_links() {
    expect(
        "tidy/bad_links",
        1,
        &[
            "README.md:3: link `docs/gone.md` leads to nothing",
            "README.md:7: link `#there` leads to no heading",
            "README.md:7: link `../../x.md` leaves the repository",
            "src/lib.rs:3: link `../docs/design.md` leads to nothing",
            "tidy: FAILED, 4 findings in 3 files",
        ],
    );
}

#[test]
fn tidy_wants_atomics_that_are_never_split() {
    expect(
        "tidy/bad_split",
        1,
        &[
            "src/lib.rs:9: `Named` holds an atomic in `forgotten`; say `never_split!(Named: forgotten);` beside it",
            "src/lib.rs:16: `Tuple` holds an atomic in `1`; say `never_split!(Tuple: 1);` beside it",
            "src/lib.rs:21: `Nested` holds an atomic in `rows`; say `never_split!(Nested: rows);` beside it",
            "src/lib.rs:24: `Tight` is packed: an atomic around it could be split",
            "src/word.rs:5: `Word` holds an atomic in `0`; say `never_split!(Word: 0);` beside it",
            "src/word.rs:9: `Renamed` holds an atomic in `0`; say `never_split!(Renamed: 0);` beside it",
            "src/word.rs:13: `Choice` holds an atomic and is no struct; put one around it",
            "src/word.rs:17: `Either` holds an atomic and is no struct; put one around it",
            "tidy: FAILED, 8 findings in 3 files",
        ],
    );
}

#[test]
fn tidy_wants_a_current_map() {
    expect(
        "tidy/bad_map",
        1,
        &[
            "docs/MAP.md:3: is stale; run `cargo xtask map --write`",
            "docs/map.toml:2: describes `gone.json`, which is not tracked",
            "src/silent.rs:1: says nothing of itself; give it a header or a line in docs/map.toml",
            "tidy: FAILED, 3 findings in 4 files",
        ],
    );
}

#[test]
fn tidy_wants_scripts_that_stop() {
    expect(
        "tidy/bad_script",
        1,
        &[
            "run:1: shell script without `set -euo pipefail`",
            "tidy: FAILED, 1 findings in 2 files",
        ],
    );
}

#[test]
fn tidy_knows_open_ends_and_empty_arguments() {
    expect(
        "tidy/bad_words",
        1,
        &[
            "src/lib.rs:3: TODO without an issue number",
            "src/lib.rs:4: FIXME without an issue number",
            r#"src/lib.rs:7: SAFETY says "obvious" instead of an argument"#,
            r#"src/lib.rs:13: SAFETY says "see above" instead of an argument"#,
            "tidy: FAILED, 4 findings in 2 files",
        ],
    );
}

#[test]
fn tidy_wants_steps_that_run_at_home() {
    expect(
        "tidy/bad_workflow",
        1,
        &[
            ".github/workflows/check.yml:5: step `cargo build && ./deploy` is neither `cargo xtask ..` nor `rustup ..`",
            "tidy: FAILED, 1 findings in 2 files",
        ],
    );
}

#[test]
fn layers_keeps_conditions_in_their_layer() {
    expect(
        "layers/bad_cfg",
        1,
        &[
            "src/map.rs:4: cfg `target_arch` outside of src/arch",
            "src/map.rs:7: cfg `loom` outside of src/sync",
            "src/map.rs:9: cfg `atomshard_traced` outside of src/sync",
            "src/map.rs:12: cfg `loom` outside of src/sync",
            "src/map.rs:15: cfg `atomshard_probes` outside of src/arch",
            "src/map.rs:18: `#[path]` hides where a module lives",
            "src/map.rs:21: `#[path]` hides where a module lives",
            "src/sync.rs:5: cfg `target_arch` outside of src/arch",
            "layers: FAILED, 8 findings in 1 imports",
        ],
    );
}

#[test]
fn layers_knows_every_layer() {
    expect(
        "layers/bad_unknown",
        1,
        &[
            "src/helpers.rs:1: `helpers` is not a layer of the import table",
            "layers: FAILED, there was nothing to check (0 imports)",
        ],
    );
}

#[test]
fn layers_sees_every_way_up() {
    expect(
        "layers/bad_upward",
        1,
        &[
            "src/map/raw.rs:2: `map` imports `topology` (`super::super::topology::Machine`); it may import error, sync, arch, sys, pad, shard, reclaim, table",
            "src/shard.rs:2: `shard` imports `map` (`crate::Map`); it may import error, sync, arch, sys, pad",
            "src/shard.rs:3: `crate::Nothing` does not lead to a layer or an export of lib.rs",
            "src/sync/mod.rs:2: `sync` imports `shard` (`crate::shard::Shard`); it may import error",
            "src/sync/mod.rs:5: `sync` imports `map` (`super::map::grow`); it may import error",
            "src/sync/mod.rs:6: `sync` imports `map` (`crate::map::grown`); it may import error",
            "src/topology.rs:2: `topology` imports `sync` (`crate::sync`); it may import error, sys, shard",
            "layers: FAILED, 7 findings in 8 imports",
        ],
    );
}

#[test]
fn orders_reads_the_line() {
    expect(
        "orders/bad_line",
        1,
        &[
            "src/cell.rs:8: Acquire without an ORD line above it",
            "src/cell.rs:12: this ORD line explains no ordering below it",
            "src/cell.rs:13: Release, but the ORD line above it explains another ordering",
            "src/cell.rs:17: the line does not read `ORD: <Ordering> — pairs with <what> in <fn> [<TAG>]; publishes <what>.`",
            "src/cell.rs:19: no `in <fn>` before [C1]",
            "src/cell.rs:21: [first] is not a tag: capital letters, then digits",
            "src/cell.rs:23: the line does not read `ORD: <Ordering> — pairs with <what> in <fn> [<TAG>]; publishes <what>.`",
            "src/cell.rs:25: SeqCst without an ORD line above it",
            "orders: FAILED, 8 findings in 7 strong orderings",
        ],
    );
}

#[test]
fn orders_wants_both_ends() {
    expect(
        "orders/bad_pair",
        1,
        &[
            "src/cell.rs:8: [C1] has no other end in a function `put`",
            "src/cell.rs:18: [C2] has one end only",
            "src/cell.rs:23: [C3] has no release end",
            "src/cell.rs:33: [C4] has no acquire end",
            "src/cell.rs:43: [C5] has no release end",
            "orders: FAILED, 5 findings in 9 strong orderings",
        ],
    );
}

#[test]
fn orders_wants_a_current_table() {
    expect(
        "orders/bad_stale",
        1,
        &[
            "docs/ORDERINGS.md:1: is stale; run `cargo xtask orders --write`",
            "orders: FAILED, 1 findings in 2 strong orderings",
        ],
    );
}

#[test]
fn orders_wants_a_test() {
    expect(
        "orders/bad_test",
        1,
        &[
            "docs/orderings.toml:3: [C2]: src/cell.rs has no `fn gone`",
            "docs/orderings.toml:3: [C2]: there is no file tests/gone.rs",
            "docs/orderings.toml:4: no ordering in src carries [C9]",
            "src/cell.rs:8: [C1] names no test: neither src/tests/loom/c1.rs nor `C1` in docs/orderings.toml",
            "src/flag.rs:8: [C2] names no test: neither src/tests/loom/c2.rs nor `C2` in docs/orderings.toml",
            "orders: FAILED, 5 findings in 4 strong orderings",
        ],
    );
}

#[test]
fn orders_wants_a_kill_or_an_argument() {
    expect(
        "orders/bad_kills",
        1,
        &[
            "docs/orderings-kills.toml:3: `by hand` is not a test",
            "docs/orderings-kills.toml:4: `src/cell.rs Cell::take swap: AcqRel -> Release` can no longer be weakened so",
            "docs/orderings.toml:7: `no tool objected` cites no rule: [atomics.order], [atomics.fences], [intro.races], [intro.progress], [dcl.attr.depend]",
            "docs/orderings.toml:7: `no tool objected` does not say why no tool shows it",
            "docs/orderings.toml:7: `src/cell.rs Cell::get load: Acquire -> Relaxed` is killed by by hand: no argument is needed",
            "docs/orderings.toml:8: `no tool objected` cites no rule: [atomics.order], [atomics.fences], [intro.races], [intro.progress], [dcl.attr.depend]",
            "docs/orderings.toml:8: `no tool objected` does not say why no tool shows it",
            "docs/orderings.toml:8: `src/cell.rs Cell::put store: Release -> Relaxed` can no longer be weakened so",
            "src/cell.rs:13: `src/cell.rs Cell::set store: Release -> Relaxed` is neither killed nor argued; run `cargo xtask orders --mutate`",
            "orders: FAILED, 9 findings in 2 strong orderings",
        ],
    );
}

#[test]
fn safety_wants_an_argument_by_number() {
    expect(
        "safety/bad_block",
        1,
        &[
            "src/line.rs:8: SAFETY cites no invariant (I1, I2, ..) and no caller's contract",
            "src/line.rs:10: unsafe impl without a SAFETY comment",
            "src/line.rs:15: unsafe block without a SAFETY comment",
            "src/line.rs:19: SAFETY cites I7, which no module header here defines",
            r#"src/line.rs:24: SAFETY says "clearly" instead of an argument"#,
            "src/line.rs:29: unsafe block without a SAFETY comment",
            "safety: FAILED, 6 findings in 6 unsafe sites",
        ],
    );
}

#[test]
fn safety_wants_the_contract() {
    expect(
        "safety/bad_item",
        1,
        &[
            "src/line.rs:4: unsafe `slot` without a `# Safety` section",
            "src/line.rs:10: unsafe `Lines` without a `# Safety` section",
            "src/line.rs:12: unsafe `Lines::count` without a `# Safety` section",
            "safety: FAILED, 3 findings in 5 unsafe sites",
        ],
    );
}

#[test]
fn safety_reports_what_does_not_parse() {
    expect(
        "safety/bad_syntax",
        1,
        &[
            "src/line.rs:2: does not parse: cannot parse string into token stream",
            "safety: FAILED, there was nothing to check (0 unsafe sites)",
        ],
    );
}

#[test]
fn tidy_counts_lines() {
    let root = scratch("long");
    let text = format!("//! A long file.\n{}", "// more\n".repeat(500));
    std::fs::write(root.join("long.rs"), text).expect("the sample can be written");
    std::fs::create_dir(root.join("docs")).expect("the folder of the map can be made");
    assert!(xtask(&root, &["map", "--write"]).status.success());
    let output = xtask(&root, &["tidy"]);
    let said = String::from_utf8(output.stdout).expect("xtask prints UTF-8");
    let lines = [
        "long.rs:501: 501 lines; a file has at most 500",
        "tidy: FAILED, 1 findings in 2 files",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), lines);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_check_that_saw_nothing_fails() {
    let root = scratch("nothing");
    for check in ["tidy", "layers", "orders", "safety"] {
        let output = xtask(&root, &[check]);
        let said = String::from_utf8(output.stdout).expect("xtask prints UTF-8");
        let message = format!("{check}: FAILED, there was nothing to check (0 ");
        assert!(said.contains(&message), "{check}: {said}");
        assert_eq!(output.status.code(), Some(1), "{check}");
    }
}

#[test]
fn orders_writes_what_it_then_accepts() {
    let root = scratch("written");
    let source = sample("orders/bad_stale/src");
    let put = |path: &str| {
        let to = root.join("src").join(path);
        std::fs::create_dir_all(to.parent().expect("below src")).expect("a folder can be made");
        std::fs::copy(source.join(path), to).expect("the sample can be copied");
    };
    put("cell.rs");
    put("tests/loom/c1.rs");
    std::fs::create_dir(root.join("docs")).expect("a folder can be made");
    let kills = "orders/bad_stale/docs/orderings-kills.toml";
    std::fs::copy(sample(kills), root.join("docs/orderings-kills.toml")).expect("it can be copied");
    assert!(xtask(&root, &["orders", "--write"]).status.success());
    assert!(xtask(&root, &["orders"]).status.success());
    let table = std::fs::read_to_string(root.join("docs/ORDERINGS.md")).expect("it was written");
    let row = "| C1 | Release in `src/cell.rs:Cell::set` | Acquire in `src/cell.rs:Cell::get` \
               | the value | `src/tests/loom/c1.rs` | 2 by `seen` |";
    assert!(table.contains(row), "{table}");
    let row =
        "| `src/cell.rs Cell::get load` | Acquire -> Relaxed | `loom lib tests::loom::c1::seen` |";
    assert!(table.contains(row), "{table}");
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let output = xtask(&sample("nowhere"), &["tidy"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not a folder"));
}
