//! `asm` on a workspace of its own: what a developer has set does not reach the code, a mutant that the
//! contract misses fails, and what is missing is never a pass.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PROBES: &str = "//! Probes.
use core::sync::atomic::{AtomicU64, Ordering};

#[inline(never)]
pub fn ours_store_u64_release(a: &AtomicU64, v: u64) {
    a.store(v, Ordering::Release)
}

/// Its loop is vectorised for the processor that the flags name.
#[inline(never)]
pub fn hot_sum(a: &[u64; 64]) -> u64 {
    a.iter().fold(0, |sum, n| sum.wrapping_add(*n))
}
";

const RULES: &str = "[[rule]]
probe = \"hot_sum\"
why = \"only its registers matter\"
classes = { load = \"any\", back_edge = \"any\" }
";

const MUTANTS: &str = "[[mutant]]
name = \"a store that is an exchange\"
variant = \"x86_64\"
file = \"tools/asm-probes/src/lib.rs\"
find = \"Ordering::Release\"
replace = \"Ordering::SeqCst\"
probe = \"ours_store_u64_release\"
says = \"locked_rmw: 1, expected none\"
";

/// Flags that show in the code: twice as wide registers than the variant `x86_64` has.
const FLAGS: &str = "-Ctarget-cpu=x86-64-v3";

/// A workspace with these mutants, two folders below a configuration of cargo's that must not be read.
fn workspace(name: &str, mutants: &str) -> PathBuf {
    let outer = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if outer.exists() {
        std::fs::remove_dir_all(&outer).expect("the old workspace can be removed");
    }
    let config = format!(
        "[build]\nrustflags = [\"{FLAGS}\"]\nrustc-wrapper = \"/nowhere\"\n\
         [target.x86_64-unknown-linux-gnu]\nrustflags = [\"{FLAGS}\"]\n\
         [profile.release]\nopt-level = 0\n"
    );
    let root = outer.join("house/tree");
    for (path, text) in [
        ("../../.cargo/config.toml", &*config),
        (
            "../../home/config.toml",
            "[profile.release.package.asm-probes]\nopt-level = 0\n",
        ),
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"tools/asm-probes\"]\nresolver = \"3\"\n",
        ),
        (
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"asm-probes\"\nversion = \"0.1.0\"\n",
        ),
        (
            "tools/asm-probes/Cargo.toml",
            "[package]\nname = \"asm-probes\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        ),
        ("tools/asm-probes/src/lib.rs", PROBES),
        ("asm/rules.toml", RULES),
        ("asm/mutants.toml", mutants),
    ] {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    }
    root
}

fn asm(root: &Path, arguments: &[&str]) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command
        .args(["--root", &root.to_string_lossy(), "asm"])
        .args(arguments)
        .current_dir(root)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CI")
        .env("RUSTFLAGS", FLAGS)
        .env("CARGO_BUILD_RUSTFLAGS", FLAGS)
        .env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", FLAGS)
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("RUSTC_WRAPPER", "/nowhere")
        .env("CARGO_HOME", root.join("../../home"))
        .output()
        .expect("xtask starts");
    let said = [&*output.stdout, &*output.stderr].concat();
    let said = String::from_utf8(said).expect("xtask prints UTF-8");
    (output, said)
}

#[test]
fn what_a_developer_has_set_does_not_reach_the_code() {
    let root = workspace("asm-leak", MUTANTS);
    let (output, said) = asm(&root, &["mutate"]);
    assert!(said.contains("asm mutate: 1 of 1 caught"), "{said}");
    assert_eq!(output.status.code(), Some(0), "{said}");
    let folder = std::fs::read_dir(root.join("target/asm/mutants/x86_64")).expect("a folder");
    let mut files = folder.map(|entry| entry.expect("listed").path());
    let ours = files.find(|path| path.extension().is_some_and(|ending| ending == "s"));
    let ours = std::fs::read_to_string(ours.expect("one file")).expect("the code was written");
    // Optimised, for the processor of the variant.
    assert!(ours.contains("xmm") && !ours.contains("ymm"), "{ours}");

    // The same flags on the ordinary way do reach it, or nothing was shown.
    let leaky = root.join("target/leaky.s");
    let status = Command::new("cargo")
        .args([
            "rustc",
            "--quiet",
            "--release",
            "--lib",
            "--package",
            "asm-probes",
        ])
        .args(["--target", "x86_64-unknown-linux-gnu", "--", "--emit"])
        .arg(format!("asm={}", leaky.display()))
        .current_dir(&root)
        .env_remove("CARGO_TARGET_DIR")
        .env("RUSTFLAGS", FLAGS)
        .env("RUSTC_WRAPPER", "")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3")
        .status()
        .expect("cargo starts");
    assert!(status.success());
    let leaky = std::fs::read_to_string(leaky).expect("the code was written");
    assert!(leaky.contains("ymm"), "{leaky}");
}

#[test]
fn a_mutant_that_is_missed_fails_and_one_that_no_longer_fits_is_an_error() {
    // On x86_64 a relaxed store is the same instruction.
    let equal = MUTANTS.replace("Ordering::SeqCst", "Ordering::Relaxed");
    let (output, said) = asm(&workspace("asm-missed", &equal), &["mutate"]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("MISSED  a store that is an exchange"),
        "{said}"
    );
    assert!(said.contains("asm mutate: 0 of 1 caught"), "{said}");

    let half = MUTANTS.replace("says", "said");
    let (output, said) = asm(&workspace("asm-half", &half), &["mutate"]);
    assert_eq!(output.status.code(), Some(3), "{said}");
    let expected = "asm: asm/mutants.toml:8: unknown field `said`, expected one of";
    assert!(said.contains(expected), "{said}");

    let old = MUTANTS.replace(
        "find = \"Ordering::Release\"",
        "find = \"Ordering::AcqRel\"",
    );
    let (output, said) = asm(&workspace("asm-unfit", &old), &["mutate"]);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("asm/mutants.toml:1"), "{said}");
    assert!(
        said.contains("occurs 0 times in tools/asm-probes/src/lib.rs"),
        "{said}"
    );
}

#[test]
fn without_the_second_reader_nothing_passes_and_nothing_is_written() {
    let root = workspace("asm-missing", MUTANTS);
    for arguments in [&["check"][..], &["diff"], &["bless", "--all"]] {
        let (output, said) = asm(&root, arguments);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(
            said.contains("missing: needs `cargo install --locked --debug --root"),
            "{said}"
        );
        assert!(said.contains("--version 0.2.64 cargo-show-asm`"), "{said}");
        assert!(!root.join("asm/x86_64").exists());
    }
}

#[test]
fn wrong_calls_say_what_there_is() {
    let root = workspace("asm-calls", MUTANTS);
    let (output, said) = asm(&root, &["check", "--variant", "sparc"]);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("there is no variant `sparc`; there are x86_64, x86_64_v3"),
        "{said}"
    );
    let (output, said) = asm(&root, &["bless"]);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("--all"), "{said}");
    let (_, said) = asm(
        &root,
        &["explain", "ours_store_u64_release", "--variant", "x86_64"],
    );
    assert!(
        said.contains("source: tools/asm-probes/src/lib.rs:5: pub fn ours_store"),
        "{said}"
    );
    assert!(
        said.contains("store of 8 bytes, release -> 1 store"),
        "{said}"
    );
    let (output, said) = asm(&root, &["explain", "ours_store_u64_relaxed"]);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("there is no probe `ours_store_u64_relaxed`"),
        "{said}"
    );
}
