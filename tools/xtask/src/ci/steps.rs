//! The steps themselves. Order: the cheap and the likely to fail first.

use crate::evidence::{self, Options};
use crate::shell::{Outcome, Shell};
use crate::toolchain;
use crate::{aarch64, asm, coherence, features, layers, oracle, orders, safety, source, tidy, vm};
use anyhow::{Context as _, Result, bail};

/// One gate.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Shell) -> Result<Outcome>,
}

/// Systems on which the library must compile: Linux-only parts answer "unavailable" there.
const TARGETS: &[&str] = &[
    "x86_64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "i686-unknown-linux-gnu",
    "wasm32-unknown-unknown",
    "aarch64-unknown-linux-gnu",
];

/// All gates in order.
pub(crate) fn all() -> Vec<Step> {
    let step = |name, about, run| Step { name, about, run };
    vec![
        step("fmt", "rustfmt changes nothing", fmt),
        step("tidy", "length, atomics, words, links, scripts, map", |s| {
            Ok(own(tidy::check(&s.root)?.print("tidy"), "tidy"))
        }),
        step("layers", "imports go downwards", |s| {
            Ok(own(layers::check(&s.root)?.print("layers"), "layers"))
        }),
        step(
            "orders",
            "strong orderings: explained, paired, killed or argued",
            |s| Ok(own(orders::gate(&s.root, false)?, "orders")),
        ),
        step("safety", "unsafe sites: argued by invariant", |s| {
            Ok(own(safety::check(&s.root)?.print("safety"), "safety"))
        }),
        step(
            "clippy",
            "no warning in any target of the workspace",
            clippy,
        ),
        step("doc", "the documentation builds without a warning", doc),
        step(
            "deny",
            "licences, sources and versions of dependencies",
            deny,
        ),
        step("features", "each set of features: no warning", feature_sets),
        step("targets", "the library on other systems", targets),
        step(
            "msrv",
            "the library on the oldest compiler that it promises",
            msrv,
        ),
        step(
            "traced",
            "what the counter touches, by the tracer's account",
            traced,
        ),
        step(
            "release",
            "the tests that need an optimised build: rates, stalls",
            release,
        ),
        step(
            "aarch64",
            "the library's tests on aarch64, with LSE and without",
            aarch64::step,
        ),
        step(
            "tests",
            "unit tests and those of features, one process each",
            tests_alone,
        ),
        step(
            "vm",
            "nodes and counters as a kernel in a test machine shows them",
            vm::step,
        ),
        step(
            "oracle",
            "the contract of reclamation over its second body",
            oracle::tests,
        ),
        step("lab", "the main job, short: every result checked", lab),
        step(
            "asm",
            "machine code of the probes: contract and snapshots",
            asm::step,
        ),
        step(
            "mutants",
            "broken copies of the crate: each breaks a contract",
            asm::mutants,
        ),
        step(
            "coherence",
            "cache lines of each operation: model, snapshots, examples",
            coherence::step,
        ),
        step(
            "lines",
            "the same lines by valgrind's memory trace",
            coherence::lines,
        ),
        step(
            "shares",
            "a broken layout of each structure: each turns the check red",
            coherence::mutants,
        ),
        step(
            "evidence",
            "no lost key, no stall, no race: the quick checks",
            |s| evidence::run(&s.root, &Options::default()),
        ),
    ]
}

fn own(passed: bool, name: &str) -> Outcome {
    if passed {
        Outcome::Passed(String::new())
    } else {
        Outcome::Failed(format!("`cargo xtask {name}`"))
    }
}

fn fmt(shell: &Shell) -> Result<Outcome> {
    shell.cargo(&["fmt", "--all", "--check"]).run()
}

fn clippy(shell: &Shell) -> Result<Outcome> {
    let words = ["clippy", "--workspace", "--all-targets"];
    let arguments = [
        &words,
        &features::all(shell)?[..],
        &["--", "-D", "warnings"],
    ]
    .concat();
    shell.cargo(&arguments).run()
}

fn doc(shell: &Shell) -> Result<Outcome> {
    let words = ["doc", "--package", "atomshard", "--lib", "--no-deps"];
    let arguments = [&words, &features::all(shell)?[..]].concat();
    shell
        .cargo(&arguments)
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
}

/// cargo-deny is not part of the toolchain: CI installs it, at home its absence is a remark.
fn deny(shell: &Shell) -> Result<Outcome> {
    if let Err(remedy) = toolchain::tool(shell, "cargo-deny") {
        return Ok(shell.missing(&remedy));
    }
    shell
        .cargo(&["deny", "check", "licenses", "bans", "sources"])
        .run()
}

