//! `verify` by its program: plans that are applied, that fall short, that are refused, and that are none.
use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use std::fs::write;
use tempfile::{TempDir, tempdir};

fn lab() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("atomshard"))
}

fn folder_with(name: &str, text: &str) -> TempDir {
    let folder = tempdir().unwrap();
    write(folder.path().join(name), text).unwrap();
    folder
}

/// A plan for this machine: one thread, one shard.
#[cfg(target_os = "linux")]
fn plan_of_one() -> atomshard::topology::Plan {
    use atomshard::topology::{Machine, Placement, Policy};
    let machine = Machine::here().unwrap();
    let placement = Placement::new(Policy::Compact).threads(1).shards(1);
    placement.plan(&machine).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_plan_of_this_machine_is_applied_and_read_back() {
    use atomshard::topology::Memory;
    let plan = plan_of_one();
    let (cpu, node) = (plan.threads()[0], plan.shards()[0]);
    let folder = folder_with("plan.json", &serde_json::to_string(&plan).unwrap());
    let toml = format!("policy = \"compact\"\nthreads = [{cpu}]\nshards = [{node}]\n");
    write(folder.path().join("plan.toml"), toml).unwrap();
    // Where the kernel refuses to place memory, this says so too.
    let block = vec![1_u8; 1 << 20];
    let placed = plan.place(0, Memory::Preferred, &raw const block[..]);
    for file in ["plan.json", "plan.toml"] {
        let assert = lab().current_dir(&folder).args(["verify", file]).assert();
        let assert = assert.code(i32::from(!placed.is_applied())).stderr("");
        let thread = format!("| 0      | {cpu:<11} | {cpu:<13} | ");
        let assert =
            assert.stdout(contains("policy compact, memory preferred").and(contains(thread)));
        if placed.is_applied() {
            let all = "as planned: 1 of 1 threads, 1 of 1 shards, 4 of 4 parts of maps; pages misplaced: 0, not read back: 0\n";
            // A mebibyte of pages of 4 KiB, without those at the edges of the block.
            let pages = contains(format!("{node} x 25")).or(contains(format!("{node} x 1")));
            assert.stdout(contains(all).and(pages).and(contains("remedy").not()));
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_not_as_planned_is_in_the_tables_and_exits_with_1() {
    let cpu = plan_of_one().threads()[0];
    let plan = format!(r#"{{"policy":"compact","threads":[{cpu},60000],"shards":[60001]}}"#);
    let folder = folder_with("plan.json", &plan);
    lab()
        .current_dir(&folder)
        .args(["verify", "plan.json", "--memory", "first-touch"])
        .assert()
        .code(1)
        .stderr("")
        .stdout(
            contains("| applied")
                .and(contains("| 60000       | "))
                .and(contains("sched_setaffinity was refused: Invalid argument"))
                .and(contains(
                    "as planned: 1 of 2 threads, 0 of 1 shards, 0 of 4 parts of maps; ",
                ))
                .and(contains(
                    "remedy: plan again with what the process may use now",
                )),
        );
}

/// As in a container: the filter is this thread's, and that of the programs that it starts.
#[cfg(target_os = "linux")]
#[test]
fn what_a_seccomp_filter_refuses_is_told_for_shards_and_maps() {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
    let folder = folder_with("plan.json", &serde_json::to_string(&plan_of_one()).unwrap());
    let calls = [
        libc::SYS_mbind,
        libc::SYS_get_mempolicy,
        libc::SYS_move_pages,
    ];
    let machine = std::env::consts::ARCH.try_into().unwrap();
    for (errno, says) in [
        (libc::EPERM, "mbind was refused: Operation not permitted"),
        (libc::ENOSYS, "mbind was refused: Function not implemented"),
    ] {
        let rules = calls.iter().map(|call| (*call, Vec::new())).collect();
        let refuse = SeccompAction::Errno(errno.unsigned_abs());
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, machine).unwrap();
        let program = BpfProgram::try_from(filter).unwrap();
        let run = || {
            apply_filter(&program).unwrap();
            let mut verify = lab();
            verify.current_dir(&folder).args(["verify", "plan.json"]);
            let assert = verify.assert().code(1).stderr("");
            String::from_utf8(assert.get_output().stdout.clone()).unwrap()
        };
        let told = std::thread::scope(|scope| scope.spawn(run).join().unwrap());
        // The shard, and the tables of both maps; of entries only the nodes are asked for.
        assert_eq!(told.matches(says).count(), 3, "{told}");
        let of_entries = says.replace("mbind", "move_pages");
        assert_eq!(told.matches(&of_entries).count(), 2, "{told}");
        let none = "as planned: 1 of 1 threads, 0 of 1 shards, 0 of 4 parts of maps; pages misplaced: 0, not read back: ";
        assert!(
            told.contains(none) && !told.contains("not read back: 0"),
            "{told}"
        );
        assert_eq!(told.matches("remedy: ").count(), 1, "{told}");
        assert!(told.contains("seccomp profile"), "{told}");
    }
}

/// Which maps are built, and what is said where none is.
#[cfg(target_os = "linux")]
#[test]
fn maps_are_placed_as_the_policy_says_or_not_built() {
    let plan = plan_of_one();
    let folder = folder_with("plan.json", &serde_json::to_string(&plan).unwrap());
    let none = format!(
        r#"{{"policy":"compact","threads":{:?},"shards":[]}}"#,
        plan.threads()
    );
    write(folder.path().join("none.json"), none).unwrap();
    for (file, memory, says) in [
        (
            "plan.json",
            "first-touch",
            "| WordMap, entries  | any of the plan's |",
        ),
        ("plan.json", "bind", "| ShardMap, tables  | "),
        (
            "plan.json",
            "interleave",
            "no map was built: a map places whole shards",
        ),
        (
            "none.json",
            "preferred",
            "no map was built: the plan has no shard",
        ),
    ] {
        let mut verify = lab();
        verify
            .current_dir(&folder)
            .args(["verify", file, "--memory", memory]);
        let assert = verify.assert().stderr("").stdout(contains(says));
        if says.starts_with("no map") {
            assert.stdout(contains(", 0 of 0 parts of maps; "));
        }
    }
}

#[test]
fn a_broken_plan_is_named_with_line_and_expectation() {
    let folder = tempdir().unwrap();
    for (file, text, says) in [
        (
            "a.json",
            "{\n\"policy\": \"compact\",\n\"threads\": [-1]}",
            "a.json:3: expected a plan with policy, threads and shards: invalid value: integer `-1`, expected usize",
        ),
        (
            "b.json",
            "",
            "b.json:1: expected a plan with policy, threads and shards: EOF while parsing",
        ),
        (
            "c.toml",
            "policy = \"compact\"\nthreads = [0]\nshard = [0]\n",
            "c.toml:3: expected a plan with policy, threads and shards: unknown field `shard`, expected one of `policy`, `threads`, `shards`",
        ),
        (
            "d.toml",
            "policy = \"compact\"\nthreads = [0\n",
            "d.toml:2: expected a plan with policy, threads and shards: ",
        ),
        (
            "e.json",
            "{\"policy\":\"close\",\"threads\":[],\"shards\":[]}",
            "found \"close\", expected a policy (compact, spread, per-node, one-per-l3, cores-first, node-local, interleave) or a list of CPUs",
        ),
    ] {
        write(folder.path().join(file), text).unwrap();
        lab()
            .current_dir(&folder)
            .args(["verify", file])
            .assert()
            .code(2)
            .stdout("")
            .stderr(contains(says));
    }
    lab()
        .args(["verify", "/nowhere/plan.json"])
        .assert()
        .code(2)
        .stderr(contains("/nowhere/plan.json: "));
    lab()
        .args(["verify", "plan.json", "--memory", "near"])
        .assert()
        .code(2)
        .stderr(contains(
            "expected a memory policy (first-touch, preferred, bind, interleave, weighted)",
        ));
}

/// As the OOM killer would; here the allocator aborts.
#[cfg(target_os = "linux")]
#[test]
fn a_child_that_is_ended_is_told() {
    let folder = folder_with("plan.json", &serde_json::to_string(&plan_of_one()).unwrap());
    Command::new("sh")
        .current_dir(&folder)
        .args([
            "-c",
            "ulimit -v 1000000; exec \"$0\" verify plan.json --kib 16777216",
        ])
        .arg(assert_cmd::cargo::cargo_bin!("atomshard"))
        .assert()
        .code(1)
        .stdout("")
        .stderr(contains(
            "the child that applied the plan was ended (signal: 6",
        ));
}
