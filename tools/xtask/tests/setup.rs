//! tools/setup where it cannot do its work: the exit code, and what it says to do.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;

/// Runs the script with nothing on the path but what it needs to find out what is missing.
fn bare(script: &str, name: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(script)
        .join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a scratch folder can be made");
    for tool in ["bash", "dirname", "mktemp", "rm"] {
        let path = ["/usr/bin", "/bin"].map(|bin| Path::new(bin).join(tool));
        let path = path.iter().find(|path| path.exists()).expect("a unix tool");
        std::os::unix::fs::symlink(path, folder.join(tool)).expect("a link can be made");
    }
    let setup = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../setup"));
    let output = Command::new(folder.join("bash"))
        .arg(setup.join(script))
        .args(arguments)
        .env("PATH", &folder)
        .output()
        .expect("bash starts");
    assert!(output.stdout.is_empty(), "it speaks on standard error");
    let said = String::from_utf8(output.stderr).expect("it speaks UTF-8");
    (output.status.code(), said)
}

#[test]
fn the_check_installs_nothing_and_names_the_remedy() {
    let said = "setup/aarch64: there is no rustc\n\
                setup/aarch64: to install it on Debian, run: tools/setup/aarch64\n";
    assert_eq!(
        bare("aarch64", "check", &["--check"]),
        (Some(3), said.to_owned())
    );
}

#[test]
fn a_system_without_apt_is_told_what_to_install() {
    let (code, said) = bare("aarch64", "no-apt", &[]);
    assert_eq!(code, Some(3));
    assert!(said.contains("not Debian; install aarch64-linux-gnu-gcc, qemu-aarch64"));
    assert!(
        said.ends_with("then run: tools/setup/aarch64 --check\n"),
        "{said}"
    );
}

#[test]
fn a_wrong_call_is_told_from_a_missing_tool() {
    let said = "setup/aarch64: expected nothing or --check, got: --all now\n";
    assert_eq!(
        bare("aarch64", "wrong", &["--all", "now"]),
        (Some(2), said.to_owned())
    );
}

#[test]
fn without_valgrind_or_hwloc_the_remedy_is_named() {
    for script in ["valgrind", "hwloc"] {
        let (code, said) = bare(script, "check", &["--check"]);
        assert_eq!(code, Some(3));
        let remedy = format!("run: tools/setup/{script}\n");
        assert!(said.ends_with(&remedy), "{said}");
        let (code, said) = bare(script, "no-apt", &[]);
        assert_eq!(code, Some(3));
        let remedy = format!("tools/setup/{script} --check\n");
        assert!(said.ends_with(&remedy), "{said}");
        let (code, said) = bare(script, "wrong", &["now"]);
        assert_eq!(code, Some(2));
        let expected = format!("setup/{script}: expected nothing or --check, got: now\n");
        assert_eq!(said, expected);
    }
}