/// Modules with unit tests of what is reported.
const TRACED: [&str; 3] = ["arch::", "shard::", "sync::"];

/// Unit tests, the hook's example, the fuzzer's corpus of schedules and the harness's own tests with the tracer
/// compiled in.
fn traced(shell: &Shell) -> Result<Outcome> {
    let example = ["test", "--package", "atomshard", "--doc", "hook"];
    if let failed @ Outcome::Failed(_) = shell.traced(&example)?.run_tests()? {
        return Ok(failed);
    }
    let corpus = ["test", "--package", "fuzz", "--test", "corpus", "schedules"];
    if let failed @ Outcome::Failed(_) = shell.traced(&corpus)?.run_tests()? {
        return Ok(failed);
    }
    let library = ["test", "--package", "atomshard", "--lib", "--"];
    let library = [&library, &TRACED[..]].concat();
    if let failed @ Outcome::Failed(_) = shell.traced(&library)?.run_tests()? {
        return Ok(failed);
    }
    let harness = ["test", "--package", "schedule", "--package", "evidence"];
    shell.traced(&harness)?.run_tests()
}

fn release(shell: &Shell) -> Result<Outcome> {
    let arguments = [
        "test",
        "--release",
        "--package",
        "atomshard",
        "--test",
        "stress_rates",
        "--test",
        "regress_resize",
    ];
    shell.cargo(&arguments).run_tests()
}

/// The unit tests, and those that a feature changes, with all features: one process each and with time limits, as
/// .config/nextest.toml says. It finds what only shows alone or hangs. (The README's command runs them together, with the
/// features that the tools want.) Without cargo-nextest they run together, which is not this step, and it says so.
fn tests_alone(shell: &Shell) -> Result<Outcome> {
    let words = ["--package", "atomshard", "--lib"];
    let programs = [
        "--test",
        "serde_rayon",
        "--test",
        "topology",
        "--test",
        "perf",
    ];
    let with_features = [&words, &features::all(shell)?[..], &programs].concat();
    if let Err(remedy) = toolchain::tool(shell, "cargo-nextest") {
        let tests = [&["test"], &with_features[..]].concat();
        return Ok(match shell.cargo(&tests).run_tests()? {
            Outcome::Passed(text) => shell.missing(&format!(
                "{text} passed with all features, but none in a process of its own: {remedy}"
            )),
            other => other,
        });
    }
    let profile = if shell.strict { "ci" } else { "default" };
    let run = ["nextest", "run", "--profile", profile];
    shell.cargo(&[&run, &with_features[..]].concat()).run()
}

/// What a run of the lab may take, however busy the machine is.
const LAB_SECONDS: f64 = 90.0;

/// The bare command with a short budget; its report says how long it took.
fn lab(shell: &Shell) -> Result<Outcome> {
    let out = shell.target("lab-smoke");
    let arguments = [
        "run",
        "--release",
        "--quiet",
        "--",
        "--seconds",
        "10",
        "--keys",
        "40000",
        "--out",
        &out,
    ];
    if let failed @ Outcome::Failed(_) = shell.cargo(&arguments).run()? {
        return Ok(failed);
    }
    let report = std::fs::read_to_string(std::path::Path::new(&out).join("report.json"))?;
    Ok(in_time(&report))
}

/// Judges the lab's own account of its duration.
fn in_time(report: &str) -> Outcome {
    let line = report
        .lines()
        .find_map(|line| line.trim().strip_prefix("\"seconds\": "));
    let seconds = line.and_then(|rest| rest.trim_end_matches(',').parse::<f64>().ok());
    match seconds {
        None => Outcome::Failed("the report does not say how long the run took".to_owned()),
        Some(seconds) if seconds > LAB_SECONDS => {
            Outcome::Failed(format!("{seconds:.0} s; at most {LAB_SECONDS:.0}"))
        }
        Some(seconds) => Outcome::Passed(format!("{seconds:.0} s")),
    }
}

fn feature_sets(shell: &Shell) -> Result<Outcome> {
    let mut names = features::declared(shell)?;
    if !features::has_hwloc(shell)? {
        names.retain(|name| name != "hwloc");
    }
    let sets = subsets(&names);
    for set in &sets {
        let list = set.join(",");
        let mut arguments = vec![
            "clippy",
            "--package",
            "atomshard",
            "--lib",
            "--no-default-features",
        ];
        if !list.is_empty() {
            arguments.extend(["--features", &list]);
        }
        arguments.extend(["--", "-D", "warnings"]);
        if let failed @ Outcome::Failed(_) = shell.cargo(&arguments).run()? {
            return Ok(failed);
        }
    }
    Ok(Outcome::Passed(format!("{} sets", sets.len())))
}

/// No feature, each one alone, and all. A feature adds items and changes none, so what two of them
/// add where they meet shows in the set of all.
fn subsets(names: &[String]) -> Vec<Vec<&str>> {
    let mut sets: Vec<Vec<&str>> = vec![Vec::new()];
    sets.extend(names.iter().map(|name| vec![name.as_str()]));
    if names.len() > 1 {
        sets.push(names.iter().map(String::as_str).collect());
    }
    sets
}

fn targets(shell: &Shell) -> Result<Outcome> {
    let mut missing = Vec::new();
    for target in TARGETS {
        if let Err(remedy) = toolchain::target(shell, target) {
            missing.push(remedy);
            continue;
        }
        let arguments = [
            "clippy",
            "--package",
            "atomshard",
            "--lib",
            "--target",
            target,
            "--",
            "-D",
            "warnings",
        ];
        if let failed @ Outcome::Failed(_) = shell.cargo(&arguments).run()? {
            return Ok(failed);
        }
    }
    if missing.is_empty() {
        return Ok(Outcome::Passed(format!("{} targets", TARGETS.len())));
    }
    Ok(shell.missing(&missing.join("; ")))
}

/// The library is built with the oldest compiler that it promises. The tools promise the pinned one,
/// which every other step builds them with.
fn msrv(shell: &Shell) -> Result<Outcome> {
    let manifest = manifest(shell)?;
    let version = manifest
        .get("package")
        .and_then(|package| package.get("rust-version")?.as_str());
    let version = version.context("Cargo.toml promises no rust-version")?;
    let tools = manifest
        .get("workspace")
        .and_then(|w| w.get("package")?.get("rust-version")?.as_str());
    let tools = tools.context("[workspace.package] has no rust-version")?;
    let pinned: toml::Table = source::read(&shell.root, "rust-toolchain.toml")?.parse()?;
    let pinned = pinned
        .get("toolchain")
        .and_then(|toolchain| toolchain.get("channel")?.as_str());
    let pinned = pinned.context("rust-toolchain.toml pins no channel")?;
    if !pinned.starts_with(&format!("{tools}.")) {
        bail!("[workspace.package] promises {tools}, but no step builds the tools with it");
    }
    let name = format!("{version}.0");
    if let Err(remedy) = toolchain::toolchain(shell, &name) {
        return Ok(shell.missing(&remedy));
    }
    let toolchain = format!("+{name}");
    let words = [&toolchain, "check", "--package", "atomshard", "--lib"];
    let arguments = [&words, &features::all(shell)?[..]].concat();
    let outcome = shell
        .cargo(&arguments)
        .env("CARGO_TARGET_DIR", &shell.target("msrv"))
        .run()?;
    Ok(match outcome {
        Outcome::Passed(_) => Outcome::Passed(name),
        other => other,
    })
}

fn manifest(shell: &Shell) -> Result<toml::Table> {
    source::read(&shell.root, "Cargo.toml")?
        .parse()
        .context("Cargo.toml is not TOML")
}

#[cfg(test)]
mod tests {
    use super::{all, in_time, subsets};
    use crate::shell::Outcome;

    #[test]
    fn features_are_checked_without_alone_and_together() {
        let names: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let expected: [&[&str]; 5] = [&[], &["a"], &["b"], &["c"], &["a", "b", "c"]];
        assert_eq!(subsets(&names), expected);
        assert_eq!(subsets(&names[..1]), [&[][..], &["a"]]);
        assert_eq!(subsets(&[]).len(), 1);
    }

    #[test]
    fn each_step_runs_in_one_workflow() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.github/workflows");
        let files = std::fs::read_dir(folder).expect("the workflows are there");
        let texts = files.map(|file| std::fs::read_to_string(file.expect("listed").path()));
        let text: String = texts.map(|text| text.expect("a text")).collect();
        let mut listed: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split_once("xtask ci --only "))
            .flat_map(|(_, names)| names.trim().split(','))
            .collect();
        let mut names: Vec<&str> = all().iter().map(|step| step.name).collect();
        listed.sort_unstable();
        names.sort_unstable();
        assert_eq!(listed, names);
    }

    #[test]
    fn a_lab_that_is_late_or_silent_fails() {
        let verdict = |report| in_time(report);
        let passed = "{\n  \"schema\": 1,\n  \"seconds\": 12.4,\n}";
        assert!(matches!(verdict(passed), Outcome::Passed(text) if text == "12 s"));
        let late = "  \"seconds\": 91.0,";
        assert!(matches!(verdict(late), Outcome::Failed(text) if text == "91 s; at most 90"));
        assert!(matches!(verdict("{}"), Outcome::Failed(_)));
    }
}
